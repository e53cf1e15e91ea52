"""Speed, side by side in one run: python -m benchmarks. Ratios, since machines differ."""

import os

# Before NumPy is first imported. How many threads a product gets is the benchmark's to say, not the machine's; NPROC is
# what JAX goes by: XLA_FLAGS leave it a pool of threads as large as the machine.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
for name in THREADS:
    os.environ.setdefault(name, "1")
