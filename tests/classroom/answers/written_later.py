"""More answers as people write them: lessons 8 to 14, from codes of Meta-SGD, ANIL, ProtoNets, early stopping, REINFORCE,
hypergradients, linear attention and mixed models, with what beginners make of them.
"""

import math
from fractions import Fraction
from itertools import pairwise

import autograd.numpy as anp
import numpy as np
from autograd import grad as gradient_of

from mlcourse import Data
from tests.classroom.answers.written import one_by_one, right, written


class Answer:
    """A callable object: whatever names its arguments have."""

    def __init__(self, answer):
        self.answer, self.__name__ = answer, answer.__name__

    def __call__(self, *arguments):
        return self.answer(*arguments)


# Lesson 8: learning the inner loop.


@right(8, "alpha_gradient_1d")
@Answer
def by_quadrature(dLs, dLq, theta, alpha):
    """The loss between two step sizes is the integral of its slope, over their distance."""
    slope, h = dLs(theta), 1e-5
    ends = theta - (alpha - h) * slope, theta - (alpha + h) * slope
    x, weights = np.polynomial.legendre.leggauss(6)
    half, middle = (ends[1] - ends[0]) / 2, (ends[0] + ends[1]) / 2
    return sum(w * dLq(half * each + middle) for each, w in zip(x, weights, strict=True)) * half / (2 * h)


@written(8, "alpha_gradient_1d", "uphill")
def a_step_up(dLs, dLq, theta, alpha):
    return -dLs(theta) * dLq(theta + alpha * dLs(theta))


@written(8, "alpha_gradient_1d", "something is to be written")
def one_line_left_open(dLs, dLq, theta, alpha):
    theta_prime = theta - alpha * dLs(theta)
    moves = ...
    return dLq(theta_prime) * moves


@written(8, "alpha_gradient_1d", "still to be written")
def returns_an_ellipsis(dLs, dLq, theta, alpha):
    theta_prime = theta - alpha * dLs(theta)
    return ... if theta_prime else 0


def query_loss(objective, theta, episode, alpha, steps=1):
    for _ in range(steps):
        theta = theta - alpha * objective.grad(theta, episode.support)
    return anp.mean(objective.value(theta, episode.query))


@right(8, "alpha_gradient")
def meta_sgd(objective, theta, episode, alpha):
    return gradient_of(lambda a: query_loss(objective, theta, episode, a))(alpha)


@right(8, "alpha_gradient")
def in_place_on_a_tile(objective, theta, episode, alpha):
    fast = np.tile(theta, (len(episode.support.x), 1))
    g = objective.grad(fast, episode.support)
    fast -= alpha * g
    return -np.einsum("tp,tp->p", g, objective.grad(fast, episode.query)) / len(g)


@written(8, "alpha_gradient", "only the last task")
def overwritten_in_the_loop(objective, theta, episode, alpha):
    for support, query in one_by_one(episode):
        g = objective.grad(theta, support)
        result = -g * objective.grad(theta - alpha * g, query)
    return result


@written(8, "alpha_gradient", "one θ′ for all tasks")
def one_step_for_all(objective, theta, episode, alpha):
    g = objective.grad(theta, episode.support).mean(axis=0)
    return -g * objective.grad(theta - alpha * g, episode.query).mean(axis=0)


@written(8, "alpha_gradient", "sum over points")
def squares_summed(objective, theta, episode, alpha):
    return meta_sgd(objective, theta, episode, alpha) * episode.query.x.shape[1]


@written(8, "alpha_gradient", "uphill")
def every_step_up(objective, theta, episode, alpha):
    g = objective.grad(theta, episode.support)
    return -(g * objective.grad(theta + g * alpha, episode.query)).mean(axis=0)


@written(8, "alpha_gradient", "expected shape")
def a_dictionary(objective, theta, episode, alpha):
    return {"alpha": meta_sgd(objective, theta, episode, alpha)}


