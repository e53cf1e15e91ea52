"""What a learner has solved, kept under the user's data folder, and how far that is to mastery."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mlcourse.classroom import tab
from mlcourse.classroom.learner.check import Check, Moment
from mlcourse.classroom.problems import lessons, of_lesson

MASTERY = 0.8


def home():
    """The folder of the learner's own data; MLCOURSE_HOME overrides the platform's, but for a browser's tab."""
    import platformdirs

    if tab.here():
        return tab.home()
    return Path(os.environ.get("MLCOURSE_HOME") or platformdirs.user_data_dir("mlcourse"))


def _store():
    """The module that keeps records here: begun, add, merge, read."""
    if tab.here():
        from mlcourse.classroom.learner import journal as store
    else:
        from mlcourse.classroom.learner import database as store
    return store


def stamp(now=None):
    """A moment, now by default, as records have it."""
    return (now or datetime.now()).isoformat(timespec="seconds")


def record(verdict, now=None):
    """Keep one verdict. A disk that cannot be written to costs the record, not the lesson."""
    _keep(Check(stamp(now), *verdict.problem, verdict.outcome, verdict.misconception, verdict.message))


def happened(what, lesson, problem, seed, now=None):
    """Keep one Moment of practice, likewise; gives whether it was kept."""
    return _keep(Moment(stamp(now), lesson, problem, seed, what))


def _keep(entry):
    try:
        _store().add(home(), entry)
    except OSError as error:
        print(f"Your progress was not saved: {error}", file=sys.stderr)
        return False
    return True


def merge(records):
    """Keep Checks and Moments from elsewhere beside those that are here; gives how many were new. Raises OSError."""
    return _store().merge(home(), records)


class Mastery(NamedTuple):
    """How much of a lesson is solved: points of its points, and the problems still open."""

    lesson: int
    points: int
    out_of: int
    todo: tuple

    @property
    def share(self):
        return self.points / self.out_of

    @property
    def mastered(self):
        return self.share >= MASTERY


def begun():
    """Whether anything was ever checked here; False where nobody may look."""
    return _store().begun(home())


def checks():
    """Every Check that was kept, oldest first; None where they could not be read."""
    return _kept(Check)


def moments():
    """Every Moment of practice that was kept, oldest first; None where they could not be read."""
    return _kept(Moment)


def _kept(kind):
    try:
        return _store().read(home(), kind)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        print(f"Your progress could not be read: {error}", file=sys.stderr)
        return None


def solved(kept=None):
    """{(lesson, problem)} that were correct at least once, with any seed: what was understood stays understood.

    None where that could not be read: a failed look says nothing of what was solved. `kept`, what `checks` gave, spares
    a second look.
    """
    kept = checks() if kept is None else kept
    return None if kept is None else {(each.lesson, each.problem) for each in kept if each.outcome == "correct"}


def mastery(number, done=None):
    """The Mastery of one lesson, None where progress could not be read; `done` spares a second look into the file."""
    done = solved() if done is None else done
    if done is None:
        return None
    problems = {name: problem for name, problem in of_lesson(number).items() if problem.points}
    todo = tuple(name for name in problems if (number, name) not in done)
    total = sum(problem.points for problem in problems.values())
    return Mastery(number, total - sum(problems[name].points for name in todo), total, todo)


def overview(kept=None):
    """The Mastery of every lesson that has exercises; None where progress could not be read. `kept` as in `solved`."""
    done = solved(kept)
    return None if done is None else [mastery(number, done) for number in lessons()]


def ahead(lessons):
    """Of what `overview` gives, the first lesson that is not mastered; None where all are."""
    return next((each for each in lessons if not each.mastered), None)
