"""Metric methods: what they compute by its definition, and their gradients three ways."""

from itertools import islice

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, Data, Episode, Glyphs, cross_entropy, meta_train, relu, tanh
from mlcourse.metric import (
    as_linear,
    log_probabilities,
    matching,
    matching_networks,
    prototypes,
    prototypical_networks,
)
from tests.reference import central_difference, task

METHODS = {"prototypical": prototypical_networks, "matching": matching_networks}


def batch(seed=0, tasks=3, ways=3, shots=2, queries=4, width=5):
    """An Episode of clusters, with the rows of each set in an order of their own."""
    rng = numpy.random.default_rng(seed)
    centres = rng.normal(size=(tasks, ways, width))

    def draw(each):
        y = rng.permuted(numpy.tile(numpy.repeat(numpy.arange(ways), each), (tasks, 1)), axis=-1)
        x = numpy.take_along_axis(centres, y[..., None], axis=1)
        return Data(x + 0.5 * rng.normal(size=x.shape), y)

    return Episode(draw(shots), draw(queries), {})


def loss_by_definition(kind, model, theta, episode):
    """One task's loss, one query after another, as the papers write it: independent of the package's."""
    z_support, z_query = model(theta, episode.support.x), model(theta, episode.query.x)
    labels, total = episode.support.y, 0.0
    for z, label in zip(z_query, episode.query.y, strict=True):
        if kind == "prototypical":
            ways = sorted(set(labels.tolist()))
            centres = [sum(z_support[i] for i in range(len(labels)) if labels[i] == n) / sum(labels == n) for n in ways]
            closeness = np.exp(np.array([-np.sum((z - c) ** 2) for c in centres]))
            total = total - np.log(closeness[label] / np.sum(closeness))
        else:
            cosines = [np.dot(z, s) / np.sqrt(np.dot(z, z) * np.dot(s, s)) for s in z_support]
            attention = np.exp(np.array(cosines))
            total = total - np.log(np.sum(attention * (labels == label)) / np.sum(attention))
    return total / len(episode.query.y)


@pytest.mark.parametrize("activation", [tanh, relu])
@pytest.mark.parametrize("kind", METHODS)
def test_by_hand_by_autograd_and_by_differences_the_gradient_is_one(kind, activation):
    model, episode, rng = MLP([5, 6, 4], activation), batch(), numpy.random.default_rng(1)
    theta, method = model.init(rng), METHODS[kind]
    by_hand = method(cross_entropy(model), theta, episode, alpha=0.1, steps=1)

    def mean_loss(theta):
        tasks = [Episode(task(episode.support, t), task(episode.query, t), {}) for t in range(3)]
        return sum(loss_by_definition(kind, model, theta, each) for each in tasks) / 3

    assert by_hand.loss == pytest.approx(mean_loss(theta), rel=1e-12) and by_hand.alpha is None
    numpy.testing.assert_allclose(by_hand.theta, grad(mean_loss)(theta), atol=1e-12)
    forced = method(cross_entropy(model, derivatives="autograd"), theta, episode, alpha=0.1, steps=1)
    numpy.testing.assert_allclose(by_hand.theta, forced.theta, atol=1e-12)
    directions = rng.normal(size=(5, theta.size))
    differences = central_difference(mean_loss, theta, directions, h=1e-6)  # so near that relu has no corner between
    numpy.testing.assert_allclose(directions @ by_hand.theta, differences, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS.values())
def test_any_model_that_autograd_can_differentiate_is_an_embedding(method):
    class Sine(MLP):
        pass

    model, episode = Sine([5, 6, 4], activation=lambda z: np.sin(z)), batch()
    theta = model.init(numpy.random.default_rng(0))
    directions = numpy.random.default_rng(1).normal(size=(3, theta.size))

    def loss(theta):
        return method(cross_entropy(model), theta, episode, 0.0, 0).loss

    gradient = method(cross_entropy(model), theta, episode, 0.0, 0).theta
    numpy.testing.assert_allclose(directions @ gradient, central_difference(loss, theta, directions), rtol=1e-6)


@pytest.mark.parametrize("method", METHODS.values())
def test_many_tasks_in_blocks_give_the_mean_over_tasks(method):
    model, episode = MLP([5, 200, 100]), batch(tasks=40)
    objective, theta = cross_entropy(model), model.init(numpy.random.default_rng(0))
    whole = method(objective, theta, episode, 0.0, 0)
    each = [
        method(objective, theta, Episode(task(episode.support, t), task(episode.query, t), {}), 0.0, 0)
        for t in range(40)
    ]
    assert whole.loss == pytest.approx(numpy.mean([one.loss for one in each]))
    numpy.testing.assert_allclose(whole.theta, numpy.mean([one.theta for one in each], axis=0), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3), max_size=2), st.integers(2, 5), st.integers(1, 4), st.integers(1, 4))
