"""Tasks, episodes and the distributions they come from.

A task is a data-generating process and a loss; p(T) draws its hidden variable z. A distribution here
is anything with `sample(rng, tasks, shots, queries)`; those that know their p(T) well enough also have
`oracle(support, x)`, the prediction of a learner who was told the family.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from mlcourse.checks import at_least, finite, interval, not_negative, positive, task_shape


class Data(NamedTuple):
    """Examples: x (..., K, d) inputs; y (..., K, out) targets, or (..., K) integer labels."""

    x: Any
    y: Any


class Episode(NamedTuple):
    """One draw of tasks, each with its split.

    support  Data to adapt on, K rows a task
    query    Data to judge the adapted parameters on, Q rows a task, disjoint from the support draws
    tasks    the hidden variables z: name -> array with one row a task
    """

    support: Data
    query: Data
    tasks: Mapping[str, Any]


class TaskDistribution(Protocol):
    """p(T). `tasks` is a number T, or () for one task without a leading axis."""

    def sample(self, rng, tasks, shots, queries) -> Episode: ...


def _episode(rng, shape, shots, queries, inputs, outputs, hidden):
    """Draw K + Q inputs a task, label them with the task's function, and split."""
    shots, queries = at_least("shots", shots, 1), at_least("queries", queries, 1)
    x = inputs(rng, (*shape, shots + queries, 1))
    y = outputs(rng, x)
    return Episode(Data(x[..., :shots, :], y[..., :shots, :]), Data(x[..., shots:, :], y[..., shots:, :]), hidden)


def posterior_mean(features, y, mean, covariance, noise):
    """E[w | support] for y = features w + noise, w ~ (mean, covariance): the best linear estimate.

    features (..., K, F), y (..., K, 1), mean (F,), covariance (F, F), noise std -> (..., F)
    """
    gain = covariance @ np.swapaxes(features, -1, -2)
    spread = features @ gain + (noise**2 + 1e-9 * np.trace(covariance)) * np.eye(features.shape[-2])
    surprise = y - (features @ mean)[..., None]
    return mean + (gain @ np.linalg.solve(spread, surprise))[..., 0]


@dataclass(frozen=True)
class Lines:
    """y = a x + noise with slope a ~ Normal(mean, std^2) and x uniform on x_range. Hidden: slope (T,)."""

    mean: float = 0.0
    std: float = 1.0
    noise: float = 0.0
    x_range: tuple = (-1.0, 1.0)

    def __post_init__(self):
        _scales(self, "std", "noise")
        interval("x_range", self.x_range)

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x, y (T, K, 1); a fresh slope a task, fresh noise a point."""
        shape = task_shape(tasks)
        slope = rng.normal(self.mean, self.std, shape)
        return _episode(
            rng,
            shape,
            shots,
            queries,
            lambda rng, size: rng.uniform(*self.x_range, size),
            lambda rng, x: slope[..., None, None] * x + self.noise * rng.standard_normal(x.shape),
            {"slope": slope},
        )

    def oracle(self, support, x):
        """Posterior mean of a x given the support set and p(a): x (..., Q, 1) -> (..., Q, 1)."""
        prior = np.array([self.mean]), np.array([[self.std**2]])
        return x @ posterior_mean(support.x, support.y, *prior, self.noise)[..., None]


@dataclass(frozen=True)
class Sinusoids:
    """y = A sin(x - phi) + noise, A and phi uniform, x uniform (Finn et al. 2017, section 5.1).

    Hidden: amplitude (T,), phase (T,).
    """

    amplitude: tuple = (0.1, 5.0)
    phase: tuple = (0.0, np.pi)
    noise: float = 0.0
    x_range: tuple = (-5.0, 5.0)

    def __post_init__(self):
        _scales(self, "noise")
        for name in ("amplitude", "phase", "x_range"):
            interval(name, getattr(self, name))

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x, y (T, K, 1)."""
        shape = task_shape(tasks)
        amplitude, phase = rng.uniform(*self.amplitude, shape), rng.uniform(*self.phase, shape)
        return _episode(
            rng,
            shape,
            shots,
            queries,
            lambda rng, size: rng.uniform(*self.x_range, size),
            lambda rng, x: (
                amplitude[..., None, None] * np.sin(x - phase[..., None, None])
                + self.noise * rng.standard_normal(x.shape)
            ),
            {"amplitude": amplitude, "phase": phase},
        )

    def oracle(self, support, x):
        """The sine through the support points, found by linear estimation on sin x and cos x."""

        def features(x):
            return np.concatenate([np.sin(x), np.cos(x)], axis=-1)

        amplitude, phase = np.meshgrid(np.linspace(*self.amplitude, 101), np.linspace(*self.phase, 101))
        weights = np.stack([amplitude * np.cos(phase), -amplitude * np.sin(phase)]).reshape(2, -1)
        weight = posterior_mean(features(support.x), support.y, weights.mean(1), np.cov(weights), self.noise)
        return features(x) @ weight[..., None]


