"""Lesson 3: one step, many steps, the edge of stability, and the map of loss over alpha and m."""

import numpy as np
from contourpy import contour_generator
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_query, show_support, styled

# For labels that lie on lines: readable where they cross.
HALO = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}


@styled
def one_step(support, slopes, losses, steps, heights):
    """One inner step of theta x on one task, seen as two lines and on the support loss.

    slopes, losses (N,)  the curve L_s;  steps, heights (2,)  theta and theta', and L_s there
    """
    theta, theta_prime = steps
    figure, (left, right) = new_figure(1, 2, height=3.7)
    x = np.array([-1.8, 1.8])
    show_support(left, support)
    left.plot(x, theta * x, ":", color=COLOUR.theta, label=f"θ = {theta:.2f}")
    left.plot(x, theta_prime * x, color=COLOUR.theta_prime, label=f"θ′ = {theta_prime:.2f}")
    left.set(xlabel="x", ylabel="y", title="As functions: the line turns")
    left.legend(loc="upper left")

    right.plot(slopes, losses, color=COLOUR.support, label="support loss $L_s$")
    right.plot(theta, heights[0], "o", color=COLOUR.theta, zorder=5, label="θ")
    right.plot(theta_prime, heights[1], "D", color=COLOUR.theta_prime, zorder=5, label="θ′")
    arrow = {"arrowstyle": "-|>", "color": COLOUR.theta_prime, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    right.annotate("", (theta_prime, heights[0]), (theta, heights[0]), arrowprops=arrow)
    right.plot([theta_prime] * 2, heights, ":", color=COLOUR.theta_prime)
    right.text((theta + theta_prime) / 2, heights[0] * 1.06, "−α∇$L_s$(θ)", ha="center", bbox=HALO)
    right.set(xlabel="parameter θ", ylim=(0, None), title="As a parameter: it moves downhill")
    right.legend(loc="upper center", bbox_to_anchor=(0.55, 1.0))
    return figure


@styled
def many_steps(thetas, slope, kept):
    """theta_0 … theta_m of one task, and how far each is from the slope, on a logarithmic scale.

    thetas (m + 1,); kept  the share of the distance that one step keeps
    """
    figure, (left, right) = new_figure(1, 2, height=3.5)
    steps = np.arange(len(thetas))
    left.axhline(slope, color=COLOUR.truth, linestyle="--", label="the task's slope a")
    left.plot(steps, thetas, "-o", color=COLOUR.theta_prime, label="$θ_i$", markersize=5)
    left.plot(0, thetas[0], "o", color=COLOUR.theta, label="$θ_0$ = θ", zorder=5)
    left.plot(steps[-1], thetas[-1], "D", color=COLOUR.theta_prime, zorder=5, label=f"$θ_{{{steps[-1]}}}$ = θ′")
    left.set(xlabel="inner step i", ylabel="$θ_i$", title="Each step is shorter than the one before")
    left.legend(loc="lower right")

    right.semilogy(steps, np.abs(thetas - slope), "o", color=COLOUR.theta_prime, label="measured |$θ_i$ − a|")
    right.semilogy(
        steps,
        np.abs(thetas[0] - slope) * kept**steps,
        "--",
        color="#555555",
        linewidth=1.5,
        label="(1 − c)$^i$ |θ − a|",
    )
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2]
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    right.set(xlabel="inner step i", ylabel="distance to a (logarithmic)")
    right.set_title(f"The distance is multiplied by {kept:.2f} each time")
    right.legend(loc="upper right")
    return figure


