"""Answers to lesson 7's problems, written otherwise than the course writes them."""

import numpy as np

from tests.classroom.answers.lesson06 import one_task, stops_at_the_query, task_by_task


def each_task(objective, theta, episode, alpha, steps):
    gradients = []
    for task in range(len(episode.support.x)):
        fast = np.array(theta)
        for _ in range(steps):
            fast = fast - alpha * objective.grad(fast, one_task(episode.support, task))
        gradients.append(objective.grad(fast, one_task(episode.query, task)))
    return sum(gradients) / len(gradients)


def towards_the_mean(theta, adapted, epsilon):
    target = sum(np.array(row) for row in adapted) / len(adapted)
    return [float((1 - epsilon) * t + epsilon * a) for t, a in zip(theta, target, strict=True)]


def by_simulation(a, centres, alpha, k):
    def direction(theta):
        adapted = np.full(len(a), theta)
        for _ in range(k):
            adapted = adapted - alpha * a * (adapted - centres)
        return np.mean(theta - adapted)

    at_0, at_1 = direction(0.0), direction(1.0)
    return at_0 / (at_0 - at_1)


def bias(given):
    difference = 0.0
    for a, c in zip(given["a"], given["centres"], strict=True):
        theta_prime = given["theta"] - given["alpha"] * a * (given["theta"] - c)
        outer = a * (theta_prime - c)
        difference += outer - (1 - given["alpha"] * a) * outer
    return difference / len(given["a"])


def by_entries(g1, g2, h1, h2, alpha):
    size = range(len(g1))
    return [-alpha / 2 * sum(h2[i][j] * g1[j] + h1[i][j] * g2[j] for j in size) for i in size]


RIGHT = {
    "fomaml_gradient": [each_task, stops_at_the_query],
    "reptile_update": [towards_the_mean],
    "reptile_optimum": [by_simulation],
    "first_order_bias": [bias],
    "when_equal": [tuple],
    "inner_product_term": [by_entries],
}

WRONG = {
    "fomaml_gradient": [("exact gradient", task_by_task)],
    "reptile_update": [("epsilon ignored", lambda theta, adapted, epsilon: sum(adapted) / len(adapted))],
}
