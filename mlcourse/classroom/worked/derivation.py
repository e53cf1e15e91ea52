"""A derivation step by step: LaTeX in a notebook, and the same spelt out as text in a terminal."""

import re
import textwrap
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy

SHOWN = 4  # entries of a vector, and rows of a matrix, that are written out in full


class Step(NamedTuple):
    """One line of a derivation.

    words    why it holds; formulas between dollar signs
    symbols  LaTeX
    numbers  LaTeX, the same with the numbers put in; "" where there are none to put in
    """

    words: str
    symbols: str
    numbers: str = ""

    @property
    def lines(self):
        """The lines of formulas to show: the symbols alone are left out where the numbers begin with just them."""
        repeats = self.numbers.startswith(self.symbols + " ")
        return [line for line in ("" if repeats else self.symbols, self.numbers) if line]


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class Derivation:
    """A worked example: a notebook shows it as LaTeX, print() as text.

    title   what is derived
    steps   Steps, in order
    checks  rows of LaTeX: a heading, then one row a way of computing
    notes   what to notice about these numbers
    """

    title: str
    steps: tuple
    checks: tuple
    notes: tuple

    def __str__(self):
        return _as_text(self)

    def __repr__(self):
        return _as_text(self)

    def _repr_markdown_(self):
        return _as_markdown(self)


# How it is shown: everything is LaTeX first, and text is that LaTeX spelt out.


def number(value, digits=5):
    """A number in LaTeX, to so many significant digits."""
    words = f"{float(value):.{digits}g}"
    mantissa, e, exponent = words.partition("e")
    if mantissa == "-0":
        return "0"
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa


def factor(value):
    """A number as a factor of a product, or behind a minus: negative ones in parentheses."""
    words = number(value)
    return f"({words})" if words.startswith("-") else words


def row(values):
    """A list of numbers (K,) in LaTeX; a long one only by its first entries."""
    words = [number(value) for value in values[: SHOWN + 2]]
    return "(" + ", ".join(words + [r"\dots"] * (len(values) > SHOWN + 2)) + ")"


def column(values):
    """A vector (P,) in LaTeX; a long one only by its first entries and its norm."""
    if len(values) <= SHOWN:
        return _pmatrix([[number(value)] for value in values])
    words = [[number(value)] for value in values[: SHOWN - 1]]
    return _pmatrix([*words, [r"\vdots"]]) + rf"_{{\lVert\cdot\rVert = {number(numpy.linalg.norm(values))}}}"


def matrix(values):
    """A matrix in LaTeX; a large one only by its shape."""
    if max(values.shape) > SHOWN:
        return rf"\text{{({values.shape[0]} by {values.shape[1]} matrix)}}"
    return _pmatrix([[number(value) for value in line] for line in values])


def _pmatrix(rows):
    return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(line) for line in rows) + r" \end{pmatrix}"


def derivative_symbols(loss, order, formula):
    """The loss's first or second derivative in symbols: its formula, or d/dtheta where there is none."""
    power = f"^{order}" if order > 1 else ""
    return rf"{loss}{order * chr(39)}(\theta) = " + (formula or rf"\frac{{d{power}{loss}}}{{d\theta{power}}}")


def equal(left, value):
    return f"{left} = {number(value)}"


def check_rows(what, *ways):
    names = ("by hand", "autograd", "central differences")
    return (("way", f"${what}$"), *((name, f"${number(way, 10)}$") for name, way in zip(names, ways, strict=True)))


def vector_check_rows(by_hand, straight_through, differences, coordinates):
    """One row a way: the first entries that were measured, and the norm of all of them where there is more than one."""
    norms = [] if len(coordinates) == 1 else [f"norm of {len(coordinates)} entries"]
    rows = [("way", *(f"entry {i}" for i in coordinates[:SHOWN]), *norms)]
    ways = {
        "by hand": by_hand[coordinates],
        "autograd": straight_through[coordinates],
        "central differences": differences,
    }
    for name, way in ways.items():
        values = (*way[:SHOWN], numpy.linalg.norm(way)) if norms else way
        rows.append((name, *(f"${number(value, 10)}$" for value in values)))
    return tuple(rows)


