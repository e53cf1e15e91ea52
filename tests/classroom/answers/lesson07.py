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


def one_step_whatever_steps_is(objective, theta, episode, alpha, steps):
    fast = theta - alpha * objective.grad(theta, episode.support)
    return objective.grad(fast, episode.query).mean(axis=0)


def averages_what_adapted(objective, theta, episode, alpha, steps):
    fast = np.tile(theta, (len(episode.support.x), 1))
    for _ in range(steps):
        fast = fast - alpha * objective.grad(fast, episode.support)
    return objective.grad(fast.mean(axis=0), episode.query).mean(axis=0)


def towards_the_mean(theta, adapted, epsilon):
    target = sum(np.array(row) for row in adapted) / len(adapted)
    return [float((1 - epsilon) * t + epsilon * a) for t, a in zip(theta, target, strict=True)]


def against_the_direction(theta, adapted, epsilon):
    return theta - epsilon * (theta - adapted).mean(0)


def stays_mostly_there(theta, adapted, epsilon):
    return epsilon * theta + (1 - epsilon) * adapted.mean(axis=0)


def mean_without_an_axis(theta, adapted, epsilon):
    return theta + epsilon * np.mean(adapted - theta)


def by_simulation(h, theta_star, alpha, m):
    def direction(theta):
        adapted = np.full(len(h), theta)
        for _ in range(m):
            adapted = adapted - alpha * h * (adapted - theta_star)
        return np.mean(theta - adapted)

    at_0, at_1 = direction(0.0), direction(1.0)
    return at_0 / (at_0 - at_1)


def weighs_what_is_left(h, theta_star, alpha, m):
    return np.average(theta_star, weights=(1 - alpha * h) ** m)


def bias(given):
    difference = 0.0
    for h, theta_star in zip(given["h"], given["theta_star"], strict=True):
        theta_prime = given["theta"] - given["alpha"] * h * (given["theta"] - theta_star)
        outer = h * (theta_prime - theta_star)
        difference += outer - (1 - given["alpha"] * h) * outer
    return difference / len(given["h"])


def by_counting(given):
    passes = sum(1 + given["product"] for _ in range(given["m"])) + 1
    return round(given["iterations"] * passes / given["reptile_steps"])


def by_entries(g1, g2, H1, H2, alpha):
    size = range(len(g1))
    return [-alpha / 2 * sum(H2[i][j] * g1[j] + H1[i][j] * g2[j] for j in size) for i in size]


def batch_2_first(g1, g2, H1, H2, alpha):
    return -alpha * np.dot(H1, g2)


def sum_of_the_gradients(g, H, alpha, m):
    return sum(-i * alpha * np.dot(H, g) for i in range(m))


def up_to_m(g, H, alpha, m):
    return -alpha * sum(range(m + 1)) * np.dot(H, g)


RIGHT = {
    "fomaml_gradient": [each_task, stops_at_the_query],
    "reptile_update": [towards_the_mean, against_the_direction],
    "reptile_optimum": [by_simulation],
    "first_order_bias": [bias],
    "when_equal": [tuple],
    "equal_cost": [by_counting],
    "inner_product_term": [by_entries],
    "same_batch_term": [sum_of_the_gradients],
}

WRONG = {
    "fomaml_gradient": [
        ("exact gradient", task_by_task),
        ("judged at the mean theta m", averages_what_adapted),
        ("one step only", one_step_whatever_steps_is),
    ],
    "reptile_update": [
        ("theta not subtracted", lambda theta, adapted, epsilon: theta + epsilon * adapted.mean(axis=0)),
        ("epsilon ignored", lambda theta, adapted, epsilon: sum(adapted) / len(adapted)),
        ("epsilon and 1 - epsilon exchanged", stays_mostly_there),
        ("mean of all entries", mean_without_an_axis),
        ("away + sum over tasks", lambda theta, adapted, epsilon: theta + epsilon * (theta - adapted).sum(axis=0)),
    ],
    "reptile_optimum": [("what is left", weighs_what_is_left)],
    "inner_product_term": [("one order only", batch_2_first)],
    "same_batch_term": [("summed to m", up_to_m)],
}
