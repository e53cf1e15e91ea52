"""Lesson 5: where one step lands, where each method puts theta, and what an initialisation is a prior of."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled

# name -> colour, marker: the same in every figure of this lesson and in its panel
METHODS = {
    "joint training": (COLOUR.joint, "o"),
    "Reptile": (COLOUR.reptile, "s"),
    "FOMAML": (COLOUR.fomaml, "^"),
    "MAML": (COLOUR.maml, "D"),
    "average optimum": (COLOUR.truth, "X"),
}


def method(name):
    """Colour and marker of a method; "Reptile, 5 steps" looks like Reptile."""
    return METHODS[name.split(",")[0]]


@styled
def where_one_step_lands(covered, landed, theta, slope, c):
    """theta' against the share c of the way from theta to the slope that one step covers, with one marked step at `c`.

    covered (N,) shares, landed (N,) the theta' of each
    """
    figure, axes = new_figure(height=3.4)
    axes.axvspan(0, 1, color=COLOUR.shade)
    axes.axhline(slope, color=COLOUR.truth, linestyle="--", label="the task's slope a")
    axes.axhline(theta, color=COLOUR.theta, linestyle=":", label="the start θ")
    axes.plot(covered, landed, color=COLOUR.theta_prime, label="θ′")
    marks = [c, 1.0, 1.5, 2.0]
    words = ["this step", "lands on a", "overshoots", "as far off as before"]
    for mark, word in zip(marks, words, strict=True):
        height = np.interp(mark, covered, landed)
        axes.plot(mark, height, "D" if mark == c else "o", color=COLOUR.theta_prime, zorder=5)
        axes.annotate(word, (mark, height), xytext=(8, -13), textcoords="offset points")
    axes.set(xlim=(covered[0], covered[-1]), xlabel="c = 2α·mean(x²)", ylabel="θ′ after one step")
    axes.set_title("One step moves θ′ along a straight line from θ, through a, and out on the other side")
    axes.text(0.98, 0.9, "θ′ between θ and a", transform=axes.get_xaxis_transform(), ha="right", color="#555555")
    axes.legend(loc="upper left")
    return figure


@styled
def before_and_after(theta, before, after, best, measured_theta, measured):
    """Expected loss over p(a) by formula, before and after one step, and Reports measured on held-out tasks.

    theta, before, after (N,); best the start that is best before any step; measured a Report for each measured_theta
    """
    figure, axes = new_figure()
    axes.axvline(best, ymax=0.55, color=COLOUR.truth, linestyle=":", label="the best start before any step")
    for step, (curve, colour, style, word) in enumerate(
        [(before, COLOUR.theta, "--", "before adaptation"), (after, COLOUR.theta_prime, "-", "after one step")]
    ):
        axes.plot(theta, curve, style, color=colour, label=f"{word}: formula")
        axes.errorbar(
            measured_theta,
            [report.mean[step] for report in measured],
            [report.half_width[step] for report in measured],
            fmt="os"[step],
            color=colour,
            capsize=4,
            label=f"{word}: measured, 95 % CI",
        )
    axes.set(xlabel="initialisation θ", ylabel="expected query loss", ylim=(0, None))
    axes.set_title("The step lowers every loss by the same factor, so the best θ stays where it was")
    axes.legend(loc="upper center")
    return figure


@styled
def four_optima(grid, before, after, optima):
    """Mean loss of the test bed before and after one step, with each method's theta on both curves."""
    figure, panes = new_figure(1, 2, height=3.9)
    titles = "Before the step, joint training is lowest", "After one step, MAML is lowest"
    for axes, curve, colour, title in zip(
        panes, (before, after), (COLOUR.theta, COLOUR.theta_prime), titles, strict=True
    ):
        axes.plot(grid, curve, color=colour, zorder=1)
        for name, theta in optima.items():
            shade, marker = method(name)
            hollow = name in ("joint training", "Reptile, 5 steps")
            axes.plot(
                theta,
                np.interp(theta, grid, curve),
                marker,
                color=shade,
                markersize=14 if name == "joint training" else 8,
                markerfacecolor="none" if hollow else shade,
                markeredgewidth=2,
                label=f"{name}: θ = {theta:.2f}",
                linestyle="none",
            )
        axes.set(xlabel="initialisation θ", title=title, ylim=(0, None))
    panes[0].set_ylabel("mean loss of the two tasks")
    panes[1].legend(loc="upper right")
    return figure


