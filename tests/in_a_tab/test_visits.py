"""Visits to the course's site in a real browser, with no Python near it: the start page, and exercise 04 to its end."""

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

from tests.in_a_tab.exercise import EXERCISE, answers, checks
from tests.lab import QUIET, SCREENSHOTS, PanelOnPage
from tests.tab import Tab, complaints, port_of, printed, served


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
