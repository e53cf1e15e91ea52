"""Speed, side by side in one run: python -m benchmarks. Ratios, since machines differ."""
