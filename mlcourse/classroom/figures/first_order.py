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
def descents(thetas, theta_star):
    """theta over outer steps on the test bed under each method, and the tasks' optima. thetas: name -> (N + 1,)."""
    figure, axes = new_figure(height=3.6)
    for name, values in thetas.items():
        colour, line, marker = LOOKS[name]
        axes.plot(values, color=colour, linestyle=line, marker=marker, markevery=5, markersize=5, label=name)
    _optima(axes, theta_star)
    axes.set(xlabel="outer steps", ylabel="θ", xlim=(0, len(values) - 1))
    axes.set_title("Each direction leads to an end of its own; grey lines are the tasks' optima θ*")
    axes.legend(loc="lower right")
    return figure


def _line(name):
    """Joint training as a broad band: Reptile with one step lies on it, and both are to be seen."""
    return {"linewidth": 7, "alpha": 0.45} if name == "joint training" else {"linestyle": LOOKS[name][1]}


def _optima(axes, theta_star):
    for each in theta_star:
        axes.axhline(each, color=COLOUR.truth, linewidth=1)


@styled
def reptile_step(paths, theta, theta_star):
    """One outer step of Reptile in a plane of two parameters.

    paths       (m + 1, T, 2)  theta_0 … theta_m of each task, all from one theta_0
    theta       (2,)           where the outer step leads
    theta_star  (T, 2)         the tasks' optima
    """
    figure, axes = new_figure(width=7.5, height=4.6)
    for task, label in enumerate(["inner steps of a task", *[None] * (len(theta_star) - 1)]):
        axes.plot(*paths[:, task].T, "-o", color=COLOUR.support, markersize=4, linewidth=1.2, label=label)
    axes.plot(*theta_star.T, "*", color=COLOUR.truth, markersize=17, label="the tasks' optima θ*")
    axes.plot(*paths[-1].T, "D", color=COLOUR.theta_prime, label="θ′ of each task")
    axes.plot(*paths[-1].T, ":", color=COLOUR.theta_prime, linewidth=1.2)
    axes.plot(*paths[-1].mean(axis=0), "D", color=COLOUR.theta_prime, markerfacecolor="none", label="mean of the θ′")
    axes.plot(*paths[0, 0], "o", color=COLOUR.theta, markersize=9, label="θ before")
    axes.plot(*theta, "^", color=COLOUR.reptile, markersize=11, label="θ after Reptile's step", zorder=6)
    axes.annotate(
        "", theta, paths[0, 0], arrowprops={"arrowstyle": "->", "color": COLOUR.reptile, "linewidth": 2}, zorder=5
    )
    axes.set(xlabel="first parameter", ylabel="second parameter", xlim=(-2.4, 2.4), ylim=(-2.2, 2.9), aspect="equal")
    axes.set_title("θ goes a part of the way to where the tasks ended")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@styled
def optima_by_alpha_and_steps(alphas, by_alpha, steps, by_steps, theta_star):
    """Where each method ends on the test bed.

    by_alpha  name -> (A,) with one inner step
    by_steps  name -> (M,) with one alpha
    """
    figure, (left, right) = new_figure(1, 2, height=3.9, sharey=True)
    for axes, xs, optima in ((left, alphas, by_alpha), (right, steps, by_steps)):
        for name, values in optima.items():
            colour = LOOKS[name][0]
            axes.plot(xs, values, color=colour, label=name, **_line(name))
        _optima(axes, theta_star)
        axes.set_xlim(0 if axes is left else xs[0], xs[-1])
    left.set(xlabel="inner step size α, one step", ylabel="where θ ends", title="One longer step …")
    right.set(xlabel="inner steps m, each of α = 0.2", title="… and more of them")
    right.legend(loc="center right", bbox_to_anchor=(1.0, 0.66))
    return figure


@styled
def learning_curves(iterations, passes, losses):
    """Held-out loss after one step, by iterations and by counted cost.

    iterations  name -> (N,)
    passes      (N,)  a task in all, the same for all
    losses      name -> (seeds, N); the band is their range
    """
    figure, (by_count, by_cost) = new_figure(1, 2, height=4.0, sharey=True)
    for name, curves in losses.items():
        colour, line, marker = LOOKS[name]
        low, mean, high = curves.min(axis=0), curves.mean(axis=0), curves.max(axis=0)
        for axes, x in ((by_count, iterations[name]), (by_cost, passes)):
            axes.plot(x, mean, color=colour, linestyle=line, marker=marker, markersize=5, label=name)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    by_count.set(xlabel="meta-iterations", ylabel="mean squared error, new tasks", title="By iterations")
    by_cost.set(xlabel="passes a task in all (a Hessian product: 2.5)", title="By counted cost")
    by_count.set(xlim=(0, None), ylim=(0, 3.6))
    by_cost.set_xlim(0)
    by_cost.legend()
    return figure


class Paths(Drawing):
    """The panel "paths": two bowls in a plane, and the way each method takes from the same start."""

    REACH = 3.0

    def build(self, numbers):
        figure, (plane, losses) = new_figure(1, 2, height=4.7)
        plane.plot(*numbers.theta_star.T, "*", color=COLOUR.truth, markersize=17, label="the tasks' optima θ*")
        self.paths, self.ends, self.curves, self.marks = {}, {}, {}, {}
        last = len(next(iter(numbers.losses.values()))) - 1
        for name, (colour, _, marker) in LOOKS.items():
            look, end = {"color": colour, "label": name, **_line(name)}, {"color": colour, "markeredgecolor": "black"}
            (self.paths[name],) = plane.plot([], [], **look)
            (self.ends[name],) = plane.plot([], [], marker, markersize=9, **end)
            (self.curves[name],) = losses.plot(np.arange(last + 1), np.zeros(last + 1), **look)
            (self.marks[name],) = losses.plot([1.05 * last], [0], marker, markersize=9, **end)
        (self.start,) = plane.plot([], [], "o", color=COLOUR.theta, markersize=9, zorder=7)
        plane.set(xlim=(-self.REACH, self.REACH), ylim=(-self.REACH, self.REACH), xlabel="first parameter")
        plane.set_ylabel("second parameter")
        plane.set_title("Paths of θ; marks: where they end")
        plane.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3, columnspacing=1.0)
        losses.set(xlabel="outer steps; marks: at the end", ylabel="loss after adaptation", ylim=(0, 3))
        losses.set_xlim(0, 1.1 * last)
        losses.set_title("The query loss that MAML minimises")
        losses.legend(loc="upper right")
        moving = [self.paths, self.ends, self.curves, self.marks]
        self.moving = [*(artist for artists in moving for artist in artists.values()), self.start]
        return figure

    def update(self, numbers):
        for name in LOOKS:
            self.paths[name].set_data(*numbers.paths[name].T)
            self.ends[name].set_data(*numbers.ends[name][:, None])
            self.curves[name].set_ydata(numbers.losses[name])
            self.marks[name].set_ydata([numbers.end_losses[name]])
        self.start.set_data(*numbers.paths["MAML"][0][:, None])
