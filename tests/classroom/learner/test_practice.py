"""What practice asks for, and when it says that it is done; and nothing of it is lost."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from mlcourse.classroom.learner import practice, progress
from mlcourse.classroom.learner.check import Check, Moment
from mlcourse.classroom.learner.memory import course, memories
from mlcourse.classroom.learner.practice import Record, done, due, ideas, minutes_spent, next_task, picture, summary

DAY = date(2026, 3, 1)
KEYS = [(4, "jacobian"), (4, "hvp"), (4, "sign_flip_alpha"), (2, "episode_size"), (2, "split"), (1, "best_shared")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    return tmp_path


def day(days):
    return DAY + timedelta(days=days)


def at(days=0, minutes=0):
    return (datetime(2026, 3, 1, 18) + timedelta(days=days, minutes=minutes)).isoformat(timespec="seconds")


def solved(keys=KEYS, days=0):
    """A Record in which these problems were solved, right at once, one after the other."""
    return Record([Check(at(days, i), *key, 0, "correct", None, "") for i, key in enumerate(keys)], [])


def wrong(key, days, idea, seed=0, minutes=0):
    return Check(at(days, minutes), *key, seed, "wrong", idea, "")


def answered(record, task, days, outcome="correct", minutes=0, idea=None):
    """The Record after a task was asked for and answered."""
    asked = Moment(at(days, minutes), *task.key, task.seed, "asked")
    check = Check(at(days, minutes + task.problem.minutes), *task.key, task.seed, outcome, idea, "")
    return Record([*record.checks, check], [*record.moments, asked])


def sitting(record, days, minutes=practice.MINUTES):
    """The Tasks of one day, each answered right, and the Record after them."""
    tasks = []
    while task := next_task(record, day(days), minutes):
        record = answered(record, task, days, minutes=60 + 20 * len(tasks))
        tasks.append(task)
    return tasks, record


def test_nothing_is_due_until_it_begins_to_fade():
    record = solved()
    assert due(record, day(1)) == [] and "nothing is due. Next: 6 problems, tomorrow" in summary(record, day(1))
    assert {task.key for task in due(record, day(2))} == set(KEYS)


def test_what_comes_back_has_numbers_that_were_never_shown():
    record = solved()
    record.checks.append(Check(at(1), 4, "jacobian", 1, "wrong", None, ""))
    seeds = {task.key: task.seed for task in due(record, day(2))}
    assert seeds[4, "jacobian"] == 2 and seeds[4, "hvp"] == 1
    task = next_task(record, day(2))
    again = answered(record, task, 2)
    later = next(each for each in due(again, day(60)) if each.key == task.key)
    assert later.seed not in (0, task.seed)


def test_lessons_are_interleaved():
    lessons = [task.lesson for task in due(solved(), day(2))]
    assert lessons == [1, 2, 4, 2, 4, 4], "two of the same only where no other is left"
    assert lessons != sorted(lessons)
    tasks, _ = sitting(solved(), 2, minutes=100)
    assert [task.lesson for task in tasks] == lessons


def test_what_is_most_forgotten_comes_first():
    old, new = solved([(4, "jacobian")], days=0), solved([(2, "split")], days=10)
    assert [task.key for task in due(Record(old.checks + new.checks, []), day(12))] == [(4, "jacobian"), (2, "split")]


def test_ten_minutes_are_a_sitting_and_it_says_when_it_is_done():
    record = solved()
    tasks, record = sitting(record, 2)
    spent = sum(task.problem.minutes for task in tasks)
    assert 7 <= spent <= practice.ROOM * practice.MINUTES and spent == minutes_spent(record, day(2))
    said = done(record, day(2))
    assert said.startswith(f"That is today's practice: {len(tasks)} problems, {spent} min.")
    assert f"{len(KEYS) - len(tasks)} more can wait until tomorrow" in said
    more, _ = sitting(record, 2, minutes=spent + 10)
    assert more, "who wants more gets more"
    assert next_task(record, day(3)) is not None, "and tomorrow it goes on"


def test_a_problem_longer_than_a_sitting_gets_its_turn():
    key = max(course(), key=lambda key: course()[key].minutes)
    assert course()[key].minutes > practice.ROOM * practice.MINUTES
    assert next_task(solved([key]), day(2)).key == key


def test_within_three_weeks_everything_was_asked_and_nothing_is_left_over():
    record, asked = solved(), set()
    for days in range(2, 23):
        tasks, record = sitting(record, days)
        asked |= {task.key for task in tasks}
    assert asked == set(KEYS)
    said = done(record, day(22))
    assert "Next:" in said and said.startswith(("Nothing is due today.", "That is today's practice"))


def test_what_is_not_answered_comes_again_with_the_same_numbers():
    task = next_task(solved(), day(2))
    begun = Record(solved().checks, [Moment(at(2), *task.key, task.seed, "asked")])
    again = next_task(begun, day(2))
    assert (again.key, again.seed, again.why) == (task.key, task.seed, practice.UNANSWERED)
    assert next(each for each in due(begun, day(3)) if each.key == task.key).seed == task.seed
    assert next_task(begun, day(2), skip={task.key}).key != task.key


def test_a_week_and_a_year_away_are_no_flood():
    for days in (9, 367):
        tasks, record = sitting(solved(), days)
        assert tasks and sum(task.problem.minutes for task in tasks) <= practice.ROOM * practice.MINUTES
        assert due(record, day(days))


def test_a_clock_that_went_wrong_hides_nothing_for_long():
    tasks, record = sitting(solved(), 36500)
    assert tasks
    assert {task.key for task in due(record, day(2))} == {task.key for task in due(solved(), day(2))}
    tasks, record = sitting(solved(), -20000, minutes=3)
    assert next_task(record, day(2)) is not None


class TestIdeas:
    """A misconception that came up twice brings back its idea, until that is settled."""

    idea = "alpha left out"
    one, other = (3, "inner_step"), (4, "jacobian")

    def test_once_is_a_slip_and_so_is_the_same_answer_checked_again(self):
        record = solved([self.one, self.other], days=-1)
        record.checks.append(wrong(self.one, 0, self.idea, minutes=60))
        record.checks.append(wrong(self.one, 0, self.idea, minutes=61))
        assert ideas(record, DAY) == {} and due(record, DAY) == []

    def record(self):
        record = solved([self.one, self.other], days=0)
        record.checks[:0] = [wrong(self.one, -1, self.idea), wrong(self.one, 0, f"{self.idea} + sign")]
        return record

    def test_twice_brings_back_a_problem_that_knows_it_another_than_where_it_came_up(self):
        assert self.idea in course()[self.one].misconceptions & course()[self.other].misconceptions
        assert ideas(self.record(), DAY) == {self.idea: (2, self.other)}
        task = next_task(self.record(), DAY)
        assert task.key == self.other and task.why == "“alpha left out” came up 2 times"

    def test_right_at_once_settles_it_until_it_comes_up_twice_again(self):
        record = answered(self.record(), next_task(self.record(), DAY), 0, minutes=120)
        assert ideas(record, DAY) == {} and ideas(record, day(1)) == {}
        record.checks.append(wrong(self.one, 3, self.idea, seed=5))
        assert ideas(record, day(4)) == {}
        record.checks.append(wrong(self.other, 4, self.idea, seed=6))
        assert ideas(record, day(4)) == {self.idea: (2, self.one)}

    def test_help_does_not_settle_it_and_it_is_not_asked_twice_a_day(self):
        record = self.record()
        task = next_task(record, DAY)
        record = answered(record, task, 0, minutes=120)
        record.moments.append(Moment(at(0, 121), *task.key, task.seed, "hint"))
        assert ideas(record, DAY) == {} and ideas(record, day(1)) == {self.idea: (2, self.other)}

    def test_no_problem_is_asked_that_was_never_tried(self):
        record = Record([wrong(self.one, -1, self.idea), wrong(self.one, 0, self.idea)], [])
        assert ideas(record, DAY) == {self.idea: (2, self.one)}

    def test_an_idea_that_a_later_course_calls_otherwise_is_no_harm(self):
        record = solved([self.one], days=0)
        record.checks[:0] = [wrong(self.one, n, "a name of old") for n in (-2, -1)]
        record.checks[:0] = [wrong((77, "dropped"), n, self.idea) for n in (-2, -1)]
        assert [task.why for task in due(record, day(9))] == ["“alpha left out” came up 2 times"]


def test_a_problem_that_a_later_course_dropped_is_not_asked(monkeypatch):
    record = solved()
    task = next_task(record, day(2))
    record.moments.append(Moment(at(2), *task.key, task.seed, "asked"))
    left = {key: problem for key, problem in course().items() if key != task.key}
    monkeypatch.setattr("mlcourse.classroom.learner.memory.course", lambda: left)
    monkeypatch.setattr(practice, "course", lambda: left)
    assert task.key not in {each.key for each in due(record, day(2))} and next_task(record, day(2)).key != task.key


def test_who_has_solved_nothing_is_told_how_it_begins():
    nothing = Record([], [])
    assert next_task(nothing, DAY) is None and picture(nothing, DAY) is None
    assert "Nothing was solved yet" in done(nothing, DAY) and "begins with the first problem" in summary(nothing, DAY)


def test_the_picture_is_the_sum_of_all_memories():
    record = solved()
    drawn = picture(record, day(10))
    today = list(drawn.days).index(0)
    known = memories(*record, day(10)).values()
    assert drawn.known[today] == pytest.approx(sum(memory.recall(day(10)) for memory in known))
    assert drawn.solved[today] == len(KEYS) and drawn.solved[today - 11] == drawn.known[today - 11] == 0
    assert (np.diff(drawn.known[today:]) < 0).all() and drawn.practised[-1] > drawn.known[-1]
    assert [(number, count) for number, count, _ in drawn.lessons] == [(1, 1), (2, 2), (4, 3)]
    assert sum(row[2] for row in drawn.lessons) == pytest.approx(drawn.known[today])


def test_a_moment_is_kept_beside_the_checks(either_store):
    assert practice.read() == Record([], [])
    progress.happened("hint", 4, "jacobian", 3, datetime(2026, 3, 1, 12))
    assert progress.moments() == [Moment("2026-03-01T12:00:00", 4, "jacobian", 3, "hint")]
    assert progress.checks() == []


OLD = {
    "without messages": "CREATE TABLE checks (id INTEGER PRIMARY KEY, at TEXT NOT NULL, lesson INTEGER NOT NULL, "
    "problem TEXT NOT NULL, seed INTEGER NOT NULL, outcome TEXT NOT NULL, misconception TEXT)",
    "without practice": "CREATE TABLE checks (id INTEGER PRIMARY KEY, at TEXT NOT NULL, lesson INTEGER NOT NULL, "
    "problem TEXT NOT NULL, seed INTEGER NOT NULL, outcome TEXT NOT NULL, misconception TEXT, message TEXT)",
}


@pytest.fixture(params=OLD)
def old_file(request, home):
    """A file as every older course has written it."""
    with contextlib.closing(sqlite3.connect(home / "progress.sqlite")) as connection, connection:
        connection.execute(OLD[request.param])
        row = f"(1, '{at()}', 4, 'jacobian', 0, 'correct', NULL{', NULL' if 'message ' in OLD[request.param] else ''})"
        connection.execute(f"INSERT INTO checks VALUES {row}")
    return home / "progress.sqlite"


def test_a_file_of_an_older_course_is_a_memory_at_once_and_written_on(old_file):
    assert [task.key for task in due(practice.read(), day(2))] == [(4, "jacobian")]
    assert progress.happened("asked", 4, "jacobian", 1) and len(progress.moments()) == 1
    assert len(progress.checks()) == 1


def test_a_file_of_an_older_course_that_cannot_be_written_to_is_read(old_file, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **options: connect(f"file:{path}?mode=ro", uri=True, **options)
    )
    assert practice.read().moments == [] and [each.problem for each in practice.read().checks] == ["jacobian"]


def test_what_is_no_moment_costs_itself_alone(home):
    progress.happened("asked", 4, "jacobian", 1)
    with contextlib.closing(sqlite3.connect(home / "progress.sqlite")) as connection, connection:
        for row in ("'yesterday', 4, 'hvp', 0, 'hint'", f"'{at()}', 4, 'hvp', 0, 'perfect'", "'', -1, 0, 'x', 'hint'"):
            connection.execute(f"INSERT INTO practice (at, lesson, problem, seed, what) VALUES ({row})")
    assert [moment.problem for moment in progress.moments()] == ["jacobian"]


def test_a_table_that_is_not_the_courses_own_is_said_and_never_changed(home, capsys):
    with contextlib.closing(sqlite3.connect(home / "progress.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE practice (mine TEXT)")
        connection.execute("INSERT INTO practice VALUES ('a recipe')")
    assert practice.read() is None and "could not be read" in capsys.readouterr().err
    assert not progress.happened("hint", 4, "jacobian", 1)
    with contextlib.closing(sqlite3.connect(home / "progress.sqlite")) as connection:
        assert connection.execute("SELECT * FROM practice").fetchall() == [("a recipe",)]


KILLS = """
import os, random, select, signal, sys, time
from mlcourse.classroom.learner import database, journal, progress
from mlcourse.classroom.learner.check import Moment

