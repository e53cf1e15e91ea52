"""Lesson 3, the inner loop."""

import autograd.numpy as np

from mlcourse.classroom.judging import FunctionProblem, NumberProblem, mistake


def _bowl(rng, size):
    """The gradient of a loss that is not quite quadratic, so that every place has another gradient."""
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    hessian, centre, bend = root @ root.T + 0.5 * np.eye(size), rng.normal(size=size), rng.uniform(0.1, 0.4)

    def grad(theta):
        theta = np.array(theta)  # an answer may work on lists
        return hessian @ (theta - centre) + bend * theta**3

    return grad


def _vector(values):
    return "[" + ", ".join(f"{value:.4f}" for value in values) + "]"


def _inputs(rng):
    shots = int(rng.integers(1, 7))
    return rng.uniform(-1.5, 1.5, (shots, 1)) + 0.2


class inner_step(FunctionProblem):
    title = "one inner step"
    difficulty, minutes = "easy", 5
    tags = (
        "concept:inner-loop",
        "concept:gradient-based-adaptation",
        "concept:adapted-parameters",
        "takeaway:theta-and-theta-prime",
    )
    hints = (
        "Descent goes against the gradient, α times as far as it is long.",
        "`return theta - alpha * grad(theta)`: a new array; the old θ is still needed for the next task.",
    )
    explanation = r"""
    $\theta' = \theta - \alpha\nabla L_s(\theta)$. The subtraction makes a new array. `theta -= …` would change the
    caller's θ, and with it the start of every other task: slow weights must survive the inner loop.
    """

    def draw(self, rng):
        size = int(rng.integers(1, 6))
        return {"theta": rng.normal(size=size), "grad": _bowl(rng, size), "alpha": float(rng.uniform(0.05, 0.5))}

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Write `inner_step(theta, grad, alpha)`: the adapted parameters $\theta'$ after one gradient step on the support
        loss. `theta` has shape `(P,)`, and so has the answer; `grad` is a function: `grad(theta)` is
        $\nabla L_s(\theta)$, shape `(P,)`; `alpha` is a number.

        With `p.given("inner_step")`, where theta = {_vector(given.theta)} and alpha = {given.alpha:.3f}, it gives
        {_vector(value)}.
        """

    @staticmethod
    def solution(theta, grad, alpha):
        return theta - alpha * grad(theta)

    @mistake("uphill", "This goes along the gradient, where the loss grows. Descent subtracts: θ − α∇L_s(θ).")
    def uphill(theta, grad, alpha):
        return theta + alpha * grad(theta)

    @mistake(
        "changes theta in place",
        "θ′ is right, but the caller's θ was changed on the way: `theta -= …` writes into it. The next task would start "
        "from this task's θ′. Make a new array: `theta - alpha * grad(theta)`.",
    )
    def in_place(theta, grad, alpha):
        theta -= alpha * grad(theta)
        return theta

    @mistake("alpha left out", "The step is the whole gradient. Its length is α times the gradient: θ − α∇L_s(θ).")
    def without_alpha(theta, grad, alpha):
        return theta - grad(theta)

    @mistake("the step, not theta prime", "This is the step −α∇L_s(θ) alone. θ′ is where it leads: add it to θ.")
    def only_the_step(theta, grad, alpha):
        return -alpha * grad(theta)

    @mistake(
        "what is subtracted, not theta prime",
        "This is α∇L_s(θ), what the step takes away. θ′ is what remains: θ − α∇L_s(θ).",
    )
    def only_the_product(theta, grad, alpha):
        return alpha * grad(theta)


class adapt(FunctionProblem):
    title = "m inner steps"
    difficulty, minutes = "easy", 8
    tags = ("concept:inner-loop", "concept:gradient-based-adaptation", "concept:fast-slow-weights")
    hints = (
        "θ_{i+1} = θ_i − α∇L_s(θ_i): the gradient is taken anew at every θ_i.",
        "Start a loop with `theta_i = theta` and repeat `theta_i = theta_i - alpha * grad(theta_i)` exactly `steps` times.",
    )
    explanation = r"""
    $\theta_0 = \theta$ and $\theta_{i+1} = \theta_i - \alpha\nabla L_s(\theta_i)$, m times; $\theta' = \theta_m$. With m = 0 nothing
    happens, and the answer is θ itself.
    """

    def draw(self, rng):
        size = int(rng.integers(1, 5))
        return {
            "grad": _bowl(rng, size),
            "theta": rng.uniform(-2, 2, size),
            "alpha": float(rng.uniform(0.05, 0.2)),
            "steps": int(rng.integers(1, 7)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        many = f"{given.steps} step{'s' * (given.steps > 1)}"
        return rf"""
        Write `adapt(grad, theta, alpha, steps)`: $\theta_m$ after m = `steps` gradient steps from `theta`, m ≥ 1. `theta` has
        shape `(P,)`, and so has the answer: the last θ only, not the trajectory. `grad` is a function: `grad(theta)` is the
        gradient of the support loss at theta.

        With `p.given("adapt")`, where theta = {_vector(given.theta)}, alpha = {given.alpha:.3f} and there {"is" if given.steps == 1 else "are"}
        {many}, it gives {_vector(value)}.
        """

    @staticmethod
    def solution(grad, theta, alpha, steps):
        theta_i = theta
        for _ in range(steps):
            theta_i = theta_i - alpha * grad(theta_i)
        return theta_i

    @mistake(
        "same gradient every step",
        "Every step uses the gradient at the first θ. The loss curves: take the gradient anew at each θ_i.",
    )
    def frozen_gradient(grad, theta, alpha, steps):
        return theta - steps * alpha * grad(theta)

    @mistake("one step too many", "There is one step too many: `range(steps)` makes exactly m of them.")
    def one_more(grad, theta, alpha, steps):
        return adapt.solution(grad, theta, alpha, steps + 1)

    @mistake("one step too few", "There is one step too few: `range(steps)` makes exactly m of them.")
    def one_less(grad, theta, alpha, steps):
        return adapt.solution(grad, theta, alpha, steps - 1)

    @mistake(
        "changes theta in place",
        "θ_m is right, but the caller's θ was changed: `theta -= …` writes into it. Give the loop a variable of its own.",
    )
    def in_place(grad, theta, alpha, steps):
        for _ in range(steps):
            theta -= alpha * grad(theta)
        return theta

    @mistake(
        "one step only",
        "This is θ after one step, whatever m is. Does the loop `return` in its first round, or does each round compute the "
        "same θ − α∇L_s(θ)? Step on from θ_i, and return after the loop.",
    )
    def one_only(grad, theta, alpha, steps):
        return theta - alpha * grad(theta)

    @mistake(
        "each step from the first theta",
        "Each θ_{i+1} is computed as θ − α∇L_s(θ_i): the gradient is new, but the start is the first θ again. Step on from θ_i.",
    )
    def from_the_start(grad, theta, alpha, steps):
        theta_i = theta
        for _ in range(steps):
            theta_i = theta - alpha * grad(theta_i)
        return theta_i

    @mistake(
        "gradient at the last theta only",
        "This starts again from θ with the gradient at the last θ_i. Each step goes on from where the last one ended.",
    )
    def last_gradient_only(grad, theta, alpha, steps):
        theta_i = adapt.solution(grad, theta, alpha, steps - 1)
        return theta - alpha * grad(theta_i)

    @mistake("uphill", "This goes along the gradient, where the loss grows. Descent subtracts it.")
    def uphill(grad, theta, alpha, steps):
        return adapt.solution(grad, theta, -alpha, steps)

    @mistake("alpha left out", "Each step is the whole gradient. Its length is α times the gradient: θ_i − α∇L_s(θ_i).")
    def without_alpha(grad, theta, alpha, steps):
        return adapt.solution(grad, theta, 1.0, steps)

    @mistake(
        "the whole trajectory",
        "This is the list θ_0, θ_1, …, θ_m. The query only sees where the loop ends: return the last, θ_m.",
    )
    def whole_trajectory(grad, theta, alpha, steps):
        return np.array([adapt.solution(grad, theta, alpha, m) for m in range(steps + 1)])


class contraction(FunctionProblem):
    title = "how far one step goes"
    difficulty, minutes = "easy", 5
    tags = ("concept:inner-loop", "mistake:alpha-and-steps")
    hints = (
        "For the loss mean((θx − y)²) with y = ax the gradient is 2(θ − a)·mean(x²).",
        "θ′ = θ − c(θ − a) with c = 2α·mean(x²).",
    )
    explanation = r"""
    $L_s(\theta) = (\theta - a)^2\,\mathrm{mean}(x^2)$ has the gradient $2(\theta - a)\,\mathrm{mean}(x^2)$, so $\theta' = \theta -
    c\,(\theta - a)$ with $c = 2\alpha\,\mathrm{mean}(x^2)$: the share of the way to the task's slope.
    """

    def draw(self, rng):
        return {"x": _inputs(rng), "alpha": float(rng.uniform(0.05, 0.5))}

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        The model is $y = \theta x$, the loss the mean squared error, the task $y = ax$. Write `contraction(x, alpha)`: the
        number $c$ in $\theta' = (1 - c)\,\theta + c\,a$ after one step. `x` has shape `(K, 1)`, K ≥ 1.

        For the {given.x.shape[0]} inputs in `p.given("contraction")` and alpha = {given.alpha:.3f} it is {value:.4f}.
        """

    @staticmethod
    def solution(x, alpha):
        return 2 * alpha * np.mean(np.square(x))

    @mistake(
        "sum for mean", "This sums x² over the points. The loss is a mean, so c does not grow with K: use the mean."
    )
    def sum_for_mean(x, alpha):
        return 2 * alpha * np.sum(np.square(x))

    @mistake("factor 2 left out", "The 2 of the squared error's derivative is missing: c = 2α·mean(x²).")
    def without_two(x, alpha):
        return alpha * np.mean(np.square(x))

    @mistake("mean, then square", "This squares the mean of x. The loss has the mean of the squares, mean(x²).")
    def square_of_mean(x, alpha):
        return 2 * alpha * np.mean(x) ** 2

    @mistake("alpha left out", "This is 2·mean(x²), the curvature λ of the loss. The step multiplies it by α: c = αλ.")
    def curvature(x, alpha):
        return 2 * np.mean(np.square(x))

    @mistake(
        "sum for mean, factor 2 left out",
        "Two things at once: x² is summed where the loss takes the mean, and the 2 of the square's derivative is missing.",
    )
    def sum_without_two(x, alpha):
        return alpha * np.sum(np.square(x))

    @mistake("what is left", "This is 1 − c, what one step leaves of the distance. c is what it covers.")
    def rest(x, alpha):
        return 1 - contraction.solution(x, alpha)


