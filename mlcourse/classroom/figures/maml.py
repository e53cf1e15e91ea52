"""Figures of lesson 6: learning curves, the comparison on held-out tasks, waves after 0, 1 and 10 steps."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_support, styled

LOOKS = {
    "random start": (COLOUR.random, ":", "v"),
    "joint training": (COLOUR.joint, "-.", "s"),
    "MAML": (COLOUR.maml, "-", "o"),
    "oracle": (COLOUR.oracle, "--", "*"),
}


@styled
def learning_curve(states, reports, goal):
    """Held-out loss before and after one inner step while meta-training goes on.

    states   MetaStates, whose loss is that of one training batch after the step
    reports  their Reports on held-out tasks, after 0 and 1 steps
    goal     the loss that joint training ends with, no step taken
    """
    figure, axes = new_figure(height=3.9)
    iterations = [state.iteration for state in states]
    rows = [(0, "before the inner step", COLOUR.theta, "--", "o"), (1, "after one step", COLOUR.theta_prime, "-", "D")]
    for step, label, colour, line, marker in rows:
        mean = np.array([report.mean[step] for report in reports])
        half = np.array([report.half_width[step] for report in reports])
        axes.plot(iterations, mean, color=colour, linestyle=line, marker=marker, markersize=5, label=label)
        axes.fill_between(iterations, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)
    batches = [state.loss for state in states]
    axes.plot(iterations, batches, "s", color=COLOUR.maml, fillstyle="none", label="training batch, after one step")
    axes.axhline(goal, color=COLOUR.joint, linestyle="-.", label="joint training, no step")
    axes.set(xlabel="meta-iterations", ylabel="mean squared error", ylim=(0, 5), xlim=(0, iterations[-1] * 1.02))
    words = [f"{reports[0].mean[step]:.1f} → {reports[-1].mean[step]:.1f}" for step in (0, 1)]
    axes.set_title(f"New tasks: before the inner step {words[0]}, after it {words[1]}")
    axes.legend(loc="upper right", ncols=2)
    return figure


@styled
def starts_by_steps(reports):
    """Held-out loss against inner steps, a line a start, with 95 % intervals. reports: name -> Report."""
    figure, axes = new_figure(height=3.9)
    steps = np.arange(len(reports["MAML"].mean))
    for name, report in reports.items():
        colour, line, marker = LOOKS[name]
        if len(report.mean) == 1:
            axes.axhline(report.mean[0], color=colour, linestyle=line, label=f"{name}, told the family")
            continue
        axes.plot(steps, report.mean, color=colour, linestyle=line, marker=marker, label=name)
        low, high = report.mean - report.half_width, report.mean + report.half_width
        axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    once, often = reports["MAML"].mean[1], reports["joint training"].mean[-1]
    axes.set(xlabel="inner steps on a new task", ylabel="mean squared error", ylim=(0, 6))
    axes.set_title(f"{once:.2f} after one step from MAML's start, {often:.2f} after {steps[-1]} from joint training's")
    axes.legend(loc="upper right", ncols=2)
    return figure


def _curves(axes, x, truth, curves, support):
    axes.plot(x, truth, color=COLOUR.truth, linewidth=5, alpha=0.5, label="the wave")
    looks = {0: (":", COLOUR.theta), 1: ("--", COLOUR.theta_prime), 10: ("-", COLOUR.maml)}
    for steps, curve in curves.items():
        line, colour = looks[steps]
        axes.plot(x, curve, linestyle=line, color=colour, label=f"{steps} step{'s' * (steps != 1)}")
    show_support(axes, support)


@styled
def half_a_wave(x, truth, rows):
    """A wave seen on its left half only, after 0, 1 and 10 steps. rows: title -> (support, {steps: curve (N, 1)})."""
    figure, all_axes = new_figure(1, len(rows), height=3.5, sharey=True)
    for axes, (title, (support, curves)) in zip(all_axes, rows.items(), strict=True):
        _curves(axes, x, truth, curves, support)
        axes.axvspan(0, x[-1, 0], color=COLOUR.shade, zorder=0)
        unseen = x[:, 0] > 0
        error = np.mean((curves[max(curves)][unseen] - truth[unseen]) ** 2)
        axes.set(title=f"{title}: {error:.1f}", xlabel="x", ylim=(-6, 6))
    figure.legend(*all_axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


@styled
def train_and_new(rows):
    """Loss after one step on a learner's own training tasks and on new ones. rows: learner -> {tested on: Report}."""
    figure, axes = new_figure(height=3.4)
    looks = iter([(COLOUR.support, "//"), (COLOUR.query, "")])
    looks = {on: next(looks) for on in next(iter(rows.values()))}
    for place, reports in enumerate(rows.values()):
        for bar, (on, report) in enumerate(reports.items()):
            colour, hatch = looks[on]
            axes.bar(
                place + 0.4 * (bar - (len(reports) - 1) / 2), report.mean[1], 0.38, yerr=report.half_width[1],
                color=colour, hatch=hatch, capsize=4, label="" if place else on,
            )  # fmt: skip
    axes.set_xticks(range(len(rows)), rows)
    axes.set(ylabel="mean squared error after one step")
    learner, reports = next(iter(rows.items()))
    words = " and ".join(f"{report.mean[1]:.1f} on {on}" for on, report in reports.items())
    axes.set_title(f"{learner[0].upper()}{learner[1:]}: {words}")
    axes.legend(title="tested on")
    return figure