@written(8, "log_alpha_gradient", "NotNumbers|should give numbers")
def numbers_as_text(in_alpha, rho):
    return [str(each) for each in np.exp(rho) * in_alpha]


@right(8, "layer_alpha_gradient")
def add_reduceat(model, in_alpha):
    counts = [(inputs + 1) * outputs for inputs, outputs in pairwise(model.sizes)]
    return np.add.reduceat(in_alpha, np.append(0, np.cumsum(counts)[:-1]))


@written(8, "layer_alpha_gradient", "expected shape")
def parts_by_name(model, in_alpha):
    return {name: np.sum(in_alpha[part]) for name, part in model.parts.items()}


@right(8, "head_only")
def parameter_groups(model, alpha):
    rates = dict.fromkeys(model.parts, 0.0)
    last = max(int(name[1:]) for name in rates)
    rates[f"W{last}"] = rates[f"b{last}"] = alpha
    return [rate for name, rate in rates.items() for _ in range(model.parts[name].stop - model.parts[name].start)]


@written(8, "head_only", "depth written in")
def from_the_second_on(model, alpha):
    rates = np.zeros(model.size)
    rates[model.parts["W2"].start :] = alpha
    return rates


@written(8, "count_fast_weights", "one bias a layer")
def one_bias_a_layer(sizes, adapting, tasks):
    return tasks * sum(a * b + 1 for a, b in list(pairwise(sizes))[-adapting:])


@right(8, "alpha_gradient_steps")
def meta_sgd_steps(objective, theta, episode, alpha, steps):
    return gradient_of(lambda a: query_loss(objective, theta, episode, a, steps))(alpha)


@right(8, "alpha_gradient_steps")
def forward_mode(objective, theta, episode, alpha, steps):
    entries = []
    for unit in np.eye(len(theta)):
        fast = np.tile(theta, (len(episode.support.x), 1))
        moves = np.zeros_like(fast)
        for _ in range(steps):
            g = objective.grad(fast, episode.support)
            moves = moves - unit * g - alpha * objective.hvp(fast, episode.support, moves)
            fast = fast - alpha * g
        entries.append(np.mean(np.sum(objective.grad(fast, episode.query) * moves, axis=1)))
    return entries


@written(8, "alpha_gradient_steps", "one step too many")
def a_step_more(objective, theta, episode, alpha, steps):
    return meta_sgd_steps(objective, theta, episode, alpha, steps + 1)


@written(8, "alpha_gradient_steps", "each step from the first theta")
def every_step_from_theta(objective, theta, episode, alpha, steps):
    def outer(a):
        fast = theta
        for _ in range(steps):
            fast = theta - a * objective.grad(fast, episode.support)
        return anp.mean(objective.value(fast, episode.query))

    return gradient_of(outer)(alpha)


@written(8, "alpha_gradient_steps", "times alpha")
def in_the_logarithm(objective, theta, episode, alpha, steps):
    return gradient_of(lambda rho: query_loss(objective, theta, episode, anp.exp(rho), steps))(np.log(alpha))


def recursion(hessian_at, hessian_of):
    def answer(objective, theta, episode, alpha, steps):
        thetas = [theta]
        for _ in range(steps):
            thetas.append(thetas[-1] - alpha * objective.grad(thetas[-1], episode.support))
        v, total = objective.grad(thetas[-1], episode.query), 0.0
        for i in range(steps - 1, -1, -1):
            total = total - objective.grad(thetas[i], episode.support) * v
            v = v - objective.hvp(thetas[i + hessian_at], getattr(episode, hessian_of), alpha * v)
        return total.mean(axis=0)

    return answer


written(8, "alpha_gradient_steps", "Hessian where the step ends")(recursion(1, "support"))
written(8, "alpha_gradient_steps", "Hessian of the query loss")(recursion(0, "query"))


# Lesson 9: few-shot classification.


