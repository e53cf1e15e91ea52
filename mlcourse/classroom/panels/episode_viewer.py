"""Panel "episode viewer": one task's support and query set, and what a learner by heart makes of them."""

from functools import lru_cache

import numpy as np

from mlcourse import Data, Glyphs, Lines, Polynomials, Sinusoids
from mlcourse.classroom.figures.episodes import EpisodeViewer
from mlcourse.classroom.panels.panel import Panel, choice, whole

MOST_WAYS, MOST_SHOTS, MOST_QUERIES = 8, 10, 10
CURVE = 400  # further points of a regression task, which trace its curve
FAMILIES = {
    "glyphs": Glyphs(MOST_WAYS, "test"),
    "sinusoids": Sinusoids(),
    "lines": Lines(),
    "polynomials": Polynomials(),
}


def nearest(support, x):
    """The row of the support example that is nearest to each x: support (K, d), x (Q, d) -> (Q,)."""
    return np.argmin(np.sum(support**2, axis=-1) - 2 * x @ support.T, axis=-1)  # |x|^2 is the same for all


@lru_cache(maxsize=16)
def _episode(task, family):
    """All the examples that the controls can show."""
    queries = MOST_QUERIES + (0 if family == "glyphs" else CURVE)
    return FAMILIES[family].sample(np.random.default_rng(task), (), MOST_SHOTS, queries)


def compute(task, family, ways, shots, queries):
    """What is in the episode, and where the memoriser errs.

    task     a seed; the same task and examples stay while the controls move: more shots add to those there were
    family   name of FAMILIES
    ways, shots, queries  N (glyphs only), K and Q
    """
    if family == "glyphs":
        numbers = _classify(_episode(task, family), ways, shots, queries)
    else:
        numbers = _regress(_episode(task, family), shots, queries) | {"x_range": FAMILIES[family].x_range}
    most = MOST_WAYS, MOST_SHOTS, MOST_QUERIES
    return numbers | {"family": family, "ways": ways, "shots": shots, "queries": queries, "most": most}


def _classify(episode, ways, shots, queries):
    support, query = (
        data.x.reshape(MOST_WAYS, -1, data.x.shape[-1])[:ways, :each]
        for data, each in ((episode.support, shots), (episode.query, queries))
    )
    row = nearest(support.reshape(ways * shots, -1), query.reshape(ways * queries, -1))
    wrong = (row // shots).reshape(ways, queries) != np.arange(ways)[:, None]
    heads = (
        f"support: N·K = {ways} × {shots} = {ways * shots}",
        f"query: N·Q = {ways} × {queries} = {ways * queries}",
    )
    return {"images": (support, query), "wrong": wrong, "heads": heads}


def _regress(episode, shots, queries):
    support = Data(episode.support.x[:shots], episode.support.y[:shots])
    query = Data(episode.query.x[:queries], episode.query.y[:queries])
    order = np.argsort(episode.query.x[:, 0])
    x, curve = episode.query.x[order], episode.query.y[order]
    copied = support.y[nearest(support.x, x)]
    loss = float(np.mean((support.y[nearest(support.x, query.x)] - query.y) ** 2))
    return {
        "support": support,
        "query": query,
        "curve": (x[:, 0], curve[:, 0], copied[:, 0]),
        "span": 1.15 * float(np.max(np.abs(curve))),
        "loss": loss,
        "heads": (f"support: K = {shots}", f"query: Q = {queries}"),
    }


def _caption(numbers):
    if "images" in numbers:
        right = numbers["wrong"].size - np.count_nonzero(numbers["wrong"])
        seen = numbers["ways"] * numbers["shots"]
        return (
            "The memoriser gives a picture the label of the nearest support picture. "
            f"On the support set: {seen} of {seen} right. On the query set: {right} of {numbers['wrong'].size}. "
            f"A guesser gets 1 of {numbers['ways']}."
        )
    return (
        "The memoriser answers with the y of the nearest support point. Loss on the support set: 0.00. "
        f"On the query set: {numbers['loss']:.2f}. (A regression task has no classes, so N does nothing.)"
    )


def panel(seed=0, family="glyphs", ways=5, shots=1, queries=5):
    """The panel; the first picture is an N-way K-shot episode of glyphs."""
    controls = {
        "family": choice("family of tasks", list(FAMILIES), family),
        "ways": whole("ways N (glyphs)", 2, MOST_WAYS, ways, "classes"),
        "shots": whole("shots K", 1, MOST_SHOTS, shots, "examples a class"),
        "queries": whole("queries Q", 1, MOST_QUERIES, queries, "examples a class"),
    }
    controls["ways"].disabled = family != "glyphs"
    controls["family"].observe(lambda change: setattr(controls["ways"], "disabled", change.new != "glyphs"), "value")
    return Panel(
        draw_task=lambda rng: int(rng.integers(2**32)),
        compute=compute,
        drawing=EpisodeViewer,
        controls=controls,
        caption=_caption,
        seed=seed,
    )
