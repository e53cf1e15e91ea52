"""The experiment behind a report: baselines, meta-training with early stopping, a meta-test, all on one table."""

from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from mlcourse import MLP, Data, DivergenceError, Episode, Linear, adapt, maml, mean_squared_error, meta_train, tanh
from mlcourse.baselines import mixed_model, one_line, own_line, support_mean, task_errors

ALONE = {"mean of the support": support_mean, "a line of its own": own_line}  # learners of one task
TASKS, LEARNING_RATE = 10, 5e-3
TRIAL, LONGEST, CHECK, PATIENCE = 300, 3000, 100, 8  # iterations of a setting's trial, at most, between checks; checks
GRIDS = {"MAML, a line": ((0.1, 0.3), (5, 20)), "MAML, a small network": ((0.01, 0.03, 0.1, 0.3), (1, 5))}
MAML = "MAML, a small network"


class Trained(NamedTuple):
    """A meta-learned start and its inner loop; calling it is predict(support, x)."""

    objective: Any
    theta: Any
    alpha: float
    steps: int
    iteration: int

    def __call__(self, support, x):
        theta_prime = adapt(self.objective, self.theta, support, self.alpha, self.steps)
        return self.objective.model(theta_prime, x)


class Study(NamedTuple):
    """All that the page says.

    parts       training, validation and test tasks
    learners    name -> predict(support, x)
    errors      name -> root mean squared error on each test task (T,), in units of y
    validation  name -> mean of the same on the validation tasks
    training    MAML's errors on its training tasks
    settings    (alpha, steps) -> MAML's error on the validation tasks after a short trial, inf where it diverged
    draw        one Episode of the test tasks, in the order of their names
    """

    table: Any
    parts: Any
    shots: int
    queries: int
    seed: int
    learners: Any
    errors: Any
    validation: Any
    training: Any
    settings: Any
    draw: Any

    @property
    def unit(self):
        """What errors are counted in."""
        return f"units of {self.table.y}"

    @property
    def chosen(self):
        """The learner with the least error on the validation tasks."""
        return min(self.validation, key=self.validation.get)


def study(table, *, shots=3, queries=None, validation=None, test=None, seed=0, bar=None):
    """The Study of a FromTable; about half a minute.

    shots, queries    K and Q; unless told, Q is all that the shortest task has left, 20 at most
    validation, test  how many tasks choose, and how many are asked once; unless told, a fifth of all each
    bar               whether progress is shown on stderr, None where that is a terminal
    """
    fifth = max(2, round(len(table.names) / 5))
    rows = min(len(data.y) for data in table.rows.values())
    queries = min(max(1, rows - shots), 20) if queries is None else queries
    parts = table.split(np.random.default_rng(seed), validation or fifth, test or fifth)
    parts[0].sample(np.random.default_rng(seed), 2, shots, queries)  # a task too short is told before the minute

    def errors(learner, part, draws=20):
        return task_errors(learner, part, np.random.default_rng(seed + 1), shots=shots, queries=queries, draws=draws)

    def least(learner):
        return errors(learner, parts[1], draws=5).mean()

    own = parts[0].data
    learners = {name: fit(own) for name, fit in (ALONE | {"one line for all": one_line}).items()}
    tried, work = {}, sum(TRIAL * len(alphas) * len(steps) + LONGEST for alphas, steps in GRIDS.values())
    with tqdm(total=work, desc="meta-training", disable=None if bar is None else not bar) as shown:
        for name in GRIDS:
            states = _states(name, parts[0], shots, queries, seed, shown)
            tried[name] = {setting: _trial(states, setting, least, shown) for setting in product(*GRIDS[name])}
            learners[name] = _stopped_in_time(states, tried[name], least, shown)
    mixed = min((mixed_model(own, degree) for degree in (1, 2, 3)), key=least)
    learners[f"mixed model, degree {mixed.degree}"] = mixed
    return Study(
        table, parts, shots, queries, seed, learners,
        errors={name: errors(learner, parts[2]) for name, learner in learners.items()},
        validation={name: errors(learner, parts[1]).mean() for name, learner in learners.items()},
        training=errors(learners[MAML], parts[0]),
        settings=tried[MAML],
        draw=in_order(parts[2].sample(np.random.default_rng(seed + 1), len(parts[2].names), shots, queries)),
    )  # fmt: skip


def _states(name, part, shots, queries, seed, shown):
    """A function (alpha, steps, iterations) that trains the learner `name` and gives every CHECKth Trained."""
    inputs = len(part.x)
    model = Linear(inputs) if "line" in name else MLP([inputs, 20, 20, 1], activation=tanh)
    objective = mean_squared_error(model)

    def states(alpha, steps, iterations):
        rng = np.random.default_rng(seed)
        training = meta_train(
            maml, objective, part, model.init(rng), rng, alpha=alpha, steps=steps, tasks=TASKS, shots=shots,
            queries=queries, learning_rate=LEARNING_RATE,
        )  # fmt: skip
        for state in islice(training, iterations):
            shown.update()
            if state.iteration % CHECK == 0:
                yield Trained(objective, state.theta, alpha, steps, state.iteration)

    return states


def _trial(states, setting, error, shown):
    """Validation error of a setting after TRIAL iterations, inf where it diverges."""
    before = shown.n
    try:
        *_, last = states(*setting, TRIAL)
        return error(last)
    except DivergenceError:
        return np.inf
    finally:
        shown.update(before + TRIAL - shown.n)


def _stopped_in_time(states, settings, error, shown):
    """The best Trained of the best setting: training ends when PATIENCE checks have brought no better one."""
    setting, before, best, least = min(settings, key=settings.get), shown.n, None, np.inf
    try:
        for each in states(*setting, LONGEST):
            now = error(each)
            best, least = (each, now) if now < least else (best, least)
            if best and each.iteration - best.iteration >= PATIENCE * CHECK:
                break
    except DivergenceError:  # where a long training ends in this way, what was kept before stays
        pass
    if best is None:
        raise ValueError("every step size tried diverged: look for outliers among the numbers of x and y")
    shown.update(before + LONGEST - shown.n)
    return best


def in_order(episode):
    """The tasks of an episode in the order of the part's names."""
    order = np.argsort(episode.tasks["task"])
    support, query = (Data(data.x[order], data.y[order]) for data in episode[:2])
    return Episode(support, query, {"task": np.sort(episode.tasks["task"])})
