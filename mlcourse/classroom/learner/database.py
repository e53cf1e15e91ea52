"""Progress in SQLite: several kernels may write at once, and a kill leaves either all of a row or none."""

import contextlib
import os
import sqlite3
import sys
from datetime import datetime

from mlcourse.classroom.learner.check import READ, Check, Moment

PATIENCE = 10  # seconds that one kernel waits for another to write
FILE = "progress.sqlite"

_TABLES = {Check: "checks", Moment: "practice"}
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
_PRACTICE = """
CREATE TABLE IF NOT EXISTS practice (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    lesson INTEGER NOT NULL,
    problem TEXT NOT NULL,
    seed INTEGER NOT NULL,
    what TEXT NOT NULL
)
"""


def begun(home):
    """Whether anything was ever kept in this folder; False where nobody may look."""
    return os.path.exists(home / FILE)  # Path.exists raises where a folder may not be entered


def add(home, record):
    """Keep a Check or a Moment. Raises OSError where that cannot be done."""
    with _database(home) as connection, connection:
        connection.execute(_insert(type(record)), record)


def merge(home, records):
    """Keep those of some Checks and Moments that are not there yet, all of them or, where that cannot be done, none.

    Gives how many were new. Raises OSError where that cannot be done.
    """
    with _database(home) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        known = {kind: set(_rows(connection, kind)) for kind in _TABLES}
        new = [record for record in dict.fromkeys(records) if record not in known[type(record)]]
        for record in new:
            connection.execute(_insert(type(record)), record)
    return len(new)


def read(home, kind=Check):
    """Every record of a kind, oldest first.

    Raises FileNotFoundError where there is no file, OSError where it cannot be read.
    """
    (home / FILE).stat()
    with _database(home) as connection:
        return _rows(connection, kind)


def _insert(kind):
    columns = kind._fields
    return f"INSERT INTO {_TABLES[kind]} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _rows(connection, kind):
    there = _columns(connection, _TABLES[kind])
    if not there:  # an older course's file that cannot be written to, as where it lacks a column
        return []
    columns = ", ".join("NULL" if name == "message" and name not in there else name for name in kind._fields)
    rows = connection.execute(f"SELECT {columns} FROM {_TABLES[kind]} ORDER BY at, id").fetchall()
    sound = []
    for row in rows:
        with contextlib.suppress(ValueError):  # not the course's own, or a newer one's
            sound.append(READ[kind](row))
    return sound


@contextlib.contextmanager
def _database(home):
    """A connection with the tables in place. A damaged file is set aside under a dated name, never overwritten."""
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
            _bring_up_to_date(connection)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection):
    """What files of an older course lack. A file that cannot be written to does without."""
    if "message" not in _columns(connection, "checks"):
        with contextlib.suppress(sqlite3.OperationalError):  # or another kernel has just added it
            connection.execute("ALTER TABLE checks ADD COLUMN message TEXT")
    if not _columns(connection, "practice"):
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute(_PRACTICE)


def _columns(connection, table):
    """The names of a table's columns; none where there is no such table."""
    return {column for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")}
