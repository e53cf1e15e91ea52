"""The command `mlcourse`, as typed."""

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import pytest

from mlcourse.classroom.cli import (
    THREADS,
    _address,
    _print_marks,
    has_display,
    jupyter_command,
    jupyter_environment,
    one_thread,
)
from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.learner import progress
from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.grading import Mark, Marks
from tests.classroom.learner.course import git


def mlcourse(*words, home=None, columns=160, encoding="utf-8", root=ROOT):
    """The command as a learner types it, in the course at `root`."""
    environment = os.environ | ({"MLCOURSE_HOME": str(home)} if home else {})
    environment |= {"COLUMNS": str(columns), "PYTHONIOENCODING": encoding, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-m", "mlcourse.classroom.cli", *words],
        capture_output=True,
        encoding=encoding,
        env=environment,
        cwd=root,
        check=False,
    )


def test_a_worked_example_reruns_with_other_numbers():
    done = mlcourse("example", "1", "--alpha", "0.3", "--support", "theta**4", "--query", "(theta - 1)**2")
    assert done.returncode == 0 and "α = 0.3" in done.stdout and "central differences" in done.stdout


def test_example_3_takes_a_pair_of_quadratics():
    pair = ("--support", "[[2, 0], [0, 4]], [0, 0]", "--query", "[[1, 0], [0, 1]], [1, 1]")
    done = mlcourse("example", "3", "--theta", "-1,2", "--alpha", "0.25", *pair)
    assert done.returncode == 0 and "= [[0.5, 0], [0, 0]]" in done.stdout


@pytest.mark.parametrize("typed", ["1,0.5", "1 0.5", "1, 0.5", "[1, 0.5]", "(1, 0.5)"])
def test_a_list_of_numbers_may_be_typed_with_or_without_brackets(typed):
    assert "x = (1, 0.5)" in mlcourse("example", "2", "--x", typed).stdout


def test_a_loss_may_be_typed_as_the_course_prints_it():
    done = mlcourse("example", "1", "--support", "(θ-2)²")
    assert done.returncode == 0 and "L_s(θ) = (θ - 2)²" in done.stdout


def test_every_example_runs_with_its_own_numbers():
    for number in ("1", "2", "3"):
        done = mlcourse("example", number)
        assert done.returncode == 0 and "Three ways to the same number" in done.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (("example", "1", "--alpha=-1"), "alpha must be a number greater than 0, got -1"),
        (("example", "2", "--support", "theta"), "example 2 has no --support: it takes --theta, --alpha, --slope, --x"),
        (("example", "2", "--x", "one,two"), "--x must be numbers separated by commas, got 'one,two'"),
        (("example", "2", "--x", "1,,2"), "--x must be numbers separated by commas, got '1,,2'"),
        (("example", "2", "--x", "[1,2"), "--x must be numbers separated by commas, got '[1,2'"),
        (("example", "1", "--theta", "1,2"), "--theta of example 1 is one number, got '1,2'"),
        (("example", "3", "--slope", "1"), "example 3 has no --slope: it takes --theta, --alpha, --support, --query"),
        (("example", "3", "--support", "theta**2"), "--support of example 3 must be a pair A, b, such as"),
        (("example", "3", "--support", "[[1]], [1]"), "query must be given too"),
        (("example", "4"), "Invalid value"),
        (("example", "1", "--support", "__import__('os')"), "support_loss"),
        (("grade", "no_such.ipynb"), "there is no notebook no_such.ipynb"),
        (("reset", "99"), "lesson 99 has no exercises"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(words, message):
    done = mlcourse(*words)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_grade_prints_points_and_verdicts_and_json_for_programs():
    path = str(next((ROOT / "solutions").glob("04*.ipynb")))
    done = mlcourse("grade", path)
    (marks,) = json.loads(mlcourse("grade", path, "--json").stdout)
    total = marks["out_of"]
    assert done.returncode == 0 and "✓ Correct" in done.stdout and f"{total} of {total} points" in done.stdout
    assert marks["points"] == total and marks["problems"][0]["outcome"] == "correct"


@pytest.fixture
def notebooks(tmp_path):
    """Paths of two exercises with one answer each, and of files that are none, in a folder with a long name."""
    folder = tmp_path / ("a folder with a long name [b] " * 4) / "Übung"
    folder.mkdir(parents=True)
    answer = "def jacobian(hessian, alpha):\n    return 2 * (np.eye(len(hessian)) - alpha * hessian)"
    check = 'p.check("jacobian", jacobian)'
    head = "import numpy as np\nfrom mlcourse.classroom import lesson\np = lesson(4)"
    cells = [nbformat.v4.new_code_cell(source) for source in (head, answer, check)]
    for name in ("04_a.ipynb", "04_b.ipynb"):
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)
    (folder / "conflict.ipynb").write_text("<<<<<<< HEAD\n{}\n=======\n>>>>>>> main\n")
    (folder / "empty.ipynb").write_text("")
    return folder


