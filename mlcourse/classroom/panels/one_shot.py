"""Panel "one shot" (lesson 9): the learner answers one-shot episodes of held-out characters, by click or by key.

Pixels and ProtoNet answer the same episodes; all three are scored as the lesson's table scores its methods.
"""

from functools import lru_cache

import ipywidgets as widgets
import numpy as np

from mlcourse import Data, Glyphs, cross_entropy
from mlcourse.classroom.figures.few_shot import LETTERS, OneShotSheet
from mlcourse.classroom.panels.panel import LABEL, WIDE, Panel
from mlcourse.classroom.trained import characters
from mlcourse.evaluate import confidence_interval
from mlcourse.few_shot import by_pixels, by_prototypes

WAYS = (5, 10, 20)
RULES = {"pixels": by_pixels, "ProtoNet": by_prototypes}
YOU = "you"
NAMES = (YOU, *RULES)
ENOUGH = 5  # episodes for a place in the table


@lru_cache(maxsize=16)
def episode(seed, ways, turn):
    """The turn-th episode of a seed: support Data of N rows in the order of their labels, query Data of one row."""
    rng = np.random.default_rng([seed, ways, turn])
    support, query, _ = Glyphs(ways, "test").sample(rng, (), 1, 1)
    asked = rng.integers(ways, size=1)
    return support, Data(query.x[asked], query.y[asked])


def judge(seed, ways, turn, answer):
    """Who is right about an episode, and which letter was: the answer is a label 0 … N - 1."""
    support, query = episode(seed, ways, turn)
    objective, theta = cross_entropy(characters.EMBEDDING), characters.load()["ProtoNet"]
    labels = {name: rule(objective, theta, support, query.x, 0.0, 0)[0] for name, rule in RULES.items()}
    label = int(query.y[0])
    return {name: bool(said == label) for name, said in ({YOU: answer} | labels).items()} | {"letter": LETTERS[label]}


def scores(judged):
    """name -> (mean, half_width) over the episodes answered, once there are the two that an interval needs."""
    if len(judged) < 2:
        return {}
    return {name: confidence_interval([float(each[name]) for each in judged]) for name in NAMES}


def caption(numbers):
    """What became of the last answer, and the score."""
    judged = numbers["judged"]
    if not judged:
        return "Which letter is the query? Click its button, or type it. The scores begin with the second answer."
    said = ["Right." if judged[-1][YOU] else f"Wrong, it was {judged[-1]['letter']}."]
    said.append(f"Answered at {numbers['ways']} ways: {len(judged)}.")
    if numbers["scores"]:
        said.append(
            "; ".join(f"{name} {mean:.2f} ± {half:.2f}" for name, (mean, half) in numbers["scores"].items()) + "."
        )
    if any(half == 0 for _, half in numbers["scores"].values()):
        said.append("Read ± 0.00 as: too few answers to tell.")
    return " ".join(said)


class OneShot(Panel):
    """A Panel that keeps what was answered: `correct[ways]` has 1 or 0 for each episode answered at that many ways.

    The picture shows the next episode of as many ways as are set. None can be left out, and Reset forgets the answers.
    """

    def __init__(self, seed):
        self.judged = {ways: [] for ways in WAYS}
        ways = widgets.SelectionSlider(options=WAYS, description="ways N (classes)", style=LABEL, layout=WIDE)
        self.buttons = [widgets.Button(description=letter, layout={"width": "60px"}) for letter in LETTERS]
        self.typed = widgets.Text(description="or type its letter", style={"description_width": "initial"})
        self.typed.layout.width = "190px"
        super().__init__(
            draw_task=None, compute=self._compute, drawing=OneShotSheet, controls={"ways": ways}, caption=caption,
            seed=seed,
        )  # fmt: skip
        for answer, button in enumerate(self.buttons):
            button.on_click(lambda _, answer=answer: self.answer(answer))
        self.typed.observe(self._typed, "value")
        rows = widgets.Box(self.buttons, layout={"width": "340px", "flex_flow": "row wrap"})
        self.children = [ways, self.image, self.caption, rows, self.typed, self.reset]

    @property
    def correct(self):
        """Number of ways -> 1.0 or 0.0 for each answer of the learner's."""
        return {ways: [float(each[YOU]) for each in judged] for ways, judged in self.judged.items()}

    def accuracy(self, ways):
        """(mean, half_width, episodes) of the learner's answers at so many ways; None for fewer than ENOUGH."""
        correct = self.correct[ways]
        return None if len(correct) < ENOUGH else (*confidence_interval(correct), len(correct))

    def answer(self, label):
        """Take the learner's answer to the episode that is shown, and show the next; label is 0 … N - 1."""
        ways = self.values["ways"]
        self.judged[ways].append(judge(self.seed, ways, len(self.judged[ways]), label))
        self._moved()

    def _compute(self, _task, ways):
        judged = self.judged[ways]
        support, query = episode(self.seed, ways, len(judged))
        shown = {"ways": ways, "support": support.x, "query": query.x[0]}
        return shown | {"judged": tuple(judged), "scores": scores(judged), "names": NAMES}

    def _show(self):
        for label, button in enumerate(self.buttons):
            button.layout.display = None if label < self.values["ways"] else "none"
        super()._show()

    def _typed(self, change):
        """One letter is an answer; two at once are none, for the second episode was not seen yet."""
        if change.new:
            typed, self.typed.value = change.new.lower(), ""
            if typed in list(LETTERS[: self.values["ways"]]):
                self.answer(LETTERS.index(typed))

    def _reset(self):
        for judged in self.judged.values():
            judged.clear()
        super()._reset()


def panel(seed=0):
    """The panel; it opens on a 5-way episode. Another seed has other episodes."""
    return OneShot(seed)
