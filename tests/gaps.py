"""The gaps of a lesson: where they are, and the lesson with the course's solutions written in."""

import ast
import re
from itertools import pairwise
from typing import NamedTuple

from mlcourse.classroom.learner.notebook import STUB
from mlcourse.classroom.problems import of_lesson

CHECK = re.compile(r'p\.check\("(\w+)", (\w+)\)')


class Gap(NamedTuple):
    """A cell with a stub, and the code cell after it; their places among all cells."""

    place: int
    check_place: int
    check: str  # the source below it

    @property
    def name(self):
        return CHECK.fullmatch(self.check)[1]


def gaps(cells):
    """The Gaps among a lesson's cells, in order."""
    code = [place for place, cell in enumerate(cells) if cell.cell_type == "code"]
    return [Gap(place, after, cells[after].source) for place, after in pairwise(code) if STUB in cells[place].source]


def filled(cells, number):
    """The cells of lesson `number` that its gaps need or feed, each gap filled as `p.solution` shows it.

    A gap feeds the cells with `p.use`, and those that take a name from there. What trains networks in between and has
    no part in it is left out: it ran with the committed notebook.
    """
    found, problems = gaps(cells), of_lesson(number)
    cells = [cell.copy() for cell in cells]
    for gap in found:
        cells[gap.place].source = re.search(
            r"```python\n(.*?)```", problems[gap.name].worked_solution(seed=0), re.DOTALL
        )[1]
    code = _parsed(cells)
    handed_on = {name for tree in code.values() for name in _names_from_use(tree)}
    wanted = {gap.check_place for gap in found}
    wanted |= {place for place, tree in code.items() if _calls_use(tree) or handed_on & _read(tree)}
    return with_what_they_need(cells, wanted)


def with_what_they_need(cells, wanted):
    """The code cells at some places, and those before them that bind what they read."""
    code, wanted, needed = _parsed(cells), set(wanted), set()
    for place in reversed(code):
        if place in wanted or needed & _written(code[place]):
            wanted.add(place)
            needed |= _read(code[place])
    return [cells[place] for place in sorted(wanted)]


def _parsed(cells):
    """{place: tree} of the code cells."""
    return {place: ast.parse(cell.source) for place, cell in enumerate(cells) if cell.cell_type == "code"}


def _calls_use(tree):
    return "p.use(" in ast.unparse(tree)


def _names_from_use(tree):
    """What is bound to the result of a `p.use`."""
    bound = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _calls_use(node.value)]
    return {name for node in bound for target in node.targets for name in _names(target)}


def _names(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _read(tree):
    """Names that a cell takes from elsewhere, or might."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _written(tree):
    """Names that a cell binds, fills entries of, or appends to, in whatever way."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.Subscript(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                names |= _names(node.value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
                names.add(name)  # a method called for what it does
    return names
