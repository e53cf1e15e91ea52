"""Lessons and panels in a browser against a real JupyterLab: answers hidden until their cells run; keyboard, mouse,
and play. Pictures are kept under build/."""

import os
import shutil

import nbformat
import pytest

from mlcourse.classroom.panels import PANELS
from tests.lab import (
    SCREENSHOTS,
    PanelOnPage,
    browser_page,
    find_browser,
    hidden_outputs,
    jupyterlab,
    open_notebook,
    run_all,
    screen_from,
)
from tests.predictions import is_hidden, numbers_revealed, reveals, slots, states
from tests.tested import cells, course_copy, notebooks_in

LESSONS = notebooks_in("notebooks")
RUN = [path for path in LESSONS if path.name[:2] in ("00", "04")]  # the others run in the tests of the notebooks
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def page_and_address(tmp_path_factory):
    if find_browser() is None:
        missing = "no Chromium or Chrome found: the panels are not tried in a browser (Debian: apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    for path in LESSONS:
        shutil.copyfile(course_copy(path), folder / "notebooks" / path.name)
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


@each_lesson
def test_no_answer_is_on_the_screen_until_its_cell_has_run(page_and_address, path):
    page, address = page_and_address
    everything = cells(path)
    open_notebook(page, address, f"notebooks/{path.name}", kernel=path in RUN)
    slot_of = dict(slots(everything))
    for name, place in reveals(everything):
        seen = screen_from(page, slot_of[name])
        assert f"{name} = None" in seen
        assert not [number for number in numbers_revealed(everything[place]) if states(seen, number)], seen
    assert hidden_outputs(page) == [place for place, cell in enumerate(everything) if is_hidden(cell)]
    if path in RUN:
        run_all(page)
        assert hidden_outputs(page) == []
        panel = PanelOnPage(page).bring_into_view()
        panel.press("ArrowRight")
        panel.drag(100)
        page.screenshot(path=SCREENSHOTS / f"lesson_{path.name[:2]}.png")
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


def test_one_shot_episodes_are_answered_by_click_and_by_key(page_and_address):
    page, address = page_and_address
    open_notebook(page, address, "one_shot.ipynb")
    run_all(page)
    panel = PanelOnPage(page).bring_into_view()
    before = panel.source()
    panel.box.get_by_role("button", name="b", exact=True).click()
    before = panel.wait_for_another(before)
    for letter in "ce":
        panel.box.get_by_label("or type its letter").press(letter)
        before = panel.wait_for_another(before)
    panel.box.get_by_role("button", name="a", exact=True).press("Space")
    panel.wait_for_another(before)
    panel.box.get_by_text("Answered at 5 ways: 4.").wait_for()
    page.screenshot(path=SCREENSHOTS / "one_shot_answered.png")
