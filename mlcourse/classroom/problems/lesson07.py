"""Lesson 7, first-order methods."""

from types import MappingProxyType

import numpy as np

from mlcourse import fomaml
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.problems.lesson06 import _episode, _objective
from mlcourse.classroom.problems.meta_gradients import EXACT, MetaGradientProblem
from mlcourse.deviations import DEVIATIONS


class fomaml_gradient(MetaGradientProblem):
    title = "the first-order gradient, on purpose"
    difficulty, minutes = "easy", 8
    tags = ("concept:fomaml", "takeaway:first-order-alternatives")
    cases = 5
    recipe = MappingProxyType({"factors": "none"})
    deviations = (EXACT, *(each for each in DEVIATIONS if each.choice != "factors"))
    forbidden = ((fomaml, "`mlcourse.fomaml`"),)
    hints = (
        "Adapt each task on its support set; then one gradient of the query loss. At which parameters?",
        "At θ_m, and no more: `objective.grad(theta_m, episode.query).mean(axis=0)`.",
    )
    explanation = r"""
    FOMAML's gradient is $\nabla L_q(\theta_m)$, averaged over tasks: what the backward recursion starts with, $v_m$, and nothing of
    the way back.
    """

    def draw(self, rng):
        objective, theta = _objective(rng)
        episode = _episode(rng, (int(rng.integers(2, 5)),), objective.model.inputs)
        alpha, steps = float(rng.uniform(0.05, 0.2)), int(rng.integers(1, 4))
        return {"objective": objective, "theta": theta, "episode": episode, "alpha": alpha, "steps": steps}

    def statement(self, given):
        return rf"""
        Write `fomaml_gradient(objective, theta, episode, alpha, steps)`: the first-order meta-gradient after `steps` inner steps,
        averaged over the episode's tasks; shape `(P,)`. `objective.grad(theta, data)` takes theta `(P,)` or `(T, P)` and gives
        `(T, P)`; `episode.support` and `episode.query` have a leading axis of T tasks. Do not call `mlcourse.fomaml`.

        To try: `p.given("fomaml_gradient")`, with {given.steps} step{"s" * (given.steps != 1)}.
        """

    @staticmethod
    def solution(objective, theta, episode, alpha, steps):
        theta_i = theta
        for _ in range(steps):
            theta_i = theta_i - alpha * objective.grad(theta_i, episode.support)
        return objective.grad(theta_i, episode.query).mean(axis=0)


class reptile_update(FunctionProblem):
    title = "Reptile's update"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "θ moves a part ε of the way towards where the tasks ended, on average.",
        "`theta + epsilon * np.mean(adapted - theta, axis=0)`",
    )
    explanation = r"""
    $\theta \leftarrow \theta + \epsilon\,\frac1T\sum_i(\theta'_i - \theta)$: towards the mean of the adapted parameters, by the share ε.
    """

    def draw(self, rng):
        tasks, size = (int(n) for n in rng.integers(2, 6, 2))
        theta = rng.normal(size=size)
        return {
            "theta": theta,
            "adapted": theta + rng.normal(size=(tasks, size)),
            "epsilon": float(rng.uniform(0.1, 0.9)),
        }

    def statement(self, given):
        return f"""
        Write `reptile_update(theta, adapted, epsilon)`: θ after one outer step of Reptile. `adapted` has shape `(T, P)`, one θ′ a
        task; `theta` has shape `(P,)`, and so has the answer.

        To try: `p.given("reptile_update")`, with T = {len(given.adapted)}.
        """

    @staticmethod
    def solution(theta, adapted, epsilon):
        return theta + epsilon * np.mean(np.asarray(adapted) - theta, axis=0)

    @mistake("away", "This moves away from the adapted parameters. Reptile moves towards them: + ε(θ′ − θ).")
    def away(theta, adapted, epsilon):
        return theta - epsilon * np.mean(adapted - theta, axis=0)

    @mistake("sum over tasks", "The differences are summed. With the mean, ε is the share of the way whatever T is.")
    def summed(theta, adapted, epsilon):
        return theta + epsilon * np.sum(adapted - theta, axis=0)

    @mistake("epsilon ignored", "This goes all the way, to the mean of the adapted parameters. Go the share ε of it.")
    def ignored(theta, adapted, epsilon):
        return np.mean(adapted, axis=0)

    @mistake(
        "one task after another", "θ moves after each task. All differences are taken from the same θ, then averaged."
    )
    def one_by_one(theta, adapted, epsilon):
        for theta_prime in adapted:
            theta = theta + epsilon * (theta_prime - theta)
        return theta