@styled
def stability(alphas, measured, formula, largest, paths):
    """The share of the distance that one step keeps against alpha, and sample paths, one a regime.

    alphas, measured, formula (N,); largest  the largest stable alpha; paths  alpha -> distances theta_i - a (m + 1,)
    """
    figure, (left, right) = new_figure(1, 2, height=3.9, width=9.0)
    left.axvspan(largest, alphas[-1] * 1.04, color=COLOUR.wrong, alpha=0.1, linewidth=0)
    left.axhline(1, color="#555555", linewidth=1)
    left.plot(alphas, formula, color="#555555", linewidth=1.5, label="|1 − c|")
    left.plot(alphas, measured, "o", color=COLOUR.theta_prime, markersize=5, label="measured")
    left.text(largest + 0.01, 0.06, "diverges", color=COLOUR.wrong)
    left.text(largest / 4, 0.06, "creeps", ha="center")
    left.text(largest * 3 / 4, 0.06, "overshoots", ha="center")
    left.set(xlabel="inner step size α", ylabel="share of the distance kept a step", ylim=(0, None))
    left.set(xlim=(0, alphas[-1] * 1.04), title=f"Above α = {largest:.2f} each step makes it worse")
    left.legend(loc="upper center")

    styles = [("-", "o", COLOUR.theta_prime), ("--", "s", COLOUR.support), (":", "^", COLOUR.wrong)]
    right.axhline(0, color=COLOUR.truth, linestyle="--", linewidth=1.5)
    for (alpha, distances), (style, marker, colour) in zip(paths.items(), styles, strict=True):
        right.plot(distances, style, marker=marker, color=colour, markersize=5, label=f"α = {alpha:g}")
    right.set(xlabel="inner step i", ylabel="$θ_i$ − a", title="Creeping, overshooting, diverging")
    right.legend(loc="upper left")
    return figure


@styled
def many_tasks(limits, alpha):
    """The largest stable alpha of each of many support sets, and one alpha for all: those to its left diverge.

    limits (T,)
    """
    figure, axes = new_figure(height=3.1)
    edges = np.geomspace(1, 20, 40)
    axes.hist(np.clip(limits, 1, 20), edges, color=COLOUR.support, alpha=0.75, label="support sets of five points")
    axes.axvspan(1, alpha, color=COLOUR.wrong, alpha=0.13, linewidth=0)
    axes.axvline(alpha, color=COLOUR.wrong, linestyle="--", label=f"α = {alpha:g}, the same for all tasks")
    axes.set_xscale("log")
    axes.set_xticks([1, 2, 3, 5, 10, 20], ["1", "2", "3", "5", "10", "20+"])
    axes.minorticks_off()
    axes.set(xlim=(1, 20), xlabel="largest stable α of a support set, 1 / mean(x²)", ylabel="tasks")
    axes.set_title(f"Left of the line: the {np.mean(limits < alpha):.0%} of tasks for which this α is too large")
    axes.legend(loc="upper right")
    return figure


@styled
def loss_map(alphas, steps, mean, worse, framed, frame):
    """Two maps over alpha (rows) and m (columns): mean loss, and the share of tasks that end worse than they began.

    mean, worse (A, M); their column 0 is m = 0; framed  the (alpha, m) that a frame marks; frame  what it stands for
    """
    figure, panes = new_figure(1, 2, height=5.0, sharey=True)
    start, least = mean[0, 0], mean.min()
    shades = LogNorm(least, start)
    panes[0].imshow(np.clip(mean, least, start), cmap="Blues", norm=shades, aspect="auto")
    panes[1].imshow(worse, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row in range(len(alphas)):
        for column in range(len(steps)):
            loss, share = mean[row, column], worse[row, column]
            _cell(panes[0], row, column, _loss(loss), shades(min(loss, start)) > 0.65, loss > start)
            _cell(panes[1], row, column, f"{100 * share:.0f}", share > 0.6, False)
    where = list(steps).index(framed[1]), list(alphas).index(framed[0])
    for axes in panes:
        axes.add_patch(_frame(where))
        axes.set_xticks(range(len(steps)), steps)
        axes.set_yticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
        axes.set_xlabel(f"inner steps m   (frame: {frame})")
        axes.grid(visible=False)
    panes[0].set(ylabel="inner step size α", title="Mean query loss (red: worse than no step)")
    panes[1].set_title("Tasks that end worse than they began, %")
    return figure


def _frame(where):
    column, row = where
    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, edgecolor=COLOUR.maml, linewidth=2.5)


def _loss(value):
    if value < 100:
        return f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return "✕"


