"""One exact meta-gradient of MAML: this package beside JAX (jit + vmap) and torch.func, float64, one thread.

Ratios are to JAX's median in the same run. Memory is the peak of a process of its own above what its imports take; a
cold start is everything from an empty process to the first result, compiling included. The run fails where losses or
gradients differ by more than 1e-8. Peers that are not installed are skipped by name: pip install mlcourse[bench].
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise, product

# One thread for everybody, before any of them is imported; the processes for cold starts inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np

from benchmarks.timing import medians
from mlcourse import MLP, Sinusoids, maml, mean_squared_error

ALPHA, SHOTS = 0.001, 10  # small enough for ten steps of the wide model
MODELS = {"small": [1, 40, 40, 1], "wide": [1, 256, 256, 1]}
GOALS = {1: 1.2, 5: 0.9}
ROUNDS = {1: 41, 25: 41, 200: 7}


def setting(sizes, tasks):
    """The model, theta and episode that everybody gets."""
    rng = np.random.default_rng(0)
    model = MLP(sizes)
    return model, model.init(rng), Sinusoids().sample(rng, tasks, SHOTS, SHOTS)


def by_hand(sizes, tasks, steps, derivatives="by hand"):
    """-> function of no arguments: (loss, gradient)."""
    model, theta, episode = setting(sizes, tasks)
    objective = mean_squared_error(model, derivatives=derivatives)

    def call():
        getattr(objective, "_kept", []).clear()  # what it remembers of the last call must not serve this one
        gradient = maml(objective, theta, episode, ALPHA, steps)
        return gradient.loss, gradient.theta

    return call


def by_autograd(sizes, tasks, steps):
    return by_hand(sizes, tasks, steps, derivatives="autograd")


def layers(sizes):
    """Where each layer's weights and biases are in theta, counted without the package."""
    start, places = 0, []
    for inputs, outputs in pairwise(sizes):
        places.append((slice(start, start + inputs * outputs), (inputs, outputs)))
        start += inputs * outputs
        places.append((slice(start, start + outputs), (outputs,)))
        start += outputs
    return places


def by_jax(sizes, tasks, steps):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    places = layers(sizes)

    def forward(theta, x):
        parts = [theta[place].reshape(shape) for place, shape in places]
        for layer in range(0, len(parts), 2):
            x = x @ parts[layer] + parts[layer + 1]
            x = jax.nn.relu(x) if layer < len(parts) - 2 else x
        return x

    def loss(theta, x, y):
        return jnp.mean((forward(theta, x) - y) ** 2)

    def after(theta, support_x, support_y, query_x, query_y):
        for _ in range(steps):
            theta = theta - ALPHA * jax.grad(loss)(theta, support_x, support_y)
        return loss(theta, query_x, query_y)

    def meta_loss(theta, *data):
        return jnp.mean(jax.vmap(after, in_axes=(None, 0, 0, 0, 0))(theta, *data))

    _, theta, episode = setting(sizes, tasks)
    step = jax.jit(jax.value_and_grad(meta_loss))
    data = [jnp.asarray(each) for each in (*episode.support, *episode.query)]

    def call():
        value, gradient = step(jnp.asarray(theta), *data)
        return float(value), np.asarray(gradient)

    return call


def by_torch(sizes, tasks, steps):
    import torch
    from torch.func import grad, grad_and_value, vmap

    torch.set_num_threads(1)
    places = layers(sizes)

    def forward(theta, x):
        parts = [theta[place].reshape(shape) for place, shape in places]
        for layer in range(0, len(parts), 2):
            x = x @ parts[layer] + parts[layer + 1]
            x = torch.relu(x) if layer < len(parts) - 2 else x
        return x

    def loss(theta, x, y):
        return ((forward(theta, x) - y) ** 2).mean()

    def after(theta, support_x, support_y, query_x, query_y):
        for _ in range(steps):
            theta = theta - ALPHA * grad(loss)(theta, support_x, support_y)
        return loss(theta, query_x, query_y)

    def meta_loss(theta, *data):
        return vmap(after, in_dims=(None, 0, 0, 0, 0))(theta, *data).mean()

    _, theta, episode = setting(sizes, tasks)
    step = grad_and_value(meta_loss)
    theta, *data = (torch.from_numpy(each) for each in (theta, *episode.support, *episode.query))

    def call():
        gradient, value = step(theta, *data)
        return float(value), gradient.numpy()

    return call


