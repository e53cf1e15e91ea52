"""Answers as people write them: rewritten from public code and from questions about it, right ones and wrong ones.

WRITTEN has (lesson, problem, answer, told) for each: told is None where the answer is right, else a pattern that
"misconception: message" of the verdict on it must match.
"""

import autograd.numpy as anp
import numpy as np
from autograd import grad as gradient_of

import mlcourse
from mlcourse import Data

WRITTEN = []


def written(lesson, problem, told=None):
    """Decorator: this function is an answer to the problem, and this is what it should be told."""

    def keep(answer):
        WRITTEN.append((lesson, problem, answer, told))
        return answer

    return keep


def right(lesson, problem):
    return written(lesson, problem)


def one_by_one(episode):
    """The tasks of an episode as pairs support, query."""
    for i in range(len(episode.support.x)):
        yield tuple(Data(data.x[i], data.y[i]) for data in (episode.support, episode.query))


def adapted(objective, theta, support, alpha, steps):
    for _ in range(steps):
        theta = theta - alpha * objective.grad(theta, support)
    return theta


def path(objective, theta, support, alpha, steps):
    thetas = [theta]
    for _ in range(steps):
        thetas.append(thetas[-1] - alpha * objective.grad(thetas[-1], support))
    return thetas


# Lesson 1: what is drawn, and by what.


@right(1, "sample_lines")
def a_task_at_a_time(rng, tasks, shots, mean, std, noise):
    rows = []
    for _ in range(tasks):
        slope, x = mean + std * rng.standard_normal(), rng.uniform(-1, 1, size=(shots, 1))
        rows.append((x, slope * x + rng.normal(0, noise, size=(shots, 1)), slope))
    x, y, slopes = zip(*rows, strict=True)
    return np.stack(x), np.stack(y), np.array(slopes)


def lines(rng, slopes, shots, noise, x=None, errors=None):
    x = rng.uniform(-1, 1, (len(slopes), shots, 1)) if x is None else x
    errors = rng.standard_normal(x.shape) if errors is None else errors
    return x, slopes[:, None, None] * x + noise * errors, slopes


POOL = np.random.default_rng(1).normal(size=10_000)


@written(1, "sample_lines", "seeded inside|fixed|same|rng")
def slopes_from_a_pool(rng, tasks, shots, mean, std, noise):
    return lines(rng, mean + std * POOL[:tasks], shots, noise)


@written(1, "sample_lines", ".")
def slopes_on_a_grid(rng, tasks, shots, mean, std, noise):
    return lines(rng, np.linspace(mean - 1.7 * std, mean + 1.7 * std, tasks), shots, noise)


@written(1, "sample_lines", ".")
def the_same_inputs_at_every_call(rng, tasks, shots, mean, std, noise):
    x = np.random.default_rng(0).uniform(-1, 1, (tasks, shots, 1))
    return lines(rng, rng.normal(mean, std, tasks), shots, noise, x=x)


@written(1, "sample_lines", ".")
def the_same_noise_at_every_call(rng, tasks, shots, mean, std, noise):
    errors = np.random.default_rng(0).standard_normal((tasks, shots, 1))
    return lines(rng, rng.normal(mean, std, tasks), shots, noise, errors=errors)


@written(1, "sample_lines", ".")
def slopes_from_a_generator_of_its_own(rng, tasks, shots, mean, std, noise):
    return lines(rng, np.random.default_rng(0).normal(mean, std, tasks), shots, noise)


# Lesson 2: splits and episodes.


@right(2, "split")
def by_a_mask(x, y, shots, rng):
    mask = np.zeros(len(x), dtype=bool)
    mask[rng.choice(len(x), size=shots, replace=False)] = True
    return (x[mask], y[mask]), (x[~mask], y[~mask])


@written(2, "split", "^(?!seeded inside).*(always|same points|[Nn]othing is random)")
def evenly_spread(x, y, shots, rng):
    mask = np.zeros(len(x), dtype=bool)
    mask[np.linspace(0, len(x) - 1, shots).astype(int)] = True
    return (x[mask], y[mask]), (x[~mask], y[~mask])


