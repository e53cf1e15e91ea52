"""What a submission may try: a verdict of its own making, the course's answers, others' files. Nothing of it pays."""

import json
import os
import socket

import nbformat
import pytest

from mlcourse.classroom.learner import progress
from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.problems import of_lesson
from mlcourse.classroom.teaching import grading
from mlcourse.classroom.teaching.grading import Rules, grade
from mlcourse.classroom.teaching.judge import shown_seed
from tests.classroom.teaching.test_grading import CHECK, HEAD, RIGHT, WRONG, code, exercise, mark

FORGED = {
    "recorded by hand": """
from mlcourse.classroom.learner import progress
from mlcourse.classroom.judging.verdict import Verdict
progress.record(Verdict("correct", None, "", (4, "own_step_sizes", 0)))
""",
    "written into the file": """
import os, sqlite3
p.check("own_step_sizes", 1)
book = sqlite3.connect(os.path.join(os.environ["MLCOURSE_HOME"], "progress.sqlite"))
book.execute("UPDATE checks SET outcome = 'correct', misconception = NULL")
book.commit()
""",
    "another judge": """
from mlcourse.classroom.judging.verdict import Verdict
type(p.problems["own_step_sizes"]).judge = lambda self, answer, seed: Verdict("correct", None, "")
p.check("own_step_sizes", 1)
""",
    "another containment": """
import mlcourse.classroom.lessons as lessons
from mlcourse.classroom.judging.contain import Ending
from mlcourse.classroom.judging.verdict import Verdict
lessons.contained, before = lambda work: Ending("value", Verdict("correct", None, "")), lessons.contained
p.check("own_step_sizes", 1)
lessons.contained = before
""",
    "another comparison": """
import mlcourse.classroom.judging.compare as compare, mlcourse.classroom.judging.functions as functions
functions.same = compare.same = lambda *_: True
p.check("own_step_sizes", lambda hessian, v, alpha: v)
""",
    "the judge, from inside": """
def own_step_sizes(hessian, v, alpha):
    import gc, sys
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if hasattr(type(value), "solution") and getattr(value, "name", "") == "own_step_sizes":
                return type(value).solution(hessian, v, alpha)
        frame = frame.f_back
    for value in gc.get_objects():
        if isinstance(value, type) and value.__name__ == "own_step_sizes" and not isinstance(value.solution, property):
            return value.solution(hessian, v, alpha)
    raise LookupError("nothing here")
p.check("own_step_sizes", own_step_sizes)
""",
    "the package's solution": """
from mlcourse.classroom.problems import of_lesson
p.check("own_step_sizes", of_lesson(4)["own_step_sizes"].solution)
p.check("own_step_sizes", type(of_lesson(4)["own_step_sizes"]).solution)
""",
    "the stand-in": """
p.use("own_step_sizes", None)
p.check("own_step_sizes", p.use("own_step_sizes", None))
""",
    "the course's files": f"""
import importlib.util, glob, json, re
def own_step_sizes(hessian, v, alpha):
    found = glob.glob("{ROOT}/solutions/04*.ipynb")
    for cell in json.load(open(found[0]))["cells"]:
        source = "".join(cell["source"])
        if "def own_step_sizes" in source:
            space = {{}}
            exec("import numpy as np\\n" + source, space)
            return space["own_step_sizes"](hessian, v, alpha)
p.check("own_step_sizes", own_step_sizes)
spec = importlib.util.spec_from_file_location("stolen", "{ROOT}/mlcourse/classroom/problems/lesson04.py")
stolen = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stolen)
p.check("own_step_sizes", stolen.own_step_sizes.solution)
""",
    "git": f"""
import subprocess
def own_step_sizes(hessian, v, alpha):
    text = subprocess.run(["git", "-C", "{ROOT}", "show", "HEAD:mlcourse/classroom/problems/lesson04.py"],
                          capture_output=True, text=True, check=True).stdout
    space = {{"__name__": "stolen"}}
    exec(text, space)
    return space["own_step_sizes"].solution(hessian, v, alpha)
p.check("own_step_sizes", own_step_sizes)
""",
    "what the judge reads": """
import json, os, socket
from mlcourse.classroom.judging import distant
line = next(cell.cell_contents for cell in p.problems["own_step_sizes"].judge.__func__.__closure__
            if callable(cell.cell_contents) and cell.cell_contents.__name__ == "line")
for said in (b"{", b"[]\\n", b"null\\n", b'{"check": 1}\\n', b'{"verdict": ["correct", null, ""]}\\n',
             b'{"check": [4, "own_step_sizes"], "seed": 0, "function": false, "value": {"array": "", "type": "O",'
             b' "shape": [0], "one": false}, "stub": false, "untouched": false, "parameters": null}\\n'):
    with line() as one:
        one._file.write(said)
        one._file.flush()
with line() as one:
    one.tell(check=[4, "own_step_sizes"], seed=0, function=True, parameters=None, untouched=False, stub=False)
    while "verdict" not in one.hear():
        one.tell(value={"is": True}, after=[None] * 3, peak=0, broken="", failure=None, relayed=False)
""",
}