class Adaptation(Drawing):
    """The panel "adaptation": the same support set from two starts, as curves and as loss over inner steps."""

    def build(self, numbers):
        figure, (waves, losses) = new_figure(1, 2, height=4.5)
        x = numbers.x[:, 0]
        (self.truth,) = waves.plot(x, numbers.truth, color=COLOUR.truth, linewidth=5, alpha=0.5, label="the wave")
        (self.start,) = waves.plot([], [], ":", color=COLOUR.theta, label="MAML, θ")
        (self.maml,) = waves.plot([], [], color=COLOUR.maml, label="MAML, θ′")
        (self.joint,) = waves.plot([], [], "-.", color=COLOUR.joint, label="joint, θ′")
        self.support = show_support(waves, numbers.support)
        waves.set(xlim=(x[0], x[-1]), ylim=(-6.5, 6.5), xlabel="x", ylabel="y", title="One new wave")
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.15), "columnspacing": 1.0, "handletextpad": 0.4}
        waves.legend(ncols=3, **below)
        steps = np.arange(len(numbers.losses["MAML"]))
        (self.maml_loss,) = losses.plot(steps, steps, "o-", color=COLOUR.maml, markersize=5, label="MAML")
        (self.joint_loss,) = losses.plot(steps, steps, "s-.", color=COLOUR.joint, markersize=5, label="joint training")
        (self.now,) = losses.plot([], [], "o", color=COLOUR.maml, markersize=12, fillstyle="none", markeredgewidth=2)
        self.step = losses.axvline(0, color=COLOUR.truth, linewidth=1)
        losses.set(xlim=(-0.3, steps[-1] + 0.3), ylim=(0, 8), xlabel="inner steps", ylabel="error on the whole wave")
        losses.set_title("Loss over inner steps")
        losses.legend(ncols=2, **below)
        self.moving = [self.truth, self.start, self.joint, self.maml, self.support]
        self.moving += [self.step, self.joint_loss, self.maml_loss, self.now]
        return figure

    def update(self, numbers):
        self.truth.set_ydata(numbers.truth)
        self.start.set_data(numbers.x[:, 0], numbers.curves["MAML"][0])
        self.maml.set_data(numbers.x[:, 0], numbers.curves["MAML"][numbers.steps])
        self.joint.set_data(numbers.x[:, 0], numbers.curves["joint training"][numbers.steps])
        self.support.set_data(numbers.support.x.ravel(), numbers.support.y.ravel())
        self.maml_loss.set_ydata(numbers.losses["MAML"])
        self.joint_loss.set_ydata(numbers.losses["joint training"])
        self.now.set_data([numbers.steps], [numbers.losses["MAML"][numbers.steps]])
        self.step.set_xdata([numbers.steps] * 2)