WIDTH = 100  # columns of a terminal that sentences are wrapped to
ROUNDED = "Numbers are shown to 5 digits and computed with all of them."


def _as_markdown(derivation):
    blocks = [f"**{derivation.title}**"]
    for count, step in enumerate(derivation.steps, 1):
        aligned = (
            re.sub(r"=|\\approx|\\in(?![a-z])", lambda found: f"&{found[0]}", line, count=1) for line in step.lines
        )
        formula = r" \\ ".join(aligned)
        blocks.append(f"{count}. {step.words}\n\n$$\\begin{{aligned}} {formula} \\end{{aligned}}$$")
    heading, *rows = derivation.checks
    table = [heading, ("---",) * len(heading), *rows]
    blocks.append("**Three ways to the same number**")
    blocks.append("\n".join("| " + " | ".join(cells) + " |" for cells in table))
    blocks.append("**What to notice**")
    blocks.append("\n".join(f"- {note}" for note in (*derivation.notes, ROUNDED)))
    return "\n\n".join(blocks)


def _as_text(derivation):
    lines = [to_text(derivation.title), ""]
    for count, step in enumerate(derivation.steps, 1):
        lines.append(_wrapped(f"{count:2}. ", to_text(step.words)))
        lines += [f"      {to_text(line)}" for line in step.lines]
    table = [[to_text(cell) for cell in cells] for cells in derivation.checks]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines += ["", "Three ways to the same number"]
    for cells in table:
        lines.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    lines += ["", "What to notice"]
    lines += [_wrapped("- ", to_text(note)) for note in (*derivation.notes, ROUNDED)]
    return "\n".join(lines)


def _wrapped(start, words):
    return textwrap.fill(words, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


SPELLING = (
    (r"\\begin\{pmatrix\} (.*?) \\end\{pmatrix\}", lambda found: _bracket(found[1])),
    (r"_\{\\lVert\\cdot\\rVert = ([^{}]*(?:\{[^{}]*\})?)\}", r" (norm \1)"),
    (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2"),
    (r"\\frac\{([^{}]*(?:\([^()]*\))?)\}\{([^{}]*)\}", r"\1/\2"),
    (r"\\text\{([^{}]*)\}", r"\1"),
    (r"\\mathbb\{R\}\^\{(\d+)\}", r"R^\1"),
    (r"\\sqrt\{", "sqrt{"),
    (r"\\tfrac12", "1/2"),
    (r"\\left\( *", "("),
    (r" *\\right\)", ")"),
    (r"\^\{(-?\d+)\}", lambda found: found[1].translate(SUPERSCRIPTS)),
    (r"\^(\d)(?!\d)", lambda found: found[1].translate(SUPERSCRIPTS)),
    (r" \\qquad ", "   "),
    (r" ?\\, ?", " "),
    (r"\^\\top ?", "ᵀ "),
    (r"\\nabla (?=L)", "∇"),
    (r"\\(in|approx|cdot|theta|alpha|nabla|partial|dots|vdots)(?![a-z])", lambda found: SIGNS[found[1]]),
    (r"\\([a-z]+)", r"\1"),
    (r"[$]", ""),
    (r"[{}]", lambda found: "(" if found[0] == "{" else ")"),
)
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
SIGNS = MappingProxyType(
    {
        "in": "∈", "approx": "≈", "cdot": "·", "theta": "θ", "alpha": "α", "nabla": "∇", "partial": "∂",
        "dots": "…", "vdots": "…",
    }
)  # fmt: skip


def to_text(words):
    """The LaTeX that this module writes, spelt for a terminal."""
    for pattern, spelling in SPELLING:
        words = re.sub(pattern, spelling, words)
    return words


def _bracket(body):
    """A pmatrix's inside as [1, 2] or [[1, 2], [3, 4]]."""
    rows = [line.split(" & ") for line in body.split(r" \\ ")]
    if all(len(cells) == 1 for cells in rows):
        return "[" + ", ".join(cells[0] for cells in rows) + "]"
    return "[" + ", ".join("[" + ", ".join(cells) + "]" for cells in rows) + "]"
