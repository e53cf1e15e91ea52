"""What every test and every notebook under test gets: one BLAS thread a worker, and folders that are not the user's."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

# Before NumPy is first imported; kernels inherit it. With pytest-xdist each worker is a process of its own.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

FOLDER = tempfile.TemporaryDirectory(prefix="mlcourse-test-", ignore_cleanup_errors=True)
for name in ("MLCOURSE_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
    os.environ[name] = os.path.join(FOLDER.name, name.lower())

# As in an activated environment: nbgrader calls its own tools by name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

from tests import tested  # noqa: E402 (it imports NumPy)


def pytest_collection_modifyitems(items):
    """The slowest files first, so that no worker is left with one of them at the end.

    Last come those that load JAX or torch, beside whose threads nothing should be forked.
    """
    slow = (
        "test_hub.py",
        "test_later_lessons.py",
        "test_first_lessons.py",
        "test_kept.py",
        "test_visits.py",
        "test_browser.py",
        "test_problems.py",
        "test_release.py",
        "test_course.py",
        ".ipynb",
    )
    last = ("test_clients.py", "test_is_my_maml_maml.py")

    def rank(item):
        at = [i for i, end in enumerate((*slow, "", *last)) if item.path.name.endswith(end)]
        return at[-1] if item.path.name in last else at[0]

    items.sort(key=rank)


def pytest_addoption(parser):
    parser.addoption(
        "--working-copy",
        action="store_true",
        help="test notebooks as they are, also those that differ from the last commit",
    )


def pytest_configure(config):
    if config.getoption("--working-copy"):
        os.environ[tested.WORKING_COPY] = "1"


def pytest_ignore_collect(collection_path):
    """What a learner has laid beside the course's notebooks is no test."""
    folder = collection_path.parent
    if collection_path.suffix == ".ipynb" and folder.parent == tested.ROOT and folder.name in tested.FOLDERS:
        return collection_path not in tested.notebooks_in(folder.name) or None
    return None


class Notebook(IPyNbFile):
    """A notebook under its own name, whichever version of it is run."""

    @property
    def fspath(self):
        """The file that nbval reads."""
        return type(super().fspath)(tested.course_copy(self.path))


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    found = yield
    return [Notebook.from_parent(parent, path=file_path) if isinstance(node, IPyNbFile) else node for node in found]


def pytest_terminal_summary(terminalreporter):
    edited = tested.edited()
    if edited:
        terminalreporter.section("edited notebooks")
        terminalreporter.line(
            "These differ from the last commit, and the committed version was tested: what you write into them is "
            "yours. `pytest --working-copy` tests them as they are."
        )
        for path in edited:
            terminalreporter.line(f"  {path.relative_to(tested.ROOT)}")
