"""What every test and every notebook under test gets: one BLAS thread a worker, and folders that are not the user's."""

import os
import sys
import tempfile
from pathlib import Path

# Before NumPy is first imported; kernels inherit it. With pytest-xdist each worker is a process of its own.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

FOLDER = tempfile.TemporaryDirectory(prefix="mlcourse-test-", ignore_cleanup_errors=True)
for name in ("MLCOURSE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
    os.environ[name] = os.path.join(FOLDER.name, name.lower())

# As in an activated environment: nbgrader calls its own tools by name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def pytest_collection_modifyitems(items):
    """The slowest files first, so that no worker is left with one of them at the end."""
    slow = ("test_browser.py", "test_problems.py", "test_release.py", "test_course.py", ".ipynb")
    items.sort(
        key=lambda item: next((rank for rank, end in enumerate(slow) if item.path.name.endswith(end)), len(slow))
    )
