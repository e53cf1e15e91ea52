"""Figures of lesson 11: what a meta-gradient keeps and computes, and conjugate gradients at work."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled

LOOKS = {
    "unrolled graph": (COLOUR.wrong, ":", "s"),
    "places": (COLOUR.maml, "-", "o"),
    "θ_i alone": (COLOUR.theta, "-", "^"),
    "first-order": (COLOUR.fomaml, "--", "v"),
    "implicit": (COLOUR.theta_prime, "-.", "D"),
}


@styled
def memory_by_steps(steps, megabytes, counted=None):
    """Most memory of one meta-gradient against the number of inner steps.

    megabytes  name of a way -> (M,), measured: markers
    counted    name of a way -> (M,), what it keeps by a formula: lines from the first marker on
    """
    figure, axes = new_figure(height=3.8)
    for name, values in megabytes.items():
        colour, line, marker = LOOKS[name]
        joined = line if counted is None else ""
        axes.plot(steps, values, color=colour, linestyle=joined, marker=marker, label=f"{name}, measured")
    for name, values in (counted or {}).items():
        from_first = megabytes[name][0] + np.subtract(values, values[0])
        axes.plot(steps, from_first, color=LOOKS[name][0], linewidth=1.2, label=f"{name}, counted")
    axes.set(xlabel="inner steps m", ylabel="MB", ylim=(0, None), xticks=steps)
    ways_back = "Whoever goes back through the steps keeps something of each of them"
    axes.set_title(ways_back if counted is None else "What is counted is what is measured")
    axes.legend(loc="upper left")
    return figure


@styled
def solves(residuals):
    """How far an approximate solution is from solving the system. residuals: name -> (N + 1,), after 0 … N products."""
    figure, axes = new_figure(height=3.6)
    looks = {"conjugate gradients": (COLOUR.theta_prime, "-", "D"), "steepest descent": (COLOUR.wrong, ":", "s")}
    for name, values in residuals.items():
        colour, line, marker = looks[name]
        axes.semilogy(range(len(values)), values, color=colour, linestyle=line, marker=marker, markersize=5, label=name)
    axes.set(xlabel="products with M", ylabel="length of the residual b − Mx")
    axes.set_title("Conjugate gradients need far fewer products")
    axes.legend(loc="lower left")
    return figure


class Cost(Drawing):
    """The panel "cost": megabytes kept and work done for one meta-gradient, five ways. Bars begin at zero."""

    def build(self, numbers):
        figure, self.axes = new_figure(1, 2, height=4.3)
        names = list(LOOKS)
        places = np.arange(len(names))
        self.bars, self.labels = [], []
        for axes, title, unit in zip(
            self.axes,
            ("Memory at its height", "Work"),
            ("MB (8 bytes a number)", "multiplications, in gradients"),
            strict=True,
        ):
            self.bars.append([axes.barh(place, 1, color=LOOKS[name][0])[0] for place, name in enumerate(names)])
            self.labels.append([axes.text(0, place, "", va="center", fontsize=10) for place in places])
            axes.set_yticks(places, names if axes is self.axes[0] else [""] * len(names))
            axes.set(title=title, xlabel=unit, ylim=(len(names) - 0.4, -0.6))
        self.moving = [artist for rows in (self.bars, self.labels) for row in rows for artist in row]
        self.limits = None
        return figure

    def update(self, numbers):
        both = (numbers.megabytes, numbers.work)
        for bars, labels, values in zip(self.bars, self.labels, both, strict=True):
            for bar, label, name in zip(bars, labels, LOOKS, strict=True):
                bar.set_width(float(values[name]))  # where NumPy's whole numbers have 32 bits, many are too large
                label.set_x(values[name])
                label.set_text(f" {values[name]:.3g}")
        limits = [_next_round(1.15 * max(values.values())) for values in both]
        if limits == self.limits:
            return False
        for axes, limit in zip(self.axes, limits, strict=True):
            axes.set_xlim(0, limit)
        self.limits = limits
        return True


def _next_round(value):
    """The least round number that is not below value."""
    power = 10.0 ** np.floor(np.log10(value))
    return next(times * power for times in (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10) if times * power >= value)
