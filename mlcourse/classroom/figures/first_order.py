"""Figures of lesson 7: where each method goes, what it costs, and the paths of theta under each."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled

LOOKS = {
    "joint training": (COLOUR.joint, ":", "s"),
    "Reptile": (COLOUR.reptile, "-.", "^"),
    "FOMAML": (COLOUR.fomaml, "--", "v"),
    "MAML": (COLOUR.maml, "-", "o"),
}


@styled
def optima_by_alpha(alphas, optima, centres):
    """Where each method's optimum lies on the test bed as alpha grows. optima: name -> (A,)."""
    figure, axes = new_figure(height=3.8)
    for name, values in optima.items():
        colour, line, _ = LOOKS[name]
        axes.plot(alphas, values, color=colour, linestyle=line, label=name)
    for centre in centres:
        axes.axhline(centre, color=COLOUR.truth, linewidth=1)
    axes.set(xlabel="inner step size α", ylabel="θ", xlim=(0, alphas[-1]))
    axes.set_title("The four methods part as α grows; grey lines are the tasks' own optima")
    axes.legend(loc="upper left")
    return figure


@styled
def expansion_error(alphas, errors):
    """How far the expansion is from the truth, against alpha, on logarithmic axes. errors: name -> (A,)."""
    figure, axes = new_figure(height=3.6)
    for name, values in errors.items():
        colour, line, marker = LOOKS[name]
        axes.loglog(alphas, values, color=colour, linestyle=line, marker=marker, markersize=5, label=name)
    reference = next(iter(errors.values()))[-1] * (alphas / alphas[-1]) ** 2
    axes.loglog(alphas, reference, color=COLOUR.truth, linewidth=1, label="slope 2: an error of α²")
    axes.set(xlabel="inner step size α", ylabel="error of the first two terms")
    axes.set_title("The first two terms leave an error of order α²")
    axes.legend(loc="upper left")
    return figure


@styled
def learning_curves(iterations, losses, cost):
    """Held-out loss after one step, by iterations and by cost.

    losses  name -> (seeds, N); the band is their range
    cost    name -> seconds an iteration
    """
    figure, (by_count, by_cost) = new_figure(1, 2, height=4.0, sharey=True)
    for name, curves in losses.items():
        colour, line, marker = LOOKS[name]
        low, mean, high = curves.min(axis=0), curves.mean(axis=0), curves.max(axis=0)
        for axes, x in ((by_count, iterations), (by_cost, iterations * cost[name] / cost["MAML"])):
            axes.plot(x, mean, color=colour, linestyle=line, marker=marker, markersize=5, label=name)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    by_count.set(xlabel="meta-iterations", ylabel="mean squared error, new tasks", title="At equal iterations")
    by_cost.set(xlabel="cost, in iterations of MAML", title="At equal cost")
    by_count.set_ylim(0, 3.6)
    by_count.legend()
    return figure


class Paths(Drawing):
    """The panel "paths": two bowls in a plane, and the way each method takes from the same start."""

    REACH = 3.0

    def build(self, numbers):
        figure, (plane, losses) = new_figure(1, 2, height=4.7)
        plane.plot(*numbers.centres.T, "*", color=COLOUR.truth, markersize=17, label="the tasks' optima")
        self.paths, self.ends, self.curves = {}, {}, {}
        steps = np.arange(len(next(iter(numbers.losses.values()))))
        for name, (colour, line, marker) in LOOKS.items():
            (self.paths[name],) = plane.plot([], [], color=colour, linestyle=line, label=name)
            (self.ends[name],) = plane.plot([], [], marker, color=colour, markersize=10, markeredgecolor="black")
            (self.curves[name],) = losses.plot(steps, np.zeros(len(steps)), color=colour, linestyle=line, label=name)
        (self.start,) = plane.plot([], [], "o", color=COLOUR.theta, markersize=9, zorder=7)
        plane.set(xlim=(-self.REACH, self.REACH), ylim=(-self.REACH, self.REACH), xlabel="first parameter")
        plane.set_ylabel("second parameter")
        plane.set_title("Paths of θ; marks are the closed-form optima")
        plane.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3, columnspacing=1.0)
        losses.set(xlabel="outer steps", ylabel="loss after adaptation", ylim=(0, 3), xlim=(0, steps[-1]))
        losses.set_title("The loss each of them is about")
        losses.legend(loc="upper right")
        self.moving = [*self.paths.values(), *self.ends.values(), self.start, *self.curves.values()]
        return figure

    def update(self, numbers):
        for name in LOOKS:
            self.paths[name].set_data(*numbers.paths[name].T)
            self.ends[name].set_data(*numbers.optima[name][:, None])
            self.curves[name].set_ydata(numbers.losses[name])
        self.start.set_data(*numbers.paths["MAML"][0][:, None])
