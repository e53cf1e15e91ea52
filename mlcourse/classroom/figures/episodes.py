"""Lesson 2: episodes, the two splits, and what a score on the support set is worth."""

import numpy as np
from matplotlib.patches import Rectangle

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, show_query, show_support, styled

# starting point -> how it looks when its loss is drawn
STARTS = {
    "joint": {"color": COLOUR.joint, "linestyle": "-.", "marker": "s"},
    "practised with 5": {"color": COLOUR.maml, "linestyle": "-", "marker": "o"},
    "practised with 10": {"color": COLOUR.reptile, "linestyle": "--", "marker": "^"},
}
DARK_QUERY = "#A66A00"  # the query colour where it has to be read
SUPPORT = {"color": COLOUR.support, "marker": "o", "linestyle": "-"}
QUERY = {"color": COLOUR.query, "marker": "s", "linestyle": "-", "markerfacecolor": "none", "markeredgewidth": 2}


@styled
def one_episode(x, truth, episode):
    """One regression episode on its task's curve. x (G,), truth (G,); episode without a task axis."""
    figure, axes = new_figure(height=3.3)
    axes.plot(x, truth, color=COLOUR.truth, label="the task (hidden)")
    show_support(axes, episode.support, label="support: adapt on these")
    show_query(axes, episode.query, label="query: be judged on these")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set(xlabel="x", ylabel="y", title="An episode: one task, two sets of its points")
    return figure


@styled
def memoriser(x, truth, episode, copied, losses):
    """What a memoriser says on one task, beside its mean loss on both sets of many tasks.

    x, truth, copied  (G,)  inputs, the task's curve and the memoriser's answers
    episode           of that task, without a task axis
    losses            name -> (mean, half_width) for "support" and "query"
    """
    figure, (left, right) = new_figure(1, 2, height=3.5, width_ratios=[2.2, 1])
    left.plot(x, truth, color=COLOUR.truth, label="the task")
    left.plot(x, copied, ":", color=COLOUR.wrong, label="memoriser")
    show_support(left, episode.support)
    show_query(left, episode.query)
    left.set(xlabel="x", ylabel="y", title="It is right at every support point, and learns no curve")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
    colours = {"support": COLOUR.support, "query": COLOUR.query}
    for place, (name, (mean, half)) in enumerate(losses.items()):
        right.bar(place, mean, color=colours[name], width=0.6, hatch="" if name == "support" else "//", edgecolor="w")
        right.errorbar(place, mean, half, color="#333333", capsize=4, lw=1.5)
        right.annotate(f"{mean:.1f}", (place, mean + half), (0, 3), textcoords="offset points", ha="center")
    right.set_xticks(range(len(losses)), losses)
    right.set(ylabel="mean squared error", title="Loss, all tasks", ylim=(0, 1.15 * max(map(sum, losses.values()))))
    right.grid(axis="x", visible=False)
    return figure


def _readable(colour):
    return DARK_QUERY if colour == COLOUR.query else colour


def sheet(images):
    """images (r, c, side * side), ink 1, as one grey picture (r * side, c * side, 3) of bytes on white."""
    rows, columns, side = *images.shape[:2], int(np.sqrt(images.shape[-1]))
    sheet = images.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    return np.repeat(np.uint8(255 * (1 - sheet))[..., None], 3, axis=-1)


