"""Sweeps: the same numbers as meta-testing, whichever task diverges, whatever they run on, whoever is killed."""

import os
import pickle
import signal
import sys
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from mlcourse import (
    MLP,
    Data,
    Episode,
    Linear,
    Lines,
    Sinusoids,
    cross_entropy,
    evaluate_episode,
    executors,
    fomaml,
    maml,
    mean_squared_error,
    meta_train,
    relu,
    run_all,
    sweep,
    tanh,
)
from tests.clusters import two_workers

OBJECTIVE = mean_squared_error(Linear(1, bias=False))
THETA = np.array([0.3])
ALPHAS = [0.5, 0.1, 3.0, 0.2, 1e3]


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def cluster():
    with two_workers() as client:
        yield client.get_executor()


def square(number):
    return number**2


def test_processes_are_taken_where_there_are_any(monkeypatch):
    with executors.processes(1) as pool:
        assert isinstance(pool, ProcessPoolExecutor) and run_all(square, [(2,), (3,)], pool) == [4, 9]
    monkeypatch.setattr(sys, "platform", "emscripten")
    with executors.processes(1) as pool:
        assert pool is None and run_all(square, [(2,), (3,)], pool) == [4, 9]


@pytest.fixture(params=["processes", "cluster"])
def executor(request):
    return request.getfixturevalue(request.param)


def lines(tasks=4):
    return Lines().sample(np.random.default_rng(0), tasks, 5, 6)


def test_a_sweep_is_meta_testing_for_each_step_size():
    losses = sweep(OBJECTIVE, THETA, lines(), [0.1, 0.5], steps=3)
    assert losses.shape == (2, 4, 4)
    for alpha, loss in zip([0.1, 0.5], losses, strict=True):
        np.testing.assert_allclose(loss, evaluate_episode(OBJECTIVE, THETA, lines(), alpha, 3).losses, rtol=1e-12)


def test_a_task_that_diverges_is_infinite_from_there_on_and_the_others_go_on():
    x = np.array([0.1, 10.0])[:, None, None] * np.ones((2, 3, 1))  # curvatures 0.02 and 200
    data = Data(x, 2 * x)
    losses = sweep(OBJECTIVE, THETA, Episode(data, data, {}), [1.0], steps=400)[0]
    assert np.all(np.isfinite(losses[:, 0])) and losses[-1, 0] < losses[0, 0]
    first = np.argmax(np.isinf(losses[:, 1]))
    assert first > 0 and np.all(np.isinf(losses[first:, 1]))


def test_a_sweep_is_the_same_on_an_executor(executor):
    model = MLP([1, 8, 1])
    episode = Sinusoids().sample(np.random.default_rng(0), 5, 5, 6)
    job = mean_squared_error(model), model.init(np.random.default_rng(1)), episode, ALPHAS, 3
    assert np.array_equal(sweep(*job), sweep(*job, executor=executor))


def trained(alpha, steps, seed):
    rng, model = np.random.default_rng(seed), MLP([1, 6, 1])
    settings = {"alpha": alpha, "steps": steps, "tasks": 3, "shots": 5, "queries": 5, "learning_rate": 1e-3}
    states = meta_train(maml, mean_squared_error(model), Sinusoids(), model.init(rng), rng, **settings)
    return [next(states) for _ in range(5)][-1]


def test_training_over_step_sizes_steps_and_seeds_gives_the_same_states_in_the_same_order(executor):
    jobs = [(alpha, steps, seed) for alpha in (0.1, 0.01) for steps in (3, 1) for seed in (1, 0)]
    for here, there in zip(run_all(trained, jobs), run_all(trained, jobs, executor), strict=True):
        assert np.array_equal(here.theta, there.theta) and here.loss == there.loss and here.random == there.random


def killed_once(number, marker):
    """number squared; the first process that comes to number 3 dies of it."""
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def squares(executor, marker):
    return run_all(killed_once, [(number, marker) for number in range(8)], executor)


