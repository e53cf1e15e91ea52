"""Lesson 4, the meta-gradient by hand."""

import tracemalloc
from types import MappingProxyType

import autograd.numpy as np
from autograd import grad as gradient_of

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.problems.meta_gradients import Loss, OneStepProblem


def _quartic(rng, size):
    """Gradient and Hessian-vector product of a loss whose curvature differs from place to place."""
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    hessian, centre, bend = root @ root.T + 0.5 * np.eye(size), rng.normal(size=size), rng.uniform(0.2, 0.6)

    def grad(theta):
        return hessian @ (theta - centre) + bend * theta**3

    def hvp(theta, v):
        return hessian @ v + 3 * bend * theta**2 * v

    return grad, hvp


class meta_gradient_1d(OneStepProblem):
    title = "the meta-gradient for one parameter"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("example:1", "concept:higher-order-gradients")
    hints = (
        "`theta_prime = theta - alpha * dLs(theta)`. What is the derivative of each of its two terms with respect to θ?",
        "The derivative of θ is 1; the derivative of the slope dLs(θ) is the curvature d2Ls(θ), times alpha.",
        "`moves = 1 - alpha * d2Ls(theta)`",
    )
    explanation = r"""
    $\theta' = \theta - \alpha L_s'(\theta)$, so $\frac{d\theta'}{d\theta} = 1 - \alpha L_s''(\theta)$, and by the
    chain rule $\frac{d}{d\theta} L_q(\theta') = L_q'(\theta')\,(1 - \alpha L_s''(\theta))$. The query's slope belongs
    to the place where you arrive, $\theta'$; the support's curvature to the place where you start, $\theta$.
    """

    def draw(self, rng):
        a, b, q = rng.uniform(0.5, 2.0, 3)
        c, d, theta = rng.normal(size=3)
        alpha = rng.uniform(0.05, 0.4)
        return {
            "dLs": lambda t: a * (t - c) + b * t**2,
            "d2Ls": lambda t: a + 2 * b * t,
            "dLq": lambda t: q * (t - d) + t**3,
            "theta": float(theta),
            "alpha": float(alpha),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Write `meta_gradient_1d(dLs, d2Ls, dLq, theta, alpha)`: the derivative of the query loss *after* one inner step,
        $\frac{{d}}{{d\theta}} L_q(\theta - \alpha L_s'(\theta))$. The first three arguments are functions of one
        number: $L_s'$, $L_s''$ and $L_q'$; `theta` and `alpha` are numbers.

        With the functions in `p.given("meta_gradient_1d")`, theta = {given.theta:.3f} and alpha = {given.alpha:.3f}
        it gives {value:.4f}.
        """

    @staticmethod
    def solution(dLs, d2Ls, dLq, theta, alpha):
        theta_prime = theta - alpha * dLs(theta)
        moves = 1 - alpha * d2Ls(theta)
        return dLq(theta_prime) * moves

    def losses(self, case):
        return Loss(case["dLs"], lambda theta, v: case["d2Ls"](theta) * v), Loss(case["dLq"])


class jacobian(FunctionProblem):
    title = "how theta prime moves with theta"
    difficulty, minutes = "medium", 6
    tags = ("practice:medium", "takeaway:second-order-terms")
    hints = (
        "Differentiate θ − α∇L_s(θ) term by term. What is the derivative of the vector θ with respect to itself?",
        "∂θ/∂θ is the identity matrix, `np.eye(P)`; the derivative of a gradient is the Hessian.",
    )
    explanation = r"""
    $\frac{\partial \theta'}{\partial \theta} = \frac{\partial}{\partial\theta}\left[\theta - \alpha\nabla
    L_s(\theta)\right] = I - \alpha \nabla^2 L_s(\theta)$: the Hessian is the Jacobian of the gradient.
    """

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        root = rng.normal(size=(size, size))
        return {"hessian": root + root.T, "alpha": float(rng.uniform(0.05, 0.5))}

    def statement(self, given):
        return rf"""
        Write `jacobian(hessian, alpha)`: the matrix $\frac{{\partial\theta'}}{{\partial\theta}}$ of one inner step
        $\theta' = \theta - \alpha\nabla L_s(\theta)$. `hessian` is the array $\nabla^2 L_s(\theta)$, shape `(P, P)`,
        for any P; the answer has the same shape.

        To try: `p.given("jacobian")` has a hessian of shape {given.hessian.shape} and alpha = {given.alpha:.3f}.
        """

    @staticmethod
    def solution(hessian, alpha):
        return np.eye(len(hessian)) - alpha * np.array(hessian)

    @mistake(
        "all ones minus alpha H",
        "`1 - alpha * hessian` subtracts from 1 in every entry. The derivative of θ is the identity matrix: np.eye(P).",
    )
    def ones(hessian, alpha):
        return 1 - alpha * hessian

    @mistake(
        "identity left out",
        "This is −αH alone. θ itself moves too when θ moves: its derivative is I, so the whole is I − αH.",
    )
    def without_identity(hessian, alpha):
        return -alpha * hessian

    @mistake("sign of the Hessian", "This is I + αH. The inner step subtracts α∇L_s, so its derivative subtracts αH.")
    def plus(hessian, alpha):
        return np.eye(len(hessian)) + alpha * hessian

    @mistake(
        "outer product",
        "H is multiplied by itself, as one does with gradients. The Hessian already is the derivative of the gradient.",
    )
    def outer_product(hessian, alpha):
        return np.eye(len(hessian)) - alpha * hessian @ hessian.T

    @mistake("alpha left out", "This is I − H. The step is α∇L_s, so its derivative is αH.")
    def without_alpha(hessian, alpha):
        return np.eye(len(hessian)) - hessian


class meta_gradient(OneStepProblem):
    title = "the meta-gradient for any number of parameters"
    difficulty, minutes = "hard", 12
    tags = ("example:3", "concept:higher-order-gradients", "concept:fomaml", "takeaway:second-order-terms")
    hints = (
        "The same two factors as in one dimension: the query's gradient at θ′, and (I − αH_s(θ)).",
        "You need no matrix: (I − αH)v = v − α·(H v), and `hvp_s(theta, v)` is H(θ) v.",
        "v = grad_q(theta_prime); the answer is v − alpha * hvp_s(theta, v).",
    )
    explanation = r"""
    $\nabla_\theta L_q(\theta') = (I - \alpha\nabla^2 L_s(\theta))\,\nabla L_q(\theta')$. The Hessian appears only times
    one vector, so a Hessian-vector product is all that is needed, at the place where the step was taken.
    """

    def draw(self, rng):
        size = int(rng.integers(1, 6))
        grad_s, hvp_s = _quartic(rng, size)
        grad_q, _ = _quartic(rng, size)
        alpha = float(rng.uniform(0.05, 0.3))
        return {"grad_s": grad_s, "hvp_s": hvp_s, "grad_q": grad_q, "theta": rng.normal(size=size), "alpha": alpha}

    def statement(self, given):
        return rf"""
        Write `meta_gradient(grad_s, hvp_s, grad_q, theta, alpha)`: $\nabla_\theta L_q(\theta')$ after one inner step.
        `grad_s(theta)` and `grad_q(theta)` are the gradients of support and query loss, `hvp_s(theta, v)` is the
        support's Hessian at theta times v; `theta` has shape `(P,)`, and so has the answer.

        Functions to try, with P = {given.theta.size} and alpha = {given.alpha:.3f}: `p.given("meta_gradient")`.
        """

    @staticmethod
    def solution(grad_s, hvp_s, grad_q, theta, alpha):
        theta_prime = theta - alpha * grad_s(theta)
        v = grad_q(theta_prime)
        return v - alpha * hvp_s(theta, v)


class _TooManyCalls(Exception):
    pass


class _Recorded:
    """A function that keeps the points it was called at; a point under differentiation is not kept."""

    def __init__(self, function, most=10_000):
        self.function, self.points, self.calls, self.most = function, [], 0, most

    def __call__(self, theta, *rest):
        self.calls += 1
        if self.calls > self.most:
            raise _TooManyCalls
        if not hasattr(theta, "_value"):
            self.points.append(np.array(theta, dtype=float))
        return self.function(theta, *rest)

    def offsets(self, theta):
        """How far from theta the calls were, one row a call."""
        return np.array([np.ravel(point - theta) for point in self.points]).reshape(len(self.points), theta.size)


def _symmetric(offsets):
    """Whether every point has its mirror image; an exact derivative needs no points at all."""
    moved = offsets[np.max(np.abs(offsets), axis=1, initial=0.0) > 0]
    return all(np.any(np.all(np.isclose(moved, -row, rtol=1e-3, atol=1e-14), axis=1)) for row in moved)


class central_difference(FunctionProblem):
    title = "a derivative without a formula"
    difficulty, minutes = "easy", 8
    tags = ("concept:higher-order-gradients",)
    cases = 4
    hints = (
        "One entry at a time: move it up by h, then down by h, from the same θ.",
        "(f(θ + h eᵢ) − f(θ − h eᵢ)) / (2h), with eᵢ all zeros and a 1 at entry i.",
        "h = 1e-5 is a good choice: the formula's own error is about h², rounding adds about 1e-16 / h.",
    )
    explanation = r"""
    $\frac{\partial f}{\partial \theta_i} \approx \frac{f(\theta + h e_i) - f(\theta - h e_i)}{2h}$. The even terms of
    the two Taylor series cancel, so the error falls like $h^2$; rounding grows like $1/h$. Between the two, $h$ near
    $10^{-5}$ leaves about ten digits.
    """

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        a, b = rng.normal(size=size), rng.normal(size=size)

        def f(theta):
            return np.sum(np.sin(a * theta)) + np.exp(0.3 * np.sum(b * theta)) + np.sum(theta**2 * a)

        return {"f": f, "theta": rng.normal(size=size)}

    def statement(self, given):
        return f"""
        Write `central_difference(f, theta)`: the gradient of `f` at `theta`, shape `(P,)`, from values of `f` alone.
        `f` takes a vector and gives a number. Six correct digits are enough. Differences are the point here: this is
        the check that trusts nobody.

        To try: `p.given("central_difference")`, with P = {given.theta.size}.
        """

    @staticmethod
    def solution(f, theta):
        theta, h = np.array(theta, dtype=float), 1e-5
        gradient = np.zeros(theta.size)
        for i in range(theta.size):
            step = np.zeros(theta.size)
            step[i] = h
            gradient[i] = (f(theta + step) - f(theta - step)) / (2 * h)
        return gradient

    def observe(self, answer, case):
        f, theta = _Recorded(case["f"]), case["theta"].copy()
        value = np.array(answer(f, case["theta"]), dtype=float)
        offsets, right = f.offsets(theta), gradient_of(case["f"])(theta)
        steps = np.max(np.abs(offsets), axis=1, initial=0.0)
        step = np.max(steps, initial=0.0)
        size = "too small" if 0 < step < 1e-9 else "too large" if step > 2e-2 else "good"
        accurate = value.shape == right.shape and bool(np.max(np.abs(value - right)) <= 1e-5 * np.max(np.abs(right)))
        return {
            "steps to both sides": _symmetric(offsets),
            "size of the step": size,
            "shape": str(value.shape),
            "six correct digits": accurate or size != "good" or not _symmetric(offsets),
        }

    @mistake(
        "one-sided",
        "The difference is taken to one side, f(θ + h) − f(θ): its error is about h instead of h². Step both ways.",
    )
    def one_sided(f, theta):
        h = 1e-5
        return np.array([(f(theta + h * unit) - f(theta)) / h for unit in np.eye(len(theta))])

    @mistake("step too small", "The step is so small that rounding eats the difference: try h = 1e-5.")
    def too_small(f, theta):
        h = 1e-13
        return np.array([(f(theta + h * unit) - f(theta - h * unit)) / (2 * h) for unit in np.eye(len(theta))])

    @mistake("step too large", "The step is so large that f bends on the way: try h = 1e-5.")
    def too_large(f, theta):
        h = 0.3
        return np.array([(f(theta + h * unit) - f(theta - h * unit)) / (2 * h) for unit in np.eye(len(theta))])

    @mistake(
        "changes theta in place",
        "θ is not what it was after the call: the steps were made in the caller's array. Work on `theta.copy()`.",
    )
    def in_place(f, theta):
        h = 1e-5
        gradient = np.zeros(theta.size)
        for i in range(theta.size):
            theta[i] += h
            above = f(theta)
            theta[i] -= 2 * h
            gradient[i] = (above - f(theta)) / (2 * h)
            theta[i] += 2 * h
        return gradient


class sign_flip_alpha(NumberProblem):
    title = "where FOMAML turns around"
    difficulty, minutes = "medium", 5
    tags = ("concept:fomaml",)
    hints = (
        "Exact over first-order gradient is 1 − α L_s″(θ). When is it zero?",
        "α = 1 / L_s″(θ): compute the second derivative of the support loss at θ, every term of it.",
    )
    explanation = r"""
    The exact gradient is the first-order one times $1 - \alpha L_s''(\theta)$. With
    $L_s'' = 2a + 6b\theta$ the factor is zero at $\alpha = 1 / (2a + 6b\theta)$; beyond it the two point opposite ways.
    """

    def draw(self, rng):
        a, b, q, theta = rng.uniform(0.8, 2.0), rng.uniform(0.2, 0.6), rng.uniform(0.5, 2.0), rng.uniform(0.3, 1.5)
        return {name: round(float(value), 2) for name, value in zip("abq", (a, b, q), strict=True)} | {
            "theta": round(float(theta), 2)
        }

    def statement(self, given):
        return rf"""
        $L_s(\theta) = {given.a}\,(\theta - 1)^2 + {given.b}\,\theta^3$ and $L_q(\theta) = {given.q}\,(\theta + 1)^2$,
        at $\theta = {given.theta}$. From which step size $\alpha$ on does the first-order gradient point the other way
        than the exact one? (`p.given("sign_flip_alpha")` has the numbers.)
        """

    @staticmethod
    def solution(a, b, q, theta):
        return 1 / (2 * a + 6 * b * theta)

    @mistake(
        "largest stable step",
        "That is 2 / L_s″, where the inner step begins to diverge. The direction flips earlier, where 1 − αL_s″ = 0.",
    )
    def stable(a, b, q, theta):
        return 2 / (2 * a + 6 * b * theta)

    @mistake("the query's curvature", "That is 1 / L_q″. The inner step descends the support loss: use L_s″(θ).")
    def query(a, b, q, theta):
        return 1 / (2 * q)

    @mistake("the slope for the curvature", "That is 1 / L_s′(θ). The factor 1 − αL_s″ has the second derivative.")
    def slope(a, b, q, theta):
        return 1 / (2 * a * (theta - 1) + 3 * b * theta**2)

    @mistake("the cubic term forgotten", "That is 1 / (2a): the cubic term of L_s bends too, by 6bθ.")
    def quadratic_only(a, b, q, theta):
        return 1 / (2 * a)


class which_gradient(ChoiceProblem):
    title = "whose gradient is this?"
    difficulty, minutes = "medium", 8
    tags = ("concept:fomaml", "takeaway:second-order-terms")
    labels = ("exact", "first-order", "outer slope at theta", "uphill")
    hints = (
        "For each line compute the candidates; only one gives the number shown.",
        "exact: L_q′(θ′)(1 − αL_s″); first-order: L_q′(θ′); outer slope at theta: L_q′(θ)(1 − αL_s″).",
        "uphill: the code stepped to θ + αL_s′, so it is L_q′ there times (1 + αL_s″).",
    )
    explanation = r"""
    Each code has a place where it takes the query's slope and a factor: exact $L_q'(\theta')(1-\alpha L_s'')$;
    first-order $L_q'(\theta')$; outer slope at theta $L_q'(\theta)(1-\alpha L_s'')$; uphill
    $L_q'(\theta + \alpha L_s')(1+\alpha L_s'')$.
    """
    traps = MappingProxyType(
        {
            "first-order taken for exact": "A first-order gradient was called exact: it lacks the factor 1 − αL_s″.",
            "place of the slope": "An outer slope at θ was called exact: the query's slope belongs to θ′.",
            "factor taken for direction": "An uphill step was called exact: look at the sign in 1 ± αL_s″.",
        }
    )

    def statement(self, given):
        return r"""
        In each line somebody's code returned a number for $\frac{d}{d\theta}L_q(\theta')$ with one inner step. Say what
        it computed. ($\theta' = \theta - \alpha L_s'$; an *uphill* code steps to $\theta + \alpha L_s'$ and
        differentiates that.)
        """

    def items(self, rng):
        kinds = [*self.labels, *rng.choice(self.labels, 2)]
        return [self._item(rng, str(kind)) for kind in rng.permutation(kinds)]

    def _item(self, rng, kind):
        alpha, curvature = round(rng.uniform(0.1, 0.3), 2), round(rng.uniform(1.5, 3.0), 2)
        here, there, up = (round(x, 2) for x in rng.choice([-1, 1]) * (rng.uniform(0.5, 1.0) + np.array([0.9, 0, 1.8])))
        answers = {
            "exact": there * (1 - alpha * curvature),
            "first-order": there,
            "outer slope at theta": here * (1 - alpha * curvature),
            "uphill": up * (1 + alpha * curvature),
        }
        text = (
            f"α = {alpha}, L_s″(θ) = {curvature}; L_q′ is {here} at θ, {there} at θ′ and {up} at θ + αL_s′. "
            f"The code returned {answers[kind]:.3f}."
        )
        traps = {
            "first-order": {"first-order taken for exact": "exact"},
            "outer slope at theta": {"place of the slope": "exact"},
            "uphill": {"factor taken for direction": "exact"},
        }
        return Item(text, kind, traps.get(kind, {}))


class hvp(FunctionProblem):
    title = "a Hessian times a vector, without the Hessian"
    difficulty, minutes = "hard", 12
    tags = ("concept:higher-order-gradients",)
    tolerance = 1e-5
    cases = 3
    hints = (
        "How does the gradient change when θ moves a little along v?",
        "(∇L(θ + hv) − ∇L(θ − hv)) / (2h), or the gradient (autograd) of the number ∇L(θ)·v.",
        "With autograd: `grad_of(lambda t: np.dot(grad(t), v))(theta)`; with differences two calls of grad, h = 1e-5.",
    )
    explanation = r"""
    $\nabla L(\theta + hv) \approx \nabla L(\theta) + h\,Hv$: two gradients give $Hv$, whatever the number of
    parameters. Exactly, $Hv$ is the gradient of the number $\nabla L(\theta)\cdot v$ (Pearlmutter 1994). At 20 000
    parameters $H$ itself would hold 400 million numbers, 3.2 GB.
    """

    def draw(self, rng):
        size = int(rng.integers(250, 350))
        direction, centre, bend = rng.normal(size=size), rng.normal(size=size), rng.uniform(0.3, 1.0, size)

        def grad(theta):
            return direction * np.dot(direction, theta - centre) / len(direction) + bend * theta**3

        return {"grad": grad, "theta": rng.normal(size=size), "v": rng.normal(size=size)}

    def statement(self, given):
        return """
        Write `hvp(grad, theta, v)`: the Hessian of a loss at `theta` times `v`, shape `(P,)`, from the gradient
        function `grad(theta)` alone, and without building the Hessian: it has to serve 20 000 parameters. autograd may
        differentiate `grad`, central differences will do as well; five correct digits are enough.
        """

    @staticmethod
    def solution(grad, theta, v):
        h = 1e-5
        return (grad(theta + h * v) - grad(theta - h * v)) / (2 * h)

    def observe(self, answer, case):
        # P gradients or P^2 numbers at a few hundred parameters are what would be 20 000 gradients or 3.2 GB
        grad, theta = _Recorded(case["grad"], most=50), case["theta"].copy()
        tracemalloc.start()
        try:
            value = answer(grad, case["theta"], case["v"])
            builds = tracemalloc.get_traced_memory()[1] > 4 * theta.size**2
        except _TooManyCalls:
            builds = True
        finally:
            tracemalloc.stop()
        if builds:
            return {"builds the Hessian": True}
        if not _symmetric(grad.offsets(theta)):
            return {"builds the Hessian": False, "steps to both sides": False}
        return {"builds the Hessian": False, "steps to both sides": True, "H v": value}

    @mistake(
        "builds H",
        "It builds the Hessian, P² numbers (or P gradients) for one product: at 20 000 parameters 3.2 GB. Two "
        "gradients along v are enough.",
    )
    def builds_hessian(grad, theta, v):
        h = 1e-5
        columns = [(grad(theta + h * unit) - grad(theta - h * unit)) / (2 * h) for unit in np.eye(len(theta))]
        return np.array(columns).T @ v

    @mistake("one-sided", "The difference is taken to one side: its error is about h instead of h². Step both ways.")
    def one_sided(grad, theta, v):
        h = 1e-7
        return (grad(theta + h * v) - grad(theta)) / h

    @mistake(
        "gradient times v",
        "This is the gradient weighted by v. The Hessian says how the gradient changes along v: compare two gradients.",
    )
    def elementwise(grad, theta, v):
        return grad(theta) * v
