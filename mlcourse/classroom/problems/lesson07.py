"""Lesson 7, first-order methods."""

from types import MappingProxyType

import numpy as np

from mlcourse import fomaml
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.problems.lesson06 import _episode, _objective
from mlcourse.classroom.problems.meta_gradients import EXACT, MetaGradientProblem
from mlcourse.recipes.deviations import DEVIATIONS, Deviation
from mlcourse.recipes.recipe import idle


class fomaml_gradient(MetaGradientProblem):
    title = "where FOMAML stops"
    place = "lesson"
    difficulty, minutes = "easy", 3
    tags = ("concept:fomaml", "takeaway:first-order-alternatives")
    cases = 5
    recipe = MappingProxyType({"factors": "none"})
    deviations = (
        EXACT,
        *(each for each in DEVIATIONS if each.choice != "factors" and each.setting != "an update a task"),
    )
    forbidden = ((fomaml, "`mlcourse.fomaml`"),)
    hints = (
        "The recursion begins with the slope that a step of θ_m itself would see. Of which loss, and at which parameters?",
        "`objective.grad(theta_m, data)` with the data that judge, not those that the steps have fitted.",
        "`v = objective.grad(theta_m, episode.query)`",
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
        `(T, P)`; `episode.support` and `episode.query` have a leading axis of T tasks. Do without `mlcourse.fomaml`.

        To try: `p.given("fomaml_gradient")`, with {given.steps} step{"s" * (given.steps != 1)}.
        """

    @staticmethod
    def solution(objective, theta, episode, alpha, steps):
        theta_m = theta
        for _ in range(steps):
            theta_m = theta_m - alpha * objective.grad(theta_m, episode.support)
        v = objective.grad(theta_m, episode.query)
        return v.mean(axis=0)

    def skip(self, settings):
        """What is handed out instead of a gradient knows of no factors, so it is told whatever the recipe says of them."""
        return super().skip(settings) if "gives" not in settings else idle(settings)


class reptile_update(FunctionProblem):
    title = "Reptile's step"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "From θ to one task's θ′ it is θ′ − θ. `adapted - theta` holds that for all tasks, one a row.",
        "Average over the tasks, along axis 0, and go the share ε of that way from θ.",
        "`theta + epsilon * np.mean(adapted - theta, axis=0)`",
    )
    explanation = r"""
    $\theta \leftarrow \theta + \epsilon\,\frac1T\sum_T(\theta'_T - \theta)$: towards the mean of the adapted parameters, by the share
    $\epsilon$ of the way. Written otherwise, $(1 - \epsilon)\,\theta + \epsilon$ times that mean.
    """
    deviations = (
        Deviation(
            "heads", "away", "away", "This moves away from the adapted parameters. Reptile goes towards them: + ε(θ′ − θ)."
        ),
        Deviation(
            "tasks", "sum", "sum over tasks",
            "The differences θ′ − θ are summed over tasks. With their mean, ε is the share of the way whatever T is.",
        ),
        Deviation(
            "tasks", "one after another", "one task after another",
            "θ moves after each task. Take all differences from the same θ, then average them.",
        ),
        Deviation("tasks", "first", "only the first task", "Only the first task's θ′ counts. Average over all of them."),
        Deviation(
            "tasks", "last", "only the last task",
            "Only the last task's θ′ counts: is something overwritten in the loop? Average over all of them.",
        ),
        Deviation(
            "tasks", "mean of all entries", "mean of all entries",
            "The mean is taken over tasks and parameters alike, one number for all. Average over the tasks alone: axis=0.",
        ),
        Deviation(
            "share", "1", "epsilon ignored", "This goes all the way to the adapted parameters. Go the share ε of it."
        ),
        Deviation(
            "share", "1 - epsilon", "epsilon and 1 - epsilon exchanged",
            "This goes the share 1 − ε of the way. A small ε is a small step: θ has the weight 1 − ε, the adapted ones ε.",
        ),
        Deviation(
            "share", "epsilon / T", "averaged over tasks twice", "The step is divided by T once more than the mean needs."
        ),
        Deviation(
            "way", "all of it", "theta not subtracted",
            "The mean of the adapted parameters is added to θ. The way there begins at θ: θ′ − θ.",
        ),
        Deviation(
            "gives", "the step", "the step alone", "This is the step alone. Return where it leads: θ and the step."
        ),
    )  # fmt: skip

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
        return theta + epsilon * np.mean(adapted - theta, axis=0)

    @staticmethod
    def variant(
        theta, adapted, epsilon, *, heads="towards", tasks="mean", share="epsilon", way="from theta", gives="theta"
    ):
        part = {"epsilon": epsilon, "1": 1.0, "1 - epsilon": 1 - epsilon, "epsilon / T": epsilon / len(adapted)}[share]
        part = part if heads == "towards" else -part
        ways = adapted if way == "all of it" else adapted - theta
        if tasks == "one after another":
            step = -theta
            for theta_prime in adapted:
                theta = theta + part * (theta_prime - theta)
            step = step + theta
        else:
            step = (
                part
                * {
                    "mean": np.mean(ways, axis=0),
                    "sum": np.sum(ways, axis=0),
                    "first": ways[0],
                    "last": ways[-1],
                    "mean of all entries": np.full(len(theta), np.mean(ways)),
                }[tasks]
            )
            theta = theta + step
        return step if gives == "the step" else theta

    def skip(self, settings):
        """A sum divided by T is a mean; one after another, all the way, ends at the last task and knows of no sum."""
        tasks, others = settings.get("tasks"), {"all of it", "1"} & set(settings.values())
        return (tasks == "sum" and settings.get("share") == "epsilon / T") or (tasks == "one after another" and others)


class reptile_optimum(FunctionProblem):
    title = "where Reptile stands still on the test bed"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "One step leaves the share 1 − αh of the way from θ* to θ. Which share is left after m steps?",
        "m steps leave (1 − αh)^m. θ − θ′ is what they have covered, the rest of the way.",
        "`weights = 1 - (1 - alpha * h) ** m`",
    )
    explanation = r"""
    $\theta' - \theta^* = (1-\alpha h)^m(\theta - \theta^*)$, so $\theta - \theta' = \big(1 - (1-\alpha h)^m\big)(\theta - \theta^*)$. The
    mean of that over the tasks is zero at the mean of the $\theta^*$ with the weights $1 - (1-\alpha h)^m$. With $m = 1$ they are
    $\alpha h$, those of joint training; for $m \to \infty$ all are 1.
    """
    deviations = (
        Deviation(
            "steps", "one", "one step", "These are the weights of one step, αh. m steps cover 1 − (1 − αh)^m of the way."
        ),
        Deviation(
            "steps", "one more", "one step too many", "The power is m + 1. One step leaves 1 − αh, m steps its mth power."
        ),
        Deviation(
            "steps", "one less", "one step too few", "The power is m − 1. One step leaves 1 − αh, m steps its mth power."
        ),
        Deviation(
            "steps", "twice", "the power 2m",
            "The power is 2m, as in MAML, whose loss is a square. Reptile looks at θ − θ′ itself: the power is m.",
        ),
        Deviation("step", "h", "alpha left out", "α is missing: one step leaves 1 − αh of the way, not 1 − h."),
        Deviation(
            "step", "2 alpha h", "the factor 2 once more",
            "One step leaves 1 − αh here, not 1 − 2αh: the gradient of h/2(θ − θ*)² is h(θ − θ*), the 2 is gone.",
        ),
        Deviation("step", "- alpha h", "uphill", "(1 + αh)^m grows: those are steps uphill. A step down leaves 1 − αh."),
        Deviation(
            "weights", "left", "what is left",
            "The weights are what m steps leave. θ − θ′ is what they cover: one minus that.",
        ),
        Deviation(
            "weights", "times h", "times the curvature",
            "The weights have the curvature in front. That belongs to a gradient; Reptile's direction is a way, θ − θ′.",
        ),
        Deviation(
            "weights", "h left", "FOMAML's weights",
            "These are FOMAML's weights, h(1 − αh)^m: what is left, times the curvature. Reptile's direction is θ − θ′.",
        ),
        Deviation(
            "weights", "h left squared", "MAML's weights",
            "These are MAML's weights, h(1 − αh)^(2m). Reptile's direction is θ − θ′.",
        ),
        Deviation(
            "weights", "equal", "plain mean", "All tasks weigh the same here, as they would after infinitely many steps."
        ),
        Deviation(
            "divided by", "T", "not divided by the weights",
            "The sum is divided by T. For a mean, divide by the sum of the weights.",
        ),
        Deviation(
            "divided by", "1", "not divided by the weights",
            "Σ weight · θ* alone is no mean: divide by the sum of the weights.",
        ),
    )  # fmt: skip

    def draw(self, rng):
        tasks = int(rng.integers(2, 6))
        h = rng.uniform(0.3, 4, tasks)
        alpha, m = float(rng.uniform(0.2, 0.8) / h.max()), int(rng.integers(2, 7))
        return {"h": h, "theta_star": rng.normal(0, 2, tasks), "alpha": alpha, "m": m}

    def statement(self, given):
        return rf"""
        The tasks have the losses $\frac{{h}}{{2}}(\theta - \theta^*)^2$. Write `reptile_optimum(h, theta_star, alpha, m)`: where Reptile
        with m inner steps stands still. `h` and `theta_star` have shape `(T,)`, one curvature and one optimum a task; the answer is
        a number.

        For h = (1, 4), theta_star = (2, 0), alpha = 0.1 and m = 3 it is 0.514. To try: `p.given("reptile_optimum")`, with T =
        {len(given.h)}.
        """

    @staticmethod
    def solution(h, theta_star, alpha, m):
        weights = 1 - (1 - alpha * h) ** m
        return np.sum(weights * theta_star) / np.sum(weights)

    def variant(self, h, theta_star, alpha, m, **settings):
        steps = {"one": 1, "one more": m + 1, "one less": m - 1, "twice": 2 * m}.get(settings.get("steps"), m)
        step = {"h": h, "2 alpha h": 2 * alpha * h, "- alpha h": -alpha * h}.get(settings.get("step"), alpha * h)
        left = (1 - step) ** steps
        weights = {
            "left": left, "times h": h * (1 - left), "h left": h * left, "h left squared": h * left**2,
            "equal": np.ones(len(h)),
        }.get(settings.get("weights"), 1 - left)  # fmt: skip
        total = {"T": len(h), "1": 1.0}.get(settings.get("divided by"), np.sum(weights))
        return np.sum(weights * theta_star) / total

    def skip(self, settings):
        """Equal weights do not depend on the steps."""
        return settings.get("weights") == "equal" and bool({"steps", "step"} & set(settings))


class first_order_bias(NumberProblem):
    title = "how far FOMAML's gradient is from MAML's"
    difficulty, minutes = "medium", 8
    tags = ("concept:fomaml",)
    hints = (
        "On h/2(θ − θ*)² one step leads to θ′ − θ* = (1 − αh)(θ − θ*). FOMAML's gradient is h(θ′ − θ*).",
        "FOMAML's is h(1 − αh)(θ − θ*), MAML's has the factor 1 − αh once more.",
        "The difference is αh²(1 − αh)(θ − θ*) in each task. Take the mean over the two.",
    )
    explanation = r"""
    $h(1-\alpha h)(\theta - \theta^*) - h(1-\alpha h)^2(\theta - \theta^*) = \alpha h^2(1 - \alpha h)(\theta - \theta^*)$: FOMAML's gradient
    times $\alpha h$, the part that the factor $1 - \alpha h$ would take away; averaged over the tasks.
    """

    def draw(self, rng):
        h = np.round(rng.uniform(0.5, 4, 2), 1)
        theta_star, theta = np.round(rng.uniform(-2, 2, 2), 1), round(float(rng.uniform(-2, 2)), 1)
        return {"h": h, "theta_star": theta_star, "theta": theta, "alpha": round(float(rng.uniform(0.05, 0.2)), 2)}

    def statement(self, given):
        return rf"""
        Two tasks have the losses $\frac{{h}}{{2}}(\theta - \theta^*)^2$ with $h$ = {given.h[0]} and {given.h[1]}, $\theta^*$ =
        {given.theta_star[0]} and {given.theta_star[1]}, for support and query alike. Take one inner step with $\alpha$ = {given.alpha},
        from $\theta$ = {given.theta}. By how much does FOMAML's meta-gradient at this $\theta$ differ from MAML's? Give FOMAML's minus
        MAML's, each averaged over the two tasks. (`p.given("first_order_bias")` has the numbers.)
        """

    @staticmethod
    def solution(h, theta_star, theta, alpha):
        return np.mean(alpha * h**2 * (1 - alpha * h) * (theta - theta_star))

    @mistake("sign", "That is MAML's minus FOMAML's. Asked for is FOMAML's minus MAML's.")
    def sign(h, theta_star, theta, alpha):
        return -first_order_bias.solution(h, theta_star, theta, alpha)

    @mistake("sum over tasks", "That is the sum over the two tasks. Both gradients are means.")
    def summed(h, theta_star, theta, alpha):
        return 2 * first_order_bias.solution(h, theta_star, theta, alpha)

    @mistake(
        "gradient before the step",
        "The query's gradient was taken at θ, before the step. After it the distance is (1 − αh)(θ − θ*).",
    )
    def at_theta(h, theta_star, theta, alpha):
        return np.mean(alpha * h**2 * (theta - theta_star))

    @mistake("FOMAML's gradient", "That is FOMAML's gradient itself. Subtract MAML's.")
    def whole(h, theta_star, theta, alpha):
        return np.mean(h * (1 - alpha * h) * (theta - theta_star))

    @mistake("MAML's gradient", "That is MAML's gradient itself. Subtract it from FOMAML's.")
    def exact(h, theta_star, theta, alpha):
        return np.mean(h * (1 - alpha * h) ** 2 * (theta - theta_star))

    @mistake("the ratio", "That is FOMAML's gradient divided by MAML's. Asked for is the difference.")
    def ratio(h, theta_star, theta, alpha):
        return first_order_bias.whole.answer(h, theta_star, theta, alpha) / first_order_bias.exact.answer(
            h, theta_star, theta, alpha
        )

    @mistake(
        "relative difference", "That is the difference divided by MAML's gradient. Asked for is the difference itself."
    )
    def relative(h, theta_star, theta, alpha):
        return first_order_bias.ratio.answer(h, theta_star, theta, alpha) - 1

    @mistake(
        "a curvature left out",
        "A factor h is missing: the gradient of h/2(θ − θ*)² is h(θ − θ*), and the Hessian brings the other h.",
    )
    def one_curvature(h, theta_star, theta, alpha):
        return np.mean(alpha * h * (1 - alpha * h) * (theta - theta_star))

    @mistake("alpha left out", "α is missing: the part that MAML's factor takes away is αh times FOMAML's gradient.")
    def without_alpha(h, theta_star, theta, alpha):
        return np.mean(h**2 * (1 - alpha * h) * (theta - theta_star))

    @mistake(
        "the factor squared",
        "That is αh times MAML's gradient. The difference is αh times FOMAML's, with the factor 1 − αh once.",
    )
    def squared(h, theta_star, theta, alpha):
        return np.mean(alpha * h**2 * (1 - alpha * h) ** 2 * (theta - theta_star))

    @mistake("only the first task", "That is the first task's difference alone. Average over both.")
    def first(h, theta_star, theta, alpha):
        return (alpha * h**2 * (1 - alpha * h) * (theta - theta_star))[0]


class when_equal(ChoiceProblem):
    title = "the same direction, or not?"
    difficulty, minutes = "medium", 8
    tags = ("concept:fomaml", "takeaway:first-order-alternatives")
    labels = ("same", "different")
    hints = (
        "FOMAML and MAML agree where (I − αH) does nothing to the direction: no curvature, no step, or one H = h·I for all.",
        "Joint training takes the gradient at θ. Reptile with one step does, too; with more steps, and in FOMAML, θ has moved.",
        "A step from another θ gives another gradient, unless the curvature is the same number everywhere: then only shorter.",
    )
    explanation = """
    FOMAML leaves out (I − αH). That changes nothing when H = 0 or α = 0, and only the length when one curvature serves all tasks
    and directions. Reptile-1 is the support gradient. With one curvature for all tasks its further steps change the length alone.
    Otherwise the directions differ, and so do the ends.
    """
    traps = MappingProxyType(
        {
            "first-order taken for exact": "MAML and FOMAML were called the same where the factor (I − αH) turns the direction.",
            "Reptile taken for joint training": "Reptile with several steps was called the same as with one: from the second step on "
            "the gradient is taken at parameters that have moved.",
            "FOMAML taken for joint training": "FOMAML was called joint training. It takes the gradient after adaptation, at θ_m.",
            "any factor taken for a turn": "Two were called different that differ in length alone: where one curvature serves all "
            "tasks, the factors are the same number for all.",
            "Reptile-1 taken for Reptile": "Reptile with one step was called different from joint training: θ − θ₁ = α∇L_s(θ).",
        }
    )

    def statement(self, given):
        return """
        Do the two point in the *same* direction at every θ, perhaps with another length, or can the directions be *different*?
        On the test bed, where a task has one curvature, support and query have the same loss.
        """

    def items(self, rng):
        h, alpha = round(float(rng.uniform(0.5, 2)), 1), round(float(rng.uniform(0.05, 0.3)), 2)
        low, high = round(float(rng.uniform(0.3, 1)), 1), round(float(rng.uniform(2, 3)), 1)
        m = int(rng.integers(2, 7))
        first, reptile, fomaml, factor, one = self.traps
        pool = [
            Item(f"MAML and FOMAML, α = 0 and {m} steps", "same", {}, "with α = 0, what is I − αH?"),
            Item(
                f"MAML and FOMAML on the test bed, curvature {h} in every task, α = {alpha}", "same", {factor: "different"},
                "the factor 1 − αh is one number here. Does it turn the mean of the gradients?",
            ),
            Item(
                f"MAML and FOMAML, losses that are linear in θ, α = {alpha}", "same", {},
                "what is the Hessian of a linear loss?",
            ),
            Item(
                "Reptile with 1 step and joint training on the support sets", "same", {one: "different"},
                "write down θ − θ₁ for one step.",
            ),
            Item(
                f"Reptile with {m} steps and joint training on the test bed, curvature {h} in every task, α = {alpha}", "same",
                {factor: "different"}, "the weights are 1 − (1 − αh)^m. With one h, which mean is that?",
            ),
            Item(
                f"MAML and FOMAML on the test bed, curvatures {low} and {high}, α = {alpha}", "different", {first: "same"},
                "the factors 1 − αh of the two tasks are two numbers.",
            ),
            Item(
                f"MAML and FOMAML on a tanh network, {m} steps, α = {alpha}", "different", {first: "same"},
                "is the Hessian of a tanh network a number times I?",
            ),
            Item(
                f"Reptile with {m} steps and joint training on the test bed, curvatures {low} and {high}", "different",
                {reptile: "same"}, "compare the weights 1 − (1 − αh)^m and h for the two tasks.",
            ),
            Item(
                f"Reptile with {m} steps and Reptile with 1 step, on a tanh network", "different", {reptile: "same"},
                "where is the second step's gradient taken?",
            ),
            Item(
                f"FOMAML with {m} steps and joint training, on a relu network, α = {alpha}", "different", {fomaml: "same"},
                "at which parameters does each take its gradient?",
            ),
            Item(
                f"FOMAML with 1 step and joint training on the test bed, curvatures {low} and {high}, α = {alpha}", "different",
                {fomaml: "same"}, "compare the weights h(1 − αh) and h for the two tasks.",
            ),
        ]  # fmt: skip
        return [pool[i] for i in rng.permutation(len(pool))[:8]]


class equal_cost(NumberProblem):
    title = "as many iterations for the same passes"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "Count what one task costs in one iteration: gradients on the support set, the gradient on the query set, Hessian products.",
        "MAML: m gradients on the support set and m Hessian products, one gradient on the query set. Reptile never looks at the query set.",
    )
    explanation = r"""
    An iteration of MAML costs $m + 1$ gradients and $m$ Hessian products, an iteration of Reptile one gradient for each of its
    steps. The totals are equal where Reptile's iterations are MAML's times the ratio of the two.
    """

    def draw(self, rng):
        return {
            "iterations": 100 * int(rng.integers(5, 31)),
            "m": int(rng.integers(2, 6)),
            "product": round(float(rng.uniform(2, 2.5)), 1),
            "reptile_steps": int(rng.integers(3, 11)),
        }

    def statement(self, given):
        return rf"""
        MAML with $m$ = {given.m} inner steps was trained for {given.iterations} iterations. You want to train Reptile with
        {given.reptile_steps} inner steps at the same counted cost: as many passes a task in all, a gradient counted as 1 and a Hessian
        product as {given.product}. For how many iterations? (`p.given("equal_cost")` has the numbers.)
        """

    @staticmethod
    def solution(iterations, m, product, reptile_steps):
        return iterations * (m + 1 + product * m) / reptile_steps

    @mistake(
        "Hessian products as one",
        "A Hessian product was counted as one gradient. It is the derivative of one, and dearer.",
    )
    def as_one(iterations, m, product, reptile_steps):
        return iterations * (m + 1 + m) / reptile_steps

    @mistake(
        "no Hessian products", "That leaves out MAML's Hessian products, one for each inner step: it is FOMAML's cost."
    )
    def without(iterations, m, product, reptile_steps):
        return iterations * (m + 1) / reptile_steps

    @mistake("query gradient left out", "MAML's gradient on the query set is missing: m + 1 gradients in all.")
    def no_query(iterations, m, product, reptile_steps):
        return iterations * (m + product * m) / reptile_steps

    @mistake("one Hessian product too many", "There is a Hessian product for each of the m inner steps, none at θ_m.")
    def one_more(iterations, m, product, reptile_steps):
        return iterations * (m + 1 + product * (m + 1)) / reptile_steps

    @mistake("a query gradient for Reptile", "Reptile was given a gradient on the query set. It never looks at it.")
    def query_for_reptile(iterations, m, product, reptile_steps):
        return iterations * (m + 1 + product * m) / (reptile_steps + 1)

    @mistake("turned round", "The ratio is turned round. The method that is cheaper an iteration gets more of them.")
    def turned(iterations, m, product, reptile_steps):
        return iterations * reptile_steps / (m + 1 + product * m)

    @mistake(
        "as many iterations", "An iteration of Reptile costs another number of passes than one of MAML: count both."
    )
    def as_many(iterations, m, product, reptile_steps):
        return iterations

    @mistake(
        "one Hessian product for all steps", "There is a Hessian product for each of the m inner steps, not one in all."
    )
    def one_product(iterations, m, product, reptile_steps):
        return iterations * (m + 1 + product) / reptile_steps

    @mistake("passes, not iterations", "Those are MAML's passes. Divide them by what an iteration of Reptile costs.")
    def passes(iterations, m, product, reptile_steps):
        return iterations * (m + 1 + product * m)


class inner_product_term(FunctionProblem):
    title = "the term that makes gradients agree"
    difficulty, minutes = "hard", 10
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "The first step is taken on batch 1: θ₁ = θ − αg₁. Expand the second step's gradient, ∇L₂(θ₁), around θ.",
        "In this order of the batches the sum of both gradients is g₁ + g₂ − αH₂g₁. What is it in the other order?",
        "Average both orders: −α·½(H₂g₁ + H₁g₂).",
    )
    explanation = r"""
    $\frac{\theta - \theta_2}{\alpha} = g_1 + g_2 - \alpha H_2 g_1 + O(\alpha^2)$. Averaged over which batch comes first, $H_2 g_1$ becomes
    $\frac12(H_2 g_1 + H_1 g_2) = \frac12\nabla(g_1\cdot g_2)$.
    """
    deviations = (
        Deviation(
            "factor", "1", "AvgGradInner itself", "This is AvgGradInner itself. In Reptile's direction it has the factor −α."
        ),
        Deviation("factor", "-1", "alpha left out", "α is missing: the second gradient is taken a step of size α away."),
        Deviation(
            "factor", "-alpha squared", "alpha squared",
            "Yours has α². That is its size in θ − θ₂; divided by α, as asked, it is −α.",
        ),
        Deviation(
            "term", "AvgGrad", "AvgGrad instead", "This is the mean gradient, of the first term. The second has the Hessians in it."
        ),
        Deviation(
            "term", "own", "own Hessians",
            "Each gradient is multiplied by its own batch's Hessian. It is the other's: H₂g₁ and H₁g₂.",
        ),
        Deviation("term", "H2 g1", "one order only", "This is for batch 1 first, H₂g₁. Average over both orders."),
        Deviation("term", "H1 g2", "one order only", "This is for batch 2 first, H₁g₂. Average over both orders."),
        Deviation(
            "term", "of the means", "mean Hessian, mean gradient",
            "The mean Hessian is multiplied by the mean gradient. That has H₁g₁ and H₂g₂ in it: no batch's step meets its own again.",
        ),
    )  # fmt: skip

    def draw(self, rng):
        size = int(rng.integers(3, 6))
        H1, H2 = ((m + m.T) / 2 for m in rng.normal(size=(2, size, size)))
        g1, g2 = rng.normal(size=(2, size))
        return {"g1": g1, "g2": g2, "H1": H1, "H2": H2, "alpha": float(rng.uniform(0.05, 0.4))}

    def statement(self, given):
        return rf"""
        Take Reptile with two inner steps as Nichol et al. expand it: each step on **a batch of its own**. The two batches of a task have
        the gradients `g1`, `g2`, shape `(P,)`, and the Hessians `H1`, `H2`, shape `(P, P)`, at θ. Expand $(\theta - \theta_2)/\alpha$ in
        $\alpha$ and average over which of the two batches comes first: it is $2\,\mathrm{{AvgGrad}} + (\text{{second term}}) +
        O(\alpha^2)$. Write `inner_product_term(g1, g2, H1, H2, alpha)`: the second term, its sign and $\alpha$ included, shape `(P,)`.

        To try: `p.given("inner_product_term")`, with P = {len(given.g1)}.
        """

    @staticmethod
    def solution(g1, g2, H1, H2, alpha):
        return -alpha * (H2 @ g1 + H1 @ g2) / 2

    @staticmethod
    def variant(g1, g2, H1, H2, alpha, *, factor="-alpha", term="others"):
        term = {
            "others": (H2 @ g1 + H1 @ g2) / 2, "AvgGrad": (g1 + g2) / 2, "own": (H1 @ g1 + H2 @ g2) / 2,
            "H2 g1": H2 @ g1, "H1 g2": H1 @ g2, "of the means": (H1 + H2) @ (g1 + g2) / 4,
        }[term]  # fmt: skip
        return term * {
            "-alpha": -alpha, "1": 1.0, "-1": -1.0, "-alpha squared": -(alpha**2),
        }[factor]  # fmt: skip

    @mistake("sign", "Your term has the factor +α; it is −α: the second gradient is taken a step down the first.")
    def plus(g1, g2, H1, H2, alpha):
        return alpha * (H2 @ g1 + H1 @ g2) / 2

    @mistake("both terms", "That is the whole expansion, both terms. Asked for is the second alone.")
    def whole(g1, g2, H1, H2, alpha):
        return g1 + g2 - alpha * (H2 @ g1 + H1 @ g2) / 2

    @mistake("MAML's factor", "Your term has the factor −2α, which is MAML's. Reptile with two steps has −α.")
    def factor_of_maml(g1, g2, H1, H2, alpha):
        return -alpha * (H2 @ g1 + H1 @ g2)


class same_batch_term(FunctionProblem):
    title = "the same term where all steps see one support set"
    difficulty, minutes = "medium", 8
    tags = ("takeaway:first-order-alternatives",)
    hints = (
        "θ − θ_m is α times the sum of the gradients at θ_0, θ_1, … θ_{m−1}. How far has θ_i moved, to first order in α?",
        "θ_i = θ − iαg + O(α²), so the gradient there is g − iαHg + O(α²). Sum it over i = 0 … m − 1.",
        "0 + 1 + … + (m − 1) = m(m − 1)/2.",
    )
    explanation = r"""
    The step from $\theta_i = \theta - i\alpha g + O(\alpha^2)$ has the gradient $g - i\alpha Hg + O(\alpha^2)$. Their sum over $i = 0, \dots, m-1$ is
    $m\,g - \alpha\frac{m(m-1)}{2}Hg$, and $Hg = \frac12\nabla|g|^2$.
    """
    deviations = (
        Deviation(
            "count", "m", "m for the sum", "You count Hg m times. The step from θ_i counts it i times: 0 + 1 + … + (m − 1)."
        ),
        Deviation(
            "count", "m - 1", "m - 1 for the sum",
            "You count Hg m − 1 times, once for each step after the first. The step from θ_i counts it i times.",
        ),
        Deviation("count", "1", "once", "You count Hg once, which is right for m = 2. The step from θ_i counts it i times."),
        Deviation(
            "count", "to m", "summed to m", "Yours is 1 + 2 + … + m. The gradients are taken at θ_0 … θ_{m−1}: up to m − 1."
        ),
        Deviation("count", "half m squared", "half of m squared", "The sum 0 + 1 + … + (m − 1) is m(m − 1)/2, not m²/2."),
        Deviation("factor", "-1", "alpha left out", "α is missing: θ_i is iα steps of g away."),
        Deviation(
            "factor", "-alpha squared", "alpha squared",
            "Yours has α². That is its size in θ − θ_m; divided by α, as asked, it is −α.",
        ),
        Deviation("term", "g", "no Hessian", "There is no Hessian in it. The gradient changes by H times the way gone."),
    )  # fmt: skip

    def draw(self, rng):
        size = int(rng.integers(3, 6))
        root = rng.normal(size=(size, size))
        alpha, m = float(rng.uniform(0.05, 0.3)), int(rng.integers(2, 8))
        return {"g": rng.normal(size=size), "H": (root + root.T) / 2, "alpha": alpha, "m": m}

    def statement(self, given):
        return rf"""
        Reptile as the package runs it takes all m inner steps on **one support set**, with the gradient `g`, shape `(P,)`, and the
        Hessian `H`, shape `(P, P)`, at θ. Expand $(\theta - \theta_m)/\alpha$ in $\alpha$: it is $m\,g + (\text{{second term}}) + O(\alpha^2)$. Write
        `same_batch_term(g, H, alpha, m)`: the second term, its sign and $\alpha$ included, shape `(P,)`. For m = 2 it is the lesson's
        $-\alpha Hg$.

        To try: `p.given("same_batch_term")`, with P = {len(given.g)} and m = {given.m}.
        """

    @staticmethod
    def solution(g, H, alpha, m):
        return -alpha * m * (m - 1) / 2 * H @ g

    @staticmethod
    def variant(g, H, alpha, m, *, count="sum", factor="-alpha", term="H g"):
        count = {
            "sum": m * (m - 1) / 2, "m": m, "m - 1": m - 1, "1": 1, "to m": m * (m + 1) / 2, "half m squared": m**2 / 2,
        }[count]  # fmt: skip
        factor = {"-alpha": -alpha, "-1": -1.0, "-alpha squared": -(alpha**2)}[factor]
        return factor * count * (g if term == "g" else H @ g)

    @mistake("sign", "Your term has the factor +α; it is −α: each step goes down the gradient.")
    def plus(g, H, alpha, m):
        return alpha * m * (m - 1) / 2 * H @ g

    @mistake("both terms", "That is the whole expansion, both terms. Asked for is the second alone.")
    def whole(g, H, alpha, m):
        return m * g - alpha * m * (m - 1) / 2 * H @ g

    @mistake("not halved", "The sum 0 + 1 + … + (m − 1) is half of m(m − 1).")
    def not_halved(g, H, alpha, m):
        return -alpha * m * (m - 1) * H @ g
