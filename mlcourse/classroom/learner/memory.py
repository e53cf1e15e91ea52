"""What is still remembered of what was solved: FSRS, replayed over what happened.

Nothing is kept but what happened, the Checks and the Moments: a rating follows from them, and the memory from the
ratings. So two kernels have nothing to overwrite, and records of two machines that are laid together are the memory of
one learner. FSRS is the scheduler of the library `fsrs` (Ye, Su and Cao 2022, "A stochastic shortest path algorithm for
optimizing spaced repetition scheduling"), with its own parameters. All is counted in days, for a sitting a day.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from mlcourse.classroom.judging import Problem
from mlcourse.classroom.learner.check import RATINGS, Check
from mlcourse.classroom.learner.clone import CourseError
from mlcourse.classroom.problems import lessons, of_lesson

NEEDED = "Practice needs the package fsrs, which is not installed here: `make learn` or `pip install fsrs` installs it."
LONGEST = 365  # days; nothing stays away for longer
BEGINNING = date(2025, 1, 1)  # before the course: a clock that says so is wrong
_ORDER = {"asked": 0, "hint": 1, "solution": 3, **dict.fromkeys(RATINGS, 4)}  # of one second; a Check is 2


class Review(NamedTuple):
    """One time that a problem was answered, or given up.

    at, seed   when, and with which numbers
    rating     one of RATINGS
    why        what it follows from, in words
    practised  whether practice had asked for it; else it is the first time it was solved
    """

    at: str
    seed: int
    rating: str
    why: str
    practised: bool

    @property
    def day(self):
        return day_of(self)


class Memory(NamedTuple):
    """What is remembered of one problem: its Reviews, and FSRS's state after each of them."""

    lesson: int
    problem: Problem
    reviews: tuple
    states: tuple

    @property
    def key(self):
        return self.lesson, self.problem.name

    @property
    def due(self):
        """The day on which it is to come back; the first of all days where nothing is known of it."""
        return self.states[-1].due.date() if self.states else date.min

    def recall(self, day):
        """The probability that it would be answered on a day; 0 before it was ever solved."""
        behind = [state for review, state in zip(self.reviews, self.states, strict=True) if review.day <= day]
        return _scheduler().get_card_retrievability(behind[-1], _midnight(day)) if behind else 0.0

    def answered(self, day, rating="good"):
        """The same after one more Review."""
        review = Review(day.isoformat(), 0, rating, "", True)
        return self._replace(
            reviews=(*self.reviews, review), states=(*self.states, _next(self.states[-1:], day, rating))
        )


def day_of(record):
    """The day of a record, by the clock of the machine that wrote it."""
    return datetime.fromisoformat(record.at).date()


def plausible(record, today):
    """Whether a record can be of that time: what a wrong clock dated before the course or after today tells no time.

    A day's room is for those who travel; where the clock is still wrong, its own day counts.
    """
    return min(BEGINNING, today) <= day_of(record) <= today + timedelta(days=1)


@cache
def course():
    """{(lesson, name): Problem} of all that this version of the course has."""
    return {(number, name): problem for number in lessons() for name, problem in of_lesson(number).items()}


def by_problem(checks, moments):
    """{(lesson, name): its records in order}, of the problems that this version of the course has."""
    there, records = course(), {}
    for each in sorted([*checks, *moments], key=lambda each: (each.at, _ORDER.get(getattr(each, "what", ""), 2))):
        if (each.lesson, each.problem) in there:
            records.setdefault((each.lesson, each.problem), []).append(each)
    return records


def memories(checks, moments, today):
    """{(lesson, name): Memory} of the problems that were solved, or that practice has asked for."""
    found = {}
    for (number, name), records in by_problem(checks, moments).items():
        problem = course()[number, name]
        reviews = reviews_of([each for each in records if plausible(each, today)], problem.minutes)
        if reviews or any(_is_correct(each) for each in records):
            states = []
            for review in reviews:
                states.append(_next(states[-1:], review.day, review.rating))
            found[number, name] = Memory(number, problem, tuple(reviews), tuple(states))
    return found


