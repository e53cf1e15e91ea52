"""Practice in a terminal: numbers and labels are asked right there, a function is written in the learner's editor."""

import linecache
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem
from mlcourse.classroom.learner import practice as due
from mlcourse.classroom.learner.check import RATINGS
from mlcourse.classroom.learner.exercises import CourseError
from mlcourse.classroom.lessons import Lesson
from mlcourse.classroom.sitting import Sitting, statement, to_fill_in
from mlcourse.classroom.terminal import without_tex

WAYS_OUT = "? a hint, ! the solution, Enter alone: later"
EDITORS = ("nano", "vi", "notepad")  # where nobody has said which; what most systems have


class LaterError(Exception):
    """The learner wants to be asked another time."""


class ShownError(Exception):
    """The learner has read the solution: the answer counts as not known."""


def practise(minutes=due.MINUTES, today=None):
    """Ask what is due, problem by problem, until today's practice is done. The input's end ends it, as Ctrl-C does.

    today   the day, where it is not the clock's
    """
    skipped = set()
    try:
        while True:
            record, day = due.read(), today or date.today()
            if record is None:  # which was said
                return
            task = due.next_task(record, day, minutes, skipped)
            if task is None:
                break
            skipped.add(task.key)  # whatever comes of it, it is not asked twice in one run
            _ask(Sitting(task), due.minutes_spent(record, day), minutes)
    except (EOFError, KeyboardInterrupt):
        print("\nUntil later: what you have answered is kept.")
        return
    print(due.done(record, day, minutes, "`mlcourse practice --minutes {minutes}` goes on."))


def _ask(sitting, spent, minutes):
    """Ask one problem until it is right, the solution was shown, or it is put off."""
    sitting.begin()
    _show(sitting, statement(sitting, spent, minutes))
    answered = _function if isinstance(sitting.task.problem, FunctionProblem) else _line
    try:
        answered(sitting)
    except LaterError as why:
        print(f"{why}\n")
    except ShownError:
        print(f"{sitting.rating()}\n")
    else:
        _let_correct(sitting)


def _show(sitting, markdown):
    """Print Markdown as a terminal can show it."""
    from rich.console import Console
    from rich.markdown import Markdown

    text = without_tex(_here(sitting, markdown))
    Console(highlight=False, emoji=False).print(Markdown(text, code_theme="bw", hyperlinks=False))


def _here(sitting, text):
    """What a cell would be told to do, as it is done in a terminal: there is no p."""
    for call, key in (("hint", "?"), ("solution", "!")):
        text = re.sub(rf"`p\.{call}\([^)]*\)`", f"`{key}`", text)
    return text.replace("p.given(", f"lesson({sitting.number}, seed={sitting.seed}).given(")


def _typed(sitting, prompt):
    """What is typed, hints and the solution aside. Raises LaterError and ShownError."""
    name = sitting.task.problem.name
    while True:
        text = input(prompt).strip()
        if text == "?":
            _show(sitting, sitting.hint(name))
        elif text == "!":
            _show(sitting, sitting.solution(name))
            raise ShownError
        elif not text:
            raise LaterError("Put off: it comes back another time.")
        else:
            return text


def _checked(sitting, answer):
    """Whether an answer is right; the verdict is printed."""
    verdict = Lesson.check(sitting, sitting.task.problem.name, answer)
    print(f"{verdict.head}\n{without_tex(_here(sitting, verdict.message))}")
    return verdict.outcome == "correct"


def _line(sitting):
    """Ask for a number, or for a label an item, until it is right."""
    problem = sitting.task.problem
    print(f"({WAYS_OUT})")
    read = _labels if isinstance(problem, ChoiceProblem) else _number
    while not _checked(sitting, read(sitting)):
        pass


