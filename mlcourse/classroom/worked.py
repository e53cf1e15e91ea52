r"""The three worked examples with your own numbers: example_1, example_2, example_3.

Each derives its result step by step, symbols first and then the numbers, and checks it three ways at every call: by
hand, by autograd and by central differences. A notebook shows LaTeX, a terminal shows text; both come from the same
steps. Read in this order: the examples, the losses they accept, the checks, the rendering.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import autograd.numpy as np
import numpy
from autograd import grad

from mlcourse.checks import DivergenceError, finite, positive
from mlcourse.classroom.derivation import (
    SHOWN,
    Derivation,
    Step,
    check_rows,
    column,
    derivative_symbols,
    equal,
    factor,
    matrix,
    number,
    row,
    vector_check_rows,
)
from mlcourse.classroom.formula import derivative, evaluate, latex, parse, short
from mlcourse.tasks import Data, Episode

MEASURED = 50  # central differences are taken in at most this many coordinates


class DisagreementError(ArithmeticError):
    """By hand, autograd and central differences do not give the same number."""


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class MetaGradientExample(Derivation):
    """What examples 1 and 3 return: numbers in example 1, read-only arrays in example 3.

    theta, alpha        as given
    theta_prime         theta after the inner step
    by_hand             the exact meta-gradient from the formula, (P,) in example 3
    autograd            the same by autograd through the inner step
    central_difference  the same by central differences, in `coordinates` where P is large
    coordinates         which entries those are; None in example 1
    first_order         FOMAML's gradient, grad L_q(theta')
    dropped             by_hand - first_order
    curvature           example 1: L_s''(theta). Example 3: the curvature of L_s along first_order
    """

    theta: Any
    alpha: float
    theta_prime: Any
    by_hand: Any
    autograd: Any
    central_difference: Any
    coordinates: Any
    first_order: Any
    dropped: Any
    curvature: float


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class OneStepExample(Derivation):
    """What example 2 returns.

    theta, slope, x, alpha  as given, x (K,)
    c                       2 alpha mean(x^2), how far the step goes from theta (0) to the slope (1)
    theta_prime             theta after the inner step
    by_hand                 (1 - c) theta + c a
    autograd                theta - alpha times autograd's slope of the loss
    central_difference      theta - alpha times the central difference of the loss
    """

    theta: float
    slope: float
    x: Any
    alpha: float
    c: float
    theta_prime: float
    by_hand: float
    autograd: float
    central_difference: float


def example_1(theta=1.0, alpha=0.1, support_loss="(theta - 2)**2 + sin(theta)", query_loss="(theta - 2.5)**2"):
    """The meta-gradient of one step for scalar theta: dL_q(theta')/dtheta = L_q'(theta') (1 - alpha L_s''(theta)).

    theta                     number, where the inner step starts
    alpha                     number > 0, inner step size
    support_loss, query_loss  a formula in theta such as "(theta - 2)**2 + sin(theta)", which is differentiated in
                              symbols, or a function of theta made of plain arithmetic and autograd.numpy
    -> MetaGradientExample
    Raises ValueError or TypeError for what it cannot use, also where a loss is not differentiable, and
    DisagreementError when the three ways differ. Lesson 4; Finn et al. 2017, section 2.2.
    """
    theta, alpha = _number("theta", theta), positive("alpha", _number("alpha", alpha))
    support, query = _scalar_loss("support_loss", support_loss), _scalar_loss("query_loss", query_loss)

    slope = _at(support, "slope", theta)
    curvature = _at(support, "curvature", theta)
    _require_smooth(support, theta)
    theta_prime = _finite_step(theta, alpha, slope)
    jacobian = 1 - alpha * curvature
    first_order = _at(query, "slope", theta_prime)
    _require_smooth(query, theta_prime)
    by_hand = first_order * jacobian

    def query_after_step(theta, support_slope):
        return query.value(theta - alpha * support_slope(theta))

    autograd_slope = _quiet_grad(support.value)
    straight_through = float(_quiet_grad(lambda theta: query_after_step(theta, autograd_slope))(theta))
    differences = central_difference(lambda theta: query_after_step(theta, support.slope), theta)
    loss_size = abs(query.value(theta_prime)) / max(1, abs(theta))
    _agree(by_hand, straight_through, differences, max(abs(first_order), abs(by_hand), loss_size))

    at, at_prime = number(theta), number(theta_prime)
    steps = (
        Step(
            "Given: the two losses of one task, where the inner step starts, and its size.",
            rf"L_s(\theta) = {support.formulas[0]}, \qquad L_q(\theta) = {query.formulas[0]}",
            rf"\theta = {at}, \qquad \alpha = {number(alpha)}",
        ),
        Step(
            "The slope of the support loss.",
            derivative_symbols("L_s", 1, support.formulas[1]),
            equal(f"L_s'({at})", slope),
        ),
        Step(
            "The inner step goes against that slope.",
            r"\theta' = \theta - \alpha \, L_s'(\theta)",
            rf"\theta' = {at} - {number(alpha)} \cdot {factor(slope)} = {at_prime}",
        ),
        Step(
            "The support loss's curvature says how that slope changes when $\\theta$ moves.",
            derivative_symbols("L_s", 2, support.formulas[2]),
            equal(f"L_s''({at})", curvature),
        ),
        Step(
            r"How far $\theta'$ moves when $\theta$ moves: $\theta$ is in the step twice, by itself and in the slope.",
            r"\frac{d\theta'}{d\theta} = 1 - \alpha \, L_s''(\theta)",
            rf"\frac{{d\theta'}}{{d\theta}} = 1 - {number(alpha)} \cdot {factor(curvature)} = {number(jacobian)}",
        ),
        Step(
            r"The slope of the query loss, taken where the step landed, at $\theta'$.",
            derivative_symbols("L_q", 1, query.formulas[1]),
            equal(f"L_q'({at_prime})", first_order),
        ),
        Step(
            "The chain rule multiplies the two: this is the exact meta-gradient.",
            r"\frac{dL_q(\theta')}{d\theta} = L_q'(\theta') \, (1 - \alpha \, L_s''(\theta))",
            rf"\frac{{dL_q(\theta')}}{{d\theta}} = {factor(first_order)} \cdot {factor(jacobian)} = {number(by_hand)}",
        ),
        Step(
            r"FOMAML takes $\frac{d\theta'}{d\theta}$ to be 1 and keeps the first factor only.",
            r"\frac{dL_q(\theta')}{d\theta} \approx L_q'(\theta')",
            rf"\frac{{dL_q(\theta')}}{{d\theta}} \approx {number(first_order)}",
        ),
    )
    return MetaGradientExample(
        title=r"Worked example 1: the meta-gradient of one step, scalar $\theta$",
        steps=steps,
        checks=check_rows(r"dL_q(\theta')/d\theta", by_hand, straight_through, differences),
        notes=_first_order_notes(alpha, curvature, r"L_s''(\theta)", first_order, by_hand),
        theta=theta,
        alpha=alpha,
        theta_prime=theta_prime,
        by_hand=by_hand,
        autograd=straight_through,
        central_difference=differences,
        coordinates=None,
        first_order=first_order,
        dropped=by_hand - first_order,
        curvature=curvature,
    )


def example_2(theta=0.5, slope=2.0, x=(-1.0, 0.5, 2.0), alpha=0.1):
    """One inner step on the task y = a x with model theta x: theta' = (1 - c) theta + c a, c = 2 alpha mean(x^2).

    theta  number, where the step starts
    slope  number, the task's a
    x      (K,) or (K, 1), inputs of the support set, K >= 1
    alpha  number > 0, inner step size
    -> OneStepExample. c outside (0, 1) is computed and explained, not refused.
    Raises ValueError for what it cannot use, DisagreementError when the three ways differ. Lesson 5.
    """
    theta, slope = _number("theta", theta), _number("slope", slope)
    alpha = positive("alpha", _number("alpha", alpha))
    x = _inputs(x)
    with numpy.errstate(over="ignore"):
        mean_square = float(numpy.mean(x**2))
    gradient = 2 * (theta - slope) * mean_square
    c = 2 * alpha * mean_square
    theta_prime = _finite_step(theta, alpha, gradient)
    by_hand = (1 - c) * theta + c * slope

    def support_loss(theta):
        return np.mean((theta * x - slope * x) ** 2)

    straight_through = theta - alpha * float(_quiet_grad(support_loss)(theta))
    differences = theta - alpha * central_difference(support_loss, theta)
    _agree(by_hand, straight_through, differences, abs(theta) + c * (abs(slope) + abs(theta)))

    steps = (
        Step(
            r"Given: the task's slope $a$, its support inputs $x_i$, where the step starts, and its size.",
            r"y_i = a \, x_i, \qquad f_\theta(x) = \theta x",
            rf"a = {number(slope)}, \qquad x = {row(x)}, \qquad \theta = {number(theta)}, \qquad "
            rf"\alpha = {number(alpha)}",
        ),
        Step(
            f"The support loss is the mean squared error over the {len(x)} input{'s' * (len(x) > 1)}.",
            r"L_s(\theta) = \text{mean}\left( (\theta x_i - y_i)^2 \right)",
        ),
        Step(
            r"Every error is proportional to its input, so the distance to the slope comes out of the mean.",
            r"L_s(\theta) = (\theta - a)^2 \, \text{mean}(x_i^2)",
            rf"L_s({number(theta)}) = ({number(theta)} - {factor(slope)})^2 \cdot {number(mean_square)}"
            rf" = {number((theta - slope) ** 2 * mean_square)}",
        ),
        Step(
            r"Its slope in $\theta$.",
            r"L_s'(\theta) = 2 \, (\theta - a) \, \text{mean}(x_i^2)",
            rf"L_s'({number(theta)}) = 2 \cdot ({number(theta)} - {factor(slope)}) \cdot {number(mean_square)}"
            rf" = {number(gradient)}",
        ),
        Step(
            "One inner step.",
            r"\theta' = \theta - \alpha \cdot 2 \, (\theta - a) \, \text{mean}(x_i^2)",
            rf"\theta' = {number(theta)} - {number(alpha)} \cdot {factor(gradient)} = {number(theta_prime)}",
        ),
        Step(
            r"All that multiplies $(\theta - a)$ is one number, $c$.",
            r"\theta' = \theta - c \, (\theta - a), \qquad c = 2 \, \alpha \, \text{mean}(x_i^2)",
            rf"c = 2 \cdot {number(alpha)} \cdot {number(mean_square)} = {number(c)}",
        ),
        Step(
            r"Sort by $\theta$ and $a$.",
            r"\theta' = (1 - c) \, \theta + c \, a",
            rf"\theta' = {factor(1 - c)} \cdot {factor(theta)} + {number(c)} \cdot {factor(slope)} = {number(by_hand)}",
        ),
    )
    return OneStepExample(
        title=r"Worked example 2: one step on a linear task, $\theta' = (1 - c) \, \theta + c \, a$",
        steps=steps,
        checks=check_rows(r"\theta'", by_hand, straight_through, differences),
        notes=_contraction_notes(theta, slope, c, mean_square),
        theta=theta,
        slope=slope,
        x=_read_only(x),
        alpha=alpha,
        c=c,
        theta_prime=theta_prime,
        by_hand=by_hand,
        autograd=straight_through,
        central_difference=differences,
    )


SUPPORT = ([[2.0, 1.0], [1.0, 3.0]], [1.0, 0.0])
QUERY = ([[3.0, 1.0], [1.0, 2.0]], [1.0, 1.0])


def example_3(theta=None, alpha=0.2, support=None, query=None, *, objective=None, episode=None):
    """Full MAML against FOMAML for one inner step: what does leaving (I - alpha H_s) out cost?

    theta           (P,) where the inner step starts
    alpha           number > 0, inner step size
    support, query  pairs (A, b), A (P, P) symmetric and b (P,), for the loss 1/2 theta^T A theta - b^T theta
    objective       instead of the pairs: anything with value, grad and hvp, its value differentiable by autograd;
    episode         then also one task's Episode, without a leading task axis, and theta
    -> MetaGradientExample
    With no arguments at all, a pair of small quadratics. Raises ValueError or TypeError for what it cannot use,
    DivergenceError when theta' is not finite, and DisagreementError when the three ways differ.
    Lesson 4; Finn et al. 2017, sections 2.2 and 5.2.
    """
    alpha = positive("alpha", _number("alpha", alpha))
    if objective is None:
        theta, episode = _quadratic_task(theta, support, query, episode)
        objective, given = Quadratic(), _given_quadratics(theta, alpha, episode)
    else:
        theta, episode = _objective_task(objective, theta, support, query, episode)
        given = _given_objective(theta, alpha)
    support, query = episode.support, episode.query

    gradient = objective.grad(theta, support)
    theta_prime = _finite_step(theta, alpha, gradient)
    first_order = finite("the query loss's gradient at theta'", objective.grad(theta_prime, query))
    dropped = -alpha * objective.hvp(theta, support, first_order)
    by_hand = first_order + dropped

    def query_after_step(theta, step_gradient):
        return objective.value(theta - alpha * step_gradient(theta), query)

    autograd_gradient = _quiet_grad(lambda theta: objective.value(theta, support))
    straight_through = _straight_through(lambda theta: query_after_step(theta, autograd_gradient), theta)
    coordinates = numpy.unique(numpy.linspace(0, len(theta) - 1, min(len(theta), MEASURED)).astype(int))
    differences = numpy.array(
        [
            central_difference(
                lambda shift, i=i: query_after_step(
                    theta + shift * numpy.eye(1, len(theta), i)[0], lambda theta: objective.grad(theta, support)
                ),
                0.0,
            )
            for i in coordinates
        ]
    )
    size = max(numpy.linalg.norm(first_order), numpy.linalg.norm(by_hand), abs(objective.value(theta_prime, query)))
    _agree(by_hand, straight_through, differences, size, coordinates)

    squared = float(first_order @ first_order)
    curvature = float(-dropped @ first_order / (alpha * squared)) if squared else 0.0
    steps = (
        *given,
        Step(
            "The gradient of the support loss.",
            _gradient_symbols("s", objective, r"\theta"),
            rf"\nabla L_s(\theta) = {column(gradient)}",
        ),
        Step(
            "The inner step goes against it.",
            r"\theta' = \theta - \alpha \, \nabla L_s(\theta)",
            rf"\theta' = {column(theta)} - {number(alpha)} \, {column(gradient)} = {column(theta_prime)}",
        ),
        _jacobian_step(objective, theta, support, alpha),
        Step(
            r"The gradient of the query loss, taken where the step landed, at $\theta'$.",
            _gradient_symbols("q", objective, r"\theta'"),
            rf"\nabla L_q(\theta') = {column(first_order)}",
        ),
        Step(
            "Full MAML: the chain rule puts the transposed Jacobian in front. $H_s$ is symmetric, so the transpose "
            "changes nothing.",
            r"\nabla_\theta L_q(\theta') = (I - \alpha H_s)^\top \nabla L_q(\theta')"
            r" = \nabla L_q(\theta') - \alpha H_s \nabla L_q(\theta')",
            rf"\nabla_\theta L_q(\theta') = {column(first_order)} + {column(dropped)} = {column(by_hand)}",
        ),
        Step(
            r"FOMAML puts $I$ in the Jacobian's place, as if $\theta'$ moved exactly as $\theta$ does.",
            r"\nabla_\theta L_q(\theta') \approx \nabla L_q(\theta')",
            rf"\nabla_\theta L_q(\theta') \approx {column(first_order)}",
        ),
        Step(
            "What it drops is the difference.",
            r"\nabla_\theta L_q(\theta') - \nabla L_q(\theta') = -\alpha H_s \nabla L_q(\theta')",
            rf"\nabla_\theta L_q(\theta') - \nabla L_q(\theta') = {column(dropped)}",
        ),
    )
    return MetaGradientExample(
        title="Worked example 3: full MAML and FOMAML, what is dropped",
        steps=steps,
        checks=vector_check_rows(by_hand, straight_through, differences, coordinates),
        notes=_first_order_notes(alpha, curvature, "h", first_order, by_hand),
        theta=_read_only(theta),
        alpha=alpha,
        theta_prime=_read_only(theta_prime),
        by_hand=_read_only(by_hand),
        autograd=_read_only(straight_through),
        central_difference=_read_only(differences),
        coordinates=_read_only(coordinates),
        first_order=_read_only(first_order),
        dropped=_read_only(dropped),
        curvature=curvature,
    )


class Quadratic:
    """The objective 1/2 theta^T A theta - b^T theta: gradient A theta - b, Hessian A. Its data is the pair (A, b)."""

    def value(self, theta, data):
        A, b = data
        return 0.5 * theta @ A @ theta - b @ theta

    def grad(self, theta, data):
        A, b = data
        return A @ theta - b

    def hvp(self, theta, data, v):
        return data[0] @ v


def _quadratic_task(theta, support, query, episode):
    """theta (P,) and an Episode whose support and query are pairs (A, b), or an error."""
    if episode is not None:
        raise ValueError("episode needs its objective: example_3(theta=…, objective=…, episode=…)")
    if (support is None) != (query is None):
        missing = "query" if query is None else "support"
        raise ValueError(f"{missing} must be given too: the pair (A, b) of the same task's {missing} loss")
    support, query = (SUPPORT, QUERY) if support is None else (support, query)
    support = _pair("support", support)
    size = len(support.y)
    query = _pair("query", query, size)
    theta = numpy.linspace(1, -1, size) if theta is None else _vector("theta", theta)
    if len(theta) != size:
        raise ValueError(f"theta must have {size} entries, one a row of A, got {len(theta)}")
    return theta, Episode(support, query, {})


def _pair(name, pair, size=None):
    """Data (A, b), A symmetric, or an error."""
    try:
        A, b = pair
        A, b = numpy.array(A, dtype=float), numpy.array(b, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a pair (A, b), such as ([[2, 1], [1, 3]], [1, 0]), for the loss "
            f"1/2 theta^T A theta - b^T theta, got {short(pair)}"
        ) from None
    expected = size or (len(b) if b.ndim == 1 else 0)
    if b.shape != (expected,) or A.shape != (expected, expected) or not expected:
        raise ValueError(
            f"{name} must be a pair (A, b) with A of shape (P, P) and b of shape (P,)"
            + (f", P = {size} as in support" if size else "")
            + f", got shapes {A.shape} and {b.shape}"
        )
    finite(f"A of {name}", A), finite(f"b of {name}", b)
    if not numpy.allclose(A, A.T, rtol=1e-12, atol=0):
        i, j = numpy.unravel_index(numpy.argmax(abs(A - A.T)), A.shape)
        raise ValueError(
            f"A of {name} must be symmetric, got A[{i}][{j}] = {A[i, j]:g} and A[{j}][{i}] = {A[j, i]:g}. A Hessian is "
            "symmetric, which is why its transpose drops out of the meta-gradient; theta^T A theta sees only the "
            "symmetric part of A anyway: (A + A.T) / 2 gives the same loss"
        )
    return Data(A, b)


def _objective_task(objective, theta, support, query, episode):
    """theta (P,) and the one-task episode that the objective takes, or an error."""
    missing = [name for name in ("value", "grad", "hvp") if not callable(getattr(objective, name, None))]
    if missing:
        raise TypeError(f"objective must have value, grad and hvp, got {type(objective).__name__} without {missing[0]}")
    if support is not None or query is not None:
        raise ValueError("support and query are for quadratics: with an objective give episode=… instead")
    if theta is None or episode is None:
        missing = "theta" if theta is None else "episode"
        raise ValueError(
            f"{missing} must be given with an objective: theta from model.init(rng), "
            "episode from distribution.sample(rng, tasks=(), shots=…, queries=…)"
        )
    theta = _vector("theta", theta)
    shape = numpy.shape(objective.value(theta, episode.support))
    if shape:
        raise ValueError(
            f"episode must hold one task without a leading axis, got {shape[0]} of them: sample it with tasks=(), or "
            "take one out, Data(x[0], y[0]) for support and query"
        )
    return theta, episode


def _given_quadratics(theta, alpha, episode):
    """The steps that state the two quadratic losses."""
    (A_s, b_s), (A_q, b_q) = episode.support, episode.query
    return (
        Step(
            "Given: a quadratic support loss.",
            r"L_s(\theta) = \tfrac12 \, \theta^\top A_s \, \theta - b_s^\top \theta",
            rf"A_s = {matrix(A_s)}, \qquad b_s = {column(b_s)}",
        ),
        Step(
            "A query loss of the same kind, from other examples of the same task.",
            r"L_q(\theta) = \tfrac12 \, \theta^\top A_q \, \theta - b_q^\top \theta",
            rf"A_q = {matrix(A_q)}, \qquad b_q = {column(b_q)}",
        ),
        _start(theta, alpha),
    )


def _given_objective(theta, alpha):
    """The steps that state an objective's losses, which have no short formula."""
    return (
        Step(
            "Given: the loss $L$ of a model, on the support set and on the query set of one task.",
            r"L_s(\theta) = L(\theta; D_s), \qquad L_q(\theta) = L(\theta; D_q)",
        ),
        _start(theta, alpha),
    )


def _start(theta, alpha):
    size = len(theta)
    return Step(
        "Where the inner step starts, and its size.",
        rf"\theta \in \mathbb{{R}}^{{{size}}}, \qquad \alpha > 0",
        rf"\theta = {column(theta)}, \qquad \alpha = {number(alpha)}",
    )


def _gradient_symbols(which, objective, at):
    left = rf"\nabla L_{which}({at})"
    return rf"{left} = A_{which} {at} - b_{which}" if isinstance(objective, Quadratic) else left


def _jacobian_step(objective, theta, support, alpha):
    """The Jacobian of the inner step; its numbers only where it is small enough to be looked at."""
    words = (
        r"How $\theta'$ moves when $\theta$ moves: a matrix, with the Hessian $H_s = \nabla^2 L_s(\theta)$ in it"
        + (", here $A_s$." if isinstance(objective, Quadratic) else ".")
    )
    symbols = r"\frac{\partial\theta'}{\partial\theta} = I - \alpha H_s"
    size = len(theta)
    if size > SHOWN:
        words += (
            f" It would have {size} times {size} entries and is never built: "
            "one product of $H_s$ with a vector is all that is needed."
        )
        return Step(words, symbols)
    identity = numpy.eye(size)
    hessian = numpy.stack([objective.hvp(theta, support, unit) for unit in identity], axis=-1)
    return Step(
        words,
        symbols,
        rf"\frac{{\partial\theta'}}{{\partial\theta}} = I - {number(alpha)} \, {matrix(hessian)}"
        rf" = {matrix(identity - alpha * hessian)}",
    )


def _first_order_notes(alpha, curvature, symbol, first_order, exact):
    """What FOMAML drops, its size, and whether it still points the right way.

    curvature  of L_s along first_order, h = v^T H_s v / v^T v, so that v . exact = |v|^2 (1 - alpha h)
    """
    first_order, exact = numpy.atleast_1d(first_order), numpy.atleast_1d(exact)
    scalar = first_order.size == 1
    size, exact_size = math.hypot(*first_order), math.hypot(*exact)  # norms that do not overflow
    dropped = math.hypot(*(exact - first_order))
    if size == 0:
        return (r"The query loss is flat at $\theta'$, so both gradients are zero: nothing is left to improve nearby.",)
    term = r"$-\alpha \, L_s''(\theta) \, L_q'(\theta')$" if symbol != "h" else r"$-\alpha H_s \nabla L_q(\theta')$"
    if dropped == 0:
        return (f"FOMAML drops {term}, which is 0 here: with no curvature in the support loss FOMAML equals MAML.",)
    vanishes = exact_size <= 1e-12 * size
    share = "" if vanishes else f", {number(100 * dropped / exact_size, 3)} % of the exact gradient"
    notes = [f"FOMAML drops {term}, of size {number(dropped)}{share}."]
    if symbol == "h":
        notes.append(
            r"$h$ is the curvature of $L_s$ along FOMAML's direction $v = \nabla L_q(\theta')$: "
            rf"$h = v^\top H_s v / v^\top v = {number(curvature)}$, so $\alpha h = {number(alpha * curvature)}$."
        )
    direction = _scalar_direction if scalar else _vector_direction
    return (*notes, VANISHES.format(symbol) if vanishes else direction(alpha, curvature, symbol, first_order, exact))


VANISHES = (
    r"$\alpha {} = 1$: to first order $\theta'$ does not follow $\theta$ in this direction, so the meta-gradient "
    "vanishes. FOMAML does not see this and still moves."
)


def _scalar_direction(alpha, curvature, symbol, first_order, exact):
    """Whether FOMAML points the right way in one dimension, and how far off its length is."""
    product, limit = rf"$\alpha {symbol} = {number(alpha * curvature)}$", rf"$\alpha = 1 / {symbol}"
    if curvature < 0:
        return (
            "The curvature is negative, so the step spreads starting points apart: FOMAML points the right way and is "
            f"too short, by the factor {number(1 - alpha * curvature)}."
        )
    if alpha * curvature > 1:
        return (
            f"{product} is greater than 1: FOMAML points the wrong way, and a step against it makes the loss after "
            f"adaptation rise. So it is beyond {limit} = {number(1 / curvature)}$."
        )
    return (
        f"{product} is less than 1: FOMAML points the right way and is too long, {number(1 / (1 - alpha * curvature))} "
        f"times the exact gradient. Beyond {limit} = {number(1 / curvature)}$ it would point the wrong way."
    )


def _vector_direction(alpha, curvature, symbol, first_order, exact):
    """Whether FOMAML points the right way in several dimensions, and the angle between the two."""
    apart = f"{_angle(first_order, exact)} degrees from the exact gradient"
    if alpha * curvature > 1:
        return (
            rf"$\alpha {symbol}$ is greater than 1: FOMAML points the wrong way, {apart}, and a small step against it "
            "makes the loss after adaptation rise."
        )
    return (
        rf"$\alpha {symbol}$ is less than 1: FOMAML is {apart}, and a small step against it still lowers the loss "
        "after adaptation."
    )


def _angle(u, v):
    cosine = u @ v / (numpy.linalg.norm(u) * numpy.linalg.norm(v))
    return number(numpy.degrees(numpy.arccos(numpy.clip(cosine, -1, 1))), 3)


def _contraction_notes(theta, slope, c, mean_square):
    """Where one step lands between theta and a, or why it lands outside."""
    if mean_square == 0:
        return ("Every input is 0, so the support loss is flat and says nothing about $a$: $c = 0$, no step is taken.",)
    left = number(abs(1 - c))
    exact, stable = number(1 / (2 * mean_square)), number(1 / mean_square)
    ways_out = rf"$c = 1$ at $\alpha = {exact}$, $c = 2$ at $\alpha = {stable}$."
    if theta == slope:
        place = r"$\theta$ is the task's slope already: the gradient is 0 and the step does not move, whatever $c$ is."
    elif numpy.isclose(c, 1, rtol=1e-12):
        place = r"$c = 1$: the step lands on $a$ exactly."
    elif c < 1:
        place = (
            rf"$0 < c < 1$: $\theta'$ lies between $\theta$ and $a$, a convex combination of the two. The distance to "
            rf"$a$ shrinks to {left} of what it was."
        )
    elif numpy.isclose(c, 2, rtol=1e-12):
        place = (
            r"$c = 2$: no convex combination any more. The step jumps over $a$ and lands as far away on the other "
            "side; more steps go to and fro for ever."
        )
    elif c < 2:
        place = (
            rf"$1 < c < 2$: no convex combination any more. The step jumps over $a$ and overshoots, to {left} of the "
            "distance on the other side; more steps still come closer, from alternating sides."
        )
    else:
        place = (
            rf"$c > 2$: no convex combination any more. The step jumps over $a$ and lands {left} times as far away on "
            r"the other side; every further step moves farther away. Take a smaller $\alpha$."
        )
    link = rf"As in example 1, $d\theta'/d\theta = 1 - c = {number(1 - c)}$: " + (
        "the meta-gradient shrinks by this factor." if 0 < c < 1 else "this factor multiplies the meta-gradient."
    )
    return (place, ways_out, link)


# What the examples accept.


class ScalarLoss(NamedTuple):
    """A loss of scalar theta: functions for its value, slope and curvature, and LaTeX for the three where known."""

    name: str
    value: Any
    slope: Any
    curvature: Any
    formulas: tuple


def _scalar_loss(name, loss):
    """The ScalarLoss of a formula or a function, or an error."""
    if isinstance(loss, str):
        formula = parse(name, loss)
        slope = derivative(formula)
        formulas = (formula, slope, derivative(slope))
        functions = (lambda theta, formula=formula: evaluate(formula, theta) for formula in formulas)
        return ScalarLoss(name, *functions, tuple(map(_short_latex, formulas)))
    if not callable(loss):
        raise TypeError(
            f'{name} must be a formula in theta such as "(theta - 2)**2", or a function of theta, got {short(loss)}'
        )
    symbol = r"\text{" + getattr(loss, "__name__", "function").replace("<lambda>", "your function").replace("_", " ")

    def value(theta):
        return np.multiply(1.0, loss(theta))  # a loss that returns a whole number is fine, too

    slope = _quiet_grad(value)
    return ScalarLoss(name, value, slope, _quiet_grad(slope), (symbol + r"}(\theta)", None, None))


def _short_latex(formula):
    """The formula in LaTeX, or dots where it would fill several lines."""
    words = latex(formula)
    return words if len(words) <= 200 else r"\dots"


def _at(loss, what, theta):
    """The loss's value, slope or curvature at theta as a finite float, or an error that says why there is none."""
    try:
        with numpy.errstate(all="ignore"):
            value = loss.value(numpy.float64(theta))
    except Exception as error:
        raise ValueError(f"{loss.name} fails at theta = {theta:.5g}: {type(error).__name__}: {error}") from error
    if numpy.shape(value) != () or not numpy.isreal(value):
        raise ValueError(f"{loss.name} must return one number, got shape {numpy.shape(value)} at theta = {theta:.5g}")
    if not numpy.isfinite(value):
        raise ValueError(
            f"{loss.name} is {float(value)} at theta = {theta:.5g}: choose a theta or an alpha that stay where it is "
            "defined"
        )
    try:
        with numpy.errstate(all="ignore"):
            result = float(getattr(loss, what)(numpy.float64(theta)))
    except ZeroDivisionError:
        result = numpy.nan
    except (TypeError, AttributeError, ValueError, NotImplementedError) as error:
        raise TypeError(
            f"autograd cannot differentiate {loss.name}: write it with plain arithmetic and `import autograd.numpy as "
            f"np`, without math, float() or numpy's own functions (autograd says: {error})"
        ) from error
    if not numpy.isfinite(result):
        raise ValueError(_not_smooth(loss.name, theta, f"its {what} there is {result}"))
    return result


def _require_smooth(loss, theta):
    """An error when the loss, or its slope, has a corner or a jump at theta."""
    for what, function in (("value", loss.value), ("slope", loss.slope)):
        if _has_corner(function, theta):
            raise ValueError(_not_smooth(loss.name, theta, f"its {what} has a corner or a jump, or ends there"))


def _not_smooth(name, theta, why):
    times = "twice differentiable" if name == "support_loss" else "differentiable"
    return (
        f"{name} is not {times} at theta = {theta:.5g}: {why}. The meta-gradient does not exist at such a point: "
        "choose another theta or alpha, or a smooth loss"
    )


def _has_corner(f, x):
    """Whether the slopes to the left and to the right of x stay apart as the two come closer.

    For a smooth f their gap is proportional to the distance and shrinks by ten here.
    """
    gaps, sizes = [], []
    for epsilon in (1e-6 * max(1, abs(x)), 1e-7 * max(1, abs(x))):
        with numpy.errstate(all="ignore"):
            left, middle, right = (float(f(numpy.float64(x + shift))) for shift in (-epsilon, 0, epsilon))
        gaps.append(abs(right - 2 * middle + left) / epsilon)
        sizes.append(max(abs(right - left) / epsilon, abs(middle)))
    if not numpy.all(numpy.isfinite(gaps)):
        return True
    return gaps[1] > 0.5 * gaps[0] and gaps[1] > 1e-6 * max(sizes) + 1e-8  # beyond rounding


def _number(name, value):
    """The finite number `value` as a float, or an error."""
    try:
        result = float(value) if numpy.ndim(value) == 0 else numpy.nan
    except (TypeError, ValueError):
        result = numpy.nan
    if not numpy.isfinite(result):
        raise ValueError(f"{name} must be a finite number, got {short(value)}")
    return result


def _vector(name, value):
    """`value` as floats (P,), or an error."""
    try:
        vector = numpy.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a list of numbers, got {short(value)}") from None
    if vector.ndim != 1 or not vector.size:
        raise ValueError(f"{name} must be one vector (P,) of at least 1 number, got shape {vector.shape}")
    return finite(name, vector)


def _inputs(x):
    """The support inputs (K,) from (K,) or (K, 1), or an error."""
    shape = numpy.shape(x)
    x = _vector("x", numpy.reshape(x, -1) if len(shape) == 2 and shape[1] == 1 else x)
    return x


def _finite_step(theta, alpha, gradient):
    """theta - alpha * gradient, or a DivergenceError."""
    with numpy.errstate(over="ignore", invalid="ignore"):
        theta_prime = theta - alpha * gradient
    if not numpy.all(numpy.isfinite(theta_prime)):
        raise DivergenceError(1, (), alpha)
    return theta_prime


def _read_only(array):
    array = numpy.array(array)
    array.setflags(write=False)
    return array


# How the three ways are computed and compared.


def _quiet_grad(f):
    """autograd's derivative of f, without its warning where f does not depend on its argument and the slope is 0."""

    def derivative(theta):
        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            return grad(f)(theta)

    return derivative


def central_difference(f, x):
    """The slope of f at x, (f(x + e) - f(x - e)) / 2e, at the e that is neither too large nor too small.

    A large e leaves the curve's own bend in the slope: how much, the change to the next smaller e tells. A small e
    leaves the rounding of f in it, about 1e-16 |f| / e.
    """
    epsilons = max(1.0, abs(x)) * 10.0 ** -numpy.arange(3, 10)
    with numpy.errstate(all="ignore"):
        right, left = numpy.array([(f(x + e), f(x - e)) for e in epsilons], dtype=float).T
        slopes = (right - left) / (2 * epsilons)
        errors = abs(numpy.diff(slopes)) + 1e-16 * abs(right[1:]) / epsilons[1:]
    return float(slopes[1 + numpy.argmin(numpy.where(numpy.isfinite(errors), errors, numpy.inf))])


def _straight_through(f, theta):
    """autograd through the whole inner step, or an error that says what it needs."""
    try:
        return _quiet_grad(f)(theta)
    except (TypeError, AttributeError, ValueError) as error:
        raise TypeError(
            "autograd cannot differentiate objective.value in theta: write it with `import autograd.numpy as np` "
            f"(autograd says: {error})"
        ) from error


def _agree(by_hand, straight_through, differences, size, coordinates=slice(None)):
    """An error unless the three ways agree, up to rounding of numbers as large as `size`."""
    by_hand = numpy.atleast_1d(by_hand)
    ways = {
        "autograd": (by_hand, straight_through, 1e-8),
        "central differences": (by_hand[coordinates], differences, 1e-5),
    }
    for way, (ours, theirs, tolerance) in ways.items():
        gap = float(numpy.max(abs(ours - theirs)))
        if not gap <= tolerance * size + 1e-10:
            raise DisagreementError(
                f"by hand and {way} differ by {gap:.3g}, more than rounding explains: a loss that is not smooth near "
                "theta or theta' (abs, relu, a condition on theta) or too steep there for its digits, noise in it, or "
                "a grad or hvp that does not belong to its value. Try another theta or alpha; if it stays, check the "
                "loss's derivatives"
            )