@right(9, "prototypes")
def running_means(z, y, ways):
    c, seen = np.zeros((ways, z.shape[1])), np.zeros(ways)
    for row, label in zip(z, y, strict=True):
        seen[label] += 1
        c[label] += (row - c[label]) / seen[label]
    return c


@right(9, "prototypes")
def least_squares_on_labels(z, y, ways):
    return np.linalg.lstsq(np.eye(ways)[y], z, rcond=None)[0]


@written(9, "prototypes", "scaled to length one")
def of_normalised_embeddings(z, y, ways):
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    return np.stack([unit[y == n].mean(axis=0) for n in range(ways)])


@written(9, "prototypes", "expected shape")
def keyed_by_label(z, y, ways):
    return {n: z[y == n].mean(axis=0) for n in range(ways)}


def scores_of(z, prototypes):
    return -(np.linalg.norm(z[:, None] - prototypes, axis=-1) ** 2)


@right(9, "log_probabilities")
def by_logaddexp(z, prototypes):
    scores = scores_of(z, prototypes)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@right(9, "log_probabilities")
def multiplied_out(z, prototypes):
    scores = -((z**2).sum(axis=1)[:, None] + (prototypes**2).sum(axis=1) - 2 * z @ prototypes.T)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@written(9, "log_probabilities", "^cut off")
def with_a_small_number(z, prototypes):
    scores = scores_of(z, prototypes)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.log(p / p.sum(axis=1, keepdims=True) + 1e-12)


@written(9, "log_probabilities", "^overflow")
def with_a_small_number_and_no_maximum(z, prototypes):
    p = np.exp(scores_of(z, prototypes))
    return np.log(p / p.sum(axis=1, keepdims=True) + 1e-12)


@written(9, "log_probabilities", "For far ones it raised (ValueError|ZeroDivisionError)")
def without_numpy(z, prototypes):
    p = [[math.exp(-sum((a - b) ** 2 for a, b in zip(q, c, strict=True))) for c in prototypes] for q in z]
    return [[math.log(each / sum(row)) for each in row] for row in p]


@right(9, "as_linear")
def from_the_first_prototype(prototypes):
    return 2 * (prototypes - prototypes[0]).T, prototypes[0] @ prototypes[0] - np.sum(prototypes**2, axis=1)


@written(9, "as_linear", "expected 2 results")
def a_layer_by_name(prototypes):
    return {"weight": 2 * prototypes.T, "bias": -np.sum(prototypes**2, axis=1)}


@written(9, "accuracy_ci", "mean alone in per cent")
def half_in_per_cent(correct):
    each = correct.mean(axis=1)
    return 100 * each.mean(), 1.96 * each.std(ddof=1) / np.sqrt(len(each))


@written(9, "accuracy_ci", "Only number 2 of 2 is wrong")
def with_t_for_ten(correct):
    each = correct.mean(axis=1)
    return each.mean(), 2.262 * each.std(ddof=1) / np.sqrt(len(each))


# Lesson 10: meta-overfitting.


def error_of(values):
    return np.var(values, ddof=1) / len(values)


@right(10, "meta_gap")
def with_the_exact_quantile(own, new):
    return [np.mean(new) - np.mean(own), 1.959963984540054 * math.sqrt(error_of(own) + error_of(new))]


@written(10, "meta_gap", "the interval's ends")
def two_ends(own, new):
    gap, half = with_the_exact_quantile(own, new)
    return gap - half, gap + half


@written(10, "meta_gap", "2 for 1.96")
def two_errors(own, new):
    return np.mean(new) - np.mean(own), 2 * np.sqrt(error_of(own) + error_of(new))


@right(10, "early_stop")
def as_in_keras(validation, patience):
    best, wait, kept = float("inf"), 0, 0
    for epoch, loss in enumerate(validation):
        if loss < best:
            best, wait, kept = loss, 0, epoch
        else:
            wait += 1
            if wait >= patience:
                break
    return np.array(kept)


