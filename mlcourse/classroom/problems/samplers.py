"""What problems share whose answer draws at random: it is called with a generator for each of many seeds, and described
by facts. One property, one fact, so that two mistakes at once differ in the facts of both.
"""

import numpy as np

from mlcourse.classroom.judging import FunctionProblem
from mlcourse.classroom.judging.compare import changed

AGAIN = 4  # seeds that are tried twice
# What is a matter of chance in one draw (an overlap, a class twice) is all but certain to show in `seeds` of them, and so
# is a point that comes more often than others: right samplers stay below 4.8 and 2.8.
UNEVEN, UNEVEN_PAIRS = 6.5, 4.0

OTHER = "something other than rng"
SAME = "nothing: always the same"


def _sets(made):
    """[x, y of the support, x, y of the query] as float arrays, or what came instead, in words."""
    wanted = "two pairs x, y"
    if not isinstance(made, (tuple, list)) or len(made) < 2:
        return f"one {type(made).__name__}, not {wanted}"
    if any(not isinstance(part, (tuple, list)) or len(part) != 2 for part in made[:2]):
        return f"{len(made)} things, not {wanted}"
    try:
        return [np.asarray(array, dtype=float) for part in made[:2] for array in part]
    except (TypeError, ValueError):
        return f"{wanted}, but some are not arrays of numbers"


def shapes_of(arrays):
    """Shapes in words; where there are no arrays, what came instead."""
    return arrays if isinstance(arrays, str) else ", ".join(str(array.shape) for array in arrays)


class Sampler(FunctionProblem):
    """A problem whose answer cuts data into a support and a query set, with `rng`.

    data   the arguments that hold the data, x before y
    seeds  as many draws are looked at
    """

    data = ()
    seeds = 64

    def facts(self, case, x_s, y_s, x_q, y_q):
        """What there is to say of the draws, each a list of arrays: `seeds` of them, and AGAIN of the same once more."""
        raise NotImplementedError

    def observe(self, answer, case):
        """The facts of an answer; only its shapes where they are not those of two sets."""
        before = {name: case[name].copy() for name in self.data}
        if answer(*case.values()) is None:
            return None
        facts = {"the caller's arrays": "changed" if changed(before, {n: case[n] for n in self.data}) else "unchanged"}
        for name in self.data:
            case[name][...] = before[name]  # a change in place is a fact of its own
        made = [self._call(answer, case, seed, before) for seed in (*range(self.seeds), *range(AGAIN))]
        unlike = next((sets for sets in made if isinstance(sets, str)), "")
        for name, part in (("support", slice(2)), ("query", slice(2, 4))):
            shapes = {unlike or shapes_of(sets[part]) for sets in made}
            words = shapes.pop() if len(shapes) == 1 else "differ from call to call"
            facts[f"shapes of the {name} set's x and y"] = words
        if unlike:
            return facts
        rows = [before[name].shape[1:] for name in self.data] * 2
        formed = all(
            a.ndim and a.shape[1:] == row and len(a) == len(sets[i - i % 2])
            for sets in made
            for i, (a, row) in enumerate(zip(sets, rows, strict=True))
        )
        return facts | self.facts(case, *zip(*made, strict=True)) if formed else facts

    def _call(self, answer, case, seed, data, **others):
        handed = case | {name: array.copy() for name, array in data.items()} | others
        return _sets(answer(*(handed | {"rng": np.random.default_rng(seed)}).values()))


def rows_of(draws, whole):
    """Which row of `whole` each row of each draw is, -1 where it is none of them: a list of whole numbers for each draw.

    The first numbers of the rows of `whole` differ.
    """
    rows, ends = np.concatenate(draws), np.cumsum([len(draw) for draw in draws])[:-1]
    order = np.argsort(whole[:, 0])
    nearest = order[np.searchsorted(whole[order, 0][:-1], rows[:, 0] - 1e-6)]
    return np.split(np.where(np.all(np.abs(rows - whole[nearest]) < 1e-6, axis=1), nearest, -1), ends)


def among(draws, count):
    """How often each of `count` things is among the rows (whole numbers) of each draw: (draws, count)."""
    return np.stack([np.bincount(rows[rows >= 0], minlength=count) for rows in draws])


def _uneven(counts, draws):
    """How much more counts differ than they would by chance where all are alike: about 1."""
    share = counts.mean() / draws
    return 0 if share in (0, 1) else np.mean((counts - counts.mean()) ** 2) / (draws * share * (1 - share))


def decides(chosen, again, things):
    """What decides which of some things are chosen: chosen (draws, things) of booleans, again the same for AGAIN."""
    if not np.array_equal(chosen[: len(again)], again):
        return OTHER
    if np.all(chosen == chosen[0]):
        return f"{SAME} {things}"
    if np.all(np.sum(chosen != np.roll(chosen, 1, axis=1), axis=1) <= 2) and np.all(np.sum(chosen, axis=1) > 1):
        return f"rng, always {things} next to each other"
    together = chosen.T.astype(float) @ chosen
    if _uneven(np.diag(together), len(chosen)) > UNEVEN:
        return f"rng, some {things} more often than others"
    if _uneven(together[np.triu_indices(len(together), 1)], len(chosen)) > UNEVEN_PAIRS:
        return f"rng, some {things} more often together than others"
    return "rng"


def shared(support, query):
    """How much two sets share, from how often each thing is in them, (..., things)."""
    both = np.sum((support > 0) & (query > 0), axis=-1)
    if not both.any():
        return "none"
    smaller = np.minimum(np.sum(support > 0, axis=-1), np.sum(query > 0, axis=-1))
    return "all that fit" if np.all(both == smaller) else "some"


def yes(truth):
    return "yes" if np.all(truth) else "no"