WAYS = {
    "by hand": (by_hand, "numpy"),
    "autograd": (by_autograd, "autograd"),
    "JAX": (by_jax, "jax"),
    "torch.func": (by_torch, "torch"),
}

ALONE = """
import json, sys, time
start = time.perf_counter()
from benchmarks import peers
way, sizes, tasks, steps = json.loads(sys.argv[1])
make, module = peers.WAYS[way]
__import__(module)
before = peers.resident("VmRSS", forget_peak=True)
make(sizes, tasks, steps)()
first = time.perf_counter() - start
print(json.dumps([first, peers.resident("VmHWM") - before]))
"""


def resident(field, forget_peak=False):
    """This process's resident memory now (VmRSS) or at its peak (VmHWM) in kB, as Linux counts it; 0 elsewhere."""
    if not os.path.exists("/proc/self/status"):
        return 0
    if forget_peak:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def alone(way, sizes, tasks, steps):
    """Seconds from an empty process to the first result, and MB of peak memory above the imports."""
    argument = json.dumps([way, sizes, tasks, steps])
    out = subprocess.run([sys.executable, "-c", ALONE, argument], capture_output=True, text=True, check=True).stdout
    seconds, kilobytes = json.loads(out.splitlines()[-1])
    return seconds, kilobytes / 1024


def agree(results):
    """Raise where two ways differ by more than 1e-8."""
    (name, (loss, gradient)), *others = results.items()
    for other, (its_loss, its_gradient) in others:
        if not np.isclose(its_loss, loss, rtol=1e-8, atol=1e-8) or not np.allclose(its_gradient, gradient, 1e-8, 1e-8):
            raise AssertionError(f"{other} and {name} differ by {np.max(np.abs(its_gradient - gradient)):.1e}")


def main():
    ways = {name: make for name, (make, module) in WAYS.items() if find_spec(module)}
    for name in WAYS.keys() - ways.keys():
        print(f"skipped: {name} is not installed")
    reference = "JAX" if "JAX" in ways else "by hand"
    print(f"| model | tasks | m | {' | '.join(ways)} | cold start, s | peak memory, MB |")
    print(f"|---|---|---|{'---|' * len(ways)}---|---|")
    for (model, sizes), tasks, steps in product(MODELS.items(), (1, 25, 200), (1, 5, 10)):
        calls = {name: make(sizes, tasks, steps) for name, make in ways.items()}
        agree({name: call() for name, call in calls.items()})
        seconds = medians(calls, rounds=ROUNDS[tasks] if model == "small" else 3)
        lone = {name: alone(name, sizes, tasks, steps) for name in ways} if tasks == 25 else {}
        ratios = [f"{taken / seconds[reference]:.2f} ({1000 * taken:.1f} ms)" for taken in seconds.values()]
        cold, memory = (" / ".join(f"{lone[name][i]:.{1 - i}f}" for name in ways) if lone else "" for i in range(2))
        print(f"| {model} | {tasks} | {steps} | {' | '.join(ratios)} | {cold} | {memory} |", flush=True)
    print(f"\nTimes are ratios to {reference}. Cold start and memory in the order {' / '.join(ways)}, at 25 tasks.")
    print("Goal for the small model at 25 tasks, by hand: " + ", ".join(f"≤ {v} at m = {m}" for m, v in GOALS.items()))


if __name__ == "__main__":
    main()
