"""Lesson 5, the geometry of a good initialisation."""

import numpy as np

from mlcourse.classroom.judging import FunctionProblem, NumberProblem, TextProblem, mistake
from mlcourse.recipes.deviations import Deviation


class one_step(FunctionProblem):
    title = "where one step lands"
    place = "lesson"
    difficulty, minutes = "easy", 3
    tags = ("example:2",)
    hints = (
        "The way from θ to a is a − θ. The step starts at θ and goes the share c of that way.",
        "θ′ = θ + c(a − θ). NumPy does this for all tasks at once, entry by entry.",
    )
    explanation = r"""
    $\theta' = \theta + c\,(a - \theta) = (1 - c)\,\theta + c\,a$. For $0 < c < 1$ it lies between the two, at $c = 1$
    it is $a$, and past that it lies on the other side of $a$.
    """

    def draw(self, rng):
        tasks = int(rng.integers(1, 6))
        return {"theta": float(rng.normal()), "a": rng.normal(1, 2, tasks), "c": rng.uniform(0.05, 1.5, tasks)}

    def statement(self, given):
        return rf"""
        One inner step covers the share $c$ of the way from $\theta$ to a task's slope $a$; past $c = 1$ it
        overshoots. Write `one_step(theta, a, c)`: where the step lands, $\theta'$, for each task. `theta` is a
        number. `a` and `c` are arrays of shape `(T,)`, one entry a task, and so is the answer.

        For theta = 1, a = (4, 2) and c = (0.35, 1.5) it gives (2.05, 2.5). To try: `p.given("one_step")`, with
        T = {len(given.a)}.
        """

    @staticmethod
    def solution(theta, a, c):
        return (1 - c) * theta + c * a

    @staticmethod
    def variant(theta, a, c, share="c", sign=1, start=1, way="a − θ"):
        shares = {"c": c, "1 − c": 1 - c, "2c": 2 * c, "mean": np.mean(c), "at most 1": np.minimum(c, 1), "1": 1}
        return start * theta + sign * shares[share] * {"a − θ": a - theta, "a": a}[way]

    @mistake("a without its share", "This is (1 − c)θ + a. The weights of an average add up to 1: a has the weight c.")
    def whole_slope(theta, a, c):
        return (1 - c) * theta + a

    @mistake("the way to 0", "This is (1 − c)θ, a step towards 0. The step goes towards a: add ca.")
    def towards_zero(theta, a, c):
        return (1 - c) * theta

    @mistake("minus for plus", "This is (1 − c)θ − ca. Sort θ + c(a − θ) again: a keeps its plus.")
    def minus(theta, a, c):
        return (1 - c) * theta - c * a

    deviations = (
        Deviation(
            "share", "1 − c", "weights exchanged", "This is cθ + (1 − c)a. A small step stays near θ: it has 1 − c."
        ),
        Deviation(
            "share",
            "2c",
            "the factor 2 twice",
            "The step covers 2c of the way. c = 2α·mean(x²) has the 2 of the squared error in it already.",
        ),
        Deviation(
            "share",
            "mean",
            "one c for all",
            "Every task was moved by the mean of c. Each has its own share: multiply entry by entry.",
        ),
        Deviation(
            "share",
            "at most 1",
            "stopped at the slope",
            "Steps past c = 1 were cut off at a. A gradient step does not know where to stop: it lands beyond.",
        ),
        Deviation("share", "1", "c left out", "This goes all the way, whatever c is. The step goes the share c of it."),
        Deviation("sign", -1, "away from the slope", "This moves away from a. The step goes towards it: + c(a − θ)."),
        Deviation("start", 0, "the step alone", "This is the step c(a − θ) alone. θ′ is where it leads: add θ."),
        Deviation("way", "a", "the way from 0", "This goes the share c of a. The way starts at θ, so it is a − θ."),
    )


