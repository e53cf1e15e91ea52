"""Lesson 4, the meta-gradient by hand."""

from types import MappingProxyType

import autograd.numpy as np
from autograd import grad as gradient_of
from autograd.tracer import trace

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.judging.compare import plain
from mlcourse.classroom.judging.memory import peak_of
from mlcourse.classroom.problems.differences import (
    DifferenceProblem,
    Recorded,
    TooManyCallsError,
    described,
    quotient,
)
from mlcourse.classroom.problems.meta_gradients import Loss, OneStepProblem
from mlcourse.recipes.deviations import Deviation

# A deviation's words -> the same for one parameter, in this order.
_ONE_PARAMETER = (
    (
        "the gradient's outer product, ∇L_s∇L_sᵀ. That is another matrix",
        "the slope squared, L_s′². That is another number",
    ),
    ("outer product", "slope squared"),
    ("∇L_s", "L_s′"),
    ("∇L_q", "L_q′"),
    ("Hv", "L_s″v"),
    ("αH", "αL_s″"),
    ("H)", "L_s″)"),
    ("H is", "L_s″ is"),
    ("(I ", "(1 "),
    ("I − α", "1 − α"),
    ("identity", "the 1"),
    ("Hessian", "curvature"),
    ("gradient", "slope"),
    ("first-order slope", "first-order gradient"),
)


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

    @mistake("theta for its derivative", "The end moves by θ − αL_s″(θ) here. The derivative of θ itself is 1, not θ.")
    def not_differentiated(dLs, d2Ls, dLq, theta, alpha):
        return dLq(theta - alpha * dLs(theta)) * (theta - alpha * d2Ls(theta))

    @mistake(
        "the curvature alone",
        "L_s″(θ) is how the slope moves. The end θ − αL_s′(θ) moves with both of its terms: by 1, and by −α times that.",
    )
    def curvature_alone(dLs, d2Ls, dLq, theta, alpha):
        return dLq(theta - alpha * dLs(theta)) * d2Ls(theta)

    def told(self, deviation):
        """With one parameter the gradient is a slope and the Hessian a curvature."""
        name, sentence = super().told(deviation)
        for words, ours in _ONE_PARAMETER:
            name, sentence = name.replace(words, ours), sentence.replace(words, ours)
        return name, sentence


class jacobian(FunctionProblem):
    title = "how theta prime moves with theta"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("practice:medium", "takeaway:second-order-terms")
    hints = (
        "Differentiate θ − α∇L_s(θ) term by term. What is the derivative of the vector θ with respect to itself?",
        "∂θ/∂θ is the identity matrix, `np.eye(P)`; the derivative of a gradient is the Hessian.",
        "`return np.eye(len(hessian)) - alpha * hessian`",
    )
    explanation = r"""
    $\frac{\partial \theta'}{\partial \theta} = \frac{\partial}{\partial\theta}\left[\theta - \alpha\nabla
    L_s(\theta)\right] = I - \alpha \nabla^2 L_s(\theta)$: the Hessian is the Jacobian of the gradient.
    """
    deviations = (
        Deviation(
            "start",
            "ones",
            "all ones minus alpha H",
            "`1 - alpha * hessian` subtracts from 1 in every entry. The derivative of θ is the identity matrix: np.eye(P).",
        ),
        Deviation(
            "start",
            "nothing",
            "identity left out",
            "The identity is missing. θ itself moves too when θ moves: its derivative is I, so the whole is I − αH.",
        ),
        Deviation(
            "sign",
            1,
            "sign of the Hessian",
            "αH is added. The inner step subtracts α∇L_s, so its derivative subtracts αH.",
        ),
        Deviation("size", "left out", "alpha left out", "α is missing. The step is α∇L_s, so its derivative is αH."),
        Deviation(
            "size", "square", "alpha squared", "α comes twice. The step is α∇L_s, so its derivative has α once: αH."
        ),
        Deviation(
            "matrix",
            "outer product",
            "outer product",
            "H is multiplied by itself, as one does with gradients. The Hessian already is the derivative of the gradient.",
        ),
        Deviation(
            "matrix",
            "diagonal",
            "diagonal of the Hessian",
            "Only H's diagonal is used. Moving θ_j changes every entry of the gradient: all of H belongs here.",
        ),
    )

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
        return np.eye(len(hessian)) - alpha * hessian

    @staticmethod
    def variant(hessian, alpha, start="identity", sign=-1, size="once", matrix="H"):
        starts = {"identity": np.eye(len(hessian)), "ones": 1.0, "nothing": 0.0}
        sizes = {"once": alpha, "left out": 1.0, "square": alpha**2}
        matrices = {"H": hessian, "outer product": hessian @ hessian.T, "diagonal": np.diag(np.diag(hessian))}
        return starts[start] + sign * sizes[size] * matrices[matrix]

    def sizes(self, case):
        return {"alpha": case["alpha"]}


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