@styled
def glyph_episodes(episode):
    """The first two tasks of a batch of Glyphs episodes; a class that is in both is boxed.

    episode  rows of a set are in the order of their labels, as `Glyphs` gives them
    """
    ways = episode.tasks["classes"].shape[-1]
    shots, queries = (data.y.shape[-1] // ways for data in (episode.support, episode.query))
    figure, axes = new_figure(1, 4, height=3.2, width_ratios=[shots, queries] * 2)
    first, second = episode.tasks["classes"][:2]
    in_both = np.intersect1d(first, second)
    sets = (("support", episode.support, COLOUR.support), ("query", episode.query, COLOUR.query))
    for place, axis in enumerate(axes):
        task, (name, data, colour) = place // 2, sets[place % 2]
        images = data.x[task].reshape(ways, -1, data.x.shape[-1])
        each = images.shape[1]
        axis.imshow(sheet(images), extent=(0, each, ways, 0))
        for label in np.flatnonzero(np.isin(episode.tasks["classes"][task], in_both)):
            box = {"fill": False, "edgecolor": COLOUR.wrong, "lw": 2.5, "ls": "--", "zorder": 5}
            axis.add_patch(Rectangle((0.06, label + 0.04), each - 0.12, 0.92, **box))
        axis.set_yticks(np.arange(ways) + 0.5, range(ways) if name == "support" else [""] * ways)
        axis.set(xticks=[], title=f"task {task + 1}" if name == "support" else "")
        axis.set_xlabel(f"{name}\n{ways} × {each} = {ways * each}", color=_readable(colour), weight="bold")
        axis.tick_params(length=0)
        axis.grid(False)
        axis.spines[:].set(visible=True, color=colour, linewidth=3, linestyle="-" if name == "support" else "--")
    axes[0].set_ylabel("label")
    if in_both.size == 1:
        labels = [np.flatnonzero(classes == in_both[0])[0] for classes in (first, second)]
        title = f"One character (boxed) is label {labels[0]} in task 1 and label {labels[1]} in task 2"
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    return figure


@styled
def two_splits(tasks=(6, 2, 2), shots=3, queries=4):
    """The split across tasks and the split inside each task, drawn. tasks  how many rows each part has."""
    figure, axes = new_figure(height=4.6)
    parts = (
        ("meta-train", "every iteration: adapt on the support set,\nmove θ by the query loss"),
        ("meta-validation", "now and then: choose α, steps, when to stop;\nno step of θ"),
        ("meta-test", "once, at the end: adapt, report the query loss;\nno step of θ, no choice"),
    )
    top, edge = 0.0, shots + queries + 0.7
    for (name, use), count in zip(parts, tasks, strict=True):
        rows = top - np.arange(count)
        axes.add_patch(Rectangle((-0.6, rows[-1] - 0.5), edge + 0.5, count, color=COLOUR.shade, zorder=0))
        axes.text(-0.9, rows.mean(), f"{name}\ntasks", ha="right", va="center", weight="bold")
        axes.text(edge + 0.3, rows.mean(), use, va="center", fontsize=10)
        for row in rows:
            axes.plot(np.arange(shots), [row] * shots, "o", color=COLOUR.support, ms=9)
            look = {"color": COLOUR.query, "markerfacecolor": "none", "markeredgewidth": 2, "ms": 9}
            axes.plot(shots + 0.5 + np.arange(queries), [row] * queries, "s", **look)
        top = rows[-1] - 1.5
    axes.axvline(shots - 0.25, ymax=0.93, color=COLOUR.truth, ls="--")
    axes.text((shots - 1) / 2, 0.75, "support", color=COLOUR.support, ha="center", weight="bold")
    axes.text(shots + queries / 2, 0.75, "query", color=DARK_QUERY, ha="center", weight="bold")
    axes.set(xlim=(-3.6, edge + 7.0), ylim=(top + 0.7, 1.3), title="Two splits, one inside the other: a row is a task")
    axes.axis("off")
    return figure


@styled
def starts_over_shots(shots, losses, differences):
    """Query loss after the same adaptation for several starting points, against shots; two of them subtracted.

    shots        (n,)
    losses       name of STARTS -> (mean (n,), half_width (n,))
    differences  (mean (n,), half_width (n,)) of "practised with 10" minus "practised with 5" on the same tasks
    """
    figure, (left, right) = new_figure(1, 2, height=3.6, width_ratios=[1, 1.05])
    for name, (mean, half) in losses.items():
        left.errorbar(shots, mean, half, **STARTS[name], capsize=3, label=name)
    left.set(ylim=(0, None), ylabel="query loss after one step", title="The same step, three starts")
    left.legend(loc="center right", bbox_to_anchor=(1, 0.5))
    right.axhline(0, color=COLOUR.truth, lw=1.5)
    right.errorbar(shots, *differences, fmt="D-", color=COLOUR.theta, capsize=3)
    for practised in (5, 10):
        look = STARTS[f"practised with {practised}"]
        right.axvline(practised, color=look["color"], ls=look["linestyle"], lw=1.5)
    low, high = np.min(differences[0] - differences[1]), np.max(differences[0] + differences[1])
    right.text(20, 0.55 * high, "above 0: better to have\npractised with 5", ha="right", fontsize=10)
    right.text(20, 1.6 * low, "below 0: better with 10", ha="right", va="top", fontsize=10)
    mean = differences[0]
    title = "Loss of “with 10” minus “with 5”"
    if np.all(np.diff(mean) < 0) and mean[0] > 0 > mean[-1]:
        title = f"Better with 5 up to K ≈ {np.interp(0, -mean, shots):.0f}, then with 10"
    right.set(title=title, ylabel="loss with 10 minus loss with 5", ylim=(3 * low, 1.1 * high))
    for axes in (left, right):
        axes.set(xlabel="K, points to adapt on at test time")
        axes.set_xticks([1, 5, 10, 15, 20])
    return figure


@styled
def support_against_query(shots, learners):
    """Loss on both sets against shots, one axes a learner; the gap between them is shaded.

    shots     (n,)
    learners  the titles of A and B -> {"support": (mean (n,), half_width (n,)), "query": the same}
    """
    figure, axes = new_figure(1, len(learners), height=3.8, sharey=True)
    for axis, (title, losses) in zip(axes, learners.items(), strict=True):
        axis.fill_between(shots, losses["support"][0], losses["query"][0], color=COLOUR.shade, label="memorisation")
        for name, look in (("query", QUERY), ("support", SUPPORT)):
            axis.errorbar(shots, *losses[name], **look, capsize=3, label=f"loss on {name}")
        axis.set(title=title, xlabel="K, points to adapt on")
        axis.set_xticks([1, 5, 10, 15, 20])
    axes[0].set(ylabel="mean squared error", ylim=(0, None))
    axes[-1].legend()
    first, second = ({name: mean[:-1] for name, (mean, _) in losses.items()} for losses in learners.values())
    if np.all(first["support"] < second["support"]) and np.all(first["query"] > second["query"]):
        title = f"Up to K = {shots[-2]} the support set prefers A and the query set B"
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, weight="bold")
    return figure


