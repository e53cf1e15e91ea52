"""The course's site in a real browser: what a visit loads and how long it takes, a check, a slider, each lesson.

python -m benchmarks.site [--keep] [lesson …]. The site comes from this machine: a network's time comes on top. Goal:
lesson 00 is open and its first cell has run 30 s after a first visit began, no lesson runs for longer than 2 minutes.
--keep writes down how long the long cells took; the site shows it while they run. Only on an idle machine.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.panel_latency import MEASURE
from mlcourse.classroom.site import build, build_site
from tests.lab import PanelOnPage, find_browser
from tests.tab import Tab, browsers, find_pyodide, served
from tests.tested import notebooks_in

LESSONS = {path.name[:2]: path for path in notebooks_in("notebooks")}
FIRST = f"notebooks/{LESSONS['00'].name}"
GOAL_FIRST, GOAL_LESSON = 30, 120  # seconds
KEYS, CHECKS = 20, 20
KEPT, LONG = build.PAGES / "seconds.json", 3  # seconds from which on a cell's time is kept

_CHECKS = f"""
import time
from mlcourse.classroom import lesson
p, taken = lesson(4), []
for _ in range({CHECKS}):
    start = time.perf_counter()
    p.check("sign_flip_alpha", 1.0)
    taken.append(time.perf_counter() - start)
print(sorted(taken)[len(taken) // 2], max(taken))
"""


def visit(opened, there):
    """(the Tab, seconds until the kernel could work, until the first cell's result; the answers that were sent)."""
    before, start = len(there.sent), time.monotonic()
    tab = Tab(opened, there.address).open(FIRST)
    ready = time.monotonic() - start
    tab.run_cell(next(place for place, cell in enumerate(tab.notebook()["cells"]) if cell["cell_type"] == "code"))
    return tab, ready, time.monotonic() - start, there.sent[before:]


def told(kind, ready, first, sent):
    whole = [each for each in sent if each.status == 200]
    twice = len(whole) - len({each.path for each in whole})
    size = sum(each.bytes for each in whole) / 1e6
    print(
        f"{kind:13} {ready:5.1f} s to the kernel, {first:5.1f} s to the first result; "
        f"{len(sent)} requests, {size:.1f} MB, {twice} files sent twice",
        flush=True,
    )


def slider(tab):
    """Milliseconds from a key to the new picture, for each of KEYS keys on the notebook's first panel."""
    panel, taken = PanelOnPage(tab.page).bring_into_view(), []
    image = panel.box.locator(".widget-image").element_handle()
    for move in range(KEYS + 2):
        waiting = tab.page.evaluate_handle("image => ({done: (" + MEASURE + ")(image)})", image)
        panel.slider().press("ArrowRight" if move % 4 < 2 else "ArrowLeft")
        taken.append(tab.page.evaluate("async waiting => await waiting.done", waiting))
        tab.page.wait_for_timeout(60)
    return np.array(taken[2:])


def lesson(opened, there, path):
    """(the Tab, what `run_all` gives) of one lesson."""
    tab = Tab(opened, there.address).open(f"notebooks/{path.name}")
    return tab, tab.run_all(seconds=600)


def keep(name, seconds):
    """Write down how long the long cells of a lesson took, in place of what was written of it before."""
    kept = json.loads(KEPT.read_text())
    kept[f"notebooks/{LESSONS[name].name}"] = {cell: round(took, 1) for cell, took in seconds.items() if took >= LONG}
    rows = [f" {json.dumps(path)}: {json.dumps(cells)}" for path, cells in sorted(kept.items()) if cells]
    KEPT.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def main(words=()):
    names = [word for word in words if word != "--keep"]
    if find_browser() is None or find_pyodide() is None:
        print("skipped: no Chromium or Chrome found" if find_browser() is None else "skipped: no Pyodide found")
        return
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        files, size = build_site(site, find_pyodide())
        print(f"site          {files} files, {size / 1e6:.0f} MB")
        with served(site) as there, browsers() as open_browser:
            with open_browser(Path(folder) / "profile") as opened:
                tab, ready, cold, sent = visit(opened, there)
                told("first visit", ready, cold, sent)
                tab.page.close()
                tab, ready, warm, sent = visit(opened, there)
                told("second visit", ready, warm, sent)
                median, longest = (1000 * float(number) for number in tab.execute(_CHECKS).split()[-2:])
                print(f"a check       {median:.1f} ms, at most {longest:.1f} ms", flush=True)
                tab.page.close()
                longest = 0
                for name in names or LESSONS:
                    tab, ran = lesson(opened, there, LESSONS[name])
                    slowest = max(ran["seconds"].values(), default=0)
                    longest, moved = max(longest, ran["total"]), slider(tab)
                    if "--keep" in words:
                        keep(name, ran["seconds"])
                    print(
                        f"lesson {name}     {ran['total']:5.1f} s, slowest cell {slowest:5.1f} s; its slider "
                        f"{np.median(moved):.0f} ms, 95th {np.percentile(moved, 95):.0f} ms",
                        flush=True,
                    )
                    tab.page.close()
    print(f"goals: first result within {GOAL_FIRST} s ({cold:.0f}), a lesson within {GOAL_LESSON} s ({longest:.0f})")


if __name__ == "__main__":
    main(sys.argv[1:])
