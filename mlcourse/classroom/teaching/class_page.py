"""What a class has learned and what it has not: one page with its pictures inside, and the same as tables.

The page asks nothing of any other machine. What came from a submission is text in it, never markup.
"""

import csv
import os
import random
import re
from collections import defaultdict
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import nbformat

from mlcourse.classroom.learner.exercises import ROOT
from mlcourse.classroom.learner.notebook import TITLES
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.grading import Unmarked
from mlcourse.classroom.teaching.marking import Submission

IDEAS = 3  # to teach again


class Misconception(NamedTuple):
    """A named mistake in a problem, what the check says of it, and who made it."""

    lesson: int
    problem: str
    name: str
    message: str
    students: tuple


class Idea(NamedTuple):
    """What to teach again: the cell that teaches it, under its heading, and the mistakes that it would mend."""

    heading: str
    notebook: str
    cell: str
    students: tuple
    misconceptions: tuple


class Class(NamedTuple):
    """A class at a glance.

    best       (student, lesson) -> Marks, the best where several were handed in
    unmarked   Submissions that could not be marked
    missing    (student, lesson) of the roster that has nothing handed in
    """

    students: tuple
    lessons: tuple
    best: dict
    unmarked: tuple
    missing: tuple
    misconceptions: tuple
    ideas: tuple


def look_at(submissions, roster=()):
    """The Class that these Submissions are; roster has the names of all who should have handed in."""
    best, unmarked = {}, []
    for each in submissions:
        if isinstance(each.marked, Unmarked):
            unmarked.append(each)
            continue
        key = each.student, each.marked.lesson
        if key not in best or each.marked.points > best[key].points:
            best[key] = each.marked
    students = tuple(sorted({each.student for each in submissions} | set(roster)))
    numbers = tuple(sorted({lesson for _, lesson in best}))
    handed_in = {*best, *((each.student, lesson) for each in unmarked for lesson in numbers if _of(each, lesson))}
    missing = tuple(
        (student, number) for number in numbers for student in students if (student, number) not in handed_in
    )
    misconceptions = _misconceptions(best)
    ideas = _ideas(misconceptions)
    return Class(students, numbers, best, tuple(unmarked), missing, misconceptions, ideas)


def _of(submission, lesson):
    """Whether a file that could not be marked was meant as this lesson's."""
    path = Path(submission.path)
    return path.name.startswith(f"{lesson:02}_") or path.parent.name == f"lesson{lesson:02}"


def _misconceptions(best):
    """The named mistakes, those of most students first."""
    made, said = defaultdict(set), {}
    for (student, lesson), marks in best.items():
        for mark in marks.marks:
            if mark.outcome == "wrong" and mark.misconception:
                made[lesson, mark.problem, mark.misconception].add(student)
                said.setdefault((lesson, mark.problem, mark.misconception), mark.message)
    found = (Misconception(*key, said[key], tuple(sorted(who))) for key, who in made.items())
    return tuple(sorted(found, key=lambda each: (-len(each.students), each[:3])))


def _ideas(misconceptions):
    """The cells of the lessons that most students with a named mistake would have to read again."""
    taught = defaultdict(list)
    for each in misconceptions:
        taught[teaching_cell(each.lesson, each.problem)].append(each)
    ideas = [
        Idea(*cell, tuple(sorted({student for each in mend for student in each.students})), tuple(mend))
        for cell, mend in taught.items()
    ]
    return tuple(sorted(ideas, key=lambda idea: (-len(idea.students), idea.notebook, idea.cell)))[:IDEAS]


def teaching_cell(lesson, problem):
    """(heading, notebook, cell id) of what the course says on a problem.

    Of its lesson, the cell that shares most of the problem's tags; else of the nearest lesson that has such a cell.
    """
    tags = set(getattr(of_lesson(lesson).get(problem), "tags", ()) if lesson in lessons() else ())
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"), key=lambda path: abs(int(path.name[:2]) - lesson))
    for path in notebooks:
        found = _cell_with(tags, path)
        if found is not None:
            return found
    name = notebooks[0].name if notebooks else f"{lesson:02}"
    return TITLES.get(lesson, ""), f"notebooks/{name}", ""


