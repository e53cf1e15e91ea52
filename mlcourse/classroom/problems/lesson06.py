"""Lesson 6, MAML."""

from types import MappingProxyType

import numpy as np

from mlcourse import MLP, Data, Episode, adapt, maml, mean_squared_error, tanh, trajectory
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.problems.meta_gradients import MetaGradientProblem
from mlcourse.objectives import place
from mlcourse.recipes.deviations import DEVIATIONS, Deviation


def _objective(rng):
    """A small model with curvature, and the mean squared error of it."""
    inputs = int(rng.integers(1, 3))
    model = MLP([inputs, int(rng.integers(2, 4)), 1], activation=tanh)
    return mean_squared_error(model), rng.normal(size=model.size)


def _data(rng, shape, inputs):
    return Data(rng.normal(size=(*shape, inputs)), rng.normal(size=(*shape, 1)))


def _episode(rng, tasks, inputs):
    """tasks () gives one task without a leading axis."""
    shots, queries = (int(n) for n in rng.integers(2, 6, size=2))
    return Episode(_data(rng, (*tasks, shots), inputs), _data(rng, (*tasks, queries), inputs), {})


def _first_task(episode):
    """The episode's first task alone, with its axis."""
    return Episode(*(Data(data.x[:1], data.y[:1]) for data in episode[:2]), {})


class outer_step(FunctionProblem):
    title = "one outer step from a batch of tasks"
    place = "lesson"
    difficulty, minutes = "easy", 3
    tags = ("concept:outer-loop", "concept:batch-of-tasks", "concept:meta-parameters")
    hints = (
        "Ask every task at the same θ: `gradient(theta)` for each of `gradients`. What is the one direction of the step?",
        "Their mean over the tasks, entry by entry: `np.mean([…], axis=0)`. Go against it, β times as far as it is long.",
        "`return theta - beta * np.mean([gradient(theta) for gradient in gradients], axis=0)`",
    )
    explanation = r"""
    $\theta \leftarrow \theta - \beta\,\frac1T\sum_{\mathcal T}\nabla_\theta L_q(\theta')$: every task's meta-gradient is taken at the same
    $\theta$, then one step is made. Step after each task, and the second task answers another question than the first.
    """
    deviations = (
        Deviation("tasks", "sum", "sum over tasks",
                  "This steps along the sum. Along the mean, β means the same whatever the number of tasks in the batch."),
        Deviation("tasks", "one after another", "one task after another",
                  "θ moves after every task, so each task's gradient is taken at another θ. Ask all tasks at the same θ, then "
                  "step."),
        Deviation("tasks", "a whole step each", "a whole step a task",
                  "θ takes a whole step of size β for every task in turn. A batch makes one step, along the mean at one θ."),
        Deviation("tasks", "first", "only the first task",
                  "Only the first task's gradient counts. Average over all of them."),
        Deviation("tasks", "last", "only the last task",
                  "Only the last task's gradient counts: is something overwritten in a loop? Average over all of them."),
        Deviation("tasks", "all entries", "mean of all entries",
                  "The mean is taken over tasks and parameters alike, one number for all. Average over the tasks alone: "
                  "`axis=0`."),
        Deviation("tasks", "twice", "averaged over tasks twice",
                  "The gradient is divided by the number of tasks twice: `np.mean` has done it already."),
        Deviation("tasks", "over P", "divided by the number of parameters",
                  "The sum over the tasks is divided by P, the length of θ. Divide it by T, the number of tasks."),
        Deviation("tasks", "median", "median for the mean",
                  "This takes the median over the tasks. The loss is a mean over tasks, and so is its gradient."),
        Deviation("length", "the gradient's", "beta left out",
                  "The step is the whole gradient. Its length is β times the gradient."),
        Deviation("length", "unit", "gradient of length 1",
                  "The gradient is divided by its length. The step is β times as long as the gradient."),
        Deviation("sign", 1, "uphill", "This goes along the gradient, where the loss grows. Descent subtracts it."),
        Deviation("gives", "step", "the step, not theta",
                  "This is the step −β times the gradient alone. Return where it leads: θ and the step."),
        Deviation("gives", "gradient", "the gradient itself",
                  "This is the mean gradient. The answer is θ after a step against it."),
        Deviation("gives", "all times beta", "beta times theta too",
                  "β multiplies θ as well: it belongs to the gradient alone."),
    )  # fmt: skip

    def draw(self, rng):
        size, tasks = int(rng.integers(2, 6)), int(rng.integers(3, 6))
        matrices, centres = rng.uniform(0.5, 2.0, (tasks, size)), rng.normal(size=(tasks, size))
        gradients = [lambda theta, a=a, c=c: a * (theta - c) for a, c in zip(matrices, centres, strict=True)]
        return {"theta": rng.normal(size=size), "gradients": gradients, "beta": float(rng.uniform(0.05, 0.3))}

    def statement(self, given):
        return rf"""
        Write `outer_step(theta, gradients, beta)`: θ after one outer step of plain gradient descent with step size `beta`, along the mean
        over the tasks. `gradients` is a list of functions, one a task: `gradients[0](theta)` is the first task's meta-gradient at
        `theta`. All have shape `(P,)`, and so has the answer.

        To try: `p.given("outer_step")`, with {len(given.gradients)} tasks and P = {given.theta.size}.
        """

    @staticmethod
    def solution(theta, gradients, beta):
        return theta - beta * np.mean([gradient(theta) for gradient in gradients], axis=0)

    @staticmethod
    def variant(theta, gradients, beta, *, tasks="mean", length="beta", sign=-1, gives="theta"):
        def step(rows):
            pooled = {
                "sum": np.sum(rows, axis=0), "first": rows[0], "last": rows[-1],
                "all entries": np.full(len(theta), np.mean(rows)), "twice": np.mean(rows, axis=0) / len(rows),
                "over P": np.sum(rows, axis=0) / len(theta), "median": np.median(rows, axis=0),
            }.get(tasks, np.mean(rows, axis=0))  # fmt: skip
            return sign * {"the gradient's": 1.0, "unit": beta / np.linalg.norm(pooled)}.get(length, beta) * pooled

        if tasks in ("one after another", "a whole step each"):
            end, share = theta, 1 if tasks == "a whole step each" else 1 / len(gradients)
            for gradient in gradients:
                end = end + share * step([gradient(end)])
            moved = end - theta
        else:
            moved = step([gradient(theta) for gradient in gradients])
        return {"step": moved, "gradient": -moved / beta, "all times beta": beta * theta + moved}.get(
            gives, theta + moved
        )

    def skip(self, settings):
        return settings.get("gives") == "gradient" and bool({"sign", "length"} & set(settings))

    def simpler(self, case):
        return {"one task": case | {"gradients": case["gradients"][:1]}}

    @mistake(
        "a theta a task",
        "This is one θ a task, shape (T, P). All tasks share one θ: take the mean of their gradients, along axis 0, first.",
    )
    def a_theta_a_task(theta, gradients, beta):
        return theta - beta * np.array([gradient(theta) for gradient in gradients])


