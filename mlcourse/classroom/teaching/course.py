"""A class: lay the solutions out as an nbgrader course, so that the same files are released, collected and marked."""

import shutil
from pathlib import Path

from mlcourse.classroom.learner.exercises import ROOT, CourseError
from mlcourse.classroom.learner.notebook import STUB

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


def lay_course(folder, solutions=ROOT / "solutions"):
    """Make an nbgrader course in `folder`, one assignment a lesson; gives the assignments' names.

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
        shutil.copyfile(notebook, target / notebook.name)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    return [assignment_of(notebook) for notebook in notebooks]
