"""Lesson 8, learning the inner loop."""

from itertools import pairwise

import numpy as np

from mlcourse import MLP, Data, Episode, adapt, maml, mean_squared_error, tanh
from mlcourse.classroom.judging import FunctionProblem, NumberProblem, mistake
from mlcourse.classroom.judging.verdict import wrong
from mlcourse.recipes.deviations import Deviation


def _objective(rng):
    """A small model with curvature, its mean squared error, and a theta."""
    model = MLP([int(rng.integers(1, 3)), int(rng.integers(2, 4)), 1], activation=tanh)
    return mean_squared_error(model), rng.normal(size=model.size)


def _episode(rng, inputs):
    """Two to four tasks, of two to five examples a set."""
    tasks, shots, queries = (int(rng.integers(low, high)) for low, high in ((2, 5), (2, 6), (2, 6)))
    support, query = (
        Data(rng.normal(size=(tasks, examples, inputs)), rng.normal(size=(tasks, examples, 1)))
        for examples in (shots, queries)
    )
    return Episode(support, query, {})


def _sizes(episode):
    """Numbers that a constant factor may come from."""
    (tasks, shots), queries = episode.support.x.shape[:2], episode.query.x.shape[1]
    return {"T": tasks, "K": shots, "Q": queries}


_OF_TASKS = (
    Deviation("tasks", "first", "only the first task",
              "Only the first task counts. Take the mean over all of them."),
    Deviation("tasks", "last", "only the last task",
              "Only the last task counts, as when a loop overwrites what it found. Add them up, and take the mean."),
    Deviation("tasks", "one path", "one θ′ for all tasks",
              "All tasks share one θ′, made with the mean of their gradients. Each task takes steps of its own."),
)  # fmt: skip
SIGN = (
    "sign",
    "The sign is turned. The step is θ − α∇L_s(θ): when α grows, θ′ moves *against* the support's gradient.",
)
SCALAR = (
    "summed to a scalar",
    "The products are summed over the parameters: that is the gradient of *one* α for all. Here each parameter has its own: "
    "leave the products entry by entry.",
)


