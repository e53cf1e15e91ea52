"""The table that ships: whole, small, with its source beside it, and in the wheel."""

import tomllib
from fnmatch import fnmatch

import numpy as np

from mlcourse import FromTable
from mlcourse.classroom.data import LIFE_EXPECTANCY
from tests.tested import ROOT


def test_it_has_142_countries_in_the_same_twelve_years():
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    assert len(table.names) == 142
    for x, y in table.rows.values():
        assert np.array_equal(x[:, 0], range(1952, 2008, 5))
        assert np.all((20 < y) & (y < 90))


def test_it_is_small_and_its_source_and_licence_stand_beside_it():
    assert LIFE_EXPECTANCY.stat().st_size < 50_000
    note = LIFE_EXPECTANCY.with_suffix(".md").read_text()
    for word in ("Gapminder", "Jennifer Bryan", "CC BY", "CC0", "Changed here"):
        assert word in note


def test_a_wheel_would_hold_both():
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for path in (LIFE_EXPECTANCY, LIFE_EXPECTANCY.with_suffix(".md")):
        name = path.relative_to(ROOT / "mlcourse" / "classroom").as_posix()
        assert any(fnmatch(name, glob) for glob in globs["mlcourse.classroom"])
