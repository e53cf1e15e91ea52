"""Lesson 6, MAML."""

from types import MappingProxyType

import numpy as np

from mlcourse import MLP, Data, Episode, Linear, adapt, maml, mean_squared_error, tanh, trajectory
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, mistake
from mlcourse.classroom.problems.meta_gradients import MetaGradientProblem


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


def _descend(objective, theta, support, alpha, steps):
    """[theta_0, …, theta_m], a row a task."""
    return list(trajectory(objective, theta, support, alpha, steps))


class maml_gradient(MetaGradientProblem):
    title = "the exact meta-gradient, any number of steps"
    difficulty, minutes = "hard", 20
    tags = ("concept:maml", "concept:batch-of-tasks", "concept:higher-order-gradients")
    cases = 5
    forbidden = ((maml, "`mlcourse.maml`"), (adapt, "`mlcourse.adapt`"))
    hints = (
        "Go forward first and keep every θ_i; then go backwards from v = ∇L_q(θ_m).",
        "Each step back multiplies by (I − αH_s(θ_i)): v ← v − H_s(θ_i)(αv), for i = m − 1 down to 0.",
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


class outer_step(FunctionProblem):
    title = "one meta-update from a batch of tasks"
    difficulty, minutes = "easy", 6
    tags = ("concept:outer-loop", "concept:batch-of-tasks", "concept:meta-parameters")
    hints = (
        "All tasks of a batch are asked at the same θ.",
        "`theta - beta * np.mean([gradient(theta) for gradient in gradients], axis=0)`",
    )
    explanation = r"""
    $\theta \leftarrow \theta - \beta\,\frac{1}{T}\sum_i g_i(\theta)$: every task's meta-gradient is taken at the same
    $\theta$, then one step is made. Step after each task and the second task answers another question than the first.
    """

    def draw(self, rng):
        size, tasks = int(rng.integers(1, 5)), int(rng.integers(2, 6))
        matrices, centres = rng.uniform(0.5, 2.0, (tasks, size)), rng.normal(size=(tasks, size))
        gradients = [lambda theta, a=a, c=c: a * (theta - c) for a, c in zip(matrices, centres, strict=True)]
        return {"theta": rng.normal(size=size), "gradients": gradients, "beta": float(rng.uniform(0.05, 0.3))}

    def statement(self, given):
        return rf"""
        Write `outer_step(theta, gradients, beta)`: θ after one meta-update with the outer step size `beta`. `gradients`
        is a list of functions, one a task: `gradients[i](theta)` is task i's meta-gradient at `theta`, shape `(P,)`.

        To try: `p.given("outer_step")`, with {len(given.gradients)} tasks and P = {given.theta.size}.
        """

    @staticmethod
    def solution(theta, gradients, beta):
        return theta - beta * np.mean([gradient(theta) for gradient in gradients], axis=0)

    @mistake(
        "one task after another",
        "θ moves after every task, so each task's gradient is taken at another θ. Ask all tasks at the same θ, then step.",
    )
    def one_after_another(theta, gradients, beta):
        for gradient in gradients:
            theta = theta - beta * gradient(theta) / len(gradients)
        return theta

    @mistake(
        "a whole step a task",
        "θ takes a whole step of size β for every task in turn. A batch makes one step, along the mean at one θ.",
    )
    def a_step_a_task(theta, gradients, beta):
        for gradient in gradients:
            theta = theta - beta * gradient(theta)
        return theta

    @mistake(
        "sum over tasks",
        "This steps along the sum. Along the mean, β means the same whatever the number of tasks in the batch.",
    )
    def along_the_sum(theta, gradients, beta):
        return theta - beta * np.sum([gradient(theta) for gradient in gradients], axis=0)

    @mistake("uphill", "This goes along the gradient, where the loss grows. Descent subtracts it.")
    def uphill(theta, gradients, beta):
        return theta + beta * np.mean([gradient(theta) for gradient in gradients], axis=0)


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


def _train(objective, theta, batches, alpha, beta, *, outside="query", carry=False, each=False):
    """The training loop with any of the three bugs left in."""
    for batch in batches:
        gradients = []
        for episode in batch:
            theta_prime = theta - alpha * objective.grad(theta, episode.support)
            v = objective.grad(theta_prime, getattr(episode, outside))
            gradient = v - alpha * objective.hvp(theta, episode.support, v)
            gradients.append(gradient)
            if each:
                theta = (theta_prime if carry else theta) - beta * gradient
        if not each:
            theta = (theta_prime if carry else theta) - beta * np.mean(gradients, axis=0)
    return theta


class fix_the_loop(FunctionProblem):
    title = "a training loop with three bugs"
    difficulty, minutes = "medium", 12
    tags = ("concept:outer-loop", "concept:maml", "concept:fast-slow-weights")
    cases = 4
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

    def draw(self, rng):
        objective, theta = _objective(rng)
        batches = [
            [_episode(rng, (), objective.model.inputs) for _ in range(int(rng.integers(2, 4)))]
            for _ in range(int(rng.integers(1, 4)))
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

        To try: `p.given("fix_the_loop")`, with {len(given.batches)} batches.
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

    @mistake(
        "theta prime flows into theta",
        "One bug is left: the update starts from θ′. Fast weights are thrown away after each task; step from θ.",
    )
    def carried(objective, theta, batches, alpha, beta):
        return _train(objective, theta, batches, alpha, beta, carry=True)

    @mistake(
        "support loss outside",
        "One bug is left: the outer gradient looks at the support set. Judge θ′ on the query set.",
    )
    def support_outside(objective, theta, batches, alpha, beta):
        return _train(objective, theta, batches, alpha, beta, outside="support")

    @mistake(
        "one update a task",
        "One bug is left: θ moves after every task. Collect the batch's gradients at one θ, then step along their mean.",
    )
    def update_a_task(objective, theta, batches, alpha, beta):
        return _train(objective, theta, batches, alpha, beta, each=True)

    @mistake("all three bugs", "This still does what the broken loop does. Start with the last line of it.")
    def unchanged(objective, theta, batches, alpha, beta):
        return _train(objective, theta, batches, alpha, beta, outside="support", carry=True, each=True)

    @mistake(
        "sum over tasks", "The three bugs are gone, but the step is along the sum of the gradients; take the mean."
    )
    def along_the_sum(objective, theta, batches, alpha, beta):
        for batch in batches:
            theta = _train(objective, theta, [batch], alpha, beta * len(batch))
        return theta


class meta_test(FunctionProblem):
    title = "meta-testing with confidence intervals"
    difficulty, minutes = "medium", 12
    tags = ("concept:meta-train-meta-test", "mistake:train-only")
    cases = 5
    hints = (
        "θ is frozen: every task starts from the same θ. One number a task and step: its mean query loss.",
        "The interval is that of a mean over tasks: 1.96 · s / √T with s the standard deviation over tasks (ddof=1).",
        "`losses` of shape (steps + 1, T); then `losses.mean(axis=1)` and `1.96 * losses.std(axis=1, ddof=1) / np.sqrt(T)`.",
    )
    explanation = """
    One independent draw is one *task*: points of a task share its fate, so the T task losses are what the interval is made
    of. θ is not touched; each task's θ′ lives only as long as its task.
    """

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

        To try: `p.given("meta_test")`, with T = {len(given.episodes.support.x)} and {given.steps} steps.
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

    @staticmethod
    def _losses(objective, theta, episodes, alpha, steps, judged="query"):
        path = _descend(objective, theta, episodes.support, alpha, steps)
        return np.array([objective.value(theta_i, getattr(episodes, judged)) for theta_i in path])

    @mistake(
        "deviation for error",
        "The half-width is that of one task, 1.96 s. The mean of T tasks is known better: divide by √T.",
    )
    def deviation(objective, theta, episodes, alpha, steps):
        losses = meta_test._losses(objective, theta, episodes, alpha, steps)
        return losses.mean(axis=1), 1.96 * losses.std(axis=1, ddof=1)

    @mistake(
        "interval over points",
        "The interval counts every query point as a draw of its own. Points of one task share its fate: count tasks.",
    )
    def over_points(objective, theta, episodes, alpha, steps):
        path = _descend(objective, theta, episodes.support, alpha, steps)
        errors = [(objective.model(at, episodes.query.x) - episodes.query.y).reshape(-1) ** 2 for at in path]
        spread = np.array([1.96 * np.std(error, ddof=1) / np.sqrt(error.size) for error in errors])
        return np.array([error.mean() for error in errors]), spread

    @mistake(
        "theta changed",
        "Each task starts where the task before it ended. At meta-test θ is frozen: every task starts from the same θ.",
    )
    def theta_changed(objective, theta, episodes, alpha, steps):
        columns = []
        for task in range(len(episodes.support.x)):
            support, query = (Data(data.x[task], data.y[task]) for data in (episodes.support, episodes.query))
            path = _descend(objective, theta, support, alpha, steps)
            columns.append([float(objective.value(theta_i, query)) for theta_i in path])
            theta = path[-1]
        losses = np.array(columns).T
        return losses.mean(axis=1), 1.96 * losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])

    @mistake(
        "support loss reported",
        "This is the loss on the support set, which the steps have fitted. The query set tells how well θ′ generalises.",
    )
    def on_support(objective, theta, episodes, alpha, steps):
        losses = meta_test._losses(objective, theta, episodes, alpha, steps, "support")
        return losses.mean(axis=1), 1.96 * losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])

    @mistake(
        "deviation with ddof 0",
        "The means are right; the deviation divides by T. From T draws, s divides by T − 1: `std(axis=1, ddof=1)`.",
    )
    def population(objective, theta, episodes, alpha, steps):
        losses = meta_test._losses(objective, theta, episodes, alpha, steps)
        return losses.mean(axis=1), 1.96 * losses.std(axis=1) / np.sqrt(losses.shape[1])

    @mistake(
        "only after adaptation",
        "The first entry is after one step. The loss before adaptation, after 0 steps, belongs to the report.",
    )
    def without_the_start(objective, theta, episodes, alpha, steps):
        mean, half = meta_test.solution(objective, theta, episodes, alpha, steps)
        return mean[1:], half[1:]


