"""Lesson 9, few-shot classification."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, mistake
from mlcourse.classroom.judging.compare import NotNumbers, all_finite, plain, same
from mlcourse.classroom.judging.verdict import wrong
from mlcourse.classroom.problems.lesson06 import _INTERVAL, _half
from mlcourse.metric import as_linear as _as_linear
from mlcourse.metric import log_probabilities as _log_probabilities
from mlcourse.metric import log_softmax
from mlcourse.metric import matching as _matching
from mlcourse.metric import prototypes as _prototypes
from mlcourse.recipes.deviations import Deviation


class prototypes(FunctionProblem):
    title = "one point for each class"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:k-shot-n-way", "method:metric", "choice-table")
    forbidden = ((_prototypes, "`mlcourse.prototypes`"),)
    hints = (
        "`y == n` is True at the rows of class n. An array can be indexed with it.",
        "`own = z[y == n]` has shape (K, D). The prototype is its mean over the examples, which are the rows.",
        "`c[n] = np.mean(own, axis=0)`",
    )
    explanation = r"""
    $c_n$ is the mean of the embeddings of class n. The rows come in any order, so they are picked by their label, not by their place.
    """
    deviations = (
        Deviation("members", "all", "one mean for all",
                  "Every class has the mean of all rows. Take the rows of class n alone: `z[y == n]`."),
        Deviation("members", "others", "mean of the other classes",
                  "This is the mean of the rows that are not of class n. Pick them with `y == n`."),
        Deviation("members", "blocks", "rows taken in order",
                  "The first K rows were taken for class 0, the next K for class 1. The labels say whose a row is: `y == n`."),
        Deviation("members", "next", "classes shifted",
                  "These are the right points under the wrong labels: row n is the prototype of the class after it. Labels begin at 0."),
        Deviation("centre", "sum", "sum for mean",
                  "The embeddings of a class are added up. A prototype is their mean, or more shots would push it outwards."),
        Deviation("centre", "over all", "divided by all rows",
                  "The sum over a class is divided by the number of all rows. Divide by the number of its own."),
        Deviation("centre", "first", "first example only",
                  "This is the first example of each class alone. All K of them say where the class lies."),
        Deviation("centre", "median", "median", "This is the median, entry by entry. The prototype is the mean."),
        Deviation("centre", "unit", "scaled to length one",
                  "The mean is scaled to length 1. Prototypes keep their length: distances are measured to them."),
        Deviation("centre", "of units", "embeddings scaled to length one",
                  "Each embedding is scaled to length 1 before the mean, as for a cosine. A prototype is the mean of the embeddings as they are."),
        Deviation("centre", "number", "one number for a point",
                  "Each prototype is one number, D times: `np.mean` without `axis` averages over the entries, too. Take `axis=0`."),
    )  # fmt: skip

    def draw(self, rng):
        ways, shots, size = (int(n) for n in rng.integers((2, 1, 2), (6, 5, 5)))
        y = rng.permutation(np.repeat(np.arange(ways), shots))
        return {"z": rng.normal(size=(len(y), size)) + 2 * rng.normal(size=(ways, size))[y], "y": y, "ways": ways}

    def statement(self, given):
        return f"""
        Write `prototypes(z, y, ways)`: the mean embedding of each class, an array of shape `(N, D)`. `z` has shape `(N·K, D)`, one
        row an example; `y` has shape `(N·K,)`, its labels 0 … N − 1 in any order; `ways` is N.

        To try: `p.given("prototypes")`, with {len(given.z)} examples of {given.ways} classes.
        """

    @staticmethod
    def solution(z, y, ways):
        c = np.zeros((ways, z.shape[1]))
        for n in range(ways):
            own = z[y == n]
            c[n] = np.mean(own, axis=0)
        return c

    @staticmethod
    def variant(z, y, ways, members="own", centre="mean"):
        shots, c = len(z) // ways, []
        for n in range(ways):
            own = {
                "all": z, "others": z[y != n], "blocks": z[n * shots : (n + 1) * shots], "next": z[y == (n + 1) % ways],
            }.get(members, z[y == n])  # fmt: skip
            mean = own.mean(axis=0)
            c.append({
                "sum": own.sum(axis=0), "over all": own.sum(axis=0) / len(z), "first": own[0],
                "median": np.median(own, axis=0), "unit": mean / np.linalg.norm(mean), "number": np.full_like(mean, own.mean()),
                "of units": (own / np.linalg.norm(own, axis=1, keepdims=True)).mean(axis=0),
            }.get(centre, mean))  # fmt: skip
        return np.array(c)

    def sizes(self, case):
        return {"N": case["ways"], "K": len(case["y"]) // case["ways"]}

    def skip(self, settings):
        """The sum of all rows over their number is their mean."""
        return settings == {"members": "all", "centre": "over all"}

    def judge(self, answer, seed):
        """A mean along the wrong axis fits into a prototype where K is D, or 1, and fails elsewhere."""
        verdict = super().judge(answer, seed)
        if verdict.outcome == "wrong" and verdict.misconception is None:
            y = np.repeat(np.arange(3), 3)
            case = {"z": self.random(seed, "square").normal(size=(9, 3)), "y": y, "ways": 3}
            square = self._look(answer, case).value
            if isinstance(square, np.ndarray) and same(square, case["z"].mean(axis=1).reshape(3, 3), self.tolerance):
                entry = next(entry for entry in self.mistakes if entry.name == "mean over the embedding")
                return wrong(entry.message, entry.name)
        return verdict

    def simpler(self, case):
        order = np.argsort(case["y"], kind="stable")
        return {"rows in the order of their labels": case | {"z": case["z"][order], "y": case["y"][order]}}

    @mistake(
        "mean over the embedding",
        "Each row was averaged over its D numbers. Average over the examples of a class: `axis=0`.",
    )
    def over_entries(z, y, ways):
        return np.array([z[y == n].mean() for n in range(ways)])

    @mistake("classes in columns", "This is (D, N), one column a class. One row a class is wanted: (N, D).")
    def columns(z, y, ways):
        return np.array([z[y == n].mean(axis=0) for n in range(ways)]).T


class log_probabilities(FunctionProblem):
    title = "from distances to probabilities"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:k-shot-n-way", "method:metric", "choice-table")
    forbidden = ((_log_probabilities, "`mlcourse.log_probabilities`"),)
    hints = (
        "`z[:, None] - prototypes` has shape (Q, N, D): each query less each prototype. Square it and sum over D.",
        "The score is *minus* the squared distance, so that the nearest class has the largest.",
        "`scores = -np.sum((z[:, None] - prototypes) ** 2, axis=-1)`",
    )
    explanation = r"""
    The softmax over the classes of $-|z - c_n|^2$. The largest score is subtracted first: that changes no probability, and every
    `exp` is at most 1, with a 1 among them, so that the logarithm is finite however far the prototypes are.
    """
    deviations = (
        Deviation("sign", "plus", "nearest gets least",
                  "The nearest class has the least probability. The score is minus the squared distance."),
        Deviation("distance", "root", "distance not squared",
                  "This takes the distance itself. It is the squared one that makes a linear classifier: without the root."),
        Deviation("distance", "mean", "mean over the embedding",
                  "The squares are averaged over the D numbers of an embedding. Add them up."),
        Deviation("distance", "absolute", "absolute differences",
                  "This adds up absolute differences. Square them: |z − c|² is the squared Euclidean distance."),
        Deviation("distance", "dot", "inner product for distance",
                  "This is the inner product z·c, without |c|²: a far prototype attracts. Take minus the squared distance."),
        Deviation("distance", "twice the dot", "bias left out",
                  "This is 2 z·c without −|c|²: a far prototype attracts. Take minus the squared distance, all of it."),
        Deviation("distance", "half", "half of the squared distance",
                  "This has ½|z − c|², as a Gaussian would. The statement asks for |z − c|²."),
        Deviation("axis", "queries", "softmax over the queries",
                  "The probabilities of a *class* add up to 1 over the queries. Those of a query should, over the classes: `axis=-1`."),
        Deviation("axis", "all", "softmax over everything",
                  "All entries together add up to 1. Each query's should, over the classes: `axis=-1`, with `keepdims=True`."),
        Deviation("form", "p", "probabilities for their logarithms", "These are the probabilities. Return their logarithms."),
        Deviation("form", "loss", "sign of the logarithm",
                  "These are the negative logarithms: positive numbers, a loss. Log-probabilities are at most 0."),
        Deviation("form", "scores", "not normalised",
                  "These are the scores. Subtract the logarithm of the sum of their exponentials, so that the probabilities add up to 1."),
    )  # fmt: skip

    def draw(self, rng):
        queries, ways, size = (int(n) for n in rng.integers((1, 2, 1), (6, 6, 5)))
        return {"z": rng.normal(size=(queries, size)), "prototypes": rng.normal(size=(ways, size))}

    def statement(self, given):
        return rf"""
        Write `log_probabilities(z, prototypes)`: $\log p(n)$ of each query for each class, shape `(Q, N)`, where $p$ is the softmax
        over the classes of $-|z - c_n|^2$. `z` has shape `(Q, D)`, `prototypes` `(N, D)`. It should stay finite where the distances
        are large.

        To try: `p.given("log_probabilities")`, with Q = {len(given.z)} and N = {len(given.prototypes)}.
        """

    @staticmethod
    def solution(z, prototypes):
        scores = -np.sum((z[:, None] - prototypes) ** 2, axis=-1)
        scores = scores - np.max(scores, axis=-1, keepdims=True)
        return scores - np.log(np.sum(np.exp(scores), axis=-1, keepdims=True))

    @staticmethod
    def variant(z, prototypes, sign="minus", distance="squared", axis="classes", form="log"):
        gap = z[:, None] - prototypes
        squared = np.sum(gap**2, axis=-1)
        far = {
            "root": np.sqrt(squared), "mean": np.mean(gap**2, axis=-1), "absolute": np.sum(np.abs(gap), axis=-1),
            "dot": -z @ prototypes.T, "twice the dot": -2 * z @ prototypes.T, "half": squared / 2,
        }.get(distance, squared)  # fmt: skip
        scores = far if sign == "plus" else -far
        log_p = log_softmax(scores, {"queries": 0, "all": None}.get(axis, -1))
        return {"p": np.exp(log_p), "loss": -log_p, "scores": scores}.get(form, log_p)

    def skip(self, settings):
        return settings.get("form") == "scores" and "axis" in settings

    def simpler(self, case):
        return {"one query": case | {"z": case["z"][:1]}, "two classes": case | {"prototypes": case["prototypes"][:2]}}

    def judge(self, answer, seed):
        """A right answer has to be one far off, too; what it is otherwise, near draws tell better.

        What is added to p, or p is cut off at, shows near by a little at most, and far off alone.
        """
        verdict = super().judge(answer, seed)
        if verdict.outcome == "not attempted" or verdict.misconception or not self._likely(answer, seed):
            return verdict
        case = {name: 60 * array for name, array in self.draw(self.random(seed, "far")).items()}
        look, right = (self._look(each, case) for each in (answer, type(self).solution))
        if self._agree([look], [right]):
            return verdict
        if look.failure:
            return wrong(f"Right for near prototypes. For far ones {look.failure}")
        name = "overflow"
        if all_finite(look.value):
            cut_off = same(look.value, np.maximum(right.value, np.min(look.value)), self.tolerance)
            name = "cut off" if cut_off else None
        entry = next((entry for entry in self.mistakes if entry.name == name), None)
        if entry is None and verdict.outcome == "wrong":
            return verdict
        return wrong(entry.message if entry else "Right for near prototypes, and not exact for far ones.", name)

    def _likely(self, answer, seed):
        """Whether the probabilities are right on near draws, whatever is done to the logarithms of small ones."""
        cases, expected, _ = self._cases(seed)
        found = [self._look(answer, case).value for case in cases]
        return all(
            isinstance(value, np.ndarray) and same(np.exp(value), np.exp(right.value), self.tolerance)
            for value, right in zip(found, expected, strict=True)
        )

    @mistake(
        "overflow",
        "Right for near prototypes. Far ones give inf or nan: `exp` of a large negative number is 0, and its logarithm −inf. "
        "Subtract each query's largest score before `exp`, and take the logarithm of the sum alone.",
    )
    def naive(z, prototypes):
        p = np.exp(-np.sum((z[:, None] - prototypes) ** 2, axis=-1))
        return np.log(p / p.sum(axis=-1, keepdims=True))

    @mistake(
        "cut off",
        "Something small is added to p before the logarithm, or p is cut off there. That hides the overflow: for far prototypes every "
        "class gets the logarithm of that small number. Subtract each query's largest score before `exp`, and take the logarithm of the sum alone.",
    )
    def floored(z, prototypes):
        return np.log(np.exp(log_probabilities.solution(z, prototypes)) + 1e-2)

    @mistake("queries in columns", "This is (N, Q), one column a query. One row a query is wanted: (Q, N).")
    def transposed(z, prototypes):
        return log_probabilities.solution(z, prototypes).T


def _in_the_softmax(head):
    """What a softmax sees of (weights, bias): both less their mean over the classes, where their shapes allow it."""
    try:
        head = plain(head)
    except NotNumbers:
        return head
    if not isinstance(head, tuple) or [np.ndim(part) for part in head] != [2, 1]:
        return head
    weights, bias = head
    return weights - weights.mean(axis=1, keepdims=True), bias - bias.mean()


class as_linear(FunctionProblem):
    title = "the linear classifier that prototypes are"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:k-shot-n-way", "method:metric", "choice-table")
    forbidden = ((_as_linear, "`mlcourse.as_linear`"),)
    hints = (
        "Multiply out: −|z − c|² = −|z|² + 2 c·z − |c|². Which of the three terms is the same for every class?",
        "What is left is 2 c·z, linear in z, and a number for each class. Column n of `weights` belongs to class n.",
        "`weights = 2 * prototypes.T` and `bias = -np.sum(prototypes**2, axis=1)`",
    )
    explanation = r"""
    $-|z - c_n|^2 = 2\,c_n \cdot z - |c_n|^2 - |z|^2$. The last term is the same for all classes, and a softmax does not see it. So the
    weights are $2 c_n$, one column a class, and the biases $-|c_n|^2$.
    """
    deviations = (
        Deviation("weights", "c", "factor 2 missing", "The weights are c. Multiplied out, the middle term is 2 c·z."),
        Deviation("weights", "-2c", "sign of the weights",
                  "The weights are −2c. −|z − c|² has + 2 c·z: a query along c is near it."),
        Deviation("bias", "plus", "sign of the bias", "The bias is +|c|². In −|z − c|² it is subtracted."),
        Deviation("bias", "none", "bias left out",
                  "The bias is 0. Then the class with the longest prototype wins: −|c|² takes that back."),
        Deviation("bias", "root", "length not squared", "The bias is −|c|. It is the square that comes of multiplying out, −|c|²."),
        Deviation("bias", "mean", "mean for sum", "The squares of c are averaged over the embedding. |c|² is their sum."),
        Deviation("bias", "twice", "factor 2 on the bias", "The bias is −2|c|². The factor 2 stands at c·z alone."),
        Deviation("scale", "half", "half of everything",
                  "These are c and −½|c|². They rank the classes alike, and give other probabilities: multiply both by 2."),
    )  # fmt: skip

    def draw(self, rng):
        return {"prototypes": rng.normal(size=tuple(rng.integers(2, 6, 2)))}

    def statement(self, given):
        ways, size = given.prototypes.shape
        return rf"""
        Write `as_linear(prototypes)`: `weights` of shape `(D, N)` and `bias` of shape `(N,)`, such that `z @ weights + bias` has the
        same softmax over the classes as $-|z - c_n|^2$ for every `z`. `prototypes` has shape `(N, D)`.

        To try: `p.given("as_linear")`, with N = {ways} and D = {size}.
        """

    @staticmethod
    def solution(prototypes):
        weights = 2 * prototypes.T
        bias = -np.sum(prototypes**2, axis=1)
        return weights, bias

    @staticmethod
    def variant(prototypes, weights="2c", bias="-|c|²", scale="1"):
        square = np.sum(prototypes**2, axis=1)
        w = {"c": 1, "-2c": -2}.get(weights, 2) * prototypes.T
        b = {
            "plus": square, "none": 0 * square, "root": -np.sqrt(square), "mean": -np.mean(prototypes**2, axis=1),
            "twice": -2 * square,
        }.get(bias, -square)  # fmt: skip
        return (w / 2, b / 2) if scale == "half" else (w, b)

    def observe(self, answer, case):
        return _in_the_softmax(super().observe(answer, case))

    def maker(self, case):
        return lambda settings: _in_the_softmax(self.variant(**case, **settings))

    def skip(self, settings):
        """Two settings that are a third one."""
        return settings.get("scale") == "half" and len(settings) > 1

    @mistake(
        "weights in rows",
        "`weights` is (N, D), one row a class. For `z @ weights` it has to be (D, N): a column a class.",
    )
    def rows(prototypes):
        return 2 * prototypes, -np.sum(prototypes**2, axis=1)

    @mistake(
        "sum over the classes",
        "The squares are summed over the classes, one number for each entry of the embedding. Sum over the embedding, `axis=1`.",
    )
    def over_classes(prototypes):
        return 2 * prototypes.T, -np.sum(prototypes**2, axis=0)

    @mistake("bias first", "The bias comes first here. Return the weights, then the bias.")
    def exchanged(prototypes):
        return -np.sum(prototypes**2, axis=1), 2 * prototypes.T


class accuracy_ci(FunctionProblem):
    title = "an accuracy with its interval"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:meta-train-meta-test",)
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    hints = (
        "One independent draw is one episode. First one accuracy for each of them: the mean over its queries, `axis=1`.",
        "Then lesson 6's half-width, $1.96\\, s / \\sqrt E$, with $s$ over the E episodes and `ddof=1`.",
        "`1.96 * np.std(of_episode, ddof=1) / np.sqrt(len(of_episode))`",
    )
    explanation = r"""
    The queries of one episode share its five classes: an episode with two letters that look alike is hard for all of them. So
    one draw is one episode, and the interval is that of the mean of E accuracies.
    """
    deviations = (
        Deviation("over", "images", "interval over images",
                  "Every image counts as a draw of its own. Those of one episode share its classes: count episodes."),
        Deviation("over", "root of the images", "root of the images",
                  "s is taken over episodes, and divided by the root of the number of images. Divide by the root of E."),
        Deviation("over", "queries", "episodes and queries exchanged",
                  "The mean was taken over the episodes first, which leaves one number a query. Take it along a row: `axis=1`."),
        *(each for each in _INTERVAL if each.setting not in ("steps", "all")),
        Deviation("gives", "ends", "the interval's ends",
                  "These are the two ends of the interval. Asked for are its middle, the mean, and its half-width."),
        Deviation("gives", "exchanged", "half-width before the mean", "The half-width comes first here. Return the mean first."),
        Deviation("gives", "errors", "errors counted",
                  "This is the share of wrong answers. The accuracy is the share of right ones."),
        Deviation("gives", "mean in percent", "the mean alone in per cent",
                  "The mean is in per cent, and the half-width is not. Both are shares, between 0 and 1."),
        Deviation("gives", "median", "median for the mean", "This is the median over episodes. The accuracy is their mean."),
        Deviation("gives", "percent", "in per cent", "This is 100 times the accuracy: shares are wanted, between 0 and 1."),
    )  # fmt: skip

    def told(self, deviation):
        sentence = deviation.sentence.replace("one task's loss", "one episode's accuracy").replace(
            "T tasks", "E episodes"
        )
        sentence = (
            sentence.replace("√(T − 1)", "√(E − 1)").replace("The T − 1", "The E − 1").replace("T draws", "E draws")
        )
        sentence = (
            sentence.replace("√T", "√E")
            .replace("divided by T.", "divided by E.")
            .replace("divides by T", "divides by E")
        )
        return deviation.name.replace("T", "E"), sentence

    def draw(self, rng):
        episodes, queries = (int(n) for n in rng.integers((4, 3), (12, 20)))
        hard = rng.beta(4, 1.5, episodes)
        correct = rng.random((episodes, queries)) < hard[:, None]
        correct[0], correct[1, : queries // 2], correct[1, queries // 2 :] = True, True, False  # so that they differ
        return {"correct": correct}

    def statement(self, given):
        episodes, queries = given.correct.shape
        return f"""
        Write `accuracy_ci(correct)`: the accuracy and half the width of its 95 % confidence interval, two numbers. `correct` has shape
        `(E, Q)`: True where a query was labelled rightly, one row an episode. The half-width is lesson 6's, with 1.96 and `ddof=1`,
        and episodes for tasks.

        To try: `p.given("accuracy_ci")`, with E = {episodes} and Q = {queries}.
        """

    @staticmethod
    def solution(correct):
        of_episode = np.mean(correct, axis=1)
        half_width = 1.96 * np.std(of_episode, ddof=1) / np.sqrt(len(of_episode))
        return np.mean(of_episode), half_width

    @staticmethod
    def variant(correct, over="episodes", gives="both", **settings):
        rows = {"images": correct.reshape(-1), "queries": correct.mean(axis=0)}.get(over, correct.mean(axis=1))
        half = _half(rows[None].astype(float), correct.size if over == "root of the images" else rows.size, **settings)[
            0
        ]
        mean = np.mean(correct)
        return {
            "ends": (mean - half, mean + half), "exchanged": (half, mean), "errors": (1 - mean, half),
            "percent": (100 * mean, 100 * half), "mean in percent": (100 * mean, half),
            "median": (np.median(correct.mean(axis=1)), half),
        }.get(gives, (mean, half))  # fmt: skip

    def skip(self, settings):
        """What is divided by nothing does not depend on what is counted."""
        return settings.get("over") == "root of the images" and settings.get("root") == "left out"


class matching(FunctionProblem):
    title = "Matching Networks: attention to the support set"
    difficulty, minutes = "hard", 12
    tags = ("concept:k-shot-n-way", "method:metric", "choice-table")
    forbidden = ((_matching, "`mlcourse.matching`"),)
    hints = (
        "Three steps: the cosine of each query with each support example, (Q, K); softmax over the support examples; then add up, for "
        "each class, the attention of its examples.",
        "Divide `z_query` and `z_support` by their lengths, `np.linalg.norm(…, axis=-1, keepdims=True)`, and multiply: `@ z_support.T`.",
        "`own = y_support[:, None] == np.arange(ways)` is (K, N); `attention @ own` adds up. Return its logarithm.",
    )
    explanation = r"""
    $p(n) = \sum_{i:\,y_i = n} a_i$ with $a$ the softmax, over all support examples, of $\cos(z, z_i)$. With one shot of each class, the
    most probable class is that of the largest cosine. With more, every example has its say: no mean is taken.
    """
    deviations = (
        Deviation("over", "queries", "attention over the queries",
                  "The attention to one support example adds up to 1 over the queries. A query pays it: softmax over the support, `axis=-1`."),
        Deviation("similarity", "dot", "no cosine",
                  "This takes inner products. The cosine divides by both lengths: a long embedding gets no more attention."),
        Deviation("similarity", "query", "one length left out",
                  "Only the queries were divided by their lengths. The cosine divides by those of the support examples, too."),
        Deviation("similarity", "support", "one length left out",
                  "Only the support examples were divided by their lengths. The cosine divides by those of the queries, too."),
        Deviation("similarity", "distance", "distance for cosine",
                  "This takes minus the squared distance, as prototypes do. Attention is the softmax of the cosine."),
        Deviation("similarity", "negative", "nearest gets least",
                  "The sign of the cosine is turned: the support example that is most alike gets the least attention."),
        Deviation("pooled", "mean", "mean for sum",
                  "The attention is averaged over the examples of a class. Add it up, then the probabilities add up to 1."),
        Deviation("pooled", "max", "best example only",
                  "Each class has the attention of its best example alone. All its examples count: add them up."),
        Deviation("pooled", "blocks", "rows taken in order",
                  "The support examples were taken class by class, in order. Their labels say whose they are: `y_support == n`."),
        Deviation("pooled", "first", "averaged before the softmax",
                  "The cosines of a class were averaged, and the softmax taken over classes. The softmax comes first, over the examples."),
        Deviation("pooled", "added first", "added before the softmax",
                  "The cosines of a class were added up, and the softmax taken over classes. The softmax comes first, over the examples."),
        Deviation("pooled", "normalised mean", "mean for sum, made to add up",
                  "The attention is averaged over the examples of a class, and divided so that it adds up to 1. Add it up: it does so by itself."),
        Deviation("pooled", "embedding", "cosine to the mean embedding",
                  "The embeddings of a class are averaged first, as prototypes are, and the cosine taken to their mean. Here every example has its own."),
        Deviation("form", "p", "probabilities for their logarithms", "These are the probabilities. Return their logarithms."),
        Deviation("form", "loss", "sign of the logarithm",
                  "These are the negative logarithms: positive numbers, a loss. Log-probabilities are at most 0."),
    )  # fmt: skip

    def draw(self, rng):
        queries, ways, shots, size = (int(n) for n in rng.integers((2, 2, 2, 2), (6, 5, 4, 6)))
        y = rng.permutation(np.concatenate([np.repeat(np.arange(ways), shots), rng.integers(ways, size=1)]))
        z = 2 * rng.normal(size=(queries + len(y), size))
        return {"z_query": z[:queries], "z_support": z[queries:], "y_support": y, "ways": ways}

    def statement(self, given):
        return rf"""
        Write `matching(z_query, z_support, y_support, ways)`: $\log p(n)$ of each query for each class, shape `(Q, N)`, as Matching
        Networks have it. A query pays each support example the **attention** $a_i$, the softmax over *all support examples* of the
        cosine of its embedding with theirs; $p(n)$ is the attention that the examples of class n get together.

        `z_query` has shape `(Q, D)`, `z_support` `(K, D)`; `y_support` holds the K labels 0 … N − 1, in any order, and not every class
        need have as many examples; `ways` is N.

        To try: `p.given("matching")`, with Q = {len(given.z_query)}, K = {len(given.z_support)} and N = {given.ways}.
        """

    @staticmethod
    def solution(z_query, z_support, y_support, ways):
        unit_query = z_query / np.linalg.norm(z_query, axis=-1, keepdims=True)
        unit_support = z_support / np.linalg.norm(z_support, axis=-1, keepdims=True)
        attention = np.exp(unit_query @ unit_support.T)
        attention = attention / attention.sum(axis=-1, keepdims=True)
        own = y_support[:, None] == np.arange(ways)
        return np.log(attention @ own)

    @staticmethod
    def variant(z_query, z_support, y_support, ways, over="support", similarity="cosine", pooled="sum", form="log"):
        unit_query, unit_support = (z / np.linalg.norm(z, axis=-1, keepdims=True) for z in (z_query, z_support))
        s = {
            "dot": z_query @ z_support.T, "query": unit_query @ z_support.T, "support": z_query @ unit_support.T,
            "distance": -np.sum((z_query[:, None] - z_support) ** 2, axis=-1), "negative": -unit_query @ unit_support.T,
        }.get(similarity, unit_query @ unit_support.T)  # fmt: skip
        labels = np.sort(y_support) if pooled == "blocks" else y_support
        own = labels[:, None] == np.arange(ways)
        axis = 0 if over == "queries" else -1
        a = np.exp(log_softmax(s, axis))
        if pooled in ("first", "added first"):
            log_p = log_softmax(s @ own / (own.sum(axis=0) if pooled == "first" else 1), axis)
        elif pooled == "embedding":
            means = own.T @ z_support / own.sum(axis=0)[:, None]
            log_p = log_softmax(unit_query @ (means / np.linalg.norm(means, axis=-1, keepdims=True)).T, axis)
        elif pooled == "normalised mean":
            p = a @ (own / own.sum(axis=0))
            log_p = np.log(p / p.sum(axis=-1, keepdims=True))
        else:
            p = {"mean": a @ (own / own.sum(axis=0)), "max": np.max(a[:, :, None] * own, axis=1)}.get(pooled, a @ own)
            log_p = np.log(p)
        return {"p": np.exp(log_p), "loss": -log_p}.get(form, log_p)

    def simpler(self, case):
        one = np.unique(case["y_support"], return_index=True)[1]
        return {"one shot of each class": case | {name: case[name][one] for name in ("z_support", "y_support")}}

    @mistake(
        "hard nearest",
        "All of the attention goes to the most similar example: its class has p = 1. Matching Networks share it out, by a softmax.",
    )
    def nearest(z_query, z_support, y_support, ways):
        cosine = (z_query / np.linalg.norm(z_query, axis=-1, keepdims=True)) @ (
            z_support / np.linalg.norm(z_support, axis=-1, keepdims=True)
        ).T
        with np.errstate(divide="ignore"):
            return np.log(1.0 * (y_support[cosine.argmax(axis=-1)][:, None] == np.arange(ways)))

    @mistake(
        "hard nearest, as probabilities",
        "The most similar example decides alone: its class gets 1, the others 0. Share the attention out by a softmax; return log p.",
    )
    def nearest_p(z_query, z_support, y_support, ways):
        return np.exp(matching.mistakes[0].answer(z_query, z_support, y_support, ways))

    @mistake(
        "attention not pooled",
        "This is the attention to each support example. Add it up within each class: one column a class, (Q, N).",
    )
    def unpooled(z_query, z_support, y_support, ways):
        unit_query, unit_support = (z / np.linalg.norm(z, axis=-1, keepdims=True) for z in (z_query, z_support))
        return log_softmax(unit_query @ unit_support.T)


class choose_method(ChoiceProblem):
    title = "compare, adapt, or neither?"
    difficulty, minutes = "medium", 8
    tags = ("choice-table",)
    labels = ("metric", "gradient steps", "neither")
    hints = (
        "First ask whether the tasks share anything that θ can bring along. If not, or if there is but one task, choose neither.",
        "A metric method needs classes, and an embedding that serves the new tasks. Where it has both it is the cheapest there is.",
        "Gradient steps need a loss with a gradient, and a θ that is a better start than a random one. Was that measured? If a random "
        "start does as well, nothing that was meta-learned is of use.",
    )
    explanation = """
    A metric method where the tasks differ in their classes and share what makes two examples alike: it costs two forward passes, and
    does not care how many classes a task has. Gradient steps where there are no classes, and the loss is not 'which class'. Neither
    where there is one task, or where the new tasks share nothing with those of training: there neither an embedding nor a start
    helps, and the task is learned from its own examples.
    """
    traps = MappingProxyType({
        "classes where there are none": "A metric method was chosen for targets that are numbers, rewards or words. It needs classes: a "
        "prototype is the middle of one.",
        "steps where only comparing fits": "Gradient steps were chosen where comparing does all that is asked: for other classes, or "
        "other numbers of classes, with forward passes alone.",
        "an embedding for everything": "A metric method was chosen although its embedding was measured to be of no use on the new tasks. "
        "It stays as it is, whatever the support set says.",
        "a start for everything": "Gradient steps from a meta-learned start were chosen although a random start was measured to do as "
        "well on the new tasks. Then train on the task alone.",
        "meta-learning without tasks": "A meta-learner was chosen where there is one task alone, or nothing is shared. Neither helps there.",
    })  # fmt: skip

    def statement(self, given):
        return """
        What would you try first: a *metric* method (ProtoNet, Matching), *gradient steps* from a meta-learned start (MAML and its kin), or
        *neither*, ordinary training on the task alone?
        """

    def items(self, rng):
        classes, steps_trap, useless, begun, alone = self.traps
        n, few, many = (int(k) for k in rng.integers((5, 1, 30), (30, 6, 200)))
        gone = int(rng.integers(20, 30))
        pool = [
            Item(f"Bird calls, {n} species a task, {few} recordings of each; new species next season; a chip that runs the network "
                 "forward, and no more.", "metric", {steps_trap: "gradient steps"}, "what can the chip compute?"),
            Item(f"Handwritten symbols from {n} notebooks. A task has 3, or 7, or {n} classes: one never knows.", "metric",
                 {steps_trap: "gradient steps"}, "how many outputs would a head have?"),
            Item(f"Faces at a door: a person is shown {few} times and must be known from then on. Many people to train on.", "metric",
                 {steps_trap: "gradient steps"}, "what do the tasks share?"),
            Item(f"Logos, {n}-way {few}-shot. On held-out brands ProtoNet and MAML are equally good, and each answer has to come fast.",
                 "metric", {steps_trap: "gradient steps"}, "which of them has no inner loop?"),
            Item(f"The temperature curve of a machine from {few} measurements; curves of {many} other machines are there.",
                 "gradient steps", {classes: "metric"}, "what are the targets?"),
            Item(f"A robot that must reach a new goal after {few} tries, trained on {many} goals; it gets rewards.", "gradient steps",
                 {classes: "metric"}, "where would prototypes come from?"),
            Item(f"Dose for a new patient, a number, from {few} blood samples; {many} patients are on file.", "gradient steps",
                 {classes: "metric"}, "what are the targets?"),
            Item(f"How a speaker's next sound wave goes on, from {few} seconds of it; {many} other speakers are recorded.",
                 "gradient steps", {classes: "metric"}, "what are the targets?"),
            Item(f"5-way tasks from a new microscope, {many} images of each class. ProtoNet's embedding is right in {gone} % of the cases, a "
                 "guesser in 20 %; steps from MAML's θ end where steps from a random start do.", "neither",
                 {useless: "metric", begun: "gradient steps"}, "what that was meta-learned is of use there?"),
            Item(f"5-way tasks of a new sensor, {many} shots. Prototypes do no better than chance, {gone - 4} %; from MAML's θ the loss falls "
                 "no faster than from a random start.", "neither",
                 {useless: "metric", begun: "gradient steps"}, "what that was meta-learned is of use there?"),
            Item(f"One task for good: {many} 000 labelled photos of the same ten classes.", "neither",
                 {alone: "metric"}, "what would a second task be?"),
            Item(f"{many} tables with other columns, other units and other targets each. Trained on some, a learner does no better on the rest.",
                 "neither", {alone: "gradient steps"}, "what do they share?"),
            Item(f"Tomorrow's winner among {n} tickets, from yesterday's {few}.", "neither", {alone: "metric"}, "what do draws share?"),
        ]  # fmt: skip
        groups = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [10, 11, 12]]
        chosen = [
            pool[i] for group, count in zip(groups, (2, 2, 1, 2), strict=True) for i in rng.permutation(group)[:count]
        ]
        return [chosen[i] for i in rng.permutation(len(chosen))]
