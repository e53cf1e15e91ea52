"""What a learner has solved, in SQLite under the user's data folder, and how far that is to mastery."""

import contextlib
import os
import sqlite3
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.problems import lessons, of_lesson

MASTERY = 0.8
PATIENCE = 10  # seconds that one kernel waits for another to write

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checks (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    lesson INTEGER NOT NULL,
    problem TEXT NOT NULL,
    seed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    misconception TEXT,
    message TEXT
)
"""


def home():
    """The folder of the learner's own data; MLCOURSE_HOME overrides the platform's."""
    import platformdirs

    return Path(os.environ.get("MLCOURSE_HOME") or platformdirs.user_data_dir("mlcourse"))


@contextlib.contextmanager
def _database():
    """A connection with the table in place. A damaged file is set aside under a dated name, never overwritten."""
    path = home() / "progress.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = _open(path)
    except sqlite3.OperationalError:
        raise  # locked, read-only or full: the file itself may be sound
    except sqlite3.DatabaseError:
        aside = path.with_name(f"progress.damaged-{datetime.now():%Y-%m-%d-%H%M%S}.sqlite")
        os.replace(path, aside)
        print(f"Your progress file was damaged. It is kept as {aside}; a new one begins.", file=sys.stderr)
        connection = _open(path)
    with contextlib.closing(connection):
        yield connection


def _open(path):
    """Two kernels may write at once: a writer waits for the other, and a kill leaves either all of a row or none."""
    connection = sqlite3.connect(path, timeout=PATIENCE)
    try:
        with connection:
            connection.execute(_SCHEMA)
            connection.execute("SELECT count(*) FROM checks").fetchone()
            _add_column(connection, "message")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _add_column(connection, name):
    """A column that files of an older course lack. A file that cannot be written to does without."""
    if name not in {column for _, column, *_ in connection.execute("PRAGMA table_info(checks)")}:
        with contextlib.suppress(sqlite3.OperationalError):  # or another kernel has just added it
            connection.execute(f"ALTER TABLE checks ADD COLUMN {name} TEXT")


def record(verdict):
    """Keep one verdict. A disk that cannot be written to costs the record, not the lesson."""
    now = datetime.now().isoformat(timespec="seconds")
    row = (now, *verdict.problem, verdict.outcome, verdict.misconception, verdict.message)
    try:
        with _database() as connection, connection:
            connection.execute(
                "INSERT INTO checks (at, lesson, problem, seed, outcome, misconception, message) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
    except (sqlite3.Error, OSError) as error:
        print(f"Your progress was not saved: {error}", file=sys.stderr)


class Mastery(NamedTuple):
    """How much of a lesson is solved: points of its points, and the problems still open."""

    lesson: int
    points: int
    out_of: int
    todo: tuple

    @property
    def share(self):
        return self.points / self.out_of

    @property
    def mastered(self):
        return self.share >= MASTERY


def begun():
    """Whether anything was ever checked here; False where nobody may look."""
    return os.path.exists(home() / "progress.sqlite")  # Path.exists raises where a folder may not be entered


def _read(query):
    """Rows of a query; none where nothing was checked yet, and None where the file could not be read."""
    try:
        (home() / "progress.sqlite").stat()
        with _database() as connection:
            return connection.execute(query).fetchall()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (sqlite3.Error, OSError) as error:
        print(f"Your progress could not be read: {error}", file=sys.stderr)
        return None


def recorded():
    """Every verdict that was kept, oldest first; None where the file could not be read."""
    rows = _read("SELECT outcome, misconception, message, lesson, problem, seed FROM checks ORDER BY id")
    return rows and [Verdict(outcome, mistake, said or "", tuple(of)) for outcome, mistake, said, *of in rows]


def solved():
    """{(lesson, problem)} that were correct at least once, with any seed: what was understood stays understood.

    None where the file could not be read: a failed look says nothing of what was solved.
    """
    rows = _read("SELECT DISTINCT lesson, problem FROM checks WHERE outcome = 'correct'")
    return None if rows is None else set(rows)


def mastery(number, done=None):
    """The Mastery of one lesson, None where progress could not be read; `done` spares a second look into the file."""
    done = solved() if done is None else done
    if done is None:
        return None
    problems = {name: problem for name, problem in of_lesson(number).items() if problem.points}
    todo = tuple(name for name in problems if (number, name) not in done)
    total = sum(problem.points for problem in problems.values())
    return Mastery(number, total - sum(problems[name].points for name in todo), total, todo)


def overview():
    """The Mastery of every lesson that has exercises; None where progress could not be read."""
    done = solved()
    return None if done is None else [mastery(number, done) for number in lessons()]
