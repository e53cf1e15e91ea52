"""Lesson 5, the geometry of a good initialisation."""

import numpy as np

from mlcourse.classroom.judging import FunctionProblem, NumberProblem, TextProblem, mistake


class one_step(FunctionProblem):
    title = "where one step lands"
    difficulty, minutes = "easy", 4
    tags = ("example:2",)
    hints = (
        "Start at θ and go the share c of the way to a. The way there is a − θ.",
        "θ′ = θ − c(θ − a) = (1 − c)θ + c·a. NumPy does this for all tasks at once, entry by entry.",
    )
    explanation = r"""
    $\theta' = \theta - c\,(\theta - a) = (1 - c)\,\theta + c\,a$. For $0 < c < 1$ it lies between the two, at $c = 1$
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

    @mistake(
        "stopped at the slope",
        "Steps past c = 1 were cut off at a. A gradient step does not know where to stop: it lands on the other side.",
    )
    def stopped(theta, a, c):
        share = np.minimum(c, 1)
        return (1 - share) * theta + share * a

    @mistake(
        "the factor 2 twice",
        "The step covers 2c of the way. c = 2α·mean(x²) has the 2 of the squared error in it already: θ − c(θ − a).",
    )
    def twice(theta, a, c):
        return theta - 2 * c * (theta - a)


class best_before(FunctionProblem):
    title = "the best start before any step"
    difficulty, minutes = "easy", 5
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
        The best $\theta$ before adaptation is $\mu$, the mean of the slopes. In a sentence or two, in quotes: what
        does that suggest for a start when only **one small step** is allowed?
        """


class loss_after(FunctionProblem):
    title = "the expected loss after one step"
    difficulty, minutes = "medium", 8
    tags = ("example:2", "concept:initialisation-as-prior")
    hints = (
        "How far is θ′ from a? Subtract a from θ′ = (1 − c)θ + ca.",
        "θ′ − a = (1 − c)(θ − a). Square it and multiply by E[x²]: that is one task's loss after the step.",
        "What is left is the mean of (θ − a)² over the tasks: (θ − μ)² + τ².",
    )
    explanation = r"""
    $\theta' - a = (1 - c)(\theta - a)$, so the loss after the step is $(1 - c)^2$ times the loss before it, for every
    task: $(1-c)^2\left((\theta - \mu)^2 + \tau^2\right)E[x^2]$. The factor stands in front of everything: the best θ
    is still μ.
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
        "Only the mean distance was shrunk. The step brings every task nearer: the spread τ² shrinks by (1 − c)², too.",
    )
    def variance_untouched(theta, mu, tau, c, x2):
        return ((1 - c) ** 2 * (theta - mu) ** 2 + tau**2) * x2

    @mistake(
        "no variance term",
        "This is the loss on the average task. Tasks differ, and that adds τ²: E[(θ − a)²] = (θ − μ)² + τ².",
    )
    def without_variance(theta, mu, tau, c, x2):
        return (1 - c) ** 2 * (theta - mu) ** 2 * x2

    @mistake("x squared left out", "This is E[(θ′ − a)²]. The error is (θ′ − a)x, so its square has the factor E[x²].")
    def without_inputs(theta, mu, tau, c, x2):
        return (1 - c) ** 2 * ((theta - mu) ** 2 + tau**2)

    @mistake(
        "1 − c² for (1 − c)²", "`1 - c**2` squares c alone. What is left of the distance is squared: `(1 - c) ** 2`."
    )
    def square_of_c(theta, mu, tau, c, x2):
        return (1 - c**2) * ((theta - mu) ** 2 + tau**2) * x2


class best_after(FunctionProblem):
    title = "the best start when steps differ"
    difficulty, minutes = "medium", 8
    tags = ("example:2",)
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
        "weights c squared",
        "The weights are c², the share that the step covers. What counts is the distance that is left: (1 − c)².",
    )
    def covered_squared(slopes, cs):
        return np.sum(cs**2 * slopes) / np.sum(cs**2)

    @mistake("1 − c² for (1 − c)²", "`1 - cs**2` squares c alone. What is left is squared as a whole: `(1 - cs) ** 2`.")
    def square_of_c(slopes, cs):
        return np.sum((1 - cs**2) * slopes) / np.sum(1 - cs**2)

    @mistake(
        "weights not normalised",
        "This is the weighted sum divided by the number of tasks. Divide by the sum of the weights.",
    )
    def not_normalised(slopes, cs):
        return np.mean((1 - cs) ** 2 * slopes)

    @mistake("sum for mean", "This is the weighted sum of the slopes. For a mean, divide by the sum of the weights.")
    def weighted_sum(slopes, cs):
        return np.sum((1 - cs) ** 2 * slopes)


class best_init(FunctionProblem):
    title = "where MAML goes on the test bed"
    difficulty, minutes = "hard", 10
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "Task i has the gradient a(θ − centre). Step, then subtract the centre: which share of the distance is left?",
        "1 − αa is left, so the loss after the step is a/2·(1 − αa)²·(θ − centre)². Find the θ with the least mean.",
        "A weighted mean of the centres. The weight is what stands before (θ − centre)²: a(1 − αa)².",
    )
    explanation = r"""
    With centre $c$, $\theta' - c = (1 - \alpha a)(\theta - c)$, so the loss after the step is $\frac a2(1-\alpha
    a)^2(\theta - c)^2$. Its mean is least at the mean of the centres with the weights $a(1 - \alpha a)^2$. FOMAML
    drops one factor: weights $a(1 - \alpha a)$. Joint training drops both.
    """

    def draw(self, rng):
        tasks = int(rng.integers(1, 6))
        a = rng.uniform(0.3, 4, tasks)
        return {"a": a, "centres": rng.normal(0, 2, tasks), "alpha": float(rng.uniform(0.1, 1.3) / a.max())}

    def statement(self, given):
        return rf"""
        On the test bed task i has the loss $\frac{{1}}{{2}} a_i\,(\theta - c_i)^2$, the same for support and query.
        As in `Quadratics`, `a` is the **curvature** and the centre $c_i$ the **optimum** of the task; the lesson
        wrote $h_i$ and $\theta^*_i$. Write `best_init(a, centres, alpha)`: the $\theta$ with the least mean loss
        after **one** gradient step of size `alpha`. `a` and `centres` are arrays of shape `(T,)`; `alpha` and the
        answer are numbers.

        For a = (1, 4), centres = (2, 0) and alpha = 0.2 it is 1.6. To try: `p.given("best_init")`, with T =
        {len(given.a)}, where it is {self.solution(**vars(given)):.4f}.
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

    @mistake(
        "2αa for αa",
        "One step was taken to leave 1 − 2αa of the distance, as for a mean squared error. "
        "Here the loss has the factor ½: its gradient is a(θ − centre), and 1 − αa is left.",
    )
    def twice_the_step(a, centres, alpha):
        weights = a * (1 - 2 * alpha * a) ** 2
        return np.sum(weights * centres) / np.sum(weights)

    @mistake("sign of the step", "The weights are a(1 + αa)²: the step went uphill. Downhill leaves 1 − αa.")
    def uphill(a, centres, alpha):
        weights = a * (1 + alpha * a) ** 2
        return np.sum(weights * centres) / np.sum(weights)

    @mistake(
        "weights not normalised",
        "This is the weighted sum divided by the number of tasks. Divide by the sum of the weights.",
    )
    def not_normalised(a, centres, alpha):
        return np.mean(a * (1 - alpha * a) ** 2 * centres)


