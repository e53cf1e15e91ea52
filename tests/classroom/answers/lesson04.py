"""Answers to lesson 4's problems, written otherwise than the course writes them."""

import autograd.numpy as np
from autograd import grad as grad_of


def by_autograd(dLs, d2Ls, dLq, theta, alpha):
    return dLq(theta - alpha * dLs(theta)) * grad_of(lambda t: t - alpha * dLs(t))(theta)


def step_by_step(dLs, d2Ls, dLq, theta, alpha):
    step = alpha * np.array(dLs(theta))
    arrived = np.array([theta]) - step
    moved = 1.0
    moved -= alpha * d2Ls(theta)
    return [float(arrived_slope) * moved for arrived_slope in dLq(arrived)]


def entry_by_entry(hessian, alpha):
    size = len(hessian)
    return [[(1.0 if i == j else 0.0) - alpha * hessian[i][j] for j in range(size)] for i in range(size)]


def jacobian_of_the_step(hessian, alpha):
    return np.array(
        [grad_of(lambda t, i=i: (t - alpha * hessian @ t)[i])(np.zeros(len(hessian))) for i in range(len(hessian))]
    )


def with_a_matrix(grad_s, hvp_s, grad_q, theta, alpha):
    size = len(theta)
    hessian = np.array([hvp_s(theta, unit) for unit in np.eye(size)])
    return (np.eye(size) - alpha * hessian).T @ grad_q(theta - alpha * grad_s(theta))


def through_the_step(grad_s, hvp_s, grad_q, theta, alpha):
    v = grad_q(theta - alpha * grad_s(theta))
    return grad_of(lambda t: np.dot(t - alpha * grad_s(t), v))(theta).tolist()


def one_sided_in_a_loop(f, theta):
    gradient = []
    for i in range(len(theta)):
        moved = theta.copy()
        moved[i] = moved[i] + 1e-6
        gradient.append((f(moved) - f(theta)) / 1e-6)
    return gradient


def both_sides_in_a_loop(f, theta):
    gradient = []
    for i in range(len(theta)):
        up, down = list(theta), list(theta)
        up[i], down[i] = up[i] + 1e-4, down[i] - 1e-4
        gradient.append((f(np.array(up)) - f(np.array(down))) / 2e-4)
    return gradient


def hvp_by_autograd(grad, theta, v):
    return grad_of(lambda t: np.sum(grad(t) * v))(theta)


def hvp_by_hessian(grad, theta, v):
    return np.array([grad_of(lambda t, i=i: grad(t)[i])(theta) for i in range(len(theta))]) @ v


# problem -> right answers; functions as they are, anything else a function of (given, items)
RIGHT = {
    "meta_gradient_1d": [by_autograd, step_by_step],
    "jacobian": [entry_by_entry, jacobian_of_the_step],
    "meta_gradient": [with_a_matrix, through_the_step],
    "central_difference": [both_sides_in_a_loop],
    "hvp": [hvp_by_autograd],
    "sign_flip_alpha": [lambda given: np.array([1 / (2 * given["a"] + 6 * given["b"] * given["theta"])])],
    "which_gradient": [lambda labels: tuple(labels)],
}

# problem -> (misconception, wrong answer)
WRONG = {
    "meta_gradient": [
        (
            "first-order gradient",
            lambda gs, hs, gq, t, a: gq(np.array([x - a * g for x, g in zip(t, gs(t), strict=True)])),
        ),
    ],
    "central_difference": [("one-sided", one_sided_in_a_loop)],
    "hvp": [("builds H", hvp_by_hessian)],
}
