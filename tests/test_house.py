"""The walls of the house: what imports what, how quickly, and how much there is to read."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
METHOD = sorted((ROOT / "mlcourse").glob("*.py"))


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_the_method_never_imports_the_classroom():
    for path in METHOD:
        assert not [name for name in imported_by(path) if name.startswith("mlcourse.classroom")], path.name


def test_importing_the_package_loads_no_picture_and_no_notebook():
    heavy = ("matplotlib", "ipywidgets", "IPython", "jupyterlab", "PIL")
    code = f"import sys, mlcourse; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_method_can_be_read_in_an_evening():
    code = {path.name: code_lines(path) for path in METHOD}
    assert sum(code.values()) <= 900, code
    assert max(code.values()) <= 200, code


def code_lines(path):
    """Lines with code on them: neither blank, nor comment, nor docstring."""
    tree = ast.parse(path.read_text())
    documented = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in documented
        for number, line in enumerate(path.read_text().splitlines(), start=1)
    )


def test_every_public_name_has_a_docstring():
    for path in METHOD:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"
