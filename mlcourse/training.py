"""Meta-training: sample a batch of tasks, take a meta-gradient, step theta; and again."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from mlcourse.checks import at_least, parameters, positive


def sgd(parameters, gradient, memory, learning_rate):
    """parameters - learning_rate * gradient. `memory` stays empty."""
    return parameters - learning_rate * gradient, memory


def adam(parameters, gradient, memory, learning_rate):
    """One step of Adam with the authors' constants 0.9, 0.999 and 1e-8 (Kingma & Ba 2015, algorithm 1).

    memory  (3, P) count, first and second moments; () before the first step
    """
    count, first, second = memory if len(memory) else np.zeros((3, len(parameters)))
    count = count + 1
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * gradient**2
    step = (first / (1 - 0.9 ** count[0])) / (np.sqrt(second / (1 - 0.999 ** count[0])) + 1e-8)
    return parameters - learning_rate * step, np.array([count, first, second])


class MetaState(NamedTuple):
    """Where meta-training stands after an iteration; all that is needed to go on.

    iteration  how many outer steps were taken
    theta      (P,) meta-parameters after them
    alpha      scalar or (P,) inner step size after them
    loss       the mean loss of this iteration's batch, before its outer step
    memory     the optimizer's
    random     the state of the random generator
    """

    iteration: int
    theta: Any
    alpha: Any
    loss: float
    memory: Any
    random: Mapping

    def save(self, path):
        """Write the state to `path` (.npz), a few kB."""
        fields = self._asdict() | {"random": json.dumps(self.random)}
        with open(path, "wb") as file:
            np.savez(file, **fields)

    @classmethod
    def load(cls, path):
        """The state that `save` wrote, bit for bit."""
        with np.load(path) as fields:
            alpha = fields["alpha"]
            return cls(
                int(fields["iteration"]),
                fields["theta"],
                alpha if alpha.ndim else float(alpha),
                float(fields["loss"]),
                fields["memory"],
                json.loads(str(fields["random"])),
            )


def meta_train(
    method,
    objective,
    distribution,
    theta,
    rng,
    *,
    alpha,
    steps,
    tasks,
    shots,
    queries,
    learning_rate,
    learn_alpha=False,
    optimizer=adam,
    resume=None,
):
    """Sample a batch of tasks, take the method's meta-gradient, step theta: an endless iterator of MetaState.

    method         maml, fomaml, reptile, joint_training or any function of the same signature
    theta          (P,)  initial meta-parameters, left unchanged
    alpha, steps   the inner loop; alpha is learned too when learn_alpha is true
    tasks, shots, queries   batch size, K and Q
    learning_rate  beta, the outer step size
    optimizer      adam or sgd: (parameters, gradient, memory, learning_rate) -> (parameters, memory)
    resume         a MetaState to go on from, bit for bit: theta, alpha and the state of rng come from it

    `for state in itertools.islice(meta_train(...), 1000)` trains 1000 iterations; stopping is `break`.
    Raises at the call, not at the first iteration, when an argument does not fit.
    """
    at_least("tasks", tasks, 1), at_least("shots", shots, 1), at_least("queries", queries, 1)
    start = start_state(theta, alpha, rng, steps, learning_rate, resume)
    draw = lambda state: distribution.sample(rng, tasks, shots, queries)  # noqa: E731
    return outer_loop(method, objective, draw, start, rng, steps, learning_rate, learn_alpha, optimizer)


def start_state(theta, alpha, rng, steps, learning_rate, resume=None):
    """The MetaState to begin with, or to go on from; raises when an argument does not fit."""
    at_least("steps", steps, 0), positive("learning_rate", learning_rate)
    if resume is None:
        start = MetaState(0, np.array(theta, dtype=float), alpha, np.nan, (), {})
    else:
        start = resume
        rng.bit_generator.state = resume.random
    if start.theta.ndim != 1:
        raise ValueError(f"theta must be one vector of parameters (P,), got shape {start.theta.shape}")
    parameters("theta", start.theta, start.theta.size)
    return start


def outer_loop(method, objective, draw, state, rng, steps, learning_rate, learn_alpha=False, optimizer=adam):
    """Meta-training from a state on the episodes that draw(state) gives: an endless iterator of MetaState."""
    while True:
        gradient = method(objective, state.theta, draw(state), state.alpha, steps)
        state = _outer_step(state, gradient, learn_alpha, optimizer, learning_rate, rng)
        yield state


def _outer_step(state, gradient, learn_alpha, optimizer, learning_rate, rng):
    """theta <- theta - beta * gradient, by the optimizer; alpha likewise when it is learned."""
    slow, slope = state.theta, gradient.theta
    if learn_alpha:
        if gradient.alpha is None:
            raise ValueError("learn_alpha needs a method with a gradient in alpha, such as maml or fomaml")
        slow = np.append(slow, state.alpha)
        slope = np.append(slope, gradient.alpha)
    slow, memory = optimizer(slow, slope, state.memory, learning_rate)
    size = state.theta.size
    alpha = state.alpha
    if learn_alpha:
        alpha = slow[size:] if np.ndim(state.alpha) else float(slow[size])
    return MetaState(state.iteration + 1, slow[:size], alpha, gradient.loss, memory, rng.bit_generator.state)
