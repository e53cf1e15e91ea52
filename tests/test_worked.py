"""The worked examples: right for any numbers, clear about those that they refuse, the same in LaTeX and in text."""

import dataclasses
import re

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlcourse
from mlcourse.classroom import derivation, worked
from mlcourse.classroom import formula as algebra
from mlcourse.classroom.worked import DisagreementError, example_1, example_2, example_3
from mlcourse.tasks import Data, Episode

numbers = st.floats(-2, 2).map(lambda value: round(value, 3))
step_sizes = st.floats(0.01, 0.5)
fast = settings(max_examples=25, deadline=None)


@st.composite
def formulas(draw, depth=3):
    """A smooth formula in theta that is defined for every theta."""
    if depth == 0:
        return draw(st.sampled_from(["theta", "theta", f"({draw(numbers)})"]))
    inner = formulas(depth=depth - 1)
    shape = draw(st.sampled_from(["{} + {}", "{} - {}", "({}) * ({})", "sin({})", "cos({})", "tanh({})", "({})**2"]))
    shape = draw(st.sampled_from([shape, "({}) / (2 + cos({}))", "exp(sin({}))", "sqrt(1 + ({})**2)"]))
    return shape.format(*(draw(inner) for _ in range(shape.count("{}"))))


@st.composite
def quadratics(draw, size):
    """A pair (A, b), A symmetric, of any sign."""
    entries = np.array(draw(st.lists(numbers, min_size=size * size + size, max_size=size * size + size)))
    A = entries[: size * size].reshape(size, size)
    return A + A.T, entries[size * size :]


# Right for any numbers.


@fast
@given(formulas(), formulas(), numbers, step_sizes)
def test_example_1_agrees_three_ways_for_any_smooth_losses(support, query, theta, alpha):
    shown = example_1(theta, alpha, support, query)
    assert shown.by_hand == pytest.approx(shown.autograd, rel=1e-8, abs=1e-8)
    assert shown.by_hand == pytest.approx(shown.central_difference, rel=1e-5, abs=1e-5)
    assert shown.by_hand == pytest.approx(shown.first_order * (1 - alpha * shown.curvature))


@fast
@given(formulas(), numbers)
def test_derivatives_in_symbols_equal_autograds(text, theta):
    formula = algebra.parse("loss", text)
    value = eval(text, {name: function for name, (function, *_) in algebra.FUNCTIONS.items()} | {"theta": theta})
    assert algebra.evaluate(formula, theta) == pytest.approx(value, rel=1e-9, abs=1e-12)
    slope = worked._quiet_grad(lambda theta: 1.0 * algebra.evaluate(formula, theta))
    first = algebra.derivative(formula)
    assert algebra.evaluate(first, theta) == pytest.approx(slope(theta), rel=1e-8, abs=1e-9)
    second = algebra.evaluate(algebra.derivative(first), theta)
    assert second == pytest.approx(worked._quiet_grad(slope)(theta), rel=1e-8, abs=1e-8)


@fast
@given(formulas(depth=2), numbers)
def test_the_formula_shown_is_the_formula_computed(text, theta):
    formula = algebra.parse("loss", text)
    again = algebra.latex(algebra.derivative(formula)).replace(r"\cdot", "*").replace(r"\,", "*").replace("^", "**")
    again = again.replace("\\", "").translate(str.maketrans("{}", "()"))
    names = {name: function for name, (function, *_) in algebra.FUNCTIONS.items()} | {"theta": theta}
    assert eval(again, names) == pytest.approx(algebra.evaluate(algebra.derivative(formula), theta), rel=1e-2, abs=1e-2)


@fast
@given(numbers, numbers, st.lists(numbers, min_size=1, max_size=6), st.floats(0.01, 3))
def test_example_2_is_the_inner_step_of_the_method(theta, slope, x, alpha):
    shown = example_2(theta, slope, x, alpha)
    x = np.array(x)[:, None]
    objective = mlcourse.mean_squared_error(mlcourse.Linear(1, bias=False))
    (theta_prime,) = mlcourse.adapt(objective, np.array([theta]), Data(x, slope * x), alpha, 1)
    for way in (shown.by_hand, shown.autograd, shown.central_difference, shown.theta_prime):
        assert way == pytest.approx(theta_prime, rel=1e-6, abs=1e-6)
    assert shown.c == pytest.approx(2 * alpha * np.mean(x**2))


