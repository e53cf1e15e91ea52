"""Wheels of what is installed here, packed again: a site is built without a network, and has what was tested here."""

import base64
import hashlib
import io
import re
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mlcourse
from mlcourse.classroom.learner.exercises import CourseError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel, byte for byte


class Wheel(NamedTuple):
    """A pure-Python package, packed."""

    name: str
    version: str
    imports: tuple  # its top-level modules
    requires: tuple  # Requirements, those of extras left out
    python: str  # Requires-Python, "" for any
    data: bytes

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()

    @property
    def file_name(self):
        """A name that changes with what is inside, so that it may be kept by a browser for good."""
        return f"{self.name.replace('-', '_')}-{self.version}-0{self.sha256[:12]}-py3-none-any.whl"


def course_wheel():
    """The course's own package, packed from its folder."""
    folder = Path(mlcourse.__file__).parent
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return _packed(_installed("mlcourse"), {path.relative_to(folder.parent).as_posix(): path for path in paths})


def installed_wheel(name):
    """A package that is installed here, packed from the files that its RECORD names, without scripts and shared data.

    Raises CourseError where it is not installed, or is made for this machine alone.
    """
    found = _installed(name)
    if "Root-Is-Purelib: true" not in (found.read_text("WHEEL") or ""):
        raise CourseError(
            f"this Pyodide lacks {name}, and the one here is for this machine only: take the whole release"
        )
    files = {file.as_posix(): Path(found.locate_file(file)) for file in found.files or ()}
    if not all(path.exists() for path in files.values()):
        raise CourseError(f"files of {name} are missing here: `pip install --force-reinstall {name}`")
    files = {
        name: path
        for name, path in files.items()
        if not name.startswith("..") and "__pycache__" not in name and ".dist-info/" not in name
    }
    if not any(name.endswith(".py") for name in files):
        raise CourseError(f"{name} is installed here as a link to its source: `pip install {name}` without --editable")
    return _packed(found, files)


def given_wheel(path, replaced=None):
    """A wheel that lies in a file; `replaced` gives other text for some of its files."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    for name, text in (replaced or {}).items():
        files[name] = text.encode()
    metadata = next(text.decode() for name, text in files.items() if name.endswith(".dist-info/METADATA"))
    return _wheel(metadata, {name: text for name, text in files.items() if ".dist-info/" not in name}, [])


def _installed(name):
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise CourseError(f"{name} is not installed here: `pip install {name}`") from None


def _packed(found, paths):
    licences = [
        (Path(file).name, Path(found.locate_file(file)).read_bytes())
        for file in found.files or ()
        if re.search(r"\.dist-info/(licenses/)?(LICEN[CS]E|COPYING|NOTICE)", file.as_posix(), re.IGNORECASE)
    ]
    metadata = found.read_text("METADATA") or found.read_text("PKG-INFO")  # the latter where a clone is on the path
    return _wheel(metadata, {name: path.read_bytes() for name, path in paths.items()}, licences)


def _wheel(metadata, files, licences):
    """The Wheel of some files, {name: bytes}, with a .dist-info of its own."""
    head = metadata.partition("\n\n")[0]

    def field(name):
        return re.findall(rf"^{name}: (.+)$", head, re.MULTILINE)

    name, version = canonicalize_name(field("Name")[0].strip()), field("Version")[0].strip()
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = dict(files)
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: mlcourse\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files |= {f"{info}/licenses/{licence}": text for licence, text in licences}
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in sorted(files.items())]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), text, zipfile.ZIP_DEFLATED)
    tops = {path.split("/")[0].removesuffix(".py") for path in files if path.endswith(".py")}
    requires = [Requirement(text.strip()) for text in field("Requires-Dist")]
    requires = tuple(each for each in requires if "extra" not in str(each.marker))
    return Wheel(
        name, version, tuple(sorted(tops)), requires, "".join(field("Requires-Python")).strip(), packed.getvalue()
    )


def _digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
