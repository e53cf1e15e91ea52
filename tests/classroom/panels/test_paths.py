"""The panel "paths" goes where mlcourse's methods go."""

import numpy as np
import pytest

from mlcourse import fomaml, joint_training, maml, reptile
from mlcourse.classroom.panels import paths

METHODS = {"joint training": joint_training, "Reptile": reptile, "FOMAML": fomaml, "MAML": maml}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("alpha, steps", [(0.18, 1), (0.1, 3)])
def test_its_direction_is_the_methods(name, alpha, steps):
    theta = np.array([0.7, -1.1])
    kept = paths.weights(alpha, steps)[name]
    expected = METHODS[name](paths.OBJECTIVE, theta, paths.EPISODE, alpha, steps).theta
    assert np.allclose((kept * (theta - paths.CENTRES)).mean(axis=0), expected)
