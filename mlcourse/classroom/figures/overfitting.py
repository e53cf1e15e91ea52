"""Figures of lesson 10: the gap by the number of tasks, over training, over inner steps; where training waves lie."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, NullFormatter

from mlcourse import confidence_interval
from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_interval, show_support, styled

# what a learner is tested on -> colour, marker, line
LOOKS = {
    "its own tasks": (COLOUR.support, "o", "-"),
    "new points of its tasks": (COLOUR.truth, "^", ":"),
    "new tasks": (COLOUR.query, "s", "--"),
}


def _losses_on_a_log_axis(axes, low, high):
    axes.set(yscale="log", ylim=(low, high))
    ticks = [tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300) if low <= tick <= high]
    axes.set_yticks(ticks)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _after_one_step(reports):
    """Means and half-widths after one step of several Reports, (n,) each."""
    return np.transpose([(report.mean[1], report.half_width[1]) for report in reports])


@styled
def gap_by_tasks(rows):
    """Loss after one step against the number of training tasks. rows: number in words -> {tested on: Report}."""
    figure, axes = new_figure(height=3.9)
    for shift, (on, (colour, marker, line)) in enumerate(LOOKS.items()):
        places = [place for place, reports in enumerate(rows.values()) if on in reports]
        reports = [reports[on] for reports in rows.values() if on in reports]
        mean, half = _after_one_step(reports)
        axes.errorbar(
            np.array(places) + 0.06 * (shift - 1), mean, np.minimum(half, [0.95 * mean, half]), label=on,
            color=colour, marker=marker, linestyle=line, capsize=4, elinewidth=1.5,
        )  # fmt: skip
    _losses_on_a_log_axis(axes, 0.02, 20)
    axes.set_xticks(range(len(rows)), rows)
    axes.set(xlabel="training tasks", ylabel="error after one step, log scale")
    few, reports = next(iter(rows.items()))
    axes.set_title(
        f"{few} tasks: {reports['its own tasks'].mean[1]:.2f} on them, {reports['new tasks'].mean[1]:.1f} on new ones"
    )
    axes.legend(ncols=3, loc="upper right")
    return figure


@styled
def over_training(iterations, training, validation, keep, stop):
    """Loss after one step on training tasks and on validation tasks while meta-training goes on.

    training, validation  a Report for each of iterations; keep, stop  places in them: the state kept, the last check
    """
    figure, axes = new_figure(height=3.7)
    for name, reports in {"its own tasks": training, "validation tasks": validation}.items():
        colour, marker, line = LOOKS["its own tasks" if reports is training else "new tasks"]
        mean, half = _after_one_step(reports)
        axes.plot(iterations, mean, color=colour, marker=marker, linestyle=line, markersize=5, label=name)
        axes.fill_between(iterations, mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
    kept = validation[keep].mean[1]
    axes.plot(iterations[keep], kept, "*", color=COLOUR.theta, markersize=16, zorder=6, label="kept")
    axes.axvline(iterations[stop], color=COLOUR.theta, linestyle=":", linewidth=1.5, label="patience runs out")
    axes.set(xlabel="meta-iterations", ylabel="error after one step", xlim=(0, iterations[-1] * 1.02), ylim=(0, None))
    axes.set_title(f"Validation tasks: {kept:.1f} kept, {validation[-1].mean[1]:.1f} had it gone on")
    axes.legend(loc="upper left", ncols=2)
    return figure


@styled
def before_and_after(rows):
    """Loss before and after the step, on own and on new tasks, a panel a learner. rows: learner -> {on: Report}."""
    figure, all_axes = new_figure(1, len(rows), height=3.6, sharey=True)
    for axes, (learner, reports) in zip(all_axes, rows.items(), strict=True):
        for on, report in reports.items():
            colour, marker, line = LOOKS[on]
            half = np.minimum(report.half_width, [0.9 * report.mean, report.half_width])
            axes.errorbar(
                [0, 1], report.mean, half, color=colour, marker=marker, linestyle=line, capsize=4, elinewidth=1.5,
                label=on,
            )  # fmt: skip
        _losses_on_a_log_axis(axes, 0.01, 300)
        axes.set_xticks([0, 1], ["before the step", "after it"])
        axes.set(xlim=(-0.3, 1.3), title=learner)
    all_axes[0].set_ylabel("error, log scale")
    all_axes[-1].legend(loc="lower right")
    return figure


@styled
def on_new_tasks(rows, nothing):
    """What each remedy reaches on new tasks after one step. rows: remedy -> Report; nothing: the loss of no learner."""
    figure, axes = new_figure(height=0.45 * len(rows) + 1.2)
    for place, report in enumerate(rows.values()):
        colour = COLOUR.wrong if place == 0 else COLOUR.query
        show_interval(axes, place, report.mean[1], report.half_width[1], colour)
    axes.axvline(nothing, color=COLOUR.truth, linestyle="--", label="predict 0 for every wave")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(ylim=(len(rows) - 0.5, -0.7), xlim=(0, None), xlabel="error on new waves after one step")
    first, best = next(iter(rows.values())), min(report.mean[1] for report in rows.values())
    axes.set_title(f"From {first.mean[1]:.1f} to {best:.2f}")
    axes.legend(loc="lower right")
    return figure


@styled
def over_steps(plain, rows, floor):
    """Losses over inner steps. plain: {"support": (m + 1, T), "query": …}; rows: name -> query losses (m + 1, T)."""
    figure, (left, right) = new_figure(1, 2, height=3.8)
    steps = np.arange(len(plain["query"]))
    looks = {"support": (COLOUR.support, "-"), "query": (COLOUR.query, "--")}
    for name, (colour, line) in looks.items():
        _band(left, steps, plain[name], colour, line, name)
    left.axhline(floor, color=COLOUR.truth, linestyle=":", label="noise σ²")
    before, last = plain["query"][0].mean(), plain["query"][-1].mean()
    left.set(
        xlabel="inner steps", ylabel="error", ylim=(0, 9.5), title=f"Query: {before:.1f} before, {last:.1f} at the end"
    )
    left.legend(loc="upper right", ncols=3)
    lines = iter([(COLOUR.query, "--"), (COLOUR.theta_prime, "-"), (COLOUR.maml, "-."), (COLOUR.fomaml, ":")])
    for name, losses in rows.items():
        _band(right, steps, losses, *next(lines), name)
    right.axhline(floor, color=COLOUR.truth, linestyle=":")
    right.set(xlabel="inner steps", ylim=(3, 9.5), title="Query error, four inner loops")
    right.legend(loc="upper right", ncols=2, fontsize=9)
    return figure


def _band(axes, steps, losses, colour, line, label):
    mean, half = confidence_interval(losses)
    axes.plot(steps, mean, color=colour, linestyle=line, label=label)
    axes.fill_between(steps, mean - half, mean + half, color=colour, alpha=0.12, linewidth=0)


class Diversity(Drawing):
    """The panel "task diversity": the error on every wave of the family, the training waves, and one wave."""

    def build(self, numbers):
        figure, (family, wave) = new_figure(1, 2, height=4.6)
        edges = [np.append(each, each[-1] + each[1] - each[0]) - (each[1] - each[0]) / 2 for each in numbers.grid]
        self.map = family.pcolormesh(*edges, numbers.errors, norm=LogNorm(0.1, 10), cmap="viridis", rasterized=True)
        bar = figure.colorbar(self.map, ax=family, label="error after one step")
        bar.set_ticks([0.1, 1, 10], labels=["0.1", "1", "10"])
        (self.training,) = family.plot([], [], "o", color="white", markeredgecolor="black", markersize=6)
        (self.here,) = family.plot([], [], "*", color=COLOUR.query, markeredgecolor="black", markersize=17)
        family.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]], xlabel="phase φ", ylabel="amplitude A")
        family.set_title("Circles: training waves. Star: this wave")
        family.grid(False)
        x = numbers.x[:, 0]
        (self.truth,) = wave.plot(x, numbers.truth, color=COLOUR.truth, linewidth=5, alpha=0.5, label="the wave")
        (self.start,) = wave.plot(x, numbers.start, ":", color=COLOUR.theta, label="θ")
        (self.adapted,) = wave.plot(x, numbers.adapted, color=COLOUR.theta_prime, label="θ′")
        self.support = show_support(wave, numbers.support)
        wave.set(xlim=(x[0], x[-1]), ylim=(-8, 8), xlabel="x", ylabel="y", title="One step on five points of it")
        wave.legend(ncols=4, loc="upper center", columnspacing=1.0, handletextpad=0.4)
        self.moving = [self.map, self.training, self.here, self.truth, self.start, self.adapted, self.support]
        return figure

    def update(self, numbers):
        self.map.set_array(numbers.errors)
        self.training.set_data(numbers.phases, numbers.amplitudes)
        self.here.set_data([numbers.phase], [numbers.amplitude])
        self.truth.set_ydata(numbers.truth)
        self.start.set_ydata(numbers.start)
        self.adapted.set_ydata(numbers.adapted)
        self.support.set_data(numbers.support.x.ravel(), numbers.support.y.ravel())
