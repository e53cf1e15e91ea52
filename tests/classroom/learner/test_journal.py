"""Progress where files do not lock: no kernel writes where another does, so none loses what the other wrote."""

import json
import os
import subprocess
import sys

import pytest

from mlcourse.classroom.learner import database, journal
from mlcourse.classroom.learner.check import Check, Moment

LONG_AGO = "2026-01-01-120000"


def check(number, outcome="correct"):
    return Check(f"2026-01-01T12:00:{number:02}", 4, "jacobian", number, outcome, None, "what it said")


@pytest.fixture(autouse=True)
def another_kernel():
    """A function: from now on it is another kernel that writes."""
    journal._name.cache_clear()
    return journal._name.cache_clear


def journals(home):
    return sorted(os.listdir(home / journal.FOLDER))


def lay(home, name, checks):
    (home / journal.FOLDER).mkdir(exist_ok=True)
    (home / journal.FOLDER / name).write_text("".join(json.dumps(each) + "\n" for each in checks))


def test_what_was_kept_is_read_oldest_first_whichever_kernel_wrote_it(tmp_path, another_kernel):
    journal.add(tmp_path, check(2))
    another_kernel()
    journal.add(tmp_path, check(1, "wrong"))
    journal.add(tmp_path, check(3, "not attempted"))
    assert journal.read(tmp_path) == [check(1, "wrong"), check(2), check(3, "not attempted")]
    assert len(journals(tmp_path)) == 2


WRITER = """
import sys
from pathlib import Path
from mlcourse.classroom.learner import journal
from mlcourse.classroom.learner.check import Check
for number in range(200):
    journal.add(Path(sys.argv[1]), Check("2026-01-01T12:00:00", 4, sys.argv[2], number, "correct"))
"""


def test_several_kernels_may_write_at_once(tmp_path):
    for day in range(journal.MANY):
        lay(tmp_path, f"2026-01-0{day + 1}-120000-aa.jsonl", [check(day)])
    command = [sys.executable, "-c", WRITER, tmp_path]
    writers = [subprocess.Popen([*command, name]) for name in ("first", "second", "third")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(journal.read(tmp_path)) == 600 + journal.MANY


def test_journals_of_earlier_days_become_one_and_nothing_is_lost(tmp_path, another_kernel):
    for number in range(journal.MANY):
        lay(tmp_path, f"{LONG_AGO}-{number}.jsonl", [check(number), check(30)])
    journal.add(tmp_path, check(40))
    assert len(journals(tmp_path)) == 1
    assert journal.read(tmp_path) == [*map(check, range(journal.MANY)), check(30), check(40)]
    another_kernel()
    journal.add(tmp_path, check(41))
    assert len(journals(tmp_path)) == 2


def test_a_kernel_whose_journal_was_taken_writes_on(tmp_path, another_kernel):
    journal.add(tmp_path, check(1))
    (mine,) = (tmp_path / journal.FOLDER).iterdir()
    lay(tmp_path, "9999-taken.jsonl", [check(1)])
    mine.unlink()
    journal.add(tmp_path, check(2))
    assert journal.read(tmp_path) == [check(1), check(2)]


def test_what_is_added_to_a_journal_while_it_is_taken_stays(tmp_path, monkeypatch):
    for number in range(journal.MANY):
        lay(tmp_path, f"{LONG_AGO}-{number}.jsonl", [check(number)])
    append = journal._append

    def append_while_another_does(path, checks):
        append(path, checks)
        append(tmp_path / journal.FOLDER / f"{LONG_AGO}-0.jsonl", [check(50)])

    monkeypatch.setattr(journal, "_append", append_while_another_does)
    journal.add(tmp_path, check(40))
    assert set(journal.read(tmp_path)) == {*map(check, range(journal.MANY)), check(40), check(50)}


@pytest.mark.parametrize("line", ["no json", "[1, 2]", "{}", "null", '["now", 4, "hvp", 0, "correct", null, null]'])
def test_a_damaged_line_costs_itself_alone_and_is_not_thrown_away(tmp_path, line, capsys):
    for number in range(journal.MANY):
        lay(tmp_path, f"{LONG_AGO}-{number}.jsonl", [check(number)])
    damaged = tmp_path / journal.FOLDER / f"{LONG_AGO}-0.jsonl"
    damaged.write_text(damaged.read_text() + line + "\n")
    journal.add(tmp_path, check(40))
    assert journal.read(tmp_path) == [*map(check, range(journal.MANY)), check(40)]
    assert damaged.read_text().endswith(line + "\n") and str(damaged) in capsys.readouterr().err


def test_moments_have_journals_of_their_own_which_become_one_as_well(tmp_path, another_kernel):
    hints = [
        Moment(f"2026-01-01T12:00:{number:02}", 4, "jacobian", number, "hint") for number in range(journal.MANY + 1)
    ]
    folder = tmp_path / journal.FOLDERS[Moment]
    folder.mkdir()
    for number, hint in enumerate(hints[:-1]):
        (folder / f"{LONG_AGO}-{number}.jsonl").write_text(json.dumps(hint) + "\n")
    journal.add(tmp_path, check(1))
    journal.add(tmp_path, hints[-1])
    assert journal.read(tmp_path) == [check(1)] and journal.read(tmp_path, Moment) == hints
    assert len(os.listdir(folder)) == len(journals(tmp_path)) == 1


@pytest.mark.parametrize("store", [database, journal])
def test_what_is_merged_is_there_once(tmp_path, store):
    store.add(tmp_path, check(1))
    assert store.merge(tmp_path, [check(0), check(1), check(2), check(2)]) == 2
    assert store.merge(tmp_path, [check(0), check(1), check(2), check(2)]) == 0
    assert store.read(tmp_path) == [check(0), check(1), check(2)]


@pytest.mark.parametrize("store", [database, journal])
def test_merging_is_a_beginning_too(tmp_path, store):
    assert not store.begun(tmp_path / "new")
    assert store.merge(tmp_path / "new", [check(0)]) == 1 and store.begun(tmp_path / "new")
