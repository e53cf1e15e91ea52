"""An implementation is told to be exact, or what it does instead, whatever its arrays, its digits and its units are."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from mlcourse import diagnose, relu, tanh
from mlcourse.recipes import measured
from mlcourse.recipes.measured import Implementation, Measured
from mlcourse.recipes.recipe import Kitchen
from tests.recipes.test_recipe import WRITTEN, Bench
from tests.reference import unrolled


def losses(bench, dtype=float):
    """The bench's losses as plain functions of theta, written without the package: support, query."""
    inputs, hidden, _ = bench.model.sizes
    unit = {tanh: np.tanh, relu: lambda z: np.maximum(z, 0)}[bench.model.activation]

    def plain(data):
        x, y = (each.astype(dtype) for each in data)

        def loss(theta):
            first, b, last = np.split(theta.astype(dtype), [inputs * hidden, inputs * hidden + hidden])
            prediction = unit(x @ first.reshape(inputs, hidden) + b) @ last[:-1, None] + last[-1]
            return np.mean((prediction - y) ** 2)

        return loss

    return [plain(bench.s(t)) for t in bench.tasks], [plain(bench.q(t)) for t in bench.tasks]


def implementation(bench, written):
    """A function of theta from one of the loops in test_recipes."""

    def meta_gradient(theta):
        bench.theta = theta
        return written(bench)

    return meta_gradient


def exact(bench):
    return bench.through(bench.s)


def first_order(bench):
    return bench.by_hand(indices=())


def look(written, bench=None, dtype=float, **options):
    bench = bench or small()
    options = {"alpha": bench.alpha, "steps": bench.steps} | options
    return diagnose(implementation(bench, written), *losses(bench, dtype), bench.theta, **options)


def small(seed=0, tasks=2, steps=2, sizes=(1, 3, 1), **options):
    return Bench(seed, tasks=tasks, steps=steps, sizes=sizes, **options)


def wide(steps=1):
    """The same with more parameters than are looked at one by one."""
    return small(steps=steps, sizes=(1, 12, 1))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("alpha", [0.1, np.linspace(0.05, 0.2, 10)], ids=["a number", "a vector"])
def test_the_exact_gradient_is_exact(steps, alpha):
    bench = small(steps=steps)
    bench.alpha = alpha
    diagnosis = look(exact, bench)
    diagnosis.require_exact()
    assert diagnosis.outcome == "exact" and diagnosis.digits >= 7 and diagnosis.error < 1e-7
    assert str(diagnosis) == f"exact: this is MAML's meta-gradient, to {diagnosis.digits} digits"


@pytest.mark.parametrize(
    "choice, setting, name",
    [
        ("factors", "none", "first-order gradient"),
        ("factors", "last", "only the last step differentiated"),
        ("order", "forward", "forward order"),
        ("hessian_at", "theta m", "Hessian at theta m"),
        ("hessian_of", "query", "Hessian of the query"),
        ("factor", "I - H", "alpha left out of the factor"),
        ("judged_on", "support", "support loss outside"),
        ("judged_at", "every step", "loss of every step summed"),
        ("descends", "query", "adapts on the query"),
        ("size", "uphill", "uphill"),
        ("size", "alpha K", "another step size"),
        ("extra", 1, "one step too many"),
        ("walk", "from the first", "each step from the first theta"),
        ("walk", "together", "one theta prime for all tasks"),
        ("walk", "carried", "theta prime carried on"),
        ("walk", "carried, by hand", "theta prime carried on"),
        ("tasks", "last", "only the last task"),
        ("gives", "theta - theta m", "Reptile's direction"),
    ],
)
def test_a_deviation_is_told_by_name(choice, setting, name):
    diagnosis = look(WRITTEN[choice, setting], small(1, steps=3))
    assert (diagnosis.outcome, diagnosis.names) == ("deviates", name)
    assert diagnosis.explanations[0][0].sentence in str(diagnosis)
    with pytest.raises(AssertionError, match=f"not exact, off by .* of its length: {name}"):
        diagnosis.require_exact()


@pytest.mark.parametrize(
    "written, name",
    [
        (lambda b: 5 * first_order(b), "first-order gradient + 5 times"),
        (lambda b: -exact(b), "sign"),
        (lambda b: 3 * exact(b), "sum over tasks"),
        (lambda b: b.by_hand(indices=(), v=lambda p, t: b.slope(p[-1], b.s(t))), "first-order gradient + support loss"),
        (lambda b: b.through(b.s, alpha=0.03), "another step size"),
        (lambda b: b.by_hand(indices=(), path=lambda t: b.path(b.s(t), 0.03)), "another step size + first-order"),
    ],
)
def test_factors_pairs_and_other_step_sizes_are_told(written, name):
    assert look(written, small(2, tasks=3)).names.startswith(name)


def test_another_step_size_comes_with_its_number():
    assert "size 0.03, where α = 0.1 was said" in str(look(lambda b: b.through(b.s, alpha=0.03)))


