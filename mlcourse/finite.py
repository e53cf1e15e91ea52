"""N recorded tasks and no others: what there is in place of p(T) when tasks cannot be drawn at will."""

import numpy as np

from mlcourse.checks import at_least, task_shape
from mlcourse.tasks import Data, Episode


class Finite:
    """A task distribution over the N tasks of one recorded episode, drawn with replacement.

    episode  Episode of N tasks, x (N, K, d): all rows of a task, those of its support first
    resplit  False: a task's rows keep their order, so the same K adapt and the same Q judge at every draw.
             True: each draw shuffles a task's rows and splits them afresh
    Raises ValueError for an episode of one task without a leading axis, and at `sample` for more rows than a task has.
    """

    def __init__(self, episode, resplit=False):
        if np.ndim(episode.support.x) != 3:
            raise ValueError(f"episode must hold N tasks, got x {np.shape(episode.support.x)}: draw it with tasks=N")
        self.resplit, self.tasks = resplit, episode.tasks
        self.rows = [np.concatenate(both, axis=1) for both in zip(episode.support, episode.query, strict=True)]

    def sample(self, rng, tasks, shots, queries):
        """-> Episode of recorded tasks, K + Q of the rows of each. Hidden: as recorded."""
        number, rows = self.rows[0].shape[:2]
        end = at_least("shots", shots, 1) + at_least("queries", queries, 1)
        if end > rows:
            raise ValueError(f"shots + queries must be at most {rows}, the rows of a task, got {end}: record more")
        which = rng.integers(number, size=task_shape(tasks))
        order = np.broadcast_to(np.arange(rows), (*which.shape, rows))
        order = rng.permuted(order, axis=-1) if self.resplit else order

        def cut(part):
            return Data(*(each[which[..., None], order[..., part]] for each in self.rows))

        return Episode(cut(slice(shots)), cut(slice(shots, end)), {name: z[which] for name, z in self.tasks.items()})