class reptile_optimum(FunctionProblem):
    title = "where Reptile goes on the test bed"
    difficulty, minutes = "medium", 8
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "k steps leave the share (1 − αa)^k of the distance to c; so θ − θ′ is the rest of it.",
        "The direction is zero at a mean of the centres with the weights 1 − (1 − αa)^k.",
    )
    explanation = r"""
    $\theta - \theta' = (1 - (1-\alpha a)^k)(\theta - c)$. The mean over tasks is zero at the centres' mean with these weights. k = 1
    gives weights αa, those of joint training; k → ∞ gives the plain mean.
    """

    def draw(self, rng):
        tasks = int(rng.integers(2, 6))
        a = rng.uniform(0.3, 4, tasks)
        alpha, k = float(rng.uniform(0.2, 0.8) / a.max()), int(rng.integers(2, 7))
        return {"a": a, "centres": rng.normal(0, 2, tasks), "alpha": alpha, "k": k}

    def statement(self, given):
        return r"""
        Tasks $\frac{a_i}{2}(\theta - c_i)^2$. Write `reptile_optimum(a, centres, alpha, k)`: where Reptile with k inner steps stands
        still. `a` and `centres` have shape `(T,)`.

        For a = (1, 4), centres = (2, 0), alpha = 0.2 and k = 5 it is 0.804. To try: `p.given("reptile_optimum")`.
        """

    @staticmethod
    def solution(a, centres, alpha, k):
        weights = 1 - (1 - alpha * a) ** k
        return np.sum(weights * centres) / np.sum(weights)

    @mistake("k = 1", "These are the weights of one step, αa: joint training. k steps cover 1 − (1 − αa)^k.")
    def one_step(a, centres, alpha, k):
        return np.sum(a * centres) / np.sum(a)

    @mistake("MAML's weights", "These are MAML's weights, a(1 − αa)^(2k). Reptile's direction is θ − θ′.")
    def maml_weights(a, centres, alpha, k):
        weights = a * (1 - alpha * a) ** (2 * k)
        return np.sum(weights * centres) / np.sum(weights)

    @mistake("what is left", "The weights are what k steps leave. θ − θ′ is what they cover: one minus that.")
    def left(a, centres, alpha, k):
        weights = (1 - alpha * a) ** k
        return np.sum(weights * centres) / np.sum(weights)

    @mistake("plain mean", "This is the plain mean, where Reptile would go with infinitely many inner steps.")
    def plain(a, centres, alpha, k):
        return np.mean(centres)


class first_order_bias(NumberProblem):
    title = "the bias of FOMAML"
    difficulty, minutes = "medium", 8
    tags = ("concept:fomaml",)
    hints = (
        "On a/2(θ − c)² with one step: FOMAML's gradient is a(1 − αa)(θ − c), MAML's a(1 − αa)²(θ − c).",
        "Their difference is αa²(1 − αa)(θ − c); take the mean over the tasks.",
    )
    explanation = r"""
    $a(1-\alpha a)(\theta - c) - a(1-\alpha a)^2(\theta - c) = \alpha a^2(1 - \alpha a)(\theta - c)$: what FOMAML does not multiply by the
    factor $1 - \alpha a$, averaged over tasks.
    """

    def draw(self, rng):
        a = np.round(rng.uniform(0.5, 4, 2), 1)
        centres, theta = np.round(rng.uniform(-2, 2, 2), 1), round(float(rng.uniform(-2, 2)), 1)
        return {"a": a, "centres": centres, "theta": theta, "alpha": round(float(rng.uniform(0.05, 0.2)), 2)}

    def statement(self, given):
        return rf"""
        Two tasks $\frac{{a_i}}{{2}}(\theta - c_i)^2$ with a = ({given.a[0]}, {given.a[1]}) and c = ({given.centres[0]}, {given.centres[1]}), one inner step with
        α = {given.alpha}, at θ = {given.theta}. How much larger is FOMAML's meta-gradient than MAML's, each averaged over the tasks? (It may be
        negative; `p.given("first_order_bias")` has the numbers.)
        """

    @staticmethod
    def solution(a, centres, theta, alpha):
        return np.mean(alpha * a**2 * (1 - alpha * a) * (theta - centres))

    @mistake("sign", "That is MAML minus FOMAML. Asked for is how much larger FOMAML's is.")
    def sign(a, centres, theta, alpha):
        return -first_order_bias.solution(a, centres, theta, alpha)

    @mistake("sum over tasks", "That is the sum over the two tasks. Both gradients are means.")
    def summed(a, centres, theta, alpha):
        return 2 * first_order_bias.solution(a, centres, theta, alpha)

    @mistake(
        "gradient before the step",
        "The query's gradient was taken at θ. After the step the distance is (1 − αa)(θ − c).",
    )
    def at_theta(a, centres, theta, alpha):
        return np.mean(alpha * a**2 * (theta - centres))

    @mistake("FOMAML's gradient", "That is FOMAML's gradient itself. Subtract MAML's.")
    def whole(a, centres, theta, alpha):
        return np.mean(a * (1 - alpha * a) * (theta - centres))


