"""Grade a whole notebook: run it in a fresh kernel and read the verdicts that its checks recorded there."""

import copy
import json
import re
import signal
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError

from mlcourse.classroom.learner import progress
from mlcourse.classroom.problems import lessons, of_lesson

RUNS = 5  # of one notebook: after each, a cell that blocked or ended the kernel is left out


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


class Unmarked(NamedTuple):
    """A file that could not be marked, and why."""

    notebook: str
    error: str


def grade_all(paths, seconds_a_cell=60):
    """Marks, or Unmarked, of each notebook in turn: one that cannot be marked costs the others nothing."""
    for path in paths:
        try:
            yield grade(path, seconds_a_cell)
        except ValueError as error:
            yield Unmarked(str(path), str(error))
        except Exception as error:
            yield Unmarked(str(path), f"{path} could not be marked: {type(error).__name__}: {_one_line(error)}")


def grade(path, seconds_a_cell=60):
    """The Marks of the notebook at `path`, run from top to bottom in a fresh kernel; the file is left unchanged.

    The best verdict on a problem counts, as in the learner's own progress, which is not touched. A cell that fails
    costs only what depends on it; one that runs longer than seconds_a_cell is interrupted; one that goes on all the
    same, or ends the kernel, is left out when the rest is run again. Raises ValueError for a file that is no exercise.
    """
    notebook = read(path)
    lesson = lesson_of(path, notebook)
    try:
        verdicts, finished = _run(notebook, Path(path).parent.resolve(), seconds_a_cell)
    except (RuntimeError, NoSuchKernel) as error:
        raise ValueError(
            f"{path} could not be marked, since no kernel started here ({_one_line(error)}): "
            "`python -m ipykernel install --sys-prefix` lays the one named python3"
        ) from None
    problems = _asked(notebook, of_lesson(lesson))
    of = {name: [each for each in verdicts if each.problem[:2] == (lesson, name)] for name in problems}
    marks = (_mark(problem, of[name], notebook, finished) for name, problem in problems.items())
    return Marks(str(path), lesson, tuple(marks))


def read(path):
    """The notebook at `path`, without the outputs that lie in it. Raises ValueError that says why it cannot be used."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no notebook {path}")
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if not text.strip():
        raise ValueError(f"{path} is empty")
    if re.search(r"^(<{7}|>{7}) ", text, re.MULTILINE):
        raise ValueError(f"{path} has two versions in it (<<<<<<< … >>>>>>>): choose between them first")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old notebooks lack what new ones have, and run all the same
            return nbformat.reads(json.dumps(_completed(json.loads(text))), as_version=4)
    except Exception as error:
        raise ValueError(f"{path} is not a notebook ({type(error).__name__}: {_one_line(error)})") from None


def _completed(content):
    """The content of a notebook's file with what tools leave out; without outputs: an old verdict must not count."""
    content.setdefault("metadata", {})
    for cell in content["cells"] if "cells" in content else ():
        cell.setdefault("metadata", {})
        cell.setdefault("source", "")
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return content


