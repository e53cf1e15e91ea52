"""One exact meta-gradient of MAML: this package beside JAX (jit + vmap) and torch.func, float64, about ten minutes.

Every way runs in a process of its own and they take turns; a turn begins with a call that does not count. JAX gets
theta as a list of arrays (tree) and as one flat vector (slices), torch.func as a list; ratios are to the faster JAX,
medians of the same run. The first table gives everybody one thread, the last one what a user gets who sets nothing. A
first result is everything from starting the process to the numbers, compiling included; memory is the peak up to then
above what the imports take. The run fails where losses or gradients differ by more than 1e-8, and where one thread
keeps more than one core busy. Peers that are not installed are skipped by name: pip install mlcourse[bench].
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks import THREADS
from benchmarks.ways import WAYS
from mlcourse import MLP, Sinusoids

ROOT = Path(__file__).parents[1]
SHOTS = 10
MODELS = {"small": [1, 40, 40, 1], "wide": [1, 256, 256, 1]}
SETTINGS = list(product(MODELS, (1, 25, 200), (1, 5, 10)))
SETTINGS_BY_DEFAULT = [("small", 25, 5), ("small", 200, 5), ("wide", 1, 5), ("wide", 25, 5)]
SECONDS, ROUNDS = 4, 3  # a row takes turns for so long, and at least so often
GOALS = {
    ("small", 25, 1): 1.2,
    ("small", 25, 5): 1.1,
    ("small", 1, 10): 2.2,
    ("small", 200, 5): 0.6,
    ("wide", 25, 5): 0.45,
    ("wide", 200, 1): 0.4,
}
GOALS_MB = {("wide", 200, 5): 30}
ONE_CORE = 1.1  # what one thread may seem to keep busy


class Row(NamedTuple):
    """One setting (model, tasks, m), and for each way by name what was measured.

    seconds  the median of a call
    busy     cores that the calls kept busy
    first    seconds from starting a process to its first result
    memory   peak in MB above the imports; NaN where the system does not say
    """

    setting: tuple
    seconds: dict
    busy: dict
    first: dict
    memory: dict


def one_thread():
    """The environment in which everybody has one thread."""
    return {**os.environ, **dict.fromkeys(THREADS, "1")}


def by_default():
    """The environment of a user who sets nothing."""
    return {name: value for name, value in os.environ.items() if name not in THREADS}


class Peer:
    """A way at work in a process of its own.

    first           seconds from starting it to its first result
    memory          MB of its peak up to then, above the imports
    loss, gradient  that result
    """

    def __init__(self, way, problem, environment):
        begin = perf_counter()
        command = [sys.executable, "-m", "benchmarks.ways", way, problem]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        self.memory = self._answer()
        self.first = perf_counter() - begin
        self.loss, self.gradient = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)} ended with code {self.process.wait()}")
        return json.loads(line)

    def turn(self):
        """One turn: the seconds of each call, and the processor seconds of all."""
        print(file=self.process.stdin, flush=True)
        return self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def installed():
    """The names of the ways whose library is there."""
    return [name for name, (_, library) in WAYS.items() if find_spec(library)]


def write_problem(path, sizes, tasks, steps):
    """The sizes, the number of steps, theta and the data that everybody gets."""
    rng = np.random.default_rng(0)
    theta = MLP(sizes).init(rng)
    support, query, _ = Sinusoids().sample(rng, tasks, SHOTS, SHOTS)
    np.savez(path, sizes, steps, theta, *support, *query)


def agree(results):
    """Raise where two ways differ by more than 1e-8; results is name -> (loss, gradient)."""
    (name, (loss, gradient)), *others = results.items()
    for other, (its_loss, its_gradient) in others:
        apart = np.abs(np.subtract([its_loss, *its_gradient], [loss, *gradient]))
        if not np.all(apart <= 1e-8 * (1 + np.abs([loss, *gradient]))):
            raise AssertionError(f"{other} and {name} differ by {np.max(apart):.1e}")


def measure(setting, ways, environment, seconds=SECONDS):
    """The Row of a setting (model, tasks, m)."""
    model, tasks, steps = setting
    with ExitStack() as stack:
        problem = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), "problem.npz")
        write_problem(problem, MODELS[model], tasks, steps)
        peers = {name: stack.enter_context(Peer(name, problem, environment)) for name in ways}
        agree({name: (peer.loss, peer.gradient) for name, peer in peers.items()})
        taken, processor = ({name: [] for name in peers} for _ in range(2))
        begin, rounds = perf_counter(), 0
        while rounds < ROUNDS or perf_counter() - begin < seconds:
            for name, peer in peers.items():
                times, used = peer.turn()
                taken[name] += times
                processor[name].append(used)
            rounds += 1
    return Row(
        setting,
        {name: median(times) for name, times in taken.items()},
        {name: sum(processor[name]) / sum(taken[name]) for name in peers},
        {name: peer.first for name, peer in peers.items()},
        {name: peer.memory for name, peer in peers.items()},
    )


def reference(seconds):
    """The faster JAX; without JAX, this package."""
    return min((name for name in seconds if name.startswith("JAX")), key=seconds.get, default="by hand")


def line(cells):
    return f"| {' | '.join(map(str, cells))} |"


def head(ways):
    return "\n".join([line(["model", "tasks", "m", *ways]), f"|---|---|---|{'---|' * len(ways)}"])


def milliseconds(seconds):
    """About three digits of it."""
    digits = 3 if seconds < 1e-4 else 2 if seconds < 1e-2 else 1 if seconds < 1e-1 else 0
    return f"{1000 * seconds:.{digits}f} ms"


def times(row):
    """A line of ratios to the reference, with milliseconds, and the cores kept busy where they are more than one."""
    base = row.seconds[reference(row.seconds)]
    cells = []
    for name, taken in row.seconds.items():
        cores = f", {row.busy[name]:.1f} cores" if row.busy[name] > ONE_CORE else ""
        cells.append(f"{taken / base:.2f} ({milliseconds(taken)}{cores})")
    return line([*row.setting, *cells])


def first_results(row):
    """A line of seconds to the first result, with MB."""
    cells = (f"{row.first[name]:.1f} s" + ("" if np.isnan(mb) else f", {mb:.0f} MB") for name, mb in row.memory.items())
    return line([*row.setting, *cells])


def goals(rows):
    """A line for each goal: what was aimed at and what was measured."""
    for row in rows:
        where = "{}, {} tasks, m = {}".format(*row.setting)
        if row.setting in GOALS:
            ratio = row.seconds["by hand"] / row.seconds[reference(row.seconds)]
            yield f"{where}: at most {GOALS[row.setting]}, measured {ratio:.2f}"
        if row.setting in GOALS_MB:
            yield f"{where}: at most {GOALS_MB[row.setting]} MB, measured {row.memory['by hand']:.0f} MB"


def main():
    ways = installed()
    for name in WAYS.keys() - set(ways):
        print(f"skipped: {name} is not installed")
    libraries = [name for name in ("numpy", "autograd", "jax", "torch") if find_spec(name)]
    print(", ".join(f"{name} {version(name)}" for name in libraries), end="\n\n")
    rows = []
    print(f"One thread each, ratios to {'the faster JAX' if 'JAX, tree' in ways else 'by hand'}:\n\n{head(ways)}")
    for setting in SETTINGS:
        rows.append(measure(setting, ways, one_thread()))
        if max(rows[-1].busy.values()) > ONE_CORE:
            raise AssertionError(f"cores kept busy, not one: {rows[-1].busy}")
        print(times(rows[-1]), flush=True)
    print(f"\nFrom starting a process to the first result, and peak memory above the imports:\n\n{head(ways)}")
    print("\n".join(first_results(row) for row in rows if row.setting[1] > 1))
    print(f"\nAs many threads as each takes by itself ({os.cpu_count()} cores):\n\n{head(ways)}")
    for setting in SETTINGS_BY_DEFAULT:
        print(times(measure(setting, ways, by_default())), flush=True)
    print("\nGoals, by hand with one thread:", *goals(rows), sep="\n")


if __name__ == "__main__":
    main()
