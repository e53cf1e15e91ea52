"""The panels by name: PANELS[name]() makes one. Importing this package imports ipywidgets and matplotlib."""

from importlib import import_module

# name -> module that has a function `panel()`
_ROOMS = {
    "time line": "timeline",
    "relatedness": "relatedness",
    "episode viewer": "episode_viewer",
    "inner loop": "inner_loop",
    "tangent": "tangent",
    "test bed": "test_bed",
    "adaptation": "adaptation",
    "paths": "paths",
    "sweep": "sweep",
    "one shot": "one_shot",
    "embedding": "embedding",
    "cost": "cost",
    "task diversity": "diversity",
    "trajectories": "trajectories",
    "attention": "attention",
    "countries": "countries",
}


def _open(module):
    return lambda **options: import_module(f"{__name__}.{module}").panel(**options)


PANELS = {name: _open(module) for name, module in _ROOMS.items()}
