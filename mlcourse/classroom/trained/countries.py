"""What lesson 14 loads: MAML on life expectancy, five times, so that each country is held out once."""

from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlcourse import MLP, FromTable, adapt, maml, mean_squared_error, meta_train, tanh
from mlcourse.baselines import task_errors
from mlcourse.classroom.data import LIFE_EXPECTANCY

TABLE = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
OBJECTIVE = mean_squared_error(MLP([1, 20, 20, 1], activation=tanh))
FOLDS, VALIDATION, SHOTS, QUERIES, ITERATIONS, CHECK = 5, 20, 3, 9, 2000, 100
ALPHA, STEPS = 0.1, 5  # what lesson 14's validation countries choose
PATH = Path(__file__).with_name("countries.npz")


class Fold(NamedTuple):
    """A fifth of the countries, held out: parts of the table, and MAML's theta (481,) of the training part."""

    training: Any
    validation: Any
    test: Any
    theta: Any

    def maml(self, support, x):
        """What MAML predicts, standardised."""
        return OBJECTIVE.model(adapt(OBJECTIVE, self.theta, support, ALPHA, STEPS), x)


def folds():
    """FOLDS triples of parts: training, validation, test."""
    names = np.random.default_rng(0).permutation(TABLE.names)
    for held_out in np.array_split(names, FOLDS):
        others = [name for name in names if name not in held_out]
        yield TABLE.parts(others[VALIDATION:], others[:VALIDATION], list(held_out))


def train(training, validation, iterations=ITERATIONS):
    """theta (481,) of exact MAML from the training part, from the check at which the validation part fared best."""
    rng = np.random.default_rng(0)
    states = meta_train(
        maml, OBJECTIVE, training, OBJECTIVE.model.init(rng), rng, alpha=ALPHA, steps=STEPS, tasks=10, shots=SHOTS,
        queries=QUERIES, learning_rate=5e-3,
    )  # fmt: skip
    checked = [state.theta for state in islice(states, CHECK - 1, iterations, CHECK)]
    return min(checked, key=lambda theta: errors(Fold(training, validation, validation, theta)).mean())


def errors(fold):
    """MAML's error on each country of the fold's test part, in years."""
    return task_errors(fold.maml, fold.test, np.random.default_rng(1), shots=SHOTS, queries=QUERIES, draws=5)


@cache
def load():
    """The folds with their stored thetas, rounded to float32."""
    with np.load(PATH) as stored:
        thetas = stored["thetas"].astype(float)
    return [Fold(*parts, theta) for parts, theta in zip(folds(), thetas, strict=True)]


def make():
    """Train all of them again and store them; prints what each does on its held-out countries."""
    made = [Fold(*parts, train(*parts[:2])) for parts in folds()]
    for fold in made:
        print(f"{len(fold.test.names)} countries held out: {errors(fold).mean():.2f} years")
    np.savez_compressed(PATH, thetas=np.array([fold.theta for fold in made], dtype=np.float32))
