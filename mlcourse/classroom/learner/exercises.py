"""The course's notebooks in the learner's hands: which file is a lesson's, and a fresh one in its place."""

import re
from fnmatch import fnmatch

from mlcourse.classroom import tab
from mlcourse.classroom.learner.clone import ROOT as CLONE
from mlcourse.classroom.learner.clone import CourseError, committed, edited, git, names, require_clone
from mlcourse.classroom.learner.drive import lay_fresh
from mlcourse.classroom.learner.keeping import holds_work, remove, set_aside
from mlcourse.classroom.learner.update import update

ROOT = tab.ROOT if tab.here() else CLONE

__all__ = ["ROOT", "CourseError", "committed", "edited", "find", "reset", "set_aside", "update"]

# A lesson's file has one name in all of them: one that was renamed is the learner's own.
SAME_NAMES = {"solutions", "exercises", "notebooks"}

# A copy beside its original, as JupyterLab, browsers, Windows, macOS and the course itself name it.
_COPY = re.compile(r"[ _-]copy\d*\b|\(\d+\)|\.kept-|\.orig\b|~", re.IGNORECASE)


def find(number, root=ROOT, folder="exercises"):
    """Path of a lesson's notebook in a folder: the one that is the course's, never a copy beside it.

    Raises CourseError where there is none.
    """
    pattern = f"{number:02}_*.ipynb"
    found = {name for name in _course_names(root, folder) if fnmatch(name, pattern)}
    named = {path.name for other in SAME_NAMES - {folder} for path in (root / other).glob(pattern)}
    found = [name for name in found & named or found if not _COPY.search(name)]
    if not found:
        other = "; with --lesson (in a cell: notebook=True), its notebook is laid anew" if folder == "exercises" else ""
        raise CourseError(f"lesson {number:02} has no {folder} in {root / folder}{other}")
    return root / folder / min(found, key=lambda name: (len(name), name))


def _course_names(root, folder):
    """Names of the files that the course has in a folder: what git knows, or without git what lies there."""
    try:
        require_clone(root)
        return names("ls-tree", "-z", "--name-only", f"HEAD:{folder}", root=root)
    except (CourseError, OSError):
        return {path.name for path in (root / folder).glob("*")}


def reset(number, root=ROOT, folder="exercises"):
    """Lay a lesson's notebook anew, in exercises/ or notebooks/; what the learner wrote is kept under a dated name.

    Gives (path, kept path), None where nothing was written into it. Raises CourseError, with the file as it was.
    """
    path = find(number, root, folder)
    if tab.here():
        return path, lay_fresh(path)
    require_clone(root)
    original = committed(path, root)
    if original is None:
        raise CourseError(f"git does not know {path.name}: `mlcourse update` brings the files that the course has now")
    if path.exists() and not edited(path, root):
        return path, None
    kept = set_aside(path) if path.exists() and holds_work(path, original) else None
    try:
        git("checkout", "--quiet", "HEAD", "--", path.relative_to(root).as_posix(), root=root)
    except CourseError:
        if kept is not None:
            remove(kept)
        raise
    return path, kept