class best_before(FunctionProblem):
    title = "the best start before any step"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("practice:hard", "concept:initialisation-as-prior")
    hints = (
        "Write the mean of (θ − a)² over the tasks and differentiate it with respect to θ.",
        "The derivative is 2(θ − mean of the slopes). For which θ is it zero?",
        "θ = `np.mean(slopes)`.",
    )
    explanation = r"""
    $\frac{d}{d\theta} E[(\theta - a)^2] = 2\,(\theta - E[a])$, which is zero at $\theta^* = \mu = E[a]$. The second
    derivative is 2, so this is the minimum. Only the mean of $p(a)$ counts, not its shape.
    """

    def draw(self, rng):
        return {"slopes": np.concatenate([rng.normal(1, 1, int(rng.integers(2, 9))), rng.uniform(4, 8, 1)])}

    def statement(self, given):
        return rf"""
        You may not take any step: the tasks are judged at $\theta$ itself. Derive, on paper, which $\theta$ has the
        least mean of $(\theta - a)^2$ over the tasks. Then write `best_before(slopes)`, which returns it. `slopes` is
        an array of shape `(T,)`, the $a$ of each task; the answer is a number.

        For the slopes of `p.given("best_before")`, with T = {len(given.slopes)}, it is {np.mean(given.slopes):.4f}.
        """

    @staticmethod
    def solution(slopes):
        return np.mean(slopes)

    @mistake("median", "This is the median, which minimises the mean absolute distance. The square wants the mean.")
    def median(slopes):
        return np.median(slopes)

    @mistake("midrange", "This is the middle between the extremes: the largest distance is least there. Take the mean.")
    def midrange(slopes):
        return (np.min(slopes) + np.max(slopes)) / 2

    @mistake("sum for mean", "This is the sum of the slopes. The mean squared distance is least at their mean.")
    def total(slopes):
        return np.sum(slopes)

    @mistake(
        "one of the slopes",
        "This is the best of the given slopes. θ need not be the slope of any task: the minimum lies between them.",
    )
    def best_of_the_slopes(slopes):
        return slopes[np.argmin([np.mean((slope - slopes) ** 2) for slope in slopes])]

    @mistake(
        "the loss, not the place",
        "This is the least mean of (θ − a)² itself, the variance of the slopes. Return the θ where it is reached.",
    )
    def variance(slopes):
        return np.var(slopes)

    @mistake(
        "root mean square",
        "This is the root of the mean of a². The distance is squared, not the slope: it is least at the mean.",
    )
    def root_mean_square(slopes):
        return np.sqrt(np.mean(slopes**2))

    @mistake(
        "divided by T − 1", "The sum is divided by T − 1, as for a variance that is estimated. A mean divides by T."
    )
    def one_task_less(slopes):
        return np.sum(slopes) / (len(slopes) - 1)

    @mistake("mean of a squared", "This is the mean of a². Differentiate (θ − a)² first: what is left is linear in a.")
    def mean_square(slopes):
        return np.mean(slopes**2)


class what_it_suggests(TextProblem):
    title = "what that suggests for one small step"
    difficulty, minutes = "easy", 4
    tags = ("practice:hard", "concept:initialisation-as-prior")
    model = """
    When one small step is all there is, start near the average of the tasks' optima, so that no task is far; the step
    then nudges θ from there towards each task's own slope. The start acts as a prior, the step as the little evidence
    there is.
    """
    rubric = (
        "It puts the start near the average task optimum, μ.",
        "It says what the step does: it moves from there towards the particular task.",
        "It ties the two: because the step is small, the start has to be near already.",
        "A bonus: it holds where all tasks have the same curvature; with unequal ones the average is no longer best.",
    )

    def statement(self, given):
        return r"""
        In the lesson you found that the best $\theta$ before adaptation is $\mu$, the mean of the slopes. In a sentence
        or two, in quotes: what does that suggest for a start when only **one small step** is allowed?
        """


