"""The two kinds of figure of Finn et al. 2017, section 5.1."""

import numpy as np

from mlcourse import mean_squared_error, trajectory
from mlcourse.classroom.figures.first_order import LOOKS
from mlcourse.classroom.figures.style import COLOUR, new_figure, show_support, styled
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS
from mlcourse.tasks import Data


@styled
def loss_by_steps(rows):
    """Held-out loss by inner steps, a line a method, averaged over seeds. rows: those of one number of shots."""
    figure, axes = new_figure(width=7.0, height=4.2)
    for method in dict.fromkeys(row.method for row in rows):
        colour, line, marker = LOOKS[method]
        steps = sorted({row.steps for row in rows})
        mine = [[row for row in rows if row.method == method and row.steps == step] for step in steps]
        means, halves = (
            np.array([np.mean([getattr(r, f) for r in each if r.mean is not None] or [np.nan]) for each in mine])
            for f in ("mean", "half_width")
        )
        axes.plot(steps, means, color=colour, linestyle=line, marker=marker, label=method)
        axes.fill_between(steps, means - halves, means + halves, color=colour, alpha=0.2)
    diverged = sum(row.diverged for row in rows)
    note = f" ({diverged} divergences not drawn)" if diverged else ""
    axes.set(xlabel="inner steps on a new task", ylabel="mean squared error", ylim=(0, None))
    axes.set_title(f"{rows[0].shots} shots: loss on held-out tasks by inner steps{note}")
    axes.legend()
    return figure


@styled
def waves(thetas, shots):
    """One new wave, seen in one half of the range only, after 0, 1 and 10 inner steps: a picture a method."""
    episode = SINUSOIDS.sample(np.random.default_rng(3), (), shots, 1)
    amplitude, phase = episode.tasks["amplitude"], episode.tasks["phase"]
    x = np.linspace(-5, 5, 201)[:, None]
    seen = -np.abs(episode.support.x)
    support = Data(seen, amplitude * np.sin(seen - phase))
    figure, all_axes = new_figure(1, len(thetas), width=3.2 * len(thetas), height=3.6, sharey=True, squeeze=False)
    for axes, (method, theta) in zip(all_axes[0], thetas.items(), strict=True):
        path = trajectory(mean_squared_error(MODEL), theta, support, ALPHA, 10)
        axes.plot(x, amplitude * np.sin(x - phase), color=COLOUR.truth, lw=5, alpha=0.5, label="the wave")
        for steps, line, colour in ((0, ":", COLOUR.theta), (1, "--", COLOUR.theta_prime), (10, "-", COLOUR.maml)):
            label = f"{steps} step{'s' * (steps != 1)}"
            axes.plot(x, MODEL(path[steps], x), linestyle=line, color=colour, label=label)
        show_support(axes, support)
        axes.set(title=method, xlabel="x")
    figure.legend(*all_axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure
