"""Answers to lesson 6's problems, written otherwise than the course writes them."""

import autograd.numpy as np
from autograd import grad as grad_of

from mlcourse import Data


def one_task(data, index):
    return Data(data.x[index], data.y[index])


def task_by_task(objective, theta, episode, alpha, steps):
    total = 0
    for task in range(len(episode.support.x)):
        support, query = one_task(episode.support, task), one_task(episode.query, task)
        path = [theta]
        for _ in range(steps):
            path.append(path[-1] - alpha * objective.grad(path[-1], support))
        v = objective.grad(path[-1], query)
        for theta_i in path[-2::-1]:
            v = v - alpha * objective.hvp(theta_i, support, v)
        total = total + v
    return list(total / len(episode.support.x))


def through_the_loop(objective, theta, episode, alpha, steps):
    def loss(theta):
        theta_i = theta
        for _ in range(steps):
            theta_i = theta_i - alpha * objective.grad(theta_i, episode.support)
        return np.mean(objective.value(theta_i, episode.query))

    return grad_of(loss)(theta)


def stops_at_the_query(objective, theta, episode, alpha, steps):
    theta_i = theta
    for _ in range(steps):
        theta_i = theta_i - alpha * objective.grad(theta_i, episode.support)
    return objective.grad(theta_i, episode.query).mean(0).tolist()


def in_a_loop(theta, gradients, beta):
    total = np.zeros(len(theta))
    for gradient in gradients:
        total = total + gradient(theta)
    return [float(t - beta * g / len(gradients)) for t, g in zip(theta, total, strict=True)]


def moves_in_place(theta, gradients, beta):
    for gradient in gradients:
        theta -= beta * gradient(theta)
    return theta


def with_a_running_sum(objective, theta, batches, alpha, beta):
    slow = np.array(theta)
    for batch in batches:
        total = 0
        for support, query, _ in batch:
            fast = slow - alpha * objective.grad(slow, support)
            v = objective.grad(fast, query)
            total = total + (v - objective.hvp(slow, support, alpha * v))
        slow = slow - (beta / len(batch)) * total
    return slow


def tasks_in_a_loop(objective, theta, episodes, alpha, steps):
    rows = []
    for task in range(len(episodes.support.x)):
        support, query = one_task(episodes.support, task), one_task(episodes.query, task)
        fast, row = np.array(theta), []
        for step in range(steps + 1):
            row.append(float(objective.value(fast, query)))
            if step < steps:
                fast = fast - alpha * objective.grad(fast, support)
        rows.append(row)
    rows = np.array(rows)
    spread = np.sqrt(np.sum((rows - rows.mean(0)) ** 2, axis=0) / (len(rows) - 1))
    return list(rows.mean(0)), list(1.96 * spread / len(rows) ** 0.5)


def best_after(given):
    losses = []
    for theta in given["thetas"]:
        total = 0.0
        for x, y, x_query, y_query in zip(*given["support"], *given["query"], strict=True):
            theta_prime = theta - given["alpha"] * np.mean(2 * (theta * x - y) * x)
            total += np.mean((theta_prime * x_query - y_query) ** 2)
        losses.append(total / len(given["support"].x))
    return sorted(losses)[0]


RIGHT = {
    "maml_gradient": [task_by_task, through_the_loop],
    "outer_step": [in_a_loop],
    "fix_the_loop": [with_a_running_sum],
    "meta_test": [tasks_in_a_loop],
    "read_the_curves": [tuple, lambda labels: [label.upper() for label in labels]],
    "rank": [best_after],
}

WRONG = {
    "maml_gradient": [("first-order gradient", stops_at_the_query)],
    "outer_step": [("changes its inputs", moves_in_place)],
}
