"""Grade a whole notebook: run it in a fresh kernel and read the verdicts it gives."""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient.exceptions import DeadKernelError

from mlcourse.classroom.judging.verdict import VERDICT_TYPE
from mlcourse.classroom.problems import of_lesson


class Mark(NamedTuple):
    """One problem's mark: points of out_of, and the verdict that gave them."""

    problem: str
    points: int
    out_of: int
    outcome: str
    misconception: str | None
    message: str


class Marks(NamedTuple):
    """The marks of one notebook."""

    notebook: str
    lesson: int
    marks: tuple

    @property
    def points(self):
        return sum(mark.points for mark in self.marks)

    @property
    def out_of(self):
        return sum(mark.out_of for mark in self.marks)


def lesson_of(path):
    """The lesson that a notebook's name begins with, e.g. 4 for 04_….ipynb."""
    match = re.match(r"(\d\d)", Path(path).name)
    if not match:
        raise ValueError(f"path must be an exercise whose name begins with its lesson, such as 04_….ipynb, got {path}")
    return int(match[1])


def grade(path, seconds_a_cell=60):
    """The Marks of the notebook at `path`, run from top to bottom in a fresh kernel; the file is left unchanged.

    A cell that fails costs only what depends on it; one that runs longer than seconds_a_cell is interrupted; what was
    not checked because the kernel died is failed. The learner's own progress is not touched.
    """
    problems = of_lesson(lesson_of(path))
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # an old verdict must not count
    died = _run(notebook, Path(path).parent, seconds_a_cell)
    verdicts = {verdict["problem"][1]: verdict for verdict in _verdicts(notebook)}
    return Marks(str(path), lesson_of(path), tuple(_mark(p, verdicts.get(name), died) for name, p in problems.items()))


def _run(notebook, folder, seconds_a_cell):
    """Execute in place; whether the kernel died."""
    from mlcourse.classroom.teaching.execute import own_progress, run

    with own_progress():
        try:
            run(notebook, folder.resolve(), seconds_a_cell, allow_errors=True, interrupt_on_timeout=True)
        except DeadKernelError:
            return True
    return False


def _verdicts(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if VERDICT_TYPE in output.get("data", {}):
                yield output["data"][VERDICT_TYPE]


def _mark(problem, verdict, died):
    if verdict is None:
        outcome = "wrong" if died else "not attempted"
        message = "The kernel died before this check ran." if died else "No check of it ran in this notebook."
        return Mark(problem.name, 0, problem.points, outcome, None, message)
    points = problem.points if verdict["outcome"] == "correct" else 0
    return Mark(problem.name, points, problem.points, verdict["outcome"], verdict["misconception"], verdict["message"])