FROM_FILES = {name: FORGED.pop(name) for name in ("the course's files", "git")}


@pytest.mark.parametrize("cell", FORGED.values(), ids=FORGED)
def test_a_verdict_that_no_check_gave_gives_no_point(tmp_path, cell):
    assert mark(tmp_path, cell).points == 0


@pytest.mark.parametrize("cell", FROM_FILES.values(), ids=FROM_FILES)
def test_the_answers_on_the_disk_are_out_of_sight(tmp_path, cell):
    marked = grade(exercise(tmp_path, cell))
    if not marked.apart:
        pytest.skip("this system lets no process be set apart: the course's files can be read")
    assert {mark.problem: mark.points for mark in marked.marks}["own_step_sizes"] == 0


ALONE = """
import sys
sys.path.insert(0, {folder!r})
import examined
examined._works = lambda *_: False
examined.main()
"""


def test_where_no_process_can_be_set_apart_forged_verdicts_are_held_all_the_same(tmp_path, monkeypatch):
    script = tmp_path / "as_elsewhere.py"
    script.write_text(ALONE.format(folder=str(ROOT / "mlcourse" / "classroom" / "teaching")))
    monkeypatch.setattr(grading, "EXAMINED", str(script))
    cells = {
        "right": (RIGHT, CHECK),
        "recorded": (FORGED["recorded by hand"],),
        "solution": (FORGED["the package's solution"],),
        "memory": (code("held = b'x' * (1 << 40)", "own_step_sizes"), CHECK),
    }
    points = {}
    for name, sources in cells.items():
        marked = grade(exercise(tmp_path, *sources))
        assert not marked.apart
        points[name] = {mark.problem: mark.points for mark in marked.marks}["own_step_sizes"]
    assert points == {"right": 2, "recorded": 0, "solution": 0, "memory": 0}


def test_a_wrong_answer_stays_wrong_beside_forged_records(tmp_path):
    found = mark(tmp_path, WRONG, CHECK, FORGED["recorded by hand"])
    assert (found.points, found.misconception) == (0, "identity left out")


PRY = """
import os, socket
def seen(path):
    try:
        return len(os.listdir(path))
    except OSError:
        return 0
def written(path):
    try:
        open(path, "w").close()
        return 1
    except OSError:
        return 0
def reached(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return 1
    except OSError:
        return 0
said = [sum(map(seen, %(folders)r)), sum(map(written, %(files)r)), reached(%(port)d)]
open("left here.txt", "w").write("mine")
p.check("own_step_sizes", lambda hessian, v, alpha: exec(f"raise ValueError('seen, written, reached: {said}')"))
"""


