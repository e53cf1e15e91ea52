"""Every benchmark, one after another: python -m benchmarks."""

from benchmarks import batching, marking, panel_latency, peers, site

for benchmark in (peers, batching, panel_latency, site, marking):
    print(f"\n{benchmark.__doc__.strip()}\n")
    benchmark.main()
