"""Figures of lesson 4: the loss after one step as a curve in theta, its tangents, and how far to trust a difference."""

import numpy as np

from mlcourse.classroom.figures.style import COLOUR, Drawing, new_figure, styled


@styled
def three_losses(theta, losses, at, arrived):
    """The support loss, the query loss, and the query loss after one step, over scalar theta.

    theta    (N,) grid
    losses   three (N,) curves in that order
    at       where the step starts; arrived  theta', where it ends
    """
    support, query, after = losses
    figure, axes = new_figure(height=3.8)
    axes.plot(theta, support, color=COLOUR.support, label="support loss, decides the step")
    axes.plot(theta, query, "--", color=COLOUR.query, label="query loss, judges the end of it")
    axes.plot(theta, after, color=COLOUR.theta_prime, linewidth=3, label="query loss after one step from θ")
    height = np.interp(at, theta, after)
    axes.plot([at, arrived], [height, height], color=COLOUR.truth, linewidth=1)
    rows = [(at, after, "o", COLOUR.theta, "θ", (-16, -6)), (arrived, query, "D", COLOUR.theta_prime, "θ′", (8, 8))]
    for place, curve, marker, colour, name, shift in rows:
        height = np.interp(place, theta, curve)
        axes.plot(place, height, marker, color=colour, markersize=10, zorder=6)
        axes.annotate(name, (place, height), xytext=shift, textcoords="offset points", fontsize=13)
    axes.set(xlabel="θ", ylabel="loss", xlim=(theta[0], theta[-1]), ylim=(0, 8))
    axes.set_title("The meta-objective is a curve of its own: neither of the two losses")
    axes.legend(loc="upper center")
    return figure


@styled
def slopes(theta, by_formula, by_nudges):
    """The slope of the loss after one step over scalar theta, by a formula and by nudges, (N,) each: line and dots."""
    figure, axes = new_figure(height=3.2)
    axes.axhline(0, color=COLOUR.truth, linewidth=1)
    axes.plot(theta, by_formula, color=COLOUR.theta_prime, label="by the formula")
    axes.plot(theta[::10], by_nudges[::10], "o", color=COLOUR.theta, markersize=5, label="by nudging θ")
    axes.set(xlabel="θ", ylabel="slope")
    words = "agree at every start" if np.allclose(by_formula, by_nudges, rtol=1e-4, atol=1e-6) else "differ"
    axes.set_title(f"Slope of the query loss after one step: formula and nudges {words}")
    axes.legend()
    return figure


@styled
def error_by_step(epsilon, one_sided, central):
    """How wrong a difference is against the size of its step epsilon, both on logarithmic axes; errors (N,)."""
    figure, axes = new_figure(height=3.7)
    axes.loglog(epsilon, one_sided, "s--", color=COLOUR.wrong, markersize=5, label="one-sided, error about ε")
    axes.loglog(epsilon, central, "o-", color=COLOUR.theta_prime, markersize=5, label="central, error about ε²")
    best = int(np.argmin(central))
    axes.axvline(epsilon[best], color=COLOUR.truth, linestyle=":", label=f"best ε, about {epsilon[best]:.0e}")
    axes.set(xlabel="step ε", ylabel="error of the derivative")
    axes.set_title("Too large a step bends, too small a step drowns in rounding")
    axes.legend(loc="lower left")
    return figure


@styled
def jacobians(measured, derived):
    """Two (P, P) matrices and their difference, side by side on one colour scale."""
    figure, all_axes = new_figure(1, 3, height=3.6)
    difference = measured - derived
    columns = {"measured by nudges": measured, "derived: I − αH": derived, "difference": difference}
    most = np.abs(derived).max()
    for axes, (title, matrix) in zip(all_axes, columns.items(), strict=True):
        image = axes.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most)
        axes.set(title=title, xticks=[], yticks=[], xlabel=r"$\theta_j$, which is moved")
        axes.grid(visible=False)
    all_axes[0].set_ylabel(r"$\theta'_i$, which follows")
    figure.colorbar(image, ax=all_axes, shrink=0.85)
    words = "are the same" if np.abs(difference).max() < 1e-8 else "differ"
    figure.suptitle(f"The measured and the derived Jacobian {words}", x=0.02, ha="left")
    return figure


