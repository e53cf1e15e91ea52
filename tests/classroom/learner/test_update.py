"""`mlcourse update` is all or nothing, acts on the course's own clone alone, and loses nothing that was written."""

import json
import os

import pytest

from mlcourse.classroom.learner import update as module
from mlcourse.classroom.learner.clone import CourseError, source
from mlcourse.classroom.learner.update import update
from tests.classroom.learner.course import FILES, git, notebook, publish

NEXT = {name: notebook("two") if name.endswith("ipynb") else "two\n" for name in FILES}
NEXT |= {"exercises/08_new.ipynb": notebook("eight"), "data/new/numbers.txt": "8"}
MINE = notebook("my work")


def tree(folder):
    """Every file of the folder but git's own, and what is staged of them."""
    files = {path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts}
    staged = git(folder, "ls-files", "--stage") if (folder / ".git").exists() else ""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, staged


def edit(clone, name="exercises/04_a.ipynb"):
    (clone / name).write_text(MINE)


def edit_a_lesson(clone):
    edit(clone, "notebooks/04_a.ipynb")


def edit_and_stage(clone):
    edit(clone)
    git(clone, "add", ".")


def stage_and_edit_again(clone):
    edit(clone)
    git(clone, "add", ".")
    (clone / FILES[0]).write_text(notebook("my later work"))


def stage_and_take_back(clone):
    before = (clone / FILES[0]).read_text()
    edit_and_stage(clone)
    (clone / FILES[0]).write_text(before)


def delete(clone):
    (clone / FILES[0]).unlink()


def delete_and_stage(clone):
    git(clone, "rm", "-q", FILES[0])


def untracked_file_in_the_way(clone):
    edit(clone, "exercises/08_new.ipynb")


def staged_file_in_the_way(clone):
    edit(clone, "exercises/08_new.ipynb")
    git(clone, "add", ".")


def ignored_file_in_the_way(clone):
    edit(clone, "exercises/08_new.ipynb")
    (clone / ".git" / "info" / "exclude").write_text("08*")


def folder_in_the_way(clone):
    (clone / "exercises" / "08_new.ipynb").mkdir()
    edit(clone, "exercises/08_new.ipynb/inside.txt")


def file_where_a_folder_comes(clone):
    edit(clone, "data")


def line_ends_of_windows(clone):
    git(clone, "config", "core.autocrlf", "true")
    for name in FILES:
        (clone / name).unlink()
    git(clone, "checkout", "--", ".")
    edit(clone)


def several(clone):
    edit(clone)
    edit_a_lesson(clone)
    edit(clone, "README.md")
    untracked_file_in_the_way(clone)


WAYS = [
    edit,
    edit_a_lesson,
    edit_and_stage,
    stage_and_edit_again,
    stage_and_take_back,
    delete,
    delete_and_stage,
    untracked_file_in_the_way,
    staged_file_in_the_way,
    ignored_file_in_the_way,
    folder_in_the_way,
    file_where_a_folder_comes,
    line_ends_of_windows,
    several,
]
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def texts(clone):
    return {name: (clone / name).read_text() for name in NEXT}


@each_way
def test_an_update_brings_the_course_and_keeps_what_was_written(clone, way):
    way(clone)
    before = tree(clone)[0]
    publish(clone, NEXT)
    kept = update(clone)
    assert texts(clone) == NEXT
    assert git(clone, "status", "--porcelain", "--untracked-files=no") == ""
    after = tree(clone)[0]
    for name, text in before.items():
        if b"my" in text:
            assert text in after.values(), name
    assert all(path.parent == copy.parent and ".kept-20" in copy.name for path, copy in kept if copy)
    assert len(kept) == sum(b"my" in text for text in before.values()) or way is stage_and_take_back
    assert update(clone) == [] and tree(clone)[0] == after


@each_way
@pytest.mark.parametrize(
    "moment, failure",
    [
        ("set_mine_aside", OSError("no space left")),
        ("make_room", KeyboardInterrupt()),
        ("go", CourseError("git says no")),
    ],
)
def test_an_update_that_fails_leaves_every_file_and_what_was_staged_as_it_was(clone, way, moment, failure, monkeypatch):
    way(clone)
    publish(clone, NEXT)
    before = tree(clone)
    step = getattr(module._Move, moment)

    def fail(move):
        if moment == "go":  # some of the course's files are there already
            move.going = True
            git(clone, "checkout", move.target, "--", "exercises", "README.md")
        else:
            step(move)
        raise failure

    monkeypatch.setattr(module._Move, moment, fail)
    with pytest.raises(type(failure)):
        update(clone)
    assert tree(clone) == before
    monkeypatch.undo()
    update(clone)
    assert texts(clone) == NEXT


