"""Models as functions of one flat vector, and the errors of models and objectives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, Data, Linear, cross_entropy, mean_squared_error, tanh


def by_hand(model, theta, x):
    """The same network, one row at a time, from slices of theta counted afresh."""
    outputs = []
    for row in x:
        start = 0
        for layer, (inputs, units) in enumerate(zip(model.sizes[:-1], model.sizes[1:], strict=True), start=1):
            weights = theta[start : start + inputs * units].reshape(inputs, units)
            start += inputs * units
            row = row @ weights + theta[start : start + units]
            start += units
            if layer < len(model.sizes) - 1:
                row = np.maximum(row, 0) if model.activation is not tanh else np.tanh(row)
        outputs.append(row)
    return np.array(outputs)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.booleans(), st.integers(0, 10**6))
def test_theta_is_laid_out_layer_by_layer_weights_row_major_then_biases(sizes, smooth, seed):
    rng = np.random.default_rng(seed)
    model = MLP(sizes, activation=tanh) if smooth else MLP(sizes)
    theta, x = rng.normal(size=model.size), rng.normal(size=(3, sizes[0]))
    assert np.allclose(model(theta, x), by_hand(model, theta, x))


def test_parts_name_every_parameter_once():
    model = MLP([2, 5, 3, 1])
    covered = np.concatenate([np.arange(model.size)[part] for part in model.parts.values()])
    assert np.array_equal(covered, np.arange(model.size))
    assert list(model.parts) == ["W1", "b1", "W2", "b2", "W3", "b3"]


def test_theta_and_x_broadcast_over_tasks():
    rng = np.random.default_rng(0)
    model = MLP([2, 4, 1])
    thetas, x = rng.normal(size=(5, model.size)), rng.normal(size=(3, 2))
    assert model(thetas, x).shape == (5, 3, 1)
    assert np.allclose(model(thetas, x)[2], model(thetas[2], x))
    assert model(thetas[0], rng.normal(size=(7, 3, 2))).shape == (7, 3, 1)


def test_a_start_has_zero_biases_and_weights_of_variance_one_over_fan_in():
    model = MLP([100, 200, 1])
    theta = model.init(np.random.default_rng(0))
    assert not theta[model.parts["b1"]].any()
    assert theta[model.parts["W1"]].std() == pytest.approx(0.1, rel=0.02)
    assert theta[model.parts["W2"]].std() == pytest.approx(1 / np.sqrt(200), rel=0.2)


def test_a_linear_model_without_bias_is_theta_times_x():
    assert Linear(1, bias=False)(np.array([3.0]), np.array([[2.0]])) == pytest.approx(np.array([[6.0]]))
    assert Linear(2, 3).size == 9 and Linear(2, 3, bias=False).size == 6


MODEL = MLP([1, 3, 1])
X, Y = np.ones((4, 1)), np.ones((4, 1))


@pytest.mark.parametrize(
    "theta, x, y, message",
    [
        (np.zeros(9), X, Y, r"theta must have 10 parameters on its last axis, got shape \(9,\): .*model\.init"),
        (np.full(10, np.nan), X, Y, "theta must be finite, got 10 of 10 values"),
        (np.zeros(10), X * np.inf, Y, "x must be finite, got 4 of 4 values"),
        (np.zeros(10), X, Y * np.nan, "y must be finite"),
        (np.zeros(10), X, Y[:3], r"x and y must have the same rows, got x \(4, 1\) and y \(3, 1\)"),
        (np.zeros(10), X, Y[:, 0], r"y must have shape \(\.\.\., K, 1\).* a column of targets is y\[:, None\]"),
        (np.zeros(10), np.ones((4, 2)), Y, r"x must have shape \(\.\.\., K, 1\), got \(4, 2\)"),
        (np.zeros(10), X[:, 0], Y, "x"),
        (np.zeros(10), X[:0], Y[:0], "x must have at least 1 example"),
    ],
)
def test_data_that_do_not_fit_are_named(theta, x, y, message):
    with pytest.raises(ValueError, match=message):
        mean_squared_error(MODEL).grad(theta, Data(x, y))


def test_labels_must_be_integers_from_zero():
    objective, theta = cross_entropy(MLP([1, 3])), np.zeros(6)
    with pytest.raises(TypeError, match=r"y must hold integer labels .* got float64 of shape \(4,\): .*astype\(int\)"):
        objective.value(theta, Data(X, np.ones(4)))
    with pytest.raises(ValueError, match=r"labels 0 … 2 for a model with 3 outputs, got 7: number each episode's"):
        objective.value(theta, Data(X, np.array([0, 1, 2, 7])))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: MLP([1]), r"sizes must name at least an input and an output, got \[1\]"),
        (lambda: MLP([1, 0, 1]), "sizes must be at least 1, got 0"),
    ],
)
def test_a_model_needs_an_input_and_an_output(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_activation_is_a_function():
    with pytest.raises(TypeError, match="activation must be a function such as relu or tanh, got 'relu'"):
        MLP([1, 2, 1], activation="relu")
