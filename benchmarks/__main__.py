"""Every benchmark, one after another: python -m benchmarks."""

from benchmarks import batching, panel_latency, peers, site

for benchmark in (peers, batching, panel_latency, site):
    print(f"\n{benchmark.__doc__.strip()}\n")
    benchmark.main()
