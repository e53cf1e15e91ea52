"""Lesson 1, task distributions."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.judging.compare import fresh


def _varied(rng, *ranges):
    """A number from one of several ranges."""
    return round(float(rng.uniform(*ranges[rng.integers(len(ranges))])), 2)


class sample_lines(FunctionProblem):
    title = "a task distribution of your own"
    difficulty, minutes = "medium", 12
    tags = ("concept:task-distribution", "concept:task")
    cases = 3
    correct_message = "That is right: two dice, one rolled once a task and one at every point."
    hints = (
        "Two dice. The first, once a task: `slopes = rng.normal(mean, std, tasks)`. The second, at every point: x and the "
        "noise.",
        "`x = rng.uniform(-1, 1, (tasks, shots, 1))`. The slopes are `(T,)`; `slopes[:, None, None] * x` gives each task "
        "its own slope.",
        "The noise has the shape of x, fresh at every point: `noise * rng.standard_normal(x.shape)`. Return all three.",
    )
    explanation = """
    p(T) draws the hidden variable, the slope, once a task. The task's own process then draws inputs and noise, fresh
    at every point. The shapes say it: what belongs to a task is `(T,)`, what belongs to a point is `(T, K, 1)`. All
    randomness comes from `rng`, so the same seed draws the same tasks, and the next call draws new ones.
    """

    def draw(self, rng):
        return {
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
            "tasks": int(rng.integers(200, 300)),
            "shots": int(rng.integers(5, 9)),
            "mean": _varied(rng, (-2, -1), (1, 2)),
            "std": _varied(rng, (0.4, 0.6), (1.6, 2.0)),  # far from 1, so that a variance is no deviation
            "noise": _varied(rng, (0.2, 0.5)),
        }

    def statement(self, given):
        return rf"""
        Write `sample_lines(rng, tasks, shots, mean, std, noise)` → `x, y, slopes`: a draw of T = `tasks` tasks with
        K = `shots` points each, from the distribution of lines through the origin.

        - `slopes`, shape `(T,)`: one slope a task, normal with mean `mean` and standard deviation `std`;
        - `x`, shape `(T, K, 1)`: uniform on $[-1, 1]$, fresh at every point;
        - `y`, shape `(T, K, 1)`: the task's slope times x, plus normal noise of standard deviation `noise`, fresh at every
          point.

        `rng` is a NumPy generator (`rng.normal(…)`, `rng.uniform(…)`) and the only source of randomness. The order in which
        you draw is yours: the check looks at shapes, at statistics, and at what is drawn how often.

        To try: `x, y, slopes = sample_lines(**p.given("sample_lines"))` should give {given.tasks} slopes, of mean about
        {given.mean:g} and standard deviation about {given.std:g}.
        """

    @staticmethod
    def solution(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        y = slopes[:, None, None] * x + noise * rng.standard_normal(x.shape)
        return x, y, slopes

    def observe(self, answer, case):
        """Shapes, statistics and what is shared: none of it depends on the order of the draws."""
        arguments, copy, few = list(case.values()), fresh(case), fresh(case) | {"tasks": 1, "shots": 1}
        first, second, again = answer(*arguments), answer(*arguments), answer(*copy.values())
        small = answer(*few.values())
        if not isinstance(first, (tuple, list)) or len(first) != 3:
            kind = f"{len(first)} things" if isinstance(first, (tuple, list)) else f"one {type(first).__name__}"
            return {"what it returns": kind}
        x, y, slopes = first = _arrays(first)
        tasks, shots = case["tasks"], case["shots"]
        facts = {
            "what it returns": "x, y, slopes",
            "shapes of x, y, slopes": f"{x.shape}, {y.shape}, {slopes.shape}",
            "shapes for 1 task with 1 point": ", ".join(str(part.shape) for part in _arrays(small)),
        }
        if (x.shape, y.shape, slopes.shape) != ((tasks, shots, 1), (tasks, shots, 1), (tasks,)):
            return facts
        x, residual = x[..., 0], (y - slopes[:, None, None] * x)[..., 0]
        inputs, errors = _how_fresh(x), _how_fresh(residual)
        one_slope = len(np.unique(slopes)) == 1 and "one slope for all tasks"
        return facts | {
            "the same rng gives the same draw": _equal(first, _arrays(again)),
            "the next call draws anew": not _equal(first, _arrays(second)),
            "mean of the slopes": one_slope or _near(slopes.mean(), case["mean"], 5 * case["std"] / tasks**0.5),
            "spread of the slopes": one_slope or _near(slopes.std(), case["std"], 0.25 * case["std"]),
            "inputs": inputs,
            "range of the inputs": f"{x.min():.1f} to {x.max():.1f}" if inputs == _FRESH else inputs,
            "spread of the inputs": _near(x.std(), 3**-0.5, 0.08) if inputs == _FRESH else inputs,
            "noise, y − slope · x": errors,
            "noise as large near x = 0 as far from it": _even(residual, x) if inputs == errors == _FRESH else True,
            "size of the noise": _near(residual.std(), case["noise"], 0.25 * case["noise"])
            if errors == _FRESH
            else errors,
        }

    @mistake(
        "one slope for all tasks",
        "The slope was drawn once, so all tasks have the same one: there is only one task. Draw `tasks` of them.",
    )
    def one_slope(rng, tasks, shots, mean, std, noise):
        slopes = np.full(tasks, rng.normal(mean, std))
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal(x.shape), slopes

    @mistake(
        "noise drawn per task",
        "All points of a task share one noise value, which shifts the whole line. Noise is fresh at every point: draw it "
        "with the shape of x, `(T, K, 1)`.",
    )
    def noise_per_task(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal((tasks, 1, 1)), slopes

    @mistake(
        "noise shared by all tasks",
        "All tasks get the same row of noise. Noise is fresh at every point of every task: draw it with the shape of x, "
        "`(T, K, 1)`.",
    )
    def noise_per_shot(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal((shots, 1)), slopes

    @mistake("noise left out", "y lies exactly on the line: the noise is missing.")
    def without_noise(rng, tasks, shots, mean, std, noise):
        x, _, slopes = sample_lines.solution(rng, tasks, shots, mean, std, noise)
        return x, slopes[:, None, None] * x, slopes

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` gave different draws: something random does not come from it. Call `rng.normal` "
        "and `rng.uniform`, not `np.random`.",
    )
    def ignores_rng(rng, tasks, shots, mean, std, noise):
        return sample_lines.solution(np.random.default_rng(), tasks, shots, mean, std, noise)

    @mistake(
        "seeded inside",
        "Every call gives the very same tasks: the function makes a generator of its own with a fixed seed. Draw from the "
        "`rng` that it is handed.",
    )
    def seeded_inside(rng, tasks, shots, mean, std, noise):
        return sample_lines.solution(np.random.default_rng(0), tasks, shots, mean, std, noise)

    @mistake(
        "the same inputs for all tasks",
        "All tasks share one row of inputs. Each task draws its own: shape `(T, K, 1)`.",
    )
    def shared_inputs(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = np.tile(rng.uniform(-1, 1, (shots, 1)), (tasks, 1, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal(x.shape), slopes

    @mistake(
        "inputs on [0, 1]",
        "The inputs lie between 0 and 1, NumPy's default. Name the range: `rng.uniform(-1, 1, …)`.",
    )
    def positive_inputs(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.random((tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal(x.shape), slopes

    @mistake("mean left out", "The slopes gather around 0, not around `mean`: it is left out.")
    def without_mean(rng, tasks, shots, mean, std, noise):
        return sample_lines.solution(rng, tasks, shots, 0.0, std, noise)

    @mistake(
        "variance for deviation",
        "Slopes and noise spread by the squares of `std` and `noise`. Both are standard deviations, not variances.",
    )
    def variance(rng, tasks, shots, mean, std, noise):
        return sample_lines.solution(rng, tasks, shots, mean, std**2, noise**2)


_FRESH = "fresh at every point"


def _arrays(parts):
    return [np.asarray(part, dtype=float) for part in parts]


def _equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _how_fresh(values):
    """How often values (T, K) were drawn, in words."""
    size = np.sqrt(np.mean(values**2))
    if size < 1e-3:
        return "none"
    if np.mean(np.std(values, axis=1)) < 0.1 * size:
        return "one value a task"
    if np.mean(np.std(values, axis=0)) < 0.1 * size:
        return "the same for all tasks"
    return _FRESH if len(np.unique(values)) == values.size else "some values occur twice"


def _even(residual, x):
    """Whether the noise is as large near x = 0 as far from it: a slope drawn at every point is not."""
    near, far = residual[np.abs(x) < 0.3], residual[np.abs(x) > 0.7]
    return bool(near.size and far.size and abs(near.std() - far.std()) <= 0.3 * residual.std())


def _near(value, right, margin):
    """ "as asked", or which way it is off."""
    if abs(value - right) <= margin:
        return "as asked"
    return "too large" if value > right else "too small"


class relatedness(ChoiceProblem):
    title = "identical, related or unrelated?"
    difficulty, minutes = "easy", 8
    tags = ("takeaway:shared-structure", "mistake:unrelated-tasks", "concept:meta-learning")
    labels = ("identical", "related", "unrelated")
    hints = (
        "Ask two things. Do the tasks differ at all? And if so: once you know many of them, is there something left of it "
        "that helps with a new one?",
        "Lines: compare the spread τ of the slopes with the error of your own few points. τ = 0 is identical, τ much "
        "larger is unrelated.",
        "Losses: if shared is as good as the meta-learner, the tasks are identical; if alone is, they are unrelated; if "
        "the meta-learner beats both, they are related.",
    )
    explanation = """
    Identical: the hidden variable is the same in all tasks. Only the points differ, and one shared model is enough.
    Related: the hidden variable differs, the rest is shared. A few points find the variable, and meta-learning beats
    both alone and shared. Unrelated: other tasks say next to nothing about a new one beyond what its own points say, so
    learning alone is as good, even if all tasks are lines.
    """
    traps = MappingProxyType(
        {
            "identical taken for related": "Identical tasks were called related. They differ in their points only, so one "
            "shared model does it: there is nothing left to adapt to.",
            "unrelated taken for related": "Unrelated tasks were called related. Looking alike is not enough, and "
            "meta-learning does not help whatever the tasks are: others must say something that a task's own points do "
            "not.",
            "related taken for identical": "Related tasks were called identical. Something differs from task to task, and "
            "one shared model could give only the average.",
        }
    )

    def statement(self, given):
        return """
        Each line describes a task distribution, or gives the mean losses of three learners on held-out tasks (± 95 %
        interval, the noise of the query points left out). Are the tasks

        - *identical*: one shared model for all is enough;
        - *related*: a task's few points, together with what all tasks share, do better than alone and than shared; or
        - *unrelated*: other tasks say next to nothing about a new one, so learn each alone?
        """

    def items(self, rng):
        number, shots, ways = int(rng.integers(20, 900)), int(rng.integers(4, 9)), int(rng.integers(3, 9))
        slope, low = round(float(rng.uniform(0.5, 3)), 1), round(float(rng.uniform(0.5, 2)), 1)
        spread, wide = round(float(rng.uniform(0.6, 1.2)), 1), int(rng.integers(30, 80))
        texts = {
            "identical": [
                f"{number} data sets, all from the line y = {slope}x + noise, each with {shots} points of its own",
                f"sine waves, all of amplitude {low} and phase 0, each seen at {shots} other values of x",
                f"lines whose slopes have mean {slope} and standard deviation 0; {shots} points each, with noise of size 1",
                f"{number} rooms; in each one the same bent coin is tossed {shots} times, to learn its chance of heads",
            ],
            "related": [
                f"lines whose slopes have mean {slope} and standard deviation {spread}; 5 points each, with noise of size 1",
                f"sine waves with amplitudes from {low} to {low + 3:.1f} and any phase, {shots} points each",
                f"{ways} characters of an alphabet to tell apart from one example each; another alphabet each time",
                f"a robot arm that reaches for a point after {shots} attempts; the point is somewhere else each time",
                f"a new patient each time, whose blood sugar is to be predicted after {shots} measurements",
            ],
            "unrelated": [
                f"lines whose slopes have mean {slope} and standard deviation {wide}; 20 points each, with noise of size 0.1",
                f"task 1 is a game of chess, task 2 the price of copper in {1900 + number % 100}, task 3 a rash on a knee",
                f"forecast rain from {10 * shots} days, translate a poem of {ways} lines, steer a crane: a different kind each "
                "time",
            ],
        }
        kinds = [*self.labels, *map(str, rng.choice(self.labels, 2))]
        described = [
            (texts[label][i], label)
            for label in self.labels
            for i in rng.permutation(len(texts[label]))[: kinds.count(label)]
        ]
        measured = [(_losses(rng, label), label) for label in map(str, rng.choice(self.labels, 3))]
        mixed = [described[i] for i in rng.permutation(5)] + measured
        return [Item(text, label, self._trapped[label]) for text, label in mixed]

    _trapped = MappingProxyType(
        {
            "identical": {"identical taken for related": "related"},
            "related": {"related taken for identical": "identical"},
            "unrelated": {"unrelated taken for related": "related"},
        }
    )


def _losses(rng, label):
    """What was measured on tasks of this kind."""
    alone = rng.uniform(0.5, 1.5)
    shared = (
        alone
        * {
            "identical": rng.uniform(0.02, 0.2),
            "related": rng.uniform(0.6, 1.6),
            "unrelated": rng.uniform(10, 30),
        }[label]
    )
    meta = {
        "identical": shared * rng.uniform(0.99, 1.01),
        "related": alone * shared / (alone + shared),
        "unrelated": alone * rng.uniform(0.98, 1.0),
    }[label]
    learners = {"alone": alone, "shared": shared, "meta-learner": meta}
    return "losses: " + ", ".join(f"{name} {loss:.3f} ± {0.04 * loss:.3f}" for name, loss in learners.items())


class best_shared(NumberProblem):
    title = "one slope for all"
    difficulty, minutes = "easy", 4
    tags = ("concept:task-distribution", "takeaway:distribution-not-dataset")
    hints = (
        "Minimise the mean over tasks of (θ − a)². Set its derivative to zero.",
        "d/dθ mean((θ − a)²) = 2(θ − mean(a)): the least squared distance is at the mean.",
    )
    explanation = r"""
    $\frac{d}{d\theta}\,\mathrm{mean}_i(\theta - a_i)^2 = 2(\theta - \bar a) = 0$, so $\theta = \bar a$, the mean of the
    slopes; $E[x^2]$ is a common factor and moves nothing. The median would minimise the mean *absolute* distance, the
    middle of the range the largest one. A shared model is the average of the tasks, and may suit none of them.
    """

    def draw(self, rng):
        slopes = np.round(np.concatenate([rng.normal(1, 0.5, 4), rng.uniform(3, 6, 1), rng.normal(1, 0.5, 2)]), 2)
        return {"slopes": rng.permutation(slopes)}

    def statement(self, given):
        named = ", ".join(f"{slope:g}" for slope in given.slopes)
        return rf"""
        Seven tasks $y = ax$ have the slopes {named}. Their inputs have the same distribution. One model $y = \theta x$ is to
        serve all seven: which $\theta$ has the least squared error, averaged over the tasks?

        The slopes are in `p.given("best_shared")["slopes"]`. Answer with a number.
        """

    @staticmethod
    def solution(slopes):
        return np.mean(slopes)

    @mistake("median", "That is the median, which minimises the mean absolute error. The squared error wants the mean.")
    def median(slopes):
        return np.median(slopes)

    @mistake("midrange", "That is the middle between the extremes, which minimises the largest error. Take the mean.")
    def midrange(slopes):
        return (np.min(slopes) + np.max(slopes)) / 2

    @mistake(
        "without the far task",
        "That is the mean of six: the task with the largest slope is left out. It belongs to p(T) and counts like the others.",
    )
    def without_the_far_task(slopes):
        return (np.sum(slopes) - np.max(slopes)) / (len(slopes) - 1)

    @mistake(
        "sum for mean", "That is the sum of the slopes. The squared error is least at their mean: divide by seven."
    )
    def total(slopes):
        return np.sum(slopes)


class expected_loss(FunctionProblem):
    title = "what a shared model is left with"
    difficulty, minutes = "medium", 8
    tags = ("concept:task-distribution", "takeaway:shared-structure")
    hints = (
        "The loss of one task is (θ − a)²·E[x²]. Take the expectation over a.",
        "E[(θ − a)²] = (θ − μ)² + τ²: squared distance to the mean plus the variance.",
    )
    explanation = r"""
    $E[(\theta x - a x)^2] = E[(\theta - a)^2]\,E[x^2]$. Write $\theta - a = (\theta - \mu) + (\mu - a)$ and square: the mixed
    term has mean zero, so $E[(\theta - a)^2] = (\theta - \mu)^2 + \tau^2$. The first term vanishes at $\theta = \mu$. The second
    one no $\theta$ can remove: it is what the tasks differ in, and what adapting to each task can win.
    """

    def draw(self, rng):
        theta, mu = rng.normal(size=2)
        theta = mu if rng.random() < 0.2 else theta  # the best shared model pays the variance, too
        return {
            "theta": float(theta),
            "mu": float(mu),
            "tau": float(rng.uniform(0.3, 2)),
            "x2": float(rng.uniform(0.2, 3)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Tasks are $y = ax$ without noise, with $a$ of mean $\mu$ and standard deviation $\tau$; the inputs do not depend on $a$.

        Write `expected_loss(theta, mu, tau, x2)`: the expected squared error of the one model $y = \theta x$, over tasks and
        inputs. All four are numbers, `x2` is $E[x^2]$, and the result is a number.

        For theta = {given.theta:.3f}, mu = {given.mu:.3f}, tau = {given.tau:.3f} and x2 = {given.x2:.3f} it is {value:.4f}.
        """

    @staticmethod
    def solution(theta, mu, tau, x2):
        return ((theta - mu) ** 2 + tau**2) * x2

    @mistake("tau for tau squared", "τ is a standard deviation; what adds up is the variance τ².")
    def deviation(theta, mu, tau, x2):
        return ((theta - mu) ** 2 + tau) * x2

    @mistake(
        "no variance term",
        "This is the loss of the average task. Tasks differ, and that adds τ²: E[(θ − a)²] = (θ − μ)² + τ².",
    )
    def without_variance(theta, mu, tau, x2):
        return (theta - mu) ** 2 * x2

    @mistake("x squared left out", "This is E[(θ − a)²]. The error is (θ − a)x, so its square has the factor E[x²].")
    def without_inputs(theta, mu, tau, x2):
        return (theta - mu) ** 2 + tau**2

    @mistake(
        "variance without inputs", "E[x²] multiplies the variance, too: the whole bracket is the mean of (θ − a)²."
    )
    def half_scaled(theta, mu, tau, x2):
        return (theta - mu) ** 2 * x2 + tau**2

    @mistake(
        "square of the sum",
        "This squares |θ − μ| + τ. The two are added as squares: the mixed term 2(θ − μ)(μ − a) has mean zero over tasks.",
    )
    def squared_sum(theta, mu, tau, x2):
        return (abs(theta - mu) + tau) ** 2 * x2

    @mistake("x2 squared", "`x2` is E[x²] already; it is not squared again.")
    def squared_inputs(theta, mu, tau, x2):
        return ((theta - mu) ** 2 + tau**2) * x2**2


