"""Where lesson 13's fine-tuning of drawn characters starts: joint training that cost as much as lesson 9's MAML.

Lesson 9's joint training sees 4 tasks a batch, with MAML's number of iterations. Counted in pictures that is less than
a sixth of what MAML passes through the network. With TASKS tasks a batch the two are equal. `make trained` trains it
again.
"""

from pathlib import Path

import numpy as np

from mlcourse.classroom.trained import characters

TASKS = 26
STORED = Path(__file__).with_name("fine_tuning.npz")


def pictures(steps, shots=1, queries=3):
    """What one task of lesson 9's training costs MAML: a gradient counts 1 for each picture, a Hessian product 2.5."""
    return characters.WAYS * (shots * 3.5 * steps + queries)


def load():
    """theta of `characters.CLASSIFIER`, its head 0."""
    with np.load(STORED) as stored:
        return stored["theta"].astype(float)


def make():
    """Train it again and store it, in half precision."""
    theta = characters.train("joint training", tasks=TASKS)
    np.savez_compressed(STORED, theta=theta.astype(np.float16))
