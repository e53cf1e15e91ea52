"""Lesson 14, capstone: your own tasks."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, TextProblem, mistake
from mlcourse.classroom.problems.intervals import ABOUT_TWO, ONE_ERROR, WHOLE_WIDTH
from mlcourse.classroom.problems.samplers import AGAIN, SAME, decides
from mlcourse.recipes.deviations import Deviation

_COUNTRIES = (
    "Chad",
    "Cuba",
    "Fiji",
    "Gabon",
    "Ghana",
    "Iran",
    "Iraq",
    "Kenya",
    "Laos",
    "Mali",
    "Malta",
    "Nepal",
    "Oman",
    "Peru",
)
_SEEDS = range(64)


def _rows(rng, tasks, least, most):
    """Names of a table's rows, in no order: tasks of different lengths."""
    names = rng.choice(_COUNTRIES, tasks, replace=False)
    counts = rng.integers(least, most + 1, tasks).astype(
        int
    )  # np.repeat wants its own whole numbers, of 32 bits in a tab
    return rng.permuted(np.repeat(names, counts))


def _mask(made, rows):
    """True or False for each of the rows, or what came instead, in words."""
    mask = np.asarray(made) if isinstance(made, list | tuple | np.ndarray) else None
    if mask is None:
        return f"one {type(made).__name__}, not True or False for each row"
    if mask.dtype != bool:
        return "an array that holds other things than True and False"
    return mask if mask.shape == (rows,) else f"an array of shape {mask.shape}, not one True or False for each row"


