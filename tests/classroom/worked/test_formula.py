"""Formulas in theta: read and never run, right in symbols, and typed as the course prints them."""

import pytest
from hypothesis import assume, given

from mlcourse.classroom.worked import example_1, formula
from mlcourse.classroom.worked.derivation import to_text
from mlcourse.classroom.worked.three_ways import quiet_grad
from tests.classroom.worked.draws import fast, formulas, numbers


@fast
@given(formulas(), numbers)
def test_derivatives_in_symbols_equal_autograds(text, theta):
    loss = formula.parse("loss", text)
    value = eval(text, {name: function for name, (function, *_) in formula.FUNCTIONS.items()} | {"theta": theta})
    assert formula.evaluate(loss, theta) == pytest.approx(value, rel=1e-9, abs=1e-12)
    slope = quiet_grad(lambda theta: 1.0 * formula.evaluate(loss, theta))
    first = formula.derivative(loss)
    assert formula.evaluate(first, theta) == pytest.approx(slope(theta), rel=1e-8, abs=1e-9)
    second = formula.evaluate(formula.derivative(first), theta)
    assert second == pytest.approx(quiet_grad(slope)(theta), rel=1e-8, abs=1e-8)


@fast
@given(formulas(depth=2), numbers)
def test_a_formula_typed_as_it_is_printed_is_the_formula_computed(text, theta):
    slope = formula.derivative(formula.parse("loss", text))
    printed = to_text(formula.latex(slope))
    assume(len(printed) <= 500)
    again = formula.parse("loss", printed)  # five digits of each constant are printed
    assert formula.evaluate(again, theta) == pytest.approx(formula.evaluate(slope, theta), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize(
    "printed, typed",
    [
        ("(θ-2)²", "(theta - 2)**2"),
        ("2 (θ − 2) + cos(θ)", "2 * (theta - 2) + cos(theta)"),
        ("-3 · 2 θ¹² / 4", "-3 * 2 * theta**12 / 4"),
        ("1 · 10⁻⁷ θ", "1e-7 * theta"),
        ("pi theta exp(theta) (theta - 1)", "pi * theta * exp(theta) * (theta - 1)"),
    ],
)
def test_signs_that_the_course_prints_can_be_typed(printed, typed):
    assert formula.parse("loss", printed) == formula.parse("loss", typed)


@pytest.mark.parametrize(
    "code",
    ["__import__('os')", "theta.real", "theta[0]", "(lambda: 1)()", "[t for t in (theta,)]", "theta if 1 else 2",
     "'a' * 9", "eval('1')", "sin(theta, 2)", "sin(x=theta)", "1j * theta", "True", "theta := 2", "f'{theta}'"],
)  # fmt: skip
def test_a_formula_is_read_and_never_run(code):
    with pytest.raises(ValueError, match="must be a formula in theta"):
        example_1(support_loss=code)
