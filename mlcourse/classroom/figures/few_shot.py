"""Lesson 9: drawn characters, the embedding that compares them, and the methods side by side."""

import numpy as np

from mlcourse.classroom.figures.episodes import DARK_QUERY, sheet
from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled

# method -> how it looks
METHODS = {
    "random start": {"color": COLOUR.random, "marker": "o"},
    "pixels": {"color": COLOUR.random, "marker": "x"},
    "joint training": {"color": COLOUR.joint, "marker": "s"},
    "FOMAML": {"color": COLOUR.fomaml, "marker": "v"},
    "ANIL": {"color": COLOUR.reptile, "marker": "^"},
    "MAML": {"color": COLOUR.maml, "marker": "D"},
    "Matching": {"color": COLOUR.theta_prime, "marker": "P"},
    "ProtoNet": {"color": COLOUR.support, "marker": "*"},
    "you": {"color": COLOUR.theta, "marker": "p"},
}
SHOWN = 10  # queries of a figure
LETTERS = "abcdefghijklmnopqrst"  # what the letters of an episode are called by whoever answers it


@styled
def by_pixels(queries, nearest, right):
    """Queries in the upper row, under each the support picture nearest by pixels, and the one of its own class.

    queries, nearest, right  (n, side * side) pictures; the first SHOWN are drawn
    """
    rows = np.stack([queries, nearest, right])[:, :SHOWN]
    figure, axes = new_figure(height=3.2)
    axes.imshow(sheet(rows), extent=(0, rows.shape[1], 3, 0))
    axes.set_yticks([0.5, 1.5, 2.5], ["query", "nearest by pixels", "its own class"])
    for tick, colour in zip(axes.get_yticklabels(), (DARK_QUERY, COLOUR.wrong, COLOUR.support), strict=True):
        tick.set(color=colour, weight="bold")
    axes.set(xticks=[], title="Queries that pixels give to another class")
    axes.hlines([1, 2], 0, rows.shape[1], color="#333333", lw=1)
    axes.tick_params(length=0)
    axes.grid(False)
    return figure


@styled
def one_decision(distances, p, label):
    """What one query's squared distances to the prototypes become: their softmax. Both (N,); label is its class."""
    figure, (left, right) = new_figure(1, 2, height=2.8)
    classes = np.arange(len(p))
    colours = [COLOUR.support if n == label else COLOUR.truth for n in classes]
    left.bar(classes, distances, color=colours)
    right.bar(classes, p, color=colours)
    left.set(title="squared distance to each prototype", xlabel="class", xticks=classes)
    right.set(
        title="probability: softmax of minus that", xlabel="class (blue: the query's own)", xticks=classes, ylim=(0, 1)
    )
    for axes in (left, right):
        axes.grid(axis="x", visible=False)
    return figure


@styled
def linear_map(grid, classes, prototypes, support, queries, labels):
    """The plane of a two-dimensional embedding, each place in the shade of the class that the weights choose.

    grid     (G,)    places along both axes
    classes  (G, G)  the class of each, by weights and bias
    prototypes (N, 2), support (N K, 2), queries (Q, 2); labels (Q,) are the queries' own classes
    """
    figure, axes = new_figure(width=6.5, height=4.2)
    ways = len(prototypes)
    axes.contourf(grid, grid, classes, levels=np.arange(ways + 1) - 0.5, cmap="Pastel1", alpha=0.8)
    axes.contour(grid, grid, classes, levels=np.arange(ways - 1) + 0.5, colors="#555555", linewidths=0.8)
    axes.plot(*prototypes.T, "*", color=COLOUR.theta, ms=15, label="prototype")
    axes.plot(*support.T, "o", color=COLOUR.support, ms=5, label="support")
    for label in np.unique(labels):
        look = {"ls": "none", "marker": f"${label}$", "ms": 8, "color": DARK_QUERY}
        axes.plot(*queries[labels == label].T, **look, label=None if label else "query: its own class")
    for n, c in enumerate(prototypes):
        axes.annotate(str(n), c, (7, 7), textcoords="offset points", weight="bold", fontsize=14)
    axes.set(xlabel="$z_1$", ylabel="$z_2$", title="Prototypes cut the plane with straight lines")
    axes.set(xlim=(grid[0], grid[-1]), ylim=(grid[0], grid[-1]))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@styled
def over_steps(accuracies, trained):
    """Accuracy after 0 … m steps, name -> (mean (m + 1,), half_width (m + 1,)); trained: name -> m in training."""
    figure, axes = new_figure(height=3.4)
    axes.axhline(0.2, color=COLOUR.truth, ls=":", lw=1.5)
    axes.text(0.02, 0.205, "a guesser", fontsize=10, va="bottom", color="#555555", transform=axes.get_yaxis_transform())
    for name, (mean, half) in accuracies.items():
        axes.errorbar(np.arange(len(mean)), mean, half, **METHODS[name], capsize=3, label=name)
        if name in trained:
            axes.plot(trained[name], mean[trained[name]], "o", ms=16, mfc="none", mew=1.5, color=METHODS[name]["color"])
    axes.set(xlabel="inner steps on the support set (ring: as many as in training)", ylabel="accuracy", ylim=(0, 1))
    axes.set(title="Adaptation gives the labels their meaning")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@styled
