"""Each recipe is what its name says: autograd straight through a loop that does it, or a plain loop written by hand."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from mlcourse import MLP, Data, Episode, maml, mean_squared_error, place, tanh
from mlcourse.recipes.deviations import AN_UPDATE_A_TASK, DEVIATIONS
from mlcourse.recipes.recipe import Kitchen, Recipe, idle
from tests.reference import loss_of, task

BETA = 0.3


class Bench:
    """A small network's loss on a few tasks, for the loops below, and the Kitchen on the same."""

    def __init__(self, seed=0, tasks=3, shots=4, queries=5, steps=3, alpha=0.1, sizes=(2, 3, 1), activation=tanh):
        rng = np.random.default_rng(seed)
        self.model = MLP(list(sizes), activation=activation)
        self.support, self.query = (
            Data(rng.normal(size=(tasks, rows, sizes[0])), rng.normal(size=(tasks, rows, 1)))
            for rows in (shots, queries)
        )
        self.theta = rng.normal(size=self.model.size)
        self.tasks, self.steps, self.alpha = range(tasks), steps, alpha
        self.shots, self.loss = shots, loss_of(self.model, "mean_squared_error")

    def kitchen(self, objective=None, **options):
        objective = objective or mean_squared_error(self.model)
        episode = Episode(self.support, self.query, {})
        return Kitchen(objective, self.theta, episode, self.alpha, self.steps, **options)

    def s(self, t):
        return task(self.support, t)

    def q(self, t):
        return task(self.query, t)

    def both(self, t):
        return Data(*(np.concatenate(each) for each in zip(self.s(t), self.q(t), strict=True)))

    def slope(self, theta, data):
        return grad(self.loss)(theta, data)

    def hvp(self, theta, data, v):
        return grad(lambda theta: anp.dot(self.slope(theta, data), v))(theta)

    def adapted(self, theta, data, alpha=None, steps=None):
        for _ in range(self.steps if steps is None else steps):
            theta = theta - (self.alpha if alpha is None else alpha) * self.slope(theta, data)
        return theta

    def path(self, data, alpha=None, steps=None):
        """[theta_0, …, theta_m] on one data set."""
        steps = self.steps if steps is None else steps
        return [self.adapted(self.theta, data, alpha, count) for count in range(steps + 1)]

    def straight(self, meta_objective):
        """The gradient of the mean over tasks of meta_objective(theta, t), by autograd straight through it."""
        return grad(lambda theta: sum(meta_objective(theta, t) for t in self.tasks) / len(self.tasks))(self.theta)

    def through(self, adapts, judges=None, **options):
        """The same where theta is adapted on one data set and judged on another: adapts(t), judges(t)."""
        judges = judges or self.q
        return self.straight(lambda theta, t: self.loss(self.adapted(theta, adapts(t), **options), judges(t)))

    def by_hand(self, factor=None, path=None, v=None, order=reversed, indices=None):
        """The mean over tasks of what a loop carries back: v <- factor(path, i, v, t) for i in order(range(m))."""
        rows = []
        for t in self.tasks:
            thetas = path(t) if path else self.path(self.s(t))
            carried = v(thetas, t) if v else self.slope(thetas[-1], self.q(t))
            for i in order(range(self.steps) if indices is None else indices):
                carried = (factor or self.factor)(thetas, i, carried, t)
            rows.append(carried)
        return np.mean(rows, axis=0)

    def factor(self, path, i, v, t):
        """(I - alpha H_s(theta_i)) v."""
        return v - self.alpha * self.hvp(path[i], self.s(t), v)


def hessian_at(shift):
    return lambda b: b.by_hand(lambda path, i, v, t: v - b.alpha * b.hvp(path[shift(i)], b.s(t), v))


def hessian_of(data):
    return lambda b: b.by_hand(lambda path, i, v, t: v - b.alpha * b.hvp(path[i], data(b, t), v))