@pytest.mark.parametrize("steps", [1, 2])
def test_many_parameters_are_looked_at_along_random_directions(steps):
    assert look(exact, wide(steps=steps)).digits >= 7
    names = look(first_order, wide(steps=steps)).names
    assert names.startswith("first-order gradient")


def test_directions_cost_less_than_axes(monkeypatch):
    def evaluations():
        bench, calls = wide(), []
        support, query = losses(bench)
        counted = [lambda theta, loss=loss: calls.append(1) or loss(theta) for loss in support]
        diagnose(implementation(bench, exact), counted, query, bench.theta, alpha=bench.alpha, steps=1)
        return len(calls)

    along_directions = evaluations()
    monkeypatch.setattr(measured, "ALL_AXES", 1000)
    assert along_directions < evaluations()


def test_explanations_that_coincide_for_any_theta_are_all_said():
    names = look(first_order, small(steps=1)).names.split("; or ")
    assert set(names) == {
        "first-order gradient",
        "the first step's factor left out",
        "the last step's factor left out",
    }


def test_explanations_that_coincide_here_are_told_apart_at_another_theta():
    theta = np.array([1.0, -0.5, 2.0, 0.3])
    curvatures = np.linspace(1, 2, 4)
    support = [lambda at: 0.5 * anp.sum(curvatures * (at - theta) ** 2)] * 2
    query = [lambda at: anp.sum(anp.sin(at)), lambda at: anp.sum(anp.cos(2 * at))]

    def first_order(at):
        rows = []
        for s, q in zip(support, query, strict=True):
            fast = at
            for _ in range(2):
                fast = fast - 0.1 * grad(s)(fast)
            rows.append(grad(q)(fast))
        return np.mean(rows, axis=0)

    # theta is where no support loss moves, so "not adapted" is the same there
    assert diagnose(first_order, support, query, theta, alpha=0.1, steps=2).names == "first-order gradient"


def test_float32_losses_are_said_to_tell_fewer_digits():
    diagnosis = look(exact, dtype=np.float32)
    assert diagnosis.outcome == "exact" and 2 <= diagnosis.digits <= 5
    assert "the losses are rounded, as in float32" in str(diagnosis)
    assert look(first_order, dtype=np.float32).names == "first-order gradient"


def test_a_float32_gradient_is_exact_to_its_own_digits():
    diagnosis = look(lambda b: exact(b).astype(np.float32))
    assert diagnosis.outcome == "exact" and 5 <= diagnosis.digits <= 8
    assert "the gradient found is itself rounded" in str(diagnosis)


def test_relu_is_exact_and_its_kinks_are_said():
    outcomes = [look(exact, small(seed, sizes=(2, 4, 1), activation=relu)) for seed in range(4)]
    assert all(diagnosis.outcome == "exact" and diagnosis.digits >= 4 for diagnosis in outcomes)
    assert any("a loss has kinks, as relu has" in str(diagnosis) for diagnosis in outcomes)
    assert look(first_order, small(1, sizes=(2, 4, 1), activation=relu)).names == "first-order gradient"


def test_losses_that_are_too_rough_decide_nothing_rather_than_something_wrong():
    def noisy(loss):
        return lambda theta: loss(theta) + 0.02 * np.sin(1e4 * np.sum(theta))

    bench = small()
    support, query = ([noisy(loss) for loss in each] for each in losses(bench))
    wrong = np.random.default_rng(0).normal(size=bench.theta.size)
    found = implementation(bench, lambda b: exact(b) + wrong)
    diagnosis = diagnose(found, support, query, bench.theta, alpha=0.1, steps=2)
    assert diagnosis.outcome == "undecided" and "rough" in str(diagnosis)


def test_where_first_order_is_the_same_nothing_is_decided():
    diagnosis = _linear()
    assert diagnosis.outcome == "undecided" and "larger alpha" in str(diagnosis)
    with pytest.raises(AssertionError, match="undecided"):
        diagnosis.require_exact()


def _linear():
    """Losses without curvature: the factors are all 1."""
    support = [lambda theta: theta @ np.arange(4)] * 2
    query = [lambda theta: anp.sum(anp.sin(theta)), lambda theta: anp.sum(anp.cos(theta))]
    theta = np.array([0.3, -1.0, 0.7, 2.0])
    return diagnose(
        grad(lambda at: sum(q(at - 0.1 * grad(s)(at)) for s, q in zip(support, query, strict=True)) / 2),
        support,
        query,
        theta,
        alpha=0.1,
        steps=1,
    )


def test_zero_and_nan_are_said():
    assert "zero everywhere" in str(look(lambda b: 0 * b.theta))
    assert "NaN" in str(look(lambda b: np.nan * b.theta))


