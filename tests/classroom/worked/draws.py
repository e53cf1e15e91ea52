"""What the tests of the worked examples draw: numbers, formulas, quadratics, a small network."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import mlcourse

numbers = st.floats(-2, 2).map(lambda value: round(value, 3))
step_sizes = st.floats(0.01, 0.5)
fast = settings(max_examples=25, deadline=None)


@st.composite
def formulas(draw, depth=3):
    """A smooth formula in theta that is defined for every theta."""
    if depth == 0:
        return draw(st.sampled_from(["theta", "theta", f"({draw(numbers)})"]))
    inner = formulas(depth=depth - 1)
    shape = draw(st.sampled_from(["{} + {}", "{} - {}", "({}) * ({})", "sin({})", "cos({})", "tanh({})", "({})**2"]))
    shape = draw(st.sampled_from([shape, "({}) / (2 + cos({}))", "exp(sin({}))", "sqrt(1 + ({})**2)"]))
    return shape.format(*(draw(inner) for _ in range(shape.count("{}"))))


@st.composite
def quadratics(draw, size):
    """A pair (A, b), A symmetric, of any sign."""
    entries = np.array(draw(st.lists(numbers, min_size=size * size + size, max_size=size * size + size)))
    A = entries[: size * size].reshape(size, size)
    return A + A.T, entries[size * size :]


def network(rng, sizes):
    model = mlcourse.MLP(sizes)
    return mlcourse.mean_squared_error(model), model.init(rng), mlcourse.Sinusoids().sample(rng, (), 8, 8)