def _line(name, message, line):
    """The mistake of go_back that has `line(v, alpha, place)` for the new v."""

    def answer(objective, thetas, episode, alpha):
        v = objective.grad(thetas[-1], episode.query)
        for theta_i in reversed(thetas[:-1]):
            v = line(v, alpha, place(objective, theta_i, episode.support))
        return np.mean(v, axis=0)

    return mistake(name, message)(answer)


class go_back(MetaGradientProblem):
    title = "one step of the way back"
    place = "lesson"
    difficulty, minutes = "easy", 5
    tags = ("concept:maml", "concept:higher-order-gradients")
    cases = 5
    deviations = tuple(
        each
        for each in DEVIATIONS
        if each.choice not in ("descends", "size", "extra", "walk", "gives")
        and not str(each.setting).startswith("every step")
    )
    hints = (
        "The new v is (I − αH_i) times the old one: v minus α times a Hessian-vector product. Of which loss, and at which θ?",
        "The step from θ_i was made on the support set: `objective.hvp(theta_i, episode.support, v)` is H_i v, for all tasks.",
        "`v = v - alpha * objective.hvp(theta_i, episode.support, v)`",
    )
    explanation = r"""
    $(I - \alpha H_i)\,v = v - \alpha H_i v$ with $H_i = \nabla^2 L_s(\theta_i)$, the Hessian of the loss that the step from $\theta_i$
    descended, taken where it began. One Hessian-vector product a step, from the last step to the first.
    """

    def draw(self, rng):
        objective, theta = _objective(rng)
        episode = _episode(rng, (int(rng.integers(2, 5)),), objective.model.inputs)
        steps, alpha = int(rng.integers(2, 4)), float(rng.uniform(0.05, 0.2))
        thetas = trajectory(objective, theta, episode.support, alpha, steps)
        return {"objective": objective, "thetas": thetas, "episode": episode, "alpha": alpha}

    def statement(self, given):
        return rf"""
        Write `go_back(objective, thetas, episode, alpha)`: the mean meta-gradient of the tasks, shape `(P,)`, from the way that the inner
        loop has gone. `thetas` has shape `(m + 1, T, P)`: `thetas[i]` holds every task's $\theta_i$, and `thetas[-1]` the last,
        $\theta_m$. `objective.grad(theta, data)` and `objective.hvp(theta, data, v)` take and give one row a task, `(T, P)`.

        To try: `p.given("go_back")`, with {len(given.thetas) - 1} steps and {given.thetas.shape[1]} tasks.
        """

    @staticmethod
    def solution(objective, thetas, episode, alpha):
        v = objective.grad(thetas[-1], episode.query)
        for theta_i in reversed(thetas[:-1]):
            v = v - alpha * objective.hvp(theta_i, episode.support, v)
        return np.mean(v, axis=0)

    def kitchen(self, case):
        thetas = case["thetas"]
        return super().kitchen(
            {"objective": case["objective"], "theta": thetas[0, 0], "episode": case["episode"]}
            | {"alpha": case["alpha"], "steps": len(thetas) - 1}
        )

    def simpler(self, case):
        one_task = {"episode": _first_task(case["episode"])}
        return {
            "one inner step and one task": case | one_task | {"thetas": case["thetas"][:2, :1]},
            "one inner step": case | {"thetas": case["thetas"][:2]},
            "one task": case | one_task | {"thetas": case["thetas"][:, :1]},
        }

    gradient_step = _line(
        "a gradient step for the factor",
        "This subtracts α times the support's *gradient* from v, a step of the inner loop once more. The factor (I − αH) subtracts "
        "α times the Hessian's product with v.",
        lambda v, alpha, at: v - alpha * at.grad,
    )
    product = _line(
        "H v for the factor",
        "v is replaced by Hv. The factor is I − αH: what θ itself carries along, v, minus α times Hv.",
        lambda v, alpha, at: at.hvp(v),
    )
    alpha_product = _line(
        "alpha H v for the factor",
        "v is replaced by αHv. The factor is I − αH: what θ itself carries along, v, minus αHv.",
        lambda v, alpha, at: alpha * at.hvp(v),
    )
    misread = _line(
        "1 - alpha for I - alpha H",
        "This is (1 − α)Hv. In (I − αH)v the I stands alone: v − αHv.",
        lambda v, alpha, at: (1 - alpha) * at.hvp(v),
    )
    of_theta = _line(
        "theta for v",
        "H is multiplied by θ_i. What is carried back is v: the product is H v, taken *at* θ_i.",
        lambda v, alpha, at: v - alpha * at.hvp(at.theta),
    )

    @mistake(
        "begins again with v_m",
        "Each step begins with ∇L_q(θ_m) again. Go on from the v that the step before gave: v − αHv.",
    )
    def begins_again(objective, thetas, episode, alpha):
        v_m = v = objective.grad(thetas[-1], episode.query)
        for theta_i in reversed(thetas[:-1]):
            v = v_m - alpha * objective.hvp(theta_i, episode.support, v)
        return np.mean(v, axis=0)

    @mistake(
        "a gradient a task",
        "This is one meta-gradient a task, shape (T, P). The outer step goes along their mean, over the tasks' axis.",
    )
    def not_averaged(objective, thetas, episode, alpha):
        v = objective.grad(thetas[-1], episode.query)
        for theta_i in reversed(thetas[:-1]):
            v = v - alpha * objective.hvp(theta_i, episode.support, v)
        return v


