"""Progress in SQLite: several kernels may write at once, and a kill leaves either all of a row or none."""

import contextlib
import os
import sqlite3
import sys
from datetime import datetime

from mlcourse.classroom.learner.check import Check

PATIENCE = 10  # seconds that one kernel waits for another to write
FILE = "progress.sqlite"

_COLUMNS = "at, lesson, problem, seed, outcome, misconception, message"
_INSERT = f"INSERT INTO checks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
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


def begun(home):
    """Whether anything was ever kept in this folder; False where nobody may look."""
    return os.path.exists(home / FILE)  # Path.exists raises where a folder may not be entered


def add(home, check):
    """Keep a Check. Raises OSError where that cannot be done."""
    with _database(home) as connection, connection:
        connection.execute(_INSERT, check)


def merge(home, checks):
    """Keep those of some Checks that are not there yet; gives how many. Raises OSError where that cannot be done."""
    with _database(home) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        known = set(_rows(connection))
        new = [check for check in dict.fromkeys(checks) if check not in known]
        connection.executemany(_INSERT, new)
    return len(new)


def read(home):
    """Every Check, oldest first. Raises FileNotFoundError where there is no file, OSError where it cannot be read."""
    (home / FILE).stat()
    with _database(home) as connection:
        return _rows(connection)


def _rows(connection):
    return [Check(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM checks ORDER BY at, id")]


@contextlib.contextmanager
def _database(home):
    """A connection with the table in place. A damaged file is set aside under a dated name, never overwritten."""
    path = home / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
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
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def _open(path):
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