def test_grade_marks_every_file_it_can_and_names_those_it_cannot(notebooks):
    names = ("04_a.ipynb", "conflict.ipynb", "empty.ipynb", "missing.ipynb", "04_b.ipynb")
    paths = [str(notebooks / name) for name in names]
    done = mlcourse("grade", *paths, columns=60)
    assert done.returncode == 1
    for path in (paths[0], paths[-1]):
        assert f"{path}: 0 of " in done.stdout, "in one piece, however narrow the terminal"
    for path in paths[1:4]:
        assert sum(path in line for line in done.stderr.splitlines()) == 1
    assert sum("this system let no submission run apart" not in line for line in done.stderr.splitlines()) == 3

    done = mlcourse("grade", *paths, "--json")
    assert done.returncode == 1
    rows = json.loads(done.stdout)
    assert [row["notebook"] for row in rows] == paths
    assert [sorted(row) == ["error", "notebook"] for row in rows] == [False, True, True, True, False]


def test_a_class_is_marked_and_looked_at_and_no_marks_are_one_sentence(notebooks, tmp_path):
    out = str(tmp_path / "marks")
    refused = mlcourse("class", out)
    assert refused.returncode == 2 and "has no marks: `mlcourse grade" in refused.stderr
    done = mlcourse(
        "grade", str(notebooks / "04_a.ipynb"), str(notebooks / "empty.ipynb"), "--out", out, "--workers", "2"
    )
    assert done.returncode == 1
    told = mlcourse("class", out)
    assert told.returncode == 0 and "class.html" in told.stdout and "marks.csv" in told.stdout
    assert mlcourse("class", out, "--no-names").returncode == 0
    assert (tmp_path / "marks" / "class-without-names.html").exists()


def test_grade_says_of_every_problem_why_it_has_no_points(notebooks):
    done = mlcourse("grade", str(notebooks / "04_a.ipynb"), columns=200)
    assert "No check of it ran in this notebook." in done.stdout, "also for what was not attempted"


def test_grade_of_nothing_that_can_be_marked_is_exit_code_2(notebooks):
    done = mlcourse("grade", str(notebooks / "empty.ipynb"), "--json")
    assert done.returncode == 2 and json.loads(done.stdout)[0]["error"].endswith("is empty")


def test_what_looks_like_markup_in_a_message_is_shown_as_it_is(capsys):
    mark = Mark("jacobian", 0, 2, "wrong", None, "gives [bold] and :smile: [/x]")
    _print_marks(Marks("[red]04.ipynb", 4, (mark,)))
    shown = capsys.readouterr().out
    assert "[red]04.ipynb: 0 of 2 points" in shown and "[bold]" in shown and ":smile:" in shown


def test_progress_shows_the_gate_and_what_comes_next(tmp_path):
    done = mlcourse("progress", home=tmp_path)
    assert "80% of the points" in done.stdout and "0%" in done.stdout and "Next: lesson 01" in done.stdout


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("outcome", ["correct", "wrong"])
def test_progress_fits_the_terminal_whatever_is_mastered(tmp_path, monkeypatch, columns, outcome):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    for number in lessons():
        for name in of_lesson(number):
            progress.record(Verdict(outcome, None, "", (number, name, 0)))
    lines = mlcourse("progress", columns=columns).stdout.splitlines()
    table = [line for line in lines if not line.startswith(("Next", "Practice"))]
    assert max(map(len, table)) <= columns and "…" not in "".join(table)
    words = "✓ mastered" if outcome == "correct" else "0%"
    assert sum(words in line for line in table) >= len(lessons())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
@pytest.mark.parametrize("words", [("progress",), ("example", "1"), ("example", "2"), ("example", "3")], ids=" ".join)
def test_every_terminal_gets_text_that_can_be_read(tmp_path, words, encoding):
    done = mlcourse(*words, home=tmp_path, encoding=encoding)
    assert done.returncode == 0 and done.stderr == "" and "?" not in done.stdout
    assert ("theta" in done.stdout or "θ" in done.stdout) == (words[0] == "example")


def test_json_loses_nothing_on_a_terminal_that_cannot_show_it(notebooks):
    path = str(notebooks / "04_a.ipynb")
    ascii_only, whole = (mlcourse("grade", path, "--json", encoding=name).stdout for name in ("ascii", "utf-8"))
    assert json.loads(ascii_only) == json.loads(whole)


