"""Lesson 5, the geometry of a good initialisation."""

import numpy as np

from mlcourse.classroom.problem import FunctionProblem, NumberProblem, TextProblem, mistake


class one_step(FunctionProblem):
    title = "where one step lands"
    difficulty, minutes = "easy", 4
    tags = ("example:2",)
    hints = (
        "θ′ = θ − c(θ − a): from θ the share c of the way to a.",
        "(1 − c)θ + c·a; it works for arrays of tasks, too.",
    )
    explanation = r"""
    $\theta' = \theta - c\,(\theta - a) = (1 - c)\,\theta + c\,a$. For $0 < c < 1$ it lies between the two; at $c = 1$ it is $a$.
    """

    def draw(self, rng):
        tasks = int(rng.integers(1, 6))
        return {"theta": float(rng.normal()), "a": rng.normal(1, 2, tasks), "c": rng.uniform(0.05, 0.95, tasks)}

    def statement(self, given):
        return rf"""
        Write `one_step(theta, a, c)`: $\theta'$ for each task, after a step that covers the share `c` of the way from `theta` to
        the task's slope `a`. `theta` is a number, `a` and `c` have shape `(T,)`, and so has the answer.

        To try: `p.given("one_step")`, with T = {len(given.a)}.
        """

    @staticmethod
    def solution(theta, a, c):
        return (1 - c) * theta + c * a

    @mistake("weights exchanged", "This is cθ + (1 − c)a. A small step stays near θ: θ has the weight 1 − c.")
    def exchanged(theta, a, c):
        return c * theta + (1 - c) * a

    @mistake("away from the slope", "This moves away from a. The step goes towards it: θ − c(θ − a).")
    def away(theta, a, c):
        return theta + c * (theta - a)

    @mistake("the step, not theta prime", "This is the step c(a − θ) alone. θ′ is where it leads: add θ.")
    def only_the_step(theta, a, c):
        return c * (a - theta)

    @mistake("one c for all", "Every task was moved by the mean of c. Each has its own share: multiply entry by entry.")
    def mean_share(theta, a, c):
        return (1 - np.mean(c)) * theta + np.mean(c) * a


class best_before(FunctionProblem):
    title = "the best start before any step"
    difficulty, minutes = "easy", 5
    tags = ("practice:hard", "concept:initialisation-as-prior")
    hints = (
        "Minimise J(θ) = mean((θ − a)²). Its derivative is 2(θ − mean(a)).",
        "`np.mean(slopes)`",
    )
    explanation = r"""
    $\frac{d}{d\theta} E[(\theta - a)^2] = 2\,(\theta - E[a])$, which is zero at $\theta^* = \mu = E[a]$.
    """

    def draw(self, rng):
        return {"slopes": np.concatenate([rng.normal(1, 1, int(rng.integers(4, 9))), rng.uniform(4, 8, 1)])}

    def statement(self, given):
        return rf"""
        Write `best_before(slopes)`: the one θ with the least mean of $(\theta - a)^2$ over the tasks' slopes, before
        adaptation. `slopes` has shape `(T,)`; the answer is a number.

        For the {len(given.slopes)} slopes of `p.given("best_before")` it is {np.mean(given.slopes):.4f}.
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


class what_it_suggests(TextProblem):
    title = "what that suggests for one small step"
    difficulty, minutes = "easy", 4
    tags = ("practice:hard", "concept:initialisation-as-prior")
    model = """
    When one small step is all there is, start near the average of the tasks' optima, so that no task is far; the step then
    nudges θ from there towards each task's own slope. The start acts as a prior, the step as the little evidence there is.
    """
    rubric = (
        "It puts the start near the average task optimum, μ.",
        "It says what the step does: it moves from there towards the particular task.",
        "It ties the two: because the step is small, the start has to be near already.",
        "A bonus: it holds where all tasks have the same curvature; with unequal ones the average is no longer best.",
    )

    def statement(self, given):
        return """
        The best θ before adaptation is μ, the mean of the slopes. In one sentence: what does that suggest for a start when only
        one small step is allowed?
        """


class loss_after(FunctionProblem):
    title = "the expected loss after one step"
    difficulty, minutes = "medium", 8
    tags = ("example:2", "concept:initialisation-as-prior")
    hints = (
        "How far is θ′ from a? θ′ − a = (1 − c)(θ − a).",
        "The loss is the square of that, times E[x²]; then the expectation over a: (θ − μ)² + τ².",
    )
    explanation = r"""
    $\theta' - a = (1 - c)(\theta - a)$, so the loss after the step is $(1 - c)^2$ times the loss before it, for every task:
    $(1-c)^2\left((\theta - \mu)^2 + \tau^2\right)E[x^2]$. The best θ is still μ.
    """

    def draw(self, rng):
        theta, mu = rng.normal(size=2)
        tau, c, x2 = rng.uniform(0.3, 2), rng.uniform(0.1, 0.9), rng.uniform(0.2, 3)
        return {"theta": float(theta), "mu": float(mu), "tau": float(tau), "c": float(c), "x2": float(x2)}

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Tasks $y = ax$ with $a$ of mean $\mu$ and standard deviation $\tau$; one inner step covers the share $c$ of the way. Write
        `loss_after(theta, mu, tau, c, x2)`: the expected squared error of $\theta'$, with `x2` $= E[x^2]$.

        For theta = {given.theta:.3f}, mu = {given.mu:.3f}, tau = {given.tau:.3f}, c = {given.c:.3f}, x2 = {given.x2:.3f} it is {value:.4f}.
        """

    @staticmethod
    def solution(theta, mu, tau, c, x2):
        return (1 - c) ** 2 * ((theta - mu) ** 2 + tau**2) * x2

    @mistake("(1 − c) not squared", "The distance shrinks by 1 − c, and the loss is its square: (1 − c)².")
    def not_squared(theta, mu, tau, c, x2):
        return (1 - c) * ((theta - mu) ** 2 + tau**2) * x2

    @mistake("tau for tau squared", "τ is a standard deviation; what adds up is the variance τ².")
    def deviation(theta, mu, tau, c, x2):
        return (1 - c) ** 2 * ((theta - mu) ** 2 + tau) * x2

    @mistake("loss before the step", "This is the loss before adaptation. One step leaves (1 − c)² of it.")
    def before(theta, mu, tau, c, x2):
        return ((theta - mu) ** 2 + tau**2) * x2

    @mistake("c for 1 − c", "c is the share that the step covers; what is left of the distance is 1 − c.")
    def covered(theta, mu, tau, c, x2):
        return c**2 * ((theta - mu) ** 2 + tau**2) * x2

    @mistake(
        "variance untouched",
        "Only the mean distance was shrunk. The step brings every task nearer, so the spread τ² shrinks by (1 − c)², too.",
    )
    def variance_untouched(theta, mu, tau, c, x2):
        return ((1 - c) ** 2 * (theta - mu) ** 2 + tau**2) * x2


