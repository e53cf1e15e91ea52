"""The panels in a real browser against a real JupyterLab: keyboard, mouse, play; pictures kept under build/."""

import os
import shutil

import nbformat
import pytest

from mlcourse.classroom.panels import PANELS
from tests.lab import ROOT, PanelOnPage, browser_page, find_browser, jupyterlab, open_notebook, run_all

SCREENSHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def page_and_address(tmp_path_factory):
    if find_browser() is None:
        missing = "no Chromium or Chrome found: the panels are not tried in a browser (Debian: apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name in PANELS:
        nbformat.write(notebook_of(name), folder / f"{name.replace(' ', '_')}.ipynb")
    nbformat.write(notebook_of("time line"), folder / "player.ipynb")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with jupyterlab(folder) as address, browser_page() as page:
        yield page, address


def notebook_of(name):
    """A notebook with one panel and nothing else."""
    source = f"from mlcourse.classroom.panels import PANELS\nPANELS[{name!r}]()"
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source)], metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_moves_by_keyboard_and_mouse(page_and_address, name):
    page, address = page_and_address
    open_notebook(page, address, f"{name.replace(' ', '_')}.ipynb")
    run_all(page)
    panel = PanelOnPage(page).bring_into_view()
    first = panel.source()
    assert panel.press("ArrowRight") != first
    panel.drag(120)
    page.screenshot(path=SCREENSHOTS / f"{name.replace(' ', '_')}.png")
    before = panel.source()
    panel.box.get_by_role("button", name="Reset").click()
    panel.wait_for_another(before)


@pytest.mark.parametrize("lesson", ["00", "04"])
def test_a_lesson_runs_from_top_to_bottom_and_its_panel_answers(page_and_address, lesson):
    page, address = page_and_address
    path = next((ROOT / "notebooks").glob(f"{lesson}_*.ipynb"))
    open_notebook(page, address, f"notebooks/{path.name}")
    run_all(page)
    panel = PanelOnPage(page).bring_into_view()
    panel.press("ArrowRight")
    panel.drag(100)
    page.screenshot(path=SCREENSHOTS / f"lesson_{lesson}.png")
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_the_player_plays(page_and_address):
    page, address = page_and_address
    open_notebook(page, address, "player.ipynb")
    run_all(page)
    panel = PanelOnPage(page).bring_into_view()
    panel.box.locator("select").select_option(index=2)  # the fastest
    seen = [panel.source()]
    panel.box.locator(".widget-play button").first.click()
    for _ in range(3):
        seen.append(panel.wait_for_another(seen[-1]))
    panel.box.locator(".widget-play button").first.click()
    assert len(set(seen)) == 4
