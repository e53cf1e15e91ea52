"""Speed, side by side in one run: python -m benchmarks. Ratios, since machines differ."""

# What sets how many threads a product gets. NPROC is JAX's: whatever XLA_FLAGS say, its pool has a thread a core.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
