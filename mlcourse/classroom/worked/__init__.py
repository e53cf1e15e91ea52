"""The three worked examples with your own numbers: each derives its result step by step and checks it three ways.

    example_1_scalar.py  the meta-gradient of one step, scalar theta (lesson 4)
    example_2_line.py    one step on a linear task (lesson 5)
    example_3_vector.py  full MAML against FOMAML, theta a vector (lesson 4)

What they share: `meta_gradient` (what examples 1 and 3 return and say about FOMAML), `three_ways` (by hand, autograd,
central differences), `scalar_losses`, `quadratics` and `given` (what the examples accept), `formula` (formulas as typed
by a reader) and `derivation` (steps as LaTeX in a notebook, as text in a terminal).
"""

from mlcourse.classroom.worked.example_1_scalar import example_1
from mlcourse.classroom.worked.example_2_line import example_2
from mlcourse.classroom.worked.example_3_vector import example_3
from mlcourse.classroom.worked.three_ways import DisagreementError

__all__ = ["DisagreementError", "example_1", "example_2", "example_3"]
