"""A learner's clone of a small course, and the two ways in which progress is kept."""

import pytest

from mlcourse.classroom.learner import database, journal, progress
from tests.classroom.learner.course import make_course


@pytest.fixture
def clone(tmp_path):
    return make_course(tmp_path)


@pytest.fixture(params=[database, journal], ids=["database", "journal"])
def either_store(request, monkeypatch):
    """Progress as it is kept here, and as it is kept in a browser's tab."""
    journal._name.cache_clear()
    monkeypatch.setattr(progress, "_store", lambda: request.param)
    return request.param
