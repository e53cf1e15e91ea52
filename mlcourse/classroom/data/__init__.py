"""Tables that ship with the course; beside each, a file that names its source and licence."""

from pathlib import Path

LIFE_EXPECTANCY = Path(__file__).parent / "life_expectancy.csv"
