"""The walls of the house: what imports what, how quickly, and how much there is to read."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
METHOD = sorted((ROOT / "mlcourse").glob("*.py"))
SOURCES = [
    path for path in METHOD if path.stem in ("images", "omniglot", "omniglot_files", "robots", "tables", "table_files")
]
RECIPES = sorted((ROOT / "mlcourse" / "recipes").glob("*.py"))
CLASSROOM = ROOT / "mlcourse" / "classroom"

# Which rooms of the classroom each of them may look into; every room may look into the method.
ARROWS = {
    "judging": set(),
    "problems": {"judging"},
    "worked": set(),
    "learner": {"judging", "problems", "tab"},
    "teaching": {"judging", "problems", "learner"},
    "trained": {"data"},
    "figures": {"trained", "tab"},
    "panels": {"figures", "trained", "worked"},
    "reproduce": {"figures", "trained"},
    "report": {"figures"},
    "data": set(),
    "lessons": {"judging", "problems", "learner"},
    "site": {"learner", "tab"},
    "sitting": {"judging", "learner", "lessons"},
    "asking": {"judging", "learner", "lessons", "sitting", "terminal"},
    "cells": {"worked", "learner", "tab", "sitting", "figures"},
    "cli": {
        "judging",
        "problems",
        "worked",
        "learner",
        "teaching",
        "reproduce",
        "report",
        "terminal",
        "cells",
        "site",
        "asking",
    },
    "terminal": set(),
    "tab": set(),
    "__init__": {"lessons", "learner", "cells"},
}


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_method_does_not_know_the_ways_to_get_it_wrong():
    for path in METHOD:
        if path.name != "__init__.py":
            assert not [name for name in imported_by(path) if name.startswith("mlcourse.recipes")], path.name


def test_the_method_never_imports_the_classroom():
    for path in METHOD + RECIPES:
        assert not [name for name in imported_by(path) if name.startswith("mlcourse.classroom")], path.name


def room_of(path):
    """The wing or the single file of the classroom that a path belongs to."""
    return path.relative_to(CLASSROOM).parts[0].removesuffix(".py")


def rooms_seen_from(path):
    for name in imported_by(path):
        if name.startswith("mlcourse.classroom."):
            yield name.split(".")[2]


def test_the_arrows_in_the_classroom_run_one_way():
    paths = sorted(CLASSROOM.rglob("*.py"))
    assert {room_of(path) for path in paths} == set(ARROWS)
    for path in paths:
        room = room_of(path)
        against = set(rooms_seen_from(path)) - ARROWS[room] - {room}
        assert not against, f"{path.relative_to(ROOT)} looks into {sorted(against)}"


def test_no_room_can_be_reached_from_itself():
    def reached(room, on_the_way=()):
        assert room not in on_the_way, on_the_way
        for other in ARROWS[room]:
            reached(other, (*on_the_way, room))

    for room in ARROWS:
        reached(room)


def test_importing_the_package_loads_no_picture_and_no_notebook():
    heavy = ("matplotlib", "ipywidgets", "IPython", "jupyterlab", "PIL")
    code = f"import sys, mlcourse; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


IN_A_TAB = """
import sys, IPython, ipywidgets, matplotlib.figure, numpy, autograd, tqdm
absent = {"_multiprocessing", "_posixsubprocess", "fcntl", "resource", "sqlite3", "termios"}
absent |= {"jupyterlab", "nbclient", "nbconvert", "nbformat", "rich", "typer"}
for name in [name for name in sys.modules if name.partition(".")[0] in absent]:
    del sys.modules[name]
sys.modules |= dict.fromkeys(absent)
sys.platform = "emscripten"

from pathlib import Path
from mlcourse.classroom import example, export_progress, lesson, practice, progress, start_lesson
from mlcourse.classroom.learner import exercises
from mlcourse.classroom.panels import PANELS
exercises.ROOT = Path.cwd()
start_lesson(4)
print(lesson(4).check("jacobian", type(lesson(4).problems["jacobian"]).solution).outcome)
for panel in PANELS.values():
    panel()
print(example(1)), print(progress()), practice(), export_progress()
print([path.name for path in Path().rglob("*.jsonl")])
"""


def test_the_course_needs_nothing_that_a_browsers_tab_lacks(tmp_path):
    for name in ("exercises", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_TAB], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "correct" in done.stdout and ".jsonl" in done.stdout, done.stderr


def test_the_method_can_be_read_in_an_evening():
    method = [path for path in METHOD if path not in SOURCES]  # where tasks come from is not what is done with them
    for rooms, most in ((method, 1400), (SOURCES, 600), (RECIPES, 800)):
        code = {path.name: code_lines(path) for path in rooms}
        assert sum(code.values()) <= most, code
        assert max(code.values()) <= 150, code


def code_lines(path):
    """Lines with code on them: neither blank, nor comment, nor docstring."""
    tree = ast.parse(path.read_text())
    documented = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in documented
        for number, line in enumerate(path.read_text().splitlines(), start=1)
    )


def test_every_public_name_has_a_docstring():
    for path in METHOD + RECIPES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"
