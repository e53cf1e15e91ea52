"""Lesson 13: equal budgets, hyperparameters as an outer variable, and a layer of attention as a gradient step."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_support, styled

# how a start looks; for the fine-tuned ones the line style says which weights move
STARTS = {
    "MAML": {"color": COLOUR.maml, "marker": "D"},
    "joint training": {"color": COLOUR.joint, "marker": "s"},
    "joint training, head alone": {"color": COLOUR.joint, "marker": "s", "ls": "--"},
    "random start": {"color": COLOUR.random, "marker": "o"},
}


@styled
def by_passes(passes, panels, ylabel, logarithmic=False):
    """What each start makes of the passes that a new task may cost.

    passes  (n,) gradients on the new task's support set, in order
    panels  title -> name of STARTS -> (mean (n,), half_width (n,))
    """
    figure, axes = new_figure(1, len(panels), height=3.8, sharey=True, squeeze=False)
    places = np.arange(len(passes))
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        for name, (mean, half) in curves.items():
            ax.errorbar(places, mean, half, **STARTS[name], capsize=3, label=name)
        ax.set(title=title, xlabel="gradient steps on the new task's support set")
        ax.set_xticks(places, [f"{count:g}" for count in passes])
    if logarithmic:
        axes[0, 0].set_yscale("log")
        axes[0, 0].set_yticks([0.25, 0.5, 1, 2], ["0.25", "0.5", "1", "2"])
        axes[0, 0].minorticks_off()
    axes[0, 0].set_ylabel(ylabel)
    axes[0, 0].legend(fontsize=9)
    return figure


@styled
def validation_over_lambda(lams, validation, test, at, values, slopes):
    """The validation loss as a curve in log lambda, with the slopes of the hypergradient, and the loss on new data.

    lams, validation, test  (n,);  at, values, slopes  (s,) slopes in lambda of the validation loss there
    """
    figure, axes = new_figure(height=3.8)
    axes.plot(lams, validation, color=COLOUR.query, label="validation loss of $w(\\lambda)$")
    axes.plot(lams, test, color=COLOUR.truth, ls="--", label="loss on new examples")
    reach = np.array([-0.6, 0.6])
    for lam, value, slope in zip(at, values, slopes, strict=True):
        axes.plot(lam * np.exp(reach), value + slope * lam * reach, color=COLOUR.theta, lw=2.5)
        axes.plot(lam, value, "o", color=COLOUR.theta)
    axes.plot([], [], "o-", color=COLOUR.theta, label="slope by the hypergradient")
    axes.set(xscale="log", xlabel="λ, the pull towards 0", ylabel="mean squared error")
    axes.set_title("Each λ has a solution of its own, and the validation loss a slope in λ")
    axes.legend()
    return figure


@styled
def judges(rows):
    """Losses after each outer variable was tuned: name -> (validation, new), each (mean, half_width)."""
    figure, axes = new_figure(height=3.2)
    for place, (validation, new) in enumerate(rows.values()):
        axes.plot([validation[0], new[0]], [place, place], color=COLOUR.truth, lw=1.5, zorder=1)
        for (mean, half), look in (
            (validation, {"color": COLOUR.query, "mfc": "white"}),
            (new, {"color": COLOUR.theta}),
        ):
            marker = "s" if "mfc" in look else "o"
            axes.errorbar(mean, place, xerr=half, marker=marker, ls="none", capsize=3, mew=2, **look)
    axes.plot([], [], "s", color=COLOUR.query, mfc="white", mew=2, label="validation loss, which was descended")
    axes.plot([], [], "o", color=COLOUR.theta, label="loss on new examples")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlabel="mean squared error", ylim=(len(rows) - 0.5, -0.5), xlim=(0, None))
    axes.set_title("What was descended says less, the more each task has to tune")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@styled
def found_steps(keys, found, predicted, single):
    """A trained layer's key-query matrix, and the step size that it takes along each input, beside the one predicted.

    keys  (d + 1, d), the rows are x_1 … x_d, y;  found, predicted  (d,) step sizes;  single  one for all
    """
    figure, (left, right) = new_figure(1, 2, height=3.6, width_ratios=[1, 1.5])
    size = keys.shape[1]
    names = [f"$x_{i + 1}$" for i in range(size)]
    most = np.abs(keys).max()
    left.imshow(keys, cmap="PuOr", vmin=-most, vmax=most)
    for (row, column), value in np.ndenumerate(keys):
        ink = "white" if abs(value) > 0.6 * most else "black"
        left.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=10)
    left.set_xticks(range(size), names)
    left.set_yticks(range(size + 1), [*names, "$y$"])
    left.set(xlabel="query", ylabel="key", title="what is compared with what")
    left.grid(False)
    places = np.arange(size)
    right.axhline(single, color=COLOUR.truth, ls="--", label="best single α")
    right.plot(places, predicted, "_", color=COLOUR.theta, ms=34, mew=2.5, label="formula")
    right.plot(places, found, "D", color=COLOUR.theta_prime, ms=9, label="trained layer")
    right.set_xticks(places, names)
    right.set(
        xlim=(-0.6, size - 0.4),
        ylim=(0, 1.2 * max(*found, *predicted, single)),
        ylabel="α along this input",
        title="the step that it takes",
    )
    right.legend(markerscale=0.6)
    return figure


class InContext(Drawing):
    """The panel "attention": a context, the line after one step from 0, and what each example gives to a prediction."""

    def build(self, numbers):
        most = len(numbers["parts"])
        figure, (self.plane, self.bars) = new_figure(1, 2, height=4.0, width_ratios=[1.6, 1], layout="none")
        figure.subplots_adjust(left=0.07, right=0.98, bottom=0.13, top=0.9, wspace=0.2)
        reach = np.array([-2.2, 2.2])
        self.reach = reach
        self.plane.plot(reach, 0 * reach, color=COLOUR.theta, lw=1.5, label="w = 0")
        self.fit = self.plane.plot(reach, reach, color=COLOUR.truth, ls="--", lw=1.5, label="least squares")[0]
        self.step = self.plane.plot(reach, reach, color=COLOUR.theta_prime, label="after one step")[0]
        self.context = show_support(self.plane, numbers["context"], label="context")
        self.moved = self.plane.plot([0], [0], "o", color=COLOUR.support, ms=13, mfc="none", mew=2, zorder=6)[0]
        self.line = self.plane.plot([0, 0], [-99, 99], color=COLOUR.query, lw=1, ls=":")[0]
        self.query = self.plane.plot(
            [0], [0], "s", color=COLOUR.query, ms=11, label="prediction by attention", zorder=7
        )[0]
        self.plane.set(xlim=reach, xlabel="x", ylabel="y", title="one gradient step from w = 0")
        self.plane.legend(loc="upper left", fontsize=9, ncols=2)
        self.shares = self.bars.barh(range(most), np.zeros(most), color=COLOUR.support)
        self.total = self.bars.barh([most + 0.4], [0], color=COLOUR.query)[0]
        self.bars.axvline(0, color=COLOUR.theta, lw=1)
        self.bars.set_yticks([*range(most), most + 0.4], [*(f"{i + 1}" for i in range(most)), "sum"])
        self.bars.set(ylim=(most + 1.1, -0.8), xlabel="(2α/K) · y · (x · query)")
        self.bars.set_title("what each example gives")
        self.bars.grid(axis="y", visible=False)
        self.limits = None
        self.moving = [
            self.fit, self.step, self.context, self.moved, self.line, self.query, *self.shares, self.total,
        ]  # fmt: skip
        return figure

    def update(self, numbers):
        x, y = numbers["context"].x.ravel(), numbers["context"].y.ravel()
        self.context.set_data(x, y)
        self.moved.set_data(x[:1], y[:1])
        self.step.set_ydata(numbers["w"] * self.reach)
        self.fit.set_ydata(numbers["fitted"] * self.reach)
        self.line.set_xdata([numbers["query"]] * 2)
        self.query.set_data([numbers["query"]], [numbers["prediction"]])
        for i, share in enumerate(self.shares):
            there = i < len(x)
            share.set_width(numbers["parts"][i] if there else 0)
            share.set_visible(there)
        self.total.set_width(numbers["prediction"])
        before, self.limits = (
            self.limits,
            (_room(6, [*y, numbers["prediction"]]), _room(3, [*numbers["parts"], numbers["prediction"]])),
        )
        self.plane.set_ylim(-self.limits[0], self.limits[0])
        self.bars.set_xlim(-self.limits[1], self.limits[1])
        return self.limits != before


def _room(least, values):
    """`least`, doubled until all values have room: the axes stand still while a control moves a little."""
    return least * 2 ** max(0, int(np.ceil(np.log2(1.05 * np.max(np.abs(values)) / least + 1e-9))))
