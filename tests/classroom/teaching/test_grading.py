"""Marks of a notebook: from what its checks recorded, with a reason for each point that is missing."""

import json
import re
import time

import nbformat
import pytest

from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.teaching.grading import Marks, Rules, Unmarked, grade, grade_one

RIGHT = "def own_step_sizes(hessian, v, alpha):\n    return v - hessian @ (alpha * v)"
WRONG = "def own_step_sizes(hessian, v, alpha):\n    return -hessian @ (alpha * v)"
CHECK = 'p.check("own_step_sizes", own_step_sizes)'
OTHER = """
def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):
    v = grad_q(theta - alpha * grad_s(theta))
    return v - alpha * hvp_s(theta, v)
p.check("meta_gradient", meta_gradient)
"""
HEAD = "import numpy as np\nfrom mlcourse.classroom import lesson\np = lesson(4)"


def code(source, grade_id=None):
    cell = nbformat.v4.new_code_cell(source)
    if grade_id:
        cell.metadata["nbgrader"] = {"grade_id": grade_id}
    return cell


def exercise(folder, *sources, name="04_mine.ipynb"):
    """A notebook of lesson 4 with these cells after its head, and another problem, solved, at its end."""
    cells = [code(HEAD), *(source if isinstance(source, dict) else code(source) for source in sources), code(OTHER)]
    path = folder / name
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def mark(folder, *sources, seconds=60):
    """The Mark of `own_step_sizes`; the other problem must have its points, whatever happens to this one."""
    marks = {mark.problem: mark for mark in grade(exercise(folder, *sources), Rules(seconds)).marks}
    assert marks["meta_gradient"].points == marks["meta_gradient"].out_of, marks["meta_gradient"]
    return marks["own_step_sizes"]


@pytest.mark.parametrize(
    "cells",
    [
        (RIGHT, CHECK),
        (RIGHT, "verdict = " + CHECK),
        (RIGHT, f"print({CHECK})"),
        (RIGHT, CHECK + ";"),
        (RIGHT, CHECK + '\np.check("central_difference", None)\n1 + 1'),
        (RIGHT, CHECK, 'p.check("hvp", None)'),
        (RIGHT, f"for _ in range(2):\n    {CHECK}"),
        (RIGHT, CHECK + '\np.check("own_step_sizes", lambda hessian, v, alpha: v)'),
        (RIGHT, CHECK, WRONG, CHECK),
        (RIGHT, CHECK + "\n1 / 0"),
        (RIGHT + "\n" + CHECK,),
        (code("import math", "own_step_sizes"), code(RIGHT, "own_step_sizes"), CHECK),
        (RIGHT, f"%%capture\n{CHECK}"),
        (RIGHT, f"{CHECK}\nfrom IPython.display import clear_output\nclear_output()"),
    ],
    ids=[
        "shown", "assigned", "printed", "semicolon", "two checks", "a gap, too",
        "loop", "experiment in its cell", "experiment later",
        "error after it", "one cell", "split cell", "captured", "cleared",
    ],
)  # fmt: skip
def test_a_check_that_was_right_once_counts_however_its_verdict_is_shown(tmp_path, cells):
    assert mark(tmp_path, *cells).points == 2


@pytest.mark.parametrize(
    "cells, message",
    [
        ((code("def own_step_sizes():\n    retrun 1", "own_step_sizes"), CHECK), "SyntaxError.*`retrun 1` .line 2 of"),
        (("def own_step_sizes(hessian, v, alpha):\nreturn 1", CHECK), r"IndentationError.*line 2 of"),
        (("own_step_sizes = undefined + 1", CHECK), "Its cell raised NameError: name 'undefined'.*line 1 of"),
        (("def my_step_sizes():\n    return 1", CHECK), "Its check raised NameError.*Was `own_step_sizes` renamed"),
        ((RIGHT, "keep, p = p, 3", CHECK, "p = keep"), "'int' object has no attribute 'check'.*Was `p` given another"),
        (("import no_such_module\n" + RIGHT, CHECK), "Its cell raised ModuleNotFoundError.*no_such_module"),
        ((RIGHT, "del own_step_sizes, p.problems", CHECK, HEAD), "Its check raised"),
        (("alpha = float(input('alpha? '))\n" + RIGHT, CHECK), "Its cell raised StdinNotImplementedError"),
        ((WRONG, CHECK), "identity|I"),
    ],
    ids=[
        "syntax", "indentation", "name", "renamed", "p is another", "import", "check", "input", "wrong",
    ],
)  # fmt: skip
def test_an_error_in_a_problems_cells_is_its_message(tmp_path, cells, message):
    found = mark(tmp_path, *cells)
    assert (found.outcome, found.points) == ("wrong", 0)
    assert re.search(message, found.message), found.message


