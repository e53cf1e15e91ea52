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


def own_entry_by_entry(hessian, v, alpha):
    size = range(len(v))
    jacobian = [[(i == j) - alpha[i] * hessian[i][j] for j in size] for i in size]
    return [sum(jacobian[i][j] * v[i] for i in size) for j in size]


def own_by_autograd(hessian, v, alpha):
    return grad_of(lambda t: np.dot(t - alpha * np.dot(hessian, t), v))(np.zeros(len(v)))


def own_with_a_matrix(hessian, v, alpha):
    return (np.eye(len(v)) - alpha * hessian) @ v  # alpha along the columns: the transpose already


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


def five_points(f, theta):
    steps = 1e-3 * np.eye(theta.size)
    return [(8 * (f(theta + e) - f(theta - e)) - f(theta + 2 * e) + f(theta - 2 * e)) / 12e-3 for e in steps]


def relative_steps(f, theta):
    epsilon = 1e-6 * np.maximum(1, np.abs(theta))
    return np.array([(f(theta + e) - f(theta - e)) / (2 * np.sum(e)) for e in np.diag(epsilon)])


def put_back(f, theta):
    moved, gradient = np.array(theta), []
    for i, entry in enumerate(theta):
        moved[i] = entry + 1e-5
        above = f(moved)
        moved[i] = entry - 1e-5
        gradient.append((above - f(moved)) / 2e-5)
        moved[i] = entry
    return gradient


def not_put_back_to_one_side(f, theta):
    moved, gradient = np.array(theta), []
    for i in range(len(theta)):
        moved[i] += 1e-6
        gradient.append((f(moved) - f(theta)) / 1e-6)
    return gradient


def in_the_callers_array(f, theta):
    gradient = []
    for i in range(len(theta)):
        theta[i] += 1e-5
        above = f(theta)
        theta[i] -= 2e-5
        gradient.append((above - f(theta)) / 2e-5)
    return gradient


def mixed(f, theta):
    return (f(theta + 1e-5) - f(theta - 1e-5)) / 2e-5


def lost_in_rounding(f, theta):
    return [(f(theta + 1e-17 * e) - f(theta - 1e-17 * e)) / 2e-17 for e in np.eye(len(theta))]


def along_the_unit_vector(grad, theta, v):
    length = np.sqrt(np.sum(v**2))
    return (grad(theta + 1e-4 * v / length) - grad(theta - 1e-4 * v / length)) / 2e-4 * length


def length_forgotten_and_half(grad, theta, v):
    unit = v / np.sqrt(np.sum(v**2))
    return (grad(theta + 1e-4 * unit) - grad(theta - 1e-4 * unit)) / 1e-4


def hvp_by_autograd(grad, theta, v):
    return grad_of(lambda t: np.sum(grad(t) * v))(theta)


def hvp_by_hessian(grad, theta, v):
    return np.array([grad_of(lambda t, i=i: grad(t)[i])(theta) for i in range(len(theta))]) @ v


# problem -> right answers; functions as they are, anything else a function of (given, items)
RIGHT = {
    "meta_gradient_1d": [by_autograd, step_by_step],
    "jacobian": [entry_by_entry, jacobian_of_the_step],
    "meta_gradient": [with_a_matrix, through_the_step],
    "own_step_sizes": [own_entry_by_entry, own_by_autograd, own_with_a_matrix],
    "central_difference": [both_sides_in_a_loop, five_points, relative_steps, put_back],
    "hvp": [hvp_by_autograd, along_the_unit_vector],
    "sign_flip_alpha": [lambda given: np.array([1 / (2 * given["r"] + 6 * given["s"] * given["theta"])])],
    "which_gradient": [lambda labels: tuple(labels)],
}

# problem -> (misconception, wrong answer)
WRONG = {
    "meta_gradient_1d": [
        ("first-order gradient", lambda dLs, d2Ls, dLq, t, a: [dLq(t - a * dLs(t))]),
        ("slope for the curvature", lambda dLs, d2Ls, dLq, t, a: dLq(t - a * dLs(t)) * (1 - a * dLs(t))),
        ("the 1 left out", lambda dLs, d2Ls, dLq, t, a: -a * d2Ls(t) * dLq(t - a * dLs(t))),
        ("uphill", lambda dLs, d2Ls, dLq, t, a: dLq(t + a * dLs(t)) * (1 + a * d2Ls(t))),
    ],
    "jacobian": [
        ("identity left out", lambda hessian, alpha: (-alpha * hessian).tolist()),
        ("all ones minus alpha H + alpha left out", lambda hessian, alpha: 1 - hessian),
        ("identity left out + sign of the Hessian", lambda hessian, alpha: alpha * hessian),
    ],
    "meta_gradient": [
        (
            "first-order gradient",
            lambda gs, hs, gq, t, a: gq(np.array([x - a * g for x, g in zip(t, gs(t), strict=True)])),
        ),
        (
            "entry by entry",
            lambda gs, hs, gq, t, a: (1 - a * hs(t, gq(t - a * gs(t)))) * gq(t - a * gs(t)),
        ),
        ("identity left out", lambda gs, hs, gq, t, a: -hs(t, a * gq(t - a * gs(t)))),
        ("adapts on the query", lambda gs, hs, gq, t, a: gq(t - a * gq(t)) - a * hs(t, gq(t - a * gq(t)))),
        ("support loss outside", lambda gs, hs, gq, t, a: gs(t - a * gs(t)) - a * hs(t, gs(t - a * gs(t)))),
    ],
    "own_step_sizes": [
        ("not transposed", lambda hessian, v, alpha: (np.eye(len(v)) - np.diag(alpha) @ hessian) @ v),
        ("not transposed + all ones for the identity", lambda h, v, alpha: (1 - alpha[:, None] * h) @ v),
        ("identity left out", lambda hessian, v, alpha: -np.dot(hessian, alpha * v)),
    ],
    "central_difference": [
        ("one-sided", one_sided_in_a_loop),
        ("nudges not put back + one-sided", not_put_back_to_one_side),
        ("changes its inputs", in_the_callers_array),
        ("all entries at once", mixed),
        ("step too small", lost_in_rounding),
        ("divided by half the distance", lambda f, theta: [2 * each for each in five_points(f, theta)]),
    ],
    "hvp": [
        ("builds H", hvp_by_hessian),
        ("length of v lost + divided by half the distance", length_forgotten_and_half),
        ("not along v", lambda grad, theta, v: (grad(theta + 1e-5) - grad(theta - 1e-5)) / 2e-5 * v),
        ("one-sided", lambda grad, theta, v: (grad(theta) - grad(theta - 1e-8 * v)) / 1e-8),
    ],
}
