"""The site as files: what is in it, what is refused, and that nothing in it points elsewhere. No browser, no Pyodide:
a made-up release stands in for one. tests/in_a_tab/ opens the real thing."""

import hashlib
import json
import posixpath
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from mlcourse.classroom.learner.exercises import CourseError
from mlcourse.classroom.site import build, build_site, pyodide, wheels
from mlcourse.classroom.site.serve import server
from tests.classroom.learner.course import git, notebook
from tests.tested import notebooks_in

PACKAGES = {  # what a release has, and in which version
    "numpy": "2.0.2",
    "matplotlib": "3.8.4",
    "sqlite3": "1.0.0",
    "ipython": "8.23.0",
    "traitlets": "5.14.3",
    "jedi": "0.19.1",
    "micropip": "0.9.0",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("pyodide"))


@pytest.fixture(scope="module")
def site(release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites") / "site"
    build_site(folder, release)
    return folder


def made_up(folder, version="0.27.7", python="3.12.7", **others):
    """A folder that looks like a release of Pyodide."""
    packages = {}
    for name, number in (PACKAGES | others).items():
        wheel = folder / f"{name}-{number}-py3-none-any.whl"
        wheel.write_bytes(name.encode())
        packages[name] = {
            "name": name,
            "version": number,
            "file_name": wheel.name,
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "depends": ["traitlets"] if name == "ipython" else [],
            "imports": [name],
        }
    for name in ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
        (folder / name).write_text(name)
    lock = {"info": {"version": version, "python": python}, "packages": packages}
    (folder / pyodide.LOCK).write_text(json.dumps(lock))
    return folder


def lock_of(folder):
    return json.loads((folder / "static" / "pyodide" / pyodide.LOCK).read_text())


def test_the_site_has_every_lesson_and_exercise_and_begins_with_lesson_00(site):
    for folder in ("notebooks", "exercises"):
        here = {path.name for path in (site / "files" / folder).iterdir()}
        assert here == {path.name for path in notebooks_in(folder)}
    page = (site / "index.html").read_text()
    first = re.search(r'class="begin" href="([^"]+)"', page)[1]
    assert first.endswith("path=notebooks/00_start_here.ipynb")
    named = re.findall(r"path=((?:notebooks|exercises)/[^\"]+)", page)
    assert set(named) == {f"{path.parent.name}/{path.name}" for path in (site / "files").rglob("*.ipynb")}
    assert "{{" not in page


def test_every_package_that_the_lock_file_names_is_there_and_is_what_it_says(site):
    folder, packages = site / "static" / "pyodide", lock_of(site)["packages"]
    assert {"mlcourse", "autograd", "ipywidgets", "platformdirs", "tqdm", *pyodide.KERNEL} <= set(packages)
    for name, package in packages.items():
        assert hashlib.sha256((folder / package["file_name"]).read_bytes()).hexdigest() == package["sha256"], name
        assert set(package["depends"]) <= set(packages), name
    there = {path.name for path in folder.glob("*.whl")}
    assert there == {package["file_name"] for package in packages.values()}


def test_nothing_that_the_site_loads_lies_elsewhere(site):
    config = (site / "jupyter-lite.json").read_text()
    assert not re.findall(r"https?://", config)
    for name in ("index.html", "keep.js", "lab/index.html"):
        loaded = re.findall(r"""(?:src|href|import|fetch)\W{1,3}(https?://[^\s"']+)""", (site / name).read_text())
        assert loaded == [], name


def test_the_course_in_the_site_is_the_one_here(site):
    entry = lock_of(site)["packages"]["mlcourse"]
    with zipfile.ZipFile(site / "static" / "pyodide" / entry["file_name"]) as wheel:
        names = set(wheel.namelist())
        assert wheel.read("mlcourse/meta.py") == (build.ROOT / "mlcourse" / "meta.py").read_bytes()
    assert {"mlcourse/recipes/deviations.toml", "mlcourse/classroom/trained/joint.npz"} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_texts_are_whole_strings_and_their_hashes_are_those_of_the_files(site):
    mark = json.loads((site / build.MARK).read_text())
    for name, written in mark["files"].items():
        notebook = json.loads((site / "files" / name).read_text())
        assert all(isinstance(cell["source"], str) for cell in notebook["cells"]), name
        assert build.written_hash(notebook) == written, name


def test_the_times_of_long_cells_are_of_cells_that_there_are_and_no_lesson_takes_two_minutes(site):
    for name, seconds in json.loads((site / "seconds.json").read_text()).items():
        notebook = json.loads((site / "files" / name).read_text())
        assert set(seconds) <= {cell["id"] for cell in notebook["cells"]}, f"{name}: python -m benchmarks.site --keep"
        assert sum(seconds.values()) < 120, name


def test_the_start_page_loads_ahead_what_there_is(site):
    ahead = re.findall(r'rel="prefetch" href="([^"]+)"', (site / "index.html").read_text())
    assert any("pyodide.asm.wasm" in name for name in ahead)
    assert all((site / name).is_file() for name in ahead)


def test_what_a_lesson_or_an_exercise_links_to_is_in_the_site(site):
    for path in (site / "files").rglob("*.ipynb"):
        text = "\n".join(
            cell["source"] for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "markdown"
        )
        for link in re.findall(r"\]\(([^):#]+\.\w+)\)", text):
            there = posixpath.normpath(path.parent.relative_to(site / "files").as_posix() + "/" + link)
            assert (site / "files" / there).is_file(), (path.name, link)


def test_nothing_in_the_site_is_so_old_that_a_browser_would_not_ask_for_it_again(site):
    dates = [path.stat().st_mtime for path in site.rglob("*")]
    assert min(dates) > (site / build.MARK).stat().st_mtime - 60


def test_what_belongs_to_the_host_stays_in_the_folder(release, tmp_path):
    folder = tmp_path / "gh-pages"
    for name in (".git/HEAD", "CNAME", ".htaccess"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    build_site(folder, release)
    assert all((folder / name).read_text() == name for name in (".git/HEAD", "CNAME", ".htaccess"))
    assert (folder / "lab" / "index.html").exists() and (folder / ".nojekyll").exists()


def test_an_interrupted_replacement_gives_back_what_was_there(tmp_path, monkeypatch):
    folder, built = tmp_path / "site", tmp_path / "work" / "built"
    for path, name in ((folder, "CNAME"), (folder, "old.html"), (built, "new.html")):
        path.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
    rename = type(folder).rename

    def interrupted(path, target):
        if path == built:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(type(folder), "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build._replace(folder, built)
    assert {path.name for path in folder.iterdir()} == {"CNAME", "old.html"}


def test_a_link_to_a_site_stays_a_link(release, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "_run_jupyterlite", lambda lite, built: shutil.copytree(lite / "files", built))
    for name in ("_make_home", "_finish"):
        monkeypatch.setattr(build, name, lambda built, *_: (built / build.MARK).touch())
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for _ in range(2):
        build_site(tmp_path / "link", release)
        assert (tmp_path / "link").is_symlink() and (tmp_path / "there" / build.MARK).exists()


def test_a_folder_of_the_course_itself_a_file_and_a_place_that_cannot_be_written_to_are_refused(release, tmp_path):
    for name in ("notebooks/site", "mlcourse/site"):
        with pytest.raises(CourseError, match=rf"{name} lies in the course's own"):
            build_site(build.ROOT / name, release)
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="file is a file"):
        build_site(tmp_path / "file", release)
    with pytest.raises(CourseError, match=r"could not be written.*in .*file,.*\((File exists|Not a directory)\)"):
        build_site(tmp_path / "file" / "site", release)


def test_published_is_the_commits_course_whatever_lies_in_the_clone(tmp_path):
    for folder in build.FOLDERS:
        for path in notebooks_in(folder):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / path.name).write_text(notebook("the course's"))
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    course = build._notebooks(tmp_path, as_they_are=False)
    first, second, third, fourth = [path.name for path in notebooks_in("notebooks")][:4]
    lessons = tmp_path / "notebooks"
    (lessons / first).write_text(notebook("mine"))
    (lessons / second).write_text("{")
    (lessons / third).unlink()
    (lessons / f"{fourth[:2]}_mine.ipynb").write_text(notebook("mine"))
    (lessons / "15_mine.ipynb").mkdir()
    assert build._notebooks(tmp_path, as_they_are=False) == course
    with pytest.raises(CourseError, match=f"{second} is no notebook"):
        build._notebooks(tmp_path, as_they_are=True)
    (lessons / second).write_text(notebook("the course's"))
    with pytest.raises(CourseError, match=f"{third} cannot be read"):
        build._notebooks(tmp_path, as_they_are=True)
    (lessons / third).write_text(notebook("the course's"))
    found = build._notebooks(tmp_path, as_they_are=True)
    assert found.keys() == course.keys()
    assert [name for name in found if found[name] != course[name]] == [f"notebooks/{first}"]
    with pytest.raises(CourseError, match="there is no course in"):
        build._notebooks(tmp_path / "notebooks", as_they_are=False)


def test_a_second_build_replaces_the_first_and_another_folder_is_left_alone(site, release, tmp_path):
    (site / "left_over").write_text("of an older version")
    build_site(site, release)
    assert not (site / "left_over").exists()
    assert (site / "lab" / "index.html").exists()
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(CourseError, match="has other things in it"):
        build_site(tmp_path, release)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_went_wrong_half_way_leaves_the_folder_as_it_was(site, release, monkeypatch, tmp_path):
    def fail(lite, built):
        raise CourseError("no")

    monkeypatch.setattr(build, "_run_jupyterlite", fail)
    before = (site / build.MARK).read_text()
    with pytest.raises(CourseError, match="no"):
        build_site(site, release)
    assert (site / build.MARK).read_text() == before
    assert [path.name for path in site.parent.iterdir()] == [site.name]


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"version": "0.29.3", "python": "3.13.2"}, r"Pyodide 0.29.3 \(Python 3.13.2\).*wants Pyodide 0.27.x"),
        ({"version": "0.27.7", "python": "3.11.1"}, "Python 3.11.1"),
        ({"numpy": "1.26.4"}, r"numpy>=2.0 in the browser, and Pyodide 0.27.7 has 1.26.4"),
    ],
)
def test_a_release_that_does_not_fit_is_named_with_what_would(tmp_path, changed, said):
    with pytest.raises(CourseError, match=said):
        build_site(tmp_path / "site", made_up(tmp_path, **changed))