class read_the_curves(ChoiceProblem):
    title = "what a report says"
    difficulty, minutes = "medium", 8
    tags = ("mistake:train-only", "concept:meta-train-meta-test", "concept:maml")
    labels = ("meta-learned", "joint training", "random start", "memorised its tasks", "unstable")
    hints = (
        "Compare three numbers: new tasks before the step, new tasks after it, and training tasks after it.",
        "Waves of amplitude 0.1 to 5 have a mean square of about 3: that is what one model for all of them is left with.",
    )
    explanation = """
    Joint training and a meta-learned θ both stand near 3 before adaptation; only the latter falls far in one step. A random
    start begins higher and stays high. Low on training tasks and high on new ones is memory. An inner loop that blows up after
    a few more steps is unstable, however good its first step is.
    """
    traps = MappingProxyType(
        {
            "training tasks reported": "A report was called meta-learned for its loss on training tasks: look at new ones.",
            "loss before adaptation": "A joint model was called meta-learned: before adaptation both look alike.",
            "steps taken for a detail": "An unstable inner loop was called meta-learned: look at the loss after 5 steps.",
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
        start, good, bad = rng.uniform(2.8, 3.3), rng.uniform(0.3, 0.6), rng.uniform(3.0, 3.9)
        train, new = {
            "meta-learned": (good - 0.02, (start, good, 0.7 * good)),
            "joint training": (2.3, (start, rng.uniform(2.2, 2.5), rng.uniform(1.8, 2.1))),
            "random start": (rng.uniform(5.8, 7), (rng.uniform(8, 10), rng.uniform(6, 7), rng.uniform(5, 6))),
            "memorised its tasks": (good, (rng.uniform(4.2, 5), bad, bad - 0.1)),
            "unstable": (good, (start, good + 0.1, 10 ** rng.uniform(2, 4))),
        }[kind]
        numbers = ", ".join(f"{value:.2f}" if value < 100 else f"{value:.0f}" for value in new)
        traps = {
            "memorised its tasks": {"training tasks reported": "meta-learned"},
            "joint training": {"loss before adaptation": "meta-learned"},
            "unstable": {"steps taken for a detail": "meta-learned"},
        }
        return Item(f"training tasks {train:.2f}; new tasks {numbers}", kind, traps.get(kind, {}))


def _one_step_losses(thetas, alpha, support, query, judged="query", adapted=True):
    """(3,) mean loss of each theta of y = theta x over the tasks."""
    objective = mean_squared_error(Linear(1, bias=False))
    data = {"support": support, "query": query}[judged]
    return np.array(
        [
            objective.value(_descend(objective, np.array([theta]), support, alpha, int(adapted))[-1], data).mean()
            for theta in thetas
        ]
    )


class rank(NumberProblem):
    title = "the best of three, on tasks nobody trained on"
    difficulty, minutes = "medium", 10
    tags = ("concept:meta-train-meta-test", "concept:maml")
    hints = (
        "For each θ and each task: one step on the task's support set, then the mean squared error on its query set.",
        "Average over the tasks, three numbers; the smallest is the answer.",
    )
    explanation = r"""
    For every $\theta$: $\theta'_i = \theta - 2\alpha\,\mathrm{mean}(x(\theta x - y))$ on task $i$'s support set, then the mean of
    $(\theta'_i x - y)^2$ over the query points and over the tasks. What a $\theta$ is worth shows after adaptation only:
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

    @mistake(
        "before adaptation", "That is the best loss at θ itself. What counts is the loss after one step on each task."
    )
    def before(thetas, alpha, support, query):
        return _one_step_losses(thetas, alpha, support, query, adapted=False).min()

    @mistake(
        "support loss", "That is the loss on the support sets, which the step has fitted. Judge on the query sets."
    )
    def on_support(thetas, alpha, support, query):
        return _one_step_losses(thetas, alpha, support, query, judged="support").min()

    @mistake(
        "chosen before adaptation",
        "The θ with the least loss before the step was chosen. Choose by the loss after it.",
    )
    def chosen_before(thetas, alpha, support, query):
        best = np.argmin(_one_step_losses(thetas, alpha, support, query, adapted=False))
        return _one_step_losses(thetas, alpha, support, query)[best]

    @mistake("average of the three", "That is the mean over the three θ. The best of them is asked for.")
    def average(thetas, alpha, support, query):
        return _one_step_losses(thetas, alpha, support, query).mean()

    @mistake(
        "one step on all tasks together",
        "One θ′ was fitted to all tasks' support sets at once. Each task adapts by itself, from the same θ.",
    )
    def pooled(thetas, alpha, support, query):
        losses = []
        for theta in thetas:
            theta_prime = theta - alpha * 2 * np.mean(support.x * (theta * support.x - support.y))
            losses.append(np.mean((theta_prime * query.x - query.y) ** 2))
        return min(losses)
