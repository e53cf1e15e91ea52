"""What is remembered follows from what happened, by FSRS's formulas, whatever clocks and later courses do."""

from datetime import date, datetime, timedelta

import pytest
from fsrs.scheduler import DEFAULT_PARAMETERS as W

from mlcourse.classroom.learner import memory
from mlcourse.classroom.learner.check import Check, Moment
from mlcourse.classroom.learner.memory import course, memories, rated, reviews_of

KEY = (4, "jacobian")
DAY = date(2026, 3, 1)


def at(days=0, minutes=0):
    return (datetime(2026, 3, 1, 18) + timedelta(days=days, minutes=minutes)).isoformat(timespec="seconds")


def check(days=0, minutes=0, outcome="correct", seed=0, misconception=None, key=KEY):
    return Check(at(days, minutes), *key, seed, outcome, misconception, "")


def moment(what, days=0, minutes=0, seed=1, key=KEY):
    return Moment(at(days, minutes), *key, seed, what)


def only(checks, moments=(), today=DAY):
    """The one Memory that these records make."""
    (found,) = memories(checks, moments, today).values()
    return found


def ratings(checks, moments=(), today=date(2026, 12, 1)):
    return [(review.day.day, review.rating, review.practised) for review in only(checks, moments, today).reviews]


def test_a_first_solution_is_remembered_as_long_as_fsrs_says():
    found = only([check()])
    stability = W[2]  # FSRS: S_0(good), the days after which 90 % recall it
    decay = -W[20]
    factor = 0.9 ** (1 / decay) - 1
    assert found.due == DAY + timedelta(days=round(stability))
    for days in (0, 1, 7, 100):
        by_hand = (1 + factor * days / stability) ** decay
        assert found.recall(DAY + timedelta(days=days)) == pytest.approx(by_hand, rel=1e-12)
    assert found.recall(DAY - timedelta(days=1)) == 0


def test_an_answer_when_it_is_due_makes_the_next_interval_longer_and_a_forgotten_one_is_back_tomorrow():
    once = only([check()])
    twice = once.answered(once.due)
    assert (twice.due - once.due).days > (once.due - DAY).days
    assert once.answered(once.due, "again").due == once.due + timedelta(days=1)
    assert [once.answered(once.due, word).due for word in ("again", "hard", "good", "easy")] == sorted(
        once.answered(once.due, word).due for word in ("again", "hard", "good", "easy")
    )


def test_nothing_stays_away_for_more_than_a_year():
    found = only([check()])
    for _ in range(12):
        found = found.answered(found.due, "easy")
    assert (found.due - found.reviews[-1].day).days == memory.LONGEST


@pytest.mark.parametrize(
    "helped, rating, why",
    [
        ([], "good", "right at once"),
        (["hint"], "hard", "right after a hint"),
        (["mistake: sign", "hint"], "hard", "right after a mistake, sign"),
        (["mistake"], "hard", "right after another try"),
        (["mistake: sign", "solution"], "again", "the solution was shown"),
    ],
)
def test_a_rating_follows_from_what_happened(helped, rating, why):
    assert rated(helped) == (rating, why)


def test_a_quick_right_answer_is_easy_but_not_after_help():
    assert rated([], quick=True)[0] == "easy" and rated(["hint"], quick=True)[0] == "hard"


def test_the_first_solution_counts_what_came_before_it_and_nothing_after():
    wrong = check(outcome="wrong", misconception="identity left out")
    assert ratings([check(0, 1)]) == [(1, "good", False)]
    assert ratings([wrong, check(1)]) == [(2, "hard", False)]
    assert ratings([check(1)], [moment("solution", seed=0)]) == [(2, "again", False)]
    assert ratings([check(1), check(2), check(3, outcome="wrong")], [moment("solution", 4, seed=0)]) == [
        (2, "good", False)
    ]
    assert ratings([check(outcome="not attempted"), check(1)]) == [(2, "good", False)]


