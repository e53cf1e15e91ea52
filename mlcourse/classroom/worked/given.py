"""What a reader gives the examples: finite numbers, vectors and steps, or an error that says what came instead."""

import numpy

from mlcourse.checks import DivergenceError, finite


def short(value):
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "…"


def finite_number(name, value):
    """The finite number `value` as a float, or an error."""
    try:
        result = float(value) if numpy.ndim(value) == 0 else numpy.nan
    except (TypeError, ValueError):
        result = numpy.nan
    if not numpy.isfinite(result):
        raise ValueError(f"{name} must be a finite number, got {short(value)}")
    return result


def finite_vector(name, value):
    """`value` as floats (P,), or an error."""
    try:
        vector = numpy.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a list of numbers, got {short(value)}") from None
    if vector.ndim != 1 or not vector.size:
        raise ValueError(f"{name} must be one vector (P,) of at least 1 number, got shape {vector.shape}")
    return finite(name, vector)


def finite_step(theta, alpha, gradient):
    """theta - alpha * gradient, or a DivergenceError."""
    with numpy.errstate(over="ignore", invalid="ignore"):
        theta_prime = theta - alpha * gradient
    if not numpy.all(numpy.isfinite(theta_prime)):
        raise DivergenceError(1, (), alpha)
    return theta_prime


def read_only(array):
    array = numpy.array(array)
    array.setflags(write=False)
    return array