@written(2, "split", ".")
def a_window(x, y, shots, rng):
    start = int(rng.integers(len(x)))
    order = np.roll(np.arange(len(x)), start)
    return (x[order[:shots]], y[order[:shots]]), (x[order[shots:]], y[order[shots:]])


def gathered(images, classes, support_of, query_of):
    """Two pairs from the positions of each class."""
    sets = []
    for pick in (support_of, query_of):
        rows = [(i, new) for new, name in enumerate(classes) for i in pick(name)]
        places, labels = map(list, zip(*rows, strict=True))
        sets.append((images[places], np.array(labels)))
    return tuple(sets)


@right(2, "n_way_k_shot")
def stacked(images, labels, ways, shots, queries, rng):
    names = rng.permutation(np.unique(labels))[:ways]
    drawn = [rng.choice(np.flatnonzero(labels == name), shots + queries, replace=False) for name in names]
    x = np.stack([images[places] for places in drawn])
    sets = (x[:, :shots], shots), (x[:, shots:], queries)
    return tuple((part.reshape(-1, images.shape[1]), np.repeat(np.arange(ways), each)) for part, each in sets)


def once(labels, shots, queries, rng, replace=False):
    drawn = {}

    def of(name):
        if name not in drawn:
            drawn[name] = rng.choice(np.flatnonzero(labels == name), shots + queries, replace=replace)
        return drawn[name]

    return lambda name: of(name)[:shots], lambda name: of(name)[shots:]


@written(2, "n_way_k_shot", "a class twice")
def two_epochs_of_classes(images, labels, ways, shots, queries, rng):
    names = np.unique(labels)
    order = np.concatenate([rng.permutation(names), rng.permutation(names)])
    start = int(rng.integers(len(names)))
    support, query = [], []
    for new, name in enumerate(order[start : start + ways]):
        places = rng.permutation(np.flatnonzero(labels == name))
        support += [(i, new) for i in places[:shots]]
        query += [(i, new) for i in places[shots : shots + queries]]
    return tuple((images[[i for i, _ in rows]], np.array([new for _, new in rows])) for rows in (support, query))


@written(2, "n_way_k_shot", "images drawn with replacement|ignores rng")
def with_replacement_and_without_rng(images, labels, ways, shots, queries, rng):
    import random

    names = random.sample(sorted(set(labels.tolist())), ways)
    return gathered(images, names, *once(labels, shots, queries, np.random, replace=True))


@written(2, "n_way_k_shot", "images drawn with replacement")
def with_replacement(images, labels, ways, shots, queries, rng):
    names = rng.permutation(np.unique(labels))[:ways]
    return gathered(images, names, *once(labels, shots, queries, rng, replace=True))


@written(2, "n_way_k_shot", "ways|classes|shape|N")
def shots_for_ways(images, labels, ways, shots, queries, rng):
    names = rng.permutation(np.unique(labels))[:shots]
    return gathered(images, names, *once(labels, ways, queries, rng))


@written(2, "n_way_k_shot", "the same (task|classes) every time")
def the_first_classes_always(images, labels, ways, shots, queries, rng):
    return gathered(images, sorted(set(labels.tolist()))[:ways], *once(labels, shots, queries, rng))


@written(2, "meta_objective", "sum over episodes")
def summed_over_episodes(loss, adapt, theta, episodes):
    return sum(loss(adapt(theta, e.support), e.query) for e in episodes)


@written(2, "meta_objective", "theta prime carried")
def weights_not_put_back(loss, adapt, theta, episodes):
    total = 0
    for e in episodes:
        theta = adapt(theta, e.support)
        total += loss(theta, e.query) / len(episodes)
    return total


# Lesson 3: the inner loop.


@written(3, "inner_step", "changes theta in place")
def entry_by_entry_in_place(theta, grad, alpha):
    parameters = theta
    g = grad(parameters)
    for i in range(len(parameters)):
        parameters[i] -= alpha * g[i]
    return parameters


