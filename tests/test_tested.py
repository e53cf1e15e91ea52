"""A learner's clone stays green: what is tested is the course, not what was written into it."""

import shutil
import subprocess
import sys

import nbformat
import pytest

from tests.tested import ROOT


def git(folder, *words):
    identity = ("-c", "user.name=A Learner", "-c", "user.email=learner@example.org")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def notebook_of(source):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id="only")])


@pytest.fixture
def clone(tmp_path):
    """A course of one lesson and no test besides, committed."""
    for name in ("conftest.py", "pyproject.toml", "tests/__init__.py", "tests/tested.py", ".gitignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in ("notebooks", "solutions"):
        (tmp_path / name).mkdir()
    nbformat.write(notebook_of("answer = ...  # your code here"), tmp_path / "notebooks" / "01_gap.ipynb")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "the course")
    return tmp_path


def run_tests(clone, *words):
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_gap_filled_wrong_and_a_notebook_of_ones_own_change_nothing_and_the_run_says_so(clone):
    filled = notebook_of("answer = 1 / 0")
    filled.cells[0].execution_count, filled.cells[0].metadata["collapsed"] = 7, False
    nbformat.write(filled, clone / "notebooks" / "01_gap.ipynb")
    nbformat.write(notebook_of("raise SystemExit"), clone / "notebooks" / "Untitled.ipynb")
    nbformat.write(notebook_of("raise SystemExit"), clone / "notebooks" / "02_mine.ipynb")
    code, said = run_tests(clone, "--numprocesses", "2")
    assert code == 0 and "1 passed" in said
    assert "the committed version was tested" in said and "notebooks/01_gap.ipynb" in said


def test_an_author_tests_the_files_as_they_are(clone):
    nbformat.write(notebook_of("answer = 1 / 0"), clone / "notebooks" / "01_gap.ipynb")
    nbformat.write(notebook_of("answer = 1"), clone / "notebooks" / "02_new.ipynb")
    code, said = run_tests(clone, "--working-copy")
    assert code == 1 and "1 failed, 1 passed" in said and "ZeroDivisionError" in said


def test_without_git_the_files_are_tested_as_they_are(clone):
    shutil.rmtree(clone / ".git")
    nbformat.write(notebook_of("answer = 1 / 0"), clone / "notebooks" / "01_gap.ipynb")
    code, said = run_tests(clone)
    assert code == 1 and "committed" not in said
