"""What an implementation of MAML in any framework gives at one theta, beside the exact meta-gradient by differences."""

from time import monotonic

import numpy as np

from mlcourse import checks
from mlcourse.recipes.differences import VALUES, Differences, Loss, best_steps
from mlcourse.recipes.explaining import ratio
from mlcourse.recipes.ingredients import seen
from mlcourse.recipes.recipe import Kitchen
from mlcourse.tasks import Episode

ALL_AXES = 32  # parameters up to which gradients are looked at along all axes; beyond it along DIRECTIONS random ones
DIRECTIONS = 16


def digits(relative):
    """How many digits agree where the difference is that part of the whole."""
    return int(np.clip(-np.log10(max(relative, 1e-16)), 0, 16))


class Implementation:
    """Functions of one vector theta (P,), with what does not fit said when they are called.

    meta_gradient            theta -> (P,)
    support_losses, query_losses  theta -> number, one a task
    alpha, steps             inner step size and number of inner steps
    """

    def __init__(self, meta_gradient, support_losses, query_losses, theta, alpha, steps, rng, seconds):
        self.theta = theta = one_vector(theta)
        self.support, self.query = _losses("support_losses", support_losses), _losses("query_losses", query_losses)
        if len(self.support) != len(self.query):
            raise ValueError(
                "support_losses and query_losses must have one loss a task each, "
                f"got {len(self.support)} and {len(self.query)}"
            )
        self.meta_gradient, self.rng = meta_gradient, rng
        self.alpha, self.steps = checks.step_size(alpha, theta.size)[()], checks.at_least("steps", steps, 1)
        for loss in self.support + self.query:
            if not np.isfinite(loss(theta)):
                raise ValueError(f"{loss.name} must be finite at theta, got {loss(theta)}")
        self.ask(theta)
        self._require_affordable(seconds)
        all_axes = theta.size <= ALL_AXES
        self.along = None if all_axes else rng.normal(size=(DIRECTIONS, theta.size)) / np.sqrt(DIRECTIONS)
        self.lengths = best_steps(self.support + self.query, theta, rng)

    def ask(self, theta):
        """What the implementation gives at theta, in whatever arrays, as one vector of floats (P,)."""
        parts = list(_numbers(self.meta_gradient(theta.copy())))
        gradient = np.concatenate(parts) if parts else np.empty(0)
        if gradient.size != theta.size:
            raise ValueError(
                f"meta_gradient must return {theta.size} numbers, one a parameter as in theta, got {gradient.size}"
            )
        return gradient

    def _require_affordable(self, seconds):
        """Raise ValueError, with an estimate, where the exact gradient would take longer."""
        gradients = 2 * self.steps + 1  # m + 1, and m products that cost as much
        evaluations = 2 * VALUES * self.theta.size * len(self.support) * gradients  # twice, to know the error
        needed = evaluations * min(self._seconds(loss) for loss in self.support + self.query)
        if needed > seconds:
            raise ValueError(
                f"theta has {self.theta.size} parameters: the exact gradient takes {evaluations:.0e} evaluations of "
                f"the losses, about {needed:.0f} s, more than seconds = {seconds}. Ask the same code about a smaller "
                f"network, fewer tasks or fewer steps, or allow seconds={2 * needed:.0f}"
            )

    def _seconds(self, loss):
        start = monotonic()
        loss(self.theta)
        return monotonic() - start

    def kitchen(self, theta, step, usual):
        """The recipes at theta, by differences with steps of that length."""
        episode = Episode(self.support, self.query, {})
        return TimedKitchen(Differences(step, usual), theta, episode, self.alpha, self.steps, along=self.along)


def one_vector(theta):
    """theta as finite floats (P,), or an error."""
    theta = np.array(theta, dtype=float)
    if theta.ndim != 1 or not theta.size:
        raise ValueError(f"theta must be one flat vector of parameters (P,), got shape {theta.shape}")
    return checks.finite("theta", theta)


def _losses(name, functions):
    if not isinstance(functions, (list, tuple)) or not functions or not all(map(callable, functions)):
        what = f"{len(functions)} items" if isinstance(functions, (list, tuple)) else type(functions).__name__
        raise TypeError(f"{name} must be a list of functions theta -> number, one a task, got {what}")
    return tuple(Loss(f"{name}[{task}]", function) for task, function in enumerate(functions))


