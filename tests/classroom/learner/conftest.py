"""A learner's clone of a small course."""

import pytest

from tests.classroom.learner.course import make_course


@pytest.fixture
def clone(tmp_path):
    return make_course(tmp_path)
