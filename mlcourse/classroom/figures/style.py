"""One style for every figure of the course: the same colour for the same thing in every lesson.

Figures are made without pyplot: a function gets numbers, gives a figure, and nothing stays behind.
"""

import logging
from functools import wraps
from io import BytesIO
from types import SimpleNamespace

import matplotlib

from mlcourse.classroom import tab

if tab.here():  # a first visit lists the fonts, which takes 0.2 s, and says so in red
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart with any colour vision; shape and line style say the same once more.
COLOUR = SimpleNamespace(
    support="#0072B2",
    query="#E69F00",
    theta="#000000",
    theta_prime="#009E73",
    truth="#8a8a8a",
    maml="#D55E00",
    fomaml="#56B4E9",
    reptile="#8B5A2B",
    joint="#CC79A7",
    random="#8a8a8a",
    oracle="#000000",
    wrong="#CC0033",
    shade="#e8eef4",
)

STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "lines.linewidth": 2,
    "lines.markersize": 7,
    "legend.frameon": False,
    "legend.fontsize": 10,
}


class CourseFigure(Figure):
    """A matplotlib figure that shows itself once, as PNG, where it is a cell's last line."""

    def png(self, **options):
        """The picture as bytes."""
        file = BytesIO()
        self.savefig(file, format="png", **options)
        return file.getvalue()

    def _repr_png_(self):
        return self.png()


def styled(make):
    """Decorator: run a figure function under the course's style, whatever the notebook has set."""

    @wraps(make)
    def wrapper(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return make(*args, **kwargs)

    return wrapper


def new_figure(rows=1, columns=1, width=9.0, height=3.6, **options):
    """A CourseFigure and its axes, as plt.subplots gives them; width and height in inches (100 dots each)."""
    with matplotlib.rc_context(STYLE):
        figure = CourseFigure(figsize=(width, height), layout=options.pop("layout", "constrained"))
        FigureCanvasAgg(figure)
        return figure, figure.subplots(rows, columns, **options)


def show_support(axes, data, **options):
    """The support points of one task: filled circles."""
    return axes.plot(
        data.x.ravel(), data.y.ravel(), "o", **{"color": COLOUR.support, "label": "support", "zorder": 5} | options
    )[0]


def show_query(axes, data, **options):
    """The query points of one task: open squares."""
    defaults = {"color": COLOUR.query, "label": "query", "markerfacecolor": "none", "markeredgewidth": 2, "zorder": 4}
    return axes.plot(data.x.ravel(), data.y.ravel(), "s", **defaults | options)[0]


def show_interval(axes, place, mean, half, colour, written=".2f"):
    """mean ± half as a horizontal bar at the height `place`, with its numbers above it; `written` is their format."""
    axes.errorbar(mean, place, xerr=half, color=colour, marker="o", capsize=4)
    said = f"{mean:{written}} ± {half:{written}}"
    axes.annotate(said, (mean, place), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9)


class Drawing:
    """A figure whose artists are kept, so that a panel redraws only what moved.

    A subclass builds its artists once in `build(numbers)`, which returns the figure, lists the artists that move
    in `self.moving`, and sets them in `update(numbers)`. `numbers` is whatever the panel's compute function gives.
    """

    def __init__(self, numbers):
        self.moving = []
        with matplotlib.rc_context(STYLE):
            self.figure = self.build(numbers)
            self.update(numbers)

    def build(self, numbers):
        raise NotImplementedError

    def update(self, numbers):
        raise NotImplementedError