@right(3, "adapt")
def over_lists(grad, theta, alpha, steps):
    fast = list(theta)
    for _ in range(steps):
        fast = [p - alpha * g for p, g in zip(fast, grad(np.array(fast)), strict=True)]
    return fast


@written(3, "adapt", "TypeError|list|multiply|numpy")
def a_list_times_a_number(grad, theta, alpha, steps):
    fast = list(theta)
    for _ in range(steps):
        gradients = list(grad(fast))
        fast = [p - alpha * gradients for p in fast]
    return fast


@written(3, "adapt", "each step from the first theta")
def each_from_the_first(grad, theta, alpha, steps):
    fast = theta
    for _ in range(steps):
        fast = np.array([p - alpha * g for g, p in zip(grad(fast), theta, strict=True)])
    return fast


@written(3, "adapt", "one step too many")
def a_step_before_the_loop(grad, theta, alpha, steps):
    fast = theta - alpha * grad(theta)
    for _ in range(steps):
        fast = fast - alpha * grad(fast)
    return fast


# Lesson 4: derivatives.


@right(4, "hvp")
def step_by_the_length_of_v(grad, theta, v):
    epsilon = 0.01 / np.linalg.norm(v)
    return (grad(theta + epsilon * v) - grad(theta - epsilon * v)) / (2 * epsilon)


@right(4, "hvp")
def pearlmutter(grad, theta, v):
    return gradient_of(lambda t: anp.dot(grad(t), v))(theta)


@right(4, "hvp")
def with_a_first_import_inside(grad, theta, v):
    import decimal  # noqa: F401 (an import takes memory that is not the answer's)
    import xml.etree.ElementTree  # noqa: F401

    return (grad(theta + 1e-5 * v) - grad(theta - 1e-5 * v)) / 2e-5


DIVIDED = "parenthes|bracket|ε²|2ε|divid"


@written(4, "hvp", DIVIDED)
def without_parentheses(grad, theta, v):
    epsilon = 0.01 / np.linalg.norm(v)
    return (grad(theta + epsilon * v) - grad(theta - epsilon * v)) / 2.0 * epsilon


@written(4, "central_difference", DIVIDED)
def difference_without_parentheses(f, theta):
    epsilon, out = 1e-5, []
    for unit in np.eye(len(theta)):
        out.append((f(theta + epsilon * unit) - f(theta - epsilon * unit)) / 2 * epsilon)
    return np.array(out)


@written(4, "hvp", "2 times|2ε")
def over_one_epsilon(grad, theta, v):
    return (grad(theta + 1e-5 * v) - grad(theta - 1e-5 * v)) / 1e-5


@written(4, "hvp", "sign|-1 times|−1 times")
def turned_around(grad, theta, v):
    return (grad(theta - 1e-5 * v) - grad(theta + 1e-5 * v)) / 2e-5


@written(4, "central_difference", "^(?!one-sided)")
def in_float32(f, theta):
    h = 1e-3
    return np.array(
        [
            (f((theta + h * e).astype(np.float32)) - f((theta - h * e).astype(np.float32))) / (2 * h)
            for e in np.eye(len(theta))
        ]
    )


@right(4, "meta_gradient")
def differences_around_the_weights(grad_s, hvp_s, grad_q, theta, alpha):
    d = grad_q(theta - alpha * grad_s(theta))
    r, w = 1e-3 / np.linalg.norm(d), theta.copy()
    w += r * d
    plus = grad_s(w)
    w -= 2 * r * d
    return d - alpha * (plus - grad_s(w)) / (2 * r)


@written(4, "meta_gradient", "Hessian at theta prime")
def differences_around_theta_prime(grad_s, hvp_s, grad_q, theta, alpha):
    theta_prime = theta - alpha * grad_s(theta)
    v = grad_q(theta_prime)
    r = 1e-4 / np.linalg.norm(v)
    return v - alpha * (grad_s(theta_prime + r * v) - grad_s(theta_prime - r * v)) / (2 * r)


