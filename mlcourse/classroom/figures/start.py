"""Lesson 0: one step from a trained start, and the loop that trains it."""

import numpy as np
from matplotlib.patches import FancyArrowPatch

from mlcourse.classroom.figures.style import (
    COLOUR,
    Drawing,
    new_figure,
    show_query,
    show_support,
    styled,
)

STAGES = ("sample a task", "support set", "inner step", "query loss", "outer step")
REACH, X_REACH, Y_REACH = 3.6, 2.1, 8.0
STILL = {"linestyle": "none", "zorder": 1}
ARROW = {"arrowstyle": "-|>", "mutation_scale": 16, "linewidth": 2.5, "shrinkA": 0, "shrinkB": 0}


@styled
def snap(x, views):
    """What one inner step does, a picture a view.

    x      (X, 1)  where the curves are drawn
    views  title -> (episode of one task, curves (2, X, 1) before and after the step, losses (2,) likewise)
    """
    figure, all_axes = new_figure(1, len(views), height=3.9, sharex=True, sharey=True)
    for axes, (title, (episode, (before, after), losses)) in zip(all_axes, views.items(), strict=True):
        order = np.argsort(episode.query.x[:, 0])
        axes.plot(*(part[order, 0] for part in episode.query), color=COLOUR.truth, lw=5, alpha=0.5, label="the task")
        axes.plot(x, before, color=COLOUR.theta, linestyle="--", label="θ, before the step")
        axes.plot(x, after, color=COLOUR.theta_prime, label="θ′, after one step")
        show_support(axes, episode.support, markersize=9, label="support set: 5 points")
        axes.set_title(f"{title}: loss {losses[0]:.1f} → {losses[1]:.1f}")
        axes.set_xlabel("x")
    all_axes[0].set_ylabel("y")
    figure.legend(*all_axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@styled
def walk(thetas, optima, reports):
    """Where outer steps carry theta, and what one inner step from there is worth.

    thetas   (N + 1, 2)  slope and intercept after 0 … N outer steps
    optima   (T, 2)      the best slope and intercept of other tasks
    reports  N + 1 Reports of one inner step on held-out tasks
    """
    figure, (plane, losses) = new_figure(1, 2, height=3.9, width_ratios=[1, 1.25])
    thetas = np.asarray(thetas)
    _plane(plane, optima, label="optima of 200 tasks")
    plane.plot(*thetas.T, "o-", color=COLOUR.theta, markersize=5, lw=1.5, label="θ after each outer step")
    plane.plot(*thetas[0], "o", color=COLOUR.theta, markerfacecolor="white", markersize=9, label="where θ began")
    first, last = np.linalg.norm(thetas[[0, -1]] - optima.mean(axis=0), axis=1)
    moved = "moves in among" if last < first else "moves away from"
    plane.set_title(f"θ {moved} the optima")
    plane.legend(loc="upper left", fontsize=9, framealpha=0.9, frameon=True)

    means = np.array([report.mean[:2] for report in reports]).T
    bands = np.array([report.half_width[:2] for report in reports]).T
    steps = np.arange(len(reports))
    looks = (
        ("before the inner step", COLOUR.theta, "o--"),
        ("after one inner step", COLOUR.theta_prime, "D-"),
    )
    for mean, band, (label, colour, style) in zip(means, bands, looks, strict=True):
        losses.fill_between(steps, mean - band, mean + band, color=colour, alpha=0.15, lw=0)
        losses.plot(steps, mean, style, color=colour, markersize=5, label=label)
    losses.set(xlabel="outer steps", ylabel="query loss, held-out tasks", ylim=(0, None))
    losses.set_title(f"Loss after one inner step: {means[1, 0]:.1f} → {means[1, -1]:.1f}")
    losses.legend(loc="upper right")
    return figure


def _plane(axes, optima, **options):
    """Parameter space of y = w x + b with the optima of many tasks as faint dots."""
    axes.plot(*optima.T, "o", color=COLOUR.truth, markersize=3, alpha=0.45, **STILL | options)
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel="slope w", ylabel="intercept b", aspect="equal")