class own_step_sizes(FunctionProblem):
    title = "a step size for each parameter"
    difficulty, minutes = "medium", 8
    tags = ("concept:higher-order-gradients", "takeaway:second-order-terms")
    hints = (
        "Entry i of the step: θ′_i = θ_i − α_i ∂L_s/∂θ_i. Differentiate it with respect to θ_j, and write the matrix down.",
        "∂θ′/∂θ = I − diag(α) H: row i has α_i. The gradient is the *transpose* of it times v.",
        "Turning a product round, (diag(α) H)ᵀ = H diag(α): α multiplies v before H does.",
    )
    explanation = r"""
    $\frac{\partial\theta'_i}{\partial\theta_j} = [i = j] - \alpha_i H_{ij}$, so the Jacobian is $I - \text{diag}(\alpha) H$.
    It is not symmetric, so this time the transpose matters: $(I - \text{diag}(\alpha) H)^\top v = v - H(\alpha\circ v)$. That is
    why `mlcourse/meta.py` has `alpha` inside of the product, `hvp(alpha * v)`.
    """
    deviations = (
        Deviation(
            "place",
            "outside",
            "not transposed",
            "This is the Jacobian times v, v − α∘(Hv). The chain rule sums over θ′_i, the rows of the Jacobian: transpose it.",
        ),
        Deviation(
            "place",
            "both sides",
            "alpha on both sides",
            "α stands on both sides of H. Each α_i multiplies one row of the Jacobian, once.",
        ),
        Deviation(
            "place", "left out", "alpha left out", "α is missing. The step is α∘∇L_s(θ), so its derivative has α in it."
        ),
        Deviation(
            "place",
            "mean",
            "one alpha for all",
            "One mean step size stands for all of them. Parameter i moves with its own α_i.",
        ),
        Deviation(
            "first",
            "nothing",
            "identity left out",
            "The identity is missing: θ itself moves too when θ moves, so v stands there without H, too.",
        ),
        Deviation(
            "first",
            "ones",
            "all ones for the identity",
            "`1 - …` subtracts from 1 in every entry of the matrix. The derivative of θ is the identity matrix: np.eye(P).",
        ),
        Deviation(
            "matrix",
            "diagonal",
            "diagonal of the Hessian",
            "Only H's diagonal is used. Moving θ_j changes every entry of the gradient: all of H belongs here.",
        ),
        Deviation(
            "sign",
            1,
            "sign of the Hessian",
            "The product is added. The inner step subtracts, and so does its derivative.",
        ),
        Deviation(
            "sign",
            0,
            "first-order gradient",
            "This is v alone, FOMAML's gradient: it leaves out how the step itself changes with θ.",
        ),
    )

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        root = rng.normal(size=(size, size))
        return {"hessian": root + root.T, "v": rng.normal(size=size), "alpha": rng.uniform(0.05, 0.5, size)}

    def statement(self, given):
        return rf"""
        Let each parameter have a step size of its own: $\theta' = \theta - \alpha\circ\nabla L_s(\theta)$, where $\circ$ is the
        product entry by entry. Write `own_step_sizes(hessian, v, alpha)`: the meta-gradient $\nabla_\theta L_q(\theta')$, shape
        `(P,)`. `hessian` is the array $\nabla^2 L_s(\theta)$, `(P, P)`; `v` is $\nabla L_q(\theta')$, `(P,)`; `alpha` holds
        the P step sizes. Derive it: first the Jacobian $\frac{{\partial\theta'}}{{\partial\theta}}$ entry by entry, then the chain
        rule.

        To try: `p.given("own_step_sizes")`, with P = {given.v.size}.
        """

    @staticmethod
    def solution(hessian, v, alpha):
        return v - hessian @ (alpha * v)

    @staticmethod
    def variant(hessian, v, alpha, place="inside", first="identity", sign=-1, matrix="H"):
        if matrix == "diagonal":
            hessian = np.diag(np.diag(hessian))
        firsts = {"identity": v, "nothing": 0.0, "ones": np.sum(v)}
        products = {
            "inside": hessian @ (alpha * v),
            "outside": alpha * (hessian @ v),
            "both sides": alpha * (hessian @ (alpha * v)),
            "left out": hessian @ v,
            "mean": np.mean(alpha) * (hessian @ v),
        }
        return firsts[first] + sign * products[place]

    def skip(self, settings):
        same = settings.get("matrix") == "diagonal" and settings.get("place") == "outside"
        return same or (settings.get("sign") == 0 and len(settings) > 1)

    def sizes(self, case):
        return {}