def _number(sitting):
    """A number, or what is computed of the numbers that the statement names."""
    given = {name: value for name, value in sitting.given(sitting.task.problem.name).items() if not callable(value)}
    names = f", or an expression of {', '.join(given)}" if given else ""
    while True:
        text = _typed(sitting, "number: ").replace("−", "-").replace("^", "**")
        try:
            return float(eval(text, {"__builtins__": {}, "np": np, "abs": abs, "max": max, "min": min} | given))
        except KeyboardInterrupt:
            raise
        except BaseException:  # whatever was typed
            print(f"A number such as 0.25, -3 or 1e-3{names}, not {text!r}.")


def _labels(sitting):
    """A label for each item, by its letter or its word."""
    problem = sitting.task.problem
    letters = dict(zip("abcdefghijklmnopqrstuvwxyz", problem.labels, strict=False))
    print("  ".join(f"{letter}: {label}" for letter, label in letters.items()))
    words = {str(label): label for label in problem.labels} | letters
    chosen = []
    while len(chosen) < len(problem.solution(sitting.seed)):
        text = _typed(sitting, f"item {len(chosen) + 1}: ").lower()
        if text in words:
            chosen.append(words[text])
        else:
            print(f"One of {', '.join(letters)}, or the label itself, not {text!r}.")
    return chosen


def _function(sitting):
    """Have a function written in an editor until it is right; what is not right yet stays in its file."""
    problem = sitting.task.problem
    try:
        command = editor()
    except CourseError as error:
        raise LaterError(str(error)) from None
    folder = Path(tempfile.mkdtemp(prefix="mlcourse-practice-"))
    path = folder / f"{problem.name}.py"
    stub = f"{to_fill_in(problem)}\n"
    path.write_text(stub, encoding="utf-8")
    prompt = f"e: write it in {Path(command[0]).name}, c: check what is saved ({WAYS_OUT}): "
    right = False
    try:
        while not right:
            choice = _typed(sitting, prompt).lower()
            if choice == "e":
                _edit(command, path)
            elif choice != "c":
                print(f"e or c, not {choice!r}.")
                continue
            answer = _defined(path, problem.name)
            right = answer is not None and _checked(sitting, answer)
    finally:
        if right or path.read_text(encoding="utf-8", errors="replace") == stub:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"What you wrote is kept in {path}")


def editor(environment=os.environ):
    """The command of the learner's editor, as a list. Raises CourseError where there is none."""
    chosen = environment.get("VISUAL") or environment.get("EDITOR")
    command = shlex.split(chosen) if chosen else [name for name in EDITORS if shutil.which(name)][:1]
    if not command or not shutil.which(command[0]):
        missing = f"There is no editor {command[0]} here" if command else "This problem is written in an editor"
        raise CourseError(
            f"{missing}: name one in EDITOR, such as `EDITOR=nano mlcourse practice`, or practise in a notebook, "
            "`p = practice()`"
        )
    return command


def _edit(command, path):
    if subprocess.run([*command, str(path)], check=False).returncode:
        print(f"{command[0]} ended with an error; what was saved is checked all the same.")


def _defined(path, name):
    """What a file defines under a name, once it has run; None where it does not get that far, which is said."""
    text = path.read_text(encoding="utf-8", errors="replace")
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))  # for the line at fault
    names = {"__name__": name}
    try:
        exec(compile(text, str(path), "exec"), names)
    except KeyboardInterrupt:
        print("Your file was stopped while it ran.")
        return None
    except (Exception, SystemExit) as error:
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        print(f"Your file does not run: {type(error).__name__}: {error}{where}".replace(f"{where}{where}", where))
        return None
    if name not in names:
        print(f"Your file defines no {name}.")
    return names.get(name)


def _let_correct(sitting):
    """Say how the answer was rated, and let the learner say otherwise."""
    rated = sitting.rating()
    print(rated)
    if not rated:  # it could not be kept, which was said
        return
    letters = {word[0]: word for word in RATINGS}
    text = input("Enter keeps the rating; a again, h hard, g good, e easy: ").strip().lower()
    if text[:1] in letters:
        sitting.rate(letters[text[:1]])
    print()