def test_practice_counts_each_of_its_questions_once_and_running_a_notebook_again_counts_nothing():
    asked = [moment("asked", 3)]
    again = [check(day) for day in range(6)]
    assert ratings(again) == [(1, "good", False)]
    assert ratings([*again, check(3, 4, seed=1)], asked) == [(1, "good", False), (4, "good", True)]
    assert ratings([*again, check(3, 4, seed=1), check(4, seed=1)], asked) == [(1, "good", False), (4, "good", True)]
    assert ratings([*again, check(3, 1, seed=1)], asked)[1] == (4, "easy", True)
    assert ratings(again, asked) == [(1, "good", False)], "open as long as it is not answered"


def test_practice_ends_with_the_solution_and_a_right_answer_after_it_says_nothing():
    checks = [check(), check(3, 5, seed=1)]
    assert ratings(checks, [moment("asked", 3), moment("solution", 3, 2)])[1] == (4, "again", True)
    assert ratings(checks, [moment("asked", 3), moment("hint", 3, 2)])[1] == (4, "hard", True)
    assert ratings(checks, [moment("asked", 3), moment("solution", 3, 9)])[1] == (4, "good", True)


def test_the_learner_corrects_a_rating_and_the_last_word_counts():
    checks, moments = [check(), check(3, 5, seed=1)], [moment("asked", 3), moment("again", 3, 6), moment("hard", 3, 7)]
    review = only(checks, moments, date(2026, 12, 1)).reviews[1]
    assert (review.rating, review.why) == ("hard", "your own rating")
    assert ratings([check()], [moment("asked", 3), moment("again", 3, 1)])[1] == (4, "again", True)


def test_two_kernels_that_ask_the_same_count_once():
    moments = [moment("asked", 3), moment("asked", 3, 2)]
    checks = [check(), check(3, 5, seed=1), check(3, 6, seed=1)]
    assert ratings(checks, moments) == [(1, "good", False), (4, "good", True)]


def test_a_problem_that_practice_asked_before_it_was_solved_counts_once():
    records = [moment("asked"), check(0, 5, "wrong", seed=1), check(0, 6, seed=1), check(1)]
    assert [review.rating for review in reviews_of(records, 6)] == ["hard"]


class TestWrongClocks:
    """What a wrong clock wrote is kept, and moves no question out of sight."""

    def test_answers_from_the_far_future_do_not_count_until_then(self):
        sound = only([check()], today=date(2026, 3, 20))
        late = only([check(), check(36500, 5, seed=1)], [moment("asked", 36500)], date(2026, 3, 20))
        assert late.due == sound.due and len(late.reviews) == 1

    def test_nor_do_answers_from_before_the_course(self):
        early = [check(-20000, 5, seed=1)]
        assert only([check(), *early], [moment("asked", -20000)]).due == only([check()]).due

    def test_what_was_only_solved_by_a_wrong_clock_is_due(self):
        found = only([check(36500)])
        assert found.due < DAY and found.reviews == () and found.recall(DAY) == 0

    def test_a_clock_that_goes_back_within_an_answer_makes_it_neither_quick_nor_lost(self):
        records = [moment("asked", 3), moment("hint", 3, -30), check(0), check(3, -10, seed=1)]
        found = memories([each for each in records if isinstance(each, Check)], records[:2], date(2026, 12, 1))[KEY]
        assert len(found.reviews) == 1, "its question came later than its answer: it is asked again"

    def test_a_day_behind_after_a_journey_counts(self):
        assert only([check()], today=DAY - timedelta(days=1)).reviews


def test_what_a_later_course_has_dropped_is_no_harm():
    gone = [check(key=(4, "renamed")), check(key=(77, "dropped"))]
    assert memories(gone, [moment("asked", key=(77, "dropped"))], DAY) == {}
    assert list(memories([*gone, check()], [], DAY)) == [KEY]
    assert KEY in course()
