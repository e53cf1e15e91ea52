"""Worked example 3: full MAML against FOMAML for one inner step, where theta is a vector."""

import numpy

from mlcourse.checks import finite, positive
from mlcourse.classroom.worked.derivation import SHOWN, Step, column, matrix, number, vector_check_rows
from mlcourse.classroom.worked.given import finite_number, finite_step, finite_vector, read_only
from mlcourse.classroom.worked.meta_gradient import MetaGradientExample, vector_notes
from mlcourse.classroom.worked.quadratics import Quadratic, quadratic_task
from mlcourse.classroom.worked.three_ways import (
    autograd_through,
    central_differences,
    quiet_grad,
    require_agreement,
)


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
    alpha = positive("alpha", finite_number("alpha", alpha))
    if objective is None:
        theta, episode = quadratic_task(theta, support, query, episode)
        objective, given = Quadratic(), _given_quadratics(theta, alpha, episode)
    else:
        theta, episode = _objective_task(objective, theta, support, query, episode)
        given = _given_objective(theta, alpha)
    support, query = episode.support, episode.query

    gradient = objective.grad(theta, support)
    theta_prime = finite_step(theta, alpha, gradient)
    first_order = finite("the query loss's gradient at theta'", objective.grad(theta_prime, query))
    dropped = -alpha * objective.hvp(theta, support, first_order)
    by_hand = first_order + dropped

    def query_after_step(theta, step_gradient):
        return objective.value(theta - alpha * step_gradient(theta), query)

    autograd_gradient = quiet_grad(lambda theta: objective.value(theta, support))
    straight_through = autograd_through(lambda theta: query_after_step(theta, autograd_gradient), theta)
    coordinates, differences = central_differences(
        lambda theta: query_after_step(theta, lambda theta: objective.grad(theta, support)), theta
    )
    size = max(numpy.linalg.norm(first_order), numpy.linalg.norm(by_hand), abs(objective.value(theta_prime, query)))
    require_agreement(by_hand, straight_through, differences, size, coordinates)

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
        notes=vector_notes(alpha, curvature, first_order, dropped, by_hand),
        theta=read_only(theta),
        alpha=alpha,
        theta_prime=read_only(theta_prime),
        by_hand=read_only(by_hand),
        autograd=read_only(straight_through),
        central_difference=read_only(differences),
        coordinates=read_only(coordinates),
        first_order=read_only(first_order),
        dropped=read_only(dropped),
        curvature=curvature,
    )


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
    theta = finite_vector("theta", theta)
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
