"""`diagnose` on implementations in the libraries that people use: right ones, and the same with a known mistake.

Each library that is not there (extra `bench`) skips its tests by name.
"""

import importlib

import numpy as np
import pytest

from mlcourse import diagnose

ALPHA, BETA, STEPS, TASKS = 0.1, 0.05, 2, 2
SIZES = 2, 3, 1
RNG = np.random.default_rng(0)
SUPPORT, QUERY = ([(RNG.normal(size=(n, 2)), RNG.normal(size=(n, 1))) for _ in range(TASKS)] for n in (4, 5))
THETA = RNG.normal(size=SIZES[0] * SIZES[1] + SIZES[1] + SIZES[1] * SIZES[2] + SIZES[2])


def library(*names):
    """The modules, or a skip that says which of them is not installed."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            pytest.skip(f"{name} is not installed: pip install {name.split('.')[0]}")
    return [importlib.import_module(name) for name in names]


class Torch:
    """The network, its loss and its tasks in PyTorch."""

    def __init__(self, dtype="float64"):
        (self.torch,) = library("torch")
        self.dtype = getattr(self.torch, dtype)
        self.support, self.query = (
            [tuple(self.torch.tensor(each, dtype=self.dtype) for each in task) for task in tasks]
            for tasks in (SUPPORT, QUERY)
        )

    def net(self, theta):
        nn = self.torch.nn
        net = nn.Sequential(nn.Linear(*SIZES[:2]), nn.Tanh(), nn.Linear(*SIZES[1:])).to(self.dtype)
        nn.utils.vector_to_parameters(self.torch.tensor(theta, dtype=self.dtype), net.parameters())
        return net

    @staticmethod
    def loss(net, task):
        x, y = task
        return ((net(x) - y) ** 2).mean()

    def losses(self, tasks):
        net = self.net(THETA).requires_grad_(False)

        def at(theta, task):
            self.torch.nn.utils.vector_to_parameters(self.torch.tensor(theta, dtype=self.dtype), net.parameters())
            return self.loss(net, task)

        return [lambda theta, task=task: at(theta, task) for task in tasks]

    def diagnose(self, meta_gradient, **options):
        losses = self.losses(self.support), self.losses(self.query)
        return diagnose(meta_gradient, *losses, THETA, alpha=ALPHA, steps=STEPS, **options)

    def moved(self, theta, net):
        """What an optimiser with learning rate BETA has made of theta, as a gradient."""
        flat = self.torch.nn.utils.parameters_to_vector(net.parameters())
        return (theta - flat.detach().numpy()) / BETA / TASKS


def by_higher(mistake, dtype="float64"):
    torch, (higher,) = Torch(dtype), library("higher")

    def adapt(fast, optimiser, task):
        callback = (lambda slopes: [slope.detach() for slope in slopes]) if mistake == "detached" else None
        for _ in range(STEPS):
            optimiser.step(torch.loss(fast, task), grad_callback=callback)

    def meta_gradient(theta):
        net = torch.net(theta)
        inner, outer = (torch.torch.optim.SGD(net.parameters(), lr=rate) for rate in (ALPHA, BETA))
        slopes = [torch.torch.zeros_like(parameter) for parameter in net.parameters()]
        if mistake == "carried":
            with higher.innerloop_ctx(net, inner, copy_initial_weights=False) as (fast, optimiser):
                total = 0
                for support, query in zip(torch.support, torch.query, strict=True):
                    adapt(fast, optimiser, support)
                    total = total + torch.loss(fast, query)
            return torch.torch.autograd.grad(total / TASKS, list(net.parameters()))
        for support, query in zip(torch.support, torch.query, strict=True):
            options = {
                "copy_initial_weights": mistake in ("copied", "copied, at time 0"),
                "track_higher_grads": mistake != "not tracked",
            }
            with higher.innerloop_ctx(net, inner, **options) as (fast, optimiser):
                adapt(fast, optimiser, support)
                loss = torch.loss(fast, query)
                if mistake == "an update a task":
                    outer.zero_grad()
                    loss.backward()
                    outer.step()
                elif mistake == "copied":
                    loss.backward()
                else:
                    at = {"not tracked": fast.parameters, "copied, at time 0": lambda: fast.parameters(time=0)}
                    start = list(at.get(mistake, net.parameters)())
                    found = torch.torch.autograd.grad(loss / TASKS, start)
                    slopes = [total + slope for total, slope in zip(slopes, found, strict=True)]
        if mistake == "an update a task":
            return torch.moved(theta, net)
        return [parameter.grad for parameter in net.parameters()] if mistake == "copied" else slopes

    return torch, meta_gradient


def by_torch_func(mistake, dtype="float64"):
    torch, (func,) = Torch(dtype), library("torch.func")
    net = torch.net(THETA)

    def loss(parameters, task):
        x, y = task
        return ((func.functional_call(net, parameters, (x,)) - y) ** 2).mean()

    def adapted(parameters, task):
        for _ in range(STEPS):
            slopes = func.grad(loss)(parameters, task)
            if mistake == "detached":
                slopes = {name: slope.detach() for name, slope in slopes.items()}
            parameters = {name: parameters[name] - ALPHA * slopes[name] for name in parameters}
        return parameters

    def total(parameters):
        losses = []
        for support, query in zip(torch.support, torch.query, strict=True):
            fast = adapted(parameters, support)
            losses.append(loss(fast, query))
            parameters = fast if mistake == "carried" else parameters
        return sum(losses) / TASKS

    def of_task(parameters, support, query):
        return loss(adapted(parameters, support), query)

    def meta_gradient(theta):
        parameters = {name: each.detach() for name, each in torch.net(theta).named_parameters()}
        if mistake == "an update a task":
            for support, query in zip(torch.support, torch.query, strict=True):
                slopes = func.grad(of_task)(parameters, support, query)
                parameters = {name: parameters[name] - BETA * slopes[name] for name in parameters}
            flat = np.concatenate([each.numpy().ravel() for each in parameters.values()])
            return (theta - flat) / BETA / TASKS
        return func.grad(total)(parameters)

    return torch, meta_gradient


def by_learn2learn(mistake, dtype="float64"):
    torch, (l2l,) = Torch(dtype), library("learn2learn")

    def meta_gradient(theta):
        net = torch.net(theta)
        maml = l2l.algorithms.MAML(net, lr=ALPHA, first_order=mistake == "detached")
        outer = torch.torch.optim.SGD(maml.parameters(), lr=BETA)
        learner, total = maml.clone(), 0
        for support, query in zip(torch.support, torch.query, strict=True):
            learner = learner if mistake == "carried" else maml.clone()
            for _ in range(STEPS):
                learner.adapt(torch.loss(learner, support))
            if mistake == "an update a task":
                outer.zero_grad()
                torch.loss(learner, query).backward()
                outer.step()
            else:
                total = total + torch.loss(learner, query) / TASKS
        if mistake == "an update a task":
            return torch.moved(theta, net)
        total.backward()
        return [parameter.grad for parameter in net.parameters()]

    return torch, meta_gradient


def by_torchopt(mistake, dtype="float64"):
    torch, (torchopt,) = Torch(dtype), library("torchopt")
    autograd = torch.torch.autograd

    def meta_gradient(theta):
        net = torch.net(theta)
        inner = torchopt.MetaSGD(net, lr=ALPHA)
        outer = torch.torch.optim.SGD(net.parameters(), lr=BETA)
        start, total = list(net.parameters()), 0
        networks, optimisers = (torchopt.extract_state_dict(each, by="reference") for each in (net, inner))
        for support, query in zip(torch.support, torch.query, strict=True):
            if mistake == "detached":
                loss = torch.loss(_stepped_by_torchopt(torchopt, autograd, net, torch, support), query)
            else:
                for _ in range(STEPS):
                    inner.step(torch.loss(net, support))
                loss = torch.loss(net, query)
            if mistake != "carried":
                torchopt.recover_state_dict(net, networks)
                torchopt.recover_state_dict(inner, optimisers)
            if mistake == "an update a task":
                outer.zero_grad()
                loss.backward()
                outer.step()
            else:
                total = total + loss / TASKS
        return torch.moved(theta, net) if mistake == "an update a task" else autograd.grad(total, start)

    return torch, meta_gradient


def _stepped_by_torchopt(torchopt, autograd, net, torch, task):
    """The functional optimiser on detached slopes: a function x -> prediction with the parameters that it leads to."""
    names, parameters = zip(*net.named_parameters(), strict=True)
    optimiser = torchopt.sgd(lr=ALPHA)
    state = optimiser.init(parameters)

    def fast(x):
        return torch.torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), (x,))

    for _ in range(STEPS):
        slopes = tuple(slope.detach() for slope in autograd.grad(torch.loss(fast, task), parameters))
        updates, state = optimiser.update(slopes, state, inplace=False)
        parameters = torchopt.apply_updates(parameters, updates, inplace=False)
    return fast


class Jax:
    """The network, its loss and its tasks in JAX, compiled."""

    def __init__(self, dtype="float64"):
        jax, jnp = library("jax", "jax.numpy")
        self.jax, self.dtype = jax, dtype
        jax.config.update("jax_enable_x64", True)
        self.support, self.query = (
            [tuple(jnp.asarray(each, dtype=dtype) for each in task) for task in tasks] for tasks in (SUPPORT, QUERY)
        )
        inputs, hidden, outputs = SIZES
        weights, end = inputs * hidden, (inputs + 1) * hidden

        def loss(theta, task):
            x, y = task
            a = jnp.tanh(x @ theta[:weights].reshape(inputs, hidden) + theta[weights:end])
            last = theta[end : end + hidden * outputs].reshape(hidden, outputs)
            return jnp.mean((a @ last + theta[end + hidden * outputs :] - y) ** 2)

        self.loss = loss

    def diagnose(self, meta_gradient, **options):
        compiled = self.jax.jit(self.loss)
        support, query = (
            [lambda theta, task=task: compiled(theta.astype(self.dtype), task) for task in tasks]
            for tasks in (self.support, self.query)
        )
        return diagnose(meta_gradient, support, query, THETA, alpha=ALPHA, steps=STEPS, **options)


def by_jax(mistake, dtype="float64"):
    client = Jax(dtype)
    jax = client.jax

    def adapted(theta, task):
        for _ in range(STEPS):
            slope = jax.grad(client.loss)(theta, task)
            theta = theta - ALPHA * (jax.lax.stop_gradient(slope) if mistake == "detached" else slope)
        return theta

    def total(theta):
        losses = []
        for support, query in zip(client.support, client.query, strict=True):
            fast = adapted(theta, support)
            losses.append(client.loss(fast, query))
            theta = fast if mistake == "carried" else theta
        return sum(losses) / TASKS

    def an_update_a_task(theta):
        start = theta
        for support, query in zip(client.support, client.query, strict=True):
            loss = lambda theta, s=support, q=query: client.loss(adapted(theta, s), q)  # noqa: E731
            theta = theta - BETA * jax.grad(loss)(theta)
        return (start - theta) / BETA / TASKS

    compiled = jax.jit(an_update_a_task if mistake == "an update a task" else jax.grad(total))
    return client, lambda theta: compiled(theta.astype(dtype))


CLIENTS = {
    "higher": by_higher,
    "torch.func": by_torch_func,
    "JAX": by_jax,
    "learn2learn": by_learn2learn,
    "TorchOpt": by_torchopt,
}
MISTAKES = {
    "detached": "first-order gradient",
    "an update a task": "one update a task",
    "carried": "theta prime carried on",
}
each_client = pytest.mark.parametrize("name", CLIENTS)


@each_client
def test_what_is_right_is_exact(name):
    client, meta_gradient = CLIENTS[name](None)
    diagnosis = client.diagnose(meta_gradient)
    diagnosis.require_exact()
    assert diagnosis.digits >= 7 and not diagnosis.facts


@each_client
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_by_name(name, mistake):
    client, meta_gradient = CLIENTS[name](mistake)
    diagnosis = client.diagnose(meta_gradient)
    assert (diagnosis.outcome, diagnosis.names) == ("deviates", MISTAKES[mistake]), str(diagnosis)
    with pytest.raises(AssertionError, match=MISTAKES[mistake]):
        diagnosis.require_exact()


def test_one_update_a_task_comes_with_the_size_of_the_updates():
    client, meta_gradient = by_torch_func("an update a task")
    assert f"size {BETA}" in str(client.diagnose(meta_gradient))


def test_higher_with_a_copy_of_the_weights_is_right_where_the_copy_is_asked():
    client, meta_gradient = by_higher("copied, at time 0")
    client.diagnose(meta_gradient).require_exact()


def test_higher_with_a_copy_of_the_weights_leaves_no_gradient_in_the_network():
    client, meta_gradient = by_higher("copied")
    with pytest.raises(TypeError, match=r"meta_gradient returned None.*copy_initial_weights=False"):
        client.diagnose(meta_gradient)


def test_higher_that_does_not_track_is_first_order():
    client, meta_gradient = by_higher("not tracked")
    assert client.diagnose(meta_gradient).names == "first-order gradient"


@pytest.mark.parametrize("name", ["torch.func", "JAX"])
@pytest.mark.parametrize("mistake, told", [(None, ""), ("detached", "first-order gradient")])
def test_in_float32_as_many_digits_are_told_as_there_are(name, mistake, told):
    client, meta_gradient = CLIENTS[name](mistake, dtype="float32")
    diagnosis = client.diagnose(meta_gradient)
    assert diagnosis.names == told and diagnosis.outcome == ("deviates" if mistake else "exact")
    assert mistake or 2 <= diagnosis.digits <= 5
    assert "as in float32" in str(diagnosis)
