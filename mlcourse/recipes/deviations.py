"""The known deviations of a meta-gradient from the exact one: what each is called, and one sentence that teaches."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple


class Deviation(NamedTuple):
    """One wrong setting of one choice (a field of `recipes.Recipe`), its name, and a sentence that teaches."""

    choice: str
    setting: Any
    name: str
    sentence: str


def _read(path):
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Deviation(choice, setting, row["name"], " ".join(row["sentence"].split()))
        for choice, rows in tables.items()
        for row in rows
        for setting in (row["setting"] if isinstance(row["setting"], list) else [row["setting"]])
    )


_KNOWN = _read(Path(__file__).with_suffix(".toml"))
AN_UPDATE_A_TASK = next(each for each in _KNOWN if each.setting == "an update a task")  # its outer step is to be known
DEVIATIONS = tuple(each for each in _KNOWN if each is not AN_UPDATE_A_TASK)
