"""Lesson 1, task distributions."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, mistake
from mlcourse.classroom.judging.compare import fresh
from mlcourse.recipes.deviations import Deviation


def _varied(rng, *ranges):
    """A number from one of several ranges."""
    return round(float(rng.uniform(*ranges[rng.integers(len(ranges))])), 2)


class task_share(FunctionProblem):
    title = "how much of y is the task"
    difficulty, minutes = "easy", 4
    place = "lesson"
    tags = ("concept:task-distribution", "concept:task")
    hints = (
        "Variances of independent things add: Var(y) = Var(a x) + Var(noise). At a given x, Var(a x) = x²·Var(a).",
        "`return tau**2 * x**2 / (tau**2 * x**2 + sigma**2)`.",
    )
    explanation = r"""
    At a given $x$ the slope contributes $\tau^2 x^2$ to the variance of $y$, the noise $\sigma^2$. The task's share is the first
    divided by the sum. At $x = 0$ all lines meet, so a point there says nothing about the task.
    """
    deviations = (
        Deviation("of", "noise", "the noise's share",
                  "This is the share of the noise, σ² over the whole variance. The task's is the rest."),
        Deviation("of", "odds", "task over noise",
                  "This divides the task's variance by the noise's. A share is divided by their sum."),
        Deviation("of", "variance", "variance, not a share",
                  "This is the task's part of the variance, not yet divided by the whole."),
        Deviation("inputs", "first power", "x not squared",
                  "The slope is multiplied by x, so its variance is multiplied by x²."),
        Deviation("inputs", "left out", "x left out",
                  "x is left out: a slope moves y by a·x, far from 0 more than near it."),
        Deviation("spread", "first power", "tau for tau squared",
                  "τ is a standard deviation. What adds up is the variance, τ²."),
        Deviation("noise", "first power", "sigma for sigma squared",
                  "σ is a standard deviation. What adds up is the variance, σ²."),
    )  # fmt: skip

    def draw(self, rng):
        return {
            "x": rng.uniform(-1.5, 1.5, int(rng.integers(2, 7))),
            "tau": float(rng.uniform(0.2, 2)),
            "sigma": float(rng.uniform(0.1, 1.2)),
        }

    def statement(self, given):
        value = self.solution(given.x[:1], given.tau, given.sigma)[0]
        return rf"""
        Points are $y = ax + \varepsilon$: the slope $a$ has the standard deviation $\tau$ over tasks, the noise $\varepsilon$
        has $\sigma$. Write `task_share(x, tau, sigma)`: the share of the variance of $y$ at $x$ that is due to the task. `x` is an array,
        and the answer has its shape; `tau` and `sigma` are numbers.

        For x = {given.x[0]:.3f}, tau = {given.tau:.3f} and sigma = {given.sigma:.3f} the share is {value:.4f}.
        """

    @staticmethod
    def solution(x, tau, sigma):
        return tau**2 * x**2 / (tau**2 * x**2 + sigma**2)

    @staticmethod
    def variant(x, tau, sigma, of="task", inputs="squared", spread="squared", noise="squared"):
        task = {"squared": tau**2, "first power": tau}[spread]
        task = task * {"squared": x**2, "first power": x, "left out": np.ones_like(x)}[inputs]
        error = {"squared": sigma**2, "first power": sigma}[noise]
        whole = task + error
        return {"task": task / whole, "noise": error / whole, "odds": task / error, "variance": task}[of]


_THINGS = ("slopes", "inputs", "noise")
_ROOT_3 = 3**0.5  # a uniform number on (-root 3, root 3) has standard deviation 1


def _lines(
    rng, tasks, shots, mean, std, noise, slope="normal", at="task", x="point", low=-1.0, error="normal", each="point",
    seeded=(), elsewhere=(),
):  # fmt: skip
    """Lines as they should be drawn, or with these settings otherwise.

    slope, error        how a slope and an error are distributed: a key of _KINDS
    at, x, each         how often slope, input and error are drawn: a key of `shapes`
    seeded, elsewhere   which of _THINGS come from a fixed seed, or from a generator other than rng
    """
    shapes = {"point": (tasks, shots, 1), "task": (tasks, 1, 1), "shot": (1, shots, 1), "once": (1, 1, 1)}

    def drawn(what, kind, size):
        source = np.random.default_rng(0) if what in seeded else np.random.default_rng() if what in elsewhere else rng
        return _KINDS[kind](source, shapes[size])

    slopes = mean + std * drawn("slopes", slope, at)
    inputs = np.broadcast_to(drawn("inputs", "unit", x) * (1 - low) + low, shapes["point"])
    errors = noise * drawn("noise", error, each)
    returned = np.broadcast_to(slopes.mean(axis=1), shapes["task"][:2])[:, 0]
    return inputs, slopes * inputs + errors, returned


_KINDS = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "uniform": lambda rng, size: rng.uniform(-_ROOT_3, _ROOT_3, size),
    "unit": lambda rng, size: rng.random(size),
    "grid": lambda _, size: np.linspace(-_ROOT_3, _ROOT_3, size[0]).reshape(size),
    "none": lambda _, size: np.zeros(size),
}


def _line_mistake(name, message, **settings):
    """What somebody draws who makes this mistake: `_lines` with other settings."""
    return mistake(name, message)(lambda *arguments: _lines(*arguments, **settings))


class sample_lines(FunctionProblem):
    title = "a task distribution of your own"
    difficulty, minutes = "medium", 12
    tags = ("concept:task-distribution", "concept:task")
    cases = 2
    correct_message = "That is right: two dice, one rolled once a task and one at every point."
    hints = (
        "Two dice. The first, once a task: `slopes = rng.normal(mean, std, tasks)`. The second, at every point: x and the "
        "noise.",
        "`x = rng.uniform(-1, 1, (tasks, shots, 1))`. The slopes are `(T,)`; `slopes[:, None, None] * x` gives each task "
        "its own slope.",
        "The noise has the shape of x, fresh at every point: `noise * rng.standard_normal(x.shape)`. Return all three.",
    )
    explanation = """
    p(T) draws the hidden variable, the slope, once a task. The task's own process then draws inputs and noise, fresh
    at every point. The shapes say it: what belongs to a task is `(T,)`, what belongs to a point is `(T, K, 1)`. All
    randomness comes from `rng`, so the same seed draws the same tasks, and the next call draws new ones.
    """

    def draw(self, rng):
        return {
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
            "tasks": int(rng.integers(1000, 1200)),
            "shots": int(rng.integers(5, 7)),
            "mean": _varied(rng, (-2.5, -2.2), (2.2, 2.5)),
            "std": _varied(rng, (0.4, 0.6), (1.5, 1.7)),  # far from 1 and from one another's squares and roots
            "noise": _varied(rng, (0.2, 0.35)),
        }

    def statement(self, given):
        return rf"""
        Write `sample_lines(rng, tasks, shots, mean, std, noise)` → `x, y, slopes`: a draw of T = `tasks` tasks with
        K = `shots` points each, from the distribution of lines through the origin.

        - `slopes`, shape `(T,)`: one slope a task, normal with mean `mean` and standard deviation `std`;
        - `x`, shape `(T, K, 1)`: uniform on $[-1, 1]$, fresh at every point;
        - `y`, shape `(T, K, 1)`: the task's slope times x, plus normal noise of standard deviation `noise`, fresh at every
          point.

        `rng` is a NumPy generator (`rng.normal(…)`, `rng.uniform(…)`) and the only source of randomness. The order in which
        you draw is yours: for slopes, inputs and noise the check looks at what decides them, how often they are drawn, and
        how they are distributed.

        To try: `x, y, slopes = sample_lines(**p.given("sample_lines"))` should give {given.tasks} slopes, of mean about
        {given.mean:g} and standard deviation about {given.std:g}.
        """

    @staticmethod
    def solution(rng, tasks, shots, mean, std, noise):
        slopes = rng.normal(mean, std, tasks)
        x = rng.uniform(-1, 1, (tasks, shots, 1))
        y = slopes[:, None, None] * x + noise * rng.standard_normal(x.shape)
        return x, y, slopes

    def observe(self, answer, case):
        """Of each thing drawn: what decides it, how often, and how it is distributed. The order of draws is free.

        What cannot be judged, as something else is wrong with it, counts as it should be: so mistakes add up.
        """
        few, copy = fresh(case) | {"tasks": 1, "shots": 1}, fresh(case)
        draws = [answer(*case.values()), answer(*case.values()), answer(*copy.values())]
        if draws[0] is None:
            return None
        if not isinstance(draws[0], (tuple, list)) or len(draws[0]) != 3:
            several = isinstance(draws[0], (tuple, list))
            return {"what it returns": f"{len(draws[0])} things" if several else f"one {type(draws[0]).__name__}"}
        draws, small = [_arrays(draw) for draw in draws], _arrays(answer(*few.values()))
        tasks, shots = case["tasks"], case["shots"]
        facts = {
            "what it returns": "x, y, slopes",
            "shapes of x, y, slopes": ", ".join(str(part.shape) for part in draws[0]),
            "shapes for 1 task with 1 point": ", ".join(str(part.shape) for part in small),
        }
        shapes = [[part.shape for part in draw] for draw in draws]
        if shapes != [[(tasks, shots, 1), (tasks, shots, 1), (tasks,)]] * 3:
            return facts
        parted = [_parted(*draw) for draw in draws]
        for thing, *three in zip(_THINGS, *parted, strict=True):
            facts[f"what decides the {thing}"] = _decided(*three)
        slopes, x, errors = parted[0]
        noise = _of_noise(errors, x, case)
        return facts | _of_slopes(slopes, case, noise[_BEHIND] == _RETURNED) | _of_inputs(x) | noise

    one_slope = _line_mistake(
        "one slope for all tasks",
        "The slope was drawn once, so all tasks have the same one: there is only one task. Draw `tasks` of them.",
        at="once",
    )
    slope_a_point = _line_mistake(
        "not one slope a task",
        "The points of a task do not lie about the slope that is returned for it: is a slope drawn at every point, or drawn anew "
        "for what is returned? It is the hidden variable: the first die, once a task.",
        at="point",
    )
    uniform_slopes = _line_mistake(
        "uniform slopes",
        "The slopes are spread evenly, as `rng.uniform` gives them. They are to be normal.",
        slope="uniform",
    )
    grid = _line_mistake(
        "slopes on a grid",
        "The slopes stand at even distances, and every call gives the same ones: nothing draws them. Draw them from `rng`.",
        slope="grid",
    )
    without_mean = mistake("mean left out", "The slopes gather around 0, not around `mean`: it is left out.")(
        lambda rng, tasks, shots, mean, std, noise: _lines(rng, tasks, shots, 0.0, std, noise)
    )
    std_squared = mistake("std squared", "The slopes spread by std². `std` is a standard deviation, not a variance.")(
        lambda rng, tasks, shots, mean, std, noise: _lines(rng, tasks, shots, mean, std**2, noise)
    )
    without_std = mistake("std left out", "The slopes have the standard deviation 1, whatever `std` says.")(
        lambda rng, tasks, shots, mean, std, noise: _lines(rng, tasks, shots, mean, 1.0, noise)
    )
    shared_inputs = _line_mistake(
        "the same inputs for all tasks",
        "All tasks share one row of inputs. Each task draws its own: shape `(T, K, 1)`.",
        x="shot",
    )
    one_input_a_task = _line_mistake(
        "one input a task",
        "All points of a task lie at one x. Inputs are fresh at every point: draw them with the shape `(T, K, 1)`.",
        x="task",
    )
    positive_inputs = _line_mistake(
        "inputs on [0, 1]",
        "The inputs lie between 0 and 1, NumPy's default. Name the range: `rng.uniform(-1, 1, …)`.",
        low=0.0,
    )
    noise_per_task = _line_mistake(
        "noise drawn per task",
        "All points of a task share one noise value, which shifts the whole line. Noise is fresh at every point: draw it "
        "with the shape of x, `(T, K, 1)`.",
        each="task",
    )
    noise_per_shot = _line_mistake(
        "noise shared by all tasks",
        "All tasks get the same row of noise. Noise is fresh at every point of every task: draw it with the shape of x, "
        "`(T, K, 1)`.",
        each="shot",
    )
    one_noise = _line_mistake(
        "one noise value for all",
        "One noise value is added to all points of all tasks. Noise is fresh at every point: draw it with the shape of x.",
        each="once",
    )
    without_noise = _line_mistake("noise left out", "y lies exactly on the line: the noise is missing.", error="none")
    uniform_noise = _line_mistake(
        "uniform noise", "The noise is spread evenly, as `rng.uniform` gives it. It is to be normal.", error="uniform"
    )
    noise_squared = mistake(
        "noise squared", "The noise has the size noise². `noise` is a standard deviation, not a variance."
    )(lambda rng, tasks, shots, mean, std, noise: _lines(rng, tasks, shots, mean, std, noise**2))
    without_size = mistake(
        "size of the noise left out", "The noise has the standard deviation 1, whatever `noise` says."
    )(lambda rng, tasks, shots, mean, std, noise: _lines(rng, tasks, shots, mean, std, 1.0))
    ignores_rng = _line_mistake(
        "ignores rng",
        "Two calls with the same `rng` gave different draws: what is random does not come from it. Call `rng.normal` and "
        "`rng.uniform`, not `np.random`.",
        elsewhere=_THINGS,
    )
    seeded_inside = _line_mistake(
        "seeded inside",
        "Every call gives the very same draw: `rng` decides nothing, something fixed does. Draw from the `rng` that is "
        "handed in.",
        seeded=_THINGS,
    )
    slopes_elsewhere, inputs_elsewhere, noise_elsewhere = (
        _line_mistake(
            f"{thing} ignore rng" if thing != "noise" else "noise ignores rng",
            f"With the same `rng`, two calls gave different {thing}: they do not come from it.",
            elsewhere=(thing,),
        )
        for thing in _THINGS
    )
    slopes_seeded, inputs_seeded, noise_seeded = (
        _line_mistake(
            f"the same {thing} at every call",
            f"Every call gives the same {thing}: not `rng` decides them, but something fixed (a seed of its own, a table made "
            "once).",
            seeded=(thing,),
        )
        for thing in _THINGS
    )


_FRESH = "fresh at every point"
_BEHIND, _RETURNED = "the slope in a task's y", "the returned one"
_NOT_RNG, _NOTHING = "something other than rng", "nothing: the same at every call"


def _arrays(parts):
    return [np.asarray(part, dtype=float) for part in parts]


def _parted(x, y, slopes):
    """Slopes (T,), inputs (T, K) and errors (T, K) of one draw."""
    return slopes, x[..., 0], (y - slopes[:, None, None] * x)[..., 0]


def _decided(first, second, again):
    """What decides a thing: `second` is the next draw with the same generator, `again` the first draw repeated."""
    if np.allclose(first, 0, atol=1e-9):
        return "rng"  # nothing is drawn: told elsewhere
    if not np.allclose(first, again, atol=1e-9):
        return _NOT_RNG
    return _NOTHING if np.allclose(first, second, atol=1e-9) else "rng"


def _of_slopes(slopes, case, returned):
    spaces = np.diff(np.sort(slopes))
    one = np.ptp(slopes) < 1e-9 * np.max(np.abs(slopes))
    grid = not one and np.ptp(spaces) < 1e-6 * np.max(spaces)
    kind = _kind(slopes) if returned and not one and not grid else "normal"
    spread = (
        _size(slopes.std(), case["std"], "std") if returned and not one and not grid and kind == "normal" else "std"
    )
    margin = 5 * case["std"] / len(slopes) ** 0.5
    near = {words: abs(slopes.mean() - mean) <= margin for words, mean in (("mean", case["mean"]), ("0", 0.0))}
    return {
        "slopes": "one for all tasks" if one else "at even distances" if grid else "one a task",
        "distribution of the slopes": kind,
        "mean of the slopes": "mean" if one or near["mean"] else "0" if near["0"] else "another",
        "standard deviation of the slopes": spread,
    }


def _of_inputs(x):
    often = _how_fresh(x)
    low, high, spread = x.min(), x.max(), x.std()
    if often != _FRESH or (low > -1 - 1e-9 and high < 1 + 1e-9 and low < -0.98 and high > 0.98):
        even = often != _FRESH or abs(spread - 3**-0.5) < 0.02
        where = "uniform on [−1, 1]" if even else "on [−1, 1], not uniform"
    else:
        where = "on [0, 1]" if low >= 0 and high <= 1 + 1e-9 else f"between about {low:.1g} and {high:.1g}"
    return {"inputs": often, "range of the inputs": where}


def _of_noise(errors, x, case):
    often = _how_fresh(errors)
    behind = often != _FRESH or _how_fresh(x) != _FRESH or _even(errors, x)
    clear = often == _FRESH and behind
    kind = _kind(errors.ravel()) if clear else "normal"
    return {
        _BEHIND: _RETURNED if behind else "another one",
        "noise, y − slope · x": often,
        "distribution of the noise": kind,
        "standard deviation of the noise": _size(errors.std(), case["noise"], "noise")
        if clear and kind == "normal"
        else "noise",
    }


def _how_fresh(values):
    """How often values (T, K) were drawn, in words."""
    size = np.sqrt(np.mean(values**2))
    if size < 1e-3:
        return "none"
    if np.std(values) < 1e-6 * size:
        return "one value for all"
    if np.mean(np.std(values, axis=1)) < 0.1 * size:
        return "one value a task"
    if np.mean(np.std(values, axis=0)) < 0.1 * size:
        return "the same for all tasks"
    return _FRESH if np.all(np.diff(np.sort(values, axis=None))) else "some values occur twice"


def _kind(values):
    """Whether values look normal, by their third and fourth moments, and else what they look like."""
    z = (values - values.mean()) / values.std()
    if abs(np.mean(z**3)) > 0.4:
        return "lopsided"
    fourth = np.mean(z**4)  # 3 for a normal distribution, 1.8 for a uniform one
    return "uniform" if fourth < 2.3 else "normal" if fourth < 4.2 else "with tails too long"


def _even(errors, x):
    """Whether the errors are as large near x = 0 as far from it: with a slope for every point they are not."""
    near, far = errors[np.abs(x) < 0.3], errors[np.abs(x) > 0.7]
    return bool(near.size and far.size and abs(near.std() - far.std()) <= 0.15 * errors.std())


def _size(value, right, name):
    """A standard deviation in words, by what it might have been taken for."""
    known = {name: right, f"{name}²": right**2, f"the square root of {name}": right**0.5, "1": 1.0}
    near = min(known, key=lambda words: abs(np.log(value / known[words])))
    if abs(value / known[near] - 1) < 0.11:
        return near
    return "too large" if value > right else "too small"


class best_shared(FunctionProblem):
    title = "one slope for all"
    difficulty, minutes = "easy", 3
    place = "lesson"
    tags = ("concept:task-distribution", "takeaway:distribution-not-dataset")
    hints = (
        "Minimise the mean over tasks of (θ − a)². Set its derivative in θ to zero.",
        "d/dθ mean((θ − a)²) = 2(θ − mean(a)): `return np.mean(slopes)`.",
    )
    explanation = r"""
    $\frac{d}{d\theta}\,\mathrm{mean}_i(\theta - a_i)^2 = 2(\theta - \bar a) = 0$, so $\theta = \bar a$, the mean of the
    slopes; $E[x^2]$ is a common factor and moves nothing. The median would minimise the mean *absolute* distance, the
    middle of the range the largest one. A shared model is the average of the tasks, and may suit none of them.
    """
    deviations = (
        Deviation("pool", "median", "median",
                  "That is the median, which minimises the mean absolute error. The squared error wants the mean."),
        Deviation("pool", "midrange", "midrange",
                  "That is the middle between the extremes, which minimises the largest error. Take the mean."),
        Deviation("pool", "sum", "sum for mean",
                  "That is the sum of the slopes. The squared error is least at their mean: divide by their number."),
        Deviation("pool", "near", "without the far task",
                  "The task with the largest slope is left out. It belongs to p(T) and counts like the others."),
        Deviation("pool", "size", "root mean square",
                  "That is the root of the mean square of the slopes. Squared are the distances (θ − a), not the slopes."),
        Deviation("pool", "one less", "divided by one less",
                  "The sum is divided by the number of tasks less one. That belongs to an estimated variance, not to a mean."),
        Deviation("pool", "loss", "the loss, not theta",
                  "That is the least mean squared distance itself. Asked is the θ at which it is least."),
    )  # fmt: skip

    def draw(self, rng):
        near, far = rng.normal(1, 0.5, int(rng.integers(4, 9))), rng.uniform(3, 6, 1)
        return {"slopes": rng.permutation(np.round(np.concatenate([near, far]), 2))}

    def statement(self, given):
        named = ", ".join(f"{slope:g}" for slope in given.slopes)
        return rf"""
        Tasks $y = ax$ have the slopes in the array `slopes`. Their inputs have the same distribution. One model $y = \theta x$ is
        to serve all of them. Write `best_shared(slopes)`: the number $\theta$ that has the least squared error, averaged over the tasks.

        For the slopes {named} it is {self.solution(given.slopes):.4f}.
        """

    @staticmethod
    def solution(slopes):
        return np.mean(slopes)

    @staticmethod
    def variant(slopes, pool="mean"):
        return {
            "mean": np.mean(slopes),
            "median": np.median(slopes),
            "midrange": (np.min(slopes) + np.max(slopes)) / 2,
            "sum": np.sum(slopes),
            "near": np.mean(np.sort(slopes)[:-1]),
            "size": np.mean(slopes**2) ** 0.5,
            "one less": np.sum(slopes) / (len(slopes) - 1),
            "loss": np.var(slopes),
        }[pool]


class expected_loss(FunctionProblem):
    title = "what a shared model is left with"
    difficulty, minutes = "easy", 4
    place = "lesson"
    tags = ("concept:task-distribution", "takeaway:shared-structure")
    hints = (
        "The loss of one task is (θ − a)²·E[x²]. Take the expectation over a: write θ − a = (θ − μ) + (μ − a) and square.",
        "E[(θ − a)²] = (θ − μ)² + τ²: `return ((theta - mu) ** 2 + tau**2) * x2`.",
    )
    explanation = r"""
    $E[(\theta x - a x)^2] = E[(\theta - a)^2]\,E[x^2]$. Write $\theta - a = (\theta - \mu) + (\mu - a)$ and square: the mixed
    term has mean zero, so $E[(\theta - a)^2] = (\theta - \mu)^2 + \tau^2$. The first term vanishes at $\theta = \mu$. The second
    one no $\theta$ can remove: it is what the tasks differ in, and what adapting to each task can win.
    """
    deviations = (
        Deviation("spread", "first power", "tau for tau squared",
                  "τ is a standard deviation; what adds up is the variance τ²."),
        Deviation("spread", "left out", "no variance term",
                  "This is the loss of the average task. Tasks differ, and that adds τ²: E[(θ − a)²] = (θ − μ)² + τ²."),
        Deviation("spread", "taken off", "variance taken off",
                  "τ² is taken off. Tasks that differ make the loss larger: it is added."),
        Deviation("distance", "left out", "distance left out",
                  "The distance (θ − μ)² is missing: τ² alone is the loss where θ = μ."),
        Deviation("distance", "first power", "distance not squared",
                  "The distance θ − μ is not squared."),
        Deviation("inputs", "left out", "x squared left out",
                  "E[x²] is missing. The error is (θ − a)x, so its square has the factor E[x²]."),
        Deviation("inputs", "distance only", "variance without inputs",
                  "E[x²] multiplies the variance, too: the whole bracket is the mean of (θ − a)²."),
        Deviation("inputs", "spread only", "distance without inputs",
                  "E[x²] multiplies the distance, too. A bracket is missing round the sum: (… + …)·E[x²]."),
        Deviation("inputs", "squared", "x2 squared",
                  "`x2` is E[x²] already; it is not squared again."),
        Deviation("inputs", "root", "root of x2",
                  "The root of E[x²] stands there. The squared error has E[x²] itself."),
        Deviation("sum", "squared", "square of the sum",
                  "This squares the sum of distance and τ. The two are added as squares: the mixed term 2(θ − μ)(μ − a) "
                  "has mean zero over tasks."),
    )  # fmt: skip

    def draw(self, rng):
        theta, mu = rng.normal(size=2)
        theta = mu if rng.random() < 0.2 else theta  # the best shared model pays the variance, too
        return {
            "theta": float(theta),
            "mu": float(mu),
            "tau": float(rng.uniform(0.3, 2)),
            "x2": float(rng.uniform(0.2, 3)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        Tasks are $y = ax$ without noise, with $a$ of mean $\mu$ and standard deviation $\tau$; the inputs do not depend on $a$.

        Write `expected_loss(theta, mu, tau, x2)`: the expected squared error of the one model $y = \theta x$, over tasks and
        inputs. All four are numbers, `x2` is $E[x^2]$, and the result is a number.

        For theta = {given.theta:.3f}, mu = {given.mu:.3f}, tau = {given.tau:.3f} and x2 = {given.x2:.3f} it is {value:.4f}.
        """

    @staticmethod
    def solution(theta, mu, tau, x2):
        return ((theta - mu) ** 2 + tau**2) * x2

    @staticmethod
    def variant(theta, mu, tau, x2, spread="squared", distance="squared", inputs="both", sum="of squares"):
        near = {"squared": (theta - mu) ** 2, "first power": theta - mu, "left out": 0.0}[distance]
        wide = {"squared": tau**2, "first power": tau, "left out": 0.0, "taken off": -(tau**2)}[spread]
        both = near + wide if sum == "of squares" else (abs(theta - mu) + tau) ** 2
        return {
            "both": both * x2,
            "left out": both,
            "distance only": near * x2 + wide,
            "spread only": near + wide * x2,
            "squared": both * x2**2,
            "root": both * x2**0.5,
        }[inputs]

    def skip(self, settings):
        split = settings.get("inputs") in ("distance only", "spread only")
        return "sum" in settings and (split or "spread" in settings or "distance" in settings)

    @mistake(
        "square of the sum",
        "This squares θ − μ + τ. The two are added as squares: the mixed term 2(θ − μ)(μ − a) has mean zero over tasks.",
    )
    def signed_sum(theta, mu, tau, x2):
        return (theta - mu + tau) ** 2 * x2


