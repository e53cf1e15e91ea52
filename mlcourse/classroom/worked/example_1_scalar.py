"""Worked example 1: the meta-gradient of one inner step, where theta is one number."""

from mlcourse.checks import positive
from mlcourse.classroom.worked.derivation import Step, check_rows, derivative_symbols, equal, factor, number
from mlcourse.classroom.worked.given import finite_number, finite_step
from mlcourse.classroom.worked.meta_gradient import MetaGradientExample, scalar_notes
from mlcourse.classroom.worked.scalar_losses import finite_at, require_smooth, scalar_loss
from mlcourse.classroom.worked.three_ways import central_difference, quiet_grad, require_agreement

# Lesson 4's numbers, so that `mlcourse example 1 --alpha 0.3` changes one thing in what the lesson shows.
SUPPORT_LOSS = "(theta - 2)**2 + sin(theta)"
QUERY_LOSS = "(theta - 2.5)**2 + sin(theta)"


def example_1(theta=0.8, alpha=0.2, support_loss=SUPPORT_LOSS, query_loss=QUERY_LOSS):
    """The meta-gradient of one step for scalar theta: dL_q(theta')/dtheta = L_q'(theta') (1 - alpha L_s''(theta)).

    theta                     number, where the inner step starts
    alpha                     number > 0, inner step size
    support_loss, query_loss  a formula in theta such as "(theta - 2)**2 + sin(theta)", which is differentiated in
                              symbols, or a function of theta made of plain arithmetic and autograd.numpy
    -> MetaGradientExample
    Raises ValueError or TypeError for what it cannot use, also where a loss is not differentiable, and
    DisagreementError when the three ways differ. Lesson 4; Finn et al. 2017, section 2.2.
    """
    theta, alpha = finite_number("theta", theta), positive("alpha", finite_number("alpha", alpha))
    support, query = scalar_loss("support_loss", support_loss), scalar_loss("query_loss", query_loss)

    slope = finite_at(support, "slope", theta)
    curvature = finite_at(support, "curvature", theta)
    require_smooth(support, theta)
    theta_prime = finite_step(theta, alpha, slope)
    jacobian = 1 - alpha * curvature
    first_order = finite_at(query, "slope", theta_prime)
    require_smooth(query, theta_prime)
    by_hand = first_order * jacobian
    dropped = -alpha * curvature * first_order

    def query_after_step(theta, support_slope):
        return query.value(theta - alpha * support_slope(theta))

    autograd_slope = quiet_grad(support.value)
    straight_through = float(quiet_grad(lambda theta: query_after_step(theta, autograd_slope))(theta))
    differences = central_difference(lambda theta: query_after_step(theta, support.slope), theta)
    loss_size = abs(query.value(theta_prime)) / max(1, abs(theta))
    require_agreement(by_hand, straight_through, differences, max(abs(first_order), abs(by_hand), loss_size))

    at, at_prime = number(theta), number(theta_prime)
    steps = (
        Step(
            "Given: the two losses of one task, where the inner step starts, and its size.",
            rf"L_s(\theta) = {support.formulas[0]}, \qquad L_q(\theta) = {query.formulas[0]}",
            rf"\theta = {at}, \qquad \alpha = {number(alpha)}",
        ),
        Step(
            "The slope of the support loss.",
            derivative_symbols("L_s", 1, support.formulas[1]),
            equal(f"L_s'({at})", slope),
        ),
        Step(
            "The inner step goes against that slope.",
            r"\theta' = \theta - \alpha \, L_s'(\theta)",
            rf"\theta' = {at} - {number(alpha)} \cdot {factor(slope)} = {at_prime}",
        ),
        Step(
            "The support loss's curvature says how that slope changes when $\\theta$ moves.",
            derivative_symbols("L_s", 2, support.formulas[2]),
            equal(f"L_s''({at})", curvature),
        ),
        Step(
            r"How far $\theta'$ moves when $\theta$ moves: $\theta$ is in the step twice, by itself and in the slope.",
            r"\frac{d\theta'}{d\theta} = 1 - \alpha \, L_s''(\theta)",
            rf"\frac{{d\theta'}}{{d\theta}} = 1 - {number(alpha)} \cdot {factor(curvature)} = {number(jacobian)}",
        ),
        Step(
            r"The slope of the query loss, taken where the step landed, at $\theta'$.",
            derivative_symbols("L_q", 1, query.formulas[1]),
            equal(f"L_q'({at_prime})", first_order),
        ),
        Step(
            "The chain rule multiplies the two: this is the exact meta-gradient.",
            r"\frac{dL_q(\theta')}{d\theta} = L_q'(\theta') \, (1 - \alpha \, L_s''(\theta))",
            rf"\frac{{dL_q(\theta')}}{{d\theta}} = {factor(first_order)} \cdot {factor(jacobian)} = {number(by_hand)}",
        ),
        Step(
            r"FOMAML takes $\frac{d\theta'}{d\theta}$ to be 1 and keeps the first factor only.",
            r"\frac{dL_q(\theta')}{d\theta} \approx L_q'(\theta')",
            rf"\frac{{dL_q(\theta')}}{{d\theta}} \approx {number(first_order)}",
        ),
    )
    return MetaGradientExample(
        title=r"Worked example 1: the meta-gradient of one step, scalar $\theta$",
        steps=steps,
        checks=check_rows(r"dL_q(\theta')/d\theta", by_hand, straight_through, differences),
        notes=scalar_notes(alpha, curvature, first_order, dropped, by_hand),
        theta=theta,
        alpha=alpha,
        theta_prime=theta_prime,
        by_hand=by_hand,
        autograd=straight_through,
        central_difference=differences,
        coordinates=None,
        first_order=first_order,
        dropped=dropped,
        curvature=curvature,
    )
