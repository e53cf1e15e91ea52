"""Lesson 11, compute and memory."""

import tracemalloc
from types import MappingProxyType

import numpy as np

from mlcourse import conjugate_gradient as _solve
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake


def _peak_of(call):
    """What a call gives and the most memory it took, in bytes."""
    tracemalloc.start()
    try:
        value = call()
        return value, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _positive(rng, size):
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    return root @ root.T + 0.5 * np.eye(size)


class hvp_linear(FunctionProblem):
    title = "a Hessian-vector product of least squares"
    difficulty, minutes = "easy", 8
    tags = ("concept:higher-order-gradients",)
    cases = 4
    hints = (
        "The loss mean((xθ − y)²) has the Hessian (2/K)·xᵀx, whatever θ and y are.",
        "Multiply from the right: first x @ v, shape (K,), then x.T @ that. No P × P matrix appears.",
    )
    explanation = r"""
    $H = \frac2K x^\top x$, and $Hv = \frac2K x^\top(xv)$: two products with $x$. The brackets decide whether $P^2$ numbers are made.
    """

    def draw(self, rng):
        size = int(rng.integers(300, 500))
        return {"x": rng.normal(size=(int(rng.integers(3, 8)), size)), "v": rng.normal(size=size)}

    def statement(self, given):
        return f"""
        The loss is the mean over K examples of (xθ − y)², with x of shape `(K, P)`. Write `hvp_linear(x, v)`: its Hessian times `v`,
        shape `(P,)`, so that it also serves P = 20 000.

        To try: `p.given("hvp_linear")`, with K = {given.x.shape[0]} and P = {given.x.shape[1]}.
        """

    @staticmethod
    def solution(x, v):
        return 2 / len(x) * (x.T @ (x @ v))

    def observe(self, answer, case):
        value, peak = _peak_of(lambda: answer(*case.values()))
        builds = peak > 4 * case["v"].size ** 2
        return {"builds the P × P matrix": builds} | ({} if builds else {"H v": value})

    @mistake("builds H", "It builds xᵀx, P² numbers: at 20 000 parameters 3.2 GB. Put the brackets otherwise: xᵀ(xv).")
    def builds(x, v):
        return 2 / len(x) * (x.T @ x) @ v

    @mistake("mean factor", "The 1/K of the mean is missing: H = (2/K)·xᵀx.")
    def without_mean(x, v):
        return 2 * (x.T @ (x @ v))

    @mistake("factor 2 left out", "The 2 of the square is missing: H = (2/K)·xᵀx.")
    def without_two(x, v):
        return x.T @ (x @ v) / len(x)


def _forward(parameters, x):
    w1, b1, w2, b2 = parameters
    z = x @ w1 + b1
    return z, np.maximum(z, 0), np.maximum(z, 0) @ w2 + b2


def _backward(parameters, x, y, *, mask=True, mean=True, transposed=True, bias=True):
    """The four gradients, with any of the known mistakes."""
    _, _, w2, _ = parameters
    z, a, out = _forward(parameters, x)
    delta_2 = 2 * (out - y) / (out.size if mean else 1)
    delta_1 = (delta_2 @ w2.T) * (z > 0 if mask else 1)
    in_w2 = a.T @ delta_2 if transposed else (delta_2.T @ a).reshape(w2.shape)
    sums = [delta.sum(axis=0) if bias else delta.mean(axis=0) for delta in (delta_1, delta_2)]
    return x.T @ delta_1, sums[0], in_w2, sums[1]