@styled
def who_is_heard(covered, listened, tasks):
    """Each method's weight of a task, over joint training's, against the share c = alpha h that one step covers.

    covered (N,) values of c; listened name -> (N,); tasks label -> c of a task to mark
    """
    figure, axes = new_figure(height=3.8)
    axes.axhspan(-1.2, 0, color=COLOUR.shade)
    axes.axhline(0, color="#555555", linewidth=1)
    styles = {"joint training": "--", "Reptile": ":", "FOMAML": "-.", "MAML": "-"}
    for name, weight in listened.items():
        axes.plot(covered, weight, styles[name.split(",")[0]], color=method(name)[0], label=name, linewidth=2.5)
    for label, c in tasks.items():
        axes.axvline(c, color=COLOUR.truth, linewidth=1)
        axes.text(c + 0.02, -0.97, label, color="#555555")
    axes.text(0.98, -0.72, "negative: θ is pushed away", color="#555555")
    axes.set(xlim=(0, 2), ylim=(-1.05, 1.25), xlabel="share of the distance that one step covers, c = αh")
    axes.set_ylabel("weight / joint training's weight")
    axes.set_title("The more a step finishes a task, the less MAML listens to it")
    axes.legend(loc="upper right", ncols=4, columnspacing=1.2)
    return figure


@styled
def reach(starts, adapted, optima, curvatures, losses):
    """Two tasks in the plane, and where one step takes each start.

    starts, adapted  name -> theta (2,), theta' (2 tasks, 2);  losses  name -> mean loss after the step
    optima, curvatures (2 tasks, 2)
    """
    figure, panes = new_figure(1, len(starts), height=3.7, sharex=True, sharey=True)
    first, second = np.meshgrid(np.linspace(-1.6, 3.4, 120), np.linspace(-1.6, 3.4, 120))
    for axes, name in zip(panes, starts, strict=True):
        for index, style in enumerate(["solid", "dashed"]):
            h, optimum = curvatures[index], optima[index]
            bowl = h[0] / 2 * (first - optimum[0]) ** 2 + h[1] / 2 * (second - optimum[1]) ** 2
            axes.contour(first, second, bowl, [0.15, 0.6], colors="#9a9a9a", linestyles=style, linewidths=1.2)
            axes.plot(*optimum, "*", color=COLOUR.truth, markersize=15, markeredgecolor="black")
            axes.text(*[(-1.5, 2.9), (2.1, -1.1)][index], f"task {'AB'[index]}")
            axes.annotate(
                "",
                adapted[name][index],
                starts[name],
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": COLOUR.theta_prime,
                    "linewidth": 2.2,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
                zorder=4,
            )
            axes.plot(*adapted[name][index], "o", color=COLOUR.theta_prime, markersize=5, zorder=5)
        shade, marker = method(name)
        axes.plot(*starts[name], marker, color=shade, markersize=11, zorder=6)
        axes.set(aspect="equal", xlim=(-1.6, 3.4), ylim=(-1.6, 3.4), xlabel="θ₁")
        axes.set_title(f"{name}: {losses[name]:.2f}")
    panes[0].set_ylabel("θ₂")
    title = "Mean loss after one step: MAML's corner is far from both tasks, and reaches both"
    figure.suptitle(title, x=0.02, ha="left", fontsize=12)
    return figure