def unreadable_homes(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "progress.sqlite").mkdir(parents=True)
    return {
        "a name that is too long": tmp_path / ("x" * 300),
        "below a file": tmp_path / "file" / "home",
        "a folder for a database": tmp_path / "folder",
    }


@pytest.mark.parametrize("kind", ["a name that is too long", "below a file", "a folder for a database"])
def test_a_home_that_cannot_be_used_is_never_a_traceback(tmp_path, kind):
    home = unreadable_homes(tmp_path)[kind]
    done = mlcourse("progress", home=home)
    assert "Traceback" not in done.stderr and done.stderr.count("\n") <= 1
    assert (done.returncode, "0%" in done.stdout) in ((0, True), (2, False))


def test_progress_is_carried_from_one_home_to_another_by_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "there"))
    progress.record(Verdict("correct", None, "", (4, "jacobian", 0)))
    file = str(tmp_path / "mine.json")
    assert mlcourse("progress", "--export", file, home=tmp_path / "there").stdout == f"Your progress is in {file}.\n"
    done = mlcourse("progress", "--import", file, home=tmp_path / "here")
    assert done.stdout.startswith("1 new entry from mine.json") and "The meta-gradient by hand" in done.stdout
    again = mlcourse("progress", "--import", file, home=tmp_path / "here")
    assert again.stdout.startswith("No new entries")
    foreign = mlcourse("progress", "--import", __file__, home=tmp_path / "here")
    assert foreign.returncode == 2 and "no progress file of the course" in foreign.stderr
    assert foreign.stderr.count("\n") == 1


def test_practice_in_a_terminal_without_anybody_there_does_no_harm(tmp_path, monkeypatch):
    assert "Nothing was solved yet" in mlcourse("practice", home=tmp_path).stdout
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    long_ago = datetime.now() - timedelta(days=9)
    progress.record(Verdict("correct", None, "", (2, "episode_size", 0)), long_ago)
    for encoding in ("utf-8", "ascii"):
        done = mlcourse("practice", encoding=encoding)
        assert done.returncode == 0 and "Until later" in done.stdout and done.stderr == ""
    assert "1 problem is due. 10 minutes a day are enough: `mlcourse practice`." in mlcourse("progress").stdout
    assert mlcourse("practice", "--minutes", "0").returncode == 2


def test_the_memory_is_drawn_into_a_file(tmp_path, monkeypatch):
    nothing = mlcourse("progress", "--figure", str(tmp_path / "memory.png"), home=tmp_path / "home")
    assert "Nothing was solved yet" in nothing.stdout and not (tmp_path / "memory.png").exists()
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "home"))
    progress.record(Verdict("correct", None, "", (4, "jacobian", 0)))
    for name, head in (("memory.png", b"\x89PNG"), ("memory.pdf", b"%PDF"), ("memory.svg", b"<?xml")):
        done = mlcourse("progress", "--figure", str(tmp_path / name))
        assert done.stdout == f"The picture of your memory is in {tmp_path / name}.\n"
        assert (tmp_path / name).read_bytes().startswith(head)
    done = mlcourse("progress", "--figure", str(tmp_path / "memory.doc"))
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "'doc' is not supported" in done.stderr


def test_grading_does_not_touch_the_learners_progress(tmp_path):
    mlcourse("grade", str(next((ROOT / "solutions").glob("04*.ipynb"))), home=tmp_path)
    assert not list(tmp_path.iterdir())


def test_jupyterlab_opens_lesson_0_with_the_course_as_its_root():
    command = jupyter_command(ROOT, 9999, display=False, superuser=True)
    assert str(ROOT / "notebooks" / "00_start_here.ipynb") in command
    assert f"--ServerApp.root_dir={ROOT}" in command and "--ServerApp.port=9999" in command
    assert "--ServerApp.answer_yes=True" in command, "Ctrl-C must end it without a question"
    assert "--no-browser" in command and "--allow-root" in command
    assert "--no-browser" not in jupyter_command(ROOT, None, display=True, superuser=False)


