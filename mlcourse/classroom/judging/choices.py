"""Label several items, all drawn afresh by seed."""

import re
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from mlcourse.classroom.judging.problem import Mistake, Problem, kind, unanswered
from mlcourse.classroom.judging.verdict import correct, not_attempted, wrong


class Item(NamedTuple):
    """One line of a choice problem.

    text   what to judge
    label  the right one of the problem's labels
    traps  mistake name -> the label it would give
    look   what to look at in this item, told to whoever missed it
    """

    text: str
    label: Any
    traps: dict = MappingProxyType({})
    look: str = ""


def _folded(label):
    """A label as it is compared: capitals, dashes, underscores, quotation marks and a full stop make no difference."""
    if not isinstance(label, str):
        return label if isinstance(label, (int, float)) else None
    return " ".join(re.sub(r"[\s_\-‐‑–—]+", " ", label.lower()).strip(" .'\"`“”‘’").split())


class ChoiceProblem(Problem):
    """Label several items, all drawn afresh by seed: a guesser does not pass.

    labels   the words to choose from
    items    override: rng -> list of Item
    traps    mistake name -> message; an Item says which label each of them would give
    """

    labels = ()
    traps = MappingProxyType({})
    correct_message = "Every item is right."

    def items(self, rng):
        raise NotImplementedError

    def __init_subclass__(cls):
        cls.mistakes = tuple(Mistake(name, message, None) for name, message in cls.traps.items())

    def _items(self, seed):
        """Items of this seed on which every known mistake shows, each with labels of its own."""
        rng = self.random(seed, "items")
        for _ in range(1000):
            items = self.items(rng)
            patterns = [self.fallen(items, name) for name in self.traps] + [[item.label for item in items]]
            if len({tuple(pattern) for pattern in patterns}) == len(patterns):
                return items
        raise RuntimeError(f"{self.name}: no draw shows every mistake")

    @staticmethod
    def fallen(items, name):
        """The answers of someone who makes the mistake `name`."""
        return [item.traps.get(name, item.label) for item in items]

    def show(self, seed):
        items = self._items(seed)
        lines = "\n".join(f"{number}. {item.text}" for number, item in enumerate(items, start=1))
        words = ", ".join(f"`{label!r}`" for label in self.labels)
        return f"{super().show(seed)}\n\n{lines}\n\nAnswer with a list of {len(items)} labels, each one of {words}."

    def solution(self, seed):
        return [item.label for item in self._items(seed)]

    def solution_code(self, seed):
        return f"```python\n{self.name} = {self.solution(seed)!r}\n```"

    def judge(self, answer, seed):
        if unanswered(answer):
            return not_attempted()
        items = self._items(seed)
        if isinstance(answer, dict):
            numbered = all(isinstance(key, (int, np.integer)) for key in answer)
            answer = [answer[key] for key in (sorted(answer) if numbered else answer)]
        if isinstance(answer, str) or not isinstance(answer, (list, tuple, np.ndarray)):
            return wrong(f"The answer is a list of {len(items)} labels; this is {kind(answer)}.")
        answer = [label.item() if isinstance(label, np.generic) else label for label in answer]
        if all(map(unanswered, answer)):
            return not_attempted()
        if len(answer) != len(items):
            return wrong(f"There are {len(items)} items and {len(answer)} labels.")
        open_ones = sum(map(unanswered, answer))
        if open_ones:
            return wrong(f"{open_ones} of {len(items)} items {'is' if open_ones == 1 else 'are'} not yet answered.")
        labels = {_folded(label): label for label in self.labels}
        known = [labels.get(_folded(label)) for label in answer]
        if None in known:
            unknown = answer[known.index(None)]
            return wrong(f"{unknown!r:.40} is not one of the labels {', '.join(map(repr, self.labels))}.")
        answer = known
        missed = [i for i, item in enumerate(items) if answer[i] != item.label]
        if not missed:
            return correct(self.correct_message)
        return self._missed(items, answer, missed)

    def _missed(self, items, answer, missed):
        """Which mistakes explain all items that were missed, and else what to look at in the first of them."""
        count = f"{len(items) - len(missed)} of {len(items)} are right."
        fallen = {name: [i for i in missed if items[i].traps.get(name) == answer[i]] for name in self.traps}
        names, left = [], set(missed)
        while left and any(left & set(those) for those in fallen.values()):
            # the mistake that explains most of what is left, and among those the one that agrees most with the rest
            name = max(
                self.traps,
                key=lambda each: (
                    len(left & set(fallen[each])),
                    sum(answer[i] == label for i, label in enumerate(self.fallen(items, each))),
                ),
            )
            names.append(name)
            left -= set(fallen[name])
        if len(set(answer)) == 1 and (left or len(names) > 1):
            return wrong(
                f"{count} Every item was called {answer[0]!r}: at least one other label belongs here.",
                f"everything called {answer[0]}",
            )
        if names and not left:
            return wrong(f"{count} {' '.join(self.traps[name] for name in names)}", " + ".join(names))
        first = min(left)
        said = " ".join(self.traps[name] for name in names)
        item = items[first]
        text = item.text if len(item.text) <= 90 else item.text[:88].rsplit(" ", 1)[0] + " …"
        look = item.look or next(iter(self.hints), "")
        return wrong(f"{count} {said + ' ' if said else ''}Look again at item {first + 1}, “{text}”: {look}")