def reviews_of(records, minutes):
    """The Reviews of one problem, oldest first: its first solution, and each time that practice asked for it.

    records  its Checks and Moments in order
    minutes  how long it takes, by its author
    """
    asked = {each.seed: i for i, each in reversed(list(enumerate(records))) if _what(each) == "asked"}
    first = next((i for i, each in enumerate(records) if _is_correct(each)), None)
    before = {seed for seed, i in asked.items() if first is not None and i < first}
    episodes = []
    if first is not None and records[first].seed not in before:
        episodes.append(_review([each for each in records[: first + 1] if each.seed not in before], None))
    for seed, i in asked.items():
        episodes.append(_review([each for each in records[i:] if each.seed == seed], minutes))
    return sorted(filter(None, episodes), key=lambda review: review.at)


def _review(records, minutes):
    """The Review that an answer to one seed was, None where it is still open.

    minutes  of the problem where practice asked for it, None for the first solution in a lesson
    """
    practised = minutes is not None
    helped, review = [], None
    for each in records:
        what = _what(each)
        if review is not None:
            if what in RATINGS:
                review = review._replace(rating=what, why="your own rating")
        elif what == "correct":
            at_once = _took(records[0], each) <= 60 * minutes / 3 if practised else False
            review = Review(each.at, each.seed, *rated(helped, at_once), practised)
        elif what in RATINGS and practised:
            review = Review(each.at, each.seed, what, "your own rating", practised)
        elif what == "solution" and practised:
            review = Review(each.at, each.seed, *rated(["solution"]), practised)
        elif what == "wrong":
            helped.append(f"mistake: {each.misconception}" if each.misconception else "mistake")
        elif what in ("hint", "solution"):
            helped.append(what)
    return review


def rated(helped, quick=False):
    """(rating, why) of a right answer, given what came before it: "hint", "solution", "mistake" or "mistake: its name".

    quick  whether it took less than a third of its minutes
    """
    if "solution" in helped:
        return "again", "the solution was shown"
    mistakes = [each for each in helped if each.startswith("mistake")]
    if mistakes:
        name = next((each.partition(": ")[2] for each in mistakes if ": " in each), "")
        return "hard", f"right after a mistake, {name}" if name else "right after another try"
    if helped:
        return "hard", "right after a hint"
    return ("easy", "right at once, and quickly") if quick else ("good", "right at once")


def _what(record):
    """What happened: a Moment's `what`, a Check's outcome."""
    return record.outcome if isinstance(record, Check) else record.what


def _is_correct(record):
    return _what(record) == "correct"


def _took(one, other):
    """Seconds from one record to another; endless where the clock was put back in between."""
    seconds = (datetime.fromisoformat(other.at) - datetime.fromisoformat(one.at)).total_seconds()
    return seconds if seconds >= 0 else float("inf")


def installed():
    """Whether FSRS is: a clone that was updated has it once `make learn` has run."""
    return find_spec("fsrs") is not None


def _fsrs():
    """The library, imported where it is needed, so that nothing else waits for it. Raises CourseError without it."""
    if not installed():
        raise CourseError(NEEDED)
    return import_module("fsrs")


@cache
def _scheduler():
    """FSRS in whole days and without chance: an answer that is forgotten comes back the next day."""
    return _fsrs().Scheduler(learning_steps=(), relearning_steps=(), maximum_interval=LONGEST, enable_fuzzing=False)


def _next(last, day, rating):
    """FSRS's state after a rating on a day; `last` holds the state before, or nothing."""
    fsrs = _fsrs()
    card = last[0] if last else fsrs.Card(card_id=0, due=_midnight(day))  # an id of its own would take a millisecond
    return _scheduler().review_card(card, fsrs.Rating(1 + RATINGS.index(rating)), _midnight(day))[0]


def _midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
