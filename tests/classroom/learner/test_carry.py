"""Progress goes from one machine to another in one file, and nothing of it is lost on either."""

import json

import pytest

from mlcourse.classroom.learner import database, journal, progress
from mlcourse.classroom.learner.carry import export_progress, import_progress
from mlcourse.classroom.learner.check import Check, Moment
from mlcourse.classroom.learner.clone import CourseError

STORES = {"database": database, "journal": journal}
THERE = [
    Check("2026-01-01T12:00:00", 4, "jacobian", 0, "wrong", "identity left out", "α is there, I is not"),
    Check("2026-01-01T12:01:00", 4, "jacobian", 0, "correct", None, "That is right."),
    Check("2026-01-03T12:00:00", 5, "of_another_version", 3, "not marked", None, None),
]
HERE = [THERE[1], Check("2026-01-02T12:00:00", 1, "hvp", 0, "correct", None, "")]


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A function: from now on progress is kept in this home, in this way."""

    def go(name, store="database"):
        monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / name))
        monkeypatch.setattr(progress, "_store", lambda: STORES[store])

    return go


@pytest.mark.parametrize("there, here", [("journal", "database"), ("database", "journal"), ("database", "database")])
def test_what_was_kept_on_either_machine_is_kept_on_both(tmp_path, at, there, here):
    at("there", there)
    progress.merge(THERE)
    file = export_progress(tmp_path / "mine.json")
    at("here", here)
    progress.merge(HERE)
    assert import_progress(file) == 2
    assert progress.checks() == [THERE[0], THERE[1], HERE[1], THERE[2]]
    assert import_progress(file) == 0 and len(progress.checks()) == 4
    back = export_progress(tmp_path / "back.json")
    at("there", there)
    assert import_progress(back) == 1 and len(progress.checks()) == 4


@pytest.mark.parametrize("there, here", [("journal", "database"), ("database", "journal")])
def test_the_memory_goes_with_it(tmp_path, at, there, here):
    moments = [Moment(f"2026-01-04T12:00:0{i}", 4, "jacobian", 1, what) for i, what in enumerate(("asked", "hint"))]
    at("there", there)
    progress.merge([*THERE, moments[1]])
    file = export_progress(tmp_path / "mine.json")
    at("here", here)
    progress.merge([moments[0]])
    assert import_progress(file) == 4 and import_progress(file) == 0
    assert progress.moments() == moments and progress.checks() == THERE


def test_a_file_from_before_there_was_practice_is_taken(tmp_path, at):
    path = spoiled(
        tmp_path, at, lambda data: json.dumps({k: v for k, v in json.loads(data).items() if k != "practice"}).encode()
    )
    at("here")
    assert import_progress(path) == 3 and progress.moments() == []


def test_a_file_that_is_there_already_is_not_overwritten(tmp_path, at):
    at("home")
    (tmp_path / "mine.json").write_text("mine")
    with pytest.raises(CourseError, match="is there already"):
        export_progress(tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_text() == "mine"


def test_without_a_name_the_file_is_dated_and_beside_the_notebook(tmp_path, at, monkeypatch):
    at("home")
    monkeypatch.chdir(tmp_path)
    path = export_progress()
    assert path.name.startswith("mlcourse-progress-20") and path.exists() and import_progress(path) == 0


def spoiled(tmp_path, at, spoil):
    at("there")
    progress.merge(THERE)
    path = export_progress(tmp_path / "mine.json")
    path.write_bytes(spoil(path.read_bytes()))
    return path


def with_fields(**fields):
    return lambda data: json.dumps(json.loads(data) | fields).encode()


def with_check(*values):
    return with_fields(checks=[THERE[0], values])


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda data: data[:-20], "is damaged"),
        (lambda data: b"", "is damaged"),
        (lambda data: b"\xff\xfe\x00" + data, "is damaged"),
        (lambda data: b"SQLite format 3\x00" + data, "is damaged"),
        (lambda data: b"[1, 2]", "is no progress file"),
        (lambda data: b'{"cells": [], "nbformat": 4}', "is no progress file"),
        (with_fields(version=2), "newer course"),
        (with_fields(checks=None), "is damaged"),
        (with_fields(checks={"a": 1}), "is damaged"),
        (with_fields(practice=None), "is damaged"),
        (with_fields(practice=[["2026-01-01", 4, "hvp", 0, "perfect"]]), "is damaged"),
        (with_fields(practice=[["2026-01-01", 4, "hvp", 0]]), "is damaged"),
        (with_fields(practice=[["2026-01-01T10:00:00+02:00", 4, "hvp", 0, "good"]]), "is damaged"),
        (with_check(), "is damaged"),
        (with_check("2026-01-01", 4, "hvp"), "is damaged"),
        (with_check("yesterday", 4, "hvp", 0, "correct", None, None), "is damaged"),
        (with_check("2026-01-01", "4", "hvp", 0, "correct", None, None), "is damaged"),
        (with_check("2026-01-01", 4, ["hvp"], 0, "correct", None, None), "is damaged"),
        (with_check("2026-01-01", 4, "hvp", -1, "correct", None, None), "is damaged"),
        (with_check("2026-01-01", 4, "hvp", 0, "perfect", None, None), "is damaged"),
        (with_check("2026-01-01", 4, "hvp", 0, "correct", {"a": 1}, None), "is damaged"),
    ],
)
def test_another_file_or_a_damaged_one_is_refused_as_a_whole(tmp_path, at, spoil, said):
    path = spoiled(tmp_path, at, spoil)
    at("here")
    progress.merge(HERE)
    with pytest.raises(CourseError, match=said) as error:
        import_progress(path)
    assert str(path) in str(error.value) and set(progress.checks()) == set(HERE)


def test_a_file_that_is_not_there_or_no_file_is_named(tmp_path, at):
    at("home")
    with pytest.raises(CourseError, match=r"there is no file .*none\.json"):
        import_progress(tmp_path / "none.json")
    with pytest.raises(CourseError, match="cannot be read"):
        import_progress(tmp_path)
    assert not (tmp_path / "home").exists()