@styled
def drop_by_alpha(alphas, angles, sizes):
    """What FOMAML gets wrong as alpha grows: its angle to the exact gradient in degrees, and the length of what it
    drops, relative to the exact gradient's."""
    figure, (left, right) = new_figure(1, 2, height=3.7)
    left.plot(alphas, angles, color=COLOUR.fomaml)
    left.axhline(90, color=COLOUR.wrong, linestyle="--", label="90°: beyond it, uphill")
    left.set(xlabel="α", ylabel="degrees", ylim=(0, 115), title="Angle to the exact gradient")
    left.legend(loc="upper left")
    right.plot(alphas, 100 * sizes, color=COLOUR.fomaml)
    right.set(
        xlabel="α", ylabel="% of the exact gradient's length", ylim=(0, None), title="Length of what FOMAML drops"
    )
    figure.suptitle(
        f"At α = {alphas[-1]:.2g} FOMAML is off by {angles[-1]:.0f}° and {100 * sizes[-1]:.0f} % of the exact length",
        x=0.02,
        ha="left",
    )
    return figure


class Tangent(Drawing):
    """The panel "tangent": the curve, the two slopes at theta and where they send it; the two slopes over alpha."""

    REACH = 0.8  # how far to each side of theta the tangents are drawn
    LOSS, SLOPE = (-5.5, 18.0), (-8.0, 8.0)
    ROWS = (-3.0, -4.6)  # heights of the two arrows
    FLAT = 0.02  # a slope nearer to zero than this sends theta nowhere

    def build(self, numbers):
        figure, (curve, slopes) = new_figure(1, 2, height=4.5)
        (self.curve,) = curve.plot([], [], color=COLOUR.theta_prime, linewidth=3)
        (self.exact,) = curve.plot([], [], color=COLOUR.maml, label="exact slope")
        (self.first,) = curve.plot([], [], "--", color=COLOUR.fomaml, label="FOMAML's slope")
        (self.at,) = curve.plot([], [], "o", color=COLOUR.theta, markersize=10, zorder=6, label="θ")
        (self.exact_arrow,) = curve.plot([], [], color=COLOUR.maml, markersize=11, markevery=[1])
        (self.first_arrow,) = curve.plot([], [], "--", color=COLOUR.fomaml, markersize=11, markevery=[1])
        curve.axhspan(self.LOSS[0], -0.8, color=COLOUR.shade)
        curve.text(numbers.grid[0] + 0.1, -1.1, "where each slope sends θ:", va="top", fontsize=10)
        curve.set(xlim=(numbers.grid[0], numbers.grid[-1]), ylim=self.LOSS, yticks=range(0, 19, 3))
        curve.set(xlabel="θ", ylabel="query loss after one step")
        curve.set_title("The loss after adaptation, over θ", pad=28)

        (self.exact_line,) = slopes.plot([], [], color=COLOUR.maml, label="exact")
        (self.first_line,) = slopes.plot([], [], "--", color=COLOUR.fomaml, label="FOMAML")
        (self.exact_now,) = slopes.plot([], [], "o", color=COLOUR.maml, markersize=9, clip_on=False)
        (self.first_now,) = slopes.plot([], [], "s", color=COLOUR.fomaml, markersize=9, clip_on=False)
        self.now = slopes.axvline(numbers.alpha, color=COLOUR.truth, linewidth=1)
        self.flip = slopes.axvline(0, color=COLOUR.wrong, linestyle=":", label="α = 1 / L_s″(θ)")
        slopes.axhline(0, color="black", linewidth=1)
        slopes.set(xlim=(0, numbers.alphas[-1]), ylim=self.SLOPE, xlabel="α", ylabel="slope at θ")
        slopes.set_title("Both slopes, over α", pad=28)
        for axes in (curve, slopes):
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.3, columnspacing=1.0, handlelength=1.6
            )
        self.moving = [self.curve, self.first, self.exact, self.at, self.exact_arrow, self.first_arrow]
        self.moving += [self.now, self.flip, self.exact_line, self.first_line, self.exact_now, self.first_now]
        return figure

    def update(self, numbers):
        self.curve.set_data(numbers.grid, numbers.curve)
        reach = np.array([-self.REACH, self.REACH])
        both = (
            (self.exact, self.exact_arrow, self.exact_now, numbers.exact),
            (self.first, self.first_arrow, self.first_now, numbers.first_order),
        )
        for row, (line, arrow, now, slope) in zip(self.ROWS, both, strict=True):
            line.set_data(numbers.theta + reach, numbers.after + slope * reach)
            way = 0.0 if abs(slope) < self.FLAT else -np.sign(slope)
            arrow.set_data(numbers.theta + way * np.array([0.0, self.REACH]), [row, row])
            arrow.set_marker({-1.0: "<", 0.0: "|", 1.0: ">"}[float(way)])
            now.set_data([numbers.alpha], [np.clip(slope, *self.SLOPE)])
        self.at.set_data([numbers.theta], [numbers.after])
        self.exact_line.set_data(numbers.alphas, numbers.exact_by_alpha)
        self.first_line.set_data(numbers.alphas, numbers.first_by_alpha)
        self.now.set_xdata([numbers.alpha] * 2)
        self.flip.set_xdata([numbers.flip] * 2)
