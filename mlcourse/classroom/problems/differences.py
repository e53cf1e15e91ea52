"""What problems about finite differences share: the points that an answer asks for tell one mistake from another."""

from functools import partial
from typing import Any, NamedTuple

import autograd.numpy as np

from mlcourse.classroom.judging import FunctionProblem
from mlcourse.classroom.judging.compare import factor
from mlcourse.classroom.judging.problem import Mistake

RIGHT = {
    "how θ moves": "one way at a time",
    "steps": "to both sides",
    "size of the step": "good",
    "sign": "right",
    "the difference is": "divided by the distance between its two points",
    "the length of v": "kept",
}


class TooManyCallsError(Exception):
    """A function was asked so often that nobody waits for the end."""


class Recorded:
    """A function that keeps the points it was called at; a point under differentiation is not kept."""

    def __init__(self, function, most=10_000):
        self.function, self.points, self.calls, self.most = function, [], 0, most

    def __call__(self, theta, *rest):
        self.calls += 1
        if self.calls > self.most:
            raise TooManyCallsError(f"the given function was called {self.most} times, and there was no end to it")
        if not hasattr(theta, "_value"):
            if np.iscomplexobj(theta):
                raise TypeError("the given function takes real numbers, and got complex ones")
            self.points.append(np.array(theta, dtype=float))
        return self.function(theta, *rest)


def quotient(function, theta, way, *, epsilon=1e-5, up=1, down=-1, over=2, power=1):
    """(f(theta + up eps way) - f(theta + down eps way)) / (over eps^power)."""
    return (function(theta + up * epsilon * way) - function(theta + down * epsilon * way)) / (over * epsilon**power)


class _Points(NamedTuple):
    """Where an answer asked, in multiples of each way from theta: along (calls, n), its ends low, high (n,), and
    whether they lie to both sides alike; reach: how far the longest step went; aside: whether it went off the ways."""

    points: Any
    along: Any
    low: Any
    high: Any
    both: Any
    reach: float
    aside: bool

    @property
    def epsilon(self):
        return np.where(self.both, (self.high - self.low) / 2, self.high - self.low)

    def moves(self):
        """How theta moves, in words."""
        most = np.abs(self.along).max(axis=0)
        count = (np.abs(self.along) > 0.1 * most).sum(axis=1)
        if self.aside:
            return "another way"
        if np.all(count <= 1):
            return RIGHT["how θ moves"]
        return "all entries at once" if np.all((count == 0) | (count == len(most))) else "earlier entries stay moved"

    def ends(self, theta, ways):
        """For each way the two points, lower and upper, that its difference was taken between."""
        for i, way in enumerate(ways):
            k = np.argmax(np.abs(self.along[:, i]))
            distance = (self.high[i] - self.low[i]) * way
            forward = self.along[k, i] > 0
            known = np.vstack([self.points, theta])
            target = self.points[k] - distance if forward else self.points[k] + distance
            other = known[np.argmin(np.sum((known - target) ** 2, axis=1))]
            yield (other, self.points[k]) if forward else (self.points[k], other)


def _points(seen, theta, ways):
    points = np.reshape([point for point in seen.points if point.shape == theta.shape], (-1, theta.size))
    along = (points - theta) @ ways.T / np.sum(ways**2, axis=1)
    low, high = along.min(axis=0, initial=0.0), along.max(axis=0, initial=0.0)
    rounding = 1e-15 * (1 + np.max(np.abs(theta))) / np.min(np.linalg.norm(ways, axis=1))
    both = (low < 0) & (high > 0) & (np.abs(low + high) <= 0.2 * (high - low) + rounding)
    steps = points - theta
    reach = np.max(np.linalg.norm(steps, axis=1), initial=0.0)
    aside = np.sum((steps - along @ ways) ** 2) > 0.01 * np.sum(steps**2)
    return _Points(points, along, low, high, both, reach, aside)