def test_a_folder_without_pyodide_a_missing_and_a_damaged_file_are_named(tmp_path):
    with pytest.raises(CourseError, match="holds no Pyodide"):
        build_site(tmp_path / "site", tmp_path)
    release = made_up(tmp_path)
    wheel = release / "jedi-0.19.1-py3-none-any.whl"
    wheel.write_bytes(b"other")
    with pytest.raises(CourseError, match=r"jedi-0.19.1-py3-none-any.whl is damaged"):
        build_site(tmp_path / "site", release)
    wheel.unlink()
    with pytest.raises(CourseError, match=r"incomplete: jedi-0.19.1"):
        build_site(tmp_path / "site", release)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"info": {"version": "0.27.7", "python": "3.12.7"}, "packages": {"a": {}}}']
)
def test_a_lock_file_that_is_none_is_said_to_be_none(tmp_path, text):
    (made_up(tmp_path) / pyodide.LOCK).write_text(text)
    with pytest.raises(CourseError, match=r"holds no Pyodide: .*it is no list of packages"):
        build_site(tmp_path / "site", tmp_path)


def test_a_release_without_a_part_of_its_core_or_a_package_is_refused(tmp_path):
    release = made_up(tmp_path)
    lock = json.loads((release / pyodide.LOCK).read_text())
    del lock["packages"]["numpy"]
    (release / "python_stdlib.zip").unlink()
    with pytest.raises(CourseError, match=r"incomplete: python_stdlib.zip of Pyodide's core"):
        build_site(tmp_path / "site", release)
    (release / pyodide.LOCK).write_text(json.dumps(lock))
    with pytest.raises(CourseError, match=r"this Pyodide lacks numpy.*take the whole release"):
        build_site(tmp_path / "site", release)


