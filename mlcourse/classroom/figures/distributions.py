"""Lesson 1: tasks, families of tasks, and three ways of learning along the dial of relatedness."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_support, styled

# learner -> how it looks, everywhere in the lesson and in the panel
LEARNERS = {
    "alone": {"color": COLOUR.support, "linestyle": "--", "marker": "v"},
    "shared": {"color": COLOUR.joint, "linestyle": "-.", "marker": "s"},
    "meta-learner": {"color": COLOUR.maml, "linestyle": "-", "marker": "o"},
    "oracle": {"color": COLOUR.oracle, "linestyle": ":", "marker": "d"},
}
HATCH = {"alone": "//", "shared": "..", "meta-learner": "", "oracle": "xx"}
TASK_STYLES = [("-", "o"), ("--", "s"), ("-.", "^"), (":", "d")]


def _line(name, marker=False):
    """Line options of a learner, with its marker where points are shown."""
    look = dict(LEARNERS[name])
    if not marker:
        del look["marker"]
    return look


@styled
def two_dice(episode):
    """Lines tasks: all slopes on the left, the lines and points of the first three tasks on the right.

    episode  of Lines, at least three tasks
    """
    figure, (left, right) = new_figure(1, 2, height=3.4, width_ratios=[1, 1.35])
    slopes = episode.tasks["slope"]
    x = np.array([-1.0, 1.0])
    left.hist(slopes, bins=25, color=COLOUR.shade, edgecolor=COLOUR.truth)
    for task, (line, marker) in enumerate(TASK_STYLES[:3]):
        left.axvline(slopes[task], ls=line, color=COLOUR.truth)
        left.plot([slopes[task]], [0], marker, color=COLOUR.support, clip_on=False, zorder=5)
        right.plot(x, slopes[task] * x, line, color=COLOUR.truth)
        points = episode.support.x[task], episode.support.y[task]
        right.plot(*points, marker, color=COLOUR.support, label=f"task {task + 1}: z = {slopes[task]:.2f}")
    left.set(xlabel="hidden variable z: the slope", ylabel="tasks", title="First die: z, once a task")
    right.set(xlabel="x", ylabel="y", title="Second die: points, many times a task")
    right.legend(loc="upper left")
    return figure


@styled
def share_of_task(x, share, places, measured):
    """How much of the variance of y is due to the task, along x.

    x, share          (G,)  the formula
    places, measured  (n,)  what was measured
    """
    figure, axes = new_figure(height=3.0, width=7.0)
    axes.plot(x, share, color=COLOUR.support, label="formula")
    axes.plot(places, measured, "D", color=COLOUR.truth, markersize=9, markerfacecolor="none", label="measured")
    axes.set(xlabel="x", ylabel="share due to the task", ylim=(-0.03, 1.03))
    axes.set_title("A point far from 0 tells about the task, a point at 0 tells nothing")
    axes.legend(loc="lower right")
    return figure


@styled
def families(episodes, glyphs):
    """Some tasks of several regression families, one axes a family, and two glyph tasks.

    episodes  title -> Episode without noise, at least four tasks, whose many query points trace each curve
    glyphs    Episode of `Glyphs`, at least two tasks; each is shown as a sheet, one class a row
    """
    figure, (*many, last) = new_figure(1, len(episodes) + 1, height=3.2, width_ratios=[1] * len(episodes) + [1.95])
    figure.suptitle("One family, many tasks: z changes, the kind of task stays", x=0.01, ha="left", fontsize=12)
    for axes, (name, episode) in zip(many, episodes.items(), strict=True):
        for task, (line, _) in enumerate(TASK_STYLES):
            order = np.argsort(episode.query.x[task].ravel())
            x, y = episode.query.x[task].ravel()[order], episode.query.y[task].ravel()[order]
            axes.plot(x, y, line, color=COLOUR.support if task == 0 else COLOUR.truth, lw=2.5 if task == 0 else 1.5)
        axes.plot(episode.support.x[0], episode.support.y[0], "o", color=COLOUR.support)
        axes.set(title=name, xlabel="x")
    many[0].set_ylabel("y")
    sheets = [_sheet(glyphs.support.x[task], glyphs.support.y[task]) for task in range(2)]
    gap = np.ones((len(sheets[0]), len(sheets[0][0]) // 4))
    last.imshow(1 - np.hstack([sheets[0], 1 - gap, sheets[1]]), cmap="gray", vmin=0, vmax=1)
    ways = int(np.max(glyphs.support.y)) + 1
    last.set_yticks([len(gap) / ways * (way + 0.5) for way in range(ways)], range(ways))
    wide, apart = len(sheets[0][0]), len(gap[0])
    last.set_xticks([wide / 2, 1.5 * wide + apart], ["task 1", "task 2"])
    last.tick_params(axis="x", length=0)
    last.set(title="Glyphs: two tasks", ylabel="label y", xlabel="images x")
    last.grid(False)
    last.spines[:].set_visible(False)
    return figure


def _sheet(x, y, frame=2):
    """Images x (N K, side * side) with labels y as one picture, a row of images for each label."""
    side = int(np.sqrt(np.shape(x)[-1]))
    images = np.pad(np.reshape(x, (-1, side, side)), ((0, 0), (frame, frame), (frame, frame)))
    return np.vstack([np.hstack(list(images[y == label])) for label in np.unique(y)])


@styled
def average_of_tasks(x, curves, average, shared):
    """Many tasks' curves, their average over p(T), and what a shared network learned.

    x (G,); curves (T, G); average (G,); shared (G,)
    """
    figure, axes = new_figure(height=3.3)
    axes.plot(x, curves.T, color=COLOUR.truth, lw=0.7, alpha=0.6)
    axes.plot([], [], color=COLOUR.truth, lw=0.7, label="tasks")
    axes.plot(x, average, color=COLOUR.oracle, ls=":", lw=3, label="average over p(T)", zorder=4)
    axes.plot(x, shared, color=COLOUR.joint, ls="-.", label="shared network", zorder=3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set(xlabel="x", ylabel="y", title="The best single answer is the average of all tasks")
    return figure


@styled
def learners_on_a_task(x, truth, support, predictions, here, losses):
    """Predictions of each learner on one task beside its loss over all held-out tasks.

    x (G,); truth (G,); support  Data of that task; predictions  name -> (G,); here  name -> its loss on that task
    losses  name -> (mean, half_width)
    """
    figure, (left, right) = new_figure(1, 2, height=3.8, width_ratios=[1.5, 1])
    left.plot(x, truth, color=COLOUR.truth, lw=5, alpha=0.45, label="the task")
    for name, y in predictions.items():
        left.plot(x, y, **_line(name), label=f"{name}: {here[name]:.1f}")
    show_support(left, support, label="five points")
    span = 1.8 * np.max(np.abs(truth))
    left.set(xlabel="x", ylabel="y", title="One unseen task: four answers and their losses", ylim=(-span, span))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=6, columnspacing=1.0)
    _bars(right, losses)
    right.set_title("Mean loss, held-out tasks")
    return figure


def _bars(axes, losses):
    """One bar a learner, with its 95 % interval and its number."""
    names = list(losses)
    for place, name in enumerate(names):
        mean, half = losses[name]
        colour = LEARNERS[name]["color"]
        axes.bar(place, mean, color=colour, alpha=0.75, hatch=HATCH[name], edgecolor="white")
        axes.errorbar(place, mean, half, color="#333333", capsize=4, lw=1.5)
        axes.annotate(f"{mean:.1f}", (place, mean + half), (0, 3), textcoords="offset points", ha="center")
    axes.set_xticks(range(len(names)), [name.replace("-", "-\n") for name in names])
    axes.set(ylabel="mean squared error", ylim=(0, 1.12 * max(sum(loss) for loss in losses.values())))
    axes.grid(axis="x", visible=False)


@styled
def dial(snapshots, spreads, reports):
    """Three settings of the dial above, the loss of each learner along it below.

    snapshots  (letter, word, spread) -> slopes (T,)
    spreads    (n,)  where the losses were measured
    reports    name -> (mean (n,), half_width (n,))
    """
    figure, grid = new_figure(2, 3, height=6.2, height_ratios=[1, 1.7])
    below = grid[1, 0].get_gridspec()
    for axes in grid[1]:
        axes.remove()
    losses = figure.add_subplot(below[1, :])
    x = np.array([-1.0, 1.0])
    top = 2.1 * np.max(reports["alone"][0])
    for axes, ((letter, word, spread), slopes) in zip(grid[0], snapshots.items(), strict=True):
        axes.plot(x, slopes * x[:, None], color=COLOUR.truth, lw=1)
        axes.plot(x, np.mean(slopes) * x, **_line("shared"))
        axes.set(title=f"{letter}  {word}: τ = {spread:g}", xlabel="x", ylim=(-5, 5))
        losses.axvline(spread, color=COLOUR.truth, ls=":", lw=1)
        losses.text(spread, top, letter, ha="center", va="bottom", weight="bold")
    grid[0, 0].set_ylabel("y")
    for name, (mean, half) in reports.items():
        if name == "oracle":
            losses.plot(spreads, mean, **_line(name), label=name, zorder=2)
        else:
            losses.errorbar(spreads, mean, half, **_line(name, marker=True), capsize=3, label=name, zorder=3)
    losses.set(
        xlabel="dial: spread τ of the slopes",
        ylabel="expected loss (noise left out)",
        ylim=(0, top),
        xlim=(-0.08, np.max(spreads) * 1.02),
    )
    losses.set_title("The meta-learner follows the better of the two, and beats both in between", pad=22)
    losses.legend(loc="upper right", bbox_to_anchor=(0.97, 0.98))
    return figure


@styled
def trusts(squares, trust, learned):
    """The oracle's trust in each task's own points, beside the one trust that was learned for all.

    squares, trust  (T,)  a task: the sum of its squared inputs, and the oracle's c
    learned         number
    """
    figure, axes = new_figure(height=3.1, width=7.0)
    axes.plot(squares, trust, "o", color=COLOUR.oracle, markersize=3, alpha=0.3, label="oracle: one c a task")
    axes.axhline(learned, **_line("meta-learner"), label="meta-learner: one c for all")
    axes.set(xlabel="sum of x² over the five points of a task", ylabel="trust c", ylim=(-0.03, 1.03))
    axes.set_title("Points far from 0 deserve more trust")
    axes.legend(loc="lower right")
    return figure


@styled
def wrong_distribution(spreads, alone, matched, misplaced, trained_at):
    """Loss along the dial of a meta-learner trained at one spread, beside one trained wherever it is tested.

    spreads (n,); alone, matched, misplaced  (mean (n,), half_width (n,)); trained_at  the spread of misplaced
    """
    figure, axes = new_figure(height=3.4)
    wrong = {"color": COLOUR.wrong, "linestyle": (0, (4, 1)), "marker": "X"}
    for label, look, (mean, half) in (
        (f"meta-learner,\ntrained at τ = {trained_at:g}", wrong, misplaced),
        ("alone", _line("alone", marker=True), alone),
        ("meta-learner,\ntrained where tested", _line("meta-learner", marker=True), matched),
    ):
        axes.errorbar(spreads, mean, half, **look, capsize=3, label=label)
    axes.axvline(trained_at, color=COLOUR.truth, ls=":", lw=1.5)
    axes.text(trained_at, 1.6, " trained here", va="top", color="#555555")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set(
        xlabel="spread τ of the test tasks",
        ylabel="expected loss",
        ylim=(0, 1.6),
        title="Trust learned on related tasks does harm on unrelated ones",
    )
    return figure


class Relatedness(Drawing):
    """The panel "relatedness": tasks and one task's learners on the left, losses along the dial on the right."""

    def build(self, numbers):
        figure, (left, right) = new_figure(1, 2, height=4.3, width_ratios=[1, 1.15])
        self.x = np.array([-1.0, 1.0])
        self.lines = left.plot(self.x, np.zeros((2, len(numbers["slopes"]))), color=COLOUR.truth, lw=0.8, alpha=0.4)
        self.truth = left.plot(self.x, self.x, color=COLOUR.truth, lw=7, alpha=0.75, label="its line")[0]
        self.fits = {name: left.plot(self.x, self.x, **_line(name), label=name)[0] for name in numbers["fits"]}
        self.support = show_support(left, numbers["support"], label="its points")
        left.set(xlabel="x", ylabel="y", xlim=(-1.05, 1.05), ylim=(-6, 6), title="25 tasks (thin), one of them closely")
        right.set(
            xlabel="dial: spread τ of the slopes",
            ylabel="loss, in % of learning alone",
            xlim=(-0.1, numbers["spreads"][-1] + 0.1),
            ylim=(-6, 200),
        )
        self.title = right.set_title(numbers["regime"])
        self.curves = {name: right.plot([], [], **_line(name), clip_on=True)[0] for name in numbers["curves"]}
        self.marks = {
            name: right.plot([], [], LEARNERS[name]["marker"], color=LEARNERS[name]["color"], ms=9)[0]
            for name in numbers["curves"]
        }
        self.here = right.axvline(0, color=COLOUR.truth, ls=":", lw=1.5)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6)
        self.moving = [*self.lines, self.truth, *self.fits.values(), self.support, self.here, self.title]
        self.moving += [*self.curves.values(), *self.marks.values()]
        return figure

    def update(self, numbers):
        for line, slope in zip(self.lines, numbers["slopes"], strict=True):
            line.set_ydata(slope * self.x)
        self.truth.set_ydata(numbers["slopes"][0] * self.x)
        for name, slope in numbers["fits"].items():
            self.fits[name].set_ydata(slope * self.x)
        self.support.set_data(numbers["support"].x.ravel(), numbers["support"].y.ravel())
        self.here.set_xdata([numbers["tau"]] * 2)
        for name, curve in numbers["curves"].items():
            self.curves[name].set_data(numbers["spreads"], 100 * curve)
            self.marks[name].set_data([numbers["tau"]], [100 * numbers["shares"][name]])
        self.title.set_text(f"c = {100 * numbers['trust']:.0f} %: {numbers['regime']}")
