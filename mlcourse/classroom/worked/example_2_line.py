"""Worked example 2: one inner step on the task y = a x, where theta is the slope of the model."""

from dataclasses import dataclass
from typing import Any

import autograd.numpy as np
import numpy

from mlcourse.checks import positive
from mlcourse.classroom.worked.derivation import Derivation, Step, check_rows, factor, number, row
from mlcourse.classroom.worked.given import finite_number, finite_step, finite_vector, read_only
from mlcourse.classroom.worked.three_ways import central_difference, quiet_grad, require_agreement


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


def example_2(theta=1.0, slope=4.0, x=(-1.0, 0.5, 2.0), alpha=0.1):
    """One inner step on the task y = a x with model theta x: theta' = (1 - c) theta + c a, c = 2 alpha mean(x^2).

    theta  number, where the step starts
    slope  number, the task's a
    x      (K,) or (K, 1), inputs of the support set, K >= 1
    alpha  number > 0, inner step size
    -> OneStepExample. c outside (0, 1) is computed and explained, not refused.
    Raises ValueError for what it cannot use, DisagreementError when the three ways differ. Lesson 5.
    """
    theta, slope = finite_number("theta", theta), finite_number("slope", slope)
    alpha = positive("alpha", finite_number("alpha", alpha))
    x = _inputs(x)
    with numpy.errstate(over="ignore"):
        mean_square = float(numpy.mean(x**2))
    gradient = 2 * (theta - slope) * mean_square
    c = 2 * alpha * mean_square
    theta_prime = finite_step(theta, alpha, gradient)
    by_hand = (1 - c) * theta + c * slope

    def support_loss(theta):
        return np.mean((theta * x - slope * x) ** 2)

    straight_through = theta - alpha * float(quiet_grad(support_loss)(theta))
    differences = theta - alpha * central_difference(support_loss, theta)
    require_agreement(by_hand, straight_through, differences, abs(theta) + c * (abs(slope) + abs(theta)))

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
        x=read_only(x),
        alpha=alpha,
        c=c,
        theta_prime=theta_prime,
        by_hand=by_hand,
        autograd=straight_through,
        central_difference=differences,
    )


def _inputs(x):
    """The support inputs (K,) from (K,) or (K, 1), or an error."""
    shape = numpy.shape(x)
    return finite_vector("x", numpy.reshape(x, -1) if len(shape) == 2 and shape[1] == 1 else x)


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
            rf"$a$ shrinks to ${left}$ of what it was."
        )
    elif numpy.isclose(c, 2, rtol=1e-12):
        place = (
            r"$c = 2$: no convex combination any more. The step jumps over $a$ and lands as far away on the other "
            "side; more steps go to and fro for ever."
        )
    elif c < 2:
        place = (
            rf"$1 < c < 2$: no convex combination any more. The step jumps over $a$ and overshoots, to ${left}$ of the "
            "distance on the other side; more steps still come closer, from alternating sides."
        )
    else:
        place = (
            rf"$c > 2$: no convex combination any more. The step jumps over $a$ and lands ${left}$ times as far away "
            r"on the other side; every further step moves farther away. Take a smaller $\alpha$."
        )
    link = rf"As in example 1, $d\theta'/d\theta = 1 - c = {number(1 - c)}$: " + (
        "the meta-gradient shrinks by this factor." if 0 < c < 1 else "this factor multiplies the meta-gradient."
    )
    return (place, ways_out, link)
