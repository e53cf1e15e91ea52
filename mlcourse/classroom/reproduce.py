"""The sinusoid experiment of Finn et al. 2017 (section 5.1) to the end: `mlcourse reproduce sinusoid`.

Trains each method from each seed, here or on a cluster's workers, with a checkpoint every few seconds that a killed run
goes on from bit for bit, then meta-tests all of them on the same held-out tasks and writes a table and the paper's two
kinds of figure.
"""

import csv
import json
import os
import time
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
from tqdm import tqdm

from mlcourse import (
    MetaState,
    confidence_interval,
    fomaml,
    joint_training,
    maml,
    mean_squared_error,
    meta_train,
    reptile,
    run_all,
)
from mlcourse import sweep as losses_after
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS

METHODS = {"MAML": maml, "FOMAML": fomaml, "Reptile": reptile, "joint training": joint_training}
STEPS = {"Reptile": 5}  # inner steps while training; one for the others: Reptile with one step is joint training
TASKS, QUERIES, LEARNING_RATE = 25, 10, 1e-3
TEST_TASKS, TEST_STEPS, TEST_SEED = 600, 10, 10_000
DIVERGED = 1e3  # a wave's own mean square is at most 12.5: a loss beyond this is no prediction of it any more
SECONDS_BETWEEN_CHECKPOINTS = 5
SECONDS_FOR_A_CLUSTER = 30  # to answer, and to have a worker


class Run(NamedTuple):
    """One training: which method, how many shots, which seed, how many iterations."""

    method: str
    shots: int
    seed: int
    iterations: int

    @property
    def name(self):
        return f"{self.method.replace(' ', '_')}_{self.shots}_shot_seed_{self.seed}_{self.iterations}"

    def checkpoint(self, folder):
        """Path of its checkpoint in the folder."""
        return Path(folder) / f"{self.name}.npz"


class Row(NamedTuple):
    """One line of the table: query loss on the held-out tasks after `steps` inner steps.

    mean, half_width  over the tasks that did not diverge, with its 95 % confidence interval; None where all did
    median, worst     over the same tasks
    diverged          how many tasks passed a loss of DIVERGED: they are in none of the other numbers
    """

    method: str
    shots: int
    seed: int
    steps: int
    mean: float | None
    half_width: float | None
    median: float | None
    worst: float | None
    diverged: int


def train(run, folder, bar=True):
    """The last MetaState of a run, from its checkpoint in `folder` where there is one; with a bar on stderr."""
    checkpoint, rng = run.checkpoint(folder), np.random.default_rng(run.seed)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)  # a worker's folder need not be the one that asked for it
    resume = MetaState.load(checkpoint) if checkpoint.exists() else None
    states = meta_train(
        METHODS[run.method],
        mean_squared_error(MODEL),
        SINUSOIDS,
        MODEL.init(rng),
        rng,
        alpha=ALPHA,
        steps=STEPS.get(run.method, 1),
        tasks=TASKS,
        shots=run.shots,
        queries=QUERIES,
        learning_rate=LEARNING_RATE,
        resume=resume,
    )
    state = resume
    saved, done = time.monotonic(), 0 if resume is None else resume.iteration
    label = f"{run.method}, {run.shots} shots, seed {run.seed}"
    with tqdm(total=run.iterations, initial=done, desc=label, mininterval=1, disable=not bar) as shown:
        while done < run.iterations:
            state = next(states)
            done = state.iteration
            shown.update()
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS or done == run.iterations:
                save(state, checkpoint)
                saved = time.monotonic()
    return state


def save(state, path):
    """Write a checkpoint so that a kill at any moment leaves either the old one or the new one.

    A cluster that has lost sight of a worker gives its run to another: then two of them write here.
    """
    part = path.with_suffix(f".{uuid4().hex}.part")
    state.save(part)
    os.replace(part, path)


def test_rows(run, theta):
    """The Rows of one theta after 0 … TEST_STEPS inner steps on the held-out tasks of its number of shots."""
    episode = SINUSOIDS.sample(np.random.default_rng(TEST_SEED), TEST_TASKS, run.shots, QUERIES)
    (losses,) = losses_after(mean_squared_error(MODEL), theta, episode, [ALPHA], TEST_STEPS, limit=DIVERGED)
    for steps, after in enumerate(losses):
        bounded = after[np.isfinite(after)]
        values = [None] * 4
        if bounded.size > 1:
            values = [float(value) for value in (*confidence_interval(bounded), np.median(bounded), bounded.max())]
        yield Row(run.method, run.shots, run.seed, steps, *values, int(after.size - bounded.size))