def steps_of_size(size):
    """Pairs of settings: the size in steps and factors; in the steps alone."""
    return (
        lambda b: b.through(b.s, alpha=size(b)),
        lambda b: b.by_hand(path=lambda t: b.path(b.s(t), alpha=size(b))),
    )


def factors_summed(b):
    rows = []
    for t in b.tasks:
        path = b.path(b.s(t))
        v = b.slope(path[-1], b.q(t))
        rows.append(v - sum(b.alpha * b.hvp(theta, b.s(t), v) for theta in path[:-1]))
    return np.mean(rows, axis=0)


def multi_step(first):
    return lambda b: b.straight(
        lambda theta, t: sum(b.loss(b.adapted(theta, b.s(t), steps=i), b.q(t)) for i in range(first, b.steps + 1))
    )


def at_the_mean(b):
    def mean(theta):
        return sum(b.adapted(theta, b.s(t)) for t in b.tasks) / len(b.tasks)

    return b.straight(lambda theta, t: b.loss(mean(theta), b.q(t)))


def from_the_first(b, theta, t, steps=None):
    start = theta
    for _ in range(b.steps if steps is None else steps):
        theta = start - b.alpha * b.slope(theta, b.s(t))
    return theta


def stale(b, theta, t, steps=None):
    step = b.alpha * b.slope(theta, b.s(t))
    for _ in range(b.steps if steps is None else steps):
        theta = theta - step
    return theta


def together(b, theta, t=None, steps=None):
    for _ in range(b.steps if steps is None else steps):
        theta = theta - b.alpha * sum(b.slope(theta, b.s(t)) for t in b.tasks) / len(b.tasks)
    return theta


def walked(walk):
    """Pairs of settings: autograd through the walk; the walk, and the factors of the right one."""
    return (
        lambda b: b.straight(lambda theta, t: b.loss(walk(b, theta, t), b.q(t))),
        lambda b: b.by_hand(path=lambda t: [walk(b, b.theta, t, steps) for steps in range(b.steps + 1)]),
    )


def carried(b):
    def total(theta):
        losses = 0.0
        for t in b.tasks:
            theta = b.adapted(theta, b.s(t))
            losses = losses + b.loss(theta, b.q(t))
        return losses / len(b.tasks)

    return grad(total)(b.theta)


def carried_by_hand(b):
    theta, rows = b.theta, []
    for t in b.tasks:
        rows.append(grad(lambda theta, t=t: b.loss(b.adapted(theta, b.s(t)), b.q(t)))(theta))
        theta = b.adapted(theta, b.s(t))
    return np.mean(rows, axis=0)


def an_update_a_task(b):
    theta = b.theta
    for t in b.tasks:
        theta = theta - BETA * grad(lambda theta, t=t: b.loss(b.adapted(theta, b.s(t)), b.q(t)))(theta)
    return (b.theta - theta) / BETA / len(b.tasks)


def of_task(t):
    return lambda b: grad(lambda theta: b.loss(b.adapted(theta, b.s(t(b))), b.q(t(b))))(b.theta)


def mean_theta_m(b):
    return np.mean([b.adapted(b.theta, b.s(t)) for t in b.tasks], axis=0)


SIZES = {
    "left out": lambda b: 1.0,
    "uphill": lambda b: -b.alpha,
    "alpha / K": lambda b: b.alpha / b.shots,
    "alpha K": lambda b: b.alpha * b.shots,
    "alpha / T": lambda b: b.alpha / len(b.tasks),
}
WALKS = {"stale": stale, "from the first": from_the_first, "together": together}