def test_what_is_in_no_known_way_wrong_comes_with_facts():
    bench = small(tasks=1, steps=1)
    wrong = np.random.default_rng(0).normal(size=bench.theta.size)
    diagnosis = look(lambda b: exact(b) + 0.1 * wrong, bench)
    assert diagnosis.outcome == "unknown" and diagnosis.explanations == ()
    assert "cosine with the exact gradient 0.9" in str(diagnosis)
    with pytest.raises(AssertionError, match="in no way that is known"):
        diagnosis.require_exact()


def test_a_gradient_that_accumulates_is_not_exact():
    bench, total = small(), []

    def accumulated(b):
        total.append(exact(b))
        return sum(total)

    diagnosis = look(accumulated, bench)
    assert diagnosis.outcome == "unknown" and "called again at the same theta" in str(diagnosis)


def test_time_that_runs_out_leaves_what_was_measured():
    bench = small()
    rng = np.random.default_rng(0)
    case = Implementation(implementation(bench, exact), *losses(bench), bench.theta, 0.1, 2, rng, 60)
    kitchen = Measured(case, bench.theta).kitchen
    kitchen.stop_at(0)
    assert kitchen.gradient() is not None and kitchen.gradient(factors="none") is not None and not kitchen.late
    assert kitchen.gradient(size="uphill") is None and kitchen.late
    assert isinstance(kitchen, Kitchen)


@pytest.mark.parametrize(
    "returned",
    [
        lambda g: list(g),
        lambda g: [g[:5], (g[5:7], g[7:])],
        lambda g: {"weights": g[:8].reshape(2, 4), "biases": g[8:]},
        lambda g: g.reshape(10, 1),
        lambda g: g.astype(object),
    ],
    ids=["a list of numbers", "parts in parts", "a mapping", "a column", "objects"],
)
def test_the_gradient_may_come_in_parts(returned):
    look(lambda b: returned(exact(b))).require_exact()


def test_the_given_theta_stays_as_it_is():
    bench = small()
    theta = bench.theta.copy()

    def spoils(b):
        gradient = exact(b)
        b.theta[:] = 0
        return gradient

    look(spoils, bench)
    assert np.array_equal(theta, small().theta)


def right(**changes):
    bench = small()
    support, query = losses(bench)
    arguments = {
        "meta_gradient": implementation(bench, exact),
        "support_losses": support,
        "query_losses": query,
        "theta": bench.theta,
        "alpha": 0.1,
        "steps": 2,
    }
    return diagnose(**(arguments | changes))


@pytest.mark.parametrize(
    "changes, error, message",
    [
        (
            {"support_losses": lambda theta: 0.0},
            TypeError,
            "support_losses must be a list of functions .* got function",
        ),
        ({"query_losses": []}, TypeError, "query_losses must be a list of functions .* got 0 items"),
        ({"query_losses": [lambda theta: 0.0]}, ValueError, "one loss a task each, got 2 and 1"),
        ({"query_losses": [lambda theta: theta] * 2}, TypeError, r"query_losses\[0\] must return one number"),
        ({"support_losses": [lambda theta: None] * 2}, TypeError, r"support_losses\[0\] .* got None"),
        ({"support_losses": [lambda theta: np.nan] * 2}, ValueError, r"support_losses\[0\] must be finite at theta"),
        ({"theta": np.zeros((2, 3))}, ValueError, r"theta must be one flat vector .* got shape \(2, 3\)"),
        ({"theta": np.array([0.0, np.inf])}, ValueError, "theta must be finite"),
        ({"alpha": np.ones(3)}, ValueError, "alpha must be a number or a vector of 10 step sizes"),
        ({"alpha": 1e200}, ValueError, r"with alpha = 1e\+200 the inner loop diverges"),
        ({"steps": 0}, ValueError, "steps must be at least 1, got 0"),
        ({"steps": 1.5}, TypeError, "steps must be a whole number"),
        ({"meta_gradient": lambda theta: None}, TypeError, "meta_gradient returned None, or a part of it is None"),
        ({"meta_gradient": lambda theta: [theta, None]}, TypeError, "meta_gradient returned None, or a part"),
        ({"meta_gradient": lambda theta: theta[:4]}, ValueError, "meta_gradient must return 10 numbers, .* got 4"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes, error, message):
    with pytest.raises(error, match=message):
        right(**changes)


def test_too_many_parameters_are_refused_with_an_estimate():
    theta = np.zeros(300_000)
    loss = [lambda theta: np.sum(theta**2)]
    with pytest.raises(ValueError, match=r"theta has 300000 parameters: .* evaluations .* smaller network"):
        diagnose(lambda theta: theta, loss, loss, theta, alpha=0.1, steps=1)


def test_the_reference_of_the_other_tests_is_exact():
    bench = small(tasks=1)
    query_loss = unrolled(bench.loss, bench.s(0), bench.q(0), 2)
    diagnose(
        lambda theta: grad(query_loss)(theta, 0.1), *losses(bench), bench.theta, alpha=0.1, steps=2
    ).require_exact()
