"""Sweeping the inner step size: the same numbers as meta-testing, and a diverging task stops no other."""

import numpy as np

from mlcourse import Data, Episode, Linear, Lines, evaluate_episode, mean_squared_error, sweep

OBJECTIVE = mean_squared_error(Linear(1, bias=False))
THETA = np.array([0.3])


def test_a_sweep_is_meta_testing_for_each_step_size():
    episode = Lines().sample(np.random.default_rng(0), 4, 5, 6)
    losses = sweep(OBJECTIVE, THETA, episode, [0.1, 0.5], steps=3)
    assert losses.shape == (2, 4, 4)
    for alpha, loss in zip([0.1, 0.5], losses, strict=True):
        np.testing.assert_allclose(loss, evaluate_episode(OBJECTIVE, THETA, episode, alpha, 3).losses, rtol=1e-12)


def test_a_task_that_diverges_is_infinite_from_there_on_and_the_others_go_on():
    x = np.array([0.1, 10.0])[:, None, None] * np.ones((2, 3, 1))  # curvatures 0.02 and 200
    data = Data(x, 2 * x)
    losses = sweep(OBJECTIVE, THETA, Episode(data, data, {}), [1.0], steps=400)[0]
    assert np.all(np.isfinite(losses[:, 0])) and losses[-1, 0] < losses[0, 0]
    first = np.argmax(np.isinf(losses[:, 1]))
    assert first > 0 and np.all(np.isinf(losses[first:, 1]))
