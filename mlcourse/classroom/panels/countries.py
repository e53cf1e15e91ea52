"""Panel "countries" (lesson 14): what three learners make of a country they have never seen, by the years given."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data
from mlcourse.baselines import mixed_model, own_line
from mlcourse.classroom.figures.capstone import Countries
from mlcourse.classroom.panels.panel import Panel, choice, whole
from mlcourse.classroom.trained.countries import TABLE, load

NAMED = ("Brazil", "Chad", "China", "Germany", "India", "Japan", "Nepal", "Rwanda", "Spain", "Vietnam", "Zimbabwe")
MOST = 8  # years given; the others are asked for
YEARS = np.linspace(1952, 2007, 56)[:, None]


class Numbers(NamedTuple):
    """One country's rows, given and asked, and for each learner its curve over `years` and its error on those asked."""

    country: str
    given: Data
    asked: Data
    years: Any
    curves: dict
    errors: dict


def draw_task(rng):
    """The order in which the twelve years of every country are given."""
    return rng.permutation(len(next(iter(TABLE.rows.values())).y))


@cache
def _learners(number):
    """The part that a fold holds out, and what was learned from the others."""
    fold = load()[number]
    mixed = mixed_model(fold.training.data, degree=3)
    return fold.test, {"a line of its own": own_line([]), "MAML": fold.maml, "mixed model": mixed}


def compute(task, country, shots):
    """Three learners on the first `shots` years of the order `task`, each learned without this country."""
    part, learners = _learners(next(i for i, fold in enumerate(load()) if country in fold.test.names))
    x, y = TABLE.rows[country]
    given, asked = (Data(x[rows], y[rows]) for rows in (task[:shots], task[shots:]))
    support, others = (part.scale.standard(data) for data in (given, asked))
    years = (YEARS - part.scale.x_mean) / part.scale.x_std
    curves, errors = {}, {}
    for name, learner in learners.items():
        curves[name] = part.in_units(learner(support, years))[:, 0]
        off = part.in_units(learner(support, others.x)) - asked.y
        errors[name] = float(np.sqrt(np.mean(off**2)))
    return Numbers(country, given, asked, YEARS[:, 0], curves, errors)


def caption(numbers):
    """One line for whoever watches the picture."""
    errors = ", ".join(f"{name} {error:.1f}" for name, error in numbers.errors.items())
    return f"{numbers.country}, {len(numbers.given.y)} years given. Error on the others, in years of life: {errors}."


def panel():
    """Controls for the country and for how many of its years are given."""
    return Panel(
        draw_task=draw_task,
        compute=compute,
        drawing=Countries,
        controls={
            "country": choice("country", NAMED, "Chad"),
            "shots": whole("years given K", 1, MOST, 3),
        },
        caption=caption,
    )
