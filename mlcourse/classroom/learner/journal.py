"""Progress as journals, one a kernel: for a browser's files, which two tabs can write at once and neither can lock.

No kernel writes into another's journal, so none can lose what the other wrote; what is read is all of them together. A
journal is a line of JSON a check. A database would take eight times as long on these files.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from functools import cache
from uuid import uuid4

from mlcourse.classroom.learner.check import read_check

FOLDER = "checks"
MANY = 5  # journals of earlier days, from which on they are made one


def begun(home):
    """Whether anything was ever kept in this folder; False where nobody may look."""
    return os.path.exists(home / FOLDER)


def add(home, check):
    """Keep a Check. Raises OSError where that cannot be done."""
    _write(home, [check])


def merge(home, checks):
    """Keep those of some Checks that are not there yet; gives how many. Raises OSError where that cannot be done."""
    known = set(read(home)) if begun(home) else set()
    new = [check for check in dict.fromkeys(checks) if check not in known]
    _write(home, new)
    return len(new)


def read(home):
    """Every Check, oldest first. Raises FileNotFoundError where there is no folder, OSError where it cannot be read."""
    found = {}
    for name in sorted(os.listdir(home / FOLDER)):
        checks, damaged = _read_one(home / FOLDER / name)
        found |= dict.fromkeys(checks)
        if damaged:
            print(
                f"Some lines of your progress could not be read; they stay in {home / FOLDER / name}", file=sys.stderr
            )
    return sorted(found, key=lambda check: check.at)


@cache
def _name(home):
    """The name of this kernel's journal: when it began, and something that no other has."""
    return f"{datetime.now():%Y-%m-%d-%H%M%S}-{uuid4().hex[:8]}.jsonl"


def _write(home, checks):
    folder, mine = home / FOLDER, home / FOLDER / _name(home)
    first = not mine.exists()
    if first:
        folder.mkdir(parents=True, exist_ok=True)
    _append(mine, checks)
    if first:
        _make_one(folder, mine)


def _append(path, checks):
    with open(path, "a", encoding="utf-8") as file:
        file.write("".join(json.dumps(check, ensure_ascii=False) + "\n" for check in checks))


def _read_one(path):
    """(the Checks of a journal, whether there were lines that are none)."""
    checks, damaged = [], False
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except FileNotFoundError:  # made one with others meanwhile
        lines = []
    for line in filter(None, lines):
        try:
            checks.append(read_check(json.loads(line)))
        except (ValueError, TypeError):
            damaged = True
    return checks, damaged


def _make_one(folder, mine):
    """Take the journals of earlier days into this one, so that there are never many to read.

    One goes when all of it is here, and nothing was added meanwhile. A kernel that writes on begins it anew.
    """
    yesterday = f"{datetime.now() - timedelta(days=1):%Y-%m-%d-%H%M%S}"
    old = [folder / name for name in sorted(os.listdir(folder)) if name < yesterday and name != mine.name]
    if len(old) < MANY:
        return
    taken = {path: checks for path in old for checks, damaged in [_read_one(path)] if not damaged}
    _append(mine, dict.fromkeys(check for checks in taken.values() for check in checks))
    for path, checks in taken.items():
        if _read_one(path) == (checks, False):
            path.unlink(missing_ok=True)
