"""The time line: one walk through the loop of meta-learning, a moment a step, with lines as tasks."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Episode, Linear, Polynomials, adapt, evaluate_episode, maml, mean_squared_error, sgd
from mlcourse.classroom.figures.start import STAGES, TimeLine, moments_of
from mlcourse.classroom.panels.panel import Panel, player

LINES = Polynomials(degree=1, noise=0.3, x_range=(-2.0, 2.0))
OBJECTIVE = mean_squared_error(Linear(1))
START = np.array([2.4, -2.4])
ALPHA, BETA, TURNS = 0.2, 0.2, 8
ENDS = np.array([[-2.0], [2.0]])
HELD_OUT = LINES.sample(np.random.default_rng(0), tasks=200, shots=5, queries=10)
LAST = TURNS * len(STAGES) + len(STAGES) - 1
STILL = (*range(1, len(STAGES) + 1), LAST)  # the moments shown where no kernel runs: one turn, and the end


class Turn(NamedTuple):
    """One task and what it does: theta -> theta_prime on the support set, theta -> theta_next on the query set.

    held_out  mean query loss of theta_next after one inner step on the held-out tasks
    """

    episode: Episode
    theta: Any
    theta_prime: Any
    theta_next: Any
    held_out: float


class Moment(NamedTuple):
    """What there is to see at time t: see TimeLine. losses: name -> number, for the caption."""

    turn: int
    turns: int
    testing: bool
    stage: int
    optima: Any
    trail: Any
    theta: Any
    theta_prime: Any
    theta_next: Any
    optimum: Any
    episode: Episode
    x: Any
    lines: Any
    at_query: Any
    losses: Any


def best_lines(episode):
    """theta*(T) = (slope, intercept) of each task: (T, 2)."""
    return episode.tasks["coefficients"][..., ::-1]


def walk(rng):
    """TURNS outer steps of MAML with one task each, then one task more with theta frozen: a list of Turn."""
    theta, turns = START, []
    for turn in range(TURNS + 1):
        episode = LINES.sample(rng, tasks=1, shots=5, queries=10)
        (theta_prime,) = adapt(OBJECTIVE, theta, episode.support, ALPHA, steps=1)
        theta_next = theta
        if turn < TURNS:
            gradient = maml(OBJECTIVE, theta, episode, ALPHA, steps=1)
            theta_next, _ = sgd(theta, gradient.theta, (), BETA)
        held_out = evaluate_episode(OBJECTIVE, theta_next, HELD_OUT, ALPHA, steps=1).mean[1]
        turns.append(Turn(episode, theta, theta_prime, theta_next, held_out))
        theta = theta_next
    return turns


def moment(turns, t):
    """The Moment at t = 0 (before the first task), then five stages a turn, four in the last."""
    index, stage = divmod(t - 1, len(STAGES)) if t else (0, -1)
    turn = turns[index]
    (support, query), stage = (_only(part) for part in turn.episode[:2]), stage + 1
    thetas = {
        "before": turn.theta,
        "theta": turn.theta_next if stage == 5 else turn.theta,
        "theta_prime": turn.theta_prime,
        "optimum": best_lines(turn.episode)[0],
    }

    def loss(theta, data):
        return float(OBJECTIVE.value(theta, data))

    earlier = turns[index - 1].held_out if index else evaluate_episode(OBJECTIVE, START, HELD_OUT, ALPHA, 1).mean[1]
    first_prime = adapt(OBJECTIVE, START, support, ALPHA, steps=1)
    return Moment(
        turn=index + 1,
        turns=TURNS,
        testing=index == TURNS,
        stage=stage,
        optima=best_lines(HELD_OUT),
        trail=np.array([before.theta for before in turns[: index + 1]]),
        theta=turn.theta,
        theta_prime=turn.theta_prime,
        theta_next=turn.theta_next,
        optimum=thetas["optimum"],
        episode=Episode(support, query, turn.episode.tasks),
        x=ENDS,
        lines={name: OBJECTIVE.model(theta, ENDS) for name, theta in thetas.items()},
        at_query=OBJECTIVE.model(turn.theta_prime, query.x),
        losses={
            "support at theta": loss(turn.theta, support),
            "support at theta_prime": loss(turn.theta_prime, support),
            "query at theta": loss(turn.theta, query),
            "query at theta_prime": loss(turn.theta_prime, query),
            "query from the start": loss(first_prime, query),
            "held out before": earlier,
            "held out after": turn.held_out,
        },
    )


def _only(data):
    """The one task of a batch of one."""
    return type(data)(data.x[0], data.y[0])


def caption(now):
    """What happens now, in one sentence."""
    losses = now.losses
    training = (
        "Before the first task: each point on the left is a line on the right, "
        "and θ stands away from most of the grey dots, the best points of 200 tasks.",
        "Sample a task T: its best point θ*(T) is the star, its line is dotted, and the learner is shown neither.",
        "Support set: five noisy points of this task are all that the learner gets; "
        f"θ has a loss of {losses['support at theta']:.2f} on them.",
        "Inner step: one gradient step on the support set carries θ to θ′; "
        f"the loss there goes from {losses['support at theta']:.2f} to {losses['support at theta_prime']:.2f}.",
        "Query loss: θ′ is judged on ten other points of the same task and gets "
        f"{losses['query at theta_prime']:.2f}; θ would have got {losses['query at theta']:.2f}.",
        "Outer step: θ itself moves, so that an inner step from it ends lower, and θ′ is thrown away; "
        f"on 200 held-out tasks the loss after one inner step goes from {losses['held out before']:.2f} "
        f"to {losses['held out after']:.2f}.",
    )
    testing = (
        "",
        "Meta-test: training is over, θ is frozen, and a task comes that it has never met.",
        training[2],
        training[3],
        f"Query loss: θ′ gets {losses['query at theta_prime']:.2f} on new points of the new task; the same step "
        f"from where θ began would have got {losses['query from the start']:.2f}.",
    )
    return (testing if now.testing else training)[now.stage]


class Walk(Panel):
    """The panel, with a strip of moments where nothing can move."""

    def still(self):
        shown = {t: moment(self.task, t) for t in STILL}
        words = [f"t = {t}. {caption(now)}" for t, now in shown.items()]
        return moments_of(shown).png(), "\n".join(["Six moments of the panel:", *words])


def panel(seed=11):
    """The panel; the seed picks the tasks of the walk."""
    made = Walk(
        draw_task=walk,
        compute=moment,
        drawing=TimeLine,
        controls={"t": player("Time t", LAST, seconds=(4, 2, 1, 0.5), unit="moment")},
        caption=caption,
        seed=seed,
    )
    made.new_task.description, made.new_task.tooltip = "Other tasks", "the same walk with other tasks"
    # The sentence is read while the picture moves: it stands above it, in room enough for its longest form.
    *controls, picture, sentence = made.children
    sentence.layout.min_height = "3.6em"
    made.children = (*controls, sentence, picture)
    return made