@styled
def optimism(shots, losses, noise):
    """Least squares for a slope: measured losses against K, with the closed form.

    shots   (n,)
    losses  {"support": (mean (n,), half_width (n,)), "query": the same}
    noise   sigma
    """
    figure, axes = new_figure(height=3.4)
    fine = np.linspace(1, np.max(shots), 200)
    axes.fill_between(fine, noise**2 * (1 - 1 / fine), noise**2 * (1 + 1 / fine), color=COLOUR.shade)
    axes.axhline(noise**2, color=COLOUR.truth, ls=":", label="noise σ²")
    for name, look, sign in (("query", QUERY, 1), ("support", SUPPORT, -1)):
        axes.plot(fine, noise**2 * (1 + sign / fine), color=look["color"], ls="-" if sign < 0 else "--")
        options = {**look, "linestyle": "none"}
        formula = f"{name}: σ²(1 {'+' if sign > 0 else '−'} 1/K)"
        axes.errorbar(shots, *losses[name], **options, capsize=3, label=formula)
    axes.legend(loc="upper right", ncols=3)
    axes.set(
        xlabel="K, points to fit the slope to",
        ylabel="mean squared error",
        ylim=(-0.05, 2.2 * noise**2),
        title="What fitting takes off the support loss, it adds to the query loss",
    )
    axes.set_xticks([1, 5, 10, 15, 20])
    return figure


