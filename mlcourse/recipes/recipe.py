"""Every way to make a meta-gradient: a recipe is a handful of choices, each with one right setting.

`deviations` names the wrong settings, `explaining` finds the fewest of them that reproduce what an implementation gave.
A recipe is computed from value, grad and hvp alone; a `Kitchen` shares what the recipes for one episode have in common.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from mlcourse.checks import DivergenceError
from mlcourse.recipes.ingredients import Ingredients, one_task, seen

BY_HAND = ", by hand"  # in the inner loop alone: the way back is that of the right one, as written down by hand


class Recipe(NamedTuple):
    """How a meta-gradient is made. The defaults make the exact one; DEVIATIONS has the other settings.

    descends    the data whose loss the inner loop descends, and whose Hessian its factors have
    size        what stands for alpha in the steps and in their factors, or a number
    extra       inner steps beyond m; in words: how many there are, whatever m
    walk        how one step follows another, and one task another
    judged_on   the data whose loss is differentiated outside
    judged_at   where it is differentiated
    factors     which of the steps' factors I - alpha H are applied
    order       which of them comes first
    hessian_at  where each Hessian is taken
    hessian_of  the data whose Hessian it is
    factor      what is applied for each
    tasks       how the tasks are put together; their sum is the mean up to a constant factor
    gives       what is handed out
    """

    descends: str = "support"
    size: str | float = "alpha"
    extra: int | str = 0
    walk: str = "afresh"
    judged_on: str = "query"
    judged_at: str = "theta m"
    factors: str = "all"
    order: str = "backward"
    hessian_at: str = "theta i"
    hessian_of: str = "what is descended"
    factor: str = "I - alpha H"
    tasks: str = "mean"
    gives: str = "gradient"


# Choices that make no difference where others have these settings: recipes that differ in them alone are one.
_FACTORS = ("order", "hessian_at", "hessian_of", "factor")
_IDLE = (
    ("factors", "none", _FACTORS),
    ("factor", "wrong vector", ("order",)),
    ("extra", "none", ("size", "walk", "judged_at", *_FACTORS)),
    ("gives", "theta m", ("judged_on", "judged_at", "factors", *_FACTORS)),
    ("gives", "theta - theta m", ("judged_on", "judged_at", "factors", *_FACTORS)),
)


def idle(settings):
    """Whether a deviation in `settings` (choice -> setting) makes no difference beside the others."""
    return any(settings.get(choice) == value and set(unused) & set(settings) for choice, value, unused in _IDLE)


class Kitchen(Ingredients):
    """The recipes' meta-gradients for one episode.

    beta    the outer step size of "an update a task"; None leaves that recipe out
    along   (k, P) directions along which alone the meta-gradients are looked at, None for all axes. Places that have
            hvp_along(v, along) -> (T, k) then need not compute the whole of the last product
    others  as for Ingredients
    """

    def __init__(self, objective, theta, episode, alpha, steps, *, beta=None, along=None):
        super().__init__(objective, theta, episode, alpha, steps)
        self.beta, self.along = beta, along

    @np.errstate(over="ignore", invalid="ignore")
    def gradient(self, **settings):
        """The meta-gradient of Recipe(**settings): (P,), (k,) along directions; None where it cannot be made."""
        recipe = Recipe(**settings)
        alpha = self._size(recipe.size.removesuffix(BY_HAND)) if isinstance(recipe.size, str) else recipe.size
        steps = {"none": 0, "one": 1}[recipe.extra] if isinstance(recipe.extra, str) else self.steps + recipe.extra
        if alpha is None or steps < 0:
            return None
        if recipe.walk == "an update a task":
            return None if self.beta is None else self._an_update_a_task(recipe, settings)
        if recipe.walk == "one long step":
            alpha, steps = alpha * steps, min(steps, 1)
        descends, walk = (name.removesuffix(BY_HAND) for name in (recipe.descends, recipe.walk))
        try:
            path = self.path(descends, walk, alpha, steps)
        except DivergenceError:
            return None
        if recipe.gives == "gradient":
            return self._way_back(recipe, path, self.alpha if str(recipe.size).endswith(BY_HAND) else alpha)
        theta_m = self.weights[recipe.tasks] @ path[-1]
        return seen(self.theta - theta_m if recipe.gives == "theta - theta m" else theta_m, self.along)

    def _size(self, size):
        shots = self.sizes.get("K")
        if size in ("alpha / K", "alpha K") and shots is None:
            return None
        return {
            "alpha": lambda: self.alpha,
            "left out": lambda: 1.0,
            "uphill": lambda: -self.alpha,
            "alpha / K": lambda: self.alpha / shots,
            "alpha K": lambda: self.alpha * shots,
            "alpha / T": lambda: self.alpha / self.sizes["T"],
        }[size]()

    @cached_property
    def weights(self):
        """What each task counts, for each way to put the tasks together: (T,)."""
        one = np.eye(self.sizes["T"])
        return {"mean": one.mean(axis=0), "first": one[0], "last": one[-1]}

    def _an_update_a_task(self, recipe, settings):
        """theta moves by beta times each task's own meta-gradient before the next task is asked."""
        theta, rows = self.theta, []
        settings = settings | {"walk": "afresh", "tasks": "mean"}
        for task in range(self.sizes["T"]):
            episode = one_task(self.support, task), one_task(self.query, task)
            alone = Kitchen(self.objective, theta, episode, self.alpha, self.steps)
            rows.append(alone.gradient(**settings))
            if rows[-1] is None:
                return None
            theta = theta - self.beta * rows[-1]
        return seen(self.weights[recipe.tasks] @ rows, self.along)

    def _way_back(self, recipe, path, alpha):
        """What is carried back to theta_0, the tasks put together; None where nothing is judged."""
        last, weights = len(path) - 1, self.weights[recipe.tasks]
        ends = {"theta": [0], "every step": range(1, last + 1), "every step and the start": range(last + 1)}
        mean_theta, through_all = recipe.judged_at == "mean theta m", recipe.walk == "carried"
        rows = []
        for end in ends.get(recipe.judged_at, [last]):
            v = self.place(self.mean(path[end]) if mean_theta else path[end], recipe.judged_on).grad
            if mean_theta or recipe.walk == "together":
                v = self.for_all(weights @ v)
            steps = range(last if recipe.judged_at == "theta" else end)
            rows.append(self._carried_back(recipe, path, alpha, steps, v, None if through_all else self.along))
        if not rows:
            return None
        if through_all:
            return self._through_all(recipe, path, alpha, weights[:, None] * sum(rows))
        return sum(rows).mean(axis=0) if mean_theta or recipe.walk == "together" else weights @ sum(rows)

    def _through_all(self, recipe, path, alpha, rows):
        """Each task started from where the one before it ended, so what is carried back goes on through that one."""
        v = np.zeros_like(self.theta)
        for task in reversed(range(len(rows))):
            steps = range(len(path) - 1)
            v = rows[task] + self._carried_back(recipe, path, alpha, steps, self.for_all(v), None)[task]
        return seen(v, self.along)

    def _carried_back(self, recipe, path, alpha, steps, v, along):
        """v after the factors of `steps`: (T, P), or what is seen of it along the directions."""
        first, last = 0, len(path) - 2
        chosen = {
            "all": steps,
            "none": (),
            "last": [i for i in steps if i == last],
            "first": [i for i in steps if i == first],
            "all but the first": [i for i in steps if i > first],
            "all but the last": [i for i in steps if i < last],
            "one too many": range(len(steps) + 1),
        }[recipe.factors]
        chosen = chosen if recipe.order == "forward" else chosen[::-1]
        side_by_side = recipe.order == "side by side" or recipe.walk == "stale"
        total = seen(v, along)
        for i in chosen:
            final = i == chosen[-1] or side_by_side
            term = self._term(recipe, path, alpha, i, v, along if final else None)
            total = total - (term if final else seen(term, along))
            if not final:
                v = -term if recipe.walk == "from the first" else v - term
        return total

    def _term(self, recipe, path, alpha, i, v, along):
        """What the factor of step i takes away from v: (T, P), or what is seen of it along the directions."""
        at = {"theta 0": 0, "theta m": len(path) - 1, "theta i + 1": min(i + 1, len(path) - 1)}
        here = path[at.get(recipe.hessian_at, 0 if recipe.walk == "stale" else i)]
        descended = "support" if recipe.descends.endswith(BY_HAND) else recipe.descends
        which = descended if recipe.hessian_of == "what is descended" else recipe.hessian_of

        def product(v, along=along):
            return self.product(here, which, v, along)

        def slope():
            return self.place(here, which).grad

        term = {
            "I - alpha H": lambda: product(alpha * v),
            "I + alpha H": lambda: -product(alpha * v),
            "I - H": lambda: product(v),
            "-alpha H": lambda: seen(v, along) + product(alpha * v),
            "wrong vector": lambda: product(alpha * slope()),
            "entry by entry": lambda: seen(product(alpha * v, None) * v, along),
            "slope for H": lambda: seen(alpha * slope() * v, along),
            "outer product": lambda: seen(slope() * np.sum(slope() * alpha * v, axis=-1, keepdims=True), along),
        }[recipe.factor]()
        return np.broadcast_to(term.mean(axis=0), term.shape) if recipe.walk == "together" else term
