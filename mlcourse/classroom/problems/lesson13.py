"""Lesson 13, where it fits."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, TextProblem, mistake
from mlcourse.recipes.deviations import Deviation


class maml_passes(FunctionProblem):
    title = "what an iteration of MAML costs"
    place = "lesson"
    difficulty, minutes = "easy", 3
    tags = ("concept:maml", "takeaway:second-order-terms", "concept:batch-of-tasks")
    hints = (
        "Way there: a gradient of the support loss at θ_0, …, θ_(m−1), and one of the query loss at θ_m. How many gradients is that?",
        "m + 1 gradients there; m Hessian products back, 2.5 passes each. All of it for every task of the batch.",
    )
    explanation = """
    Each of the m inner steps needs a gradient, and the end of the path one more, of the query loss. The way back multiplies with each
    step's Hessian once. That is m + 1 + 2.5 m passes a task, and the batch has T tasks.
    """
    deviations = (
        Deviation("hessians", "none", "Hessian products not counted",
                  "This is FOMAML's cost. Exact MAML goes back through m Hessian products, 2.5 passes each."),
        Deviation("hessians", "one", "a Hessian product counted as a gradient",
                  "The Hessian products are counted as one pass each. Lesson 7 counts 2.5."),
        Deviation("hessians", "m + 1", "a Hessian at the end",
                  "m + 1 Hessian products are counted. The query's gradient is where the way back begins; only the m steps have one."),
        Deviation("gradients", "m", "the query's gradient left out",
                  "m gradients are counted: those of the steps. The query loss at θ_m has a gradient, too."),
        Deviation("gradients", "1", "one gradient",
                  "One gradient is counted, and each of the m inner steps needs its own, beside the query's."),
        Deviation("gradients", "2m", "a query gradient at every step",
                  "A query gradient is counted at every step. The query loss is looked at once, at the end."),
        Deviation("hessians", "1", "one Hessian product",
                  "One Hessian product is counted. The way back has one for each of the m steps."),
        Deviation("counted", "one task", "one task", "This is the cost for one task. Every task of the batch has its own path."),
        Deviation("counted", "first term", "not all times the tasks",
                  "Only the inner steps' gradients are counted for all tasks. Put brackets: all that a task costs, times the tasks."),
    )  # fmt: skip

    def draw(self, rng):
        return {"tasks": int(rng.integers(2, 40)), "steps": int(rng.integers(1, 8))}

    def statement(self, given):
        return rf"""
        A gradient with one task's support or query set is one pass, a Hessian product with one counts 2.5. Write `maml_passes(tasks, steps)`: the
        passes of one iteration of exact MAML, with `tasks` tasks and `steps` inner steps.

        For {given.tasks} tasks and {given.steps} steps it gives {self.solution(**vars(given)):g}.
        """

    @staticmethod
    def solution(tasks, steps):
        return tasks * (steps + 1 + 2.5 * steps)

    @staticmethod
    def variant(tasks, steps, hessians="m", gradients="m + 1", counted="all tasks"):
        back = {"m": 2.5 * steps, "none": 0, "one": steps, "m + 1": 2.5 * (steps + 1), "1": 2.5}[hessians]
        there = {"m + 1": steps + 1, "m": steps, "1": 1, "2m": 2 * steps}[gradients]
        in_brackets = there + back
        return {
            "all tasks": tasks * in_brackets,
            "one task": in_brackets,
            "first term": (tasks - 1) * steps + in_brackets,
        }[counted]


def _ridge(X, y, lam, hessian=2.0):
    """H and w of mean((Xw - y)^2) + lam / 2 |w|^2."""
    H = hessian * X.T @ X / len(X)
    return H, np.linalg.solve(H + lam * np.eye(len(H)), hessian * X.T @ y / len(X))


def _outer(rng):
    """A training and a validation set of one linear task, and a λ."""
    size = int(rng.integers(2, 5))
    shots, judges = size + int(rng.integers(2, 6)), int(rng.integers(4, 9))
    w, X, X_val = rng.normal(size=size), rng.normal(size=(shots, size)), rng.normal(size=(judges, size))
    return {
        "X": X,
        "y": X @ w + 0.7 * rng.normal(size=shots),
        "X_val": X_val,
        "y_val": X_val @ w + 0.7 * rng.normal(size=judges),
        "lam": float(rng.uniform(0.2, 2)),
    }


class hypergradient(FunctionProblem):
    title = "the slope of the validation loss in λ"
    place = "lesson"
    difficulty, minutes = "easy", 6
    tags = ("concept:higher-order-gradients", "concept:meta-objective", "concept:outer-loop")
    hints = (
        "`moves` is dw/dλ. Differentiate each term of ∇L_s(w) + λw = 0 in λ, with w a function of λ. The first gives H dw/dλ.",
        "H dw/dλ + w + λ dw/dλ = 0, so (H + λI) dw/dλ = −w: `np.linalg.solve`, with the matrix that stands in the line above.",
        "The validation loss sees λ through w alone: dL_q/dλ = ∇L_q(w) · dw/dλ, `slope @ moves`.",
    )
    explanation = r"""
    λ stands nowhere in $L_q(w) = \frac1V|X_\text{val}w - y_\text{val}|^2$. All of the slope is *indirect*, through $w(\lambda)$: $\nabla L_q(w) \cdot
    \frac{dw}{d\lambda}$, with $(H + \lambda I)\frac{dw}{d\lambda} = -w$ from the condition that defines w.
    """
    deviations = (
        Deviation("sign", 1, "sign of dw/dλ", "The sign is turned: with a stronger pull w moves *towards* 0, so dw/dλ solves (H + λI) dw/dλ = −w."),
        Deviation("matrix", "H", "the pull left out of the matrix",
                  "dw/dλ is solved with H alone. λw moves with w, too: the matrix is H + λI."),
        Deviation("matrix", "λI", "the Hessian left out",
                  "dw/dλ is −w/λ here. ∇L_s(w) moves with w, too: the matrix is H + λI."),
        Deviation("matrix", "I", "no solve", "dw/dλ is taken for −w. It solves (H + λI) dw/dλ = −w."),
        Deviation("matrix", "inverse", "multiplied instead of solved",
                  "−w is multiplied by H + λI. dw/dλ is what the matrix maps to −w: solve for it."),
        Deviation("judged", "training", "judged on the training set",
                  "The slope is that of the training loss. The outer loss is the validation loss: ∇L_q(w) with X_val and y_val."),
        Deviation("judged", "both", "judged on both sets",
                  "The slope is that of both losses together. The outer loss is the validation loss alone."),
        Deviation("w", "no pull", "w without the ridge",
                  "w is the plain least-squares solution. It has to be the one at this λ: (H + λI) w = 2Xᵀy/K."),
        Deviation("hessian", 1.0, "the inner factor 2 left out",
                  "The inner loss has the Hessian 2XᵀX/K; here it is XᵀX/K, so that λ weighs twice as much."),
        Deviation("outer", "factor 2", "factor 2", "The factor 2 of ∇L_q is missing: differentiating a square brings it."),
        Deviation("outer", "sum", "sum for mean", "∇L_q is taken of the sum over the validation examples. The loss is their mean."),
        Deviation("outer", "K", "divided by K", "∇L_q is divided by the number of training examples. Its mean is over the validation set."),
        Deviation("variable", "log λ", "slope in log λ", "This is λ times the slope: the derivative in log λ. Asked for is the one in λ."),
    )  # fmt: skip

    def draw(self, rng):
        return _outer(rng)

    def statement(self, given):
        (shots, size), judges = given.X.shape, len(given.X_val)
        return rf"""
        $w(\lambda)$ is where $\frac1K|Xw - y|^2 + \frac\lambda2|w|^2$ is least, and it is judged by $L_q(w) = \frac1V|X_\text{{val}}w - y_\text{{val}}|^2$. Write
        `hypergradient(X, y, X_val, y_val, lam)`: $\frac{{d}}{{d\lambda}}L_q(w(\lambda))$, a number. `X` has shape `(K, P)`, `y` `(K,)`, `X_val`
        `(V, P)`, `y_val` `(V,)`. It has to be exact; six digits are looked at.

        For `p.given("hypergradient")`, with K = {shots}, V = {judges}, P = {size} and λ = {given.lam:.3f}, it gives {self.solution(**vars(given)):.5f}.
        """

    @staticmethod
    def solution(X, y, X_val, y_val, lam):
        H = 2 * X.T @ X / len(X)
        w = np.linalg.solve(H + lam * np.eye(len(H)), 2 * X.T @ y / len(X))
        moves = np.linalg.solve(H + lam * np.eye(len(H)), -w)
        slope = 2 * X_val.T @ (X_val @ w - y_val) / len(X_val)
        return slope @ moves

    @staticmethod
    def variant(
        X, y, X_val, y_val, lam, sign=-1, matrix="H + λI", judged="validation", w="ridge", hessian=2.0, outer="mean",
        variable="λ",
    ):  # fmt: skip
        unit = np.eye(X.shape[1])
        H, solved = _ridge(X, y, lam, hessian)
        if w == "no pull":
            solved = np.linalg.lstsq(X, y, rcond=None)[0]
        M = {"H": H, "λI": lam * unit, "I": unit, "inverse": np.linalg.inv(H + lam * unit)}.get(matrix, H + lam * unit)
        moves = np.linalg.solve(M, sign * solved)
        on = {"validation": [(X_val, y_val)], "training": [(X, y)], "both": [(X_val, y_val), (X, y)]}[judged]
        number = {"sum": lambda n: 2.0, "factor 2": lambda n: 1 / n, "K": lambda n: 2 / len(X)}.get(
            outer, lambda n: 2 / n
        )
        slope = sum(number(len(A)) * A.T @ (A @ solved - b) for A, b in on)
        return slope @ moves * (lam if variable == "log λ" else 1)

    @mistake(
        "indirect term missing",
        "This is 0: λ stands nowhere in the validation loss. But w moves with λ, and the loss with w: the whole slope is this indirect term.",
    )
    def no_slope(X, y, X_val, y_val, lam):
        return 0.0

    @mistake(
        "indirect term missing: the penalty alone",
        "This is |w|²/2, the slope of the *training* objective at a w that stands still. The validation loss sees λ through w alone: "
        "the indirect term ∇L_q(w)·dw/dλ is missing.",
    )
    def penalty(X, y, X_val, y_val, lam):
        _, w = _ridge(X, y, lam)
        return w @ w / 2

    @mistake(
        "penalty counted outside",
        "The penalty |w|²/2 is counted outside, beside the indirect term. The validation loss is judged without it.",
    )
    def penalty_too(X, y, X_val, y_val, lam):
        _, w = _ridge(X, y, lam)
        return hypergradient.solution(X, y, X_val, y_val, lam) + w @ w / 2


class attention_step(FunctionProblem):
    title = "one layer of attention"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:inner-loop", "concept:gradient-based-adaptation", "concept:support-set")
    hints = (
        "The step is w′ = 0 − α∇L(0), with ∇L(0) = −(2/K) Σ y_i x_i. The prediction is w′·x.",
        "Swap the order: first the similarities x_i·x, one a context example, `context_x @ query_x`. Then weigh the y_i with them.",
        "`scores @ context_y` is Σ y_i (x_i·x). What stands in front of it is 2α/K.",
    )
    explanation = r"""
    $w' = \frac{2\alpha}{K}\sum_i y_i x_i$, so $w' \cdot x = \frac{2\alpha}{K}\sum_i y_i\,(x_i \cdot x)$. Read from the right: compare the query with each
    key $x_i$, weigh the values $y_i$ by that, add up. This is attention without the softmax.
    """
    deviations = (
        Deviation("scores", "softmax", "softmax",
                  "The similarities go through a softmax, as in a usual transformer. A gradient step takes them as they are: they may be negative, and need not add up to 1."),
        Deviation("scores", "normalised", "shares that add up to 1",
                  "The similarities are divided by their sum. A gradient step takes them as they are: x_i·x."),
        Deviation("scores", "cosine", "cosines", "These are cosines. The step has the plain products x_i·x, lengths and all."),
        Deviation("scores", "distance", "distances",
                  "The similarities are minus squared distances, as a ProtoNet's. The step has the products x_i·x."),
        Deviation("scores", "scaled", "divided by √d",
                  "The similarities are divided by √d, as in a usual transformer. A gradient step takes them as they are: x_i·x."),
        Deviation("scores", "equal", "mean of the y",
                  "The query has no say: every y_i counts alike. Weigh each with x_i·x."),
        Deviation("scores", "squared", "similarity twice", "The products x_i·x are squared. They stand in the step once."),
        Deviation("factor", "2α", "sum for mean",
                  "1/K is missing: L is the mean over the context, and so is its gradient."),
        Deviation("factor", "2α/d", "divided by d", "The sum is divided by d, the number of inputs. The loss is the mean over the K examples."),
        Deviation("factor", "α/K", "factor 2", "The factor 2 is missing: differentiating a square brings it."),
        Deviation("factor", "α", "factor 2 and mean",
                  "The factor 2/K is missing: L is a mean of squares, and its gradient has both."),
        Deviation("factor", "2/K", "alpha left out", "α is missing: this is a step of size 1."),
        Deviation("factor", "1/K", "alpha and the factor 2 left out", "This is the mean of y_i (x_i·x). The step has the length 2α."),
        Deviation("factor", "1", "plain attention", "This is the sum of y_i (x_i·x). The step is 2α/K times that."),
        Deviation("sign", -1, "uphill", "The sign is turned: this goes uphill. w′ = −α∇L(0), and ∇L(0) has a minus of its own."),
    )  # fmt: skip

    def draw(self, rng):
        shots, size = int(rng.integers(3, 8)), int(rng.integers(2, 5))
        return {
            "context_x": rng.normal(size=(shots, size)),
            "context_y": rng.normal(size=shots),
            "query_x": rng.normal(size=size),
            "alpha": float(rng.uniform(0.05, 0.45)),
        }

    def statement(self, given):
        shots, size = given.context_x.shape
        return rf"""
        A linear model $w \cdot x$ starts at $w = 0$ and takes one gradient step of size `alpha` on $L(w) = \frac1K\sum_i (w \cdot x_i - y_i)^2$, the loss of
        the context. Write `attention_step(context_x, context_y, query_x, alpha)`: its prediction for `query_x` after the step, a number.
        `context_x` has shape `(K, d)`, `context_y` `(K,)`, `query_x` `(d,)`.

        For `p.given("attention_step")`, with K = {shots} and d = {size}, it gives {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(context_x, context_y, query_x, alpha):
        scores = context_x @ query_x
        return 2 * alpha * np.mean(scores * context_y)

    @staticmethod
    def variant(context_x, context_y, query_x, alpha, scores="x_i·x", factor="2α/K", sign=1):
        plain = context_x @ query_x
        lengths = np.linalg.norm(context_x, axis=1) * np.linalg.norm(query_x)
        s = {
            "x_i·x": plain,
            "softmax": np.exp(plain - plain.max()) / np.sum(np.exp(plain - plain.max())),
            "normalised": plain / np.sum(plain),
            "cosine": plain / lengths,
            "distance": -np.sum((context_x - query_x) ** 2, axis=1),
            "scaled": plain / np.sqrt(len(query_x)),
            "equal": np.ones(len(plain)),
            "squared": plain**2,
        }[scores]
        size = {
            "2α/K": 2 * alpha / len(s),
            "2α": 2 * alpha,
            "2α/d": 2 * alpha / len(query_x),
            "α/K": alpha / len(s),
            "α": alpha,
            "2/K": 2 / len(s),
            "1/K": 1 / len(s),
            "1": 1,
        }[factor]
        return sign * size * (s @ context_y)

    @mistake(
        "fitted to the end",
        "This is the least-squares fit of the context. One step from 0 is asked for: it goes part of the way.",
    )
    def fitted(context_x, context_y, query_x, alpha):
        return np.linalg.lstsq(context_x, context_y, rcond=None)[0] @ query_x


class weight_gradient(FunctionProblem):
    title = "which training examples hurt?"
    difficulty, minutes = "hard", 15
    tags = ("concept:higher-order-gradients", "concept:meta-objective")
    hints = (
        "The condition: (2/K) Σ u_j x_j (x_j·w − y_j) + λw = 0. Differentiate it in u_i: a term of its own, and (H + λI) dw/du_i, where "
        "H = (2/K) Σ u_j x_j x_jᵀ.",
        "So (H + λI) dw/du_i = −(2/K) x_i r_i with r_i = x_i·w − y_i. For all i at once solve only once: (H + λI) v = ∇L_q(w).",
        "dL_q/du_i = ∇L_q(w)·dw/du_i = −(2/K) r_i (x_i·v).",
    )
    explanation = r"""
    $(H + \lambda I)\frac{dw}{du_i} = -\frac2K r_i x_i$, and $\nabla L_q(w) \cdot \frac{dw}{du_i} = -\frac2K r_i\,(x_i \cdot v)$ with $(H + \lambda I)v =
    \nabla L_q(w)$. One solve serves all examples. Where the slope is positive, more weight on this example makes the validation loss worse.
    """
    deviations = (
        Deviation("sign", 1, "sign of dw/du", "The sign is turned: (H + λI) dw/du_i = −(2/K) r_i x_i, since the two terms add up to 0."),
        Deviation("hessian", "unweighted", "Hessian without the weights",
                  "H is that of the unweighted loss. The inner loss counts example i with u_i, and so does H = (2/K) Σ u_i x_i x_iᵀ."),
        Deviation("w", "unweighted", "w without the weights", "w was fitted with all weights 1. It is the one for these weights u."),
        Deviation("solve", "no pull", "the pull left out of the solve", "v solves (H + λI) v = ∇L_q(w). Here the λI is missing."),
        Deviation("solve", "none", "first-order",
                  "This is −(2/K) r_i x_i·∇L_q(w): the products of gradients, as if one step had been taken. At the end of the inner "
                  "problem the matrix H + λI is to be solved with."),
        Deviation("residuals", "left out", "residuals left out", "r_i = x_i·w − y_i is missing: an example that is fitted has no say, whatever its weight."),
        Deviation("residuals", "with weights", "weights counted twice",
                  "The residual is multiplied by u_i. Differentiated in u_i, the term u_i r_i x_i leaves r_i x_i."),
        Deviation("residuals", "targets", "u in the Hessian forgotten",
                  "H is taken for fixed, so that y_i is left of r_i. u_i weighs both of the residual's terms: it stands in H, too."),
        Deviation("judged", "training", "judged on the training set", "∇L_q is that of the training loss. The outer loss is the validation loss."),
        Deviation("judged", "sum", "sum for mean outside", "∇L_q is taken of the sum over the validation examples. The loss is their mean."),
        Deviation("factor", "1/K", "factor 2",
                  "A factor 2 is missing. Differentiating squares brings one inside, (2/K) u_i r_i x_i, and one outside, in ∇L_q."),
        Deviation("factor", "2", "sum for mean", "The factor 1/K is missing: the inner loss is a mean over the K examples."),
    )  # fmt: skip

    def draw(self, rng):
        case = _outer(rng)
        u = rng.uniform(0.3, 2, len(case["y"]))
        return {"X": case.pop("X"), "y": case.pop("y"), "u": u, **case}

    def statement(self, given):
        (shots, size), judges = given.X.shape, len(given.X_val)
        first = ", ".join(f"{number:.4f}" for number in self.solution(**vars(given))[:3])
        return rf"""
        Each training example has a weight: $w(u)$ is where $\frac1K\sum_i u_i\,(x_i \cdot w - y_i)^2 + \frac\lambda2|w|^2$ is least. It is judged by $L_q(w) =
        \frac1V|X_\text{{val}}w - y_\text{{val}}|^2$. Write `weight_gradient(X, y, u, X_val, y_val, lam)`: the derivatives of $L_q(w(u))$ in the
        weights, shape `(K,)`. `X` has shape `(K, P)`, `y` and `u` `(K,)`, `X_val` `(V, P)`, `y_val` `(V,)`.

        For `p.given("weight_gradient")`, with K = {shots}, V = {judges} and P = {size}, its first three entries are {first}.
        """

    @staticmethod
    def solution(X, y, u, X_val, y_val, lam):
        M = 2 * X.T @ (u[:, None] * X) / len(X) + lam * np.eye(X.shape[1])
        w = np.linalg.solve(M, 2 * X.T @ (u * y) / len(X))
        v = np.linalg.solve(M, 2 * X_val.T @ (X_val @ w - y_val) / len(X_val))
        return -2 / len(X) * (X @ w - y) * (X @ v)

    @staticmethod
    def variant(
        X, y, u, X_val, y_val, lam, sign=-1, hessian="weighted", w="weighted", solve="H + λI", residuals="r",
        judged="validation", factor="2/K",
    ):  # fmt: skip
        pull, K = lam * np.eye(X.shape[1]), len(X)
        fit = np.ones(K) if w == "unweighted" else u
        solved = np.linalg.solve(2 * X.T @ (fit[:, None] * X) / K + pull, 2 * X.T @ (fit * y) / K)
        H = 2 * X.T @ ((np.ones(K) if hessian == "unweighted" else u)[:, None] * X) / K
        A, b = (X, y) if judged == "training" else (X_val, y_val)
        g = 2 * A.T @ (A @ solved - b) / (1 if judged == "sum" else len(A))
        v = {
            "H + λI": lambda: np.linalg.solve(H + pull, g),
            "no pull": lambda: np.linalg.solve(H, g),
            "none": lambda: g,
        }[solve]()
        r = {"r": X @ solved - y, "left out": np.ones(K), "with weights": u * (X @ solved - y), "targets": -y}[
            residuals
        ]
        return sign * {"2/K": 2 / K, "1/K": 1 / K, "2": 2}[factor] * r * (X @ v)

    def skip(self, settings):
        return settings.get("solve") == "none" and "hessian" in settings

    @mistake(
        "indirect term missing",
        "This is 0: u stands nowhere in the validation loss. But w moves with u, and the loss with w: the whole slope is this indirect term.",
    )
    def no_slope(X, y, u, X_val, y_val, lam):
        return np.zeros(len(y))

    @mistake(
        "indirect term missing: the training loss alone",
        "This is r_i²/K, the slope of the *training* loss at a w that stands still. The validation loss sees u through w alone: the "
        "indirect term ∇L_q(w)·dw/du_i is missing.",
    )
    def training_loss(X, y, u, X_val, y_val, lam):
        w = np.linalg.solve(2 * X.T @ (u[:, None] * X) / len(X) + lam * np.eye(X.shape[1]), 2 * X.T @ (u * y) / len(X))
        return (X @ w - y) ** 2 / len(X)

    @mistake(
        "weights squared",
        "The rows of X and y are multiplied by u_i, so that the loss counts example i with u_i². The weight stands outside the square.",
    )
    def squared(X, y, u, X_val, y_val, lam):
        return weight_gradient.solution(X, y, u**2, X_val, y_val, lam)


class attention_layers(FunctionProblem):
    title = "a layer more is a step more"
    difficulty, minutes = "hard", 15
    tags = ("concept:inner-loop", "concept:gradient-based-adaptation")
    hints = (
        "Keep what is not yet explained of each context example: at first r_i = y_i, later r_i = y_i − (prediction for x_i).",
        "One layer: every token attends to the context, with the r_i as values. The context takes what it gets off its r, the query adds it to "
        "its prediction. All tokens move at once, with the old r.",
        "`r, prediction = r - c * x @ (x.T @ r), prediction + c * query_x @ (x.T @ r)` with c = 2α/K, as often as there are layers.",
    )
    explanation = r"""
    Gradient descent never needs $w$: the residuals are enough. $w_{i+1} = w_i + \frac{2\alpha}{K}X^\top r$, so every prediction changes by
    $\frac{2\alpha}{K}\,x^\top X^\top r$, and every residual by minus that. Each layer does just this, for all tokens at once.
    """
    deviations = (
        Deviation("residuals", "never", "context never updated",
                  "Every layer sees the same y_i: m layers give m times the first step. The context's tokens attend, too: each takes its own "
                  "prediction off its y."),
        Deviation("residuals", "added", "context moves the wrong way",
                  "The context adds what it gets to its values. What is explained is to be taken off: r ← r − …"),
        Deviation("residuals", "from y", "residuals from the last layer alone",
                  "The residual is y minus the *last* layer's part. All layers' parts are explained: take each off what is left."),
        Deviation("residuals", "replaced", "residuals replaced",
                  "The context's values are replaced by what it gets. It is to be taken off: r ← r − …, the old r stays."),
        Deviation("order", "context first", "context before the query",
                  "The context is updated before the query attends. All tokens of a layer see the layer before it."),
        Deviation("order", "one by one", "one token after another",
                  "The context's tokens are updated one after the other, each seeing those before it. A layer moves all at once."),
        Deviation("more", 1, "one layer too many", "That is one layer too many."),
        Deviation("more", -1, "one layer too few", "That is one layer too few."),
        Deviation("gives", "last", "only the last layer's part", "This is what the last layer adds. The prediction is the sum over the layers."),
        Deviation("factor", "2α", "sum for mean", "1/K is missing: the loss is a mean over the context."),
        Deviation("factor", "α/K", "factor 2", "The factor 2 is missing: differentiating a square brings it."),
    )  # fmt: skip

    def draw(self, rng):
        shots, size = int(rng.integers(4, 8)), int(rng.integers(2, 4))
        return {
            "context_x": rng.normal(size=(shots, size)),
            "context_y": rng.normal(size=shots),
            "query_x": rng.normal(size=size),
            "alpha": float(rng.uniform(0.05, 0.2)),
            "layers": int(rng.integers(2, 6)),
        }

    def statement(self, given):
        shots, size = given.context_x.shape
        return rf"""
        Several layers of linear attention, one after another, shall take as many gradient steps from $w = 0$ on $L(w) = \frac1K\sum_i (w \cdot x_i - y_i)^2$,
        each of size `alpha`. Write `attention_layers(context_x, context_y, query_x, alpha, layers)`: the prediction for `query_x` after them, a
        number. Shapes as in `attention_step`: `(K, d)`, `(K,)`, `(d,)`. Whether you go by way of $w$ or by tokens is up to you; the second is how a transformer does it.

        For `p.given("attention_layers")`, with K = {shots}, d = {size} and {given.layers} layers, it gives {self.solution(**vars(given)):.5f}.
        """

    @staticmethod
    def solution(context_x, context_y, query_x, alpha, layers):
        r, prediction = context_y, 0.0
        for _ in range(layers):
            step = 2 * alpha / len(r) * context_x.T @ r
            r, prediction = r - context_x @ step, prediction + query_x @ step
        return prediction

    @staticmethod
    def variant(
        context_x, context_y, query_x, alpha, layers, residuals="taken off", order="at once", more=0, gives="sum", factor="2α/K"
    ):  # fmt: skip
        size = {"2α/K": 2 * alpha / len(context_y), "2α": 2 * alpha, "α/K": alpha / len(context_y)}[factor]
        r, parts = np.array(context_y), [0.0]
        for _ in range(layers + more):
            step = size * context_x.T @ r
            if order == "one by one":
                new = np.array(r)
                for i, x in enumerate(context_x):
                    new[i] -= size * x @ (context_x.T @ new)
            else:
                new = {
                    "taken off": r - context_x @ step,
                    "never": r,
                    "added": r + context_x @ step,
                    "from y": context_y - context_x @ step,
                    "replaced": context_x @ step,
                }[residuals]
            seen = step if order != "context first" else size * context_x.T @ new
            parts.append(query_x @ seen)
            r = new
        return parts[-1] if gives == "last" else np.sum(parts)

    def skip(self, settings):
        # the residuals' rule stands still, or is another one, beside these orders
        both = "residuals" in settings and "order" in settings
        return both and (settings["order"] == "one by one" or settings["residuals"] == "never")

    @mistake(
        "the query's prediction taken off",
        "The query's prediction is taken off every y_i. Each example of the context has a prediction of its own: y_i − (prediction for x_i).",
    )
    def of_the_query(context_x, context_y, query_x, alpha, layers):
        prediction = 0.0
        for _ in range(layers):
            residuals = context_y - prediction
            prediction = prediction + 2 * alpha / len(context_y) * query_x @ context_x.T @ residuals
        return prediction


class equal_budget(NumberProblem):
    title = "as many passes for fine-tuning"
    difficulty, minutes = "medium", 8
    tags = ("concept:maml", "takeaway:second-order-terms", "concept:k-shot-n-way")
    hints = (
        "What does one task cost MAML in pictures? A gradient of the N·K support pictures at each of the m steps, a Hessian product with them for each, and "
        "one gradient of the N·Q query pictures.",
        "T · (m · N·K + 2.5 · m · N·K + N·Q) pictures an iteration, times MAML's iterations, divided by the pictures of joint training's batch.",
    )
    explanation = """
    MAML passes T · N · (3.5 m K + Q) pictures an iteration: every inner step a gradient (1) and a Hessian product (2.5) of the support set, and at the end a
    gradient of the query set. Joint training gets as many in all.
    """

    def draw(self, rng):
        return {
            "T": int(rng.integers(4, 20)),
            "N": int(rng.integers(4, 8)),
            "K": int(rng.integers(1, 4)),
            "Q": int(rng.integers(4, 9)),
            "m": int(rng.integers(2, 6)),
            "iterations": 1000 * int(rng.integers(2, 9)),
            "batch": int(rng.choice([50, 100, 200])),
        }

    def statement(self, given):
        return rf"""
        Now a pass is counted by the *pictures* that go through the network: a gradient counts 1 for each picture, a Hessian product 2.5. MAML was trained
        for {given.iterations} iterations of {given.T} tasks, {given.N}-way {given.K}-shot with {given.Q} queries a class, and {given.m} inner steps.

        Joint training takes one gradient an iteration, of {given.batch} pictures. How many iterations of it cost as much? The numbers are in
        `p.given("equal_budget")`; do not round.
        """

    @staticmethod
    def solution(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (m * K + 2.5 * m * K + Q) / batch

    @mistake(
        "as many iterations",
        "These are MAML's iterations. An iteration of MAML costs several times one of joint training, or less: count.",
    )
    def iterations_alone(T, N, K, Q, m, iterations, batch):
        return iterations

    @mistake(
        "Hessian products not counted",
        "This is FOMAML's cost. Exact MAML has a Hessian product for each inner step, 2.5 for each picture.",
    )
    def first_order(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (m * K + Q) / batch

    @mistake(
        "a Hessian product counted as a gradient", "The Hessian products are counted like gradients. They count 2.5."
    )
    def hessian_one(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (2 * m * K + Q) / batch

    @mistake(
        "one inner step",
        "This is the cost with one inner step. Each of the m steps has its gradient and its Hessian product.",
    )
    def one_step(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (3.5 * K + Q) / batch

    @mistake(
        "the query set at every step",
        "The query set is counted at every inner step. It is looked at once, after the last.",
    )
    def query_each_step(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * m * (3.5 * K + Q) / batch

    @mistake(
        "Hessian products of the query set",
        "The Hessian products are counted with the query set's pictures. It is the *support* loss that the steps descend.",
    )
    def query_hessian(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (m * K + 2.5 * m * Q + Q) / batch

    @mistake(
        "Hessian products of all pictures",
        "The Hessian products are counted with support *and* query pictures. They are those of the support loss, which the steps descend.",
    )
    def hessian_of_both(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (m * K + 2.5 * m * (K + Q) + Q) / batch

    @mistake(
        "queries of one class",
        "Q queries are counted for a task. They are Q for each of its N classes.",
    )
    def queries_of_one_class(T, N, K, Q, m, iterations, batch):
        return iterations * T * (3.5 * m * N * K + Q) / batch

    @mistake(
        "two gradients for joint training",
        "Joint training is charged two gradients an iteration, as in the lesson. Here it takes one, of `batch` pictures.",
    )
    def joint_twice(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (3.5 * m * K + Q) / (2 * batch)

    @mistake("the query set left out", "The query set's gradient is not counted.")
    def no_query(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * 3.5 * m * K / batch

    @mistake(
        "each picture once",
        "Each picture of the episode is counted once. The support pictures go through at every step, there and back.",
    )
    def once(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (K + Q) / batch

    @mistake("N left out", "K and Q are counted a class: a task has N classes.")
    def no_ways(T, N, K, Q, m, iterations, batch):
        return iterations * T * (3.5 * m * K + Q) / batch

    @mistake("one task", "This is one task's cost. Every iteration has T of them.")
    def one_task(T, N, K, Q, m, iterations, batch):
        return iterations * N * (3.5 * m * K + Q) / batch

    @mistake(
        "sets for pictures",
        "Passes of whole sets are counted here, m + 1 + 2.5 m a task. Now it is the pictures that count, and the sets differ in size.",
    )
    def sets(T, N, K, Q, m, iterations, batch):
        return iterations * T * (m + 1 + 2.5 * m) / batch

    @mistake(
        "passes of MAML",
        "This is what MAML spends in all. Joint training spends a batch an iteration: divide by its pictures.",
    )
    def not_divided(T, N, K, Q, m, iterations, batch):
        return iterations * T * N * (3.5 * m * K + Q)


_INNER, _OUTER, _GOAL, _JUDGE, _FIXED = "inner variable", "outer variable", "inner loss", "outer loss", "neither"


class bilevel_terms(ChoiceProblem):
    title = "who plays which part?"
    difficulty, minutes = "medium", 10
    tags = (
        "concept:meta-objective",
        "concept:inner-loop",
        "concept:outer-loop",
        "concept:meta-parameters",
        "concept:adapted-parameters",
    )
    labels = (_INNER, _OUTER, _GOAL, _JUDGE, _FIXED)
    hints = (
        "The inner variable is what is found anew, for one value of the outer one, by making the inner loss small. Then the outer loss says how "
        "good that was.",
        "Ask of a number: does the outer loop change it by a gradient (outer variable), does the inner loop find it (inner variable), or "
        "does somebody set it, or look at it once at the end (neither)?",
    )
    explanation = """
    | problem | inner variable | inner loss | outer variable | outer loss |
    |---|---|---|---|---|
    | MAML | θ′, one a task | support loss | θ | query loss |
    | ridge λ | w | training loss and pull | λ | validation loss |
    | data weights | w | weighted training loss | the weights u | validation loss |
    | distillation | w | loss on the made-up examples | those examples | loss on the real ones |

    Test tasks and test sets belong to none: they are looked at once, when all is chosen. A step size that somebody set is fixed; Meta-SGD makes
    it an outer variable.
    """
    traps = MappingProxyType(
        {
            "inner and outer variable exchanged": "What the inner loop finds anew was called the outer variable, or the other way round. The outer variable is what stays "
            "when the next inner problem begins.",
            "inner and outer loss exchanged": "The two losses were exchanged. The inner loss is what is descended to find the inner variable; the outer one judges what was found.",
            "the test set in the loop": "A test set was given a part. It has none: it is looked at once, when both loops are done.",
            "a setting taken for a variable": "Something that somebody sets was called a variable of one of the loops. It is one only if a loop changes it.",
        }
    )

    def statement(self, given):
        return """
        Four bilevel problems. *MAML*. *Ridge*: λ is tuned by its hypergradient. *Data weights*: each training example gets a weight, tuned likewise.
        *Distillation*: a few made-up examples are tuned so that a model trained on them does well on real ones. Each line names a
        problem and one thing in it. What part does that play: *inner variable*, *outer variable*, *inner loss*, *outer loss*, or *neither*?
        """

    def items(self, rng):
        variables, losses, test, setting = self.traps
        n, m, alpha = int(rng.integers(5, 60)), int(rng.integers(1, 8)), round(float(rng.uniform(0.01, 0.4)), 2)

        def item(text, label, look):
            traps = {
                _INNER: {variables: _OUTER},
                _OUTER: {variables: _INNER},
                _GOAL: {losses: _JUDGE},
                _JUDGE: {losses: _GOAL},
            }.get(label, {})
            return Item(text, label, traps, look)

        found = "is it found anew for every value of something else?"
        kept = "does it stay when the next inner problem begins, and change by an outer gradient?"
        groups = [
            [
                item(f"MAML: the parameters after {m} gradient steps on one task's support set", _INNER, found),
                item("ridge: the weights w of the linear model", _INNER, found),
                item(f"data weights: the model that is fitted to the {n} weighted examples", _INNER, found),
                item("distillation: the model that is trained on the made-up examples", _INNER, found),
            ],
            [
                item("MAML: the start that all tasks share", _OUTER, kept),
                item("ridge: the strength λ of the pull", _OUTER, kept),
                item(f"data weights: the {n} weights", _OUTER, kept),
                item(f"distillation: the {n} made-up examples", _OUTER, kept),
                item("Meta-SGD: the step size of each parameter", _OUTER, kept),
                item("a layer of attention, trained over many tasks: its matrices", _OUTER, kept),
            ],
            [
                item("MAML: the support loss", _GOAL, "which loss do the inner steps descend?"),
                item("ridge: the squares on the training set with (λ/2)|w|²", _GOAL, "what is w made to minimise?"),
                item("data weights: the weighted squares on the training set", _GOAL, "what is w made to minimise?"),
                item("distillation: the loss on the made-up examples", _GOAL, "what is the model trained on?"),
            ],
            [
                item("MAML: the query loss at θ′, averaged over training tasks", _JUDGE, "whose gradient moves θ?"),
                item("ridge: the squares on the validation set", _JUDGE, "whose gradient moves λ?"),
                item("data weights: the squares on the validation set", _JUDGE, "whose gradient moves the weights?"),
                item(
                    "distillation: the loss of the trained model on real examples",
                    _JUDGE,
                    "whose gradient moves the made-up examples?",
                ),
            ],
            [
                Item(
                    f"MAML: the query loss on {n} meta-test tasks",
                    _FIXED,
                    {test: _JUDGE},
                    "when is it looked at, and what changes then?",
                ),
                Item(
                    f"ridge: the error on {n} examples that were kept for the report",
                    _FIXED,
                    {test: _JUDGE},
                    "when is it looked at, and what changes then?",
                ),
            ],
            [
                Item(
                    f"MAML, with one step size for all tasks: α = {alpha}, as the paper has it",
                    _FIXED,
                    {setting: _OUTER},
                    "which loop changes it?",
                ),
                Item(f"MAML: the number of inner steps, {m}", _FIXED, {setting: _OUTER}, "which loop changes it?"),
                Item(
                    f"distillation: that there are {n} made-up examples, not more",
                    _FIXED,
                    {setting: _OUTER},
                    "which loop changes it?",
                ),
            ],
        ]
        chosen = [
            group[i]
            for group, count in zip(groups, (2, 2, 2, 2, 1, 1), strict=True)
            for i in rng.permutation(len(group))[:count]
        ]
        return [chosen[i] for i in rng.permutation(len(chosen))]


class choose(ChoiceProblem):
    title = "metric, MAML, fine-tuning, or neither?"
    difficulty, minutes = "medium", 10
    tags = ("choice-table", "takeaway:shared-structure", "mistake:unrelated-tasks")
    labels = ("metric", "maml", "fine-tuning", "neither")
    hints = (
        "First: is anything shared that has to be learned? If nothing is shared, or if the family is known and can be fitted as it is: neither.",
        "Then: how much does the new task bring, in examples and in time? With many of both, plain fine-tuning arrives as well. With few, classes "
        "speak for a metric method, and any other loss for MAML.",
    )
    explanation = """
    *Neither* where nothing is shared, or where the family is known: then fit that family. *Fine-tuning* where one large source is there, and the new task has many
    examples and time for many passes. *Metric* where tasks differ in their classes and share what makes examples alike. *MAML* where many related tasks
    are there to practise on, the new one has few examples and few passes, and its loss has no classes.
    """
    traps = MappingProxyType(
        {
            "classes where there are none": "A metric method was chosen for targets that are numbers or rewards: prototypes need classes.",
            "steps where comparing does": "MAML was chosen where comparing in an embedding does as well, at less cost: no inner loop is needed.",
            "meta-learning without tasks to practise on": "MAML was chosen where there is one source and one target with many examples, and time. Without "
            "many tasks there is nothing to practise on: fine-tune.",
            "fine-tuning in a hurry": "Fine-tuning was chosen for a few examples and a step or two. It was not trained for that; where there are many related tasks, MAML is.",
            "the known family learned again": "A learner was chosen where the family of the tasks is known and can be fitted directly: use what you know.",
            "nothing shared": "A meta-learner was chosen where the tasks share nothing. Nothing can be carried over.",
        }
    )

    def statement(self, given):
        return """
        What would you try first for the new task? A *metric* method (ProtoNet); *maml* (steps from a start that was trained for them); *fine-tuning* (steps
        from a model that was trained ordinarily); or *neither* (none of the three).
        """

    def items(self, rng):
        classes, steps, no_tasks, hurry, known, nothing = self.traps
        few, many, ways = (int(k) for k in rng.integers((2, 40, 4), (8, 200, 12)))
        groups = [
            (2, [
                Item(f"{ways}-way tasks with {few} drawings of each sign, from scripts like those of training. In the embedding prototypes are right "
                     "in 95 %; MAML is as good.", "metric", {steps: "maml"}, "which of the two has no inner loop?"),
                Item(f"Visitors, shown {few} times each, to be known again by a door that computes forward only; thousands to train on.", "metric",
                     {steps: "maml"}, "what can the door compute?"),
                Item(f"Products on a shelf: today {ways} kinds, tomorrow {ways + 9}, {few} photos of each; many shelves on file.", "metric",
                     {steps: "maml"}, "how many outputs would a head have?"),
            ]),
            (1, [
                Item(f"The hand of a new patient: {few} movements with their signals, then an arm that follows, angle by angle, within a second. "
                     f"{many} patients on file.", "maml", {classes: "metric", hurry: "fine-tuning"}, "what are the targets, and how many examples are there?"),
                Item(f"A sensor that drifts differently in every device: {few} readings to calibrate a new one, one gradient step on its chip. "
                     f"{many} devices on file; nobody knows the law.", "maml", {classes: "metric", hurry: "fine-tuning"}, "what are the targets, and how many steps may be taken?"),
            ]),
            (1, [
                Item(f"A walking robot on a new ground, {few} tries to adapt, rewards only; trained on {many} grounds.", "maml",
                     {classes: "metric", hurry: "fine-tuning"}, "where would prototypes come from, and how many tries are there?"),
                Item(f"Demand for a new product from its first {few} days, by a network; {many} products on file, no common formula.", "maml",
                     {classes: "metric", hurry: "fine-tuning"}, "what are the targets, and how many examples are there?"),
            ]),
            (2, [
                Item(f"A language model, trained on the web; {many} 000 letters of one law firm, and a week on a cluster.", "fine-tuning",
                     {no_tasks: "maml"}, "how many tasks are there, and how many examples?"),
                Item(f"One hospital's scans, {many} 000 of them with findings, and a network trained on everyday photos. Time is no matter.", "fine-tuning",
                     {no_tasks: "maml"}, "how many tasks are there to practise on?"),
                Item(f"Bird song from one forest: {many} hours, labelled. A network for other sounds is there, and a night to train.", "fine-tuning",
                     {no_tasks: "maml"}, "how many tasks are there to practise on?"),
            ]),
            (1, [
                Item(f"Waves A sin(x − φ) with known period, from {few + 2} points each: amplitude and phase are all that differs.", "neither",
                     {known: "maml"}, "how many unknowns has the formula?"),
                Item(f"Straight lines, one a country, slopes spread about a common one: {few} years of each of {many} countries.", "neither",
                     {known: "maml"}, "which ordinary model has a slope a country, spread about a mean?"),
            ]),
            (1, [
                Item(f"{many} tables from {many} firms: other columns, other units, other questions. Held-out ones gain nothing.", "neither",
                     {nothing: "maml"}, "what do they share?"),
                Item(f"Tomorrow's number in each of {many} lotteries, from the last {few} draws.", "neither", {nothing: "maml"}, "what do draws share?"),
            ]),
        ]  # fmt: skip
        chosen = [group[i] for count, group in groups for i in rng.permutation(len(group))[:count]]
        return [chosen[i] for i in rng.permutation(len(chosen))]


class fair_comparison(TextProblem):
    title = "89 to 62: what would you ask?"
    difficulty, minutes = "easy", 6
    tags = ("mistake:alpha-and-steps", "mistake:train-only", "concept:meta-train-meta-test")
    model = """
    How many passes each had, in training and on the new task: with as many, is the gap still there? Were step size and number of steps chosen for
    each method on validation tasks, or MAML's given to both? Which weights were fine-tuned, all or the head, and where did the head start? Are the tasks held out, the same
    for both, and how wide is the interval over tasks? And what do the plain baselines get: nearest neighbour, the known family, training on the task alone?
    """
    rubric = (
        "It asks for the passes in training and at test time.",
        "It asks how step size and number of steps were chosen for each.",
        "It asks for held-out tasks, the same for both, and an interval over tasks.",
        "A bonus: it asks for a third method that costs less than both.",
    )

    def statement(self, given):
        return r"""
        A paper says: "MAML beats fine-tuning by 89 % to 62 %, after five gradient steps." Before you believe that this is about the methods, what do you
        ask? A few sentences, in quotes.
        """