class best_after(FunctionProblem):
    title = "the best start when steps differ"
    difficulty, minutes = "medium", 8
    tags = ("example:2",)
    hints = (
        "After the step task i's squared distance is (1 − c_i)²(θ − a_i)². Minimise the sum over tasks.",
        "A weighted mean: Σ w_i a_i / Σ w_i with w_i = (1 − c_i)².",
    )
    explanation = r"""
    $\frac{d}{d\theta}\sum_i (1-c_i)^2(\theta - a_i)^2 = 0$ gives $\theta = \sum_i w_i a_i / \sum_i w_i$ with $w_i = (1 - c_i)^2$. A task
    that one step finishes ($c_i$ near 1) hardly counts: it can be reached from anywhere.
    """

    def draw(self, rng):
        tasks = int(rng.integers(2, 7))
        return {"slopes": rng.normal(0, 2, tasks), "cs": rng.uniform(0.05, 0.95, tasks)}

    def statement(self, given):
        return rf"""
        Task i has the slope `slopes[i]`, and one step from θ covers the share `cs[i]` of the way to it. Write
        `best_after(slopes, cs)`: the θ with the least sum over tasks of the squared distance *after* the step.

        To try: `p.given("best_after")`, with {len(given.slopes)} tasks.
        """

    @staticmethod
    def solution(slopes, cs):
        weights = (1 - cs) ** 2
        return np.sum(weights * slopes) / np.sum(weights)

    @mistake(
        "plain mean",
        "This is the plain mean, best before the step. After it, a task counts by what the step leaves of it.",
    )
    def plain_mean(slopes, cs):
        return np.mean(slopes)

    @mistake("(1 − c) not squared", "The weights are 1 − c. The distance is squared, so its factor is, too: (1 − c)².")
    def not_squared(slopes, cs):
        return np.sum((1 - cs) * slopes) / np.sum(1 - cs)

    @mistake(
        "weights c",
        "The weights are c: this listens to the tasks that one step finishes. It is the others that need you.",
    )
    def covered(slopes, cs):
        return np.sum(cs * slopes) / np.sum(cs)

    @mistake(
        "weights not normalised",
        "This is the weighted sum divided by the number of tasks. Divide by the sum of the weights.",
    )
    def not_normalised(slopes, cs):
        return np.mean((1 - cs) ** 2 * slopes)


