"""Models as functions of one flat parameter vector: model(theta, x).

theta (..., P) and x (..., K, d) broadcast over their leading axes, so one set of parameters can meet many
tasks' data, many sets one input grid, or each its own.
"""

from itertools import pairwise
from types import MappingProxyType

import autograd.numpy as np
import numpy

from mlcourse.checks import at_least, input_width


def relu(x):
    """max(0, x), elementwise; its slope at 0 is 0, as in the hand-derived form of lesson 11."""
    return np.where(x > 0, x, 0.0)


def tanh(x):
    """Hyperbolic tangent, elementwise: smooth, so that second derivatives exist everywhere."""
    return np.tanh(x)


class MLP:
    """A multilayer perceptron of any depth.

    sizes       numbers of units from input to output, e.g. [1, 40, 40, 1]
    activation  a function applied after every layer but the last: relu or tanh
    size        P, the number of parameters
    parts       name -> slice of theta: "W1" (in, out) row-major, "b1" (out,), "W2", …
    shapes      name -> shape of that part
    """

    def __init__(self, sizes, activation=relu):
        self.sizes = tuple(at_least("sizes", size, 1) for size in sizes)
        if len(self.sizes) < 2:
            raise ValueError(f"sizes must name at least an input and an output, got {list(sizes)}")
        if not callable(activation):
            raise TypeError(f"activation must be a function such as relu or tanh, got {activation!r}")
        self.activation = activation
        shapes = {}
        for layer, (inputs, outputs) in enumerate(pairwise(self.sizes), start=1):
            shapes |= {f"W{layer}": (inputs, outputs), f"b{layer}": (outputs,)}
        self._lay_out(shapes)

    def _lay_out(self, shapes):
        ends = numpy.cumsum([int(numpy.prod(shape)) for shape in shapes.values()])
        starts = [0, *ends[:-1]]
        self.shapes = MappingProxyType(shapes)
        self.parts = MappingProxyType(
            {name: slice(int(start), int(end)) for name, start, end in zip(shapes, starts, ends, strict=True)}
        )
        self.size = int(ends[-1])

    @property
    def inputs(self):
        return self.sizes[0]

    @property
    def outputs(self):
        return self.sizes[-1]

    def unpack(self, theta):
        """theta (..., P) as its named parts, each in its own shape (..., *shapes[name])."""
        pieces = np.split(theta, [part.stop for part in self.parts.values()][:-1], axis=-1)
        return {
            name: np.reshape(piece, numpy.shape(theta)[:-1] + shape)
            for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }

    def init(self, rng):
        """theta (P,): weights Normal(0, 1 / fan-in) (LeCun et al. 1998), biases zero.

        Twice this variance (He et al. 2015) suits deeper networks; here its outputs are so large that the first
        inner step overshoots, and meta-training needs several times the iterations.
        """
        theta = numpy.zeros(self.size)
        for name, shape in self.shapes.items():
            if name.startswith("W"):
                theta[self.parts[name]] = rng.normal(0, numpy.sqrt(1 / shape[0]), shape).ravel()
        return theta

    def __call__(self, theta, x):
        """x (..., K, inputs) -> (..., K, outputs). Raises ValueError when x has another width."""
        input_width(x, self.inputs)
        parts, layers = self.unpack(theta), len(self.sizes) - 1
        for layer in range(1, layers + 1):
            x = x @ parts[f"W{layer}"]
            if f"b{layer}" in parts:
                x = x + parts[f"b{layer}"][..., None, :]
            if layer < layers:
                x = self.activation(x)
        return x


class Linear(MLP):
    """A linear model, W x + b or, with bias=False, W x. `Linear(1, bias=False)` is the scalar theta x of lesson 5."""

    def __init__(self, inputs, outputs=1, bias=True):
        super().__init__([inputs, outputs])
        if not bias:
            self._lay_out({"W1": self.shapes["W1"]})