def described(seen, theta, ways, value, right, enough):
    """Facts on a derivative by differences in which each mistake shows by itself, the derivative as the last of them.

    seen    the Recorded function that was asked
    ways    (n, P): the derivative has a row, or an entry, along each
    value   what came of it; right  what should, and `enough` how near it is to be, relative
    """
    facts = RIGHT | {"result": value}
    asked = _points(seen, theta, ways)
    near = np.shape(value) == right.shape and np.max(np.abs(value - right)) <= enough * np.max(np.abs(right))
    if asked.reach < 1e-12:
        lost = asked.reach > 0 or (len(asked.points) > 1 and not np.any(value))  # in rounding
        return facts | {"size of the step": "too small", "result": right} if lost else facts
    moves, both = asked.moves(), bool(np.all(asked.both))
    if moves in ("another way", "all entries at once"):
        return facts | {"how θ moves": moves, "result": right}
    facts |= {"how θ moves": moves, "steps": "to both sides" if both else "to one side"}
    if _fine(facts) and near:
        return facts
    if np.any(asked.high == asked.low):
        return facts
    own = [quotient(seen.function, theta, way, epsilon=e) for e, way in zip(asked.epsilon, ways, strict=True)]
    if both and np.max(np.abs(np.reshape(own, right.shape) - right)) > enough * np.max(np.abs(right)):
        facts["size of the step"] = "too small" if asked.reach < 1e-6 else "too large"
    ends = zip(asked.ends(theta, ways), asked.high - asked.low, strict=True)
    quotients = [(seen.function(above) - seen.function(below)) / distance for (below, above), distance in ends]
    times = factor(value, np.reshape(quotients, right.shape), 1e-2)
    if times is not None:
        facts["sign"] = "right" if times > 0 else "turned"
        facts |= _divided(abs(times), np.max(asked.epsilon), np.linalg.norm(ways[0]))
    return facts if _fine(facts) else facts | {"result": right}


def _fine(facts):
    return all(facts[name] == fact for name, fact in RIGHT.items())


def _divided(times, epsilon, length):
    """Facts on what a difference was divided by, if it is `times` the quotient that it should be."""
    known = {
        RIGHT["the difference is"]: (1,),
        "divided by half the distance": (2,),
        "divided by twice the distance": (1 / 2,),
        "multiplied by ε": (epsilon**2, epsilon**2 / 2, 4 * epsilon**2),
        "not divided by ε": (epsilon, 2 * epsilon),
        "divided by ε²": (1 / epsilon, 2 / epsilon),
    }
    for way, scale in (("kept", 1), ("lost", length)):
        for words, numbers in known.items():
            if any(abs(times * scale / number - 1) < 0.02 for number in numbers):
                return {"the difference is": words, "the length of v": way}
    return {"the difference is": f"{times:.3g} times what it should be"}


COMMON = (
    (
        "one-sided",
        "The difference is taken to one side, from θ to θ + ε: its error is about ε instead of ε². Step both ways.",
        {"down": 0, "over": 1},
    ),
    ("step too small", "The step is so small that rounding eats the difference: try ε = 1e-5.", {"epsilon": 1e-13}),
    ("step too large", "The step is so large that the function bends on the way: try ε = 1e-5.", {"epsilon": 0.5}),
    (
        "divided by half the distance",
        "From θ − ε to θ + ε it is 2ε, so divide by 2ε. Divided by half of that it comes out 2 times as long as it should.",
        {"over": 1},
    ),
    (
        "divided by twice the distance",
        "It is divided by twice the distance between the two points, and comes out half as long as it should.",
        {"over": 4},
    ),
    (
        "multiplied by epsilon",
        "Brackets: `/ 2 * epsilon` divides by 2 and then multiplies by ε. The difference is to be divided by 2ε: "
        "`/ (2 * epsilon)`.",
        {"power": -1},
    ),
    ("not divided", "The difference is not divided by the distance between its two points, 2ε.", {"over": 1, "power": 0}),
    (
        "sign",
        "It is -1 times what it should be: take the value at θ + ε first, and subtract the one at θ − ε.",
        {"up": -1, "down": 1},
    ),
)  # fmt: skip


class DifferenceProblem(FunctionProblem):
    """A derivative by differences: `variant` makes it with the settings of `quotient`, from which come COMMON mistakes."""

    def __init_subclass__(cls):
        super().__init_subclass__()
        cls.mistakes += tuple(Mistake(*words, partial(cls.variant, **settings)) for *words, settings in COMMON)
