"""Lesson 8: the loss over theta and alpha, learned step sizes a layer, what the head can do, and the panel "sweep"."""

import numpy as np
from matplotlib.colors import LogNorm

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled

LAYERS = {"first": (COLOUR.support, "o"), "second": (COLOUR.query, "s"), "third (head)": (COLOUR.theta_prime, "D")}


@styled
def theta_and_alpha(thetas, alphas, losses, path, fixed):
    """The mean loss after one step over theta and alpha, and where learning both leads.

    thetas (N,), alphas (M,), losses (M, N); path (I, 2) theta and alpha on the way; fixed (theta, alpha) of MAML
    """
    figure, axes = new_figure(height=4.2)
    floor = 1e-3
    levels = np.geomspace(floor, 10, 17)
    shades = axes.contourf(
        thetas, alphas, np.clip(losses, floor, 10), levels, cmap="Blues", norm=LogNorm(floor, 10), extend="both"
    )
    axes.contour(thetas, alphas, losses, levels[::2], colors="white", linewidths=0.5)
    bar = figure.colorbar(shades, ax=axes, ticks=[1e-3, 1e-2, 1e-1, 1, 10])
    bar.set_label("mean loss after one step")
    bar.ax.set_yticklabels(["≤0.001", "0.01", "0.1", "1", "10"])
    axes.plot(*path.T, color=COLOUR.maml, label="both learned")
    axes.plot(*path[0], "o", color=COLOUR.theta, label="start")
    axes.plot(
        *path[-1], "*", color=COLOUR.maml, markersize=16, label=f"end: θ = {path[-1, 0]:.2f}, α = {path[-1, 1]:.2f}"
    )
    axes.plot(*fixed, "s", color=COLOUR.reptile, label=f"MAML with α = {fixed[1]:g}: θ = {fixed[0]:.2f}")
    axes.set(
        xlabel="start θ", ylabel="step size α", title="One loss, two things to learn", xlim=(thetas[0], thetas[-1])
    )
    axes.grid(visible=False)
    axes.legend(loc="upper right", facecolor="white", frameon=True, framealpha=0.9)
    return figure


@styled
def step_sizes(iterations, by_layer, own, layer_of, begin):
    """Learned step sizes: one a layer along training, and one a parameter at its end.

    iterations (I,); by_layer (I, 3); own (P,) one a parameter; layer_of (P,) 0, 1, 2; begin  where all began
    """
    figure, (left, right) = new_figure(1, 2, height=3.9, sharey=True, width_ratios=[3, 2])
    for layer, (name, (colour, marker)) in enumerate(LAYERS.items()):
        left.plot(iterations, by_layer[:, layer], color=colour, marker=marker, markevery=2, label=name)
        values = np.sort(own[layer_of == layer])
        spots = layer + np.linspace(-0.3, 0.3, len(values))
        right.plot(spots, values, ".", color=colour, markersize=3, alpha=0.7)
        right.plot([layer - 0.35, layer + 0.35], [np.median(values)] * 2, color=COLOUR.theta, linewidth=2)
    for axes in (left, right):
        axes.axhline(begin, color=COLOUR.truth, linestyle="--", linewidth=1.2, label="where all begin")
        axes.set_yscale("log")
    left.set(xlabel="outer iteration", ylabel="learned α (logarithmic)", title="One α a layer", ylim=(1e-5, 2))
    left.legend(loc="lower left")
    right.set_xticks(range(3), ["first", "second", "third"])
    right.set(xlabel="layer", title="One α a parameter (bar: median)")
    return figure


@styled
def by_steps(curves, most):
    """Mean loss on held-out tasks after 0 … m steps, a curve a way to set alpha; above `most` it leaves the figure."""
    figure, axes = new_figure(height=3.7)
    looks = [
        (COLOUR.support, "-", "o"),
        (COLOUR.maml, "--", "s"),
        (COLOUR.theta_prime, "-.", "D"),
        (COLOUR.joint, ":", "^"),
    ]
    for (name, losses), (colour, line, marker) in zip(curves.items(), looks, strict=False):
        shown = np.where(losses <= most, losses, np.nan)
        axes.plot(shown, color=colour, linestyle=line, marker=marker, markersize=5, label=name)
        gone = np.flatnonzero(~(losses <= most))
        if gone.size:
            last = gone[0] - 1
            axes.annotate(
                "",
                (gone[0], most),
                (last, losses[last]),
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2},
            )
            axes.text(gone[0] + 0.1, most * 0.8, f"{name}: beyond {most:g}", color=colour)
    axes.set_yscale("log")
    ticks = [tick for tick in (0.2, 0.5, 1, 2, 5, 10) if tick <= most]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.axvline(1, color=COLOUR.truth, linewidth=1, linestyle=":")
    axes.set(xlabel="inner steps at test time (dotted: as trained)", ylabel="loss on new waves", ylim=(0.1, most * 1.1))
    axes.set_title("Trained for one step, tried with more")
    axes.legend(loc="lower left", ncols=2)
    return figure


class Sweep(Drawing):
    """The panel "sweep": loss against alpha for one m, a point a seed, the mean, and the choice by validation."""

    def build(self, numbers):
        figure, axes = new_figure(height=4.4)
        self.places = np.arange(len(numbers.alphas))
        (self.seeds,) = axes.plot([], [], "o", color=COLOUR.support, markersize=5, alpha=0.45, label="one seed")
        (self.others,) = axes.plot([], [], ":", color=COLOUR.truth, label="all seeds, mean")
        (self.mean,) = axes.plot([], [], "-", color=COLOUR.support, label="mean of the seeds that you have")
        (self.chosen,) = axes.plot(
            [], [], "s", color=COLOUR.maml, markersize=11, markerfacecolor="none", markeredgewidth=2.5
        )
        self.chosen.set_label("lowest mean: your choice")
        (self.lost,) = axes.plot([], [], "x", color=COLOUR.wrong, markersize=8, label="above 6")
        axes.set_yscale("log")
        axes.set_yticks([0.5, 1, 2, 3, 5], ["0.5", "1", "2", "3", "5"])
        axes.minorticks_off()
        axes.set_xticks(self.places, [f"{alpha:g}" for alpha in numbers.alphas])
        axes.set(
            xlabel="inner step size α",
            ylabel="loss on validation tasks",
            ylim=(0.5, 14),
            xlim=(-0.5, len(self.places) - 0.5),
        )
        axes.set_title("Trained with each α: the loss after adaptation")
        axes.legend(loc="upper center", ncols=3, fontsize=9)
        self.moving = [self.others, self.seeds, self.mean, self.lost, self.chosen]
        return figure

    def update(self, numbers):
        offsets = np.linspace(-0.12, 0.12, numbers.losses.shape[1]) if numbers.losses.shape[1] > 1 else np.zeros(1)
        places, losses = self.places[:, None] + offsets, numbers.losses
        gone = numbers.diverged
        self.seeds.set_data(places[~gone], losses[~gone])
        self.lost.set_data(places[gone], np.full(gone.sum(), numbers.most))
        for line, mean in ((self.mean, numbers.mean), (self.others, numbers.mean_of_all)):
            line.set_data(self.places, np.where(mean < numbers.most, mean, np.nan))
        self.chosen.set_data([numbers.choice], [numbers.mean[numbers.choice]])