@written(4, "meta_gradient", "zero everywhere|does not depend|0 times")
def through_a_copy(grad_s, hvp_s, grad_q, theta, alpha):
    theta_prime = np.array(theta - alpha * grad_s(theta))
    return gradient_of(lambda t: anp.sum(theta_prime * 0) + 0 * anp.sum(t))(theta)


@written(4, "meta_gradient", "near|round")
def rounded(grad_s, hvp_s, grad_q, theta, alpha):
    v = grad_q(theta - alpha * grad_s(theta))
    return np.round(v - alpha * hvp_s(theta, v), 4)


# Lesson 6: meta-gradients, training loops, intervals.


@written(6, "maml_gradient", "first-order gradient")
def on_plain_arrays(objective, theta, episode, alpha, steps):
    total = np.zeros_like(theta)
    for support, query in one_by_one(episode):
        total = total + objective.grad(adapted(objective, theta.copy(), support, alpha, steps), query)
    return total / len(episode.support.x)


@written(6, "maml_gradient", "first-order gradient.*sum over tasks")
def on_plain_arrays_and_summed(objective, theta, episode, alpha, steps):
    return sum(objective.grad(adapted(objective, theta, s, alpha, steps), q) for s, q in one_by_one(episode))


@written(6, "maml_gradient", "number of points")
def a_mean_of_means(objective, theta, episode, alpha, steps):
    shots, queries = episode.support.x.shape[1], episode.query.x.shape[1]
    *thetas, last = path(objective, theta, episode.support, alpha / shots, steps)
    v = objective.grad(last, episode.query) / queries
    for theta_i in reversed(thetas):
        v = v - alpha * objective.hvp(theta_i, episode.support, v) / shots
    return v.mean(axis=0)


@written(6, "maml_gradient", "number of points|times the right answer")
def a_mean_of_means_outside(objective, theta, episode, alpha, steps):
    *thetas, last = path(objective, theta, episode.support, alpha, steps)
    v = objective.grad(last, episode.query) / episode.query.x.shape[1]
    for theta_i in reversed(thetas):
        v = v - alpha * objective.hvp(theta_i, episode.support, v)
    return v.mean(axis=0)


def differentiated(outer):
    """The answer that hands out autograd's gradient of outer(objective, theta, episode, alpha, steps)."""

    def answer(objective, theta, episode, alpha, steps):
        return gradient_of(lambda t: outer(objective, t, episode, alpha, steps))(theta)

    return answer


@written(6, "maml_gradient", "support loss outside")
@differentiated
def judged_on_the_support(objective, theta, episode, alpha, steps):
    return anp.mean(objective.value(adapted(objective, theta, episode.support, alpha, steps), episode.support))


@written(6, "maml_gradient", "sum over tasks")
@differentiated
def summed(objective, theta, episode, alpha, steps):
    return anp.sum(objective.value(adapted(objective, theta, episode.support, alpha, steps), episode.query))


@written(6, "maml_gradient", "each step from the first theta")
@differentiated
def every_step_from_theta(objective, theta, episode, alpha, steps):
    theta_i = theta
    for _ in range(steps):
        theta_i = theta - alpha * objective.grad(theta_i, episode.support)
    return anp.mean(objective.value(theta_i, episode.query))


@written(6, "maml_gradient", "NotImplementedError")
@differentiated
def median_over_tasks(objective, theta, episode, alpha, steps):
    return anp.median(objective.value(adapted(objective, theta, episode.support, alpha, steps), episode.query))


@written(6, "maml_gradient", "adapts on the query")
@differentiated
def adapts_where_it_judges(objective, theta, episode, alpha, steps):
    return anp.mean(objective.value(adapted(objective, theta, episode.query, alpha, steps), episode.query))


@written(6, "maml_gradient", "changes its inputs")
def theta_carried_in_place(objective, theta, episode, alpha, steps):
    g = 0
    for support, query in one_by_one(episode):
        for _ in range(steps):
            theta -= alpha * objective.grad(theta, support)
        g = g + objective.grad(theta, query) / len(episode.support.x)
    return g


@written(6, "maml_gradient", "None.*return")
def the_attribute_of_a_framework(objective, theta, episode, alpha, steps):
    adapted(objective, theta, episode.support, alpha, steps)
    return getattr(theta, "grad", None)


