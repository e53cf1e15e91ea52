"""The course's site in a real browser, with no Python near it: every lesson and panel, exercise 04, and what is kept.

Python for the browser comes from the folder that MLCOURSE_PYODIDE names, or ../shared/data/pyodide; it is "none"
where there is none. Pictures are kept under build/.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from mlcourse.classroom.site import build_site
from mlcourse.classroom.site.build import MARK, written_hash
from mlcourse.classroom.tab import KEEPS_NOTHING
from tests.lab import ROOT, PanelOnPage, find_browser
from tests.tab import Tab, browsers, complaints, find_pyodide, printed, served
from tests.tested import cells, notebooks_in

LESSONS = notebooks_in("notebooks")
EXERCISE = "exercises/04_the_meta_gradient_by_hand.ipynb"
SCREENSHOTS = ROOT / "build" / "screenshots"
CHECK = re.compile(r'p\.check\("(\w+)", (\w+)\)')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of a site that was built here."""
    if os.environ.get("MLCOURSE_PYODIDE") == "none":
        pytest.skip("MLCOURSE_PYODIDE is none: there is no Python for the browser here")
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
def open_browser(site):
    with browsers() as opening:
        yield opening


@pytest.fixture(scope="module")
def opened(site, open_browser, tmp_path_factory):
    """(browser, Served): one browser for the tests that leave nothing behind that another looks at."""
    with served(site) as there, open_browser(tmp_path_factory.mktemp("profile")) as chromium:
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
    ran, stored = tab.notebook()["cells"], cells(path)
    assert complaints(ran) == []
    draws = any("Glyphs" in cell.source for cell in stored)
    for place, (here, there) in enumerate(zip(ran, stored, strict=True)):
        if "nbval-check-output" in there.metadata.get("tags", []):
            alike = nearly_the_same if draws else str.__eq__
            assert alike(printed(here), printed(there)), (place, printed(here), printed(there))
    if path.name[:2] in ("06", "07", "08"):  # those that train longest
        assert any(re.match(r"takes about \d+ s in a tab", said) for said in tab.bars())
    panel = PanelOnPage(tab.page).bring_into_view()
    first = panel.source()
    assert panel.press("ArrowRight") != first
    panel.drag(100)
    tab.page.screenshot(path=SCREENSHOTS / f"tab_{path.name[:2]}.png")


def nearly_the_same(one, other):
    """Whether two texts differ in shares by 0.05 at most: another matplotlib draws other letters."""
    number = r"[-+]?\d+\.\d+"
    if re.sub(number, "", one).split() != re.sub(number, "", other).split():
        return False
    pairs = zip(re.findall(number, one), re.findall(number, other), strict=True)
    return all(abs(float(here) - float(there)) <= 0.05 for here, there in pairs)


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
    assert all("not attempted" in printed(ran[place]).lower() for place, _ in checks(ran))
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
    assert all(printed(ran[place]).startswith(f"{name} — ✓") for place, name in checks(ran)), ran
    tab.page.screenshot(path=SCREENSHOTS / "tab_exercise_04.png")
    tab.write(place + 1, REMEMBERED)
    tab.run_all()
    assert printed(tab.notebook()["cells"][place + 1]).count("meta_gradient 1") == 1


REMEMBERED = """
from datetime import date, timedelta
from mlcourse.classroom.learner import practice
for task in practice.due(practice.read(), date.today() + timedelta(days=30)):
    print(task.problem.name, task.seed)
"""
FOMAML = """
def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):
    return grad_q(theta - alpha * grad_s(theta))
"""
ENDLESS = """
def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):
    while True:
        pass
"""


def checks(notebook):
    """(place, problem) of each check among a notebook's cells."""
    found = [(place, CHECK.match(cell["source"])) for place, cell in enumerate(notebook)]
    return [(place, match[1]) for place, match in found if match]


def answers():
    """{place of a check in exercise 04: the solution that belongs above it}."""
    solved = cells(next(path for path in notebooks_in("solutions") if path.name == Path(EXERCISE).name))
    return {
        place: re.sub(r"(?m)^ *### (BEGIN|END) SOLUTION\n?", "", solved[place - 1].source)
        for place, _ in checks(solved)
    }


