"""A small course in a git repository of its own, and a learner's clone of it."""

import json
import subprocess

FILES = ("exercises/04_a.ipynb", "exercises/05_b.ipynb", "notebooks/04_a.ipynb", "README.md")


def git(folder, *words):
    """Run git as an author who has a name; gives what it prints."""
    name = (
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@t",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "protocol.file.allow=always",
    )
    return subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def notebook(text):
    """A notebook with one cell, as JupyterLab writes it: JSON on several lines."""
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": text}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def publish(clone, files):
    """One commit more in the course that `clone` follows: {name: new text, None where the file goes}."""
    origin = clone.parent / "origin"
    for name, text in files.items():
        if text is None:
            git(origin, "rm", "-q", "-r", name)
        else:
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            (origin / name).write_text(text)
            git(origin, "add", "--force", name)
    git(origin, "commit", "-m", "next")


def make_course(folder):
    """The course in `folder`/origin and a clone in `folder`/clone; gives the clone."""
    origin = folder / "origin"
    for name in FILES:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_text(notebook("one") if name.endswith("ipynb") else "one\n")
    (origin / ".gitignore").write_text("exercises/*.kept-*.ipynb\n*.ignored\n")
    git(origin, "init")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "one")
    git(folder, "clone", str(origin), "clone")
    return folder / "clone"
