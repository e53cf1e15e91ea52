"""solutions/ -> exercises/: nbgrader's own preprocessors take out what the learner is to write."""

import copy
from pathlib import Path

import nbformat

STUB = "...  # your code here"
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
            cell.outputs = copy.deepcopy(source.outputs)
    return exercise


def release_folder(solutions, exercises):
    """Write the exercise of each notebook in `solutions` under its own name; gives the paths written."""
    written = []
    for path in sorted(Path(solutions).glob("[0-9]*.ipynb")):
        target = Path(exercises) / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(release(nbformat.read(path, as_version=4)), target)
        written.append(target)
    return written