class largest_stable_alpha(NumberProblem):
    title = "where the inner loop begins to diverge"
    difficulty, minutes = "medium", 6
    tags = ("mistake:alpha-and-steps",)
    hints = (
        "Each step multiplies the distance to the slope by 1 − c. When does that stop shrinking it?",
        "|1 − c| < 1 means c < 2, and c = 2α·mean(x²).",
    )
    explanation = r"""
    The distance shrinks while $|1 - c| < 1$, that is $c < 2$. With $c = 2\alpha\,\mathrm{mean}(x^2)$ the limit is $\alpha =
    1/\mathrm{mean}(x^2)$. In general it is $2/\lambda$, with $\lambda$ the largest curvature of the support loss, here $2\,\mathrm{mean}(x^2)$.
    """

    def draw(self, rng):
        return {"x": np.round(rng.uniform(-2, 2, 4) + 0.3, 2)}

    def statement(self, given):
        named = ", ".join(f"{x:g}" for x in given.x)
        return rf"""
        The model is $y = \theta x$ with the mean squared error; the support inputs are x = {named}
        (`p.given("largest_stable_alpha")["x"]`). Below which step size α does the inner loop
        converge, from any start and for any slope of the task? Every positive α below your answer
        converges, every α above it diverges.
        """

    @staticmethod
    def solution(x):
        return 1 / np.mean(x**2)

    @mistake(
        "factor 2 too large",
        "Twice too large: the curvature of the mean squared error is 2·mean(x²), and α must stay below 2 over that.",
    )
    def too_large(x):
        return 2 / np.mean(x**2)

    @mistake("factor 2 too small", "At this α one step lands exactly (c = 1). The loop diverges later, beyond c = 2.")
    def too_small(x):
        return 0.5 / np.mean(x**2)

    @mistake("sum for mean", "The sum of x² was used. The loss is a mean over the points.")
    def with_the_sum(x):
        return 1 / np.sum(x**2)

    @mistake("mean, then square", "This squares the mean of x. The loss has the mean of the squares, mean(x²).")
    def square_of_mean(x):
        return 1 / np.mean(x) ** 2

    @mistake("the curvature itself", "This is the curvature λ = 2·mean(x²). The limit is the α with αλ = 2.")
    def curvature(x):
        return 2 * np.mean(x**2)

    @mistake(
        "the largest input",
        "This is 1 / max(x²), safe for any inputs of that size. For these inputs the limit is larger: 1 / mean(x²).",
    )
    def largest_input(x):
        return 1 / np.max(x**2)


