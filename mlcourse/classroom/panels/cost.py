"""Panel "cost" (lesson 11): what one meta-gradient keeps and computes, counted, five ways."""

from itertools import pairwise
from typing import Any, NamedTuple

from mlcourse import MLP
from mlcourse.classroom.figures.compute import Cost
from mlcourse.classroom.panels.panel import Panel, whole


class Numbers(NamedTuple):
    """By way: megabytes held at the height, and work in gradients; then what a place holds of each task.

    a place is what the recursion keeps of a step: `of_theta` numbers for theta_i and its gradient, `of_units` for the
    activation, slope and delta of each unit at each point
    """

    megabytes: Any
    work: Any
    parameters: int
    of_theta: int
    of_units: int


def kept(parameters, per_unit, steps):
    """Numbers a task that each way holds at its height, for `per_unit` = points times units: name -> number.

    A step costs the unrolled graph 3 P and 1.75 numbers a unit and point, the recursion with places 2 P and 3, the one
    with theta_i alone P. What is at work at one place, whatever m is, stands in the first terms. Both are what this
    package and autograd hold: tests/classroom/panels/test_cost.py measures them.
    """
    return {
        "unrolled graph": (6 + 3 * steps) * parameters + (3 + 1.75 * steps) * per_unit,
        "places": (2.4 + 2 * steps) * parameters + (3.5 + 3 * steps) * per_unit,
        "θ_i alone": (1.4 + steps) * parameters + 6.5 * per_unit,
        "first-order": 4.25 * parameters + 3 * per_unit,
        "implicit": 8 * parameters + 9.5 * per_unit,
    }


def multiplications(sizes):
    """Multiplications a point in the matrix products of a network with these layers.

    Three numbers: of a gradient; of a Hessian-vector product at a place that is kept; of what such a product needs of
    its place, where that is not kept.

    Each layer multiplies once on the way up, once for its weights and, but for the first, once on the way down. In a
    product each of these has two terms, but for the first layer: its inputs do not move.
    """
    layers = [inputs * outputs for inputs, outputs in pairwise(sizes)]
    up, weights, down = sum(layers), sum(layers), sum(layers[1:])
    return up + weights + down, 2 * (up + weights + down) - 2 * layers[0], up + down


def work(sizes, steps, iterations):
    """Multiplications of one meta-gradient, in gradients: name of a way -> number.

    The way back through an unrolled graph multiplies twice for each product that it has recorded, but for those with
    the inputs: as often as the recursion's Hessian-vector products do.
    """
    gradient, product, again = multiplications(sizes)
    product, again = product / gradient, again / gradient
    return {
        "unrolled graph": steps + 1 + steps * product,
        "places": steps + 1 + steps * product,
        "θ_i alone": steps + 1 + steps * (product + again),
        "first-order": steps + 1,
        "implicit": steps + 1 + again + iterations * product,
    }


def compute(_task, steps, tasks, shots, width, iterations):
    """Counts for the network 1-width-width-1 on `tasks` tasks at once, with `shots` points each."""
    model = MLP([1, width, width, 1])
    per_unit = shots * sum(model.sizes)
    megabytes = {name: 8e-6 * tasks * count for name, count in kept(model.size, per_unit, steps).items()}
    return Numbers(megabytes, work(model.sizes, steps, iterations), model.size, 2 * model.size, 3 * per_unit)


def caption(numbers):
    """One line for whoever watches the picture."""
    graph, alone = (numbers.megabytes[name] / numbers.megabytes["places"] for name in ("unrolled graph", "θ_i alone"))
    return (
        f"P = {numbers.parameters:,}. A place holds {numbers.of_theta:,} numbers of θ_i and its gradient, "
        f"{numbers.of_units:,} of the units. The graph takes {graph:.2f} times the memory of places, "
        f"θ_i alone {alone:.2f} times."
    )


def panel():
    """Controls for the steps, the tasks at once, the points, the width of the network and the implicit iterations."""
    return Panel(
        draw_task=None,
        compute=compute,
        drawing=Cost,
        controls={
            "steps": whole("inner steps m", 1, 15, 5),
            "tasks": whole("tasks at once", 1, 200, 25),
            "shots": whole("points a task K", 1, 100, 10),
            "width": whole("hidden units a layer", 8, 256, 40),
            "iterations": whole("iterations of the implicit solve", 1, 20, 5),
        },
        caption=caption,
    )