def test_a_closed_and_opened_browser_finds_all_again_and_two_tabs_lose_nothing_of_each_other(
    site, open_browser, tmp_path
):
    with served(site) as there, open_browser(tmp_path) as chromium:
        tabs = [Tab(chromium, there.address).open(EXERCISE) for _ in range(2)]
        for tab in tabs:
            tab.execute("from mlcourse.classroom import lesson")
        for place, source in answers().items():
            tabs[0].write(place - 1, source)
        tabs[0].begin(MANY_CHECKS.format(first=0))
        tabs[1].execute(MANY_CHECKS.format(first=100))
        tabs[0].run_all()
        tabs[0].wait_until_saved()
        address = there.address
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    with served(site, port) as there, open_browser(tmp_path) as chromium:
        tab = Tab(chromium, there.address).open(EXERCISE)
        found = tab.notebook()["cells"]
        assert all(found[place - 1]["source"] == source for place, source in answers().items())
        said = tab.execute("from mlcourse.classroom import progress; print(progress())")
        assert re.search(r"\| 04 .*\| 10/", said), said
        kept = tab.execute("from mlcourse.classroom.learner import progress; print(len(progress.checks()))")
        assert int(kept) == 2 * 20 + len(answers())


MANY_CHECKS = """
for seed in range({first}, {first} + 20):
    lesson(4, seed).check("sign_flip_alpha", 1.0)
"""


def test_a_new_version_of_the_site_keeps_what_was_written_and_shows_what_is_new(site, open_browser, tmp_path):
    newer, profile = tmp_path / "site", tmp_path / "profile"
    shutil.copytree(site, newer)
    ran, both, mine = "notebooks/00_start_here.ipynb", EXERCISE, "exercises/03_the_inner_loop.ipynb"
    with served(newer) as there, open_browser(profile) as chromium:
        for name in (ran, both, mine):
            tab = Tab(chromium, there.address).open(name, kernel=False)
            if name != ran:
                tab.write(2, "# mine")
            tab.save()
            tab.page.close()
        for name in (ran, both):
            publish_again(newer, name)
        seen = {}
        for name in (ran, both, mine):
            tab = Tab(chromium, there.address).open(name, kernel=False)
            seen[name] = tab.notebook()["cells"]
            if name == ran:
                tab.page.get_by_text("Yours is kept beside it as").first.wait_for(timeout=30_000)
                kept = [name for name in tab.files("exercises") if ".kept-" in name]
            tab.page.close()
        assert [seen[name][0]["source"].startswith("New.") for name in (ran, both, mine)] == [True, True, False]
        assert [seen[name][2]["source"] == "# mine" for name in (ran, both, mine)] == [False, False, True]
        assert len(kept) == 1 and kept[0].startswith(Path(both).stem)
        tab = Tab(chromium, there.address).open(f"exercises/{kept[0]}", kernel=False)
        assert tab.notebook()["cells"][2]["source"] == "# mine"


def publish_again(folder, name):
    """Another text for a notebook of a built site."""
    path, mark = folder / "files" / name, folder / MARK
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = "New. " + notebook["cells"][0]["source"]
    path.write_text(json.dumps(notebook))
    described = json.loads(mark.read_text())
    described["files"][name] = written_hash(notebook)
    mark.write_text(json.dumps(described))


REFUSED = """
const refuse = () => { throw new DOMException("forbidden", "SecurityError"); };
"""
NO_STORAGE = 'for (const name of ["indexedDB", "localStorage"]) Object.defineProperty(window, name, {get: refuse});'
NO_SERVICE_WORKER = "navigator.serviceWorker.register = async () => refuse();"


@pytest.mark.parametrize("why", ["no service worker", "no storage", "full"])
def test_a_browser_that_keeps_nothing_says_so_in_the_first_cell(site, open_browser, tmp_path, why):
    with served(site) as there, open_browser(tmp_path) as chromium:
        tab = Tab(chromium, there.address)
        if why == "full":
            tab.fill_storage()
        else:
            tab.page.add_init_script(REFUSED + (NO_STORAGE if why == "no storage" else NO_SERVICE_WORKER))
        tab.open(EXERCISE)
        assert KEEPS_NOTHING in tab.execute("from mlcourse.classroom import start_lesson; start_lesson(4)")