@written(10, "early_stop", "counted back from the stop")
def counted_back(validation, patience):
    best, wait = float("inf"), 0
    for epoch, loss in enumerate(validation):  # noqa: B007 (epoch is used after the loop)
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch - patience


@written(10, "early_stop", "equal loss")
def no_worse_is_better(validation, patience):
    best, wait, kept = float("inf"), 0, 0
    for epoch, loss in enumerate(validation):
        if loss <= best:
            best, wait, kept = loss, 0, epoch
        else:
            wait += 1
            if wait >= patience:
                break
    return kept


@written(10, "pull_step", "the pull after the step")
def decoupled(theta_i, theta, grad, alpha, lam):
    stepped = theta_i - alpha * grad(theta_i)
    return stepped - alpha * lam * (stepped - theta)


@right(10, "split_tasks")
def drawn_and_taken_away(n, fractions, rng):
    left, parts = list(range(n)), []
    for fraction in fractions:
        parts.append(rng.choice(left, size=round(n * fraction), replace=False))
        left = [task for task in left if task not in parts[-1]]
    return tuple(parts)


@right(10, "split_tasks")
def sorted_by_chance(n, fractions, rng):
    return np.split(np.argsort(rng.random(n)), np.round(np.cumsum(fractions)[:-1] * n).astype(int))


@written(10, "split_tasks", "part by part")
def each_part_cut_off(n, fractions, rng):
    order, parts, start = rng.permutation(n), [], 0
    for fraction in fractions:
        parts.append(order[start : start + int(n * fraction)])
        start += int(n * fraction)
    return parts


@written(10, "split_tasks", "a window of the recorded order")
def turned_round_a_circle(n, fractions, rng):
    order = (np.arange(n) + rng.integers(n)) % n
    return np.split(order, np.round(np.cumsum(fractions)[:-1] * n).astype(int))


@written(10, "split_tasks", "one ndarray, not a list of parts")
def one_order(n, fractions, rng):
    return rng.permutation(n)


@right(10, "pull_end")
def run_to_the_end(h, theta_star, theta, lam):
    theta_i = theta
    for _ in range(2000):
        theta_i = theta_i - (h * (theta_i - theta_star) + lam * (theta_i - theta)) / (h.max() + lam)
    return theta_i


def chosen(validation, test, first=0):
    s, i = divmod(int(validation.mean(axis=2).argmin()), validation.shape[1])
    return s + first, i + first, test[s, i].mean(), 1.959963984540054 * math.sqrt(error_of(test[s, i]))


@right(10, "choose_and_report")
def by_divmod(validation, test):
    return chosen(validation, test)


@written(10, "choose_and_report", "counted from 1")
def checkpoint_one(validation, test):
    return chosen(validation, test, first=1)


# Lesson 12: meta-reinforcement learning.


@written(12, "return_after", "it is .* and should be")
def actions_and_rewards_exchanged(draw, gradient, theta, alpha, rng):
    actions, rewards = draw(theta, rng)
    return np.mean(draw(theta + alpha * gradient(theta, rewards, actions), rng)[1])


@right(12, "returns_to_go")
def one_linear_system(rewards, gamma):
    return np.linalg.solve(np.eye(len(rewards)) - gamma * np.eye(len(rewards), k=1), rewards)


@written(12, "bandit_meta_gradient", r"first-order \+ sign")
def of_the_loss_and_first_order(mean, goals, alpha):
    return np.mean(2 * (1 - 2 * alpha) * (mean - goals))


@written(12, "bandit_meta_gradient", "1/3 of the right number")
def averaged_twice(mean, goals, alpha):
    return np.mean(-2 * (1 - 2 * alpha) ** 2 * (mean - goals)) / len(goals)


@written(12, "bandit_meta_gradient", "without quotation marks")
def as_text(mean, goals, alpha):
    return "1/3"


# Lesson 13: where it fits.


@right(13, "maml_passes")
def as_a_fraction(tasks, steps):
    return Fraction(tasks * (2 + 7 * steps), 2)


