"""What every test and every notebook under test gets: one BLAS thread a worker, and folders that are not the user's."""

import os
import tempfile

# Before NumPy is first imported; kernels inherit it. With pytest-xdist each worker is a process of its own.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

for name in ("MLCOURSE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
    os.environ[name] = tempfile.mkdtemp(prefix="mlcourse-test-")