@each_way
def test_an_update_beside_another_git_at_work_leaves_all_as_it_was(clone, way):
    way(clone)
    publish(clone, NEXT)
    before = tree(clone)
    (clone / ".git" / "index.lock").touch()
    with pytest.raises(CourseError, match=r"index\.lock"):
        update(clone)
    (clone / ".git" / "index.lock").unlink()
    assert tree(clone) == before


def test_where_files_cannot_be_put_back_the_error_says_where_they_are_before_anything_else(clone, monkeypatch):
    edit(clone)
    publish(clone, NEXT)

    def fail(move):
        (clone / ".git" / "index.lock").touch()
        move.going = True
        raise CourseError("git says no")

    monkeypatch.setattr(module._Move, "go", fail)
    with pytest.raises(CourseError, match=r"^Kept: 04_a.ipynb as 04_a.kept-20.*ipynb\. ") as error:
        update(clone)
    copy = clone / "exercises" / str(error.value).split(" as ")[1].split(". ")[0]
    assert copy.read_text() == MINE


def test_what_the_update_does_not_touch_stays_where_it_is(clone):
    edit(clone)
    edit(clone, "exercises/mine.ipynb")
    git(clone, "add", "exercises/04_a.ipynb")
    publish(clone, {"exercises/05_b.ipynb": notebook("two")})
    before = tree(clone)
    assert update(clone) == []
    after = tree(clone)
    assert {name for name in after[0] if after[0][name] != before[0].get(name)} == {"exercises/05_b.ipynb"}
    assert git(clone, "diff", "--cached", "--name-only").split() == ["exercises/04_a.ipynb"]


@pytest.mark.parametrize("way", [edit, edit_and_stage], ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    "gone", [{"exercises/04_a.ipynb": None}, {"exercises/04_a.ipynb": None, "exercises/04_b.ipynb": notebook("one")}]
)
def test_a_file_that_leaves_the_course_or_is_renamed_is_kept(clone, way, gone):
    way(clone)
    publish(clone, gone)
    ((path, copy),) = update(clone)
    assert copy.read_text() == MINE and not path.exists()


def test_a_lesson_that_was_only_run_is_replaced_without_a_copy(clone):
    ran = json.loads((clone / "notebooks" / "04_a.ipynb").read_text())
    ran["cells"][0] |= {"execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": "hi"}]}
    (clone / "notebooks" / "04_a.ipynb").write_text(json.dumps(ran))
    publish(clone, NEXT)
    assert update(clone) == [(clone / "notebooks" / "04_a.ipynb", None)]
    assert texts(clone) == NEXT and not list(clone.rglob("*.kept-*"))


def test_a_file_in_the_way_that_is_the_very_one_that_comes_is_not_kept(clone):
    (clone / "exercises" / "08_new.ipynb").write_text(NEXT["exercises/08_new.ipynb"])
    publish(clone, NEXT)
    assert update(clone) == [(clone / "exercises" / "08_new.ipynb", None)]


def test_names_with_spaces_brackets_and_umlauts_are_names(clone):
    odd = "exercises/04 [a] (Übung) *?.ipynb"
    publish(clone, {odd: notebook("one")})
    update(clone)
    edit(clone, odd)
    publish(clone, {odd: notebook("two"), "exercises/04 [a] (Übung) xy.ipynb": notebook("two")})
    ((path, copy),) = update(clone)
    assert path == clone / odd and copy.read_text() == MINE


def unpacked(clone):
    (clone / ".git").rename(clone / ".no-git")


def inside_another_clone(clone):
    """As B06: unpacked into a clone whose own upstream has moved on, with a README that both have changed."""
    other = clone.parent / "other"
    git(clone.parent, "clone", "origin", "other")
    unpacked(clone)
    clone.rename(other / "clone")
    (other / "README.md").write_text("changed here")
    publish(clone, {"README.md": "changed there"})


def other_branch(clone):
    git(clone, "switch", "-c", "mine")


def detached(clone):
    git(clone, "switch", "--detach")


def no_remote(clone):
    git(clone, "remote", "remove", "origin")


def own_commits(clone):
    edit(clone)
    git(clone, "commit", "-am", "mine")


def offline(clone):
    git(clone, "remote", "set-url", "origin", "https://user:secret@course.invalid/course.git")


def moved_away(clone):
    (clone.parent / "origin").rename(clone.parent / "elsewhere")


