"""What the method says when it is given something it cannot use.

Every message names the argument, what came, what was expected and the way out.
"""

import numpy as np


class DivergenceError(ArithmeticError):
    """The inner loop left the finite numbers.

    step   the first inner step (from 1) after which theta_i is not finite
    tasks  indices of the tasks that diverged, () where there is a single task
    alpha  the inner step size that was used
    """

    def __init__(self, step, tasks, alpha):
        self.step, self.tasks, self.alpha = step, tuple(int(task) for task in tasks), alpha
        named = ", ".join(map(str, self.tasks[:5])) + (", …" if len(self.tasks) > 5 else "")
        where = f" for {len(self.tasks)} task(s) (index {named})" if self.tasks else ""
        largest = float(np.max(np.abs(alpha)))
        super().__init__(
            f"the inner loop diverged: theta is not finite after step {step}{where} with alpha = {largest:g}. "
            f"Each step must shrink the error, |1 - alpha * curvature| < 1: try alpha = {largest / 10:g}, "
            "fewer steps, or inputs scaled to about 1"
        )


def at_least(name, value, minimum):
    """The integer `value`, or an error that says what `name` has to be."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def positive(name, value):
    """The finite number `value` > 0, or an error."""
    if not np.ndim(value) == 0 or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a number greater than 0, got {value!r}")
    return float(value)


def not_negative(name, value):
    """The finite number `value` >= 0, or an error."""
    if np.ndim(value) or not np.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
    return float(value)


def interval(name, ends):
    """The pair (low, high) with low <= high, both finite, or an error."""
    pair = np.asarray(ends, dtype=float)
    if pair.shape != (2,) or not np.all(np.isfinite(pair)) or pair[0] > pair[1]:
        raise ValueError(f"{name} must be a pair (low, high) with low <= high, got {ends!r}")
    return float(pair[0]), float(pair[1])


def finite(name, array):
    """`array` itself when all its numbers are finite, or an error that counts those that are not."""
    good = np.isfinite(array)
    if not good.all():
        raise ValueError(
            f"{name} must be finite, got {good.size - np.count_nonzero(good)} of {good.size} values "
            "that are NaN or infinite: remove or replace them before training"
        )
    return array


def task_shape(tasks):
    """Leading axes for `tasks`: an int T gives (T,), () gives one task with no leading axis."""
    if isinstance(tasks, tuple):
        return tuple(at_least("tasks", size, 1) for size in tasks)
    return (at_least("tasks", tasks, 1),)


def parameters(name, theta, size):
    """theta as floats with last axis `size`, or an error that says which model expects how many."""
    shape = np.shape(theta)
    if not shape or shape[-1] != size:
        raise ValueError(
            f"{name} must have {size} parameters on its last axis, got shape {shape}: "
            "start from model.init(rng) of the model that the objective was made with"
        )
    return finite(name, theta)


def step_size(alpha, size):
    """alpha as a finite scalar or a vector of one step size a parameter, or an error."""
    if np.shape(alpha) not in ((), (size,)):
        raise ValueError(
            f"alpha must be a number or a vector of {size} step sizes, one a parameter, got shape {np.shape(alpha)}"
        )
    return finite("alpha", np.asarray(alpha, dtype=float))


def input_width(x, width):
    """x (..., K, width), or an error that says how wide the model's inputs are."""
    if np.ndim(x) < 2 or np.shape(x)[-1] != width:
        raise ValueError(f"x must have shape (..., K, {width}), got {np.shape(x)}: a column of inputs is x[:, None]")


def regression(data, outputs):
    """Data whose y has one row of `outputs` numbers for each row of x."""
    if np.ndim(data.y) < 2 or np.shape(data.y)[-1] != outputs:
        raise ValueError(
            f"y must have shape (..., K, {outputs}), one target an output of the model, got {np.shape(data.y)}: "
            "a column of targets is y[:, None]"
        )
    _rows_match(data)
    finite("y", data.y)


def classification(data, ways):
    """Data whose y holds integer labels 0 … ways - 1, one for each row of x."""
    labels = np.asarray(data.y)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"y must hold integer labels (..., K), got {labels.dtype} of shape {labels.shape}: use labels.astype(int)"
        )
    _rows_match(data, trailing=0)
    wrong = labels[(labels < 0) | (labels >= ways)]
    if wrong.size:
        raise ValueError(
            f"y must hold labels 0 … {ways - 1} for a model with {ways} outputs, got {int(wrong[0])}: "
            "number each episode's classes afresh from 0"
        )


def _rows_match(data, trailing=1):
    x_rows = np.shape(data.x)[:-1]
    y_rows = np.shape(data.y)[: np.ndim(data.y) - trailing]
    if x_rows != y_rows:
        raise ValueError(
            f"x and y must have the same rows, got x {np.shape(data.x)} and y {np.shape(data.y)}: "
            "x is (..., K, d), y is (..., K, outputs), or (..., K) for labels"
        )
    if x_rows[-1] < 1:
        raise ValueError(f"x must have at least 1 example, got shape {np.shape(data.x)}")
