"""Practice in cells: a problem to fill in, a rating that follows, and no harm where nothing can be kept."""

import sys
from datetime import datetime, timedelta

import pytest

from mlcourse.classroom import cells, lesson, practice, progress
from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.learner import memory
from mlcourse.classroom.learner import practice as due
from mlcourse.classroom.learner import progress as kept
from mlcourse.classroom.learner.clone import CourseError
from mlcourse.classroom.learner.memory import course
from mlcourse.classroom.sitting import to_fill_in


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def solve(*keys, days=3):
    for minutes, (number, name) in enumerate(keys):
        when = datetime.now() - timedelta(days=days, minutes=-minutes)
        kept.record(Verdict("correct", None, "", (number, name, 0)), when)


def right(p):
    """The right answer to the problem of a sitting."""
    problem = p.task.problem
    return type(problem).solution if not hasattr(problem, "items") else problem.solution(p.seed)


@pytest.mark.parametrize("key", [(4, "jacobian"), (4, "sign_flip_alpha"), (4, "which_gradient")])
def test_a_problem_comes_back_as_cells_to_fill_in_with_other_numbers(key, capsys):
    solve(key)
    p = practice()
    shown = capsys.readouterr().out
    assert p.seed == 1 and course()[key].show(1) in shown and to_fill_in(course()[key]) in shown
    assert p.check(key[1], None).outcome == "not attempted" and not p.rating()
    assert f'p.check("{key[1]}", {key[1]})' in shown and f'p.check("{key[1]}", …)' in repr(p)
    assert p.check(key[1], right(p)).outcome == "correct"
    assert "Rated easy: right at once, and quickly. It comes back" in capsys.readouterr().out
    assert practice() is None
    assert "That is today's practice: 1 problem" in capsys.readouterr().out


def test_every_stub_runs_and_is_not_attempted_until_it_is_filled_in():
    for (number, name), problem in course().items():
        names = {}
        exec(to_fill_in(problem), names)
        assert problem.judge(names[name], 1).outcome == "not attempted", (number, name)


def test_hints_and_solutions_count_in_a_lesson_and_in_practice(capsys):
    p = lesson(4)
    p.hint("jacobian"), p.solution("hvp")
    for name in ("jacobian", "hvp"):
        kept.record(Verdict("correct", None, "", (4, name, 0)), datetime.now() + timedelta(minutes=1))
    record, today = due.read(), datetime.now().date()
    known = due.memories(*record, today)
    assert [known[4, name].reviews[0].rating for name in ("jacobian", "hvp")] == ["hard", "again"]


def test_a_hint_makes_it_hard_and_the_learner_may_say_otherwise(capsys):
    solve((4, "jacobian"))
    p = practice()
    p.hint("jacobian")
    p.check("jacobian", right(p))
    assert "Rated hard: right after a hint" in capsys.readouterr().out
    p.rate("good")
    assert capsys.readouterr().out.startswith("Rated good: your own rating. It comes back")
    with pytest.raises(ValueError, match="rating must be one of again, hard, good, easy, got 'perfect'"):
        p.rate("perfect")


def test_a_named_mistake_makes_it_hard(capsys):
    solve((4, "jacobian"))
    p = practice()
    assert p.check("jacobian", lambda hessian, alpha: -alpha * hessian).misconception == "identity left out"
    p.check("jacobian", right(p))
    assert "Rated hard: right after a mistake, identity left out." in capsys.readouterr().out


def test_the_solution_shown_means_tomorrow_and_the_next_is_asked(capsys):
    solve((4, "jacobian"), (2, "episode_size"))
    p = practice()
    p.solution(p.task.problem.name)
    assert p.rating().startswith("Rated again: the solution was shown. It comes back tomorrow.")
    assert practice().task.key != p.task.key


def test_asked_again_before_it_is_answered_it_is_the_same_problem():
    solve((4, "jacobian"), (2, "episode_size"))
    one, other = practice(), practice()
    assert (one.task.key, one.seed) == (other.task.key, other.seed)
    assert [moment.what for moment in kept.moments()] == ["asked"]


def test_who_has_solved_nothing_is_told_so_by_each_of_them(capsys):
    assert practice() is None and "Nothing was solved yet" in capsys.readouterr().out
    assert progress(figure=True) == cells.NO_PICTURE and "Practice begins with" in progress()


def test_progress_shows_what_is_due_and_what_is_remembered_of_each_lesson():
    solve((4, "jacobian"), (4, "hvp"))
    share = due.by_lesson(due.read(), datetime.now().date())[0][2] / 2
    assert "Practice: 2 problems are due. 10 minutes a day are enough: `p = practice()`." in progress()
    assert f"| {share:.0%} |" in progress() and 0.5 < share < 1
    assert progress(figure=True).png().startswith(b"\x89PNG")


def test_a_home_that_cannot_be_written_to_costs_the_memory_and_not_the_practice(home, monkeypatch, capsys):
    solve((4, "jacobian"))
    record = due.read()
    monkeypatch.setattr(due, "read", lambda: record)
    home.rename(home.with_name("gone"))
    home.write_text("")
    p = practice()
    p.hint("jacobian"), p.solution("jacobian"), p.rate("good")
    assert p.check("jacobian", right(p)).outcome == "correct" and p.rating() == ""
    assert "Your progress was not saved" in capsys.readouterr().err


def test_a_clone_that_was_updated_before_its_environment_says_what_is_missing(monkeypatch):
    solve((4, "jacobian"))
    monkeypatch.setitem(sys.modules, "fsrs", None)
    monkeypatch.setattr("mlcourse.classroom.learner.memory.find_spec", lambda name: None)
    assert lesson(4).check("jacobian", None).outcome == "not attempted" and lesson(4).hint("jacobian")
    assert "Practice needs the package fsrs" in progress() and "| 04 The meta-gradient by hand | 1/" in progress()
    memory._scheduler.cache_clear()
    for ask in (practice, lambda: progress(figure=True)):
        with pytest.raises(CourseError, match="`make learn`"):
            ask()


def test_a_home_that_cannot_be_read_is_said(home, capsys):
    (home / "progress.sqlite").mkdir(parents=True)
    assert practice() is progress() is progress(figure=True) is None
    assert "could not be read" in capsys.readouterr().err
