"""Lesson 11, compute and memory."""

from types import MappingProxyType

import numpy as np
from autograd.core import make_jvp, make_vjp

import mlcourse
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, mistake
from mlcourse.classroom.judging.memory import peak_of
from mlcourse.recipes.deviations import Deviation

_BY_HAND = ((make_vjp, "autograd"), (make_jvp, "autograd"))


class memory(FunctionProblem):
    title = "what the recursion keeps"
    place = "lesson"
    difficulty, minutes = "easy", 3
    tags = ("takeaway:second-order-terms",)
    most = 3
    hints = (
        "Begin with one place of one task: two vectors of `parameters` numbers, and three numbers for each unit at each "
        "of `shots` points.",
        "One place of one task is `2 * parameters + 3 * shots * units`. How many places are kept, in how many tasks?",
        "`return steps * tasks * (2 * parameters + 3 * shots * units)`",
    )
    explanation = r"""
    A place keeps $\theta_i$ and its gradient, $2P$ numbers, and for each unit at each of the $K$ points its activation,
    slope and $\delta$. There is one place for each of $m$ steps and $T$ tasks: $mT(2P + 3K \cdot \text{units})$.
    """

    def draw(self, rng):
        return {
            "steps": int(rng.integers(2, 12)),
            "tasks": int(rng.integers(2, 60)),
            "parameters": int(rng.integers(100, 9000)),
            "shots": int(rng.integers(2, 30)),
            "units": int(rng.integers(10, 200)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        On its way down MAML keeps a place for each of its $m$ inner steps, in each of $T$ tasks. A place holds
        $\theta_i$ and its gradient, $P$ numbers each, and for each unit at each of the $K$ support points three more
        numbers. Write `memory(steps, tasks, parameters, shots, units)`: how many numbers that is, with $m$, $T$, $P$,
        $K$ and the number of units, in this order.

        For m = {given.steps}, T = {given.tasks}, P = {given.parameters}, K = {given.shots} and {given.units} units it
        is {value}.
        """

    @staticmethod
    def solution(steps, tasks, parameters, shots, units):
        return steps * tasks * (2 * parameters + 3 * shots * units)

    @staticmethod
    def variant(
        steps, tasks, parameters, shots, units, vectors=2, each=3, points="K", batch="T", places="m", counted="numbers"
    ):
        at = {"K": shots, "1": 1}[points]
        of_units = {"K · units": each * at * units, "none": 0}["none" if each == 0 else "K · units"]
        count = {"m": steps, "m + 1": steps + 1, "1": 1}[places] * {"T": tasks, "1": 1}[batch]
        return count * (vectors * parameters + of_units) * {"numbers": 1, "bytes": 8}[counted]

    @mistake("the Hessian kept", "A Hessian, P² numbers, is kept for each step. The recursion needs its products only.")
    def hessians(steps, tasks, parameters, shots, units):
        return steps * tasks * (2 * parameters + 3 * shots * units + parameters**2)

    @mistake(
        "one bracket missing",
        "The number of steps and tasks multiplies the whole place: put its two parts in brackets.",
    )
    def without_bracket(steps, tasks, parameters, shots, units):
        return steps * tasks * 2 * parameters + 3 * shots * units

    deviations = (
        Deviation("vectors", 1, "gradient forgotten", "θ_i is kept, its gradient is not: that is one vector more."),
        Deviation("vectors", 0, "parameters forgotten", "θ_i and its gradient are kept, too: 2P numbers."),
        Deviation("vectors", 3, "a vector too many", "There are three vectors of P numbers. A place has θ_i and its gradient."),
        Deviation(
            "each", 1, "one number a unit", "A unit has three numbers a point: its activation, its slope and its δ."
        ),
        Deviation(
            "each", 2, "two numbers a unit", "A unit has three numbers a point: its activation, its slope and its δ."
        ),
        Deviation("each", 0, "units forgotten", "The numbers of the units are missing: three for each unit and point."),
        Deviation("points", "1", "one point", "The numbers of the units are those of one point. There are K points."),
        Deviation("batch", "1", "one task", "That is one task. Every task has places of its own."),
        Deviation("places", "m + 1", "m + 1 places", "That is m + 1 places. Nothing is kept at θ_m: the way back begins there."),
        Deviation("places", "1", "one place", "That is one place. There is one for every step."),
        Deviation("counted", "bytes", "bytes for numbers", "That is 8 times as many: bytes. The question is how many numbers."),
    )  # fmt: skip


def _backward(
    parameters,
    x,
    y,
    mask="[Z > 0]",
    mean="entries",
    factor=2,
    into="W2ᵀ",
    through="δ2",
    laid_out="Aᵀδ2",
    biases="sum",
):
    """The four gradients of a network with one hidden layer, with any of the known mistakes."""
    W1, b1, W2, b2 = parameters
    Z = x @ W1 + b1
    A = np.maximum(Z, 0)
    error = A @ W2 + b2 - y
    delta_2 = factor * error / {"entries": error.size, "1": 1, "K": len(x), "outputs": error.shape[-1]}[mean]
    back = {"δ2": delta_2, "error": error}[through] @ W2.T
    slopes = {"[Z > 0]": Z > 0, "1": 1, "Z": Z, "A": A, "[Z < 0]": Z < 0}
    delta_1 = back * slopes[mask]
    in_W2 = {"Aᵀδ2": A.T @ delta_2, "transposed": (delta_2.T @ A).reshape(W2.shape), "Z": Z.T @ delta_2}[laid_out]
    of_b1, of_b2 = ({"sum": d.sum(axis=0), "mean": d.mean(axis=0)}[biases] for d in (delta_1, delta_2))
    return x.T @ delta_1, of_b1, in_W2, of_b2


def _network(rng):
    inputs, hidden, outputs, shots = (
        int(n) for n in (rng.integers(1, 4), rng.integers(3, 6), rng.integers(2, 4), rng.integers(5, 9))
    )
    parameters = tuple(rng.normal(size=shape) for shape in ((inputs, hidden), (hidden,), (hidden, outputs), (outputs,)))
    return {"parameters": parameters, "x": rng.normal(size=(shots, inputs)), "y": rng.normal(size=(shots, outputs))}


class mlp_grad(FunctionProblem):
    title = "the gradient of a network, by hand"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:higher-order-gradients",)
    cases = 4
    forbidden = _BY_HAND
    hints = (
        "L is a mean of squares over `y.size` entries. Its derivative in one entry of ŷ is ŷ − y times which factor?",
        "`factor = 2 / y.size`. From δ2 back to A it goes through W2, transposed; from A to Z through relu, whose "
        "slope is 1 where Z > 0 and 0 elsewhere.",
        "`delta_1 = (delta_2 @ W2.T) * (Z > 0)`",
    )
    explanation = r"""
    $\delta_2 = \frac{2}{Ko}(\hat y - y)$ with $Ko$ entries in $y$, and $\delta_1 = (\delta_2 W_2^\top)\circ[Z > 0]$: back
    through the matrix, then through relu. The shapes alone almost tell which transpose goes where.
    """

    def draw(self, rng):
        return _network(rng)

    def statement(self, given):
        shapes = ", ".join(str(part.shape) for part in given.parameters)
        return rf"""
        A network with one hidden layer, $Z = xW_1 + b_1$, $A = \max(0, Z)$, $\hat y = AW_2 + b_2$; the loss $L$ is the mean
        of $(\hat y - y)^2$ over all entries. Write `mlp_grad(parameters, x, y)`: the derivatives of $L$ in W1, b1, W2, b2,
        in this order, as a tuple of arrays of their shapes. `parameters` is the tuple (W1, b1, W2, b2); x has shape
        `(K, inputs)` and y `(K, outputs)`. By hand: no autograd.

        To try: `p.given("mlp_grad")`, with the shapes {shapes}.
        """

    @staticmethod
    def solution(parameters, x, y):
        W1, b1, W2, b2 = parameters
        Z = x @ W1 + b1
        A = np.maximum(Z, 0)
        y_hat = A @ W2 + b2
        factor = 2 / y.size
        delta_2 = factor * (y_hat - y)
        delta_1 = (delta_2 @ W2.T) * (Z > 0)
        return x.T @ delta_1, delta_1.sum(axis=0), A.T @ delta_2, delta_2.sum(axis=0)

    variant = staticmethod(_backward)

    @mistake(
        "order", "The gradients come in the order W1, b1, W2, b2, as the parameters do; here the second layer is first."
    )
    def second_layer_first(parameters, x, y):
        of_W1, of_b1, of_W2, of_b2 = mlp_grad.solution(parameters, x, y)
        return of_W2, of_b2, of_W1, of_b1

    deviations = (
        Deviation(
            "mask", "1", "relu's slope left out", "The slope [Z > 0] is missing in δ1: a unit that is off passes nothing back."
        ),
        Deviation("mask", "Z", "Z for relu's slope", "δ1 is multiplied by Z. The slope of relu is 1 where Z > 0, 0 elsewhere."),
        Deviation("mask", "A", "A for relu's slope", "δ1 is multiplied by A. The slope of relu is 1 where Z > 0, 0 elsewhere."),
        Deviation("mask", "[Z < 0]", "mask turned round", "The units that are off pass everything back: the slope is [Z > 0]."),
        Deviation("mean", "1", "mean left out", "The loss is a mean over all entries of y: divide δ2 by their number, y.size."),
        Deviation(
            "mean", "K", "mean over points alone", "δ2 is divided by K. The mean is over all entries of y, K · outputs of them."
        ),
        Deviation(
            "mean", "outputs", "mean over outputs alone", "δ2 is divided by the outputs. The mean is over all entries of y."
        ),
        Deviation("factor", 1, "factor 2 left out", "The square's 2 is missing: the derivative of (ŷ − y)² is 2(ŷ − y)."),
        Deviation("through", "error", "the error carried back", "δ1 is made from ŷ − y. Carry δ2 back, with its 2 and its mean."),
        Deviation("laid_out", "transposed", "transposed", "W2's gradient is laid out transposed: it is Aᵀδ2, shaped as W2."),
        Deviation("laid_out", "Z", "Z for A", "W2's gradient has Z. What went into W2 is A, after the activation: Aᵀδ2."),
        Deviation(
            "biases", "mean", "mean in the biases", "The biases' gradients are averaged over points. They are sums: the mean is in δ."
        ),
    )  # fmt: skip


class mlp_hvp(FunctionProblem):
    title = "the Hessian-vector product of a network, by hand"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:higher-order-gradients",)
    cases = 4
    forbidden = _BY_HAND
    hints = (
        "δ1 = (δ2 W2ᵀ)∘[Z > 0]. Which of its three factors move, and what are their companions?",
        "R{δ1} has two terms, both times [Z > 0]: in one δ2 moves and W2 is held, in the other W2 moves and δ2 is held.",
        "`R_delta_1 = (R_delta_2 @ W2.T + delta_2 @ V2.T) * (Z > 0)`",
    )
    explanation = r"""
    The product rule, line by line: $R\{\hat y\} = R\{A\}W_2 + AV_2 + v_2$ and $R\{\delta_1\} = (R\{\delta_2\}W_2^\top +
    \delta_2V_2^\top)\circ[Z > 0]$. The slope $[Z > 0]$ does not move: relu's second derivative is zero.
    """

    def draw(self, rng):
        case = _network(rng)
        return case | {"v": tuple(rng.normal(size=part.shape) for part in case["parameters"])}

    def statement(self, given):
        shapes = ", ".join(str(part.shape) for part in given.parameters)
        return rf"""
        The network and the loss are those of `mlp_grad`. `v` is the tuple (V1, v1, V2, v2), shaped as the parameters: the
        direction in which they move. Write `mlp_hvp(parameters, x, y, v)`: the Hessian of the loss times v, as a tuple of
        four arrays shaped as the parameters. By hand, with the companion $R\{{q\}}$ of each quantity $q$, its derivative in
        the direction v: no autograd, and no Hessian.

        To try: `p.given("mlp_hvp")`, with the shapes {shapes}.
        """

    @staticmethod
    def solution(parameters, x, y, v):
        W1, b1, W2, b2 = parameters
        V1, v1, V2, v2 = v
        Z = x @ W1 + b1
        A = np.maximum(Z, 0)
        delta_2 = 2 * (A @ W2 + b2 - y) / y.size
        R_A = (x @ V1 + v1) * (Z > 0)
        R_y_hat = R_A @ W2 + A @ V2 + v2
        R_delta_2 = 2 * R_y_hat / y.size
        R_delta_1 = (R_delta_2 @ W2.T + delta_2 @ V2.T) * (Z > 0)
        in_W2 = R_A.T @ delta_2 + A.T @ R_delta_2
        return x.T @ R_delta_1, R_delta_1.sum(axis=0), in_W2, R_delta_2.sum(axis=0)

    @staticmethod
    def variant(parameters, x, y, v, hidden=1, weights=1, bias="v2", moved="R{δ2}", matrix=1, mask="[Z > 0]"):
        W1, b1, W2, b2 = parameters
        V1, v1, V2, v2 = v
        Z = x @ W1 + b1
        A = np.maximum(Z, 0)
        delta_2 = 2 * (A @ W2 + b2 - y) / y.size
        R_A = (x @ V1 + v1) * (Z > 0)
        R_y_hat = hidden * R_A @ W2 + weights * A @ V2 + {"v2": v2, "0": 0, "b2": b2}[bias]
        R_delta_2 = 2 * R_y_hat / y.size
        first = {"R{δ2}": R_delta_2, "0": 0 * R_delta_2, "δ2": delta_2}[moved] @ W2.T
        R_delta_1 = (first + matrix * delta_2 @ V2.T) * {"[Z > 0]": Z > 0, "1": 1}[mask]
        in_W2 = R_A.T @ delta_2 + A.T @ R_delta_2
        return x.T @ R_delta_1, R_delta_1.sum(axis=0), in_W2, R_delta_2.sum(axis=0)

    @mistake(
        "both factors moved at once",
        "R{δ1} has R{δ2}V2ᵀ: both factors moved at once. The product rule moves one and holds the other, and adds the two.",
    )
    def both_at_once(parameters, x, y, v):
        W1, b1, W2, b2 = parameters
        V1, v1, V2, v2 = v
        Z = x @ W1 + b1
        A = np.maximum(Z, 0)
        delta_2 = 2 * (A @ W2 + b2 - y) / y.size
        R_A = (x @ V1 + v1) * (Z > 0)
        R_delta_2 = 2 * (R_A @ W2 + A @ V2 + v2) / y.size
        R_delta_1 = (R_delta_2 @ V2.T) * (Z > 0)
        in_W2 = R_A.T @ delta_2 + A.T @ R_delta_2
        return x.T @ R_delta_1, R_delta_1.sum(axis=0), in_W2, R_delta_2.sum(axis=0)

    @mistake("the gradient again", "That is the gradient. Its derivative in the direction v is wanted: the companions.")
    def gradient(parameters, x, y, v):
        return mlp_grad.solution(parameters, x, y)

    deviations = (
        Deviation("hidden", 0, "A does not move", "R{A}W2 is missing in R{ŷ}: the hidden units move, too, when W1 moves."),
        Deviation("weights", 0, "W2 does not move", "AV2 is missing in R{ŷ}: W2 moves by V2, with A held."),
        Deviation("bias", "0", "b2 does not move", "v2 is missing in R{ŷ}: b2 moves by v2."),
        Deviation("bias", "b2", "b2 for v2", "R{ŷ} has b2 itself. The companion of b2 is what it moves by: v2."),
        Deviation("moved", "0", "delta_2 does not move", "R{δ2}W2ᵀ is missing in R{δ1}: δ2 moves with ŷ."),
        Deviation("moved", "δ2", "delta_2 for its companion", "R{δ1} has δ2W2ᵀ. In that term δ2 moves: R{δ2}W2ᵀ."),
        Deviation("matrix", 0, "W2 does not move on the way back", "δ2V2ᵀ is missing in R{δ1}: W2 moves by V2, with δ2 held."),
        Deviation("mask", "1", "relu's slope left out", "The slope [Z > 0] is missing in R{δ1}: a unit that is off passes nothing back."),
    )  # fmt: skip


def _positive(rng, size):
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    return root @ root.T + 0.5 * np.eye(size)


class conjugate_gradient(FunctionProblem):
    title = "conjugate gradients"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:higher-order-gradients",)
    cases = 5
    forbidden = ((mlcourse.conjugate_gradient, "`mlcourse.conjugate_gradient`"),)
    hints = (
        "`length`: along d the derivative of q is d·(M(x + length d) − b) = length d·Md − d·r. For which length is it zero?",
        "`length = (d @ r) / (d @ image)`. `keep`: write out (r + keep d)·Md = 0, with the new r, and solve for keep.",
        "`keep = -(r @ image) / (d @ image)`",
    )
    explanation = r"""
    Along $d$ the quadratic $q(x) = \frac12 x\cdot Mx - b\cdot x$ is least at the length $d\cdot r / d\cdot Md$. The next direction
    $r + \text{keep}\,d$ is conjugate to $d$ where $(r + \text{keep}\,d)\cdot Md = 0$: keep is $-r\cdot Md / d\cdot Md$, with the new
    $r$. The same number is new $r\cdot r$ over old $r\cdot r$, which is how most write it.
    """

    def draw(self, rng):
        size = int(rng.integers(6, 9))
        matrix = _positive(rng, size)
        return {"hvp": lambda v: matrix @ v, "b": rng.normal(size=size), "steps": int(rng.integers(3, size - 1))}

    def statement(self, given):
        return rf"""
        Write `conjugate_gradient(hvp, b, steps)`: the approximate solution of $Mx = b$ after `steps` steps of conjugate
        gradients from $x = 0$. `hvp(v)` gives $Mv$ for a symmetric positive definite $M$; `b` has shape `(P,)`, and so has
        the answer. Do it yourself: do not call `mlcourse.conjugate_gradient`.

        To try: `p.given("conjugate_gradient")`, with P = {len(given.b)} and {given.steps} steps.
        """

    @staticmethod
    def solution(hvp, b, steps):
        x, r, d = np.zeros_like(b), b, b
        for _ in range(steps):
            image = hvp(d)
            length = (d @ r) / (d @ image)
            x, r = x + length * d, r - length * image
            keep = -(r @ image) / (d @ image)
            d = r + keep * d
        return x

    @staticmethod
    @np.errstate(all="ignore")  # a wrong length may lead far away
    def variant(
        hvp, b, steps, length="d·r / d·Md", keep="new / old", residual="r − length Md", base="r", count="steps"
    ):
        x, r, d = np.zeros_like(b), b, b
        for _ in range({"steps": steps, "steps + 1": steps + 1, "steps − 1": steps - 1, "P": len(b)}[count]):
            image = hvp(d)
            lengths = {
                "d·r / d·Md": d @ r / (d @ image),
                "d·Md / d·r": d @ image / (d @ r),
                "d·d / d·Md": d @ d / (d @ image),
                "b·b / d·Md": b @ b / (d @ image),
                "r·r / r·Mr": r @ r / (r @ hvp(r)),
                "1 / d·Md": 1 / (d @ image),
                "d·r / d·d": d @ r / (d @ d),
            }
            step = lengths[length]
            x, before = x + step * d, r
            r = {
                "r − length Md": r - step * image,
                "r + length Md": r + step * image,
                "b − length Md": b - step * image,
            }[residual]
            share = (r @ r) / (before @ before)
            keeps = {
                "new / old": share,
                "old / new": 1 / share,
                "0": 0,
                "1": 1,
                "−": -share,
                "root": np.sqrt(share),
                "−1": -1,
            }
            d = {"r": r, "b": b, "0": 0, "old r": before}[base] + keeps[keep] * d
        return x

    def skip(self, settings):
        return settings.get("keep") == "0" and settings.get("base") == "0"  # no direction is left

    def simpler(self, case):
        return {"one step": case | {"steps": 1}}

    @mistake("the residual returned", "This is the residual, what is left of b. Return x.")
    def residual_returned(hvp, b, steps):
        return b - hvp(conjugate_gradient.solution(hvp, b, steps))

    deviations = (
        Deviation(
            "keep", "0", "steepest descent", "The direction is always the residual: that is steepest descent. Keep a share of the last one: (r + keep d)·Md = 0."
        ),
        Deviation("keep", "1", "all of the last direction", "The whole last direction is kept. Its share follows from (r + keep d)·Md = 0."),
        Deviation("keep", "−", "sign of what is kept", "keep has the wrong sign. Solve (r + keep d)·Md = 0 for it: −r·Md over d·Md."),
        Deviation("keep", "−1", "keep from the old residual", "keep is −1 here, as with the old residual. In (r + keep d)·Md = 0 stands the new r."),
        Deviation("keep", "old / new", "keep upside down", "keep is upside down. It is −r·Md over d·Md; or new r·r over old r·r."),
        Deviation("keep", "root", "lengths for squares", "keep is the ratio of r·r, new over old, without a root."),
        Deviation("base", "b", "from b", "The new direction starts from b. It starts from what is left, the new residual r."),
        Deviation("base", "0", "residual left out", "The new direction is the old one. Add the new residual: r + keep d."),
        Deviation("length", "d·Md / d·r", "length upside down", "The length is d·r over d·Md; here it is the other way round."),
        Deviation("length", "d·d / d·Md", "d·d for d·r", "The length has d·d on top. What pulls along d is the residual: d·r."),
        Deviation("length", "r·r / r·Mr", "steepest descent's length", "The length is that of a step along r. The step goes along d: d·Md below."),
        Deviation("length", "1 / d·Md", "residual left out of the length", "The length is 1 / d·Md. On top belongs d·r."),
        Deviation("length", "d·r / d·d", "M left out of the length", "The length has d·d below. The bend along d is d·Md."),
        Deviation("length", "b·b / d·Md", "b for the residual", "The length has b·b on top. What pulls along d is what is left, the residual: d·r."),
        Deviation("base", "old r", "old residual", "The new direction starts from the old residual. It starts from the new one."),
        Deviation("residual", "b − length Md", "residual from b", "The residual is b − length Md. It goes on from the last one: r − length Md."),
        Deviation("residual", "r + length Md", "sign of the residual", "The residual grows: after x + length d it is r − length Md."),
        Deviation("count", "steps + 1", "one step too many", "There is one step too many: `range(steps)` makes exactly that many."),
        Deviation("count", "steps − 1", "one step too few", "There is one step too few: `range(steps)` makes exactly that many."),
        Deviation("count", "P", "solved to the end", "This goes on until the system is solved. It should stop after `steps` steps."),
    )  # fmt: skip


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
        return rf"""
        The loss of a linear model is the mean over K examples of $(x_k\theta - y_k)^2$, with x of shape `(K, P)`. Write
        `hvp_linear(x, v)`: its Hessian times `v`, shape `(P,)`. It should serve P = 20 000 as well: P × P numbers do not fit.

        To try: `p.given("hvp_linear")`, with K = {given.x.shape[0]} and P = {given.x.shape[1]}.
        """

    @staticmethod
    def solution(x, v):
        return 2 / len(x) * (x.T @ (x @ v))

    def observe(self, answer, case):
        value, peak = peak_of(answer, *case.values())
        return {"builds the P × P matrix": peak > 4 * case["v"].size ** 2, "H v": value}

    @mistake("builds H", "It builds xᵀx, P² numbers: at 20 000 parameters 3.2 GB. Put the brackets otherwise: xᵀ(xv).")
    def builds(x, v):
        return 2 / len(x) * (x.T @ x) @ v

    @mistake("mean factor", "The 1/K of the mean is missing: H = (2/K)·xᵀx.")
    def without_mean(x, v):
        return 2 * (x.T @ (x @ v))

    @mistake("factor 2 left out", "The 2 of the square is missing: H = (2/K)·xᵀx.")
    def without_two(x, v):
        return x.T @ (x @ v) / len(x)

    @mistake("both factors left out", "This is xᵀxv: the 2 of the square and the 1/K of the mean are missing.")
    def without_factors(x, v):
        return x.T @ (x @ v)

    @mistake("P for K", "It is divided by P, the number of parameters. The mean is over the K examples: `len(x)`.")
    def parameters_for_examples(x, v):
        return 2 / x.shape[1] * (x.T @ (x @ v))

    @mistake("K P for K", "It is divided by all entries of x. The mean is over the K examples: `len(x)`.")
    def entries_for_examples(x, v):
        return 2 / x.size * (x.T @ (x @ v))

    @mistake("K − 1 for K", "It is divided by K − 1, as for a variance that is estimated. The mean divides by K.")
    def one_example_less(x, v):
        return 2 / (len(x) - 1) * (x.T @ (x @ v))

    @mistake("the diagonal alone", "This is H's diagonal times v, entry by entry. H mixes the entries of v: xᵀ(xv).")
    def diagonal(x, v):
        return 2 * np.mean(x**2, axis=0) * v

    @mistake("sign", "The sign is turned: the Hessian of a square is positive, (2/K)·xᵀx.")
    def minus(x, v):
        return -2 / len(x) * (x.T @ (x @ v))


class implicit_gradient(FunctionProblem):
    title = "the implicit meta-gradient"
    difficulty, minutes = "medium", 10
    tags = ("concept:higher-order-gradients",)
    tolerance = 1e-5
    hints = (
        "The meta-gradient u solves (I + H/λ) u = g. Solve it, with H known by its products.",
        "With few parameters build the matrix from `hvp(unit)` and use `np.linalg.solve`; or use `mlcourse.conjugate_gradient`.",
    )
    explanation = r"""
    Differentiating $\nabla L_s(\theta') + \lambda(\theta' - \theta) = 0$ in θ gives $(H + \lambda I)\,\frac{\partial\theta'}{\partial\theta} =
    \lambda I$, so $u = (I + H/\lambda)^{-1} g$.
    """

    def draw(self, rng):
        size = int(rng.integers(5, 8))
        matrix = _positive(rng, size)
        return {"hvp": lambda v: matrix @ v, "g": rng.normal(size=size), "lam": float(rng.uniform(1.5, 4))}

    def statement(self, given):
        return rf"""
        Write `implicit_gradient(hvp, g, lam)`: the meta-gradient $u$ of implicit MAML. `g` is $\nabla L_q(\theta')$, shape `(P,)`; `hvp(v)`
        gives $H_s(\theta')\,v$; `lam` is the strength λ of the pull towards θ. `mlcourse.conjugate_gradient(product, b, iterations)` may help.
        Six right digits are enough.

        To try: `p.given("implicit_gradient")`, with P = {len(given.g)} and lam = {given.lam:.3f}.
        """

    @staticmethod
    def solution(hvp, g, lam):
        return mlcourse.conjugate_gradient(lambda v: v + hvp(v) / lam, g, iterations=5 * len(g))

    @staticmethod
    def variant(hvp, g, lam, matrix="I + H/λ", way="solve", right="g"):
        unit, H = np.eye(len(g)), np.array([hvp(each) for each in np.eye(len(g))])
        M = {
            "I + H/λ": unit + H / lam,
            "I + λH": unit + lam * H,
            "I + H": unit + H,
            "I − H/λ": unit - H / lam,
            "H": H,
            "H/λ": H / lam,
        }[matrix]
        g = {"g": g, "λg": lam * g, "g/λ": g / lam, "Hg": hvp(g)}[right]
        if way == "solve":
            return np.linalg.solve(M, g)
        return M @ g if way == "multiply" else mlcourse.conjugate_gradient(lambda v: M @ v, g, iterations=int(way[0]))

    @mistake("first-order", "This is g itself, the first-order gradient.")
    def first_order(hvp, g, lam):
        return g

    @mistake(
        "entry by entry",
        "g is divided by 1 + Hg/λ, entry by entry. That is no solution of the system: H mixes the entries. Solve for u.",
    )
    def entry_by_entry(hvp, g, lam):
        return g / (1 + hvp(g) / lam)

    @mistake(
        "one step instead of the end",
        "This is (I − H/λ)g, one gradient step's factor. θ′ is where the inner loop ends: solve for u.",
    )
    def one_step(hvp, g, lam):
        return g - hvp(g) / lam

    deviations = (
        Deviation(
            "way", "multiply", "no solve", "This multiplies by the matrix. u is what the matrix maps to g: solve for it."
        ),
        Deviation(
            "way", "3 iterations", "three iterations", "Three iterations of conjugate gradients do not solve it: P of them do."
        ),
        Deviation("way", "1 iteration", "one iteration", "One iteration of conjugate gradients does not solve it: P of them do."),
        Deviation("right", "λg", "times lambda", "It is λ times too long: with I + H/λ, g alone stands on the right."),
        Deviation(
            "right", "g/λ", "lambda on one side", "It is divided by λ once more. With H + λI on the left λg stands on the right, with I + H/λ it is g."
        ),
        Deviation("right", "Hg", "H on both sides", "The right-hand side is Hg. It is g, the query's gradient at θ′."),
        Deviation("matrix", "I + λH", "lambda times H", "The matrix has λH in place of H/λ: a strong pull (large λ) makes θ′ follow θ."),
        Deviation("matrix", "I + H", "1/lambda left out", "H is not divided by λ: the matrix is I + H/λ."),
        Deviation("matrix", "I − H/λ", "sign of H", "The matrix has −H/λ. The condition has +∇L_s(θ′), so it is I + H/λ."),
        Deviation("matrix", "H", "the Hessian alone", "The matrix is H alone. The pull belongs to the condition: I + H/λ."),
        Deviation("matrix", "H/λ", "identity left out", "The matrix is H/λ. The pull λ(θ′ − θ) adds the identity: I + H/λ."),
    )  # fmt: skip

    def skip(self, settings):
        return settings == {"matrix": "I − H/λ", "way": "multiply"}  # one step's factor, which has a name of its own


def _wavy(rng, size):
    """Gradient and Hessian-vector product of a loss whose curvature differs from place to place, entry by entry."""
    h, theta_star, bend = rng.uniform(0.5, 1.5, size), rng.normal(size=size), rng.uniform(0.2, 0.5, size)

    def grad(theta):
        return h * (theta - theta_star) + bend * np.sin(2 * theta)

    def hvp(theta, v):
        return (h + 2 * bend * np.cos(2 * theta)) * v

    return grad, hvp


class checkpointed(FunctionProblem):
    title = "keep a few, compute the rest again"
    difficulty, minutes = "hard", 15
    tags = ("concept:higher-order-gradients", "takeaway:second-order-terms")
    cases = 2
    hints = (
        "On the way down keep θ_i in a list where i is divisible by `every`, and throw the others away.",
        "On the way back take the kept ones, last first. From each walk down again to the next kept one, and keep these few "
        "θ_i; then go back through them, last first: v ← v − αH_s(θ_i)v.",
        "The last segment may be shorter: from θ_i with i = `start` there are `min(every, steps - start)` steps.",
    )
    explanation = r"""
    At any time only the kept θ_i and those of one segment are there, $m/\text{every} + \text{every}$ vectors instead of $m$; with every
    near $\sqrt m$ that is $2\sqrt m$. Each step is computed twice, and the gradient is the same to the last digits.
    """

    def draw(self, rng):
        grad_s, hvp_s = _wavy(rng, 500)
        grad_q, _ = _wavy(rng, 500)
        return {
            "grad_s": grad_s,
            "hvp_s": hvp_s,
            "grad_q": grad_q,
            "theta": rng.normal(size=500),
            "alpha": float(rng.uniform(0.02, 0.06)),
            "steps": int(rng.integers(32, 38)),
            "every": int(rng.integers(5, 7)),
        }

    def statement(self, given):
        return rf"""
        The backward recursion needs $\theta_{{m-1}}, \dots, \theta_0$, in this order. Keep only every few of them on the way down, and compute
        those in between once more on the way back, from the kept one before them. Write
        `checkpointed(grad_s, hvp_s, grad_q, theta, alpha, steps, every)`: the exact meta-gradient, shape `(P,)`, that keeps
        $\theta_0, \theta_k, \theta_{{2k}}, \dots$ with k = `every`. `grad_s(theta)` and `hvp_s(theta, v)` are $\nabla L_s(\theta)$ and
        $H_s(\theta)v$, `grad_q(theta)` is $\nabla L_q(\theta)$; `steps` is m, not always divisible by k.

        At no time may there be more vectors than those kept, those of one segment and ten more; and no step may be computed more
        than twice, on the way down and on the way back. To try: `p.given("checkpointed")`, with P = {len(given.theta)}, m = {given.steps} and
        k = {given.every}.
        """

    @staticmethod
    def solution(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        kept, theta_i = [], theta
        for i in range(steps):
            if i % every == 0:
                kept.append(theta_i)
            theta_i = theta_i - alpha * grad_s(theta_i)
        v = grad_q(theta_i)
        for number in reversed(range(len(kept))):
            segment = [kept[number]]
            for _ in range(min(every, steps - number * every) - 1):
                segment.append(segment[-1] - alpha * grad_s(segment[-1]))
            for theta_i in reversed(segment):
                v = v - alpha * hvp_s(theta_i, v)
        return v

    def observe(self, answer, case):
        steps, every, size = case["steps"], case["every"], case["theta"].size
        calls = 0

        def counted(theta):
            nonlocal calls
            calls += 1
            return grad_s(theta)

        grad_s = case["grad_s"]
        value, peak = peak_of(answer, *(case | {"grad_s": counted}).values())
        return {
            "the meta-gradient": value,
            "too many vectors at a time": peak / (8 * size) > -(-steps // every) + every + 10,
            "steps computed more than twice": calls / 2 > 2 * steps,  # `peak_of` calls it twice
        }

    @mistake(
        "keeps every theta",
        "The gradient is exact, and every θ_i is kept: m vectors. Keep those whose i is divisible by `every`.",
    )
    def keeps_all(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        return checkpointed.solution(grad_s, hvp_s, grad_q, theta, alpha, steps, 1)

    @mistake(
        "from the start each time",
        "Each θ_i is computed anew all the way from θ_0: about m²/2 steps. Start from the nearest kept θ_i before it.",
    )
    def from_the_start(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        def at(i):
            theta_i = theta
            for _ in range(i):
                theta_i = theta_i - alpha * grad_s(theta_i)
            return theta_i

        v = grad_q(at(steps))
        for i in reversed(range(steps)):
            v = v - alpha * hvp_s(at(i), v)
        return v

    @mistake(
        "Hessians at the kept theta",
        "The Hessians of a whole segment are taken at its kept θ_i. Each step has its own: compute those between again.",
    )
    def stale(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        kept, theta_i = [], theta
        for i in range(steps):
            if i % every == 0:
                kept.append(theta_i)
            theta_i = theta_i - alpha * grad_s(theta_i)
        v = grad_q(theta_i)
        for i in reversed(range(steps)):
            v = v - alpha * hvp_s(kept[i // every], v)
        return v

    @mistake(
        "only the kept steps",
        "Only the factors of the kept θ_i are applied. Every step has one: compute the θ_i between again, and use them.",
    )
    def only_kept(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        kept, theta_i = [], theta
        for i in range(steps):
            if i % every == 0:
                kept.append(theta_i)
            theta_i = theta_i - alpha * grad_s(theta_i)
        v = grad_q(theta_i)
        for theta_i in reversed(kept):
            v = v - alpha * hvp_s(theta_i, v)
        return v

    @mistake("first-order", "This is ∇L_q(θ_m) alone, the first-order gradient: no factor (I − αH) is applied.")
    def first_order(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        for _ in range(steps):
            theta = theta - alpha * grad_s(theta)
        return grad_q(theta)

    @mistake(
        "the last segment left out",
        "The steps after the last multiple of `every` have no factor. The last segment may be shorter, but it counts.",
    )
    def last_segment_left_out(grad_s, hvp_s, grad_q, theta, alpha, steps, every):
        whole = steps // every * every
        rest = steps - whole

        def grad_at_the_end(theta_i):
            for _ in range(rest):
                theta_i = theta_i - alpha * grad_s(theta_i)
            return grad_q(theta_i)

        return checkpointed.solution(grad_s, hvp_s, grad_at_the_end, theta, alpha, whole, every)


class same_gradient(ChoiceProblem):
    title = "cheaper, but still exact?"
    difficulty, minutes = "medium", 8
    tags = ("takeaway:second-order-terms", "concept:fomaml")
    labels = ("exact", "approximate")
    hints = (
        "Ask whether any derivative is left out or any work left unfinished, or whether the same numbers are only computed in "
        "another order, at another time or for fewer tasks at once.",
        "Recomputing, reordering, batching and cutting into blocks change nothing. Leaving out H, taking it elsewhere, stopping "
        "early and few iterations do.",
    )
    explanation = """
    Exact: the recursion, recomputed forward passes, products instead of matrices, batches or blocks instead of loops, derivatives by hand.
    Approximate: no Hessian, a Hessian at another θ, an implicit solve before the loop has arrived or with few iterations.
    """
    traps = MappingProxyType(
        {
            "saving memory taken for an approximation": "A way that only recomputes, reorders or keeps less was called approximate.",
            "a derivative left out": "A way that leaves out a derivative, or takes it at another θ, was called exact.",
            "unfinished taken for exact": "A way that stops before its loop or its solve has arrived was called exact.",
        }
    )

    def statement(self, given):
        return """
        Each line changes how MAML's meta-gradient is computed. Up to rounding, is the way still *exact* for what it sets out to compute, or
        *approximate*? (The implicit gradient sets out from where its inner loop ends.)
        """

    def items(self, rng):
        m, few, tasks = int(rng.integers(3, 12)), int(rng.integers(2, 4)), int(rng.integers(10, 60))
        saving = {"saving memory taken for an approximation": "approximate"}
        left_out, unfinished = {"a derivative left out": "exact"}, {"unfinished taken for exact": "exact"}
        pool = [
            Item(
                f"keep θ_0 … θ_{m} alone, and compute each forward pass anew on the way back",
                "exact",
                saving,
                "the same θ_i gives the same activations, whenever they are computed.",
            ),
            Item(
                "use Hessian-vector products instead of Hessians",
                "exact",
                saving,
                "Hv is all that the recursion takes of H; the product is no estimate of it.",
            ),
            Item(
                f"one batched pass for {tasks} tasks instead of a loop over them",
                "exact",
                saving,
                "tasks do not mix: each has its own row.",
            ),
            Item(
                f"take {tasks} tasks in blocks of {few + 2}, and weigh the blocks' means by their sizes",
                "exact",
                saving,
                "the mean over tasks is a sum, whatever it is grouped by.",
            ),
            Item(
                "derivatives by hand instead of autograd's",
                "exact",
                saving,
                "both apply the chain rule to the same formula.",
            ),
            Item(
                f"keep every second θ_i of {m}, and compute the inner steps between once more",
                "exact",
                saving,
                "a step that is computed again from the same θ_i gives the same θ_{i+1}.",
            ),
            Item(
                f"differentiate through the last of {m} inner steps only",
                "approximate",
                left_out,
                "the factors of the other steps are missing.",
            ),
            Item(
                "take every Hessian at θ_m, so that no other θ_i need be kept",
                "approximate",
                left_out,
                "the step from θ_i was computed at θ_i; the Hessian at θ_m is another one.",
            ),
            Item(
                "leave out the Hessian-vector products",
                "approximate",
                left_out,
                "what is left is first-order MAML.",
            ),
            Item(
                f"solve the implicit system after {few} steps of an inner loop that needs hundreds",
                "approximate",
                unfinished,
                "the system holds at the end of the inner loop, where ∇L_s(θ′) + λ(θ′ − θ) = 0.",
            ),
            Item(
                f"{few} iterations of conjugate gradients for 1000 parameters",
                "approximate",
                unfinished,
                "conjugate gradients are done after as many iterations as there are parameters.",
            ),
        ]
        return [pool[i] for i in rng.permutation(len(pool))[:8]]
