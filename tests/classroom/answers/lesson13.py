"""Answers to lesson 13's problems, written otherwise than the course writes them."""

from fractions import Fraction

import numpy as np
from autograd import grad as grad_of

from mlcourse import Data, Linear, adapt, mean_squared_error


def counted_one_by_one(tasks, steps):
    passes = 0
    for _ in range(tasks):
        for _ in range(steps):
            passes += 1 + 2.5
        passes += 1
    return passes


def through_w(context_x, context_y, query_x, alpha):
    w = np.zeros(len(query_x))
    gradient = 2 * context_x.T @ (context_x @ w - context_y) / len(context_y)
    return (w - alpha * gradient) @ query_x


def by_the_package(context_x, context_y, query_x, alpha):
    model = Linear(len(query_x), bias=False)
    theta = adapt(mean_squared_error(model), np.zeros(model.size), Data(context_x, context_y[:, None]), alpha, 1)
    return model(theta, query_x[None])


def one_by_one(context_x, context_y, query_x, alpha):
    total = 0
    for x, y in zip(context_x, context_y, strict=True):
        total += sum(a * b for a, b in zip(x, query_x, strict=True)) * y
    return total * alpha * 2 / len(context_y)


def fitted(X, y, u, lam):
    """w where mean(u (Xw - y)^2) + lam / 2 |w|^2 is least: ordinary least squares of a longer table."""
    weight = np.sqrt(u / len(X))
    rows = np.vstack([weight[:, None] * X, np.sqrt(lam / 2) * np.eye(X.shape[1])])
    return np.linalg.lstsq(rows, np.append(weight * y, np.zeros(X.shape[1])), rcond=None)[0]


def judged(X_val, y_val, w):
    return np.mean((X_val @ w - y_val) ** 2)


def slope_by_differences(X, y, X_val, y_val, lam):
    there, back = (judged(X_val, y_val, fitted(X, y, np.ones(len(X)), lam + e)) for e in (1e-4, -1e-4))
    return (there - back) / 2e-4


def slope_from_the_adjoint(X, y, X_val, y_val, lam):
    w = fitted(X, y, np.ones(len(X)), lam)
    v = np.linalg.inv(2 / len(X) * X.T @ X + lam * np.eye(len(w))) @ grad_of(lambda w: judged(X_val, y_val, w))(w)
    return -(v @ w)


def weights_by_differences(X, y, u, X_val, y_val, lam):
    def loss(u):
        return judged(X_val, y_val, fitted(X, y, u, lam))

    return [(loss(u + e) - loss(u - e)) / 2e-4 for e in 1e-4 * np.eye(len(u))]


def weights_one_by_one(X, y, u, X_val, y_val, lam):
    w, out = fitted(X, y, u, lam), []
    M = sum(2 / len(X) * each * np.outer(x, x) for x, each in zip(X, u, strict=True)) + lam * np.eye(len(w))
    for x, target in zip(X, y, strict=True):
        moves = np.linalg.solve(M, -2 / len(X) * (x @ w - target) * x)
        out.append(np.mean(2 * (X_val @ w - y_val) * (X_val @ moves)))
    return np.array(out)


def descended(context_x, context_y, query_x, alpha, layers):
    model = Linear(len(query_x), bias=False)
    data = Data(context_x, context_y[:, None])
    return model(adapt(mean_squared_error(model), np.zeros(model.size), data, alpha, layers), query_x[None])


def in_tokens(context_x, context_y, query_x, alpha, layers):
    tokens = np.column_stack([np.vstack([context_x, query_x]), np.append(context_y, 0.0)])
    for _ in range(layers):
        x, values = tokens[:, :-1], tokens[:-1, -1]
        tokens = tokens.copy()
        tokens[:, -1] -= 2 * alpha * (x @ x[:-1].T) @ values / len(values)
    return -tokens[-1, -1]


def replaced(context_x, context_y, query_x, alpha, layers):
    scores, values, total = 2 * alpha / len(context_y) * np.vstack([context_x, query_x]) @ context_x.T, context_y, 0
    for _ in range(layers):
        *values, answer = scores @ values
        total += answer
    return total


def taken_off_everywhere(context_x, context_y, query_x, alpha, layers):
    # the prediction is a sum of answers, each to values that are less by the same number
    once, by_one = (one_by_one(context_x, values, query_x, alpha) for values in (context_y, np.ones(len(context_y))))
    prediction = 0
    for _ in range(layers):
        prediction = once + (1 - by_one) * prediction
    return prediction


