"""Derivatives of losses that are given as plain functions of one vector, from their values alone.

A central difference D(s) with steps of length s is off by a multiple of s^2, so (4 D(s/2) - D(s)) / 3 is off by one of
s^4 (Richardson 1911). The Hessian enters as v^T H w = (S(v + w) - S(v) - S(w)) / 2, S(v) the second difference along v.
Where a step crosses a kink, as relu has, the same with s/2 disagrees, and shorter steps are taken.
"""

from functools import cached_property

import numpy as np

SHORTER = 1 / 8, 1 / 64  # of a step, where the usual one meets a kink
ROUGH = 30  # times the usual disagreement: worth a shorter step
KINK = 1e-4  # of the value: a disagreement that no smooth loss has at the usual step
VALUES = 6  # of a loss that one difference takes


class Loss:
    """A function (P,) -> number, or the mean of several. `name` is what errors call it."""

    def __init__(self, name, *functions):
        self.name, self.functions, self.calls = name, functions, 0

    def pooled(self, other):
        """The loss on both sets of examples, taken to be as many."""
        return Loss(f"{self.name} and {other.name}", *self.functions, *other.functions)

    def __call__(self, theta):
        self.calls += len(self.functions)
        return sum(number(self.name, function(theta.copy())) for function in self.functions) / len(self.functions)


def number(name, value):
    """The one number in what a loss gave, in any library's array."""
    value = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if value.size != 1 or value.dtype.kind not in "fiu":
        what = "None" if value[()] is None else f"{value.dtype} of shape {value.shape}"
        raise TypeError(f"{name} must return one number, the loss, got {what}: take the mean over its examples")
    return float(value.reshape(())[()])


class Differences:
    """An objective whose data are Losses, one a task; see `mlcourse.objectives`.

    step   the length of a difference's step
    usual  what the extrapolated differences with s and with s/2 usually disagree by, relative to their value
    kinks  how often a shorter step was much better
    check  called before each measurement, to stop it by raising
    """

    def __init__(self, step, usual=0.01, check=lambda: None):
        self.step, self.usual, self.check, self.kinks, self._rows = step, usual, check, 0, {}

    def at(self, theta, losses):
        return DifferencePlace(self, np.broadcast_to(theta, (len(losses), np.shape(theta)[-1])), losses)

    def row(self, theta, loss):
        """The Row of a loss at a theta (P,); the same one whenever it is asked for."""
        key = loss, theta.tobytes()
        if key not in self._rows:
            self._rows[key] = Row(self, theta, loss)
        return self._rows[key]

    def settled(self, difference, count):
        """`count` extrapolated differences, each with a shorter step where the usual one meets a kink.

        difference  (length of the step, indices) -> their central differences
        """
        value, doubt = _extrapolated(difference, self.step, np.arange(count))
        size = np.max(np.abs(value))
        usual = min(np.median(doubt), self.usual * size) + 1e-12 * size
        for part in SHORTER:
            rough = np.flatnonzero(~(doubt <= ROUGH * usual))
            if not rough.size:
                break
            again, doubt_again = _extrapolated(difference, part * self.step, rough)
            better = ~(doubt_again >= doubt[rough])
            self.kinks += np.count_nonzero((doubt_again < 0.1 * doubt[rough]) & (doubt[rough] > KINK * size))
            value[rough[better]], doubt[rough[better]] = again[better], doubt_again[better]
        return value


def _extrapolated(difference, step, which):
    """(4 D(s/2) - D(s)) / 3, and how far it moves when s is halved."""
    coarse, fine, finest = (difference(part * step, which) for part in (1, 1 / 2, 1 / 4))
    value = fine + (fine - coarse) / 3
    return value, np.abs(finest + (finest - fine) / 3 - value)


class DifferencePlace:
    """The losses of all tasks at their thetas (T, P) (see `mlcourse.objectives.place`)."""

    def __init__(self, objective, theta, losses):
        self.objective, self.theta, self.losses = objective, theta, losses
        self.rows = [objective.row(row, loss) for row, loss in zip(theta, losses, strict=True)]

    def at(self, theta):
        return self.objective.at(theta, self.losses)

    @cached_property
    def value(self):
        return np.array([row.value for row in self.rows])

    @cached_property
    def grad(self):
        return np.stack([row.grad for row in self.rows])

    def hvp(self, v):
        """The Hessians times v (T, P): (T, P)."""
        return np.stack([row.hvp(each) for row, each in zip(self.rows, v, strict=True)])

    def hvp_along(self, v, along):
        """The same along the k directions alone: (T, k), for as many measurements."""
        return np.stack([row.hvp(each, along) for row, each in zip(self.rows, v, strict=True)])


