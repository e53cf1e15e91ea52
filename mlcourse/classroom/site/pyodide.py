"""Python for a browser: which Pyodide fits, and its lock file with the course's own packages in it.

The kernel loads what a cell imports from the lock file, so a package that is in there needs no `%pip install`.
"""

import hashlib
import json
import urllib.request
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from packaging.markers import default_environment
from packaging.utils import canonicalize_name

from mlcourse.classroom.learner.exercises import CourseError
from mlcourse.classroom.site.wheels import course_wheel, given_wheel, installed_wheel

LOCK = "pyodide-lock.json"
TRIED = "0.27"  # with this one every test of the site is run; the other that fits is the one the kernel is made for
KERNEL = ("micropip", "piplite", "sqlite3", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
IN_A_TAB = ("numpy", "autograd", "fsrs", "matplotlib", "ipywidgets", "platformdirs", "tqdm")  # not the rest
NOT_IMPORTED = ("jupyterlab-widgets", "widgetsnbextension")  # JupyterLab's half of ipywidgets, which the site has


def read_lock(folder):
    """The lock file of a Pyodide distribution in a folder. Raises CourseError where it is none, or does not fit."""
    try:
        return _checked((Path(folder) / LOCK).read_bytes(), folder)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{folder} holds no Pyodide: {LOCK} cannot be read there ({getattr(error, 'strerror', None) or error}). "
            f"Unpack a release of Pyodide {TRIED}, and give the folder that has pyodide.mjs in it"
        ) from None


def fetched_lock(address=None):
    """The lock file of the Pyodide that the kernel loads by itself, with whole addresses. Needs a network."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_LOCK_DEFAULT_URL

    address = address or PYODIDE_LOCK_DEFAULT_URL
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            lock = _checked(answer.read(), address)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"the list of Pyodide's packages could not be read from {address} ({error}). With --pyodide FOLDER a site "
            "is built without a network, and is complete"
        ) from None
    for package in lock["packages"].values():
        package["file_name"] = address.rsplit("/", 1)[0] + "/" + package["file_name"]
    return lock


def _checked(text, source):
    """A lock file, read. Raises ValueError where it is none, CourseError unless the kernel runs on its Python."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_PYTHON_VERSION, PYODIDE_VERSION

    lock = json.loads(text)
    try:
        number, python = lock["info"]["version"], lock["info"]["python"]
        for package in lock["packages"].values():
            _ = package["version"] + package["file_name"] + package["sha256"] + "".join(package["depends"])
    except (LookupError, TypeError, AttributeError):
        raise ValueError("it is no list of packages") from None
    fits = {TRIED: "3.12", PYODIDE_VERSION.split(".")[0]: PYODIDE_PYTHON_VERSION}
    for release, its_python in fits.items():
        if f"{number}.".startswith(f"{release}.") and f"{python}.".startswith(f"{its_python}."):
            return lock
    wanted = " or ".join(f"{release}.x (Python {its_python})" for release, its_python in fits.items())
    raise CourseError(
        f"{source} is Pyodide {number} (Python {python}), and the kernel of this site, "
        f"jupyterlite-pyodide-kernel {version('jupyterlite-pyodide-kernel')}, wants Pyodide {wanted}"
    )


def with_course(lock):
    """(lock, wheels): the lock file cut down to what the course needs, with its own packages and the kernel's in it.

    Raises CourseError where a package is missing or its version does not fit.
    """
    packages = {name: dict(entry) for name, entry in lock["packages"].items()}
    python = lock["info"]["python"]
    wheels = {wheel.name: wheel for wheel in [course_wheel(), *_kernel_wheels(lock)]}
    needed = [*_of_the_course(wheels["mlcourse"].requires), *_all_of(wheels, but="mlcourse")]
    while needed:
        need = needed.pop()
        name = canonicalize_name(need.name)
        if name not in packages and name not in wheels:
            wheels[name] = wheel = installed_wheel(name)
            _check_python(wheel, python)
            needed += _that_apply(wheel.requires, python)
        found = wheels[name].version if name in wheels else packages[name]["version"]
        if not need.specifier.contains(found, prereleases=True):
            raise CourseError(
                f"the course needs {need} in the browser, and Pyodide {lock['info']['version']} has {found}"
            )
    for name, wheel in wheels.items():
        packages[name] = _entry(wheel, packages, wheels, python)
    roots = [name for name in ("mlcourse", *KERNEL) if name in packages]
    missing = sorted({*KERNEL} - {*roots, "sqlite3"})
    if missing:
        raise CourseError(
            f"this Pyodide lacks {', '.join(missing)}, without which no notebook runs: take the whole release"
        )
    kept = _closure(packages, roots)
    return lock | {"packages": {name: packages[name] for name in kept}}, [w for n, w in wheels.items() if n in kept]