def test_a_killed_process_of_a_pool_costs_no_result(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        assert squares(pool, tmp_path / "killed") == [number**2 for number in range(8)]
    assert (tmp_path / "killed").exists()


def test_a_killed_worker_of_a_cluster_costs_no_result(cluster, tmp_path):
    assert squares(cluster, tmp_path / "killed") == [number**2 for number in range(8)]
    assert (tmp_path / "killed").exists()


class KilledOnce:
    """OBJECTIVE, but the process that is the first to come to the step size that diverges dies of it."""

    def __init__(self, marker):
        self.marker = marker

    def value(self, theta, data):
        if np.max(np.abs(theta)) > 100 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return OBJECTIVE.value(theta, data)

    def grad(self, theta, data):
        return OBJECTIVE.grad(theta, data)

    def hvp(self, theta, data, v):
        return OBJECTIVE.hvp(theta, data, v)


def test_a_sweep_whose_worker_is_killed_on_the_way_gives_the_same_losses_in_the_same_order(cluster, tmp_path):
    losses = sweep(KilledOnce(tmp_path / "killed"), THETA, lines(), ALPHAS, 3, executor=cluster)
    assert (tmp_path / "killed").exists()
    assert np.array_equal(losses, sweep(OBJECTIVE, THETA, lines(), ALPHAS, 3))


def killed_always(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_job_that_kills_each_process_it_gets_ends_the_sweep():
    with ProcessPoolExecutor(1) as pool, pytest.raises(BrokenExecutor) as caught:
        run_all(killed_always, [(0,), (1,), (2,)], pool)
    assert caught.value.__notes__ == ["2 of 3 jobs were not done"]


class Loses(ThreadPoolExecutor):
    """Of the jobs that it is given it fails to bring the first few results."""

    def __init__(self, few):
        super().__init__(1)
        self.few = few

    def submit(self, function, *arguments):
        future = super().submit(function, *arguments)
        if self.few:
            self.few -= 1
            future.result()
            future = Future()
            future.set_exception(ValueError("too many values to unpack"))  # as Dask has it
        return future


def test_a_result_that_the_executor_loses_is_computed_again():
    assert run_all(pow, [(number, 2) for number in range(4)], Loses(3)) == [0, 1, 4, 9]


def test_an_executor_that_brings_nothing_ends_the_sweep():
    with pytest.raises(ValueError, match="too many values") as caught:
        run_all(pow, [(number, 2) for number in range(4)], Loses(100))
    assert caught.value.__notes__ == ["4 of 4 jobs were not done"]


def refused(number):
    if number == 2:
        raise ValueError("2 is not for us")
    return number


@pytest.mark.parametrize("make", [lambda: None, lambda: ThreadPoolExecutor(1), lambda: ProcessPoolExecutor(1)])
def test_the_error_of_a_job_says_which_job_it_was(make):
    with pytest.raises(ValueError, match="2 is not for us") as caught:
        run_all(refused, [(1,), (2,), (3,)], make())
    assert "in the job refused(2,)" in caught.value.__notes__


def test_a_bar_counts_the_jobs_where_it_is_asked_for(capsys):
    run_all(refused, [(0,), (1,)], progress=True, label="a sweep")
    assert "a sweep: 100%" in capsys.readouterr().err
    run_all(refused, [(0,), (1,)], label="a sweep")  # no terminal here
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("model", [MLP([2, 4, 3]), MLP([2, 3], tanh), Linear(2, 3, bias=False), MLP([2, 4, 3], relu)])
def test_an_objective_is_the_same_after_a_journey(model):
    theta, data = model.init(np.random.default_rng(0)), Data(np.ones((5, 2)), np.arange(5) % 3)
    objective = cross_entropy(model)
    copy = pickle.loads(pickle.dumps(objective))
    assert type(copy) is type(objective) and copy.model.parts == model.parts and copy.model.shapes == model.shapes
    assert np.array_equal(copy.grad(theta, data), objective.grad(theta, data))
    for method in (maml, fomaml):
        assert pickle.loads(pickle.dumps(method)) is method
