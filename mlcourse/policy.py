"""Policy gradients as an objective: the loss of a policy on rollouts is minus their return.

Rollouts are data that depend on theta. At the theta that drew them, the loss here has the policy gradient for its
gradient, and for its Hessian an unbiased estimate of that of the expected return, because it keeps how likely each
rollout would be at another theta. So the meta-methods take it like any objective, and `maml` gives the meta-gradient of
the return after adaptation, on an `on_policy_episode`: support rollouts drawn at theta, query rollouts at theta'.
"""

from functools import partial

import autograd.numpy as np
import numpy

from mlcourse import checks
from mlcourse.derivatives import Loss
from mlcourse.evaluate import report
from mlcourse.inner import adapt, trajectory
from mlcourse.objectives import Objective, objective_of
from mlcourse.robots import log_probability, roll_out
from mlcourse.tasks import Episode
from mlcourse.training import adam, outer_loop, start_state


class GaussianPolicy:
    """Actions u ~ Normal(model(theta, state), sigma^2), each entry by itself.

    model  a function (theta, x) such as an MLP, from states to mean actions
    sigma  a number > 0, or None: log sigma is then the last part of theta, a number for each entry of an action
    size   P, the number of parameters
    """

    def __init__(self, model, sigma=None):
        self.model, self.sigma = model, None if sigma is None else checks.positive("sigma", sigma)
        self.inputs, self.outputs = model.inputs, model.outputs
        self.size = model.size + (model.outputs if sigma is None else 0)

    def init(self, rng, sigma=0.5):
        """theta (P,): the model's own, and log sigma where it is learned."""
        learned = [numpy.log(sigma)] * (self.size - self.model.size)
        return numpy.append(self.model.init(rng), learned)

    def __call__(self, theta, states):
        """States (..., K, inputs) -> means (..., K, outputs) and standard deviations, a number or (..., 1, outputs)."""
        if self.sigma is not None:
            return self.model(theta, states), self.sigma
        return self.model(theta[..., : self.model.size], states), np.exp(theta[..., None, self.model.size :])


def score(actions, mean, sigma):
    """The gradient of log Normal(u; mean, sigma^2) with respect to the mean, (u - mean) / sigma^2, entry by entry."""
    return (actions - mean) / sigma**2


def returns_to_go(rewards, gamma=1.0):
    """G_t = r_t + gamma r_{t+1} + gamma^2 r_{t+2} + …, what an action at t can still change: same shape."""
    t = numpy.arange(rewards.shape[-1])
    later = t[:, None] - t
    return rewards @ numpy.where(later >= 0, float(gamma) ** numpy.maximum(later, 0), 0.0)


def advantages(returns):
    """Returns to go (..., K, horizon) minus their mean over the K rollouts of the task, at each time."""
    return returns - numpy.mean(returns, axis=-2, keepdims=True)


def policy_gradient(policy, horizon, derivatives="by hand"):
    """Minus the mean return, as an objective: value, grad and hvp on `Rollouts.data` of K >= 2 rollouts.

    With l_t the log of how much likelier an action is at theta than where it was drawn, and b_t the mean of the K
    rewards at time t, the loss is -sum_t b_t - sum_{k, t} exp(l_0 + … + l_t) (r_t - b_t) / (K - 1). Where the rollouts
    were drawn the ratios are 1, the gradient is -sum score * advantages / (K - 1), and the Hessian has two parts: the
    scores move, and so does how likely each rollout is, the score term. K - 1 because a rollout's own reward is in
    its baseline. At another theta the loss is what the rollouts, reweighted, say of it; good near by.

    With `maml` the gradient is that of the return after a step along the expected policy gradient. That the K drawn
    rollouts scatter around it, and that theta decides how, adds a term of order alpha^2 / K (Al-Shedivat et al. 2018).

    policy       GaussianPolicy; with a learned sigma, or derivatives="autograd", the derivatives are autograd's
    Foerster et al. 2018 (DiCE); Rothfuss et al. 2019, equation 6. Raises ValueError for data of another form.
    """
    return _objective(policy, horizon, _reweighted, _reweighted_slope, _reweighted_curvature, derivatives)


def without_score_term(policy, horizon, derivatives="by hand"):
    """The same with the rollouts taken for given: -sum_t b_t - sum_{k, t} l_t * advantage_t / (K - 1).

    The same value and gradient at the theta that drew the rollouts, another Hessian: how theta changes what is drawn
    is left out. It is what two passes of automatic differentiation make of log probability times advantage.
    """
    return _objective(policy, horizon, _given, _given_slope, _given_curvature, derivatives)


def _objective(policy, horizon, loss, slope, curvature, derivatives):
    known = {"horizon": checks.at_least("horizon", horizon, 1)}
    check, loss = partial(_check, **known), partial(loss, **known)
    if policy.sigma is None:
        return Objective(policy, loss, check)

    def of_means(mean, y):
        return loss((mean, policy.sigma), y)

    slope, curvature = (partial(each, sigma=policy.sigma, **known) for each in (slope, curvature))
    return objective_of(policy.model, of_means, check, Loss(of_means, slope, curvature), derivatives)


def _check(data, outputs, horizon):
    x, y = numpy.shape(data.x), numpy.shape(data.y)
    if len(y) < 2 or y[-1] != outputs + 2 or x[:-1] != y[:-1]:
        raise ValueError(
            f"y must have a row (action of {outputs}, log probability, reward) for each state, got x {x} and y {y}: "
            "give roll_out(...).data"
        )
    if y[-2] % horizon or y[-2] < 2 * horizon:
        raise ValueError(f"the rows must be at least 2 rollouts of {horizon} steps, got {y[-2]} rows: draw more")
    checks.finite("y", data.y)