class TimeLine(Drawing):
    """The loop at one moment: parameter space on the left, the same parameters as lines on the right.

    numbers has `turn` and `turns`, `testing`, `stage` (0 before the first, then 1 … 5 as STAGES), `optima` (T, 2),
    `trail` (I, 2), `theta`, `theta_prime`, `theta_next`, `optimum` (2,), `episode`, `x` (2, 1), and `lines`:
    name -> (2, 1) outputs at x for before (the outer step), theta, theta_prime and optimum; and `at_query` (Q, 1),
    the outputs of theta_prime on the query set.
    """

    def build(self, numbers):
        figure, axes = new_figure(2, 2, height=4.7, height_ratios=[0.14, 1], width_ratios=[1, 1.12])
        strip = axes[0, 0].get_gridspec()
        for unused in axes[0]:
            unused.remove()
        self._build_strip(figure.add_subplot(strip[0, :]))
        self._build_pair(*axes[1], numbers)
        self.moving = [self.heading, *self.boxes, *self.seen]
        return figure

    def _build_pair(self, plane, lines, numbers):
        """The two pictures, and the key below them."""
        self._build_plane(plane, numbers)
        self._build_lines(lines, numbers)
        plane.figure.legend(handles=self._keys(lines), loc="outside lower center", ncols=6, columnspacing=1.3)
        # in drawing order, each with the stages at which it is seen
        self.seen = {
            self.trail: (0, 1, 2, 3, 4, 5),
            self.curves["before"]: (5,),
            self.curves["optimum"]: (1, 2, 3, 4, 5),
            self.curves["theta"]: (0, 1, 2, 3, 4, 5),
            self.curves["theta_prime"]: (3, 4),
            self.star: (1, 2, 3, 4, 5),
            self.inner: (3, 4),
            self.ghost: (5,),
            self.dot: (0, 1, 2, 3, 4, 5),
            self.diamond: (3, 4),
            self.outer: (5,),
            self.misses: (4,),
            self.query: (4,),
            self.support: (2, 3, 4, 5),
        }

    def _build_strip(self, axes):
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.axis("off")
        self.heading = axes.text(0, 0.5, "", va="center", fontsize=11, fontweight="bold")
        centres = np.linspace(0.28, 0.93, len(STAGES))
        self.boxes = [
            axes.text(centre, 0.5, f"{stage} {words}", va="center", ha="center", fontsize=10, bbox={"pad": 5})
            for stage, (centre, words) in enumerate(zip(centres, STAGES, strict=True), start=1)
        ]

    def _build_plane(self, axes, numbers):
        _plane(axes, numbers.optima)
        axes.set_title("Parameter space: a point is a line")
        (self.trail,) = axes.plot([], [], ".-", color=COLOUR.theta, lw=1, markersize=5, alpha=0.5)
        (self.star,) = axes.plot([], [], "*", color=COLOUR.truth, markersize=17, markeredgecolor="#404040")
        (self.ghost,) = axes.plot([], [], "o", color=COLOUR.theta, markersize=7, markerfacecolor="white")
        (self.dot,) = axes.plot([], [], "o", color=COLOUR.theta, markersize=9)
        (self.diamond,) = axes.plot([], [], "D", color=COLOUR.theta_prime, markersize=9)
        self.inner = axes.add_patch(FancyArrowPatch((0, 0), (1, 1), color=COLOUR.theta_prime, **ARROW))
        self.outer = axes.add_patch(FancyArrowPatch((0, 0), (1, 1), color=COLOUR.maml, zorder=6, **ARROW))

    def _build_lines(self, axes, numbers):
        axes.set(xlim=(-X_REACH, X_REACH), ylim=(-Y_REACH, Y_REACH), xlabel="x", ylabel="y")
        axes.set_title("Function space: the same, drawn as lines")
        looks = {
            "before": {"color": COLOUR.theta, "linestyle": "--", "alpha": 0.3},
            "optimum": {"color": COLOUR.truth, "linestyle": ":", "lw": 3},
            "theta": {"color": COLOUR.theta, "linestyle": "--"},
            "theta_prime": {"color": COLOUR.theta_prime},
        }
        self.curves = {name: axes.plot(numbers.x[:, 0], [0, 0], **look)[0] for name, look in looks.items()}
        (self.misses,) = axes.plot([], [], color=COLOUR.query, lw=1.5)
        self.query = show_query(axes, numbers.episode.query)
        self.support = show_support(axes, numbers.episode.support, markersize=9)

    def _keys(self, axes):
        """One key for both pictures: marker as on the left, line as on the right."""

        def key(label, marker, **look):
            return axes.plot([], [], marker=marker, label=label, **look)[0]

        return [
            key("θ", "o", color=COLOUR.theta, linestyle="--"),
            key("θ′", "D", color=COLOUR.theta_prime),
            key("θ*(T), the task's best", "*", color=COLOUR.truth, linestyle=":", markersize=12),
            key("support", "o", color=COLOUR.support, linestyle="none"),
            key("query", "s", color=COLOUR.query, linestyle="none", markerfacecolor="none", markeredgewidth=2),
            key("outer step", r"$\rightarrow$", color=COLOUR.maml, linestyle="none", markersize=14),
        ]

    def update(self, numbers):
        self._update_strip(numbers)
        self._update_pair(numbers)

    def _update_pair(self, numbers):
        for artist, stages in self.seen.items():
            artist.set_visible(numbers.stage in stages)
        self.trail.set_data(*numbers.trail.T)
        self.ghost.set_data(*numbers.theta[:, None])
        self.dot.set_data(*(numbers.theta_next if numbers.stage == 5 else numbers.theta)[:, None])
        self.star.set_data(*numbers.optimum[:, None])
        self.diamond.set_data(*numbers.theta_prime[:, None])
        self.inner.set_positions(numbers.theta, numbers.theta_prime)
        self.outer.set_positions(numbers.theta, numbers.theta_next)
        for name, curve in self.curves.items():
            curve.set_ydata(numbers.lines[name][:, 0])
        self.support.set_data(*(part[:, 0] for part in numbers.episode.support))
        self.query.set_data(*(part[:, 0] for part in numbers.episode.query))
        self.misses.set_data(*_gaps(numbers.episode.query, numbers.at_query))

    def _update_strip(self, numbers):
        training = f"Meta-iteration {numbers.turn}/{numbers.turns}" if numbers.stage else "The start"
        self.heading.set_text("Meta-test" if numbers.testing else training)
        for stage, box in enumerate(self.boxes, start=1):
            now = stage == numbers.stage
            closed = numbers.testing and stage == 5
            box.set_text(f"{stage} {'θ is frozen' if closed else STAGES[stage - 1]}")
            box.set_color("white" if now else "#9a9a9a" if closed else "black")
            box.set_fontweight("bold" if now else "normal")
            box.set_bbox(
                {
                    "boxstyle": "round,pad=0.4",
                    "facecolor": COLOUR.support if now else "none" if closed else COLOUR.shade,
                    "edgecolor": "none",
                }
            )


class _Still(TimeLine):
    """One moment in two axes of a larger figure."""

    def __init__(self, plane, lines, numbers):
        self._build_pair(plane, lines, numbers)
        self._update_pair(numbers)

    def _keys(self, axes):
        return super()._keys(axes) if axes.get_subplotspec().is_first_col() else []


@styled
def moments_of(shown):
    """Moments of the time line side by side, for where nothing moves: t -> Moment."""
    figure, axes = new_figure(2, len(shown), height=5.0, width=9.6, sharex="row", sharey="row")
    for (plane, lines), (t, now) in zip(axes.T, shown.items(), strict=True):
        _Still(plane, lines, now)
        plane.set_title(f"t = {t}\n{'meta-test' if now.testing else STAGES[now.stage - 1]}", fontsize=11)
        plane.set_xticks([-2, 0, 2])
        lines.set_title("")
    for one in axes[:, 1:].flat:
        one.set_ylabel("")
    return figure


def _gaps(query, predictions):
    """Each query point's distance to the prediction, as one broken line."""
    x = np.repeat(query.x[:, 0], 3)
    y = np.stack([query.y[:, 0], predictions[:, 0], np.full(len(predictions), np.nan)], axis=1).ravel()
    return x, y