def table(rows, yours=None):
    """Accuracy of each method with its interval, for each number of shots; below each name what one task costs.

    rows   shots -> name -> Accuracy
    yours  (mean, half_width, episodes) of the learner's own answers with the fewest shots, if there are any
    """
    few, many = min(rows), max(rows)
    marks = {shots: {name: row[:2] for name, row in rows[shots].items()} for shots in (few, many)}
    below = {name: f"gradients: {row.gradients:g}, forward: {row.forward:g}" for name, row in rows[few].items()}
    if yours is not None:
        marks[few]["you"], below["you"] = yours[:2], f"{yours[0]:.2f} ± {yours[1]:.2f}, {yours[2]} episodes of your own"
    names = sorted(marks[few], key=lambda name: marks[few][name][0])
    figure, axes = new_figure(height=0.3 + 0.45 * len(names))
    for shots, shift, fill in ((few, 0.12, {"markerfacecolor": "none"}), (many, -0.12, {})):
        for name, (mean, half) in marks[shots].items():
            look = METHODS[name] | fill
            axes.errorbar(mean, names.index(name) + shift, xerr=half, **look, capsize=3, ms=9, ls="none")
    axes.axvline(0.2, color=COLOUR.truth, ls=":", lw=1.5)
    axes.set_yticks(range(len(names)), [f"{name}\n{below[name]}" for name in names], fontsize=9)
    axes.set(xlim=(min(0.15, marks[few][names[0]][0] - 0.05), 1.02), ylim=(-0.6, len(names) - 0.4))
    axes.set(xlabel="accuracy on held-out scripts (dotted: a guesser)")
    axes.set_title(f"5-way {few}-shot (open) and {many}-shot (filled)")
    return figure


@styled
def against_shots(shots, curves, title):
    """Accuracy against shots: name -> (look's name in METHODS, line style, mean (n,), half_width (n,))."""
    figure, axes = new_figure(height=3.6)
    for label, (name, line, mean, half) in curves.items():
        axes.errorbar(shots, mean, half, **METHODS[name], ls=line, capsize=3, label=label)
    axes.axhline(0.2, color=COLOUR.truth, ls=":", lw=1.5)
    axes.set(xscale="log", xlabel="K, shots", ylabel="accuracy", ylim=(0, 1), title=title)
    axes.set_xticks(shots, [str(k) for k in shots])
    axes.minorticks_off()
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


class EmbeddingPlane(Drawing):
    """The panel "embedding": the episode, its embedding seen from the side where it is widest, and one decision."""

    def build(self, numbers):
        most = numbers["most"]
        figure, (self.sheet, self.plane, self.bars) = new_figure(
            1, 3, height=4.4, width_ratios=[1.35, 2, 1], layout="none"
        )
        figure.subplots_adjust(left=0.03, right=0.985, bottom=0.13, top=0.87, wspace=0.16)
        self.sheet.axis("off")
        blank = np.full((2, 2, 3), 255, np.uint8)
        self.pictures = [self.sheet.imshow(blank, interpolation="nearest") for _ in range(2)]
        self.sheet.set(aspect="equal", anchor="NW")
        self.rows = [self.sheet.text(-0.15, 1.75 + n, str(n), ha="right", va="center") for n in range(most)]
        self.asked = self.sheet.text(1.2, 0.5, "", va="center", color=DARK_QUERY, weight="bold")
        self.plane.set(xticks=[], yticks=[])
        self.plane.spines[:].set(visible=True, color="#cccccc")
        self.plane.set_title("the embedding: the two directions of most spread", fontsize=10)
        self.links = self.plane.plot([], [], color=COLOUR.truth, lw=1)[0]
        self.chosen = self.plane.plot([], [], color=COLOUR.theta, lw=2.5)[0]
        self.support = self.plane.plot([], [], "o", color=COLOUR.support, ms=4.5)[0]
        self.prototypes = self.plane.plot([], [], "*", color=COLOUR.theta, ms=13)[0]
        self.query = self.plane.plot([], [], "s", color=COLOUR.query, markerfacecolor="none", mew=2.5, ms=10)[0]
        self.names = [self.plane.text(0, 0, f"  {n}", weight="bold", fontsize=12, va="bottom") for n in range(most)]
        self.bars.set(xlim=(0, 1.02), yticks=range(most), xticks=[0, 0.5, 1])
        self.bars.set_title("p(class)", fontsize=10)
        self.bars.grid(axis="y", visible=False)
        self.shares = self.bars.barh(range(most), np.zeros(most), color=COLOUR.truth)
        self.right = self.bars.plot([], [], ">", color=DARK_QUERY, ms=8, clip_on=False)[0]
        self.moving = [
            *self.pictures, *self.rows, self.asked, self.links, self.chosen, self.prototypes, self.support, self.query,
            *self.names, *self.shares, self.right,
        ]  # fmt: skip
        self.limits = self.shape = None
        return figure

    def update(self, numbers):
        ways, shots = numbers["images"].shape[:2]
        support, query = self.pictures
        support.set_data(sheet(numbers["images"]))
        support.set_extent((0, shots, 1.25 + ways, 1.25))
        query.set_data(sheet(numbers["query"][None, None]))
        query.set_extent((0, 1, 1, 0))
        chosen, label, p = numbers["chosen"], numbers["label"], numbers["p"]
        self.asked.set_text(f"query: class {label}")
        for n, (row, name, share) in enumerate(zip(self.rows, self.names, self.shares, strict=True)):
            there = n < ways
            for artist in (row, name, share):
                artist.set_visible(there)
            share.set_width(p[n] if there else 0)
            wrong = n == chosen != label
            share.set_color(COLOUR.wrong if wrong else COLOUR.theta if n == chosen else COLOUR.truth)
            if there:
                name.set_position(numbers["centres"][n])
        z, points, ends = numbers["z"], numbers["points"], numbers["ends"]
        self.links.set_data(*_spokes(z, ends.reshape(-1, 2)))
        self.chosen.set_data(*_spokes(z, ends[chosen]))
        self.chosen.set_color(COLOUR.theta if chosen == label else COLOUR.wrong)
        self.support.set_data(*points.reshape(-1, 2).T)
        self.prototypes.set_data(*(numbers["centres"].T if numbers["prototypes"] else ([], [])))
        self.query.set_data(*z[:, None])
        self.right.set_data([0], [label])
        changed = (numbers["limits"], (ways, shots)) != (self.limits, self.shape)
        self.limits, self.shape = numbers["limits"], (ways, shots)
        if changed:
            low, high = np.reshape(self.limits, (2, 2))
            self.plane.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
            self.sheet.set(xlim=(-0.6, max(shots, 3) + 0.1), ylim=(ways + 1.4, -0.1))
            self.bars.set(ylim=(ways - 0.4, -0.6))
        return changed


