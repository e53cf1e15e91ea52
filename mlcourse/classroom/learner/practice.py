"""What practice asks for today: what is due, what keeps going wrong, lessons mixed, ten minutes of it.

All of it is read off the learner's record, the Checks and Moments: a sitting goes on where it was left, in whichever
kernel, and says when it is done. Time is an argument throughout.
"""

from itertools import count
from typing import NamedTuple

import numpy as np

from mlcourse.classroom.judging import Problem
from mlcourse.classroom.learner import progress
from mlcourse.classroom.learner.check import Moment
from mlcourse.classroom.learner.memory import NEEDED, by_problem, course, day_of, installed, memories, plausible

MINUTES = 10  # a day, by the problems' own minutes
ROOM = 1.2  # how much longer a day's practice may be, so that its last problem fits
TWICE = 2  # how often a misconception comes up until its idea is brought back
UNANSWERED = "not answered yet"
HORIZON = 30  # days that the picture looks back, and ahead


class Record(NamedTuple):
    """All that was kept of a learner: Checks and Moments, oldest first."""

    checks: list
    moments: list


class Task(NamedTuple):
    """A problem to be asked, with which seed and why."""

    lesson: int
    problem: Problem
    seed: int
    why: str

    @property
    def key(self):
        return self.lesson, self.problem.name


def read():
    """The learner's Record; None where it could not be read, which was said."""
    checks = progress.checks()
    moments = None if checks is None else progress.moments()
    return None if moments is None else Record(checks, moments)


def due(record, today):
    """The Tasks that are due on a day, in the order in which they are best asked.

    Ideas that keep going wrong come first, then what is most forgotten; no lesson follows itself if that can be helped.
    """
    known, records = memories(*record, today), by_problem(*record)
    because = {key: f"“{idea}” came up {times} times" for idea, (times, key) in ideas(record, today, known).items()}
    urgent = set(because)
    for key, memory in known.items():
        if memory.due <= today and key not in because:
            late = (today - memory.due).days if memory.reviews else 0
            because[key] = f"due since {_days(late)}" if late else "due today"

    def forgotten(key):
        return (key not in urgent, known[key].recall(today) if key in known else 0.0, key)

    keys = _interleaved(sorted(because, key=forgotten), _last_lesson(record, today))
    return [Task(key[0], course()[key], _seed(records[key], known.get(key)), because[key]) for key in keys]


def next_task(record, today, minutes=MINUTES, skip=()):
    """The Task to be asked now, None where today's sitting is done; `skip` holds keys that are not to be asked.

    What was asked today and is not answered comes again. What does not fit into the minutes that are left, and a
    fifth more, waits for another day; the first of a day always fits.
    """
    asked = _unanswered(record, today)
    if asked and asked.key not in skip:
        return asked
    spent = minutes_spent(record, today)
    if spent >= minutes:
        return None
    waiting = [task for task in due(record, today) if task.key not in skip]
    return next((task for task in waiting if not spent or spent + task.problem.minutes <= ROOM * minutes), None)


def _unanswered(record, today):
    """The Task that practice asked for last on a day, where it is not answered yet; None otherwise."""
    known = memories(*record, today)
    for moment in reversed(record.moments):
        if moment.what == "asked" and day_of(moment) == today:
            key = moment.lesson, moment.problem
            answered = key in known and any(review.seed == moment.seed for review in known[key].reviews)
            if key in course() and not answered:
                return Task(moment.lesson, course()[key], moment.seed, UNANSWERED)
    return None


def practised(record, today):
    """[(Memory, Review)] that practice asked for and that were answered, or given up, on a day."""
    return [
        (memory, review)
        for memory in memories(*record, today).values()
        for review in memory.reviews
        if review.practised and review.day == today
    ]


def minutes_spent(record, today):
    """Minutes of a day's practice, by the problems' own minutes."""
    return sum(memory.problem.minutes for memory, _ in practised(record, today))


def review_of(record, key, seed, today):
    """(Memory, Review) of the answer to one seed of a problem; None where there is none yet."""
    of_it = ([each for each in kind if (each.lesson, each.problem) == key] for kind in record)
    memory = memories(*of_it, today).get(key)
    found = [each for each in memory.reviews if each.practised and each.seed == seed] if memory else []
    return (memory, found[0]) if found else None


def ideas(record, today, known=None):
    """{idea: (times, key)}: misconceptions that came up twice, and the problem that is to bring each back.

    An idea comes up once a day and problem and seed, however often the same answer is checked. It is settled when
    practice brings back a problem that knows it and the answer is right at once. Of those that know it, and that the
    learner has tried, the one comes that was not asked for the longest time, another than where it came up last.
    known  what `memories` gives, where that is at hand
    """
    known = memories(*record, today) if known is None else known
    tried = dict.fromkeys((each.lesson, each.problem) for each in record.checks if each.outcome in ("correct", "wrong"))
    knows = {key: course()[key].misconceptions for key in tried if key in course()}
    reviews = {key: [each for each in memory.reviews if each.practised] for key, memory in known.items()}
    found = {}
    for idea, occasions in _occasions(record.checks, set().union(*knows.values()), today).items():
        keys = [key for key, names in knows.items() if idea in names]
        about = [(review.at, review) for key in keys for review in reviews.get(key, ())]
        settled = max((at for at, review in about if review.rating in ("good", "easy")), default="")
        last = [(at, key) for (*_, key), at in sorted(occasions.items(), key=lambda each: each[1]) if at > settled]
        if len(last) < TWICE or any(review.day == today for _, review in about):
            continue
        asked = {key: max((review.at for review in reviews.get(key, ())), default="") for key in keys}
        found[idea] = len(last), min(keys, key=lambda key: (key == last[-1][1] and len(keys) > 1, asked[key], key))
    return found