class maml_gradient(MetaGradientProblem):
    title = "the exact meta-gradient, any number of steps"
    difficulty, minutes = "hard", 15
    tags = ("concept:maml", "concept:batch-of-tasks", "concept:higher-order-gradients")
    cases = 5
    forbidden = ((maml, "`mlcourse.maml`"), (adapt, "`mlcourse.adapt`"))
    hints = (
        "Go forward first and keep every θ_i; then go backwards from v = ∇L_q(θ_m).",
        "Each step back multiplies by (I − αH_i), H_i the support's Hessian at θ_i: v ← v − αH_i v, for i = m − 1 down to 0.",
        "`objective.hvp(theta_i, episode.support, alpha * v)` does it for all tasks at once; at the end take the mean "
        "over the tasks' axis.",
    )
    explanation = r"""
    The chain rule through $m$ steps is a product of $m$ Jacobians, $\nabla_\theta L_q(\theta_m) = (I - \alpha
    H_0)\cdots(I - \alpha H_{m-1})\,\nabla L_q(\theta_m)$ with $H_i = \nabla^2 L_s(\theta_i)$. Multiplied from the right it needs one
    Hessian-vector product a step, and no matrix.
    """

    def draw(self, rng):
        objective, theta = _objective(rng)
        episode = _episode(rng, (int(rng.integers(2, 5)),), objective.model.inputs)
        steps = int(rng.integers(2, 4))
        alpha = float(rng.uniform(0.05, 0.2))
        return {"objective": objective, "theta": theta, "episode": episode, "alpha": alpha, "steps": steps}

    def statement(self, given):
        shape = given.episode.support.x.shape
        return rf"""
        Write `maml_gradient(objective, theta, episode, alpha, steps)`: the gradient in `theta` of the query loss after
        `steps` inner steps, averaged over the episode's tasks; shape `(P,)`, as `theta`.

        `episode.support` and `episode.query` are `Data` with a leading axis of T tasks (x here: {shape}). The objective
        has `grad(theta, data)` and `hvp(theta, data, v)`; both take `theta` of shape `(P,)` or `(T, P)` and give `(T, P)`.
        Call neither `mlcourse.maml` nor `adapt`: write the loop and the recursion.

        To try: `p.given("maml_gradient")`, with P = {given.theta.size} and {given.steps} steps.
        """

    @staticmethod
    def solution(objective, theta, episode, alpha, steps):
        thetas = [theta]
        for _ in range(steps):
            thetas.append(thetas[-1] - alpha * objective.grad(thetas[-1], episode.support))
        v = objective.grad(thetas[-1], episode.query)
        for theta_i in reversed(thetas[:-1]):
            v = v - objective.hvp(theta_i, episode.support, alpha * v)
        return np.mean(v, axis=0)


_BROKEN = """
def fix_the_loop(objective, theta, batches, alpha, beta):
    for batch in batches:
        for episode in batch:
            theta_prime = theta - alpha * objective.grad(theta, episode.support)
            v = objective.grad(theta_prime, episode.support)
            gradient = v - alpha * objective.hvp(theta, episode.support, v)
            theta = theta_prime - beta * gradient
    return theta
"""
_BUGS = (("starts_from", "theta prime"), ("outside", "support"), ("update", "a task"))