def test_input_in_an_answer_is_wrong_and_says_why(tmp_path):
    found = mark(tmp_path, "def own_step_sizes(hessian, v, alpha):\n    return float(input('alpha? '))", CHECK)
    assert found.outcome == "wrong" and "input() cannot be used" in found.message


STUB = "def own_step_sizes(hessian, v, alpha):\n    ..."


@pytest.mark.parametrize("cells", [(), (RIGHT,), (RIGHT, "# " + CHECK), (STUB, CHECK)])
def test_what_nobody_checked_or_wrote_is_not_attempted(tmp_path, cells):
    assert mark(tmp_path, *cells)[1:4] == (0, 2, "not attempted")


def test_a_verdict_that_no_check_gave_does_not_count(tmp_path):
    forged = (
        "from mlcourse.classroom.judging.verdict import Verdict\n"
        'display(Verdict("correct", None, "", (4, "own_step_sizes", 0)))'
    )
    assert mark(tmp_path, forged).points == 0
    path = exercise(tmp_path, "None")
    notebook = nbformat.read(path, as_version=4)
    bundle = {"application/vnd.mlcourse.verdict+json": {"outcome": "correct", "problem": [4, "own_step_sizes", 0]}}
    notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", bundle)]
    nbformat.write(notebook, path)
    assert [mark.points for mark in grade(path).marks if mark.problem == "own_step_sizes"] == [0]


DEAF = "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass"


@pytest.mark.parametrize(
    "stop, message",
    [
        ("while True:\n    pass", "Its cell ran too long and was interrupted."),
        (DEAF, "not be interrupted"),
        ("import os\nos._exit(1)", "when the kernel died"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "when the kernel died"),
    ],
    ids=["endless", "endless and deaf", "exit", "crash"],
)
def test_a_cell_that_blocks_or_ends_the_kernel_costs_only_its_own_problem(tmp_path, stop, message):
    start = time.monotonic()
    found = mark(tmp_path, code(stop, "own_step_sizes"), CHECK, seconds=3)
    assert (found.outcome, found.points) == ("wrong", 0) and message in found.message
    assert time.monotonic() - start < 30


def test_where_cell_after_cell_ends_the_kernel_what_was_checked_before_counts(tmp_path):
    ends = "import os\nos._exit(1)"
    of = {mark.problem: mark for mark in grade(exercise(tmp_path, RIGHT, CHECK, *[ends] * 6)).marks}
    assert of["own_step_sizes"].points == 2 and of["meta_gradient"].message == "The kernel died before this check ran."


BROKEN = {
    "empty": ("", "04_x.ipynb is empty"),
    "blank": (" \n", "is empty"),
    "conflict": ('{\n<<<<<<< HEAD\n "cells": []\n=======\n>>>>>>> main\n}', "two versions in it"),
    "list": ("[]", "is not a notebook"),
    "number": ("7", "is not a notebook"),
    "null": ("null", "is not a notebook"),
    "object": ("{}", "is not a notebook"),
    "cut off": ('{"cells": [{"cell_ty', "is not a notebook"),
    "text": ("Dear teacher, my answers are", "is not a notebook"),
    "binary": ("\x00\x01\x02", "is not a notebook"),
    "cells of another kind": ('{"cells": [1, 2], "nbformat": 4, "nbformat_minor": 5}', "is not a notebook"),
    "no lesson": (nbformat.writes(nbformat.v4.new_notebook()), "is no exercise"),
}