def all_hessians_at(where):
    def answer(objective, theta, episode, alpha, steps):
        last = adapted(objective, theta, episode.support, alpha, steps)
        v = objective.grad(last, episode.query)
        for _ in range(steps):
            v = v - alpha * objective.hvp(theta if where == "start" else last, episode.support, v)
        return np.average(v, axis=0)

    return answer


written(6, "maml_gradient", "Hessian at theta m")(all_hessians_at("end"))
written(6, "maml_gradient", "Hessian at theta 0")(all_hessians_at("start"))


@right(6, "maml_gradient")
def float32_all_the_way(objective, theta, episode, alpha, steps):
    f = np.float32
    thetas = [theta.astype(f)]
    for _ in range(steps):
        thetas.append((thetas[-1] - f(alpha) * objective.grad(thetas[-1], episode.support)).astype(f))
    v = objective.grad(thetas[-1], episode.query).astype(f)
    for theta_i in thetas[-2::-1]:
        v = (v - f(alpha) * objective.hvp(theta_i, episode.support, v)).astype(f)
    return v.mean(0)


@written(6, "maml_gradient", "mlcourse")
def the_packages_own(objective, theta, episode, alpha, steps):
    return mlcourse.maml(objective, theta, episode, alpha, steps).theta


def loop(objective, theta, batches, alpha, beta, *, outside="query", carried=False, first_order=False):
    """A training loop that still updates after each task."""
    for e in (e for batch in batches for e in batch):
        theta_prime = theta - alpha * objective.grad(theta, e.support)
        v = objective.grad(theta_prime, getattr(e, outside))
        v = v if first_order else v - alpha * objective.hvp(theta, e.support, v)
        theta = (theta_prime if carried else theta) - beta * v
    return theta


@written(6, "fix_the_loop", "[Tt]wo|\\+")
def two_bugs_left(objective, theta, batches, alpha, beta):
    return loop(objective, theta, batches, alpha, beta, outside="support")


@written(6, "fix_the_loop", "[Tt]wo|\\+")
def two_other_bugs_left(objective, theta, batches, alpha, beta):
    return loop(objective, theta, batches, alpha, beta, carried=True)


@written(6, "fix_the_loop", "one update a task")
def one_bug_left(objective, theta, batches, alpha, beta):
    return loop(objective, theta, batches, alpha, beta)


@written(6, "fix_the_loop", "first-order|FOMAML|hvp")
def no_bug_left_but_first_order(objective, theta, batches, alpha, beta):
    for batch in batches:
        gradients = [objective.grad(theta - alpha * objective.grad(theta, e.support), e.query) for e in batch]
        theta = theta - beta * np.mean(gradients, axis=0)
    return theta


@right(6, "fix_the_loop")
def the_loop_by_autograd(objective, theta, batches, alpha, beta):
    for batch in batches:

        def outer(t, batch=batch):
            return sum(objective.value(t - alpha * objective.grad(t, e.support), e.query) for e in batch) / len(batch)

        theta = theta - beta * gradient_of(outer)(theta)
    return theta


@written(6, "outer_step", "sum over tasks")
def accumulated(theta, gradients, beta):
    total = np.zeros_like(theta)
    for gradient in gradients:
        total += gradient(theta)
    return theta - beta * total


def losses_of(objective, theta, episodes, alpha, steps):
    thetas = path(objective, theta, episodes.support, alpha, steps)
    return np.array([objective.value(theta_i, episodes.query) for theta_i in thetas])


@right(6, "meta_test")
def standard_error_by_hand(objective, theta, episodes, alpha, steps):
    losses = losses_of(objective, theta, episodes, alpha, steps)
    variance = ((losses - losses.mean(1, keepdims=True)) ** 2).sum(1) / (losses.shape[1] - 1)
    return list(losses.mean(1)), tuple(1.96 * np.sqrt(variance / losses.shape[1]))


