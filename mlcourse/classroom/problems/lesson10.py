"""Lesson 10, meta-overfitting."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, TextProblem, mistake
from mlcourse.classroom.judging.compare import fresh
from mlcourse.classroom.problems.intervals import ABOUT_TWO, ONE_ERROR, WHOLE_WIDTH
from mlcourse.classroom.problems.samplers import AGAIN, OTHER, SAME, decides
from mlcourse.recipes.deviations import Deviation


class meta_gap(FunctionProblem):
    title = "the gap and its interval"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    tags = ("takeaway:meta-overfitting", "concept:meta-train-meta-test", "mistake:train-only")
    hints = (
        "The gap is the mean on new tasks minus the mean on training tasks. Two groups of tasks, drawn apart: the variances of "
        "the two means add.",
        "The variance of a mean over T tasks is `np.var(losses, ddof=1) / len(losses)`. Add the two, take the root, times 1.96.",
        "`half = 1.96 * np.sqrt(np.var(own, ddof=1) / len(own) + np.var(new, ddof=1) / len(new))`.",
    )
    explanation = r"""
    Both means are uncertain, and independently so. The variances of independent numbers add, also where the numbers are
    subtracted: $1.96\sqrt{s_\text{own}^2/N + s_\text{new}^2/T}$. With few training tasks, the first term is the larger one.
    """
    deviations = (
        Deviation("gap", "own minus new", "the other way round",
                  "This is training minus new. A gap above 0 is to say that new tasks are worse: new minus training."),
        Deviation("gap", "ratio", "a ratio, not a difference",
                  "This divides the two means. The gap is their difference."),
        Deviation("gap", "medians", "medians for means",
                  "This subtracts medians. The meta-objective is a mean, and a few bad tasks belong in it."),
        Deviation("gap", "new alone", "new tasks alone",
                  "This is the mean on new tasks. Subtract the mean on training tasks."),
        Deviation("half", "added", "half-widths added",
                  "The two half-widths are added. Independent errors add as squares: add the variances, then take the root."),
        Deviation("half", "subtracted", "variances subtracted",
                  "The variances are subtracted. They add, also where the means are subtracted."),
        Deviation("half", "own alone", "only the training tasks' interval",
                  "Only the training tasks' uncertainty is in it. The mean on new tasks is uncertain, too."),
        Deviation("half", "new alone", "only the new tasks' interval",
                  "Only the new tasks' uncertainty is in it. With few training tasks the other part is the larger one."),
        Deviation("half", "deviations", "deviation for error",
                  "This takes the tasks' spread without dividing by their number: the error of a mean shrinks with it."),
        WHOLE_WIDTH,
        ONE_ERROR,
        ABOUT_TWO,
        Deviation("half", "variance", "no root",
                  "This is the variance of the difference, times 1.96. Take its root first."),
        Deviation("ddof", 0, "divided by T, not T − 1",
                  "The variances divide by T. An estimated mean was subtracted: divide by T − 1, `ddof=1`."),
        Deviation("pooled", "one group", "both groups as one",
                  "The interval treats all tasks as one group. The groups differ in number and in spread: a variance for each."),
        Deviation("pooled", "one mean", "one mean of all tasks",
                  "This is the interval of one mean over all tasks together. There are two means, each with an error of its own: add their variances."),
        Deviation("pooled", "one spread", "one variance for both groups",
                  "The two groups' variances are pooled, as if both had the same spread. They need not: a variance for each."),
    )  # fmt: skip

    def draw(self, rng):
        own, new = int(rng.integers(4, 9)), int(rng.integers(12, 20))
        return {"own": rng.gamma(2.0, 0.3, own), "new": rng.gamma(2.0, 1.0, new)}

    def statement(self, given):
        gap, half = self.solution(**vars(given))
        return rf"""
        `own` and `new` hold losses after adaptation, one a task: `own`, shape `(N,)`, of the training tasks; `new`, shape
        `(T,)`, of tasks nobody trained on. Write `meta_gap(own, new)`: two numbers, the meta-generalisation gap (new minus
        training, of the means) and half the width of its 95 % interval.

        For `p.given("meta_gap")`, with N = {len(given.own)} and T = {len(given.new)}, it gives ({gap:.4f}, {half:.4f}).
        """

    @staticmethod
    def solution(own, new):
        gap = np.mean(new) - np.mean(own)
        half = 1.96 * np.sqrt(np.var(own, ddof=1) / len(own) + np.var(new, ddof=1) / len(new))
        return gap, half

    @mistake(
        "the interval's ends",
        "These are the two ends of the interval. Asked for are its middle, the gap, and its half-width.",
    )
    def ends(own, new):
        gap, half = meta_gap.solution(own, new)
        return gap - half, gap + half

    @mistake("half-width before the gap", "The half-width comes first here. Return the gap, then the half-width.")
    def exchanged(own, new):
        return meta_gap.solution(own, new)[::-1]

    @staticmethod
    def variant(own, new, gap="new minus own", half="root of the sum", ddof=1, pooled="no"):
        mine, others = np.var(own, ddof=ddof), np.var(new, ddof=ddof)
        if pooled in ("one group", "one mean"):
            mine = others = np.var(np.concatenate([own, new]), ddof=ddof)
        elif pooled == "one spread":
            weights = len(own) - ddof, len(new) - ddof
            mine = others = np.average([mine, others], weights=weights)
        one, other = mine / len(own), others / len(new)
        if pooled == "one mean":
            one = other = mine / (2 * (len(own) + len(new)))
        gaps = {
            "new minus own": np.mean(new) - np.mean(own),
            "own minus new": np.mean(own) - np.mean(new),
            "ratio": np.mean(new) / np.mean(own),
            "medians": np.median(new) - np.median(own),
            "new alone": np.mean(new),
        }
        halves = {
            "root of the sum": 1.96 * np.sqrt(one + other),
            "added": 1.96 * (np.sqrt(one) + np.sqrt(other)),
            "subtracted": 1.96 * np.sqrt(abs(one - other)),
            "own alone": 1.96 * np.sqrt(one),
            "new alone": 1.96 * np.sqrt(other),
            "deviations": 1.96 * np.sqrt(mine + others),
            "whole": 2 * 1.96 * np.sqrt(one + other),
            "one error": np.sqrt(one + other),
            "2": 2 * np.sqrt(one + other),
            "variance": 1.96 * (one + other),
        }
        return gaps[gap], halves[half]


class early_stop(FunctionProblem):
    title = "when to stop, and what to keep"
    cases = 10
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:meta-overfitting", "concept:meta-train-meta-test")
    hints = (
        "`best` is the check with the least loss so far. How many checks have passed since then, at the check `check`?",
        "`waited = check - best`. It is 0 at a new best and grows by one at every check that brings none.",
    )
    explanation = """
    `waited` counts the checks since the best one, and a new best sets it back to 0. What is kept is the state at the best check,
    not the one at which patience ran out. Looking at all checks, also those after the stop, would be training on to the end.
    """
    deviations = (
        Deviation("rule", "never", "never stops",
                  "This takes the best of all checks, also of those after the stop. A learner who stops does not see them."),
        Deviation("rule", "rises in a row", "compared with the check before",
                  "This counts checks that are worse than the one before them. Compare with the best so far: a loss that wavers is not better."),
        Deviation("rule", "not set back", "patience not set back",
                  "The count goes on after a new best. A new best sets it back to 0: `check - best`."),
        Deviation("rule", "since the start", "counted from the start",
                  "This stops at the check number `patience`, whatever was found. Count from the best check: `check - best`."),
        Deviation("off", -1, "patience one too short",
                  "It stops one check early: `patience` checks without a new best have to pass."),
        Deviation("off", 1, "patience one too long",
                  "It stops one check late: after `patience` checks without a new best it is over."),
        Deviation("waits", "once", "stops at the first rise",
                  "It stops at the first check that is no new best, whatever `patience` is. One bad check may be chance."),
        Deviation("result", "last", "keeps the last state",
                  "This is the check at which patience ran out. Keep the best one: the waiting was done on worse states."),
        Deviation("result", "loss", "the loss, not the check",
                  "This is the best loss. What is wanted is at which check it was reached, to fetch that state."),
        Deviation("result", "from 1", "counted from 1",
                  "Checks are counted from 0, as `validation[0]` is the first: this is one too many."),
        Deviation("result", "patience back", "counted back from the stop",
                  "This is the last check less `patience`. Where patience ran out, that is the best one; where it never does, the best "
                  "stands elsewhere: keep its number."),
        Deviation("best", "ties", "an equal loss taken for a new best",
                  "A check that only equals the best so far is taken for a new best. A new best is *less* than all before: `<`."),
        Deviation("best", "largest", "the largest loss",
                  "This keeps the largest loss. These are losses: smaller is better."),
    )  # fmt: skip

    def draw(self, rng):
        checks = int(rng.integers(10, 17))
        least, noise = rng.uniform(3, checks + 2), rng.uniform(0.05, 0.3)  # patience need not run out
        valley = np.abs(np.arange(checks) - least) * rng.uniform(0.08, 0.15) + 1
        return {"validation": np.round(valley + rng.normal(0, noise, checks), 1), "patience": int(rng.integers(2, 4))}

    def statement(self, given):
        losses = ", ".join(f"{loss:.1f}" for loss in given.validation)
        return rf"""
        `validation` holds the loss on held-out validation tasks at each check, in order; `patience` is a whole number of at least
        1. Training stops as soon as `patience` checks in a row have brought no new best (less than all before). Write
        `early_stop(validation, patience)`: the number of the check to keep, counted from 0, which is the best one until then. If
        patience never runs out, it is the best of all.

        For the losses {losses} and patience {given.patience} it is {self.solution(**vars(given))}.
        """

    @staticmethod
    def solution(validation, patience):
        best = 0
        for check, loss in enumerate(validation):
            if loss < validation[best]:
                best = check
            waited = check - best
            if waited >= patience:
                break
        return best

    def maker(self, case):
        def make(settings):
            return np.asarray(self.variant(*fresh(case).values(), **settings), dtype=float)

        return make

    @staticmethod
    def variant(validation, patience, rule="since the best", off=0, result="best", best="smallest", waits="patience"):
        losses = -np.asarray(validation) if best == "largest" else np.asarray(validation)
        patience = (1 if waits == "once" else patience) + off
        kept = check = 0
        counts = {"not set back": 0, "rises in a row": 0}
        for check, loss in enumerate(losses):
            better = loss < losses[kept] or (best == "ties" and loss == losses[kept])
            kept = check if better else kept
            counts["not set back"] += not better and check > 0
            worse = check > 0 and loss >= losses[check - 1]
            counts["rises in a row"] = counts["rises in a row"] + 1 if worse else 0
            counts |= {"since the best": check - kept, "since the start": check, "never": -1}
            if counts[rule] >= patience and (patience > 0 or check > 0):
                break
        back = check - patience
        return {"best": kept, "last": check, "loss": validation[kept], "from 1": kept + 1, "patience back": back}[
            result
        ]

    def skip(self, settings):
        return ("waits" in settings or settings.get("rule") == "never") and "off" in settings

    def simpler(self, case):
        return {"losses that only fall": case | {"validation": np.sort(case["validation"])[::-1].copy()}}


class pull_step(FunctionProblem):
    title = "one inner step that is pulled back"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("takeaway:meta-overfitting", "concept:inner-loop", "concept:fast-slow-weights")
    hints = (
        "Differentiate (λ/2)‖θ_i − θ‖² in θ_i, and add that to the gradient of the support loss.",
        "Its gradient is λ(θ_i − θ). One step from θ_i: θ_i − α(∇L_s(θ_i) + λ(θ_i − θ)).",
        "`return theta_i - alpha * (grad(theta_i) + lam * (theta_i - theta))`.",
    )
    explanation = r"""
    The inner loop descends on $L_s(\theta_i) + \tfrac{\lambda}{2}\|\theta_i - \theta\|^2$, whose gradient is $\nabla L_s(\theta_i) +
    \lambda(\theta_i - \theta)$. The first step is not changed, for there $\theta_i = \theta$. Ordinary weight decay pulls towards 0,
    where no task is; this pulls towards what the tasks have in common.
    """
    deviations = (
        Deviation("towards", "0", "pulled towards 0",
                  "This is ordinary weight decay: it pulls θ_i towards 0. The pull goes towards θ: λ(θ_i − θ)."),
        Deviation("towards", "θ minus", "theta alone",
                  "The pull is λθ, wherever θ_i is. It is λ times the way that θ_i has gone: λ(θ_i − θ)."),
        Deviation("pull", -1, "pushed away from theta",
                  "The sign of the pull is turned: this drives θ_i away from θ. In the bracket with the gradient stands + λ(θ_i − θ)."),
        Deviation("pull", 0, "no pull", "λ does nothing here: this is the plain inner step. Add λ(θ_i − θ) to the gradient."),
        Deviation("pull", "1", "lambda left out", "The pull is θ_i − θ, whatever λ is. λ is its strength: λ(θ_i − θ)."),
        Deviation("pull", 2, "2λ for λ", "The pull is 2λ(θ_i − θ). The one half in (λ/2)‖θ_i − θ‖² takes the 2 away."),
        Deviation("pull", 0.5, "λ/2 for λ", "The pull is halved: differentiating the square gives a 2, which meets the one half."),
        Deviation("pull", "λ²", "λ squared", "λ stands in the pull squared: λ(θ_i − θ)."),
        Deviation("pull", "1 − λ", "1 − λ for λ", "The pull has the factor 1 − λ. λ is the strength: λ(θ_i − θ)."),
        Deviation("step", "pull without α", "alpha left out of the pull",
                  "The pull is not multiplied by α. Both belong to one gradient: α(∇L_s(θ_i) + λ(θ_i − θ))."),
        Deviation("step", "α left out", "alpha left out", "The step is the whole gradient. Its length is α times the gradient."),
        Deviation("step", "uphill", "uphill", "This goes along the gradient, where the loss grows. Descent subtracts it."),
        Deviation("step", "one after the other", "the pull after the step",
                  "The gradient's step is taken first, and the pull from where it leads. Both belong to one gradient, at θ_i."),
        Deviation("at", "θ", "gradient at theta", "The support gradient is taken at θ. The loop stands at θ_i: `grad(theta_i)`."),
        Deviation("start", "θ", "starts from theta", "The step starts at θ, and forgets the steps before. It starts at θ_i."),
        Deviation("start", "0", "the step alone", "This is the step alone. θ_(i+1) is where it leads: add it to θ_i."),
        Deviation("loss", "left out", "the support loss left out",
                  "Only the pull is left: the step goes back to θ and learns nothing of the task. Keep ∇L_s(θ_i)."),
    )  # fmt: skip

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        root, centre = rng.normal(size=(size, size)) / np.sqrt(size), rng.normal(size=size)
        hessian = root @ root.T + 0.5 * np.eye(size)
        return {
            "theta_i": rng.normal(size=size),
            "theta": rng.normal(size=size),
            "grad": lambda theta: hessian @ (np.array(theta) - centre) + 0.2 * np.array(theta) ** 3,
            "alpha": float(rng.uniform(0.05, 0.4)),
            "lam": float(rng.uniform(0.3, 3)),
        }

    def statement(self, given):
        value = ", ".join(f"{number:.4f}" for number in self.solution(**vars(given)))
        return rf"""
        The inner loop is to descend on $L_s(\theta_i) + \tfrac{{\lambda}}{{2}}\|\theta_i - \theta\|^2$. Write
        `pull_step(theta_i, theta, grad, alpha, lam)`: one step of size `alpha` from `theta_i`. `theta` is where the loop began;
        both have shape `(P,)`, and so has the answer. `grad(theta_i)` is $\nabla L_s(\theta_i)$; `lam` is λ.

        With `p.given("pull_step")`, where alpha = {given.alpha:.3f} and lam = {given.lam:.3f}, it gives [{value}].
        """

    @staticmethod
    def solution(theta_i, theta, grad, alpha, lam):
        return theta_i - alpha * (grad(theta_i) + lam * (theta_i - theta))

    @staticmethod
    def variant(theta_i, theta, grad, alpha, lam, towards="θ", pull=1, step="α", at="θ_i", start="θ_i", loss="kept"):
        way = {"θ": theta_i - theta, "0": theta_i, "θ minus": theta}[towards]
        strength = {"λ²": lam**2, "1 − λ": 1 - lam, "1": 1}[pull] if isinstance(pull, str) else pull * lam
        gradient = {"kept": 1, "left out": 0}[loss] * grad({"θ_i": theta_i, "θ": theta}[at])
        taken = {
            "α": -alpha * (gradient + strength * way),
            "pull without α": -alpha * gradient - strength * way,
            "α left out": -(gradient + strength * way),
            "uphill": alpha * (gradient + strength * way),
            "one after the other": -alpha * (gradient + strength * (way - alpha * gradient)),
        }[step]
        return {"θ_i": theta_i, "θ": theta, "0": 0}[start] + taken

    def skip(self, settings):
        return settings.get("pull") == 0 and "towards" in settings

    @mistake(
        "changes theta in place",
        "The step is right, but the caller's array was changed on the way: `theta_i -= …` writes into it. Make a new array.",
    )
    def in_place(theta_i, theta, grad, alpha, lam):
        theta_i -= alpha * (grad(theta_i) + lam * (theta_i - theta))
        return theta_i


_SEEDS = range(64)  # a task in two parts by chance in one draw is all but certain to show in these
_PARTS = "parts of whole numbers"


class split_tasks(FunctionProblem):
    title = "training, validation and test tasks"
    difficulty, minutes = "medium", 10
    tags = ("takeaway:meta-overfitting", "concept:meta-train-meta-test", "concept:task")
    cases = 3
    correct_message = "That is right: every task is in one part, and `rng` decides in which."
    hints = (
        "One permutation of all task numbers, `order = rng.permutation(n)`, and then cut it: no task can be in two pieces.",
        "The cuts are at n·f₁, n·(f₁ + f₂), …: `np.cumsum(fractions)[:-1] * n`, rounded to whole numbers.",
        "`np.split(order, cuts)` gives the list of parts.",
    )
    explanation = """
    The unit is the task: one permutation of the task numbers, cut at the sums of the fractions. Every example of a task goes where its
    task goes. A split of *examples* would leave each task in all parts, and then nothing that is held out is new.
    """

    def draw(self, rng):
        first, second = 0.58, 0.02 * int(rng.integers(10, 16))  # 0.58 · 50 comes out just below 29
        return {
            "n": 50,
            "fractions": (first, round(second, 2), round(1 - first - second, 2)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        sizes = ", ".join(str(len(part)) for part in self.solution(given.n, given.fractions, np.random.default_rng(0)))
        return rf"""
        You have n recorded tasks, numbered 0 … n − 1, each with its examples. Write `split_tasks(n, fractions, rng)`: a list of
        arrays of task numbers, one array for each of `fractions`, such as training, validation and test.

        - `fractions` are numbers that add up to 1; part j gets n times its fraction, which is a whole number here.
        - Every task is in exactly one part. Which one is random, and `rng`, a NumPy generator, is the only source of randomness.
        - The tasks of a part may come in any order.

        To try: `split_tasks(**p.given("split_tasks"))`. It has {given.n} tasks and fractions {given.fractions}, so the parts have
        {sizes} tasks.
        """

    @staticmethod
    def solution(n, fractions, rng):
        cuts = np.round(np.cumsum(fractions)[:-1] * n).astype(int)
        return np.split(rng.permutation(n), cuts)

    def observe(self, answer, case):
        """What makes a split of tasks one, whatever the order within a part."""
        n, fractions = case["n"], case["fractions"]
        if answer(*case.values()) is None:
            return None
        draws = [_parts(answer(n, fractions, np.random.default_rng(seed))) for seed in (*_SEEDS, *_SEEDS[:AGAIN])]
        wrong_form = next((draw for draw in draws if isinstance(draw, str)), None)
        if wrong_form:
            return {"what it gives": wrong_form}
        sizes = {tuple(map(len, draw)) for draw in draws}
        kept = [tuple(frozenset(part) for part in draw) for draw in draws]
        everything = [[task for part in draw for task in part] for draw in draws]
        return {
            "what it gives": _PARTS,
            "tasks in each part": str(list(sizes.pop())) if len(sizes) == 1 else "different from call to call",
            "a task twice in one part": any(len(part) > len(set(part)) for draw in draws for part in draw),
            "a task in two parts": any(sum(map(len, sets)) > len(frozenset().union(*sets)) for sets in kept),
            "tasks lost": any(set(range(n)) - set(every) for every in everything),
            "numbers that are no task's": any(set(every) - set(range(n)) for every in everything),
            "what decides which part a task is in": _decides(kept, n),
        }

    @mistake(
        "overlap",
        "Each part is drawn for itself, so a task can be in two: the held-out tasks were trained on. Draw one order and cut it.",
    )
    def overlap(n, fractions, rng):
        return [rng.permutation(n)[: round(n * fraction)] for fraction in fractions]

    @mistake(
        "cut off, not rounded",
        "n·f is a whole number, and in floating point it may come out just below: 0.58·50 as 28.999…, and `int` makes "
        "28 of it. Round first: `np.round`.",
    )
    def truncated(n, fractions, rng):
        return np.split(rng.permutation(n), (np.cumsum(fractions)[:-1] * n).astype(int))

    @mistake(
        "cut off, not rounded, part by part",
        "Each part has n·f tasks, a whole number, and in floating point it may come out just below: 0.58·50 as 28.999…, and `int` makes "
        "28 of it. A task is lost: round first.",
    )
    def each_truncated(n, fractions, rng):
        ends = np.cumsum([int(n * fraction) for fraction in fractions])
        return np.split(rng.permutation(n), ends)[:-1]

    @mistake(
        "a window of the recorded order",
        "Each part is a run of neighbours in the recorded order, and `rng` chooses only where it begins. Neighbours are often alike: shuffle.",
    )
    def window(n, fractions, rng):
        order = np.roll(np.arange(n), rng.integers(n))
        return np.split(order, np.round(np.cumsum(fractions)[:-1] * n).astype(int))

    @mistake(
        "not shuffled",
        "The parts are blocks in the recorded order. Tasks are often recorded in an order (one school, one year after the other): "
        "shuffle the task numbers first.",
    )
    def in_order(n, fractions, rng):
        return np.split(np.arange(n), np.round(np.cumsum(fractions)[:-1] * n).astype(int))

    @mistake(
        "splits examples, not tasks",
        "Every part holds every task: this splits each task's examples. Then nothing that is held out is a new task.",
    )
    def examples(n, fractions, rng):
        return [rng.permutation(n) for _ in fractions]

    @mistake(
        "drawn with replacement",
        "A task can come twice, and others never: `rng.choice` and `rng.integers` draw with replacement. Use `rng.permutation`.",
    )
    def with_replacement(n, fractions, rng):
        return np.split(rng.integers(n, size=n), np.round(np.cumsum(fractions)[:-1] * n).astype(int))

    @mistake(
        "a part for each task",
        "The part of each task is drawn by itself, with the fractions as chances: the sizes waver. Shuffle, then cut.",
    )
    def by_chance(n, fractions, rng):
        part = rng.choice(len(fractions), size=n, p=fractions)
        return [np.flatnonzero(part == j) for j in range(len(fractions))]

    @mistake(
        "counted from 1",
        "The numbers run from 1 to n. Tasks are numbered from 0: task n does not exist, and task 0 is lost.",
    )
    def from_one(n, fractions, rng):
        return [part + 1 for part in split_tasks.solution(n, fractions, rng)]

    @mistake("sizes in reverse", "The last fraction was given to the first part. Part j gets `fractions[j]`.")
    def reverse(n, fractions, rng):
        return split_tasks.solution(n, fractions[::-1], rng)

    @mistake(
        "cut at the fractions, not at their sums",
        "The cuts are at n·f₁, n·f₂, …; the second part ends at n·(f₁ + f₂): add the fractions up, `np.cumsum`.",
    )
    def no_sums(n, fractions, rng):
        order, ends = rng.permutation(n), [round(n * fraction) for fraction in fractions[:-1]]
        return [order[start:end] for start, end in zip([0, *ends], [*ends, n], strict=True)]

    @mistake(
        "the rest thrown away",
        "The last part is missing: as many parts as fractions. What is left after the last cut is a part, too.",
    )
    def last_missing(n, fractions, rng):
        return split_tasks.solution(n, fractions, rng)[:-1]

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` split differently: something random does not come from it. Call `rng.permutation`, not "
        "`np.random`.",
    )
    def ignores_rng(n, fractions, rng):
        return split_tasks.solution(n, fractions, np.random.default_rng())

    @mistake(
        "seeded inside",
        "Every call makes the same split: the function makes a generator of its own with a fixed seed. Use the `rng` it is handed.",
    )
    def seeded_inside(n, fractions, rng):
        return split_tasks.solution(n, fractions, np.random.default_rng(0))


def _parts(made):
    """The parts as lists of whole numbers, or what came instead, in words."""
    if not isinstance(made, (tuple, list)):
        return f"one {type(made).__name__}, not a list of parts"
    for part in made:
        if np.ndim(part) != 1:
            return f"a list of {type(part).__name__}, not of arrays of task numbers"
        numbers = np.asarray(part)
        if numbers.size and numbers.dtype.kind not in "iuf":
            return (
                "parts that do not hold numbers"
                if numbers.dtype.kind != "b"
                else "parts of True and False, not of task numbers"
            )
        if np.any(numbers != np.round(numbers)):
            return "parts that do not hold whole numbers"
    return [[int(task) for task in part] for part in made]


def _decides(draws, n):
    """What decides, from the parts as sets: for each seed, and for the first ones AGAIN."""
    inside = np.array(
        [[[task in part for task in range(n)] for part in draw] for draw in draws if len(draw) == len(draws[0])]
    )
    if len(inside) < len(draws):
        return OTHER
    found = [decides(part[: len(_SEEDS)], part[len(_SEEDS) :], "tasks") for part in inside.transpose(1, 0, 2)]
    if all(each.startswith(SAME) for each in found):
        order = [task for part in draws[0] for task in sorted(part)]
        return "the recorded order" if order == sorted(order) else SAME
    return next((each for each in found if each != "rng"), "rng")


class gap(NumberProblem):
    title = "which difference is the gap?"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:meta-overfitting", "mistake:train-only")
    hints = (
        "The meta-generalisation gap compares *tasks*: those that were trained on, and new ones. On each, what counts is the query "
        "loss after adaptation.",
        "The mean of `new_query_after` minus the mean of `train_query_after`.",
    )
    explanation = """
    Query loss after adaptation, new tasks minus training tasks. Support against query on the same tasks is the other overfitting,
    within a task; and the loss before adaptation is not what was trained.
    """

    def draw(self, rng):
        def losses(mean, tasks):
            return np.round(mean * rng.uniform(0.6, 1.4, tasks), 2)

        train, new = int(rng.integers(4, 7)), int(rng.integers(5, 9))
        return {
            "train_query_before": losses(rng.uniform(2, 3), train),
            "train_support_after": losses(rng.uniform(0.1, 0.3), train),
            "train_query_after": losses(rng.uniform(0.4, 0.8), train),
            "new_query_before": losses(rng.uniform(3, 4), new),
            "new_support_after": losses(rng.uniform(0.4, 0.8), new),
            "new_query_after": losses(rng.uniform(1.4, 2.4), new),
        }

    def statement(self, given):
        rows = "\n".join(
            f"        - `{name}`: {', '.join(f'{loss:g}' for loss in losses)}" for name, losses in vars(given).items()
        )
        return f"""
        A start θ was meta-trained on a few tasks and tested on new ones. Each list has a loss a task, before or after adaptation:

