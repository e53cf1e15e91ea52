"""Which gradient is this? What an implementation of MAML in any framework gives, beside the exact meta-gradient.

Nothing of the implementation's automatic differentiation is trusted: the exact gradient, and all that it is compared
with, comes from values of the losses, by central differences.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

import numpy as np

from mlcourse.recipes.deviations import AN_UPDATE_A_TASK, DEVIATIONS, Deviation
from mlcourse.recipes.explaining import cosine, explain, facts, fitted, ratio
from mlcourse.recipes.measured import Implementation, Measured

TOLD = 4  # explanations at most
ENOUGH = 6  # numbers in a gradient, to fit one more to them
TOO_ROUGH = 1e-3  # of the exact gradient: where differences are off by more, what they do not know may be their fault
CLOSE = 1e-5  # relative: what differences of a recipe may be off by where those of the exact one are sharper
FIRST_ORDER = next(each for each in DEVIATIONS if each.setting == "none" and each.choice == "factors")


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found. Printed, it is a few lines; `require_exact` is for a test suite.

    outcome       "exact"; "deviates", in a known way; "unknown", not exact; "undecided", noise hides the difference
    digits        to how many digits it agrees with the exact gradient, as far as differences can tell
    error         how far it is from the exact gradient, relative to that one's length
    explanations  the fewest deviations that give it, a tuple of Deviation each; several where they cannot be told apart
    facts         further sentences
    """

    outcome: str
    digits: int
    error: float
    explanations: tuple
    facts: tuple

    @property
    def names(self):
        """The explanations by name, in a line."""
        names = [" + ".join(deviation.name for deviation in explanation) for explanation in self.explanations]
        return "; or ".join(names[:TOLD] + [f"{len(names) - TOLD} others"] * (len(names) > TOLD))

    def __str__(self):
        off = f"not exact, off by {self.error:.2g} of its length" if np.isfinite(self.error) else "not exact"
        first = {
            "exact": f"exact: this is MAML's meta-gradient, to {self.digits} digits",
            "deviates": f"{off}: {self.names}",
            "unknown": f"{off}, in no way that is known",
            "undecided": "undecided: from these losses, at this theta, it cannot be told",
        }[self.outcome]
        sentences = dict.fromkeys(each.sentence for chosen in self.explanations[:TOLD] for each in chosen)
        return "\n  ".join([first, *sentences, *self.facts])

    def require_exact(self):
        """Raise AssertionError, with what was found, unless the gradient is exact."""
        assert self.outcome == "exact", str(self)


def diagnose(meta_gradient, support_losses, query_losses, theta, *, alpha, steps, seconds=60, seed=0):
    """Whether an implementation gives MAML's exact meta-gradient, and which gradient it gives if not.

    meta_gradient   theta (P,) -> (P,): yours, the mean over the tasks; parts in a list are taken one after another
    support_losses  one function theta (P,) -> number a task: the loss that its inner steps descend
    query_losses    the same for the loss after them
    theta           (P,) float64, where to look: no special place such as 0
    alpha, steps    inner step size, a number or (P,), and the number of inner steps, at least 1
    seconds         what the exact gradient may take, and then the search for deviations
    seed            of the random directions
    ->              Diagnosis
    A small network with smooth units, a few tasks and losses in float64 tell most. Raises TypeError or ValueError for
    what does not fit, and, with an estimate, for more parameters than the time allows.
    """
    rng = np.random.default_rng(seed)
    implementation = Implementation(meta_gradient, support_losses, query_losses, theta, alpha, steps, rng, seconds)
    here = Measured(implementation, implementation.theta)
    result = partial(Diagnosis, digits=here.digits, error=float(here.off))
    if here.is_same(here.exact) and not here.changes:
        if here.is_same(here.kitchen.gradient(factors="none")):
            same = "the exact and the first-order gradient are the same here, as far as can be told"
            advice = "a larger alpha, another theta or losses in float64 may tell them apart"
            return result("undecided", explanations=(), facts=(same, *here.doubts(), advice))
        return result("exact", explanations=(), facts=tuple(here.doubts()))
    hits, more = ([], []) if here.changes else _explanations(here, monotonic() + seconds)
    if hits:
        return result("deviates", explanations=tuple(hits), facts=(*more, *here.doubts()))
    rough = here.error > TOO_ROUGH * here.length and not here.changes
    outcome = "undecided" if rough and np.any(here.seen) else "unknown"
    return result(outcome, explanations=(), facts=(*facts(here.seen, here.kitchen), *more, *here.doubts()))


def _explanations(here, deadline):
    """The fewest deviations that give what was found, and sentences on the search."""
    if not np.any(here.seen) or not np.all(np.isfinite(here.seen)):
        return [], []
    here.kitchen.stop_at(deadline)
    hits, more = _told([here], most=1), []
    if not hits:
        hits, more = _with_a_number(here)
    if not hits:
        hits = _told([here], most=2)
    if len(hits) > 1:
        known = dict.fromkeys(each for chosen in hits for each in chosen if each.choice != "constant")
        with suppress(ValueError):  # the inner loop may diverge there
            there = Measured(here.implementation, here.near())
            hits = _told([here, there], deviations=tuple(known), most=len(hits[0])) or hits
    if here.kitchen.late:
        more = [*more, "not all known deviations were tried: with fewer parameters or tasks, or more seconds, they are"]
    return hits, more if hits else [*more, *_nearest(here)]


def _told(places, **options):
    tolerance = max(CLOSE, *(place.tolerance for place in places))
    found, kitchens = [place.seen for place in places], [place.kitchen for place in places]
    return explain(found, kitchens, compare=partial(ratio, tolerance=tolerance), tolerance=10 * tolerance, **options)


def _with_a_number(here):
    """Explanations with a number that has to be found first: another alpha, or the size of an outer step a task."""
    kitchen, alpha = here.kitchen, here.implementation.alpha
    if here.seen.size < ENOUGH:
        return [], []
    for others in ({}, {"factors": "none"}):
        if not np.ndim(alpha):
            sizes = alpha * np.array([0.1, 0.25, 0.5, 2, 4, 10])
            size = fitted(here.seen, lambda size, others=others: kitchen.gradient(size=size, **others), sizes)
            sentence = f"The inner steps have size {size:.4g}, where α = {alpha:g} was said."
            another = Deviation("size", size, "another step size", sentence)
            hits = _told([here], deviations=(another, FIRST_ORDER), most=3)
            if hits:
                return hits, []
        kitchen.beta = fitted(here.seen, lambda beta, others=others: _updating(kitchen, beta, others), (0.0, 0.1, 1.0))
        hits = _told([here], deviations=(AN_UPDATE_A_TASK, FIRST_ORDER), most=3)
        if hits:
            return hits, [f"each of these updates has size {kitchen.beta:.4g}"]
        kitchen.beta = None
    return [], []


def _updating(kitchen, beta, others):
    kitchen.beta = beta
    return kitchen.gradient(walk="an update a task", **others)


def _nearest(here):
    """The known deviation whose direction is nearest, where it is near."""
    ways = {each.name: here.kitchen.gradient(**{each.choice: each.setting}) for each in DEVIATIONS}
    near = {name: cosine(here.seen, way) for name, way in ways.items() if way is not None}
    best = max(near, key=near.get)
    return [f"the nearest that is known is: {best}, with cosine {near[best]:.4f}"] if near[best] > 0.9 else []