WRITTEN = {
    ("factors", "none"): lambda b: b.by_hand(indices=()),
    ("factors", "last"): lambda b: b.by_hand(indices=[b.steps - 1]),
    ("factors", "first"): lambda b: b.by_hand(indices=[0]),
    ("factors", "all but the first"): lambda b: b.by_hand(indices=range(1, b.steps)),
    ("factors", "all but the last"): lambda b: b.by_hand(indices=range(b.steps - 1)),
    ("factors", "one too many"): lambda b: b.by_hand(indices=range(b.steps + 1)),
    ("order", "forward"): lambda b: b.by_hand(order=list),
    ("order", "side by side"): factors_summed,
    ("hessian_at", "theta m"): hessian_at(lambda i: -1),
    ("hessian_at", "theta 0"): hessian_at(lambda i: 0),
    ("hessian_at", "theta i + 1"): hessian_at(lambda i: i + 1),
    ("hessian_of", "query"): hessian_of(Bench.q),
    ("hessian_of", "both"): hessian_of(Bench.both),
    ("factor", "I + alpha H"): lambda b: b.by_hand(lambda p, i, v, t: v + b.alpha * b.hvp(p[i], b.s(t), v)),
    ("factor", "I - H"): lambda b: b.by_hand(lambda p, i, v, t: v - b.hvp(p[i], b.s(t), v)),
    ("factor", "-alpha H"): lambda b: b.by_hand(lambda p, i, v, t: -b.alpha * b.hvp(p[i], b.s(t), v)),
    ("factor", "wrong vector"): lambda b: b.by_hand(
        lambda p, i, v, t: v - b.alpha * b.hvp(p[i], b.s(t), b.slope(p[i], b.s(t)))
    ),
    ("factor", "entry by entry"): lambda b: b.by_hand(
        lambda p, i, v, t: (1 - b.alpha * b.hvp(p[i], b.s(t), v)) * v,
    ),
    ("factor", "slope for H"): lambda b: b.by_hand(lambda p, i, v, t: (1 - b.alpha * b.slope(p[i], b.s(t))) * v),
    ("factor", "outer product"): lambda b: b.by_hand(
        lambda p, i, v, t: v - b.alpha * np.outer(b.slope(p[i], b.s(t)), b.slope(p[i], b.s(t))) @ v
    ),
    ("judged_on", "support"): lambda b: b.through(b.s, b.s),
    ("judged_on", "both"): lambda b: b.through(b.s, b.both),
    ("judged_at", "theta"): lambda b: b.by_hand(v=lambda path, t: b.slope(path[0], b.q(t))),
    ("judged_at", "every step"): multi_step(1),
    ("judged_at", "every step and the start"): multi_step(0),
    ("judged_at", "mean theta m"): at_the_mean,
    ("descends", "query"): lambda b: b.through(b.q),
    ("descends", "both"): lambda b: b.through(b.both),
    ("descends", "query, by hand"): lambda b: b.by_hand(path=lambda t: b.path(b.q(t))),
    ("descends", "both, by hand"): lambda b: b.by_hand(path=lambda t: b.path(b.both(t))),
    ("extra", 1): lambda b: b.through(b.s, steps=b.steps + 1),
    ("extra", -1): lambda b: b.through(b.s, steps=b.steps - 1),
    ("extra", "one"): lambda b: b.through(b.s, steps=1),
    ("extra", "none"): lambda b: b.through(b.s, steps=0),
    ("walk", "one long step"): lambda b: b.through(b.s, steps=1, alpha=b.steps * b.alpha),
    ("walk", "carried"): carried,
    ("walk", "carried, by hand"): carried_by_hand,
    ("walk", "an update a task"): an_update_a_task,
    ("tasks", "first"): of_task(lambda b: 0),
    ("tasks", "last"): of_task(lambda b: b.tasks[-1]),
    ("gives", "theta m"): mean_theta_m,
    ("gives", "theta - theta m"): lambda b: b.theta - mean_theta_m(b),
}
for name, size in SIZES.items():
    WRITTEN["size", name], WRITTEN["size", f"{name}, by hand"] = steps_of_size(size)
for name, walk in WALKS.items():
    WRITTEN["walk", name], WRITTEN["walk", f"{name}, by hand"] = walked(walk)

