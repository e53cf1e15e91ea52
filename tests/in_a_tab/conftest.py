"""The site, built once a worker, and a browser that has it open.

Python for the browser comes from the folder that MLCOURSE_PYODIDE names, or ../shared/data/pyodide; it is "none"
where there is none. Pictures are kept under build/.
"""

import os

import pytest

from mlcourse.classroom.site import build_site
from tests.lab import SCREENSHOTS, find_browser
from tests.tab import Tab, browsers, find_pyodide, served

pytest.register_assert_rewrite("tests.in_a_tab.lessons")


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="module")
def lab(opened):
    """A Tab in which one notebook is opened after the other."""
    chromium, there = opened
    return Tab(chromium, there.address)