class trust(FunctionProblem):
    title = "how far to trust five points"
    difficulty, minutes = "easy", 4
    place = "lesson"
    tags = ("concept:task-distribution", "takeaway:shared-structure")
    hints = (
        "Set the derivative of (1 − c)²·τ² + c²·s² in c to zero, with s² = σ²/Σx²: −2(1 − c)τ² + 2c·s² = 0. Solve it for c.",
        "`return tau**2 / (tau**2 + sigma**2 / np.sum(x**2))`.",
    )
    explanation = r"""
    $-2(1-c)\,\tau^2 + 2c\,s^2 = 0$ gives $c = \tau^2 / (\tau^2 + s^2)$ with $s^2 = \sigma^2 / \sum x^2$: the task's share of all that is
    uncertain about $\hat a$. Many points, far from 0, make $s^2$ small, and the task's own slope is trusted.
    """
    deviations = (
        Deviation("of", "rest", "trust in the start",
                  "This is 1 − c, the weight of the common start. c is the weight of the task's own slope."),
        Deviation("of", "odds", "ratio for share",
                  "This divides τ² by the error's variance. c divides it by the sum of both, and lies between 0 and 1."),
        Deviation("of", "error", "the least error, not c",
                  "This is the error that remains with the best c. Asked is c itself."),
        Deviation("pool", "mean", "mean for sum",
                  "This takes the mean of x². Every point adds to what is known of the slope: the sum stands there."),
        Deviation("pool", "count", "number of points for their squares",
                  "This divides σ² by K, as for a mean. A point far from 0 tells more of a slope: divide by Σx²."),
        Deviation("pool", "left out", "one point's noise",
                  "This compares τ² with the noise of one point at x = 1. The own slope comes from all points: σ²/Σx²."),
        Deviation("pool", "first power", "x not squared",
                  "x is squared after the sum, or not at all. The error of the own slope is σ²/Σx²."),
        Deviation("pool", "upside down", "multiplied for divided",
                  "The noise is multiplied by Σx². More points make the own slope better: σ² is divided by it."),
        Deviation("spread", "first power", "tau for tau squared",
                  "τ is a standard deviation. What is compared are variances: τ²."),
        Deviation("noise", "first power", "sigma for sigma squared",
                  "σ is a standard deviation. What is compared are variances: σ²."),
    )  # fmt: skip

    def draw(self, rng):
        return {
            "x": rng.uniform(-1, 1, (int(rng.integers(2, 9)), 1)),
            "tau": float(rng.uniform(0.3, 2)),
            "sigma": float(rng.uniform(0.3, 2)),
        }

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        A task's slope $a$ has mean $\theta$ and standard deviation $\tau$. Its own least-squares slope $\hat a$ misses $a$ by an error of
        variance $\sigma^2 / \sum_i x_i^2$. Write `trust(x, tau, sigma)`: the number $c$ for which $\theta' = (1-c)\,\theta + c\,\hat a$
        has the least expected squared error. `x` has shape `(K, 1)`; `tau` and `sigma` are numbers.

        For the {len(given.x)} inputs in `p.given("trust")`, tau = {given.tau:.3f} and sigma = {given.sigma:.3f} it is {value:.4f}.
        """

    @staticmethod
    def solution(x, tau, sigma):
        return tau**2 / (tau**2 + sigma**2 / np.sum(x**2))

    @staticmethod
    def variant(x, tau, sigma, of="trust", pool="sum", spread="squared", noise="squared"):
        known = {
            "sum": np.sum(x**2),
            "mean": np.mean(x**2),
            "count": len(x),
            "left out": 1.0,
            "first power": np.sum(x) ** 2,
            "upside down": 1 / np.sum(x**2),
        }[pool]
        task = {"squared": tau**2, "first power": tau}[spread]
        error = {"squared": sigma**2, "first power": sigma}[noise] / known
        whole = task + error
        return {"trust": task / whole, "rest": error / whole, "odds": task / error, "error": task * error / whole}[of]


class shrink(FunctionProblem):
    title = "a meta-learner that is told nothing about p(T)"
    difficulty, minutes = "hard", 15
    tags = ("concept:task-distribution", "concept:meta-learning", "takeaway:shared-structure")
    cases = 4
    hints = (
        "Three things a task: its own slope â = Σxy/Σx², the variance of its error, s² = σ²/Σx², and from the two its c. Two "
        "things from all tasks: where to start, and τ².",
        "The own slopes scatter for two reasons, so their variance is about τ² + mean(s²). Take the second part off: "
        "`tau2 = np.var(own) - np.mean(error)`.",
        "`c = tau2 / (tau2 + error)`, one number a task, and `return (1 - c) * np.mean(own) + c * own`.",
    )
    explanation = r"""
    Nobody tells this learner $\mu$ and $\tau$: the tasks do. The mean of the own slopes stands for $\mu$. Their variance is the spread of
    the tasks *plus* the errors of the slopes, so the errors' share has to come off before it stands for $\tau^2$. Whoever forgets
    that takes noise for diversity, and trusts each task too much. Then every task gets the oracle's $c$ with these two numbers in it. In statistics
    this is called empirical Bayes, or shrinkage.
    """
    deviations = (
        Deviation("spread", "own slopes", "noise counted as spread",
                  "The variance of the own slopes is taken for τ². Noise is in it, too: take the mean of s² off."),
        Deviation("spread", "added", "noise added to spread",
                  "The mean of s² is added. The variance of the own slopes holds it already: take it off."),
        Deviation("spread", "deviation", "deviation for variance",
                  "The standard deviation of the own slopes stands where their variance belongs."),
        Deviation("errors", "count", "number of points for their squares",
                  "The error's variance is σ²/K here, as for a mean. That of a slope is σ²/Σx²."),
        Deviation("errors", "mean", "mean for sum",
                  "The mean of x² stands where their sum belongs: s² = σ²/Σx², so more points make it smaller."),
        Deviation("errors", "first power", "sigma for sigma squared",
                  "σ is a standard deviation; the variance of the error is σ²/Σx²."),
        Deviation("errors", "one for all", "one c for all tasks",
                  "All tasks get the same c. Each has its own inputs, and so an error and a c of its own."),
        Deviation("start", "zero", "starts at zero",
                  "The start is 0. The own slopes say where the tasks gather: start at their mean."),
        Deviation("start", "median", "starts at the median",
                  "The start is the median of the own slopes. Asked is their mean."),
        Deviation("start", "pooled", "starts at the shared slope",
                  "The start is the least-squares slope of all points together. Asked is the mean of the own slopes."),
        Deviation("weights", "exchanged", "c and 1 − c exchanged",
                  "c and 1 − c have changed places: c is the weight of the own slope."),
        Deviation("result", "trust", "c, not theta prime",
                  "This is c, one a task. θ′ is what it makes of the start and the own slope."),
        Deviation("result", "alone", "every task alone",
                  "These are the own slopes: every task learns alone."),
        Deviation("own", "ratios", "mean of y over x",
                  "The own slope is the mean of y/x, which blows up near x = 0. Least squares gives Σxy/Σx²."),
    )  # fmt: skip

    def draw(self, rng):
        while True:
            tasks, shots = int(rng.integers(8, 13)), int(rng.integers(3, 6))
            x = rng.uniform(-1, 1, (tasks, shots, 1))
            sigma = round(float(rng.uniform(0.3, 0.8)), 2)
            slopes = rng.uniform(0.5, 2) + rng.uniform(0.6, 1.5) * rng.standard_normal(tasks)
            y = slopes[:, None, None] * x + sigma * rng.standard_normal(x.shape)
            squares = np.sum(x**2, axis=(1, 2))
            spread = np.var(np.sum(x * y, axis=(1, 2)) / squares)
            if spread > 1.5 * np.mean(sigma**2 / squares) and np.min(np.abs(x)) > 0.02:
                return {"x": x, "y": y, "sigma": sigma}

    def statement(self, given):
        value = self.solution(**vars(given))
        return rf"""
        The meta-learner with the oracle's manners, from data alone. You get the support sets of T tasks $y = ax + \varepsilon$, `x` and `y`
        of shape `(T, K, 1)`, and the size of the noise, `sigma`. Nobody tells you $\mu$ and $\tau$.

        Write `shrink(x, y, sigma)` → `theta_prime`, shape `(T,)`: for each task $\theta' = (1-c)\,\theta + c\,\hat a$, where

        - $\hat a$ is the least-squares slope of the task's own points, through the origin;
        - $\theta$ is the mean of all $\hat a$;
        - $c$ is the trust of the lesson's oracle, each task's own, with an estimate in place of $\tau^2$: take the variance of all $\hat a$
          (`np.var`), and off it the part that the noise makes, the mean over tasks of the variances of the errors $\hat a - a$.
          (Here this is positive. In general you would not let it fall below 0.)

        To try: with `p.given("shrink")`, {len(given.x)} tasks with {given.x.shape[1]} points each, it begins {value[0]:.4f}, {value[1]:.4f}.
        """

    @staticmethod
    def solution(x, y, sigma):
        squares = np.sum(x**2, axis=(1, 2))
        own = np.sum(x * y, axis=(1, 2)) / squares
        error = sigma**2 / squares
        tau2 = np.var(own) - np.mean(error)
        c = tau2 / (tau2 + error)
        return (1 - c) * np.mean(own) + c * own

    @staticmethod
    def variant(
        x, y, sigma, spread="cleaned", errors="own", start="mean", weights="c", result="theta prime", own="fit"
    ):
        squares, products = np.sum(x**2, axis=(1, 2)), np.sum(x * y, axis=(1, 2))
        own = products / squares if own == "fit" else np.mean(y / x, axis=(1, 2))
        error = {
            "own": sigma**2 / squares,
            "count": np.full(len(x), sigma**2 / x.shape[1]),
            "mean": sigma**2 / np.mean(x**2, axis=(1, 2)),
            "first power": sigma / squares,
            "one for all": np.full(len(x), np.mean(sigma**2 / squares)),
        }[errors]
        noise = np.mean(error)
        tau2 = {
            "cleaned": np.var(own) - noise,
            "own slopes": np.var(own),
            "added": np.var(own) + noise,
            "deviation": np.std(own) - noise,
        }[spread]
        c = tau2 / (tau2 + error)
        c = 1 - c if weights == "exchanged" else c
        theta = {
            "mean": np.mean(own),
            "zero": 0.0,
            "median": np.median(own),
            "pooled": np.sum(products) / np.sum(squares),
        }[start]
        return {"theta prime": (1 - c) * theta + c * own, "trust": c, "alone": own}[result]

    def skip(self, settings):
        result = settings.get("result")
        return (result == "alone" and settings.keys() & {"spread", "errors", "start", "weights"}) or (
            result == "trust" and "start" in settings
        )


_MEASURED = (
    "compare alone with shared first. Is one of them nearly as good as the meta-learner, or does the meta-learner beat both by "
    "far more than the intervals?"
)
_DIFFER = "what differs from one task to the next, besides the points?"


class relatedness(ChoiceProblem):
    title = "identical, related or unrelated?"
    difficulty, minutes = "easy", 8
    tags = ("takeaway:shared-structure", "mistake:unrelated-tasks", "concept:meta-learning")
    labels = ("identical", "related", "unrelated")
    hints = (
        "Ask two things. Do the tasks differ at all? If they do: would it help with a new task to know many others, beyond what "
        "the new task's own points say?",
        "Lines: compare the spread τ of the slopes with the error of your own few points. τ = 0 is identical, τ much "
        "larger is unrelated.",
        "Losses: if shared is as good as the meta-learner, the tasks are identical; if alone is, they are unrelated; if "
        "the meta-learner beats both, they are related.",
    )
    explanation = """
    Identical: the hidden variable is the same in all tasks. Only the points differ, and one shared model is enough.
    Related: the hidden variable differs, the rest is shared. A few points find the variable, and meta-learning beats
    both alone and shared. Unrelated: other tasks say next to nothing about a new one beyond what its own points say, so
    learning alone is as good, even if all tasks are lines.
    """
    traps = MappingProxyType(
        {
            "identical taken for related": "Identical tasks were called related. They differ in their points only, so one "
            "shared model does it: there is nothing left to adapt to.",
            "unrelated taken for related": "Unrelated tasks were called related. Looking alike is not enough, and "
            "meta-learning does not help whatever the tasks are: others must say something that a task's own points do "
            "not.",
            "related taken for identical": "Related tasks were called identical. Something differs from task to task, and "
            "one shared model could give only the average.",
        }
    )

    def statement(self, given):
        return """
        Each line describes a task distribution, or gives the mean losses of three learners on held-out tasks (± 95 %
        interval, the noise of the query points left out). Are the tasks

        - *identical*: one shared model for all is enough;
        - *related*: a task's few points, together with what all tasks share, do better than alone and than shared; or
        - *unrelated*: other tasks say next to nothing about a new one, so learn each alone?
        """

    def items(self, rng):
        number, shots, ways = int(rng.integers(20, 900)), int(rng.integers(4, 9)), int(rng.integers(3, 9))
        slope, low = round(float(rng.uniform(0.5, 3)), 1), round(float(rng.uniform(0.5, 2)), 1)
        spread, wide = round(float(rng.uniform(0.6, 1.2)), 1), int(rng.integers(30, 80))
        texts = {
            "identical": {
                f"{number} data sets, all from the line y = {slope}x + noise, each with {shots} points of its own": _DIFFER,
                f"sine waves, all of amplitude {low} and phase 0, each seen at {shots} other values of x": _DIFFER,
                f"lines whose slopes have mean {slope} and standard deviation 0; {shots} points each, with noise of size 1": (
                    "how far apart are two slopes with that standard deviation?"
                ),
                f"{number} rooms; in each one the same bent coin is tossed {shots} times, to learn its chance of heads": (
                    "whose coin is it in the next room?"
                ),
            },
            "related": {
                f"lines whose slopes have mean {slope} and standard deviation {spread}; 5 points each, with noise of size 1": (
                    "five points with noise 1 leave an error of about 0.9 in a slope. Compare the spread of the slopes with it."
                ),
                f"sine waves with amplitudes from {low} to {low + 3:.1f} and any phase, {shots} points each": (
                    "would it help to know that the curve is a sine?"
                ),
                f"{ways} characters of an alphabet to tell apart from one example each; another alphabet each time": (
                    "does somebody who knows many alphabets see better what matters in a new character?"
                ),
                f"a robot arm that reaches for a point after {shots} attempts; the point is somewhere else each time": (
                    "what stays the same when the point moves?"
                ),
                f"a new patient each time, whose blood sugar is to be predicted after {shots} measurements": (
                    "do other patients say what such curves look like, and is each one still different?"
                ),
            },
            "unrelated": {
                f"lines whose slopes have mean {slope} and standard deviation {wide}; 20 points each, with noise of size 0.1": (
                    "20 points leave an error of about 0.04 in a slope. What can other slopes add, with that spread?"
                ),
                f"task 1 is a game of chess, task 2 the price of copper in {1900 + number % 100}, task 3 a rash on a knee": (
                    "what would task 1 teach you about task 3?"
                ),
                f"forecast rain from {10 * shots} days, translate a poem of {ways} lines, steer a crane: a different kind each "
                "time": "what would one kind teach you about the next?",
            },
        }
        kinds = [*self.labels, *map(str, rng.choice(self.labels, 2))]
        described = [
            (*list(texts[label].items())[i], label)
            for label in self.labels
            for i in rng.permutation(len(texts[label]))[: kinds.count(label)]
        ]
        measured = [(_losses(rng, label), _MEASURED, label) for label in map(str, rng.choice(self.labels, 3))]
        mixed = [described[i] for i in rng.permutation(5)] + measured
        return [Item(text, label, self._trapped[label], look) for text, look, label in mixed]

    _trapped = MappingProxyType(
        {
            "identical": {"identical taken for related": "related"},
            "related": {"related taken for identical": "identical"},
            "unrelated": {"unrelated taken for related": "related"},
        }
    )


def _losses(rng, label):
    """What was measured on tasks of this kind."""
    alone = rng.uniform(0.5, 1.5)
    shared = (
        alone
        * {
            "identical": rng.uniform(0.02, 0.2),
            "related": rng.uniform(0.6, 1.6),
            "unrelated": rng.uniform(10, 30),
        }[label]
    )
    meta = {
        "identical": shared * rng.uniform(0.99, 1.01),
        "related": alone * shared / (alone + shared),
        "unrelated": alone * rng.uniform(0.98, 1.0),
    }[label]
    learners = {"alone": alone, "shared": shared, "meta-learner": meta}
    return "losses: " + ", ".join(f"{name} {loss:.3f} ± {0.04 * loss:.3f}" for name, loss in learners.items())


class unit_of_sampling(ChoiceProblem):
    title = "what is one draw?"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:distribution-not-dataset", "concept:task", "concept:meta-learning")
    labels = ("example", "task", "neither")
    hints = (
        "Two dice: one is rolled once a task, the other once an example. Which of them gives what the line names? If no die "
        "does, it is neither.",
        "Standard learning draws examples (x, y) of one task, and generalises to new ones. Meta-learning draws tasks, each "
        "with its examples, and generalises to new tasks.",
    )
    explanation = """
    In standard learning one draw is an example; in meta-learning one draw is a task, with all its examples. What is
    drawn is what one generalises to, what is learned by heart, what is held out for testing, and what an error bar counts.
    Parameters, step sizes and gradient steps are chosen or computed: nobody draws them from the world.
    """
    traps = MappingProxyType(
        {
            "a task taken for an example": "Where a task is drawn, examples were counted. Points of one task share its hidden "
            "variable: however many they are, they are one draw of the first die.",
            "an example taken for a task": "What is drawn within one task was called a task. That is the second die: it gives "
            "examples, and standard learning has no other.",
            "a number taken for an example": "What no die gives was called an example: a number of the learner or of the world is "
            "chosen or computed, the same for every draw.",
            "a number taken for a task": "What no die gives was called a task: a number of the learner or of the world is "
            "chosen or computed, the same for every draw.",
            "a draw taken for neither": "What a die gives was called neither. Ask who draws it: p(T), once a task, or the task's "
            "own process, once an example?",
        }
    )

    def statement(self, given):
        return """
        What does each line name: an *example* (one draw of the second die), a *task* (one draw of the first), or *neither*
        (nothing that a die gives)?
        """

    def items(self, rng):
        tasks, shots, batch = int(rng.integers(10, 50)), int(rng.integers(2, 10)), int(rng.integers(16, 128))
        pools = {
            "task": [
                f"one row of a meta-batch `x` of shape ({tasks}, {shots}, 1)",
                f"what n counts in the error bar of a mean over {10 * tasks} held-out waves, {shots} points each",
                f"what p(T) draws {tasks} times for one meta-batch",
                "what must be new when a way of learning is tested",
                f"what a meta-learner knows by heart if it does well on its {tasks} training curves and badly on new ones",
            ],
            "example": [
                f"one row of a mini-batch `x` of shape ({batch}, {shots}) in standard learning",
                f"what standard learning on one regression problem draws {batch} times for one step",
                f"one of the {shots} shots that a learner gets of a curve",
                "what an ordinary test set must not share with its training set",
                f"what a network knows by heart if it fits {shots} points of one curve and misses the rest of it",
            ],
            "neither": [
                f"one of the {tasks} gradient steps",
                f"one of the {batch * 10} numbers in θ",
                f"the step size α = 0.0{shots}",
                f"the size of the noise, σ = 0.{shots}, the same for all",
            ],
        }
        others = {
            "task": {"a task taken for an example": "example", "a draw taken for neither": "neither"},
            "example": {"an example taken for a task": "task", "a draw taken for neither": "neither"},
            "neither": {"a number taken for an example": "example", "a number taken for a task": "task"},
        }
        items = []
        for label, texts in pools.items():
            count = 2 if label == "neither" else 3
            items += [Item(texts[i], label, others[label]) for i in rng.permutation(len(texts))[:count]]
        return [items[i] for i in rng.permutation(len(items))]
