"""Lesson 12, meta-reinforcement learning."""

from types import MappingProxyType

import numpy as np

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, TextProblem, mistake
from mlcourse.classroom.judging.compare import fresh
from mlcourse.recipes.deviations import Deviation


class score(FunctionProblem):
    title = "the score of an action"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:gradient-based-adaptation",)
    hints = (
        "Differentiate −(u − mean)²/(2σ²) with respect to `mean`. What does not contain the mean drops out.",
        "The square gives 2(u − mean), times −1 for the inner derivative, times −1/(2σ²): the signs and the 2 cancel.",
        "`return (actions - mean) / sigma**2`",
    )
    explanation = r"""
    $\log p(u) = -\frac{(u - \text{mean})^2}{2\sigma^2} - \log(\sigma\sqrt{2\pi})$. Its derivative with respect to the mean is
    $(u - \text{mean})/\sigma^2$: positive for an action above the mean, since a larger mean would make that action likelier.
    """
    deviations = (
        Deviation("power", 1, "σ for σ²", "This divides by σ. The exponent has σ² below, and so does its derivative."),
        Deviation("power", 0, "not divided by σ²", "σ² is left out: the same distance counts less where the policy scatters more."),
        Deviation("power", 3, "σ³ for σ²", "This divides by σ³. Only the exponent depends on the mean, and it has σ² below."),
        Deviation("factor", 2, "the one half left out", "The exponent is −(u − mean)²/(2σ²): its 2 cancels that of the square."),
        Deviation("factor", 0.5, "the square's 2 left out", "Differentiating the square gives a 2, which cancels the one half."),
        Deviation("what", "mean not subtracted", "mean not subtracted", "The mean is not subtracted: the score is 0 for an action at the mean."),
        Deviation("what", "squared", "not differentiated", "The square is still there: differentiate (u − mean)² with respect to the mean."),
        Deviation("what", "density", "of the probability, not of its logarithm",
                  "This is the derivative of the density itself. The score is that of its logarithm, without the density as a factor."),
        Deviation("what", "in sigma", "the derivative in σ", "This is the derivative with respect to σ. The parameter here is the mean."),
    )  # fmt: skip

    def draw(self, rng):
        mean, sigma = float(rng.normal()), float(rng.uniform(0.3, 0.8))
        return {"actions": mean + sigma * rng.standard_normal(int(rng.integers(3, 7))), "mean": mean, "sigma": sigma}

    def statement(self, given):
        value = ", ".join(f"{number:.4f}" for number in self.solution(**vars(given)))
        return rf"""
        Actions $u$ are drawn from a normal distribution with mean `mean` and standard deviation `sigma`. Write
        `score(actions, mean, sigma)`: for each action the derivative of $\log p(u)$ with respect to the
        mean; `actions` has shape `(K,)`, and so has the answer.

        For `p.given("score")`, with mean = {given.mean:.3f} and sigma = {given.sigma:.3f}, it is [{value}].
        """

    @staticmethod
    def solution(actions, mean, sigma):
        return (actions - mean) / sigma**2

    @staticmethod
    def variant(actions, mean, sigma, power=2, factor=1, what="score"):
        away = actions - mean
        density = np.exp(-(away**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
        above = {
            "score": away,
            "mean not subtracted": actions,
            "squared": away**2,
            "density": density * away,
            "in sigma": (away**2 - sigma**2) / sigma,
        }[what]
        return factor * above / sigma**power

    @mistake(
        "sign",
        "The sign is turned: this is the derivative with respect to the action. An action above the mean pulls the mean up: (u − mean)/σ².",
    )
    def turned(actions, mean, sigma):
        return (mean - actions) / sigma**2

    @mistake("averaged over actions", "This is one number, the mean. Each action has a score of its own: shape `(K,)`.")
    def averaged(actions, mean, sigma):
        return np.mean(actions - mean) / sigma**2

    @mistake("log p itself", "This is log p(u). Asked for is its derivative with respect to the mean.")
    def log_density(actions, mean, sigma):
        return -((actions - mean) ** 2) / (2 * sigma**2) - np.log(sigma * np.sqrt(2 * np.pi))

    @mistake(
        "the actions' own mean",
        "The mean of these actions is subtracted. The policy's mean is the argument `mean`; the actions scatter around it.",
    )
    def own_mean(actions, mean, sigma):
        return (actions - np.mean(actions)) / sigma**2


class return_after(FunctionProblem):
    title = "the return after one step"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = (
        "concept:support-set", "concept:query-set", "concept:meta-objective", "mistake:same-data",
        "takeaway:split-rewards-generalisation",
    )  # fmt: skip
    hints = (
        "Whose return is asked for? Rollouts show the return of the policy that drew them.",
        "Draw once more, with the adapted parameters: `draw(…, rng)`.",
        "`query = draw(theta_prime, rng)`",
    )
    explanation = r"""
    The support rollouts come from $\theta$: they say where to step. Whether the step was good only rollouts of $\theta'$ can say, so they
    have to be drawn anew, after the step.
    """
    deviations = (
        Deviation("judged on", "support", "judged on the support rollouts",
                  "The support rollouts judge. They were drawn at θ, before the step, and show the return of θ, whatever θ′ is."),
        Deviation("judged on", "theta", "before adaptation",
                  "The query rollouts are drawn at θ. They are new, but show the return before adaptation: draw them at θ′."),
        Deviation("judged on", "both", "judged on both sets",
                  "Support and query rollouts judge together. Half of them were drawn at θ and show its return: leave the support rollouts out."),
        Deviation("step", "down", "downhill", "The step goes against the gradient of the return. Returns are to grow: θ + α · gradient."),
        Deviation("step", "whole", "alpha left out", "The step is the whole gradient. Its length is α times the gradient."),
        Deviation("step", "twice", "two steps", "Two inner steps were taken. One step, on the support rollouts, is asked for."),
        Deviation("gives", "sum", "sum for mean", "The query rewards are summed. The return is their mean over rollouts."),
        Deviation("gives", "gain", "the gain", "This is what the step gained. The return after it is asked for."),
        Deviation("gives", "best", "the best rollout", "This is the largest reward. The return is the mean over rollouts."),
    )  # fmt: skip

    def draw(self, rng):
        goal, sigma, rollouts = float(rng.normal(0, 2)), float(rng.uniform(0.3, 0.8)), int(rng.integers(4, 9))

        def draw(theta, rng):
            actions = theta + sigma * rng.standard_normal(rollouts)
            return actions, -((actions - goal) ** 2)

        def gradient(theta, actions, rewards):
            baseline = np.median(rewards)  # with their mean, actions and rewards could change places unseen
            return np.mean((actions - theta) / sigma**2 * (rewards - baseline))

        return {
            "draw": draw,
            "gradient": gradient,
            "theta": float(rng.normal()),
            "alpha": float(rng.uniform(0.05, 0.3)),
            "rng": np.random.default_rng(int(rng.integers(1 << 30))),
        }

    def statement(self, given):
        value = float(self.solution(**fresh(vars(given))))
        return rf"""
        `draw(theta, rng)` draws K rollouts of a bandit with the policy at theta and gives `actions` and `rewards`, each `(K,)`.
        `gradient(theta, actions, rewards)` estimates the slope of the expected return at the theta that drew them. Write
        `return_after(draw, gradient, theta, alpha, rng)`: the mean reward after one step of size `alpha` uphill, an estimate from K
        rollouts for the step and K for the judgement, drawn in this order.

        For `p.given("return_after")`, with theta = {given.theta:.3f} and alpha = {given.alpha:.3f}, it is {value:.4f}.
        """

    @staticmethod
    def solution(draw, gradient, theta, alpha, rng):
        support = draw(theta, rng)
        theta_prime = theta + alpha * gradient(theta, *support)
        query = draw(theta_prime, rng)
        _, rewards = query
        return np.mean(rewards)

    def maker(self, case):
        def make(settings):
            settings = {choice.replace(" ", "_"): setting for choice, setting in settings.items()}
            return np.asarray(self.variant(*fresh(case).values(), **settings), dtype=float)

        return make

    @staticmethod
    def variant(draw, gradient, theta, alpha, rng, judged_on="theta prime", step="up", gives="mean"):
        support = draw(theta, rng)
        size = {"up": alpha, "down": -alpha, "whole": 1, "twice": alpha}[step]
        theta_prime = theta + size * gradient(theta, *support)
        if step == "twice":
            theta_prime = theta_prime + size * gradient(theta_prime, *draw(theta_prime, rng))
        query = {
            "theta prime": lambda: draw(theta_prime, rng),
            "support": lambda: support,
            "theta": lambda: draw(theta, rng),
            "both": lambda: [np.concatenate(each) for each in zip(support, draw(theta_prime, rng), strict=True)],
        }[judged_on]()
        rewards = query[1]
        return {
            "mean": np.mean(rewards),
            "sum": np.sum(rewards),
            "gain": np.mean(rewards) - np.mean(support[1]),
            "best": np.max(rewards),
        }[gives]

    def skip(self, settings):
        """Where the rollouts of theta judge, the step makes no difference; the support gains nothing over itself."""
        judged_before = settings.get("judged on") in ("support", "theta")
        return judged_before and ("step" in settings or settings.get("gives") == "gain")


class returns_to_go(FunctionProblem):
    title = "what an action can still change"
    place = "lesson"
    difficulty, minutes = "easy", 4
    tags = ("concept:gradient-based-adaptation",)
    hints = (
        "Going backwards, `later` is the return to go of the move after. What does the move at `t` add, and how much does the rest count?",
        "The reward at `t` counts whole, the rest γ times: `rewards[t]` plus `gamma` times what was there.",
        "`later = rewards[t] + gamma * later`",
    )
    explanation = r"""
    $G_t = r_t + \gamma\,G_{t+1}$, with nothing after the last move. Going backwards, each sum is made from the one before it. A reward that came
    before $t$ cannot be changed by the move at $t$; as a weight of its score it would be noise.
    """
    deviations = (
        Deviation("window", "past", "past rewards",
                  "This adds up the rewards up to t. The move at t cannot change them: take those from t on."),
        Deviation("window", "all", "the whole return at every time",
                  "Every time has the sum over the whole rollout. Rewards before t cannot be changed by the move at t: leave them out."),
        Deviation("window", "next", "its own reward left out", "The reward at t itself is missing: the move at t earns it."),
        Deviation("powers", "from the start", "powers from the rollout's start",
                  "The powers of γ count from the start of the rollout. From t on, the reward at t has γ⁰."),
        Deviation("powers", "none", "gamma ignored", "All rewards count alike. One that comes k moves later counts γᵏ."),
        Deviation("powers", "one more", "one power of gamma too many",
                  "Every power is one too high: the reward at t itself counts whole."),
        Deviation("powers", "turned", "powers turned round",
                  "The last reward counts whole and the next one least. It is the other way round."),
        Deviation("order", "turned", "turned round in time",
                  "The numbers are right and stand in reverse: the first entry belongs to the first move."),
        Deviation("sums", "means", "means for sums", "These are means of the rewards to come. A return to go is their sum."),
    )  # fmt: skip

    def draw(self, rng):
        return {"rewards": rng.normal(size=int(rng.integers(4, 8))), "gamma": float(rng.uniform(0.5, 0.95))}

    def statement(self, given):
        rewards, value = (
            ", ".join(f"{number:.3f}" for number in each) for each in (given.rewards, self.solution(**vars(given)))
        )
        return rf"""
        `rewards` are those of one rollout, move by move. Write `returns_to_go(rewards, gamma)`: for each time $t$ the sum
        $G_t = r_t + \gamma r_{{t+1}} + \gamma^2 r_{{t+2}} + \dots$ up to the end; as many
        numbers as there are rewards.

        For `p.given("returns_to_go")`, rewards [{rewards}] and gamma = {given.gamma:.3f}, it is [{value}].
        """

    @staticmethod
    def solution(rewards, gamma):
        to_go, later = np.zeros(len(rewards)), 0.0
        for t in reversed(range(len(rewards))):
            later = rewards[t] + gamma * later
            to_go[t] = later
        return to_go

    @staticmethod
    def variant(rewards, gamma, window="to come", powers="from t", order="in time", sums="sums"):
        t = np.arange(len(rewards))
        later = t - t[:, None]
        among = {"to come": later >= 0, "past": later <= 0, "all": later == later, "next": later > 0}[window]
        power = {
            "from t": np.abs(later) if window != "all" else t + 0 * later,
            "from the start": t + 0 * later,
            "none": 0 * later,
            "one more": np.abs(later) + 1,
            "turned": len(rewards) - 1 - t + 0 * later,
        }[powers]
        made = (among * gamma**power) @ rewards
        made = made / np.maximum(among.sum(axis=1), 1) if sums == "means" else made
        return made[::-1] if order == "turned" else made

    def skip(self, settings):
        """Over the whole rollout, the powers count from its start anyhow."""
        return settings.get("window") == "all" and settings.get("powers") == "from the start"

    @mistake(
        "the next move's return to go",
        "This is the return to go of the move after. The reward at t itself counts whole, and what comes after it γ times.",
    )
    def of_the_next(rewards, gamma):
        return np.append(returns_to_go.solution(rewards, gamma)[1:], 0.0)

    @mistake("rewards alone", "This is the reward at t alone. What comes after it, `later`, counts γ times.")
    def alone(rewards, gamma):
        return rewards + 0.0

    @mistake("gamma on the reward", "γ multiplies the reward at t. It belongs to what comes later: γ · `later`.")
    def reward_discounted(rewards, gamma):
        return gamma * returns_to_go.solution(rewards, 1.0)


class advantages(FunctionProblem):
    title = "better than the others of this goal?"
    difficulty, minutes = "easy", 5
    tags = ("concept:gradient-based-adaptation",)
    hints = (
        "The baseline at time t is what rollouts of this goal get from t on, on average: one number for each time.",
        "`returns.mean(axis=0)` averages over rollouts and has a number for each time; it is subtracted from every row.",
        "`return returns - returns.mean(axis=0)`",
    )
    explanation = r"""
    The baseline is the mean over rollouts at the same time, of the same goal. It takes away what all rollouts have in common: how far the goal
    is, how late it is. What stays says whether this rollout did better than the others, and that is what its moves should be judged by.
    """
    deviations = (
        Deviation("mean over", "time", "mean over time",
                  "The mean is taken over time, one for each rollout. Late moves have little left to earn: compare them with other rollouts at the same time."),
        Deviation("mean over", "all", "one mean for all", "One number is subtracted everywhere. Each time has its own mean over the rollouts: axis 0."),
        Deviation("mean over", "none", "no baseline", "Nothing is subtracted. Subtract the mean over rollouts, at each time."),
        Deviation("mean over", "others", "mean of the other rollouts",
                  "This subtracts the mean of the *other* rollouts. That is unbiased, too, and larger by K/(K − 1); here the mean of all K is asked for."),
        Deviation("middle", "median", "median for mean", "This subtracts the median over rollouts. The baseline is their mean."),
        Deviation("middle", "sum", "sum for mean", "The sum over rollouts is subtracted. The baseline is their mean."),
        Deviation("middle", "best", "best for mean", "This subtracts the best rollout's: then nothing is ever better than the baseline."),
        Deviation("sign", -1, "the other way round", "This is the baseline minus the return. Better than the others is to be positive."),
        *(
            Deviation("divided by", spread, "divided by the spread",
                      "The differences are divided by their spread as well. Many codes do that; it changes the gradient's length, and is not asked for.")
            for spread in ("their spread", "the spread at each time", "the returns' spread")
        ),
    )  # fmt: skip

    def draw(self, rng):
        rollouts, horizon = int(rng.integers(3, 6)), int(rng.integers(2, 5))
        rewards = rng.normal(-1, 0.5, (rollouts, horizon))
        return {"returns": np.cumsum(rewards[:, ::-1], axis=1)[:, ::-1].copy()}

    def statement(self, given):
        rollouts, horizon = given.returns.shape
        first = ", ".join(f"{number:.4f}" for number in self.solution(given.returns)[0])
        return rf"""
        `returns` holds the returns to go of K rollouts of one goal: a row for each rollout, a column for each time. Write
        `advantages(returns)`, of the same shape: how much each is above the mean over the rollouts at the same time.

        For `p.given("advantages")`, with K = {rollouts} and {horizon} times, the first row is [{first}].
        """

    @staticmethod
    def solution(returns):
        return returns - returns.mean(axis=0)

    def maker(self, case):
        def make(settings):
            settings = {choice.replace(" ", "_"): setting for choice, setting in settings.items()}
            return self.variant(*fresh(case).values(), **settings)

        return make

    @staticmethod
    def variant(returns, mean_over="rollouts", middle="mean", sign=1, divided_by="nothing"):
        take = {"mean": np.mean, "median": np.median, "sum": np.sum, "best": np.max}[middle]
        K = len(returns)
        baseline = {
            "rollouts": take(returns, axis=0),
            "time": take(returns, axis=1)[:, None],
            "all": take(returns),
            "none": 0,
            "others": (take(returns, axis=0) * K - returns) / (K - 1),
        }[mean_over]
        away = sign * (returns - baseline)
        spread = {
            "nothing": 1,
            "their spread": np.std(away),
            "the spread at each time": np.std(returns, axis=0),
            "the returns' spread": np.std(returns),
        }[divided_by]
        return away / spread

    def skip(self, settings):
        return settings.get("mean over") in ("none", "others") and "middle" in settings


class bandit_meta_gradient(NumberProblem):
    title = "the bandit's meta-gradient"
    difficulty, minutes = "medium", 8
    tags = ("concept:higher-order-gradients", "concept:meta-objective", "takeaway:second-order-terms")
    hints = (
        "One step with the exact slope −2(θ − z) leads to θ′ = θ − 2α(θ − z). How far from z is that?",
        "The return after it is −(1 − 2α)²(θ − z)² − σ². Differentiate in θ, and average over the goals.",
        "The mean over goals of −2(1 − 2α)²(mean − z).",
    )
    explanation = r"""
    $\theta' - z = (1 - 2\alpha)(\theta - z)$, so the return after the step is $-(1-2\alpha)^2(\theta - z)^2 - \sigma^2$. Its derivative in θ is
    $-2(1-2\alpha)^2(\theta - z)$: one factor $1 - 2\alpha$ is the slope at θ′, the other how far θ′ moves when θ does.
    """

    def draw(self, rng):
        return {
            "mean": round(float(rng.uniform(-1, 1)), 1),
            "goals": np.round(rng.uniform(-3, 3, 3), 1),
            "alpha": round(float(rng.uniform(0.1, 0.35)), 2),
        }

    def statement(self, given):
        goals = ", ".join(f"{goal}" for goal in given.goals)
        return rf"""
        A bandit pays $-(u - z)^2$ for the action $u$, drawn from a normal distribution with mean θ = {given.mean} and a fixed spread. The
        three goals $z$ are {goals}. For each, one step of size $\alpha$ = {given.alpha} goes up the exact slope of the expected return. What is the exact
        derivative, in θ, of the expected return after the step, averaged over the goals? (`p.given("bandit_meta_gradient")` has `mean`, `goals` and
        `alpha`.)
        """

    @staticmethod
    def solution(mean, goals, alpha):
        return np.mean(-2 * (1 - 2 * alpha) ** 2 * (mean - goals))

    @mistake(
        "first-order",
        "This is the first-order one: the slope at θ′. θ′ moves by only 1 − 2α of what θ moves: once more that factor.",
    )
    def first_order(mean, goals, alpha):
        return np.mean(-2 * (1 - 2 * alpha) * (mean - goals))

    @mistake("sign", "The sign is turned: this is the derivative of the loss. The return's points towards the goals.")
    def turned(mean, goals, alpha):
        return np.mean(2 * (1 - 2 * alpha) ** 2 * (mean - goals))

    @mistake("before adaptation", "This is the slope at θ, before the step. Asked for is that of the return after it.")
    def before(mean, goals, alpha):
        return np.mean(-2 * (mean - goals))

    @mistake("sum over goals", "This is the sum over the goals. Take the mean.")
    def summed(mean, goals, alpha):
        return np.sum(-2 * (1 - 2 * alpha) ** 2 * (mean - goals))

    @mistake("1 − α for 1 − 2α", "The slope has a 2, and so has the curvature: what the step leaves is 1 − 2α.")
    def half_the_curvature(mean, goals, alpha):
        return np.mean(-2 * (1 - alpha) ** 2 * (mean - goals))

    @mistake(
        "curvature with the wrong sign",
        "θ′ moves by 1 + 2α here. The return bends down: its second derivative is −2, and the factor 1 − 2α.",
    )
    def plus(mean, goals, alpha):
        return np.mean(-2 * (1 - 2 * alpha) * (1 + 2 * alpha) * (mean - goals))

    @mistake("the factor 2 left out", "The 2 of the square is missing: the derivative of −d² is −2d.")
    def no_two(mean, goals, alpha):
        return np.mean(-((1 - 2 * alpha) ** 2) * (mean - goals))

    @mistake(
        "downhill", "The step goes down the slope: it moves θ away from the goals. Returns are to grow: θ + α · slope."
    )
    def downhill(mean, goals, alpha):
        return np.mean(-2 * (1 + 2 * alpha) ** 2 * (mean - goals))

    @mistake(
        "not differentiated", "This is the return after the step, without its −σ². Asked for is its derivative in θ."
    )
    def value(mean, goals, alpha):
        return np.mean(-((1 - 2 * alpha) ** 2) * (mean - goals) ** 2)

    @mistake("the distance after the step", "This is the mean of z − θ′. Asked for is the derivative of the return.")
    def distance(mean, goals, alpha):
        return np.mean((1 - 2 * alpha) * (goals - mean))


class return_curvature(FunctionProblem):
    title = "the second derivative from rollouts"
    difficulty, minutes = "hard", 15
    tags = ("concept:higher-order-gradients", "takeaway:second-order-terms")
    hints = (
        "Differentiate E[(r − b)·score] once more. θ stands in two places: in the score, and in the density under the expectation.",
        "Differentiating the density gives it times the score: (r − b)·score². Differentiating the score, (u − θ)/σ², gives −1/σ².",
        "The mean over rollouts of (r − b)(score² − 1/σ²).",
    )
    explanation = r"""
    $\frac{d}{d\theta}\int p_\theta(u)\,s(u)\,(r - b)\,du = \int p_\theta(u)\,\big(s(u)^2 - \tfrac{1}{\sigma^2}\big)(r - b)\,du$: once through the score, once
    through what is drawn, $dp_\theta/d\theta = p_\theta\,s$. The second is the score term. Without it a good baseline leaves nothing: $E[r - b] = 0$.
    """
    deviations = (
        Deviation("terms", "score moves", "score term dropped",
                  "Only the score is differentiated, as if the rollouts did not depend on θ. How likely they are does: the score's square belongs to it."),
        Deviation("terms", "rollouts move", "only the score term", "Only the density is differentiated. The score itself depends on θ, too: −1/σ²."),
        Deviation("terms", "added", "both terms with the same sign", "The 1/σ² is added. The derivative of the score (u − θ)/σ² in θ is −1/σ²."),
        Deviation("square", "none", "score not squared", "The score comes in once. From the density comes a second one: its square."),
        Deviation("square", "of the mean", "squared after averaging", "The mean score is squared. Each rollout has its own square: average last."),
        Deviation("below", "σ", "σ for σ²", "The score divides by σ². So does its derivative."),
        Deviation(
            "subtracted", "none", "baseline left out", "The baseline is not subtracted. Right in the mean, too, but another estimate, with more noise."),
        Deviation(
            "subtracted", "own", "a baseline of its own", "The rewards' own mean is subtracted. The baseline is given as an argument."),
        Deviation("gives", "sum", "sum for mean", "The rollouts are summed. An expectation is estimated by their mean."),
        Deviation("gives", "gradient", "the first derivative", "This is the slope of the return. Its second derivative is asked for."),
    )  # fmt: skip

    def draw(self, rng):
        mean, sigma, goal = float(rng.normal()), float(rng.uniform(0.4, 0.9)), float(rng.normal(0, 2))
        actions = mean + sigma * rng.standard_normal(int(rng.integers(4, 9)))
        rewards = -((actions - goal) ** 2)
        return {
            "actions": actions,
            "rewards": rewards,
            "baseline": float(rewards.mean() + rng.normal(0, 1)),
            "mean": mean,
            "sigma": sigma,
        }

    def statement(self, given):
        return rf"""
        K actions were drawn from a normal distribution with mean `mean` (the parameter θ) and standard deviation `sigma`; `actions` and `rewards` have shape
        `(K,)`, and `baseline` is a number that does not depend on them. The mean over rollouts of (reward − baseline)·score estimates the slope of
        the expected return in θ. Write `return_curvature(actions, rewards, baseline, mean, sigma)`: one number, the mean over rollouts that estimates its
        *second* derivative without bias.

        For `p.given("return_curvature")`, with K = {len(given.actions)}, it is {self.solution(**vars(given)):.4f}.
        """

    @staticmethod
    def solution(actions, rewards, baseline, mean, sigma):
        score = (actions - mean) / sigma**2
        return np.mean((rewards - baseline) * (score**2 - 1 / sigma**2))

    @mistake("sign", "The sign is turned: this is the curvature of the loss, minus the return.")
    def turned(actions, rewards, baseline, mean, sigma):
        return -return_curvature.solution(actions, rewards, baseline, mean, sigma)

    @mistake(
        "K − 1 for K",
        "This divides by K − 1. That is for a baseline made of the same rollouts; this one does not depend on them: divide by K.",
    )
    def one_less(actions, rewards, baseline, mean, sigma):
        K = len(actions)
        return return_curvature.solution(actions, rewards, baseline, mean, sigma) * K / (K - 1)

    @mistake("σ for σ² in the score", "The score's square is right for a score that divides by σ. It divides by σ².")
    def score_by_sigma(actions, rewards, baseline, mean, sigma):
        return np.mean((rewards - baseline) * (((actions - mean) / sigma) ** 2 - 1 / sigma**2))

    @mistake(
        "a factor 1/σ² left out",
        "The score divides by σ², so its square has σ⁴ below and its derivative σ²: a factor 1/σ² is left out of both.",
    )
    def no_sigma_below(actions, rewards, baseline, mean, sigma):
        return sigma**2 * return_curvature.solution(actions, rewards, baseline, mean, sigma)

    @mistake(
        "1/σ² not weighed",
        "1/σ² is subtracted after averaging. It has the weight (reward − baseline), too, in each rollout.",
    )
    def not_weighed(actions, rewards, baseline, mean, sigma):
        return np.mean((rewards - baseline) * ((actions - mean) / sigma**2) ** 2) - 1 / sigma**2

    @staticmethod
    def variant(
        actions,
        rewards,
        baseline,
        mean,
        sigma,
        terms="both",
        square="each",
        below="σ²",
        subtracted="given",
        gives="mean",
    ):
        power = {"σ²": 2, "σ": 1}[below]
        score = (actions - mean) / sigma**power
        squared = {"each": score**2, "none": score, "of the mean": np.mean(score) ** 2}[square]
        moved = {
            "both": squared - 1 / sigma**power,
            "score moves": -1 / sigma**power,
            "rollouts move": squared,
            "added": squared + 1 / sigma**power,
        }[terms]
        weights = rewards - {"given": baseline, "none": 0, "own": np.mean(rewards)}[subtracted]
        each = weights * (score if gives == "gradient" else moved)
        return np.sum(each) if gives == "sum" else np.mean(each)

    def skip(self, settings):
        terms, gives, square = (settings.get(choice) for choice in ("terms", "gives", "square"))
        return (
            (gives == "gradient" and (terms or square))
            or (terms == "score moves" and (square or settings.get("subtracted") == "own"))
            or (settings.get("subtracted") == "own" and terms in ("rollouts move", "added"))
        )


_AT_THETA, _AT_THETA_PRIME = "theta", "theta prime"


class on_which_rollouts(ChoiceProblem):
    title = "on which rollouts?"
    difficulty, minutes = "medium", 8
    tags = ("concept:support-set", "concept:query-set", "concept:split-mimics-test", "mistake:same-data")
    labels = (_AT_THETA, _AT_THETA_PRIME)
    hints = (
        "Follow the order of things: θ draws the support rollouts, they give θ′, θ′ draws the query rollouts.",
        "What has to do with the step (its gradient, its baseline, its curvature) was drawn at θ. What judges the step was drawn at θ′.",
    )
    explanation = """
    The inner gradient is taken on support rollouts, drawn at θ, and so is everything about that step: its advantages, and the Hessian and the score term on
    the way back. The outer gradient ∇L_q(θ′), first-order or the beginning of the exact one, and the return after adaptation need query rollouts,
    drawn at θ′. A policy for all goals takes no step: all of its rollouts come from θ.
    """
    traps = MappingProxyType(
        {
            "judged before the step": "What judges the step was said to be drawn at θ. Rollouts of θ show the return of θ, whatever θ′ is: draw at θ′.",
            "adapted on the query rollouts": "The inner step was said to use rollouts of θ′. θ′ is what the step leads to: it cannot draw before there is a step.",
            "Hessian on the query rollouts": "The way back was said to use rollouts of θ′. The factor (I − αH) is that of the step, which was taken at θ on support rollouts.",
            "no step taken for one": "A policy for all goals, or the return before the step, was said to need θ′. There is no step in it.",
        }
    )

    def statement(self, given):
        return """
        Meta-training takes one inner step from θ to θ′ for each goal. Each line names something that is computed from rollouts. With which parameters have those
        rollouts to be drawn, so that plain policy gradients and averages, without reweighting, are right?
        """

    def items(self, rng):
        goals, rollouts = int(rng.integers(10, 60)), int(rng.integers(10, 60))
        pools = {
            "judged before the step": [
                (f"the return after adaptation that you report for {goals} new goals", "what does 'after' ask for?"),
                (
                    "the outer gradient ∇L_q(θ′), with which the way back begins",
                    "the gradient at which parameters is it?",
                ),
                ("FOMAML's gradient", "it is the slope of the return after the step."),
                (
                    f"the baseline for the outer gradient, a mean over {rollouts} rollouts",
                    "whose rollouts does it stand beside?",
                ),
                ("a check whether the inner step was worth it: the return with it", "which policy is to be judged?"),
            ],
            "adapted on the query rollouts": [
                ("the gradient of the inner step", "what is there before the step?"),
                (f"the advantages that weigh {rollouts} rollouts in the inner step", "whose moves do they weigh?"),
                (f"the support set of one of {goals} goals", "what is there before the step?"),
                ("the scores that the inner step multiplies with the advantages", "the scores of whose moves?"),
            ],
            "Hessian on the query rollouts": [
                ("H in the factor (I − αH) of the exact meta-gradient", "which step does the factor belong to?"),
                (
                    "the score term: how θ changes what the inner step is taken on",
                    "which rollouts does the inner step see?",
                ),
            ],
            "no step taken for one": [
                (f"the policy gradient of one policy for all {goals} goals, which takes no step", "is there a θ′?"),
                ("the return before adaptation, in the first column of a table", "which policy is to be judged?"),
                ("what a robot that sees its goal is trained on, without inner steps", "is there a θ′?"),
            ],
        }
        items = []
        for (trap, pool), number in zip(pools.items(), (3, 2, 2, 2), strict=True):
            right = _AT_THETA_PRIME if trap == "judged before the step" else _AT_THETA
            other = _AT_THETA if right == _AT_THETA_PRIME else _AT_THETA_PRIME
            chosen = rng.permutation(len(pool))[:number]
            items += [Item(pool[i][0], right, {trap: other}, pool[i][1]) for i in chosen]
        return [items[i] for i in rng.permutation(len(items))]


class why_new_rollouts(TextProblem):
    title = "why the query set is drawn after the step"
    difficulty, minutes = "easy", 5
    tags = ("takeaway:split-rewards-generalisation", "concept:split-mimics-test", "takeaway:theta-and-theta-prime")
    model = """
    With sinusoids the points are there before anybody adapts: y does not depend on θ, so support and query can be drawn together and only have to
    be disjoint. Rollouts are made by the policy. Those of θ show states that θ visits and the return of θ; where θ′ goes, and what it earns there, only θ′ can
    show. So support rollouts are drawn at θ, the step is taken, and then query rollouts are drawn at θ′. The support rollouts depend on θ, too, and
    the exact meta-gradient has a term for that.
    """
    rubric = (
        "It says that data of a regression task do not depend on θ, and rollouts do.",
        "It gives the order: draw at θ, step, draw at θ′.",
        "It says what goes wrong otherwise: rollouts of θ show the return of θ.",
        "A bonus: the support rollouts depend on θ as well, which the exact meta-gradient has to know.",
    )

    def statement(self, given):
        return r"""
        In lesson 6, the support and the query set of a task were drawn together, before the inner step. Explain to someone who knows that lesson why
        this does not work with rollouts, and in what order things have to happen. A few sentences, in quotes.
        """