@dataclass(frozen=True)
class Polynomials:
    """y = sum_k w_k x^k + noise, w_k ~ Normal(0, scale^2), k = 0 … degree. Hidden: coefficients (T, degree + 1)."""

    degree: int = 3
    scale: float = 1.0
    noise: float = 0.0
    x_range: tuple = (-1.0, 1.0)

    def __post_init__(self):
        at_least("degree", self.degree, 0)
        _scales(self, "scale", "noise")
        interval("x_range", self.x_range)

    def _powers(self, x):
        return x ** np.arange(self.degree + 1)

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x, y (T, K, 1)."""
        shape = task_shape(tasks)
        weights = self.scale * rng.standard_normal((*shape, self.degree + 1))
        return _episode(
            rng,
            shape,
            shots,
            queries,
            lambda rng, size: rng.uniform(*self.x_range, size),
            lambda rng, x: self._powers(x) @ weights[..., None] + self.noise * rng.standard_normal(x.shape),
            {"coefficients": weights},
        )

    def oracle(self, support, x):
        """Posterior mean of the polynomial given the support set and p(w)."""
        prior = np.zeros(self.degree + 1), self.scale**2 * np.eye(self.degree + 1)
        weight = posterior_mean(self._powers(support.x), support.y, *prior, self.noise)
        return self._powers(x) @ weight[..., None]


class Quadratics:
    """The closed-form test bed: a table of tasks with loss h/2 (theta - theta*)^2, scalar theta.

    curvatures (N,) the h > 0; centres (N,) the theta*. With `Linear(1, bias=False)` and the mean squared error,
    x = sqrt(h/2) and y = theta* sqrt(h/2) have just this loss, so the test bed runs through the same code as
    everything else. Support and query are equal: the only thing that differs between methods is the derivative.
    A draw of at most N tasks is without replacement. Hidden: curvature (T,), centre (T,).
    """

    def __init__(self, curvatures, centres):
        self.curvatures = finite("curvatures", np.array(curvatures, dtype=float))
        self.centres = finite("centres", np.array(centres, dtype=float))
        if self.curvatures.ndim != 1 or self.curvatures.shape != self.centres.shape or not self.centres.size:
            raise ValueError(
                "curvatures and centres must be two lists of the same length, one entry a task, "
                f"got shapes {self.curvatures.shape} and {self.centres.shape}"
            )
        if np.any(self.curvatures <= 0):
            raise ValueError(f"curvatures must be greater than 0, got {self.curvatures.min():g}")

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x, y (T, K, 1), all rows of a task equal."""
        shape = task_shape(tasks)
        count, size = int(np.prod(shape)), len(self.centres)
        which = rng.choice(size, count, replace=count > size).reshape(shape)
        h, theta_star = self.curvatures[which], self.centres[which]
        return _episode(
            rng,
            shape,
            shots,
            queries,
            lambda rng, size: np.sqrt(h / 2)[..., None, None] * np.ones(size),
            lambda rng, x: theta_star[..., None, None] * x,
            {"curvature": h, "centre": theta_star},
        )

    def weights(self, alpha, steps=1):
        """How much each method listens to each task after m inner steps: name -> (N,) weights of (theta - theta*)^2.

        joint weighs a task by h; MAML by h (1 - alpha h)^(2m); FOMAML by h (1 - alpha h)^m;
        Reptile by 1 - (1 - alpha h)^m. Where alpha h > 1 FOMAML's can be negative.
        """
        left = (1 - positive("alpha", alpha) * self.curvatures) ** at_least("steps", steps, 1)
        return {
            "joint training": self.curvatures,
            "Reptile": 1 - left,
            "FOMAML": self.curvatures * left,
            "MAML": self.curvatures * left**2,
        }

    def optimum(self, weights):
        """sum w theta* / sum w, where the sum of w (theta - theta*)^2 is least; nan unless the sum of w is positive."""
        total = np.sum(weights)
        least = total > 1e-12 * np.sum(np.abs(weights))
        return float(np.sum(weights * self.centres) / total) if least else float("nan")

    def optima(self, alpha, steps=1):
        """The theta that each method converges to: name -> number, nan for a method that runs away or stands still."""
        return {name: self.optimum(weights) for name, weights in self.weights(alpha, steps).items()}


def _scales(distribution, *names):
    for name in names:
        not_negative(name, getattr(distribution, name))