@styled
def stopping_is_a_prior(reports, oracle, steps):
    """Held-out loss against inner steps from two starts, the oracle's loss, and the step that the prior predicts."""
    figure, axes = new_figure(height=3.8)
    styles = {"θ = μ": (COLOUR.maml, "-", "D"), "θ = 0": (COLOUR.random, "--", "o")}
    for name, report in reports.items():
        colour, style, marker = styles[name]
        count = np.arange(len(report.mean))
        axes.plot(
            count, report.mean, style, marker=marker, markersize=4, color=colour, label=f"gradient steps from {name}"
        )
        axes.fill_between(
            count,
            report.mean - report.half_width,
            report.mean + report.half_width,
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    axes.axhline(oracle.mean[0], color=COLOUR.oracle, linestyle=":", label="oracle: knows μ, τ and the noise")
    axes.axvline(steps, color=COLOUR.support, linewidth=1.5, label=f"prior of p(a)'s own width: m = {steps:.1f}")
    axes.set(xlabel="inner steps m", ylabel="query loss", ylim=(1.05, 1.75), xlim=(0, len(report.mean) - 1))
    axes.set_title("From θ = μ, stopping near the predicted step does about as well as the oracle")
    axes.legend(loc="upper right")
    return figure


class TestBed(Drawing):
    """The panel: losses before and after adaptation over theta, the four optima, and whom each method listens to."""

    LOSS = (1e-3, 1e2)

    def build(self, bed):
        figure, (curves, shares) = new_figure(1, 2, width=9.6, height=4.8, width_ratios=[1.25, 1])
        figure.get_layout_engine().set(wspace=0.06)
        self._build_curves(curves, bed)
        self._build_shares(shares)
        self.moving = [
            self.before,
            self.after,
            *self.marks.values(),
            self.left,
            *[bar for bars in self.bars.values() for bar in bars],
            *self.words.values(),
        ]
        return figure

    def _build_curves(self, axes, bed):
        (self.before,) = axes.plot([], [], "--", color=COLOUR.theta, label="before adaptation")
        (self.after,) = axes.plot([], [], color=COLOUR.theta_prime, linewidth=2.5, label="after adaptation")
        self.marks = {}
        for name in list(METHODS)[:4]:
            shade, marker = method(name)
            hollow = name == "joint training"
            (self.marks[name],) = axes.plot(
                [],
                [],
                marker,
                color=shade,
                markersize=14 if hollow else 9,
                markerfacecolor="none" if hollow else shade,
                markeredgewidth=2,
                zorder=5,
                clip_on=False,
            )
        for index, centre in enumerate(bed.centres, start=1):
            axes.axvline(centre, color=COLOUR.truth, linewidth=1, linestyle=":")
            axes.text(centre, self.LOSS[1] * 0.75, f" task {index}", color="#555555", va="top")
        self.left = axes.text(0.02, 1.02, "", transform=axes.transAxes)
        axes.set(yscale="log", xlim=(bed.grid[0], bed.grid[-1]), ylim=self.LOSS)
        axes.set(xlabel="initialisation θ", ylabel="mean loss of the two tasks")
        axes.legend(loc="lower right")

    def _build_shares(self, axes):
        self.bars, self.words = {}, {}
        for row, name in enumerate(self.marks):
            shade, marker = method(name)
            one = axes.barh(row, 0, height=0.34, color=shade, edgecolor=shade)[0]
            two = axes.barh(row, 0, height=0.34, color="white", edgecolor=shade, hatch="////")[0]
            self.bars[name] = one, two
            axes.plot(
                -1.12,
                row - 0.34,
                marker,
                color=shade,
                clip_on=False,
                markersize=8,
                markerfacecolor="none" if name == "joint training" else shade,
                markeredgewidth=2,
            )
            self.words[name] = axes.text(-1.0, row - 0.34, "", va="center")
            axes.vlines(0, row - 0.22, row + 0.22, color="#555555", linewidth=1)
        axes.spines["left"].set_visible(False)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1])
        axes.set(
            xlim=(-1, 1), ylim=(3.45, -0.7), yticks=[], xlabel="share of the weight (full: task 1, hatched: task 2)"
        )
        axes.grid(False)
        axes.set_title("How much each method listens to each task")

    def update(self, bed):
        low, high = self.LOSS
        self.before.set_data(bed.grid, np.clip(bed.before, low, high))
        self.after.set_data(bed.grid, np.clip(bed.after, low, high))
        left = ", ".join(f"task {task} × {_short(share)}" for task, share in enumerate(bed.left, start=1))
        self.left.set_text(f"Distance left: {left}{bed.warning}")
        for name, start in bed.starts.items():
            if start.theta is None:
                self.marks[name].set_data([], [])
                self.words[name].set_text(f"{name}: {start.fate}")
            else:
                inside = np.clip(start.theta, bed.grid[0], bed.grid[-1])
                self.marks[name].set_data([inside], [np.clip(start.loss, 1.3 * low, high / 1.3)])
                self.words[name].set_text(f"{name}: θ = {start.theta:.2f}, loss {_short(start.loss)}")
            ends = {True: 0.0, False: 0.0}
            for bar, share in zip(self.bars[name], start.shares, strict=True):
                bar.set_x(ends[share > 0])
                bar.set_width(share)
                ends[share > 0] += share


def _short(value):
    """A number of any size in at most seven characters."""
    size = abs(value)
    if size < 1e-12:
        return "0"
    return f"{value:.3f}" if 1e-3 <= size < 10 else f"{value:.0f}" if 10 <= size < 1e3 else f"{value:.0e}"
