"""The meta-gradient is exact, for one task, many, and blocks of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import (
    MLP,
    Data,
    DivergenceError,
    Episode,
    Linear,
    Sinusoids,
    adapt,
    cross_entropy,
    fomaml,
    imaml,
    joint_training,
    maml,
    mean_squared_error,
    meta,
    relu,
    reptile,
    tanh,
)
from tests.reference import central_difference, loss_of, unrolled_gradient
from tests.test_objectives import KINDS, Foreign, draw

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


def test_cross_entropy_trains_through_the_same_lines():
    model, objective, theta, episode, _ = random_problem(11, [2, 6, 3], "cross_entropy")
    assert objective.value(theta, episode.query).shape == (3,)
    assert isinstance(maml(cross_entropy(model), theta, episode, 0.1, 2).loss, float)


def in_one_and_in_blocks(monkeypatch, numbers, call, *arguments):
    """What `call` gives with all tasks in one block, and with blocks of `numbers`."""
    results = []
    for size in (10**9, numbers):
        monkeypatch.setattr(meta, "BLOCK", size)
        results.append(call(*arguments))
    return results


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", [*METHODS, imaml])
@pytest.mark.parametrize("batch", [(7,), (7, 1), (5, 2)])
@pytest.mark.parametrize("numbers", [1, 500, 1500])
def test_blocks_of_any_size_give_what_all_tasks_at_once_give(monkeypatch, kind, method, batch, numbers):
    rng = np.random.default_rng(0)
    model = MLP([2, 4, 3], activation=tanh)
    episode = Episode(draw(rng, model, batch, kind), draw(rng, model, batch, kind, rows=5), {})
    objective, theta = KINDS[kind](model), model.init(rng)
    for alpha in (0.1, rng.uniform(0.05, 0.1, model.size)):
        whole, blocks = in_one_and_in_blocks(monkeypatch, numbers, method, objective, theta, episode, alpha, 2)
        assert np.isclose(whole.loss, blocks.loss, rtol=1e-12) and type(blocks.loss) is float
        assert np.allclose(whole.theta, blocks.theta, rtol=1e-10, atol=1e-14)
        assert (whole.alpha is None) == (blocks.alpha is None)
        assert whole.alpha is None or np.allclose(whole.alpha, blocks.alpha, rtol=1e-10, atol=1e-14)


def test_tasks_are_cut_into_blocks_whose_sizes_differ_by_one_at_most(monkeypatch):
    seen = []

    class Seen(Foreign):
        def value(self, theta, data):
            seen.append(len(data.x))
            return super().value(theta, data)

    model, objective, theta, episode, _ = random_problem(2, [2, 4, 1], "mean_squared_error", tasks=11)
    monkeypatch.setattr(meta, "BLOCK", 3 * 2 * model.size)
    maml(Seen(objective), theta, episode, 0.1, 1)
    assert seen == [2, 3, 3, 3]


def steep(curvatures):
    """Lines y = theta x of these curvatures: at alpha = 1 a step multiplies a task's error by 1 less its own."""
    x = np.sqrt(curvatures / 2)[..., None, None]
    return mean_squared_error(Linear(1, bias=False)), Episode(Data(x, 0 * x), Data(x, 0 * x), {})


@pytest.mark.parametrize("method", [maml, fomaml, reptile, imaml])
@pytest.mark.parametrize(
    "curvatures", [[1, 1e90, 1, 1, 1e150, 1, 1e150], [[1, 1], [1e90, 1e150], [1, 1], [1e150, 1e90]]]
)
def test_a_divergence_in_blocks_is_that_of_all_tasks_at_once(monkeypatch, method, curvatures):
    objective, episode = steep(np.array(curvatures, dtype=float))

    def diverge():
        with pytest.raises(DivergenceError) as caught, np.errstate(over="ignore"):
            method(objective, np.array([1.0]), episode, 1.0, 10)
        return caught.value

    whole, blocks = in_one_and_in_blocks(monkeypatch, 1, diverge)
    assert blocks.tasks == whole.tasks == tuple(np.flatnonzero(np.array(curvatures) == 1e150))
    assert blocks.step == whole.step and blocks.alpha == whole.alpha and str(blocks) == str(whole)


