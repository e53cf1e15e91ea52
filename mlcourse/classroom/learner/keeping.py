"""What is a learner's work in a file, and how it is set aside: beside itself, under a dated name."""

import contextlib
import json
import os
import shutil
from datetime import datetime

from mlcourse.classroom.learner.clone import CourseError


def set_aside(path):
    """Copy a file or a folder beside itself under a dated name that is free; gives that name's path."""
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    for attempt in range(100):
        kept = path.with_name(f"{path.stem}.kept-{stamp}{f'-{attempt}' if attempt else ''}{path.suffix}")
        if os.path.lexists(kept):
            continue
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, kept, symlinks=True)
            else:
                with open(kept, "xb") as file:
                    file.write(path.read_bytes())
        except FileExistsError:
            continue
        except BaseException:  # half a copy is none
            remove(kept)
            raise
        return kept
    raise CourseError(f"no free name beside {path}")


def remove(path):
    """Remove a file or a folder, whichever it is, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def holds_work(path, original):
    """Whether there is something in a file that the course's own version, its bytes, does not have.

    JupyterLab writes outputs, execution counts and metadata into a notebook that was merely run: running it again
    gives them, they are no work.
    """
    if path.is_dir() or original is None:
        return True
    mine = path.read_bytes()
    if path.suffix != ".ipynb":
        return mine.replace(b"\r\n", b"\n") != original.replace(b"\r\n", b"\n")
    try:
        return _written(mine) != _written(original)
    except (ValueError, TypeError, KeyError, AttributeError):  # no notebook any more
        return mine != original


def _written(notebook):
    """What a person wrote of a notebook, given its bytes: each cell's kind, text and pasted pictures."""
    return [
        (cell["cell_type"], "".join(cell["source"]), cell.get("attachments") or {})
        for cell in json.loads(notebook)["cells"]
    ]
