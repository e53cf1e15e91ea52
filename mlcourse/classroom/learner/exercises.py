"""The learner's copies in exercises/: whether they were edited, set aside, laid anew, kept through an update."""

import subprocess
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parents[3]


class CourseError(RuntimeError):
    """Something about the course's folder that the learner can put right; its text says how."""


def _git(*words, root):
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    if done.returncode:
        raise CourseError(done.stderr.decode(errors="replace").strip() or f"git {words[0]} failed")
    return done.stdout


def find(number, root=ROOT):
    """Path of the exercise of lesson `number`. Raises CourseError where there is none."""
    found = [path for path in sorted((root / "exercises").glob(f"{number:02}_*.ipynb")) if ".kept-" not in path.name]
    if not found:
        raise CourseError(f"lesson {number:02} has no exercises in {root / 'exercises'}")
    return found[0]


def committed(path, root=ROOT):
    """The bytes of the course's own version of a file, from git's last commit; None where git does not know it."""
    try:
        return _git("show", f"HEAD:{path.relative_to(root).as_posix()}", root=root)
    except (CourseError, FileNotFoundError, ValueError):  # no git, not under git, not in this folder
        return None


def edited(path, root=ROOT):
    """Whether the file differs from the course's own version of it."""
    original = committed(path, root)
    return original is not None and path.exists() and path.read_bytes() != original


def set_aside(path):
    """Copy the file beside itself under a dated name that is free; gives that name's path."""
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    for attempt in range(100):
        kept = path.with_name(f"{path.stem}.kept-{stamp}{f'-{attempt}' if attempt else ''}{path.suffix}")
        try:
            with open(kept, "xb") as file:
                file.write(path.read_bytes())
        except FileExistsError:
            continue
        return kept
    raise CourseError(f"no free name beside {path}")


def reset(number, root=ROOT):
    """Lay a fresh exercise; an edited one is kept under a dated name. Gives (path, kept path or None)."""
    path = find(number, root)
    original = committed(path, root)
    if original is None:
        raise CourseError(f"git does not know {path.name}: reset needs the course as a git clone")
    kept = None
    if edited(path, root):
        kept = set_aside(path)
        path.write_bytes(original)
    return path, kept


def update(root=ROOT):
    """Bring the course up to date. An edited file that the update changes too is kept under a dated name first.

    Gives the list of (path, kept path). Raises CourseError, with all left as it was, where git cannot fast-forward.
    """
    _git("fetch", root=root)
    _git("merge-base", "--is-ancestor", "HEAD", "@{upstream}", root=root)
    ours = set(_git("diff", "--name-only", "HEAD", root=root).decode().splitlines())
    theirs = set(_git("diff", "--name-only", "HEAD", "@{upstream}", root=root).decode().splitlines())
    kept = [(root / name, set_aside(root / name)) for name in sorted(ours & theirs) if (root / name).exists()]
    for path, _ in kept:
        path.write_bytes(committed(path, root) or b"")
    _git("merge", "--ff-only", "@{upstream}", root=root)
    return kept
