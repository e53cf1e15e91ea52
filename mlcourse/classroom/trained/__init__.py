"""Meta-parameters that lessons load where training them takes longer than a lesson may.

`make trained` (python -m mlcourse.classroom.trained) trains each from its recipe again. Another machine's
arithmetic rounds differently, so the numbers agree in what they do on held-out tasks, not bit for bit.
"""

from pathlib import Path
from typing import NamedTuple

from mlcourse import MLP, MetaState, Sinusoids, joint_training, maml

SINUSOIDS = Sinusoids()
MODEL = MLP([1, 40, 40, 1])
ALPHA = 0.01


class Recipe(NamedTuple):
    """What a shipped theta was trained with: MLP 1-40-40-1 on sinusoids, 25 tasks a batch, Adam 1e-3, alpha 0.01."""

    method: object
    shots: int
    iterations: int = 70_000


RECIPES = {
    "maml_5_shot": Recipe(maml, 5),
    "maml_10_shot": Recipe(maml, 10),
    "joint": Recipe(joint_training, 10),
}


def path(name):
    """Where the theta of a recipe is stored."""
    if name not in RECIPES:
        raise ValueError(f"name must be one of {', '.join(RECIPES)}, got {name!r}")
    return Path(__file__).with_name(f"{name}.npz")


def load(name):
    """theta (1761,) that the recipe `name` of RECIPES ended with, for MODEL."""
    return MetaState.load(path(name)).theta
