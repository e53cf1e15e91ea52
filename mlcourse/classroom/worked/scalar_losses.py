"""The losses of example 1: a formula in theta, or a function of it, smooth where it is asked about."""

from typing import Any, NamedTuple

import autograd.numpy as np
import numpy

from mlcourse.classroom.worked.formula import derivative, evaluate, latex, parse
from mlcourse.classroom.worked.given import short
from mlcourse.classroom.worked.three_ways import quiet_grad


class ScalarLoss(NamedTuple):
    """A loss of scalar theta: functions for its value, slope and curvature, and LaTeX for the three where known."""

    name: str
    value: Any
    slope: Any
    curvature: Any
    formulas: tuple


def scalar_loss(name, loss):
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

    slope = quiet_grad(value)
    return ScalarLoss(name, value, slope, quiet_grad(slope), (symbol + r"}(\theta)", None, None))


def _short_latex(formula):
    """The formula in LaTeX, or dots where it would fill several lines."""
    words = latex(formula)
    return words if len(words) <= 200 else r"\dots"


def finite_at(loss, what, theta):
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


def require_smooth(loss, theta):
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


def _has_corner(f, theta):
    """Whether the slopes to the left and to the right of theta stay apart as the two come closer.

    For a smooth f their gap is proportional to the distance and shrinks by ten here.
    """
    gaps, sizes = [], []
    for epsilon in (1e-6 * max(1, abs(theta)), 1e-7 * max(1, abs(theta))):
        with numpy.errstate(all="ignore"):
            left, middle, right = (float(f(numpy.float64(theta + shift))) for shift in (-epsilon, 0, epsilon))
        gaps.append(abs(right - 2 * middle + left) / epsilon)
        sizes.append(max(abs(right - left) / epsilon, abs(middle)))
    if not numpy.all(numpy.isfinite(gaps)):
        return True
    return gaps[1] > 0.5 * gaps[0] and gaps[1] > 1e-6 * max(sizes) + 1e-8  # beyond rounding
