"""solutions/ -> exercises/: nbgrader's own preprocessors take out what the learner is to write."""

import copy
from pathlib import Path

import nbformat

from mlcourse.classroom.learner.notebook import STUB

STATEMENT = "statement"  # tag of the cells whose output is the problem's text: it stays readable without a kernel


def release(solution):
    """The exercise of a solution notebook (nbformat nodes); the solution is left unchanged."""
    from nbgrader import preprocessors
    from traitlets.config import Config

    config = Config({"ClearSolutions": {"code_stub": {"python": STUB}}})
    exercise, resources = copy.deepcopy(solution), {}
    for step in (
        preprocessors.LockCells,
        preprocessors.ClearSolutions,
        preprocessors.ClearOutput,
        preprocessors.CheckCellMetadata,
        preprocessors.ClearHiddenTests,
        preprocessors.ComputeChecksums,
    ):
        exercise, resources = step(config=config).preprocess(exercise, resources)
    for cell, source in zip(exercise.cells, solution.cells, strict=True):
        cell.metadata.pop("execution", None)
        if STATEMENT in cell.metadata.get("tags", ()):
            cell.outputs, cell.execution_count = copy.deepcopy(source.outputs), source.execution_count
    return exercise


def release_folder(solutions, exercises, force=False):
    """Write the exercise of each notebook in `solutions` under its own name: pairs (path, whether it was written).

    An exercise that was edited since the last commit, a learner's work, is left alone unless `force`.
    """
    from mlcourse.classroom.learner.exercises import committed

    done = []
    for path in sorted(Path(solutions).glob("[0-9]*.ipynb")):
        target = Path(exercises) / path.name
        fresh = nbformat.writes(release(nbformat.read(path, as_version=4))) + "\n"
        mine = target.exists() and target.read_bytes() not in (committed(target), fresh.encode())
        if force or not mine:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(fresh, encoding="utf-8")
        done.append((target, force or not mine))
    return done