def test_without_the_extra_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    def absent(name):
        raise build.PackageNotFoundError(name)

    monkeypatch.setattr(build, "version", absent)
    with pytest.raises(CourseError, match=r"jupyterlite-core==[\d.]+, which is not installed here: `make site`"):
        build_site(tmp_path / "site")


def test_without_pyodide_the_kernels_own_address_is_asked_and_named_where_it_does_not_answer(tmp_path):
    release = made_up(tmp_path, version="314.0.6", python="3.14.2", micropip="0.11.1")
    lock = pyodide.fetched_lock((release / pyodide.LOCK).as_uri())
    assert all(package["file_name"].startswith(release.as_uri()) for package in lock["packages"].values())
    complete, ours = pyodide.with_course(lock)
    assert {wheel.file_name for wheel in ours} <= {each["file_name"] for each in complete["packages"].values()}
    with pytest.raises(CourseError, match="With --pyodide FOLDER"):
        pyodide.fetched_lock((tmp_path / "nowhere").as_uri())


def test_a_site_that_loads_python_from_elsewhere_has_the_courses_own_packages_beside_its_lock_file(
    tmp_path, monkeypatch
):
    release = made_up(tmp_path, version="314.0.6", python="3.14.2", micropip="0.11.1")
    lock = pyodide.fetched_lock((release / pyodide.LOCK).as_uri())
    monkeypatch.setattr(pyodide, "fetched_lock", lambda: lock)
    build_site(tmp_path / "site")
    folder = tmp_path / "site" / "static" / "lock"
    packages = json.loads((folder / pyodide.LOCK).read_text())["packages"].values()
    here = {each["file_name"] for each in packages if not each["file_name"].startswith("file:")}
    assert here == {path.name for path in folder.glob("*.whl")}
    config = json.loads((tmp_path / "site" / "jupyter-lite.json").read_text())["jupyter-config-data"]
    kernel = config["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert "pyodideUrl" not in kernel
    assert (tmp_path / "site" / kernel["loadPyodideOptions"]["lockFileURL"]).is_file()


def test_a_wheel_that_was_packed_again_is_what_pip_would_install():
    wheel = wheels.installed_wheel("tqdm")
    assert wheel == wheels.installed_wheel("tqdm")  # byte for byte
    assert wheel.sha256[:12] in wheel.file_name
    assert wheel.imports == ("tqdm",)
    with pytest.raises(CourseError, match="for this machine only"):
        wheels.installed_wheel("numpy")
    with pytest.raises(CourseError, match="pip install nothing-like-it"):
        wheels.installed_wheel("nothing-like-it")


def test_a_packed_wheel_can_be_imported_by_itself(tmp_path):
    wheel = wheels.installed_wheel("platformdirs")
    path = tmp_path / wheel.file_name
    path.write_bytes(wheel.data)
    code = f"import sys; sys.path.insert(0, {str(path)!r}); import platformdirs; print(platformdirs.__file__)"
    assert str(path) in subprocess.check_output([sys.executable, "-I", "-c", code], text=True)


def test_the_server_gives_types_that_a_browser_runs_and_is_asked_again_at_each_visit(site):
    import threading

    running = server(site, port=0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        for name, kind in (("static/pyodide/pyodide.asm.wasm", "application/wasm"), ("keep.js", "text/javascript")):
            with urllib.request.urlopen(f"http://127.0.0.1:{running.server_port}/{name}") as answer:
                assert answer.headers["Content-Type"] == kind
                assert answer.headers["Cache-Control"] == "no-cache"
    finally:
        running.shutdown()
        running.server_close()


def test_the_sites_own_server_needs_python_alone(site):
    code = "import runpy, sys; runpy.run_path('serve.py'); print([n for n in sys.modules if n.startswith('mlcourse')])"
    done = subprocess.check_output([sys.executable, "-I", "-c", code], text=True, cwd=site)
    assert done.strip() == "[]"


@pytest.mark.parametrize("words", [["eighty"], ["99999"], ["-1"], ["1", "2"]])
def test_the_sites_own_server_says_which_port_it_wants(words):
    server_file = build.serve.__file__
    done = subprocess.run([sys.executable, "-I", server_file, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr.strip() == f"python3 serve.py [PORT]: a number up to 65535, 8765 by itself; got {' '.join(words)}"
    )


def test_the_command_prints_what_a_shell_understands(tmp_path, monkeypatch, capsys):
    from mlcourse.classroom import cli, site

    asked = []
    monkeypatch.setattr(site, "build_site", lambda *folders, **_: asked.append(folders) or (1, 1))
    monkeypatch.setenv("HOME", str(tmp_path / "a home"))
    cli.site(Path("~/site"), Path("~/pyodide"))
    assert asked == [(tmp_path / "a home" / "site", tmp_path / "a home" / "pyodide")]
    assert capsys.readouterr().out.endswith(f"python3 '{tmp_path}/a home/site/serve.py'\n")