class mlp_grad(FunctionProblem):
    title = "the gradient of a network, by hand"
    difficulty, minutes = "hard", 20
    tags = ("concept:higher-order-gradients",)
    cases = 4
    hints = (
        "Forward: z = x W1 + b1, a = max(0, z), out = a W2 + b2. Backward from delta_2 = 2(out − y) / (number of entries of out).",
        "A weight's gradient is what came in, transposed, times delta; a bias's is the sum of delta over examples.",
        "delta_1 = (delta_2 @ W2.T) * (z > 0); then x.T @ delta_1 and delta_1.sum(axis=0).",
    )
    explanation = r"""
    $\delta_2 = \frac{2}{K\,o}(\hat y - y)$, $\delta_1 = (\delta_2 W_2^\top)\circ[z > 0]$; then $a^\top\delta_2$, $\sum\delta_2$, $x^\top\delta_1$,
    $\sum\delta_1$. The shapes alone almost tell which transpose goes where.
    """

    def draw(self, rng):
        inputs, hidden, outputs, shots = (
            int(n) for n in (rng.integers(1, 4), rng.integers(3, 6), rng.integers(2, 4), rng.integers(4, 8))
        )
        parameters = tuple(
            rng.normal(size=shape) for shape in ((inputs, hidden), (hidden,), (hidden, outputs), (outputs,))
        )
        return {"parameters": parameters, "x": rng.normal(size=(shots, inputs)), "y": rng.normal(size=(shots, outputs))}

    def statement(self, given):
        shapes = ", ".join(str(part.shape) for part in given.parameters)
        return f"""
        A network with one hidden layer: out = max(0, x W1 + b1) W2 + b2; the loss is the mean of (out − y)² over all entries. Write
        `mlp_grad(parameters, x, y)`: the gradients in W1, b1, W2, b2, in this order, as a tuple of arrays of their shapes.
        `parameters` is the tuple (W1, b1, W2, b2). By hand: no autograd.

        To try: `p.given("mlp_grad")`, with the shapes {shapes}.
        """

    @staticmethod
    def solution(parameters, x, y):
        w1, b1, w2, b2 = parameters
        z = x @ w1 + b1
        a = np.maximum(z, 0)
        out = a @ w2 + b2
        delta_2 = 2 * (out - y) / out.size
        delta_1 = (delta_2 @ w2.T) * (z > 0)
        return x.T @ delta_1, delta_1.sum(axis=0), a.T @ delta_2, delta_2.sum(axis=0)

    @mistake(
        "relu's slope left out", "The factor [z > 0] is missing in delta_1: a unit that is off passes nothing back."
    )
    def without_mask(parameters, x, y):
        return _backward(parameters, x, y, mask=False)

    @mistake("mean left out", "The loss is a mean over all entries of out: divide delta_2 by their number.")
    def without_mean(parameters, x, y):
        return _backward(parameters, x, y, mean=False)

    @mistake("transposed", "W2's gradient is laid out transposed: it is aᵀ·delta_2, shaped as W2.")
    def transposed(parameters, x, y):
        return _backward(parameters, x, y, transposed=False)

    @mistake(
        "mean in the biases",
        "The biases' gradients are averaged over examples. They are sums: the mean is in delta already.",
    )
    def averaged_bias(parameters, x, y):
        return _backward(parameters, x, y, bias=False)


