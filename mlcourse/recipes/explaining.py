"""Which deviations explain an answer: the fewest under which the right way gives what was found, and plain facts else.

`fewest` knows nothing of gradients: it searches the settings of any function that is made with deviations. `explain` is
its use for meta-gradients and the recipes of `mlcourse.recipes`.
"""

from itertools import combinations

import numpy as np

from mlcourse.recipes.deviations import DEVIATIONS, Deviation
from mlcourse.recipes.recipe import idle

TOLERANCE = 1e-6  # relative: what two computations of the same number may differ by

# Constant factors that have a meaning: factor of the case's sizes, name, sentence.
_FACTORS = (
    (lambda T, **_: T, "sum over tasks",
     "This is the sum over tasks. With their mean, β means the same for any number of tasks in the batch."),
    (lambda T, **_: 1 / T, "averaged over tasks twice", "It is divided by the number of tasks twice, 1/T too often."),
    (lambda Q, **_: Q, "sum over points", "The query losses are summed over their Q points; the loss is their mean."),
    (lambda Q, **_: 1 / Q, "averaged over points twice",
     "It is divided by the number of points, 1/Q, once more: the query loss is a mean already."),
    (lambda K, **_: 1 / K, "averaged over points twice",
     "It is divided by the number of points, 1/K, once more: the loss is a mean already."),
    (lambda **_: -1.0, "sign", "It is −1 times that: the sign is turned."),
    (lambda alpha, **_: alpha, "times alpha", "It is α times that. What the gradient is multiplied by is β."),
    (lambda alpha, **_: -alpha, "times alpha", "It is −α times that: a step, not the gradient."),
    (lambda alpha, **_: 1 / alpha, "over alpha", "It is divided by α: 1/α times too long."),
    (lambda m, **_: m, "times the number of steps", "It is m times that: counted once for every inner step."),
    (lambda m, **_: 1 / m, "averaged over the steps", "It is 1/m of that: divided by the number of inner steps."),
)  # fmt: skip


def choices(deviations, count):
    """Every set of `count` deviations with at most one setting of each choice."""
    for chosen in combinations(deviations, count):
        if len({deviation.choice for deviation in chosen}) == count:
            yield chosen


@np.errstate(over="ignore", invalid="ignore")
def ratio(found, value, tolerance=TOLERANCE):
    """The number r with found = r * value, both arrays of one shape, or None; 1 where they agree."""
    if value is None or np.shape(found) != np.shape(value):
        return None
    found, value = np.ravel(found), np.ravel(value)
    length, size = np.sqrt(value @ value), np.sqrt(found @ found)
    if not np.isfinite(length + size):
        return None
    if np.linalg.norm(found - value) <= tolerance * max(length, size):
        return 1.0
    if not length or not size:
        return None
    r = (found @ value) / length**2
    return float(r) if np.linalg.norm(found - r * value) <= tolerance * size else None


def named_factor(ratios, sizes, tolerance=1e-5):
    """What the factors of all cases say, as possible Deviations: () where each is 1, None where they have nothing in
    common. `sizes` has for each case the numbers that a factor may come from: T, K, Q, m, alpha."""
    ratios = np.array(ratios)
    if np.allclose(ratios, 1, rtol=1e-3):
        return () if np.allclose(ratios, 1, rtol=1e-9) else None  # what is near is no factor
    known = {}
    for factor, name, sentence in _FACTORS:
        try:
            if np.allclose(ratios, [factor(**each) for each in sizes], rtol=tolerance):
                known[name] = known.get(name, Deviation("constant", name, name, sentence))
        except TypeError:
            continue  # these data do not have that size
    if known:
        return tuple(known.values())
    if np.allclose(ratios, ratios[0], rtol=tolerance):
        times = f"{ratios[0]:.4g} times"
        return (Deviation("constant", float(ratios[0]), times, f"It is {times} that."),)
    return None


