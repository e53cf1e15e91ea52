"""What a meta-learner is compared with: closed forms, and a mixed model that finds what the data were made with."""

import numpy as np
import pytest

from mlcourse import Data, FromTable, Lines, confidence_interval
from mlcourse.baselines import mixed_model, one_line, own_line, powers, support_mean, task_errors
from mlcourse.classroom.data import LIFE_EXPECTANCY


def curves(rng, tasks, mean, covariance, noise, rows=(4, 15)):
    """Tasks of a mixed model, with different numbers of rows."""
    made = []
    for w in rng.multivariate_normal(mean, covariance, tasks):
        x = rng.normal(size=(rng.integers(*rows), 1))
        made.append(Data(x, powers(x, len(mean) - 1) @ w[:, None] + noise * rng.normal(size=x.shape)))
    return made


MEAN, COVARIANCE, NOISE = np.array([1.0, -2.0]), np.array([[1.0, 0.6], [0.6, 0.8]]), 0.3


def test_powers_are_those_of_each_column():
    x = np.array([[2.0, 3.0]])
    assert powers(x, 2).tolist() == [[1, 2, 3, 4, 9]]
    assert powers(np.zeros((5, 4, 2))).shape == (5, 4, 3)


def test_the_mean_of_the_support_is_flat():
    support = Data(np.zeros((2, 3, 1)), np.arange(6.0).reshape(2, 3, 1))
    assert support_mean([])(support, np.zeros((2, 4, 1)))[..., 0].tolist() == [[1] * 4, [4] * 4]


def test_a_line_of_its_own_goes_through_a_line():
    support, query, _ = Lines(mean=3).sample(np.random.default_rng(0), 6, 4, 5)
    assert np.allclose(own_line([])(support, query.x), query.y)


def test_a_line_of_its_own_through_one_point_is_flat():
    support = Data(np.array([[2.0]]), np.array([[5.0]]))
    assert np.allclose(own_line([])(support, np.array([[2.0], [9.0]])), 5)


def test_a_line_of_its_own_is_least_squares_with_an_intercept():
    rng = np.random.default_rng(0)
    support = Data(rng.normal(2, 1, (4, 6, 2)), rng.normal(size=(4, 6, 1)))
    x = rng.normal(size=(4, 3, 2))
    for t in range(4):
        weights = np.linalg.lstsq(powers(support.x[t]), support.y[t])[0]
        assert np.allclose(own_line([])(support, x)[t], powers(x[t]) @ weights)


def test_one_line_is_that_of_all_rows_whatever_the_support():
    tasks = curves(np.random.default_rng(0), 10, MEAN, COVARIANCE, NOISE)
    x, y = (np.concatenate(each)[:, 0] for each in zip(*tasks, strict=True))
    slope, level = np.polyfit(x, y, 1)
    predicted = one_line(tasks)(None, np.array([[[0.0], [1.0]]]))
    assert np.allclose(predicted[..., 0], [level, level + slope])


def test_the_mixed_model_finds_the_prior_that_tasks_were_drawn_from():
    found = mixed_model(curves(np.random.default_rng(0), 3000, MEAN, COVARIANCE, NOISE))
    assert np.allclose(found.mean, MEAN, atol=0.05)
    assert np.allclose(found.covariance, COVARIANCE, atol=0.07)
    assert found.noise == pytest.approx(NOISE, abs=0.01)


def likelihood(tasks, model):
    """Log likelihood of the tasks with the weights integrated out: y ~ N(A mean, A C A^T + noise^2 I)."""
    total = 0.0
    for x, y in tasks:
        a = powers(x, model.degree)
        spread = a @ model.covariance @ a.T + model.noise**2 * np.eye(len(y))
        off = y[:, 0] - a @ model.mean
        total -= 0.5 * (off @ np.linalg.solve(spread, off) + np.linalg.slogdet(2 * np.pi * spread)[1])
    return total


