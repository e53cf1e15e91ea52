"""Lesson 1, task distributions."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.problem import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake


class sample_lines(FunctionProblem):
    title = "a task distribution of your own"
    difficulty, minutes = "medium", 12
    tags = ("concept:task-distribution", "concept:task")
    cases = 3
    hints = (
        "First the hidden variable, one slope a task: `rng.normal(mean, std, tasks)`. Then the inputs, then the noise.",
        "Everything random comes from `rng`. Shapes: slopes `(T,)`, x and y `(T, K, 1)`; `slopes[:, None, None] * x` lines "
        "them up.",
        "The noise is fresh at every point: `noise * rng.standard_normal(x.shape)`.",
    )
    explanation = """
    p(T) draws the hidden variable, the slope, once for each task; the task's own process then draws inputs and noise, fresh
    at every point. All randomness comes from `rng`, so the same seed draws the same tasks.
    """

    def draw(self, rng):
        return {
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
            "tasks": int(rng.integers(300, 500)),
            "shots": int(rng.integers(5, 9)),
            "mean": float(rng.uniform(-2, 2)),
            "std": float(rng.uniform(0.5, 1.5)),
            "noise": float(rng.uniform(0.3, 0.8)),
        }

    def statement(self, given):
        return rf"""
        Write `sample_lines(rng, tasks, shots, mean, std, noise)` → `x, y, slopes`: a draw from the task distribution of lines
        through the origin.

        - `slopes`, shape `(T,)`: one slope a task, normal with mean `mean` and standard deviation `std`;
        - `x`, shape `(T, K, 1)`: uniform on $[-1, 1]$, K = `shots` points a task;
        - `y`, shape `(T, K, 1)`: slope times x, plus normal noise of standard deviation `noise`, fresh at every point.

        `rng` is a NumPy generator: `rng.normal(…)`, `rng.uniform(…)`. The order in which you draw is yours.

        To try: `p.given("sample_lines")`, with mean = {given.mean:.2f}, std = {given.std:.2f}, noise = {given.noise:.2f}.
        """

    @staticmethod
    def solution(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        y = slopes[:, None, None] * x + noise * rng.standard_normal(x.shape)
        return x, y, slopes

    def observe(self, answer, case):
        """Shapes and statistics, which do not depend on the order of the draws."""
        from mlcourse.classroom.compare import fresh

        copy = fresh(case)
        x, y, slopes = (np.asarray(part, dtype=float) for part in answer(*case.values()))
        again = [np.asarray(part, dtype=float) for part in answer(*copy.values())]
        shape = (case["tasks"], case["shots"], 1)
        facts = {"shapes of x, y and slopes": f"{x.shape} {y.shape} {slopes.shape}"}
        if x.shape != shape or y.shape != shape or slopes.shape != shape[:1]:
            return facts
        residual = (y - slopes[:, None, None] * x)[..., 0]
        within, between = residual.std(axis=1).mean(), residual.mean(axis=1).std()
        return facts | {
            "the same for the same rng": all(np.array_equal(a, b) for a, b in zip((x, y, slopes), again, strict=True)),
            "a slope of its own for every task": len(np.unique(slopes)) == shape[0],
            "mean of the slopes": _near(slopes.mean(), case["mean"], 5 * case["std"] / shape[0] ** 0.5),
            "spread of the slopes": _near(slopes.std(), case["std"], 0.25 * case["std"]),
            "inputs fresh at every point": len(np.unique(x)) == x.size,
            "inputs on [-1, 1]": bool(np.abs(x).max() <= 1 and x.min() < -0.9 and x.max() > 0.9),
            "noise fresh at every point": bool(within > 0.5 * case["noise"]),
            "noise not shared within a task": bool(between < 0.7 * case["noise"]),
            "size of the noise": _near(residual.std(), case["noise"], 0.25 * case["noise"]),
        }

    @mistake(
        "one slope for all tasks",
        "All tasks have the same slope: it was drawn once. Then there is only one task. Draw `tasks` of them.",
    )
    def one_slope(rng, tasks, shots, mean, std, noise):
        slopes = np.full(tasks, rng.normal(mean, std))
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal(x.shape), slopes

    @mistake(
        "noise drawn per task",
        "All points of a task share one noise value, which shifts the line. Noise is fresh at every point: shape (T, K, 1).",
    )
    def noise_per_task(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal((tasks, 1, 1)), slopes

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` gave different draws: something random does not come from it. Take all from `rng`.",
    )
    def ignores_rng(rng, tasks, shots, mean, std, noise):
        return sample_lines.solution(np.random.default_rng(), tasks, shots, mean, std, noise)

    @mistake(
        "the same inputs for all tasks",
        "All tasks share one row of inputs. Each task draws its own: shape (T, K, 1).",
    )
    def shared_inputs(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = np.broadcast_to(rng.uniform(-1, 1, (shots, 1)), (tasks, shots, 1))
        return x, slopes[:, None, None] * x + noise * rng.standard_normal(x.shape), slopes

    @mistake("noise left out", "y lies exactly on the line: the noise is missing.")
    def without_noise(rng, tasks, shots, mean, std, noise):
        x, _, slopes = sample_lines.solution(rng, tasks, shots, mean, std, noise)
        return x, slopes[:, None, None] * x, slopes

    @mistake("variance for deviation", "The spreads are off: `std` and `noise` are standard deviations, not variances.")
    def variance(rng, tasks, shots, mean, std, noise):
        return sample_lines.solution(rng, tasks, shots, mean, std**2, noise**2)


def _near(value, right, margin):
    """ "as asked", or which way it is off."""
    if abs(value - right) <= margin:
        return "as asked"
    return "too large" if value > right else "too small"


class relatedness(ChoiceProblem):
    title = "identical, related or unrelated?"
    difficulty, minutes = "easy", 6
    tags = ("takeaway:shared-structure", "mistake:unrelated-tasks", "concept:meta-learning")
    labels = ("identical", "related", "unrelated")
    hints = (
        "Ask two things: do the tasks differ at all, and does knowing many of them help with the next one?",
        "Compare the spread of the tasks with what a few points tell: no spread is identical, some is related, "
        "nothing in common is unrelated.",
    )
    explanation = """
    Identical: nothing differs, one model for all the data is enough. Related: tasks differ in a hidden variable, and the
    rest is shared; few points find the variable, and meta-learning pays. Unrelated: nothing carries over, whatever the method.
    """
    traps = MappingProxyType(
        {
            "different data taken for different tasks": "Tasks that differ in their points only were called related: "
            "the process and the loss are the same.",
            "same shape taken for shared structure": "Unrelated tasks were called related: looking alike is not enough, "
            "knowing one must help with the next.",
        }
    )

    def statement(self, given):
        return """
        Each line describes a task distribution. Is what it draws *identical* (one model for all is enough), *related*
        (meta-learning pays) or *unrelated* (nothing to transfer)?
        """

    def items(self, rng):
        number, spread = int(rng.integers(20, 900)), round(float(rng.uniform(0.2, 0.6)), 1)
        low, noise = round(float(rng.uniform(0.5, 2)), 1), round(float(rng.uniform(0.1, 0.4)), 1)
        slope, ways = round(float(rng.uniform(-3, 3)), 1), int(rng.integers(3, 9))
        same, shape = "different data taken for different tasks", "same shape taken for shared structure"
        pools = {
            "identical": [
                f"{number} data sets from the line y = {slope}x + noise, each with points of its own",
                f"sine waves, all of amplitude {low} and phase 0, each seen at other x",
                f"{number} users who label the same photographs by the same rules, each {ways} of them",
                f"slopes drawn with mean {slope} and standard deviation 0, noise {noise}",
            ],
            "related": [
                f"lines through the origin, slopes normal with mean {slope} and standard deviation {spread}",
                f"sine waves with amplitudes from {low} to {low + 3:.1f} and any phase",
                f"{ways} characters of an alphabet to tell apart, another alphabet each time",
                f"a robot arm that reaches for a point, the point somewhere else each time, seed {number}",
                f"polynomials of degree 2 with coefficients of standard deviation {spread}",
            ],
            "unrelated": [
                f"{number} tables of random numbers: y has nothing to do with x, and each table is new",
                f"every task scrambles the pixels in its own way, names the {ways} classes at random and shares no image",
                f"task 1 is chess, task 2 the price of copper in year {1900 + number % 100}, task 3 a rash on a knee",
                f"{number} functions, each value drawn anew at each of the {ways * 10} inputs",
            ],
        }
        items = []
        for label, texts in pools.items():
            trap = {"identical": {same: "related"}, "unrelated": {shape: "related"}}.get(label, {})
            items += [Item(texts[i], label, trap) for i in rng.permutation(len(texts))[:2]]
        extra = str(rng.choice(self.labels))
        unused = [text for text in pools[extra] if text not in [item.text for item in items]]
        trap = {"identical": {same: "related"}, "unrelated": {shape: "related"}}.get(extra, {})
        items.append(Item(str(rng.choice(unused)), extra, trap))
        return [items[i] for i in rng.permutation(len(items))]


class best_shared(NumberProblem):
    title = "one slope for all"
    difficulty, minutes = "easy", 4
    tags = ("concept:task-distribution", "takeaway:distribution-not-dataset")
    hints = (
        "Minimise the mean over tasks of (θ − a)². Set its derivative to zero.",
        "d/dθ mean((θ − a)²) = 2(θ − mean(a)): the least squared distance is at the mean.",
    )
    explanation = r"""
    $\frac{d}{d\theta}\,\mathrm{mean}_i(\theta - a_i)^2 = 2(\theta - \bar a) = 0$, so $\theta = \bar a$. The median would minimise the mean
    *absolute* distance, the middle of the range the largest one.
    """

    def draw(self, rng):
        slopes = np.round(np.concatenate([rng.normal(1, 0.5, 4), rng.uniform(3, 6, 1), rng.normal(1, 0.5, 2)]), 1)
        return {"slopes": rng.permutation(slopes)}

    def statement(self, given):
        named = ", ".join(f"{slope:g}" for slope in given.slopes)
        return rf"""
        Seven tasks $y = ax$ have the slopes {named}; their inputs have the same distribution. Which one $\theta$ for all of them
        has the least mean squared error? (`p.given("best_shared")["slopes"]`)
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


