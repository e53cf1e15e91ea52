"""Ways to one exact meta-gradient of MAML, one a process: python -m benchmarks.ways WAY PROBLEM, driven by `peers`.

A way imports its own library and none of the others, so that it runs on its own allocator, caches and threads. It is a
function of the layers' sizes, the number of inner steps, theta (P,) and the data: x and y of the support, x and y of
the query, each (T, K, 1). It gives a function of no arguments -> (loss, gradient), which starts from arrays of its
library's own kind and comes back when the numbers are there.
"""

import json
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

ALPHA = 0.001  # small enough for ten steps of the wide model
SECONDS_A_TURN = 0.02
SLOW = 1.0  # a call of so many seconds gains nothing from the caches


def by_hand(sizes, steps, theta, data, derivatives="by hand"):
    from mlcourse import MLP, Data, Episode, maml, mean_squared_error

    objective = mean_squared_error(MLP(sizes), derivatives=derivatives)
    episode = Episode(Data(*data[:2]), Data(*data[2:]), {})

    def call():
        gradient = maml(objective, theta, episode, ALPHA, steps)
        return gradient.loss, gradient.theta

    return call


def by_autograd(sizes, steps, theta, data):
    return by_hand(sizes, steps, theta, data, derivatives="autograd")


def layers(theta, sizes):
    """The (weights, biases) of each layer, counted without the package."""
    start, parts = 0, []
    for inputs, outputs in pairwise(sizes):
        weights, end = start + inputs * outputs, start + (inputs + 1) * outputs
        parts.append((theta[start:weights].reshape(inputs, outputs), theta[weights:end]))
        start = end
    return parts


def by_jax_on_a_tree(sizes, steps, theta, data):
    """theta as a list of arrays, which is how JAX's own examples keep it."""
    return _by_jax(layers(theta, sizes), lambda tree: tree, steps, data)


def by_jax_on_slices(sizes, steps, theta, data):
    """theta as one flat vector, which is how this package keeps it."""
    return _by_jax(theta, lambda theta: layers(theta, sizes), steps, data)


def _by_jax(theta, parts, steps, data):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    def loss(theta, x, y):
        *hidden, last = parts(theta)
        for weights, biases in hidden:
            x = jax.nn.relu(x @ weights + biases)
        return jnp.mean((x @ last[0] + last[1] - y) ** 2)

    def after(theta, support_x, support_y, query_x, query_y):
        for _ in range(steps):
            theta = jax.tree.map(lambda p, g: p - ALPHA * g, theta, jax.grad(loss)(theta, support_x, support_y))
        return loss(theta, query_x, query_y)

    def meta_loss(theta, *data):
        return jnp.mean(jax.vmap(after, in_axes=(None, 0, 0, 0, 0))(theta, *data))

    step = jax.jit(jax.value_and_grad(meta_loss))
    theta, data = jax.tree.map(jnp.asarray, (theta, data))
    return lambda: jax.block_until_ready(step(theta, *data))


def by_torch(sizes, steps, theta, data):
    """theta as a list of tensors, the faster way here, too."""
    import torch
    from torch.func import grad, grad_and_value, vmap

    def loss(theta, x, y):
        *hidden, last = theta
        for weights, biases in hidden:
            x = torch.relu(x @ weights + biases)
        return ((x @ last[0] + last[1] - y) ** 2).mean()

    def moved(theta, gradient):
        return [
            tuple(part - ALPHA * slope for part, slope in zip(*layer, strict=True))
            for layer in zip(theta, gradient, strict=True)
        ]

    def after(theta, support_x, support_y, query_x, query_y):
        for _ in range(steps):
            theta = moved(theta, grad(loss)(theta, support_x, support_y))
        return loss(theta, query_x, query_y)

    def meta_loss(theta, *data):
        return vmap(after, in_dims=(None, 0, 0, 0, 0))(theta, *data).mean()

    step = grad_and_value(meta_loss)
    theta = [tuple(torch.from_numpy(part) for part in layer) for layer in layers(theta, sizes)]
    data = [torch.from_numpy(each) for each in data]

    def call():
        gradient, value = step(theta, *data)
        return value, gradient

    return call


# name -> the way, and the library that is installed where it can go
WAYS = {
    "by hand": (by_hand, "mlcourse"),
    "autograd": (by_autograd, "mlcourse"),
    "JAX, tree": (by_jax_on_a_tree, "jax"),
    "JAX, slices": (by_jax_on_slices, "jax"),
    "torch.func": (by_torch, "torch"),
}


def flat(gradient):
    """A gradient of any kind as one vector in theta's order."""
    nested = isinstance(gradient, (list, tuple))
    return np.concatenate([flat(each) for each in gradient]) if nested else np.ravel(gradient)


def resident(field):
    """This process's resident memory now (VmRSS) or at its peak (VmHWM) in MB, as Linux counts it; NaN elsewhere."""
    status = Path("/proc/self/status")
    if not status.exists():
        return np.nan
    line = next(line for line in status.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def forget_peak():
    """Let the peak start from what is resident now."""
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def turn(call, last):
    """Calls for SECONDS_A_TURN, at least one, after one that does not count.

    last  seconds that a call took before
    ->    seconds of each call; processor seconds of all of them
    """
    if last < SLOW:
        call()
    taken, begin, processor = [], perf_counter(), process_time()
    while not taken or perf_counter() - begin < SECONDS_A_TURN:
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return taken, process_time() - processor


def main(way, problem):
    """Answer on standard output, a line of JSON each: the memory of the first call, its result, and then every turn."""
    make, library = WAYS[way]
    with np.load(problem) as arrays:
        sizes, steps, theta, *data = (arrays[name] for name in arrays.files)
    import_module(library)
    forget_peak()
    before = resident("VmRSS")
    call = make(sizes.tolist(), int(steps), theta, data)
    start = perf_counter()
    loss, gradient = call()
    last = perf_counter() - start
    print(json.dumps(resident("VmHWM") - before), flush=True)
    print(json.dumps([float(loss), flat(gradient).tolist()]), flush=True)
    for _ in sys.stdin:
        taken, processor = turn(call, last)
        last = taken[-1]
        print(json.dumps([taken, processor]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
