"""The command `mlcourse`, as typed."""

import json
import os
import subprocess
import sys

import pytest

from mlcourse.classroom.cli import has_display, jupyter_command
from mlcourse.classroom.exercises import ROOT


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


def test_every_example_runs_with_its_own_numbers():
    for number in ("1", "2", "3"):
        done = mlcourse("example", number)
        assert done.returncode == 0 and "Three ways to the same number" in done.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (("example", "1", "--alpha=-1"), "alpha must be a number greater than 0, got -1"),
        (("example", "2", "--support", "theta"), "example 2 has no --support: it takes --theta, --alpha, --slope, --x"),
        (("example", "2", "--x", "one,two"), "expected numbers separated by commas, got 'one,two'"),
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
    assert done.returncode == 0 and "✓ Correct" in done.stdout and "14 of 14 points" in done.stdout
    (marks,) = json.loads(mlcourse("grade", path, "--json").stdout)
    assert marks["points"] == marks["out_of"] == 14 and marks["problems"][0]["outcome"] == "correct"


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
    assert "--no-browser" in command and "--allow-root" in command
    assert "--no-browser" not in jupyter_command(ROOT, None, display=True, superuser=False)


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


def test_help_names_every_command():
    done = mlcourse("--help")
    for command in ("learn", "example", "grade", "progress", "reset", "update", "release", "course"):
        assert command in done.stdout
