"""Lesson 5's panel: where each method stands on the test bed, and what it says where a method stands nowhere."""

import numpy as np
import pytest

from mlcourse.classroom.panels.test_bed import caption, compute


def test_starts_are_those_of_the_lesson():
    starts = compute(None, alpha=0.2, steps=1, first=1.0, second=4.0).starts
    assert [round(start.theta, 3) for start in starts.values()] == [0.4, 0.4, 1.0, 1.6]
    assert starts["MAML"].loss == pytest.approx(0.128)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.24, 0.26, 0.4, 0.6])
def test_no_theta_ends_with_a_lower_loss_than_mamls(alpha):
    numbers = compute(None, alpha=alpha, steps=1, first=1.0, second=4.0)
    assert 0 <= numbers.starts["MAML"].theta <= 2
    assert numbers.starts["MAML"].loss <= numbers.after.min() + 1e-12


def test_fomaml_goes_beyond_both_optima_and_then_runs_away():
    beyond, away = (compute(None, alpha=alpha, steps=1, first=1.0, second=4.0) for alpha in (0.26, 0.3))
    assert beyond.starts["FOMAML"].theta > 2 and "beyond both optima" in caption(beyond)
    assert away.starts["FOMAML"].theta is None and "runs away" in caption(away)


def test_fomaml_never_runs_away_with_an_even_number_of_steps():
    for alpha in np.linspace(0.01, 0.6, 60):
        assert compute(None, alpha=alpha, steps=2, first=1.0, second=4.0).starts["FOMAML"].theta is not None


def test_any_start_will_do_where_one_step_finishes_both_tasks():
    numbers = compute(None, alpha=0.25, steps=1, first=4.0, second=4.0)
    assert numbers.starts["MAML"].fate == "any θ will do" and np.all(numbers.after < 1e-12)
