"""Few-shot classifiers on the same episodes: what each decides, how often it is right, and the passes that it makes."""

from itertools import islice

import numpy as np
import pytest

from mlcourse import MLP, Data, DivergenceError, Episode, Glyphs, adapt, cross_entropy, joint_training, meta_train
from mlcourse.few_shot import (
    SameLabels,
    by_gradient_steps,
    by_matching,
    by_pixels,
    by_prototypes,
    few_shot_accuracy,
    head_only,
    with_new_head,
)
from mlcourse.metric import prototypical_networks

MODEL = MLP([400, 16, 5])
OBJECTIVE = cross_entropy(MODEL)
THETA = MODEL.init(np.random.default_rng(0))
EPISODE = Glyphs(split="test").sample(np.random.default_rng(1), 60, 2, 3)


def test_a_classifier_that_knows_is_always_right_and_one_that_guesses_is_right_once_in_n():
    def knows(objective, theta, support, x, alpha, steps):
        return np.broadcast_to(np.repeat(np.arange(5), 3), x.shape[:-1])

    def guesses(objective, theta, support, x, alpha, steps):
        return np.zeros(x.shape[:-1], dtype=int)

    assert few_shot_accuracy(knows, OBJECTIVE, THETA, EPISODE)[:2] == (1, 0)
    assert few_shot_accuracy(guesses, OBJECTIVE, THETA, EPISODE).mean == pytest.approx(0.2)


def test_the_interval_is_over_episodes_and_not_over_images():
    accuracy = few_shot_accuracy(by_pixels, OBJECTIVE, THETA, EPISODE)
    assert accuracy.correct.shape == (60,) and accuracy.mean == pytest.approx(accuracy.correct.mean())
    assert accuracy.half_width == pytest.approx(1.96 * accuracy.correct.std(ddof=1) / np.sqrt(60))
    assert str(accuracy).startswith(f"{accuracy.mean:.3f} ± {accuracy.half_width:.3f}, 0 gradients")


def test_the_nearest_picture_decides_by_pixels():
    (x, y), (x_query, y_query) = EPISODE[:2]
    nearest = np.linalg.norm(x_query[:, :, None] - x[:, None], axis=-1).argmin(axis=-1)
    right = np.take_along_axis(y, nearest, axis=-1) == y_query
    assert np.array_equal(few_shot_accuracy(by_pixels, OBJECTIVE, THETA, EPISODE).correct, right.mean(axis=-1))


def test_gradient_steps_decide_by_the_largest_output_at_theta_prime():
    theta_prime = adapt(OBJECTIVE, THETA, EPISODE.support, 0.3, 4)
    right = MODEL(theta_prime, EPISODE.query.x).argmax(axis=-1) == EPISODE.query.y
    accuracy = few_shot_accuracy(by_gradient_steps, OBJECTIVE, THETA, EPISODE, 0.3, 4)
    assert np.array_equal(accuracy.correct, right.mean(axis=-1))


@pytest.mark.parametrize("classifier", [by_prototypes, by_matching])
def test_an_embedding_that_separates_the_classes_decides_rightly(classifier):
    corners = np.repeat(np.eye(3), 2, axis=0) * np.tile([[3], [4]], (3, 1))
    data = Data(np.stack([corners, corners + 0.1]), np.tile(np.repeat([2, 0, 1], 2), (2, 1)))
    model = MLP([3, 3])
    theta = np.append(np.eye(3).ravel(), np.zeros(3))  # the embedding is the input
    assert few_shot_accuracy(classifier, cross_entropy(model), theta, Episode(data, data, {})).mean == 1


@pytest.mark.parametrize(
    ("classifier", "gradients", "forward"),
    [(by_gradient_steps, 5, 1), (by_prototypes, 0, 2), (by_matching, 0, 2), (by_pixels, 0, 0)],
)
def test_the_passes_of_a_task_are_counted(classifier, gradients, forward):
    accuracy = few_shot_accuracy(classifier, OBJECTIVE, THETA, EPISODE, 0.1, 5)
    assert (accuracy.gradients, accuracy.forward) == (gradients, forward)