@cache
def _told_in(path):
    """(heading, cell id, tags) of each markdown cell of a lesson but its takeaways."""
    heading, told = TITLES.get(int(path.name[:2]), ""), []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            said = re.search(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = said[1].strip() if said else heading
            if heading != "Takeaways":
                told.append((heading, cell.id, set(cell.metadata.get("tags", ()))))
    return told


def _cell_with(tags, path):
    heading, cell, own = max(_told_in(path), key=lambda told: len(tags & told[2]))
    return (heading, f"notebooks/{path.name}", cell) if tags & own else None


def without_names(a_class):
    """The same Class with numbers for names, in an order that says nothing: to be shown to the class itself."""
    order = list(a_class.students)
    random.SystemRandom().shuffle(order)
    new = {student: f"student {number}" for number, student in enumerate(order, start=1)}
    again = [
        mistake._replace(students=tuple(new[one] for one in mistake.students)) for mistake in a_class.misconceptions
    ]
    return Class(
        tuple(new[student] for student in order),
        a_class.lessons,
        {(new[student], lesson): marks for (student, lesson), marks in a_class.best.items()},
        tuple(Submission(new[each.student], "", Unmarked("", "could not be marked")) for each in a_class.unmarked),
        tuple((new[student], lesson) for student, lesson in a_class.missing),
        tuple(again),
        _ideas(again),
    )


def read_roster(path):
    """The names of all who should hand in.

    A file has one a line, or in the first column of a CSV file, with or without a header; of a folder, such as
    submitted/, its folders have the names.
    """
    path = Path(path)
    if path.is_dir():
        return sorted(each.name for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    with open(path, newline="", encoding="utf-8-sig") as file:
        names = [row[0].strip() for row in csv.reader(file) if row and row[0].strip()]
    return names[1:] if names and names[0].lower() in ("student", "name", "id", "username") else names


def write(a_class, out, names=True):
    """Write class.html, marks.csv and misconceptions.csv into a folder; gives their paths."""
    out = Path(out)
    a_class = a_class if names else without_names(a_class)
    end = "" if names else "-without-names"
    paths = [
        out / f"{name}{end}.{kind}" for name, kind in (("class", "html"), ("marks", "csv"), ("misconceptions", "csv"))
    ]
    paths[0].write_text(page(a_class, out), encoding="utf-8")
    _write_csv(
        paths[1], ("student", "lesson", "problem", "points", "out of", "verdict", "misconception"), _rows(a_class)
    )
    _write_csv(
        paths[2],
        ("lesson", "problem", "misconception", "students", "what it says"),
        ((m.lesson, m.problem, m.name, len(m.students), m.message) for m in a_class.misconceptions),
    )
    return paths


def _rows(a_class):
    for (student, lesson), marks in sorted(a_class.best.items(), key=lambda item: item[0]):
        for mark in marks.marks:
            said = mark.misconception or ""
            yield student, lesson, mark.problem, mark.points, mark.out_of, mark.outcome, said
    for student, lesson in a_class.missing:
        yield student, lesson, "", 0, "", "not handed in", ""


def _write_csv(path, head, rows):
    """A table that a spreadsheet opens: what begins like a formula is text there, too."""
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in rows:
            writer.writerow(
                [f"'{item}" if isinstance(item, str) and item[:1] in "=+-@\t\r" and item else item for item in row]
            )


NOTHING_FROM_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse } th, td { border: 1px solid #ccc; padding: .2em .6em; text-align: left }
td.number { text-align: right } .scroll { overflow-x: auto } code { background: #f3f3f3; padding: 0 .2em }
.full { background: #cfe9df } .none { background: #f7d5c4 } .not { background: #eee }
small { color: #555 }
"""


def page(a_class, folder="."):
    """The class as one HTML document, to lie in `folder`."""
    asked = len(a_class.students)
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        f"<meta http-equiv='Content-Security-Policy' content=\"{NOTHING_FROM_OUTSIDE}\">",
        "<meta name='viewport' content='width=device-width'><title>The class</title>",
        f"<style>{STYLE}</style><h1>The class</h1>",
        f"<p>{asked} students, {len(a_class.best)} submissions marked"
        f"{f', {len(a_class.unmarked)} that could not be' if a_class.unmarked else ''}.</p>",
        "<h2>To teach again</h2>",
        _ideas_as_html(a_class.ideas, asked, folder)
        if a_class.ideas
        else "<p>Nobody made a mistake that has a name.</p>",
        "<h2>Points</h2>",
        *(_points_as_picture(a_class, lesson) for lesson in a_class.lessons),
        "<h2>Named mistakes</h2>",
        _misconceptions_as_html(a_class.misconceptions, asked),
        "<h2>Marks</h2>",
        *(_marks_as_html(a_class, lesson) for lesson in a_class.lessons),
        "<h2>Not handed in</h2>",
        _missing_as_html(a_class),
    ]
    if a_class.unmarked:
        said = "".join(f"<li>{escape(each.student)}: {escape(each.marked.error)}</li>" for each in a_class.unmarked)
        parts += ["<h2>Could not be marked</h2>", f"<ul>{said}</ul>"]
    return "\n".join(parts) + "</html>\n"


def _ideas_as_html(ideas, asked, folder):
    items = []
    for idea in ideas:
        anchor = idea.heading.replace(" ", "-")
        file = Path(os.path.relpath(ROOT / idea.notebook, folder)).as_posix()
        mistakes = "".join(
            f"<li><code>{escape(m.problem)}</code> {escape(m.name)}, "
            f"{len(m.students)} of {asked}: {_words(m.message)}</li>"
            for m in idea.misconceptions[:4]
        )
        cell = f" <small>(cell {escape(idea.cell)})</small>" if idea.cell else ""
        items.append(
            f"<li><b>{escape(idea.heading)}</b>: {len(idea.students)} of {asked} students. "
            f"Read <a href='{quote(file)}#{quote(anchor)}'>{escape(idea.notebook)}#{escape(anchor)}</a>{cell}"
            f"<ul>{mistakes}</ul></li>"
        )
    return f"<ol>{''.join(items)}</ol>"


def _words(message):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(message))


def _title(lesson):
    return escape(f"{lesson:02} {TITLES.get(lesson, '')}")


def _points_as_picture(a_class, lesson):
    """How many students have how many points: a bar for each number."""
    marks = [marks for (_, number), marks in a_class.best.items() if number == lesson]
    most = max(each.out_of for each in marks)
    counts = [sum(each.points == points for each in marks) for points in range(most + 1)]
    high, wide = max(counts), 34
    bars = []
    for points, count in enumerate(counts):
        height, x = 100 * count / high, points * wide
        bars.append(
            f"<rect x='{x + 4}' y='{120 - height:.1f}' width='{wide - 8}' height='{height:.1f}' fill='#0072B2'/>"
        )
        bars.append(f"<text x='{x + wide / 2}' y='136' text-anchor='middle'>{points}</text>")
        if count:
            bars.append(f"<text x='{x + wide / 2}' y='{115 - height:.1f}' text-anchor='middle'>{count}</text>")
    mean = sum(each.points for each in marks) / len(marks)
    said = f"Lesson {_title(lesson)}: {len(marks)} students, {mean:.1f} of {most} points on average"
    size = f"width='{wide * (most + 1)}' height='140'"
    return f"<p>{said}</p><svg role='img' aria-label='{said}' {size} font-size='12'>{''.join(bars)}</svg>"


def _misconceptions_as_html(misconceptions, asked):
    rows = "".join(
        f"<tr><td>{m.lesson:02}</td><td><code>{escape(m.problem)}</code></td><td>{escape(m.name)}</td>"
        f"<td class='number'>{len(m.students)}</td><td><svg width='100' height='12' role='img' "
        f"aria-label='{len(m.students)} of {asked}'><rect width='{100 * len(m.students) / asked:.0f}' height='12' "
        "fill='#D55E00'/></svg></td></tr>"
        for m in misconceptions
    )
    head = "<tr><th>lesson</th><th>problem</th><th>mistake</th><th>students</th><th></th></tr>"
    return f"<div class='scroll'><table>{head}{rows}</table></div>"


def _marks_as_html(a_class, lesson):
    of = {student: marks for (student, number), marks in a_class.best.items() if number == lesson}
    names = list(dict.fromkeys(mark.problem for marks in of.values() for mark in marks.marks if mark.out_of))
    head = "".join(f"<th><code>{escape(name)}</code></th>" for name in names)
    rows = []
    for student in (student for student in a_class.students if student in of):
        marks = {mark.problem: mark for mark in of[student].marks}
        cells = "".join(_mark_as_html(marks.get(name)) for name in names)
        total = f"<td class='number'>{of[student].points}/{of[student].out_of}</td>"
        rows.append(f"<tr><th>{escape(student)}</th>{total}{cells}</tr>")
    return (
        f"<h3>{_title(lesson)}</h3><div class='scroll'><table><tr><th>student</th><th>points</th>{head}</tr>"
        f"{''.join(rows)}</table></div>"
    )


def _mark_as_html(mark):
    if mark is None:
        return "<td class='not'></td>"
    if mark.outcome == "not attempted":
        return "<td class='not'>○ not attempted</td>"
    kind = "full" if mark.points == mark.out_of else "none"
    said = "✓" if kind == "full" else f"✗ {escape(mark.misconception or '')}"
    return f"<td class='{kind}' title='{escape(mark.message, quote=True)}'>{said}</td>"


def _missing_as_html(a_class):
    if not a_class.missing:
        return "<p>Everybody has handed in.</p>"
    of = defaultdict(list)
    for student, lesson in a_class.missing:
        of[lesson].append(student)
    items = (f"<li>{_title(lesson)}: {escape(', '.join(who))} ({len(who)})</li>" for lesson, who in of.items())
    return f"<ul>{''.join(items)}</ul>"
