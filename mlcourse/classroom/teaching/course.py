"""A class: lay the solutions out as an nbgrader course, so that the same files are released, collected and marked."""

import json
import re
import shutil
from pathlib import Path

import nbformat

from mlcourse.classroom.judging import ChoiceProblem
from mlcourse.classroom.learner.exercises import ROOT, CourseError
from mlcourse.classroom.learner.notebook import STUB
from mlcourse.classroom.problems import of_lesson
from mlcourse.classroom.teaching.judge import shown_seed
from mlcourse.classroom.teaching.release import STATEMENT

SEED_FILE = "class_seed.json"  # in the class's folder: not to be handed out

CONFIG = f"""# An nbgrader course made by `mlcourse course`; see docs/teaching.md.
c = get_config()
c.CourseDirectory.course_id = "mlcourse"
# The stub that the course's own exercises have: they still run from top to bottom before they are filled in.
c.ClearSolutions.code_stub = {{"python": "{STUB}"}}
# A check stops an endless loop by itself; this stops one outside a check.
c.ExecutePreprocessor.timeout = 120
c.ExecutePreprocessor.interrupt_on_timeout = True
"""


def assignment_of(notebook):
    """The assignment that a notebook is: `lesson04` for 04_….ipynb."""
    return f"lesson{Path(notebook).name[:2]}"


def lay_course(folder, solutions=ROOT / "solutions", seed=None):
    """Make an nbgrader course in `folder`, one assignment a lesson; gives the assignments' names.

    seed   the class's own, kept in the folder for `mlcourse grade`: its notebooks show the numbers of another seed that
           follows from it, and marks try functions on draws that no notebook shows
    Raises CourseError where the folder already has a course: nothing of it is overwritten.
    """
    folder = Path(folder)
    if (folder / "nbgrader_config.py").exists():
        raise CourseError(
            f"{folder} already has an nbgrader_config.py: choose an empty folder, or remove that file first"
        )
    notebooks = sorted(Path(solutions).glob("[0-9]*.ipynb"))
    for notebook in notebooks:
        target = folder / "source" / assignment_of(notebook)
        target.mkdir(parents=True, exist_ok=True)
        if seed is None:
            shutil.copyfile(notebook, target / notebook.name)
        else:
            content = with_numbers_of(nbformat.read(notebook, as_version=4), int(notebook.name[:2]), shown_seed(seed))
            nbformat.write(content, target / notebook.name)
    if seed is not None:
        (folder / SEED_FILE).write_text(json.dumps({"seed": seed}), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    return [assignment_of(notebook) for notebook in notebooks]


def with_numbers_of(notebook, number, seed):
    """A solution's notebook with the numbers that another seed draws: statements, and the answers to choices."""
    problems = of_lesson(number)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.source = re.sub(
            rf"^(p = lesson\({number}), seed=\d+\)", rf"\1, seed={seed})", cell.source, flags=re.MULTILINE
        )
        cell.outputs = []
        shown = re.fullmatch(r'p\.show\("(\w+)"\)', cell.source.strip())
        if shown and STATEMENT in cell.metadata.get("tags", ()):
            words = problems[shown[1]].show(seed)
            data = {"text/markdown": words, "text/plain": words}
            count = cell.execution_count
            cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=count)]
        graded = cell.metadata.get("nbgrader", {})
        problem = problems.get(graded.get("grade_id")) if graded.get("solution") else None
        if isinstance(problem, ChoiceProblem):
            answer = f"### BEGIN SOLUTION\n{problem.name} = {problem.solution(seed)!r}\n### END SOLUTION"
            cell.source = re.sub(
                r"### BEGIN SOLUTION.*### END SOLUTION", lambda _, text=answer: text, cell.source, flags=re.DOTALL
            )
    return notebook


def class_seed(folder="."):
    """The seed that `mlcourse course --seed` left in a class's folder, None where there is none."""
    path = Path(folder) / SEED_FILE
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(f'{path} should hold the class\'s seed, {{"seed": 7}}, and holds something else') from error