@right(6, "meta_test")
def the_quantile_with_all_its_digits(objective, theta, episodes, alpha, steps):
    losses = losses_of(objective, theta, episodes, alpha, steps)
    return losses.mean(1), 1.959963984540054 * losses.std(1, ddof=1) / np.sqrt(losses.shape[1])


@written(6, "meta_test", "deviation with ddof 0")
def numpys_default(objective, theta, episodes, alpha, steps):
    losses = losses_of(objective, theta, episodes, alpha, steps)
    return losses.mean(1), np.std(losses, axis=1) * 1.96 / np.sqrt(losses.shape[1])


def from_where_the_last_ended(objective, theta, episodes, alpha, steps, in_place):
    columns = []
    for support, query in one_by_one(episodes):
        column = [float(objective.value(theta, query))]
        for _ in range(steps):
            step = alpha * objective.grad(theta, support)
            theta = np.subtract(theta, step, out=theta if in_place else None)
            column.append(float(objective.value(theta, query)))
        columns.append(column)
    losses = np.array(columns).T
    return losses.mean(1), 1.96 * losses.std(1, ddof=1) / np.sqrt(losses.shape[1])


@written(6, "meta_test", "theta changed")
def theta_goes_on(objective, theta, episodes, alpha, steps):
    return from_where_the_last_ended(objective, theta.copy(), episodes, alpha, steps, in_place=False)


@written(6, "meta_test", "theta|θ|in place")
def theta_goes_on_in_place(objective, theta, episodes, alpha, steps):
    return from_where_the_last_ended(objective, theta, episodes, alpha, steps, in_place=True)


# Lesson 7: first-order methods.


@right(7, "fomaml_gradient")
def in_place_on_a_copy(objective, theta, episode, alpha, steps):
    gradients = []
    for support, query in one_by_one(episode):
        fast = theta.copy()
        for _ in range(steps):
            fast -= alpha * objective.grad(fast, support)
        gradients.append(objective.grad(fast, query))
    return np.mean(np.stack(gradients), axis=0)


@right(7, "reptile_update")
def a_weighted_mean(theta, adapted, epsilon):
    return (1 - epsilon) * theta + epsilon * adapted.mean(0)


@written(7, "reptile_update", "away")
def the_sign_of_a_gradient(theta, adapted, epsilon):
    return sum((theta + epsilon * (theta - each)) / len(adapted) for each in adapted)


@written(7, "reptile_update", "one task after another")
def serial(theta, adapted, epsilon):
    moving = theta.copy()
    for each in adapted:
        moving += epsilon * (each - moving)
    return moving


@written(7, "reptile_update", "one task|sum|T|serial")
def a_batch_not_averaged(theta, adapted, epsilon):
    moving = theta.copy()
    for each in adapted:
        moving += epsilon * (each - theta)
    return moving


@written(7, "reptile_update", "input")
def waits_for_somebody(theta, adapted, epsilon):
    input("go on?")
    return theta + epsilon * np.mean(adapted - theta, axis=0)


# Lesson 11: cheaper ways.


@right(11, "hvp_linear")
def with_an_import(x, v):
    import fractions  # noqa: F401

    return 2 / len(x) * (x.T @ (x @ v))


@right(11, "conjugate_gradient")
def the_residual_anew_each_time(hvp, b, steps):
    x = np.zeros(len(b))
    r = b - hvp(x)
    p = r + 0.0
    for _ in range(steps):
        image = hvp(p)
        x = x + (p @ r) / (p @ image) * p
        r = b - hvp(x)
        p = r - (image @ r) / (p @ image) * p
    return x


@written(11, "implicit_gradient", "λ|lambda|identity|I \\+")
def the_hessian_alone(hvp, g, lam):
    return np.linalg.solve(np.stack([hvp(unit) for unit in np.eye(len(g))]), g)


@right(11, "implicit_gradient")
def multiplied_by_lambda(hvp, g, lam):
    h = np.stack([hvp(unit) for unit in np.eye(len(g))])
    return lam * np.linalg.solve(h + lam * np.eye(len(g)), g)


