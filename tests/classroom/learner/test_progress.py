"""Progress is never lost: two kernels at once, a kill at any moment, a damaged file."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from mlcourse.classroom import lesson, start_lesson
from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.learner import progress
from mlcourse.classroom.problems import of_lesson


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    return tmp_path


def solve(name, outcome="correct", number=4):
    progress.record(Verdict(outcome, None, "", (number, name, 0)))


def test_a_lesson_is_mastered_with_80_percent_of_its_points(either_store):
    problems = of_lesson(4)
    assert progress.mastery(4).points == 0 and not progress.mastery(4).mastered
    for name in problems:
        solve(name)
    whole = progress.mastery(4)
    assert whole.mastered and whole.points == whole.out_of == sum(p.points for p in problems.values())
    assert progress.mastery(4, {(4, name) for name in list(problems)[:2]}).share < progress.MASTERY


def test_what_was_once_right_stays_solved(either_store):
    solve("jacobian")
    solve("jacobian", "wrong")
    assert (4, "jacobian") in progress.solved()


def test_a_check_is_recorded_with_its_misconception(home):
    p = lesson(4, seed=3)
    p.check("jacobian", lambda hessian, alpha: -alpha * hessian)
    with sqlite3.connect(home / "progress.sqlite") as connection:
        rows = connection.execute("SELECT lesson, problem, seed, outcome, misconception FROM checks").fetchall()
    assert rows == [(4, "jacobian", 3, "wrong", "identity left out")]


WRITER = """
from mlcourse.classroom.learner import progress
from mlcourse.classroom.judging.verdict import Verdict
for seed in range({count}):
    progress.record(Verdict("correct", None, "", (4, "jacobian", seed)))
"""


def writer(count):
    return subprocess.Popen([sys.executable, "-c", WRITER.format(count=count)], env=os.environ.copy())


def rows(home):
    with sqlite3.connect(home / "progress.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT count(*) FROM checks").fetchone()[0]


def test_two_kernels_may_write_at_once(home):
    both = [writer(60), writer(60)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert rows(home) == 120


def test_a_kill_at_any_moment_leaves_a_sound_file(home):
    written = 0
    for delay in (0.0, 0.02, 0.05):
        process = writer(10_000)
        while not (home / "progress.sqlite").exists():
            time.sleep(0.01)
        time.sleep(0.3 + delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert rows(home) >= written
        written = rows(home)
    solve("jacobian")
    assert rows(home) == written + 1


def test_a_damaged_file_is_set_aside_with_a_message_and_never_overwritten(home, capsys):
    (home / "progress.sqlite").write_bytes(b"this is no database, but it was all I had" * 50)
    solve("jacobian")
    kept = list(home.glob("progress.damaged-*.sqlite"))
    assert len(kept) == 1 and kept[0].read_bytes().startswith(b"this is no database")
    assert "was damaged" in capsys.readouterr().err
    assert progress.solved() == {(4, "jacobian")}


def test_a_folder_that_cannot_be_written_to_costs_the_record_and_not_the_lesson(
    either_store, monkeypatch, tmp_path, capsys
):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "a file" / "folder"))
    verdict = lesson(4).check("jacobian", None)
    assert verdict.outcome == "not attempted"
    assert "Your progress was not saved" in capsys.readouterr().err


def test_a_lessons_first_cell_says_whether_the_lesson_before_is_mastered(either_store, capsys):
    start_lesson(5)
    assert "Lesson 04" not in capsys.readouterr().out
    solve("jacobian")
    start_lesson(5)
    assert "○ Lesson 04 is at" in capsys.readouterr().out
    for name in of_lesson(4):
        solve(name)
    start_lesson(5)
    assert "✓ Lesson 04 is mastered" in capsys.readouterr().out


@pytest.fixture
def locked(home):
    """A progress file that another process holds."""
    solve("jacobian")
    with contextlib.closing(sqlite3.connect(home / "progress.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def folder_in_its_place(home):
    (home / "progress.sqlite").mkdir()


def folder_below_a_file(home, monkeypatch):
    (home / "file").write_text("")
    monkeypatch.setenv("MLCOURSE_HOME", str(home / "file" / "folder"))


def name_too_long(home, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(home / ("x" * 300)))


def folder_that_may_not_be_entered(home, monkeypatch):
    """As root meets it elsewhere, and as everybody else does: every look into it is refused."""

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    for name in ("stat", "mkdir", "exists"):
        monkeypatch.setattr(f"pathlib.Path.{name}", refuse)
    real = os.stat
    here = str(home)
    monkeypatch.setattr("os.stat", lambda path, *a, **k: refuse(path) if here in str(path) else real(path, *a, **k))
    monkeypatch.setattr("os.listdir", refuse)


def test_a_look_that_failed_says_nothing_of_what_was_solved(home, capsys):
    folder_in_its_place(home)
    start_lesson(5)
    said = capsys.readouterr()
    assert "Lesson 04" not in said.out and "The kernel is ready" in said.out
    assert "Your progress could not be read" in said.err
    assert progress.solved() is progress.mastery(4) is progress.overview() is progress.checks() is None


def test_nor_does_a_look_at_a_locked_file(locked, monkeypatch, capsys):
    monkeypatch.setattr("mlcourse.classroom.learner.database.PATIENCE", 0.1)
    start_lesson(5)
    said = capsys.readouterr()
    assert "%" not in said.out and "could not be read: database is locked" in said.err
    assert lesson(4).check("jacobian", None).outcome == "not attempted"
    assert "Your progress was not saved" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [folder_below_a_file, name_too_long, folder_that_may_not_be_entered])
def test_a_folder_that_cannot_be_looked_into_is_never_in_the_way(either_store, kind, home, monkeypatch, capsys):
    kind(home, monkeypatch)
    start_lesson(5)
    assert "The kernel is ready" in capsys.readouterr().out
    assert not progress.begun()
    progress.solved(), progress.overview(), progress.checks()
    assert lesson(4).check("jacobian", None).outcome == "not attempted"
    assert "Your progress was not saved" in capsys.readouterr().err


def test_a_file_of_an_older_course_is_read_and_written_on(home):
    with contextlib.closing(sqlite3.connect(home / "progress.sqlite")) as connection, connection:
        connection.execute(
            "CREATE TABLE checks (id INTEGER PRIMARY KEY, at TEXT NOT NULL, lesson INTEGER NOT NULL, problem TEXT NOT "
            "NULL, seed INTEGER NOT NULL, outcome TEXT NOT NULL, misconception TEXT)"
        )
        connection.execute("INSERT INTO checks VALUES (1, '2026-01-01', 4, 'jacobian', 0, 'correct', NULL)")
    assert progress.solved() == {(4, "jacobian")}
    progress.record(Verdict("wrong", "a mistake", "its message", (4, "hvp", 2)))
    assert [(*each[1:-1], each.message or "") for each in progress.checks()] == [
        (4, "jacobian", 0, "correct", None, ""),
        (4, "hvp", 2, "wrong", "a mistake", "its message"),
    ]


def test_nothing_is_made_by_looking(either_store, home, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(home / "nothing yet"))
    assert progress.solved() == set() and progress.checks() == [] and not progress.begun()
    assert not (home / "nothing yet").exists()


def test_a_lesson_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="number must be a lesson, 0 … "):
        start_lesson(99)
