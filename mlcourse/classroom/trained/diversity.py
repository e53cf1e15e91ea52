"""What lesson 10's panel loads: MAML from few tasks and from many, from waves of every phase and from a third of them.

Points are not what is scarce here: a task has 200 recorded rows, split afresh at every draw.
"""

from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

from mlcourse import Sinusoids, evaluate_episode, maml, mean_squared_error, meta_train
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS
from mlcourse.finite import Finite

NUMBERS = (3, 10, 30, 100)
PHASES = {"every phase": SINUSOIDS.phase, "a third of the phases": (0.0, np.pi / 3)}
SETS = tuple((phases, number) for phases in PHASES for number in NUMBERS)
SHOTS, QUERIES, ROWS, ITERATIONS = 5, 10, 200, 4000
PATH = Path(__file__).with_name("diversity.npz")


def waves(phases, number):
    """The `number` training waves: 100 are drawn, and fewer are the first of them."""
    drawn = Sinusoids(phase=PHASES[phases]).sample(np.random.default_rng(3), max(NUMBERS), ROWS, 1)
    support, query = (type(data)(data.x[:number], data.y[:number]) for data in (drawn.support, drawn.query))
    return type(drawn)(support, query, {name: z[:number] for name, z in drawn.tasks.items()})


def train(phases, number, iterations=ITERATIONS):
    """theta (1761,) of 5-shot MAML from these waves."""
    rng = np.random.default_rng(0)
    states = meta_train(
        maml,
        mean_squared_error(MODEL),
        Finite(waves(phases, number), resplit=True),
        MODEL.init(rng),
        rng,
        alpha=ALPHA,
        steps=1,
        tasks=10,
        shots=SHOTS,
        queries=QUERIES,
        learning_rate=2e-3,
    )
    return next(islice(states, iterations - 1, None)).theta


@cache
def load():
    """(phases, number) -> theta (1761,), as stored: rounded to float32, which changes no printed digit."""
    with np.load(PATH) as stored:
        return {each: stored[f"{each[0]}, {each[1]}"].astype(float) for each in SETS}


def on_new_waves(theta, tasks=600):
    """The Report of theta on new waves of every phase."""
    new = SINUSOIDS.sample(np.random.default_rng(1000), tasks, SHOTS, QUERIES)
    return evaluate_episode(mean_squared_error(MODEL), theta, new, ALPHA, 1)


def make():
    """Train all of them again and store them; prints what each does on new waves."""
    thetas = {}
    for phases, number in SETS:
        thetas[f"{phases}, {number}"] = theta = train(phases, number).astype(np.float32)
        print(f"{number} waves of {phases}, on new waves of every phase\n{on_new_waves(theta.astype(float))}")
    np.savez_compressed(PATH, **thetas)
