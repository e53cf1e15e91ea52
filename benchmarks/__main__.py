"""Every benchmark, one after another: python -m benchmarks."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks import batching, panel_latency, peers

for benchmark in (peers, batching, panel_latency):
    print(f"\n{benchmark.__doc__.strip()}\n")
    benchmark.main()
