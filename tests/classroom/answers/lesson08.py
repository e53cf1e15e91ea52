"""Answers to lesson 8's problems, written otherwise than the course writes them."""

from itertools import pairwise

import autograd.numpy as np
from autograd import grad as grad_of

from mlcourse import mean_squared_error


def by_differences(dLs, dLq, theta, alpha):
    """L_q is the integral of its slope: Simpson's rule is exact for a cubic."""

    def loss(t):
        return t / 6 * (dLq(0.0) + 4 * dLq(t / 2) + dLq(t))

    return (loss(theta - (alpha + 1e-5) * dLs(theta)) - loss(theta - (alpha - 1e-5) * dLs(theta))) / 2e-5


def through_the_loop(objective, theta, episode, alpha, steps=1):
    """Autograd through the unrolled loop."""
    plain = mean_squared_error(objective.model, derivatives="autograd")

    def loss(alpha):
        theta_i = theta + np.zeros((len(episode.support.x), 1))
        for _ in range(steps):
            theta_i = theta_i - alpha * plain.grad(theta_i, episode.support)
        return np.mean(plain.value(theta_i, episode.query))

    return grad_of(loss)(alpha)


def task_by_task(objective, theta, episode, alpha):
    rows = []
    for task in range(len(episode.support.x)):
        support, query = (type(data)(data.x[task], data.y[task]) for data in (episode.support, episode.query))
        inner = objective.grad(theta, support)
        rows.append(-inner * objective.grad(theta - alpha * inner, query))
    return sum(rows) / len(rows)


def one_number_for_all(objective, theta, episode, alpha):
    return sum(task_by_task(objective, theta, episode, alpha))


def with_matrices(objective, theta, episode, alpha, steps):
    """dtheta_i/dalpha (T, P, P) carried forward, whole."""
    tasks, size = len(episode.support.x), len(theta)
    theta_i, jacobian = np.tile(theta, (tasks, 1)), np.zeros((tasks, size, size))
    for _ in range(steps):
        inner = objective.grad(theta_i, episode.support)
        hessian = np.stack(
            [objective.hvp(theta_i, episode.support, np.tile(axis, (tasks, 1))) for axis in np.eye(size)], axis=-1
        )
        jacobian = jacobian - alpha[:, None] * (hessian @ jacobian) - np.stack([np.diag(row) for row in inner])
        theta_i = theta_i - alpha * inner
    outer = objective.grad(theta_i, episode.query)
    return np.einsum("tp,tpq->q", outer, jacobian) / tasks


def forgets_what_lies_between(objective, theta, episode, alpha, steps):
    theta_i, total = np.tile(theta, (len(episode.support.x), 1)), 0
    for _ in range(steps):
        inner = objective.grad(theta_i, episode.support)
        theta_i, total = theta_i - alpha * inner, total + inner
    return -(total * objective.grad(theta_i, episode.query)).mean(0)


def name_by_name(model, in_alpha):
    entries = []
    for layer in range(1, len(model.sizes)):
        entries.append(sum(in_alpha[model.parts[f"W{layer}"]]) + sum(in_alpha[model.parts[f"b{layer}"]]))
    return entries


def from_the_end(model, alpha):
    (inputs, outputs) = model.sizes[-2:]
    head = (inputs + 1) * outputs
    return [0] * (model.size - head) + [alpha] * head


def without_the_bias(model, alpha):
    vector = np.zeros(model.size)
    vector[-model.sizes[-1] - model.sizes[-2] * model.sizes[-1] : -model.sizes[-1]] = alpha
    return vector


def with_the_query_inside(objective, theta, episode, alpha):
    inner = objective.grad(theta, episode.query)
    return np.mean(-inner * objective.grad(theta - alpha * inner, episode.query), axis=0)


def with_the_sets_exchanged(objective, theta, episode, alpha):
    inner = objective.grad(theta, episode.query)
    return np.mean(-inner * objective.grad(theta - alpha * inner, episode.support), axis=0)


def third_layer(model, alpha):
    alphas = np.zeros(model.size)
    for part in ["W3", "b3"]:
        alphas[model.parts[part]] = alpha
    return alphas


def on_a_grid(given):
    """The loss is a parabola in alpha: three values of it give its lowest point."""
    h, d = given["h"], given["theta"] - given["theta_star"]

    def loss(alpha):
        after = given["theta"] - alpha * h * d - given["theta_star"]
        return np.mean(h / 2 * after**2)

    at_0, at_1, at_2 = loss(0.0), loss(1.0), loss(2.0)
    bend = at_2 - 2 * at_1 + at_0
    return -(at_1 - at_0 - bend / 2) / bend


def by_building_it(given):
    sizes, adapting = given["sizes"], given["adapting"]
    arrays = [np.zeros((k, n + 1)) for n, k in pairwise(sizes)]
    return given["tasks"] * sum(array.size for array in arrays[len(arrays) - adapting :])


RIGHT = {
    "alpha_gradient_1d": [by_differences, lambda f, g, t, a: -f(t) * g(t - a * f(t))],
    "alpha_gradient": [through_the_loop, task_by_task],
    "alpha_gradient_steps": [through_the_loop, with_matrices],
    "log_alpha_gradient": [lambda in_alpha, rho: [g * np.exp(r) for g, r in zip(in_alpha, rho, strict=True)]],
    "layer_alpha_gradient": [
        name_by_name,
        lambda model, in_alpha: [layer.sum() for layer in model.layers(in_alpha)],
    ],
    "head_only": [from_the_end],
    "best_alpha": [on_a_grid],
    "count_fast_weights": [by_building_it],
}

WRONG = {
    "alpha_gradient_1d": [
        ("sign", lambda dLs, dLq, theta, alpha: dLq(theta - alpha * dLs(theta)) * dLs(theta)),
        ("query's slope at theta", lambda dLs, dLq, theta, alpha: -dLq(theta) * dLs(theta)),
        ("times alpha", lambda dLs, dLq, theta, alpha: -alpha * dLs(theta) * dLq(theta - alpha * dLs(theta))),
    ],
    "alpha_gradient": [
        ("summed to a scalar", one_number_for_all),
        ("sum over tasks", lambda o, theta, e, a: len(e.support.x) * task_by_task(o, theta, e, a)),
        ("times alpha", lambda o, theta, e, a: a * task_by_task(o, theta, e, a)),
        ("query loss inside", with_the_query_inside),
        ("support loss outside + query loss inside", with_the_sets_exchanged),
    ],
    "alpha_gradient_steps": [("first-order in the steps", forgets_what_lies_between)],
    "log_alpha_gradient": [
        ("chain factor missing", lambda in_alpha, rho: list(in_alpha)),
        ("divided by alpha", lambda in_alpha, rho: in_alpha / np.exp(rho)),
    ],
    "layer_alpha_gradient": [
        ("mean for sum", lambda model, in_alpha: [layer.mean() for layer in model.layers(in_alpha)]),
        ("biases left out", lambda model, in_alpha: [layer[:-1].sum() for layer in model.layers(in_alpha)]),
    ],
    "head_only": [("weights without biases", without_the_bias), ("depth written in", third_layer)],
}
