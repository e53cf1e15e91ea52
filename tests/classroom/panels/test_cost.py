"""Panel "cost": its counts beside the memory that the package and autograd take, and the products that they make."""

import tracemalloc

import autograd.numpy as np
import pytest
from autograd import grad as gradient_of
from autograd.core import VJPNode
from autograd.tracer import Node, notrace_primitives, trace

from mlcourse import MLP, Sinusoids, fomaml, imaml, maml, mean_squared_error
from mlcourse.classroom.panels.cost import compute, kept, multiplications, work


class Problem:
    """A network with its tasks, all of them in one block, and the ways to its meta-gradient."""

    def __init__(self, width, points, tasks):
        self.model, self.alpha = MLP([1, width, width, 1]), 0.001
        self.objective = mean_squared_error(self.model)
        self.through_autograd = mean_squared_error(self.model, derivatives="autograd")
        self.theta = self.model.init(np.random.default_rng(0))
        self.episode = Sinusoids().sample(np.random.default_rng(1), tasks, points, points)
        self.tasks, self.per_unit = tasks, points * sum(self.model.sizes)

    def unrolled_loss(self, steps):
        def loss(theta):
            theta = theta + np.zeros((self.tasks, 1))
            for _ in range(steps):
                theta = theta - self.alpha * self.through_autograd.grad(theta, self.episode.support)
            return np.mean(self.through_autograd.value(theta, self.episode.query))

        return loss

    def alone(self, steps):
        path = [self.theta]
        for _ in range(steps):
            path.append(path[-1] - self.alpha * self.objective.grad(path[-1], self.episode.support))
        v = self.objective.grad(path.pop(), self.episode.query)
        while path:
            v = v - self.alpha * self.objective.hvp(path.pop(), self.episode.support, v)
        return v.mean(axis=0)

    def by(self, method, steps):
        return method.__wrapped__(self.objective, self.theta, self.episode, self.alpha, steps).theta

    def ways(self):
        return {
            "unrolled graph": lambda steps: gradient_of(self.unrolled_loss(steps))(self.theta),
            "places": lambda steps: self.by(maml, steps),
            "θ_i alone": self.alone,
            "first-order": lambda steps: self.by(fomaml, steps),
            "implicit": lambda steps: self.by(imaml, steps),
        }


def peak(call):
    """The most bytes that a call holds at once."""
    call()
    tracemalloc.start()
    call()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("width, points, tasks", [(40, 10, 25), (40, 200, 5), (100, 20, 10)])
def test_memory_is_what_the_ways_take(width, points, tasks):
    problem = Problem(width, points, tasks)
    for steps in (2, 8):
        counted = kept(problem.model.size, problem.per_unit, steps)
        for name, way in problem.ways().items():
            measured = peak(lambda way=way, steps=steps: way(steps)) / 8 / tasks
            assert counted[name] == pytest.approx(measured, rel=0.12), (name, steps)


def test_both_recursions_and_the_graph_give_the_same_gradient():
    problem = Problem(20, 5, 4)
    graph, places, alone = (problem.ways()[name](3) for name in ("unrolled graph", "places", "θ_i alone"))
    assert np.allclose(places, graph, rtol=1e-9, atol=1e-12)
    assert np.allclose(alone, graph, rtol=1e-9, atol=1e-12)


def test_the_unrolled_graph_multiplies_as_often_as_the_recursion():
    problem = Problem(20, 5, 4)
    made = 0

    class Counting(Node):
        def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
            nonlocal made
            if fun.__name__ == "matmul":
                once = np.prod(np.shape(value)) * np.shape(args[0])[-1]
                made += once * (1 + len(parents))  # forward, and back to each factor that is not a constant

        def initialize_root(self):
            pass

    notrace_primitives[Counting] = notrace_primitives[VJPNode]  # comparisons and the like are not recorded
    trace(Counting.new_root(), problem.unrolled_loss(3), problem.theta)
    gradient, *_ = multiplications(problem.model.sizes)
    in_gradients = made / (4 * 5 * gradient)
    assert in_gradients == pytest.approx(work(problem.model.sizes, 3, 5)["unrolled graph"])


def test_a_product_costs_two_gradients_but_for_the_inputs():
    gradient, product, again = multiplications((1, 40, 40, 1))
    assert (gradient, product, again) == (5000, 9920, 3320)


@pytest.mark.parametrize("width", [26, 27, 28])
def test_theta_and_the_units_weigh_the_same_at_a_width_of_27_for_ten_points(width):
    numbers = compute(None, steps=5, tasks=1, shots=10, width=width, iterations=5)
    assert (numbers.of_theta > numbers.of_units) == (width > 27)
