"""One meta-iteration of MAML: all tasks in one batch against a loop over tasks.

The autograd path is to take at most 1/8 of the loop's time for 25 tasks, K = Q = 10, MLP 1-40-40-1, one step.
"""

import os

from benchmarks import THREADS

os.environ |= dict.fromkeys(THREADS, "1") | os.environ  # before NumPy is first imported

import numpy as np

from benchmarks.timing import medians
from mlcourse import MLP, Data, Episode, Sinusoids, maml, mean_squared_error

GOAL = 1 / 8


def main():
    rng = np.random.default_rng(0)
    model = MLP([1, 40, 40, 1])
    objective, theta, episode = mean_squared_error(model), model.init(rng), Sinusoids().sample(rng, 25, 10, 10)

    def looped():
        singles = (
            Episode(*(Data(data.x[task], data.y[task]) for data in (episode.support, episode.query)), {})
            for task in range(25)
        )
        return np.mean([maml(objective, theta, single, 0.01, 1).theta for single in singles], axis=0)

    def batched():
        return maml(objective, theta, episode, 0.01, 1).theta

    assert np.allclose(looped(), batched())
    seconds = medians({"one batch": batched, "loop over tasks": looped})
    for name, taken in seconds.items():
        print(f"{name:16} {1000 * taken:7.1f} ms")
    ratio = seconds["one batch"] / seconds["loop over tasks"]
    print(f"ratio            {ratio:7.3f}   (goal: at most {GOAL:.3f})")


if __name__ == "__main__":
    main()