class OneShotSheet(Drawing):
    """The panel "one shot": a query, the letters to choose from, and the scores so far."""

    COLUMNS, ROWS = 5, 4

    def build(self, numbers):
        figure, (self.sheet, self.score) = new_figure(1, 2, height=4.0, width_ratios=[2, 1], layout="none")
        figure.subplots_adjust(left=0.02, right=0.985, bottom=0.13, top=0.9, wspace=0.3)
        self.sheet.set(xlim=(0, 1.5 + 1.25 * self.COLUMNS), ylim=(self.ROWS, 0), aspect="equal", anchor="NW")
        self.sheet.axis("off")
        blank = np.full((2, 2, 3), 255, np.uint8)
        self.pictures = [self.sheet.imshow(blank, interpolation="nearest") for _ in range(self.COLUMNS * self.ROWS + 1)]
        self.pictures[-1].set_extent((0, 1, 1, 0))
        self.sheet.text(0.5, 1.05, "query", ha="center", va="top", color=DARK_QUERY, weight="bold")
        self.letters = []
        for n, letter in enumerate(LETTERS):
            row, left = n // self.COLUMNS, 1.8 + 1.25 * (n % self.COLUMNS)
            self.pictures[n].set_extent((left, left + 0.8, row + 0.9, row + 0.1))
            self.letters.append(self.sheet.text(left, row + 0.5, letter, ha="right", va="center", weight="bold"))
        self.names = numbers["names"]
        self.score.set(xlim=(-0.05, 1.05), ylim=(len(self.names) - 0.5, -0.5), yticks=range(len(self.names)))
        self.score.set_yticklabels(self.names)
        self.score.set_title("accuracy so far", fontsize=10)
        self.score.grid(axis="y", visible=False)
        self.chance = self.score.plot([], [], ls=":", color=COLOUR.truth, lw=1.5)[0]
        self.intervals = [self.score.plot([], [], color=METHODS[name]["color"])[0] for name in self.names]
        self.means = [self.score.plot([], [], ls="none", ms=10, **METHODS[name])[0] for name in self.names]
        self.moving = [*self.pictures, *self.letters, self.chance, *self.intervals, *self.means]
        return figure

    def update(self, numbers):
        ways, support = numbers["ways"], numbers["support"]
        self.pictures[-1].set_data(sheet(numbers["query"][None, None]))
        for n, (picture, letter) in enumerate(zip(self.pictures[:-1], self.letters, strict=True)):
            picture.set_visible(n < ways)
            letter.set_visible(n < ways)
            if n < ways:
                picture.set_data(sheet(support[n][None, None]))
        self.chance.set_data([1 / ways] * 2, self.score.get_ylim())
        for place, (name, interval, mark) in enumerate(zip(self.names, self.intervals, self.means, strict=True)):
            mean, half = numbers["scores"].get(name, (np.nan, np.nan))
            interval.set_data([mean - half, mean + half], [place, place])
            mark.set_data([mean], [place])


def _spokes(centre, ends):
    """Lines from a point (2,) to each of several (n, 2), as one broken line."""
    broken = np.full((3 * len(ends), 2), np.nan)
    broken[0::3], broken[1::3] = centre, ends
    return broken.T
