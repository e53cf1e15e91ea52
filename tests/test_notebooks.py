"""Every committed notebook as its reader meets it: outputs, no warnings, no paths, claims held by the tests; gaps that
take their solutions; predictions made before their answers are seen."""

import ast
import re
import subprocess
import sys
from collections import Counter

import nbformat
import pytest

from mlcourse.classroom.judging import FunctionProblem, NumberProblem
from mlcourse.classroom.learner.notebook import STUB
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.execute import ANSWER, own_progress, run
from tests.gaps import CHECK, filled, gaps
from tests.predictions import is_hidden, numbers_revealed, reveals, slots, states, text_before_it_runs
from tests.tested import ROOT, cells, course_copy, notebook_of, notebooks_in

LESSONS = notebooks_in("notebooks")
ALL = [*LESSONS, *notebooks_in("solutions")]
WITH_GAPS = [path for path in LESSONS if int(path.name[:2]) in lessons()]
BELOW = 4  # cells below an answer that are on the screen with it
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
each_with_gaps = pytest.mark.parametrize("path", WITH_GAPS, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")


def outputs(path):
    return [output for cell in cells(path, "code") for output in cell.outputs]


@each_notebook
def test_it_was_executed_in_order_from_a_fresh_kernel(path):
    counts = [cell.execution_count for cell in cells(path, "code") if cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_its_outputs_hold_no_error_no_warning_no_path_and_no_stale_widget(path):
    for output in outputs(path):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        text = str({key: value for key, value in output.get("data", {}).items() if "image" not in key})
        assert not re.search(r"/(home|root|work|tmp|Users)/\w", text + output.get("text", ""))
    assert "widgets" not in notebook_of(path).metadata


@each_notebook
def test_it_says_in_one_sentence_what_to_do_when_the_kernel_lacks_the_package(path):
    assert "This kernel does not have the course's package" in cells(path, "code")[0].source


@each_notebook
@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids=["linted", "formatted"])
def test_its_code_is_clean(path, words):
    name = path.relative_to(ROOT).as_posix()
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, "--stdin-filename", name, "-"],
        input=course_copy(path).read_bytes(),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout.decode()}{done.stderr.decode()}\n`ruff format {name}` formats it."


@each_lesson
def test_claims_are_held_by_the_tests_and_do_not_hang_on_what_the_learner_writes(path):
    held = [cell for cell in cells(path, "code") if "nbval-check-output" in cell.metadata.get("tags", ())]
    assert len(held) >= 2
    for cell in held:
        assert not re.search(r"\breveal\(|\bp\.(check|use)\(", cell.source)
        assert all(output.output_type == "stream" or "image/png" not in output.data for output in cell.outputs)


@each_lesson
def test_it_is_one_sitting(path):
    assert len(cells(path)) <= 45


@each_lesson
def test_a_cell_shows_the_idea_and_not_the_plumbing(path):
    for cell in cells(path, "code"):
        imports = cell.source.startswith(("import ", "from "))
        assert len(cell.source.splitlines()) <= (25 if imports else 20), cell.source


@each_lesson
def test_links_lead_somewhere(path):
    for cell in cells(path, "markdown"):
        for target in re.findall(r"\]\(([^)#]+\.(?:ipynb|md|py))\)", cell.source):
            assert (path.parent / target).exists(), target


@each_lesson
def test_it_ends_with_what_comes_next(path):
    last = cells(path)[-1]
    assert last.cell_type == "markdown" and "**Next:**" in last.source


