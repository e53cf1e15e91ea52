"""The package and its environments say the same."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def test_environment_and_pyproject_name_the_same_dependencies():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = {f"python{project['requires-python']}", *project["dependencies"], *project["optional-dependencies"]["test"]}
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {entry for entry in entries if isinstance(entry, str)}
    pip = {line for entry in entries if isinstance(entry, dict) for line in entry["pip"]}
    assert "--editable ." in pip
    assert (conda - {"pip"}) | (pip - {"--editable ."}) == ours


def test_a_class_a_cluster_a_hub_and_a_site_need_nothing_that_the_tests_do_not_try():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {*extras["class"], *extras["cluster"], *extras["hub"], *extras["site"]} <= set(extras["test"])


def test_every_dependency_has_a_lower_bound_and_what_builds_the_site_is_pinned_together():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for dependency in project["dependencies"] + extras["test"]:
        assert dependency in extras["site"] or re.fullmatch(r"[a-z-]+>=[\d.]+", dependency), dependency
    assert len({re.fullmatch(r"[a-z-]+==([\d.]+)", dependency)[1] for dependency in extras["site"]}) == 1
