"""What a check says: correct, wrong (and which mistake), not attempted, or written and not marked."""

import re
from html import escape
from typing import NamedTuple

VERDICT_TYPE = "application/vnd.mlcourse.verdict+json"

# Colour, symbol and words each say it alone.
_LOOKS = {
    "correct": ("✓", "Correct", "#009E73"),
    "wrong": ("✗", "Not yet", "#D55E00"),
    "not attempted": ("○", "Not attempted", "#767676"),
    "not marked": ("–", "Written, and not marked", "#767676"),
}


class Verdict(NamedTuple):
    """The answer to one answer.

    outcome        "correct", "wrong" or "not attempted"; "not marked" for a sentence in the learner's own words
    misconception  the name of the mistake that was recognised, several joined by " + "; None where there is none
    message        what to read, plain words; `code` in backticks
    problem        (lesson, name, seed) of what was checked
    """

    outcome: str
    misconception: str | None
    message: str
    problem: tuple = ()

    def require(self):
        """The verdict itself when correct or not marked; raises AssertionError with its words otherwise."""
        if self.outcome not in ("correct", "not marked"):
            raise AssertionError(str(self))
        return self

    @property
    def head(self):
        """Symbol and words: what is seen first."""
        symbol, words, _ = _LOOKS[self.outcome]
        return f"{symbol} {words}" + (f": {self.misconception}" if self.misconception else "")

    def __str__(self):
        name = f"{self.problem[1]} — " if self.problem else ""
        return f"{name}{self.head}\n{self.message}"

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        """Text, a page's HTML, and the fields for programs that read an executed notebook."""
        colour = _LOOKS[self.outcome][2]
        name = f"<code>{escape(self.problem[1])}</code> " if self.problem else ""
        body = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(self.message)).replace("\n", "<br>")
        html = (
            f'<div style="border-left: 6px solid {colour}; padding: 0.4em 0.9em; margin: 0.3em 0; max-width: 52em">'
            f'<div>{name}<b style="color: {colour}">{escape(self.head)}</b></div><div>{body}</div></div>'
        )
        return {"text/plain": str(self), "text/html": html, VERDICT_TYPE: self._asdict()}


def correct(message):
    return Verdict("correct", None, message)


def wrong(message, misconception=None):
    return Verdict("wrong", misconception, message)


def not_attempted(message="Nothing to check yet: write your answer in the cell above, run it, then run this one."):
    return Verdict("not attempted", None, message)


def not_marked(message):
    return Verdict("not marked", None, message)
