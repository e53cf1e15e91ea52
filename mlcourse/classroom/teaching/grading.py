"""Grade a whole notebook: run it in a fresh kernel, and judge outside of that kernel what its checks hand in."""

import copy
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import warnings
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError

from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.learner.progress import home
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.judge import Judge

MEMORY = 4 << 30  # bytes that a submission may ask for
BESIDE = 50 << 20  # bytes of files beside a notebook that go along with it
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
    """The marks of one notebook.

    apart   whether the system let it run apart: without network, the disk read-only, the answers out of sight
    """

    notebook: str
    lesson: int
    marks: tuple
    apart: bool = True

    @property
    def points(self):
        return sum(mark.points for mark in self.marks)

    @property
    def out_of(self):
        return sum(mark.out_of for mark in self.marks)


class Rules(NamedTuple):
    """What holds for every notebook of a class.

    seconds   how long a cell may run
    memory    bytes that the kernel may ask for
    seed      the class's own (`mlcourse course --seed`), None where it has none
    hidden    folders that no submission may see, the others' among them
    """

    seconds: int = 60
    memory: int = MEMORY
    seed: int | None = None
    hidden: tuple = ()


RULES = Rules()


class Unmarked(NamedTuple):
    """A file that could not be marked, and why."""

    notebook: str
    error: str


def grade_one(path, rules=RULES):
    """Marks of a notebook, or Unmarked with the reason: one that cannot be marked costs the others nothing."""
    try:
        return grade(path, rules)
    except ValueError as error:
        return Unmarked(str(path), str(error))
    except Exception as error:
        return Unmarked(str(path), f"{path} could not be marked: {type(error).__name__}: {_one_line(error)}")


def grade(path, rules=RULES):
    """The Marks of the notebook at `path`, run from top to bottom in a fresh kernel; the file is left unchanged.

    It runs on a copy, and what it writes about its own marks is not read: see `Judge`. The best verdict on a problem
    counts, as in the learner's own progress, which is not touched. A cell that fails costs only what depends on it; one
    that runs longer than rules.seconds is interrupted; one that goes on all the same, or ends the kernel, is left out
    when the rest is run again. Raises ValueError for a file that is no exercise.
    """
    notebook = read(path)
    lesson = lesson_of(path, notebook)
    judge = Judge(rules.seed)
    try:
        finished = _run(notebook, Path(path).resolve(), rules, judge)
    except (RuntimeError, NoSuchKernel) as error:
        raise ValueError(
            f"{path} could not be marked, since no kernel started here ({_one_line(error)}): "
            "`python -m ipykernel install --sys-prefix` lays the one named python3"
        ) from None
    problems = _asked(notebook, of_lesson(lesson))
    of = {name: [each for each in judge.verdicts if each.problem[:2] == (lesson, name)] for name in problems}
    marks = (_mark(problem, of[name], notebook, finished) for name, problem in problems.items())
    return Marks(str(path), lesson, tuple(marks), bool(judge.apart))


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

    def kernel(self, folder):
        """A kind of kernel that is interrupted once; where the cell goes on all the same, it is ended."""
        running = self

        class Kernel(AsyncKernelManager):
            def __init__(self, **options):
                super().__init__(**options, transport="ipc", ip=f"{folder}/k", connection_file=f"{folder}/kernel.json")

            def format_kernel_cmd(self, extra_arguments=None):
                command = super().format_kernel_cmd(extra_arguments)
                where = command.index("ipykernel_launcher") if "ipykernel_launcher" in command else 0
                return [*command[: where - 1], EXAMINED, *command[where + 1 :]] if where else command

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


def _run(notebook, path, rules, judge):
    """Execute in place, with the judge listening; gives whether it came to the end.

    A cell that blocked or ended the kernel has that as its error, and the others have run without it.
    """
    from mlcourse.classroom.teaching.execute import run

    trial, stopped = copy.deepcopy(notebook), {}
    for _ in range(RUNS):
        running = _Running()
        with tempfile.TemporaryDirectory(prefix="mlcourse-", ignore_cleanup_errors=True) as folder:
            folder = Path(folder).resolve()
            (folder / "work").mkdir()
            for file in beside(path):
                shutil.copyfile(file, folder / "work" / file.name)
            with judge.listening(f"{folder}/judge"):
                try:
                    run(
                        trial,
                        folder / "work",
                        rules.seconds,
                        _environment(folder, path.parent, rules),
                        allow_errors=True,
                        interrupt_on_timeout=True,
                        on_cell_execute=running.begin,
                        kernel_manager_class=running.kernel(folder),
                    )
                    finished = True
                except DeadKernelError:
                    if running.cell is None:
                        raise
                    finished = False
            judge.verdicts += _own_words(folder / "home" / "progress.sqlite")
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
    return finished


EXAMINED = str(Path(__file__).with_name("examined.py"))


def beside(path):
    """The files that go along with a notebook, as they lie beside it: few, and no other notebooks."""
    left, files = BESIDE, []
    for file in sorted(path.parent.iterdir()) if path.parent.is_dir() else ():
        if file.is_file() and not file.is_symlink() and file.suffix not in (".ipynb", ".py"):
            left -= file.stat().st_size
            if left < 0:
                break
            files.append(file)
    return files


def _environment(folder, source, rules):
    """The kernel's: its home is its own folder, and it is told where the judge is and what to hide."""
    (folder / "home").mkdir(exist_ok=True)
    needed = [Path(sys.prefix), Path(sys.base_prefix), ROOT / "mlcourse", folder, Path(sys.executable)]
    hidden = [ROOT / "mlcourse" / "classroom" / "problems", home(), source, *map(Path, rules.hidden)]
    if (ROOT / "solutions").is_dir():  # a clone: all but the package itself
        hidden += ROOT.iterdir()
    hidden = {each.resolve() for each in hidden}
    told = {
        "folder": str(folder),
        "line": f"{folder}/judge",
        "memory": rules.memory,
        "hidden": sorted(str(each) for each in hidden if not any(path.is_relative_to(each) for path in needed)),
    }
    homes = ("HOME", "MLCOURSE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    own = dict.fromkeys((*homes, "MPLCONFIGDIR", "TMPDIR"), str(folder / "home"))
    return {"OPENBLAS_NUM_THREADS": "1", **os.environ, **own, "MLCOURSE_EXAMINED": json.dumps(told)}


def _own_words(path):
    """What the kernel itself wrote of answers that are not right, such as that one never came to an end.

    Anyone could have written there: so nothing of it gives points.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as book:
            rows = book.execute("SELECT outcome, misconception, message, lesson, problem, seed FROM checks ORDER BY id")
            rows = rows.fetchmany(10_000)
    except sqlite3.Error:
        return []
    kinds = ((str,), (str, type(None)), (str,), (int,), (str,), (int,))
    rows = [row for row in rows if all(isinstance(item, kind) for item, kind in zip(row, kinds, strict=True))]
    return [
        Verdict(outcome, misconception and misconception[:200], message[:2000], tuple(of))
        for outcome, misconception, message, *of in rows
        if outcome in ("wrong", "not attempted")
    ]


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
