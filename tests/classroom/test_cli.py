"""The command `mlcourse`, as typed."""

import json
import os
import subprocess
import sys

import pytest

from mlcourse.classroom.cli import THREADS, _address, has_display, jupyter_command, one_thread
from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.problems import of_lesson


def mlcourse(*words, home=None):
    environment = os.environ | ({"MLCOURSE_HOME": str(home)} if home else {}) | {"COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "mlcourse.classroom.cli", *words],
        capture_output=True,
        text=True,
        env=environment,
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
    points = sum(problem.points for problem in of_lesson(4).values() if problem.place == "exercise")
    done = mlcourse("grade", path)
    assert done.returncode == 0 and "✓ Correct" in done.stdout
    assert f"{points} of {points} points" in " ".join(done.stdout.split())
    (marks,) = json.loads(mlcourse("grade", path, "--json").stdout)
    assert marks["points"] == marks["out_of"] == points and marks["problems"][0]["outcome"] == "correct"


def test_progress_shows_the_gate_and_what_comes_next(tmp_path):
    done = mlcourse("progress", home=tmp_path)
    assert "0% of 80%" in done.stdout and "Next: lesson 01" in done.stdout


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
    for command in ("learn", "example", "grade", "progress", "reset", "update", "release", "course"):
        assert command in done.stdout
