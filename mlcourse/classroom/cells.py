"""What the command `mlcourse` does in a terminal, in a cell: a browser's tab has no terminal."""

import base64
import html
from datetime import date
from pathlib import Path

from mlcourse.classroom import tab
from mlcourse.classroom.learner import exercises
from mlcourse.classroom.learner import practice as due
from mlcourse.classroom.learner import progress as kept
from mlcourse.classroom.learner.carry import export_progress as _export
from mlcourse.classroom.learner.carry import import_progress as _import
from mlcourse.classroom.learner.notebook import TITLES, Words, require_lesson

TAKES = {
    1: ("theta", "alpha", "support", "query"),
    2: ("theta", "alpha", "slope", "x"),
    3: ("theta", "alpha", "support", "query"),
}


def progress(figure=False):
    """Show each lesson's mastery against the 80 % gate, what is still remembered, what is due, and what to do next.

    figure   True for a picture of the memory instead: what was solved, and how much of it is still known
    """
    today = date.today()
    record = due.read()
    if record is None:  # which was said
        return None
    lessons = kept.overview(record.checks)
    if figure:
        return picture(record, today) or Words(NO_PICTURE)
    known = remembered(record, today)
    table = [("lesson", "points", "", "mastery", "memory"), (":--", "--:", ":--", ":--", "--:")]
    for each in lessons:
        title, points = f"{each.lesson:02} {TITLES[each.lesson]}", f"{each.points}/{each.out_of}"
        table.append((title, points, bar(each.share), standing(each), known.get(each.lesson, "")))
    rows = "\n".join(f"| {' | '.join(row)} |" for row in table)
    title = f"**Your progress**; {kept.MASTERY:.0%} of the points master a lesson"
    return Words(f"{title}\n\n{rows}\n\n{due.summary(record, today)}\n\n{what_next(lessons)}")


NO_PICTURE = "Nothing was solved yet: there is nothing to remember, and no picture of it."


def picture(record, today):
    """The figure of a learner's memory; None where nothing was solved yet."""
    from mlcourse.classroom.figures.memory import memory

    numbers = due.picture(record, today)
    return None if numbers is None else memory(numbers)


def remembered(record, today):
    """{lesson: the share of what was solved of it that is still known, in words}."""
    return {number: f"{known / solved:.0%}" for number, solved, known in due.by_lesson(record, today)}


def practice(minutes=due.MINUTES):
    """Show the problem that is due now, with numbers of its own, and give the `p` that checks it.

    p = practice(); then write the answer into a cell and `p.check(name, answer)`. p.hint, p.solution and p.show are as
    in a lesson, `p.rate("hard")` corrects how the answer was rated.

    minutes   of practice today, after which it says that it is done and gives None
    Raises ValueError where that is no number.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not minutes >= 0:
        raise ValueError(f"minutes must be a number of at least 0, got {minutes!r}")
    from IPython.display import display

    from mlcourse.classroom.sitting import Sitting, statement, to_fill_in

    record, today = due.read(), date.today()
    if record is None:  # which was said
        return None
    task = due.next_task(record, today, minutes)
    if task is None:
        display(Words(due.done(record, today, minutes)))
        return None
    p = Sitting(task)
    p.begin()
    name, spent = task.problem.name, due.minutes_spent(record, today)
    cell = f'```python\n{to_fill_in(task.problem)}\n```\n\n```python\np.check("{name}", {name})\n```'
    display(Words(f"{statement(p, spent, minutes)}\n\nIn cells of your own:\n\n{cell}"))
    return p


def bar(share):
    """A share of 1 as ten blocks."""
    filled = round(10 * share)
    return "█" * filled + "░" * (10 - filled)


def standing(mastery):
    """Whether a lesson is mastered, in a word; else the share of its points."""
    return "✓ mastered" if mastery.mastered else f"{mastery.share:.0%}"


def what_next(lessons):
    """One sentence on what to do next, given what `overview` gave."""
    ahead = kept.ahead(lessons)
    if ahead is None:
        return "Every lesson is mastered."
    path = exercises.find(ahead.lesson, exercises.ROOT).relative_to(exercises.ROOT)
    return f"Next: lesson {ahead.lesson:02}, problem {ahead.todo[0]} in {path.as_posix()}"


def reset(number, *, notebook=False):
    """Lay a lesson's exercise anew; what you wrote is kept beside it under a dated name.

    notebook   True for the lesson's own notebook instead of its exercise
    Raises ValueError for what is no lesson, CourseError where there is none, with all as it was.
    """
    require_lesson(number)
    path, mine = exercises.reset(number, root=exercises.ROOT, folder="notebooks" if notebook else "exercises")
    print(f"{path.name} is fresh. {what_was_kept(mine)}")
    print("Where it is open, File → Reload Notebook from Disk shows it.")


def what_was_kept(mine):
    """One sentence on a learner's version of a notebook that was laid anew: the path of its copy, or None."""
    if mine is None:
        return "You had written nothing into it that there would be to keep."
    return f"Your version is kept as {mine.name}"


def example(number, **given):
    """Rerun a worked example with other numbers: example(1, alpha=0.3) as `mlcourse example 1 --alpha 0.3`.

    number  1: the meta-gradient in 1D (theta, alpha, support, query: formulas); 2: one step on a line (theta, alpha,
            slope, x); 3: MAML and FOMAML (theta a vector, alpha, support, query: pairs A, b)
    Raises ValueError or TypeError for what it cannot use.
    """
    from mlcourse.classroom import worked

    if number not in TAKES:
        raise ValueError(f"number must be an example, {min(TAKES)} … {max(TAKES)}, got {number!r}")
    for name in given:
        if name not in TAKES[number]:
            raise ValueError(f"example {number} has no {name}: it takes {', '.join(TAKES[number])}")
    if number == 1:
        given = {{"support": "support_loss", "query": "query_loss"}.get(name, name): given[name] for name in given}
    return getattr(worked, f"example_{number}")(**given)


def export_progress(file=None):
    """Write your progress into a file that `import_progress` reads, here or on another machine.

    file   its name; by default a dated one beside this notebook
    Raises ValueError for what is no name, CourseError where there is such a file already or it cannot be written.
    """
    path = _export(file)
    print(f"Your progress is in {path}.")
    if tab.here():
        from IPython.display import HTML, display

        display(HTML(_download(path)))


def _download(path):
    """A link that has a file's content in it: what a tab writes need not be in its list of files, nor stay."""
    content = base64.b64encode(path.read_bytes()).decode()
    name = html.escape(path.name)
    return f'<a download="{name}" href="data:application/json;base64,{content}">Download {name}</a>'


def import_progress(file):
    """Add the progress in a file that `export_progress` wrote; what is here stays, and a second time adds nothing.

    Raises CourseError, with nothing added, for a file that is another, damaged, or from a newer course.
    """
    print(taken(_import(file), Path(file)))


def taken(number, path):
    """One sentence on how much came out of a file."""
    return f"{number or 'No'} new {'entry' if number == 1 else 'entries'} from {path.name}; what was here stays."
