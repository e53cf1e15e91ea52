"""The course's site in a real browser, with no Python near it: every lesson and panel, exercise 04, and what is kept.

Python for the browser comes from the folder that MLCOURSE_PYODIDE names, or ../shared/data/pyodide. Pictures are kept
under build/.
"""

import os
import re
from pathlib import Path

import pytest

from mlcourse.classroom.site import build_site
from tests.lab import ROOT, PanelOnPage, find_browser
from tests.tab import Tab, browser, complaints, find_pyodide, printed, served
from tests.tested import cells, notebooks_in

LESSONS = notebooks_in("notebooks")
EXERCISE = "exercises/04_the_meta_gradient_by_hand.ipynb"
SCREENSHOTS = ROOT / "build" / "screenshots"
CHECK = re.compile(r'p\.check\("(\w+)", (\w+)\)')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of a site that was built here."""
    missing = [
        sentence
        for sentence, there in (
            ("no Chromium or Chrome found (Debian: apt install chromium)", find_browser()),
            ("no Pyodide found: MLCOURSE_PYODIDE names the folder of a release 0.27", find_pyodide()),
        )
        if not there
    ]
    if missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("; ".join(missing))
    folder = tmp_path_factory.mktemp("course") / "site"
    build_site(folder, find_pyodide(), as_they_are=bool(os.environ.get("MLCOURSE_TEST_WORKING_COPY")))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def opened(site, tmp_path_factory):
    """(browser, Served): one browser for the tests that leave nothing behind that another looks at."""
    with served(site) as there, browser(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium, there


@pytest.fixture
def tab(opened):
    chromium, there = opened
    made = Tab(chromium, there.address)
    yield made
    assert made.outside == []
    made.page.close()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_from_top_to_bottom_says_what_is_stored_and_its_panel_moves(tab, path):
    tab.open(f"notebooks/{path.name}").run_all()
    ran = tab.notebook()["cells"]
    assert complaints(ran) == []
    for place, (here, stored) in enumerate(zip(ran, cells(path), strict=True)):
        if "nbval-check-output" in stored.metadata.get("tags", []):
            assert printed(here) == printed(stored), place
    panel = PanelOnPage(tab.page).bring_into_view()
    first = panel.source()
    assert panel.press("ArrowRight") != first
    panel.drag(100)
    tab.page.screenshot(path=SCREENSHOTS / f"tab_{path.name[:2]}.png")


def test_the_start_page_opens_lesson_00(opened):
    chromium, there = opened
    page = chromium.new_page()
    page.goto(there.address)
    page.get_by_role("link", name="Begin").click()
    page.get_by_role("heading", name="00 · Start here").wait_for(timeout=60_000)
    page.close()


def test_exercise_04_is_solved_to_its_end_and_what_went_wrong_on_the_way_is_named(tab):
    tab.open(EXERCISE).run_all()
    ran = tab.notebook()["cells"]
    assert complaints(ran) == []
    assert all("not attempted" in printed(ran[place]).lower() for place in answers())
    place = min(answers())
    tab.write(place - 1, FOMAML)
    tab.run_all()
    assert "first-order gradient" in printed(tab.notebook()["cells"][place])
    tab.write(place - 1, ENDLESS)
    tab.run_all()
    assert "still running after" in printed(tab.notebook()["cells"][place])
    for place, source in answers().items():
        tab.write(place - 1, source)
    tab.run_all()
    ran = tab.notebook()["cells"]
    assert complaints(ran) == []
    assert all(printed(ran[place]).startswith("✓") for place in answers()), [printed(ran[place]) for place in answers()]
    tab.page.screenshot(path=SCREENSHOTS / "tab_exercise_04.png")


FOMAML = """
def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):
    return grad_q(theta - alpha * grad_s(theta))
"""
ENDLESS = """
def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):
    while True:
        pass
"""


def answers():
    """{place of a check in exercise 04: the solution that belongs above it}."""
    solved = cells(next(path for path in notebooks_in("solutions") if path.name == Path(EXERCISE).name))
    places = [place for place, cell in enumerate(solved) if CHECK.match(cell.source)]
    return {place: re.sub(r"(?m)^ *### (BEGIN|END) SOLUTION\n?", "", solved[place - 1].source) for place in places}
