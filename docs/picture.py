"""The picture on the README's first page, from lesson 0's own numbers: python docs/picture.py."""

from pathlib import Path

import numpy as np

from mlcourse import adapt, mean_squared_error
from mlcourse.classroom.figures import start
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS, load

objective, x = mean_squared_error(MODEL), np.linspace(-5, 5, 201)[:, None]
wave = SINUSOIDS.sample(np.random.default_rng(5), tasks=(), shots=5, queries=200)


def view(theta):
    """The episode, the curves before and after one inner step from theta, and their losses."""
    thetas = np.stack([theta, adapt(objective, theta, wave.support, ALPHA, steps=1)])
    return wave, MODEL(thetas, x), objective.value(thetas, wave.query)


views = {"Meta-trained start": view(load("maml_5_shot")), "Random start": view(MODEL.init(np.random.default_rng(0)))}
Path(__file__).with_name("picture.png").write_bytes(start.snap(x, views).png())