def _numbers(value):
    """The arrays in what a meta_gradient returned: lists, tuples and mappings of arrays of any library."""
    if value is None:
        raise TypeError(
            "meta_gradient returned None, or a part of it is None: is a return missing? Else no gradient reaches these "
            "parameters, as behind a detach or a copy (higher copies unless copy_initial_weights=False)"
        )
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _numbers(part)
    else:
        value = value.detach().cpu().double() if hasattr(value, "detach") else value
        yield np.asarray(value).astype(float).ravel()


class TimedKitchen(Kitchen):
    """Recipes that are given up when they need more measurements than there is time for."""

    late = False

    def stop_at(self, deadline):
        def check():
            if monotonic() > deadline:
                raise TimeoutError

        self.objective.check = check

    def gradient(self, **settings):
        try:
            return super().gradient(**settings)
        except TimeoutError:
            self.late = True
            return None


class Measured:
    """The implementation's gradient and the exact one at one theta.

    found      as it came: (P,); seen along the directions as `seen`
    exact      by differences, seen likewise
    error      the length that the exact one is uncertain by, with all steps of the differences longer or shorter
    rounding   the same of the one found: what does not follow a smooth curve when theta moves a little
    tolerance  relative: up to where two gradients are the same
    changes    whether it is another when the implementation is called again
    """

    def __init__(self, implementation, theta):
        self.implementation, self.theta = implementation, theta
        self.found, self.error = implementation.ask(theta), np.inf
        self.seen = seen(self.found, implementation.along)
        for step, usual in implementation.lengths:
            kitchen, other = (implementation.kitchen(theta, part * step, usual) for part in (1, 0.6))
            exact, again = kitchen.gradient(), other.gradient()
            if exact is None or again is None:
                raise ValueError(f"with alpha = {implementation.alpha} the inner loop diverges: try a tenth of it")
            error = np.linalg.norm(exact - again)
            if error < self.error:
                self.kitchen, self.exact, self.error = kitchen, exact, error
            if self.error <= 1e-6 * np.linalg.norm(self.exact):
                break
        self.kinks = self.kitchen.objective.kinks
        self.length = max(np.linalg.norm(self.exact), 1e-300)
        self.rounding = self._rounding()
        self.tolerance = min(0.3, 1e-9 + 10 * (self.error + self.rounding) / max(np.linalg.norm(self.seen), 1e-300))
        again = implementation.ask(theta)
        self.changes = np.linalg.norm(again - self.found) > 1e-5 * np.linalg.norm(self.found)

    def near(self):
        """Another theta near by."""
        spread = 0.3 * max(0.3, np.sqrt(np.mean(self.theta**2)))
        return self.theta + spread * self.implementation.rng.normal(size=self.theta.size)

    def _rounding(self):
        """From the fourth difference of five gradients in a row: it is that of a smooth curve's to 1e-20."""
        d = 1e-5 * self.implementation.rng.normal(size=self.theta.size) / np.sqrt(self.theta.size)
        line = [self.found, *(self.implementation.ask(self.theta + k * d) for k in range(1, 5))]
        fourth = np.diff([seen(gradient, self.implementation.along) for gradient in line], n=4, axis=0)
        return np.linalg.norm(fourth) / np.sqrt(1 + 16 + 36 + 16 + 1)

    @property
    def off(self):
        """How far the one found is from the exact one, relative to the exact one's length."""
        off = np.linalg.norm(self.seen - self.exact) / self.length
        return off if np.isfinite(off) else np.inf

    @property
    def digits(self):
        """To how many digits the two agree, as far as differences can tell."""
        return digits(max(self.off, self.error / self.length))

    def is_same(self, other):
        """Whether the gradient found is `other`."""
        return ratio(self.seen, other, self.tolerance) == 1

    def doubts(self):
        """Sentences on what makes the comparison less sharp."""
        if self.changes:
            yield (
                "called again at the same theta it gives another gradient: is something kept from call to call (a "
                ".grad that is not set to zero, parameters that moved), or drawn afresh?"
            )
        if self.kinks:
            yield "a loss has kinks, as relu has: with smooth units, such as tanh, differences tell more"
        if self.error > 1e-6 * self.length:
            told = digits(self.error / self.length)
            yield f"the losses are rounded, as in float32, or rough: of the exact gradient they tell {told} digit(s)"
        if self.rounding > 2e-9 * self.length:
            rounding = self.rounding / self.length
            yield f"the gradient found is itself rounded, by {rounding:.0e} of its length, as in float32"