def _cell(axes, row, column, words, dark, bad):
    if bad:
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=COLOUR.wrong, edgecolor="white"))
    axes.text(column, row, words, ha="center", va="center", fontsize=9.5, color="white" if dark or bad else "black")


class LossSurface(Drawing):
    """The panel "inner loop": the path of (w, b) on the support loss, and the same steps as lines.

    Surface and lines change with K, so they are moving artists too: nothing that stays is ever redrawn.
    """

    LEVELS = 9

    def build(self, numbers):
        figure, (plane, functions) = new_figure(1, 2, height=4.7)
        extent = numbers.grid[0], numbers.grid[-1]
        self.surface = LineCollection([], colors=COLOUR.support, linewidths=1.1, alpha=0.6)
        plane.add_collection(self.surface)
        (self.path,) = plane.plot([], [], "-o", color=COLOUR.theta_prime, markersize=4, linewidth=1.5)
        (self.theta,) = plane.plot([], [], "o", color=COLOUR.theta, markersize=9, zorder=6, label="θ")
        (self.theta_prime,) = plane.plot([], [], "D", color=COLOUR.theta_prime, markersize=9, zorder=7, label="θ′")
        (self.lowest,) = plane.plot([], [], "*", color=COLOUR.support, markersize=14, label="least support loss")
        (self.truth,) = plane.plot([], [], "P", color=COLOUR.truth, markersize=10, label="the task")
        self.alarm = plane.text(0.5, 0.05, "", color=COLOUR.wrong, fontsize=13, ha="center", bbox=HALO)
        self.alarm.set_transform(plane.transAxes)
        plane.set(
            xlim=extent,
            ylim=extent,
            xlabel="slope w",
            ylabel="intercept b",
            title="The support loss, and the path on it",
        )
        plane.grid(visible=False)
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "columnspacing": 1.0, "handletextpad": 0.4}
        plane.legend(ncols=4, **below)

        self.between = LineCollection([], colors=COLOUR.theta_prime, linewidths=0.9, alpha=0.45)
        functions.add_collection(self.between)
        (self.truth_line,) = functions.plot([], [], "--", color=COLOUR.truth, label="the task")
        (self.start_line,) = functions.plot([], [], ":", color=COLOUR.theta, label="θ")
        (self.end_line,) = functions.plot([], [], color=COLOUR.theta_prime, label="θ′")
        self.support = show_support(functions, numbers.support)
        self.query = show_query(functions, numbers.query, markersize=5, markeredgewidth=1.3, alpha=0.7)
        functions.set(xlim=(-1.6, 1.6), ylim=(-4.5, 4.5), xlabel="x", ylabel="y")
        functions.set_title("The same steps as functions")
        functions.legend(ncols=5, **below)

        self.moving = [self.surface, self.path, self.lowest, self.truth, self.theta, self.theta_prime, self.alarm]
        self.moving += [self.between, self.truth_line, self.query, self.start_line, self.end_line, self.support]
        return figure

    def update(self, numbers):
        heights, lowest = numbers.surface, numbers.surface.min()
        levels = lowest + (heights.max() - lowest) * np.linspace(0.03, 0.9, self.LEVELS) ** 2
        contours = contour_generator(numbers.grid, numbers.grid, heights)
        self.surface.set_segments([line for level in levels for line in contours.lines(level)])
        self.path.set_data(*numbers.thetas.T)
        for artist, point in [
            (self.theta, numbers.thetas[0]),
            (self.theta_prime, numbers.thetas[-1]),
            (self.lowest, numbers.lowest),
            (self.truth, numbers.truth),
        ]:
            artist.set_data(*point[:, None])
        self.alarm.set_text("diverges" if numbers.diverges else "")
        self.between.set_segments([np.column_stack([numbers.x, line]) for line in numbers.lines[1:-1]])
        self.truth_line.set_data(numbers.x, numbers.truth_line)
        self.start_line.set_data(numbers.x, numbers.lines[0])
        self.end_line.set_data(numbers.x, numbers.lines[-1])
        self.support.set_data(numbers.support.x.ravel(), numbers.support.y.ravel())
        self.query.set_data(numbers.query.x.ravel(), numbers.query.y.ravel())