class steps_to_shrink(NumberProblem):
    title = "how many steps are enough"
    difficulty, minutes = "medium", 6
    tags = ("mistake:alpha-and-steps", "concept:inner-loop")
    digits = None  # neighbouring whole numbers are different answers
    hints = (
        "After m steps the distance is (1 − c)^m of what it was.",
        "Solve (1 − c)^m ≤ 1/factor for m, and round up: m = ⌈ln(factor) / −ln(1 − c)⌉.",
    )
    explanation = r"""
    $(1 - c)^m \le 1/\text{factor}$ means $m \ge \ln(\text{factor}) / (-\ln(1 - c))$, rounded up to a whole step. The loss is the
    square of the distance: it needs only half as many.
    """

    def draw(self, rng):
        return {"c": round(float(rng.uniform(0.015, 0.1)), 3), "factor": int(rng.integers(20, 200))}

    def statement(self, given):
        return rf"""
        Every inner step moves θ by the share c = {given.c} of its distance to the task's slope. What is the least number of steps
        after which the *distance* is at most 1/{given.factor} of what it was? (`p.given("steps_to_shrink")` has the numbers: `c` and
        `factor` = {given.factor}.)
        """

    @staticmethod
    def solution(c, factor):
        return float(np.ceil(np.log(factor) / -np.log(1 - c)))

    @mistake(
        "the loss for the distance",
        "After that many steps the loss has shrunk by the factor; the distance needs twice as many.",
    )
    def loss(c, factor):
        return float(np.ceil(0.5 * np.log(factor) / -np.log(1 - c)))

    @mistake(
        "linear shrinking",
        "This counts steps as if each went the same distance. Each step takes its share of what is left.",
    )
    def linear(c, factor):
        return float(np.ceil((1 - 1 / factor) / c))

    @mistake("rounded down", "After that many steps the distance is still a little too large: round up.")
    def rounded_down(c, factor):
        return float(np.floor(np.log(factor) / -np.log(1 - c)))

    @mistake(
        "not a whole number",
        "That is where the curve (1 − c)^m crosses 1/factor. The loop makes whole steps: round up to the next.",
    )
    def not_rounded(c, factor):
        return float(np.log(factor) / -np.log(1 - c))

    @mistake(
        "e to the −c for 1 − c",
        "This takes ln(factor) / c, as if a step multiplied the distance by e^(−c). It multiplies it by 1 − c, which is less.",
    )
    def exponential(c, factor):
        return float(np.ceil(np.log(factor) / c))

    @mistake("ln c for ln(1 − c)", "The distance is multiplied by 1 − c at each step, not by c.")
    def with_c(c, factor):
        return float(np.ceil(np.log(factor) / -np.log(c)))