KNOWN = (*DEVIATIONS, AN_UPDATE_A_TASK)


def test_each_deviation_is_written_out_here():
    assert set(WRITTEN) == {(each.choice, each.setting) for each in KNOWN}


@pytest.mark.parametrize("deviation", KNOWN, ids=lambda each: f"{each.choice}-{each.setting}")
@pytest.mark.parametrize("steps, tasks", [(3, 3), (1, 2), (2, 1)])
def test_a_recipe_is_the_loop_that_does_the_same(deviation, steps, tasks):
    bench = Bench(steps, tasks=tasks, steps=steps)
    made = bench.kitchen(beta=BETA).gradient(**{deviation.choice: deviation.setting})
    assert np.allclose(made, WRITTEN[deviation.choice, deviation.setting](bench), rtol=1e-8, atol=1e-10)


TWO_AT_ONCE = {
    "first-order, on the support": (
        {"factors": "none", "judged_on": "support"},
        lambda b: b.by_hand(indices=(), v=lambda path, t: b.slope(path[-1], b.s(t))),
    ),
    "theta prime carried on, only the last task": (
        {"walk": "carried", "tasks": "last"},
        lambda b: grad(
            lambda theta: b.loss(
                b.adapted(b.adapted(b.adapted(theta, b.s(0)), b.s(1)), b.s(2)),
                b.q(2),
            )
        )(b.theta),
    ),
    "one long step of m + 1": (
        {"walk": "one long step", "extra": 1},
        lambda b: b.through(b.s, steps=1, alpha=(b.steps + 1) * b.alpha),
    ),
    "every step's loss, on the support": (
        {"judged_at": "every step", "judged_on": "support"},
        lambda b: b.straight(
            lambda theta, t: sum(b.loss(b.adapted(theta, b.s(t), steps=i), b.s(t)) for i in range(1, b.steps + 1))
        ),
    ),
    "every step's loss, through the last step alone": (
        {"judged_at": "every step", "factors": "last"},
        lambda b: np.mean(
            [
                sum(b.slope(theta, b.q(t)) for theta in b.path(b.s(t))[1:-1])
                + b.factor(b.path(b.s(t)), -2, b.slope(b.path(b.s(t))[-1], b.q(t)), t)
                for t in b.tasks
            ],
            axis=0,
        ),
    ),
    "first-order, an update a task": (
        {"factors": "none", "walk": "an update a task"},
        lambda b: an_update_a_task_of_first_order(b),
    ),
}


def an_update_a_task_of_first_order(b):
    theta = b.theta
    for t in b.tasks:
        theta = theta - BETA * b.slope(b.adapted(theta, b.s(t)), b.q(t))
    return (b.theta - theta) / BETA / len(b.tasks)