def _of_the_course(requires):
    return [each for each in requires if canonicalize_name(each.name) in IN_A_TAB]


def _all_of(wheels, but):
    return [each for name, wheel in wheels.items() if name != but for each in wheel.requires]


def _that_apply(requires, python):
    """Requirements that hold in a browser."""
    there = default_environment() | {
        "sys_platform": "emscripten",
        "platform_system": "Emscripten",
        "os_name": "posix",
        "platform_machine": "wasm32",
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
    }
    fitting = [each for each in requires if each.marker is None or each.marker.evaluate(there)]
    return [each for each in fitting if canonicalize_name(each.name) not in NOT_IMPORTED]


def _check_python(wheel, python):
    from packaging.specifiers import SpecifierSet

    if not SpecifierSet(wheel.python).contains(python):
        raise CourseError(
            f"{wheel.name} {wheel.version} wants Python {wheel.python}, and this Pyodide is Python {python}: "
            f"install an older {wheel.name} here"
        )


def _kernel_wheels(lock):
    """The kernel's own Python packages, from where jupyterlite-pyodide-kernel keeps them."""
    names = ["piplite", "pyodide_kernel", "ipykernel"]
    paths = [next(iter(sorted(extension_folder().glob(f"static/pypi/{name}-*.whl"))), None) for name in names]
    if None in paths:
        raise CourseError("jupyterlite-pyodide-kernel is incomplete here: `pip install --force-reinstall` it")
    ours = (files("mlcourse.classroom.site") / "pages" / "piplite.py").read_text(encoding="utf-8")
    of_another_micropip = lock["info"]["version"].startswith(f"{TRIED}.")
    replaced = {"piplite/piplite.py": ours} if of_another_micropip else {}
    return [given_wheel(path, replaced if name == "piplite" else {}) for name, path in zip(names, paths, strict=True)]


def extension_folder():
    """Where JupyterLab's half of jupyterlite-pyodide-kernel is installed."""
    return labextension("@jupyterlite/pyodide-kernel-extension", "jupyterlite-pyodide-kernel")


def labextension(name, package):
    """The folder of a prebuilt extension of JupyterLab, which `package` installs. Raises CourseError without it."""
    from jupyter_core.paths import jupyter_path

    for root in jupyter_path("labextensions"):
        if (Path(root) / name / "package.json").exists():
            return Path(root) / name
    raise CourseError(f"JupyterLab does not find {name} here: `pip install --force-reinstall {package}`")


def _entry(wheel, packages, wheels, python):
    """A wheel's entry in the lock file."""
    depends = {canonicalize_name(each.name) for each in _that_apply(wheel.requires, python)}
    depends = depends & set(IN_A_TAB) | {"sqlite3"} if wheel.name == "mlcourse" else depends
    return {
        "depends": sorted(name for name in depends if name in packages or name in wheels),
        "file_name": wheel.file_name,
        "imports": list(wheel.imports),
        "install_dir": "site",
        "name": wheel.name,
        "package_type": "package",
        "sha256": wheel.sha256,
        "unvendored_tests": False,
        "version": wheel.version,
    }


def _closure(packages, names):
    """The names, and all that these depend on, sorted."""
    seen, todo = set(), list(names)
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in seen:
            if name not in packages:
                raise CourseError(f"this Pyodide lacks {name}: take the whole release")
            seen.add(name)
            todo += packages[name]["depends"]
    return sorted(seen)


def copy_distribution(source, lock, wheels, target):
    """Copy Pyodide's core and the packages of a cut-down lock file; put the course's wheels and the lock beside them.

    Raises CourseError where a file is missing or damaged.
    """
    source, ours = Path(source), {wheel.file_name: wheel for wheel in wheels}
    core = [p for p in source.glob("py*") if p.suffix in (".js", ".mjs", ".wasm") or p.name == "python_stdlib.zip"]
    names = [path.name.replace("asm.mjs", "asm.js") for path in core]
    missing = {"pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"} - {*names}
    if missing:
        raise CourseError(f"{source} is incomplete: {', '.join(sorted(missing))} of Pyodide's core")
    for path in core:
        (target / path.name).write_bytes(path.read_bytes())
    for package in lock["packages"].values():
        name = package["file_name"]
        if name in ours:
            data = ours[name].data
        else:
            try:
                data = (source / name).read_bytes()
            except OSError as error:
                raise CourseError(f"{source} is incomplete: {name} of its {LOCK} ({error.strerror})") from None
            if hashlib.sha256(data).hexdigest() != package["sha256"]:
                raise CourseError(f"{source / name} is damaged: it is not the file that {LOCK} names")
        (target / name).write_bytes(data)
    write_lock(lock, target)


def write_lock(lock, target):
    (target / LOCK).write_text(json.dumps(lock), encoding="utf-8")
