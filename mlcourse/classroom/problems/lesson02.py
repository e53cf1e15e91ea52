"""Lesson 2, episodes: support and query."""

from types import MappingProxyType

import autograd.numpy as anp
import numpy as np

from mlcourse import Data, Episode
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, TextProblem, mistake
from mlcourse.classroom.problems.samplers import (
    AGAIN,
    OTHER,
    SAME,
    Sampler,
    among,
    decides,
    rows_of,
    shapes_of,
    shared,
    yes,
)
from mlcourse.recipes.deviations import Deviation


class memoriser(FunctionProblem):
    title = "the learner that copies"
    difficulty, minutes = "easy", 4
    place = "lesson"
    tags = ("takeaway:split-rewards-generalisation", "mistake:same-data")
    correct_message = "That is right: each x gets the y of the support example next to it."
    hints = (
        "Row i of `distance` holds the distances of the i-th x to all K support examples. Where in that row is the least?",
        "`np.argmin(distance, axis=1)` gives a position for each row, Q numbers. The answer is the y at these positions.",
        "`nearest = np.argmin(distance, axis=1)`, then `return support.y[nearest]`.",
    )
    explanation = """
    `argmin` along a row of distances says *which* support example is nearest, and indexing `support.y` with these positions
    copies its y, once for each x. Nothing is fitted.
    """
    deviations = (
        Deviation("nearest", "farthest", "the farthest", "This copies from the farthest support example: argmin, not argmax."),
        Deviation("nearest", "first", "the first example always",
                  "Each x gets the y of the first support example. Take the one that is nearest to it."),
        Deviation("nearest", "anyone's", "one example for all",
                  "All x get the y of one example, the one with the least distance of all. Each x has a nearest example "
                  "of its own: `axis=1`."),
        Deviation("copies", "position", "the position, not its y",
                  "This is *which* example is nearest, 0 … K − 1. Copy the y that stands there: `support.y[nearest]`."),
        Deviation("copies", "x", "x for y", "This copies the x of the nearest example. The memoriser answers with its y."),
        Deviation("copies", "distance", "the distance, not y",
                  "This is how far the nearest example is. The memoriser answers with that example's y."),
        Deviation("copies", "mean", "the mean of all y",
                  "This answers with the mean of the support's y, whatever x is. Copy the y of the nearest example."),
    )  # fmt: skip

    def draw(self, rng):
        queries, shots = int(rng.integers(3, 7)), int(rng.integers(7, 12))  # Q < K: the axes are told apart
        support = Data(rng.normal(size=(shots, 1)), rng.normal(size=(shots, 1)) + 3)
        return {"support": support, "x": rng.normal(size=(queries, 1))}

    def statement(self, given):
        return rf"""
        Write `memoriser(support, x)`: for each row of `x`, the y of the support example whose x is nearest. `support.x` has shape `(K, d)`
        and `support.y` `(K, 1)`; `x` has shape `(Q, d)`. The answer has shape `(Q, 1)`.

        `p.given("memoriser")` has K = {len(given.support.x)} and Q = {len(given.x)}; the first x is {given.x[0, 0]:.3f}, and its answer
        {self.solution(**vars(given))[0, 0]:.3f}.
        """

    @staticmethod
    def solution(support, x):
        distance = np.sum((x[:, None] - support.x) ** 2, axis=-1)  # (Q, K)
        nearest = np.argmin(distance, axis=1)
        return support.y[nearest]

    @staticmethod
    def variant(support, x, nearest="nearest", copies="y"):
        distance = np.sum((x[:, None] - support.x) ** 2, axis=-1)
        at = {
            "nearest": np.argmin(distance, axis=1),
            "farthest": np.argmax(distance, axis=1),
            "first": np.zeros(len(x), dtype=int),
            "anyone's": np.full(len(x), np.unravel_index(np.argmin(distance), distance.shape)[1]),
        }[nearest]
        return {
            "y": support.y[at],
            "position": at[:, None],
            "x": support.x[at],
            "distance": np.take_along_axis(distance, at[:, None], axis=1),
            "mean": np.full((len(x), 1), np.mean(support.y)),
        }[copies]

    def skip(self, settings):
        return len(settings) == 2 and (settings["copies"] == "mean" or settings["nearest"] == "first")

    @mistake(
        "the position, not its y",
        "This is *which* example is nearest, 0 … K − 1. Copy the y that stands there: `support.y[nearest]`.",
    )
    def positions(support, x):
        return memoriser.variant(support, x, copies="position")[:, 0]

    @mistake(
        "the distance, not y", "This is how far the nearest example is. The memoriser answers with that example's y."
    )
    def distances(support, x):
        return memoriser.variant(support, x, copies="distance")[:, 0]

    @mistake(
        "the axes exchanged",
        "This looks for the nearest x of each support example, K answers. Each x looks for its nearest support example: `axis=1`, "
        "along a row of `distance`.",
    )
    def axes_exchanged(support, x):
        return support.y[np.argmin(np.sum((x[:, None] - support.x) ** 2, axis=-1), axis=0)]