def test_prototypes_are_class_means_for_any_leading_axes(leading, ways, shots, width):
    rng = numpy.random.default_rng(0)
    z = rng.normal(size=(*leading, ways * shots, width))
    y = rng.permuted(numpy.broadcast_to(numpy.repeat(numpy.arange(ways), shots), z.shape[:-1]), axis=-1)
    c = prototypes(z, y, ways)
    assert c.shape == (*leading, ways, width)
    for index in numpy.ndindex(*leading):
        for n in range(ways):
            numpy.testing.assert_allclose(c[index][n], z[index][y[index] == n].mean(axis=0))


def test_prototypes_are_a_linear_classifier():
    rng = numpy.random.default_rng(0)
    c, z = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 6, 4))
    weights, bias = as_linear(c)
    scores = z @ weights + bias[:, None]
    distances = numpy.sum((z[:, :, None] - c[:, None]) ** 2, axis=-1)
    numpy.testing.assert_allclose(scores - numpy.sum(z**2, axis=-1, keepdims=True), -distances)
    assert numpy.array_equal(scores.argmax(-1), log_probabilities(z, c).argmax(-1))


def test_probabilities_are_the_softmax_of_minus_the_squared_distance_and_sum_to_1():
    rng = numpy.random.default_rng(0)
    c, z = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 6, 4))
    closeness = numpy.exp(-numpy.sum((z[:, :, None] - c[:, None]) ** 2, axis=-1))
    numpy.testing.assert_allclose(numpy.exp(log_probabilities(z, c)), closeness / closeness.sum(-1, keepdims=True))
    p = numpy.exp(matching(z, c, numpy.array([[2, 0, 1], [0, 1, 2]]), 3))
    numpy.testing.assert_allclose(p.sum(axis=-1), 1)


def test_distances_of_any_size_give_finite_log_probabilities():
    c = numpy.array([[0.0, 0.0], [1e6, 0.0]])
    far = log_probabilities(numpy.array([[1.0, 0.0], [-1e6, 1e6]]), c)
    numpy.testing.assert_allclose(far[0], [0, -(1e12 - 2e6)], rtol=1e-12)
    assert numpy.all(numpy.isfinite(far)) and far[1, 0] == 0


def test_a_place_far_from_zero_costs_no_digits():
    c, z = numpy.array([[0.0, 1.0], [1.0, 0.0]]), numpy.array([[0.2, 0.7]])
    numpy.testing.assert_allclose(log_probabilities(z + 2.0**30, c + 2.0**30), log_probabilities(z, c), atol=1e-6)


def test_matching_sees_directions_alone_and_adds_the_attention_within_a_class():
    rng = numpy.random.default_rng(0)
    z, support, y = rng.normal(size=(4, 3)), rng.normal(size=(5, 3)), numpy.array([0, 1, 1, 0, 1])
    p = matching(z, support, y, 2)
    numpy.testing.assert_allclose(matching(7 * z, support / 3, y, 2), p)
    one_each = matching(z, support, numpy.arange(5), 5)
    numpy.testing.assert_allclose(numpy.exp(p[:, 0]), numpy.exp(one_each[:, [0, 3]]).sum(axis=-1))


@pytest.mark.parametrize("method", METHODS.values())
def test_an_embedding_of_nothing_but_zeros_has_a_finite_gradient(method):
    model, episode = MLP([5, 4]), batch()
    gradient = method(cross_entropy(model), numpy.zeros(model.size), episode, 0.0, 0)
    assert gradient.loss == pytest.approx(numpy.log(3)) and numpy.all(numpy.isfinite(gradient.theta))


@pytest.mark.parametrize("method", METHODS.values())
def test_meta_train_takes_a_metric_method_like_any_other(method):
    model, rng = MLP([400, 16, 8]), numpy.random.default_rng(0)
    settings = {"alpha": 0.0, "steps": 0, "tasks": 4, "shots": 1, "queries": 3, "learning_rate": 3e-3}
    states = meta_train(method, cross_entropy(model), Glyphs(ways=3), model.init(rng), rng, **settings)
    losses = [state.loss for state in islice(states, 60)]
    assert numpy.mean(losses[-10:]) < numpy.mean(losses[:10]) - 0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prototypes(numpy.ones((2, 3)), numpy.array([0, 2]), 3), "none of class 1: draw as many shots of each"),
        (lambda: prototypes(numpy.ones((2, 3)), numpy.array([0, 2]), 2), "labels 0 … 1 .* got 2"),
        (lambda: matching(numpy.ones((1, 3)), numpy.ones((2, 3)), numpy.array([0, 0]), 2), "none of class 1"),
        (lambda: prototypes(numpy.ones((2, 3)), numpy.array([0, 1, 1]), 2), "must have the same rows"),
        (lambda: prototypical_networks(*unknown_label(), 0.0, 0), "labels 0 … 2 .* got 3"),
    ],
)
def test_labels_that_do_not_fit_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def unknown_label():
    """A query example of a class that no support example has."""
    model, episode = MLP([5, 4]), batch()
    query = Data(episode.query.x, numpy.where(episode.query.y == 0, 3, episode.query.y))
    return cross_entropy(model), numpy.zeros(model.size), episode._replace(query=query)
