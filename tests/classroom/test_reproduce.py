"""The published experiment: resumable bit for bit, and honest about what diverges."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mlcourse import MetaState, run_all
from mlcourse.classroom import reproduce
from mlcourse.classroom.cli import THREADS, _spread
from tests.clusters import two_workers


def command(folder, *words):
    words = ["reproduce", "sinusoid", "--shots", "5", "--methods", "MAML", "--out", str(folder), *words]
    return [sys.executable, "-m", "mlcourse.classroom.cli", *words]


def wait_for(path):
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_killed_run_goes_on_bit_for_bit(tmp_path, monkeypatch):
    run = reproduce.Run("MAML", 5, 0, 4000)
    checkpoint = tmp_path / "sinusoid" / f"{run.name}.npz"
    code = "from mlcourse.classroom import reproduce as r; r.SECONDS_BETWEEN_CHECKPOINTS = 0.2; "
    code += f"r.sinusoid({str(checkpoint.parent)!r}, [5], [0], 4000, ('MAML',))"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    wait_for(checkpoint)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < MetaState.load(checkpoint).iteration < 4000
    resumed = reproduce.train(run, checkpoint.parent)
    whole = reproduce.train(run, tmp_path)
    assert np.array_equal(resumed.theta, whole.theta) and resumed.random == whole.random


def shortly(*arguments):
    """A training with a checkpoint every moment: a function of its own, so that a worker imports it."""
    reproduce.SECONDS_BETWEEN_CHECKPOINTS = 0.05
    return reproduce.train(*arguments)


def test_a_run_whose_worker_is_killed_goes_on_at_another_to_the_same_end(tmp_path):
    runs = [reproduce.Run(method, 5, 0, 500) for method in ("MAML", "FOMAML")]
    with two_workers() as client:
        executor = client.get_executor()
        futures = [executor.submit(shortly, run, tmp_path / "there", False) for run in runs]
        wait_for(runs[0].checkpoint(tmp_path / "there"))
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        there = [future.result() for future in futures]
    for run, state in zip(runs, there, strict=True):
        assert np.array_equal(state.theta, reproduce.train(run, tmp_path / "here", bar=False).theta)


def test_the_same_table_comes_from_a_cluster(tmp_path):
    settings = ["--iterations", "20"]
    with two_workers() as client:
        address = ["--scheduler", client.scheduler.address]
        done = subprocess.run(command(tmp_path / "there", *settings, *address), capture_output=True, text=True)
    assert done.returncode == 0 and "trainings: 100%" in done.stderr, done.stderr
    reproduce.sinusoid(tmp_path / "here" / "sinusoid", [5], [0], 20, ("MAML",))
    here, there = ((tmp_path / name / "sinusoid" / "table.json").read_text() for name in ("here", "there"))
    assert here == there


def test_an_address_where_nobody_schedules_is_refused_in_a_sentence(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(reproduce, "SECONDS_FOR_A_CLUSTER", 1)
    with (
        pytest.raises(ValueError, match=r"got 'tcp://127\.0\.0\.1:9', where none answers"),
        reproduce.cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_a_scheduler_without_workers_is_refused_with_what_to_start(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(reproduce, "SECONDS_FOR_A_CLUSTER", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as alone,
        pytest.raises(ValueError, match="must have workers, got none: start some with `dask worker tcp"),
        reproduce.cluster(alone.scheduler_address),
    ):
        pass


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_job_that_kills_one_worker_after_another_is_given_up_in_a_sentence():
    with (
        two_workers() as client,
        pytest.raises(ValueError, match="must live through a training, but one killed several of them"),
        reproduce.cluster(client.scheduler.address) as executor,
    ):
        run_all(kill, [()], executor)


def test_without_dask_a_scheduler_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install 'mlcourse\[cluster\]'"), reproduce.cluster("tcp://10.0.0.1:1"):
        pass


def test_the_table_comes_in_three_forms_with_two_kinds_of_figure(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}  # so that it starts anew
    words = command(tmp_path, "--iterations", "20")
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    folder = tmp_path / "sinusoid"
    rows = json.loads((folder / "table.json").read_text())
    assert {row["method"] for row in rows} == {"MAML"} and len(rows) == 11
    assert (folder / "table.csv").read_text().count("\n") == 12
    assert "| MAML | 5 | 0 | 1 |" in (folder / "table.md").read_text() and "| MAML | 5 | 0 | 1 |" in done.stdout
    for name in ("curves_5_shot.png", "waves_5_shot.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_a_divergence_is_counted_and_said_and_not_averaged_away():
    theta = reproduce.MODEL.init(np.random.default_rng(0))
    for scale in (2.5, 30.0):
        rows = list(reproduce.test_rows(reproduce.Run("MAML", 5, 0, 1), scale * theta))
        diverged = [row for row in rows if row.diverged]
        assert diverged and all(row.worst is None or row.worst <= reproduce.DIVERGED for row in rows)
    assert f"step {diverged[0].steps}: {diverged[0].diverged}" in reproduce.markdown(rows)


def test_lists_are_written_with_blanks():
    said = ["reproduce", "--shots", "5", "10", "--seeds", "1"]
    assert _spread(said) == ["reproduce", "--shots", "5", "--shots", "10", "--seeds", "1"]
    assert _spread(["grade", "a.ipynb", "b.ipynb"]) == ["grade", "a.ipynb", "b.ipynb"]


def test_an_unknown_method_is_named(tmp_path):
    with pytest.raises(ValueError, match="methods must be among MAML, FOMAML, Reptile, joint training, got 'ANIL'"):
        reproduce.sinusoid(tmp_path, methods=("ANIL",))
    assert os.listdir(tmp_path) == []
