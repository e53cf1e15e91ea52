"""Panel "embedding" (lesson 9): one query of an episode of held-out characters, and what decides about it."""

from functools import cache, lru_cache

import numpy as np

from mlcourse import Glyphs
from mlcourse.classroom.figures.few_shot import EmbeddingPlane
from mlcourse.classroom.panels.panel import Panel, choice, whole
from mlcourse.classroom.trained import characters
from mlcourse.metric import log_probabilities, matching, prototypes

MOST_WAYS, MOST_SHOTS, MOST_QUERIES = 8, 5, 20
EMBEDDINGS = ("trained", "random start", "the pixels themselves")
RULES = ("distance to prototypes", "attention (cosine)")


@cache
def _thetas():
    return {
        "trained": characters.load()["ProtoNet"],
        "random start": characters.EMBEDDING.init(np.random.default_rng(0)),
    }


@lru_cache(maxsize=16)
def _episode(task, embedding):
    """All pictures (N, K + Q, 400) that the controls can show, their embeddings, and those seen in the plane.

    task  a seed; the plane is the one in which the embeddings of all the task's examples are spread most
    """
    made = Glyphs(MOST_WAYS, "test").sample(np.random.default_rng(task), (), MOST_SHOTS, MOST_QUERIES)
    pictures = np.concatenate([data.x.reshape(MOST_WAYS, -1, 400) for data in made[:2]], axis=1)
    z = pictures
    if embedding != EMBEDDINGS[-1]:
        z = characters.EMBEDDING(_thetas()[embedding], pictures)
    rows = z.reshape(-1, z.shape[-1])
    widest = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:2].T
    plane = (z - rows.mean(axis=0)) @ widest
    low, high = plane.min(axis=(0, 1)), plane.max(axis=(0, 1))
    room = 0.06 * (high - low)
    return pictures, z, plane, tuple(map(float, (*(low - room), *(high + room))))


def compute(task, embedding, rule, ways, shots, query):
    """What is shown and decided. The query's class goes round the classes that there are.

    query  counts from 1
    """
    pictures, z, plane, limits = _episode(task, embedding)
    label, which = (query - 1) % ways, MOST_SHOTS + query - 1
    support, y = z[:ways, :shots].reshape(ways * shots, -1), np.repeat(np.arange(ways), shots)
    by_prototypes = rule == RULES[0]
    here = z[label, which][None]
    if by_prototypes:
        log_p = log_probabilities(here, prototypes(support, y, ways))[0]
    else:
        log_p = matching(here, support, y, ways)[0]
    points = plane[:ways, :shots]
    centres = points.mean(axis=1)
    return {
        "images": pictures[:ways, :shots],
        "query": pictures[label, which],
        "label": label,
        "chosen": int(log_p.argmax()),
        "p": np.exp(log_p),
        "z": plane[label, which],
        "points": points,
        "centres": centres,
        "ends": centres[:, None] if by_prototypes else points,
        "prototypes": by_prototypes,
        "limits": limits,
        "most": MOST_WAYS,
    }


def caption(numbers):
    """One line for whoever watches the picture."""
    chosen, label = numbers["chosen"], numbers["label"]
    verdict = "rightly" if chosen == label else f"wrongly: it is of class {label}"
    measured = "nearest prototype" if numbers["prototypes"] else "most attention"
    return (
        f"By {measured} the query is given to class {chosen}, {verdict}, with p = {numbers['p'][chosen]:.2f}. "
        "The plane shows two of the embedding's directions; what decides is measured in all of them."
    )


def panel(seed=0):
    """The panel; it opens on a 5-way 1-shot episode in the trained embedding."""
    controls = {
        "embedding": choice("embedding", EMBEDDINGS, EMBEDDINGS[0]),
        "rule": choice("decide by", RULES, RULES[0]),
        "ways": whole("ways N", 2, MOST_WAYS, 5, "classes"),
        "shots": whole("shots K", 1, MOST_SHOTS, 1, "examples a class"),
        "query": whole("query", 1, MOST_QUERIES, 1, "which one"),
    }
    return Panel(
        draw_task=lambda rng: int(rng.integers(2**32)),
        compute=compute,
        drawing=EmbeddingPlane,
        controls=controls,
        caption=caption,
        seed=seed,
    )