def test_jupyterlab_begins_without_a_question_about_news_and_a_learners_own_settings_count():
    paths = jupyter_environment({"JUPYTER_CONFIG_PATH": "theirs"})["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert paths[1] == "theirs"
    defaults = json.loads((Path(paths[0]) / "labconfig" / "default_setting_overrides.json").read_text())
    assert defaults["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert jupyter_environment({})["JUPYTER_CONFIG_PATH"] == paths[0]


@pytest.fixture(scope="module")
def small_course(tmp_path_factory):
    """A clone of a course that has this package in it and small notebooks; its origin is one exercise ahead."""
    folder = tmp_path_factory.mktemp("course")
    origin = folder / "origin"
    shutil.copytree(ROOT / "mlcourse", origin / "mlcourse", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("exercises/04_a.ipynb", "notebooks/04_a.ipynb"):
        (origin / name).parent.mkdir()
        (origin / name).write_text("one")
    git(origin, "init")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "one")
    git(folder, "clone", "origin", "clone")
    (origin / "exercises" / "04_a.ipynb").write_text("two")
    git(origin, "commit", "-am", "two")
    return folder / "clone"


def test_reset_and_update_say_what_they_did_and_where_work_is_kept(small_course):
    mine, its_lesson = small_course / "exercises" / "04_a.ipynb", small_course / "notebooks" / "04_a.ipynb"
    assert "04_a.ipynb is fresh. You had written nothing" in mlcourse("reset", "04", root=small_course).stdout
    for path, words in ((mine, ("reset", "04")), (its_lesson, ("reset", "04", "--lesson"))):
        path.write_text("my work")
        said = mlcourse(*words, root=small_course).stdout
        assert path.read_text() == "one"
        assert (path.parent / said.split("kept as ")[1].strip()).read_text() == "my work"

    (small_course / "exercises" / "04_a.ipynb").write_text("my work")
    (small_course / ".git" / "index.lock").touch()
    done = mlcourse("update", root=small_course)
    assert done.returncode == 2 and "index.lock" in done.stderr and mine.read_text() == "my work"
    (small_course / ".git" / "index.lock").unlink()

    done = mlcourse("update", root=small_course)
    assert done.returncode == 0 and "exercises/04_a.ipynb is as the course has it now" in done.stdout
    assert f"up to date with {small_course.parent / 'origin'}, branch main" in done.stdout
    assert mine.read_text() == "two"


def test_progress_sends_to_the_exercise_and_not_to_a_copy_of_it(small_course, tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    for number in lessons()[: lessons().index(4)]:
        for name in of_lesson(number):
            progress.record(Verdict("correct", None, "", (number, name, 0)))
    (small_course / "exercises" / "04_a-Copy1.ipynb").write_text("")
    assert mlcourse("progress", root=small_course).stdout.strip().endswith("exercises/04_a.ipynb")


class Server:
    """A started process as far as `_address` looks at it."""

    def __init__(self, pid, code=None):
        self.pid, self.code = pid, code

    def poll(self):
        return self.code


def test_the_address_printed_is_that_of_the_server_just_started(monkeypatch):
    running = [
        {"pid": 1, "url": "http://localhost:8888/", "token": "theirs"},
        {"pid": 2, "url": "http://localhost:8889/", "token": "ours"},
    ]
    monkeypatch.setattr("jupyter_server.serverapp.list_running_servers", lambda: iter(running))
    expected = "http://localhost:8889/lab/tree/notebooks/00_start_here.ipynb?token=ours"
    assert _address(Server(2)) == expected
    assert _address(Server(3, code=1)) is None, "a server that ended has no address"


@pytest.mark.parametrize(
    "environment, platform, expected",
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1"}, "linux", False),
    ],
)
def test_a_browser_opens_only_where_there_is_a_display(environment, platform, expected):
    assert has_display(environment, platform) is expected


def test_what_is_started_gets_one_thread_and_reproduce_starts_anew(monkeypatch):
    started = []
    monkeypatch.setattr("os.execv", lambda program, words: started.append(words))
    for name in THREADS:
        monkeypatch.delenv(name)
    monkeypatch.setattr("sys.argv", ["mlcourse", "learn"])
    one_thread()
    assert [os.environ[name] for name in THREADS] == ["1", "1", "1"] and not started
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    monkeypatch.setattr("sys.argv", ["mlcourse", "reproduce", "sinusoid"])
    one_thread()
    one_thread()
    assert started == [[sys.executable, *sys.orig_argv[1:]]], "once: the second time NumPy has seen the number"


def test_a_users_own_number_of_threads_wins(monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setattr("sys.argv", ["mlcourse", "learn"])
    one_thread()
    assert [os.environ[name] for name in THREADS] == ["4", "4", "4"]
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    one_thread()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_help_names_every_command():
    done = mlcourse("--help")
    for command in (
        "learn",
        "example",
        "grade",
        "class",
        "practice",
        "progress",
        "reset",
        "update",
        "release",
        "course",
    ):
        assert command in done.stdout
