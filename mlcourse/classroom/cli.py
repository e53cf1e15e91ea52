"""The command `mlcourse`: open the course, rerun a worked example, grade, look at progress, report on your own table.

What a command needs is imported inside it, so that `mlcourse --help` is quick.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A course on meta-learning that knows which mistake you made.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main():
    """Entry point: what a command refuses is one sentence and exit code 2, never a traceback."""
    from mlcourse.classroom.learner.exercises import CourseError
    from mlcourse.classroom.terminal import write_readably

    one_thread()
    write_readably()
    try:
        app(_spread(sys.argv[1:]))
    except (CourseError, ValueError, TypeError, ArithmeticError, OSError) as error:
        print(f"mlcourse: {error}", file=sys.stderr)
        sys.exit(2)


def one_thread():
    """Let this command and what it starts multiply matrices on one thread, unless the user has chosen a number.

    On cores that are busy, more threads slow small products many times over. NumPy looks when it is imported, which was
    on the way to this module: `reproduce` and `report`, which compute here and not in a kernel, start anew.
    """
    chosen = all(name in os.environ for name in THREADS)
    for name in THREADS:
        os.environ.setdefault(name, os.environ.get("OMP_NUM_THREADS", "1"))
    if not chosen and sys.argv[1:2] in (["reproduce"], ["report"]):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


LISTS = {"reproduce": ("--shots", "--seeds", "--methods"), "report": ("--x",)}


def _spread(words):
    """`--shots 5 10 20` as `--shots 5 --shots 10 --shots 20`, which is how the parser wants lists."""
    options = LISTS.get(words[0] if words else "", ())
    spread, option = [], None
    for word in words:
        if word.startswith("-"):
            option = word if word in options else None
        if option is None:
            spread.append(word)
        elif word != option:
            spread += [option, word]
    return spread


def _console():
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


START = "notebooks/00_start_here.ipynb"


def jupyter_command(root, port, *, display, superuser):
    """The command line that opens lesson 0 in JupyterLab with the course's folder as its root."""
    command = [sys.executable, "-m", "jupyterlab", str(root / START)]
    command += [f"--ServerApp.root_dir={root}", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--ServerApp.answer_yes=True", "--Application.log_level=WARN"]  # Ctrl-C ends it without a question
    if port is not None:
        command.append(f"--ServerApp.port={port}")
    if not display:
        command.append("--no-browser")
    if superuser:
        command.append("--allow-root")
    return command


def jupyter_environment(environment=os.environ):
    """The environment with the course's own settings of JupyterLab first: it does not begin with a question about news.

    They are defaults: what a learner has chosen in JupyterLab's settings stays.
    """
    paths = [str(Path(__file__).parent / "jupyter"), environment.get("JUPYTER_CONFIG_PATH")]
    return {**environment, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def _log():
    """An open file for what JupyterLab and its kernels write, which is no reading for a learner; None if there is none.

    The terminal keeps the address.
    """
    from mlcourse.classroom.learner.progress import home

    try:
        home().mkdir(parents=True, exist_ok=True)
        mine_alone = lambda path, flags: os.open(path, flags, 0o600)  # noqa: E731 (the address has a secret in it)
        return open(home() / "jupyterlab.log", "w+", encoding="utf-8", errors="replace", opener=mine_alone)
    except OSError:
        return None


def has_display(environment=os.environ, platform=sys.platform):
    """Whether a browser could open where this runs: not over SSH, and on Linux only with a display server."""
    if environment.get("SSH_CONNECTION"):
        return False
    return not platform.startswith("linux") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


@app.command()
def learn(port: Annotated[int | None, typer.Option(help="Port of the server; the next free one is taken.")] = None):
    """Open the course in JupyterLab at lesson 0; without a display, print its address and stay up."""
    from importlib.util import find_spec

    from mlcourse.classroom.learner.exercises import ROOT, CourseError

    if find_spec("jupyterlab") is None:
        raise CourseError("JupyterLab is not installed here: run `make learn`, or `pip install jupyterlab`")
    if not (ROOT / START).exists():
        raise CourseError(f"there is no course in {ROOT}: run this in a clone of the course, installed with --editable")
    display = has_display()
    superuser = hasattr(os, "geteuid") and os.geteuid() == 0
    command, log = jupyter_command(ROOT, port, display=display, superuser=superuser), _log()
    server = subprocess.Popen(command, env=jupyter_environment(), stdout=log, stderr=log)
    try:
        _print_address(server, display, log)
        code = server.wait()
    except KeyboardInterrupt:  # Ctrl-C reaches the server as well
        _end(server)
        return
    raise typer.Exit(code)


def _print_address(server, display, log):
    """Wait until the server is up and say where; when it ended instead, what it said."""
    from rich.panel import Panel

    address = _address(server)
    if address is None:
        print("JupyterLab did not start. What it said:", file=sys.stderr)
        if log is not None:
            log.seek(0)
            print("".join(log.readlines()[-20:]), end="", file=sys.stderr)
        return
    opening = "It opens in your browser" if display else "No display here: open this address in a browser"
    _console().print(Panel.fit(f"{opening}. Ctrl-C here ends it.", title="The course: lesson 00, “Start here”"))
    print(address, flush=True)  # outside of the frame and in one piece, however narrow the terminal


def _address(server, seconds=60):
    """The address, with its token, of a Jupyter server that was started as a process; None when it does not come up."""
    from jupyter_server.serverapp import list_running_servers

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        for running in list_running_servers():
            if running["pid"] == server.pid:
                return f"{running['url']}lab/tree/{START}?token={running['token']}"
        time.sleep(0.2)
    return None


def _end(server, seconds=10):
    """Let the server end its kernels and itself; insist when it does not."""
    try:
        server.wait(seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.terminate()


def _vector(option, text):
    """Numbers separated by commas or blanks, in brackets or without."""
    inside = text.strip()
    if inside[:1] + inside[-1:] in ("[]", "()"):
        inside = inside[1:-1].strip()
    try:
        return [float(piece) for piece in re.split(r"\s*,\s*|\s+", inside)]
    except ValueError:
        raise ValueError(f"{option} must be numbers separated by commas, got {text!r}") from None


def _pair(option, text):
    """A pair (A, b) written as in Python, such as [[2, 1], [1, 3]], [1, 0]."""
    from ast import literal_eval

    try:
        return literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(
            f'{option} of example 3 must be a pair A, b, such as "[[2, 1], [1, 3]], [1, 0]", got {text!r}'
        ) from None


@app.command()
def example(
    number: Annotated[
        int, typer.Argument(min=1, max=3, help="1: meta-gradient in 1D. 2: one step on a line. 3: MAML and FOMAML.")
    ],
    theta: Annotated[str | None, typer.Option(help="Where the inner step starts; for 3 a vector such as 1,-1.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Inner step size, greater than 0.")] = None,
    support: Annotated[
        str | None,
        typer.Option(
            help='The support loss. 1: a formula, such as "(theta - 2)**2 + sin(theta)". '
            '3: A, b of the loss 1/2 theta^T A theta - b^T theta, such as "[[2, 1], [1, 3]], [1, 0]".'
        ),
    ] = None,
    query: Annotated[str | None, typer.Option(help="1 and 3: the query loss, written likewise.")] = None,
    slope: Annotated[float | None, typer.Option(help="2: the task's slope a.")] = None,
    x: Annotated[str | None, typer.Option(help="2: the support inputs, such as 1,0.5,2.")] = None,
):
    """Rerun a worked example of the course with other numbers, step by step and checked three ways."""
    from mlcourse.classroom import cells

    given = {"theta": theta, "alpha": alpha, "support": support, "query": query, "slope": slope, "x": x}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in cells.TAKES[number]:
            fitting = ", ".join(f"--{option}" for option in cells.TAKES[number])
            raise ValueError(f"example {number} has no --{name}: it takes {fitting}")
    if "theta" in given:
        vector = _vector("--theta", given["theta"])
        if number != 3 and len(vector) != 1:
            raise ValueError(f"--theta of example {number} is one number, got {theta!r}")
        given["theta"] = vector if number == 3 else vector[0]
    if "x" in given:
        given["x"] = _vector("--x", given["x"])
    if number == 3:
        given |= {name: _pair(f"--{name}", given[name]) for name in ("support", "query") if name in given}
    print(cells.example(number, **given))


@app.command()
def grade(
    notebooks: Annotated[list[Path], typer.Argument(help="Exercise notebooks, such as exercises/04*.ipynb.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    seconds: Annotated[int, typer.Option(min=1, help="How long one cell may run.")] = 60,
    memory: Annotated[float, typer.Option(min=0.5, metavar="GB", help="How much memory a notebook may use.")] = 4,
    workers: Annotated[int, typer.Option(min=1, help="How many notebooks are marked at once.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Mark on the workers of this Dask scheduler, not here.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder that keeps the marks: what has not changed is not marked again.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The class's own, as in `mlcourse course --seed`.")] = None,
):
    """Run notebooks in fresh kernels and show each problem's points and verdict.

    A file that cannot be marked is named, and the others are marked all the same; the exit code is then 1, or 2 where
    none could be. In a folder that `mlcourse course --seed` has laid, that seed counts.
    """
    from mlcourse.classroom.teaching.course import class_seed
    from mlcourse.classroom.teaching.grading import Rules, Unmarked
    from mlcourse.classroom.teaching.marking import fields_of, mark_all

    rules = Rules(seconds, round(memory * (1 << 30)), class_seed() if seed is None else seed)
    with _executor(scheduler) as executor:
        graded = [each.marked for each in mark_all(notebooks, rules, workers, executor, out)]
    for marks in graded:
        if isinstance(marks, Unmarked):
            print(f"mlcourse: {marks.error}", file=sys.stderr)
        elif not as_json:
            _print_marks(marks)
    if any(not getattr(marks, "apart", True) for marks in graded):
        print(f"mlcourse: {NOT_APART}", file=sys.stderr)
    if as_json:
        print(json.dumps([fields_of(marks) for marks in graded], indent=2, ensure_ascii=not _shows_all()))
    unmarked = sum(isinstance(marks, Unmarked) for marks in graded)
    if unmarked:
        raise typer.Exit(1 if unmarked < len(graded) else 2)


NOT_APART = (
    "this system let no submission run apart: only checks gave verdicts, as everywhere, but each could read the "
    "course's files and write to yours; docs/teaching.md says what to do"
)


def _executor(scheduler):
    """The executor of a Dask scheduler, for `with`; None without one, and nothing is loaded for it."""
    if scheduler is None:
        return nullcontext()
    from mlcourse.classroom.reproduce import cluster

    return cluster(scheduler)


@app.command("class")
def class_page(
    marks: Annotated[Path, typer.Argument(help="The folder that `mlcourse grade --out` has filled.")],
    roster: Annotated[
        Path | None,
        typer.Option(help="Who should have handed in: a file with a name a line, or the folder submitted/."),
    ] = None,
    names: Annotated[bool, typer.Option("--names/--no-names", help="Without names, to be shown to the class.")] = True,
):
    """Write one page on a class: marks, the named mistakes and how many made each, what to teach again."""
    from mlcourse.classroom.teaching import class_page as pages
    from mlcourse.classroom.teaching.marking import read_folder

    a_class = pages.look_at(read_folder(marks), () if roster is None else pages.read_roster(roster))
    written = pages.write(a_class, marks, names)
    for place, idea in enumerate(a_class.ideas, start=1):
        print(f"Teach again {place}: {idea.heading} ({len(idea.students)} of {len(a_class.students)}), {idea.notebook}")
    print(f"The page is {written[0]}; the tables are {written[1].name} and {written[2].name} beside it.")


def _shows_all():
    return (sys.stdout.encoding or "").lower().startswith("utf")


def _print_marks(marks):
    from rich.table import Table

    from mlcourse.classroom.judging.verdict import Verdict

    print(f"{marks.notebook}: {marks.points} of {marks.out_of} points")  # in one piece, however narrow the terminal
    table = Table()
    for heading in ("problem", "points", "verdict", "what it says"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("problem", "points"))
    for mark in marks.marks:
        head = Verdict(mark.outcome, mark.misconception, "").head
        said = "" if mark.outcome == "correct" else mark.message
        table.add_row(mark.problem, f"{mark.points}/{mark.out_of}" if mark.out_of else "–", head, said)
    _console().print(table)


@app.command()
def progress(
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it into a new file instead.")] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="First add what is in such a file.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A picture of what is still remembered: .png, .pdf or .svg.")
    ] = None,
):
    """Show each lesson's mastery against the 80 % gate, what is remembered, what is due, and what to do next."""
    from datetime import date

    from rich.table import Table

    from mlcourse.classroom import cells
    from mlcourse.classroom.learner import practice as due
    from mlcourse.classroom.learner.notebook import TITLES
    from mlcourse.classroom.learner.progress import MASTERY, overview

    if import_ is not None:
        cells.import_progress(import_)
    if export is not None:
        cells.export_progress(export)
        return
    record, today = due.read(), date.today()
    if record is None:  # which was said
        raise typer.Exit(2)
    lessons = overview(record.checks)
    if figure is not None:
        _draw(record, today, figure)
        return
    remembered = cells.remembered(record, today)
    table = Table(title=f"Your progress; {MASTERY:.0%} of the points master a lesson", title_justify="left")
    for heading in ("lesson", "points", "", "mastery", "memory"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "lesson")
    for each in lessons:
        title = f"{each.lesson:02} {TITLES[each.lesson]}"
        row = (f"{each.points}/{each.out_of}", cells.bar(each.share), cells.standing(each))
        table.add_row(title, *row, remembered.get(each.lesson, ""))
    _console().print(table)
    print(due.summary(record, today, "`mlcourse practice`"))
    print(cells.what_next(lessons))


def _draw(record, today, path):
    """Write the picture of a learner's memory into a file."""
    from mlcourse.classroom import cells

    drawn = cells.picture(record, today)
    if drawn is None:
        print(cells.NO_PICTURE)
        return
    drawn.savefig(path)
    print(f"The picture of your memory is in {path}.")


@app.command()
def practice(
    minutes: Annotated[int, typer.Option(min=1, help="How much today, by the problems' own minutes.")] = 10,
):
    """Bring back what you solved before you forget it, with other numbers: ten minutes a day, lessons mixed.

    Numbers and labels are asked here; a function is written in the editor that VISUAL or EDITOR names.
    """
    from mlcourse.classroom.asking import practise

    practise(minutes)


@app.command()
def reset(
    lesson: Annotated[int, typer.Argument(help="Which lesson's exercise, such as 04.")],
    its_notebook: Annotated[
        bool, typer.Option("--lesson", help="The lesson's notebook instead of its exercise.")
    ] = False,
):
    """Lay a fresh exercise; what you wrote is kept beside it under a dated name."""
    from mlcourse.classroom.cells import what_was_kept
    from mlcourse.classroom.learner.exercises import reset as lay_fresh

    path, kept = lay_fresh(lesson, folder="notebooks" if its_notebook else "exercises")
    print(f"{path.name} is fresh. {what_was_kept(kept)}")


@app.command()
def update():
    """Bring the course up to date; files of yours that the update changes are kept under dated names first."""
    from mlcourse.classroom.cells import what_was_kept
    from mlcourse.classroom.learner.clone import ROOT, source
    from mlcourse.classroom.learner.exercises import update as bring_up_to_date

    for path, kept in bring_up_to_date():
        print(f"{path.relative_to(ROOT).as_posix()} is as the course has it now. {what_was_kept(kept)}")
    print(f"The course is up to date with {source()}. `make learn` opens it.")


@app.command()
def release(force: Annotated[bool, typer.Option(help="Overwrite edited exercises, too.")] = False):
    """Build exercises/ from solutions/ (for those who write the course); edited exercises are left alone."""
    from mlcourse.classroom.learner.exercises import ROOT
    from mlcourse.classroom.teaching.release import release_folder

    for path, written in release_folder(ROOT / "solutions", ROOT / "exercises", force=force):
        print(f"{path.relative_to(ROOT)}{'' if written else ': left as it is, it was edited (--force overwrites it)'}")


class Experiment(StrEnum):
    """What can be reproduced."""

    sinusoid = "sinusoid"


@app.command()
def reproduce(
    experiment: Annotated[Experiment, typer.Argument(help="sinusoid: section 5.1 of Finn et al. 2017.")],
    shots: Annotated[list[int], typer.Option(help="Numbers of shots, such as --shots 5 10 20.")] = [5, 10, 20],  # noqa: B006
    seeds: Annotated[list[int], typer.Option(help="Seeds, such as --seeds 0 1 2.")] = [0],  # noqa: B006
    iterations: Annotated[int, typer.Option(min=1, help="Outer steps of each training.")] = 70_000,
    methods: Annotated[list[str] | None, typer.Option(help="Some of MAML, FOMAML, Reptile, 'joint training'.")] = None,
    out: Annotated[Path, typer.Option(help="Where tables, figures and checkpoints go.")] = Path("reproduced"),
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Train on the workers of this Dask scheduler, not here.")
    ] = None,
):
    """Run a published experiment to the end: train, meta-test, write table and figures. A killed run goes on."""
    from mlcourse.classroom import reproduce as experiments

    folder = out / experiment.value
    methods = tuple(methods or experiments.METHODS)
    with experiments.cluster(scheduler) as executor:
        rows = experiments.sinusoid(folder, shots, seeds, iterations, methods, executor)
    print(f"\n{experiments.markdown(rows)}\nTables, figures and checkpoints are in {folder}/")


@app.command()
def report(
    csv: Annotated[Path, typer.Argument(metavar="CSV", help="A table: a header line, then one example a line.")],
    task: Annotated[str, typer.Option(help="The column that says which task a row belongs to, such as country.")],
    x: Annotated[list[str], typer.Option(help="Column of inputs, one or several: --x year gdp.")],
    y: Annotated[str, typer.Option(help="The column to predict.")],
    shots: Annotated[int, typer.Option(min=1, help="Rows of a new task that a learner is given.")] = 3,
    queries: Annotated[
        int | None,
        typer.Option(min=1, help="Rows it is asked for; unless told, what the shortest task has left, 20 at most."),
    ] = None,
    validation: Annotated[int | None, typer.Option(min=2, help="Tasks that choose; unless told, a fifth.")] = None,
    test: Annotated[int | None, typer.Option(min=2, help="Tasks that are asked once; unless told, a fifth.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn by chance.")] = 0,
    least_rows: Annotated[int, typer.Option(min=1, help="Leave out tasks with fewer rows.")] = 1,
    skip_missing: Annotated[bool, typer.Option("--skip-missing", help="Leave out rows with a missing value.")] = False,
    delimiter: Annotated[str, typer.Option(help="What stands between columns.")] = ",",
    decimal: Annotated[str, typer.Option(help="The decimal point, or comma.")] = ".",
    encoding: Annotated[str, typer.Option(help="How the file is encoded, such as cp1252.")] = "utf-8",
    out: Annotated[Path, typer.Option(help="The folder for the report.")] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Replace an older report; else a new one is dated.")] = False,
):
    """Say on one page what meta-learning does for your own table: tasks split, baselines, MAML, test with intervals.

    Takes less than a minute, reads the table and never changes it, and writes a page (Markdown) and its picture (PNG).
    """
    from mlcourse import FromTable
    from mlcourse.classroom import report as reports

    options = {"task": task, "x": tuple(x), "y": y}
    written = {"least_rows": least_rows, "skip_missing": skip_missing}
    written |= {"delimiter": delimiter, "decimal": decimal, "encoding": encoding}
    asked = {"shots": shots, "queries": queries, "validation": validation, "test": test, "seed": seed}
    place = next(each for each in (out.resolve(), *out.resolve().parents) if each.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise ValueError(f"--out must be a folder that can be written to, got {out}")
    try:
        done = reports.study(FromTable(csv, **options, **written), **asked)
    except ValueError as error:
        raise ValueError(_as_options(str(error), (*written, *asked))) from None
    usual = {"least_rows": 1, "delimiter": ",", "decimal": ".", "encoding": "utf-8"}
    told = {name: None if value == usual.get(name) else value for name, value in written.items()}
    page = reports.write(done, out, command=reports.command_of(csv, options | asked | told), force=force)
    print(f"{reports.conclusion(done)}\nThe report is in {page}")


def _as_options(message, names):
    """A message on arguments of Python, `least_rows=12`, in the words of the command line, `--least-rows 12`."""
    for name in names:
        message = re.sub(rf"\b{name}=True", f"--{name.replace('_', '-')}", message)
        message = re.sub(rf"\b{name}=", f"--{name.replace('_', '-')} ", message)
    return message


@app.command()
def site(
    folder: Annotated[Path, typer.Argument(help="A new folder, or a site that was built before.")],
    pyodide: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A Pyodide release: the site is then complete, and needs no network."),
    ] = None,
    working_copy: Annotated[
        bool, typer.Option("--working-copy", help="Notebooks as they are, also those that differ from the last commit.")
    ] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Show it on this machine afterwards.")] = False,
):
    """Build the course as a static site that runs in a browser's tab; docs/publishing.md goes on from there."""
    from mlcourse.classroom import site as sites

    folder, pyodide = folder.expanduser(), pyodide and pyodide.expanduser()  # a shell leaves --pyodide=~/… as it is
    number, size = sites.build_site(folder, pyodide, as_they_are=working_copy)
    print(f"{folder} is a site of {number} files, {size / 1e6:.0f} MB. Any web host can serve it, and so does:")
    print(f"  python3 {shlex.quote(str(folder / 'serve.py'))}")
    if serve:
        sites.serve(folder)


@app.command()
def course(
    folder: Annotated[Path, typer.Argument(help="An empty folder for the class.")],
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Numbers of the class's own, and hidden ones to mark with; keep it secret."),
    ] = None,
):
    """Lay out an nbgrader course for a class; docs/teaching.md goes on from there."""
    from mlcourse.classroom.teaching.course import lay_course

    assignments = lay_course(folder, seed=seed)
    print(f"{folder} has {len(assignments)} assignments: {', '.join(assignments)}. docs/teaching.md goes on from here.")


if __name__ == "__main__":
    main()
