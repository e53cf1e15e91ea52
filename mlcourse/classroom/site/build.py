"""`mlcourse site FOLDER`: lessons, exercises, JupyterLab and Python, as files that any web host can serve."""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.resources import files
from pathlib import Path

import nbformat
from packaging.requirements import Requirement

from mlcourse.classroom import tab
from mlcourse.classroom.learner.exercises import ROOT, CourseError, committed, find
from mlcourse.classroom.learner.notebook import TITLES
from mlcourse.classroom.site import pyodide, serve

MARK = "mlcourse-site.json"  # in every site that was built here: only such a folder is built into again
FOLDERS = ("notebooks", "exercises")
LINKED = ("docs/is_my_maml_maml.md",)  # what lessons link to, besides one another
HOSTS_OWN = (".git", ".gitignore", ".github", ".htaccess", ".nojekyll", ".well-known", "CNAME")  # laid there by hand
STORAGE = ["asyncStorage", "localStorageWrapper", "memoryStorageDriver"]  # IndexedDB; the last resort is to forget
PAGES = files("mlcourse.classroom.site") / "pages"
SETTINGS = Path(__file__).parents[1] / "jupyter" / "labconfig" / "default_setting_overrides.json"
AUTOSAVE = 5  # seconds; JupyterLab's own 120 are long where closing the tab ends everything


def build_site(folder, from_pyodide=None, root=ROOT, as_they_are=False):
    """Build the course as a static site in a folder; gives (number of files, bytes).

    from_pyodide   folder of a Pyodide release, which becomes part of the site; without it, the kernel loads Python
                   from its own address
    as_they_are    notebooks as they lie in the clone, instead of the last commit's

    The folder may be missing, empty, or a site that was built before, which is replaced when the new one is complete;
    HOSTS_OWN in it stay. Raises CourseError, with the folder as it was, where something is missing or does not fit.
    """
    folder = Path(folder).resolve()
    _require_extra()
    try:
        _require_ours(folder, root)
        notebooks = _notebooks(root, as_they_are)
        linked = {name: _as_published(root / name, root, as_they_are) for name in LINKED}
        lock = pyodide.fetched_lock() if from_pyodide is None else pyodide.read_lock(from_pyodide)
        lock, wheels = pyodide.with_course(lock)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
            lite, built = Path(work) / "lite", Path(work) / "built"
            _lay_out(lite, notebooks, linked, lock, wheels, from_pyodide)
            _run_jupyterlite(lite, built)
            if from_pyodide is None:
                shutil.copytree(lite / "lock", built / "static" / "lock")
            _make_home(built)
            _finish(built, notebooks, lock)
            size = _size(built)
            _replace(folder, built)
        return size
    except OSError as error:
        raise CourseError(
            f"the site could not be written: it is made in {folder.parent}, and takes the place of {folder} when it is "
            f"complete ({error.strerror or error})"
        ) from None


def _require_extra():
    """Raise CourseError unless what the extra `site` names is installed, in the versions that were tried together."""
    wanted = [Requirement(text) for text in distribution("mlcourse").requires or ()]
    for need in wanted:
        if need.marker is None or not need.marker.evaluate({"extra": "site"}) or need.marker.evaluate({"extra": ""}):
            continue
        try:
            fits = need.specifier.contains(version(need.name), prereleases=True)
        except PackageNotFoundError:
            fits = False
        if not fits:
            exact = f"{need.name}{need.specifier}"
            raise CourseError(
                f"a site is built with {exact}, which is not installed here: `make site` installs it, and so does "
                f"`{Path(sys.executable).name} -m pip install --editable '.[site]'` in the clone"
            )


def _require_ours(folder, root):
    """Raise CourseError for a folder that is not to be built into."""
    for name in ("mlcourse", "solutions", *FOLDERS):
        if folder.is_relative_to(Path(root).resolve() / name):
            raise CourseError(
                f"{folder} lies in the course's own {name}/: choose a folder elsewhere, such as build/site"
            )
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CourseError(f"{folder} is a file: choose a new or an empty folder")
    if not (folder / MARK).exists() and {path.name for path in folder.iterdir()} - {*HOSTS_OWN}:
        raise CourseError(f"{folder} has other things in it than a site of the course: choose a new or an empty folder")


