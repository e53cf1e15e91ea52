"""Every committed notebook as its reader meets it: outputs, no warnings, no paths, claims held by the tests."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
ALL = [*LESSONS, *sorted((ROOT / "solutions").glob("[0-9]*.ipynb"))]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")


def cells(path, kind=None):
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if kind in (None, cell.cell_type)]


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
    assert "widgets" not in nbformat.read(path, as_version=4).metadata


@each_notebook
def test_it_says_in_one_sentence_what_to_do_when_the_kernel_lacks_the_package(path):
    assert "This kernel does not have the course's package" in cells(path, "code")[0].source


@each_lesson
def test_claims_are_held_by_the_tests_and_do_not_hang_on_the_learners_guess(path):
    held = [cell for cell in cells(path, "code") if "nbval-check-output" in cell.metadata.get("tags", ())]
    assert len(held) >= 2
    for cell in held:
        assert "reveal(" not in cell.source
        assert all(output.output_type == "stream" or "image/png" not in output.data for output in cell.outputs)


@each_lesson
def test_a_cell_shows_the_idea_and_not_the_plumbing(path):
    for cell in cells(path, "code"):
        if not cell.source.startswith(("import ", "from ")):
            assert len(cell.source.splitlines()) <= 20, cell.source


@each_lesson
def test_links_lead_somewhere(path):
    for cell in cells(path, "markdown"):
        for target in re.findall(r"\]\(([^)#]+\.(?:ipynb|md|py))\)", cell.source):
            assert (path.parent / target).exists(), target


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

    page, _ = HTMLExporter().from_filename(str(path))
    for output in panel_outputs(path):
        assert output.data["image/png"].strip()[:200] in page.replace("\n", "")