class conjugate_gradient(FunctionProblem):
    title = "conjugate gradients"
    difficulty, minutes = "hard", 15
    tags = ("concept:higher-order-gradients",)
    cases = 4
    hints = (
        "Start with x = 0, r = b, p = r. A step: α = r·r / p·Ap, x ← x + αp, r ← r − αAp.",
        "The next direction keeps a part of the last: β = (new r·r) / (old r·r), p ← r + βp.",
    )
    explanation = """
    x ← x + αp with α = r·r / p·Ap; r ← r − αAp; p ← r + βp with β = new r·r over old r·r. Each direction is conjugate to the ones
    before, pᵢ·Apⱼ = 0, so what was gained along them stays.
    """

    def draw(self, rng):
        size = int(rng.integers(4, 8))
        matrix = _positive(rng, size)
        return {"hvp": lambda v: matrix @ v, "b": rng.normal(size=size), "steps": int(rng.integers(2, size))}

    def statement(self, given):
        return f"""
        Write `conjugate_gradient(hvp, b, steps)`: the approximate solution of A x = b after `steps` steps of conjugate gradients from
        x = 0. `hvp(v)` gives A v for a symmetric positive definite A; `b` has shape `(P,)`, and so has the answer.

        To try: `p.given("conjugate_gradient")`, with P = {len(given.b)} and {given.steps} steps.
        """

    @staticmethod
    def solution(hvp, b, steps):
        x, r, p = np.zeros_like(b), b, b
        for _ in range(steps):
            image = hvp(p)
            alpha = (r @ r) / (p @ image)
            x, following = x + alpha * p, r - alpha * image
            r, p = following, following + (following @ following) / (r @ r) * p
        return x

    @mistake(
        "steepest descent",
        "The direction is always the residual: that is steepest descent. Keep a part of the last one: p = r + βp.",
    )
    def steepest(hvp, b, steps):
        x, r = np.zeros_like(b), b
        for _ in range(steps):
            image = hvp(r)
            alpha = (r @ r) / (r @ image)
            x, r = x + alpha * r, r - alpha * image
        return x

    @mistake("sign of the residual", "The residual grows the wrong way: after x ← x + αp it is r − αAp.")
    def residual_sign(hvp, b, steps):
        x, r, p = np.zeros_like(b), b, b
        for _ in range(steps):
            image = hvp(p)
            alpha = (r @ r) / (p @ image)
            x, following = x + alpha * p, r + alpha * image
            r, p = following, following + (following @ following) / (r @ r) * p
        return x

    @mistake("one step too many", "There is one step too many: `range(steps)` makes exactly that many.")
    def one_more(hvp, b, steps):
        return conjugate_gradient.solution(hvp, b, steps + 1)

    @mistake("beta upside down", "β is new r·r over old r·r; here it is the other way round.")
    def upside_down(hvp, b, steps):
        x, r, p = np.zeros_like(b), b, b
        for _ in range(steps):
            image = hvp(p)
            alpha = (r @ r) / (p @ image)
            x, following = x + alpha * p, r - alpha * image
            r, p = following, following + (r @ r) / (following @ following) * p
        return x


class implicit_gradient(FunctionProblem):
    title = "the implicit meta-gradient"
    difficulty, minutes = "medium", 10
    tags = ("concept:higher-order-gradients",)
    tolerance = 1e-5
    hints = (
        "The meta-gradient v solves (I + H/λ) v = g. Solve it, with H known by its products.",
        "With few parameters build the matrix from `hvp(unit)` and use `np.linalg.solve`; or use `mlcourse.conjugate_gradient`.",
    )
    explanation = r"""
    Differentiating $\nabla L_s(\theta') + \lambda(\theta' - \theta) = 0$ in θ gives $(H + \lambda I)\,\frac{\partial\theta'}{\partial\theta} =
    \lambda I$, so $v = (I + H/\lambda)^{-1} g$.
    """

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        matrix = _positive(rng, size)
        return {"hvp": lambda v: matrix @ v, "g": rng.normal(size=size), "lam": float(rng.uniform(0.5, 3))}

    def statement(self, given):
        return rf"""
        Write `implicit_gradient(hvp, g, lam)`: the meta-gradient of implicit MAML. `g` is $\nabla L_q(\theta')$, shape `(P,)`; `hvp(v)` gives
        $H_s(\theta')\,v$; `lam` is the strength λ of the pull towards θ. `mlcourse.conjugate_gradient(product, b, iterations)` may help.

        To try: `p.given("implicit_gradient")`, with P = {len(given.g)} and lam = {given.lam:.3f}.
        """

    @staticmethod
    def solution(hvp, g, lam):
        return _solve(lambda v: v + hvp(v) / lam, g, iterations=5 * len(g))

    @mistake(
        "no solve", "This multiplies by (I + H/λ). The gradient is the v that this matrix maps to g: solve for it."
    )
    def no_solve(hvp, g, lam):
        return g + hvp(g) / lam

    @mistake("lambda times H", "The matrix is I + H/λ, not I + λH: a strong pull (large λ) makes θ′ follow θ.")
    def times_lambda(hvp, g, lam):
        return _solve(lambda v: v + lam * hvp(v), g, iterations=5 * len(g))

    @mistake("1/lambda left out", "The matrix is I + H/λ; the λ is missing.")
    def without_lambda(hvp, g, lam):
        return _solve(lambda v: v + hvp(v), g, iterations=5 * len(g))

    @mistake(
        "one step instead of the end",
        "This is (I − H/λ)g, one gradient step's factor. θ′ is where the inner loop ends.",
    )
    def one_step(hvp, g, lam):
        return g - hvp(g) / lam

    @mistake("first-order", "This is g itself, the first-order gradient.")
    def first_order(hvp, g, lam):
        return g


