"""The losses of example 3 where none are given: 1/2 theta^T A theta - b^T theta, and what makes a pair (A, b)."""

import numpy

from mlcourse.checks import finite
from mlcourse.classroom.worked.given import finite_vector, short
from mlcourse.tasks import Data, Episode

SUPPORT = ([[2.0, 1.0], [1.0, 3.0]], [1.0, 0.0])
QUERY = ([[3.0, 1.0], [1.0, 2.0]], [1.0, 1.0])


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


def quadratic_task(theta, support, query, episode):
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
    theta = numpy.linspace(1, -1, size) if theta is None else finite_vector("theta", theta)
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
