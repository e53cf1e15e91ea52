"""The page on a class: who has what, which mistakes this class makes, what to teach again; and nothing that leaves."""

import csv
import re
from html.parser import HTMLParser

import pytest

from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.class_page import look_at, page, read_roster, teaching_cell, without_names, write
from mlcourse.classroom.teaching.grading import Mark, Marks, Unmarked
from mlcourse.classroom.teaching.marking import Submission

FOMAML = Mark("meta_gradient", 0, 3, "wrong", "first-order gradient", "This is FOMAML: `v` alone.")
RIGHT = Mark("meta_gradient", 3, 3, "correct", None, "Right.")
ONE_SIDED = Mark("central_difference", 0, 1, "wrong", "one-sided", "It goes to one side.")
UNNAMED = Mark("central_difference", 0, 1, "wrong", None, "It gives 3.")


def of(student, *marks, lesson=4):
    return Submission(student, f"submitted/{student}/04_x.ipynb", Marks("04_x.ipynb", lesson, marks, True))


SUBMISSIONS = [
    of("ada", RIGHT, ONE_SIDED),
    of("bob", FOMAML, UNNAMED),
    of("cy", FOMAML, ONE_SIDED),
    Submission("dan", "submitted/dan/04_x.ipynb", Unmarked("submitted/dan/04_x.ipynb", "it is empty")),
]
ROSTER = ["ada", "bob", "cy", "dan", "eve"]


@pytest.fixture
def a_class():
    return look_at(SUBMISSIONS, ROSTER)


def test_named_mistakes_are_counted_by_students(a_class):
    counts = {(each.problem, each.name): each.students for each in a_class.misconceptions}
    assert counts == {
        ("meta_gradient", "first-order gradient"): ("bob", "cy"),
        ("central_difference", "one-sided"): ("ada", "cy"),
    }


def test_who_has_not_handed_in_is_who_has_no_file(a_class):
    assert a_class.missing == (("eve", 4),)
    assert [each.student for each in a_class.unmarked] == ["dan"]


def test_the_best_of_several_submissions_counts():
    again = look_at([*SUBMISSIONS, of("bob", RIGHT, UNNAMED)])
    assert again.best["bob", 4].points == 3
    assert [each.students for each in again.misconceptions if each.problem == "meta_gradient"] == [("cy",)]


def test_what_to_teach_again_is_three_ideas_at_most_each_with_the_cell_that_teaches_it():
    marks = [Mark(name, 0, 1, "wrong", f"mistake {i}", "") for i, name in enumerate(of_lesson(2)) for _ in range(2)]
    ideas = look_at([of(f"student {i}", *marks[i:], lesson=2) for i in range(len(marks))]).ideas
    assert len(ideas) == 3
    assert [len(idea.students) for idea in ideas] == sorted((len(idea.students) for idea in ideas), reverse=True)
    assert len({idea.cell for idea in ideas}) == 3
    for idea in ideas:
        assert f'"id": "{idea.cell}"' in (ROOT / idea.notebook).read_text(encoding="utf-8")


@pytest.mark.parametrize("number", lessons())
def test_every_problem_has_a_cell_that_teaches_it(number):
    for name in of_lesson(number):
        heading, notebook, cell = teaching_cell(number, name)
        text = (ROOT / notebook).read_text(encoding="utf-8")
        assert heading and cell and f'"id": "{cell}"' in text, name


class Asked(HTMLParser):
    """What a page would load, and the tags that it has."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.loads += [value for name, value in attributes if name in ("src", "srcset", "action", "data", "poster")]
        self.loads += [value for name, value in attributes if name == "href" and tag != "a"]


def test_the_page_has_its_pictures_inside_and_loads_nothing(a_class):
    text = page(a_class)
    assert "<svg" in text and Asked(text).loads == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_all_that_it_is_to_say_is_on_the_page(a_class, tmp_path):
    text = page(a_class, tmp_path)
    for words in (
        "first-order gradient",
        "To teach again",
        "notebooks/04_the_meta_gradient_by_hand.ipynb#",
        "eve",
        "it is empty",
    ):
        assert words in text


def test_what_a_submission_says_is_text_and_no_markup():
    script = "<script>alert(1)</script>"
    evil = Mark("meta_gradient", 0, 3, "wrong", f"{script}\"'", f"{script} `{script}` \"' onload=x")
    text = page(look_at([of(f"{script}\"'", evil), Submission(script, script, Unmarked(script, script))], [script]))
    assert "script" not in Asked(text).tags and "<script" not in text


def test_a_table_opens_in_a_spreadsheet_as_text(tmp_path):
    formula = '=HYPERLINK("http://evil","x")'
    evil = Mark("meta_gradient", 0, 3, "wrong", formula, "+1")
    _, marks, mistakes = write(look_at([of(formula, evil)]), tmp_path)
    for path in (marks, mistakes):
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
        assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]


def test_the_tables_say_the_same_as_the_page(a_class, tmp_path):
    _, marks, mistakes = write(a_class, tmp_path)
    with open(marks, newline="", encoding="utf-8-sig") as file:
        rows = {(row["student"], row["problem"]): row for row in csv.DictReader(file)}
    assert rows["ada", "meta_gradient"]["points"] == "3" and rows["eve", ""]["verdict"] == "not handed in"
    with open(mistakes, newline="", encoding="utf-8-sig") as file:
        assert [row["students"] for row in csv.DictReader(file)] == ["2", "2"]


def test_without_names_none_is_left_and_all_else_is_the_same(a_class, tmp_path):
    for path in write(a_class, tmp_path, names=False):
        assert not re.search(r"\b(ada|bob|cy|dan|eve)\b", path.read_text(encoding="utf-8"))
    bare = without_names(a_class)
    assert sorted(marks.points for marks in bare.best.values()) == sorted(
        marks.points for marks in a_class.best.values()
    )
    assert [len(idea.students) for idea in bare.ideas] == [len(idea.students) for idea in a_class.ideas]


@pytest.mark.parametrize("text", ["ada\nbob\n", "student\nada\nbob", "\ufeffstudent,mail\nada,a@b\n\nbob,c@d\n"])
def test_a_roster_is_a_name_a_line_or_the_first_column(tmp_path, text):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    assert read_roster(path) == ["ada", "bob"]


def test_a_roster_may_be_the_folder_of_submissions(tmp_path):
    for name in ("bob", "ada", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
    assert read_roster(tmp_path) == ["ada", "bob"]