class central_difference(DifferenceProblem):
    title = "a derivative without a formula"
    difficulty, minutes = "easy", 8
    tags = ("concept:higher-order-gradients",)
    cases = 4
    forbidden = ((trace, "autograd"),)
    hints = (
        "One entry at a time: move it up by ε, then down by ε, each time from the same θ.",
        "(f(θ + ε eᵢ) − f(θ − ε eᵢ)) / (2ε), with eᵢ all zeros and a 1 at entry i.",
        "ε = 1e-5 is a good choice: the formula's own error is about ε², rounding adds about 1e-16 / ε.",
    )
    explanation = r"""
    $\frac{\partial f}{\partial \theta_i} \approx \frac{f(\theta + \epsilon e_i) - f(\theta - \epsilon e_i)}{2\epsilon}$. The even
    terms of the two Taylor series cancel, so the error falls like $\epsilon^2$; rounding grows like $1/\epsilon$. Between the two,
    $\epsilon$ near $10^{-5}$ leaves about ten digits.
    """

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        a, b = rng.normal(size=size), rng.normal(size=size)

        def f(theta):
            return np.sum(np.sin(a * theta)) + np.exp(0.3 * np.sum(b * theta)) + np.sum(theta**2 * a)

        return {"f": f, "theta": rng.normal(size=size)}

    def statement(self, given):
        return f"""
        Write `central_difference(f, theta)`: the gradient of `f` at `theta`, shape `(P,)`, from values of `f` alone, without
        autograd: this is the check that trusts nobody. `f` takes a vector and gives a number. Step *both ways* from `theta`
        and divide by the distance; six correct digits are enough.

        To try: `p.given("central_difference")`, with P = {given.theta.size}.
        """

    @staticmethod
    def solution(f, theta):
        epsilon = 1e-5
        gradient = np.zeros(theta.size)
        for i in range(theta.size):
            step = np.zeros(theta.size)
            step[i] = epsilon
            gradient[i] = (f(theta + step) - f(theta - step)) / (2 * epsilon)
        return gradient

    @staticmethod
    def variant(f, theta, **settings):
        return [quotient(f, theta, unit, **settings) for unit in np.eye(len(theta))]

    def observe(self, answer, case):
        f, theta = Recorded(case["f"]), case["theta"].copy()
        value, units = plain(answer(f, case["theta"])), np.eye(theta.size)
        # five points each, good for ten digits
        wide, narrow = (np.array(self.variant(case["f"], theta, epsilon=each)) for each in (2e-3, 1e-3))
        return None if value is None else described(f, theta, units, value, (4 * narrow - wide) / 3, enough=1e-5)

    @mistake(
        "nudges not put back",
        "An entry that was moved stays moved while the next one is: each difference is taken at another place. Begin each "
        "from θ itself.",
    )
    def not_put_back(f, theta):
        epsilon, moved, gradient = 1e-5, theta.copy(), np.zeros(theta.size)
        for i in range(theta.size):
            moved[i] += epsilon
            above = f(moved)
            moved[i] -= 2 * epsilon
            gradient[i] = (above - f(moved)) / (2 * epsilon)
        return gradient

    @mistake(
        "all entries at once",
        "ε is added to all entries at once, so all derivatives come mixed into one number. Move one entry at a time.",
    )
    def all_at_once(f, theta):
        return quotient(f, theta, np.ones(theta.size))


