"""Answers to lesson 11's problems, written otherwise than the course writes them."""

import autograd.numpy as anp
import numpy as np
from autograd import grad as grad_of


def row_by_row(x, v):
    total = np.zeros(len(v))
    for row in x:
        total += 2 * row * float(row @ v) / len(x)
    return list(total)


def outer_products(x, v):
    return 2 * np.mean([np.outer(row, row) for row in x], axis=0) @ v


def by_autograd(parameters, x, y):
    def loss(parameters):
        w1, b1, w2, b2 = parameters
        return anp.mean((anp.maximum(x @ w1 + b1, 0) @ w2 + b2 - y) ** 2)

    return list(grad_of(loss)(tuple(parameters)))


def example_by_example(parameters, x, y):
    w1, b1, w2, b2 = parameters
    totals = [np.zeros(np.shape(part)) for part in parameters]
    for row, target in zip(x, y, strict=True):
        z = row @ w1 + b1
        delta_2 = 2 * (np.maximum(z, 0) @ w2 + b2 - target) / np.size(y)
        delta_1 = np.where(z > 0, w2 @ delta_2, 0)
        for total, piece in zip(
            totals, (np.outer(row, delta_1), delta_1, np.outer(np.maximum(z, 0), delta_2), delta_2), strict=True
        ):
            total += piece
    return tuple(totals)


def krylov(hvp, b, steps):
    """The x in span{b, Ab, …} that minimises x.Ax/2 - b.x: what conjugate gradients find step by step."""
    basis = [b / np.linalg.norm(b)]
    for _ in range(steps - 1):
        new = hvp(basis[-1])
        for _ in range(2):
            new = new - sum((old @ new) * old for old in basis)
        basis.append(new / np.linalg.norm(new))
    columns = np.array(basis).T
    images = np.array([hvp(column) for column in basis]).T
    return columns @ np.linalg.solve(columns.T @ images, columns.T @ b)


def with_a_matrix(hvp, g, lam):
    H = np.array([hvp(unit) for unit in np.eye(len(g))])
    return lam * np.linalg.inv(H + lam * np.eye(len(g))) @ g


RIGHT = {
    "hvp_linear": [row_by_row],
    "mlp_grad": [example_by_example, by_autograd],
    "conjugate_gradient": [krylov],
    "implicit_gradient": [with_a_matrix],
    "memory": [lambda given: 8e-6 * given["tasks"] * given["parameters"] * (given["steps"] + 1)],
    "same_gradient": [tuple],
}

WRONG = {"hvp_linear": [("builds H", outer_products)]}
