"""Answers to lesson 11's problems, written otherwise than the course writes them."""

import autograd.numpy as anp
import numpy as np
from autograd import grad as grad_of
from autograd import make_hvp

from mlcourse import conjugate_gradient as solve


def part_by_part(steps, tasks, parameters, shots, units):
    total = 0
    for _ in range(steps):
        total += tasks * parameters  # theta_i
        total += tasks * parameters  # its gradient
        total += 3 * tasks * shots * units
    return float(total)


def trajectory_alone(steps, tasks, parameters, shots, units):
    return steps * tasks * parameters


def row_by_row(x, v):
    total = np.zeros(len(v))
    for row in x:
        total += 2 * row * float(row @ v) / len(x)
    return list(total)


def outer_products(x, v):
    return 2 * np.mean([np.outer(row, row) for row in x], axis=0) @ v


def outer_products_summed(x, v):
    return 2 * sum(np.outer(row, row) for row in x) @ v


def by_autograd(parameters, x, y):
    return list(grad_of(loss_of(x, y))(tuple(parameters)))


def loss_of(x, y):
    def loss(parameters):
        w1, b1, w2, b2 = parameters
        return anp.mean((anp.maximum(x @ w1 + b1, 0) @ w2 + b2 - y) ** 2)

    return loss


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


def as_the_derivation_for_one_output(parameters, x, y):
    """2/K in place of 2 over all entries: right where there is one output."""
    w1, b1, w2, b2 = parameters
    z = x @ w1 + b1
    a = np.maximum(0, z)
    delta_2 = 2 / len(x) * (a @ w2 + b2 - y)
    delta_1 = (delta_2 @ w2.T) * (z > 0)
    return x.T @ delta_1, delta_1.sum(0), a.T @ delta_2, delta_2.sum(0)


def mask_and_mean_left_out(parameters, x, y):
    w1, b1, w2, b2 = parameters
    a = np.maximum(0, x @ w1 + b1)
    delta_2 = 2 * (a @ w2 + b2 - y)
    delta_1 = delta_2 @ w2.T
    return x.T @ delta_1, delta_1.sum(0), a.T @ delta_2, delta_2.sum(0)


def jacobian_of_the_residuals(parameters, x, y, v):
    """A difference of two gradients: the network is linear in v's direction between kinks, so it is quadratic there."""
    h = 1e-5
    there, back = (
        example_by_example(tuple(part + sign * h * move for part, move in zip(parameters, v, strict=True)), x, y)
        for sign in (1, -1)
    )
    return [(one - other) / (2 * h) for one, other in zip(there, back, strict=True)]


def hvp_by_autograd(parameters, x, y, v):
    return make_hvp(loss_of(x, y))(tuple(parameters))[0](tuple(v))


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


def the_courses_own(hvp, b, steps):
    return solve(hvp, b, steps)


def solved(hvp, b, steps):
    return np.linalg.solve(np.array([hvp(unit) for unit in np.eye(len(b))]), b)


def with_a_matrix(hvp, g, lam):
    H = np.array([hvp(unit) for unit in np.eye(len(g))])
    return lam * np.linalg.inv(H + lam * np.eye(len(g))) @ g


def by_least_squares(hvp, g, lam):
    system = np.column_stack([unit + hvp(unit) / lam for unit in np.eye(len(g))])
    return list(np.linalg.lstsq(system, g, rcond=None)[0])


def lambda_forgotten_on_the_right(hvp, g, lam):
    H = np.array([hvp(unit) for unit in np.eye(len(g))])
    return np.linalg.inv(H + lam * np.eye(len(g))) @ g


def kept_in_a_table(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
    table, here = {}, theta.copy()
    for i in range(steps):
        if not i % every:
            table[i] = here.copy()
        here -= alpha * grad_s(here)
    v, segment = grad_q(here), {}
    for i in range(steps - 1, -1, -1):
        start = i - i % every
        if i not in segment:
            segment, here = {start: table[start]}, table[start]
            for j in range(start + 1, i + 1):
                here = here - alpha * grad_s(here)
                segment[j] = here
        v = v - alpha * hvp_s(segment[i], v)
    return v


def all_kept(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
    path = [theta]
    for _ in range(steps):
        path.append(path[-1] - alpha * grad_s(path[-1]))
    v = grad_q(path.pop())
    while path:
        v = v - alpha * hvp_s(path.pop(), v)
    return v


RIGHT = {
    "memory": [part_by_part],
    "mlp_grad": [example_by_example],
    "mlp_hvp": [jacobian_of_the_residuals],
    "conjugate_gradient": [krylov],
    "hvp_linear": [row_by_row],
    "implicit_gradient": [with_a_matrix, by_least_squares],
    "checkpointed": [kept_in_a_table],
    "same_gradient": [tuple],
}

WRONG = {
    "memory": [("gradient forgotten + units forgotten", trajectory_alone)],
    "mlp_grad": [
        ("mean over points alone", as_the_derivation_for_one_output),
        ("relu's slope left out + mean left out", mask_and_mean_left_out),
        (None, by_autograd),
    ],
    "mlp_hvp": [(None, hvp_by_autograd)],
    "conjugate_gradient": [("solved to the end", solved), (None, the_courses_own)],
    "hvp_linear": [("builds H", outer_products), ("builds H + mean factor", outer_products_summed)],
    "implicit_gradient": [("lambda on one side", lambda_forgotten_on_the_right)],
    "checkpointed": [("keeps every theta", all_kept)],
}
