"""Figures of lesson 11: time and memory of a meta-gradient, and conjugate gradients at work."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled

LOOKS = {
    "unrolled graph": (COLOUR.wrong, ":", "s"),
    "recursion": (COLOUR.maml, "-", "o"),
    "first-order": (COLOUR.fomaml, "--", "v"),
    "implicit": (COLOUR.theta_prime, "-.", "D"),
}


@styled
def cost_by_steps(steps, seconds, megabytes):
    """Time and peak memory of one meta-gradient against the number of inner steps. Each: name -> (M,)."""
    figure, (left, right) = new_figure(1, 2, height=4.0)
    for axes, values in ((left, {k: 1000 * v for k, v in seconds.items()}), (right, megabytes)):
        for name, value in values.items():
            colour, line, marker = LOOKS[name]
            axes.plot(steps, value, color=colour, linestyle=line, marker=marker, label=name)
        axes.set(xlabel="inner steps m", ylim=(0, None), xticks=steps)
    left.set(ylabel="milliseconds", title="Time: every way grows with m")
    right.set(ylabel="MB", title="Memory: only the graph grows steeply")
    left.legend()
    return figure


@styled
def solves(residuals):
    """How far an approximate solution is from solving the system, by iterations. residuals: name -> (N,)."""
    figure, axes = new_figure(height=3.6)
    looks = {"conjugate gradients": (COLOUR.theta_prime, "-", "D"), "steepest descent": (COLOUR.wrong, ":", "s")}
    for name, values in residuals.items():
        colour, line, marker = looks[name]
        axes.semilogy(values, color=colour, linestyle=line, marker=marker, markersize=5, label=name)
    axes.set(xlabel="Hessian-vector products", ylabel="size of the residual")
    axes.set_title("Conjugate gradients never undo what an earlier direction has done")
    axes.legend(loc="lower left")
    return figure


class Cost(Drawing):
    """The panel "cost": numbers kept and products made for one meta-gradient, four ways."""

    def build(self, numbers):
        figure, (kept, made) = new_figure(1, 2, height=4.3)
        names = list(LOOKS)
        places = np.arange(len(names))
        self.kept, self.made, self.labels = [], [], []
        for axes, bars, title in (
            (kept, self.kept, "Memory: numbers kept at once"),
            (made, self.made, "Work: passes through the network"),
        ):
            for place, name in zip(places, names, strict=True):
                bars.append(axes.barh(place, 1, color=LOOKS[name][0])[0])
                self.labels.append(axes.text(0, place, "", va="center", fontsize=10))
            axes.set_yticks(places, names if axes is kept else [""] * len(names))
            axes.set(title=title, ylim=(len(names) - 0.4, -0.6))
        kept.set(xscale="log", xlim=(1e3, 1e12), xlabel="numbers (8 bytes each)")
        made.set(xlim=(0, 110), xlabel="forward or backward passes")
        self.moving = [*self.kept, *self.made, *self.labels]
        return figure

    def update(self, numbers):
        rows = [(self.kept, numbers.kept, "{:.2g}"), (self.made, numbers.made, "{:.0f}")]
        labels = iter(self.labels)
        for bars, values, form in rows:
            for bar, name in zip(bars, LOOKS, strict=True):
                bar.set_width(values[name])
                label = next(labels)
                label.set_text(" " + form.format(values[name]))
                label.set_x(values[name])
