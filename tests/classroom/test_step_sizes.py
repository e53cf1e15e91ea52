"""The stored sweep of lesson 8: what it holds is what its recipe gives."""

import numpy as np
import pytest

from mlcourse import MLP, evaluate_episode, maml, mean_squared_error, tanh
from mlcourse.classroom.trained import step_sizes
from mlcourse.tasks import Sinusoids


def test_a_run_gives_the_stored_losses_again():
    stored = step_sizes.load()["one α a layer"][step_sizes.ALPHAS.index(0.01), 0, 0]
    assert step_sizes.job("one α a layer", 0.01, 1, 0) == pytest.approx(stored, rel=0.05)


def test_every_run_of_the_grid_is_there():
    stored = step_sizes.load()
    assert list(stored) == ["fixed", "Meta-SGD", *step_sizes.GROUPS]
    for how, losses in stored.items():
        steps = len(step_sizes.STEPS) if how == "fixed" else 1
        assert losses.shape == (len(step_sizes.ALPHAS), steps, len(step_sizes.SEEDS), len(step_sizes.ITERATIONS), 2)
        assert not np.any(np.isnan(losses))


@pytest.mark.parametrize("count", [1, 2, 6])
def test_the_gradient_in_shared_logarithms_is_that_of_central_differences(count):
    rng = np.random.default_rng(0)
    model = MLP([1, 4, 1], activation=tanh)
    objective, theta = mean_squared_error(model), model.init(rng)
    groups = rng.permutation(np.arange(model.size) % count)
    episode, rho = Sinusoids().sample(rng, 3, 5, 5), np.log(rng.uniform(0.01, 0.1, count))

    def loss(rho):
        return evaluate_episode(objective, theta, episode, np.exp(rho)[groups], steps=3).mean[3]

    gradient = step_sizes.in_logs(groups)(objective, theta, episode, rho, 3).alpha
    nudges = 1e-5 * np.eye(count)
    assert gradient == pytest.approx([(loss(rho + n) - loss(rho - n)) / 2e-5 for n in nudges], rel=1e-6)


def test_one_step_size_for_all_is_the_scalar_that_the_method_knows():
    rng = np.random.default_rng(1)
    theta, episode = step_sizes.MODEL.init(rng), Sinusoids().sample(rng, 3, 5, 5)
    alone = maml(step_sizes.OBJECTIVE, theta, episode, 0.01, 1).alpha
    shared = step_sizes.in_logs(step_sizes.GROUPS["one α"])(step_sizes.OBJECTIVE, theta, episode, np.log([0.01]), 1)
    assert shared.alpha == pytest.approx([0.01 * alone])


def test_a_pass_counts_a_gradient_as_one_and_a_hessian_product_as_two_and_a_half():
    assert step_sizes.passes(1) == 4.5 and step_sizes.passes(5) == 18.5