@written(13, "maml_passes", "should give numbers, and gave str: 'passes' among them")
def with_its_unit(tasks, steps):
    return [tasks * (1 + 3.5 * steps), "passes"]


@right(13, "hypergradient")
def through_the_solve(X, y, X_val, y_val, lam):
    def judged(lam):
        w = anp.linalg.solve(2 * X.T @ X / len(X) + lam * np.eye(X.shape[1]), 2 * X.T @ y / len(X))
        return anp.mean((X_val @ w - y_val) ** 2)

    return gradient_of(judged)(lam)


@right(13, "hypergradient")
def in_the_dual(X, y, X_val, y_val, lam):
    inverse = np.linalg.inv(X @ X.T + lam * len(X) / 2 * np.eye(len(X)))
    error = X_val @ X.T @ inverse @ y - y_val
    return -len(X) / len(X_val) * error @ (X_val @ X.T @ inverse @ inverse @ y)


@right(13, "attention_layers")
def tokens_side_by_side(context_x, context_y, query_x, alpha, layers):
    x, value = np.vstack([context_x, query_x]), np.append(context_y, 0.0)
    for _ in range(layers):
        value = value - 2 * alpha / len(context_y) * x @ (context_x.T @ value[:-1])
    return -value[-1]


# Lesson 14: tables.


@right(14, "split")
def names_shuffled(names, number, rng):
    tasks = sorted(set(names.tolist()))
    rng.shuffle(tasks)
    return [name in tasks[:number] for name in names]


@written(14, "split", "tasks that stand together")
def neighbours(names, number, rng):
    tasks = np.unique(names)
    start = rng.integers(len(tasks))
    return np.isin(names, np.take(tasks, range(start, start + number), mode="wrap"))


@written(14, "split", "other things than True and False")
def the_names_themselves(names, number, rng):
    return rng.permutation(np.unique(names))[:number]


@right(14, "meta_trained_beats_baseline")
def with_more_digits(meta, baseline):
    difference = meta - baseline
    half = 1.959963984540054 * math.sqrt(error_of(difference))
    return float(difference.mean()), half, bool(difference.mean() < -half)


@written(14, "meta_trained_beats_baseline", "clearly worse taken for better")
def significant(meta, baseline):
    mean, half, _ = with_more_digits(meta, baseline)
    return mean, half, abs(mean) > half


@written(14, "meta_trained_beats_baseline", "gave None among them")
def no_third_result(meta, baseline):
    return *with_more_digits(meta, baseline)[:2], None


@right(14, "load")
def as_data(names, x, y):
    return {str(name): Data(x[names == name, None], y[names == name, None]) for name in set(names)}


@written(14, "load", "no entry.*a mapping with 0, 1")
def numbered(names, x, y):
    return {i: (x[names == name, None], y[names == name, None]) for i, name in enumerate(np.unique(names))}


@written(14, "load", r"expected 2 results: shape \(\d, 1\) and shape")
def side_by_side(names, x, y):
    return {name: np.stack([x, y], axis=1)[names == name] for name in np.unique(names)}


@written(14, "load", r"gives 2 results: shape .* and shape \(\d,\)")
def only_x_is_a_column(names, x, y):
    return {name: (x[names == name, None], y[names == name]) for name in np.unique(names)}


@right(14, "posterior")
def row_by_row(A, y, mu, C, sigma):
    mean, spread = mu.copy(), C.copy()
    for a, target in zip(A, y, strict=True):
        gain = spread @ a / (a @ spread @ a + sigma**2)
        mean = mean + gain * (target - a @ mean)
        spread = spread - np.outer(gain, a @ spread)
    return mean


@right(14, "honest_report")
def grouped(squared, names, trained):
    kept = ~np.isin(names, trained)
    _, task = np.unique(names[kept], return_inverse=True)
    errors = np.sqrt(np.bincount(task, squared[kept]) / np.bincount(task))
    return errors.mean(), 1.959963984540054 * math.sqrt(error_of(errors))
