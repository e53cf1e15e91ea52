"""exercises/ is what solutions/ gives, an unfilled one runs, a filled one reaches full marks."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mlcourse.classroom import lesson
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.grading import Rules, grade
from mlcourse.classroom.teaching.release import release, release_folder
from tests.gaps import filled
from tests.tested import ROOT, course_copy, notebooks_in

SOLUTIONS = notebooks_in("solutions")
each_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)


def exercise_of(solution):
    """The course's own version of an exercise, whatever the learner has made of the file."""
    return course_copy(ROOT / "exercises" / solution.name).read_text(encoding="utf-8")


def asked(solution):
    """name -> problem of those that are asked in exercises: a lesson's gaps are asked in the lesson."""
    problems = of_lesson(int(solution.name[:2]))
    return {name: problem for name, problem in problems.items() if problem.place == "exercise"}


@each_solution
def test_the_committed_exercise_is_what_its_solution_gives(solution):
    fresh = nbformat.writes(release(nbformat.read(course_copy(solution), as_version=4))) + "\n"
    assert fresh == exercise_of(solution), (
        f"exercises/{solution.name} as committed is not what solutions/{solution.name} gives: run `make exercises` and "
        "commit both. (Your own edits in exercises/ do not matter here: the committed version is compared.)"
    )


@each_solution
def test_an_exercise_gives_nothing_away(solution):
    text = exercise_of(solution)
    assert "BEGIN SOLUTION" not in text and "HIDDEN TESTS" not in text
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert "your code here" in cell.source


@each_solution
def test_a_stored_statement_is_the_one_that_the_problem_shows(solution):
    for cell in nbformat.reads(exercise_of(solution), as_version=4).cells:
        if "statement" in cell.metadata.get("tags", ()):
            name = cell.source.split('"')[1]
            (output,) = cell.outputs
            assert output.data["text/markdown"] == lesson(int(solution.name[:2])).show(name), name


@each_solution
def test_ids_are_stable_names(solution):
    for cell in nbformat.read(course_copy(solution), as_version=4).cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            assert cell.id == meta["grade_id"].replace("_", "-")[:64]
            assert meta["grade_id"].startswith("check-")


@each_solution
def test_every_problem_has_its_cells_and_its_points(solution):
    problems = asked(solution)
    graded = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader
        for cell in nbformat.read(course_copy(solution), as_version=4).cells
        if "nbgrader" in cell.metadata
    }
    assert set(graded) == {*problems, *(f"check-{name}" for name in problems)}
    for name, problem in problems.items():
        assert graded[f"check-{name}"].points == problem.points


@each_solution
def test_its_head_counts_what_is_asked(solution):
    problems = asked(solution).values()
    points, minutes = sum(problem.points for problem in problems), sum(problem.minutes for problem in problems)
    head = nbformat.read(course_copy(solution), as_version=4).cells[0].source
    assert f"{len(problems)} problems, {points} points, about {minutes} minutes" in head


def test_every_lesson_with_problems_has_exercises():
    assert [int(path.name[:2]) for path in SOLUTIONS] == lessons()


@each_solution
def test_an_unfilled_exercise_runs_from_top_to_bottom_and_is_not_attempted(solution, tmp_path):
    path = tmp_path / solution.name
    path.write_text(exercise_of(solution), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "--nbval-lax", "-p", "no:cacheprovider", str(path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    marks = grade(path)
    assert marks.points == 0 and {mark.outcome for mark in marks.marks} == {"not attempted"}


@each_solution
def test_a_filled_exercise_reaches_full_marks(solution, tmp_path):
    path = tmp_path / solution.name
    path.write_bytes(course_copy(solution).read_bytes())
    marks = grade(path)
    assert marks.points == marks.out_of > 0, [mark for mark in marks.marks if mark.points < mark.out_of]


def test_grading_a_lesson_marks_its_gaps_alone(tmp_path):
    path = next(path for path in notebooks_in("notebooks") if path.name.startswith("04"))
    open_gaps = grade(course_copy(path))
    gaps = {name for name, problem in of_lesson(4).items() if problem.place == "lesson"}
    assert {mark.problem: mark.outcome for mark in open_gaps.marks} == dict.fromkeys(gaps, "not attempted")
    notebook = nbformat.read(course_copy(path), as_version=4)
    notebook.cells = filled(notebook.cells, 4)
    nbformat.write(notebook, tmp_path / path.name)
    marks = grade(tmp_path / path.name)
    assert marks.points == marks.out_of == len(gaps)


def with_answers(answers, tmp_path):
    """Lesson 4's exercise with some answers written in."""
    solution = next(path for path in SOLUTIONS if path.name.startswith("04"))
    notebook = nbformat.reads(exercise_of(solution), as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(name, cell.source)
    path = tmp_path / solution.name
    nbformat.write(notebook, path)
    return path


def test_a_dead_kernel_is_a_failed_problem_and_never_a_pass(tmp_path):
    path = with_answers({"central_difference": "import os\nos._exit(1)"}, tmp_path)
    notebook = nbformat.read(path, as_version=4)
    solved = nbformat.read(course_copy(ROOT / "solutions" / path.name), as_version=4)
    for cell, source in zip(notebook.cells, solved.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.outputs = source.outputs  # old verdicts that say "correct" must not count
    nbformat.write(notebook, path)
    marks = {mark.problem: mark for mark in grade(path).marks}
    assert (marks["central_difference"].outcome, marks["central_difference"].points) == ("wrong", 0)
    assert "kernel died" in marks["central_difference"].message
    assert marks["own_step_sizes"].outcome == "not attempted"


def test_an_endless_loop_outside_a_check_costs_only_its_own_cell(tmp_path):
    answers = {"own_step_sizes": "while True:\n    pass", "sign_flip_alpha": "sign_flip_alpha = 0.5"}
    marks = {mark.problem: mark for mark in grade(with_answers(answers, tmp_path), Rules(seconds=5)).marks}
    assert marks["own_step_sizes"].points == 0
    assert marks["sign_flip_alpha"].outcome == "wrong"


def test_a_release_leaves_an_edited_exercise_alone(tmp_path):
    solution = SOLUTIONS[0]
    solutions, exercises = tmp_path / "solutions", tmp_path / "exercises"
    solutions.mkdir()
    (solutions / solution.name).write_bytes(solution.read_bytes())
    assert [written for _, written in release_folder(solutions, exercises)] == [True]
    mine = exercises / solution.name
    content = json.loads(mine.read_text())
    content["metadata"]["mine"] = True
    mine.write_text(json.dumps(content))
    assert [written for _, written in release_folder(solutions, exercises)] == [False]
    assert json.loads(mine.read_text())["metadata"]["mine"]
    assert [written for _, written in release_folder(solutions, exercises, force=True)] == [True]
    assert Path(mine).read_text() != json.dumps(content)