def test_bad_numbers_in_a_late_block_are_named(monkeypatch):
    _, objective, theta, episode, _ = random_problem(2, [2, 4, 1], "mean_squared_error", tasks=4)
    episode.query.y[-1] = np.nan
    monkeypatch.setattr(meta, "BLOCK", 1)
    with pytest.raises(ValueError, match="y must be finite"):
        maml(objective, theta, episode, 0.1, 1)


@pytest.mark.parametrize("method", [maml, fomaml, reptile, imaml])
def test_tasks_may_share_a_query_set(monkeypatch, method):
    _, objective, theta, episode, _ = random_problem(2, [2, 4, 1], "mean_squared_error", tasks=5)
    shared = Data(episode.query.x[0], episode.query.y[0])  # five rows: as many as tasks
    repeated = Data(np.repeat(shared.x[None], 5, axis=0), np.repeat(shared.y[None], 5, axis=0))
    monkeypatch.setattr(meta, "BLOCK", 1)
    one, other = (method(objective, theta, episode._replace(query=query), 0.1, 2) for query in (shared, repeated))
    assert np.isclose(one.loss, other.loss) and np.allclose(one.theta, other.theta)


@pytest.mark.parametrize("method", [*METHODS, imaml])
def test_an_objective_with_value_grad_and_hvp_alone_is_enough(monkeypatch, method):
    _, objective, theta, episode, rng = random_problem(13, [2, 4, 1], "mean_squared_error", tasks=5)
    monkeypatch.setattr(meta, "BLOCK", 100)
    for alpha in (0.1, rng.uniform(0.05, 0.1, theta.size)):
        ours, foreign = (method(loss, theta, episode, alpha, 3) for loss in (objective, Foreign(objective)))
        assert np.isclose(ours.loss, foreign.loss) and np.allclose(ours.theta, foreign.theta)
        assert ours.alpha is None or np.allclose(ours.alpha, foreign.alpha)


@pytest.mark.parametrize("method", [*METHODS, imaml])
def test_lists_and_whole_numbers_are_as_good_as_arrays(method):
    objective = mean_squared_error(Linear(1))
    data = Data(np.array([[[1], [2]], [[0], [1]]]), np.array([[[1], [1]], [[2], [0]]]))
    given = method(objective, [1, 0], Episode(data, data, {}), 0.1, 2)
    floats = Episode(*(Data(data.x.astype(float), data.y.astype(float)),) * 2, {})
    expected = method(objective, np.array([1.0, 0.0]), floats, 0.1, 2)
    assert given.loss == expected.loss and np.array_equal(given.theta, expected.theta)


@pytest.mark.parametrize("method", [*METHODS, imaml])
@pytest.mark.parametrize("steps", [0, 2])
def test_what_a_method_returns_is_the_callers_own_and_what_it_was_given_is_left_alone(method, steps):
    _, objective, theta, episode, _ = random_problem(14, [2, 4, 1], "mean_squared_error")
    alone = Episode(*(Data(data.x[0], data.y[0]) for data in episode[:2]), {})
    for batch in (episode, alone):
        for array in (theta, *batch.support, *batch.query):
            array.flags.writeable = False
        kept = method(objective, theta, batch, 0.1, steps).theta.copy()
        method(objective, theta, batch, 0.1, steps).theta[:] = 0
        assert np.array_equal(method(objective, theta, batch, 0.1, steps).theta, kept)


def test_no_step_has_no_gradient_in_alpha():
    model, objective, theta, episode, _ = random_problem(15, [2, 4, 1], "mean_squared_error")
    for method in (maml, fomaml):
        assert method(objective, theta, episode, 0.1, 0).alpha == 0
        assert np.array_equal(
            method(objective, theta, episode, np.full(model.size, 0.1), 0).alpha, np.zeros(model.size)
        )


def test_reptile_reports_the_query_loss_where_it_arrived():
    model = MLP([1, 5, 1])
    rng = np.random.default_rng(0)
    theta, objective, episode = model.init(rng), mean_squared_error(model), Sinusoids().sample(rng, 4, 5, 5)
    theta_prime = adapt(objective, theta, episode.support, 0.01, 3)
    assert reptile(objective, theta, episode, 0.01, 3).loss == pytest.approx(
        objective.value(theta_prime, episode.query).mean()
    )