def _notebooks(root, as_they_are):
    """{path in the site: notebook} of the course's own, without what a learner has written or laid beside them."""
    if not all((root / folder).is_dir() for folder in FOLDERS):
        raise CourseError(f"there is no course in {root}: run this in a clone of the course, installed with --editable")
    found = {}
    for folder in FOLDERS:
        for number in [number for number in TITLES if number or folder == "notebooks"]:  # 00 has no exercises
            path = find(number, root, folder)
            text = _as_published(path, root, as_they_are)
            try:
                found[f"{folder}/{path.name}"] = nbformat.reads(text, as_version=4)  # its texts in one string each
            except (ValueError, AttributeError, LookupError) as error:
                raise CourseError(f"{path} is no notebook ({error})") from None
    return found


def _as_published(path, root, as_they_are):
    """The text of a file of the course: the last commit's, or as it lies in the clone."""
    original = None if as_they_are else committed(path, root)
    try:
        return (original or path.read_bytes()).decode()
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read ({error})") from None


def _lay_out(lite, notebooks, linked, lock, wheels, from_pyodide):
    """What jupyterlite builds from: contents, Python, settings."""
    texts = {name: json.dumps(notebook, ensure_ascii=False) for name, notebook in notebooks.items()}
    for name, text in (texts | linked).items():
        path = lite / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    options = {
        "packages": [name for name in pyodide.KERNEL if name in lock["packages"]],
        "env": {"HOME": "/home/pyodide"},
    }
    if from_pyodide is None:
        python = lite / "lock"
        python.mkdir()
        pyodide.write_lock(lock, python)
        for wheel in wheels:
            (python / wheel.file_name).write_bytes(wheel.data)
        options["lockFileURL"] = f"./static/lock/{pyodide.LOCK}"
    else:
        python = lite / "static" / "pyodide"
        python.mkdir(parents=True)
        pyodide.copy_distribution(from_pyodide, lock, wheels, python)
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": options}
    config = {
        "appName": "mlcourse",
        "exposeAppInBrowser": True,
        "enableMemoryStorage": True,
        **{f"{what}StorageDrivers": STORAGE for what in ("contents", "settings", "workspaces")},
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
    }
    (lite / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": config}), encoding="utf-8"
    )
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    settings["@jupyterlab/docmanager-extension:plugin"] = {
        "autosaveInterval": AUTOSAVE,
        "defaultViewers": {"markdown": "Markdown Preview"},
    }
    (lite / "overrides.json").write_text(json.dumps(settings), encoding="utf-8")


def _run_jupyterlite(lite, built):
    """The build itself, with the two extensions that the course needs and no other that is installed here."""
    widgets = pyodide.labextension("@jupyter-widgets/jupyterlab-manager", "jupyterlab-widgets")
    config = {
        "apps": ["lab"],
        "contents": ["files"],
        "federated_extensions": [str(pyodide.extension_folder()), str(widgets)],
        "ignore_sys_prefix": ["federated_extensions"],
        "no_libarchive": True,
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(built),
    }
    (lite / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": config}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", "."],
        cwd=lite,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        if shutil.disk_usage(lite).free < 1e6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise CourseError("jupyterlite could not build the site:\n" + (done.stdout + done.stderr)[-3000:])


def _make_home(built):
    """An empty folder for the learner's own data among the site's files: Python need not make one in the browser."""
    listing = built / "api" / "contents" / "all.json"
    top, name = json.loads(listing.read_text(encoding="utf-8")), tab.HOME.name
    like = next(entry for entry in top["content"] if entry["type"] == "directory")
    home = like | {"name": name, "path": name}
    top["content"].append(home)
    listing.write_text(json.dumps(top), encoding="utf-8")
    inside = listing.parent / name / listing.name
    inside.parent.mkdir()
    inside.write_text(json.dumps(home | {"content": [], "format": "json"}), encoding="utf-8")