class alpha_gradient_1d(FunctionProblem):
    title = "the gradient in the step size"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:learned-alpha",)
    hints = (
        "Only θ′ = θ − α L_s′(θ) has α in it. How far does θ′ move when α moves by a little?",
        "dθ′/dα = −L_s′(θ), since θ is held still. The chain rule multiplies it by the query's slope where θ′ is.",
        "`moves = -dLs(theta)`",
    )
    explanation = r"""
    $\theta' = \theta - \alpha L_s'(\theta)$ with $\theta$ held still has $\frac{d\theta'}{d\alpha} = -L_s'(\theta)$. The chain rule
    gives $\frac{d}{d\alpha} L_q(\theta') = L_q'(\theta')\cdot(-L_s'(\theta))$. No second derivative, for one step.
    """
    deviations = (
        Deviation("outer_at", "theta", "query's slope at theta",
                  "The query's slope is taken at θ. The loss is judged after the step, so its slope belongs at θ′."),
        Deviation("inner_at", "theta prime", "support's slope at theta prime",
                  "The support's slope is taken at θ′. The step was made with the slope at θ."),
        Deviation("outer", "support", "support loss outside",
                  "The outer slope is that of the support loss. α is judged on the query loss: dLq."),
        Deviation("inner", "query", "query loss inside",
                  "The step's slope is that of the query loss. The inner loop sees the support set alone: dLs."),
        Deviation("inner", "one", "the step's slope left out",
                  "dθ′/dα is taken for 1. When α moves by a little, θ′ moves L_s′(θ) times as far, to the other side."),
        Deviation("step", "up", "uphill",
                  "θ′ is made with a plus, uphill. The query's slope belongs at θ − α L_s′(θ)."),
        Deviation("factor", "alpha", "times alpha",
                  "It is α times that. The step α L_s′(θ) is linear in α: its derivative has no α any more."),
        Deviation("factor", "theta prime", "theta prime not differentiated",
                  "It multiplies by θ′ itself. The chain rule wants how θ′ *moves* with α, −L_s′(θ)."),
        Deviation("factor", "in theta", "the derivative in theta",
                  "This multiplies by 1 − αL_s′(θ), like a derivative in θ. Here θ is held still: only −L_s′(θ) is left."),
    )  # fmt: skip

    def draw(self, rng):
        a, b, q = rng.uniform(0.5, 2.0, 3)
        c, d, theta = rng.normal(size=3)
        return {
            "dLs": lambda t: a * (t - c) + b * t**2,
            "dLq": lambda t: q * (t - d) + t**3,
            "theta": float(theta),
            "alpha": float(rng.uniform(0.05, 0.4)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Write `alpha_gradient_1d(dLs, dLq, theta, alpha)`: the derivative in $\alpha$ of the query loss after one inner step,
        $\frac{{d}}{{d\alpha}} L_q(\theta - \alpha L_s'(\theta))$. `dLs` and `dLq` are functions of one number, $L_s'$ and $L_q'$;
        `theta` and `alpha` are numbers.

        With the functions in `p.given("alpha_gradient_1d")`, theta = {given.theta:.3f} and alpha = {given.alpha:.3f} it is
        {value:.4f}.
        """

    @staticmethod
    def solution(dLs, dLq, theta, alpha):
        theta_prime = theta - alpha * dLs(theta)
        moves = -dLs(theta)
        return dLq(theta_prime) * moves

    @staticmethod
    def variant(dLs, dLq, theta, alpha, **settings):
        theta_prime = theta - (-alpha if "step" in settings else alpha) * dLs(theta)
        slope = {"query": dLq, "one": lambda _: 1.0}.get(settings.get("inner"), dLs)
        outer = dLs if "outer" in settings else dLq
        moves = -slope(theta_prime if "inner_at" in settings else theta)
        factors = {"alpha": alpha * moves, "theta prime": theta_prime, "in theta": 1 + alpha * moves}
        return outer(theta if "outer_at" in settings else theta_prime) * factors.get(settings.get("factor"), moves)

    def skip(self, settings):
        lost = settings.get("factor") == "theta prime" and {"inner", "inner_at"} & set(settings)
        unused = (settings.get("inner") == "one" and "inner_at" in settings) or {"step", "outer_at"} <= set(settings)
        return bool(lost or unused)

    @mistake(*SIGN)
    def turned(dLs, dLq, theta, alpha):
        return -alpha_gradient_1d.solution(dLs, dLq, theta, alpha)


class best_alpha(NumberProblem):
    title = "the best step size of a start"
    difficulty, minutes = "medium", 8
    tags = ("concept:learned-alpha",)
    hints = (
        "One step leaves (1 − αh) of a task's distance d = θ − θ*, so its loss after the step is ½h(1 − αh)²d².",
        "The derivative of the mean in α is −mean of h²(1 − αh)d². For which α is it zero?",
        "α = Σ h²d² / Σ h³d².",
    )
    explanation = r"""
    The mean of $\frac12 h(1-\alpha h)^2 d^2$ has the derivative $-\,\mathrm{mean}\big(h^2(1-\alpha h)d^2\big)$ in $\alpha$: each task's is
    minus its support gradient $hd$ times its query gradient $h(1-\alpha h)d$. It is zero at $\alpha = \sum h^2d^2 / \sum h^3d^2$, a mean of
    the $1/h$ that weighs steep and distant tasks most.
    """

    def draw(self, rng):
        h = np.round(rng.uniform(0.4, 4, 3), 1)
        return {"h": h, "theta_star": np.round(rng.uniform(-3, 3, 3), 1), "theta": round(float(rng.uniform(-1, 1)), 1)}

    def statement(self, given):
        h, star = (", ".join(f"{value}" for value in values) for values in (given.h, given.theta_star))
        return rf"""
        Three tasks of the test bed have the losses $\frac12 h\,(\theta - \theta^*)^2$, for support and query alike, with $h$ = ({h}) and
        $\theta^*$ = ({star}). The start $\theta$ = {given.theta} is given and stays. Which one $\alpha$ for all tasks gives the least mean
        loss after one inner step? (`p.given("best_alpha")` has `h`, `theta_star` and `theta`.)
        """

    @staticmethod
    def solution(h, theta_star, theta):
        d = theta - theta_star
        return np.sum(h**2 * d**2) / np.sum(h**3 * d**2)

    @mistake(
        "one over the mean curvature",
        "That is 1 over the mean of h. Weigh the tasks: set the mean loss's derivative to 0.",
    )
    def over_mean(h, theta_star, theta):
        return 1 / np.mean(h)

    @mistake(
        "mean of the best ones",
        "That is the mean of 1/h, each task's own best α. The tasks do not count alike: a steep one far away loses most.",
    )
    def mean_of_best(h, theta_star, theta):
        return np.mean(1 / h)

    @mistake("the steepest task's", "That is 1/h of the steepest task. The others want a larger α: weigh them all.")
    def steepest(h, theta_star, theta):
        return 1 / np.max(h)

    @mistake(
        "the edge of stability",
        "That is 2/h of the steepest task, beyond which it diverges: the largest α, not the best.",
    )
    def stability(h, theta_star, theta):
        return 2 / np.max(h)

    @mistake("distances left out", "That is Σh²/Σh³. How far each task is from θ counts, too: its weight has d².")
    def no_distances(h, theta_star, theta):
        return np.sum(h**2) / np.sum(h**3)

    @mistake("distances not squared", "That weighs by |d|. The loss has the square of the distance: d².")
    def absolute(h, theta_star, theta):
        d = abs(theta - theta_star)
        return np.sum(h**2 * d) / np.sum(h**3 * d)

    @mistake("distance to zero", "That takes θ* for the distance. The distance is θ − θ*.")
    def from_zero(h, theta_star, theta):
        return np.sum(h**2 * theta_star**2) / np.sum(h**3 * theta_star**2)

    @mistake(
        "a curvature left out",
        "That is Σhd²/Σh²d², which makes the *distances* after the step least. The loss has one more h: Σh²d²/Σh³d².",
    )
    def squared_distance(h, theta_star, theta):
        d = theta - theta_star
        return np.sum(h * d**2) / np.sum(h**2 * d**2)

    @mistake(
        "the factor 2",
        "That is half of it. The slope of ½h(θ − θ*)² is h(θ − θ*), without a 2: one step leaves 1 − αh.",
    )
    def twice(h, theta_star, theta):
        return best_alpha.solution(h, theta_star, theta) / 2

    @mistake("turned round", "That is Σh³d²/Σh²d², a curvature. A step size is one over it.")
    def turned(h, theta_star, theta):
        return 1 / best_alpha.solution(h, theta_star, theta)

    @mistake("the loss, not alpha", "That is the least mean loss itself. Asked for is the α that reaches it.")
    def least_loss(h, theta_star, theta):
        d, alpha = theta - theta_star, best_alpha.solution(h, theta_star, theta)
        return np.mean(h / 2 * (1 - alpha * h) ** 2 * d**2)


class alpha_gradient(FunctionProblem):
    title = "the same for every parameter's own step size"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:learned-alpha",)
    cases = 5
    hints = (
        "Entry j of θ′ is θ_j − α_j times entry j of ∇L_s(θ). α_j moves that entry and no other.",
        "So entry j of the answer is −[∇L_s(θ)]_j [∇L_q(θ′)]_j: a product entry by entry, a row for every task.",
        "`inner = objective.grad(theta, episode.support)` and `outer = objective.grad(theta - alpha * inner, episode.query)`",
    )
    explanation = r"""
    $\theta'_j = \theta_j - \alpha_j [\nabla L_s(\theta)]_j$: the step size $\alpha_j$ moves entry $j$ alone. So
    $\frac{\partial}{\partial\alpha} L_q(\theta') = -\nabla L_s(\theta) \odot \nabla L_q(\theta')$, entry by entry, for each task; then
    the mean over the tasks. Both gradients are there already: it costs no pass.
    """
    deviations = (
        Deviation("outer_at", "theta", "query's gradient at theta",
                  "The query's gradient is taken at θ. The loss is judged after the step: take it at θ′."),
        Deviation("inner_at", "theta prime", "support's gradient at theta prime",
                  "The support's gradient is taken at θ′. The step was made with the gradient at θ."),
        Deviation("outer", "support", "support loss outside",
                  "The outer gradient is that of the support loss. α is judged on the query set."),
        Deviation("inner", "query", "query loss inside",
                  "The inner gradient is that of the query loss. The inner loop sees the support set alone."),
        Deviation("tasks", "means", "product of the means",
                  "The tasks are averaged before the product. Multiply in each task, and take the mean of the products: a task's "
                  "two gradients go together."),
        *_OF_TASKS,
        Deviation("step", "up", "uphill",
                  "θ′ is made with a plus, uphill. The query's gradient belongs at θ − α ⊙ ∇L_s(θ)."),
        Deviation("factor", "alpha", "times alpha",
                  "It is α times that, entry by entry. That is the gradient in log α; in α itself there is no such factor."),
    )  # fmt: skip

    def draw(self, rng):
        objective, theta = _objective(rng)
        alpha = rng.uniform(0.02, 0.2, objective.model.size)
        return {
            "objective": objective,
            "theta": theta,
            "episode": _episode(rng, objective.model.inputs),
            "alpha": alpha,
        }

    def statement(self, given):
        return rf"""
        Write `alpha_gradient(objective, theta, episode, alpha)`: the gradient in `alpha` of the query loss after **one** inner step
        $\theta' = \theta - \alpha \odot \nabla L_s(\theta)$, averaged over the tasks. `theta` and `alpha` have shape `(P,)`, a step size
        a parameter, and so has the answer. `objective.grad(theta, data)` takes `theta` `(P,)` or `(T, P)` and gives a row a task,
        `(T, P)`.

        To try: `p.given("alpha_gradient")`, with P = {given.theta.size} and T = {len(given.episode.support.x)}.
        """

    @staticmethod
    def solution(objective, theta, episode, alpha):
        inner = objective.grad(theta, episode.support)
        outer = objective.grad(theta - alpha * inner, episode.query)
        return np.mean(-inner * outer, axis=0)

    @staticmethod
    def variant(objective, theta, episode, alpha, **settings):
        start = np.broadcast_to(theta, (len(episode.support.x), len(theta)))
        adapted_on = episode.query if "inner" in settings else episode.support
        slope, tasks = objective.grad(start, adapted_on), settings.get("tasks")
        if tasks == "one path":
            slope = np.broadcast_to(slope.mean(axis=0), slope.shape)
        theta_prime = start - (-alpha if "step" in settings else alpha) * slope
        inner = objective.grad(theta_prime, adapted_on) if "inner_at" in settings else slope
        judged_on = episode.support if "outer" in settings else episode.query
        outer = objective.grad(start if "outer_at" in settings else theta_prime, judged_on)
        if tasks == "means":
            inner, outer = inner.mean(axis=0, keepdims=True), outer.mean(axis=0, keepdims=True)
        rows = -inner * outer * (alpha if "factor" in settings else 1)
        return {"first": rows[0], "last": rows[-1]}.get(tasks, rows.mean(axis=0))

    def skip(self, settings):
        return {"step", "outer_at"} <= set(settings)

    @mistake(*SIGN)
    def turned(objective, theta, episode, alpha):
        return -alpha_gradient.solution(objective, theta, episode, alpha)

    @mistake(*SCALAR)
    def one_for_all(objective, theta, episode, alpha):
        return np.sum(alpha_gradient.solution(objective, theta, episode, alpha))

    @mistake(
        "mean over the parameters",
        "The mean is taken over the parameters, too. Each has an α of its own: average over the tasks alone, `axis=0`.",
    )
    def mean_of_all(objective, theta, episode, alpha):
        return np.mean(alpha_gradient.solution(objective, theta, episode, alpha))

    @mistake(
        "a gradient a task",
        "This is one row a task, (T, P). The meta-loss is a mean over tasks: take the mean along axis 0.",
    )
    def a_row_a_task(objective, theta, episode, alpha):
        inner = objective.grad(theta, episode.support)
        return -inner * objective.grad(theta - alpha * inner, episode.query)

    def simpler(self, case):
        support, query = (Data(data.x[:1], data.y[:1]) for data in case["episode"][:2])
        return {"one task": case | {"episode": Episode(support, query, {})}}

    def sizes(self, case):
        return _sizes(case["episode"])


class log_alpha_gradient(FunctionProblem):
    title = "the gradient in the logarithm"
    place = "lesson"
    difficulty, minutes = "easy", 3
    tags = ("concept:learned-alpha",)
    hints = (
        "α = exp(ρ). How far does α move when ρ moves by a little?",
        "dα/dρ = exp(ρ), which is α itself. Each step size has its own ρ: multiply entry by entry.",
        "`return np.exp(rho) * in_alpha`",
    )
    explanation = r"""
    $\frac{\partial L}{\partial\rho} = \frac{\partial L}{\partial\alpha}\,\frac{d\alpha}{d\rho}$ and $\alpha = e^\rho$ is its own
    derivative, so the gradient in $\rho$ is $\alpha \odot \nabla_\alpha L$.
    """
    deviations = (
        Deviation("factor", "1", "chain factor missing",
                  "This is the gradient in α. When ρ moves by a little, α moves exp(ρ) times as far: that factor is missing."),
        Deviation("factor", "rho", "rho for its exponential",
                  "The factor is ρ. The derivative of exp(ρ) is exp(ρ), which is α."),
        Deviation("factor", "over alpha", "divided by alpha",
                  "It is divided by α, or multiplied by exp(−ρ). The factor is dα/dρ = exp(ρ) itself."),
        Deviation("factor", "square", "alpha squared",
                  "α comes twice. dα/dρ = exp(ρ) stands there once."),
        Deviation("factor", "mean", "one factor for all",
                  "The mean of exp(ρ) multiplies every entry. Each step size has a ρ of its own: multiply entry by entry."),
        Deviation("of", "exponential", "the gradient in the exponent",
                  "This takes exp of the gradient, too. The chain rule multiplies `in_alpha` as it is by dα/dρ."),
    )  # fmt: skip

    def draw(self, rng):
        size = int(rng.integers(2, 7))
        return {"in_alpha": rng.normal(size=size), "rho": np.log(rng.uniform(0.02, 0.5, size))}

    def statement(self, given):
        value = ", ".join(f"{entry:.4f}" for entry in self.solution(**vars(given)))
        return rf"""
        Step sizes are written as $\alpha = e^\rho$, entry by entry, and $\rho$ is learned. Write `log_alpha_gradient(in_alpha, rho)`: the
        gradient in $\rho$, from `in_alpha`, the gradient in $\alpha$. Both are arrays of one shape, and so is the answer.

        For `p.given("log_alpha_gradient")`, with {given.rho.size} step sizes, it is [{value}].
        """

    @staticmethod
    def solution(in_alpha, rho):
        return np.exp(rho) * in_alpha

    @staticmethod
    def variant(in_alpha, rho, **settings):
        alpha = np.exp(rho)
        factor = {
            "1": np.ones_like(rho),
            "rho": rho,
            "over alpha": 1 / alpha,
            "square": alpha**2,
            "mean": np.full_like(alpha, np.mean(alpha)),
        }.get(settings.get("factor"), alpha)
        of = np.exp(in_alpha) if "of" in settings else in_alpha
        return factor * of

    @mistake("sign", "The sign is turned. exp(ρ) grows with ρ: its derivative is positive.")
    def turned(in_alpha, rho):
        return -np.exp(rho) * in_alpha

    @mistake(
        "summed to a scalar",
        "The entries are summed. Each step size has its own ρ, so the answer has the shape of `rho`.",
    )
    def one_for_all(in_alpha, rho):
        return np.sum(np.exp(rho) * in_alpha)


class layer_alpha_gradient(FunctionProblem):
    title = "one step size a layer"
    difficulty, minutes = "medium", 6
    tags = ("concept:learned-alpha",)
    hints = (
        "When a layer's α moves by a little, the step sizes of all its parameters move by that much. What does the loss do?",
        "The changes add up: a layer's entry is the *sum* of `in_alpha` over its weights and biases.",
        "`model.layers(in_alpha)` gives `in_alpha` as one matrix a layer, biases included.",
    )
    explanation = r"""
    $\alpha_j = a_{l(j)}$, where $l(j)$ is the layer of parameter $j$. By the chain rule $\frac{\partial L}{\partial a_l} = \sum_{j \in
    l}\frac{\partial L}{\partial\alpha_j}$: what shares a step size adds up. One $\alpha$ for all is the case of a single group.
    """
    deviations = (
        Deviation("pool", "mean", "mean for sum",
                  "This is the mean over a layer. Its parameters' step sizes all move at once, and what they do to the loss adds up."),
        Deviation("pool", "length", "length of the gradient",
                  "This is the root of the sum of squares, a length without a sign. Add the entries themselves."),
        Deviation("pool", "absolute", "absolute values",
                  "The absolute values are added. Entries of different sign cancel: the sum keeps their signs."),
        Deviation("pool", "first", "one parameter a layer",
                  "Only the first entry of each layer is there. The layer's α is shared by all of them."),
        Deviation("of", "weights", "biases left out",
                  "The biases are missing. A layer's α is its biases' step size, too."),
        Deviation("of", "biases", "weights left out",
                  "Only the biases are there. A layer's α is its weights' step size, too."),
        Deviation("order", "reversed", "from the last layer to the first",
                  "The layers are in reversed order. Entry 0 belongs to the first layer."),
        Deviation("summed", "all before", "running sum",
                  "Each entry has those of the layers before it, too. A layer's α moves its own parameters alone."),
    )  # fmt: skip

    def draw(self, rng):
        model = MLP([int(n) for n in rng.integers(1, 5, size=int(rng.integers(3, 6)))], activation=tanh)
        return {"model": model, "in_alpha": rng.normal(size=model.size)}

    def statement(self, given):
        value = ", ".join(f"{entry:.4f}" for entry in self.solution(**vars(given)))
        return rf"""
        A layer's weights and biases now share one step size. Write `layer_alpha_gradient(model, in_alpha)`: the gradient in these step
        sizes, one entry a layer from the first to the last, from `in_alpha` `(P,)`, the gradient for a step size a parameter. `model` is
        an `MLP`: `model.parts` has the slices `"W1"`, `"b1"`, `"W2"`, … of θ, and `model.sizes` the number of units from input to output.

        For `p.given("layer_alpha_gradient")`, where the sizes are {given.model.sizes}, it is [{value}].
        """

    @staticmethod
    def solution(model, in_alpha):
        return np.array([np.sum(layer) for layer in model.layers(in_alpha)])

    @staticmethod
    def variant(model, in_alpha, **settings):
        rows = {"weights": slice(-1), "biases": slice(-1, None)}.get(settings.get("of"), slice(None))
        pool = {
            "mean": np.mean,
            "length": np.linalg.norm,
            "absolute": lambda layer: np.sum(np.abs(layer)),
            "first": lambda layer: layer[0, 0],
        }.get(settings.get("pool"), np.sum)
        entries = np.array([pool(layer[rows]) for layer in model.layers(in_alpha)])
        entries = entries[::-1] if "order" in settings else entries
        return np.cumsum(entries) if "summed" in settings else entries

    @mistake("sign", "The sign is turned: the sum of the entries as they are is asked for.")
    def turned(model, in_alpha):
        return -layer_alpha_gradient.solution(model, in_alpha)

    @mistake(
        "weights and biases apart",
        "These are sums for W1, b1, W2, b2, …: weights and biases apart. A layer's share one α: add them to one entry.",
    )
    def apart(model, in_alpha):
        return np.array([np.sum(in_alpha[part]) for part in model.parts.values()])

    @mistake(
        "an entry a parameter",
        "Every parameter got its layer's sum: P entries. The answer has one entry a layer, as there is one α a layer.",
    )
    def spread(model, in_alpha):
        sums = [np.full(layer.size, np.sum(layer)) for layer in model.layers(in_alpha)]
        return np.concatenate(sums)


class head_only(FunctionProblem):
    title = "step sizes that move the head alone"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:learned-alpha", "concept:fast-slow-weights", "method:anil")
    hints = (
        "`model.parts` has the names. Of three layers the last one's are W3 and b3, of two W2 and b2: a model of any depth may come.",
        "`model.parts` is in the order of θ, and `list(model.parts)` its names. Of which do you need the last ones, and how many?",
        "`head = list(model.parts)[-2:]`",
    )
    explanation = r"""
    A step size of 0 holds a parameter still, so ANIL is a vector of step sizes: $\alpha$ on the last layer, weights *and* biases, and 0
    on all others. No other line of the inner loop changes.
    """
    deviations = (
        Deviation("moves", "body", "the body for the head",
                  "α stands on the body, and the head is held still. ANIL adapts the last layer alone."),
        Deviation("moves", "weights", "weights without biases",
                  "The last layer's weights move, and its biases do not. The head is both, W and b."),
        Deviation("moves", "biases", "biases without weights",
                  "Only the last layer's biases move. The head is both, W and b."),
        Deviation("moves", "first", "the first layer for the last",
                  "α stands on the first layer. The head is the last one, next to the output."),
        Deviation("moves", "last two", "two layers for one",
                  "The last two layers move. The head is the last one alone."),
        Deviation("moves", "one before", "one layer too early",
                  "The layer before the last moves. There are `len(model.sizes) - 1` layers, and the head is the last of them."),
        Deviation("moves", "all", "every parameter moves",
                  "α stands everywhere. Step sizes of 0 hold the body still."),
        Deviation("size", "1", "ones for alpha",
                  "The head's entries are 1. Its parameters take steps of size α."),
        Deviation("rest", "1", "ones for zeros",
                  "The other entries are 1. A parameter is held still by a step size of 0."),
    )  # fmt: skip

    def draw(self, rng):
        model = MLP([int(n) for n in rng.integers(1, 6, size=int(rng.integers(3, 6)))])
        return {"model": model, "alpha": float(rng.uniform(0.01, 0.5))}

    def statement(self, given):
        return rf"""
        Write `head_only(model, alpha)`: a vector of step sizes, shape `(P,)`, with which the inner loop adapts the model's last layer
        alone, its weights and its biases, with step size `alpha`. `model` is an `MLP` of any depth: `model.size` is P, `model.sizes` the
        number of units from input to output, and `model.parts` has the slices `"W1"`, `"b1"`, `"W2"`, … of θ.

        To try: `p.given("head_only")`, where the sizes are {given.model.sizes} and alpha = {given.alpha:.3f}.
        """

    @staticmethod
    def solution(model, alpha):
        head = list(model.parts)[-2:]
        alphas = np.zeros(model.size)
        for part in head:
            alphas[model.parts[part]] = alpha
        return alphas

    @staticmethod
    def variant(model, alpha, **settings):
        last = len(model.sizes) - 1
        layers = {"first": [1], "last two": [last - 1, last], "one before": [last - 1], "all": range(1, last + 1)}
        layers["body"] = range(1, last)
        moves = settings.get("moves")
        kinds = {"weights": "W", "biases": "b"}.get(moves, "Wb")
        size, rest = (1.0 if name in settings else value for name, value in (("size", alpha), ("rest", 0.0)))
        alphas = np.full(model.size, rest)
        for part in (f"{kind}{layer}" for layer in layers.get(moves, [last]) for kind in kinds):
            alphas[model.parts[part]] = size
        return alphas

    def skip(self, settings):
        return settings.get("moves") == "all" and "rest" in settings

    def judge(self, answer, seed):
        """A layer's number in the code is right for one depth; deeper models do without error, shallower ones do not."""
        verdict = super().judge(answer, seed)
        if verdict.outcome == "wrong" and verdict.misconception is None:
            cases = [{"model": MLP([2, *range(3, depth + 3)]), "alpha": 0.1} for depth in (2, 3, 4)]
            right = [self._agree([self._look(answer, case)], [self._look(type(self).solution, case)]) for case in cases]
            if sum(right) == 1:
                entry = next(entry for entry in self.mistakes if entry.name == "depth written in")
                return wrong(entry.message, entry.name)
        return verdict

    @mistake(
        "depth written in",
        "The layer's number stands in the code: that moves the head in models of one depth, and something else in all others. "
        "Take the last two names of `model.parts`.",
    )
    def second_layer(model, alpha):
        alphas = np.zeros(model.size)
        for part in ("W2", "b2"):
            alphas[model.parts[part]] = alpha
        return alphas

    @mistake(
        "the head's entries alone",
        "These are the head's step sizes alone. The inner loop multiplies α with the whole gradient: give all P entries, zeros "
        "for the body.",
    )
    def entries_of_the_head(model, alpha):
        return np.full((model.sizes[-2] + 1) * model.sizes[-1], alpha)


class count_fast_weights(NumberProblem):
    title = "how many numbers are fast"
    difficulty, minutes = "easy", 4
    digits = None
    tags = ("concept:fast-slow-weights",)
    hints = (
        "A layer with n inputs and k outputs has n·k weights and k biases.",
        "Add up the layers that adapt. Each task has its own copy of those, and of nothing else.",
    )
    explanation = r"""
    A layer from $n$ to $k$ units has $(n + 1)k$ parameters. Those that adapt are fast: every task makes its own. All others are the
    same for every task, and one copy of them will do.
    """

    def draw(self, rng):
        hidden = [int(n) for n in rng.integers(8, 65, 3)]
        sizes = (int(rng.integers(1, 5)), *hidden, int(rng.integers(2, 6)))
        return {"sizes": sizes, "adapting": int(rng.integers(1, 3)), "tasks": int(rng.integers(4, 33))}

    def statement(self, given):
        units = "–".join(map(str, given.sizes))
        which = "last layer" if given.adapting == 1 else f"last {given.adapting} layers"
        moves = "moves" if given.adapting == 1 else "move"
        return rf"""
        A network has {units} units from input to output. In the inner loop only the {which} {moves}, weights and biases. A batch of
        {given.tasks} tasks is adapted at the same time. How many numbers are fast weights, for the whole batch, $\theta$ itself not
        counted? (`p.given("count_fast_weights")` has `sizes`, `adapting` and `tasks`.) The answer is a whole number.
        """

    @staticmethod
    def solution(sizes, adapting, tasks):
        layers = list(pairwise(sizes))[-adapting:]
        return tasks * sum((inputs + 1) * outputs for inputs, outputs in layers)

    @mistake("biases left out", "The biases are missing: a layer has one for each of its outputs, and they adapt, too.")
    def no_biases(sizes, adapting, tasks):
        layers = list(pairwise(sizes))[-adapting:]
        return tasks * sum(inputs * outputs for inputs, outputs in layers)

    @mistake("one bias a layer", "One bias is counted for each layer. A layer has one for each of its outputs.")
    def one_bias(sizes, adapting, tasks):
        return tasks * sum(inputs * outputs + 1 for inputs, outputs in list(pairwise(sizes))[-adapting:])

    @mistake(
        "a bias for each input", "A bias is counted for each input of a layer. It has one for each of its outputs."
    )
    def bias_of_inputs(sizes, adapting, tasks):
        return tasks * sum(inputs * (outputs + 1) for inputs, outputs in list(pairwise(sizes))[-adapting:])

    @mistake("one task", "That is one task's count. Every task of the batch has fast weights of its own.")
    def one_task(sizes, adapting, tasks):
        return count_fast_weights.solution(sizes, adapting, 1)

    @mistake(
        "all parameters", "That counts every parameter. A parameter that does not move in the inner loop is not fast."
    )
    def everything(sizes, adapting, tasks):
        return count_fast_weights.solution(sizes, len(sizes) - 1, tasks)

    @mistake("the slow ones", "That counts the parameters that stay still. Fast are those that the inner loop moves.")
    def slow(sizes, adapting, tasks):
        return count_fast_weights.everything.answer(sizes, adapting, tasks) - count_fast_weights.solution(
            sizes, adapting, tasks
        )

    @mistake(
        "θ counted as well",
        "That counts θ's own copy, too: one more than there are tasks. Only the tasks' copies are asked for.",
    )
    def one_more(sizes, adapting, tasks):
        return count_fast_weights.solution(sizes, adapting, tasks + 1)

    @mistake(
        "one layer too many", "One layer too many moves. The last layer is the matrix into the outputs, and its biases."
    )
    def layer_more(sizes, adapting, tasks):
        return count_fast_weights.solution(sizes, adapting + 1, tasks)

    @mistake(
        "the first layers", "Those are the first layers, counted from the input. The last ones are next to the output."
    )
    def from_the_input(sizes, adapting, tasks):
        return tasks * sum((inputs + 1) * outputs for inputs, outputs in list(pairwise(sizes))[:adapting])

    @mistake(
        "units, not parameters",
        "That counts units. A layer's parameters are its weights, inputs times outputs, and its biases.",
    )
    def units(sizes, adapting, tasks):
        return tasks * sum(sizes[-adapting:])


class alpha_gradient_steps(FunctionProblem):
    title = "the gradient in alpha after m steps"
    difficulty, minutes = "hard", 14
    tags = ("concept:learned-alpha", "concept:higher-order-gradients")
    cases = 5
    forbidden = ((maml, "`mlcourse.maml`"), (adapt, "`mlcourse.adapt`"))
    hints = (
        "α enters at every step. What α does at step i reaches the end through the steps after it: that is what v_{i+1} carries.",
        "Go down and keep all θ_i. Then v = ∇L_q(θ_m), and for i = m − 1 … 0: first add −∇L_s(θ_i) ⊙ v to the gradient in α, "
        "then go one step back.",
        "Going back is `v = v - objective.hvp(theta_i, episode.support, alpha * v)`. At the end take the mean over the tasks.",
    )
    explanation = r"""
    $\theta_{i+1} = \theta_i - \alpha \odot \nabla L_s(\theta_i)$ depends on $\alpha$ directly, by $-\nabla L_s(\theta_i)$, and through
    $\theta_i$. With $v_{i+1}$, how the loss changes with $\theta_{i+1}$, the direct part of each step is $-\nabla L_s(\theta_i) \odot
    v_{i+1}$; the rest is what $v_i = v_{i+1} - H_i(\alpha \odot v_{i+1})$ carries to the steps before.
    """
    deviations = (
        Deviation("carried", "v m", "first-order in the steps",
                  "Every step is multiplied by ∇L_q(θ_m), as if later steps did not depend on earlier ones. Between step i and "
                  "the end lie the factors of the later steps: v_{i+1}."),
        Deviation("carried", "v i", "one step back too early",
                  "v goes back one step before the product. Step i ends at θ_{i+1}, so its gradient meets v_{i+1}: multiply first, "
                  "then go back."),
        Deviation("at", "theta i + 1", "gradient where the step ends",
                  "The support's gradient is taken at θ_{i+1}. Step i was made with the gradient at θ_i."),
        Deviation("at", "theta 0", "gradient at theta 0",
                  "The support's gradient is taken at θ_0 for every step. Step i was made with the gradient at θ_i."),
        Deviation("of_steps", "last", "the last step alone",
                  "Only the last step's part is there. α enters at every step: add them up."),
        Deviation("of_steps", "first", "the first step alone",
                  "Only the first step's part is there. α enters at every step: add them up."),
        Deviation("product", "outside", "alpha outside the Hessian product",
                  "This goes back by α ⊙ (H v). The step is α ⊙ ∇L_s, and its transpose is H(α ⊙ v): α goes inside. For one α for "
                  "all it makes no difference."),
        Deviation("product", "plus", "sign of the Hessian",
                  "This goes back by v + H(α ⊙ v). The step subtracts α∇L_s, and so does its derivative."),
        Deviation("product", "no alpha", "alpha left out of the Hessian product",
                  "This goes back by v − Hv. The step is α times the gradient: H(α ⊙ v)."),
        Deviation("hessian", "next", "Hessian where the step ends",
                  "Going back over step i takes the Hessian at θ_{i+1}. Step i was made at θ_i, and its derivative is there."),
        Deviation("hessian", "query", "Hessian of the query loss",
                  "Going back takes the query loss's Hessian. The steps descend the support loss: hvp(θ_i, episode.support, …)."),
        Deviation("walk", "from theta", "each step from the first theta",
                  "Every step starts at θ again. Step i starts where step i − 1 ended, at θ_i."),
        Deviation("walk", "one more", "one step too many", "That is one inner step too many."),
        Deviation("walk", "one less", "one step too few", "That is one inner step too few."),
        Deviation("factor", "alpha", "times alpha",
                  "It is α times that, entry by entry. That is the gradient in log α; in α itself there is no such factor."),
        Deviation("outer", "support", "support loss outside",
                  "v begins as the support's gradient. The loss is judged on the query set."),
        *_OF_TASKS,
        Deviation("gives", "theta", "the gradient in theta",
                  "This is v_0, the gradient in θ. On the way back, collect −∇L_s(θ_i) ⊙ v_{i+1} for the one in α."),
    )  # fmt: skip

    def draw(self, rng):
        objective, theta = _objective(rng)
        return {
            "objective": objective,
            "theta": theta,
            "episode": _episode(rng, objective.model.inputs),
            "alpha": rng.uniform(0.02, 0.2, objective.model.size),
            "steps": int(rng.integers(2, 5)),
        }

    def statement(self, given):
        return rf"""
        Write `alpha_gradient_steps(objective, theta, episode, alpha, steps)`: the gradient in `alpha`, shape `(P,)`, of the query loss
        after `steps` inner steps $\theta_{{i+1}} = \theta_i - \alpha \odot \nabla L_s(\theta_i)$, averaged over the tasks. `alpha` has one
        step size a parameter, the same ones in every step.

        `objective.grad(theta, data)` and `objective.hvp(theta, data, v)` take `theta` `(P,)` or `(T, P)` and give `(T, P)`. Call neither
        `mlcourse.maml` nor `adapt`: write the loop and the recursion.

        To try: `p.given("alpha_gradient_steps")`, with P = {given.theta.size} and {given.steps} steps.
        """

    @staticmethod
    def solution(objective, theta, episode, alpha, steps):
        thetas = [theta]
        for _ in range(steps):
            thetas.append(thetas[-1] - alpha * objective.grad(thetas[-1], episode.support))
        v, in_alpha = objective.grad(thetas[-1], episode.query), 0
        for theta_i in reversed(thetas[:-1]):
            in_alpha = in_alpha - objective.grad(theta_i, episode.support) * v
            v = v - objective.hvp(theta_i, episode.support, alpha * v)
        return np.mean(in_alpha, axis=0)

    @staticmethod
    def variant(objective, theta, episode, alpha, steps, **settings):
        support, judged_on = episode.support, episode.support if "outer" in settings else episode.query
        tasks, walk, product = (settings.get(choice) for choice in ("tasks", "walk", "product"))
        steps += {"one more": 1, "one less": -1}.get(walk, 0)

        def over_tasks(rows):
            return np.broadcast_to(rows.mean(axis=0), rows.shape) if tasks == "one path" else rows

        thetas = [np.broadcast_to(theta, (len(support.x), len(theta)))]
        for _ in range(steps):
            start = thetas[0] if walk == "from theta" else thetas[-1]
            thetas.append(start - alpha * over_tasks(objective.grad(thetas[-1], support)))
        v = last = objective.grad(thetas[-1], judged_on)
        parts = []
        for i in reversed(range(steps)):
            at = {"theta i + 1": thetas[i + 1], "theta 0": thetas[0]}.get(settings.get("at"), thetas[i])
            bent = thetas[i + 1] if settings.get("hessian") == "next" else thetas[i]
            data = episode.query if settings.get("hessian") == "query" else support
            turned = objective.hvp(bent, data, over_tasks(v if product in ("outside", "no alpha") else alpha * v))
            back = {"outside": v - alpha * turned, "plus": v + turned}.get(product, v - turned)
            if walk == "from theta":
                back = back - v
            carried = {"v m": last, "v i": back}.get(settings.get("carried"), v)
            parts.append(-over_tasks(objective.grad(at, support)) * carried)
            v = back
        parts = {"last": parts[:1], "first": parts[-1:]}.get(settings.get("of_steps"), parts)
        rows = (v if "gives" in settings else sum(parts)) * (alpha if "factor" in settings else 1)
        return {"first": rows[0], "last": rows[-1]}.get(tasks, rows.mean(axis=0))

    @mistake(*SIGN)
    def turned(objective, theta, episode, alpha, steps):
        return -alpha_gradient_steps.solution(objective, theta, episode, alpha, steps)

    @mistake(*SCALAR)
    def one_for_all(objective, theta, episode, alpha, steps):
        return np.sum(alpha_gradient_steps.solution(objective, theta, episode, alpha, steps))

    def skip(self, settings):
        in_theta = "gives" in settings and {"carried", "at", "of_steps"} & set(settings)
        back = {"product", "hessian"} & set(settings)
        unused = settings.get("carried") == "v m" and back
        last = settings.get("of_steps") == "last" and back and settings.get("carried") != "v i"
        alike = settings.get("of_steps") == "last" and settings.get("carried") == "v m"
        first = settings.get("of_steps") == "first" and settings.get("at") == "theta 0"
        return bool(in_theta or unused or last or alike or first)

    def simpler(self, case):
        support, query = (Data(data.x[:1], data.y[:1]) for data in case["episode"][:2])
        return {
            "one inner step": case | {"steps": 1},
            "one task": case | {"episode": Episode(support, query, {})},
        }

    def sizes(self, case):
        return _sizes(case["episode"]) | {"m": case["steps"]}