class fix_the_loop(FunctionProblem):
    title = "a training loop with three bugs"
    difficulty, minutes = "medium", 12
    tags = ("concept:outer-loop", "concept:maml", "concept:fast-slow-weights")
    cases = 4
    most = 4
    hints = (
        "Follow θ: which lines may change it, and how often in a batch? θ′ belongs to one task and is thrown away.",
        "Look at the data: which set adapts, which set judges?",
        "Collect the tasks' gradients in a list; after the batch, one step: theta - beta * np.mean(gradients, axis=0).",
    )
    explanation = """
    Three bugs: (1) the update starts from θ′, so that one task's fast weights flow into the slow ones; (2) the outer
    gradient is taken on the support set, which the step has just fitted; (3) θ moves after each task, so the tasks of one
    batch are asked at different θ.
    """
    deviations = (
        Deviation("starts_from", "theta prime", "theta prime flows into theta",
                  "The update starts from θ′. Fast weights are thrown away after each task: step from θ."),
        Deviation("outside", "support", "support loss outside",
                  "The outer gradient looks at the support set, which the step has fitted. Judge θ′ on the query set."),
        Deviation("outside", "support and query", "both sets outside",
                  "The outer gradient looks at both sets. Judge θ′ on the query set alone."),
        Deviation("update", "a task", "one update a task",
                  "θ moves after every task. Collect the batch's gradients at one θ, then step along their mean."),
        Deviation("update", "a task, beta / T", "one update a task",
                  "θ moves after every task. Collect the batch's gradients at one θ, then step along their mean."),
        Deviation("update", "a task, the list so far", "the update stands in the inner loop",
                  "θ moves after every task, along the mean of the list so far. The update belongs after the loop over the tasks: "
                  "one indentation less."),
        Deviation("update", "sum", "sum over tasks", "The step goes along the sum of the tasks' gradients; take the mean."),
        Deviation("update", "last", "only the last task",
                  "Only the batch's last gradient counts: it is overwritten from task to task. Collect them in a list."),
        Deviation("update", "all entries", "mean of all entries",
                  "The mean is taken over tasks and parameters alike, one number for all: `axis=0` is missing."),
        Deviation("collected", "since the beginning", "the list is not emptied",
                  "The gradients of earlier batches are still in the list, taken at an older θ. Begin each batch with an empty one."),
        Deviation("returns", "in the loop", "return in the loop",
                  "θ is returned after the first batch: the `return` stands inside the loop. It belongs behind it."),
        Deviation("returns", "the last theta prime", "theta prime returned",
                  "This is the last task's θ′. What training keeps is θ."),
        Deviation("way_back", "left out", "first-order gradient",
                  "The factor (I − αH) is gone: this trains first-order MAML (FOMAML). That line had no bug: keep "
                  "`v - alpha * objective.hvp(…)`."),
        Deviation("way_back", "at theta prime", "Hessian at theta prime",
                  "The Hessian is taken at θ′. The step began at θ, and its Hessian belongs there. That line had no bug."),
        Deviation("way_back", "of the query", "Hessian of the query",
                  "The Hessian is that of the query loss. The step descended the support loss: its Hessian belongs there. That line "
                  "had no bug."),
        Deviation("way_back", "without alpha", "alpha left out of the factor",
                  "The factor is (I − H), without α. The step is α∇L_s(θ), so its derivative has αH. That line had no bug."),
        Deviation("way_back", "plus", "sign of the Hessian",
                  "The factor is (I + αH). The inner step subtracts α∇L_s, so its derivative subtracts αH."),
        Deviation("inside", "query", "adapts on the query",
                  "The inner step descends the query loss, which is there to judge. Adapt on the support set. That line had no bug."),
        Deviation("inside", "from the last theta prime", "theta prime carried on",
                  "Within a batch each task starts from the θ′ of the one before. Every task starts from θ."),
        Deviation("inside", "overwrites theta", "theta overwritten",
                  "The inner step is written into θ itself. θ′ needs a name of its own, and θ stays for the next task."),
        Deviation("judged_at", "theta", "outer gradient at theta",
                  "The query's gradient is taken at θ, before adaptation. Judge θ′."),
        Deviation("sizes", "exchanged", "alpha and beta exchanged",
                  "The inner step has the size β and the outer one α. It is α inside, β outside."),
        Deviation("sizes", "alpha for beta", "alpha for beta",
                  "The outer step has the size α. It is α inside, β outside."),
        Deviation("sign", 1, "uphill", "The outer step goes along the gradient, where the loss grows. Descent subtracts it."),
    )  # fmt: skip

    def draw(self, rng):
        objective, theta = _objective(rng)
        batches = [
            [_episode(rng, (), objective.model.inputs) for _ in range(int(rng.integers(2, 4)))]
            for _ in range(int(rng.integers(1, 3)))
        ]
        alpha, beta = (float(size) for size in rng.uniform(0.05, 0.2, 2))
        return {"objective": objective, "theta": theta, "batches": batches, "alpha": alpha, "beta": beta}

    def statement(self, given):
        code = "\n".join("        " + line for line in _BROKEN.strip().splitlines())
        return f"""
        This was meant to be MAML with one inner step, trained with plain gradient descent. It has three bugs. Write it
        anew without them; it returns θ after all batches. `batches` is a list of batches, a batch is a list of
        episodes of one task each (no leading axis).

        ```python
{code}
        ```

        To try: `p.given("fix_the_loop")`, with {len(given.batches)} batch{"es" * (len(given.batches) > 1)}.
        """

    @staticmethod
    def solution(objective, theta, batches, alpha, beta):
        for batch in batches:
            gradients = []
            for episode in batch:
                theta_prime = theta - alpha * objective.grad(theta, episode.support)
                v = objective.grad(theta_prime, episode.query)
                gradients.append(v - alpha * objective.hvp(theta, episode.support, v))
            theta = theta - beta * np.mean(gradients, axis=0)
        return theta

    @staticmethod
    def variant(objective, theta, batches, alpha, beta, **settings):
        alpha, beta = {"exchanged": (beta, alpha), "alpha for beta": (alpha, alpha)}.get(
            settings.get("sizes"), (alpha, beta)
        )
        update, inside, way_back = (settings.get(choice) for choice in ("update", "inside", "way_back"))
        judges, sign = settings.get("outside", "query"), settings.get("sign", -1)
        factor = {"left out": 0.0, "plus": alpha, "without alpha": -1.0}.get(way_back, -alpha)
        gradients = []
        for batch in batches:
            theta_prime, gradients = theta, gradients if "collected" in settings else []
            for episode in batch:
                sets = {"support": episode.support, "query": episode.query}
                if judges not in sets:
                    sets[judges] = Data(*map(np.concatenate, zip(*episode[:2], strict=True)))
                begin = theta_prime if inside == "from the last theta prime" else theta
                theta_prime = begin - alpha * objective.grad(begin, sets["query" if inside == "query" else "support"])
                theta = theta_prime if inside == "overwrites theta" else theta
                v = objective.grad(theta if "judged_at" in settings else theta_prime, sets[judges])
                at = theta_prime if way_back == "at theta prime" else theta
                v = v + factor * objective.hvp(at, sets["query" if way_back == "of the query" else "support"], v)
                gradients.append(v)
                start = theta_prime if "starts_from" in settings else theta
                if str(update).startswith("a task"):
                    along = np.mean(gradients, axis=0) if update == "a task, the list so far" else v
                    theta = start + sign * (beta / len(batch) if update == "a task, beta / T" else beta) * along
            if not str(update).startswith("a task"):
                along = {"sum": np.sum(gradients, axis=0), "last": v, "all entries": np.mean(gradients)}
                theta = start + sign * beta * along.get(update, np.mean(gradients, axis=0))
            if settings.get("returns") == "in the loop":
                break
        return theta_prime if settings.get("returns") == "the last theta prime" else theta

    def skip(self, settings):
        """More than two deviations are the bugs that were there, and one besides. The list makes no difference where only the
        newest gradient counts."""
        left = sum(settings.get(choice) == setting for choice, setting in _BUGS)
        newest = "collected" in settings and settings.get("update") in ("a task", "a task, beta / T", "last")
        return newest or (len(settings) > 2 and left < len(settings) - 1)

    def simpler(self, case):
        first = case["batches"][0]
        return {
            "one batch of one task": case | {"batches": [first[:1]]},
            "one batch": case | {"batches": [first]},
            "batches of one task": case | {"batches": [first[:1], first[1:2]]},
        }


