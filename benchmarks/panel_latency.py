"""Key press to new picture in a real browser, panel by panel, beside the same panel redrawing its whole figure.

python -m benchmarks.panel_latency [panel …]. Goal: 95th percentile at most 60 ms on two idle cores, and at most 0.6 of
the whole-figure panel's in the same run.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np

from mlcourse.classroom.panels import PANELS
from mlcourse.classroom.panels import panel as mechanism
from tests.lab import ROOT, PanelOnPage, browser_page, find_browser, jupyterlab, open_notebook, run_all

MOVES = 40
GOAL_MS, GOAL_RATIO = 60, 0.6

# Resolves with the milliseconds from the key's arrival in the page to the frame after the new picture was decoded.
MEASURE = """
image => new Promise(resolve => {
    let pressed = null;
    const key = () => { pressed ??= performance.now(); };
    document.addEventListener("keydown", key, {capture: true, once: true});
    const observer = new MutationObserver(async () => {
        if (pressed === null) return;
        observer.disconnect();
        await image.decode().catch(() => {});
        requestAnimationFrame(() => resolve(performance.now() - pressed));
    });
    observer.observe(image, {attributes: true, attributeFilter: ["src"]});
    window.measuring = true;
})
"""


class WholeFigure:
    """Stands in for Frame: every move makes a new figure and draws all of it."""

    def __init__(self, drawing):
        self.kind, self.drawing = type(drawing), drawing

    def update(self, numbers):
        self.drawing = self.kind(numbers)

    def png(self):
        return self.drawing.figure.png()


def whole_figure(name):
    """The panel `name` with nothing kept between moves."""
    kept, mechanism.Frame = mechanism.Frame, WholeFigure
    try:
        return PANELS[name]()
    finally:
        mechanism.Frame = kept


def measure(page, address, path):
    """Milliseconds of each of MOVES key presses on the first slider: there and back, so that each changes something."""
    open_notebook(page, address, path)
    run_all(page)
    panel = PanelOnPage(page).bring_into_view()
    image = panel.box.locator(".widget-image").element_handle()
    taken = []
    for move in range(MOVES + 2):
        waiting = page.evaluate_handle("image => ({done: (" + MEASURE + ")(image)})", image)
        panel.slider().press("ArrowRight" if move % 4 < 2 else "ArrowLeft")
        taken.append(page.evaluate("async waiting => await waiting.done", waiting))
        page.wait_for_timeout(60)
    return np.array(taken[2:])


def main(names=()):
    if find_browser() is None:
        print("skipped: no Chromium or Chrome found")
        return
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        print(f"{'panel':16} {'median':>8} {'95th':>8}   {'whole':>8} {'95th':>8}   ratio of 95th")
        with jupyterlab(folder) as address, browser_page() as page:
            for name in names or PANELS:
                rows = []
                for kind, source in {
                    "kept": f"from mlcourse.classroom.panels import PANELS\nPANELS[{name!r}]()",
                    "whole": f"from benchmarks.panel_latency import whole_figure\nwhole_figure({name!r})",
                }.items():
                    path = f"{name.replace(' ', '_')}_{kind}.ipynb"
                    nbformat.write(_notebook(source), folder / path)
                    rows.append(measure(page, address, path))
                (median, late), (whole, whole_late) = ((np.median(r), np.percentile(r, 95)) for r in rows)
                print(
                    f"{name:16} {median:5.0f} ms {late:5.0f} ms   {whole:5.0f} ms {whole_late:5.0f} ms   "
                    f"{late / whole_late:.2f}",
                    flush=True,
                )
    print(f"goals: 95th percentile at most {GOAL_MS} ms, ratio at most {GOAL_RATIO}")


def _notebook(source):
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata={"kernelspec": kernel})


if __name__ == "__main__":
    main(sys.argv[1:])