def test_a_submission_reaches_nobodys_files_no_marks_and_no_progress(tmp_path, monkeypatch):
    ada, bob, marks, home = (tmp_path / name for name in ("submitted/ada", "submitted/bob", "marks", "home"))
    for folder in (ada, bob, marks, home):
        folder.mkdir(parents=True)
        (folder / "kept.txt").write_text("as it was")
    monkeypatch.setenv("MLCOURSE_HOME", str(home))
    with socket.create_server(("127.0.0.1", 0)) as server:
        package = ROOT / "mlcourse" / "__init__.py"
        files = [ada / "04_mine.ipynb", bob / "new.txt", marks / "new.txt", home / "progress.sqlite", package]
        told = {
            "folders": [str(bob), str(marks), str(home), str(ROOT / "solutions")],
            "files": list(map(str, files)),
            "port": server.getsockname()[1],
        }
        path = exercise(ada, PRY % told)
        before = {file: file.read_bytes() for file in (*tmp_path.rglob("*.*"), package)}
        marked = grade(path, Rules(hidden=(tmp_path / "submitted", marks)))
    assert {file: file.read_bytes() for file in before} == before
    assert sorted(tmp_path.rglob("*.*")) == sorted(file for file in before if file.is_relative_to(tmp_path))
    if not marked.apart:
        pytest.skip("this system lets no process be set apart: what is written there, nothing prevents")
    (said,) = (mark.message for mark in marked.marks if mark.problem == "own_step_sizes")
    assert "seen, written, reached: [0, 0, 0]" in said


NUMBER = "sign_flip_alpha"


def answers(seed):
    problem = of_lesson(4)[NUMBER]
    return f"{NUMBER} = {float(problem.solution(**problem.given(seed)))}"


def test_a_class_of_its_own_seed_takes_no_answer_to_other_numbers(tmp_path):
    def points(seed_in_notebook, answered):
        head = HEAD.replace("lesson(4)", f"lesson(4, seed={seed_in_notebook})")
        cells = [code(head), code(answers(answered)), code(f'p.check("{NUMBER}", {NUMBER})'), code(RIGHT), code(CHECK)]
        path = tmp_path / "04_x.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return {mark.problem: mark.points for mark in grade(path, Rules(seed=7)).marks}

    shown = shown_seed(7)
    assert points(shown, shown)[NUMBER] == 2
    assert points(shown, 0)[NUMBER] == points(0, 0)[NUMBER] == 0
    assert points(0, 0)["own_step_sizes"] == 2  # a way, and no constant


def test_a_table_of_right_values_is_no_function(tmp_path):
    """The draws of the seed that a notebook shows, and what is right there, learned by heart at home."""
    problem = of_lesson(4)["own_step_sizes"]
    rng = problem.random(shown_seed(7), "check")
    cases = [problem.draw(rng) for _ in range(24)]
    table = [[case["v"].tolist(), type(problem).solution(**case).tolist()] for case in cases]
    cell = f"""
def own_step_sizes(hessian, v, alpha):
    for known, value in {json.dumps(table)}:
        if len(known) == len(v) and np.allclose(known, v):
            return value
    return v
"""
    cells = [code(f"import numpy as np\n{HEAD.replace('lesson(4)', f'lesson(4, seed={shown_seed(7)})')}"), code(cell)]
    path = tmp_path / "04_x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[*cells, code(CHECK)]), path)
    by_heart, fair = (
        {mark.problem: mark.points for mark in grade(path, rules).marks}["own_step_sizes"]
        for rules in (Rules(), Rules(seed=7))
    )
    assert (by_heart, fair) == (2, 0)


def test_a_notebook_that_eats_memory_costs_its_own_problem(tmp_path):
    found = mark(tmp_path, code("held = b'x' * (1 << 40)", "own_step_sizes"), CHECK)
    assert "MemoryError" in found.message
    slowly = "held = []\nwhile True:\n    held.append(bytearray(1 << 27))"
    path = exercise(tmp_path, code(slowly, "own_step_sizes"), CHECK)
    points = {mark.problem: mark.points for mark in grade(path, Rules(memory=2 << 30)).marks}
    assert points["meta_gradient"] == 3 and points["own_step_sizes"] == 0


def test_the_markers_own_progress_is_not_touched(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "home"))
    mark(tmp_path, RIGHT, CHECK)
    assert not progress.begun() and os.environ["MLCOURSE_HOME"] == str(tmp_path / "home")
