"""A class from release to feedback, through nbgrader: one perfect submission, one with two well-known mistakes."""

import shutil
import subprocess
import sys

import nbformat
import pytest

from mlcourse.classroom.learner.exercises import CourseError
from mlcourse.classroom.problems import of_lesson
from mlcourse.classroom.teaching.course import class_seed, lay_course
from mlcourse.classroom.teaching.grading import Rules, grade
from mlcourse.classroom.teaching.judge import hidden_seed, shown_seed
from tests.tested import ROOT, course_copy, notebooks_in

NOTEBOOK = "04_the_meta_gradient_by_hand.ipynb"
POINTS = {name: problem.points for name, problem in of_lesson(4).items() if problem.place == "exercise"}
FOMAML = "def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):\n    return grad_q(theta - alpha * grad_s(theta))"
ENDLESS = "def own_step_sizes(hessian, v, alpha):\n    while True:\n        pass"


def nbgrader(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def submit(folder, student, answers):
    """The released notebook with some cells' answers, as a student hands it in."""
    notebook = nbformat.read(folder / "release" / "lesson04" / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    target = folder / "submitted" / student / "lesson04"
    target.mkdir(parents=True)
    nbformat.write(notebook, target / NOTEBOOK)


def solution_cells():
    notebook = nbformat.read(course_copy(ROOT / "solutions" / NOTEBOOK), as_version=4)
    graded = ((cell.metadata.get("nbgrader", {}), cell.source) for cell in notebook.cells)
    return {meta["grade_id"]: source for meta, source in graded if meta.get("solution")}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder, solutions = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("solutions")
    for path in notebooks_in("solutions"):
        shutil.copyfile(course_copy(path), solutions / path.name)
    assert "lesson04" in lay_course(folder, solutions)
    nbgrader(folder, "generate_assignment", "lesson04", "--create")
    perfect = solution_cells()
    submit(folder, "ada", perfect)
    submit(folder, "bob", perfect | {"meta_gradient": FOMAML, "own_step_sizes": ENDLESS})
    nbgrader(folder, "autograde", "lesson04", "--create")
    nbgrader(folder, "generate_feedback", "lesson04")
    return folder


def marks(course, student):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        notebook = book.find_submission_notebook(NOTEBOOK.removesuffix(".ipynb"), "lesson04", student)
        return {grade.name.removeprefix("check-"): grade.score for grade in notebook.grades}


def test_what_is_released_is_what_the_course_ships(course):
    released, shipped = (
        {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
        for path in (course / "release" / "lesson04" / NOTEBOOK, course_copy(ROOT / "exercises" / NOTEBOOK))
    )
    assert released == shipped


def test_a_perfect_submission_gets_every_point(course):
    assert marks(course, "ada") == POINTS


def test_fomaml_and_an_endless_loop_cost_their_points_and_no_others(course):
    assert marks(course, "bob") == POINTS | {"meta_gradient": 0, "own_step_sizes": 0}


def test_the_feedback_page_names_the_mistake(course):
    page = (course / "feedback" / "bob" / "lesson04" / NOTEBOOK.replace(".ipynb", ".html")).read_text()
    assert "first-order gradient" in page and "still running after" in page


def test_a_course_is_never_laid_over_another(course):
    with pytest.raises(CourseError, match=r"already has an nbgrader_config\.py"):
        lay_course(course)


def head_of(folder, assignment):
    (path,) = (folder / "source" / assignment).glob("*.ipynb")
    return nbformat.read(path, as_version=4)


def test_a_class_of_its_own_seed_has_other_numbers_and_right_solutions_and_keeps_the_seed(tmp_path):
    lay_course(tmp_path / "class", seed=7)
    assert class_seed(tmp_path / "class") == 7 and class_seed(tmp_path) is None
    shown = shown_seed(7)
    for number in (1, 4):
        notebook = head_of(tmp_path / "class", f"lesson{number:02}")
        text = nbformat.writes(notebook)
        assert f"lesson({number}, seed={shown})" in text and f"lesson({number}, seed=0)" not in text
        for name, problem in of_lesson(number).items():
            if problem.place == "exercise":
                (cell,) = (cell for cell in notebook.cells if cell.source.strip() == f'p.show("{name}")')
                assert cell.outputs[0].data["text/markdown"] == problem.show(shown)
    assert marked(tmp_path / "class", "lesson01") == (7, 7)


def marked(folder, assignment):
    (path,) = (folder / "source" / assignment).glob("*.ipynb")
    marks = grade(path, Rules(seed=class_seed(folder)))
    return marks.points, marks.out_of


def test_what_a_class_shows_gives_neither_the_seed_nor_the_hidden_draws_away():
    seeds = range(200)
    assert len({shown_seed(seed) for seed in seeds}) == len({hidden_seed(seed) for seed in seeds}) == len(seeds)
    assert all(shown_seed(seed) not in (seed, hidden_seed(seed)) for seed in seeds)


def test_a_damaged_seed_is_told_and_never_taken_for_none(tmp_path):
    (tmp_path / "class_seed.json").write_text("seven")
    with pytest.raises(CourseError, match="should hold the class's seed"):
        class_seed(tmp_path)