class split(Sampler):
    title = "support and query of one task"
    difficulty, minutes = "easy", 8
    tags = (
        "concept:episode",
        "concept:support-set",
        "concept:query-set",
        "takeaway:split-rewards-generalisation",
        "mistake:same-data",
    )
    cases = 3
    data = ("x", "y")
    correct_message = "That is right: every point is used once, x stays with its y, and `rng` decides."
    hints = (
        "Shuffle positions, not values: `order = rng.permutation(len(x))`. Use the same order for x and y.",
        "The first `shots` positions of the order are the support set, `x[order[:shots]]`; the rest is the query set.",
    )
    explanation = """
    One permutation of the positions keeps x and y together and makes the two sets disjoint. Taking the first K as they come
    is only safe when the data have no order, and real data often have one.
    """

    def draw(self, rng):
        points = int(rng.integers(9, 14))
        x = np.sort(rng.normal(size=(points, int(rng.integers(1, 3)))), axis=0)
        return {
            "x": x,
            "y": np.sin(x.sum(axis=1, keepdims=True)),
            "shots": int(rng.integers(3, points // 2 + 1)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        return rf"""
        Write `split(x, y, shots, rng)`: cut the points of one task into a support and a query set.

        - In: `x`, shape `(n, d)`, and `y`, shape `(n, 1)`; row i of both is point i. `shots` is K, from 1 to n − 1. `rng` is a
          NumPy generator, the only source of randomness.
        - Out: an `Episode(Data(x_s, y_s), Data(x_q, y_q), {{}})`, or just the two pairs, `(x_s, y_s), (x_q, y_q)`.

        The support set gets K points, any K of the n equally likely; the query set gets all others. The rows may come in any order.
        Leave `x` and `y` as they are.

        To try: `split(**p.given("split"))`. It has {len(given.x)} points and {given.shots} shots, so {given.shots} points go to
        the support set and {len(given.x) - given.shots} to the query set.
        """

    @staticmethod
    def solution(x, y, shots, rng):
        order = rng.permutation(len(x))
        support, query = order[:shots], order[shots:]
        return Episode(Data(x[support], y[support]), Data(x[query], y[query]), {})

    def observe(self, answer, case):
        facts = super().observe(answer, case)
        if facts is not None and "points lost" in facts:
            data, n = {name: case[name] for name in self.data}, len(case["x"])
            edges = [self._call(answer, case, 0, data, shots=shots) for shots in (1, n - 1)]
            facts["shapes for shots = 1 and for shots = n − 1"] = " and ".join(map(shapes_of, edges))
        return facts

    def facts(self, case, *draws):
        """What makes a split a split, whatever the order of its rows."""
        x, y = case["x"], case["y"]
        x_s, y_s, x_q, y_q = (rows_of(rows, whole) for rows, whole in zip(draws, (x, y, x, y), strict=True))
        support, query = among(x_s, len(x)), among(x_q, len(x))
        chosen, again = support[: self.seeds] > 0, support[self.seeds :] > 0
        beside = [np.array_equal(np.concatenate(a), np.concatenate(b)) for a, b in ((x_s, y_s), (x_q, y_q))]
        return {
            "all points are the task's": yes(np.concatenate([*x_s, *y_s, *x_q, *y_q]) >= 0),
            "every y stands beside its own x": yes(beside),
            "a point twice in the support set": "no" if support.max() <= 1 else "yes",
            "points in support and query": shared(support, query),
            "points lost": "no" if np.all(support + query) else "yes",
            "what decides which points are support": self._end(chosen) or decides(chosen, again, "points"),
        }

    @staticmethod
    def _end(chosen):
        """Where the support points always are the first or the last of the task, in words."""
        ordered = np.sort(chosen, axis=1)  # the chosen ones at the end
        ends = {"first": np.array_equal(chosen, ordered[:, ::-1]), "last": np.array_equal(chosen, ordered)}
        return next((f"nothing: always the {end} points" for end, always in ends.items() if always), "")

    @mistake(
        "the query set is the support set",
        "Both sets hold the same points: a learner that copies gets full marks. The query set gets the points that the support "
        "set leaves over, `order[shots:]`.",
    )
    def same_points(x, y, shots, rng):
        support = rng.permutation(len(x))[:shots]
        return Data(x[support], y[support]), Data(x[support], y[support])

    @mistake(
        "overlap",
        "Some points are in both sets: the query set then rewards remembering the support set. Draw one order and cut it, "
        "so that each position is used once.",
    )
    def overlap(x, y, shots, rng):
        support, query = rng.permutation(len(x))[:shots], rng.permutation(len(x))[shots:]
        return Data(x[support], y[support]), Data(x[query], y[query])

    @mistake(
        "all points in the query set",
        "The query set holds all points, the support set's too. Judge on points that were not adapted on.",
    )
    def everything(x, y, shots, rng):
        support = rng.permutation(len(x))[:shots]
        return Data(x[support], y[support]), Data(x, y)

    @mistake(
        "first K always",
        "The first points are always the support set. Data often come in an order: choose at random with `rng`.",
    )
    def first_ones(x, y, shots, rng):
        return Data(x[:shots], y[:shots]), Data(x[shots:], y[shots:])

    @mistake(
        "last K always",
        "The last points are always the support set. Data often come in an order: choose at random with `rng`.",
    )
    def last_ones(x, y, shots, rng):
        return Data(x[-shots:], y[-shots:]), Data(x[:-shots], y[:-shots])

    @mistake(
        "always the same points",
        "Every call chooses the same points, whatever `rng` is: it is not used, or a generator with a seed of its own is. Draw "
        "the order with the `rng` that is handed in.",
    )
    def always_the_same(x, y, shots, rng):
        return split.solution(x, y, shots, np.random.default_rng(0))

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` split differently: something random does not come from it. Call `rng.permutation`, not "
        "`np.random`.",
    )
    def ignores_rng(x, y, shots, rng):
        return split.solution(x, y, shots, np.random.default_rng())

    @mistake(
        "a window, not any K points",
        "The support points always lie next to each other: `rng` decides where they begin, and the rest follows. Then some pairs of "
        "points are never together. Any K points must be equally likely: `rng.permutation(len(x))[:shots]`.",
    )
    def window(x, y, shots, rng):
        order = np.roll(np.arange(len(x)), rng.integers(len(x)))
        return Data(x[order[:shots]], y[order[:shots]]), Data(x[order[shots:]], y[order[shots:]])

    @mistake(
        "some points more often than others",
        "Not all points are equally likely to be support: over many calls some come far more often. Any K of the n points must "
        "be equally likely: `rng.permutation(len(x))[:shots]`.",
    )
    def favoured(x, y, shots, rng):
        order = np.append(0, 1 + rng.permutation(len(x) - 1))
        return Data(x[order[:shots]], y[order[:shots]]), Data(x[order[shots:]], y[order[shots:]])

    @mistake(
        "x and y shuffled apart",
        "x and y were shuffled separately, so inputs have other inputs' targets. Draw one order and use it for both.",
    )
    def shuffled_apart(x, y, shots, rng):
        one, other = rng.permutation(len(x)), rng.permutation(len(x))
        return Data(x[one[:shots]], y[other[:shots]]), Data(x[one[shots:]], y[other[shots:]])

    @mistake(
        "shuffled in place",
        "`rng.shuffle` reorders the caller's array itself, and x and y do not get the same order. Shuffle positions: "
        "`order = rng.permutation(len(x))`, then `x[order]` and `y[order]`.",
    )
    def shuffled_in_place(x, y, shots, rng):
        rng.shuffle(x)
        rng.shuffle(y)
        return Data(x[:shots], y[:shots]), Data(x[shots:], y[shots:])

    @mistake(
        "changes its inputs",
        "The caller's x or y is not what it was: it was reordered or written into. Indexing with positions, `x[order]`, makes "
        "a new array.",
    )
    def reordered(x, y, shots, rng):
        order = rng.permutation(len(x))
        x[:], y[:] = x[order], y[order]
        return Data(x[:shots], y[:shots]), Data(x[shots:], y[shots:])

    @mistake(
        "drawn with replacement",
        "A point can come twice into the support set: `rng.choice` and `rng.integers` draw with replacement. Use "
        "`rng.permutation`, or `rng.choice(…, replace=False)`.",
    )
    def with_replacement(x, y, shots, rng):
        chosen = rng.choice(len(x), shots)
        rest = np.setdiff1d(np.arange(len(x)), chosen)
        return Data(x[chosen], y[chosen]), Data(x[rest], y[rest])

    @mistake(
        "a coin for each point",
        "The support set has another size in every call: each point was let in by chance. It has exactly K = `shots` points: cut "
        "an order at `shots`.",
    )
    def coins(x, y, shots, rng):
        support = rng.random(len(x)) < shots / len(x)
        return Data(x[support], y[support]), Data(x[~support], y[~support])

    @mistake(
        "points thrown away",
        "The query set gets K points as well, and the others are lost. It gets all that are left: `order[shots:]`.",
    )
    def thrown_away(x, y, shots, rng):
        order = rng.permutation(len(x))
        support, query = order[:shots], order[shots : 2 * shots]
        return Data(x[support], y[support]), Data(x[query], y[query])

    @mistake(
        "support and query exchanged",
        "The query set has `shots` points and the support set the rest: it is the other way round. K counts what the learner adapts on.",
    )
    def exchanged(x, y, shots, rng):
        order = rng.permutation(len(x))
        support, query = order[shots:], order[:shots]
        return Data(x[support], y[support]), Data(x[query], y[query])

    @mistake(
        "four arrays, not two pairs",
        "Four arrays come one after the other. Pair them, so that each set has its x and its y: `(x_s, y_s), (x_q, y_q)`.",
    )
    def four_arrays(x, y, shots, rng):
        support, query = split.solution(x, y, shots, rng)[:2]
        return *support, *query

    @mistake(
        "both x first, then both y",
        "The first pair holds both x, the second both y. The pairs are the sets: x and y of the support, then x and y of the query.",
    )
    def grouped(x, y, shots, rng):
        order = rng.permutation(len(x))
        return (x[order[:shots]], x[order[shots:]]), (y[order[:shots]], y[order[shots:]])


def _episode(images, labels, ways, shots, queries, rng, names=None, pick=None):
    """Support and query of the classes `names`, numbered in this order; pick(positions of a class) -> both's positions.

    names   ways different classes at random, where nothing else is said
    pick    K and Q others at random
    """
    names = rng.choice(np.unique(labels), ways, replace=False) if names is None else names
    sets = ([], []), ([], [])
    for new, name in enumerate(names):
        positions = np.flatnonzero(labels == name)
        if pick is None:
            order = rng.permutation(positions)
            chosen = order[:shots], order[shots : shots + queries]
        else:
            chosen = pick(positions)
        for (at, y), some in zip(sets, chosen, strict=True):
            at.extend(some)
            y.extend([new] * len(some))
    return tuple(Data(images[at], np.array(y)) for at, y in sets)


class n_way_k_shot(Sampler):
    title = "an N-way K-shot episode"
    difficulty, minutes = "hard", 15
    tags = ("concept:k-shot-n-way", "concept:episode", "concept:split-mimics-test")
    cases, seeds = 2, 40
    data = ("images", "labels")
    correct_message = "That is right: N classes, numbered afresh, K and Q images of each and none in both sets."
    hints = (
        "Choose the classes first: `names = rng.choice(np.unique(labels), ways, replace=False)`. They come in random order.",
        "For each chosen class, permute the positions that have it, `np.flatnonzero(labels == name)`: the first `shots` "
        "are support, the next `queries` query.",
        "The new label is the class's place among the chosen ones, 0 … N − 1: `for new, name in enumerate(names)`. Collect "
        "positions and new labels in lists, and index `images` at the end.",
    )
    explanation = """
    Each episode chooses N classes without repetition, in random order, and numbers them afresh from 0: class 3 of one episode
    has nothing to do with class 3 of the next. So only the support set tells which label is which. The images of a class come from
    one permutation, so support and query share none. If the test is 5-way 1-shot, train on 5-way 1-shot episodes: this function makes both.
    """

    def draw(self, rng):
        ways, each = int(rng.integers(4, 6)), int(rng.integers(8, 11))
        names = rng.permutation(np.arange(20, 60))[: ways + int(rng.integers(4, 7))]
        labels = rng.permutation(np.repeat(names, each))
        shots = int(rng.integers(2, 4))
        return {
            "images": rng.normal(size=(len(labels), int(rng.integers(2, 4)))),
            "labels": labels,
            "ways": ways,
            "shots": shots,
            "queries": int(rng.choice([q for q in (2, 3, 4) if q != shots])),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        ways, shots, queries = given.ways, given.shots, given.queries
        return rf"""
        Write `n_way_k_shot(images, labels, ways, shots, queries, rng)`: one N-way K-shot episode from a labelled data set.

        - In: `images`, shape `(n, d)`, one image a row; `labels`, shape `(n,)`, whole numbers that name the classes (any numbers, say 41
          or 23); N = `ways`, K = `shots`, Q = `queries`; `rng`, a NumPy generator, the only source of randomness.
        - Out: an `Episode(Data(x_s, y_s), Data(x_q, y_q), {{}})`, or just the two pairs, `(x_s, y_s), (x_q, y_q)`, with `x_s` of shape
          `(N·K, d)`, `y_s` `(N·K,)`, `x_q` `(N·Q, d)`, `y_q` `(N·Q,)`. The rows may come in any order.

        Choose N different classes at random. Of each, choose K images at random for the support set and Q others for the query set.
        The episode's labels are 0 … N − 1: which class gets which number is drawn afresh, and it is the same in support and query.

        To try: `n_way_k_shot(**p.given("n_way_k_shot"))`. There are {len(np.unique(given.labels))} classes, and {ways} ways,
        {shots} shots, {queries} queries: {ways * shots} support and {ways * queries} query images.
        """

    @staticmethod
    def solution(images, labels, ways, shots, queries, rng):
        support, query = [], []
        for new, name in enumerate(rng.choice(np.unique(labels), ways, replace=False)):
            places = rng.permutation(np.flatnonzero(labels == name))
            support += [(place, new) for place in places[:shots]]
            query += [(place, new) for place in places[shots : shots + queries]]
        (at_s, y_s), (at_q, y_q) = np.transpose(support), np.transpose(query)
        return Episode(Data(images[at_s], y_s), Data(images[at_q], y_q), {})

    def facts(self, case, *draws):
        """Counts, disjointness and numbering; and what decides each thing that is drawn."""
        images, ways, wanted = case["images"], case["ways"], (case["shots"], case["queries"])
        places = [rows_of(x, images) for x in draws[::2]]
        if min(np.min(np.concatenate(at)) for at in places) < 0:
            return {"all images come from the data set": "no"}
        names, of = np.unique(case["labels"], return_inverse=True)
        given = np.unique(np.concatenate([*draws[1], *draws[3]]))
        # how often each image, and each class, has each label in a set: (draws, labels, images) and (draws, labels, classes)
        support, query = (
            among(
                [np.searchsorted(given, y) * len(images) + i for i, y in zip(at, labels, strict=True)],
                len(given) * len(images),
            ).reshape(len(at), len(given), len(images))
            for at, labels in zip(places, draws[1::2], strict=True)
        )
        classes = [count @ np.eye(len(names), dtype=int)[of] for count in (support, query)]
        has = [count > 0 for count in classes]
        in_both = has[0].any(axis=1) & has[1].any(axis=1)
        sizes = [count.sum(axis=2) for count in (support, query)]
        return {
            "all images come from the data set": "yes",
            "labels are 0 … N − 1": yes(np.isin(given, np.arange(ways))),
            "in each set, a label stands for one class": yes([each.sum(axis=2).max() <= 1 for each in has]),
            "in each set, a class has one label": yes([each.sum(axis=1).max() <= 1 for each in has]),
            "support and query give a class the same label": yes((has[0] == has[1]).all(axis=1) | ~in_both),
            "K images of each label in the support set, Q in the query set": yes(
                [np.isin(size, (0, each)) for size, each in zip(sizes, wanted, strict=True)]
            ),
            "N labels in each set": yes([np.count_nonzero(size, axis=1) == ways for size in sizes]),
            "an image twice in a set": "no" if max(support.max(), query.max()) <= 1 else "yes",
            "images in support and query": shared(support, query),
        } | self._drawn(support, has[0] | has[1], of, self.seeds)

    @staticmethod
    def _drawn(support, has, of, split):
        """What decides which classes, how they are numbered, and which of their images are support."""
        chosen = has.any(axis=1)
        number = np.where(chosen, has.argmax(axis=1), -1)
        pairs = chosen[:split, :, None] & chosen[:split, None]
        before = np.any(pairs & (number[:split, :, None] < number[:split, None]), axis=0)
        at_random = np.sum(before & before.T) >= 0.5 * np.sum(before | before.T)
        numbering = "rng" if at_random else f"{SAME} order"
        # where an image stands in its class: this is what rng decides, whichever class it is; the first label will do
        place = np.sum(np.tril(of[:, None] == of, -1), axis=1)
        images = (support[:, 0] @ np.eye(place.max() + 1, dtype=int)[place]) > 0
        return {
            "what decides which classes": decides(chosen[:split], chosen[split:], "classes"),
            "what decides the numbering": numbering if np.array_equal(number[:AGAIN], number[split:]) else OTHER,
            "what decides which images": decides(images[:split], images[split:], "images"),
        }

    @mistake(
        "the query set is the support set",
        "The images of the support set come back as queries: a learner that copies is right about them. The queries are *other* images, "
        "`places[shots : shots + queries]`.",
    )
    def same_images(images, labels, ways, shots, queries, rng):
        def pick(positions):
            order = rng.permutation(positions)
            return order[:shots], order[:queries]

        return _episode(images, labels, ways, shots, queries, rng, pick=pick)

    @mistake(
        "overlap",
        "Some images are in support and query both. Permute a class's images once: first K, then the next Q.",
    )
    def overlap(images, labels, ways, shots, queries, rng):
        def pick(positions):
            return rng.permutation(positions)[:shots], rng.permutation(positions)[:queries]

        return _episode(images, labels, ways, shots, queries, rng, pick=pick)

    @mistake(
        "images drawn with replacement",
        "The same image can come twice, in one set or in both: `rng.choice` draws with replacement unless you say `replace=False`. "
        "Permute a class's images once, and cut.",
    )
    def images_twice(images, labels, ways, shots, queries, rng):
        def pick(positions):
            drawn = rng.choice(positions, shots + queries)
            return drawn[:shots], drawn[shots:]

        return _episode(images, labels, ways, shots, queries, rng, pick=pick)

    @mistake(
        "support and query exchanged",
        "The support set has Q images of each class and the query set K: it is the other way round. K counts what the learner adapts on.",
    )
    def exchanged(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, ways, queries, shots, rng)

    @mistake(
        "N and K exchanged",
        "The episode has K classes with N images each: `ways` and `shots` are exchanged. N = `ways` counts classes, K = `shots` images "
        "of each.",
    )
    def ways_for_shots(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, shots, ways, queries, rng)

    @mistake(
        "all the rest in the query set",
        "The query set holds all images that the support set left over. It gets Q of each class: `places[shots : shots + queries]`.",
    )
    def all_the_rest(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, ways, shots, len(labels), rng)

    @mistake(
        "K and Q in all, not of each class",
        "The sets have K and Q images in all. An N-way K-shot episode has K of *each* class in the support set, N·K images, and N·Q "
        "queries.",
    )
    def in_all(images, labels, ways, shots, queries, rng):
        support, query = _episode(images, labels, ways, shots, queries, rng)
        return Data(support.x[:shots], support.y[:shots]), Data(query.x[:queries], query.y[:queries])

    @mistake(
        "not K of each class",
        "The totals N·K and N·Q are right, but the classes have unequal shares of them. Choose K and Q images class by class.",
    )
    def unbalanced(images, labels, ways, shots, queries, rng):
        names = rng.choice(np.unique(labels), ways, replace=False)
        order = rng.permutation(np.flatnonzero(np.isin(labels, names)))
        new = np.array([np.flatnonzero(names == label)[0] for label in labels[order]])
        cut, end = ways * shots, ways * (shots + queries)
        return Data(images[order[:cut]], new[:cut]), Data(images[order[cut:end]], new[cut:end])

    @mistake(
        "labels not renumbered",
        "The labels are the data set's own class names. An N-way episode has labels 0 … N − 1, given out afresh each time.",
    )
    def old_labels(images, labels, ways, shots, queries, rng):
        names = rng.choice(np.unique(labels), ways, replace=False)
        return tuple(Data(x, names[y]) for x, y in _episode(images, labels, ways, shots, queries, rng, names))

    @mistake(
        "labels from 1",
        "The labels are 1 … N. Counting begins at 0 here: `enumerate(names)` gives 0 … N − 1.",
    )
    def from_one(images, labels, ways, shots, queries, rng):
        return tuple(Data(x, y + 1) for x, y in _episode(images, labels, ways, shots, queries, rng))

    @mistake(
        "a class twice",
        "The same class can be chosen more than once, under two labels. Choose from the different names, `np.unique(labels)`, "
        "with `replace=False`.",
    )
    def class_twice(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, ways, shots, queries, rng, rng.choice(np.unique(labels), ways))

    @mistake(
        "support and query numbered apart",
        "A class has one label in the support set and another in the query set. Number the classes once, before you cut.",
    )
    def numbered_apart(images, labels, ways, shots, queries, rng):
        support, query = _episode(images, labels, ways, shots, queries, rng)
        return support, Data(query.x, rng.permutation(ways)[query.y])

    @mistake(
        "images and labels shuffled apart",
        "Within a set, images stand beside labels of other classes: they were brought into an order without each other. Index both "
        "with the same positions, or leave the rows as they are: they may come in any order.",
    )
    def shuffled_apart(images, labels, ways, shots, queries, rng):
        return tuple(Data(rng.permutation(x), y) for x, y in _episode(images, labels, ways, shots, queries, rng))

    @mistake(
        "the same numbering every time",
        "The chosen classes are always numbered in the same order, so a class tends to keep its label. Number them at random.",
    )
    def sorted_numbering(images, labels, ways, shots, queries, rng):
        names = np.sort(rng.choice(np.unique(labels), ways, replace=False))
        return _episode(images, labels, ways, shots, queries, rng, names)

    @mistake(
        "the same classes every time",
        "Every episode has the same classes, and the others are never met: choose classes with `rng`, too.",
    )
    def same_classes(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, ways, shots, queries, rng, rng.permutation(np.unique(labels)[:ways]))

    @mistake(
        "the same task every time",
        "Every episode has the same classes under the same labels. That is one task, not a distribution: choose and number the "
        "classes with `rng`.",
    )
    def same_task(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, ways, shots, queries, rng, np.unique(labels)[:ways])

    @mistake(
        "the same images every time",
        "A class always brings the same images in the same roles. Permute its images with `rng`.",
    )
    def first_images(images, labels, ways, shots, queries, rng):
        def pick(positions):
            return positions[:shots], positions[shots : shots + queries]

        return _episode(images, labels, ways, shots, queries, rng, pick=pick)

    @mistake(
        "the same episode every time",
        "Every call gives the very same episode, whatever `rng` is: it is not used, or a generator with a seed of its own is. Draw "
        "classes, numbers and images from the `rng` that is handed in.",
    )
    def same_episode(images, labels, ways, shots, queries, rng):
        return n_way_k_shot.solution(images, labels, ways, shots, queries, np.random.default_rng(0))

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` give different episodes: something random does not come from it. Call `rng.choice` and "
        "`rng.permutation`, not `np.random`.",
    )
    def ignores_rng(images, labels, ways, shots, queries, rng):
        return n_way_k_shot.solution(images, labels, ways, shots, queries, np.random.default_rng())

    @mistake(
        "ignores rng for the images",
        "Two calls with the same `rng` choose different images: those do not come from it. Use `rng` there too, not `np.random`.",
    )
    def ignores_rng_for_images(images, labels, ways, shots, queries, rng):
        names = rng.choice(np.unique(labels), ways, replace=False)
        return _episode(images, labels, ways, shots, queries, np.random.default_rng(), names)

    @mistake(
        "ignores rng for the classes",
        "Two calls with the same `rng` choose different classes: those do not come from it. Use `rng` there too, not `random` or "
        "`np.random`.",
    )
    def ignores_rng_for_classes(images, labels, ways, shots, queries, rng):
        names = np.random.default_rng().choice(np.unique(labels), ways, replace=False)
        return _episode(images, labels, ways, shots, queries, rng, names)

    @mistake(
        "changes its inputs",
        "The caller's images or labels are not what they were: they were reordered or written into. Indexing with positions makes "
        "a new array.",
    )
    def in_place(images, labels, ways, shots, queries, rng):
        order = rng.permutation(len(labels))
        images[:], labels[:] = images[order], labels[order]
        return _episode(images, labels, ways, shots, queries, rng)


class episode_size(NumberProblem):
    title = "how many examples is that?"
    difficulty, minutes = "easy", 3
    tags = ("concept:k-shot-n-way",)
    digits = None
    hints = (
        "K counts examples of each class in the support set, Q those in the query set.",
        "An episode has N·K + N·Q examples; a meta-batch of T episodes has T times as many.",
    )
    explanation = (
        "N classes with K + Q examples each make N·(K + Q) in an episode, and T times that in a meta-batch of T tasks."
    )

    def draw(self, rng):
        ways, shots, queries, tasks = (
            int(rng.integers(low, high)) for low, high in ((3, 21), (1, 11), (11, 21), (5, 41))
        )
        return {"ways": ways, "shots": shots, "queries": queries, "tasks": tasks}

    def statement(self, given):
        return f"""
        A meta-batch has T = {given.tasks} episodes, each {given.ways}-way {given.shots}-shot with Q = {given.queries} query examples per
        class. How many labelled examples does one outer step look at, support and query together? Answer with a whole number, or compute
        it: `p.given("episode_size")` has `ways`, `shots`, `queries` and `tasks`.
        """

    @staticmethod
    def solution(ways, shots, queries, tasks):
        return float(tasks * ways * (shots + queries))

    @mistake(
        "support only", "That counts the support sets alone. The query sets are looked at, too: N·Q more an episode."
    )
    def support_only(ways, shots, queries, tasks):
        return float(tasks * ways * shots)

    @mistake(
        "query only", "That counts the query sets alone. The support sets are looked at, too: N·K more an episode."
    )
    def query_only(ways, shots, queries, tasks):
        return float(tasks * ways * queries)

    @mistake("one episode", "That is one episode. The meta-batch has T of them: T times as many examples.")
    def one_episode(ways, shots, queries, tasks):
        return float(ways * (shots + queries))

    @mistake("K and Q not per class", "K and Q are examples per class: an episode has N·K and N·Q of them.")
    def not_per_class(ways, shots, queries, tasks):
        return float(tasks * (shots + queries))

    @mistake("Q not per class", "K was taken per class and Q per episode. Both are per class.")
    def queries_not_per_class(ways, shots, queries, tasks):
        return float(tasks * (ways * shots + queries))

    @mistake("K not per class", "Q was taken per class and K per episode. Both are per class.")
    def shots_not_per_class(ways, shots, queries, tasks):
        return float(tasks * (shots + ways * queries))

    @mistake("K times Q", "K and Q were multiplied. Each class has K examples *and* Q examples: K + Q.")
    def product(ways, shots, queries, tasks):
        return float(tasks * ways * shots * queries)


def _tasks(rng):
    """(loss, adapt, theta, episodes) of small regression tasks."""
    size, count = int(rng.integers(1, 4)), int(rng.integers(2, 6))
    alpha = rng.uniform(0.1, 0.4)

    def loss(theta, data):
        return anp.mean((anp.dot(data.x, theta) - data.y) ** 2)

    def adapt(theta, data):
        return theta - alpha * 2 * anp.dot(data.x.T, anp.dot(data.x, theta) - data.y) / len(data.y)

    def data(rows):
        x = rng.normal(size=(rows, size))
        return Data(x, x @ rng.normal(size=size) + 0.1 * rng.normal(size=rows))

    episodes = [Episode(data(int(rng.integers(2, 5))), data(int(rng.integers(2, 5))), {}) for _ in range(count)]
    return {"loss": loss, "adapt": adapt, "theta": rng.normal(size=size), "episodes": episodes}


def _pooled(losses, pool):
    """The mean over episodes, or what a setting of POOL makes of it."""
    return {"sum": np.sum, "first": lambda all_: all_[0], "last": lambda all_: all_[-1]}.get(pool, np.mean)(losses)


def _both(*sets):
    return Data(*(np.concatenate(parts) for parts in zip(*sets, strict=True)))


POOL = (
    Deviation("pool", "sum", "sum over episodes",
              "This is the sum over the episodes. An expectation is estimated by their mean."),
    Deviation("pool", "first", "only the first episode",
              "Only the first episode counts: a `return` inside the loop ends it there. Collect the number of each, then average."),
    Deviation("pool", "last", "only the last episode",
              "Only the last episode counts: each turn of the loop overwrites the number before. Collect them, then average."),
)  # fmt: skip


class meta_objective(FunctionProblem):
    title = "the meta-objective"
    difficulty, minutes = "easy", 5
    place = "lesson"
    tags = ("practice:easy", "concept:meta-objective", "takeaway:outer-objective")
    hints = (
        "In the formula D_s stands inside θ′ only, and D_q outside only. Which of the two does `adapt` get, and which `loss`?",
        "`theta_prime = adapt(theta, episode.support)`, and then the loss of `theta_prime` on `episode.query`.",
    )
    explanation = r"""
    $\mathbb E_{\mathcal T}\big[\mathcal L_{\mathcal T}(\theta'; D_q)\big]$ is estimated by the mean over episodes. $D_s$ appears only inside
    $\theta'$, $D_q$ only outside. Each episode starts from the same $\theta$: $\theta'$ belongs to its task and is thrown away.
    """
    deviations = (
        Deviation("judge on", "support", "support loss",
                  "The loss is taken on the support set, the examples to adapt on: memory is rewarded. Judge on the query set."),
        Deviation("judge on", "sum", "support loss added",
                  "The support loss is added to the query loss, so a part of the mark is for memory. The query loss alone counts."),
        Deviation("judge on", "both", "judged on both sets",
                  "θ′ is judged on both sets together, so a part of the mark is for memory. Judge on the query set alone."),
        Deviation("adapt on", "query", "adapts on the query",
                  "θ′ was fitted to the query set, which is there to judge it. Adapt on the support set."),
        Deviation("adapt on", "both", "adapts on both sets",
                  "θ′ was fitted to both sets together. The query set is there to judge it: adapt on the support set alone."),
        Deviation("adapt on", "support, then query", "adapts on the query, too",
                  "After the step on the support set there is one more, on the query set. That is there to judge θ′."),
        Deviation("start", "none", "loss at theta",
                  "This is the loss before adaptation, at θ. The meta-objective is the loss of θ′."),
        Deviation("start", "carried", "theta prime carried into the next episode",
                  "Each episode starts where the last one ended. Every task starts from the same θ; its θ′ is thrown away."),
        Deviation("start", "mean", "one theta prime for all",
                  "The θ′ of all episodes are averaged, and the average is judged. Each task is judged at its own θ′: average the losses."),
        Deviation("start", "first", "one theta prime for all",
                  "Every episode was judged with the θ′ of the first. Each task has its own."),
        *POOL,
        Deviation("result", "gap", "the gap, not the loss",
                  "This is query loss minus support loss, the gap. The meta-objective is the query loss itself."),
        Deviation("result", "gain", "the gain, not the loss",
                  "This is how much adaptation lowers the loss. The meta-objective is what it is lowered to, at θ′."),
    )  # fmt: skip
    most = 3

    def draw(self, rng):
        return _tasks(rng)

    def statement(self, given):
        return rf"""
        Write `meta_objective(loss, adapt, theta, episodes)`: the estimate of
        $\mathbb E_{{\mathcal T}}\big[\mathcal L_{{\mathcal T}}(\theta'; D_q)\big]$ from a list of episodes, one number.

        - `loss(theta, data)` gives a number, the loss of the parameters `theta` on `data`;
        - `adapt(theta, data)` gives new parameters, adapted from `theta` to `data`, and leaves `theta` as it is;
        - `theta` is an array of shape `(P,)`;
        - an episode has `.support` and `.query`, both of them data.

        To try: `meta_objective(**p.given("meta_objective"))`, with {len(given.episodes)} episodes, should give
        {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(loss, adapt, theta, episodes):
        losses = []
        for episode in episodes:
            theta_prime = adapt(theta, episode.support)
            query_loss = loss(theta_prime, episode.query)
            losses.append(query_loss)
        return np.mean(losses)

    def variant(self, loss, adapt, theta, episodes, **settings):
        def adapted(at, episode):
            match settings.get("adapt on", "support"):
                case "both":
                    return adapt(at, _both(episode.support, episode.query))
                case "support, then query":
                    return adapt(adapt(at, episode.support), episode.query)
                case name:
                    return adapt(at, getattr(episode, name))

        def judged(at, episode):
            match settings.get("judge on", "query"):
                case "both":
                    return loss(at, _both(episode.support, episode.query))
                case "sum":
                    return loss(at, episode.support) + loss(at, episode.query)
                case name:
                    return loss(at, getattr(episode, name))

        one = {"none": theta, "first": adapted(theta, episodes[0])}
        one["mean"] = np.mean([adapted(theta, episode) for episode in episodes], axis=0)
        start, at, losses = settings.get("start"), theta, []
        for episode in episodes:
            at = one.get(start, adapted(at if start == "carried" else theta, episode))
            here = judged(at, episode)
            result = {"gap": here - loss(at, episode.support), "gain": judged(theta, episode) - here}
            losses.append(result.get(settings.get("result"), here))
        return _pooled(losses, settings.get("pool"))

    def skip(self, settings):
        no_step = settings.get("start") == "none" and ("adapt on" in settings or settings.get("result") == "gain")
        return no_step or (settings.get("result") == "gap" and "judge on" in settings)

    def sizes(self, case):
        return {"T": len(case["episodes"])}

    @mistake(
        "a list of losses", "These are the losses of all episodes. Their mean estimates the expectation: one number."
    )
    def listed(loss, adapt, theta, episodes):
        return [loss(adapt(theta, episode.support), episode.query) for episode in episodes]


class meta_objective_in_words(TextProblem):
    title = "the meta-objective in words"
    difficulty, minutes = "easy", 4
    tags = ("practice:easy", "concept:meta-objective", "concept:meta-train-meta-test")
    hints = (
        "Read the formula from the inside: where does θ′ come from, on which examples is it judged, and over what is the mean taken?",
        "A learner that copies its support set fits each task's support perfectly. Why is its meta-loss not small? Your sentence should rule it out.",
    )
    model = """
    It encourages a θ from which a short adaptation on a task's support set gives parameters θ′ with a low loss on other examples of
    the same task, its query set, on average over tasks: learning from few examples that holds for new ones. I would find out on
    meta-test tasks, which had no part in choosing θ, α or the number of steps: θ stays frozen there, each task adapts a θ′ of its own on its
    support set and is judged on its query set.
    """
    rubric = (
        "It says that the loss is measured after adaptation, at θ′ and not at θ.",
        "It says that it is measured on data that were not adapted on.",
        "It speaks of an average over tasks, not over one data set.",
        "It says what is rewarded: generalising from few examples.",
        "It measures on new tasks (meta-test), with θ frozen and θ′ adapted afresh on each support set.",
    )

    def statement(self, given):
        return """
        In a sentence or two of your own: what does minimising
        $\\mathbb E_{\\mathcal T}\\big[\\mathcal L_{\\mathcal T}(\\theta'; D_q)\\big]$ encourage? And afterwards, on which tasks would
        you find out whether it worked, and what stays frozen there?
        """


# What somebody does with examples, by the mistake that is made with it: the label that it has, the one that the mistake
# gives it, what to say then, and some lines.
_USES = {
    "adapting at test time taken for a leak": (
        "fair", "same tasks",
        "Adapting on the support set of a meta-test task is what is tested. θ and the choices stay frozen, θ′ does not.",
        "On each of {tasks} meta-test tasks θ′ is adapted on the support set; the mean query loss is reported.",
        "At the end, {shots} images of each of five classes that nobody has trained on are shown to the learner; it adapts on them, and its "
        "accuracy on other images of these classes is reported.",
    ),
    "choosing on validation tasks taken for a leak": (
        "fair", "same tasks",
        "Meta-validation tasks are there to choose by, as long as other tasks report.",
        "α is the one with the least query loss on {tasks} meta-validation tasks. Meta-test tasks report.",
        "Training stops when the query loss on the meta-validation tasks has not fallen for ten looks. The meta-test tasks are opened once, "
        "afterwards.",
    ),
    "the outer loop kept from the query set": (
        "fair", "same examples",
        "The query loss of meta-training tasks is what moves θ. Only the inner loop must not adapt on it.",
        "In meta-training, θ is moved by the query loss of θ′, which was adapted on the support set.",
        "The {tasks} meta-training tasks come back in every epoch, each time with the same two sets; the query losses move θ. Meta-test tasks "
        "report.",
    ),
    "new tasks taken for enough": (
        "same examples", "fair",
        "The tasks are new, but θ′ is judged on examples that it was adapted on: memory is rewarded.",
        "θ′ of each of {tasks} meta-test tasks is adapted on the support set; the mean loss on the support sets is reported.",
        "As data are scarce, the query set of a meta-test task holds its {shots} support points and as many others.",
        "To have more to learn from, θ′ of a meta-test task is adapted on support and query set; the query loss is reported.",
        "The query images of a meta-test task are its support images, each turned a little.",
    ),
    "anything goes before the test": (
        "same examples", "fair",
        "A loss of θ′ on its own support examples rewards memory in training and in validation, too.",
        "In meta-training, θ is moved by the loss of θ′ on the {shots} points that it was adapted on. Meta-test tasks report, on query sets.",
        "m is the number of steps after which the support loss on the meta-validation tasks is least. Meta-test tasks report, on query sets.",
    ),
    "a query set taken for unseen": (
        "same tasks", "fair",
        "The examples were not adapted on, but the tasks, or their classes, had a part in θ: this says nothing about new ones.",
        "After meta-training, {tasks} of the training tasks are adapted once more, and their query loss is reported.",
        "Meta-test episodes are made from the classes of meta-training, with images that were never shown; their query loss is reported.",
    ),
    "the chosen one's number reported": (
        "same tasks", "fair",
        "What is chosen by a number makes that number look good. Report on tasks that had no part in the choice.",
        "{shots} values of α are tried on the meta-test tasks. The least of the query losses is reported.",
        "Training stops where the query loss on the meta-test tasks is least, and this loss is reported.",
        "α and m are those with the least query loss on the meta-validation tasks, and this loss is reported.",
    ),
}  # fmt: skip
_CONFUSED = "examples and tasks confused"


class who_may_see_what(ChoiceProblem):
    title = "who may see what"
    difficulty, minutes = "medium", 7
    tags = ("concept:meta-train-meta-test", "concept:support-set", "concept:query-set", "mistake:same-data")
    labels = ("fair", "same examples", "same tasks")
    traps = MappingProxyType(
        {name: message for name, (_, _, message, *_) in _USES.items()}
        | {
            _CONFUSED: "*Same examples*: a θ′ is judged on what it was adapted on. *Same tasks*: the number comes from tasks that had a "
            "part in θ or in a choice."
        }
    )
    hints = (
        "Ask two questions of each line. Is any θ′ judged on an example that it was adapted on? And did the tasks that report have a part in θ, in α, "
        "in m, or in when to stop?",
        "Adapting on a support set is fair everywhere, and so is moving θ by a query loss in meta-training, and choosing on meta-validation tasks.",
    )
    explanation = """
    The inner split keeps examples apart: θ′ is judged on examples that it was not adapted on, in training, validation and test. The outer split
    keeps tasks apart: what is reported comes from tasks that moved neither θ nor a choice.
    """

    def items(self, rng):
        numbers = {"tasks": int(rng.integers(2, 10)) * 100, "shots": int(rng.integers(3, 11))}
        other = {"same examples": "same tasks", "same tasks": "same examples"}
        items, more = [], rng.choice(list(_USES))  # one of each, and a second one somewhere
        for name, (label, fallen, message, *lines) in _USES.items():
            traps = {name: fallen} | ({_CONFUSED: other[label]} if label in other else {})
            for i in rng.permutation(len(lines))[: 1 + (name == more)]:
                items.append(Item(lines[i].format(**numbers), label, traps, message))
        return [items[i] for i in rng.permutation(len(items))]

    def statement(self, given):
        return """
        Each line says what somebody does. Is it fair, and if it is not, what was seen that should not have been?

        - `"fair"`: nothing is judged on what it has seen;
        - `"same examples"`: a θ′ is judged on examples that it was adapted on;
        - `"same tasks"`: the result that is reported comes from tasks that had a part in θ, or in choosing α, m, or when to stop.
        """


class query_from_support(NumberProblem):
    title = "what the query set would have said"
    difficulty, minutes = "medium", 7
    tags = ("mistake:same-data", "takeaway:split-rewards-generalisation")
    hints = (
        "Least squares with P parameters learns P of the K equal shares of the noise by heart. What is left of σ² on the support set, and what "
        "comes on top of it on the query set?",
        "L_s = σ²(1 − P/K) and L_q = σ²(1 + P/K). The first gives σ², the second then L_q.",
    )
    explanation = r"""
    With P parameters, $L_s = \sigma^2(1 - P/K)$ and $L_q = \sigma^2(1 + P/K)$. So $\sigma^2 = L_s\,K/(K - P)$, and $L_q = L_s\,(K + P)/(K - P)$. With
    K near P the support loss says almost nothing: hardly any noise is left in it.
    """

    def draw(self, rng):
        parameters = int(rng.integers(2, 5))
        return {
            "support_loss": round(float(rng.uniform(0.2, 3.0)), 3),
            "points": parameters + int(rng.integers(3, 10)),
            "parameters": parameters,
        }

    def statement(self, given):
        return f"""
        A report has only support losses. On each of many tasks a model with P = {given.parameters} parameters was fitted by least squares to
        K = {given.points} noisy points, and its mean support loss is L_s = {given.support_loss}. The noise has the same unknown variance σ²
        everywhere, and the model can follow the tasks. What mean loss L_q would query points at the same inputs, with fresh noise, have given?
        (`p.given("query_from_support")` has `support_loss`, `points` and `parameters`.)
        """

    @staticmethod
    def solution(support_loss, points, parameters):
        return support_loss * (points + parameters) / (points - parameters)

    @mistake(
        "the noise, not the query loss",
        "This is σ², without what was learned by heart. On the query set that comes on top: σ²(1 + P/K).",
    )
    def noise(support_loss, points, parameters):
        return support_loss * points / (points - parameters)

    @mistake(
        "the support loss taken for the noise",
        "This adds the gap to L_s as if L_s were σ². L_s is less than σ², by what was learned by heart: find σ² first.",
    )
    def gap_of_the_support_loss(support_loss, points, parameters):
        return support_loss * (1 + 2 * parameters / points)

    @mistake(
        "half of the way",
        "This is L_s(1 + P/K), as if L_s were σ². L_s is σ²(1 − P/K): find σ² first.",
    )
    def half(support_loss, points, parameters):
        return support_loss * (1 + parameters / points)

    @mistake("the gap alone", "This is the gap L_q − L_s. Add the support loss to it.")
    def gap(support_loss, points, parameters):
        return support_loss * 2 * parameters / (points - parameters)

    @mistake(
        "one parameter", "This is right for one parameter. P of them learn P shares of the noise by heart: P/K for 1/K."
    )
    def one_parameter(support_loss, points, parameters):
        return support_loss * (points + 1) / (points - 1)

    @mistake("the support loss itself", "This is L_s. On fresh noise the loss is larger.")
    def unchanged(support_loss, points, parameters):
        return support_loss

    @mistake(
        "upside down", "This is less than L_s. The query loss is the larger of the two: (K + P)/(K − P) times L_s."
    )
    def upside_down(support_loss, points, parameters):
        return support_loss * (points - parameters) / (points + parameters)


class leakage(FunctionProblem):
    title = "how much the support set flatters"
    difficulty, minutes = "easy", 4
    place = "lesson"
    tags = ("mistake:same-data", "takeaway:split-rewards-generalisation")
    hints = (
        "θ′ is given, one for each episode. Two losses a task: on its query set and on its support set.",
        "`gap = loss(at, episode.query) - loss(at, episode.support)`.",
    )
    explanation = r"""
    Mean query loss minus mean support loss, each task with its own $\theta'$. It is what a report on the support set would hide: the part
    of the fit that was learned by heart.
    """
    deviations = (
        Deviation("terms", "support - query", "the other way round",
                  "This is support minus query. The gap is how much higher the query loss is."),
        Deviation("terms", "query", "query loss only",
                  "This is the query loss alone. The gap is how much it exceeds the support loss."),
        Deviation("terms", "support", "support loss only",
                  "This is the support loss alone. The gap is how much the query loss exceeds it."),
        Deviation("terms", "query + support", "the sum of both losses",
                  "The two losses are added. The gap is their difference: query minus support."),
        Deviation("terms", "query / support", "ratio for difference",
                  "This is a ratio. The gap is a difference of two losses."),
        Deviation("terms", "size", "absolute value",
                  "Every task's gap is made positive. Some tasks have a lower loss on the query set, by chance, and they count: "
                  "without the absolute value."),
        Deviation("terms", "relative", "relative gap",
                  "The gap is divided by the support loss. It is a plain difference."),
        Deviation("at", "first", "one theta prime for all",
                  "Every episode was judged with the first θ′. Each task has its own."),
        Deviation("at", "mean", "one theta prime for all",
                  "Every episode was judged with the mean of all θ′. Each task has its own."),
        *POOL,
    )  # fmt: skip

    def draw(self, rng):
        case = _tasks(rng)
        theta_prime = [case["adapt"](case["theta"], episode.support) for episode in case["episodes"]]
        return {"loss": case["loss"], "theta_prime": theta_prime, "episodes": case["episodes"]}

    def statement(self, given):
        return f"""
        Write `leakage(loss, theta_prime, episodes)`: the mean query loss minus the mean support loss over the episodes, one number.

        - `loss(theta, data)` gives a number, the loss of the parameters `theta` on `data`;
        - `theta_prime` is a list with the adapted parameters of each episode, in the order of `episodes`;
        - an episode has `.support` and `.query`, both of them data.

        To try: `leakage(**p.given("leakage"))`, with {len(given.episodes)} episodes, should give
        {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(loss, theta_prime, episodes):
        gaps = []
        for at, episode in zip(theta_prime, episodes, strict=True):
            gap = loss(at, episode.query) - loss(at, episode.support)
            gaps.append(gap)
        return np.mean(gaps)

    @staticmethod
    def variant(loss, theta_prime, episodes, terms="query - support", at="own", pool="mean"):
        one = {"first": theta_prime[0], "mean": np.mean(theta_prime, axis=0)}
        gaps = []
        for own, episode in zip(theta_prime, episodes, strict=True):
            query, support = (loss(one.get(at, own), data) for data in (episode.query, episode.support))
            gaps.append(
                {
                    "query - support": query - support,
                    "support - query": support - query,
                    "query": query,
                    "support": support,
                    "query + support": query + support,
                    "query / support": query / support,
                    "size": abs(query - support),
                    "relative": (query - support) / support,
                }[terms]
            )
        return _pooled(gaps, pool)

    def sizes(self, case):
        return {"T": len(case["episodes"])}

    @mistake(
        "a ratio of means", "This divides the mean query loss by the mean support loss. The gap is their difference."
    )
    def ratio(loss, theta_prime, episodes):
        query, support = (leakage.variant(loss, theta_prime, episodes, terms) for terms in ("query", "support"))
        return query / support

    @mistake("a list of gaps", "These are the gaps of all episodes. Take their mean: one number.")
    def listed(loss, theta_prime, episodes):
        gaps = [leakage.solution(loss, [at], [e]) for at, e in zip(theta_prime, episodes, strict=True)]
        return gaps
