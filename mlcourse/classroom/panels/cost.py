"""Panel "cost" (lesson 11): what one meta-gradient keeps and computes, counted, four ways."""

from typing import Any, NamedTuple

from mlcourse import MLP
from mlcourse.classroom.figures.compute import Cost
from mlcourse.classroom.panels.panel import Panel, whole

SHOTS = 10


class Numbers(NamedTuple):
    """By way: numbers kept at once, and passes through the network; then what the controls say."""

    kept: Any
    made: Any
    parameters: int
    steps: int
    tasks: int


def compute(_task, steps, tasks, width, iterations):
    """Counts for the network 1-width-width-1: P parameters, A activations of a forward pass for one task.

    A gradient is two passes (forward, backward), a Hessian-vector product four. The unrolled graph keeps every
    intermediate of every step, and its backward pass costs as much again as its forward one. The recursion keeps the
    trajectory and one step's intermediates; implicit MAML keeps no trajectory and
    makes `iterations` products.
    """
    model = MLP([1, width, width, 1])
    parameters, activations = model.size, SHOTS * sum(model.sizes)
    one_step = tasks * (2 * activations + parameters)
    kept = {
        "unrolled graph": tasks * parameters + (steps + 1) * 3 * one_step,
        "recursion": (steps + 1) * tasks * parameters + 2 * one_step,
        "first-order": 2 * tasks * parameters + one_step,
        "implicit": 4 * tasks * parameters + 2 * one_step,
    }
    made = {
        "unrolled graph": 2 * (2 * (steps + 1)) + 2 * steps,
        "recursion": 2 * (steps + 1) + 4 * steps,
        "first-order": 2 * (steps + 1),
        "implicit": 2 * (steps + 1) + 4 * iterations,
    }
    return Numbers(kept, made, parameters, steps, tasks)


def caption(numbers):
    """One line for whoever watches the picture."""
    ratio = numbers.kept["unrolled graph"] / numbers.kept["recursion"]
    hessians = numbers.tasks * numbers.parameters**2
    return (
        f"P = {numbers.parameters:,} parameters, {numbers.tasks} tasks, m = {numbers.steps}: the graph keeps "
        f"{ratio:.1f} times what the recursion keeps; a Hessian for each task would be {hessians:.1e} numbers."
    )


def panel():
    """Controls for the steps, the tasks, the width of the network and the iterations of the implicit solve."""
    return Panel(
        draw_task=None,
        compute=compute,
        drawing=Cost,
        controls={
            "steps": whole("inner steps m", 1, 15, 5),
            "tasks": whole("tasks in the batch", 1, 200, 25),
            "width": whole("hidden units a layer", 8, 512, 40),
            "iterations": whole("iterations of the implicit solve", 1, 15, 5),
        },
        caption=caption,
    )