def minutes_in_a_table(text):
    """number of the lesson -> minutes, from rows such as `| [01 Task distributions](….ipynb) | 45 | … |`."""
    rows = [
        [entry.strip(" []") for entry in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")
    ]
    return {
        row[0][:2]: int(entry) for row in rows if re.match(r"\d\d ", row[0]) for entry in row[1:] if entry.isdigit()
    }


@each_lesson
def test_its_minutes_are_those_of_the_readme_and_of_lesson_00(path):
    said = int(re.search(r"\*\*Time\*\* (\d+) min", cells(path)[0].source)[1])
    start = "\n".join(cell.source for cell in cells(LESSONS[0], "markdown"))
    for table in ((ROOT / "README.md").read_text(), start):
        assert minutes_in_a_table(table)[path.stem[:2]] == said <= 60


# gaps


@each_with_gaps
def test_the_first_line_of_code_is_written_early_and_there_are_two_to_four(path):
    found = gaps(cells(path))
    assert 2 <= len(found) <= 4
    assert found[0].place <= len(cells(path)) / 3


@each_with_gaps
def test_a_gap_is_one_statement_with_its_check_below_and_its_use_after(path):
    number = int(path.name[:2])
    found = gaps(cells(path))
    source = "\n\n".join(cell.source for cell in cells(path, "code"))
    bound = Counter(_bound_at_the_top(ast.parse(source)))
    for gap in found:
        match = CHECK.fullmatch(gap.check)
        assert match and match[1] == match[2], f'below a gap stands p.check("name", name) and nothing else: {gap.check}'
        tree = ast.parse(cells(path)[gap.place].source)
        assert len(tree.body) == 1 and list(_bound_at_the_top(tree)) == [gap.name]
        assert bound[gap.name] == 1, f"{gap.name} is the learner's: bind what p.use gives to another name"
        assert f'p.use("{gap.name}", {gap.name})' in "\n".join(c.source for c in cells(path)[gap.check_place :])
        problem = of_lesson(number)[gap.name]
        assert problem.points == 1 and isinstance(problem, (FunctionProblem, NumberProblem))
    assert {gap.name for gap in found} == {name for name, p in of_lesson(number).items() if p.place == "lesson"}


def _bound_at_the_top(tree):
    """The names that the top level of a notebook's code binds, once for each time."""
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield statement.name
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name) for alias in statement.names)
        else:
            yield from (n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


@each_with_gaps
def test_an_open_gap_is_not_attempted_and_the_courses_own_stands_in(path):
    for gap in gaps(cells(path)):
        (verdict,) = cells(path)[gap.check_place].outputs
        assert "Not attempted" in verdict.data["text/plain"]
    said = "".join(output.get("text", "") for output in outputs(path))
    assert "stands in until yours is written." in said
    assert "This uses your own" not in said and "until yours is right" not in said


@each_with_gaps
def test_every_gap_takes_its_solution_and_what_follows_is_drawn_with_it(path):
    found = gaps(cells(path))
    notebook = nbformat.v4.new_notebook(cells=filled(cells(path), int(path.name[:2])))
    with own_progress():
        run(notebook, path.parent)
    said = "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )
    for gap in found:
        assert f"{gap.name} — ✓ Correct" in said
        assert f"This uses your own `{gap.name}`." in said
    assert STUB not in said and "stands in until" not in said


# predictions


@each_lesson
def test_every_prediction_has_one_slot_and_one_answer(path):
    asked = sum("**Predict.**" in cell.source for cell in cells(path, "markdown"))
    slot_of, answer_of = dict(slots(cells(path))), dict(reveals(cells(path)))
    assert len(slots(cells(path))) == len(reveals(cells(path))) == asked > 0
    assert slot_of.keys() == answer_of.keys() and len(slot_of) == asked
    for name, place in slot_of.items():
        assert re.fullmatch(r"guess_\w+ = None  # .+", cells(path)[place].source)
        assert place < answer_of[name]


@each_lesson
def test_an_answer_is_hidden_until_its_cell_runs_and_nothing_else_is(path):
    for cell in cells(path, "code"):
        assert is_hidden(cell) == ("reveal(" in cell.source or ANSWER in cell.metadata.get("tags", ())), cell.source
        if "reveal(" in cell.source:
            assert cell.outputs[0].get("text", "").startswith("Your prediction and the measurement:\n"), cell.source


@each_lesson
def test_no_answer_can_be_read_near_its_question_before_its_cell_has_run(path):
    slot_of = dict(slots(cells(path)))
    for name, place in reveals(cells(path)):
        near = cells(path)[slot_of[name] - 1 : place + BELOW + 1]
        for number in numbers_revealed(cells(path)[place]):
            for text in map(text_before_it_runs, near):
                assert not states(text, number), f"{name}: {number} can be read before it was guessed, in\n{text}"


# panels


def panel_outputs(path):
    """The outputs of the cells that show a panel."""
    return [
        output
        for cell in cells(path, "code")
        if "PANELS[" in cell.source
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]


@each_lesson
def test_a_panel_has_its_picture_and_a_line_of_text_where_no_kernel_runs(path):
    shown = panel_outputs(path)
    assert shown
    for output in shown:
        assert output.data["text/plain"].strip()


@each_lesson
def test_the_html_export_shows_every_panels_picture(path):
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_filename(str(course_copy(path)))
    for output in panel_outputs(path):
        assert output.data["image/png"].strip()[:200] in page.replace("\n", "")