@pytest.mark.parametrize("pair", TWO_AT_ONCE)
def test_deviations_combine(pair):
    settings, written = TWO_AT_ONCE[pair]
    bench = Bench(1)
    assert np.allclose(bench.kitchen(beta=BETA).gradient(**settings), written(bench), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_recipe_without_deviations_is_maml(steps):
    bench = Bench(2, steps=steps)
    objective = mean_squared_error(bench.model)
    exact = maml(objective, bench.theta, Episode(bench.support, bench.query, {}), bench.alpha, steps)
    assert np.allclose(bench.kitchen().gradient(), exact.theta, rtol=1e-12)


def test_alpha_may_be_a_vector():
    bench = Bench(3)
    bench.alpha = np.random.default_rng(0).uniform(0.05, 0.2, bench.model.size)
    exact = maml(mean_squared_error(bench.model), bench.theta, Episode(bench.support, bench.query, {}), bench.alpha, 3)
    assert np.allclose(bench.kitchen().gradient(), exact.theta)
    for each in DEVIATIONS:
        assert np.shape(bench.kitchen().gradient(**{each.choice: each.setting})) == bench.theta.shape


def test_one_task_needs_no_axis():
    bench = Bench(4, tasks=1)
    alone = Episode(bench.s(0), bench.q(0), {})
    kitchen = Kitchen(mean_squared_error(bench.model), bench.theta, alone, bench.alpha, bench.steps)
    for each in DEVIATIONS:
        settings = {each.choice: each.setting}
        assert np.allclose(kitchen.gradient(**settings), bench.kitchen().gradient(**settings))


def test_what_is_seen_along_directions_is_the_gradient_along_them():
    bench = Bench(5)
    along = np.random.default_rng(0).normal(size=(4, bench.theta.size))
    for each in KNOWN:
        settings = {each.choice: each.setting}
        whole, part = bench.kitchen(beta=BETA), bench.kitchen(beta=BETA, along=along)
        assert np.allclose(part.gradient(**settings), along @ whole.gradient(**settings)), each


def test_a_recipe_that_cannot_be_made_is_none():
    bench = Bench(6, steps=0)
    assert bench.kitchen().gradient(extra=-1) is None
    assert bench.kitchen().gradient(judged_at="every step") is None
    assert bench.kitchen().gradient(walk="an update a task") is None


def test_a_recipe_whose_inner_loop_diverges_is_none():
    class Cubic:
        """A loss whose gradient theta^3 leaves the numbers in a few steps."""

        def value(self, theta, data):
            return np.sum(theta**4, axis=-1) / 4

        def grad(self, theta, data):
            return theta**3

        def hvp(self, theta, data, v):
            return 3 * theta**2 * v

    bench = Bench(7, steps=3, alpha=0.001)
    bench.steps = 12
    assert bench.kitchen(Cubic()).gradient(size=5.0) is None
    assert bench.kitchen(Cubic()).gradient() is not None


def test_idle_settings_make_no_difference():
    bench = Bench(8)
    kitchen = bench.kitchen()
    for one in DEVIATIONS:
        for other in DEVIATIONS:
            settings = {one.choice: one.setting, other.choice: other.setting}
            if one.choice != other.choice and idle(settings):
                alone = [kitchen.gradient(**{each.choice: each.setting}) for each in (one, other)]
                both = kitchen.gradient(**settings)
                assert both is None or any(np.allclose(both, each) for each in alone), settings


class Counting:
    """An objective that counts what it is asked for."""

    def __init__(self, objective):
        self.objective, self.grads, self.products = objective, 0, 0

    def value(self, theta, data):
        return self.objective.value(theta, data)

    def grad(self, theta, data):
        self.grads += 1
        return self.objective.grad(theta, data)

    def hvp(self, theta, data, v):
        self.products += 1
        return self.objective.hvp(theta, data, v)


def test_the_same_path_gradient_and_product_are_computed_once():
    counting = Counting(mean_squared_error(Bench().model))
    kitchen = Bench().kitchen(counting)
    kitchen.gradient()
    assert (counting.grads, counting.products) == (4, 3)
    kitchen.gradient()
    kitchen.gradient(factors="none")
    kitchen.gradient(factors="last")
    kitchen.gradient(factors="all but the first")
    assert (counting.grads, counting.products) == (4, 3)
    kitchen.gradient(judged_on="support")
    assert (counting.grads, counting.products) == (5, 6)


def test_the_fields_of_a_recipe_are_documented():
    for field in Recipe._fields:
        assert f"    {field} " in Recipe.__doc__, field
    assert {each.choice for each in KNOWN} == set(Recipe._fields)


def test_any_objective_with_value_grad_and_hvp_will_do():
    bench = Bench(9)
    wrapped = Counting(mean_squared_error(bench.model))
    assert place(wrapped, bench.theta, bench.support).grad.shape == (3, bench.theta.size)
    assert np.allclose(bench.kitchen(wrapped).gradient(), bench.kitchen().gradient())