# What is made of the spread of the losses over tasks: deviations of half_width and of meta_test.
_INTERVAL = (
    Deviation("root", "left out", "deviation for error",
              "s is not divided by √T: it says how far one task's loss lies from the mean. The mean of T tasks is known better."),
    Deviation("root", "not taken", "T for its root",
              "s is divided by T. The mean of T draws has an error √T times smaller than one of them: divide by √T."),
    Deviation("root", "T - 1", "T - 1 under the root",
              "s is divided by √(T − 1). The T − 1 is in s already (`ddof=1`): the mean of T draws errs √T times less."),
    Deviation("root", "steps", "root of the wrong number",
              "s is divided by the root of the number of rows, one a step. The mean is over T tasks: √T."),
    Deviation("z", "1", "standard error for the interval",
              "The 1.96 is missing. s/√T is the standard error; a 95 % interval reaches 1.96 of them to each side."),
    Deviation("z", "2 · 1.96", "full width",
              "This is the whole width of the interval. The half-width is what stands behind the ±."),
    Deviation("z", "2", "2 for 1.96", "2 stands for 1.96 here. Near, but the statement names the digits: 1.96."),
    Deviation("z", "0.98", "half of the half-width",
              "1.96 s/√T is the half-width already. It is halved once more."),
    Deviation("z", "1.645", "a 90 % interval", "1.645 belongs to a 90 % interval. For 95 % it is 1.96."),
    Deviation("z", "0.95", "0.95 for 1.96",
              "0.95 is the probability. 95 % of a normal distribution lie within 1.96 deviations of its mean."),
    Deviation("z", "2.576", "a 99 % interval", "2.576 belongs to a 99 % interval. For 95 % it is 1.96."),
    Deviation("spread", "ddof 0", "deviation with ddof 0",
              "The deviation divides by T. From T draws, s divides by T − 1: `ddof=1`."),
    Deviation("spread", "variance", "variance for deviation",
              "This takes the variance s² for the deviation s: a root is missing."),
    Deviation("spread", "root of s", "root of the deviation",
              "This takes √s. s is a deviation already, the root of the variance."),
    Deviation("spread", "all", "one deviation for all steps",
              "One deviation is taken over all entries, steps and tasks alike. Each step has its own: `axis=1`."),
)  # fmt: skip
_INNER = {"descends", "judged_on", "walk", "step"}  # choices of meta_test
_Z = {"1": 1.0, "2 · 1.96": 3.92, "2": 2.0, "0.98": 0.98, "1.645": 1.645, "2.576": 2.576, "0.95": 0.95}


def _half(losses, count, *, root="taken", z="1.96", spread="s"):
    """(m + 1,) half-widths from losses (m + 1, n) of which `count` are taken for independent."""
    s = np.std(losses, axis=1, ddof=0 if spread == "ddof 0" else 1)
    s = {"variance": s**2, "root of s": np.sqrt(s), "all": np.full(len(losses), np.std(losses, ddof=1))}.get(spread, s)
    over = {"left out": 1.0, "not taken": count, "T - 1": np.sqrt(count - 1), "steps": np.sqrt(len(losses))}.get(
        root, np.sqrt(count)
    )
    return _Z.get(z, 1.96) * s / over


class half_width(FunctionProblem):
    title = "how well a mean over tasks is known"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:meta-train-meta-test",)
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    hints = (
        "s says how far one task's loss lies from the mean. The mean of T independent draws errs √T times less.",
        "T is the number of columns, `losses.shape[1]`. 1.96 such errors to each side hold 95 % of a normal distribution.",
        "`return 1.96 * s / np.sqrt(losses.shape[1])`",
    )
    explanation = r"""
    The standard error of a mean over $T$ tasks is $s/\sqrt T$, and 95 % of a normal distribution lie within 1.96 of it on each side:
    $1.96\,s/\sqrt T$. One independent draw is one *task*.
    """
    deviations = (
        *_INTERVAL,
        Deviation("root", "K", "root of all entries",
                  "s is divided by the root of the number of all entries, steps and tasks alike. A row has T of them: √T."),
        Deviation("gives", "lower", "the interval's lower end",
                  "This is where the interval begins, mean minus half-width. Asked for is the half-width alone."),
        Deviation("gives", "upper", "the interval's upper end",
                  "This is where the interval ends, mean plus half-width. Asked for is the half-width alone."),
    )  # fmt: skip

    def draw(self, rng):
        steps, tasks = int(rng.integers(2, 5)), int(rng.integers(5, 12))
        return {"losses": rng.gamma(1.0, rng.uniform(0.3, 3, (steps + 1, 1)), (steps + 1, tasks))}

    def statement(self, given):
        steps, tasks = given.losses.shape
        return rf"""
        Write `half_width(losses)`: half the width of the 95 % confidence interval of each row's mean, with 1.96 and the standard deviation
        $s$ over the tasks (`ddof=1`). `losses` has shape `(m + 1, T)`, a row for each number of inner steps and a column a task; the
        answer has shape `(m + 1,)`.

        To try: `p.given("half_width")`, with m = {steps - 1} and T = {tasks}; the first half-width is
        {self.solution(given.losses)[0]:.4f}.
        """

    @staticmethod
    def solution(losses):
        s = np.std(losses, axis=1, ddof=1)
        return 1.96 * s / np.sqrt(losses.shape[1])

    @staticmethod
    def variant(losses, gives="half-width", **settings):
        count = losses.size if settings.get("root") == "K" else losses.shape[1]
        half = _half(losses, count, **settings)
        return {"lower": losses.mean(axis=1) - half, "upper": losses.mean(axis=1) + half}.get(gives, half)

    @mistake(
        "over the steps",
        "This gives one number a task: the deviation was taken down the columns. The tasks are the columns, so take it along each row.",
    )
    def over_steps(losses):
        return 1.96 * np.std(losses, axis=0, ddof=1) / np.sqrt(len(losses))