class sign_flip_alpha(NumberProblem):
    title = "where FOMAML turns around"
    difficulty, minutes = "medium", 5
    tags = ("concept:fomaml",)
    hints = (
        "Exact over first-order gradient is 1 − α L_s″(θ). When is it zero?",
        "α = 1 / L_s″(θ): compute the second derivative of the support loss at θ, every term of it.",
    )
    explanation = r"""
    The exact gradient is the first-order one times $1 - \alpha L_s''(\theta)$. With $L_s'' = 2r + 6s\theta$ the factor is
    zero at $\alpha = 1 / (2r + 6s\theta)$; beyond it the two point opposite ways.
    """

    def draw(self, rng):
        low, high = np.array([(0.8, 2.0), (0.2, 0.6), (0.5, 2.0), (0.3, 1.5)]).T
        numbers = np.round(rng.uniform(low, high), 2).tolist()
        return dict(zip(("r", "s", "q", "theta"), numbers, strict=True))

    def statement(self, given):
        return rf"""
        $L_s(\theta) = r\,(\theta - 1)^2 + s\,\theta^3$ and $L_q(\theta) = q\,(\theta + 1)^2$, with $r = {given.r}$,
        $s = {given.s}$ and $q = {given.q}$. At $\theta = {given.theta}$, from which step size $\alpha$ on does the
        first-order gradient point the other way than the exact one? (`p.given("sign_flip_alpha")` has the numbers.)
        """

    @staticmethod
    def solution(r, s, q, theta):
        return 1 / (2 * r + 6 * s * theta)

    @mistake(
        "largest stable step",
        "That is 2 / L_s″, where the inner step begins to diverge. The direction flips earlier, where 1 − αL_s″ = 0.",
    )
    def stable(r, s, q, theta):
        return 2 / (2 * r + 6 * s * theta)

    @mistake("the query's curvature", "That is 1 / L_q″. The inner step descends the support loss: use L_s″(θ).")
    def query(r, s, q, theta):
        return 1 / (2 * q)

    @mistake("the slope for the curvature", "That is 1 / L_s′(θ). The factor 1 − αL_s″ has the second derivative.")
    def slope(r, s, q, theta):
        return 1 / (2 * r * (theta - 1) + 3 * s * theta**2)

    @mistake("the cubic term forgotten", "That is 1 / (2r): the cubic term of L_s bends too, by 6sθ.")
    def quadratic_only(r, s, q, theta):
        return 1 / (2 * r)

    @mistake(
        "theta left out of the cubic term", "That is 1 / (2r + 6s). The second derivative of sθ³ is 6sθ: θ is in it."
    )
    def theta_left_out(r, s, q, theta):
        return 1 / (2 * r + 6 * s)

    @mistake("the cubic term's factor", "That is 1 / (2r + 3sθ). The second derivative of sθ³ is 3 · 2 · sθ = 6sθ.")
    def three_for_six(r, s, q, theta):
        return 1 / (2 * r + 3 * s * theta)

    @mistake("the curvature itself", "That is L_s″(θ). The factor 1 − αL_s″ is zero at α = 1 / L_s″.")
    def curvature(r, s, q, theta):
        return 2 * r + 6 * s * theta


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
        look = (
            f"1 − αL_s″ is {1 - alpha * curvature:.3f} and 1 + αL_s″ is {1 + alpha * curvature:.3f}. Which of the slopes, "
            "times one of these or times 1, gives the number returned?"
        )
        traps = {
            "first-order": {"first-order taken for exact": "exact"},
            "outer slope at theta": {"place of the slope": "exact"},
            "uphill": {"factor taken for direction": "exact"},
        }
        return Item(text, kind, traps.get(kind, {}), look)