@right(11, "mlp_grad")
def einsum_and_lists(parameters, x, y):
    w1, b1, w2, b2 = parameters
    z = x @ w1 + b1
    a = np.maximum(z, 0)
    d2 = 2 * (a @ w2 + b2 - y) / y.size
    d1 = np.einsum("ko,ho->kh", d2, w2) * (z > 0)
    return [np.einsum("ki,kh->ih", x, d1).tolist(), np.einsum("kh->h", d1), np.einsum("kh,ko->ho", a, d2), d2.sum(0)]


# Lesson 12: from published policy-gradient codes.


@right(12, "returns_to_go")
def reward_to_go(rews, gamma):
    n = len(rews)
    rtgs = np.zeros_like(rews)
    for i in reversed(range(n)):
        rtgs[i] = rews[i] + (gamma * rtgs[i + 1] if i + 1 < n else 0)
    return rtgs


@written(12, "returns_to_go", "gamma ignored")
def reward_to_go_without_discount(rews, gamma):
    n = len(rews)
    rtgs = np.zeros_like(rews)
    for i in reversed(range(n)):
        rtgs[i] = rews[i] + (rtgs[i + 1] if i + 1 < n else 0)
    return rtgs


@written(12, "returns_to_go", "powers from the rollout's start")
def discounted_and_summed_backwards(rewards, gamma):
    discounted = [gamma**t * r for t, r in enumerate(rewards)]
    return np.cumsum(discounted[::-1])[::-1]


@written(12, "returns_to_go", "the whole return at every time")
def discounted_return(rewards, gamma):
    total = sum(gamma**t * r for t, r in enumerate(rewards))
    return [total] * len(rewards)


@written(12, "returns_to_go", "turned round in time")
def returns_appended(rewards, gamma):
    R, returns = 0, []
    for r in rewards[::-1]:
        R = r + gamma * R
        returns.append(R)
    return np.array(returns)


@right(12, "returns_to_go")
def returns_inserted(rewards, gamma):
    R, returns = 0, []
    for r in rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    return returns


@written(12, "advantages", "divided by the spread")
def normalised(returns):
    advantage = returns - returns.mean(axis=0)
    return advantage / (advantage.std() + 1e-8)


@written(12, "advantages", "one mean for all")
def reinforce_baseline(returns):
    return returns - np.mean(returns)


@written(12, "score", "not differentiated|of the probability|sign|2")
def log_prob(actions, mean, sigma):
    return -((actions - mean) ** 2) / (2 * sigma**2)


@right(12, "score")
def by_z(actions, mean, sigma):
    z = (actions - mean) / sigma
    return z / sigma


@right(12, "return_after")
def with_everything_named(draw, gradient, theta, alpha, rng):
    support_actions, support_rewards = draw(theta, rng)
    fast = theta + alpha * gradient(theta, support_actions, support_rewards)
    query_actions, query_rewards = draw(fast, rng)
    assert len(query_actions) == len(support_actions)
    return float(query_rewards.mean())


@written(12, "return_after", "judged on the support rollouts")
def drawn_once(draw, gradient, theta, alpha, rng):
    actions, rewards = draw(theta, rng)
    theta = theta + alpha * gradient(theta, actions, rewards)
    return rewards.mean()


@written(12, "return_after", "before adaptation")
def both_sets_drawn_first(draw, gradient, theta, alpha, rng):
    support, query = draw(theta, rng), draw(theta, rng)
    theta = theta + alpha * gradient(theta, *support)
    return query[1].mean()


@written(12, "return_curvature", "score term dropped")
def log_probability_differentiated_twice(actions, rewards, baseline, mean, sigma):
    def surrogate(theta):
        return anp.mean(-((actions - theta) ** 2) / (2 * sigma**2) * (rewards - baseline))

    return gradient_of(gradient_of(surrogate))(mean)


@right(12, "return_curvature")
def magic_box(actions, rewards, baseline, mean, sigma):
    def log_p(theta):
        return -((actions - theta) ** 2) / (2 * sigma**2)

    return gradient_of(gradient_of(lambda theta: anp.mean(anp.exp(log_p(theta) - log_p(mean)) * (rewards - baseline))))(
        mean
    )