def test_a_classifier_of_ones_own_is_counted_too_whatever_it_loops_over():
    def one_by_one(objective, theta, support, x, alpha, steps):
        labels = []
        for t in range(len(x)):
            objective.value(theta, Data(support.x[t], support.y[t]))
            theta_prime = theta - alpha * objective.grad(theta, Data(support.x[t], support.y[t]))
            labels.append(objective.model(theta_prime, x[t]).argmax(axis=-1))
        return labels

    own = few_shot_accuracy(one_by_one, OBJECTIVE, THETA, EPISODE, 0.1, 1)
    ours = few_shot_accuracy(by_gradient_steps, OBJECTIVE, THETA, EPISODE, 0.1, 1)
    assert (own.gradients, own.forward) == (1, 2) and np.array_equal(own.correct, ours.correct)


def test_a_step_size_that_diverges_is_no_accuracy():
    with pytest.raises(DivergenceError):
        few_shot_accuracy(by_gradient_steps, OBJECTIVE, THETA, EPISODE, 1e308, 3)


def test_labels_that_mean_the_same_in_all_tasks_are_the_classes_themselves():
    glyphs = Glyphs(ways=3)
    relabelled = SameLabels(glyphs).sample(np.random.default_rng(0), 4, 2, 3)
    episode = glyphs.sample(np.random.default_rng(0), 4, 2, 3)
    for data, before in zip(relabelled[:2], episode[:2], strict=True):
        assert np.array_equal(data.x, before.x)
        for t in range(4):
            assert np.array_equal(data.y[t], episode.tasks["classes"][t][before.y[t]])


def test_joint_training_with_labels_of_all_classes_and_a_new_head_beats_a_random_start_and_shuffled_labels():
    """The baseline that is fair to joint training: an output for each class, then a head of its own for each task."""
    glyphs = Glyphs(split="validation")
    wide, settings = MLP([400, 32, len(glyphs.characters)]), {"alpha": 0.0, "steps": 0, "tasks": 8}
    settings |= {"shots": 1, "queries": 1, "learning_rate": 3e-3}
    model, rng = MLP([400, 32, 5]), np.random.default_rng(0)
    alpha, accuracy = head_only(model, 1.0), {}
    for name, distribution, trained in (("joint", SameLabels(glyphs), wide), ("shuffled", glyphs, model)):
        start = trained.init(np.random.default_rng(0))
        states = meta_train(joint_training, cross_entropy(trained), distribution, start, rng, **settings)
        *_, state = islice(states, 300)
        accuracy[name] = with_new_head(state.theta, trained, model)
    accuracy["random"] = with_new_head(wide.init(np.random.default_rng(0)), wide, model)
    mean = {
        name: few_shot_accuracy(by_gradient_steps, cross_entropy(model), theta, EPISODE, alpha, 10).mean
        for name, theta in accuracy.items()
    }
    assert mean["joint"] > mean["random"] + 0.02 and mean["joint"] > mean["shuffled"] + 0.02, mean


def test_a_new_head_keeps_the_body_and_starts_from_zero():
    old, new = MLP([4, 3, 7]), MLP([4, 3, 2])
    theta = old.init(np.random.default_rng(0))
    parts, before = new.unpack(with_new_head(theta, old, new)), old.unpack(theta)
    assert np.array_equal(parts["W1"], before["W1"]) and np.array_equal(parts["b1"], before["b1"])
    assert not parts["W2"].any() and not parts["b2"].any()
    with pytest.raises(ValueError, match="new_model must have the body of model, layers \\(4, 3\\), got \\(4, 5\\)"):
        with_new_head(theta, old, MLP([4, 5, 2]))


def test_a_little_meta_training_beats_the_pixels_on_scripts_never_seen():
    model, rng = MLP([400, 32, 32]), np.random.default_rng(0)
    settings = {"alpha": 0.0, "steps": 0, "tasks": 8, "shots": 2, "queries": 3, "learning_rate": 2e-3}
    states = meta_train(prototypical_networks, cross_entropy(model), Glyphs(), model.init(rng), rng, **settings)
    *_, state = islice(states, 150)
    trained = few_shot_accuracy(by_prototypes, cross_entropy(model), state.theta, EPISODE)
    pixels = few_shot_accuracy(by_pixels, cross_entropy(model), state.theta, EPISODE)
    assert trained.mean - trained.half_width > pixels.mean + pixels.half_width
