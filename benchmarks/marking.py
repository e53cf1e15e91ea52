"""A class of 200 hands in lesson 4: how long one worker takes, how long two, and how long what is marked already.

python -m benchmarks.marking [submissions]. Goals on two idle cores: two workers at most 0.6 of one; an unchanged folder
at most 5 s, with all that `mlcourse grade` starts.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.tested import ROOT

SUBMISSIONS, GOAL_RATIO, GOAL_SECONDS = 200, 0.6, 5
NAME = "04_the_meta_gradient_by_hand.ipynb"
FOMAML = "def meta_gradient(grad_s, hvp_s, grad_q, theta, alpha):\n    return grad_q(theta - alpha * grad_s(theta))"
ENDLESS = "def own_step_sizes(hessian, v, alpha):\n    while True:\n        pass"
# what each kind of student has changed of the right answers; the last one has written nothing
KINDS = ({}, {"meta_gradient": FOMAML}, {"sign_flip_alpha": "sign_flip_alpha = 0.5"}, {"own_step_sizes": ENDLESS}, None)


def hand_in(folder, submissions):
    """Lay a class's submissions, copies of a handful; gives their paths."""
    paths = []
    for number in range(submissions):
        changed = KINDS[number % len(KINDS)]
        notebook = nbformat.read(ROOT / ("exercises" if changed is None else "solutions") / NAME, as_version=4)
        for cell in notebook.cells:
            cell.source = (changed or {}).get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        path = folder / f"student{number:03}" / "lesson04" / NAME
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
        paths.append(path)
    return paths


def seconds(paths, workers, out):
    """How long `mlcourse grade` takes, from its start to its end."""
    command = [sys.executable, "-m", "mlcourse.classroom.cli", "grade", *map(str, paths), "--json"]
    start = time.perf_counter()
    subprocess.run([*command, f"--workers={workers}", f"--out={out}"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(submissions=SUBMISSIONS):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        paths = hand_in(folder / "submitted", submissions)
        one, two = (seconds(paths, workers, folder / f"marks{workers}") for workers in (1, 2))
        again = seconds(paths, 2, folder / "marks2")
    print(f"{submissions} submissions of lesson 4: one worker {one:.0f} s, two {two:.0f} s, unchanged {again:.1f} s")
    print(f"two workers take {two / one:.2f} of one: at most {GOAL_RATIO} wanted")
    print(f"an unchanged folder takes {again:.1f} s: at most {GOAL_SECONDS} wanted")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