@fast
@given(st.integers(1, 4).flatmap(lambda size: st.tuples(quadratics(size), quadratics(size))), step_sizes)
def test_example_3_is_the_closed_form_for_any_quadratics(pair, alpha):
    (A, b), (B, c) = pair
    theta = np.linspace(-1, 2, len(b))
    shown = example_3(theta, alpha, *pair)
    theta_prime = theta - alpha * (A @ theta - b)
    first_order = B @ theta_prime - c
    exact = (np.eye(len(b)) - alpha * A) @ first_order
    np.testing.assert_allclose(shown.first_order, first_order, atol=1e-10)
    for way in (shown.by_hand, shown.autograd, shown.central_difference):
        np.testing.assert_allclose(way, exact, rtol=1e-6, atol=1e-6)


def network(rng, sizes):
    model = mlcourse.MLP(sizes)
    return mlcourse.mean_squared_error(model), model.init(rng), mlcourse.Sinusoids().sample(rng, (), 8, 8)


@pytest.mark.parametrize("sizes", [[1, 5, 1], [1, 40, 40, 1]])
def test_example_3_equals_maml_and_fomaml_of_the_method(sizes):
    objective, theta, episode = network(np.random.default_rng(3), sizes)
    shown = example_3(theta, 0.01, objective=objective, episode=episode)
    exact = mlcourse.maml(objective, theta, episode, 0.01, 1).theta
    np.testing.assert_allclose(shown.by_hand, exact, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(shown.autograd, exact, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(shown.central_difference, exact[shown.coordinates], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(shown.first_order, mlcourse.fomaml(objective, theta, episode, 0.01, 1).theta)


def test_functions_and_formulas_give_the_same():
    formula = example_1(0.7, 0.3, "exp(sin(theta)) + theta**4 / 4", "(theta - 1)**2")
    function = example_1(0.7, 0.3, lambda t: anp.exp(anp.sin(t)) + t**4 / 4, lambda t: (t - 1) ** 2)
    assert function.by_hand == pytest.approx(formula.by_hand, rel=1e-12)


# What it says about the numbers.


def noticed(shown):
    return derivation.to_text(" ".join(shown.notes))


def test_first_order_equals_exact_where_curvature_is_zero():
    shown = example_1(support_loss="3 * theta")
    assert shown.by_hand == shown.first_order and "FOMAML equals MAML" in noticed(shown)
    flat = example_3([1.0, 2.0], 0.1, (np.zeros((2, 2)), [1, 0]), worked.QUERY)
    assert not flat.dropped.any() and "FOMAML equals MAML" in noticed(flat)


def test_the_meta_gradient_vanishes_where_alpha_is_one_over_the_curvature():
    shown = example_1(alpha=0.5, support_loss="(theta - 2)**2", query_loss="(theta - 3)**2")
    assert shown.by_hand == 0 and shown.first_order == -2 and "the meta-gradient vanishes" in noticed(shown)


@pytest.mark.parametrize("alpha, says", [(0.4, "points the right way"), (0.6, "points the wrong way")])
def test_first_order_turns_round_at_alpha_one_over_the_curvature(alpha, says):
    shown = example_1(alpha=alpha, support_loss="(theta - 2)**2", query_loss="(theta - 3)**2")
    assert (shown.by_hand * shown.first_order > 0) == (says == "points the right way") and says in noticed(shown)


def test_first_order_is_too_short_where_the_curvature_is_negative():
    shown = example_1(theta=1.0, support_loss="-theta**2", query_loss="theta**2")
    assert abs(shown.by_hand) > abs(shown.first_order) and "too short, by the factor 1.2" in noticed(shown)


def test_both_gradients_are_zero_where_the_step_lands_on_the_query_optimum():
    shown = example_1(theta=0.0, alpha=0.5, support_loss="(theta - 2)**2", query_loss="(theta - 2)**2")
    assert shown.by_hand == shown.first_order == 0 and "both gradients are zero" in noticed(shown)


@fast
@given(st.tuples(quadratics(2), quadratics(2)), st.floats(0.05, 3))
def test_example_3_says_wrong_way_exactly_when_the_gradients_point_apart(pair, alpha):
    shown = example_3([1.0, -0.5], alpha, *pair)
    inner = shown.by_hand @ shown.first_order
    if abs(inner) > 1e-6:
        assert ("points the wrong way" in noticed(shown)) == (inner < 0)


@pytest.mark.parametrize(
    "alpha, says",
    [
        (0.2, "between θ and a, a convex combination"),
        (0.5, "lands on a exactly"),
        (0.7, "overshoots, to 0.4 of the distance"),
        (1.0, "to and fro for ever"),
        (1.2, "1.4 times as far away"),
    ],
)
def test_c_outside_0_and_1_is_computed_and_explained(alpha, says):
    shown = example_2(theta=0.0, slope=1.0, x=[1.0, -1.0], alpha=alpha)
    assert shown.theta_prime == pytest.approx(2 * alpha) and says in noticed(shown)
    assert ("no convex combination any more" in noticed(shown)) == (alpha > 0.5)


def test_a_task_that_says_nothing_or_is_reached_already_is_said_so():
    assert "c = 0, no step is taken" in noticed(example_2(x=[0.0, 0.0]))
    assert "the step does not move" in noticed(example_2(theta=2.0, slope=2.0))


# What it refuses.


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 0}, "alpha must be a number greater than 0, got 0"),
        ({"alpha": "much"}, "alpha must be a finite number, got 'much'"),
        ({"theta": np.nan}, "theta must be a finite number, got nan"),
        ({"theta": [1, 2]}, "theta must be a finite number, got [1, 2]"),
        (
            {"theta": 2, "support_loss": "abs(theta - 2)"},
            "support_loss is not twice differentiable at theta = 2: its v",
        ),
        ({"theta": 0, "support_loss": "theta * abs(theta)"}, "support_loss is not twice differentiable at theta = 0"),
        ({"theta": 0, "support_loss": "sqrt(theta)"}, "its slope there is inf"),
        ({"theta": 0, "support_loss": "2 * theta", "query_loss": "abs(theta + 0.2)"}, "query_loss is not differenti"),
        ({"theta": -1, "support_loss": "log(theta)"}, "support_loss is nan at theta = -1"),
        ({"support_loss": "theta^2"}, "powers are written **, not ^"),
        ({"support_loss": "x**2"}, "it has no meaning for `x`"),
        ({"support_loss": "sin"}, "sin is a function, as in sin(theta)"),
        ({"support_loss": "(theta"}, "it is not a complete expression"),
        ({"support_loss": "9**9**9 * theta"}, "one of its constants is not a finite number"),
        ({"support_loss": "theta" + " + theta" * 99}, "characters are too many, at most 500"),
        ({"support_loss": 3}, "support_loss must be a formula in theta"),
        ({"support_loss": lambda theta: [theta, theta]}, "support_loss must return one number, got shape (2,)"),
        ({"support_loss": lambda theta: anp.sin(float(theta))}, "autograd cannot differentiate support_loss"),
        ({"support_loss": lambda theta: 1 / 0}, "support_loss fails at theta = 1: ZeroDivisionError"),
        ({"theta": 10, "alpha": 1e308, "support_loss": "theta**4"}, "the inner loop diverged"),
    ],
)
def test_example_1_refuses_and_says_the_way_out(arguments, message):
    with pytest.raises((ValueError, TypeError, ArithmeticError), match=re.escape(message)):
        example_1(**arguments)