@styled
def trust_by_set(trust, support, query, learned):
    """Support and query loss of theta' = (1 - c) theta + c * own slope, against c.

    trust    (n,)  values of c
    support, query  (n,)  mean losses on many tasks
    learned  "support" and "query" -> the c learned by scoring on that set
    """
    figure, axes = new_figure(height=3.6)
    for name, losses, look in (("query", query, QUERY), ("support", support, SUPPORT)):
        line = "--" if name == "query" else "-"
        axes.plot(trust, losses, color=look["color"], ls=line, label=f"loss on {name}")
        height = np.interp(learned[name], trust, losses)
        axes.plot([learned[name]], [height], look["marker"], color=look["color"], ms=11, mfc="w", mew=2.5, zorder=5)
        axes.annotate(
            f"learned from the {name} loss:\nc = {learned[name]:.2f}",
            (learned[name], height),
            (0, 14 if name == "query" else -14),
            textcoords="offset points",
            ha="center",
            va="bottom" if name == "query" else "top",
            fontsize=10,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.axvline(1, color=COLOUR.truth, ls=":", lw=1.5)
    axes.legend(loc="upper left")
    low, high = min(np.min(support), np.min(query)), max(np.max(support), np.max(query))
    axes.set(
        xlabel="c, how far to go from the common start (0) to the task's own slope (1)",
        ylabel="mean squared error",
        ylim=(low - 0.3 * (high - low), high + 0.05 * (high - low)),
        title="The support loss is least where everything is learned by heart",
    )
    return figure


class EpisodeViewer(Drawing):
    """The panel "episode viewer": a sheet of glyphs or a curve with points; crosses where the memoriser errs."""

    def build(self, numbers):
        most_ways = numbers["most"][0]
        figure, self.sheet = new_figure(height=4.2, layout="none")
        self.sheet.set_position([0.06, 0.02, 0.92, 0.84])
        self.plane = figure.add_axes([0.075, 0.13, 0.9, 0.73])
        self.plane.set(xlabel="x", ylabel="y")
        self.sheet.axis("off")
        blank = np.full((2, 2, 3), 255, np.uint8)
        self.pictures = [self.sheet.imshow(blank, interpolation="nearest") for _ in range(2)]
        self.sheet.set(aspect="equal", anchor="NW")
        self.frames = [
            self.sheet.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=colour, lw=3, ls=line))
            for colour, line in ((COLOUR.support, "-"), (COLOUR.query, "--"))
        ]
        self.crosses = self.sheet.plot([], [], "x", color=COLOUR.wrong, ms=8, mew=2.5)[0]
        self.key = figure.text(0.98, 0.91, "✕ memoriser wrong", color=COLOUR.wrong, ha="right", fontsize=10)
        self.labels = [
            self.sheet.text(-0.1, row + 0.5, f"{row}  ", ha="right", va="center") for row in range(most_ways)
        ]
        self.curve = self.plane.plot([], [], color=COLOUR.truth, label="the task")[0]
        self.copied = self.plane.plot([], [], ":", color=COLOUR.wrong, label="memoriser")[0]
        self.support = self.plane.plot([], [], "o", color=COLOUR.support, zorder=5)[0]
        self.query = self.plane.plot([], [], **{**QUERY, "linestyle": "none"}, zorder=4)[0]
        self.plane.legend(loc="lower right", bbox_to_anchor=(1.01, 1.01), ncols=2, columnspacing=1)
        self.heads = [
            figure.text(left, 0.91, "", color=colour, weight="bold")
            for left, colour in ((0.065, COLOUR.support), (0.54, DARK_QUERY))
        ]
        self.of_sheet = [*self.pictures, *self.frames, self.crosses, self.key, *self.labels]
        self.of_plane = [self.curve, self.copied, self.query, self.support]
        self.moving = [*self.of_sheet, *self.of_plane, *self.heads]
        self.still = None
        return figure

    def update(self, numbers):
        glyphs = "images" in numbers
        for artist in self.of_sheet:
            artist.set_visible(glyphs)
        for artist in self.of_plane:
            artist.set_visible(not glyphs)
        self.plane.set_visible(not glyphs)
        for head, words in zip(self.heads, numbers["heads"], strict=True):
            head.set_text(words)
        still = (self._show_images if glyphs else self._show_curve)(numbers)
        changed, self.still = still != self.still, still
        return changed

    def _show_images(self, numbers):
        ways, shots, queries = numbers["ways"], numbers["shots"], numbers["queries"]
        start = shots + 1  # the column where the query set begins
        parts = zip(self.pictures, self.frames, numbers["images"], (0, start), (shots, queries), strict=True)
        for picture, frame, images, left, each in parts:
            picture.set_data(sheet(images))
            picture.set_extent((left, left + each, ways, 0))
            frame.set(x=left, width=each, height=ways)
        row, column = np.nonzero(numbers["wrong"])
        self.crosses.set_data(start + column + 0.85, row + 0.18)
        for label, text in enumerate(self.labels):
            text.set_visible(label < ways)
        return self._fill(ways, start + queries, start)

    def _fill(self, rows, columns, start):
        """Squares as large as the sheet allows, the second head above its column. -> what the limits hang on"""
        (left, _, wide, high), (across, along) = (
            self.sheet.get_position(original=True).bounds,
            self.figure.get_size_inches(),
        )
        side = min(wide * across / (columns + 0.2), high * along / (rows + 0.2))  # in
        self.sheet.set(xlim=(-0.1, wide * across / side - 0.1), ylim=(high * along / side - 0.1, -0.1))
        self.heads[1].set_x(np.clip(left + (start + 0.1) * side / across, 0.34, 0.57))
        return rows, columns, start

    def _show_curve(self, numbers):
        x, curve, copied = numbers["curve"]
        self.curve.set_data(x, curve)
        self.copied.set_data(x, copied)
        for line, data in ((self.support, numbers["support"]), (self.query, numbers["query"])):
            line.set_data(data.x.ravel(), data.y.ravel())
        self.heads[1].set_x(0.54)
        limits = (*numbers["x_range"], numbers["span"])
        width = limits[1] - limits[0]
        self.plane.set(xlim=(limits[0] - 0.02 * width, limits[1] + 0.02 * width), ylim=(-limits[2], limits[2]))
        return limits
