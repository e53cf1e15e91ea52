"""The first lessons in a tab."""

import pytest

from tests.in_a_tab.lessons import LESSONS, MIDDLE, run_and_move


@pytest.mark.parametrize("path", LESSONS[:MIDDLE], ids=lambda path: path.stem)
def test_a_lesson_runs_from_top_to_bottom_says_what_is_stored_and_its_panels_move(lab, path):
    run_and_move(lab, path)