@pytest.mark.parametrize(
    "code",
    ["__import__('os')", "theta.real", "theta[0]", "(lambda: 1)()", "[t for t in (theta,)]", "theta if 1 else 2",
     "'a' * 9", "eval('1')", "sin(theta, 2)", "sin(x=theta)", "1j * theta", "True", "theta := 2", "f'{theta}'"],
)  # fmt: skip
def test_a_formula_is_read_and_never_run(code):
    with pytest.raises(ValueError, match="must be a formula in theta"):
        example_1(support_loss=code)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"x": []}, "x must be one vector (P,) of at least 1 number, got shape (0,)"),
        ({"x": [[1, 2], [3, 4]]}, "x must be one vector (P,) of at least 1 number, got shape (2, 2)"),
        ({"x": [1, np.inf]}, "x must be finite, got 1 of 2 values"),
        ({"x": "abc"}, "x must be a list of numbers, got 'abc'"),
        ({"slope": None}, "slope must be a finite number, got None"),
        ({"alpha": -1}, "alpha must be a number greater than 0"),
        ({"x": [1e200]}, "the inner loop diverged"),
    ],
)
def test_example_2_refuses_and_says_the_way_out(arguments, message):
    with pytest.raises((ValueError, ArithmeticError), match=re.escape(message)):
        example_2(**arguments)


