"""What a terminal does elsewhere, in a cell."""

import base64
import html
import os
import pathlib
import re

import pytest

from mlcourse.classroom import example, export_progress, import_progress, practice, progress, reset, start_lesson, tab
from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.learner import exercises, journal
from mlcourse.classroom.learner import progress as kept
from mlcourse.classroom.learner.clone import CourseError
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.worked import example_1, example_2, example_3
from tests.classroom.learner.course import make_course, notebook


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def solve(number, names):
    for name in names:
        kept.record(Verdict("correct", None, "", (number, name, 0)))


def test_progress_shows_the_gate_and_what_comes_next():
    shown = progress()
    assert "80% of the points" in shown and "| 01 Task distributions | 0/" in shown
    assert shown.endswith("in exercises/01_task_distributions.ipynb")
    assert shown == shown._repr_markdown_() == repr(shown)
    solve(1, of_lesson(1))
    assert "██████████ | ✓ mastered |" in progress() and "Next: lesson 02, problem" in progress()
    for number in lessons():
        solve(number, of_lesson(number))
    assert progress().endswith("Every lesson is mastered.")


def test_progress_that_cannot_be_read_says_so_and_shows_nothing(home, capsys):
    (home / "progress.sqlite").mkdir(parents=True)
    assert progress() is None
    assert "could not be read" in capsys.readouterr().err


def test_progress_is_carried_by_a_file(tmp_path, monkeypatch, capsys):
    solve(4, ["jacobian"])
    export_progress(tmp_path / "mine.json")
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "another"))
    import_progress(tmp_path / "mine.json")
    import_progress(str(tmp_path / "mine.json"))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"Your progress is in {tmp_path / 'mine.json'}."
    assert said[1:] == [f"{count} from mine.json; what was here stays." for count in ("1 new entry", "No new entries")]
    assert kept.solved() == {(4, "jacobian")}


def test_an_example_is_the_same_as_its_function():
    assert str(example(1, alpha=0.3, support="3*theta")) == str(example_1(alpha=0.3, support_loss="3*theta"))
    assert str(example(2, slope=3, x=[1, 2])) == str(example_2(slope=3, x=[1, 2]))
    assert str(example(3, theta=[1, -1])) == str(example_3(theta=[1, -1]))


def test_an_example_says_what_it_takes():
    with pytest.raises(ValueError, match="number must be an example, 1 … 3, got 4"):
        example(4)
    with pytest.raises(ValueError, match="example 2 has no support: it takes theta, alpha, slope, x"):
        example(2, support="theta")


def test_a_reset_lays_a_fresh_notebook_and_says_what_was_kept(tmp_path, monkeypatch, capsys):
    course = make_course(tmp_path)
    monkeypatch.setattr(exercises, "ROOT", course)
    for folder, words in (("exercises", {}), ("notebooks", {"notebook": True})):
        mine = course / folder / "04_a.ipynb"
        fresh = mine.read_text()
        mine.write_text(notebook("my work"))
        reset(4, **words)
        assert mine.read_text() == fresh and "Your version is kept as 04_a.kept-20" in capsys.readouterr().out
        reset(4, **words)
        assert "You had written nothing" in capsys.readouterr().out
    with pytest.raises(CourseError, match=r"lesson 09 has no exercises.*notebook=True"):
        reset(9)


@pytest.mark.parametrize("number", ["4", None, True, 4.5, 15, -4, [4]])
def test_a_reset_of_what_is_no_lesson_says_so(number):
    with pytest.raises(ValueError, match="number must be a lesson, 0 … 14, got"):
        reset(number)


def test_minutes_and_files_that_are_none_are_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    for minutes in ("x", None, -1, True):
        with pytest.raises(ValueError, match="minutes must be a number"):
            practice(minutes)
    for use in (export_progress, import_progress):
        with pytest.raises(ValueError, match="must be the name of a file"):
            use(3)
    with pytest.raises(CourseError, match="cannot be written: No such file or directory"):
        export_progress(tmp_path / "nowhere" / "a.json")


