"""Figures of lesson 14 and `mlcourse report`: a table's tasks, learners with their intervals, what each predicts."""

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import LogLocator, MaxNLocator

from mlcourse import confidence_interval
from mlcourse.classroom.figures.style import (
    COLOUR,
    Drawing,
    new_figure,
    show_interval,
    show_query,
    show_support,
    styled,
)
from mlcourse.tasks import Data

as_written = rc_context({"text.parse_math": False})  # a table's names may hold $, which is no formula
OF_ONE, OF_ALL = ("mean of the support", "a line of its own"), ("one line for all",)


def colour_of(learner):
    """The course's colour for a learner, by its name."""
    if learner.startswith("MAML"):
        return COLOUR.maml
    if learner in OF_ALL or learner.startswith("joint"):
        return COLOUR.joint
    return COLOUR.truth if learner in OF_ONE else COLOUR.theta_prime


def number_format(error):
    """How an error, or the mean of some (T,), is written: two digits after the point, none if large, more if small.

    In whatever unit; and no interval that is not 0 becomes 0.
    """
    mean = np.mean(error)
    if not mean > 0:
        return ".2f"
    if not 1e-6 < mean < 1e12:
        return ".2e"
    if mean >= 1000:
        return ",.0f"
    least = max(confidence_interval(error)[1] if np.size(error) > 1 else mean, 0.01 * mean)
    return f".{max(2, 1 - _magnitude(mean), -_magnitude(least))}f"


def _magnitude(number):
    return int(np.floor(np.log10(number)))


@styled
@as_written
def some_tasks(table, names, message):
    """Every task of a table as a grey line over its first input, those of `names` in colour and named."""
    strangers = [name for name in names if name not in table.rows]
    if strangers:
        raise ValueError(
            f"names must be among the tasks of {table.csv}, such as {', '.join(map(repr, table.names[:3]))}, "
            f"got {strangers[0]!r}"
        )
    figure, axes = new_figure(height=3.9)
    for x, y in table.rows.values():
        order = np.argsort(x[:, 0])
        axes.plot(x[order, 0], y[order, 0], color=COLOUR.truth, linewidth=0.6, alpha=0.35)
    colours = (COLOUR.support, COLOUR.query, COLOUR.theta_prime, COLOUR.maml, COLOUR.joint)
    for name, colour, marker in zip(names, colours, "os^Dv", strict=False):
        x, y = table.rows[name]
        axes.plot(x[:, 0], y[:, 0], color=colour, marker=marker, markersize=5, label=name)
    axes.set(xlabel=table.x[0], ylabel=table.y, title=message)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@styled
@as_written
def learners(errors, unit):
    """Mean error over tasks with its 95 % interval, a line a learner, the best at the bottom. errors: name -> (T,)."""
    figure, axes = new_figure(height=0.45 * len(errors) + 1.3)
    _learners(axes, errors, unit)
    return figure


def _learners(axes, errors, unit):
    rows = sorted(errors.items(), key=lambda row: -row[1].mean())
    for place, (name, each) in enumerate(rows):
        show_interval(axes, place, *confidence_interval(each), colour_of(name), number_format(each))
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.8), xlim=(0, None), xlabel=f"error on a task, {unit}")
    best, tasks = rows[-1][0], len(rows[-1][1])
    axes.set_title(f"{tasks} held-out tasks: least error with {best}")


@styled
@as_written
def settings(tried, unit):
    """Validation error by inner step size, a line a number of steps. tried: (alpha, steps) -> error, inf diverged."""
    figure, axes = new_figure(height=3.5)
    top = 100 * min(tried.values())
    for steps, line, marker in zip(sorted({m for _, m in tried}), ("-", "--", ":"), "osD", strict=False):
        alphas = sorted(alpha for alpha, m in tried if m == steps)
        shown = [min(tried[alpha, steps], top) for alpha in alphas]
        axes.plot(alphas, shown, line, marker=marker, color=COLOUR.maml, label=f"m = {steps}", clip_on=False)
    best = min(tried, key=tried.get)
    axes.plot(best[0], tried[best], "*", color=COLOUR.theta, markersize=16, label="chosen", zorder=6)
    axes.set(xscale="log", yscale="log", ylim=(0.7 * min(tried.values()), top))
    axes.set(xlabel="inner step size α, log scale", ylabel=f"validation error, {unit}, log scale")
    axes.set_xticks(sorted({alpha for alpha, _ in tried}), [f"{alpha:g}" for alpha in sorted({a for a, _ in tried})])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=30))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.set_title(f"Least at α = {best[0]:g}, m = {best[1]}; points on the upper edge lie far above it")
    axes.legend(ncols=3, loc="upper left")
    return figure