class expected_loss(FunctionProblem):
    title = "what a shared model is left with"
    difficulty, minutes = "medium", 8
    tags = ("concept:task-distribution", "takeaway:shared-structure")
    hints = (
        "The loss of one task is (θ − a)²·E[x²]. Take the expectation over a.",
        "E[(θ − a)²] = (θ − μ)² + τ²: squared distance to the mean plus the variance.",
    )
    explanation = r"""
    $E[(\theta x - a x)^2] = E[(\theta - a)^2]\,E[x^2]$, and $E[(\theta - a)^2] = (\theta - \mu)^2 + \tau^2$. The second term no θ can
    remove: it is what the tasks differ in.
    """

    def draw(self, rng):
        theta, mu = rng.normal(size=2)
        return {
            "theta": float(theta),
            "mu": float(mu),
            "tau": float(rng.uniform(0.3, 2)),
            "x2": float(rng.uniform(0.2, 3)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Tasks are $y = ax$ without noise, with $a$ of mean $\mu$ and standard deviation $\tau$. Write `expected_loss(theta, mu,
        tau, x2)`: the expected squared error of the one model $y = \theta x$, over tasks and inputs, where `x2` is $E[x^2]$.

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

    @mistake("x2 squared", "`x2` is E[x²] already; it is not squared again.")
    def squared_inputs(theta, mu, tau, x2):
        return ((theta - mu) ** 2 + tau**2) * x2**2


class unit_of_sampling(ChoiceProblem):
    title = "what is one draw?"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:distribution-not-dataset", "concept:task", "concept:meta-learning")
    labels = ("example", "task", "neither")
    hints = (
        "Ask what is drawn afresh, independently, when one more of it is drawn.",
        "Standard learning draws examples (x, y) from one process; meta-learning draws tasks, each with its examples.",
    )
    explanation = """
    In standard learning one draw is an example; in meta-learning one draw is a task, with a support and a query set. What
    generalises is what is drawn: to new examples, or to new tasks. Parameters, steps and seeds are drawn by nobody.
    """
    traps = MappingProxyType(
        {
            "points counted as draws": "In a meta-batch the draw is the task; its points share their task's fate.",
            "everything called a task": "An ordinary mini-batch holds examples of one task: examples are what is drawn there.",
        }
    )

    def statement(self, given):
        return """
        What is the independent unit in each line: an *example*, a *task*, or *neither*?
        """

    def items(self, rng):
        tasks, shots, batch = int(rng.integers(10, 50)), int(rng.integers(2, 20)), int(rng.integers(16, 128))
        points, everything = "points counted as draws", "everything called a task"
        pools = {
            "task": [
                f"one row of a meta-batch of shape ({tasks}, {shots}, 1)",
                f"what a confidence interval over {10 * tasks} held-out waves counts",
                f"what p(T) draws {tasks} times for one outer step",
                "what meta-test must not have seen before",
            ],
            "example": [
                f"one row of a mini-batch of {batch} photographs from one data set",
                f"what ordinary training on one regression problem draws {batch} times a step",
                f"what a support set has {shots} of, within one task",
                "what an ordinary test set must not share with its training set",
            ],
            "neither": [
                f"one of the {tasks} inner steps",
                f"one of the {batch * 10} parameters in θ",
                f"the step size α = 0.0{shots}",
                f"one outer step of {tasks * 100}",
            ],
        }
        items = []
        for label, texts in pools.items():
            trap = {"task": {points: "example"}, "example": {everything: "task"}}.get(label, {})
            count = 2 if label == "neither" else 3
            items += [Item(texts[i], label, trap) for i in rng.permutation(len(texts))[:count]]
        return [items[i] for i in rng.permutation(len(items))]