def _finish(built, notebooks, lock):
    """The start page, what keeps the learner's files over a new version, and a server for who has no web host."""
    mark = {
        "course": version("mlcourse"),
        "python": lock["info"]["python"],
        "pyodide": lock["info"]["version"],
        "files": {name: written_hash(notebook) for name, notebook in notebooks.items()},
    }
    (built / MARK).write_text(json.dumps(mark, indent=1), encoding="utf-8")
    (built / ".nojekyll").touch()  # GitHub Pages would leave out api/contents/.mlcourse
    for name in ("keep.js", "pace.js", "seconds.json"):
        (built / name).write_text((PAGES / name).read_text(encoding="utf-8"), encoding="utf-8")
    (built / "serve.py").write_text(Path(serve.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (built / "index.html").write_text(_start_page(notebooks, _loaded_soon(built, lock)), encoding="utf-8")
    page = built / "lab" / "index.html"
    text, changed = re.subn(
        r"(?=await import\(\s*'\.\./config-utils\.js)",
        "await (await import('../keep.js')).begin();\n        ",
        page.read_text(encoding="utf-8"),
    )
    if changed != 1:
        raise CourseError("JupyterLite's page is not as it was when this was written: install the pinned version")
    text = text.replace("</title>", '</title>\n    <link rel="icon" href="favicon.ico">', 1)
    page.write_text(text, encoding="utf-8")
    for path in built.rglob("*"):
        os.utime(path)  # JupyterLite's files are of 1985, and what is old a browser does not ask for again soon


def written_hash(notebook):
    """What a person wrote of a notebook, as a hash: each cell's kind and text. keep.js computes the same."""
    text = "\0".join(f"{cell['cell_type']}\0{cell['source']}" for cell in notebook["cells"])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _loaded_soon(built, lock):
    """The large files that the first cell of lesson 00 waits for, as addresses in the site."""
    python = [*built.glob("static/pyodide/pyodide.*m*"), *built.glob("static/pyodide/python_stdlib.zip")]
    wheels = [built / "static" / "pyodide" / package["file_name"] for package in lock["packages"].values()]
    application = [*built.glob("build/jlab_core.*.js")]
    found = [path for path in (*application, *python, *wheels) if path.exists()]
    return [path.relative_to(built).as_posix() for path in found]


def _start_page(notebooks, soon):
    rows = []
    for name in notebooks:
        folder, file = name.split("/")
        number = int(file[:2])
        if folder == "notebooks":
            exercise = f"exercises/{file}"
            beside = f' <a href="{_address(exercise)}">exercises</a>' if exercise in notebooks else ""
            rows.append(f'<li><a href="{_address(name)}">{number:02} {TITLES[number]}</a>{beside}</li>')
    page = (PAGES / "index.html").read_text(encoding="utf-8")
    ahead = "\n".join(f'<link rel="prefetch" href="{path}">' for path in soon)
    page = page.replace("{{soon}}", ahead)
    return page.replace("{{first}}", _address(next(iter(notebooks)))).replace("{{lessons}}", "\n".join(rows))


def _address(name):
    """Where a notebook opens: a lesson and its exercises share a workspace, in which JupyterLab finds them again."""
    return f"lab/index.html?workspace={Path(name).name[:2]}&path={name}"


def _replace(folder, built):
    """Put what was built in the folder's place; what was there goes only when the new one is complete."""
    if not folder.exists():
        built.rename(folder)
        return
    old, kept = built.with_name("old"), [name for name in HOSTS_OWN if os.path.lexists(folder / name)]
    folder.rename(old)
    try:
        for name in kept:
            (old / name).replace(built / name)
        built.rename(folder)
    except BaseException:
        for name in kept:
            if not os.path.lexists(old / name):
                (built / name).rename(old / name)
        old.rename(folder)
        raise


def _size(folder):
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
