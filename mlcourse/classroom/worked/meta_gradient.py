"""What examples 1 and 3 share: their record, and what there is to notice about FOMAML."""

import math
from dataclasses import dataclass
from typing import Any

import numpy

from mlcourse.classroom.worked.derivation import Derivation, number

NO_DIGIT = 1e-12  # a share of a gradient's length that rounding alone explains


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
    dropped             what FOMAML leaves out, by_hand - first_order up to rounding
    curvature           h: in example 1 L_s''(theta), in example 3 that of L_s along first_order
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


def scalar_notes(alpha, curvature, first_order, dropped, exact):
    """What FOMAML drops in one dimension, its size, and whether it still points the right way."""
    term = r"$-\alpha \, L_s''(\theta) \, L_q'(\theta')$"
    return _nothing_to_compare(term, first_order, dropped) or (
        _dropped_note(term, first_order, dropped, exact),
        _scalar_direction(alpha * curvature, curvature),
    )


def vector_notes(alpha, curvature, first_order, dropped, exact):
    """The same in several dimensions, by the curvature h_v along v = first_order: v . exact = |v|^2 (1 - alpha h_v)."""
    term = r"$-\alpha H_s \nabla L_q(\theta')$"
    return _nothing_to_compare(term, first_order, dropped) or (
        _dropped_note(term, first_order, dropped, exact),
        r"$h_v$ is the curvature of $L_s$ along FOMAML's direction $v = \nabla L_q(\theta')$: "
        rf"$h_v = v^\top H_s v / v^\top v = {number(curvature)}$, so $\alpha h_v = {_apart(alpha * curvature, 1, 5)}$.",
        _vector_direction(first_order, exact),
    )


def _nothing_to_compare(term, first_order, dropped):
    """What to say where both gradients are zero, or equal; () elsewhere."""
    if _length(first_order) == 0:
        return (r"The query loss is flat at $\theta'$, so both gradients are zero: nothing is left to improve nearby.",)
    if _length(dropped) == 0:
        why = "along FOMAML's direction the support loss has no curvature, so FOMAML equals MAML."
        return (f"FOMAML drops {term}, which is 0 here: {why}",)
    return ()


def _dropped_note(term, first_order, dropped, exact):
    size = _length(dropped)
    note = f"FOMAML drops {term}, of length ${number(size)}$"
    if _vanishes(first_order, exact):
        return f"{note}."
    share = size / _length(exact)
    off = f"{number(100 * share, 3)}$ % of" if share < 2 else f"{number(share, 3)}$ times"
    return f"{note}: FOMAML is off by ${off} the exact gradient's length."


def _vanishes(first_order, exact):
    return _length(exact) <= NO_DIGIT * _length(first_order)


def _length(gradient):
    return math.hypot(*numpy.atleast_1d(gradient))  # a norm that does not overflow


def _vanishing(symbol):
    return (
        rf"$\alpha {symbol} = 1$: to first order $\theta'$ does not follow $\theta$ in this direction, so the "
        "meta-gradient vanishes. FOMAML does not see this and still moves."
    )


def _scalar_direction(product, curvature):
    """Whether FOMAML points the right way in one dimension, and how long it is; product = alpha L_s''(theta)."""
    symbol = r"L_s''(\theta)"
    if abs(1 - product) <= NO_DIGIT:
        return _vanishing(symbol)
    shown = rf"$\alpha {symbol} = {_apart(product, 1, 5)}$"
    limit = rf"$\alpha = 1 / {symbol} = {number(1 / curvature)}$"
    if product > 1:
        return (
            f"{shown} is greater than 1: FOMAML points the wrong way, and a step against it makes the loss after "
            f"adaptation rise. So it is beyond {limit}."
        )
    ratio = number(1 / (1 - product))
    if ratio == "1":
        length = "as long as the exact gradient in the first five digits"
    else:
        length = f"too {'long' if product > 0 else 'short'}, ${ratio}$ times the exact gradient"
    if product < 0:
        return (
            "The curvature is negative, so the step spreads starting points apart: FOMAML points the right way and is "
            f"{length}."
        )
    return (
        f"{shown} is less than 1: FOMAML points the right way and is {length}. Beyond {limit} it would point the wrong "
        "way."
    )


def _vector_direction(first_order, exact):
    """Whether FOMAML points the right way in several dimensions, how far it is turned, and how long it is."""
    if _vanishes(first_order, exact):
        return _vanishing("h_v")
    ratio = _length(first_order) / _length(exact)
    length = "as long" if number(ratio, 3) == "1" else f"${number(ratio, 3)}$ times as long"
    ours, right = first_order / _length(first_order), exact / _length(exact)
    cosine = ours @ right
    if abs(cosine) <= NO_DIGIT * max(1, ratio):
        return (
            rf"$\alpha h_v$ is 1: FOMAML is at a right angle to the exact gradient, and {length}. A small step against "
            "it neither lowers nor raises the loss after adaptation, to first order."
        )
    turned = f"${_degrees(ours, right)}$ degrees from the exact gradient and {length}"
    if cosine < 0:
        return (
            rf"$\alpha h_v$ is greater than 1: FOMAML points the wrong way, {turned}, and a small step against it "
            "makes the loss after adaptation rise."
        )
    return (
        rf"$\alpha h_v$ is less than 1: FOMAML is {turned}, and a small step against it still lowers the loss after "
        "adaptation."
    )


def _degrees(u, v):
    """The angle between unit vectors."""
    angle = math.degrees(2 * math.atan2(_length(u - v), _length(u + v)))  # an arccos has no digits near 0
    return _apart(round(angle, 10), 90, 3)


def _apart(value, limit, digits):
    """The number to so many digits, and to more where it would look like the limit that it is not."""
    while abs(value - limit) > NO_DIGIT and number(value, digits) == number(limit):
        digits += 1
    return number(value, digits)
