"""Lesson 2, episodes: support and query."""

import autograd.numpy as anp
import numpy as np

from mlcourse import Data, Episode
from mlcourse.classroom.judging import FunctionProblem, NumberProblem, TextProblem, mistake
from mlcourse.classroom.judging.compare import fresh

_SEEDS = range(12)  # what happens by chance in one draw (an overlap, a class twice) is all but certain to show in these
_AGAIN = range(4)


def _sets(made):
    """((x, y) of the support, (x, y) of the query) as float arrays, or what came instead, in words."""
    wanted = "two pairs x, y"
    if not isinstance(made, (tuple, list)) or len(made) < 2:
        return f"one {type(made).__name__}, not {wanted}"
    if any(not isinstance(part, (tuple, list)) or len(part) != 2 for part in made[:2]):
        return f"{len(made)} things, not {wanted}"
    try:
        return tuple(tuple(np.asarray(array, dtype=float) for array in part) for part in made[:2])
    except (TypeError, ValueError):
        return f"{wanted}, but some are not arrays of numbers"


def _shapes(sets):
    """The four shapes in words, support before query; where there are no sets, what came instead."""
    return sets if isinstance(sets, str) else ", ".join(str(array.shape) for part in sets for array in part)


def _draws(answer, case, row_shapes):
    """(facts, draws, repeats): what a sampler gives with a generator for each of _SEEDS, and again for _AGAIN.

    row_shapes  the shapes of one row of x and of y
    facts       None where it gives None; draws are empty where what it gives has another form
    """
    if answer(*case.values()) is None:  # the case's own arrays, so that a change in place is seen
        return None, (), ()
    draws = [_sets(answer(*_with_seed(case, seed).values())) for seed in (*_SEEDS, *_AGAIN)]
    kinds = {_shapes(draw) for draw in draws}
    facts = {
        "shapes of x and y in support and query": kinds.pop() if len(kinds) == 1 else "different from call to call"
    }
    formed = all(
        not isinstance(draw, str)
        and all(
            array.ndim and array.shape[1:] == shape
            for part in draw
            for array, shape in zip(part, row_shapes, strict=True)
        )
        and all(len(x) == len(y) > 0 for x, y in draw)
        for draw in draws
    )
    return (facts, draws[: len(_SEEDS)], draws[len(_SEEDS) :]) if formed else (facts, (), ())


def _with_seed(case, seed):
    """A copy of the case with a fresh generator."""
    return fresh({name: item for name, item in case.items() if name != "rng"}) | {"rng": np.random.default_rng(seed)}


def _places(rows, whole):
    """Which row of `whole` each row is, -1 where it is none of them."""
    equal = np.all(np.abs(rows[:, None] - whole) < 1e-9, axis=-1)
    return np.where(equal.any(axis=1), equal.argmax(axis=1), -1)


def _once(places):
    return len(set(places.tolist())) == len(places)


def _share(places, others):
    return bool(set(places.tolist()) & set(others.tolist()))