class memory(NumberProblem):
    title = "what the recursion keeps"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:second-order-terms",)
    hints = (
        "The recursion needs θ₀, …, θ_m of every task: m + 1 vectors of P numbers.",
        "Multiply by the tasks and by 8 bytes, divide by 10⁶.",
    )
    explanation = "(m + 1) · T · P numbers of 8 bytes. An unrolled graph keeps every intermediate of every step on top."

    def draw(self, rng):
        steps, tasks = int(rng.integers(3, 12)), int(rng.integers(10, 60))
        return {"steps": steps, "tasks": tasks, "parameters": int(rng.integers(1000, 9000))}

    def statement(self, given):
        return f"""
        A network with {given.parameters} parameters, {given.tasks} tasks in a batch, {given.steps} inner steps, float64. How many megabytes
        (10⁶ bytes) does the trajectory take that the backward recursion of MAML keeps, θ₀ to θ_m?
        """

    @staticmethod
    def solution(steps, tasks, parameters):
        return (steps + 1) * tasks * parameters * 8 / 1e6

    @mistake("one task", "That is the trajectory of one task. Every task has its own.")
    def one_task(steps, tasks, parameters):
        return (steps + 1) * parameters * 8 / 1e6

    @mistake("the start forgotten", "That is m vectors a task. θ₀ belongs to the trajectory: m + 1.")
    def without_start(steps, tasks, parameters):
        return steps * tasks * parameters * 8 / 1e6

    @mistake("bytes forgotten", "That is in millions of numbers. A float64 has 8 bytes.")
    def numbers(steps, tasks, parameters):
        return (steps + 1) * tasks * parameters / 1e6

    @mistake("the Hessian kept", "That counts a Hessian for each step. The recursion needs its products only.")
    def hessians(steps, tasks, parameters):
        return (steps + 1) * tasks * parameters**2 * 8 / 1e6


class same_gradient(ChoiceProblem):
    title = "cheaper, but still exact?"
    difficulty, minutes = "medium", 8
    tags = ("takeaway:second-order-terms", "concept:fomaml")
    labels = ("exact", "approximate")
    hints = (
        "Ask whether any derivative is left out, or only computed in another order or place.",
        "Recomputing, reordering and batching change nothing. Leaving out H, stopping early and few iterations do.",
    )
    explanation = """
    Exact: the recursion, recomputed forward passes, products instead of matrices, batches instead of loops, derivatives by hand.
    Approximate: no Hessian, a Hessian at another place, an implicit solve before the loop has arrived or with few iterations.
    """
    traps = MappingProxyType(
        {
            "saving memory taken for an approximation": "A way that only recomputes or reorders was called approximate.",
            "cheap taken for exact": "A way that leaves a derivative out was called exact.",
        }
    )

    def statement(self, given):
        return """
        Each line changes how MAML's meta-gradient is computed. Up to rounding, is it still *exact*, or *approximate*?
        """

    def items(self, rng):
        m, few, tasks = int(rng.integers(3, 12)), int(rng.integers(2, 4)), int(rng.integers(10, 60))
        saving, cheap = {"saving memory taken for an approximation": "approximate"}, {"cheap taken for exact": "exact"}
        pool = [
            Item(f"keep θ₀ … θ_{m} and compute every forward pass anew on the way back", "exact", saving),
            Item("use Hessian-vector products instead of Hessians", "exact", saving),
            Item(f"one batched pass for {tasks} tasks instead of a loop over them", "exact", saving),
            Item("derivatives by hand instead of autograd's", "exact", saving),
            Item(f"keep every second θ_i of {m} and redo the inner steps between", "exact", saving),
            Item(f"differentiate through the last of {m} inner steps only", "approximate", cheap),
            Item("take every Hessian at θ_m, where the memory is", "approximate", cheap),
            Item("leave out the Hessian-vector products", "approximate", cheap),
            Item(f"solve the implicit system after {few} inner steps of an unfinished loop", "approximate", cheap),
            Item(f"{few} iterations of conjugate gradients for 1000 parameters", "approximate", cheap),
        ]
        return [pool[i] for i in rng.permutation(len(pool))[:8]]