def branch_gone(clone):
    origin = clone.parent / "origin"
    git(origin, "branch", "-m", "main", "trunk")
    git(clone, "fetch", "--prune")


def begun_merge(clone):
    (clone / ".git" / "MERGE_HEAD").write_text(git(clone, "rev-parse", "HEAD"))


def begun_rebase(clone):
    (clone / ".git" / "rebase-merge").mkdir()


def no_commit(clone):
    (clone / ".git").rename(clone / ".no-git")
    git(clone, "init")


def another_history(clone):
    no_commit(clone)
    git(clone, "add", ".")
    git(clone, "commit", "-m", "mine")
    git(clone, "remote", "add", "origin", str(clone.parent / "origin"))
    git(clone, "fetch")
    git(clone, "branch", "--set-upstream-to=origin/main")


STATES = [
    (unpacked, r"is not a git clone of the course.*`git clone` the course"),
    (inside_another_clone, r"is not a git clone of the course.*`git clone` the course"),
    (other_branch, r"your branch mine follows none.*`git branch --set-upstream-to=origin/main`"),
    (detached, r"not on a branch: `git switch main`"),
    (no_remote, r"knows no course to update from: `git remote add origin ADDRESS`"),
    (own_commits, r"has 1 commit of your own.*`git pull --no-rebase`"),
    (offline, r"could not be fetched from https://course\.invalid/course\.git, branch main.*Nothing was changed"),
    (moved_away, r"could not be fetched.*`git remote set-url origin ADDRESS`"),
    (branch_gone, r"branch main is gone: `git branch --set-upstream-to=origin/\w+`"),
    (begun_merge, r"a merge was begun here and not ended: `git merge --abort`"),
    (begun_rebase, r"a rebase was begun here and not ended: `git rebase --abort`"),
    (no_commit, r"has no commit yet: `git clone` the course"),
    (another_history, r"have no commit in common: `git clone` the course anew"),
]


@pytest.mark.parametrize("state, message", STATES, ids=lambda value: getattr(value, "__name__", ""))
def test_each_state_has_one_sentence_with_the_command_that_helps(clone, state, message, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "")
    edit(clone)
    if state is not inside_another_clone:
        publish(clone, NEXT)
    state(clone)
    moved = clone.parent / "other" / "clone"
    folder = moved if moved.exists() else clone
    before = tree(folder), (clone.parent / "other" / "README.md").exists() and tree(clone.parent / "other")
    with pytest.raises(CourseError, match=message) as error:
        update(folder)
    assert "\n" not in str(error.value) and "secret" not in str(error.value)
    assert before == (tree(folder), (clone.parent / "other" / "README.md").exists() and tree(clone.parent / "other"))


@pytest.mark.parametrize(
    "state, command",
    [
        (other_branch, "git branch --set-upstream-to=origin/main"),
        (detached, "git switch main"),
        (own_commits, "git pull --no-rebase --no-edit"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_command_that_is_named_helps(clone, state, command):
    publish(clone, {"exercises/05_b.ipynb": notebook("two")})
    state(clone)
    with pytest.raises(CourseError):
        update(clone)
    git(clone, *command.split()[1:])
    update(clone)
    assert (clone / "exercises" / "05_b.ipynb").read_text() == notebook("two")


def test_own_commits_on_top_of_the_newest_course_are_no_obstacle(clone):
    own_commits(clone)
    assert update(clone) == []


def test_a_clone_of_another_user_is_told_how_to_trust_it(clone, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(CourseError, match=r'git config --global --add safe\.directory "'):
        update(clone)


def test_without_git_the_update_says_so(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match="git is not installed"):
        update(clone)


def test_what_it_was_compared_with_is_named_without_a_password(clone):
    """A fork is up to date with itself: only the address tells."""
    git(clone, "remote", "set-url", "origin", "https://me:token@example.org/me/course.git")
    assert source(clone) == "https://example.org/me/course.git, branch main"


def test_a_link_to_the_clone_is_the_clone(clone):
    link = clone.parent / "link"
    link.symlink_to(clone)
    publish(clone, NEXT)
    update(link)
    assert texts(clone) == NEXT


def test_a_work_tree_of_the_clone_is_a_clone(clone):
    git(clone, "worktree", "add", "-b", "second", "../second")
    second = clone.parent / "second"
    git(second, "branch", "--set-upstream-to=origin/main")
    edit(second)
    publish(clone, NEXT)
    ((_, copy),) = update(second)
    assert copy.read_text() == MINE and texts(second) == NEXT
    assert os.path.exists(clone / FILES[0]) and "one" in (clone / FILES[0]).read_text()
