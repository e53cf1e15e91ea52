"""The sweep of lesson 8: 10-shot sinusoids, trained with every inner step size, number of steps and seed of a grid.

`make trained` trains all of it again, on the processes of this machine; `sweep(executor)` does it anywhere (see
`mlcourse.executors`). What is stored is each run's loss on validation and on test tasks, which none of them saw.
"""

from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

from mlcourse import DivergenceError, adam, maml, mean_squared_error, meta_train, processes, run_all
from mlcourse import sweep as losses_after
from mlcourse.classroom.trained import MODEL, SINUSOIDS

ALPHAS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
STEPS = (1, 2, 5)
SEEDS = range(5)
ITERATIONS = (250, 500, 1000)
GROUPS = {
    "one α": np.zeros(MODEL.size, dtype=int),
    "one α a layer": np.repeat(range(3), [layer.size for layer in MODEL.layers(np.zeros(MODEL.size))]),
    "one α a parameter": np.arange(MODEL.size),
}
FASTER = 10  # times as fast as theta is the logarithm of alpha learned
OBJECTIVE = mean_squared_error(MODEL)
STORED = Path(__file__).with_name("step_sizes.npz")


def passes(steps):
    """What one task costs in one outer iteration, in gradients: m + 1 of them, and m Hessian products of 2.5 each."""
    return steps + 1 + 2.5 * steps


def held_out(kind):
    """The Episode of 200 validation tasks or 600 test tasks, the same for every run."""
    seed, tasks = {"validation": (3000, 200), "test": (2000, 600)}[kind]
    return SINUSOIDS.sample(np.random.default_rng(seed), tasks, shots=10, queries=10)


def in_logs(groups):
    """MAML for rho, the logarithms of the step sizes (G,): parameter j has alpha_j = exp(rho[groups[j]])."""

    def method(objective, theta, episode, rho, steps):
        gradient = maml(objective, theta, episode, np.exp(rho)[groups], steps)
        return gradient._replace(alpha=np.exp(rho) * np.bincount(groups, gradient.alpha, len(rho)))

    return method


def two_rates(slow, gradient, memory, learning_rate):
    """Adam, FASTER for what follows theta."""
    rates = np.where(np.arange(len(slow)) < MODEL.size, learning_rate, FASTER * learning_rate)
    return adam(slow, gradient, memory, rates)


def train(how, alpha, steps, seed):
    """Iterator of (theta, alpha) after each iteration of one run.

    how    "fixed"; "Meta-SGD", which learns each parameter's alpha as it is; or a name of GROUPS, learned in logarithms
    alpha  the step size, or where all step sizes begin
    """
    rng = np.random.default_rng(seed)
    settings = {"steps": steps, "tasks": 25, "shots": 10, "queries": 10, "learning_rate": 1e-3}
    arguments = OBJECTIVE, SINUSOIDS, MODEL.init(rng), rng
    if how in ("fixed", "Meta-SGD"):
        start = alpha if how == "fixed" else np.full(MODEL.size, alpha)
        states = meta_train(maml, *arguments, alpha=start, learn_alpha=how != "fixed", **settings)
        return ((state.theta, state.alpha) for state in states)
    groups = GROUPS[how]
    rho = np.full(groups.max() + 1, np.log(alpha))
    options = {"learn_alpha": True, "optimizer": two_rates}
    states = meta_train(in_logs(groups), *arguments, alpha=rho, **options, **settings)
    return ((state.theta, np.exp(state.alpha)[groups]) for state in states)


def job(how, alpha, steps, seed):
    """Mean loss of a run after its inner steps, at each of ITERATIONS, on the validation and on the test tasks: (3, 2).

    Infinite where training, or adapting to one of the tasks, diverges.
    """
    episodes, losses = [held_out(kind) for kind in ("validation", "test")], np.full((len(ITERATIONS), 2), np.inf)
    with np.errstate(over="ignore", invalid="ignore"), suppress(DivergenceError):
        for iteration, (theta, learned) in enumerate(islice(train(how, alpha, steps, seed), ITERATIONS[-1]), start=1):
            if not np.all(np.isfinite(theta)):
                break
            if iteration in ITERATIONS:
                each = [losses_after(OBJECTIVE, theta, episode, [learned], steps)[0, -1] for episode in episodes]
                losses[ITERATIONS.index(iteration)] = [values.mean() for values in each]
    return losses


def sweep(executor=None, *, progress=None):
    """What `load` gives, trained again: 210 runs, some minutes on two cores."""
    hows = {"fixed": STEPS} | dict.fromkeys(("Meta-SGD", *GROUPS), (1,))
    jobs = [(how, a, m, seed) for how, steps in hows.items() for a in ALPHAS for m in steps for seed in SEEDS]
    done = iter(run_all(job, jobs, executor, progress=progress, label="step sizes"))
    shape = len(SEEDS), len(ITERATIONS), 2
    return {
        how: np.reshape([next(done) for _ in range(len(ALPHAS) * len(steps) * len(SEEDS))], (len(ALPHAS), -1, *shape))
        for how, steps in hows.items()
    }


@cache
def load():
    """Losses by how alpha was set: how -> (alphas, steps, seeds, iterations, validation and test).

    "fixed" has all STEPS, the learned ones m = 1; for those, alpha is where their step sizes began.
    """
    with np.load(STORED) as stored:
        return dict(stored)


def make():
    """Train it again and store it."""
    with processes(None) as pool:
        np.savez_compressed(STORED, **{how: each.astype(np.float32) for how, each in sweep(pool).items()})
