"""What a browser keeps of a visit to the course's site: once closed, in two tabs, over a new version; or not."""

import json
import re
import shutil
from pathlib import Path

import pytest

from mlcourse.classroom.site.build import MARK, written_hash
from mlcourse.classroom.tab import KEEPS_NOTHING
from tests.in_a_tab.exercise import EXERCISE, answers
from tests.lab import SCREENSHOTS
from tests.tab import Tab, port_of, served


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
