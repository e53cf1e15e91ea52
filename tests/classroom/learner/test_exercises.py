"""Which file is a lesson's, and a fresh one in its place: what the learner wrote is never lost."""

import json

import pytest

from mlcourse.classroom.learner.exercises import CourseError, committed, edited, find, reset
from tests.classroom.learner.course import git, notebook


@pytest.mark.parametrize("folder", ["exercises", "notebooks"])
def test_reset_keeps_what_was_written_under_a_dated_name(clone, folder):
    mine = clone / folder / "04_a.ipynb"
    fresh = mine.read_text()
    mine.write_text(notebook("my work"))
    assert edited(mine, clone)
    path, kept = reset(4, clone, folder)
    assert path == mine and mine.read_text() == fresh
    assert kept.read_text() == notebook("my work") and kept.name.startswith("04_a.kept-20")
    assert not edited(mine, clone)
    assert reset(4, clone, folder) == (mine, None)


def test_two_resets_in_one_second_keep_both(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    for text in ("first", "second"):
        mine.write_text(text)
        reset(4, clone)
    assert sorted(path.read_text() for path in mine.parent.glob("04_a.kept-*")) == ["first", "second"]


@pytest.mark.parametrize(
    "text", ["", "not a notebook", "<<<<<<< HEAD", "[]", "{}", '{"cells": [1]}', '{"cells": null}']
)
def test_whatever_the_file_has_become_it_is_kept(clone, text):
    mine = clone / "exercises" / "04_a.ipynb"
    mine.write_text(text)
    assert reset(4, clone)[1].read_text() == text


def test_a_notebook_that_was_only_run_is_fresh_again_and_nothing_of_it_is_kept(clone):
    mine = clone / "notebooks" / "04_a.ipynb"
    fresh = mine.read_text()
    ran = json.loads(fresh)
    ran["metadata"] = {"language_info": {"version": "3.12.1"}}
    ran["cells"][0] |= {"execution_count": 7, "outputs": [{"output_type": "stream", "name": "stdout", "text": "hi"}]}
    ran["cells"][0]["source"] = [line + "\n" for line in ran["cells"][0]["source"].splitlines()]
    ran["cells"][0]["source"][-1] = ran["cells"][0]["source"][-1].rstrip("\n")
    mine.write_text(json.dumps(ran))
    assert reset(4, clone, "notebooks") == (mine, None)
    assert mine.read_text() == fresh and not list(mine.parent.glob("*.kept-*"))


def test_a_picture_pasted_into_a_cell_is_work(clone):
    mine = clone / "notebooks" / "04_a.ipynb"
    pasted = json.loads(mine.read_text())
    pasted["cells"][0]["attachments"] = {"image.png": {"image/png": "AAAA"}}
    mine.write_text(json.dumps(pasted))
    assert reset(4, clone, "notebooks")[1] is not None


def test_a_file_that_was_deleted_or_staged_is_laid_anew(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    fresh = mine.read_text()
    mine.unlink()
    assert reset(4, clone) == (mine, None) and mine.read_text() == fresh
    mine.write_text(notebook("staged"))
    git(clone, "add", ".")
    assert reset(4, clone)[1].read_text() == notebook("staged") and mine.read_text() == fresh
    git(clone, "rm", "-q", str(mine))
    assert reset(4, clone) == (mine, None) and mine.read_text() == fresh


def test_other_line_ends_are_no_edit(clone):
    git(clone, "config", "core.autocrlf", "true")
    mine = clone / "exercises" / "04_a.ipynb"
    mine.unlink()
    git(clone, "checkout", "--", ".")
    assert b"\r\n" in mine.read_bytes()
    assert reset(4, clone) == (mine, None) and not list(mine.parent.glob("*.kept-*"))
    mine.write_text("my work")
    assert reset(4, clone)[1].read_text() == "my work" and b"\r\n" in mine.read_bytes()


def test_a_reset_that_git_refuses_leaves_all_as_it_was(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    mine.write_text("my work")
    (clone / ".git" / "index.lock").touch()
    with pytest.raises(CourseError, match=r"index\.lock"):
        reset(4, clone)
    assert mine.read_text() == "my work" and not list(mine.parent.glob("*.kept-*"))


COPIES = [
    "04_a-Copy1.ipynb",
    "04_a (1).ipynb",
    "04_a copy.ipynb",
    "04_a - Copy.ipynb",
    "04_a_copy2.ipynb",
    "04_a.kept-2026-01-01-120000.ipynb",
    "04_0_mine.ipynb",
    "04_.ipynb",
]


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_beside_an_exercise_is_not_taken_for_it(clone, copy):
    mine = clone / "exercises" / "04_a.ipynb"
    (mine.parent / copy).write_text("a copy")
    assert find(4, clone) == mine
    mine.write_text("my work")
    assert reset(4, clone)[0] == mine
    assert (mine.parent / copy).read_text() == "a copy"


@pytest.mark.parametrize("copy", COPIES)
def test_nor_where_it_was_committed_or_git_is_missing(clone, copy, monkeypatch):
    mine = clone / "exercises" / "04_a.ipynb"
    (clone / "solutions").mkdir()
    (clone / "solutions" / mine.name).write_text("")
    (mine.parent / copy).write_text("a copy")
    git(clone, "add", "--force", ".")
    git(clone, "commit", "-m", "mine")
    assert find(4, clone) == mine
    monkeypatch.setenv("PATH", "")
    assert find(4, clone) == mine


def test_the_official_name_is_found_even_where_only_a_copy_is_left(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    mine.rename(mine.with_name("04_a-Copy1.ipynb"))
    assert find(4, clone) == mine


def test_a_lesson_without_exercises_is_told_so(clone):
    with pytest.raises(CourseError, match=r"lesson 09 has no exercises in .*; with --lesson"):
        reset(9, clone)


def not_a_clone(clone, monkeypatch):
    (clone / ".git").rename(clone / ".no-git")


def inside_another_repository(clone, monkeypatch):
    (clone / ".git").rename(clone / ".no-git")
    git(clone.parent, "init")
    git(clone.parent, "add", "clone/exercises")
    git(clone.parent, "commit", "-m", "another")


def without_git(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")


def of_another_user(clone, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


@pytest.mark.parametrize(
    "state, message",
    [
        (not_a_clone, "is not a git clone of the course"),
        (inside_another_repository, "is not a git clone of the course"),
        (without_git, "git is not installed"),
        (of_another_user, "belongs to another user.*git config --global --add safe.directory"),
    ],
)
def test_a_reset_says_what_is_in_its_way_and_not_something_else(clone, monkeypatch, state, message):
    mine = clone / "exercises" / "04_a.ipynb"
    mine.write_text("my work")
    state(clone, monkeypatch)
    with pytest.raises(CourseError, match=message):
        reset(4, clone)
    assert mine.read_text() == "my work" and len(list(mine.parent.glob("04*"))) == 1
    assert committed(mine, clone) is None


def test_a_repository_that_the_environment_names_is_not_the_course(clone, monkeypatch, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    (other / "exercises").mkdir()
    (other / "exercises" / "04_a.ipynb").write_text("another's")
    git(other, "add", ".")
    git(other, "commit", "-m", "another")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert committed(clone / "exercises" / "04_a.ipynb", clone) != b"another's"
