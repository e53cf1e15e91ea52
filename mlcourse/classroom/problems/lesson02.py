"""Lesson 2, episodes: support and query."""

import numpy as np

from mlcourse import Data, Episode
from mlcourse.classroom.compare import fresh
from mlcourse.classroom.problem import FunctionProblem, NumberProblem, TextProblem, mistake


def _rows(data):
    """The rows of a Data or an (x, y) pair as one array: x beside y."""
    x, y = (np.asarray(part, dtype=float) for part in tuple(data)[:2])
    return np.concatenate([x.reshape(len(x), -1), y.reshape(len(y), -1)], axis=1)


def _as_set(rows):
    return {tuple(np.round(row, 9)) for row in rows}


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
    cases = 4
    hints = (
        "Shuffle positions, not values: `order = rng.permutation(len(x))`. Use the same order for x and y.",
        "The first `shots` positions of the order are the support set, the rest the query set.",
    )
    explanation = """
    One permutation of the positions keeps x and y together and makes the two sets disjoint. Taking the first K as they come
    is only safe when the data have no order, and real data often have one.
    """

    def draw(self, rng):
        points = int(rng.integers(8, 16))
        x = np.sort(rng.normal(size=(points, int(rng.integers(1, 3)))), axis=0)
        return {
            "x": x,
            "y": np.sin(x.sum(axis=1, keepdims=True)),
            "shots": int(rng.integers(2, points - 3)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        return rf"""
        Write `split(x, y, shots, rng)`: an `Episode` (or any pair `support, query` of pairs `x, y`) from the points of one task.
        `x` has shape `(n, d)`, `y` `(n, 1)`. The support set gets `shots` points chosen at random with `rng`, the query set all
        others. `from mlcourse import Data, Episode` if you like: `Episode(Data(…), Data(…), {{}})`.

        To try: `p.given("split")`, with {len(given.x)} points and {given.shots} shots.
        """

    @staticmethod
    def solution(x, y, shots, rng):
        order = rng.permutation(len(x))
        support, query = order[:shots], order[shots:]
        return Episode(Data(x[support], y[support]), Data(x[query], y[query]), {})

    def observe(self, answer, case):
        """What makes a split a split, whatever the order of its rows."""
        draws = []
        for seed in range(6):
            arguments = fresh(case) | {"rng": np.random.default_rng(seed)}
            draws.append([_rows(part) for part in tuple(answer(*arguments.values()))[:2]])
        answer(*case.values())  # the case itself, so that a change of its arrays is seen
        whole = _as_set(_rows((case["x"], case["y"])))
        support, query = draws[0]
        facts = {"points in support and query": f"{len(support)} and {len(query)}"}
        return facts | {
            "support and query share no point": not _as_set(support) & _as_set(query),
            "x and y still belong together": (_as_set(support) | _as_set(query)) <= whole,
            "no point is lost": len(_as_set(support) | _as_set(query)) == len(whole),
            "another rng chooses other points": len({frozenset(_as_set(s)) for s, _ in draws}) > 1,
        }

    @mistake(
        "overlap",
        "Some points are in both sets: the query set then rewards remembering the support set. Use each position once.",
    )
    def overlap(x, y, shots, rng):
        support = rng.permutation(len(x))[:shots]
        query = rng.permutation(len(x))[shots:]
        query[0] = support[0]
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
        "points thrown away", "The query set has only `shots` points; the others are lost. It gets all that are left."
    )
    def thrown_away(x, y, shots, rng):
        order = rng.permutation(len(x))[: shots + 1]
        return Data(x[order[:shots]], y[order[:shots]]), Data(x[order[shots:]], y[order[shots:]])


class n_way_k_shot(FunctionProblem):
    title = "an N-way K-shot episode"
    difficulty, minutes = "hard", 15
    tags = ("concept:k-shot-n-way", "concept:episode", "concept:split-mimics-test")
    cases = 3
    hints = (
        "Choose the classes first: `rng.choice(np.unique(labels), ways, replace=False)`.",
        "For each chosen class, permute the positions that have it: the first `shots` support, the next `queries` query.",
        "The new label is the class's place among the chosen ones, 0 … N − 1: `enumerate` gives it.",
    )
    explanation = """
    Each episode chooses N classes without repetition, in random order, and numbers them afresh from 0: class 3 of one episode
    has nothing to do with class 3 of the next. Support and query of a class come from one permutation, so they are disjoint.
    """

    def draw(self, rng):
        classes, each = int(rng.integers(6, 10)), int(rng.integers(6, 9))
        names = rng.permutation(np.arange(20, 60))[:classes]
        labels = rng.permutation(np.repeat(names, each))
        images = labels[:, None] * 1000.0 + np.arange(len(labels))[:, None] + np.array([[0.0, 0.25]])
        return {
            "images": images,
            "labels": labels,
            "ways": int(rng.integers(3, 5)),
            "shots": int(rng.integers(1, 4)),
            "queries": int(rng.integers(1, 4)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        return rf"""
        Write `n_way_k_shot(images, labels, ways, shots, queries, rng)`: an `Episode` (or a pair `support, query` of pairs
        `x, y`). `images` has shape `(n, d)`, `labels` `(n,)` with any integers as class names.

        Choose N = `ways` classes at random, then for each `shots` images for the support set and `queries` others for the
        query set. The labels of the episode are 0 … N − 1, assigned afresh and at random, the same in support and query.
        Rows may come in any order.

        To try: `p.given("n_way_k_shot")`: {len(np.unique(given.labels))} classes, {given.ways}-way {given.shots}-shot.
        """

    @staticmethod
    def solution(images, labels, ways, shots, queries, rng):
        support, query = [], []
        for new, name in enumerate(rng.choice(np.unique(labels), ways, replace=False)):
            places = rng.permutation(np.flatnonzero(labels == name))
            support += [(place, new) for place in places[:shots]]
            query += [(place, new) for place in places[shots : shots + queries]]
        data = [
            Data(images[[place for place, _ in part]], np.array([new for _, new in part])) for part in (support, query)
        ]
        return Episode(*data, {})

    def observe(self, answer, case):
        """Counts, disjointness and numbering over several draws."""
        draws = []
        for seed in range(8):
            arguments = fresh(case) | {"rng": np.random.default_rng(seed)}
            draws.append(
                [tuple(np.asarray(p) for p in tuple(part)[:2]) for part in tuple(answer(*arguments.values()))[:2]]
            )
        answer(*case.values())
        (x_s, y_s), (x_q, y_q) = draws[0]
        ways, shots, queries = case["ways"], case["shots"], case["queries"]
        facts = {"images in support and query": f"{x_s.shape} and {x_q.shape}"}
        if x_s.ndim != 2 or x_q.ndim != 2 or y_s.shape != x_s.shape[:1] or y_q.shape != x_q.shape[:1]:
            return facts | {"a label for every image": False}
        true_s, true_q = (np.round(x[:, 0] // 1000).astype(int) for x in (x_s, x_q))
        renumbered = set(y_s.tolist()) == set(y_q.tolist()) == set(range(ways))
        pairs = set(zip(true_s.tolist(), y_s.tolist(), strict=True)) | set(
            zip(true_q.tolist(), y_q.tolist(), strict=True)
        )
        orders = {tuple(self._order(x, y)) for (x, y), _ in draws}
        rising = all(order == tuple(sorted(order)) for order in orders)
        return facts | {
            "labels are 0 … N − 1": renumbered,
            "N different classes": len(set(true_s.tolist())) == ways,
            "one class, one label": len(pairs) == ways,
            "K images of each class in the support set": sorted(np.unique(true_s, return_counts=True)[1].tolist())
            == [shots] * ways,
            "Q images of each class in the query set": sorted(np.unique(true_q, return_counts=True)[1].tolist())
            == [queries] * ways,
            "support and query share no image": not _as_set(x_s) & _as_set(x_q),
            "other classes in other episodes": len({frozenset(order) for order in orders}) > 1,
            "classes numbered at random": not rising,
        }

    @staticmethod
    def _order(x, y):
        """The true class behind each new label, by label."""
        true = np.round(np.asarray(x)[:, 0] // 1000).astype(int)
        return [int(true[np.flatnonzero(y == label)[0]]) for label in np.unique(y)]

    @mistake(
        "labels not renumbered",
        "The labels are the data set's own class names. An N-way episode has labels 0 … N − 1, given out afresh each time.",
    )
    def old_labels(images, labels, ways, shots, queries, rng):
        (x_s, _), (x_q, _), _ = n_way_k_shot.solution(images, labels, ways, shots, queries, rng)
        return Data(x_s, x_s[:, 0] // 1000), Data(x_q, x_q[:, 0] // 1000)

    @mistake(
        "overlap",
        "Some images are in support and query both. Permute a class's images once: first K, then the next Q.",
    )
    def overlap(images, labels, ways, shots, queries, rng):
        support, query, _ = n_way_k_shot.solution(images, labels, ways, shots, queries, rng)
        x_q = query.x.copy()
        for label in range(ways):
            x_q[np.flatnonzero(query.y == label)[0]] = support.x[np.flatnonzero(support.y == label)[0]]
        return support, Data(x_q, query.y)

    @mistake(
        "a class twice",
        "The same class was chosen more than once, under two labels. Choose without replacement.",
    )
    def class_twice(images, labels, ways, shots, queries, rng):
        support, query, hidden = n_way_k_shot.solution(images, labels, ways - 1, shots, queries, rng)
        extra = [Data(data.x[data.y == 0] + 0.5, np.full(np.sum(data.y == 0), ways - 1)) for data in (support, query)]
        both = [
            Data(np.concatenate([data.x, more.x]), np.concatenate([data.y, more.y]))
            for data, more in zip((support, query), extra, strict=True)
        ]
        return Episode(*both, hidden)

    @mistake(
        "the same numbering every time",
        "The chosen classes are numbered in sorted order, so a class tends to keep its label. Number them at random.",
    )
    def sorted_numbering(images, labels, ways, shots, queries, rng):
        support, query, _ = n_way_k_shot.solution(images, labels, ways, shots, queries, rng)
        data = []
        for x, _ in (support, query):
            true = x[:, 0] // 1000
            data.append(Data(x, np.searchsorted(np.unique(support.x[:, 0] // 1000), true)))
        return tuple(data)

    @mistake(
        "the same classes every time",
        "Every episode has the same classes. Then there is one task, not a distribution: choose them with `rng`.",
    )
    def same_classes(images, labels, ways, shots, queries, rng):
        chosen = np.isin(labels, np.unique(labels)[:ways])
        return n_way_k_shot.solution(images[chosen], labels[chosen], ways, shots, queries, rng)


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
        class. How many labelled examples does one outer step look at, support and query together?
        """

    @staticmethod
    def solution(ways, shots, queries, tasks):
        return float(tasks * ways * (shots + queries))

    @mistake(
        "support only", "That counts the support sets alone. The query sets are looked at, too: N·Q more an episode."
    )
    def support_only(ways, shots, queries, tasks):
        return float(tasks * ways * shots)

    @mistake("one episode", "That is one episode. The batch has several.")
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
    $E_{\mathcal T}\left[L_{\mathcal T}(\theta'; D_q)\right]$, estimated by the mean over episodes. Each episode starts from the same θ:
    θ′ belongs to its task and is thrown away.
    """

    def draw(self, rng):
        size, count = int(rng.integers(1, 4)), int(rng.integers(2, 6))
        alpha = rng.uniform(0.1, 0.4)

        def loss(theta, data):
            return np.mean((data.x @ theta - data.y) ** 2)

        def adapt(theta, data):
            return theta - alpha * 2 * data.x.T @ (data.x @ theta - data.y) / len(data.y)

        def data(rows):
            x = rng.normal(size=(rows, size))
            return Data(x, x @ rng.normal(size=size) + 0.1 * rng.normal(size=rows))

        episodes = [Episode(data(int(rng.integers(2, 5))), data(int(rng.integers(2, 5))), {}) for _ in range(count)]
        return {"loss": loss, "adapt": adapt, "theta": rng.normal(size=size), "episodes": episodes}

    def statement(self, given):
        return rf"""
        Write `meta_objective(loss, adapt, theta, episodes)`: the estimate of $E_{{\mathcal T}}[L_{{\mathcal T}}(\theta'; D_q)]$ from a
        list of episodes. `loss(theta, data)` is a number, `adapt(theta, data)` gives the adapted parameters; an episode has
        `.support` and `.query`.

        To try: `p.given("meta_objective")`, with {len(given.episodes)} episodes.
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
        "support and query exchanged",
        "Adapted on the query set and judged on the support set: it is the other way round.",
    )
    def exchanged(loss, adapt, theta, episodes):
        return np.mean([loss(adapt(theta, e.query), e.support) for e in episodes])


class meta_objective_in_words(TextProblem):
    title = "the meta-objective in a sentence"
    difficulty, minutes = "easy", 4
    tags = ("practice:easy", "concept:meta-objective", "concept:meta-train-meta-test")
    model = """
    Choose θ so that, for a task drawn from p(T), the parameters θ′ that a short adaptation on the task's support set makes of it
    have a low loss on other data of the same task, the query set: it rewards learning that generalises from few examples.
    """
    rubric = (
        "It says that the loss is measured after adaptation, at θ′ and not at θ.",
        "It says that it is measured on data that were not adapted on.",
        "It speaks of an average over tasks, not over one data set.",
        "It says what is rewarded: generalising from few examples.",
    )

    def statement(self, given):
        return """
        In one sentence of your own: what does minimising $E_{\\mathcal T}[L_{\\mathcal T}(\\theta'; D_q)]$ encourage?
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
    Mean query loss minus mean support loss, each task with its own θ′. It is what a report on the support set would hide: the part
    of the fit that is memory.
    """

    def draw(self, rng):
        case = meta_objective().draw(rng)
        theta_prime = [case["adapt"](case["theta"], episode.support) for episode in case["episodes"]]
        return {"loss": case["loss"], "theta_prime": theta_prime, "episodes": case["episodes"]}

    def statement(self, given):
        return f"""
        Write `leakage(loss, theta_prime, episodes)`: the mean query loss minus the mean support loss over the episodes.
        `theta_prime` is a list with the adapted parameters of each episode, in the same order; `loss(theta, data)` is a number.

        To try: `p.given("leakage")`, with {len(given.episodes)} episodes.
        """

    @staticmethod
    def solution(loss, theta_prime, episodes):
        gaps = [loss(at, e.query) - loss(at, e.support) for at, e in zip(theta_prime, episodes, strict=True)]
        return np.mean(gaps)

    @mistake("the other way round", "This is support minus query. The gap is how much higher the query loss is.")
    def reversed(loss, theta_prime, episodes):
        return -leakage.solution(loss, theta_prime, episodes)

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