class when_equal(ChoiceProblem):
    title = "the same direction, or not?"
    difficulty, minutes = "medium", 8
    tags = ("concept:fomaml", "takeaway:first-order-alternatives")
    labels = ("same", "different")
    hints = (
        "FOMAML and MAML agree where (I − αH) does nothing to the direction: no curvature, no step, or one H = h·I.",
        "Reptile with one step is joint training on the support sets; with more it is not, unless the gradient is constant.",
    )
    explanation = """
    FOMAML leaves out (I − αH). That changes nothing when H = 0 or α = 0, and only the length when one curvature serves all tasks
    and directions. Reptile-1 is the support gradient. Otherwise the directions differ, and so do the ends.
    """
    traps = MappingProxyType(
        {
            "first-order taken for exact": "Two methods that differ by (I − αH) were called the same.",
            "Reptile taken for joint training": "Reptile with several steps was called joint training: only with one step it is.",
        }
    )

    def statement(self, given):
        return """
        Do the two point in the *same* direction (up to its length), at every θ, or can they be *different*?
        """

    def items(self, rng):
        h, alpha, m = (
            round(float(rng.uniform(0.5, 2)), 1),
            round(float(rng.uniform(0.05, 0.3)), 2),
            int(rng.integers(2, 7)),
        )
        low, high = round(float(rng.uniform(0.3, 1)), 1), round(float(rng.uniform(2, 3)), 1)
        first, joint = "first-order taken for exact", "Reptile taken for joint training"
        pool = [
            Item(f"MAML and FOMAML, α = 0 and {m} steps", "same"),
            Item(f"MAML and FOMAML, all tasks with the curvature {h}, one parameter, α = {alpha}", "same"),
            Item(f"MAML and FOMAML, losses that are linear in θ, α = {alpha}", "same"),
            Item("Reptile with 1 step and joint training on the support sets", "same"),
            Item(
                f"MAML and FOMAML, curvatures {low} and {high} in two tasks, α = {alpha}", "different", {first: "same"}
            ),
            Item(f"MAML and FOMAML on a tanh network, {m} steps, α = {alpha}", "different", {first: "same"}),
            Item(
                f"Reptile with {m} steps and joint training, curvatures {low} and {high}", "different", {joint: "same"}
            ),
            Item(f"Reptile with {m} steps and Reptile with 1 step, on a tanh network", "different", {joint: "same"}),
            Item(
                f"FOMAML with {m} steps and joint training, on a relu network, α = {alpha}",
                "different",
                {first: "same"},
            ),
        ]
        return [pool[i] for i in rng.permutation(len(pool))[:8]]


class inner_product_term(FunctionProblem):
    title = "the term that makes gradients agree"
    difficulty, minutes = "hard", 10
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "AvgGradInner for two batches is ½(H₂g₁ + H₁g₂).",
        "In Reptile with two steps, over α, it has the factor −α: the answer is −α·½(h2 @ g1 + h1 @ g2).",
    )
    explanation = r"""
    $\frac{\theta - \theta_2}{\alpha} = g_1 + g_2 - \alpha H_2 g_1 + O(\alpha^2)$. Averaged over which batch comes first, $H_2 g_1$ becomes
    $\frac12(H_2 g_1 + H_1 g_2) = \frac12\nabla(g_1\cdot g_2)$.
    """

    def draw(self, rng):
        size = int(rng.integers(2, 6))
        h1, h2 = ((m + m.T) / 2 for m in rng.normal(size=(2, size, size)))
        g1, g2 = rng.normal(size=(2, size))
        return {"g1": g1, "g2": g2, "h1": h1, "h2": h2, "alpha": float(rng.uniform(0.05, 0.5))}

    def statement(self, given):
        return rf"""
        Two batches of a task have the gradients `g1`, `g2`, shape `(P,)`, and the Hessians `h1`, `h2`, shape `(P, P)`, at θ. Reptile with
        two inner steps has, divided by α and averaged over the order of the batches, the expansion $2\,\mathrm{{AvgGrad}} +
        (\text{{second term}}) + O(\alpha^2)$. Write `inner_product_term(g1, g2, h1, h2, alpha)`: the second term, shape `(P,)`.

        To try: `p.given("inner_product_term")`, with P = {len(given.g1)}.
        """

    @staticmethod
    def solution(g1, g2, h1, h2, alpha):
        return -alpha * 0.5 * (h2 @ g1 + h1 @ g2)

    @mistake("AvgGrad instead", "This is the mean gradient, the first term. The second has the Hessians in it.")
    def first_term(g1, g2, h1, h2, alpha):
        return (g1 + g2) / 2

    @mistake("MAML's factor", "The factor is −2α, MAML's. Reptile with two steps has −α.")
    def factor_of_maml(g1, g2, h1, h2, alpha):
        return -alpha * (h2 @ g1 + h1 @ g2)

    @mistake("own Hessians", "Each gradient was multiplied by its own Hessian. It is the other batch's: H₂g₁ and H₁g₂.")
    def own(g1, g2, h1, h2, alpha):
        return -alpha * 0.5 * (h1 @ g1 + h2 @ g2)

    @mistake("sign", "The sign is +. The second gradient is taken a step down the first: −αH₂g₁.")
    def plus(g1, g2, h1, h2, alpha):
        return alpha * 0.5 * (h2 @ g1 + h1 @ g2)

    @mistake("one order only", "This is −αH₂g₁, for one order of the batches. Average over both orders.")
    def one_order(g1, g2, h1, h2, alpha):
        return -alpha * h2 @ g1