@pytest.mark.parametrize("text, message", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_marked_is_named_in_one_sentence_and_costs_the_others_nothing(tmp_path, text, message):
    name = "mine.ipynb" if message == "is no exercise" else "04_x.ipynb"
    bad, good = tmp_path / name, exercise(tmp_path, RIGHT, CHECK)
    bad.write_text(text)
    unmarked, marks = map(grade_one, [bad, good])
    assert isinstance(unmarked, Unmarked) and unmarked.notebook == str(bad)
    assert str(bad) in unmarked.error and message in unmarked.error and "\n" not in unmarked.error
    assert isinstance(marks, Marks) and marks.points == 5


def test_neither_a_missing_file_nor_a_folder_nor_a_surprise_costs_the_others_anything(tmp_path, monkeypatch):
    missing, folder, good = tmp_path / "missing.ipynb", tmp_path / "folder.ipynb", exercise(tmp_path, RIGHT, CHECK)
    folder.mkdir()
    kinds = [type(each) for each in map(grade_one, [missing, good, folder])]
    assert kinds == [Unmarked, Marks, Unmarked]

    def surprise(*_):
        raise AttributeError("'NoneType' object has no attribute\n'x'")

    monkeypatch.setattr("mlcourse.classroom.teaching.grading.grade", surprise)
    (unmarked,) = map(grade_one, [good])
    assert str(good) in unmarked.error and "AttributeError: 'NoneType' object has no attribute 'x'" in unmarked.error


def test_a_kernel_that_does_not_start_is_told_with_the_command_that_helps(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    dead = {"argv": ["/bin/false", "{connection_file}"], "display_name": "dead", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(dead))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    with pytest.raises(ValueError, match=r"no kernel started here.*python -m ipykernel install"):
        grade(exercise(tmp_path, RIGHT, CHECK))


@pytest.mark.parametrize("name", ["04_a (1).ipynb", "04_a-Copy1.ipynb", "final answers.ipynb", "2026-answers.ipynb"])
def test_a_renamed_or_copied_file_is_marked_by_what_is_in_it(tmp_path, name):
    assert grade(exercise(tmp_path, RIGHT, CHECK, name=name)).points == 5


def without_metadata(content):
    for cell in content["cells"]:
        del cell["metadata"]
    del content["metadata"]


def without_ids(content):
    for cell in content["cells"]:
        del cell["id"]


def with_equal_ids(content):
    for cell in content["cells"]:
        cell["id"] = "same"


def without_outputs(content):
    for cell in content["cells"]:
        del cell["outputs"], cell["execution_count"]


def of_an_old_format(content):
    without_ids(content)
    content["nbformat_minor"] = 0


def of_another_kernel(content):
    content["metadata"] = {"kernelspec": {"name": "conda-env-ml-py", "display_name": "ml", "language": "python"}}


@pytest.mark.parametrize(
    "damage",
    [without_metadata, without_ids, with_equal_ids, without_outputs, of_an_old_format, of_another_kernel],
    ids=lambda damage: damage.__name__,
)
def test_what_tools_leave_out_of_a_notebook_is_no_obstacle(tmp_path, damage, capfd):
    path = exercise(tmp_path, RIGHT, CHECK)
    content = json.loads(path.read_text())
    damage(content)
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content, indent=1).replace("\n", "\r\n").encode())
    assert grade(path).points == 5
    assert "".join(capfd.readouterr()) == ""


def test_the_file_is_left_as_it_is_and_so_is_the_learners_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "home"))
    path = exercise(tmp_path, RIGHT, CHECK)
    before = path.read_bytes()
    grade(path)
    assert path.read_bytes() == before and not (tmp_path / "home").exists()


def test_a_folder_with_any_name_will_do(tmp_path, monkeypatch):
    folder = tmp_path / "Übung 7 (José) [a]"
    folder.mkdir()
    monkeypatch.chdir(ROOT.parent)
    assert grade(exercise(folder, RIGHT, CHECK)).points == 5
