"""The shipped few-shot classifiers of lesson 9: 5-way 1-shot, trained on the training scripts of Glyphs.

`make trained` trains them again. All are networks of the same size, trained for as many iterations; the learning rate
falls twice. They are stored in half precision, which changes no accuracy by as much as its third digit.
"""

from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlcourse import MLP, Glyphs, cross_entropy, fomaml, joint_training, maml, meta_train
from mlcourse.few_shot import SameLabels, head_only, with_new_head
from mlcourse.images import choose_classes, labelled
from mlcourse.metric import matching_networks, prototypical_networks

WIDTH, WAYS, STEPS = 24, 5, 5
EMBEDDING = MLP([400, WIDTH, WIDTH])  # what compares
CLASSIFIER = MLP([400, WIDTH, WIDTH, WAYS])  # what adapts: an embedding and a head
STORED = Path(__file__).with_name("characters.npz")


@dataclass(frozen=True)
class Drawn:
    """The tasks of Glyphs from a fixed set of drawings of each character, as Omniglot has 20: quicker than new ones."""

    glyphs: Any
    drawings: int = 20

    @property
    def characters(self):
        return self.glyphs.characters

    def sample(self, rng, tasks, shots, queries):
        """-> Episode as that of Glyphs; shots + queries must be at most `drawings`."""
        classes = choose_classes(rng, (tasks,), len(self.characters), self.glyphs.ways)
        which = choose_classes(rng, classes.shape, self.drawings, shots + queries)
        return labelled(_drawings(self)[classes[..., None], which].astype(float), shots, classes)


@cache
def _drawings(drawn):
    """(C, drawings, 400): drawn once and not for each task again."""
    whole = Glyphs(len(drawn.characters), drawn.glyphs.split)
    support, _, tasks = whole.sample(np.random.default_rng(0), 1, drawn.drawings, 1)
    return support.x[0].reshape(len(drawn.characters), drawn.drawings, -1)[np.argsort(tasks["classes"][0])].astype("f4")


class Recipe(NamedTuple):
    """How a theta was trained; and how it adapts at test time, where it does.

    model         the network; joint training's has an output for each training character, and then a new head
    alpha, steps  the inner loop, in training and in tests; alpha a number, or (P,) for one that moves the head alone
    tasks         in a batch; joint training's are few because it has to tell 2199 characters apart for each drawing
    """

    method: Any
    model: Any = CLASSIFIER
    alpha: Any = 0.0
    steps: int = 0
    tasks: int = 16


RECIPES = {
    "ProtoNet": Recipe(prototypical_networks, EMBEDDING),
    "Matching": Recipe(matching_networks, EMBEDDING),
    "MAML": Recipe(maml, alpha=2.0, steps=1),
    "FOMAML": Recipe(fomaml, alpha=0.1, steps=10),
    "ANIL": Recipe(maml, alpha=head_only(CLASSIFIER, 5.0), steps=1),
    "joint training": Recipe(joint_training, tasks=4),
}
# Adam's learning rate, and for how many iterations
SCHEDULE = ((3e-3, 5000), (1e-3, 2000), (3e-4, 1000))


def train(name, distribution=None, schedule=SCHEDULE, **changes):
    """theta of a recipe, trained on `distribution` (the drawn training scripts); joint training's has a new head.

    changes  fields of the recipe that are to be others, such as tasks=26
    """
    recipe, rng = RECIPES[name]._replace(**changes), np.random.default_rng(0)
    distribution, model = distribution or Drawn(Glyphs(WAYS)), recipe.model
    if recipe.method is joint_training:
        model, distribution = MLP([*EMBEDDING.sizes, len(distribution.characters)]), SameLabels(distribution)
    settings = {"alpha": recipe.alpha, "steps": recipe.steps, "tasks": recipe.tasks, "shots": 1, "queries": 3}
    start, state = model.init(rng), None
    for rate, iterations in schedule:
        options = settings | {"learning_rate": rate, "resume": state}
        states = meta_train(recipe.method, cross_entropy(model), distribution, start, rng, **options)
        state = next(islice(states, iterations - 1, None))
    return with_new_head(state.theta, model, CLASSIFIER) if recipe.method is joint_training else state.theta


@cache
def _stored():
    with np.load(STORED) as stored:
        return {name: stored[name].astype(float) for name in RECIPES}


def load():
    """name of RECIPES -> theta, of EMBEDDING for what compares and CLASSIFIER for what adapts; a dict of your own."""
    return dict(_stored())


def make():
    """Train all of them again and store them."""
    np.savez_compressed(STORED, **{name: train(name).astype(np.float16) for name in RECIPES})