class meta_test(FunctionProblem):
    title = "meta-testing with confidence intervals"
    difficulty, minutes = "medium", 12
    tags = ("concept:meta-train-meta-test", "mistake:train-only")
    cases = 5
    most = 3
    tolerance = 1e-4  # 1.959964 is the number that 1.96 rounds
    hints = (
        "θ is frozen: every task starts from the same θ. One number a task and step: its mean query loss.",
        "The interval is that of a mean over tasks: 1.96 · s / √T with s the standard deviation over tasks (ddof=1).",
        "`losses` of shape (steps + 1, T); then `losses.mean(axis=1)` and `1.96 * losses.std(axis=1, ddof=1) / np.sqrt(T)`.",
    )
    explanation = """
    One independent draw is one *task*: points of a task share its fate, so the T task losses are what the interval is made
    of. θ is not touched; each task's θ′ lives only as long as its task.
    """
    deviations = (
        Deviation("descends", "query", "adapts on the query",
                  "The inner loop descends the query loss. What judges has then been fitted: adapt on the support set."),
        Deviation("descends", "both", "adapts on both sets",
                  "The inner loop descends support and query together. What judges has then been fitted: adapt on the support set."),
        Deviation("judged_on", "support", "support loss reported",
                  "This is the loss on the support set, which the steps have fitted. The query set tells how well θ′ generalises."),
        Deviation("walk", "carried", "theta changed",
                  "Each task starts where the task before it ended. At meta-test θ is frozen: every task starts from the same θ."),
        Deviation("walk", "stands", "not adapted",
                  "Every row is the loss at θ itself: nothing is adapted. Step on from θ_i, and judge each θ_i."),
        Deviation("walk", "stale", "same gradient at every step",
                  "Every inner step uses the gradient of the first one. Compute it afresh at each θ_i."),
        Deviation("walk", "from the first", "each step from the first theta",
                  "Each step starts from θ again, θ − α∇L_s(θ_i). A step goes on from where the last one ended, at θ_i."),
        Deviation("walk", "together", "one theta prime for all tasks",
                  "One θ′ is made for all tasks, by their mean gradient. Each task adapts by itself, from the same θ."),
        Deviation("step", "left out", "alpha left out", "The inner steps have size 1: α is missing from θ − α∇L_s(θ)."),
        Deviation("step", "uphill", "uphill", "The inner steps go uphill, θ + α∇L_s(θ). Descent subtracts the gradient."),
        Deviation("over", "points", "interval over points",
                  "The interval counts every query point as a draw of its own. Points of one task share its fate: count tasks."),
        Deviation("over", "root of the points", "root of the points",
                  "s is taken over tasks, and divided by the root of the number of all query points. Divide by √T: tasks are what was "
                  "drawn."),
        *_INTERVAL,
        Deviation("gives", "ends", "the interval's ends",
                  "These are the two ends of the interval. Asked for are its middle, the mean, and its half-width."),
        Deviation("gives", "exchanged", "half-width before the mean",
                  "The half-width comes first here. Return the mean, then the half-width."),
        Deviation("gives", "median", "median for the mean",
                  "This is the median over tasks. The interval is that of the mean, and a median hides tasks that went wrong."),
    )  # fmt: skip

    def draw(self, rng):
        objective, theta = _objective(rng)
        episode = _episode(rng, (int(rng.integers(4, 9)),), objective.model.inputs)
        alpha, steps = float(rng.uniform(0.05, 0.2)), int(rng.integers(1, 4))
        return {"objective": objective, "theta": theta, "episodes": episode, "alpha": alpha, "steps": steps}

    def statement(self, given):
        return rf"""
        Write `meta_test(objective, theta, episodes, alpha, steps)`: two arrays of shape `(steps + 1,)`, the mean query loss
        over tasks after 0, 1, … `steps` inner steps, and half the width of its 95 % confidence interval,
        $1.96\, s / \sqrt T$, where $s$ is the standard deviation over the tasks with `ddof=1`.

        `episodes.support` and `episodes.query` have a leading axis of T tasks; the objective has `grad(theta, data)` and
        `value(theta, data)`, which give `(T, P)` and `(T,)`.

        To try: `p.given("meta_test")`, with T = {len(given.episodes.support.x)} and {given.steps} step{"s" * (given.steps > 1)}.
        """

    @staticmethod
    def solution(objective, theta, episodes, alpha, steps):
        losses = [objective.value(theta, episodes.query)]
        for _ in range(steps):
            theta = theta - alpha * objective.grad(theta, episodes.support)
            losses.append(objective.value(theta, episodes.query))
        losses = np.array(losses)
        tasks = losses.shape[1]
        return losses.mean(axis=1), 1.96 * losses.std(axis=1, ddof=1) / np.sqrt(tasks)

    def maker(self, case):
        """Settings of the interval share the errors that are made by those of the inner loop."""
        errors = {}

        def made(settings):
            inner = {
                choice: settings[choice] for choice in ("descends", "judged_on", "walk", "step") if choice in settings
            }
            key = tuple(inner.values())
            if key not in errors:
                errors[key] = _squared_errors(*case.values(), **inner)
            return self._reported(
                errors[key], **{choice: settings[choice] for choice in settings if choice not in inner}
            )

        return made

    @staticmethod
    def _reported(errors, over="tasks", gives="both", **settings):
        """(mean, half-width) by settings, from errors (m + 1, T, Q)."""
        losses, points = errors.mean(axis=2), errors[0].size
        rows = errors.reshape(len(errors), points) if over == "points" else losses
        half = _half(rows, losses.shape[1] if over == "tasks" else points, **settings)
        mean = np.median(losses, axis=1) if gives == "median" else losses.mean(axis=1)
        return {"ends": (mean - half, mean + half), "exchanged": (half, mean)}.get(gives, (mean, half))

    def skip(self, settings):
        """What is divided by nothing, or by m + 1, does not depend on what is counted; what stands still descends nothing. Of
        three deviations one is in the inner loop."""
        counted = settings.get("over") == "root of the points" and settings.get("root") in ("left out", "steps")
        inner = _INNER & set(settings)
        return (
            counted
            or (settings.get("walk") == "stands" and bool(inner - {"walk", "judged_on"}))
            or (len(settings) > 2 and len(inner) != 1)
        )

    def simpler(self, case):
        return {"no inner step": case | {"steps": 0}, "one inner step": case | {"steps": 1}}

    @mistake(
        "only after adaptation",
        "The first entry is after one step. The loss before adaptation, after 0 steps, belongs to the report.",
    )
    def without_the_start(objective, theta, episodes, alpha, steps):
        mean, half = meta_test.solution(objective, theta, episodes, alpha, steps)
        return mean[1:], half[1:]

    @mistake("one step too many", "There is a row too many: m steps give m + 1 rows, the first before any step.")
    def one_more(objective, theta, episodes, alpha, steps):
        return meta_test.solution(objective, theta, episodes, alpha, steps + 1)

    @mistake("one step too few", "The last row is missing: m steps give m + 1 rows, the first before any step.")
    def one_less(objective, theta, episodes, alpha, steps):
        return meta_test.solution(objective, theta, episodes, alpha, steps - 1)

    @mistake(
        "only the last step",
        "This is the report after the last step alone. It has a row for each number of steps, from 0 on.",
    )
    def last_alone(objective, theta, episodes, alpha, steps):
        mean, half = meta_test.solution(objective, theta, episodes, alpha, steps)
        return mean[-1], half[-1]

    @mistake(
        "mean over the steps",
        "This has one entry a task: the mean was taken over the steps. Take it over the tasks, so that one entry a step is left.",
    )
    def over_steps(objective, theta, episodes, alpha, steps):
        losses = _squared_errors(objective, theta, episodes, alpha, steps).mean(axis=2)
        return losses.mean(axis=0), 1.96 * losses.std(axis=0, ddof=1) / np.sqrt(len(losses))