class loss_after(FunctionProblem):
    title = "the expected loss after one step"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("example:2", "concept:initialisation-as-prior")
    hints = (
        "`before`: square θ − a = (θ − μ) + (μ − a) and take the mean over tasks. The mixed term has mean zero.",
        "`before` is ((θ − μ)² + τ²)E[x²]. `left`: θ′ − a = (1 − c)(θ − a); what does the square make of 1 − c?",
        "`left` is (1 − c)².",
    )
    explanation = r"""
    Squared, $\theta - a = (\theta - \mu) + (\mu - a)$ has the mean $(\theta - \mu)^2 + \tau^2$ over the tasks. And
    $\theta' - a = (1 - c)(\theta - a)$, so the step leaves $(1 - c)^2$ of the loss, in every task. The factor stands in
    front of everything: the best $\theta$ is still $\mu$.
    """

    def draw(self, rng):
        theta, mu = rng.normal(size=2)
        tau, c, x2 = rng.uniform(0.3, 2), rng.uniform(0.1, 0.9), rng.uniform(0.2, 3)
        return {"theta": float(theta), "mu": float(mu), "tau": float(tau), "c": float(c), "x2": float(x2)}

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Tasks are lines $y = ax$; over $p(a)$ the slope has mean $\mu$ and standard deviation $\tau$. In every task
        the inner step covers the same share $c$ of the way to $a$. Write `loss_after(theta, mu, tau, c, x2)`: the
        expected squared error $\mathbb E\big[(\theta' x - a x)^2\big]$ after the step, over tasks and query inputs,
        with `x2` $= \mathbb E[x^2]$. All five arguments and the answer are numbers.

        For theta = {given.theta:.3f}, mu = {given.mu:.3f}, tau = {given.tau:.3f}, c = {given.c:.3f} and x2 =
        {given.x2:.3f} it is {value:.4f}.
        """

    @staticmethod
    def solution(theta, mu, tau, c, x2):
        before = ((theta - mu) ** 2 + tau**2) * x2
        left = (1 - c) ** 2
        return left * before

    @staticmethod
    def variant(theta, mu, tau, c, x2, left="(1 − c)²", spread="τ²", distance="(θ − μ)²", inputs="E[x²]"):
        lefts = {"(1 − c)²": (1 - c) ** 2, "1 − c": 1 - c, "1": 1, "c²": c**2, "c": c, "1 − c²": 1 - c**2}
        lefts |= {"1 − (1 − c)²": 1 - (1 - c) ** 2, "(1 − 2c)²": (1 - 2 * c) ** 2}
        spreads = {"τ²": tau**2, "τ": tau, "0": 0, "−τ²": -(tau**2), "τ² untouched": tau**2 / lefts[left]}
        distances = {"(θ − μ)²": (theta - mu) ** 2, "|θ − μ|": abs(theta - mu), "θ − μ": theta - mu, "0": 0}
        distances |= {"(θ + μ)²": (theta + mu) ** 2, "θ² − μ²": theta**2 - mu**2}
        factors = {"E[x²]": x2, "1": 1, "E[x²]²": x2**2}
        return lefts[left] * (distances[distance] + spreads[spread]) * factors[inputs]

    def skip(self, settings):
        return settings.get("left") == "1" and settings.get("spread") == "τ² untouched"

    @mistake("deviations added before squaring", "Both parts are squared apart: (θ − μ)² + τ², not (θ − μ + τ)².")
    def added_first(theta, mu, tau, c, x2):
        return (1 - c) ** 2 * (theta - mu + tau) ** 2 * x2

    deviations = (
        Deviation(
            "left", "1 − c", "(1 − c) not squared", "The distance shrinks by 1 − c, and the loss is its square: (1 − c)²."
        ),
        Deviation("left", "1", "loss before the step", "Nothing is taken off for the step. It leaves (1 − c)² of the loss."),
        Deviation("left", "c²", "c for 1 − c", "c is the share that the step covers; what is left of the distance is 1 − c."),
        Deviation("left", "c", "c for (1 − c)²", "c is the share of the distance that is covered; (1 − c)² of the loss is left."),
        Deviation("left", "1 − c²", "1 − c² for (1 − c)²", "`1 - c**2` squares c alone. All of 1 − c is squared."),
        Deviation(
            "left", "1 − (1 − c)²", "the share taken off", "1 − (1 − c)² is the share of the loss that the step takes off. (1 − c)² is left."
        ),
        Deviation("left", "(1 − 2c)²", "the factor 2 twice", "c = 2α·mean(x²) has the 2 of the squared error in it already: (1 − c)²."),
        Deviation("spread", "−τ²", "τ² subtracted", "The spread of the tasks adds to the loss: + τ²."),
        Deviation("spread", "τ", "tau for tau squared", "τ is a standard deviation; what adds up is the variance τ²."),
        Deviation(
            "spread", "0", "no variance term", "Tasks differ, and that adds τ²: E[(θ − a)²] = (θ − μ)² + τ², not (θ − μ)²."
        ),
        Deviation(
            "spread",
            "τ² untouched",
            "variance untouched",
            "Only the mean distance was shrunk. The step brings every task nearer: the spread τ² shrinks, too.",
        ),
        Deviation("distance", "|θ − μ|", "θ − μ not squared", "(θ − μ)² belongs beside τ²: the distance is squared."),
        Deviation("distance", "θ − μ", "θ − μ not squared", "(θ − μ)² belongs beside τ²: the distance is squared."),
        Deviation("distance", "0", "the best start alone", "(θ − μ)² is missing: it is zero only where θ is μ."),
        Deviation("distance", "(θ + μ)²", "θ + μ for θ − μ", "The distance to the mean slope is θ − μ, not θ + μ."),
        Deviation("distance", "θ² − μ²", "squares subtracted", "(θ − μ)² is not θ² − μ²: subtract first, then square."),
        Deviation("inputs", "1", "x squared left out", "This is E[(θ′ − a)²]. The error is (θ′ − a)x: a factor E[x²]."),
        Deviation("inputs", "E[x²]²", "E[x²] squared", "`x2` is the mean of x² already: it is not squared again."),
    )  # fmt: skip


def _weighted_mean(weights, theta_star, divided):
    """The sum of weights * theta_star, divided by the sum of the weights, by the number of tasks or by nothing."""
    return np.sum(weights * theta_star) / {"Σw": np.sum(weights), "T": np.size(weights), "1": 1}[divided]


_DIVIDED = (
    Deviation(
        "divided",
        "T",
        "weights not normalised",
        "The weighted sum is divided by the number of tasks. Divide by the sum of the weights.",
    ),
    Deviation("divided", "1", "sum for mean", "This is a weighted sum. For a mean, divide by the sum of the weights."),
)


class best_after(FunctionProblem):
    title = "the best start when steps differ"
    difficulty, minutes = "medium", 8
    tags = ("example:2", "concept:initialisation-as-prior")
    hints = (
        "After the step task i's squared distance is (1 − c_i)²(θ − a_i)². Minimise the sum over tasks.",
        "The derivative is zero where Σ (1 − c_i)²(θ − a_i) = 0. Solve for θ.",
        "A weighted mean: Σ w_i a_i / Σ w_i with w_i = (1 − c_i)².",
    )
    explanation = r"""
    $\frac{d}{d\theta}\sum_i (1-c_i)^2(\theta - a_i)^2 = 0$ gives $\theta = \sum_i w_i a_i / \sum_i w_i$ with $w_i =
    (1 - c_i)^2$. A task that one step finishes ($c_i$ near 1) hardly counts: it can be reached from anywhere.
    """

    def draw(self, rng):
        tasks = int(rng.integers(1, 7))
        return {"slopes": rng.normal(0, 2, tasks), "cs": rng.uniform(0.05, 1.4, tasks)}

    def statement(self, given):
        return rf"""
        Task i has the slope $a_i$, `slopes[i]`, and one step from $\theta$ covers the share $c_i$, `cs[i]`, of the
        way to it. The shares differ, because some tasks have larger inputs. Write `best_after(slopes, cs)`: the
        $\theta$ with the least sum over tasks of the squared distance *after* the step, $\sum_i (\theta'_i - a_i)^2$.
        Both arguments are arrays of shape `(T,)`; the answer is a number.

        For slopes = (3, 0) and cs = (0.2, 0.6) it is 2.4. To try: `p.given("best_after")`, with T =
        {len(given.slopes)}, where it is {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(slopes, cs):
        weights = (1 - cs) ** 2
        return np.sum(weights * slopes) / np.sum(weights)

    @staticmethod
    def variant(slopes, cs, weights="(1 − c)²", divided="Σw"):
        choices = {"(1 − c)²": (1 - cs) ** 2, "1 − c": 1 - cs, "c": cs, "c²": cs**2, "1 − c²": 1 - cs**2}
        choices |= {"1": np.ones_like(cs), "c(1 − c)²": cs * (1 - cs) ** 2, "c(1 − c)": cs * (1 - cs)}
        choices |= {"|1 − c|": np.abs(1 - cs), "(1 − c)⁴": (1 - cs) ** 4}
        return _weighted_mean(choices[weights], slopes, divided)

    @mistake("median", "This is the median of the slopes, best for the mean absolute distance and before any step.")
    def median(slopes, cs):
        return np.median(slopes)

    @mistake(
        "one task alone", "This is the slope of the task of which most is left. The others count, too: by (1 − c)²."
    )
    def most_is_left(slopes, cs):
        return slopes[np.argmax(np.abs(1 - cs))]

    deviations = (
        Deviation(
            "weights", "|1 − c|", "(1 − c) not squared", "The weights are |1 − c|. The distance is squared: (1 − c)²."
        ),
        Deviation(
            "weights", "(1 − c)⁴", "squared twice", "The weights are (1 − c)⁴. The distance is squared once: (1 − c)²."
        ),
        Deviation(
            "weights",
            "1",
            "plain mean",
            "All tasks have the same weight, best before the step. After it, a task counts by what the step leaves.",
        ),
        Deviation(
            "weights",
            "1 − c",
            "(1 − c) not squared",
            "The weights are 1 − c. The distance is squared, so its factor is, too: (1 − c)².",
        ),
        Deviation(
            "weights",
            "c",
            "weights c",
            "The weights are c: this listens to the tasks that one step finishes. It is the others that need you.",
        ),
        Deviation(
            "weights",
            "c²",
            "weights c squared",
            "The weights are c², the share that the step covers. What counts is the distance that is left: (1 − c)².",
        ),
        Deviation(
            "weights",
            "1 − c²",
            "1 − c² for (1 − c)²",
            "`1 - cs**2` squares c alone. What is left is squared as a whole: `(1 - cs) ** 2`.",
        ),
        Deviation(
            "weights",
            "c(1 − c)²",
            "the loss, not the distance",
            "The weights are c(1 − c)², with the curvature in them, as MAML's. Here the *distance* counts, squared.",
        ),
        Deviation(
            "weights",
            "c(1 − c)",
            "FOMAML's weights",
            "The weights are c(1 − c), FOMAML's. Here the squared *distance* after the step counts: (1 − c)².",
        ),
        *_DIVIDED,
    )


class best_init(FunctionProblem):
    title = "where MAML goes on the test bed"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "MAML goes against L_i′(θ′_i)·dθ′_i/dθ. Write both factors with h_i and α, and the first with θ − θ*_i.",
        "L_i′(θ′_i) is h_i(θ′_i − θ*_i) = h_i(1 − αh_i)(θ − θ*_i), and dθ′_i/dθ is 1 − αh_i once more.",
        "w_i is what stands before θ − θ*_i: h_i(1 − αh_i)².",
    )
    explanation = r"""
    $\theta'_i - \theta^*_i = (1 - \alpha h_i)(\theta - \theta^*_i)$, so the loss after the step is $\frac 12 h_i (1 -
    \alpha h_i)^2 (\theta - \theta^*_i)^2$. Its mean is least at the mean of the $\theta^*_i$ with the weights $h_i (1 -
    \alpha h_i)^2$. FOMAML drops one factor: $h_i (1 - \alpha h_i)$. Joint training drops both.
    """

    def draw(self, rng):
        tasks = int(rng.integers(1, 6))
        h = rng.uniform(0.3, 4, tasks)
        return {"h": h, "theta_star": rng.normal(0, 2, tasks), "alpha": float(rng.uniform(0.1, 1.3) / h.max())}

    def statement(self, given):
        return rf"""
        On the test bed task i has the loss $\frac{{1}}{{2}} h_i\,(\theta - \theta^*_i)^2$, the same for support and
        query, with curvature $h_i$ and optimum $\theta^*_i$. Write `best_init(h, theta_star, alpha)`: the $\theta$
        with the least mean loss after **one** gradient step of size `alpha`. `h` and `theta_star` are arrays of
        shape `(T,)`; `alpha` and the answer are numbers.

        For h = (1, 3), theta_star = (2, 0) and alpha = 0.3 it is 1.8846. To try: `p.given("best_init")`, with T =
        {len(given.h)}, where it is {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(h, theta_star, alpha):
        weights = h * (1 - alpha * h) ** 2
        return np.sum(weights * theta_star) / np.sum(weights)

    @staticmethod
    def variant(h, theta_star, alpha, power=2, outer="h", step="1 − αh", divided="Σw"):
        steps = {"1 − αh": 1 - alpha * h, "1 − 2αh": 1 - 2 * alpha * h, "1 + αh": 1 + alpha * h, "αh": alpha * h}
        steps |= {"1 − h": 1 - h}
        squared = {"1 − (αh)²": 1 - (alpha * h) ** 2, "1 − αh²": 1 - alpha * h**2}
        left = squared[step] if step in squared else steps[step] ** power
        return _weighted_mean({"h": h, "1": 1, "h²": h**2}[outer] * left * np.ones_like(h), theta_star, divided)

    def skip(self, settings):
        squared = settings.get("step") in ("1 − (αh)²", "1 − αh²")
        return "step" in settings and (settings.get("power") == 0 or (squared and "power" in settings))

    @mistake(
        "plain mean", "This is the plain mean of the θ*_i. Tasks count by their curvature and by what the step leaves."
    )
    def plain_mean(h, theta_star, alpha):
        return np.mean(theta_star)

    @mistake(
        "1/h", "The weights are 1/h. Flat tasks count for more by what a step leaves of them, and that depends on α."
    )
    def inverse_curvature(h, theta_star, alpha):
        return _weighted_mean(1 / h, theta_star, "Σw")

    @mistake(
        "Reptile's weights",
        "The weights are 1 − (1 − αh)², as for Reptile after two steps: what the steps cover. MAML counts what is left.",
    )
    def covered(h, theta_star, alpha):
        return _weighted_mean(1 - (1 - alpha * h) ** 2, theta_star, "Σw")

    deviations = (
        Deviation(
            "power", 0, "joint training", "The weights are h: the best θ before the step. A step leaves (1 − αh)² of the loss."
        ),
        Deviation("power", 1, "first-order", "1 − αh is there once: that is where FOMAML goes. MAML has the factor squared."),
        Deviation("power", 4, "squared twice", "1 − αh is there four times: two factors are enough, from θ′ − θ* and from dθ′/dθ."),
        Deviation("outer", "1", "curvature forgotten", "The loss itself has the factor h, so h belongs to the weights."),
        Deviation("outer", "h²", "h twice", "h² is one h too many: the slope h(θ′ − θ*) brings one, dθ′/dθ brings none."),
        Deviation(
            "step",
            "1 − 2αh",
            "2αh for αh",
            "The step leaves 1 − 2αh, as for a mean squared error. Here the loss has the factor ½: 1 − αh is left.",
        ),
        Deviation("step", "1 + αh", "sign of the step", "1 + αh is a step uphill. Downhill leaves 1 − αh."),
        Deviation("step", "αh", "αh for 1 − αh", "αh is the share that the step covers. What counts is what it leaves: 1 − αh."),
        Deviation("step", "1 − h", "α left out", "The step leaves 1 − αh of the distance, not 1 − h."),
        Deviation("step", "1 − αh²", "1 − αh² for (1 − αh)²", "`1 - alpha * h**2` squares h alone. All of 1 − αh is squared."),
        Deviation("step", "1 − (αh)²", "1 − (αh)² for (1 − αh)²", "`1 - (alpha * h)**2` squares αh alone. All of 1 − αh is squared."),
        *_DIVIDED,
    )  # fmt: skip


class best_init_new_query(FunctionProblem):
    title = "where MAML goes after m steps, judged on other points"
    difficulty, minutes = "hard", 12
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "How far is θ_m from θ*_i? Each inner step is taken on the support loss and multiplies the distance by one factor.",
        "θ_m − θ*_i = (1 − αh_s)^m (θ − θ*_i). Put that into the query loss: what stands before (θ − θ*_i)²?",
        "A weighted mean of the θ*_i with the weights h_q(1 − αh_s)^(2m).",
    )
    explanation = r"""
    The inner steps see the support set alone: $\theta_m - \theta^*_i = (1 - \alpha h_s)^m (\theta - \theta^*_i)$. The
    query loss at $\theta_m$ is $\frac 12 h_q (1 - \alpha h_s)^{2m} (\theta - \theta^*_i)^2$, so its mean is least at the
    mean of the $\theta^*_i$ with those weights: the query set says how much what is left costs, the support set and
    $m$ say how much is left.
    """

    def draw(self, rng):
        tasks = int(rng.integers(2, 6))
        h_s, h_q, theta_star = rng.uniform(0.3, 3, tasks), rng.uniform(0.3, 3, tasks), rng.normal(0, 2, tasks)
        alpha, steps = float(rng.uniform(0.1, 0.7) / h_s.max()), int(rng.integers(1, 5))
        return {"h_s": h_s, "h_q": h_q, "theta_star": theta_star, "alpha": alpha, "steps": steps}

    def statement(self, given):
        return rf"""
        A task's query inputs are not its support inputs, so its two bowls have one optimum and two curvatures: the
        support loss of task i is $\frac{{1}}{{2}} h_s\,(\theta - \theta^*_i)^2$ and its query loss $\frac{{1}}{{2}}
        h_q\,(\theta - \theta^*_i)^2$. Write `best_init_new_query(h_s, h_q, theta_star, alpha, steps)`: the $\theta$
        with the least mean **query** loss after `steps` gradient steps of size `alpha`. `h_s`, `h_q` and `theta_star`
        are arrays of shape `(T,)`, `steps` is $m \geq 1$, the answer is a number.

        For h_s = (1, 3), h_q = (2, 1), theta_star = (2, 0), alpha = 0.1 and two steps it is 1.6907. To try:
        `p.given("best_init_new_query")`, with T = {len(given.h_s)} and m = {given.steps}, where it is
        {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(h_s, h_q, theta_star, alpha, steps):
        weights = h_q * (1 - alpha * h_s) ** (2 * steps)
        return np.sum(weights * theta_star) / np.sum(weights)

    @staticmethod
    def variant(h_s, h_q, theta_star, alpha, steps, outer="h_q", inner="h_s", power="2m", size="α", divided="Σw"):
        h = {"h_s": h_s, "h_q": h_q}[inner]
        exponent = {"2m": 2 * steps, "m": steps, "2": 2, "1": 1, "0": 0, "m + 1": steps + 1, "2m − 1": 2 * steps - 1}
        exponent |= {"m + 2": steps + 2}
        sizes = {"α": alpha, "mα": steps * alpha, "2α": 2 * alpha, "−α": -alpha}
        left = (1 - sizes[size] * h) ** exponent[power]
        return _weighted_mean(
            {"h_q": h_q, "h_s": h_s, "1": 1, "h_q h_s": h_q * h_s, "h_q + h_s": h_q + h_s}[outer] * left,
            theta_star,
            divided,
        )

    def skip(self, settings):
        return settings.get("power") == "0" and ("inner" in settings or "size" in settings)

    @mistake(
        "plain mean", "This is the plain mean of the θ*_i. Tasks count by their curvature and by what the steps leave."
    )
    def plain_mean(h_s, h_q, theta_star, alpha, steps):
        return np.mean(theta_star)

    @mistake(
        "the query's curvature in dθ_m/dθ",
        "The weights are h_q(1 − αh_s)^m (1 − αh_q)^m. The steps are taken on the support set: both factors have h_s.",
    )
    def through_the_query(h_s, h_q, theta_star, alpha, steps):
        return _weighted_mean(h_q * ((1 - alpha * h_s) * (1 - alpha * h_q)) ** steps, theta_star, "Σw")

    @mistake(
        "Reptile's weights",
        "The weights are 1 − (1 − αh_s)^m, Reptile's: what the steps cover. MAML counts what is left.",
    )
    def covered(h_s, h_q, theta_star, alpha, steps):
        return _weighted_mean(1 - (1 - alpha * h_s) ** steps, theta_star, "Σw")

    @mistake(
        "one long step",
        "The weights are h_q(1 − mαh_s)²: one step of size mα. The slope shrinks on the way; each step leaves 1 − αh_s.",
    )
    def one_long_step(h_s, h_q, theta_star, alpha, steps):
        return _weighted_mean(h_q * (1 - steps * alpha * h_s) ** 2, theta_star, "Σw")

    deviations = (
        Deviation("outer", "h_s", "judged on the support set", "The loss to be least is the query's: the factor in front is h_q."),
        Deviation("outer", "1", "curvature forgotten", "The query loss has the factor h_q: it belongs to the weights."),
        Deviation("outer", "h_q h_s", "both curvatures", "h_s is in front once too often: it says how much is left, h_q alone what that costs."),
        Deviation("outer", "h_q + h_s", "judged on both sets", "The loss to be least is the query's alone: the factor in front is h_q."),
        Deviation("inner", "h_q", "adapted on the query set", "The inner steps see the support set alone: they leave 1 − αh_s."),
        Deviation("power", "m", "first-order", "The exponent is m: that is where FOMAML goes. The loss is squared: (1 − αh_s)^(2m)."),
        Deviation("power", "2", "one step for m", "Each of the m steps leaves 1 − αh_s: (1 − αh_s)^(2m), not (1 − αh_s)²."),
        Deviation("power", "1", "one step, not squared", "Each of the m steps leaves 1 − αh_s, and the loss is squared: (1 − αh_s)^(2m)."),
        Deviation("power", "0", "before any step", "This is best before any step. The steps leave (1 − αh_s)^(2m) of the loss."),
        Deviation("power", "m + 1", "the chain through one step", "(1 − αh_s)^m is where the steps end; dθ_m/dθ has m factors, too."),
        Deviation("power", "m + 2", "m + 2 for 2m", "Each of the m steps leaves 1 − αh_s, squared in the loss: 2m factors, not m + 2."),
        Deviation("power", "2m − 1", "a step too few", "Both θ_m − θ*_i and dθ_m/dθ have m factors of 1 − αh_s: 2m in all."),
        Deviation("size", "mα", "m twice", "α is multiplied by m, beside the power: each step has the size α."),
        Deviation("size", "2α", "2αh for αh", "The loss has the factor ½: its slope is h_s(θ − θ*_i), and a step leaves 1 − αh_s."),
        Deviation("size", "−α", "sign of the step", "1 + αh_s is a step uphill. Downhill leaves 1 − αh_s."),
        *_DIVIDED,
    )  # fmt: skip


class runaway_alpha(NumberProblem):
    title = "the step size at which FOMAML runs away"
    difficulty, minutes = "medium", 7
    tags = ("concept:fomaml",)
    hints = (
        "After one step FOMAML's weights are h_i(1 − αh_i). It has a resting place as long as their sum is positive.",
        "Σ h_i(1 − αh_i) = Σ h_i − α Σ h_i². For which α is that zero?",
    )
    explanation = r"""
    FOMAML goes against $\sum_i w_i (\theta - \theta^*_i)$ with $w_i = h_i (1 - \alpha h_i)$. That is a slope which brings
    $\theta$ back as long as $\sum_i w_i > 0$. $\sum_i h_i - \alpha \sum_i h_i^2 = 0$ at $\alpha = \sum_i h_i / \sum_i
    h_i^2$. A single negative weight pushes $\theta$ away from one task and does not yet make it run away.
    """

    def draw(self, rng):
        return {"h": np.round(rng.uniform(0.4, 5, 3), 1)}

    def statement(self, given):
        return rf"""
        Three tasks of the test bed have the curvatures $h = ({", ".join(f"{h:.1f}" for h in given.h)})$ and different
        optima. FOMAML takes one inner step of size $\alpha$. Up to which $\alpha$ does it have a resting place: beyond
        which one does it run away from all three?

        `p.given("runaway_alpha")` has the array `h`.
        """

    @staticmethod
    def solution(h):
        return np.sum(h) / np.sum(h**2)

    @mistake(
        "one negative weight",
        "That is 1/h of the steepest task: its weight turns negative there. FOMAML is pushed away from this task, and runs "
        "away only when the weights together are no longer positive.",
    )
    def steepest_task(h):
        return 1 / np.max(h)

    @mistake("the inner loop diverges", "That is 2/h of the steepest task: beyond it the inner loop itself diverges.")
    def inner_loop(h):
        return 2 / np.max(h)

    @mistake(
        "h² left out of a weight",
        "That is 3/Σh, where the 1 − αh_i add up to zero. FOMAML's weights are h_i(1 − αh_i).",
    )
    def without_curvature(h):
        return len(h) / np.sum(h)

    @mistake("square of the sum", "That is Σh/(Σh)². The second sum is over the squares: Σ h_i².")
    def square_of_the_sum(h):
        return 1 / np.sum(h)

    @mistake("upside down", "That is Σh²/Σh. Solve Σh − αΣh² = 0 for α again.")
    def upside_down(h):
        return np.sum(h**2) / np.sum(h)

    @mistake(
        "all weights negative",
        "That is 1/h of the flattest task: there the last weight turns negative. It is too late.",
    )
    def flattest_task(h):
        return 1 / np.min(h)

    @mistake(
        "a factor 2", "That is twice the limit. On these bowls c is αh, with no 2 in it: the loss has the factor ½."
    )
    def twice(h):
        return 2 * np.sum(h) / np.sum(h**2)

    @mistake("half", "That is half the limit. On these bowls c is αh, with no 2 in it: the loss has the factor ½.")
    def half(h):
        return np.sum(h) / np.sum(h**2) / 2


class prior_precision(NumberProblem):
    title = "how strong a prior are m steps?"
    difficulty, minutes = "medium", 8
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "Both keep a share of the distance between θ and θ*. Which share do m steps keep, and which the MAP estimate?",
        "The steps keep (1 − αh)^m, the MAP estimate λ/(λ + h). Set them equal.",
        "With r for (1 − αh)^m: r(λ + h) = λ, so λ = h·r/(1 − r).",
    )
    explanation = r"""
    With the penalty the minimum keeps the share $\frac{\lambda}{\lambda + h}$ of the distance to the start; m steps
    keep $r = (1 - \alpha h)^m$. They are equal for $\lambda = h\,r/(1 - r)$: more steps or larger ones, weaker prior.
    """

    def draw(self, rng):
        h, steps = round(float(rng.uniform(0.5, 3)), 2), int(rng.integers(2, 6))
        return {"h": h, "alpha": round(float(rng.uniform(0.05, 0.2)), 3), "steps": steps}

    def statement(self, given):
        return rf"""
        (This belongs to the lesson's *Going further*.) A task's support loss is $\frac{{1}}{{2}} h\,(\theta -
        \theta^*)^2$ with curvature $h = {given.h}$. From the start $\theta$ you take $m = {given.steps}$ gradient steps
        of size $\alpha = {given.alpha}$. They end just where $\frac{{1}}{{2}} h\,(\varphi - \theta^*)^2 +
        \frac{{1}}{{2}} \lambda\,(\varphi - \theta)^2$ is least in $\varphi$: at the most probable value under a
        Gaussian prior centred at the start, with precision $\lambda$. What is $\lambda$?

        `p.given("prior_precision")` has the numbers `h`, `alpha` and `steps`.
        """

    @staticmethod
    def solution(h, alpha, steps):
        r = (1 - alpha * h) ** steps
        return h * r / (1 - r)

    @mistake("shares exchanged", "The shares were exchanged: λ/(λ + h) is what is left at the start, (1 − αh)^m.")
    def exchanged(h, alpha, steps):
        r = (1 - alpha * h) ** steps
        return h * (1 - r) / r

    @mistake("one step", "That is the prior of a single step. m steps leave (1 − αh)^m of the distance.")
    def one(h, alpha, steps):
        r = 1 - alpha * h
        return h * r / (1 - r)

    @mistake(
        "one step's precision over m",
        "That is (1/α − h)/m, one step's precision divided by m. Each step multiplies what is left: use (1 − αh)^m.",
    )
    def divided_by_steps(h, alpha, steps):
        return (1 / alpha - h) / steps

    @mistake(
        "one long step",
        "That is 1/(mα) − h: one step of size mα. The gradient shrinks on the way, so m steps leave (1 − αh)^m.",
    )
    def one_long_step(h, alpha, steps):
        return 1 / (steps * alpha) - h

    @mistake(
        "small-step approximation",
        "That is 1/(αm), right only when αhm is small. Solve λ/(λ + h) = (1 − αh)^m exactly.",
    )
    def small_steps(h, alpha, steps):
        return 1 / (alpha * steps)

    @mistake("h left out", "That is the ratio λ/h. Multiply by h.")
    def ratio(h, alpha, steps):
        r = (1 - alpha * h) ** steps
        return r / (1 - r)

    @mistake("variance for precision", "That is 1/λ, the prior's variance. The precision is its inverse, λ.")
    def variance(h, alpha, steps):
        r = (1 - alpha * h) ** steps
        return (1 - r) / (h * r)

    @mistake(
        "not solved for λ",
        "That is h(1 − αh)^m. λ stands below the line as well: solve (1 − αh)^m (λ + h) = λ, which divides by "
        "1 − (1 − αh)^m.",
    )
    def not_solved(h, alpha, steps):
        return h * (1 - alpha * h) ** steps

    @mistake("the share itself", "That is (1 − αh)^m, the share λ/(λ + h) of the distance. Solve for λ.")
    def share(h, alpha, steps):
        return (1 - alpha * h) ** steps

    @mistake(
        "the factor 2",
        "That takes 1 − 2αh for what a step leaves. This loss has the factor ½: its slope is h(θ − θ*), and 1 − αh is left.",
    )
    def twice(h, alpha, steps):
        r = (1 - 2 * alpha * h) ** steps
        return h * r / (1 - r)
