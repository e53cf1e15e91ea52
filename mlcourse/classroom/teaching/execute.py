"""Run notebooks in fresh kernels and keep their outputs: `make notebooks`.

What is written has no widget state, no timings and no machine's kernel name; a panel's output keeps its picture.
The answer to a prediction is hidden until its cell runs.
"""

import atexit
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ANSWER = "answer"  # tag of the cells whose output gives away what the learner is asked to predict


def run(notebook, folder, timeout=300, env=None, **options):
    """Run an nbformat notebook in a fresh kernel with `folder` as its working directory, in place.

    env   the kernel's environment, where it is to be another than this process has
    """
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        **options,
    )
    try:
        client.execute(**({} if env is None else {"env": env}))
    finally:  # where no kernel started, it would clean up once more when Python ends, and fail
        atexit.unregister(client._cleanup_kernel)
    return notebook


def tidy(notebook):
    """Hide the answers to predictions, and drop what no reader can use: widget views, execution times, the machine's
    metadata."""
    notebook.metadata = nbformat.NotebookNode(
        kernelspec={"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        **{
            key: value
            for key, value in notebook.metadata.items()
            if key not in ("kernelspec", "language_info", "widgets")
        },
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
        if cell.cell_type == "code":
            cell.outputs = _merge_streams(cell.outputs)
            _hide(cell, "reveal(" in cell.source or ANSWER in cell.metadata.get("tags", ()))
    return notebook


def _hide(cell, hidden):
    """JupyterLab shows a hidden output when its cell runs; other readers (GitHub, an HTML page) always show it."""
    cell.metadata.pop("collapsed", None)  # JupyterLab writes it beside its own key
    own = cell.metadata.pop("jupyter", {})
    own.pop("outputs_hidden", None)
    if hidden:
        own["outputs_hidden"] = True
    if own:
        cell.metadata["jupyter"] = own


def _merge_streams(outputs):
    """Join neighbouring pieces of one stream: how a kernel cuts them is chance."""
    merged = []
    for output in outputs:
        if merged and output.output_type == merged[-1].output_type == "stream" and output.name == merged[-1].name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


@contextmanager
def own_progress():
    """The kernel gets an empty folder for its progress: nobody's own is read or changed."""
    before = os.environ.get("MLCOURSE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MLCOURSE_HOME"] = folder
        try:
            yield
        finally:
            os.environ.pop("MLCOURSE_HOME")
            if before is not None:
                os.environ["MLCOURSE_HOME"] = before


def execute(path):
    """Run the notebook at `path` and write it back with its outputs."""
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    with own_progress():
        run(notebook, path.parent)
    nbformat.write(tidy(notebook), path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, flush=True)
        execute(name)