def _squared_errors(
    objective, theta, episodes, alpha, steps, descends="support", judged_on="query", walk="afresh", step="alpha"
):
    """(m + 1, T, Q) squared errors after 0 … m inner steps, by settings of meta_test."""
    support, query, _ = episodes
    both = Data(*(np.concatenate(each, axis=1) for each in zip(support, query, strict=True)))
    data = {"support": support, "query": query, "both": both}[descends]
    size = {"left out": 1.0, "uphill": -alpha, "alpha": alpha}[step]
    start = np.tile(theta, (len(support.x), 1))
    if walk == "carried":
        paths = []
        for task in range(len(start)):
            alone = Data(data.x[task : task + 1], data.y[task : task + 1])
            paths.append([theta[None]])
            for _ in range(steps):
                paths[-1].append(paths[-1][-1] - size * objective.grad(paths[-1][-1], alone))
            theta = paths[-1][-1][0]
        path = np.concatenate(paths, axis=1)
    else:
        path = [start]
        for _ in range(steps):
            gradient = objective.grad(start if walk == "stale" else path[-1], data)
            gradient = gradient.mean(axis=0) if walk == "together" else gradient
            begin = start if walk == "from the first" else path[-1]
            path.append(begin if walk == "stands" else begin - size * gradient)
    judges = support if judged_on == "support" else query
    return np.array([(objective.model(theta_i, judges.x) - judges.y)[..., 0] ** 2 for theta_i in path])


class read_the_curves(ChoiceProblem):
    title = "what a report says"
    difficulty, minutes = "medium", 8
    tags = ("mistake:train-only", "concept:meta-train-meta-test", "concept:maml")
    labels = ("meta-learned", "joint training", "random start", "memorised its tasks", "unstable")
    hints = (
        "Compare three numbers: new tasks before the step, new tasks after it, and training tasks after it.",
        "One model for all of these waves is left with an error of about 3, and so is every θ that was trained, before the step.",
    )
    explanation = """
    Joint training and a meta-learned θ both stand near 3 before adaptation; only the latter falls far in one step. A random
    start begins higher and stays high. Low on training tasks and several times higher on new ones is memory. An inner loop
    that blows up after a few more steps is unstable, however good its first step is.
    """
    traps = MappingProxyType(
        {
            "training tasks reported": "A report was called meta-learned for its loss on training tasks: look at new ones.",
            "loss before adaptation": "A joint model was called meta-learned: before adaptation both look alike.",
            "steps taken for a detail": "An unstable inner loop was called meta-learned: look at the loss after 5 steps.",
            "slow for random": "Joint training was called a random start: one step gains little from either, but joint training "
            "begins where one model for all waves ends, near 3.",
        }
    )

    def statement(self, given):
        return """
        Five kinds of θ were meta-tested on sinusoids of amplitude 0.1 to 5. Each line is one report: mean squared error on
        training tasks after one step, then on new tasks after 0, 1 and 5 steps. Say what each θ is.
        """

    def items(self, rng):
        kinds = [*self.labels, *rng.choice(self.labels, 2)]
        return [self._item(rng, str(kind)) for kind in rng.permutation(kinds)]

    def _item(self, rng, kind):
        start, good, bad = rng.uniform(2.8, 3.3), rng.uniform(0.3, 0.6), rng.uniform(1.4, 1.9)
        train, new = {
            "meta-learned": (good - 0.02, (start, good, 0.7 * good)),
            "joint training": (2.3, (start, rng.uniform(2.2, 2.5), rng.uniform(1.8, 2.1))),
            "random start": (rng.uniform(5.8, 7), (rng.uniform(8, 10), rng.uniform(6, 7), rng.uniform(5, 6))),
            "memorised its tasks": (0.8 * good, (start, bad, bad - 0.2)),
            "unstable": (good, (start, good + 0.1, 10 ** rng.uniform(2, 4))),
        }[kind]
        numbers = ", ".join(f"{value:.2f}" if value < 100 else f"{value:.0f}" for value in new)
        traps = {
            "memorised its tasks": {"training tasks reported": "meta-learned"},
            "joint training": {"loss before adaptation": "meta-learned", "slow for random": "random start"},
            "unstable": {"steps taken for a detail": "meta-learned"},
        }
        look = {
            "meta-learned": "how far does one step go on new tasks, and is it as low there as on training tasks?",
            "joint training": "it begins near 3, as trained models do. How much does the step gain?",
            "random start": "a trained θ is near 3 before any step. Is this one?",
            "memorised its tasks": "how many times higher is it on new tasks than on training tasks, after one step?",
            "unstable": "what happens between 1 step and 5?",
        }
        return Item(f"training tasks {train:.2f}; new tasks {numbers}", kind, traps.get(kind, {}), look[kind])


def _after(thetas, alpha, support, query, *, steps=1, judged_on="query", descends="support", factor=2.0, pooled=False):
    """(3, T, Q) squared errors of each theta of y = theta x after one step on each task, by settings."""
    data, judges = ({"support": support, "query": query}[name] for name in (descends, judged_on))
    theta = thetas[:, None, None, None]
    gradient = factor * np.mean(data.x * (theta * data.x - data.y), axis=(1, 2, 3) if pooled else 2, keepdims=True)
    return ((theta - steps * alpha * gradient) * judges.x - judges.y)[..., 0] ** 2