GOOD = ([[2, 1], [1, 3]], [1, 0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"support": ([[2, 1], [0, 3]], [1, 0]), "query": GOOD}, "(A + A.T) / 2 gives the same loss"),
        ({"support": GOOD}, "query must be given too"),
        ({"support": GOOD, "query": ([[1]], [1])}, "P = 2 as in support, got shapes (1, 1) and (1,)"),
        ({"support": ([[1, 2]], [1]), "query": GOOD}, "support must be a pair (A, b) with A of shape (P, P)"),
        ({"support": 5, "query": GOOD}, "support must be a pair (A, b), such as"),
        ({"support": ([[np.nan]], [1]), "query": ([[1]], [1])}, "A of support must be finite"),
        ({"theta": [1, 2, 3]}, "theta must have 2 entries, one a row of A, got 3"),
        ({"alpha": 0}, "alpha must be a number greater than 0"),
        ({"objective": 3}, "objective must have value, grad and hvp, got int without value"),
        ({"objective": worked.Quadratic()}, "theta must be given with an objective"),
        ({"objective": worked.Quadratic(), "theta": [1.0]}, "episode must be given with an objective"),
        ({"objective": worked.Quadratic(), "support": GOOD}, "support and query are for quadratics"),
        ({"episode": 3}, "episode needs its objective"),
    ],
)
def test_example_3_refuses_and_says_the_way_out(arguments, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        example_3(**arguments)


def test_a_batch_of_tasks_is_refused_with_the_way_to_one():
    rng = np.random.default_rng(0)
    objective, theta, _ = network(rng, [1, 5, 1])
    with pytest.raises(ValueError, match=re.escape("got 3 of them: sample it with tasks=()")):
        example_3(theta, 0.1, objective=objective, episode=mlcourse.Sinusoids().sample(rng, 3, 5, 5))


class WrongHessian(worked.Quadratic):
    def hvp(self, theta, data, v):
        return 1.01 * super().hvp(theta, data, v)


class PlainNumbers(worked.Quadratic):
    def value(self, theta, data):
        return float(super().value(theta, data))


EPISODE = Episode(Data(*map(np.array, worked.SUPPORT)), Data(*map(np.array, worked.QUERY)), {})


def test_derivatives_that_do_not_belong_to_the_loss_are_found_out():
    with pytest.raises(DisagreementError, match="by hand and autograd differ by"):
        example_3([1.0, -1.0], objective=WrongHessian(), episode=EPISODE)
    with pytest.raises(TypeError, match=r"autograd cannot differentiate objective\.value"):
        example_3([1.0, -1.0], objective=PlainNumbers(), episode=EPISODE)


def test_what_autograd_cannot_see_is_found_by_central_differences():
    def detached(theta):
        return theta**2 + 3 * getattr(theta, "_value", theta)

    with pytest.raises(DisagreementError, match="by hand and central differences differ by"):
        example_1(query_loss=detached)


# How it is shown.

EXAMPLES = [
    example_1,
    example_2,
    example_3,
    lambda: example_1(support_loss=lambda theta: theta**4, query_loss="1e-7 * theta**2"),
    lambda: example_2(x=np.arange(1.0, 30.0), alpha=1e-4),
]


def digits(words):
    return re.findall(r"\d+(?:\.\d+)?", words.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))


@pytest.mark.parametrize("example", EXAMPLES)
def test_latex_and_text_show_the_same_numbers_and_text_shows_no_latex(example):
    shown = example()
    for step in shown.steps:
        for line in step.lines:
            assert digits(derivation.to_text(line)) == digits(re.sub(r"\\tfrac12", "1 2", line))
            assert derivation.to_text(line) in str(shown)
    assert not re.search(r"[\\{}$]", str(shown)) and "None" not in str(shown)
    assert str(shown) == repr(shown) and max(map(len, re.findall(r"^- .*", str(shown), re.M))) <= 100


@pytest.mark.parametrize("example", EXAMPLES)
def test_latex_is_balanced(example):
    latex = example()._repr_markdown_()
    assert latex.count("{") == latex.count("}") and latex.count("$") % 2 == 0
    assert latex.count(r"\begin") == latex.count(r"\end") and latex.count("(") == latex.count(")")


def test_steps_put_the_numbers_in_that_the_record_holds():
    shown = example_3()
    text = str(shown)
    assert "θ' = [1, -1] - 0.2 [0, -2] = [1, -0.6]" in text
    assert "∂θ'/∂θ = I - 0.2 [[2, 1], [1, 3]] = [[0.6, -0.2], [-0.2, 0.4]]" in text
    assert "[1.4, -1.2] + [-0.32, 0.44] = [1.08, -0.76]" in text
    assert r"\begin{pmatrix} 0.6 & -0.2 \\ -0.2 & 0.4 \end{pmatrix}" in shown._repr_markdown_()


def test_a_thousand_parameters_are_not_written_out():
    objective, theta, episode = network(np.random.default_rng(0), [1, 40, 40, 1])
    shown = example_3(theta, 0.01, objective=objective, episode=episode)
    assert len(str(shown)) < 4000 and "norm of 50 entries" in str(shown) and "θ ∈ R^1761" in str(shown)


def test_the_record_cannot_be_changed():
    shown = example_3()
    with pytest.raises(dataclasses.FrozenInstanceError):
        shown.alpha = 1.0
    with pytest.raises(ValueError, match="read-only"):
        shown.by_hand[0] = 1.0


def test_the_callers_arrays_stay_theirs():
    theta, x = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    example_3(theta), example_2(x=x)
    theta[0] = x[0] = 5.0
    np.testing.assert_array_equal(theta, [5.0, 2.0])
    np.testing.assert_array_equal(x, [5.0, 2.0])