class _Seen:
    """The rows of `Rollouts.data`, again as K rollouts of `horizon` steps."""

    def __init__(self, y, horizon):
        y = y.reshape(*y.shape[:-2], -1, horizon, y.shape[-1])
        self.actions, self.drawn, rewards = y[..., :-2], y[..., -2], y[..., -1]
        self.baseline = rewards.mean(axis=-2, keepdims=True)
        self.rewards = (rewards - self.baseline) / (rewards.shape[-2] - 1)

    @property
    def advantages(self):
        """What each action could still change, above the baseline."""
        return returns_to_go(self.rewards)

    def by_rollout(self, mean):
        return np.reshape(mean, (*mean.shape[:-2], *self.actions.shape[-3:]))

    def log_ratio(self, mean, sigma):
        sigma = sigma[..., None, :] if numpy.ndim(sigma) else sigma
        return log_probability(self.actions, self.by_rollout(mean), sigma) - self.drawn

    def ratio(self, mean, sigma):
        """How much likelier each rollout is up to each time than where it was drawn: (..., K, horizon)."""
        return np.exp(np.cumsum(self.log_ratio(mean, sigma), axis=-1))

    def score(self, mean, sigma):
        return score(self.actions, self.by_rollout(mean), sigma)

    def minus_return(self, change):
        return -np.sum(self.baseline, axis=(-2, -1)) - np.sum(change, axis=(-2, -1))


def _reweighted(prediction, y, horizon):
    seen = _Seen(y, horizon)
    return seen.minus_return(seen.ratio(*prediction) * seen.rewards)


def _reweighted_slope(mean, y, horizon, sigma):
    seen = _Seen(y, horizon)
    to_come = returns_to_go(seen.ratio(mean, sigma) * seen.rewards)[..., None]
    return -(seen.score(mean, sigma) * to_come).reshape(mean.shape)


def _reweighted_curvature(mean, y, r, horizon, sigma):
    seen = _Seen(y, horizon)
    ratio, scores, r_mean = seen.ratio(mean, sigma), seen.score(mean, sigma), seen.by_rollout(r)
    r_ratio = ratio * numpy.cumsum((scores * r_mean).sum(axis=-1), axis=-1)
    to_come, r_to_come = (returns_to_go(each * seen.rewards)[..., None] for each in (ratio, r_ratio))
    return (r_mean / sigma**2 * to_come - scores * r_to_come).reshape(r.shape)


def _given(prediction, y, horizon):
    seen = _Seen(y, horizon)
    return seen.minus_return(seen.log_ratio(*prediction) * seen.advantages)


def _given_slope(mean, y, horizon, sigma):
    seen = _Seen(y, horizon)
    return -(seen.score(mean, sigma) * seen.advantages[..., None]).reshape(mean.shape)


def _given_curvature(mean, y, r, horizon, sigma):
    seen = _Seen(y, horizon)
    return (seen.by_rollout(r) / sigma**2 * seen.advantages[..., None]).reshape(r.shape)


def on_policy_episode(environment, policy, objective, theta, goals, rng, *, rollouts, alpha, steps=1):
    """An Episode for a meta-method at theta: support rollouts drawn at theta, query rollouts at each task's theta'.

    theta (P,); goals (T, g); rollouts K >= 2 of either. Further inner steps use the same support rollouts, reweighted.
    """
    support = roll_out(environment, policy, theta, goals, rollouts, rng).data
    theta_prime = adapt(objective, theta, support, alpha, steps)
    return Episode(support, roll_out(environment, policy, theta_prime, goals, rollouts, rng).data, {"goal": goals})


def meta_train_on_policy(
    method, environment, policy, objective, theta, rng, *, alpha, tasks, rollouts, learning_rate, steps=1,
    optimizer=adam, resume=None,
):  # fmt: skip
    """`meta_train` where the data depend on theta: fresh goals and an `on_policy_episode` for every meta-gradient.

    method    maml, fomaml or any other; joint_training with steps=0, all drawn at theta, is one policy for all
    rollouts  K of the support and K of the query set; the other arguments, and the states, are those of `meta_train`
    """
    checks.at_least("tasks", tasks, 1), checks.at_least("rollouts", rollouts, 2)
    start = start_state(theta, alpha, rng, steps, learning_rate, resume)

    def draw(state):
        goals, here = environment.goals(rng, tasks), (environment, policy, objective, state.theta)
        return on_policy_episode(*here, goals, rng, rollouts=rollouts, alpha=state.alpha, steps=steps)

    return outer_loop(method, objective, draw, start, rng, steps, learning_rate, optimizer=optimizer)


def returns_after(environment, policy, objective, theta, goals, rng, *, rollouts, alpha, steps=1):
    """Return before adaptation and after 1, … m inner steps, each on new rollouts at that theta_i: a Report.

    goals (T, g), T >= 2; rollouts K >= 2, both to adapt on and to judge each theta_i
    """
    support = roll_out(environment, policy, theta, goals, rollouts, rng).data
    path = trajectory(objective, theta, support, alpha, steps)
    return report([roll_out(environment, policy, theta_i, goals, rollouts, rng).returns for theta_i in path])