class prior_precision(NumberProblem):
    title = "how strong a prior are m steps?"
    difficulty, minutes = "hard", 8
    tags = ("concept:initialisation-as-prior",)
    hints = (
        "Both keep a share of the distance between θ and θ*. Which share do m steps keep, and which the MAP estimate?",
        "The steps keep q = (1 − αh)^m, the MAP estimate λ/(λ + h). Set them equal.",
        "q(λ + h) = λ, so λ = h·q/(1 − q).",
    )
    explanation = r"""
    With the penalty the minimum keeps the share $\frac{\lambda}{\lambda + h}$ of the distance to the start; m steps
    keep $q = (1 - \alpha h)^m$. They are equal for $\lambda = h\,q/(1 - q)$: more steps or larger ones, weaker prior.
    """

    def draw(self, rng):
        h, steps = round(float(rng.uniform(0.5, 3)), 2), int(rng.integers(2, 6))
        return {"h": h, "alpha": round(float(rng.uniform(0.05, 0.2)), 3), "steps": steps}

    def statement(self, given):
        return rf"""
        A task's support loss is $\frac{{1}}{{2}} h\,(\theta - \theta^*)^2$ with curvature $h = {given.h}$. From the
        start $\theta$ you take $m = {given.steps}$ gradient steps of size $\alpha = {given.alpha}$. They end just
        where $\frac{{1}}{{2}} h\,(\varphi - \theta^*)^2 + \frac{{1}}{{2}} \lambda\,(\varphi - \theta)^2$ is least in
        $\varphi$: at the MAP estimate under a Gaussian prior centred at the start. What is the prior's precision
        $\lambda$?

        `p.given("prior_precision")` has the numbers `h`, `alpha` and `steps`. Four correct digits are enough.
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

    @mistake("h left out", "That is q/(1 − q), the ratio λ/h. Multiply by h.")
    def ratio(h, alpha, steps):
        left = (1 - alpha * h) ** steps
        return left / (1 - left)

    @mistake("variance for precision", "That is 1/λ, the prior's variance. The precision is its inverse, λ.")
    def variance(h, alpha, steps):
        left = (1 - alpha * h) ** steps
        return (1 - left) / (h * left)

    @mistake(
        "not solved for λ", "That is h·q. λ stands below the line as well: solve q(λ + h) = λ, which divides by 1 − q."
    )
    def not_solved(h, alpha, steps):
        return h * (1 - alpha * h) ** steps