def pictures_task_by_task(given):
    steps = Fraction(7, 2) * given["m"] * given["N"] * given["K"]
    return float((steps + given["N"] * given["Q"]) * given["T"] * given["iterations"] / given["batch"])


RIGHT = {
    "maml_passes": [counted_one_by_one, lambda tasks, steps: (3.5 * steps + 1) * tasks],
    "attention_step": [through_w, by_the_package, one_by_one],
    "hypergradient": [slope_by_differences, slope_from_the_adjoint],
    "weight_gradient": [weights_by_differences, weights_one_by_one],
    "attention_layers": [descended, in_tokens],
    "equal_budget": [pictures_task_by_task],
    "bilevel_terms": [tuple, lambda labels: dict(enumerate(labels))],
    "choose": [lambda labels: [label.upper() for label in labels], np.array],
}

WRONG = {
    "maml_passes": [
        ("Hessian products not counted", lambda tasks, steps: tasks * (steps + 1)),
        ("a Hessian product counted as a gradient", lambda tasks, steps: sum(2 * steps + 1 for _ in range(tasks))),
        ("one task", lambda tasks, steps: 3.5 * steps + 1),
        ("one Hessian product", lambda tasks, steps: tasks * (steps + 3.5)),
        ("not all times the tasks", lambda tasks, steps: tasks * steps + 1 + 2.5 * steps),
    ],
    "attention_step": [
        ("uphill", lambda x, y, q, alpha: -one_by_one(x, y, q, alpha)),
        ("sum for mean", lambda x, y, q, alpha: len(y) * through_w(x, y, q, alpha)),
        ("factor 2", lambda x, y, q, alpha: alpha * (y @ x @ q) / len(y)),
        ("plain attention", lambda x, y, q, alpha: np.einsum("kd,d,k->", x, q, y)),
        (
            "softmax + plain attention",
            lambda x, y, q, alpha: sum(np.exp(x @ q) / np.exp(x @ q).sum() * y),
        ),
        ("fitted to the end", lambda x, y, q, alpha: q @ np.linalg.pinv(x) @ y),
        ("divided by √d", lambda x, y, q, alpha: one_by_one(x, y, q / len(q) ** 0.5, alpha)),
        ("divided by d", lambda x, y, q, alpha: one_by_one(x, y, q, alpha) * len(y) / len(q)),
    ],
    "hypergradient": [
        ("sign of dw/dλ", lambda *case: -slope_by_differences(*case)),
        ("indirect term missing", lambda X, y, X_val, y_val, lam: 0),
        (
            "indirect term missing: the penalty alone",
            lambda X, y, X_val, y_val, lam: 0.5 * np.sum(fitted(X, y, np.ones(len(y)), lam) ** 2),
        ),
        ("judged on the training set", lambda X, y, X_val, y_val, lam: slope_by_differences(X, y, X, y, lam)),
        ("slope in log λ", lambda *case: case[-1] * slope_by_differences(*case)),
    ],
    "weight_gradient": [
        ("sign of dw/du", lambda *case: -weights_one_by_one(*case)),
        (
            "judged on the training set",
            lambda X, y, u, X_val, y_val, lam: weights_one_by_one(X, y, u, X, y, lam),
        ),
        ("weights counted twice", lambda *case: case[2] * weights_one_by_one(*case)),
        ("weights squared", lambda X, y, u, *rest: weights_one_by_one(u[:, None] * X, u * y, u**0, *rest) / u**2),
        ("indirect term missing", lambda X, y, u, X_val, y_val, lam: 0 * u),
        (
            "indirect term missing: the training loss alone",
            lambda X, y, u, X_val, y_val, lam: (X @ fitted(X, y, u, lam) - y) ** 2 / len(y),
        ),
        ("sum for mean outside", lambda *case: len(case[4]) * weights_one_by_one(*case)),
    ],
    "attention_layers": [
        (
            "context never updated",
            lambda x, y, q, alpha, layers: layers * through_w(x, y, q, alpha),
        ),
        ("one layer too many", lambda x, y, q, alpha, layers: descended(x, y, q, alpha, layers + 1)),
        ("residuals replaced", replaced),
        ("the query's prediction taken off", taken_off_everywhere),
        (
            "only the last layer's part",
            lambda x, y, q, alpha, layers: in_tokens(x, y, q, alpha, layers) - in_tokens(x, y, q, alpha, layers - 1),
        ),
    ],
}