{rows}

        What is the meta-generalisation gap? The lists are in `p.given("gap")`.
        """

    @staticmethod
    def solution(**losses):
        return np.mean(losses["new_query_after"]) - np.mean(losses["train_query_after"])

    @mistake("the other way round", "This is training minus new. A gap above 0 says that new tasks are worse.")
    def reverse(**losses):
        return -gap.solution(**losses)

    @mistake(
        "support against query",
        "This compares query with support on the new tasks: overfitting within a task. The gap compares new tasks with training tasks.",
    )
    def within(**losses):
        return np.mean(losses["new_query_after"]) - np.mean(losses["new_support_after"])

    @mistake(
        "support against query, on training tasks",
        "This compares query with support on the training tasks. The gap compares new tasks with training tasks.",
    )
    def within_training(**losses):
        return np.mean(losses["train_query_after"]) - np.mean(losses["train_support_after"])

    @mistake("before adaptation", "These are the losses before adaptation. What was trained is the loss after it.")
    def before(**losses):
        return np.mean(losses["new_query_before"]) - np.mean(losses["train_query_before"])

    @mistake(
        "support losses", "This compares support losses, on the points that were adapted on. The query set judges."
    )
    def supports(**losses):
        return np.mean(losses["new_support_after"]) - np.mean(losses["train_support_after"])

    @mistake(
        "new query against training support",
        "The query loss on new tasks is compared with the *support* loss on training tasks.",
    )
    def mixed(**losses):
        return np.mean(losses["new_query_after"]) - np.mean(losses["train_support_after"])

    @mistake(
        "what adaptation gains", "This is what the step gains on new tasks. The gap compares them with training tasks."
    )
    def gain(**losses):
        return np.mean(losses["new_query_before"]) - np.mean(losses["new_query_after"])

    @mistake("a ratio", "This divides the two means. The gap is their difference.")
    def ratio(**losses):
        return np.mean(losses["new_query_after"]) / np.mean(losses["train_query_after"])

    @mistake(
        "sums for means", "These are sums over tasks, and there are more new tasks than training tasks: take means."
    )
    def sums(**losses):
        return np.sum(losses["new_query_after"]) - np.sum(losses["train_query_after"])


class pull_end(FunctionProblem):
    title = "where a pulled inner loop comes to rest"
    difficulty, minutes = "medium", 8
    tags = ("takeaway:meta-overfitting", "concept:initialisation-as-prior")
    hints = (
        "It rests where the step is zero: h(θ′ − θ*) + λ(θ′ − θ) = 0.",
        "Solve for θ′: (h + λ)θ′ = hθ* + λθ.",
        "A weighted mean of the task's optimum and the start, with the weights h and λ, parameter by parameter.",
    )
    explanation = r"""
    The gradient $h(\theta' - \theta^*) + \lambda(\theta' - \theta)$ is zero at $\theta' = (h\theta^* + \lambda\theta)/(h + \lambda)$, for
    any number of steps and any stable α. A parameter that the support set says much about (large h) goes to the task's optimum; one that it says
    nothing about stays at θ. λ is the precision of the prior that θ stands for: lesson 5's number, now set by hand.
    """
    deviations = (
        Deviation("weights", "exchanged", "weights exchanged",
                  "The weights are exchanged. A stronger pull λ keeps θ′ nearer to the start θ."),
        Deviation("weights", "equal", "halfway",
                  "This is the middle between start and optimum. How far it goes depends on h against λ."),
        Deviation("weights", "squared", "weights squared",
                  "h and λ are squared. They come into the gradient as they are."),
        Deviation("towards", "0", "pulled towards 0",
                  "This is hθ*/(h + λ): the pull goes towards 0, as ordinary weight decay does. Here it goes towards θ."),
        Deviation("pull", "none", "no pull", "This is θ*, where a loop without a pull would rest."),
        Deviation("pull", "half", "λ/2 for λ", "λ is halved. The gradient of (λ/2)(θ′ − θ)² is λ(θ′ − θ)."),
        Deviation("pull", "twice", "2λ for λ", "λ is doubled. The gradient of (λ/2)(θ′ − θ)² is λ(θ′ − θ)."),
        Deviation("pull", "negative", "pushed away", "λ has the wrong sign: this is where a push away from θ would balance."),
        Deviation("divided", "1", "not divided by the weights", "This is hθ* + λθ. Divide by h + λ."),
        Deviation("divided", "2", "divided by 2", "The weighted sum is divided by 2. A weighted mean divides by the sum of the weights, h + λ."),
        Deviation("mean h", True, "one curvature for all",
                  "The mean curvature is used for every parameter. Each has its own h: go entry by entry."),
    )  # fmt: skip

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        return {
            "h": rng.uniform(0.1, 4, size),
            "theta_star": rng.normal(0, 2, size),
            "theta": rng.normal(size=size),
            "lam": float(rng.uniform(0.3, 3)),
        }

    def statement(self, given):
        value = ", ".join(f"{number:.4f}" for number in self.solution(**vars(given)))
        return rf"""
        The support loss is a bowl, $L_s(\theta') = \sum_j \tfrac12 h_j(\theta'_j - \theta^*_j)^2$. An inner loop descends on
        $L_s(\theta') + \tfrac{{\lambda}}{{2}}\|\theta' - \theta\|^2$ for so many steps that it comes to rest. Write
        `pull_end(h, theta_star, theta, lam)`: where. `h` (all above 0), `theta_star` and the start `theta` have shape `(P,)`, and so has the
        answer; `lam` is λ > 0.

        For `p.given("pull_end")` it is [{value}].
        """

    @staticmethod
    def solution(h, theta_star, theta, lam):
        return (h * theta_star + lam * theta) / (h + lam)

    @staticmethod
    def variant(h, theta_star, theta, lam, **settings):
        h = np.full(len(h), np.mean(h)) if settings.get("mean h") else h
        lam = {"none": 0, "half": lam / 2, "twice": 2 * lam, "negative": -lam}.get(settings.get("pull"), lam)
        other = lam + np.zeros(len(h))
        first, second = {
            "exchanged": (other, h),
            "equal": (np.ones(len(h)), np.ones(len(h))),
            "squared": (h**2, other**2),
        }.get(settings.get("weights"), (h, other))
        below = {"1": 1, "2": 2}.get(settings.get("divided"), first + second)
        return (first * theta_star + second * (0 if settings.get("towards") == "0" else theta)) / below


class choose_and_report(FunctionProblem):
    title = "choose on some tasks, report on others"
    difficulty, minutes = "hard", 15
    tags = ("takeaway:meta-overfitting", "mistake:train-only", "concept:meta-train-meta-test")
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    most = 2
    hints = (
        "First choose: average `validation` over tasks, shape (S, m + 1), and find where it is least. `np.unravel_index` turns the place in "
        "the flattened array into (s, i).",
        "Then report: `test[s, i]` has one loss a task. Its mean, and 1.96 standard errors of it.",
        "`s, i = np.unravel_index(np.argmin(validation.mean(axis=-1)), validation.shape[:2])`.",
    )
    explanation = r"""
    The smallest of many means is too small by luck: part of what made it the smallest is noise. So the tasks that choose cannot report. Checkpoint and
    number of steps are chosen together on validation tasks, once, and the test tasks are asked one question: how good is *this* choice?
    """
    deviations = (
        Deviation("chosen on", "test", "chosen on the test tasks",
                  "The test tasks chose, and then they report on their own choice: the smallest of many means is too small by luck. Choose on `validation`."),
        Deviation("chosen on", "both", "test tasks among those that choose",
                  "Validation and test tasks choose together. The test tasks may not choose at all."),
        Deviation("chosen on", "worst", "the largest loss", "This chooses the largest mean loss. These are losses: smaller is better."),
        Deviation("steps", "last", "always the last step",
                  "Only the checkpoint was chosen, at the last step. The number of steps is chosen as well: fewer may be better."),
        Deviation("steps", "apart", "chosen one after the other",
                  "Checkpoint and steps are chosen apart, each by its own average. Choose the pair: the best steps of one checkpoint need not be those of another."),
        Deviation("steps", "test", "steps chosen on the test tasks",
                  "The checkpoint was chosen on validation tasks, and then its number of steps on the test tasks. Those may choose nothing: take the pair from `validation`."),
        Deviation("order", "exchanged", "steps before the checkpoint",
                  "The number of steps comes first here. Give the checkpoint, then the steps: axis 0, then axis 1."),
        Deviation("checkpoint", "last", "always the last checkpoint",
                  "Only the number of steps was chosen, at the last checkpoint. Early stopping chooses the checkpoint as well."),
        Deviation("middle", "median", "medians choose", "The median over tasks chooses. The meta-objective is a mean."),
        Deviation("reported on", "validation", "reports the validation tasks",
                  "This reports the loss of the tasks that chose: the smallest of many means is too small by luck. Report `test`."),
        Deviation("half", "deviation", "deviation for error", "This is 1.96 deviations of the tasks. The error of their mean is smaller by √T."),
        ONE_ERROR,
        ABOUT_TWO,
        WHOLE_WIDTH,
        Deviation("order", "from 1", "counted from 1", "Checkpoints and steps are counted from 1 here. Both begin at 0: as the axes do."),
        Deviation("order", "checkpoint from 1", "checkpoints counted from 1", "Checkpoints are counted from 1 here. The first is 0."),
        Deviation("order", "steps from 1", "steps counted from 1",
                  "Steps are counted from 1 here. Entry 0 of axis 1 is without a step, so that its place is the number of steps."),
        Deviation("ddof", 0, "divided by T, not T − 1", "The variance divides by T. An estimated mean was subtracted: `ddof=1`."),
    )  # fmt: skip

    def draw(self, rng):
        states, steps = int(rng.integers(3, 6)), int(rng.integers(2, 5))
        level = 1 + rng.uniform(0, 0.6, (states, steps + 1))
        tasks = rng.integers(5, 12, 2)
        validation, test = (level[..., None] * rng.gamma(3.0, 1 / 3, (*level.shape, int(size))) for size in tasks)
        return {"validation": validation, "test": test}

    def statement(self, given):
        s, i, mean, half = self.solution(**vars(given))
        shape = given.validation.shape
        return rf"""
        Meta-training left S checkpoints. Each was adapted with 0, 1, … m inner steps, to validation tasks and to test tasks: `validation` has shape
        `(S, m + 1, V)`, `test` `(S, m + 1, T)`, a loss for each checkpoint, number of steps and task. Which checkpoint, and with how many steps, do you hand
        in, and how good is it? Write `choose_and_report(validation, test)`: four numbers, the checkpoint (from 0), the number of steps, the mean loss that
        you report, and half the width of its 95 % interval over tasks.

        For `p.given("choose_and_report")`, with S = {shape[0]}, m = {shape[1] - 1}, V = {shape[2]} and T = {given.test.shape[2]}, it gives
        ({s}, {i}, {mean:.4f}, {half:.4f}).
        """

    @staticmethod
    def solution(validation, test):
        means = validation.mean(axis=-1)
        s, i = np.unravel_index(np.argmin(means), means.shape)
        losses = test[s, i]
        return s, i, losses.mean(), 1.96 * losses.std(ddof=1) / np.sqrt(len(losses))

    def maker(self, case):
        def make(settings):
            settings = {choice.replace(" ", "_"): setting for choice, setting in settings.items()}
            return np.array(self.variant(*fresh(case).values(), **settings), dtype=float)

        return make

    @staticmethod
    def variant(
        validation, test, chosen_on="validation", steps="chosen", checkpoint="chosen", middle="mean",
        reported_on="test", half="right", ddof=1, order="right",
    ):  # fmt: skip
        judges = {"test": test, "both": np.concatenate([validation, test], axis=-1)}.get(chosen_on, validation)
        means = {"mean": np.mean, "median": np.median}[middle](judges, axis=-1)
        means = -means if chosen_on == "worst" else means
        s, i = np.unravel_index(np.argmin(means), means.shape)
        if checkpoint == "last":
            s, i = len(means) - 1, np.argmin(means[-1])
        if steps == "last":
            s, i = (s if checkpoint == "last" else np.argmin(means[:, -1])), means.shape[1] - 1
        elif steps == "apart":
            s, i = (s if checkpoint == "last" else np.argmin(means.mean(axis=1))), np.argmin(means.mean(axis=0))
        elif steps == "test":
            i = np.argmin(test[s].mean(axis=-1))
        losses = {"test": test, "validation": validation}[reported_on][s, i]
        spread = np.std(losses, ddof=ddof)
        error = spread / np.sqrt(len(losses))
        halves = {
            "right": 1.96 * error, "deviation": 1.96 * spread, "one error": error, "2": 2 * error, "whole": 3.92 * error,
        }  # fmt: skip
        s, i = {
            "exchanged": (i, s), "from 1": (s + 1, i + 1), "checkpoint from 1": (s + 1, i), "steps from 1": (s, i + 1),
        }.get(order, (s, i))  # fmt: skip
        return s, i, np.mean(losses), halves[half]


class diagnose(ChoiceProblem):
    title = "what is wrong with this meta-learner?"
    difficulty, minutes = "medium", 10
    tags = ("takeaway:meta-overfitting", "mistake:train-only", "mistake:unrelated-tasks")
    labels = ("within-task", "across-task", "leakage", "unrelated", "healthy")
    hints = (
        "Go from left to right. Training tasks against test tasks: across-task. Test tasks against tasks of next year: leakage.",
        "Test tasks after 1 step against after 20, and support against query: within-task. After 20 steps against alone: was "
        "meta-learning worth it?",
    )
    explanation = """
    *Across-task*: training tasks low, test tasks several times higher, and so are later ones. *Leakage*: test tasks as low as training tasks, but later
    ones, which nobody could have used, are not. *Within-task*: training and test tasks alike, but more steps made the query loss worse while the support
    loss went to nothing. *Unrelated*: all tasks alike, and nothing gained over learning each task alone. *Healthy*: all alike, and far below alone.
    """
    traps = MappingProxyType(
        {
            "training tasks reported": "An across-task gap was called healthy: test tasks are several times worse than training tasks.",
            "support loss trusted": "Within-task overfitting was called healthy: 20 steps are worse on the query set than 1, while the support loss vanishes.",
            "test tasks trusted": "Leakage was called healthy: the test tasks look fine, and tasks that nobody could have used do not.",
            "leakage taken for few tasks": "Leakage was called across-task: there the test tasks would have shown it. They did not, so something of them was used.",
            "no baseline": "Unrelated tasks were called healthy: learning each task alone is as good.",
            "within taken for across": "Within-task overfitting was called across-task: training and test tasks are alike here.",
        }
    )

    def statement(self, given):
        return """
        Each line is a report of one meta-learner, all in mean squared error: the query loss on training tasks after 20 steps; on test tasks the query
        loss after 1 and after 20 steps, with the support loss after 20; the query loss after 20 steps on tasks of next year, recorded when all was done; and the query
        loss of learning each of them alone. Every number is good to 5 %. Say what each report shows. *Leakage* (lesson 2): something of the test tasks was used
        before the test. *Unrelated* (lesson 1): the tasks share nothing that a learner could bring along.
        """

    def items(self, rng):
        kinds = [*self.labels, *map(str, rng.choice(self.labels, 3))]
        return [self._item(rng, str(kind)) for kind in rng.permutation(kinds)]

    def _item(self, rng, kind):
        def about(value):
            return value * rng.uniform(0.97, 1.03)

        low = rng.uniform(0.3, 0.8)
        high, alone = low * rng.uniform(3, 6), low * rng.uniform(6, 9)
        train, once, often, support, later = {
            "healthy": (low, 1.3 * low, low, 0.8 * low, low),
            "across-task": (low, 1.2 * high, high, 0.8 * high, high),
            "leakage": (low, 1.3 * low, low, 0.8 * low, high),
            "unrelated": (low, 1.3 * low, low, 0.8 * low, low),
            "within-task": (3 * low, low, 3 * low, 0.02 * low, 3 * low),
        }[kind]
        alone = low if kind == "unrelated" else alone
        numbers = [about(value) for value in (train, once, often, support, later, alone)]
        text = (
            "training {:.2f}; test {:.2f} after 1 step, {:.2f} after 20 (support {:.2f}); next year {:.2f}; alone {:.2f}"
        ).format(*numbers)
        return Item(text, kind, self._trapped.get(kind, {}), self._looks[kind])

    _trapped = MappingProxyType(
        {
            "across-task": {"training tasks reported": "healthy"},
            "within-task": {"support loss trusted": "healthy", "within taken for across": "across-task"},
            "leakage": {"test tasks trusted": "healthy", "leakage taken for few tasks": "across-task"},
            "unrelated": {"no baseline": "healthy"},
        }
    )
    _looks = MappingProxyType(
        {
            "healthy": "are training, test and later tasks alike, and all far below alone?",
            "across-task": "compare training tasks with test tasks after 20 steps.",
            "leakage": "compare test tasks with those of next year.",
            "unrelated": "compare the last number with the one before it.",
            "within-task": "compare 1 step with 20 on test tasks, and look at the support loss.",
        }
    )


_FITS, _EXCLUSIVE = "one function fits all", "must adapt"


class exclusive(ChoiceProblem):
    title = "can one function fit all these tasks?"
    difficulty, minutes = "medium", 8
    tags = ("takeaway:meta-overfitting", "takeaway:shared-structure", "concept:task")
    labels = (_FITS, _EXCLUSIVE)
    hints = (
        "Imagine one very large function that may look at the input and at nothing else. Is there an input for which two tasks want "
        "different answers?",
        "If the input tells which task it is (a number, a name, a place where no other task has inputs), one function can learn all "
        "tasks by heart, and nothing forces it to look at the support set.",
    )
    explanation = """
    Where two tasks want different outputs for the same input, no single function fits both: the tasks are mutually exclusive, and the support set must
    be used. Where the input gives the task away, a large enough function fits them all without looking at a support set, and new tasks find that nothing was learned
    about learning. Numbering classes afresh in every episode makes tasks exclusive on purpose.
    """
    traps = MappingProxyType(
        {
            "different taken for exclusive": "Tasks that one function can fit were called exclusive. That tasks differ is not enough: the same "
            "input has to want different outputs.",
            "alike taken for one function": "Exclusive tasks were said to be fit by one function. Take one input: two of the tasks want different "
            "outputs for it.",
        }
    )

    def statement(self, given):
        return """
        Each line describes tasks on which a meta-learner is to be trained. Could one function of the input alone, large enough and never shown a
        support set, fit all of them? Then it may learn the tasks by heart: *one function fits all*. Or do some of the tasks want different outputs for the
        same input, so that the learner *must adapt*?
        """

    def items(self, rng):
        number, ways, a, b = (int(rng.integers(*ends)) for ends in ((20, 300), (3, 9), (2, 5), (5, 9)))
        x = round(float(rng.uniform(0.5, 2)), 1)
        away = round(x + 2.0, 1)
        pools = {
            _EXCLUSIVE: {
                f"waves y = A sin(x − φ), each with its own A and φ; the input is x, from −{ways} to {ways}": "take x = 1 and two waves.",
                f"{ways}-way episodes of characters; in each, the classes are numbered afresh from 0": (
                    "can the same image be class 0 in one episode and class 2 in another?"
                ),
                f"task 1: {x:g} → {a}, {x + 1:g} → {2 * a}; task 2: {x:g} → {b}, {x + 1:g} → {2 * b}": f"what is wanted at {x:g}?",
                f"{number} readers rate the same books; the input is the book, the output this reader's mark": (
                    "do two readers give the same book the same mark?"
                ),
                f"lines through the origin with slopes {a} and {b}, seen at any x from −1 to 1": (
                    f"what is wanted at {x / 2:g}?"
                ),
                f"waves with the wave's number as a second input; the numbers are drawn afresh in every episode ({number} waves)": (
                    "does a number that changes every time say which wave it is?"
                ),
            },
            _FITS: {
                f"{number} waves, each with its own A and φ; the input is x and the number of the wave": "what does the second input tell?",
                f"{number} characters; each has a label of its own, the same in every episode": "can one image ever have two labels?",
                f"task 1: {x:g} → {a}, {x + 1:g} → {2 * a}; task 2: {away:g} → {b}, {away + 1:g} → {2 * b}": (
                    "is there an x that both tasks use?"
                ),
                f"{number} patients; the input is the hour and the patient's photograph, the output the blood sugar": (
                    "what does the photograph tell?"
                ),
                f"wave i lives on its own stretch of x, from {ways}·i to {ways}·i + {ways - 1}, for i = 0 … {number}": "which waves have inputs at a given x?",
                f"{number} chairs and cups, each with a pose to be read off, from a photograph of the whole thing": (
                    "does the photograph show which thing it is?"
                ),
            },
        }
        trapped = {
            _FITS: {"different taken for exclusive": _EXCLUSIVE},
            _EXCLUSIVE: {"alike taken for one function": _FITS},
        }
        count = int(rng.integers(4, 6))
        items = [
            Item(list(pool)[i], label, trapped[label], list(pool.values())[i])
            for (label, pool), most in zip(pools.items(), (count, 9 - count), strict=True)
            for i in rng.permutation(len(pool))[:most]
        ]
        return [items[i] for i in rng.permutation(len(items))]


class what_to_collect(TextProblem):
    title = "more tasks, or more points a task?"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:meta-overfitting", "takeaway:distribution-not-dataset")
    model = """
    Look where the gap opens. If the loss is low on the training tasks' own points and high on new points of the same tasks, the points
    are scarce: record more of them, or split each task's points afresh at every draw, which costs nothing. If new points of the training
    tasks do well and new tasks do not, tasks are scarce or too much alike: more tasks, and from everywhere in p(T), not more of the same.
    """
    rubric = (
        "It compares three losses: own points, new points of the same tasks, new tasks.",
        "It says which gap speaks for points and which for tasks.",
        "It says that new tasks have to be different, not only many.",
        "A bonus: it names splitting afresh as what costs nothing.",
    )

    def statement(self, given):
        return r"""
        You have a meta-learner trained on 20 recorded tasks of 15 points each, and money to record more: either other tasks, or more points of
        these. Which measurements on your present learner would tell you what to buy? A few sentences, in quotes.
        """