def _occasions(checks, names, today):
    """{idea: {occasion: when}} of the misconceptions that some problem knows."""
    found = {}
    for each in checks:
        if each.outcome == "wrong" and each.misconception and plausible(each, today):
            pieces = {piece for both in each.misconception.split(" + ") for piece in (both, *both.split(" or "))}
            for idea in pieces & names:
                occasion = (day_of(each), each.seed, (each.lesson, each.problem))
                found.setdefault(idea, {}).setdefault(occasion, each.at)
    return found


def _seed(records, memory):
    """Numbers that were never shown, or those that were asked for and are not answered yet."""
    answered = {review.seed for review in memory.reviews} if memory else set()
    asked = [each.seed for each in records if isinstance(each, Moment) and each.what == "asked"]
    waiting = [seed for seed in asked if seed not in answered]
    used = {each.seed for each in records}
    return waiting[-1] if waiting else next(seed for seed in count(1) if seed not in used)


def _last_lesson(record, today):
    """The lesson that practice asked for last on a day."""
    asked = [each.lesson for each in record.moments if each.what == "asked" and day_of(each) == today]
    return asked[-1] if asked else None


def _interleaved(keys, before):
    """Keys in the same order, but for those whose lesson has just been: they wait for the first one of another."""
    left, order = list(keys), []
    while left:
        last = order[-1][0] if order else before
        order.append(left.pop(next((i for i, (number, _) in enumerate(left) if number != last), 0)))
    return order


def summary(record, today, way="`p = practice()`"):
    """What is due, for where progress is shown; `way` is how to practise there."""
    if not installed():
        return NEEDED
    known, waiting = memories(*record, today), due(record, today)
    if not known and not waiting:
        return "Practice begins with the first problem that you solve: it comes back before you forget it."
    if waiting:
        verb = "is" if len(waiting) == 1 else "are"
        return f"Practice: {_problems(len(waiting))} {verb} due. {MINUTES} minutes a day are enough: {way}."
    return f"Practice: nothing is due. {_coming(known, today)}"


def done(record, today, minutes=MINUTES, more="`p = practice(minutes={minutes})` goes on."):
    """What to say where there is nothing to ask: what was done today, and when the next is due."""
    known, waiting = memories(*record, today), due(record, today)
    answered = practised(record, today)
    if not known and not waiting:
        return (
            "Nothing was solved yet, so there is nothing to bring back. Solve a problem of a lesson: "
            "it comes back here, with other numbers, before you forget it."
        )
    spent = sum(memory.problem.minutes for memory, _ in answered)
    head = "Nothing was answered today." if waiting else "Nothing is due today."
    if answered:
        head = f"That is today's practice: {_problems(len(answered))}, {spent} min."
    if waiting:
        further = more.format(minutes=spent + max(MINUTES, waiting[0].problem.minutes))
        return f"{head} {len(waiting)} more can wait until tomorrow; {further}"
    return f"{head} {_coming(known, today)}"


def _coming(known, today):
    """When the next is due, and how many then."""
    days = sorted(memory.due for memory in known.values() if memory.due > today)
    return f"Next: {_problems(days.count(days[0]))}, {day_in_words(days[0], today)}." if days else "Nothing is to come."


def day_in_words(day, today):
    """A day as one says it: tomorrow; Sat 28 Nov; 3 Feb 2027 where it is far."""
    away = (day - today).days
    if away == 1:
        return "tomorrow"
    return f"{day:%a} {day.day} {day:%b}" if away < 60 else f"{day.day} {day:%b %Y}"


def _problems(number):
    return f"{number} problem{'' if number == 1 else 's'}"


def _days(number):
    return f"{number} day{'' if number == 1 else 's'}"


class Picture(NamedTuple):
    """The memory over time, and by lesson.

    days       (D,)  from today, -30 … 30
    solved     (D,)  problems that were solved by then
    known      (D,)  how many of them would be answered then: the probabilities summed; ahead, if none is practised
    practised  (D,)  the same if each is practised when it is due and right, from today on; NaN before
    lessons    [(lesson, solved, known)] as of today
    """

    days: np.ndarray
    solved: np.ndarray
    known: np.ndarray
    practised: np.ndarray
    lessons: list


def picture(record, today):
    """The Picture of a learner's memory; None where nothing was solved yet."""
    known = [memory for memory in memories(*record, today).values() if memory.reviews]
    if not known:
        return None
    offsets = np.arange(-HORIZON, HORIZON + 1)
    days = [_shift(today, int(offset)) for offset in offsets]
    ahead = [_as_practised(memory, today) for memory in known]
    return Picture(
        offsets,
        np.array([sum(memory.reviews[0].day <= min(day, today) for memory in known) for day in days]),
        np.array([sum(memory.recall(day) for memory in known) for day in days]),
        np.array([sum(memory.recall(day) for memory in ahead) if day >= today else np.nan for day in days]),
        by_lesson(record, today),
    )


def by_lesson(record, today):
    """[(lesson, solved, known)]: how many problems of it were solved, and how many of them would be answered today.

    None of it where FSRS is not installed.
    """
    found = {}
    for memory in memories(*record, today).values() if installed() else ():
        if memory.reviews:
            solved, known = found.get(memory.lesson, (0, 0.0))
            found[memory.lesson] = solved + 1, known + memory.recall(today)
    return [(number, *found[number]) for number in sorted(found)]


def _shift(day, days):
    return day.fromordinal(day.toordinal() + days)


def _as_practised(memory, today):
    """A Memory as it will be if it is answered whenever it is due, to the end of the picture."""
    while (day := max(memory.due, today)) <= _shift(today, HORIZON):
        memory = memory.answered(day)
    return memory
