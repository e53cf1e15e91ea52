"""What problems about meta-gradients share: their known mistakes are deviations from a recipe (mlcourse.recipes)."""

from functools import cached_property
from types import MappingProxyType

import numpy as np

from mlcourse import Episode
from mlcourse.classroom.judging import FunctionProblem
from mlcourse.recipes.deviations import DEVIATIONS, Deviation
from mlcourse.recipes.recipe import Kitchen, idle
from mlcourse.tasks import Data

EXACT = Deviation(
    "factors",
    "all",
    "exact gradient",
    "This is MAML's exact gradient. Right elsewhere; here the factors (I − αH) are to be left out.",
)


class MetaGradientProblem(FunctionProblem):
    """Write a meta-gradient (objective, theta, episode, alpha, steps) -> (P,).

    recipe  the settings of the right one, beside the exact one's
    """

    recipe = MappingProxyType({})
    deviations = DEVIATIONS
    tolerance = 1e-5  # float32 all the way is no mistake

    def skip(self, settings):
        return idle({**self.recipe, **settings})

    def kitchen(self, case):
        return Kitchen(**case)

    def maker(self, case):
        kitchen = self.kitchen(case)
        return lambda settings: kitchen.gradient(**{**self.recipe, **settings})

    def sizes(self, case):
        return self.kitchen(case).sizes

    def simpler(self, case):
        support, query = (Data(data.x[:1], data.y[:1]) for data in case["episode"][:2])
        return {
            "one inner step and one task": case | {"steps": 1, "episode": Episode(support, query, {})},
            "one inner step": case | {"steps": 1},
            "one task": case | {"episode": Episode(support, query, {})},
        }


class Loss:
    """A loss of one theta (P,) by its gradient and Hessian-vector product, as lesson 4 hands them out.

    hvp  None where it is not given: then by differences of the gradient
    """

    def __init__(self, grad, hvp=None):
        self.grad, self.hvp = grad, hvp or self._by_differences

    def _by_differences(self, theta, v, epsilon=1e-5):
        return (self.grad(theta + epsilon * v) - self.grad(theta - epsilon * v)) / (2 * epsilon)

    def pooled(self, other):
        return Loss(
            lambda theta: (self.grad(theta) + other.grad(theta)) / 2,
            lambda theta, v: (self.hvp(theta, v) + other.hvp(theta, v)) / 2,
        )


class OfLosses:
    """An objective whose data are Losses, one a task."""

    @staticmethod
    def at(theta, losses):
        return _Here(theta, losses)


class _Here:
    """Such losses at one theta (T, P) (see `mlcourse.objectives.place`)."""

    def __init__(self, theta, losses):
        self.theta, self.losses = theta, losses

    @cached_property
    def grad(self):
        return np.stack([loss.grad(row) for loss, row in zip(self.losses, self.theta, strict=True)])

    def hvp(self, v):
        return np.stack([loss.hvp(row, each) for loss, row, each in zip(self.losses, self.theta, v, strict=True)])


class OneStepProblem(MetaGradientProblem):
    """The same for one inner step on one task whose losses are given as functions of theta: `losses(case)`."""

    deviations = tuple(
        each
        for each in DEVIATIONS
        if each.choice not in ("extra", "walk", "order", "tasks")
        and (each.choice != "factors" or each.setting == "none")
        and (each.choice, each.setting) not in (("hessian_at", "theta 0"), ("hessian_at", "theta i + 1"))
        and each.setting not in ("every step", "every step and the start", "mean theta m")
        and not str(each.setting).startswith(("alpha / ", "alpha K"))
    )

    def losses(self, case):
        """(support, query), each a Loss."""
        return Loss(case["grad_s"], case["hvp_s"]), Loss(case["grad_q"])

    def kitchen(self, case):
        support, query = self.losses(case)
        return Kitchen(OfLosses(), np.atleast_1d(case["theta"]), Episode((support,), (query,), {}), case["alpha"], 1)

    def maker(self, case):
        gradient, shape = super().maker(case), np.shape(case["theta"])
        return lambda settings: np.reshape(gradient(settings), shape)

    def sizes(self, case):
        return {"alpha": case["alpha"]}

    def simpler(self, case):
        return {}

    def told(self, deviation):
        """With one step theta_i is theta and theta_m is theta'."""
        sentence = deviation.sentence
        for words, ours in _ONE_STEP:
            sentence = sentence.replace(words, ours)
        return deviation.name.replace("theta m", "theta prime"), sentence


# A deviation's words -> the same for one step on one task, in this order.
_ONE_STEP = (
    ("Every Hessian", "The Hessian"),
    ("every factor", "the factor"),
    ("inner steps go", "inner step goes"),
    ("inner steps have", "inner step has"),
    (": keep all θ_i", ""),
    (", averaged over tasks", ""),
    ("θ_m", "θ′"),
    ("θ_i", "θ"),
)