class hvp(DifferenceProblem):
    title = "a Hessian times a vector, without the Hessian"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:higher-order-gradients",)
    cases = 3
    hints = (
        "How does the gradient change when θ moves a little along v? It takes two calls of `grad`, and no loop.",
        "(∇L(θ + εv) − ∇L(θ − εv)) / (2ε), the central difference of the gradient along v.",
        "`return (grad(theta + epsilon * v) - grad(theta - epsilon * v)) / (2 * epsilon)`",
    )
    explanation = r"""
    $\nabla L(\theta + \epsilon v) \approx \nabla L(\theta) + \epsilon\,Hv$: two gradients give $Hv$, whatever the number of
    parameters. At 20 000 parameters $H$ itself would hold 400 million numbers, 3.2 GB.
    """

    def draw(self, rng):
        size = int(rng.integers(250, 350))
        direction, centre, bend = rng.normal(size=size), rng.normal(size=size), rng.uniform(0.3, 1.0, size)

        def grad(theta):
            return direction * np.dot(direction, theta - centre) / np.sqrt(size) + bend * theta**3

        return {"grad": grad, "theta": rng.normal(size=size), "v": rng.normal(size=size)}

    def statement(self, given):
        return """
        Write `hvp(grad, theta, v)`: the Hessian of a loss at `theta` times `v`, shape `(P,)`, from the gradient
        function `grad(theta)` alone, and without building the Hessian: it has to serve 20 000 parameters. Take the central
        difference, both ways along `v`, or let autograd differentiate `grad`; five correct digits are enough.
        """

    @staticmethod
    def solution(grad, theta, v):
        epsilon = 1e-5
        return (grad(theta + epsilon * v) - grad(theta - epsilon * v)) / (2 * epsilon)

    @staticmethod
    def variant(grad, theta, v, **settings):
        return quotient(grad, theta, v, **settings)

    def observe(self, answer, case):
        # P gradients or P^2 numbers at a few hundred parameters are what would be 20 000 gradients or 3.2 GB
        grad, theta, v = Recorded(case["grad"], most=100), case["theta"].copy(), case["v"].copy()
        try:
            value, peak = peak_of(answer, grad, case["theta"], case["v"])
        except TooManyCallsError:
            return {"builds the Hessian": True}
        if value is None or peak > 4 * theta.size**2:
            return None if value is None else {"builds the Hessian": True}
        right = gradient_of(lambda theta: np.dot(case["grad"](theta), v))(theta)
        return {"builds the Hessian": False} | described(grad, theta, v[None], plain(value), right, enough=1e-5)

    @mistake(
        "builds H",
        "It builds the Hessian, P² numbers (or P gradients) for one product: at 20 000 parameters 3.2 GB. Two "
        "gradients along v are enough.",
    )
    def builds_hessian(grad, theta, v):
        return np.array([quotient(grad, theta, unit) for unit in np.eye(len(theta))]).T @ v

    @mistake(
        "gradient times v",
        "This is the gradient weighted by v. The Hessian says how the gradient changes along v: compare two gradients.",
    )
    def elementwise(grad, theta, v):
        return grad(theta) * v

    @mistake(
        "not along v",
        "θ is not moved along v, but another way. The gradient's change along v itself is Hv: ask at θ + εv and θ − εv.",
    )
    def another_way(grad, theta, v):
        return quotient(grad, theta, np.ones(theta.size)) * v

    @mistake(
        "length of v lost",
        "v was scaled to length 1 and its length not put back: this is Hv divided by the length of v.",
    )
    def unit_length(grad, theta, v):
        return quotient(grad, theta, v / np.linalg.norm(v))
