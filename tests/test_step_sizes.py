"""ANIL and Meta-SGD are maml with a vector for alpha: no code of their own."""

from itertools import islice

import autograd.numpy as np
import numpy
import pytest
from autograd import grad

from mlcourse import (
    MLP,
    Data,
    Episode,
    Glyphs,
    Linear,
    Sinusoids,
    cross_entropy,
    fomaml,
    maml,
    mean_squared_error,
    meta_train,
    tanh,
)
from mlcourse.few_shot import head_only
from tests.reference import central_difference, loss_of, task, unrolled_gradient

CASES = [
    (MLP([1, 6, 5, 1], tanh), mean_squared_error, "mean_squared_error", Sinusoids()),
    (MLP([400, 4, 3]), cross_entropy, "cross_entropy", Glyphs(ways=3)),
]


def anil(loss, body, head, episode, alpha, steps):
    """One task's query loss after steps that know of the head alone, as Raghu et al. 2020 define it."""
    for _ in range(steps):
        head = head - alpha * grad(lambda head: loss(np.concatenate([body, head]), episode[0]))(head)
    return loss(np.concatenate([body, head]), episode[1])


@pytest.mark.parametrize(("model", "objective", "kind", "family"), CASES)
def test_maml_with_zeros_for_the_body_is_anil(model, objective, kind, family):
    episode, loss = family.sample(numpy.random.default_rng(0), 3, 2, 4), loss_of(model, kind)
    theta, cut = model.init(numpy.random.default_rng(1)), model.parts[f"W{len(model.sizes) - 1}"].start
    gradient = maml(objective(model), theta, episode, head_only(model, 0.2), 3)
    losses, rows = [], []
    for t in range(3):
        one = task(episode.support, t), task(episode.query, t)
        losses.append(anil(loss, theta[:cut], theta[cut:], one, 0.2, 3))
        in_body = grad(lambda body, one=one: anil(loss, body, theta[cut:], one, 0.2, 3))(theta[:cut])
        in_head = grad(lambda head, one=one: anil(loss, theta[:cut], head, one, 0.2, 3))(theta[cut:])
        rows.append(numpy.append(in_body, in_head))
    assert gradient.loss == pytest.approx(numpy.mean(losses), rel=1e-10)
    numpy.testing.assert_allclose(gradient.theta, numpy.mean(rows, axis=0), atol=1e-10)
    assert numpy.any(gradient.theta[:cut])  # the body does not adapt, and learns


@pytest.mark.parametrize(("model", "objective", "kind", "family"), CASES)
def test_the_gradient_in_a_vector_of_step_sizes_is_that_of_the_unrolled_loop_and_of_differences(
    model, objective, kind, family
):
    rng = numpy.random.default_rng(0)
    episode, theta = family.sample(rng, 3, 2, 4), model.init(rng)
    alpha = rng.uniform(0.05, 0.2, theta.size)
    gradient = maml(objective(model), theta, episode, alpha, 2)
    _, in_theta, in_alpha = unrolled_gradient(loss_of(model, kind), theta, episode, alpha, 2)
    numpy.testing.assert_allclose(gradient.theta, in_theta, atol=1e-10)
    numpy.testing.assert_allclose(gradient.alpha, in_alpha, atol=1e-10)
    directions = rng.normal(size=(3, theta.size))
    differences = central_difference(lambda a: maml(objective(model), theta, episode, a, 2).loss, alpha, directions)
    numpy.testing.assert_allclose(directions @ gradient.alpha, differences, rtol=1e-5, atol=1e-9)


class TwoCurvatures:
    """Tasks with the loss sum_i h_i / 2 (theta_i - w_i)^2, w of a task its own: no one alpha serves both h."""

    h = numpy.array([0.5, 4.0])

    def sample(self, rng, tasks, shots, queries):
        x = numpy.broadcast_to(numpy.diag(numpy.sqrt(self.h)), (tasks, 2, 2))
        data = Data(x, x @ rng.normal(size=(tasks, 2, 1)))
        return Episode(data, data, {})


def test_learned_step_sizes_are_the_inverse_curvatures_each_its_own():
    model, rng = Linear(2, bias=False), numpy.random.default_rng(0)
    settings = {"steps": 1, "tasks": 20, "shots": 2, "queries": 2, "learning_rate": 0.02, "learn_alpha": True}
    states = meta_train(
        maml, mean_squared_error(model), TwoCurvatures(), numpy.zeros(2), rng, alpha=numpy.full(2, 0.1), **settings
    )
    *_, state = islice(states, 600)
    numpy.testing.assert_allclose(state.alpha, 1 / TwoCurvatures.h, rtol=1e-3)
    assert state.loss < 1e-6  # one step arrives


def test_step_sizes_of_the_head_alone_stay_so_while_the_body_learns():
    model, rng = MLP([1, 6, 1], tanh), numpy.random.default_rng(0)
    theta, alpha = model.init(rng), head_only(model, 0.1)
    settings = {"steps": 1, "tasks": 4, "shots": 5, "queries": 5, "learning_rate": 1e-2}
    states = meta_train(maml, mean_squared_error(model), Sinusoids(), theta, rng, alpha=alpha, **settings)
    *_, state = islice(states, 3)
    assert numpy.array_equal(state.alpha, alpha) and numpy.all(state.theta[model.parts["W1"]] != theta[:6])
    episode = Sinusoids().sample(rng, 4, 5, 5)
    assert numpy.any(fomaml(mean_squared_error(model), theta, episode, alpha, 1).alpha[model.parts["W1"]])


def test_the_head_is_the_last_layer_with_its_biases():
    model = MLP([2, 3, 4, 2])
    parts = model.unpack(head_only(model, 0.5))
    assert numpy.all(parts["W3"] == 0.5) and numpy.all(parts["b3"] == 0.5)
    assert not any(parts[name].any() for name in ("W1", "b1", "W2", "b2"))