class split(FunctionProblem):
    title = "hold out tasks, not rows"
    place = "lesson"
    difficulty, minutes = "easy", 4
    cases = 3
    tags = ("concept:meta-train-meta-test", "concept:task", "mistake:train-only")
    correct_message = "That is right: a country is on one side with all its rows, and `rng` decides on which."
    hints = (
        "`tasks` holds each country once. You want `number` of them, by chance, none twice.",
        "`rng.permutation(tasks)` is all of them in a random order. Take the first `number`.",
    )
    explanation = """
    Chance chooses *countries*, each once; `np.isin` then takes all rows of those. Had it chosen rows, nearly every country would be on both sides, and the
    held-out rows would be of countries that were trained on.
    """

    def draw(self, rng):
        return {
            "names": _rows(rng, int(rng.integers(8, 12)), 3, 8),
            "number": int(rng.integers(3, 5)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        return f"""
        `names`, shape `(n,)`, says for each row of a table which task it belongs to; tasks have different numbers of rows, in any order. Write
        `split(names, number, rng)`: an array of n times True or False, True for each row of the tasks that are held out. `number` tasks are, and
        which ones is random, with the NumPy generator `rng` as the only source of chance.

        To try: `split(**p.given("split"))` has {len(given.names)} rows of {len(set(given.names))} tasks and holds out {given.number} of them.
        """

    @staticmethod
    def solution(names, number, rng):
        tasks = np.unique(names)
        held_out = rng.permutation(tasks)[:number]
        return np.isin(names, held_out)

    def observe(self, answer, case):
        names, number = case["names"], case["number"]
        if answer(*case.values()) is None:
            return None
        draws = [answer(names.copy(), number, np.random.default_rng(seed)) for seed in (*_SEEDS, *_SEEDS[:AGAIN])]
        masks = [_mask(draw, len(names)) for draw in draws]
        unlike = next((mask for mask in masks if isinstance(mask, str)), "")
        if unlike:
            return {"what it gives": unlike}
        sides = [(set(names[mask]), set(names[~mask])) for mask in masks]
        sizes = {len(held) for held, _ in sides}
        tasks = np.unique(names)
        first = np.array_equal(masks[0], np.isin(names, tasks[:number]))
        held_out = np.array([np.isin(tasks, list(held)) for held, _ in sides])
        crossed = any(held & left for held, left in sides)
        whole = np.array(masks) if crossed else held_out  # where tasks are cut in two, rows are what is chosen
        by = decides(whole[: len(_SEEDS)], whole[len(_SEEDS) :], "rows" if crossed else "tasks")
        if by.startswith("rng") and (crossed or len(sizes) > 1):
            by = "rng"  # then it is not tasks, or not a number of them, that was drawn
        return {
            "what it gives": "True or False for each row",
            "tasks with rows on both sides": crossed,
            "tasks held out": str(sizes.pop()) if len(sizes) == 1 else "different from call to call",
            "what decides": "the alphabet" if first and by.startswith(SAME) else SAME if by.startswith(SAME) else by,
        }

    @mistake(
        "splits rows, not tasks",
        "This holds out rows: nearly every task has some on either side. Then nothing that is held out is a new task. Choose among the "
        "different tasks, and take all rows of those.",
    )
    def by_rows(names, number, rng):
        held = round(len(names) * number / len(np.unique(names)))
        return rng.permutation(len(names)) < held

    @mistake(
        "tasks drawn more than once",
        "A task can be drawn twice, and then fewer are held out: names were drawn with replacement, or from the rows. Draw from the "
        "different tasks, each once: `rng.permutation(tasks)`.",
    )
    def with_replacement(names, number, rng):
        return np.isin(names, rng.choice(names, number))

    @mistake(
        "the first tasks",
        "These are always the first tasks of the alphabet. Tables are sorted by something (names, dates, places): let `rng` choose.",
    )
    def in_order(names, number, rng):
        return np.isin(names, np.unique(names)[:number])

    @mistake(
        "the same tasks whatever rng is",
        "Every `rng` holds out the same tasks, as a fixed list does, or a generator that is made inside, with a seed of its own. Draw "
        "with the `rng` that is handed in.",
    )
    def always_the_last(names, number, rng):
        return np.isin(names, np.unique(names)[-number:])

    @mistake("the other side", "True stands for the rows that stay. It has to stand for those that are held out.")
    def other_side(names, number, rng):
        return ~split.solution(names, number, rng)

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` split differently: something random does not come from it. Call `rng.permutation`, not `np.random`.",
    )
    def ignores_rng(names, number, rng):
        return split.solution(names, number, np.random.default_rng())

    @mistake(
        "tasks that stand together",
        "The tasks that are held out always stand together in the alphabet, and `rng` chooses only where they begin. Names and dates that "
        "are near are often alike: draw each task by itself.",
    )
    def together(names, number, rng):
        tasks = np.unique(names)
        return np.isin(names, np.roll(tasks, rng.integers(len(tasks)))[:number])

    @mistake("one task too many", "One task more than `number` is held out: `[:number]` takes `number` of them.")
    def too_many(names, number, rng):
        return split.solution(names, number + 1, rng)


class standardise(FunctionProblem):
    title = "standardise without looking at what is held out"
    difficulty, minutes = "easy", 4
    tags = ("concept:meta-train-meta-test", "mistake:train-only")
    hints = (
        "`y[training]` are the rows of the training tasks. Mean and spread come from them, and are used for all rows.",
        "`mean = y[training].mean()` and `std = y[training].std()`.",
    )
    explanation = """
    Whatever is estimated is estimated on training tasks: also a mean and a spread. All rows are then treated alike, those that are held out
    too, so that they can be compared, and a prediction goes back into years by the same two numbers.
    """
    deviations = (
        Deviation("from", "all", "standardised on all rows",
                  "Mean and spread come from all rows, so that what is held out has been looked at. Use `y[training]`."),
        Deviation("from", "held out", "standardised on the held-out rows",
                  "Mean and spread come from the rows that are held out. They come from the others: `y[training]`."),
        Deviation("from", "each its own", "each part by its own numbers",
                  "Training rows and held-out rows each have a mean and a spread of their own: a difference between them is wiped out, and held-out rows were looked at."),
        Deviation("spread", "variance", "divided by the variance", "This divides by the variance. Its root, `std`, is in the units of y."),
        Deviation("spread", "ddof 1", "divided by n − 1 inside the spread",
                  "The spread divides by n − 1. As a scale that does no harm, but the statement asks for `np.std` as it is."),
        Deviation("spread", "none", "not divided by the spread", "The spread is 1: `std` is not estimated. It is `y[training].std()`."),
        Deviation("spread", "of all rows", "the spread of all rows",
                  "The mean comes from training tasks, the spread from all rows: it has seen what is held out, too. Use `y[training].std()`."),
        Deviation("spread", "under the mean alone", "brackets left out",
                  "Only the mean is divided by the spread: division comes before subtraction. Write `(y - mean) / std`."),
        Deviation("spread", "range", "divided by the range", "This divides by the range, which two rows decide. Use the standard deviation, `std`."),
        Deviation("centre", "none", "the mean not taken away", "The mean is 0 here. It is `y[training].mean()`."),
        Deviation("centre", "median", "median for mean", "This takes the median away. Use the mean."),
    )  # fmt: skip

    def draw(self, rng):
        n = int(rng.integers(12, 30))
        training = rng.permutation(n) < round(0.7 * n)
        return {"y": np.round(rng.normal(60, 9, n) + 8 * training, 1), "training": training}

    def statement(self, given):
        first = self.solution(**vars(given))[0]
        return f"""
        `y`, shape `(n,)`, are the targets of a table's rows, in years; `training`, shape `(n,)`, is True for the rows of training tasks. Write
        `standardise(y, training)`: all n targets, minus a mean and divided by a standard deviation (`np.std` as it is) that come from training tasks alone.

        For `p.given("standardise")`, with {len(given.y)} rows, the first becomes {first:.4f}.
        """

    @staticmethod
    def solution(y, training):
        mean = y[training].mean()
        std = y[training].std()
        return (y - mean) / std

    @staticmethod
    def variant(y, training, spread="std", centre="mean", **settings):
        if spread == "of all rows":
            return standardise.variant(y, training, centre=centre, **settings) * y[training].std() / y.std()

        def scaled(rows, others):
            middle = {"mean": np.mean(others), "none": 0, "median": np.median(others)}[centre]
            by = {
                "std": np.std(others),
                "variance": np.var(others),
                "ddof 1": np.std(others, ddof=1),
                "none": 1,
                "range": np.ptp(others),
            }.get(spread)
            return rows - middle / np.std(others) if spread == "under the mean alone" else (rows - middle) / by

        where = settings.get("from", "training")
        if where == "each its own":
            return np.where(training, scaled(y, y[training]), scaled(y, y[~training]))
        return scaled(y, {"training": y[training], "all": y, "held out": y[~training]}[where])

    def skip(self, settings):
        nothing_done = settings.get("centre") == "none" and settings.get("spread") in ("none", "under the mean alone")
        return nothing_done or (settings.get("spread") in ("of all rows", "under the mean alone") and len(settings) > 1)


class meta_trained_beats_baseline(FunctionProblem):
    title = "does it beat the baseline?"
    place = "lesson"
    difficulty, minutes = "easy", 5
    cases = 12
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    tags = ("concept:meta-train-meta-test", "mistake:unrelated-tasks", "takeaway:shared-structure")
    hints = (
        "Both were asked about the same countries, so subtract country by country: `difference` has one entry a country. The interval is that of its mean.",
        "1.96 standard errors of `difference`: the standard deviation with `ddof=1`, over the root of how many there are.",
        "`half = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))`.",
    )
    explanation = r"""
    A hard country is hard for both learners. In the difference that cancels, and what is left is what you ask about: $1.96\,s_d/\sqrt{T}$ with the
    spread $s_d$ of the *differences*. “Better” is only said where all of the interval lies below 0.
    """
    deviations = (
        Deviation("half", "unpaired", "as if they were different tasks",
                  "The variances of the two are added, as if each learner had been asked about other countries. They were the same ones: take the spread of the differences."),
        Deviation("half", "the learner's own", "the interval of one learner",
                  "This is the interval of the first learner's error. Asked is that of the difference."),
        Deviation("half", "deviation", "deviation for error",
                  "This is the spread of the differences. The error of their mean is smaller by the root of the number of tasks."),
        ONE_ERROR,
        Deviation("half", "divided by T", "divided by T, not its root", "This divides by the number of tasks. A standard error divides by its root."),
        ABOUT_TWO,
        WHOLE_WIDTH,
        Deviation("ddof", 0, "divided by T, not T − 1",
                  "The standard deviation divides by T. A mean was estimated from the same tasks: divide by T − 1, `ddof=1`."),
        Deviation("sign", -1, "the other way round", "This is baseline minus meta-trained. An error that is lower by meta-training is to give a negative number."),
        Deviation("rule", "either side", "clearly worse taken for better",
                  "It says better wherever the interval leaves 0 out, also where it lies above: then the first is clearly worse."),
        Deviation("rule", "mean", "the mean alone decides",
                  "It calls better whatever has the lower mean. By chance that is half of all pairs: all of the interval has to lie below 0."),
        Deviation("rule", "above", "the lower end decides",
                  "It calls better where the lower end is below 0. All of the interval has to be, the upper end too."),
        Deviation("rule", "apart", "the two intervals must be apart",
                  "It asks that the two learners' own intervals be apart. For the same tasks that asks too much: the interval of the difference decides."),
    )  # fmt: skip

    def draw(self, rng):
        tasks = int(rng.integers(8, 20))
        hard = rng.gamma(2.0, 1.2, tasks)
        return {
            "meta": hard + rng.gamma(2.0, 0.3, tasks),
            "baseline": hard + rng.gamma(2.0, 0.3, tasks) + float(rng.choice([-0.5, 0, 0.15, 0.3, 0.6])),
        }

    def statement(self, given):
        difference, half, beats = self.solution(**vars(given))
        return f"""
        `meta` and `baseline`, shape `(T,)`, are the errors of two learners on the same T held-out tasks. Write `meta_trained_beats_baseline(meta, baseline)`:
        three results, the mean of the differences (meta minus baseline), half the width of its 95 % interval, and whether the first is better with
        all of that interval (True or False).

        For `p.given("meta_trained_beats_baseline")`, with T = {len(given.meta)}: {difference:.4f}, {half:.4f}, {bool(beats)}.
        """

    @staticmethod
    def solution(meta, baseline):
        difference = meta - baseline
        half = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
        return difference.mean(), half, difference.mean() + half < 0

    @staticmethod
    def variant(meta, baseline, half="paired", ddof=1, sign=1, rule="upper end"):
        difference, tasks = sign * (meta - baseline), len(meta)
        error = difference.std(ddof=ddof) / np.sqrt(tasks)
        errors = [each.std(ddof=ddof) / np.sqrt(tasks) for each in (meta, baseline)]
        width = {
            "paired": 1.96 * error,
            "unpaired": 1.96 * np.hypot(*errors),
            "the learner's own": 1.96 * errors[0],
            "deviation": 1.96 * error * np.sqrt(tasks),
            "one error": error,
            "2": 2 * error,
            "divided by T": 1.96 * error / np.sqrt(tasks),
            "whole": 2 * 1.96 * error,
        }[half]
        mean = difference.mean()
        better = {
            "upper end": mean + width < 0,
            "either side": abs(mean) > width,
            "mean": mean < 0,
            "above": mean - width < 0,
            "apart": meta.mean() + 1.96 * errors[0] < baseline.mean() - 1.96 * errors[1],
        }[rule]
        return mean, width, better


class load(FunctionProblem):
    title = "rows become tasks"
    difficulty, minutes = "medium", 8
    tags = ("concept:task", "concept:task-distribution", "takeaway:distribution-not-dataset")
    hints = (
        "For each different name, a mask of the rows that have it: `names == name`. It takes the right rows wherever they stand.",
        "`x[names == name][:, None]` is a column, shape `(n_i, 1)`. Build a dictionary with one entry a name.",
    )
    explanation = """
    A task is all rows with one name, wherever they stand, and tasks need not have the same number of rows. Rows keep their order, and x and y stay side by side.
    Columns, not flat arrays: x is `(n_i, d)` in the whole course, with d = 1 here.
    """

    def draw(self, rng):
        names = _rows(rng, int(rng.integers(3, 6)), 2, 6)
        return {
            "names": names,
            "x": rng.permutation(1950.0 + np.arange(len(names))),
            "y": np.round(rng.normal(60, 9, len(names)), 1),
        }

    def statement(self, given):
        first = str(given.names[0])
        rows = int(np.sum(given.names == first))
        return f"""
        A table has n rows, in any order: `names`, the task that each belongs to, `x` and `y`, all of shape `(n,)`. Write `load(names, x, y)`: a dictionary
        from each task's name to a pair (x, y) of its rows, both of shape `(n_i, 1)`, in the order in which they stand in the table.

        In `p.given("load")` there are {len(given.names)} rows of {len(set(given.names))} tasks; {first!r} has {rows} of them.
        """

    @staticmethod
    def solution(names, x, y):
        return {name: (x[names == name][:, None], y[names == name][:, None]) for name in np.unique(names)}

    @mistake(
        "rows that stand together",
        "A task's rows that stand apart are lost: each new run of a name overwrites the one before. The table is in no order: use "
        "`names == name`.",
    )
    def runs(names, x, y):
        starts = [i for i in range(len(names)) if i == 0 or names[i] != names[i - 1]]
        ends = [*starts[1:], len(names)]
        return {names[i]: (x[i:j, None], y[i:j, None]) for i, j in zip(starts, ends, strict=True)}

    @mistake(
        "equal parts",
        "The rows were cut into equal pieces, one a name. Tasks have different numbers of rows, in any order: use `names == name`.",
    )
    def equal(names, x, y):
        tasks = np.unique(names)
        cuts = np.array_split(np.arange(len(names)), len(tasks))
        return {name: (x[cut][:, None], y[cut][:, None]) for name, cut in zip(tasks, cuts, strict=True)}

    @mistake("x and y changed places", "The pair is (y, x). Inputs come first: (x, y).")
    def swapped(names, x, y):
        return {name: pair[::-1] for name, pair in load.solution(names, x, y).items()}

    @mistake(
        "flat",
        "Each is of shape `(n_i,)`. Make them columns, `(n_i, 1)`, with `[:, None]`: the last axis is that of inputs.",
    )
    def flat(names, x, y):
        return {name: (x[names == name], y[names == name]) for name in np.unique(names)}

    @mistake(
        "rows sorted",
        "x and y were sorted each for itself: what belonged together no longer does. Keep the rows as they are.",
    )
    def sorted_apart(names, x, y):
        return {
            name: tuple(np.sort(each, axis=0) for each in pair) for name, pair in load.solution(names, x, y).items()
        }

    @mistake(
        "the last row of each", "Each task has one row: later rows overwrite earlier ones. Take all rows with its name."
    )
    def last(names, x, y):
        return {name: (np.array([[a]]), np.array([[b]])) for name, a, b in zip(names, x, y, strict=True)}

    @mistake(
        "one row of numbers",
        "Each is a row, shape `(1, n_i)`. Examples are rows: a column, `[:, None]` after the mask.",
    )
    def as_a_row(names, x, y):
        return {name: (x[names == name][None], y[names == name][None]) for name in np.unique(names)}


class baseline(FunctionProblem):
    title = "a line of each task's own"
    difficulty, minutes = "medium", 10
    tags = ("concept:support-set", "concept:query-set", "mistake:unrelated-tasks")
    hints = (
        "For each task, least squares with a column of ones beside x: `np.linalg.lstsq(A, y)[0]` gives intercept and slope.",
        "`A = np.concatenate([np.ones_like(x), x], axis=-1)`; the same for `x_query`. `np.linalg.pinv(A) @ y` does all tasks at once.",
        "Or the formula: slope = Σ(x − x̄)(y − ȳ) / Σ(x − x̄)², and the line passes through (x̄, ȳ), with means over the task's K rows.",
    )
    explanation = r"""
    $\hat w = (A^\top A)^{-1}A^\top y$ for each task from its own K rows, with a column of ones for the intercept, and $A_q\hat w$ on the query inputs. It knows
    nothing of other tasks. Whatever a meta-learner is to be good for has to be better than this.
    """
    deviations = (
        Deviation("fit", "pooled", "one line for all", "One line was fitted through the rows of all tasks. Each task gets a line from its own support rows."),
        Deviation("fit", "flat", "the mean of the support", "This predicts the mean of the support targets. Let x count: a line has a slope."),
        Deviation("fit", "origin", "through the origin", "The line has no intercept. Give A a column of ones."),
        Deviation("fit", "ends", "through two points", "The line passes through the first and the last row and leaves the others out. Least squares uses them all."),
        Deviation("fit", "x on y", "x fitted to y", "This fits x as a function of y and turns it round. Errors are counted in y: regress y on x."),
        Deviation("fit", "no intercept after", "the intercept left out of the prediction", "Slope and intercept were fitted together, and only the slope was used to predict."),
    )  # fmt: skip

    def draw(self, rng):
        tasks, shots = int(rng.integers(2, 6)), int(rng.integers(3, 6))
        x, x_query = rng.normal(0.3, 1, (tasks, shots, 1)), rng.normal(0.3, 1, (tasks, int(rng.integers(2, 9)), 1))
        slopes, levels = rng.normal(1, 1, (tasks, 1, 1)), rng.normal(1, 1, (tasks, 1, 1))
        return {"x": x, "y": levels + slopes * x + rng.normal(0, 0.3, x.shape), "x_query": x_query}

    def statement(self, given):
        value = self.solution(**vars(given))[0, 0, 0]
        return f"""
        Support sets of T tasks: `x` and `y`, shape `(T, K, 1)`, K at least 3. Write `baseline(x, y, x_query)`: for each task the least-squares line with
        intercept through its K rows, at `x_query`, shape `(T, Q, 1)`. The answer has this shape, too.

        For `p.given("baseline")`, with T = {len(given.x)} and K = {given.x.shape[1]}, its first number is {value:.4f}.
        """

    @staticmethod
    def solution(x, y, x_query):
        A, A_query = (np.concatenate([np.ones_like(each), each], axis=-1) for each in (x, x_query))
        return A_query @ (np.linalg.pinv(A) @ y)

    @staticmethod
    def variant(x, y, x_query, fit="own"):
        def centred(a, b):
            return np.sum((a - a.mean(1, keepdims=True)) * (b - b.mean(1, keepdims=True)), axis=1, keepdims=True)

        x_mean, y_mean = x.mean(1, keepdims=True), y.mean(1, keepdims=True)
        slope = centred(x, y) / centred(x, x)
        if fit == "pooled":
            x_mean, y_mean = np.full_like(x_mean, x.mean()), np.full_like(y_mean, y.mean())
            slope = np.full_like(slope, np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
        slope, level = {
            "flat": (0 * slope, y_mean),
            "origin": (np.sum(x * y, 1, keepdims=True) / np.sum(x * x, 1, keepdims=True), 0 * y_mean),
            "x on y": (centred(y, y) / centred(x, y), y_mean - centred(y, y) / centred(x, y) * x_mean),
            "no intercept after": (slope, 0 * y_mean),
        }.get(fit, (slope, y_mean - slope * x_mean))
        if fit == "ends":
            slope = (y[:, -1:] - y[:, :1]) / (x[:, -1:] - x[:, :1])
            level = y[:, :1] - slope * x[:, :1]
        return level + slope * x_query

    @mistake(
        "predicts the support rows", "These are predictions for the support inputs. Asked are those for `x_query`."
    )
    def on_the_support(x, y, x_query):
        return baseline.solution(x, y, x)

    @mistake(
        "the weights, not the predictions",
        "These are intercept and slope of each line. Asked is what the line says at `x_query`.",
    )
    def weights(x, y, x_query):
        return np.linalg.pinv(np.concatenate([np.ones_like(x), x], axis=-1)) @ y


class posterior(FunctionProblem):
    title = "the mixed model adapts"
    difficulty, minutes = "hard", 15
    tags = ("concept:initialisation-as-prior", "concept:inner-loop", "takeaway:shared-structure")
    hints = (
        "Two pieces of knowledge about w: the prior, with precision C⁻¹ around μ, and K rows, with precision AᵀA/σ². Precisions add.",
        "(C⁻¹ + AᵀA/σ²) w = C⁻¹μ + Aᵀy/σ². Solve for w.",
        "`precision = np.linalg.inv(C)`; `np.linalg.solve(precision + A.T @ A / sigma**2, precision @ mu + A.T @ y / sigma**2)`.",
    )
    explanation = r"""
    Prior times likelihood is again Normal. Its mean solves $(C^{-1} + A^\top A/\sigma^2)\,w = C^{-1}\mu + A^\top y/\sigma^2$: with few rows it stays near μ, with many it goes to
    least squares. That is lesson 5's picture of a start as a prior, with the precision learned, too: what MAML gets from θ and α, this gets from μ, C and σ, in closed form.
    """
    deviations = (
        Deviation("noise", "σ", "σ for σ²", "The rows are weighted by 1/σ. Their precision is 1/σ²."),
        Deviation("noise", "times", "σ² multiplied", "The rows are weighted by σ². The noisier, the less they count: divide by σ²."),
        Deviation("noise", "left out", "σ² left out", "The noise does not come in. AᵀA and Aᵀy are divided by σ²."),
        Deviation("prior", "C", "C for its inverse", "C stands where its inverse belongs. A wide prior has little precision: `np.linalg.inv(C)`."),
        Deviation("prior", "none", "least squares alone", "This is least squares on the support rows. The prior is missing, and with it all that other tasks taught."),
        Deviation("prior", "diagonal", "covariances left out", "Only the variances of C are used. That intercept and slope go together is knowledge, too: use all of C."),
        Deviation("mean", "0", "prior around 0", "The prior is centred at 0, as ridge regression is. It is centred at μ: add C⁻¹μ on the right."),
        Deviation("prior", "identity", "variances of 1", "The prior has variance 1 in every direction. How far tasks differ is known better: it is C."),
        Deviation("mean", "added", "μ counted twice",
                  "μ is added to a correction that was made from y. The rows tell how far w lies from μ: let them correct by y − Aμ."),
        Deviation("mean", "μ", "C⁻¹ left out on the right", "μ stands on the right by itself. It is weighted by the prior's precision: C⁻¹μ."),
        Deviation("result", "prior", "the prior alone", "This is μ: the support rows were not looked at."),
        Deviation("result", "shift", "the change alone", "This is how far w moves from μ. Asked is where it ends."),
    )  # fmt: skip

    def draw(self, rng):
        features, rows = int(rng.integers(2, 4)), int(rng.integers(4, 7))
        root = rng.normal(size=(features, features))
        C = root @ root.T / features + 0.3 * np.eye(features)
        A = np.concatenate([np.ones((rows, 1)), rng.normal(size=(rows, features - 1))], axis=1)
        mu, sigma = rng.normal(size=features), float(rng.uniform(0.4, 0.8))
        w = mu + np.linalg.cholesky(C) @ rng.normal(size=features)
        return {"A": A, "y": A @ w + sigma * rng.normal(size=rows), "mu": mu, "C": C, "sigma": sigma}

    def statement(self, given):
        value = ", ".join(f"{number:.4f}" for number in self.solution(**vars(given)))
        return rf"""
        In a mixed model each task has weights $w \sim \mathcal N(\mu, C)$, and its targets are $y = Aw + \text{{noise}}$ of standard deviation σ. `mu`, shape `(F,)`,
        `C`, shape `(F, F)`, and `sigma` were estimated from the training tasks. A new task comes with K rows: `A`, shape `(K, F)`, and `y`, shape `(K,)`. Write
        `posterior(A, y, mu, C, sigma)`: the mean of w given these rows, shape `(F,)`.

        For `p.given("posterior")`, with F = {len(given.mu)}, K = {len(given.y)} and σ = {given.sigma:.3f}, it is [{value}].
        """

    @staticmethod
    def solution(A, y, mu, C, sigma):
        precision = np.linalg.inv(C)
        return np.linalg.solve(precision + A.T @ A / sigma**2, precision @ mu + A.T @ y / sigma**2)

    @staticmethod
    def variant(A, y, mu, C, sigma, noise="σ²", prior="C⁻¹", mean="C⁻¹μ", result="posterior"):
        rows = {"σ²": 1 / sigma**2, "σ": 1 / sigma, "times": sigma**2, "left out": 1}[noise]
        inverse = np.linalg.inv(C)
        precision = {
            "C⁻¹": inverse,
            "C": C,
            "none": 0 * C,
            "diagonal": np.diag(1 / np.diag(C)),
            "identity": np.eye(len(C)),
        }[prior]
        right = {"C⁻¹μ": precision @ mu, "0": 0 * mu, "added": 0 * mu, "μ": mu}[mean]
        w = np.linalg.solve(precision + rows * A.T @ A, right + rows * A.T @ y) + mu * (mean == "added")
        return {"posterior": w, "prior": mu, "shift": w - mu}[result]

    def skip(self, settings):
        alone = settings.get("prior") == "none" or settings.get("result") == "prior"
        return alone and len(settings) > 1


class honest_report(FunctionProblem):
    title = "one number that can be trusted"
    difficulty, minutes = "hard", 15
    tags = ("mistake:train-only", "concept:meta-train-meta-test", "takeaway:meta-overfitting")
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    hints = (
        "First leave out the rows of tasks that are in `trained`. Then one number a task: the root of the mean of its squared errors.",
        "With those T numbers: their mean, and 1.96 times their standard deviation (`ddof=1`) over the root of T.",
        "`held_out = [name for name in np.unique(names) if name not in trained]`; `errors = np.array([np.sqrt(squared[names == name].mean()) for name in held_out])`.",
    )
    explanation = r"""
    One task is one draw. Its rows share its fate: an unusual country is unusual in all its years. So each held-out task gives one error, and the interval
    is over tasks, $1.96\,s/\sqrt{T}$. Counting rows makes it several times too narrow; tasks that were trained on make the mean too good.
    """
    deviations = (
        Deviation("tasks", "all", "training tasks counted in", "Tasks that were trained on are in the mean. They are easier: leave out the names in `trained`."),
        Deviation("tasks", "training", "training tasks reported", "This is the error on the training tasks. Report those that are *not* in `trained`."),
        Deviation("over", "rows", "interval over rows",
                  "The interval counts rows. Rows of one task share its fate: one error a task, then the interval over tasks."),
        Deviation("over", "rows alone", "rows, not tasks",
                  "Mean and interval are those of the rows. Their errors belong together: one number a task first, then mean and interval over tasks."),
        Deviation("error", "squared", "no root", "These are mean squared errors. Take the root for each task, so that the unit is that of y."),
        Deviation("error", "absolute", "absolute errors", "These are mean absolute errors. Asked is the root of the mean square, task by task."),
        Deviation("half", "deviation", "deviation for error", "Behind ± stands the spread of the tasks. The error of their mean is smaller by the root of their number."),
        ONE_ERROR,
        ABOUT_TWO,
        WHOLE_WIDTH,
        Deviation("ddof", 0, "divided by T, not T − 1", "The standard deviation divides by T. A mean was estimated from the same tasks: divide by T − 1, `ddof=1`."),
        Deviation("mean", "pooled", "rows pooled for the mean",
                  "The mean is the root of the mean over all rows: long tasks count more, and so do bad ones. Take the root task by task, then the mean over tasks."),
        Deviation("mean", "median", "median for mean", "This is the median over tasks. A few bad tasks belong in the mean."),
        Deviation("mean", "best", "the best task", "This is the task with the least error. Report the mean over all that were held out."),
    )  # fmt: skip

    def draw(self, rng):
        names = _rows(rng, int(rng.integers(9, 13)), 4, 9)
        tasks = np.unique(names)
        trained = [str(name) for name in rng.permutation(tasks)[: int(rng.integers(4, 6))]]
        size = {name: rng.gamma(3.0, 0.8) * (0.6 if name in trained else 1.0) for name in tasks}
        return {
            "squared": np.array([(size[name] * rng.normal()) ** 2 for name in names]),
            "names": names,
            "trained": trained,
        }

    def statement(self, given):
        mean, half = self.solution(**vars(given))
        return f"""
        `squared`, shape `(n,)`, are squared errors of a learner's predictions, one a query row; `names`, shape `(n,)`, says which task each row is of; `trained` is a
        list with the names of the tasks that were trained on. Write `honest_report(squared, names, trained)`: two numbers, the mean over held-out tasks of each
        one's root mean squared error, and half the width of its 95 % interval over tasks (1.96 standard errors, as in `confidence_interval`).

        `p.given("honest_report")` has {len(given.squared)} rows of {len(set(given.names))} tasks, {len(given.trained)} of them trained on: ({mean:.4f}, {half:.4f}).
        """

    @staticmethod
    def solution(squared, names, trained):
        held_out = [name for name in np.unique(names) if name not in trained]
        errors = np.array([np.sqrt(squared[names == name].mean()) for name in held_out])
        return errors.mean(), 1.96 * errors.std(ddof=1) / np.sqrt(len(errors))

    @staticmethod
    def variant(
        squared, names, trained, tasks="held out", over="tasks", error="root", half="error", ddof=1, mean="mean"
    ):
        wanted = {"held out": lambda n: n not in trained, "all": lambda n: True, "training": lambda n: n in trained}[
            tasks
        ]
        kept = [name for name in np.unique(names) if wanted(name)]
        of = {
            "root": lambda rows: np.sqrt(rows.mean()),
            "squared": lambda rows: rows.mean(),
            "absolute": lambda rows: np.sqrt(rows).mean(),
        }[error]
        errors = np.array([of(squared[names == name]) for name in kept])
        rows = squared[np.isin(names, kept)]
        each = (rows if error == "squared" else np.sqrt(rows)) if over != "tasks" else errors
        standard = each.std(ddof=ddof) / np.sqrt(len(each))
        width = {
            "error": 1.96 * standard,
            "deviation": 1.96 * standard * np.sqrt(len(each)),
            "one error": standard,
            "2": 2 * standard,
            "whole": 2 * 1.96 * standard,
        }[half]
        middle = {"mean": errors.mean(), "pooled": of(rows), "median": np.median(errors), "best": errors.min()}[mean]
        if over == "rows alone":
            middle = each.mean()
        return middle, width


class which_mistake(ChoiceProblem):
    title = "seven reports, read by a stranger"
    difficulty, minutes = "medium", 10
    tags = ("mistake:same-data", "mistake:unrelated-tasks", "mistake:alpha-and-steps", "mistake:train-only")
    labels = ("same data", "unrelated tasks", "alpha and steps", "training tasks", "nothing")
    hints = (
        "Ask of each: on which rows was it judged? On which tasks? Who chose α and m? What does a learner reach that sees one task alone?",
        "A report that says all four, and whose number is below that of one task alone with all of its interval, has made none of them.",
    )
    explanation = """
    *Same data*: judged on rows that were adapted on. *Training tasks*: judged on tasks that θ was trained on. *Alpha and steps*: taken as given, or chosen by the
    tasks that report. *Unrelated tasks*: no better than one task alone, so that nothing shared was found. What is left over is honest, also where it is no triumph.
    """
    traps = MappingProxyType(
        {
            "a small number trusted": "Judging on the rows that were adapted on was passed: such a number is small whatever was learned.",
            "held-out rows taken for held-out tasks": "A report on training tasks was passed: new rows of a task that was trained on are no new task.",
            "details passed over": "α and m were passed over: taken from a paper, or chosen by the tasks that report, they are no detail.",
            "no baseline asked for": "A learner that is no better than one task alone was passed: ask what other tasks have brought.",
            "rows taken for tasks": "Judging on the support rows and judging on training tasks are two different mistakes: one is about rows, the other about tasks.",
            "distrust": "An honest report was found wanting: it says on which rows, on which tasks, who chose, and against what.",
        }
    )

    def statement(self, given):
        return """
        Each line is from a report on a table of your own. Which of the four common mistakes does it make? *nothing*, where it makes none.
        """

    def items(self, rng):
        kinds = [*self.labels, *map(str, rng.choice(self.labels, 2))]
        return [self._item(rng, kind, number) for number, kind in enumerate(map(str, rng.permutation(kinds)))]

    def _item(self, rng, kind, number):
        who = ["schools", "patients", "shops", "rivers", "machines", "farms", "players"][number]
        tasks, error = int(rng.integers(20, 60)), rng.uniform(1, 4)
        half, alone = 0.1 * error, error * rng.uniform(1.5, 2)
        told = f"error {error:.2f} ± {half:.2f}"
        others = f"asked about the other rows of {tasks} held-out {who}"
        chosen, better = (
            "α and m chosen on validation tasks",
            f"{alone - error:.2f} ± {half:.2f} less than a line of each one's own",
        )
        texts = {
            "same data": [
                f"{tasks} held-out {who}, five rows each: θ adapts on the five and its {told} is measured on these five; {chosen}",
                f"on {tasks} new {who} θ is given all rows, and is then right about them to {error:.2f} ± {half:.2f}; {chosen}; {better}",
            ],
            "training tasks": [
                f"all {tasks} {who} trained θ; asked about rows of these {who} that were kept aside, {told}; {chosen}; {better}",
                f"{told} on the {tasks} {who} of meta-training, on query rows that adaptation never saw; {chosen}; {better}",
            ],
            "alpha and steps": [
                f"{others}: {told}, {better}; α = 0.01 and m = 1 as in the paper, no other tried",
                f"{others}: {told}, {better}; of 40 pairs of α and m we report the one with which these {who} came out best",
            ],
            "unrelated tasks": [
                f"{others}: {told}; {chosen}; a line of each one's own {error * rng.uniform(0.98, 1.02):.2f} ± {half:.2f}. So θ knows {who}",
                f"{others}: {told}; {chosen}; {0.02 * error:.2f} ± {half:.2f} less than a line of each one's own. Meta-learning works for {who}",
            ],
            "nothing": [
                f"{others}: {told}; {chosen}; {better}",
                f"{others}: {told}; {chosen}; a line of each one's own {error * rng.uniform(0.98, 1.02):.2f} ± {half:.2f}. So other {who} did not help",
            ],
        }[kind]
        return Item(texts[int(rng.integers(2))], kind, self._trapped[kind], self._looks[kind])

    _trapped = MappingProxyType(
        {
            "same data": {"a small number trusted": "nothing", "rows taken for tasks": "training tasks"},
            "training tasks": {"held-out rows taken for held-out tasks": "nothing"},
            "alpha and steps": {"details passed over": "nothing"},
            "unrelated tasks": {"no baseline asked for": "nothing"},
            "nothing": {"distrust": "unrelated tasks"},
        }
    )
    _looks = MappingProxyType(
        {
            "same data": "on which rows was it judged?",
            "training tasks": "did the tasks that it was judged on train θ?",
            "alpha and steps": "who chose α and m?",
            "unrelated tasks": "what does a learner reach that sees one task alone, and what does the line conclude?",
            "nothing": "which of the four questions does it leave open?",
        }
    )


class which_learner(ChoiceProblem):
    title = "which one, or neither?"
    difficulty, minutes = "medium", 10
    tags = ("choice-table", "takeaway:shared-structure", "mistake:unrelated-tasks")
    labels = ("one model", "each its own", "mixed model", "maml")
    hints = (
        "First: are the tasks alike, or has each many rows? Then there is nothing to meta-learn. Only then: do you know the shape of a task?",
        "Alike: one model. Nothing shared, or rows in plenty: each its own. A known shape and few rows: mixed model. An unknown shape, few rows, many tasks: MAML.",
    )
    explanation = """
    Where tasks are the same, one model has the most data. Where they share nothing, or each has rows in plenty, each its own. In between, few rows of related tasks: if you can
    write down the shape (a line, a curve with a few weights), a mixed model learns the prior in closed form, with an uncertainty, in no time. If you cannot, and have many
    tasks to learn the shape from, that is what MAML is for.
    """
    traps = MappingProxyType(
        {
            "MAML everywhere": "MAML was chosen where something simpler knows enough. Ask first whether the tasks differ, whether their rows are few, and whether their shape is known.",
            "one model everywhere": "One model was chosen where tasks differ: it cannot be right for all of them.",
            "no prior": "Each its own was chosen where rows are few and tasks alike: three rows make a poor curve, and other tasks know its shape.",
            "a line everywhere": "A mixed model was chosen where nobody can write the shape down: with the wrong one it is sure of the wrong thing.",
        }
    )

    def statement(self, given):
        return """
        Each line is somebody's table. Which learner would you try first? *one model*: the same for all tasks. *each its own*: from its own rows alone. *mixed model*: weights
        with a prior that is estimated from other tasks. *maml*: a network with a meta-learned start.
        """

    def items(self, rng):
        kinds = [*self.labels, *map(str, rng.choice(self.labels, 3))]
        return [self._item(rng, kind, number) for number, kind in enumerate(map(str, rng.permutation(kinds)))]

    def _item(self, rng, kind, number):
        few, many, tasks = int(rng.integers(3, 6)), int(rng.integers(4, 9)) * 1000, int(rng.integers(2, 8)) * 100
        who = ["wells", "clinics", "phones", "schools", "turbines", "vines", "lakes"][number]
        what = ["level", "wait", "charge", "score", "power", "sugar", "oxygen"][number]
        texts = {
            "one model": [
                f"{tasks} {who}, {few} rows each; one curve of {what} for all leaves nothing but noise, the same in each",
                f"{tasks} {who}, {few} rows each: {what} follows one law, and no two {who} have differed in it so far",
            ],
            "each its own": [
                f"{few + 2} {who} with {many} rows each, and {what} is asked for within them",
                f"{tasks} {who}, {few} rows each; curves of {what} from other {who}, tried in any way, predicted no better than none",
            ],
            "mixed model": [
                f"{tasks} {who}, {few} rows each: {what} goes straight up with time, with a level and a slope of each one's own",
                f"{tasks} {who}, {few} rows each; {what} falls off in a parabola whose three numbers vary about a mean",
            ],
            "maml": [
                f"{tasks * 10} {who}, {few} rows each; {what} has a shape that all share and nobody has a formula for, stretched and shifted in each",
                f"{tasks * 10} {who}, {few} rows each; {what} depends on 60 inputs, in a way of each one's own that no formula fits but that plainly runs in the family",
            ],
        }[kind]
        return Item(texts[int(rng.integers(2))], kind, self._trapped[kind], self._looks[kind])

    _trapped = MappingProxyType(
        {
            "one model": {"MAML everywhere": "maml"},
            "each its own": {"MAML everywhere": "maml", "one model everywhere": "one model"},
            "mixed model": {"MAML everywhere": "maml", "no prior": "each its own", "one model everywhere": "one model"},
            "maml": {
                "a line everywhere": "mixed model",
                "no prior": "each its own",
                "one model everywhere": "one model",
            },
        }
    )
    _looks = MappingProxyType(
        {
            "one model": "do the tasks differ at all?",
            "each its own": "is there something to learn from other tasks, and is it needed?",
            "mixed model": "can you write down the shape of a task?",
            "maml": "does anybody know the shape of a task? Are there many tasks to learn it from?",
        }
    )


class report_in_words(TextProblem):
    title = "your report in three sentences"
    difficulty, minutes = "easy", 8
    tags = ("mistake:train-only", "takeaway:shared-structure")
    fewest_words = 15
    model = """
    On 27 countries that neither trained nor chose anything, given three years of each, MAML with a small network is off by 2.8 ± 0.8 years on average (95 % over countries), a line of
    each country's own by 3.4 ± 1.2; the paired difference is below 0 with its interval, so other countries helped. A mixed model that is told the shape of the curves is as good or better at a
    fraction of the cost, so that is what I would use. It will be wrong for countries with a break, such as a war between the given years, and for years outside 1952 to 2007.
    """
    rubric = (
        "How many held-out tasks, and that they chose nothing",
        "The number of rows that were given",
        "Error with unit and interval, and over what the interval is",
        "The best simple learner beside it, and the paired difference",
        "What you would use, even if it is not MAML",
        "Where it will fail",
    )

    def statement(self, given):
        return """
        Write the summary of your report, on the lesson's table or your own, as a string: what was measured on which tasks, against what, and what you would use. It is not
        marked; a model answer and the points to hold yours against appear.
        """
