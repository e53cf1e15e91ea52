"""The shipped meta-parameters: small, whole, and what their recipes give."""

from pathlib import Path

import numpy as np
import pytest

from mlcourse import Glyphs, cross_entropy
from mlcourse.classroom import trained
from mlcourse.classroom.trained import characters, fine_tuning
from mlcourse.few_shot import by_gradient_steps, by_matching, by_prototypes, few_shot_accuracy, head_only

RULES = {"ProtoNet": by_prototypes, "Matching": by_matching}


def test_all_that_is_shipped_is_small():
    size = {path.stem: path.stat().st_size for path in Path(trained.__file__).parent.glob("*.npz")}
    assert sum(size.values()) <= 275_000
    assert sum(size[name] for name in ("step_sizes", "characters", "diversity")) <= 200_000  # lessons 8, 9 and 10


def test_each_recipe_has_its_theta_for_the_network_that_it_is_used_with():
    thetas = characters.load()
    assert list(thetas) == list(characters.RECIPES)
    for name, theta in thetas.items():
        assert theta.shape == (characters.RECIPES[name].model.size,) and np.all(np.isfinite(theta))


def test_the_drawings_of_a_character_are_as_many_as_said_and_of_that_character():
    drawn = characters.Drawn(Glyphs(ways=3, split="validation"), drawings=4)
    support, query, tasks = drawn.sample(np.random.default_rng(0), 50, 2, 2)
    assert support.x.shape == (50, 6, 400) and query.y.shape == (50, 6)
    whole = Glyphs(len(drawn.characters), "validation", rotation=0, scale=(1, 1), shift=0)
    plain, _, order = whole.sample(np.random.default_rng(0), 1, 1, 1)
    of_class = plain.x[0][np.argsort(order["classes"][0])]
    near = [
        np.argmin(np.sum((of_class[tasks["classes"][t]] - x) ** 2, axis=-1)) == y
        for t in range(50)
        for x, y in zip(support.x[t], support.y[t], strict=True)
    ]
    assert np.mean(near) > 0.8


@pytest.mark.parametrize("name", characters.RECIPES)
def test_a_short_training_gives_a_theta_that_is_not_yet_the_shipped_one(name):
    drawn = characters.Drawn(Glyphs(characters.WAYS, "validation"), drawings=4)
    theta = characters.train(name, drawn, schedule=((3e-3, 2), (1e-3, 1)))
    assert theta.shape == characters.load()[name].shape and not np.array_equal(theta, characters.load()[name])


def test_the_shipped_metric_learners_know_scripts_that_they_have_not_seen():
    episode = Glyphs(split="test").sample(np.random.default_rng(11), 100, 1, 5)
    objective = cross_entropy(characters.EMBEDDING)
    for name, rule in RULES.items():
        assert few_shot_accuracy(rule, objective, characters.load()[name], episode).mean > 0.9


def test_the_shipped_starts_are_worth_their_inner_steps():
    episode = Glyphs(split="test").sample(np.random.default_rng(11), 100, 1, 5)
    objective = cross_entropy(characters.CLASSIFIER)
    for name, recipe in characters.RECIPES.items():
        if recipe.steps:
            before, after = (
                few_shot_accuracy(by_gradient_steps, objective, characters.load()[name], episode, recipe.alpha, steps)
                for steps in (0, recipe.steps)
            )
            assert before.mean < 0.25 and after.mean > 0.6


def test_the_joint_training_of_lesson_13_cost_as_much_as_maml():
    recipe = characters.RECIPES["MAML"]
    one_gradient = fine_tuning.pictures(steps=0, queries=1 + 3)
    assert recipe.tasks * fine_tuning.pictures(recipe.steps) == fine_tuning.TASKS * one_gradient


def test_its_head_learns_new_scripts_from_one_example_of_each_letter_in_some_steps():
    model, episode = characters.CLASSIFIER, Glyphs(split="test").sample(np.random.default_rng(11), 100, 1, 5)
    rule, theta = by_gradient_steps, fine_tuning.load()
    once, often = (
        few_shot_accuracy(rule, cross_entropy(model), theta, episode, head_only(model, 0.003), steps)
        for steps in (1, 20)
    )
    assert once.mean < 0.6 and often.mean > 0.85
