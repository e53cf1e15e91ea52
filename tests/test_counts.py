"""What a meta-gradient costs, in counts that no busy machine can blur: passes, products, calls into NumPy, bytes."""

import tracemalloc
from collections import Counter
from functools import cached_property
from types import SimpleNamespace

import numpy as np
import pytest

from mlcourse import (
    MLP,
    Sinusoids,
    adapt,
    evaluate_episode,
    fomaml,
    imaml,
    joint_training,
    maml,
    mean_squared_error,
    reptile,
    trajectory,
)
from mlcourse import derivatives as derivatives_module
from mlcourse.derivatives import MLPPlace
from tests.test_objectives import Foreign

MODEL = MLP([1, 40, 40, 1])
OBJECTIVE = mean_squared_error(MODEL)
THETA = MODEL.init(np.random.default_rng(0))


def episode(tasks, shots=10):
    return Sinusoids().sample(np.random.default_rng(1), tasks, shots, 10)


@pytest.fixture
def counts(monkeypatch):
    """Forward passes, backpropagations and Hessian products of all places from here on."""
    counted = Counter()

    def counting(name, function):
        def call(*arguments):
            counted[name] += 1
            return function(*arguments)

        return call

    for name in ("forward", "deltas"):
        property_ = cached_property(counting(name, getattr(MLPPlace, name).func))
        property_.__set_name__(MLPPlace, name)
        monkeypatch.setattr(MLPPlace, name, property_)
    monkeypatch.setattr(MLPPlace, "hvp", counting("hvp", MLPPlace.hvp))
    return counted


@pytest.mark.parametrize("m", [0, 1, 5])
def test_maml_makes_one_forward_pass_a_place_and_one_product_a_step(counts, m):
    maml(OBJECTIVE, THETA, episode(25), 0.01, m)
    assert counts == Counter(forward=m + 1, deltas=m + 1, hvp=m)


@pytest.mark.parametrize("m", [0, 1, 5])
def test_first_order_maml_makes_no_product(counts, m):
    fomaml(OBJECTIVE, THETA, episode(25), 0.01, m)
    assert counts == Counter(forward=m + 1, deltas=m + 1)


@pytest.mark.parametrize("m", [1, 5])
def test_reptile_looks_at_the_query_set_for_its_loss_alone(counts, m):
    reptile(OBJECTIVE, THETA, episode(25), 0.01, m)
    assert counts == Counter(forward=m + 1, deltas=m)


def test_joint_training_is_one_gradient(counts):
    joint_training(OBJECTIVE, THETA, episode(25), 0.01, 5)
    assert counts == Counter(forward=1, deltas=1)


def test_implicit_maml_solves_at_one_place(counts):
    imaml(OBJECTIVE, THETA, episode(25), 0.01, 5, iterations=7)
    assert counts == Counter(forward=5 + 2, deltas=5 + 2, hvp=7)


@pytest.mark.parametrize("way", [adapt, trajectory])
def test_adaptation_takes_one_gradient_a_step(counts, way):
    way(OBJECTIVE, THETA, episode(25).support, 0.01, 5)
    assert counts == Counter(forward=5, deltas=5)


def test_meta_testing_takes_one_gradient_and_one_loss_a_step(counts):
    evaluate_episode(OBJECTIVE, THETA, episode(25), 0.01, 5)
    assert counts == Counter(forward=5 + 6, deltas=5)


def test_an_objective_without_places_is_asked_for_nothing_twice():
    asked = Counter()

    class Counting(Foreign):
        def value(self, theta, data):
            asked["value"] += 1
            return super().value(theta, data)

        def grad(self, theta, data):
            asked["grad"] += 1
            return super().grad(theta, data)

        def hvp(self, theta, data, v):
            asked["hvp"] += 1
            return super().hvp(theta, data, v)

    maml(Counting(OBJECTIVE), THETA, episode(25), 0.01, 5)
    assert asked == Counter(value=1, grad=5 + 1, hvp=5)


class Counted(np.ndarray):
    """An array that counts the calls into NumPy that read or write it, or anything made from it."""

    calls = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        Counted.calls += 1
        if "out" in options:
            options["out"] = tuple(map(plain, options["out"]))
        return counted(getattr(ufunc, method)(*map(plain, inputs), **options))

    def __array_function__(self, function, types, arguments, options):
        with_plain = [[plain(each) for each in a] if isinstance(a, (list, tuple)) else plain(a) for a in arguments]
        Counted.calls += function not in (np.shape, np.ndim, np.broadcast_to, np.reshape)  # these touch no number
        return counted(function(*with_plain, **options))


def plain(array):
    return array.view(np.ndarray) if isinstance(array, Counted) else array


def counted(result):
    return result.view(Counted) if isinstance(result, np.ndarray) else result


def numpy_calls(monkeypatch, m):
    """Calls into NumPy on the arrays of one meta-gradient, beginning with the first place's activations."""
    with monkeypatch.context() as patch:
        own = {name: getattr(np, name) for name in dir(np)}
        own["empty"] = lambda shape: np.empty(shape).view(Counted)
        patch.setattr(derivatives_module, "np", SimpleNamespace(**own))
        Counted.calls = 0
        maml(OBJECTIVE, THETA, episode(25), 0.01, m)
    return Counted.calls


def test_a_step_and_its_way_back_take_few_calls_into_numpy(monkeypatch):
    two, three, four = (numpy_calls(monkeypatch, m) for m in (2, 3, 4))
    assert four - three == three - two, "the counts are steady"
    assert 30 <= three - two <= 50


def peak(call):
    """Bytes of memory that a call takes at most."""
    call()
    tracemalloc.start()
    call()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("shots", [5, 10])
def test_a_step_keeps_theta_its_gradient_and_three_numbers_a_unit_and_example(shots):
    tasks, units = 20, 41 + 41  # of the hidden layers, with the constant
    peaks = [peak(lambda m=m: maml(OBJECTIVE, THETA, episode(tasks, shots), 0.01, m)) for m in (3, 8)]
    kept = 8 * tasks * (2 * MODEL.size + 3 * shots * units)
    assert kept * 0.95 <= (peaks[1] - peaks[0]) / 5 <= kept * 1.05


@pytest.mark.parametrize("method", [maml, fomaml, reptile, joint_training, imaml])
def test_memory_does_not_grow_with_the_number_of_tasks(method):
    episodes = [episode(tasks) for tasks in (100, 400)]
    few, many = (peak(lambda batch=batch: method(OBJECTIVE, THETA, batch, 0.01, 3)) for batch in episodes)
    assert many <= 1.02 * few


@pytest.mark.parametrize("method", [fomaml, reptile, imaml])
def test_methods_that_do_not_go_back_keep_nothing_of_the_way(method):
    few, many = (peak(lambda m=m: method(OBJECTIVE, THETA, episode(25), 0.01, m)) for m in (3, 13))
    assert many <= 1.02 * few


def test_meta_testing_keeps_nothing_of_the_way():
    batch = episode(100)
    few, many = (peak(lambda m=m: evaluate_episode(OBJECTIVE, THETA, batch, 0.001, m)) for m in (3, 13))
    assert many <= 1.05 * few