class TestInATab:
    """As in a browser, whose files come from the site where nothing was saved over them."""

    @pytest.fixture(autouse=True)
    def a_tab(self, tmp_path, monkeypatch):
        self.drive = tmp_path / "drive"
        self.site = {"exercises/04_a.ipynb": notebook("the course's"), "exercises/05_b.ipynb": notebook("the course's")}
        for name, text in self.site.items():
            (self.drive / name).parent.mkdir(parents=True, exist_ok=True)
            (self.drive / name).write_text(text)
        unlink = pathlib.Path.unlink

        def unlink_what_was_saved(path, *words, **options):
            unlink(path, *words, **options)
            if (name := path.relative_to(self.drive).as_posix()) in self.site:
                path.write_text(self.site[name])

        monkeypatch.setattr(tab, "here", lambda: True)
        monkeypatch.setattr(tab, "_mounted", True)
        monkeypatch.setattr(pathlib.Path, "unlink", unlink_what_was_saved)
        monkeypatch.setattr(exercises, "ROOT", self.drive)
        monkeypatch.setattr(tab, "HOME", self.drive / ".mlcourse")
        monkeypatch.setenv("TMPDIR", str(tmp_path / "memory"))
        monkeypatch.setattr("tempfile.tempdir", None)
        (tmp_path / "memory").mkdir()

    def test_a_reset_lets_the_sites_own_be_seen_again(self, capsys):
        mine = self.drive / "exercises" / "04_a.ipynb"
        mine.write_text(notebook("my work"))
        reset(4)
        assert mine.read_text() == notebook("the course's")
        (copy,) = mine.parent.glob("04_a.kept-*")
        assert copy.read_text() == notebook("my work") and copy.name in capsys.readouterr().out
        reset(4)
        assert "You had written nothing" in capsys.readouterr().out
        assert len(os.listdir(mine.parent)) == 3

    def test_a_notebook_that_the_site_does_not_have_stays(self):
        mine = self.drive / "exercises" / "06_mine.ipynb"
        mine.write_text(notebook("my work"))
        with pytest.raises(CourseError, match="is your own"):
            reset(6)
        assert mine.read_text() == notebook("my work") and len(os.listdir(mine.parent)) == 3

    def test_a_renamed_notebook_is_not_taken_for_the_courses(self):
        lesson = self.drive / "notebooks" / "04_long_name.ipynb"
        lesson.parent.mkdir()
        for path in (lesson, self.drive / "exercises" / lesson.name):
            path.write_text(notebook("the course's"))
        assert exercises.find(4, self.drive).name == lesson.name

    def test_progress_is_a_journal_and_finds_the_exercise_of_the_site(self):
        solve(4, ["jacobian"])
        assert os.listdir(self.drive / ".mlcourse") == [journal.FOLDER]
        solve(1, of_lesson(1)), solve(2, of_lesson(2)), solve(3, of_lesson(3))
        assert "in exercises/04_a.ipynb" in progress()

    def test_a_browser_that_keeps_is_nothing_to_speak_of(self, capsys):
        start_lesson(0)
        assert capsys.readouterr().out.count("\n") == 1

    @pytest.mark.parametrize("why", ["no drive", "the page found the storage full"])
    def test_a_browser_that_keeps_nothing_is_said_in_the_first_cell_and_progress_lasts_the_visit(
        self, monkeypatch, capsys, why, tmp_path
    ):
        if why == "no drive":
            monkeypatch.setattr(tab, "_mounted", False)
        else:
            (self.drive / ".mlcourse").mkdir()
            (self.drive / ".mlcourse" / tab.FORGETFUL).touch()
        start_lesson(0)
        assert capsys.readouterr().out.count("This browser keeps nothing of yours") == 1
        solve(4, ["jacobian"])
        assert kept.solved() == {(4, "jacobian")}
        in_memory, in_the_page = (list(folder.rglob("*.jsonl")) for folder in (tmp_path / "memory", self.drive))
        assert (len(in_memory), len(in_the_page)) == ((1, 0) if why == "no drive" else (0, 1))

    def test_an_export_can_be_downloaded_wherever_it_lies(self, tmp_path, monkeypatch):
        shown = []
        monkeypatch.setattr("IPython.display.display", lambda what: shown.append(what.data))
        export_progress(tmp_path / "my <own>.json")
        link = r'<a download="(.*?)" href="data:application/json;base64,(.*?)">.*</a>'
        name, content = re.fullmatch(link, shown[0]).groups()
        assert html.unescape(name) == "my <own>.json"
        assert base64.b64decode(content) == (tmp_path / "my <own>.json").read_bytes()