class best_init(FunctionProblem):
    title = "where MAML goes on the test bed"
    difficulty, minutes = "hard", 10
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "One step on a/2(θ − c)² leaves the share 1 − αa of the distance. Write down the loss after the step.",
        "The loss after the step is a/2·(1 − αa)²(θ − c)²: a weighted mean of the centres with these weights.",
    )
    explanation = r"""
    $\theta' - c = (1 - \alpha a)(\theta - c)$, so the loss after the step is $\frac a2(1-\alpha a)^2(\theta - c)^2$ and its minimum over
    θ the mean of the centres with weights $a(1 - \alpha a)^2$. FOMAML drops one factor: weights $a(1 - \alpha a)$. Joint training
    drops both.
    """

    def draw(self, rng):
        tasks = int(rng.integers(2, 6))
        a = rng.uniform(0.3, 4, tasks)
        return {"a": a, "centres": rng.normal(0, 2, tasks), "alpha": float(rng.uniform(0.1, 0.9) / a.max())}

    def statement(self, given):
        return r"""
        Task i has the loss $\frac{a_i}{2}(\theta - c_i)^2$, the same for support and query. Write `best_init(a, centres, alpha)`:
        the θ with the least mean loss after **one** gradient step of size `alpha`; `a` and `centres` have shape `(T,)`.

        For a = (1, 4), centres = (2, 0) and alpha = 0.2 it is 1.6. To try: `p.given("best_init")`.
        """

    @staticmethod
    def solution(a, centres, alpha):
        weights = a * (1 - alpha * a) ** 2
        return np.sum(weights * centres) / np.sum(weights)

    @mistake(
        "joint training", "The weights are a: the best θ before the step. A step leaves (1 − αa)² of task i's loss."
    )
    def joint(a, centres, alpha):
        return np.sum(a * centres) / np.sum(a)

    @mistake("first-order", "The weights are a(1 − αa): that is where FOMAML goes. MAML has the factor squared.")
    def first_order(a, centres, alpha):
        weights = a * (1 - alpha * a)
        return np.sum(weights * centres) / np.sum(weights)

    @mistake(
        "plain mean",
        "This is the plain mean of the centres. Tasks count by their curvature and by what the step leaves.",
    )
    def plain_mean(a, centres, alpha):
        return np.mean(centres)

    @mistake(
        "curvature forgotten", "The weights are (1 − αa)²: the loss itself has the factor a/2, so a belongs to them."
    )
    def without_curvature(a, centres, alpha):
        weights = (1 - alpha * a) ** 2
        return np.sum(weights * centres) / np.sum(weights)


class prior_precision(NumberProblem):
    title = "how strong a prior are m steps?"
    difficulty, minutes = "hard", 8
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "After m steps the share (1 − αh)^m of the distance to θ's start is left. With a prior of precision λ it is λ/(λ + h).",
        "Set q = (1 − αh)^m = λ/(λ + h) and solve: λ = h·q/(1 − q).",
    )
    explanation = r"""
    A Gaussian prior of precision λ at the start and a loss of curvature h give the MAP estimate with the weight
    $\frac{\lambda}{\lambda + h}$ on the start. m steps leave $q = (1 - \alpha h)^m$ there. Equal for $\lambda = h\,q/(1 - q)$: more steps,
    weaker prior.
    """

    def draw(self, rng):
        h, steps = round(float(rng.uniform(0.5, 3)), 2), int(rng.integers(2, 6))
        return {"h": h, "alpha": round(float(rng.uniform(0.05, 0.2)), 3), "steps": steps}

    def statement(self, given):
        return rf"""
        A support loss has the curvature $h = {given.h}$. {given.steps} gradient steps of size $\alpha = {given.alpha}$ from a start give the same
        answer as a MAP estimate with a Gaussian prior centred at the start. What is that prior's precision $\lambda$?
        (`p.given("prior_precision")` has the numbers.)
        """

    @staticmethod
    def solution(h, alpha, steps):
        left = (1 - alpha * h) ** steps
        return h * left / (1 - left)

    @mistake("shares exchanged", "The shares were exchanged: λ/(λ + h) is what is left at the start, (1 − αh)^m.")
    def exchanged(h, alpha, steps):
        left = (1 - alpha * h) ** steps
        return h * (1 - left) / left

    @mistake("one step", "That is the prior of a single step. m steps leave (1 − αh)^m of the distance.")
    def one(h, alpha, steps):
        left = 1 - alpha * h
        return h * left / (1 - left)

    @mistake(
        "small-step approximation",
        "That is 1/(αm), right only when αhm is small. Solve λ/(λ + h) = (1 − αh)^m exactly.",
    )
    def small_steps(h, alpha, steps):
        return 1 / (alpha * steps)

    @mistake("h left out", "That is q/(1 − q), the ratio λ/h. Multiply by h.")
    def ratio(h, alpha, steps):
        left = (1 - alpha * h) ** steps
        return left / (1 - left)