class split(FunctionProblem):
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
        points = int(rng.integers(8, 14))
        x = np.sort(rng.normal(size=(points, int(rng.integers(1, 3)))), axis=0)
        return {
            "x": x,
            "y": np.sin(x.sum(axis=1, keepdims=True)),
            "shots": points // 2 + int(rng.integers(3)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        return rf"""
        Write `split(x, y, shots, rng)`: cut the points of one task into a support and a query set.

        - In: `x`, shape `(n, d)`, and `y`, shape `(n, 1)`; row i of both is point i. `shots` is K, from 1 to n − 1. `rng` is a
          NumPy generator, the only source of randomness.
        - Out: an `Episode(Data(x_s, y_s), Data(x_q, y_q), {{}})`, or just the two pairs, `(x_s, y_s), (x_q, y_q)`.

        The support set gets `shots` points chosen at random, the query set all others. The rows may come in any order. Leave
        `x` and `y` as they are.

        To try: `split(**p.given("split"))`. It has {len(given.x)} points and {given.shots} shots, so {given.shots} points go to
        the support set and {len(given.x) - given.shots} to the query set.
        """

    @staticmethod
    def solution(x, y, shots, rng):
        order = rng.permutation(len(x))
        support, query = order[:shots], order[shots:]
        return Episode(Data(x[support], y[support]), Data(x[query], y[query]), {})

    def observe(self, answer, case):
        """What makes a split a split, whatever the order of its rows."""
        whole = [case["x"].copy(), case["y"].copy()]
        points = len(case["x"])
        facts, draws, repeats = _draws(answer, case, [case["x"].shape[1:], (1,)])
        if not draws:
            return facts
        places = [[_places(*pair) for part in draw for pair in zip(part, whole, strict=True)] for draw in draws]
        chosen = [sorted(x_s.tolist()) for x_s, *_ in places]
        again = [sorted(_places(support[0], whole[0]).tolist()) for support, _ in repeats]
        edges = [
            _sets(answer(*(_with_seed(case, 0) | {"x": whole[0], "y": whole[1], "shots": k}).values()))
            for k in (1, points - 1)
        ]
        return facts | {
            "every y stands beside its own x": all(
                np.array_equal(x_s, y_s) and np.array_equal(x_q, y_q) and min(*x_s, *x_q) >= 0
                for x_s, y_s, x_q, y_q in places
            ),
            "a point twice in the support set": not all(_once(x_s) for x_s, *_ in places),
            "a point in support and query": any(_share(x_s, x_q) for x_s, _, x_q, _ in places),
            "points lost": any(len({*x_s.tolist(), *x_q.tolist()}) < points for x_s, _, x_q, _ in places),
            "what decides which points are support": self._decides(points, chosen, again),
            "shapes for shots = 1 and for shots = n − 1": " and ".join(map(_shapes, edges)),
        }

    @staticmethod
    def _decides(points, chosen, again):
        """chosen: the support points by seed; again: the same for the first seeds, in another call."""
        if any(one != chosen[0] for one in chosen):
            return "rng" if again == chosen[: len(again)] else "something other than rng"
        shots = len(chosen[0])
        ends = {"always the first points": range(shots), "always the last points": range(points - shots, points)}
        return next((words for words, end in ends.items() if chosen[0] == list(end)), "nothing: always the same points")

    @mistake(
        "overlap",
        "Some points are in both sets: the query set then rewards remembering the support set. Draw one order and cut it, "
        "so that each position is used once.",
    )
    def overlap(x, y, shots, rng):
        support = rng.permutation(len(x))[:shots]
        query = rng.permutation(len(x))[shots:]
        return Data(x[support], y[support]), Data(x[query], y[query])

    @mistake(
        "all points in the query set",
        "The query set holds all points, the support set's too. Judge on points that were not adapted on.",
    )
    def everything(x, y, shots, rng):
        order = rng.permutation(len(x))
        return Data(x[order[:shots]], y[order[:shots]]), Data(x[order], y[order])

    @mistake(
        "first K always",
        "The first points are always the support set. Data often come in an order: choose at random with `rng`.",
    )
    def first_ones(x, y, shots, rng):
        return Data(x[:shots], y[:shots]), Data(x[shots:], y[shots:])

    @mistake(
        "x and y shuffled apart",
        "x and y were shuffled separately, so inputs have other inputs' targets. Draw one order and use it for both.",
    )
    def shuffled_apart(x, y, shots, rng):
        one, other = rng.permutation(len(x)), rng.permutation(len(x))
        return Data(x[one[:shots]], y[other[:shots]]), Data(x[one[shots:]], y[other[shots:]])

    @mistake(
        "shuffled in place",
        "`rng.shuffle(x)` and `rng.shuffle(y)` change the caller's arrays, and give x and y different orders besides. Shuffle "
        "positions: `order = rng.permutation(len(x))`.",
    )
    def shuffled_in_place(x, y, shots, rng):
        rng.shuffle(x)
        rng.shuffle(y)
        return Data(x[:shots], y[:shots]), Data(x[shots:], y[shots:])

    @mistake(
        "drawn with replacement",
        "A point can come twice into the support set: `rng.choice` and `rng.integers` draw with replacement. Use "
        "`rng.permutation`, or `rng.choice(…, replace=False)`.",
    )
    def with_replacement(x, y, shots, rng):
        support = rng.choice(len(x), shots)
        query = np.setdiff1d(np.arange(len(x)), support)
        return Data(x[support], y[support]), Data(x[query], y[query])

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
        "ignores rng",
        "Two calls with the same `rng` split differently: something random does not come from it. Call `rng.permutation`, not "
        "`np.random`.",
    )
    def ignores_rng(x, y, shots, rng):
        return split.solution(x, y, shots, np.random.default_rng())

    @mistake(
        "seeded inside",
        "Every call chooses the same points: the function makes a generator of its own with a fixed seed. Use the `rng` that it is handed.",
    )
    def seeded_inside(x, y, shots, rng):
        return split.solution(x, y, shots, np.random.default_rng(0))


def _episode(images, labels, names, pick):
    """Support and query of the classes `names`, numbered in this order; pick(positions of a class) -> (support, query)."""
    parts = [pick(np.flatnonzero(labels == name)) for name in names]
    return tuple(
        Data(
            np.concatenate([images[part[i]] for part in parts]),
            np.concatenate([np.full(len(part[i]), new) for new, part in enumerate(parts)]),
        )
        for i in (0, 1)
    )


def _permuted(rng, shots, queries):
    """The right way to pick: cut one permutation of a class's positions."""

    def pick(positions):
        order = rng.permutation(positions)
        return order[:shots], order[shots : shots + queries]

    return pick


def _classes(labels, ways, rng):
    return rng.choice(np.unique(labels), ways, replace=False)


class n_way_k_shot(FunctionProblem):
    title = "an N-way K-shot episode"
    difficulty, minutes = "hard", 15
    tags = ("concept:k-shot-n-way", "concept:episode", "concept:split-mimics-test")
    cases = 2
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
        ways, each = int(rng.integers(4, 6)), int(rng.integers(6, 9))
        names = rng.permutation(np.arange(20, 60))[: ways + int(rng.integers(2, 4))]
        labels = rng.permutation(np.repeat(names, each))
        return {
            "images": rng.normal(size=(len(labels), int(rng.integers(2, 4)))),
            "labels": labels,
            "ways": ways,
            "shots": int(rng.integers(1, 4)),
            "queries": int(rng.integers(2, 4)),
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
        {shots} shot{"s" * (shots > 1)}, {queries} queries: {ways * shots} support and {ways * queries} query images.
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

    def observe(self, answer, case):
        """Counts, disjointness, numbering, and what changes from one episode to the next."""
        images, labels = case["images"].copy(), case["labels"].copy()
        facts, draws, repeats = _draws(answer, case, [images.shape[1:], ()])
        if not draws:
            return facts
        episodes, again = (
            [[(_places(x, images), y) for x, y in draw] for draw in several] for several in (draws, repeats)
        )
        known = all(min(at) >= 0 for episode in episodes for at, _ in episode)
        facts["all images come from the data set"] = known
        if not known:
            return facts
        sizes = case["ways"], case["shots"], case["queries"]
        seen = [self._within(labels, *sizes, *episode) for episode in episodes]
        return facts | {key: all(one[key] for one in seen) for key in seen[0]} | self._across(labels, episodes, again)

    @staticmethod
    def _within(labels, ways, shots, queries, support, query):
        """What has to hold within every episode. Shared images are looked for label by label: a class twice is another matter."""
        (at_s, y_s), (at_q, y_q) = support, query
        pairs = {
            *zip(labels[at_s].tolist(), y_s.tolist(), strict=True),
            *zip(labels[at_q].tolist(), y_q.tolist(), strict=True),
        }
        new = sorted({label for _, label in pairs})
        counts = [(np.sum(y_s == label), np.sum(y_q == label)) for label in new]
        return {
            "labels are 0 … N − 1": set(new) <= set(range(ways)),
            "all images of a class have one label": len({name for name, _ in pairs}) == len(pairs),
            "behind each label is one class": len(new) == len(pairs),
            "K images of each label in the support set, Q in the query set": set(counts) == {(shots, queries)},
            "an image comes only once in a set": all(
                _once(at[y == label]) for at, y in (support, query) for label in new
            ),
            "support and query share no image": not any(
                _share(at_s[y_s == label], at_q[y_q == label]) for label in new
            ),
        }

    @staticmethod
    def _across(labels, episodes, again):
        """What has to change from episode to episode, and what must not."""
        chosen, order, images = set(), set(), {}
        for (at, y), _ in episodes:
            names = labels[at]
            ranked = list(dict.fromkeys(names[np.argsort(y, kind="stable")].tolist()))
            chosen.add(frozenset(ranked))
            order |= {(a, b) for i, a in enumerate(ranked) for b in ranked[i + 1 :]}
            for name in ranked:
                images.setdefault(name, set()).add(frozenset(at[names == name].tolist()))
        same = all(
            sorted(zip(at.tolist(), y.tolist(), strict=True)) == sorted(zip(bt.tolist(), z.tolist(), strict=True))
            for one, other in zip(again, episodes[: len(again)], strict=True)
            for (at, y), (bt, z) in zip(one, other, strict=True)
        )
        return {
            "classes of the episodes": "differ" if len(chosen) > 1 else "always the same",
            "numbering": "at random" if any((b, a) in order for a, b in order) else "always in the same order",
            "support images of a class": "differ" if any(len(s) > 1 for s in images.values()) else "always the same",
            "the same rng gives the same episode": same,
        }

    @mistake(
        "labels not renumbered",
        "The labels are the data set's own class names. An N-way episode has labels 0 … N − 1, given out afresh each time.",
    )
    def old_labels(images, labels, ways, shots, queries, rng):
        names = _classes(labels, ways, rng)
        return tuple(Data(x, names[y]) for x, y in _episode(images, labels, names, _permuted(rng, shots, queries)))

    @mistake(
        "overlap",
        "Some images are in support and query both. Permute a class's images once: first K, then the next Q.",
    )
    def overlap(images, labels, ways, shots, queries, rng):
        def pick(positions):
            return rng.choice(positions, shots, replace=False), rng.choice(positions, queries, replace=False)

        return _episode(images, labels, _classes(labels, ways, rng), pick)

    @mistake(
        "images drawn with replacement",
        "The same image can come twice, in one set or in both: `rng.choice` draws with replacement unless you say `replace=False`. "
        "Permute a class's images once, and cut.",
    )
    def images_twice(images, labels, ways, shots, queries, rng):
        def pick(positions):
            drawn = rng.choice(positions, shots + queries)
            return drawn[:shots], drawn[shots:]

        return _episode(images, labels, _classes(labels, ways, rng), pick)

    @mistake(
        "a class twice",
        "The same class can be chosen more than once, under two labels. Choose from the different names, `np.unique(labels)`, "
        "with `replace=False`.",
    )
    def class_twice(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, rng.choice(np.unique(labels), ways), _permuted(rng, shots, queries))

    @mistake(
        "the same numbering every time",
        "The chosen classes are always numbered in the same order, so a class tends to keep its label. Number them at random.",
    )
    def sorted_numbering(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, np.sort(_classes(labels, ways, rng)), _permuted(rng, shots, queries))

    @mistake(
        "the same classes every time",
        "Every episode has the same classes, only numbered differently. Then the others are never met: choose classes with `rng`, too.",
    )
    def same_classes(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, rng.permutation(np.unique(labels)[:ways]), _permuted(rng, shots, queries))

    @mistake(
        "the same task every time",
        "Every episode has the same classes under the same labels. That is one task, not a distribution: choose and number the classes with `rng`.",
    )
    def same_task(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, np.unique(labels)[:ways], _permuted(rng, shots, queries))

    @mistake(
        "the first images always",
        "The classes are drawn at random, but a class always brings the same images in the same roles. Permute its images with `rng`.",
    )
    def first_images(images, labels, ways, shots, queries, rng):
        def pick(positions):
            return positions[:shots], positions[shots : shots + queries]

        return _episode(images, labels, _classes(labels, ways, rng), pick)

    @mistake(
        "support and query numbered apart",
        "A class has one label in the support set and another in the query set. Number the classes once, before you cut.",
    )
    def numbered_apart(images, labels, ways, shots, queries, rng):
        support, query = _episode(images, labels, _classes(labels, ways, rng), _permuted(rng, shots, queries))
        return support, Data(query.x, rng.permutation(ways)[query.y])

    @mistake(
        "not K of each class",
        "The totals N·K and N·Q are right, but the classes have unequal shares of them. Choose K and Q images class by class.",
    )
    def unbalanced(images, labels, ways, shots, queries, rng):
        names = _classes(labels, ways, rng)
        order = rng.permutation(np.flatnonzero(np.isin(labels, names)))
        new = np.array([np.flatnonzero(names == label)[0] for label in labels[order]])
        cut, end = ways * shots, ways * (shots + queries)
        return Data(images[order[:cut]], new[:cut]), Data(images[order[cut:end]], new[cut:end])

    @mistake(
        "all the rest in the query set",
        "The query set holds all images that the support set left over. It gets Q of each class: `places[shots : shots + queries]`.",
    )
    def all_the_rest(images, labels, ways, shots, queries, rng):
        return _episode(images, labels, _classes(labels, ways, rng), _permuted(rng, shots, len(labels)))

    @mistake(
        "ignores rng",
        "Two calls with the same `rng` give different episodes: something random does not come from it. Call `rng.choice` and "
        "`rng.permutation`, not `np.random`.",
    )
    def ignores_rng(images, labels, ways, shots, queries, rng):
        return n_way_k_shot.solution(images, labels, ways, shots, queries, np.random.default_rng())

    @mistake(
        "seeded inside",
        "Every call gives the very same episode: the function makes a generator of its own with a fixed seed. Use the `rng` that it is handed.",
    )
    def seeded_inside(images, labels, ways, shots, queries, rng):
        return n_way_k_shot.solution(images, labels, ways, shots, queries, np.random.default_rng(0))


class episode_size(NumberProblem):
    title = "how many examples is that?"
    difficulty, minutes = "easy", 3
    tags = ("concept:k-shot-n-way",)
    hints = (
        "K counts examples of each class in the support set, Q those in the query set.",
        "An episode has N·K + N·Q examples; a batch of T episodes has T times as many.",
    )
    explanation = (
        "N classes with K + Q examples each make N·(K + Q) in an episode, and T times that in a batch of T tasks."
    )

    def draw(self, rng):
        ways, shots, queries, tasks = (
            int(rng.integers(low, high)) for low, high in ((3, 21), (1, 11), (11, 21), (5, 41))
        )
        return {"ways": ways, "shots": shots, "queries": queries, "tasks": tasks}

    def statement(self, given):
        return f"""
        A meta-batch has {given.tasks} episodes, each {given.ways}-way {given.shots}-shot with Q = {given.queries} query examples per
        class. How many labelled examples does one outer step look at, support and query together? Answer with a number, or compute it:
        `p.given("episode_size")` has `ways`, `shots`, `queries` and `tasks`.
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

    @mistake("one episode", "That is one episode. The batch has T of them: T times as many examples.")
    def one_episode(ways, shots, queries, tasks):
        return float(ways * (shots + queries))

    @mistake("K and Q not per class", "K and Q are examples per class: an episode has N·K and N·Q of them.")
    def not_per_class(ways, shots, queries, tasks):
        return float(tasks * (shots + queries))

    @mistake("Q not per class", "K was taken per class and Q per episode. Both are per class.")
    def queries_not_per_class(ways, shots, queries, tasks):
        return float(tasks * (ways * shots + queries))


class meta_objective(FunctionProblem):
    title = "the meta-objective"
    difficulty, minutes = "medium", 10
    tags = ("practice:easy", "concept:meta-objective", "takeaway:outer-objective")
    hints = (
        "For each episode: adapt on its support set, from the same θ; then the loss on its query set.",
        "`adapt(theta, episode.support)` gives θ′; `loss(theta_prime, episode.query)` judges it; average over episodes.",
    )
    explanation = r"""
    $\mathbb E_{\mathcal T}\big[\mathcal L_{\mathcal T}(\theta'; D_q)\big]$ is estimated by the mean over episodes. $D_s$ appears only inside
    $\theta'$, $D_q$ only outside. Each episode starts from the same $\theta$: $\theta'$ belongs to its task and is thrown away.
    """

    def draw(self, rng):
        size, count = int(rng.integers(1, 4)), int(rng.integers(1, 6))
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

    def given(self, seed):
        """Two episodes at least: with one, a sum would pass for a mean."""
        rng = self.random(seed, "given")
        return next(case for case in iter(lambda: self.draw(rng), None) if len(case["episodes"]) > 1)

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
        return np.mean([loss(adapt(theta, episode.support), episode.query) for episode in episodes])

    @mistake(
        "support loss",
        "This judges θ′ on the support set it was fitted to: memory is rewarded. Judge on the query set.",
    )
    def on_support(loss, adapt, theta, episodes):
        return np.mean([loss(adapt(theta, e.support), e.support) for e in episodes])

    @mistake("query loss at theta", "This is the query loss before adaptation. The meta-objective is the loss of θ′.")
    def before_adaptation(loss, adapt, theta, episodes):
        return np.mean([loss(theta, e.query) for e in episodes])

    @mistake(
        "adapts on the query",
        "θ′ was fitted to the query set, the very data that should judge it. Adapt on the support set.",
    )
    def adapts_on_query(loss, adapt, theta, episodes):
        return np.mean([loss(adapt(theta, e.query), e.query) for e in episodes])

    @mistake(
        "theta prime carried into the next episode",
        "Each episode starts where the last one ended. Every task starts from the same θ; its θ′ is thrown away.",
    )
    def carried(loss, adapt, theta, episodes):
        losses = []
        for episode in episodes:
            theta = adapt(theta, episode.support)
            losses.append(loss(theta, episode.query))
        return np.mean(losses)

    @mistake("sum over episodes", "This is the sum. An expectation is estimated by the mean over episodes.")
    def summed(loss, adapt, theta, episodes):
        return np.sum([loss(adapt(theta, e.support), e.query) for e in episodes])

    @mistake(
        "only the first episode",
        "Only the first episode counts: a `return` inside the loop ends it there. Collect the losses of all, then average.",
    )
    def first_only(loss, adapt, theta, episodes):
        return meta_objective.solution(loss, adapt, theta, episodes[:1])

    @mistake(
        "only the last episode",
        "Only the last episode counts: each turn of the loop overwrites the loss before. Collect the losses, then average.",
    )
    def last_only(loss, adapt, theta, episodes):
        return meta_objective.solution(loss, adapt, theta, episodes[-1:])

    @mistake(
        "support and query exchanged",
        "Adapted on the query set and judged on the support set: it is the other way round.",
    )
    def exchanged(loss, adapt, theta, episodes):
        return np.mean([loss(adapt(theta, e.query), e.support) for e in episodes])


class meta_objective_in_words(TextProblem):
    title = "the meta-objective in words"
    difficulty, minutes = "easy", 4
    tags = ("practice:easy", "concept:meta-objective", "concept:meta-train-meta-test")
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


class leakage(FunctionProblem):
    title = "how much the support set flatters"
    difficulty, minutes = "easy", 5
    tags = ("mistake:same-data", "takeaway:split-rewards-generalisation")
    hints = (
        "θ′ is given, one for each episode. Two losses a task: on its query set and on its support set.",
        "`np.mean([loss(theta_prime[i], e.query) - loss(theta_prime[i], e.support) for i, e in enumerate(episodes)])`",
    )
    explanation = """
    Mean query loss minus mean support loss, each task with its own $\theta'$. It is what a report on the support set would hide: the part
    of the fit that was learned by heart.
    """

    def draw(self, rng):
        case = meta_objective().draw(rng)
        theta_prime = [case["adapt"](case["theta"], episode.support) for episode in case["episodes"]]
        return {"loss": case["loss"], "theta_prime": theta_prime, "episodes": case["episodes"]}

    given = meta_objective.given

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
        gaps = [loss(at, e.query) - loss(at, e.support) for at, e in zip(theta_prime, episodes, strict=True)]
        return np.mean(gaps)

    @mistake("the other way round", "This is support minus query. The gap is how much higher the query loss is.")
    def support_minus_query(loss, theta_prime, episodes):
        return -leakage.solution(loss, theta_prime, episodes)

    @mistake(
        "query loss only", "This is the mean query loss alone. The gap is how much it exceeds the mean support loss."
    )
    def query_only(loss, theta_prime, episodes):
        return np.mean([loss(at, e.query) for at, e in zip(theta_prime, episodes, strict=True)])

    @mistake("one theta prime for all", "Every episode was judged with the first θ′. Each task has its own.")
    def first_only(loss, theta_prime, episodes):
        return np.mean([loss(theta_prime[0], e.query) - loss(theta_prime[0], e.support) for e in episodes])

    @mistake("ratio for difference", "This is a ratio. The gap is a difference of two losses.")
    def ratio(loss, theta_prime, episodes):
        pairs = list(zip(theta_prime, episodes, strict=True))
        return np.mean([loss(at, e.query) for at, e in pairs]) / np.mean([loss(at, e.support) for at, e in pairs])

    @mistake("sum over episodes", "This is the sum of the gaps. Take the mean over episodes.")
    def summed(loss, theta_prime, episodes):
        return len(episodes) * leakage.solution(loss, theta_prime, episodes)