class Row:
    """One loss at one theta (P,)."""

    def __init__(self, objective, theta, loss):
        self.objective, self.theta, self.loss = objective, theta, loss
        self._pairs, self._products = {}, 0

    @cached_property
    def value(self):
        return self.loss(self.theta)

    def _pair(self, direction, step, key=None):
        """The losses at theta + step * direction and at theta - step * direction; kept under the key."""
        if (key, step) in self._pairs:
            return self._pairs[key, step]
        self.objective.check()
        pair = self.loss(self.theta + step * direction), self.loss(self.theta - step * direction)
        if key is not None:
            self._pairs[key, step] = pair
        return pair

    def _axis(self, i):
        """Direction i, and the key of what is measured along it."""
        axis = np.zeros_like(self.theta)
        axis[i] = 1
        return axis, int(i)

    @cached_property
    def grad(self):
        def slopes(step, which):
            pairs = [self._pair(axis, step, key) for axis, key in map(self._axis, which)]
            return np.array([(plus - minus) / (2 * step) for plus, minus in pairs])

        return self.objective.settled(slopes, self.theta.size)

    def hvp(self, v, along=None):
        """The Hessian times v: (P,), or (k,) along k directions. Where many products are asked for, by the Hessian."""
        size, length = self.theta.size, np.linalg.norm(v)
        self._products += 1 if along is None else len(along) / size
        if "hessian" in self.__dict__ or self._products > size / 2:
            return self.hessian @ v if along is None else along @ self.hessian @ v
        if along is None:
            return length * self._bends(v / (length or 1), self._axis, size)
        lengths = np.linalg.norm(along, axis=1)
        return (
            length
            * lengths
            * self._bends(v / (length or 1), lambda i: (along[i] / lengths[i], ("along", int(i))), len(along))
        )

    def _bends(self, w, direction, count, key=None):
        """u^T H w for `count` directions u; all of length 1."""

        def second(direction, step, key=None):
            plus, minus = self._pair(direction, step, key)
            return plus + minus - 2 * self.value

        def bends(step, which):
            own = second(w, step, key)
            each = [second(u + w, step) - second(u, step, key) for u, key in map(direction, which)]
            return (np.array(each) - own) / (2 * step**2)

        return self.objective.settled(bends, count)

    @cached_property
    def hessian(self):
        """The whole Hessian (P, P): a product an axis, without what is there by symmetry."""
        size = self.theta.size
        hessian = np.zeros((size, size))
        for i in range(size):
            hessian[i, i:] = self._bends(self._axis(i)[0], lambda j, i=i: self._axis(i + j), size - i, i)
        return np.triu(hessian) + np.triu(hessian, 1).T


def best_steps(losses, theta, rng, directions=6):
    """Lengths of step at which second differences of these losses agree best, between the error of s^4 and rounding.

    -> pairs (step, usual disagreement relative to the value): the one that is best by the mean of the logarithms,
       short enough to avoid most kinks, and the one by their median, if it is another
    """
    steps = max(1.0, np.sqrt(np.mean(theta**2))) * 2.0 ** -np.arange(22)
    doubts = []
    for loss in losses:
        value = loss(theta)
        for n in range(directions):
            d = rng.normal(size=theta.size) * (1 if n % 2 else np.arange(theta.size) == rng.integers(theta.size))
            d = d / np.linalg.norm(d)
            second = np.array([(loss(theta + s * d) + loss(theta - s * d) - 2 * value) / s**2 for s in steps])
            extrapolated = (4 * second[1:] - second[:-1]) / 3
            size = np.median(np.abs(extrapolated[np.isfinite(extrapolated)])) + 1e-300
            doubts.append(np.abs(np.diff(extrapolated)) / size + 1e-15)
    doubts = np.log(np.nan_to_num(doubts, nan=1e300, posinf=1e300))
    curves = [np.convolve(by(doubts, axis=0), np.ones(3) / 3, mode="valid") for by in (np.mean, np.median)]
    best = dict.fromkeys(int(np.argmin(curve)) + 2 for curve in curves)
    return [(float(steps[index]), float(np.exp(np.median(doubts[:, index])))) for index in best]
