"""A real JupyterLab on a free port and a real browser, for the tests and the benchmark of the panels."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCREENSHOTS = ROOT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]


def find_browser():
    """Path of a Chromium or Chrome, or None."""
    return os.environ.get("MLCOURSE_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def jupyterlab(folder):
    """The address of a JupyterLab that serves `folder`, ended afterwards with all its kernels."""
    log = folder / "jupyterlab.log"
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        "--ip=127.0.0.1",
    ]
    command += [
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.expose_app_in_browser=True",
    ]
    with open(log, "wb") as file:
        server = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
    try:
        yield _address(server, log)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _address(server, log, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text(errors="replace"))
        if found:
            return found[0]
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')}")


@contextmanager
def browser_page(width=1280, height=900):
    """A page of a headless browser that reaches nothing but this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=QUIET)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.route(lambda url: not re.match(r"(http://127\.0\.0\.1[:/]|data:|blob:)", url), lambda route: route.abort())
        try:
            yield page
        finally:
            browser.close()


_OPEN = """async ([path, kernel]) => {
    const lab = window.jupyterapp;
    await lab.restored;
    for (const tab of [...lab.shell.widgets("main")]) {
        await tab.context?.sessionContext.shutdown();
        tab.dispose();
    }
    const kernelPreference = kernel ? {} : {canStart: false, shouldStart: false, autoStartDefault: false};
    const tab = await lab.commands.execute("docmanager:open", {path, kernelPreference});
    await tab.context.ready;
    return tab.content.widgets.length;
}"""


def open_notebook(page, address, path, kernel=True):
    """Open a notebook of the served folder in JupyterLab, and no other; wait for its cells, and for its kernel."""
    if not page.evaluate("'jupyterapp' in window"):
        page.goto(f"{address}&reset")
        page.wait_for_function("'jupyterapp' in window", timeout=60_000)
    cells = page.evaluate(_OPEN, [path, kernel])
    page.locator(".jp-Notebook .jp-Cell").nth(cells - 1).wait_for(state="attached", timeout=60_000)
    if kernel:
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)


_SCREEN = """async place => {
    const panel = document.querySelector(".jp-WindowedPanel-outer"), cells = [...panel.querySelectorAll(".jp-Cell")];
    const onScreen = () => {
        const {top, bottom} = panel.getBoundingClientRect();
        const seen = cells.filter(cell => {
            const box = cell.getBoundingClientRect();
            return box.bottom > top && box.top < bottom;
        });
        return seen.map(cell => cell.innerText).join("\\n");
    };
    for (let before = null, now = "", turn = 0; before !== now && turn < 20; turn++) {  // a cell is drawn once in view
        before = now;
        cells[place].scrollIntoView({block: "start"});
        await new Promise(done => setTimeout(done, 150));
        now = onScreen();
    }
    return onScreen();
}"""


def screen_from(page, place):
    """The text on the screen when the notebook's cell at `place` is at its top."""
    return page.evaluate(_SCREEN, place)


def hidden_outputs(page):
    """Places of the cells whose output is hidden behind a placeholder."""
    cells = page.locator(".jp-Notebook .jp-Cell:has(.jp-OutputPlaceholder)")
    return [int(place) for place in cells.evaluate_all("cells => cells.map(cell => cell.dataset.windowedListIndex)")]


def run_all(page, timeout=60):
    """Run > Run All Cells, as a learner does it, and wait until the kernel has rested for a second."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(".jp-InputArea-prompt", has_text=re.compile(r"\[\d+\]")).first.wait_for(timeout=1000 * timeout)
    deadline, rested = time.monotonic() + timeout, 0
    while rested < 10:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the notebook was still running after {timeout} s")
        page.wait_for_timeout(100)
        idle = page.get_by_text("Python 3 (ipykernel) | Idle").count() and not page.get_by_text("[*]:").count()
        rested = rested + 1 if idle else 0


class PanelOnPage:
    """One panel as the learner sees it: its picture, its sliders, its buttons.

    place   of the notebook's cell that shows it, counted from 0; None for the notebook's first
    """

    def __init__(self, page, place=None):
        self.page = page
        where = "" if place is None else f".jp-Cell[data-windowed-list-index='{place}'] "
        self.box = page.locator(f"{where}.jp-OutputArea-output .widget-vbox:has(> .widget-image)").first

    def bring_into_view(self):
        """Scroll from the top until the panel is there: the notebook draws only what is near the window."""
        area = self.page.locator(".jp-Notebook .jp-WindowedPanel-outer")
        for screen in range(200):
            if self.box.count():
                self.box.scroll_into_view_if_needed()
                self.box.locator(".widget-image").wait_for()
                return self
            area.evaluate("(element, top) => element.scrollTo(0, top)", 300 * screen)
            self.page.wait_for_timeout(100)
        raise AssertionError("the notebook shows no panel")

    def source(self):
        """The address of the picture on the screen: each new picture has another."""
        return self.box.locator(".widget-image").get_attribute("src")

    def wait_for_another(self, before, timeout=10_000):
        """Wait until the picture is another than `before`, and loaded."""
        self.box.locator(f".widget-image:not([src='{before}'])").wait_for(timeout=timeout)
        self.page.wait_for_function("image => image.complete", arg=self.box.locator(".widget-image").element_handle())
        return self.source()

    def slider(self, index=0):
        return self.box.locator(".noUi-handle").nth(index)

    def press(self, key, index=0):
        """Move a slider by keyboard; gives the address of the new picture."""
        before = self.source()
        self.slider(index).press(key)
        return self.wait_for_another(before)

    def drag(self, pixels, index=0, moves=20):
        """Move a slider by mouse; gives the address of the new picture."""
        before = self.source()
        handle = self.slider(index).bounding_box()
        x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + pixels, y, steps=moves)
        self.page.mouse.up()
        return self.wait_for_another(before)