class unit_of_sampling(ChoiceProblem):
    title = "what is one draw?"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:distribution-not-dataset", "concept:task", "concept:meta-learning")
    labels = ("example", "task", "neither")
    hints = (
        "Two dice: one is rolled once a task, the other once an example. Which of them gives what the line names? If no die "
        "does, it is neither.",
        "Standard learning draws examples (x, y) of one task, and generalises to new ones. Meta-learning draws tasks, each "
        "with its examples, and generalises to new tasks.",
    )
    explanation = """
    In standard learning one draw is an example; in meta-learning one draw is a task, with all its examples. What is
    drawn is what one generalises to, what is learned by heart, what is held out for testing, and what an error bar counts.
    Parameters, step sizes and gradient steps are chosen or computed: nobody draws them from the world.
    """
    traps = MappingProxyType(
        {
            "points counted as draws": "Where tasks are drawn, examples were counted. Points of one task share its hidden "
            "variable: however many they are, they are one draw of the first die.",
            "everything called a task": "Examples were called tasks. Within one task, the second die draws examples, and "
            "standard learning has no other.",
        }
    )

    def statement(self, given):
        return """
        What does each line name: an *example* (one draw of the second die), a *task* (one draw of the first), or *neither*
        (nothing that a die gives)?
        """

    def items(self, rng):
        tasks, shots, batch = int(rng.integers(10, 50)), int(rng.integers(2, 10)), int(rng.integers(16, 128))
        points, everything = "points counted as draws", "everything called a task"
        pools = {
            "task": [
                f"one row of a meta-batch `x` of shape ({tasks}, {shots}, 1)",
                f"what n counts in the error bar of a mean over {10 * tasks} held-out waves, {shots} points each",
                f"what p(T) draws {tasks} times for one meta-batch",
                "what must be new when a way of learning is tested",
                f"what a meta-learner has learned by heart that does well on its {tasks} training curves and badly on others",
            ],
            "example": [
                f"one row of a mini-batch `x` of shape ({batch}, {shots}) in standard learning",
                f"what standard learning on one regression problem draws {batch} times for one step",
                f"one of the {shots} shots that a learner gets of a curve",
                "what an ordinary test set must not share with its training set",
                f"what a network has learned by heart that fits {shots} points of one curve and misses the rest of it",
            ],
            "neither": [
                f"one of the {tasks} gradient steps",
                f"one of the {batch * 10} numbers in θ",
                f"the step size α = 0.0{shots}",
                f"the size of the noise, σ = 0.{shots}, the same for all",
            ],
        }
        items = []
        for label, texts in pools.items():
            trap = {"task": {points: "example"}, "example": {everything: "task"}}.get(label, {})
            count = 2 if label == "neither" else 3
            items += [Item(texts[i], label, trap) for i in rng.permutation(len(texts))[:count]]
        return [items[i] for i in rng.permutation(len(items))]