store = {"database": database, "journal": journal}[sys.argv[1]]
progress._store = lambda: store
chance, said = random.Random(0), set()

def write(kernel, pipe):
    journal._name.cache_clear()
    for seed in range(10**9):
        progress.happened("hint", 4, "jacobian", kernel * 10**6 + seed)
        os.write(pipe, b"%d\\n" % (kernel * 10**6 + seed))

for round in range(100):
    kernels = []
    for kernel in (2 * round, 2 * round + 1):
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            write(kernel, writer)
        os.close(writer)
        kernels.append((pid, reader))
    select.select([reader for _, reader in kernels], [], [], 10)
    time.sleep(chance.uniform(0, 0.02))
    for pid, reader in kernels:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        said |= {int(line) for line in os.read(reader, 1 << 16).split(b"\\n")[:-1]}
        os.close(reader)
kept = {moment.seed for moment in progress.moments()}
print(2 * 100, len(said), len(said - kept))
"""


@pytest.mark.parametrize("store", ["database", "journal"])
def test_two_kernels_killed_at_any_moment_200_times_lose_nothing_that_was_kept(home, store):
    done = subprocess.run([sys.executable, "-c", KILLS, store], capture_output=True, text=True, timeout=300, check=True)
    kills, said, lost = map(int, done.stdout.split())
    assert kills == 200 and said > 100 and lost == 0
    if store == "database":
        with contextlib.closing(sqlite3.connect(home / "progress.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


WRITER = """
from mlcourse.classroom.learner import progress
for seed in range({start}, {start} + 60):
    progress.happened("asked", 4, "jacobian", seed)
"""


def test_two_kernels_may_practise_at_once_also_on_an_older_courses_file(old_file):
    both = [subprocess.Popen([sys.executable, "-c", WRITER.format(start=start)]) for start in (0, 1000)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(progress.moments()) == 120


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_kill_while_an_older_courses_file_is_brought_up_to_date_loses_no_check(old_file):
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", WRITER.format(start=0)], env=os.environ.copy())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.35)
        process.kill()
        process.wait()
        assert len(progress.checks()) == 1
