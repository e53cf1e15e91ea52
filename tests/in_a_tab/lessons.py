"""A lesson in a tab, looked at from top to bottom; in two halves, each a file, so that two browsers share the work."""

import re

from tests.lab import SCREENSHOTS, PanelOnPage
from tests.tab import complaints, printed
from tests.tested import cells, notebooks_in

LESSONS = notebooks_in("notebooks")
MIDDLE = 8  # both halves take about as long
LONG = ("06", "07", "08", "09", "10", "13")  # those with cells that take 10 s or more


def run_and_move(lab, path):
    """Run a lesson from top to bottom: nothing fails, what it says is what is stored, and its panels move."""
    lab.open_next(f"notebooks/{path.name}").run_all()
    ran, stored = lab.notebook()["cells"], cells(path)
    assert complaints(ran) == []
    draws = any("Glyphs" in cell.source for cell in stored)
    for place, (here, there) in enumerate(zip(ran, stored, strict=True)):
        if "nbval-check-output" in there.metadata.get("tags", []):
            alike = nearly_the_same if draws else str.__eq__
            assert alike(printed(here), printed(there)), (place, printed(here), printed(there))
    if path.name[:2] in LONG:
        assert any(re.match(r"takes about \d+ s in a tab", said) for said in lab.bars())
    for place in [place for place, cell in enumerate(stored) if "PANELS[" in cell.source]:
        panel = PanelOnPage(lab.page, place).bring_into_view()
        first = panel.source()
        assert panel.press("ArrowRight") != first
        panel.drag(100)
        lab.page.screenshot(path=SCREENSHOTS / f"tab_{path.name[:2]}_{place}.png")
    assert lab.outside == []


def nearly_the_same(one, other):
    """Whether two texts differ in shares by 0.05 at most: another matplotlib draws other letters."""
    number = r"[-+]?\d+\.\d+"
    if re.sub(number, "", one).split() != re.sub(number, "", other).split():
        return False
    pairs = zip(re.findall(number, one), re.findall(number, other), strict=True)
    return all(abs(float(here) - float(there)) <= 0.05 for here, there in pairs)
