"""A cluster on this machine: what the tests that need one share."""

from contextlib import contextmanager

import pytest


@contextmanager
def two_workers():
    """A client of a Dask scheduler with two workers, each in a process of its own."""
    distributed = pytest.importorskip("distributed", reason="needs the extra: pip install 'mlcourse[cluster]'")
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        yield client
