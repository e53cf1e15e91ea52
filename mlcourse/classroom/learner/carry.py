"""Progress as one file, to carry it to another machine, or from a browser's tab into the installed course."""

import json
import os
from datetime import datetime
from pathlib import Path

from mlcourse.classroom.learner import practice, progress
from mlcourse.classroom.learner.check import read_check, read_moment
from mlcourse.classroom.learner.clone import CourseError

FORMAT, VERSION = "mlcourse progress", 1


def export_progress(file=None):
    """Write all progress that is kept here into a new file; gives its path.

    file   its name; by default a dated one in the folder one is in
    Raises ValueError for what is no name, CourseError where there is such a file already, it cannot be written, or
    nothing could be read.
    """
    path = _path(file or f"mlcourse-progress-{datetime.now():%Y-%m-%d-%H%M%S}.json")
    record = practice.read()
    if record is None:  # which was said
        raise CourseError("no file was written")
    content = {"format": FORMAT, "version": VERSION, "checks": record.checks, "practice": record.moments}
    try:
        with open(path, "x", encoding="utf-8") as target:
            json.dump(content, target, ensure_ascii=False, indent=0)
    except FileExistsError:
        raise CourseError(f"{path} is there already: give another name, or remove it first") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def import_progress(file):
    """Add the progress in a file that `export_progress` wrote, in this course or another; gives how much was new.

    What is here stays, and what is in both is there once: a second time adds nothing. Raises ValueError for what is no
    name, and CourseError, with nothing added, for a file that is another, damaged, or from a newer course.
    """
    return progress.merge(_read(_path(file)))


def _path(file):
    if not isinstance(file, (str, os.PathLike)):
        raise ValueError(f"file must be the name of a file, such as 'progress.json', got {file!r:.60}")
    return Path(file).expanduser()


def _read(path):
    """The Checks and Moments in a file; courses before there was practice wrote no Moments."""
    how = "`mlcourse progress --export FILE` writes one, and `export_progress()` in a cell"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"there is no file {path} in {os.getcwd()}") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:  # not UTF-8, or no JSON
        raise CourseError(f"{path} is damaged, or no progress file of the course: {how}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CourseError(f"{path} is no progress file of the course: {how}")
    if content.get("version") != VERSION:
        raise CourseError(f"{path} was written by a newer course than this one: update this one first")
    try:
        checks, moments = content["checks"], content.get("practice", [])
        return [*map(read_check, checks), *map(read_moment, moments)]
    except (KeyError, TypeError, ValueError) as error:
        raise CourseError(f"{path} is damaged ({error}), nothing of it was taken: {how}") from None
