"""The picture of the memory says what its numbers say."""

import numpy as np

from mlcourse.classroom.figures.memory import memory
from mlcourse.classroom.learner.practice import Picture


def numbers():
    days = np.arange(-30, 31)
    known = np.where(days < -10, 0, 8 - 0.05 * (days + 10))
    return Picture(days, np.where(days < -10, 0, 8), known, np.where(days < 0, np.nan, 7.9), [(1, 5, 4.5), (4, 3, 3.0)])


def test_the_title_has_what_is_known_today_and_what_will_be_left():
    time, lessons = memory(numbers()).axes
    assert time.get_title(loc="left") == "Known today: 8 of 8; unpractised, in 30 days: 6"
    assert [label.get_text() for label in lessons.get_yticklabels()] == ["01", "04"]


def test_past_and_future_meet_today_and_only_the_future_is_dashed():
    time, lessons = memory(numbers()).axes
    lines = {line.get_label(): line for line in time.lines}
    assert lines["still known"].get_xdata()[-1] == lines["if not practised"].get_xdata()[0] == 0
    assert lines["still known"].get_ydata()[-1] == lines["if not practised"].get_ydata()[0]
    assert lines["if not practised"].get_linestyle() == "--" and lines["still known"].get_linestyle() == "-"
    widths = [bar.get_width() for bar in lessons.patches]
    assert widths == [5, 3, 4.5, 3.0]
