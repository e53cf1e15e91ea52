"""Answers to lesson 6's problems, written otherwise than the course writes them."""

from itertools import combinations

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


def in_place_on_its_own(objective, thetas, episode, alpha):
    v = objective.grad(thetas[-1], episode.query)
    for i in range(len(thetas) - 2, -1, -1):
        v -= objective.hvp(thetas[i], episode.support, alpha * v)
    return sum(v) / len(v)


def with_the_hessians(objective, thetas, episode, alpha):
    total, axes = 0, np.eye(thetas.shape[-1])
    for task in range(thetas.shape[1]):
        support, query = one_task(episode.support, task), one_task(episode.query, task)
        v = objective.grad(thetas[-1, task], query)
        for theta_i in thetas[-2::-1, task]:
            H = np.array([objective.hvp(theta_i, support, axis) for axis in axes])
            v = (np.eye(len(v)) - alpha * H) @ v
        total = total + v
    return total / thetas.shape[1]


def from_the_last_theta_back(objective, thetas, episode, alpha):
    v = objective.grad(thetas[-1], episode.query)
    for theta_i in thetas[:0:-1]:
        v = v - alpha * objective.hvp(theta_i, episode.support, v)
    return v.mean(axis=0)


def by_the_root_of_the_variance(losses):
    squares = [np.sum((row - np.mean(row)) ** 2) for row in losses]
    tasks = len(losses[0])
    return [1.959964 * (square / (tasks - 1) / tasks) ** 0.5 for square in squares]


def with_the_population_deviation(losses):
    return 1.96 * losses.std(1) / np.sqrt(losses.shape[1] - 1)


def standard_error(losses):
    return losses.std(axis=1, ddof=1) / losses.shape[1] ** 0.5


def loop(*, judge="query", slow="theta", each=False, first_order=False):
    """fix_the_loop, written anew with some of its bugs left in."""

    def answer(objective, theta, batches, alpha, beta):
        for batch in batches:
            steps = []
            for episode in batch:
                fast = theta - alpha * objective.grad(theta, episode.support)
                v = objective.grad(fast, getattr(episode, judge))
                v = v if first_order else v - alpha * objective.hvp(theta, episode.support, v)
                steps.append(v)
                if each:
                    theta = (fast if slow == "fast" else theta) - beta * v
            if not each:
                theta = (fast if slow == "fast" else theta) - beta * sum(steps) / len(steps)
        return theta

    return answer


def a_list_for_all_batches(objective, theta, batches, alpha, beta):
    collected = []
    for batch in batches:
        for episode in batch:
            fast = theta - alpha * objective.grad(theta, episode.support)
            v = objective.grad(fast, episode.query)
            collected.append(v - alpha * objective.hvp(theta, episode.support, v))
        theta = theta - beta * np.mean(np.array(collected), axis=0)
    return theta


def tested(data="support", count=None, twice=False):
    """meta_test with another data set, another number under the root, the whole width."""

    def answer(objective, theta, episodes, alpha, steps):
        rows = [objective.value(theta, episodes.query)]
        for _ in range(steps):
            theta = theta - alpha * objective.grad(theta, getattr(episodes, data))
            rows.append(objective.value(theta, episodes.query))
        rows = np.array(rows)
        root = np.sqrt(rows.shape[1] if count is None else count(episodes))
        return rows.mean(1), (2 if twice else 1) * 1.96 * rows.std(1, ddof=1) / root

    return answer


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
    "go_back": [in_place_on_its_own, with_the_hessians],
    "half_width": [by_the_root_of_the_variance, with_the_population_deviation],
    "fix_the_loop": [with_a_running_sum],
    "meta_test": [tasks_in_a_loop],
    "read_the_curves": [tuple, lambda labels: [label.upper() for label in labels]],
    "rank": [best_after],
}

BUGS = {
    "theta prime flows into theta": {"slow": "fast"},
    "support loss outside": {"judge": "support"},
    "one update a task": {"each": True},
    "first-order gradient": {"first_order": True},
}
SOME = [some for count in range(1, 5) for some in combinations(BUGS, count)]

WRONG = {
    "maml_gradient": [("first-order gradient", stops_at_the_query)],
    "outer_step": [("changes its inputs", moves_in_place)],
    "go_back": [("Hessian at the next theta", from_the_last_theta_back)],
    "half_width": [("standard error for the interval", standard_error)],
    "fix_the_loop": [
        *((" + ".join(some), loop(**{k: v for name in some for k, v in BUGS[name].items()})) for some in SOME),
        ("the list is not emptied", a_list_for_all_batches),
    ],
    "meta_test": [
        ("adapts on the query", tested("query")),
        ("root of the points", tested(count=lambda episodes: episodes.query.y.size)),
        ("adapts on the query + full width", tested("query", twice=True)),
    ],
}
