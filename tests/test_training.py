"""Training reaches the closed forms, and resuming is bit for bit."""

from itertools import islice

import numpy as np
import pytest

from mlcourse import (
    MLP,
    Linear,
    MetaState,
    Quadratics,
    Sinusoids,
    adam,
    fomaml,
    joint_training,
    maml,
    mean_squared_error,
    meta_train,
    reptile,
    sgd,
)

# The closed-form test bed: (a, c) = (1, 2) and (4, 0) at alpha = 0.2.
BED, ALPHA = Quadratics([1.0, 4.0], [2.0, 0.0]), 0.2


@pytest.mark.parametrize(
    "method, steps, optimum",
    [(joint_training, 1, 0.4), (reptile, 1, 0.4), (reptile, 5, 0.804), (fomaml, 1, 1.0), (maml, 1, 1.6)],
)
def test_training_on_the_test_bed_reaches_the_closed_form(method, steps, optimum):
    states = meta_train(
        method,
        mean_squared_error(Linear(1, bias=False)),
        BED,
        np.array([5.0]),
        np.random.default_rng(0),
        alpha=ALPHA,
        steps=steps,
        tasks=2,
        shots=1,
        queries=1,
        learning_rate=0.3,
        optimizer=sgd,
    )
    *_, last = islice(states, 300)
    assert last.theta[0] == pytest.approx(optimum, abs=5e-4)


def test_the_test_bed_knows_where_each_method_goes():
    assert BED.optima(ALPHA) == pytest.approx({"joint training": 0.4, "Reptile": 0.4, "FOMAML": 1.0, "MAML": 1.6})
    assert BED.optima(ALPHA, steps=5)["Reptile"] == pytest.approx(0.804, abs=5e-4)


def training(method=maml, resume=None, seed=0, **options):
    model = MLP([1, 8, 1])
    rng = np.random.default_rng(seed)
    settings = {"alpha": 0.01, "steps": 1, "tasks": 4, "shots": 5, "queries": 5, "learning_rate": 1e-3} | options
    return meta_train(method, mean_squared_error(model), Sinusoids(), model.init(rng), rng, resume=resume, **settings)


def assert_same(one, other):
    assert one.iteration == other.iteration and one.loss == other.loss and one.random == other.random
    for name in ("theta", "alpha", "memory"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("learn_alpha", [False, True])
@pytest.mark.parametrize("alpha", [0.01, np.full(25, 0.01)])
def test_a_resumed_training_goes_on_bit_for_bit(tmp_path, learn_alpha, alpha):
    *_, whole = islice(training(alpha=alpha, learn_alpha=learn_alpha), 20)
    *_, half = islice(training(alpha=alpha, learn_alpha=learn_alpha), 10)
    half.save(tmp_path / "state.npz")
    loaded = MetaState.load(tmp_path / "state.npz")
    assert_same(loaded, half)
    *_, resumed = islice(training(alpha=99.0, learn_alpha=learn_alpha, resume=loaded, seed=5), 10)
    assert_same(resumed, whole)


def test_the_same_seed_gives_the_same_training():
    *_, one = islice(training(), 5)
    *_, other = islice(training(), 5)
    assert_same(one, other)


def test_training_leaves_the_given_theta_alone():
    model = MLP([1, 8, 1])
    theta = model.init(np.random.default_rng(0))
    before = theta.copy()
    list(
        islice(
            meta_train(
                maml,
                mean_squared_error(model),
                Sinusoids(),
                theta,
                np.random.default_rng(0),
                alpha=0.01,
                steps=1,
                tasks=2,
                shots=2,
                queries=2,
                learning_rate=0.1,
            ),
            3,
        )
    )
    assert np.array_equal(theta, before)


def test_training_refuses_at_the_call_what_does_not_fit():
    with pytest.raises(ValueError, match="shots must be at least 1, got 0"):
        training(shots=0)
    with pytest.raises(ValueError, match="learning_rate must be a number greater than 0, got -1"):
        training(learning_rate=-1)


def test_reptile_has_no_gradient_in_alpha_to_learn_from():
    with pytest.raises(ValueError, match="learn_alpha needs a method with a gradient in alpha"):
        next(training(reptile, learn_alpha=True))


def test_adam_is_the_paper_s_algorithm_written_out_for_each_parameter():
    rng = np.random.default_rng(0)
    theta, memory = rng.normal(size=4), ()
    expected, first, second = list(theta), [0.0] * 4, [0.0] * 4
    for t in range(1, 6):
        gradient = rng.normal(size=4)
        theta, memory = adam(theta, gradient, memory, 0.1)
        for i, g in enumerate(gradient):
            first[i], second[i] = 0.9 * first[i] + 0.1 * g, 0.999 * second[i] + 0.001 * g * g
            expected[i] -= 0.1 * (first[i] / (1 - 0.9**t)) / (np.sqrt(second[i] / (1 - 0.999**t)) + 1e-8)
    assert theta == pytest.approx(expected, rel=1e-12)