def test_no_iteration_of_em_lowers_the_likelihood():
    tasks = curves(np.random.default_rng(1), 25, MEAN, COVARIANCE, NOISE)
    path = [likelihood(tasks, mixed_model(tasks, iterations=n)) for n in (1, 2, 3, 5, 10, 30, 100, 300)]
    assert np.all(np.diff(path) > -1e-8)
    assert path[-1] == pytest.approx(likelihood(tasks, mixed_model(tasks, iterations=2000)), abs=1e-3)


def test_the_likelihood_is_greatest_where_em_ends():
    tasks = curves(np.random.default_rng(2), 40, MEAN, COVARIANCE, NOISE)
    best = mixed_model(tasks, iterations=3000)
    for change in (1.02, 0.98):
        for field in ("mean", "covariance", "noise"):
            other = best._replace(**{field: change * getattr(best, field)})
            assert likelihood(tasks, other) < likelihood(tasks, best)


def test_its_prediction_is_that_of_the_posterior_and_shrinks_towards_the_mean():
    model = mixed_model(curves(np.random.default_rng(0), 50, MEAN, COVARIANCE, NOISE))
    (support,) = curves(np.random.default_rng(5), 1, MEAN, COVARIANCE, NOISE, rows=(3, 4))
    a, precision = powers(support.x), np.linalg.inv(model.covariance)
    left = precision + a.T @ a / model.noise**2
    w = np.linalg.solve(left, precision @ model.mean + a.T @ support.y[:, 0] / model.noise**2)
    grid = np.linspace(-2, 2, 5)[:, None]
    assert np.allclose(model(support, grid)[:, 0], powers(grid) @ w, atol=1e-6)
    deaf = model._replace(noise=1e6)
    assert np.allclose(deaf(support, grid)[:, 0], powers(grid) @ model.mean, atol=1e-3)


def test_the_mixed_model_is_better_than_either_extreme_where_tasks_are_related():
    rng = np.random.default_rng(3)
    model = mixed_model(curves(rng, 100, MEAN, COVARIANCE, 0.5))
    new = curves(rng, 300, MEAN, COVARIANCE, 0.5, rows=(13, 14))
    x, y = (np.stack(each) for each in zip(*new, strict=True))
    support, query = Data(x[:, :3], y[:, :3]), Data(x[:, 3:], y[:, 3:])
    learners = model, own_line([]), support_mean([])
    errors = [np.mean((learner(support, query.x) - query.y) ** 2, axis=(1, 2)) for learner in learners]
    for others in errors[1:]:
        mean, half = confidence_interval(errors[0] - others)
        assert mean + half < 0


def test_task_errors_are_in_the_files_units_and_in_the_order_of_the_names():
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    *_, test = table.split(np.random.default_rng(0), 27, 27)
    flat = lambda support, x: np.zeros_like(x)  # noqa: E731 (the mean of all training rows)
    errors = task_errors(flat, test, np.random.default_rng(1), shots=1, queries=11, draws=40)
    for name, error in zip(test.names, errors, strict=True):
        ages = table.rows[name].y
        assert error == pytest.approx(np.sqrt(np.mean((ages - test.scale.y_mean) ** 2)), rel=0.03)
    again = task_errors(flat, test, np.random.default_rng(1), shots=1, queries=11, draws=40)
    assert np.array_equal(errors, again)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("alike", [False, True])
def test_tasks_without_noise_or_all_alike_are_fitted_and_break_nothing(degree, alike):
    rng = np.random.default_rng(0)
    tasks = curves(rng, 30, MEAN, 0 * COVARIANCE if alike else COVARIANCE, 0.0, rows=(6, 7))
    model = mixed_model(tasks, degree)
    new = curves(rng, 1, MEAN, 0 * COVARIANCE if alike else COVARIANCE, 0.0, rows=(4, 5))[0]
    assert np.all(np.isfinite(model.covariance)) and model.noise > 0
    assert np.max(np.abs(model(new, new.x) - new.y)) < 0.05


def test_columns_that_say_the_same_are_no_trouble():
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 2, (6, 1)) * 1.0 for _ in range(20)]
    model = mixed_model([Data(np.hstack([x, x]), rng.normal(size=x.shape)) for x in columns], degree=3)
    assert np.all(np.isfinite(model(Data(np.ones((3, 2)), np.ones((3, 1))), np.zeros((2, 2)))))