class adapt_part(FunctionProblem):
    title = "adapt some of the parameters"
    difficulty, minutes = "medium", 6
    tags = ("concept:fast-slow-weights", "concept:adapted-parameters")
    hints = (
        "Where the mask is 1 the parameter takes its step; where it is 0 it keeps its value.",
        "Mask the step: `theta - alpha * mask * grad(theta)`. With `np.where(mask == 1, …, theta)` it works, too.",
    )
    explanation = r"""
    $\theta' = \theta - \alpha\,m\circ\nabla L_s(\theta)$. The mask multiplies the *step*. Multiply θ by it and the frozen
    parameters become zero. With ones on the last layer only this is ANIL: a vector of step sizes, zero on the body.
    """

    def draw(self, rng):
        size = int(rng.integers(3, 7))
        mask = np.zeros(size)
        mask[rng.permutation(size)[: int(rng.integers(1, size))]] = 1.0
        theta, grad = rng.normal(size=size), _bowl(rng, size)
        return {"grad": grad, "theta": theta, "mask": mask, "alpha": float(rng.uniform(0.05, 0.4))}

    def statement(self, given):
        mask = ", ".join(f"{m:.0f}" for m in given.mask)
        value = self.solution(**vars(given))
        return rf"""
        Write `adapt_part(grad, theta, mask, alpha)`: all parameters after one inner step in which only those with `mask` 1
        adapt; those with `mask` 0 keep their value. `theta` and `mask` have shape `(P,)`, and so has the answer; the mask's entries
        are the floats 0.0 and 1.0. `grad` is a function, and comes first, as in `adapt`.

        With `p.given("adapt_part")`, where theta = {_vector(given.theta)}, the mask is [{mask}] and alpha = {given.alpha:.3f}, it gives
        {_vector(value)}.
        """

    @staticmethod
    def solution(grad, theta, mask, alpha):
        return theta - alpha * mask * grad(theta)

    @mistake(
        "masks theta", "The mask multiplies θ, so the frozen parameters become 0. Mask the step, not the parameters."
    )
    def masks_theta(grad, theta, mask, alpha):
        return mask * (theta - alpha * grad(theta))

    @mistake(
        "adapts the complement",
        "The parameters with mask 0 adapt, and those with mask 1 stay: it is the other way round.",
    )
    def complement(grad, theta, mask, alpha):
        return theta - alpha * (1 - mask) * grad(theta)

    @mistake("mask ignored", "All parameters take the step. Multiply the step by the mask.")
    def ignored(grad, theta, mask, alpha):
        return theta - alpha * grad(theta)

    @mistake(
        "gradient of masked parameters",
        "The gradient is taken at mask·θ, another place. Take it at θ, where the model is, and mask the step.",
    )
    def elsewhere(grad, theta, mask, alpha):
        return theta - alpha * mask * grad(mask * theta)

    @mistake("uphill", "This goes along the gradient, where the loss grows. Descent subtracts the masked step.")
    def uphill(grad, theta, mask, alpha):
        return theta + alpha * mask * grad(theta)

    @mistake(
        "alpha left out", "The step is the whole gradient where the mask is 1. Its length is α times the gradient."
    )
    def without_alpha(grad, theta, mask, alpha):
        return theta - mask * grad(theta)

    @mistake(
        "only the adapted parameters",
        "Only the parameters that adapt are returned. The model needs all P of them: the frozen ones keep their value.",
    )
    def adapted_only(grad, theta, mask, alpha):
        return (theta - alpha * grad(theta))[mask == 1]

    @mistake(
        "changes theta in place",
        "θ′ is right, but the caller's θ was changed: assigning to `theta[…]` or `theta -= …` writes into it. Work on "
        "`theta.copy()`, or make a new array.",
    )
    def in_place(grad, theta, mask, alpha):
        theta -= alpha * mask * grad(theta)
        return theta