@styled
@as_written
def over_training(curve, kept, unit):
    """Error over meta-training. curve: name -> list of (iteration, error); kept: the iteration that is kept."""
    figure, axes = new_figure(height=3.3)
    looks = zip(curve.items(), (COLOUR.support, COLOUR.query), ("-", "--"), strict=False)
    for (name, points), colour, line in looks:
        axes.plot(*zip(*points, strict=True), line, color=colour, label=name)
    axes.axvline(kept, color=COLOUR.theta, linestyle=":", label=f"kept: iteration {kept}")
    axes.set(xlabel="meta-iterations", ylabel=f"error, {unit}", ylim=(0, None), xlim=(0, None))
    axes.set_title("The start is kept where the validation tasks fare best")
    axes.legend()
    return figure


@styled
@as_written
def learners_and_tasks(done):
    """The report's picture: all learners, and three test tasks of increasing difficulty for MAML. done: a Study."""
    figure, (above, below) = new_figure(2, 1, height=7.0, height_ratios=(1, 1))
    _learners(above, done.errors, done.unit)
    grid = below.get_subplotspec().subgridspec(1, 3)
    below.remove()
    maml = next(name for name in done.errors if "network" in name)
    mixed = next(name for name in done.errors if name.startswith("mixed"))
    order = np.argsort(done.errors[maml])
    places = [order[0], order[len(order) // 2], order[-1]]
    predictors = {name: done.learners[name] for name in (maml, mixed)}
    panels = [figure.add_subplot(cell) for cell in grid]
    _tasks(panels, done.parts[2], done.draw, places, predictors, done.errors[maml])
    return figure


def _tasks(all_axes, part, draw, places, predictors, errors):
    x_mean, x_std, *_ = part.scale
    for axes, place in zip(all_axes, places, strict=True):
        support, query = (Data(data.x[place], data.y[place]) for data in draw[:2])
        if len(part.x) == 1:
            grid = np.linspace(*(f(np.concatenate([support.x, query.x])) for f in (np.min, np.max)), 60)[:, None]
            shown = [Data(x_mean + x_std * data.x, part.in_units(data.y)) for data in (support, query)]
            show_support(axes, shown[0], label="given")
            show_query(axes, shown[1], label="asked")
            for (name, predict), line in zip(predictors.items(), ("-", "--", ":", "-."), strict=False):
                curve = part.in_units(predict(support, grid))
                axes.plot(x_mean + x_std * grid, curve, line, color=colour_of(name), label=name)
            axes.set_xlabel(part.x[0])
        else:  # several inputs: what is predicted against what is true
            truth = part.in_units(query.y)
            for (name, predict), marker in zip(predictors.items(), "ox^v", strict=False):
                axes.plot(truth, part.in_units(predict(support, query.x)), marker, color=colour_of(name), label=name)
            axes.axline((truth.min(), truth.min()), slope=1, color=COLOUR.truth, linestyle=":", label="right")
            axes.set_xlabel(f"true {part.y}")
        error = errors[place]
        axes.set_title(f"{part.names[place]:.18}: error {error:{number_format(error)}}", fontsize=11)
        axes.xaxis.set_major_locator(MaxNLocator(3, steps=(1, 2, 5, 10)))
    all_axes[0].set_ylabel(part.y)
    handles = all_axes[0].get_legend_handles_labels()
    all_axes[0].figure.legend(*handles, loc="outside lower center", ncols=len(handles[0]), fontsize=10)


class Countries(Drawing):
    """The panel "countries": one country's rows, given and asked, and the curves of three learners."""

    def build(self, numbers):
        figure, axes = new_figure(height=4.2)
        self.curves = {
            name: axes.plot(numbers.years, curve, line, color=colour_of(name), label=name)[0]
            for (name, curve), line in zip(numbers.curves.items(), (":", "-", "--"), strict=True)
        }
        self.given = show_support(axes, numbers.given, label="given")
        self.asked = show_query(axes, numbers.asked, label="asked")
        self.name = axes.text(0.02, 0.94, "", transform=axes.transAxes, fontsize=13, va="top")
        axes.set(xlim=(1950, 2009), ylim=(15, 95), xlabel="year", ylabel="life expectancy, years")
        axes.set_title("A country that no learner has seen, from the years given")
        axes.legend(loc="lower center", ncols=5, columnspacing=1.0, handletextpad=0.4, fontsize=9)
        self.moving = [*self.curves.values(), self.given, self.asked, self.name]
        return figure

    def update(self, numbers):
        for name, curve in numbers.curves.items():
            self.curves[name].set_ydata(curve)
        for artist, data in ((self.given, numbers.given), (self.asked, numbers.asked)):
            artist.set_data(data.x.ravel(), data.y.ravel())
        self.name.set_text(numbers.country)
