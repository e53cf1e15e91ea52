"""What recipes are made of: the paths, gradients and products of one episode, each computed once."""

from functools import cached_property

import numpy as np

from mlcourse.checks import DivergenceError
from mlcourse.objectives import place
from mlcourse.tasks import Data


class Ingredients:
    """One episode's, by name.

    objective  value, grad and hvp, as for `meta.maml`
    theta      (P,)
    episode    support and query with one leading axis of tasks, or none; or a tuple of losses each, one a task, if the
               objective takes such data: then loss.pooled(other) is the loss on the examples of both
    """

    def __init__(self, objective, theta, episode, alpha, steps):
        self.objective, self.theta, self.alpha, self.steps = objective, np.asarray(theta, dtype=float), alpha, steps
        self.support, self.query = (_with_tasks(data) for data in episode[:2])
        self._paths, self._places, self._products = {}, {}, {}

    @cached_property
    def both(self):
        """The examples of support and query together."""
        if not isinstance(self.support, Data):
            return tuple(one.pooled(other) for one, other in zip(self.support, self.query, strict=True))
        return Data(*(np.concatenate(each, axis=1) for each in zip(self.support, self.query, strict=True)))

    @cached_property
    def sizes(self):
        """The numbers of tasks T, shots K, queries Q and steps m, and alpha, as far as they are known and not 0."""
        sizes = {"T": len(self.support), "m": self.steps}
        if isinstance(self.support, Data):
            tasks, shots = np.shape(self.support.x)[:2]
            sizes |= {"T": tasks, "K": shots, "Q": np.shape(self.query.x)[1]}
        if not np.ndim(self.alpha):
            sizes["alpha"] = float(self.alpha)
        return {name: size for name, size in sizes.items() if size}

    @cached_property
    def start(self):
        """theta for every task: (T, P)."""
        return self.for_all(self.theta)

    def for_all(self, theta):
        """(P,) as an array of its own for every task: (T, P)."""
        return np.broadcast_to(theta, (self.sizes["T"], self.theta.size)).copy()

    def place(self, theta, which):
        """The loss of the data named `which` at theta (T, P); one place for each array of a path."""
        key = id(theta), which
        if key not in self._places:
            self._places[key] = theta, place(self.objective, theta, getattr(self, which))
        return self._places[key][1]

    def product(self, theta, which, v, along=None):
        """The Hessian of the data named `which` at theta times v: (T, P); (T, k) along k directions."""
        key = id(theta), which, v.tobytes(), along is None
        if key not in self._products:
            here = self.place(theta, which)
            measured = along is not None and hasattr(here, "hvp_along")
            self._products[key] = here.hvp_along(v, along) if measured else seen(here.hvp(v), along)
        return self._products[key]

    def path(self, descends, walk, alpha, steps):
        """[theta_0, …, theta_m], each (T, P), by settings of `recipes.Recipe`. Raises DivergenceError."""
        carried = walk == "carried"
        key = descends, walk, np.asarray(alpha, dtype=float).tobytes(), steps if carried else None
        if key not in self._paths:
            self._paths[key] = self._carried(descends, alpha, steps) if carried else [self.start]
        path = self._paths[key]
        while len(path) <= steps:
            gradient = self.place(self.start if walk == "stale" else path[-1], descends).grad
            if walk == "together":
                gradient = gradient.mean(axis=0)
            theta = (self.start if walk == "from the first" else path[-1]) - alpha * gradient
            if not np.all(np.isfinite(theta)):
                raise DivergenceError(len(path), (), alpha)
            path.append(theta)
        return path[: steps + 1]

    def _carried(self, descends, alpha, steps):
        """Each task starts from where the one before it ended."""
        theta, paths = self.theta[None], []
        for task in range(len(self.start)):
            data, path = one_task(getattr(self, descends), task), [theta]
            for _ in range(steps):
                path.append(path[-1] - alpha * place(self.objective, path[-1], data).grad)
            if not np.all(np.isfinite(path[-1])):
                raise DivergenceError(steps, (task,), alpha)
            paths.append(path)
            theta = path[-1]
        return [np.concatenate(thetas) for thetas in zip(*paths, strict=True)]

    def mean(self, thetas):
        """The mean of the tasks' thetas, for every task; one array, so that its place is shared."""
        key = "mean", id(thetas)
        if key not in self._paths:
            self._paths[key] = self.for_all(thetas.mean(axis=0))
        return self._paths[key]


def seen(values, along):
    """(..., P) along the k directions: (..., k); None leaves it as it is."""
    return values if along is None else values @ along.T


def one_task(data, task):
    """That task alone, with its axis."""
    return Data(data.x[task : task + 1], data.y[task : task + 1]) if isinstance(data, Data) else data[task : task + 1]


def _with_tasks(data):
    """Data with one leading axis of tasks."""
    return Data(data.x[None], data.y[None]) if isinstance(data, Data) and np.ndim(data.x) == 2 else data
