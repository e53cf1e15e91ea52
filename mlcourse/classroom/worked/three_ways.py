"""The three ways to a derivative, by hand, by autograd and by central differences, and that they agree."""

import warnings

import numpy
from autograd import grad

MEASURED = 50  # central differences are taken in at most this many coordinates


class DisagreementError(ArithmeticError):
    """By hand, autograd and central differences do not give the same number."""


def quiet_grad(f):
    """autograd's derivative of f, without its warning where f does not depend on its argument and the slope is 0."""

    def derivative(theta):
        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            return grad(f)(theta)

    return derivative


def autograd_through(f, theta):
    """autograd through the whole inner step, or an error that says what it needs."""
    try:
        return quiet_grad(f)(theta)
    except (TypeError, AttributeError, ValueError) as error:
        raise TypeError(
            "autograd cannot differentiate objective.value in theta: write it with `import autograd.numpy as np` "
            f"(autograd says: {error})"
        ) from error


def central_difference(f, theta):
    """The slope of f at a number, (f(theta + epsilon) - f(theta - epsilon)) / 2 epsilon, at a good epsilon.

    A large epsilon leaves the curve's own bend in the slope: how much, the change to the next smaller one tells.
    A small one leaves the rounding of f in it, about 1e-16 |f| / epsilon.
    """
    epsilons = max(1.0, abs(theta)) * 10.0 ** -numpy.arange(3, 10)
    with numpy.errstate(all="ignore"):
        right, left = numpy.array([(f(theta + epsilon), f(theta - epsilon)) for epsilon in epsilons], dtype=float).T
        slopes = (right - left) / (2 * epsilons)
        errors = abs(numpy.diff(slopes)) + 1e-16 * abs(right[1:]) / epsilons[1:]
    return float(slopes[1 + numpy.argmin(numpy.where(numpy.isfinite(errors), errors, numpy.inf))])


def central_differences(f, theta):
    """(coordinates, slopes): the slopes of f at the vector theta (P,) along at most MEASURED of its coordinates."""
    coordinates = numpy.unique(numpy.linspace(0, len(theta) - 1, min(len(theta), MEASURED)).astype(int))
    units = (numpy.eye(1, len(theta), i)[0] for i in coordinates)
    slopes = [central_difference(lambda shift, unit=unit: f(theta + shift * unit), 0.0) for unit in units]
    return coordinates, numpy.array(slopes)


def require_agreement(by_hand, straight_through, differences, size, coordinates=slice(None)):
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
