"""The meta-gradient is exact, training reaches the closed forms, and resuming is bit for bit."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import (
    MLP,
    Data,
    Episode,
    Linear,
    MetaState,
    Quadratics,
    Sinusoids,
    cross_entropy,
    fomaml,
    joint_training,
    maml,
    mean_squared_error,
    meta_train,
    relu,
    reptile,
    sgd,
    tanh,
)
from tests.reference import central_difference, loss_of, unrolled_gradient
from tests.test_objectives import KINDS, draw

METHODS = [maml, fomaml, reptile, joint_training]


def random_problem(seed, sizes, kind, tasks=3, activation=tanh):
    rng = np.random.default_rng(seed)
    model = MLP(sizes, activation=activation)
    episode = Episode(draw(rng, model, (tasks,), kind), draw(rng, model, (tasks,), kind, rows=5), {})
    return model, KINDS[kind](model), model.init(rng), episode, rng


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.sampled_from([0, 1, 2, 5]),
    st.booleans(),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([relu, tanh]),
    st.integers(0, 10**6),
)
def test_maml_is_autograd_straight_through_the_unrolled_loop(sizes, steps, vector, kind, activation, seed):
    model, objective, theta, episode, rng = random_problem(seed, sizes, kind, activation=activation)
    alpha = rng.uniform(0.01, 0.2, model.size) if vector else 0.1
    ours = maml(objective, theta, episode, alpha, steps)
    loss, in_theta, in_alpha = unrolled_gradient(loss_of(model, kind), theta, episode, alpha, steps)
    assert np.isclose(ours.loss, loss)
    assert np.allclose(ours.theta, in_theta, rtol=1e-8, atol=1e-10)
    assert np.allclose(ours.alpha, in_alpha, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_maml_agrees_with_central_differences_in_theta_and_alpha(kind, steps):
    model, objective, theta, episode, rng = random_problem(7, [2, 4, 3], kind)
    alpha = rng.uniform(0.05, 0.2, model.size)
    directions = rng.normal(size=(4, model.size))
    gradient = maml(objective, theta, episode, alpha, steps)
    in_theta = central_difference(lambda t: maml(objective, t, episode, alpha, steps).loss, theta, directions)
    in_alpha = central_difference(lambda a: maml(objective, theta, episode, a, steps).loss, alpha, directions)
    assert np.allclose(directions @ gradient.theta, in_theta, rtol=1e-6, atol=1e-8)
    assert np.allclose(directions @ gradient.alpha, in_alpha, rtol=1e-6, atol=1e-8)


def test_a_scalar_alpha_has_the_sum_of_the_vector_alphas_gradients():
    model, objective, theta, episode, _ = random_problem(8, [2, 4, 1], "mean_squared_error")
    scalar = maml(objective, theta, episode, 0.1, 2).alpha
    vector = maml(objective, theta, episode, np.full(model.size, 0.1), 2).alpha
    assert scalar == pytest.approx(vector.sum())


def test_first_order_equals_exact_where_curvature_is_zero():
    class Slope:
        """L(theta) = y . theta: the gradient is the same everywhere."""

        def value(self, theta, data):
            return np.sum(data.y[..., 0] * theta, axis=-1)

        def grad(self, theta, data):
            return data.y[..., 0] + 0 * theta

        def hvp(self, theta, data, v):
            return 0 * v

    rng = np.random.default_rng(0)
    data = Data(rng.normal(size=(4, 2, 1)), rng.normal(size=(4, 2, 1)))
    exact, first = (method(Slope(), np.ones(2), Episode(data, data, {}), 0.3, 3) for method in (maml, fomaml))
    assert np.allclose(exact.theta, first.theta)


def test_first_order_differs_where_there_is_curvature():
    _, objective, theta, episode, _ = random_problem(3, [2, 4, 1], "mean_squared_error")
    exact, first = (method(objective, theta, episode, 0.1, 1).theta for method in (maml, fomaml))
    assert not np.allclose(exact, first, rtol=1e-2)


def test_no_steps_are_the_gradient_of_the_query_loss():
    _, objective, theta, episode, _ = random_problem(4, [2, 4, 1], "mean_squared_error")
    expected = objective.grad(theta, episode.query).mean(axis=0)
    assert np.allclose(maml(objective, theta, episode, 0.1, 0).theta, expected)


def test_reptile_of_one_step_is_alpha_times_the_support_gradient():
    _, objective, theta, episode, _ = random_problem(5, [2, 4, 1], "mean_squared_error")
    expected = 0.1 * objective.grad(theta, episode.support).mean(axis=0)
    assert np.allclose(reptile(objective, theta, episode, 0.1, 1).theta, expected)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_tasks_does_not_matter(method):
    _, objective, theta, episode, rng = random_problem(6, [2, 4, 1], "mean_squared_error", tasks=5)
    order = rng.permutation(5)
    shuffled = Episode(*(Data(data.x[order], data.y[order]) for data in episode[:2]), {})
    one, other = (method(objective, theta, batch, 0.1, 2) for batch in (episode, shuffled))
    assert np.isclose(one.loss, other.loss) and np.allclose(one.theta, other.theta)


@pytest.mark.parametrize("method", METHODS)
def test_one_task_is_a_batch_of_one(method):
    _, objective, theta, episode, _ = random_problem(9, [2, 4, 1], "mean_squared_error", tasks=1)
    alone = Episode(*(Data(data.x[0], data.y[0]) for data in episode[:2]), {})
    one, batch = (method(objective, theta, tasks, 0.1, 2) for tasks in (alone, episode))
    assert np.isclose(one.loss, batch.loss) and np.allclose(one.theta, batch.theta)


@pytest.mark.parametrize("method", METHODS)
def test_the_batch_is_the_mean_over_its_tasks_so_that_no_task_depends_on_its_neighbours(method):
    _, objective, theta, episode, _ = random_problem(10, [2, 4, 1], "mean_squared_error", tasks=4)
    singles = [
        method(objective, theta, Episode(*(Data(d.x[i : i + 1], d.y[i : i + 1]) for d in episode[:2]), {}), 0.1, 2)
        for i in range(4)
    ]
    batch = method(objective, theta, episode, 0.1, 2)
    assert np.allclose(batch.theta, np.mean([single.theta for single in singles], axis=0))


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


def test_cross_entropy_trains_through_the_same_lines():
    model, objective, theta, episode, _ = random_problem(11, [2, 6, 3], "cross_entropy")
    assert objective.value(theta, episode.query).shape == (3,)
    assert isinstance(maml(cross_entropy(model), theta, episode, 0.1, 2).loss, float)
