"""Train the shipped meta-parameters again: python -m mlcourse.classroom.trained [name …]."""

import sys
from itertools import islice

import numpy as np
from tqdm import tqdm

from mlcourse import mean_squared_error, meta_test, meta_train
from mlcourse.classroom.trained import (
    ALPHA,
    MODEL,
    RECIPES,
    SINUSOIDS,
    characters,
    countries,
    diversity,
    fine_tuning,
    path,
    robots,
    step_sizes,
)

OTHERS = {
    "diversity": diversity,
    "step_sizes": step_sizes,
    "characters": characters,
    "robots": robots,
    "fine_tuning": fine_tuning,
    "countries": countries,
}

for name in sys.argv[1:] or [*RECIPES, *OTHERS]:
    if name in OTHERS:
        OTHERS[name].make()
        continue
    recipe, rng = RECIPES[name], np.random.default_rng(0)
    objective = mean_squared_error(MODEL)
    states = meta_train(
        recipe.method,
        objective,
        SINUSOIDS,
        MODEL.init(rng),
        rng,
        alpha=ALPHA,
        steps=1,
        tasks=25,
        shots=recipe.shots,
        queries=10,
        learning_rate=1e-3,
    )
    shown = tqdm(states, total=recipe.iterations, desc=name, mininterval=10)
    state = next(islice(shown, recipe.iterations - 1, None))
    state._replace(memory=()).save(path(name))
    report = meta_test(
        objective, SINUSOIDS, state.theta, rng, alpha=ALPHA, steps=1, tasks=1000, shots=recipe.shots, queries=10
    )
    print(f"{name}, held-out tasks\n{report}")