def _losses(*given, **settings):
    """(3,) the means of those."""
    return _after(*given, **settings).mean(axis=(1, 2))


class rank(NumberProblem):
    title = "the best of three, on tasks nobody trained on"
    difficulty, minutes = "medium", 10
    tags = ("concept:meta-train-meta-test", "concept:maml")
    hints = (
        "For each θ and each task: one step on the task's support set, then the mean squared error on its query set.",
        "Average over the tasks, three numbers; the smallest is the answer.",
    )
    explanation = r"""
    For every $\theta$: $\theta' = \theta - 2\alpha\,\mathrm{mean}(x(\theta x - y))$ on a task's support set, then the mean of
    $(\theta' x - y)^2$ over its query points, and the mean of that over the tasks. What a $\theta$ is worth shows after adaptation only:
    the best before the step need not be the best after it.
    """

    def draw(self, rng):
        tasks, shots = 4, 3
        scale = rng.choice([0.4, 1.6], size=tasks)[:, None, None]
        slopes = np.where(scale < 1, 2.0, 0.0) + 0.3 * rng.normal(size=(tasks, 1, 1))
        x = scale * rng.choice([-1, 1], (tasks, 2 * shots, 1)) * rng.uniform(0.8, 1.2, (tasks, 2 * shots, 1))
        y = slopes * x + 0.1 * rng.normal(size=x.shape)
        return {
            "thetas": np.round(rng.uniform(-0.5, 2.5, 3), 2),
            "alpha": 0.15,
            "support": Data(x[:, :shots], y[:, :shots]),
            "query": Data(x[:, shots:], y[:, shots:]),
        }

    def statement(self, given):
        named = ", ".join(f"{theta:g}" for theta in given.thetas)
        return f"""
        The model is y = θx, the loss the mean squared error, α = {given.alpha}, one inner step. Three θ are up for choice:
        {named}. `given = p.given("rank")` has four held-out tasks, `given["support"]` and `given["query"]`, each a `Data`
        with x and y of shape (4, 3, 1), and `given["thetas"]`.

        What is the mean query loss, over the tasks and after adaptation, of the best of the three?
        """

    @staticmethod
    def solution(thetas, alpha, support, query):
        losses = []
        for theta in thetas:
            gradient = 2 * np.mean(support.x * (theta * support.x - support.y), axis=1, keepdims=True)
            theta_prime = theta - alpha * gradient
            losses.append(np.mean((theta_prime * query.x - query.y) ** 2))
        return min(losses)

    @mistake("theta for its loss", "That is the best θ itself. Asked for is its mean query loss after adaptation.")
    def theta_itself(thetas, alpha, support, query):
        return thetas[_losses(thetas, alpha, support, query).argmin()]

    @mistake(
        "which one it is", "That says which of the three is best. Asked for is its mean query loss after adaptation."
    )
    def place_of_it(thetas, alpha, support, query):
        return float(_losses(thetas, alpha, support, query).argmin())

    @mistake(
        "which one it is, counted from 1",
        "That says which of the three is best. Asked for is its mean query loss after adaptation.",
    )
    def number_of_it(thetas, alpha, support, query):
        return 1.0 + _losses(thetas, alpha, support, query).argmin()

    @mistake("factor 2 left out", "The gradient of a square has a factor 2: 2·mean(x(θx − y)).")
    def without_the_two(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query, factor=1.0).min()

    @mistake("alpha left out", "The step is α times the gradient. This one is the whole gradient.")
    def without_alpha(thetas, alpha, support, query):
        return _losses(thetas, 1.0, support, query).min()

    @mistake("uphill", "The step goes uphill, θ + α∇L_s(θ). Descent subtracts the gradient.")
    def uphill(thetas, alpha, support, query):
        return _losses(thetas, -alpha, support, query).min()

    @mistake(
        "before adaptation", "That is the best loss at θ itself. What counts is the loss after one step on each task."
    )
    def before(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query, steps=0).min()

    @mistake(
        "support loss", "That is the loss on the support sets, which the step has fitted. Judge on the query sets."
    )
    def on_support(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query, judged_on="support").min()

    @mistake(
        "adapts on the query",
        "The step was made on the query sets, which are there to judge. Adapt on the support sets.",
    )
    def on_query(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query, descends="query").min()

    @mistake(
        "chosen before adaptation",
        "The θ with the least loss before the step was chosen. Choose by the loss after it.",
    )
    def chosen_before(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query)[_losses(thetas, alpha, support, query, steps=0).argmin()]

    @mistake("the worst", "That is the largest of the three losses. The best θ is the one with the least.")
    def worst(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query).max()

    @mistake("average of the three", "That is the mean over the three θ. The best of them is asked for.")
    def average(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query).mean()

    @mistake(
        "one step on all tasks together",
        "One θ′ was fitted to all tasks' support sets at once. Each task adapts by itself, from the same θ.",
    )
    def together(thetas, alpha, support, query):
        return _losses(thetas, alpha, support, query, pooled=True).min()

    @mistake(
        "the best of each task",
        "For every task the best of the three was taken. One θ has to serve all tasks: average over the tasks first.",
    )
    def a_theta_a_task(thetas, alpha, support, query):
        return _after(thetas, alpha, support, query).mean(axis=2).min(axis=0).mean()

    @mistake("sum over tasks", "That is the sum over the four tasks. The mean is asked for.")
    def summed(thetas, alpha, support, query):
        return 4 * _losses(thetas, alpha, support, query).min()

    @mistake(
        "sum over points", "The squared errors of a task's three query points were summed. Their mean is the loss."
    )
    def summed_points(thetas, alpha, support, query):
        return 3 * _losses(thetas, alpha, support, query).min()

    @mistake("root of the loss", "That is the root of the mean squared error. The loss is the mean square itself.")
    def root(thetas, alpha, support, query):
        return np.sqrt(_losses(thetas, alpha, support, query).min())
