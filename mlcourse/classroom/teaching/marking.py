"""A whole class's notebooks, on several processes or a cluster, with what is marked kept and not marked again."""

import hashlib
import json
import multiprocessing
import os
import re
import tempfile
from collections import Counter
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import mlcourse
from mlcourse import run_all
from mlcourse.classroom.teaching.grading import RULES, Mark, Marks, Unmarked, beside, grade_one


class Submission(NamedTuple):
    """One notebook of a class: whose it is, and what was found in it, Marks or Unmarked."""

    student: str
    path: str
    marked: object


def mark_all(paths, rules=RULES, workers=1, executor=None, out=None, progress=None):
    """The Submission of each notebook, in the order of the paths.

    workers    how many are marked at once here
    executor   marks them elsewhere instead, as `run_all` says; what lies beside a notebook goes along
    out        a folder that keeps what is marked: a notebook that has not changed since is not marked again
    A process that is lost costs time: its notebook is marked again. One that takes each process along is Unmarked.
    """
    paths = [Path(path) for path in paths]
    students = students_of(paths)
    rules = rules._replace(hidden=(*rules.hidden, *_of_the_class(paths, out)))
    prints = [None if out is None else _fingerprint(path, rules) for path in paths]
    kept = [_kept(out, path, its_own) for path, its_own in zip(paths, prints, strict=True)]
    left = [index for index, marked in enumerate(kept) if marked is None]

    def keep(place, marked):
        index = left[place]
        if executor is not None:
            marked = _renamed(marked, jobs[place][0], str(paths[index]))
        kept[index] = marked
        if out is not None and paths[index].is_file():
            _keep(out, paths[index], students[index], prints[index], marked)

    if executor is None:
        function, jobs = grade_one, [(str(paths[index]), rules) for index in left]
    else:  # no student's name goes along
        function, jobs = _mark_there, [(*_files(paths[index]), rules._replace(hidden=())) for index in left]
    if workers > 1 and executor is None:
        with _processes(min(workers, max(1, len(jobs)))) as pool:
            try:
                run_all(function, jobs, pool, progress=progress, label="notebooks", each=keep)
            except BrokenExecutor:
                _one_by_one(function, jobs, [place for place, index in enumerate(left) if kept[index] is None], keep)
    else:
        run_all(function, jobs, executor, progress=progress, label="notebooks", each=keep)
    return [Submission(*each) for each in zip(students, map(str, paths), kept, strict=True)]


def _processes(number):
    return ProcessPoolExecutor(number, multiprocessing.get_context("spawn"))


def _one_by_one(function, jobs, places, keep):
    """The notebooks among which one ends its process, each in a process that no other shares."""
    for place in places:
        try:
            with _processes(1) as alone:
                marked = alone.submit(function, *jobs[place]).result()
        except BrokenExecutor:
            name = jobs[place][0]
            marked = Unmarked(name, f"{name} could not be marked: it ended the process that marks it")
        keep(place, marked)


def _mark_there(name, files, rules):
    """Mark a notebook on a machine that does not have it: name -> content of it and of what lies beside it."""
    with tempfile.TemporaryDirectory(prefix="mlcourse-") as folder:
        for each, content in files.items():
            (Path(folder) / each).write_bytes(content)
        return _renamed(grade_one(f"{folder}/{name}", rules), f"{folder}/{name}", name)


def _renamed(marked, before, now):
    """Marks, or Unmarked, of a notebook under another name."""
    if isinstance(marked, Unmarked):
        return Unmarked(now, marked.error.replace(before, now))
    return marked._replace(notebook=now)


def _files(path):
    """(name, name -> content) of a notebook and what lies beside it, under a name that says no student's."""
    number = re.match(r"\d\d_", path.name)
    name = f"{number[0] if number else ''}submission.ipynb"
    return name, {name: path.read_bytes() if path.is_file() else b""} | {
        each.name: each.read_bytes() for each in beside(path)
    }


def students_of(paths):
    """Whose each notebook is: the folder that it was handed in under, or its own name where several share one folder.

    submitted/<student>/lesson04/04_….ipynb and submitted/<student>/04_….ipynb give the student.
    """
    folders = [path.absolute().parent for path in paths]
    folders = [each.parent if re.fullmatch(r"lesson\d\d", each.name) else each for each in folders]
    crowded = {each for each, times in Counter(folders).items() if times > 1}
    return [
        path.stem if own in crowded and not _lessons_apart(own, paths, folders) else own.name
        for path, own in zip(paths, folders, strict=True)
    ]


def _lessons_apart(folder, paths, folders):
    """Whether the notebooks of a folder are those of different lessons: one student's."""
    numbers = [path.name[:2] for path, own in zip(paths, folders, strict=True) if own == folder]
    return all(map(str.isdigit, numbers)) and len(set(numbers)) == len(numbers)


def _of_the_class(paths, out):
    """Folders that no submission may look into: all of them, and the marks."""
    common = os.path.commonpath([path.absolute().parent for path in paths]) if paths else None
    several = len({path.absolute().parent for path in paths}) > 1
    return ([str(common)] if several else []) + ([] if out is None else [str(Path(out).absolute())])


@cache
def version():
    """A name for the course's code as it is: marks that other code gave are given anew."""
    folder = Path(mlcourse.__file__).parent
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:16]


def _fingerprint(path, rules):
    """What marks hang on: the notebook, the files beside it, the course's code, the rules; None where unreadable."""
    content = hashlib.sha256()
    try:
        for file in (path, *beside(path)):
            content.update(file.name.encode() + b"\0" + (file.read_bytes() if file.is_file() else b""))
    except OSError:  # it comes out as Unmarked, which no later run takes over
        return None
    return [content.hexdigest(), version(), rules.seconds, rules.memory, rules.seed]


def _place(out, path):
    return Path(out) / f"{hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:24]}.json"


def _kept(out, path, fingerprint):
    """Marks from an earlier run, None where there are none, or they are not those of this notebook any more."""
    if out is None:
        return None
    try:
        said = json.loads(_place(out, path).read_text(encoding="utf-8"))
        return read_marked(said) if "error" not in said and said["fingerprint"] == fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(out, path, student, fingerprint, marked):
    """Write marks so that a kill at any moment leaves the old ones or the new ones."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    said = {"student": student, "notebook": str(path), "fingerprint": fingerprint, **fields_of(marked)}
    part = out / f"{uuid4().hex}.part"
    part.write_text(json.dumps(said, indent=1), encoding="utf-8")
    os.replace(part, _place(out, path))


def fields_of(marked):
    """Marks, or Unmarked, as JSON has them."""
    if isinstance(marked, Unmarked):
        return marked._asdict()
    fields = {"notebook": marked.notebook, "lesson": marked.lesson, "points": marked.points, "out_of": marked.out_of}
    return fields | {"apart": marked.apart, "problems": [mark._asdict() for mark in marked.marks]}


def read_marked(said):
    """The Marks, or Unmarked, of `fields_of`."""
    if "error" in said:
        return Unmarked(said["notebook"], said["error"])
    marks = tuple(Mark(**{name: each[name] for name in Mark._fields}) for each in said["problems"])
    return Marks(said["notebook"], said["lesson"], marks, said["apart"])


def read_folder(out):
    """Every Submission that is kept in a folder, by student. Raises ValueError where there is none."""
    out = Path(out)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    if not found:
        raise ValueError(f"{out} has no marks: `mlcourse grade submitted/*/*/*.ipynb --out {out}` lays them there")
    submissions = [Submission(said["student"], said["notebook"], read_marked(said)) for said in found]
    return sorted(submissions, key=lambda each: (each.student, each.path))
