"""Visits to the course's site in a real browser, with no Python near it: exercise 04, and what is kept."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlcourse.classroom.site.build import MARK, written_hash
from mlcourse.classroom.tab import KEEPS_NOTHING
from tests.lab import QUIET, SCREENSHOTS, PanelOnPage
from tests.tab import Tab, complaints, printed, served
from tests.tested import cells, notebooks_in

EXERCISE = "exercises/04_the_meta_gradient_by_hand.ipynb"
CHECK = re.compile(r'p\.check\("(\w+)", (\w+)\)')


def test_a_copied_folder_served_by_its_own_server_begins_with_lesson_00_and_its_time_line_moves(
    site, open_browser, tmp_path
):
    folder = shutil.copytree(site, tmp_path / "stick")
    with served_by_itself(folder) as address, open_browser(tmp_path / "profile") as chromium:
        tab = Tab(chromium, address)
        tab.page.goto(address)
        tab.page.get_by_role("link", name="Begin").click()
        tab.page.get_by_role("heading", name="00 · Start here").wait_for(timeout=60_000)
        tab.wait_for_kernel()
        tab.run_all()
        panel = PanelOnPage(tab.page).bring_into_view()
        first = panel.source()
        assert panel.press("ArrowRight") != first
        assert tab.outside == tab.failed == []


def test_the_start_page_says_where_nothing_is_kept_and_what_to_do_where_nothing_runs(site, open_browser, tmp_path):
    named = [*QUIET, "--host-resolver-rules=MAP plain.test 127.0.0.1"]
    with served(site) as there, open_browser(tmp_path, args=named, viewport={"width": 360, "height": 740}) as chromium:
        page = chromium.new_page()
        said = {}
        for address in (there.address, f"http://plain.test:{port_of(there)}/", (site / "index.html").as_uri()):
            page.goto(address)
            said[address] = page.inner_text("body")
            assert page.evaluate("document.documentElement.scrollWidth") == 360
        here, plain, file = said.values()
        assert "is kept in this browser" in here and "keeps nothing" not in here
        assert "over that a browser keeps nothing" in plain and "is kept in this browser" not in plain
        assert "python3 serve.py" in file and page.locator("a[href]").count() == 0


@contextmanager
def served_by_itself(folder):
    """The address of a site whose own serve.py runs, by a Python that has nothing but its standard library."""
    command = [sys.executable, "-I", "-S", "serve.py", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield re.search(r"http://\S+", server.stdout.readline())[0]
        finally:
            server.terminate()


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
    assert tab.execute(OF_MY_OWN) == "42\n"
    said = tab.execute(CLUMSY).splitlines()
    assert [word in line for word, line in zip(WORDS, said, strict=True)] == [True] * len(WORDS), said


REMEMBERED = """
from datetime import date, timedelta
from mlcourse.classroom.learner import practice
for task in practice.due(practice.read(), date.today() + timedelta(days=30)):
    print(task.problem.name, task.seed)
"""
OF_MY_OWN = """
import importlib
from pathlib import Path
Path("of_my_own.py").write_text("answer = 42")
importlib.invalidate_caches()  # a folder there does not say when it changed
from of_my_own import answer
print(answer)
"""
CLUMSY = """
import asyncio, os, numpy as np
from mlcourse.classroom import lesson

class Endless:
    def __init__(self):
        self.next = Endless()

async def later():
    while True:
        await asyncio.sleep(0)

def meddle(hessian, alpha):
    os.chdir("/")
    os.environ.clear()
    np.eye = None
    return hessian

for work in (Endless, lambda: asyncio.run(later()), exit):
    print(lesson(4).check("jacobian", lambda hessian, alpha: work()).message)
lesson(4).check("jacobian", meddle)
right = lesson(4).check("jacobian", lambda hessian, alpha: np.eye(len(hessian)) - alpha * hessian)
print(os.getcwd(), len(os.environ) > 0, right.outcome)
"""
WORDS = ("RecursionError", "asyncio cannot be used", "ended the program", "/drive/exercises True correct")
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
        for place, source in answers().items():
            tabs[0].write(place - 1, source)
        tabs[0].begin(MANY_CHECKS.format(first=0))
        tabs[1].execute(MANY_CHECKS.format(first=100))
        tabs[0].run_all()
        tabs[0].wait_until_saved()
    with served(site, port_of(there)) as there, open_browser(tmp_path) as chromium:
        tab = Tab(chromium, there.address).open(EXERCISE)
        found = tab.notebook()["cells"]
        assert all(found[place - 1]["source"] == source for place, source in answers().items())
        said = tab.execute("from mlcourse.classroom import progress; print(progress())")
        assert re.search(r"\| 04 .*\| 10/", said), said
        assert int(tab.execute(COUNT_CHECKS)) == 2 * 20 + len(answers())


MANY_CHECKS = """
from mlcourse.classroom import lesson
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
                tab.page.get_by_text(re.compile(r"What you wrote is in .*\.ipynb$")).first.wait_for(timeout=30_000)
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
        tab.execute("from mlcourse.classroom import lesson; lesson(4).check('sign_flip_alpha', 1.0)")
        assert tab.execute(COUNT_CHECKS) == "1\n"
        tab.write(1, "from mlcourse.classroom import export_progress; export_progress('mine.json')")
        tab.run_cell(1)
        dialog = tab.page.locator(".jp-Dialog")  # says that the notebook was not saved
        tab.page.add_locator_handler(dialog, lambda shown: shown.get_by_role("button", name="Close").click())
        with tab.page.expect_download(timeout=60_000) as downloading:
            tab.page.get_by_role("link", name="Download mine.json").click(timeout=60_000)
        assert "sign_flip_alpha" in Path(downloading.value.path()).read_text()


def test_storage_that_fills_in_mid_visit_is_said_once_and_nothing_hangs(site, open_browser, tmp_path):
    with served(site) as there, open_browser(tmp_path) as chromium:
        tab = Tab(chromium, there.address).open(EXERCISE)
        tab.execute(MANY_CHECKS.format(first=0))
        tab.page.evaluate(FILL)
        tab.execute(MANY_CHECKS.format(first=20))
        assert tab.execute(COUNT_CHECKS) == "40\n"
        tab.page.get_by_text(re.compile(r"nothing is kept from here on.*writes\.$")).wait_for(timeout=30_000)
        tab.write(2, "# mine")
        with pytest.raises(Exception, match="QuotaExceededError"):
            tab.save()
        assert tab.page.locator(".Toastify__toast").count() == 1
        tab.page.screenshot(path=SCREENSHOTS / "tab_full.png")
    with served(site, port_of(there)) as there, open_browser(tmp_path) as chromium:
        assert Tab(chromium, there.address).open(EXERCISE).execute(COUNT_CHECKS) == "20\n"


FILL = """() => { IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); }; }"""
COUNT_CHECKS = "from mlcourse.classroom.learner import progress; print(len(progress.checks()))"


def port_of(there):
    return int(there.address.rstrip("/").rsplit(":", 1)[1])
