"""Answers to lesson 12's problems, written otherwise than the course writes them."""

import statistics

import autograd.numpy as anp
import numpy as np
from autograd import elementwise_grad, grad


def by_autograd(actions, mean, sigma):
    def log_density(mean):
        return -((actions - mean) ** 2) / (2 * sigma**2) - anp.log(sigma)

    return elementwise_grad(log_density)(mean * np.ones(len(actions)))


def one_by_one(actions, mean, sigma):
    return [(u - mean) / (sigma * sigma) for u in actions]


def in_one_line(draw, gradient, theta, alpha, rng):
    return sum(draw(theta + alpha * gradient(theta, *draw(theta, rng)), rng)[1]) / len(draw(theta, rng)[1])


def step_by_step(draw, gradient, theta, alpha, rng):
    actions, rewards = draw(theta, rng)
    theta = theta + alpha * gradient(theta, actions, rewards)
    actions, rewards = draw(theta, rng)
    return statistics.fmean(rewards)


def judged_at(which):
    def answer(draw, gradient, theta, alpha, rng):
        support = draw(theta, rng)
        theta_prime = theta + alpha * gradient(theta, *support)
        _, rewards = {"support": support}.get(which) or draw({"theta": theta, "prime": theta_prime}[which], rng)
        return rewards.mean()

    return answer


def pooled(draw, gradient, theta, alpha, rng):
    support = draw(theta, rng)
    query = draw(theta + alpha * gradient(theta, *support), rng)
    return statistics.fmean([*support[1], *query[1]])


def backwards(update):
    def answer(rewards, gamma):
        to_go, later = np.zeros(len(rewards)), 0.0
        for t in range(len(rewards) - 1, -1, -1):
            to_go[t] = later = update(rewards[t], gamma, later)
        return to_go

    return answer


def by_powers(rewards, gamma):
    moves = len(rewards)
    return [sum(gamma ** (k - t) * rewards[k] for k in range(t, moves)) for t in range(moves)]


def by_flips(rewards, gamma):
    powers = gamma ** np.arange(len(rewards))
    return np.flip(np.cumsum(np.flip(powers * rewards))) / powers


def column_by_column(returns):
    return np.stack([column - statistics.fmean(column) for column in returns.T], axis=1)


def by_sums(returns):
    return (returns - np.sum(returns, axis=0, keepdims=True) / returns.shape[0]).tolist()


def reweighted(actions, rewards, baseline, mean, sigma):
    def density(mean):
        return anp.exp(-((actions - mean) ** 2) / (2 * sigma**2))

    def value(theta):
        return anp.mean(density(theta) / density(mean) * (rewards - baseline))

    return grad(grad(value))(mean)


def as_the_frameworks(actions, rewards, baseline, mean, sigma):
    """The pass that leaves out the score term: the rollouts are taken for given."""

    def surrogate(theta):
        return anp.mean(-((actions - theta) ** 2) / (2 * sigma**2) * (rewards - baseline))

    return grad(grad(surrogate))(mean)


def loops(actions, rewards, baseline, mean, sigma):
    total = 0.0
    for u, r in zip(actions, rewards, strict=True):
        total += (r - baseline) * (((u - mean) / sigma) ** 2 - 1) / sigma**2
    return total / len(actions)


RIGHT = {
    "score": [by_autograd, one_by_one],
    "return_after": [in_one_line, step_by_step],
    "returns_to_go": [by_powers, by_flips],
    "advantages": [column_by_column, by_sums],
    "bandit_meta_gradient": [
        lambda given: 2 * (1 - 2 * given["alpha"]) ** 2 * (np.mean(given["goals"]) - given["mean"])
    ],
    "return_curvature": [reweighted, loops],
    "on_which_rollouts": [tuple, lambda labels: [label.upper() for label in labels]],
}

WRONG = {
    "score": [
        ("sign", lambda actions, mean, sigma: (mean - actions) / sigma**2),
        ("σ for σ²", lambda actions, mean, sigma: [(u - mean) / sigma for u in actions]),
        (
            "log p itself",
            lambda actions, mean, sigma: np.log(
                np.exp(-(((actions - mean) / sigma) ** 2) / 2) / np.sqrt(2 * np.pi * sigma**2)
            ),
        ),
        ("the actions' own mean", lambda actions, mean, sigma: (actions - statistics.fmean(actions)) / sigma**2),
        ("averaged over actions", lambda actions, mean, sigma: statistics.fmean(one_by_one(actions, mean, sigma))),
    ],
    "return_after": [
        ("judged on the support rollouts", judged_at("support")),
        ("before adaptation", judged_at("theta")),
        ("judged on both sets", pooled),
    ],
    "returns_to_go": [
        (
            "past rewards",
            lambda rewards, gamma: [
                sum(gamma ** (t - k) * rewards[k] for k in range(t + 1)) for t in range(len(rewards))
            ],
        ),
        (
            "powers from the rollout's start",
            lambda rewards, gamma: by_flips(rewards, gamma) * gamma ** np.arange(len(rewards)),
        ),
        ("turned round in time", lambda rewards, gamma: by_powers(rewards, gamma)[::-1]),
        ("gamma ignored", lambda rewards, gamma: np.cumsum(rewards[::-1])[::-1]),
        ("rewards alone", backwards(lambda reward, gamma, later: reward)),
        ("gamma on the reward", backwards(lambda reward, gamma, later: gamma * reward + later)),
        ("the next move's return to go", lambda rewards, gamma: [*by_powers(rewards, gamma)[1:], 0.0]),
        (
            "the whole return at every time",
            lambda rewards, gamma: np.full(len(rewards), np.polyval(rewards[::-1], gamma)),
        ),
    ],
    "advantages": [
        ("mean over time", lambda returns: returns - returns.mean(axis=1, keepdims=True)),
        ("no baseline", lambda returns: returns + 0),
        ("one mean for all", lambda returns: returns - returns.mean()),
        ("divided by the spread", lambda returns: (returns - returns.mean(axis=0)) / returns.std(axis=0)),
        ("divided by the spread", lambda returns: (returns - returns.mean(axis=0)) / returns.std()),
        ("mean over time", lambda returns: [row - statistics.fmean(row) for row in returns]),
    ],
    "bandit_meta_gradient": [
        ("downhill", lambda mean, goals, alpha: 2 * (1 + 2 * alpha) ** 2 * (np.mean(goals) - mean)),
        ("not differentiated", lambda mean, goals, alpha: -np.mean((mean - 2 * alpha * (mean - goals) - goals) ** 2)),
    ],
    "return_curvature": [
        ("K − 1 for K", lambda u, *given: loops(u, *given) * len(u) / (len(u) - 1)),
        ("score term dropped", as_the_frameworks),
        ("sign", lambda *given: -loops(*given)),
        (
            "only the score term",
            lambda u, r, b, mean, sigma: np.mean(
                (r - b) * one_by_one(u, mean, sigma) * np.array(one_by_one(u, mean, sigma))
            ),
        ),
    ],
}