def markdown(rows):
    """The rows after 0, 1 and TEST_STEPS steps as a markdown table, and a sentence on every divergence."""
    lines = [
        f"Mean squared error on {TEST_TASKS} held-out tasks, with 95 % confidence intervals.",
        "",
        "| method | shots | seed | steps | mean | median | worst task | diverged |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.steps in (0, 1, TEST_STEPS):
            numbers = "– | – | –"
            if row.mean is not None:
                numbers = f"{row.mean:.3f} ± {row.half_width:.3f} | {row.median:.3f} | {row.worst:.2f}"
            lines.append(f"| {row.method} | {row.shots} | {row.seed} | {row.steps} | {numbers} | {row.diverged} |")
    diverged = [row for row in rows if row.diverged]
    if diverged:
        lines += ["", f"Tasks whose loss passed {DIVERGED:g} have diverged; they are left out of the other columns:"]
        lines += [f"- {r.method}, {r.shots} shots, seed {r.seed}, step {r.steps}: {r.diverged}" for r in diverged]
    return "\n".join(lines) + "\n"


def write_tables(rows, folder):
    """rows as table.json, table.csv and table.md in `folder`."""
    records = [row._asdict() for row in rows]
    (folder / "table.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    with open(folder / "table.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, Row._fields)
        writer.writeheader()
        writer.writerows(records)
    (folder / "table.md").write_text(markdown(rows), encoding="utf-8")


@contextmanager
def cluster(address):
    """The executor of the Dask scheduler at an address such as tcp://10.0.0.1:8786; None where the address is None.

    Raises ValueError where Dask is not installed, where nobody answers, where there is no worker, and where a job
    kills one worker after another.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client, KilledWorker
    except ModuleNotFoundError as error:
        raise ValueError("a scheduler needs Dask, got none: pip install 'mlcourse[cluster]' here and there") from error
    try:
        client = Client(address, timeout=SECONDS_FOR_A_CLUSTER)
    except OSError as error:
        raise ValueError(
            f"scheduler must be the address of a Dask scheduler, got {address!r}, where none answers: "
            "`dask scheduler` prints its own"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_FOR_A_CLUSTER)
        except TimeoutError as error:
            raise ValueError(
                f"the scheduler at {address} must have workers, got none: start some with `dask worker {address}`"
            ) from error
        try:
            yield client.get_executor()
        except KilledWorker as error:
            raise ValueError(
                f"the workers at {address} must live through a training, but one killed several of them: "
                "look into their logs, most often they ran out of memory"
            ) from error


def sinusoid(folder, shots=(5, 10, 20), seeds=(0,), iterations=70_000, methods=tuple(METHODS), executor=None):
    """Train, meta-test and write everything to `folder`; gives the Rows. What is trained is not trained again.

    executor  where the trainings run (see `run_all`); their checkpoints are in `folder` as each worker sees it, so a
              run that loses its worker goes on from its last one where the workers share a file system
    """
    from mlcourse.classroom.figures import reproduce as figures

    unknown = [method for method in methods if method not in METHODS]
    if unknown:
        raise ValueError(f"methods must be among {', '.join(METHODS)}, got {unknown[0]!r}")
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    runs = [Run(method, k, seed, iterations) for k, seed, method in product(shots, seeds, methods)]
    here = executor is None
    states = run_all(train, [(run, folder, here) for run in runs], executor, progress=not here, label="trainings")
    for run, state in zip(runs, states, strict=True):
        if not run.checkpoint(folder).exists():
            save(state, run.checkpoint(folder))
    thetas = {run: state.theta for run, state in zip(runs, states, strict=True)}
    rows = [row for run in runs for row in test_rows(run, thetas[run])]
    write_tables(rows, folder)
    for k in shots:
        (folder / f"curves_{k}_shot.png").write_bytes(
            figures.loss_by_steps([row for row in rows if row.shots == k]).png()
        )
        first = {run.method: thetas[run] for run in runs if run.shots == k and run.seed == seeds[0]}
        (folder / f"waves_{k}_shot.png").write_bytes(figures.waves(first, k).png())
    return rows
