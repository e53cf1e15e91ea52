"""docs/is_my_maml_maml.md works as it stands: its blocks print what it says, and its table is that of the tests."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.recipes.test_clients import CLIENTS, MISTAKES

PAGE = (Path(__file__).parents[2] / "docs" / "is_my_maml_maml.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BY_LIBRARY = {next(name for name in ("torch", "jax") if f"import {name}\n" in block): block for block in BLOCKS}


def printed(name, change=lambda block: block, capsys=None):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install {name}")
    block = change(BY_LIBRARY[name])
    if name == "torch":
        block = block.replace("import torch\n", "import torch\n\ntorch.manual_seed(0)\n", 1)
    exec(compile(block, "is_my_maml_maml.md", "exec"), {"__name__": "page"})
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_a_block_pasted_as_it_stands_is_exact(name, capsys):
    out = printed(name, capsys=capsys)
    line = re.search(r"    (exact: .*)", PAGE)[1]
    assert re.sub(r"\d+", "n", out.strip()) == re.sub(r"\d+", "n", line)


@pytest.mark.parametrize(
    "name, right, wrong",
    [("torch", ", create_graph=True", ""), ("jax", "- alpha * slope,", "- alpha * jax.lax.stop_gradient(slope),")],
)
def test_with_the_mistake_that_the_page_names_it_prints_what_the_page_says(name, right, wrong, capsys):
    assert right in BY_LIBRARY[name]
    out = printed(name, lambda block: block.replace(right, wrong), capsys)
    said = re.search(r"    (not exact, .*)\n    (  This is .*)", PAGE)
    first, second, *rest = out.rstrip("\n").split("\n")
    assert re.sub("off by [0-9.e+-]+", "off by …", first) == said[1] and second == said[2] and not rest


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_what_one_adds_is_short(name):
    added = BY_LIBRARY[name].split("# What you add:\n")[1]
    assert len([line for line in added.splitlines() if line.strip() and not line.startswith("from ")]) <= 14


def test_the_table_names_every_library_and_every_mistake_of_the_tests():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "exact | " in line]
    assert len(rows) == len(CLIENTS)
    for name in CLIENTS:
        (row,) = (row for row in rows if re.search(rf"[ ,]{re.escape(name)} \|", row))
        assert [cell.strip() for cell in row.split("|")[2:-1]] == ["exact", *MISTAKES.values()]