def fewest(found, made, deviations, *, sizes=None, most=2, compare=ratio, skip=lambda settings: False, tolerance=1e-5):
    """All explanations of what was found with as few deviations as possible: a list of tuples of Deviation.

    found       one value a case
    made        (index of the case, settings choice -> setting) -> the value that these settings give, or None
    sizes       for each case the numbers that a constant factor may come from; None where a factor explains nothing
    most        deviations at most; a constant factor is one
    compare     (found, value) -> their ratio, 1 where they agree, None where they have none
    skip        settings that need not be tried
    tolerance   relative: what the factors of two cases may differ by
    ->          [()] where found is right, [] where nothing explains it
    """
    free = sum(_count(value) - 1 for value in found) >= 2 or len(found) >= 3  # enough numbers to trust a factor
    later = []
    for count in range(most + 1):
        hits, later = later, []
        for chosen in choices(deviations, count):
            settings = {deviation.choice: deviation.setting for deviation in chosen}
            ratios = None if skip(settings) else _ratios(found, made, settings, compare)
            factors = None if ratios is None else named_factor(ratios, sizes or [{}] * len(found), tolerance)
            if factors == ():
                hits.append(chosen)
            elif factors and free and sizes is not None and count < most:
                later += [(*chosen, factor) for factor in factors]
        if hits:
            return _by_name(hits)
    return []


def _count(value):
    """How many numbers a value has; several results may come as a tuple of arrays."""
    return sum(map(np.size, value)) if isinstance(value, tuple) else np.size(value)


def _ratios(found, made, settings, compare):
    ratios = []
    for index, value in enumerate(found):
        r = compare(value, made(index, settings))
        if r is None:
            return None
        ratios.append(r)
    return ratios


def _by_name(hits):
    """One explanation for each set of names: two settings may be the same idea."""
    return list({tuple(deviation.name for deviation in chosen): chosen for chosen in reversed(hits)}.values())[::-1]


def explain(found, kitchens, deviations=DEVIATIONS, most=2, **options):
    """The fewest deviations that make each meta-gradient `found` (P,) in its `recipes.Kitchen`; see `fewest`."""
    sizes = [kitchen.sizes for kitchen in kitchens]
    options = {"sizes": sizes, "skip": idle, "most": most} | options
    return fewest(found, lambda i, settings: kitchens[i].gradient(**settings), deviations, **options)


def fitted(found, made, starts, rounds=8):
    """The number x with found = r * made(x) for some r, by Gauss-Newton from the best start; any, if there is none."""

    def left(x):
        """What is left of the found one without its part along made(x)."""
        value = made(x)
        if value is None or not np.any(value):
            return np.inf
        return np.linalg.norm(found - (found @ value) / (value @ value) * value)

    x = min(starts, key=left)
    before = np.inf
    for count in range(rounds):
        h, now = 0.02 * max(abs(x), 0.1), left(x)
        stuck = not np.isfinite(now) or (count > 2 and now > before / 2)
        if stuck or now <= 1e-12 * np.linalg.norm(found):
            break
        here, there, before = made(x), made(x + h), now
        if there is None:
            break
        (r, times), *_ = np.linalg.lstsq(np.stack([here, (there - here) / h], axis=1), found)
        x = x + np.clip(times / r, -10 * h, 10 * h) if r else x
    return float(x)


def cosine(u, v):
    """The cosine of the angle between two vectors, 0 where one of them is zero."""
    length = np.linalg.norm(u) * np.linalg.norm(v)
    return float(np.vdot(u, v) / length) if length else 0.0


def facts(found, kitchen):
    """Sentences on a meta-gradient that nothing explains: zero, not finite, its direction beside the known ones."""
    if not np.all(np.isfinite(found)):
        return ["it holds NaN or infinity"]
    if not np.any(found):
        return ["it is zero everywhere: it does not depend on θ, as behind a detach or a copy"]
    exact, first = kitchen.gradient(), kitchen.gradient(factors="none")
    return [
        f"cosine with the exact gradient {cosine(found, exact):.4f}, with the first-order {cosine(found, first):.4f}",
        f"length {np.linalg.norm(found) / np.linalg.norm(exact):.4g} times the exact gradient's",
    ]
