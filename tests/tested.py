"""Which version of a notebook the tests read.

A learner writes into notebooks, and JupyterLab stores outputs and metadata in them. What is tested is the course: the
last commit's version of a notebook that differs from it. Without git, and with `pytest --working-copy`, the files are
tested as they are.
"""

import os
import re
import tempfile
from functools import cache
from pathlib import Path

import nbformat

from mlcourse.classroom.learner.exercises import committed

ROOT = Path(__file__).parent.parent
FOLDERS = ("notebooks", "solutions", "exercises")
WORKING_COPY = "MLCOURSE_TEST_WORKING_COPY"  # set for the run, also in the processes it starts


@cache
def _folder():
    return tempfile.TemporaryDirectory(prefix="mlcourse-committed-", ignore_cleanup_errors=True)


@cache
def course_copy(path):
    """Path of what is tested in place of the notebook at `path`: itself, or a copy of the committed version."""
    original = None if os.environ.get(WORKING_COPY) else committed(path, ROOT)
    if original is None or original == path.read_bytes():
        return path
    copy = Path(_folder().name) / path.relative_to(ROOT)
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(original)
    return copy


@cache
def notebooks_in(name):
    """Paths of the course's own notebooks in a folder, in order; what a learner has laid beside them is left out."""
    named = [path for path in sorted((ROOT / name).glob("*.ipynb")) if re.fullmatch(r"\d\d_\w+", path.stem)]
    known = [path for path in named if not os.environ.get(WORKING_COPY) and committed(path, ROOT) is not None]
    return tuple(known or named)


@cache
def notebook_of(path):
    """What is tested in place of the notebook at `path`, read."""
    return nbformat.read(course_copy(path), as_version=4)


def cells(path, kind=None):
    """Its cells, or those of one kind, "code" or "markdown"."""
    return [cell for cell in notebook_of(path).cells if kind in (None, cell.cell_type)]


def edited():
    """The notebooks of which the committed version is tested instead."""
    return [path for name in FOLDERS for path in notebooks_in(name) if course_copy(path) != path]
