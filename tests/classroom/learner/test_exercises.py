"""A learner's edits in exercises/ are never lost: reset and update keep them under dated names."""

import subprocess

import pytest

from mlcourse.classroom.learner.exercises import CourseError, edited, reset, update


def git(folder, *words):
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=folder, check=True, capture_output=True
    )


@pytest.fixture
def clone(tmp_path):
    """A course with one exercise, and a learner's clone of it."""
    origin = tmp_path / "origin"
    (origin / "exercises").mkdir(parents=True)
    git(origin, "init", "-b", "main")
    (origin / "exercises" / "04_a.ipynb").write_text("one")
    (origin / "exercises" / "05_b.ipynb").write_text("one")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "one")
    git(tmp_path, "clone", str(origin), "clone")
    return tmp_path / "clone"


def test_reset_keeps_the_edited_exercise_under_a_dated_name(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    mine.write_text("my work")
    assert edited(mine, clone)
    path, kept = reset(4, clone)
    assert path == mine and mine.read_text() == "one"
    assert kept.read_text() == "my work" and kept.name.startswith("04_a.kept-20")
    assert not edited(mine, clone)
    assert reset(4, clone) == (mine, None)


def test_two_resets_in_one_second_keep_both(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    for text in ("first", "second"):
        mine.write_text(text)
        reset(4, clone)
    assert sorted(path.read_text() for path in mine.parent.glob("04_a.kept-*")) == ["first", "second"]


def test_an_update_keeps_what_the_learner_wrote(clone):
    mine, untouched = clone / "exercises" / "04_a.ipynb", clone / "exercises" / "05_b.ipynb"
    origin = clone.parent / "origin"
    for name in ("04_a.ipynb", "05_b.ipynb"):
        (origin / "exercises" / name).write_text("two")
    git(origin, "commit", "-am", "two")
    mine.write_text("my work")
    (_, kept), *rest = update(clone)
    assert not rest and kept.read_text() == "my work"
    assert mine.read_text() == untouched.read_text() == "two"


def test_an_update_that_does_not_touch_an_edited_file_leaves_it_where_it_is(clone):
    mine = clone / "exercises" / "04_a.ipynb"
    origin = clone.parent / "origin"
    (origin / "exercises" / "05_b.ipynb").write_text("two")
    git(origin, "commit", "-am", "two")
    mine.write_text("my work")
    assert update(clone) == []
    assert mine.read_text() == "my work" and (clone / "exercises" / "05_b.ipynb").read_text() == "two"


def test_a_folder_without_git_is_told_so(tmp_path):
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "04_a.ipynb").write_text("one")
    with pytest.raises(CourseError, match="reset needs the course as a git clone"):
        reset(4, tmp_path)
    with pytest.raises(CourseError, match="lesson 09 has no exercises"):
        reset(9, tmp_path)
