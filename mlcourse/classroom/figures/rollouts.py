"""Figures of lesson 12: estimates of a policy gradient, meta-gradients with intervals, and where a robot walks."""

import numpy as np
from matplotlib.collections import LineCollection

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_interval, styled

# learner -> colour, marker
LOOKS = {
    "random start": (COLOUR.random, "v"),
    "joint training": (COLOUR.joint, "s"),
    "MAML": (COLOUR.maml, "o"),
    "FOMAML": (COLOUR.fomaml, "D"),
    "score term dropped": (COLOUR.reptile, "P"),
    "query at θ": (COLOUR.wrong, "X"),
    "sees the goal": (COLOUR.oracle, "*"),
}


@styled
def estimates(rows, exact):
    """How estimates of one policy gradient scatter. rows: name -> estimates (M,); exact: what they are estimates of."""
    figure, axes = new_figure(height=3.3)
    edges = np.linspace(*np.quantile(np.concatenate(list(rows.values())), [0.001, 0.999]), 60)
    for (name, each), colour in zip(rows.items(), (COLOUR.truth, COLOUR.support), strict=True):
        axes.hist(each, edges, color=colour, alpha=0.55, label=f"{name}: mean {each.mean():.2f}")
    axes.axvline(exact, color=COLOUR.theta, linestyle="--", label=f"slope of the expected return: {exact:.2f}")
    axes.set(xlabel="estimate of the slope of the return", ylabel="how often")
    spreads = " → ".join(f"{each.std():.2f}" for each in rows.values())
    axes.set_title(f"Both are right in the mean; the baseline takes away noise: spread {spreads}")
    axes.legend(loc="upper right")
    return figure


@styled
def meta_gradients(rows, lines):
    """Estimates with their 95 % intervals beside closed forms.

    rows   name -> (mean, half-width); lines  name -> number, the first the exact one
    """
    figure, axes = new_figure(height=0.55 * len(rows) + 1.5)
    for place, interval in enumerate(rows.values()):
        show_interval(axes, place, *interval, COLOUR.query)
    looks = ((COLOUR.theta, "-"), (COLOUR.fomaml, "--"), (COLOUR.wrong, ":"))
    for (name, value), (colour, line) in zip(lines.items(), looks, strict=False):
        axes.axvline(value, color=colour, linestyle=line, label=f"{name}: {value:.2f}", zorder=0)
    axes.set_yticks(range(len(rows)), rows)
    axes.set(ylim=(len(rows) - 0.5, -0.7), xlabel="gradient of the return after one step, mean over goals")
    exact = next(iter(lines.values()))
    nearest = min(rows, key=lambda name: abs(rows[name][0] - exact))
    axes.set_title(f"Nearest to the exact {exact:.2f}: {nearest}, {rows[nearest][0]:.2f}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines))
    return figure


def _half_circle(axes, radius):
    angle = np.linspace(0, np.pi, 60)
    axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=COLOUR.truth, linestyle=":", linewidth=1.5)
    axes.plot(0, 0, "o", color=COLOUR.theta, markersize=5)
    axes.set(xlim=(-1.75, 1.75), ylim=(-1.1, 1.75), aspect="equal")


def _paths(rollouts):
    """The positions (K, horizon, 2) of one task's rollouts as lines."""
    return list(np.asarray(rollouts.states)[..., :2])


@styled
def by_advantage(rollouts, advantages, goal):
    """One task's rollouts, coloured by the first step's advantage (K,)."""
    figure, axes = new_figure(width=6.2, height=4.0)
    _half_circle(axes, float(np.linalg.norm(goal)))
    scale = np.max(np.abs(advantages))
    lines = LineCollection(_paths(rollouts), cmap="RdBu", linewidths=1.6, clim=(-scale, scale))
    lines.set_array(advantages)
    axes.add_collection(lines)
    axes.plot(*goal, "*", color=COLOUR.query, markeredgecolor="black", markersize=18, zorder=5)
    figure.colorbar(lines, ax=axes, label="advantage of the first move")
    axes.set_ylim(-1.75, 1.75)
    axes.set_title("Blue: better than the mean of these rollouts")
    return figure


@styled
def learning_curve(states):
    """Return after the step, on each training batch. states: MetaStates, whose loss is minus that return."""
    figure, axes = new_figure(height=2.9)
    returns = [-state.loss for state in states]
    axes.plot([state.iteration for state in states], returns, color=COLOUR.maml)
    axes.set(xlabel="meta-iterations", ylabel="return after one step")
    axes.set_title(f"Return after the step: {returns[0]:.1f} on the first batch, {returns[-1]:.1f} on the last")
    return figure


@styled
def returns(rows):
    """Return before and after one step by learner, a point a seed. rows: learner -> list of Reports, one a seed."""
    figure, axes = new_figure(height=0.62 * len(rows) + 1.4)
    for place, (name, reports) in enumerate(rows.items()):
        colour, marker = LOOKS[name]
        for seed, report in enumerate(reports):
            y = place + 0.2 * (seed - (len(reports) - 1) / 2)
            axes.plot(report.mean[:2], [y, y], color=colour, linewidth=1, alpha=0.5)
            for step, fill in ((0, "white"), (1, colour)):
                axes.errorbar(
                    report.mean[step], y, xerr=report.half_width[step], color=colour, marker=marker,
                    markerfacecolor=fill, markersize=6, capsize=2, elinewidth=1,
                )  # fmt: skip
    axes.plot([], [], "o", color=COLOUR.truth, markerfacecolor="white", label="before the step")
    axes.plot([], [], "o", color=COLOUR.truth, label="after it")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="return on new goals; a line is one seed, bars are 95 % intervals")
    axes.legend(loc="lower left", ncols=1)
    after = [f"{name} {np.mean([report.mean[1] for report in reports]):.1f}" for name, reports in rows.items()]
    axes.set_title(f"After one step, mean of the seeds: {after[0]}, {after[-1]}")
    return figure


class Trajectories(Drawing):
    """The panel "trajectories": rollouts at theta, which the step is taken on, and new ones at theta'."""

    def build(self, numbers):
        figure, both = new_figure(1, 2, height=4.2)
        titles = ("θ: the support rollouts", "θ′: new rollouts, after one step")
        self.lines, self.goals, self.words = [], [], []
        for axes, colour, title in zip(both, (COLOUR.support, COLOUR.theta_prime), titles, strict=True):
            _half_circle(axes, 1.0)
            axes.set_title(title)
            self.lines.append(axes.add_collection(LineCollection([], colors=colour, linewidths=1.2, alpha=0.7)))
            self.goals += axes.plot([], [], "*", color=COLOUR.query, markeredgecolor="black", markersize=18, zorder=5)
            self.words.append(axes.text(-1.68, -0.98, ""))
        self.moving = [*self.lines, *self.goals, *self.words]
        return figure

    def update(self, numbers):
        for i, rollouts in enumerate((numbers.support, numbers.query)):
            self.lines[i].set_segments(_paths(rollouts))
            self.goals[i].set_data([numbers.goal[0]], [numbers.goal[1]])
            self.words[i].set_text(f"mean return {rollouts.returns:.1f}")
