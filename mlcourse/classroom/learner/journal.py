"""Progress as journals, one a kernel: for a browser's files, which two tabs can write at once and neither can lock.

No kernel writes into another's journal, so none can lose what the other wrote; what is read is all of them together. A
journal is a line of JSON a record. A database would take eight times as long on these files.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from functools import cache
from uuid import uuid4

from mlcourse.classroom.learner.check import READ, Check, Moment

FOLDER = "checks"
FOLDERS = {Check: FOLDER, Moment: "practice"}  # each kind of record has its own
MANY = 5  # journals of earlier days, from which on they are made one


def begun(home):
    """Whether anything was ever kept in this folder; False where nobody may look."""
    return os.path.exists(home / FOLDER)


def add(home, record):
    """Keep a Check or a Moment. Raises OSError where that cannot be done."""
    _write(home, type(record), [record])


def merge(home, records):
    """Keep those of some Checks and Moments that are not there yet.

    Gives how many were new. Raises OSError where that cannot be done.
    """
    new = 0
    for kind in FOLDERS:
        known = set(read(home, kind)) if os.path.exists(home / FOLDERS[kind]) else set()
        unknown = [record for record in dict.fromkeys(records) if type(record) is kind and record not in known]
        if unknown:
            _write(home, kind, unknown)
        new += len(unknown)
    return new


def read(home, kind=Check):
    """Every record of a kind, oldest first.

    Raises FileNotFoundError where there is no folder, OSError where it cannot be read.
    """
    found = {}
    folder = home / FOLDERS[kind]
    for name in sorted(os.listdir(folder)):
        records, damaged = _read_one(folder / name, kind)
        found |= dict.fromkeys(records)
        if damaged:
            print(f"Some lines of your progress could not be read; they stay in {folder / name}", file=sys.stderr)
    return sorted(found, key=lambda record: record.at)


@cache
def _name(home):
    """The name of this kernel's journal: when it began, and something that no other has."""
    return f"{datetime.now():%Y-%m-%d-%H%M%S}-{uuid4().hex[:8]}.jsonl"


def _write(home, kind, records):
    folder = home / FOLDERS[kind]
    mine = folder / _name(home)
    first = not mine.exists()
    if first:
        folder.mkdir(parents=True, exist_ok=True)
    _append(mine, records)
    if first:
        _make_one(folder, mine, kind)


def _append(path, records):
    with open(path, "a", encoding="utf-8") as file:
        file.write("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def _read_one(path, kind):
    """(the records of a journal, whether there were lines that are none)."""
    records, damaged = [], False
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except FileNotFoundError:  # made one with others meanwhile
        lines = []
    for line in filter(None, lines):
        try:
            records.append(READ[kind](json.loads(line)))
        except (ValueError, TypeError):
            damaged = True
    return records, damaged


def _make_one(folder, mine, kind):
    """Take the journals of earlier days into this one, so that there are never many to read.

    One goes when all of it is here, and nothing was added meanwhile. A kernel that writes on begins it anew.
    """
    yesterday = f"{datetime.now() - timedelta(days=1):%Y-%m-%d-%H%M%S}"
    old = [folder / name for name in sorted(os.listdir(folder)) if name < yesterday and name != mine.name]
    if len(old) < MANY:
        return
    taken = {path: records for path in old for records, damaged in [_read_one(path, kind)] if not damaged}
    _append(mine, dict.fromkeys(record for records in taken.values() for record in records))
    for path, records in taken.items():
        if _read_one(path, kind) == (records, False):
            path.unlink(missing_ok=True)