def lesson_of(path, notebook):
    """The lesson whose problems a notebook asks for, whatever its name is. Raises ValueError where it asks for none."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = re.search(r"\blesson\(\s*(?:number\s*=\s*)?(\d+)", code) or re.match(r"(\d\d)_", Path(path).name)
    if not found or int(found[1]) not in lessons():
        raise ValueError(f"{path} is no exercise: it says `lesson(4)` or the like nowhere, nor does its name begin so")
    return int(found[1])


class _Running:
    """Where a run is: the cell that runs, and the one that was interrupted last."""

    cell = interrupted = None

    def begin(self, cell, cell_index):
        self.cell = cell_index

    def kernel(self):
        """A kind of kernel that is interrupted once; where the cell goes on all the same, it is ended."""
        running = self

        class Kernel(AsyncKernelManager):
            async def interrupt_kernel(self):
                if running.interrupted == running.cell:
                    await self.signal_kernel(signal.SIGKILL)
                    raise DeadKernelError("the cell could not be interrupted")
                running.interrupted = running.cell
                await super().interrupt_kernel()

        return Kernel


def _asked(notebook, problems):
    """Those of a lesson's problems that this notebook asks: the gaps in a lesson, all others in an exercise.

    A learner may check one of the other kind, too: which it is, most of its checks say.
    """
    source = "\n".join(cell.source for cell in notebook.cells)
    gaps = {name for name, problem in problems.items() if problem.place == "lesson"}
    checked = {name for name in problems if f'.check("{name}"' in source}
    is_lesson = len(checked & gaps) > len(checked - gaps)
    return {name: problem for name, problem in problems.items() if (name in gaps) == is_lesson}


def _run(notebook, folder, seconds_a_cell):
    """Execute in place; gives the verdicts recorded, and whether it came to the end.

    A cell that blocked or ended the kernel has that as its error, and the others have run without it.
    """
    from mlcourse.classroom.teaching.execute import own_progress, run

    trial, verdicts, stopped = copy.deepcopy(notebook), [], {}
    for _ in range(RUNS):
        running = _Running()
        with own_progress():
            try:
                run(
                    trial,
                    folder,
                    seconds_a_cell,
                    allow_errors=True,
                    interrupt_on_timeout=True,
                    on_cell_execute=running.begin,
                    kernel_manager_class=running.kernel(),
                )
                finished = True
            except DeadKernelError:
                if running.cell is None:
                    raise
                finished = False
            verdicts += progress.recorded() or []
        if finished:
            break
        blocked = running.cell == running.interrupted
        stopped[running.cell] = "ran too long and could not be interrupted" if blocked else "ran when the kernel died"
        for index, cell in enumerate(trial.cells):
            if index == running.cell or _interrupted(cell):
                cell.source = ""  # nothing runs, and its outputs stay
    for index, (cell, tried) in enumerate(zip(notebook.cells, trial.cells, strict=True)):
        cell.outputs = tried.get("outputs", [])
        if index in stopped:
            cell.outputs = [nbformat.v4.new_output("error", ename="", evalue=stopped[index], traceback=[])]
    return verdicts, finished


def _interrupted(cell):
    return any(output.get("ename") == "KeyboardInterrupt" for output in cell.get("outputs", ()))


def _mark(problem, verdicts, notebook, finished):
    """The best of the verdicts on a problem, the latest of several; without one, what kept it from being checked."""
    rank = ("not attempted", "wrong", "not marked", "correct").index
    best = max(reversed(verdicts), key=lambda verdict: rank(verdict.outcome), default=None)
    if best is None or best.outcome == "not attempted":
        failure = _failure(problem.name, notebook)
        if failure or (best is None and not finished):
            said = failure or "The kernel died before this check ran."
            return Mark(problem.name, 0, problem.points, "wrong", None, said)
    if best is None:
        return Mark(problem.name, 0, problem.points, "not attempted", None, "No check of it ran in this notebook.")
    points = problem.points if best.outcome == "correct" else 0
    return Mark(problem.name, points, problem.points, best.outcome, best.misconception, best.message)


def _failure(name, notebook):
    """One sentence on the error in a problem's own cells, its answer's before its check's; None where there is none."""
    answer = re.compile(rf"^\s*(async\s+)?(def|class)\s+{name}\b|^{name}\b[^=\n]*=(?!=)", re.MULTILINE)
    check = re.compile(rf"""(\w+)\.check\(\s*["']{name}["']""")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name or answer.search(cell.source):
            if _error(cell):
                return f"Its cell {_error(cell)}."
    for cell in code:
        if (call := check.search(cell.source)) and _error(cell):
            return f"Its check {_error(cell)}.{_cause(name, call[1], cell, code)}"
    return None


def _error(cell):
    """What a cell did according to the error in its outputs, with its line; "" without one."""
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is None:
        return ""
    if not error.ename:
        return error.evalue
    if _interrupted(cell):
        return "ran too long and was interrupted"
    trace = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))
    said = re.sub(r"\s*\([^()]*, line \d+\)$", "", _one_line(error.evalue))
    found = re.findall(r"Cell In\s*\[\d+\], line (\d+)", trace)
    lines = cell.source.splitlines()
    number = int(found[0]) if found else 0
    where = f" — at `{lines[number - 1].strip()}` (line {number} of its cell)" if 0 < number <= len(lines) else ""
    return f"raised {error.ename}: {said}{where}"


def _cause(name, p, check, code):
    """What may be behind an error in a check: its function is missing, `p` is something else, an error further up."""
    error = next(output for output in check.outputs if output.output_type == "error")
    if error.ename == "NameError" and f"'{name}'" in error.evalue:
        return f" Was `{name}` renamed, or written in a cell that did not run?"
    if error.ename == "AttributeError" and error.evalue.endswith("'check'"):
        return f" Was `{p}` given another value further up?"
    first = next(cell for cell in code if _error(cell))
    return "" if first is check else f" The first cell that failed {_error(first)}."


def _one_line(text, most=200):
    text = " ".join(str(text).split())
    return text if len(text) <= most else f"{text[:most]}…"
