"""What a Study says, on one page: conclusion, picture, table, the mistakes ruled out, and how to make it again."""

import hashlib
import platform
import shlex
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mlcourse import confidence_interval
from mlcourse.classroom.figures import capstone as figures
from mlcourse.classroom.report.experiment import ALONE, CHECK, LONGEST, MAML

FAR = 10  # spreads from the mean, from which on a number in the training tasks is pointed at


def paired(errors, others):
    """Mean difference of two learners' errors on the same tasks, and half the width of its 95 % interval."""
    return confidence_interval(errors - others)


def mistakes(done):
    """(mistake, whether it is ruled out, what was measured) for each of the four common mistakes."""
    support, query, _ = done.draw
    ours, theirs = (np.concatenate(data, axis=-1) for data in (support, query))
    shared = np.all(ours[:, :, None] == theirs[:, None], axis=-1).any(axis=1)
    maml_error, training = done.errors[MAML], done.training
    squared = np.mean((done.learners[MAML](support, support.x) - support.y) ** 2, axis=(-2, -1))
    memorised = float(done.parts[2].scale.y_std[0] * np.mean(np.sqrt(squared)))
    alone = min(ALONE, key=done.validation.get)
    many = min(done.validation.keys() - ALONE.keys(), key=done.validation.get)
    gain, half = paired(done.errors[many], done.errors[alone])
    best, worst = min(done.settings, key=done.settings.get), max(done.settings.values())
    gap = maml_error.mean() - training.mean()
    gap_half = np.hypot(*(confidence_interval(errors)[1] for errors in (maml_error, training)))
    before = {name for part in done.parts[:2] for name in part.names}.intersection(done.parts[2].names)
    helped = bool(gain + half < 0)
    twice = " Rows alike in x and y are duplicates, which have to go, or rounded numbers." if shared.any() else ""
    return [
        (
            "The same data for support and query",
            not shared.any(),
            f"{shared.sum()} of {shared.size} query rows also stand in their task's support set. After adapting, "
            f"MAML's error is {_number(memorised)} on the rows it adapted on, and {_number(maml_error.mean())} on "
            f"others, as in the table.{twice}",
        ),
        (
            "Tasks with nothing in common",
            helped,
            f"“{many}” learns from other tasks, “{alone}” does not. The first minus the second, on the same test "
            f"tasks: {_difference(gain, half)}. {'All' if helped else 'Not all'} of it lies below 0, "
            f"which {'says' if helped else 'would say'} that other tasks have helped.",
        ),
        (
            "α and m as minor details",
            True,
            f"{len(done.settings)} pairs were tried in short trainings, and validation tasks chose α = {best[0]:g}, "
            f"m = {best[1]}: an error of {_number(done.settings[best])} there, "
            f"{_large(worst, done.settings[best])} with the worst pair.",
        ),
        (
            "Reporting training tasks",
            not before,
            f"{len(before)} of the {len(maml_error)} test tasks are among those that trained or chose. On its "
            f"{len(training)} training tasks MAML's error is {_number(training.mean())}; the gap is "
            f"{_difference(gap, gap_half)}.",
        ),
    ]


def _large(error, least):
    if not np.isfinite(error):
        return "no number (it diverged)"
    return _number(error) if error < 100 * least else "more than 100 times as much"


def conclusion(done):
    """What the errors say, in sentences."""
    first = done.chosen
    said = [
        f"The validation tasks choose **{first}**. On the {len(done.errors[first])} test tasks its error is "
        f"{_plus_minus(done.errors[first])} ({done.unit})."
    ]
    other = MAML if first != MAML else min(done.validation.keys() - {MAML}, key=done.validation.get)
    difference, half = paired(done.errors[other], done.errors[first])
    better, worse = difference + half < 0, difference - half > 0
    verdict = "is better" if better else "is worse" if worse else "is neither better nor worse, as far as they tell"
    said.append(f"“{other}” minus it, task by task, is {_difference(difference, half)}: on these tasks it {verdict}.")
    if better:
        said.append("So the two groups of tasks disagree. Test tasks must not choose: more tasks would tell.")
    elif first in ALONE or first.startswith("one line"):
        said.append("Meta-learning is not what this table needs: the simple learner is enough.")
    elif first.startswith("mixed"):
        said.append("The model that is told the shape of a task is enough here; MAML had to find the shape.")
    errors = done.errors[first]
    if len(errors) > 3 and errors.max() > errors.sum() / 2:
        name = done.parts[2].names[errors.argmax()]
        said.append(f"More than half of its error is one task's, “{name}”: look for an outlier in its rows first.")
    training = done.parts[0]
    far = np.array([max(np.abs(data.x).max(), np.abs(data.y).max()) for data in training.data])
    if far.max() > FAR:
        name = training.names[far.argmax()]
        said.append(
            f"In training, a number of “{name}” lies {far.max():.0f} spreads off: if it is an error, correct it first."
        )
    if len(errors) < 10:
        said.append("With fewer than 10 test tasks the intervals are rough guides, and too narrow.")
    return " ".join(said)


def _difference(mean, half):
    """With as many digits as its interval needs: rounding must not hide on which side of 0 it ends."""
    written = figures.number_format(half)
    return f"{mean:+{written}} ± {half:{written}}"


def _number(error):
    return f"{error:{figures.number_format(error)}}"


def _plus_minus(errors):
    (mean, half), written = confidence_interval(errors), figures.number_format(errors)
    return f"{mean:{written}} ± {half:{written}}"


def markdown(done, figure, command):
    """The page. figure: file name of the picture; command: what makes the page again."""
    table, (training, validation, test) = done.table, done.parts
    rows = "\n".join(
        f"| {name} | {_number(done.validation[name])} | {_plus_minus(errors)} |"
        for name, errors in sorted(done.errors.items(), key=lambda row: row[1].mean())
    )
    lines = "\n".join(
        f"- **{mistake}**: {'ruled out' if fine else 'NOT ruled out'}. {measured}"
        for mistake, fine, measured in mistakes(done)
    )
    sentences = [f"{table!r}."]
    if table.left_out:
        sentences.append(f"{len(table.left_out)} tasks with fewer than {table.least_rows} rows are left out.")
    if table.skipped:
        sentences.append(f"{table.skipped} rows with a missing value are left out.")
    sentences += [
        f"By chance (seed {done.seed}), {len(training.names)} tasks trained, {len(validation.names)} chose, and "
        f"{len(test.names)} were asked once, at the end. Rows are standardised by mean and spread of training tasks.",
        "MAML's gradient is exact, its network has two hidden layers of 20 tanh units;",
        "α = {0.alpha:g}, m = {0.steps}. Of the starts after each {1} iterations, {2} at most, validation tasks kept "
        "that of iteration {0.iteration}.".format(done.learners[MAML], CHECK, LONGEST),
        "The prior of the mixed model is estimated by maximum likelihood, its degree chosen on the validation tasks.",
    ]
    digest = hashlib.sha256(Path(table.csv).read_bytes()).hexdigest()[:12]
    return f"""# {table.y} from {", ".join(table.x)}, by {table.task}

{conclusion(done)}

![Errors on the test tasks, and three of these tasks]({figure})

Root mean squared error on a task, in {done.unit}, given {done.shots} of its rows and asked for {done.queries} others,
averaged over 20 choices of the rows. Mean over tasks ± 95 % interval: one task is one draw, however many rows it has.

| learner | {len(validation.names)} validation tasks | {len(test.names)} test tasks |
|---|---|---|
{rows}

## Which of the four common mistakes were ruled out

{lines}

## How it was done

{" ".join(sentences)}

    {command}

mlcourse {version("mlcourse")}, numpy {np.__version__}, Python {platform.python_version()}.
SHA-256 of the CSV: {digest}…
"""


def write(done, folder=".", *, command="", force=False):
    """Write the page and its picture into `folder`; gives the page's path. An older page is only replaced by force.

    Without it, the new page gets a dated name.
    """
    folder, stem = Path(folder), f"{Path(done.table.csv).stem}_report"
    folder.mkdir(parents=True, exist_ok=True)
    if not force and any((folder / f"{stem}{ending}").exists() for ending in (".md", ".png")):
        stem = f"{stem}_{datetime.now():%Y-%m-%d_%H%M%S}"
    picture = folder / f"{stem}.png"
    picture.write_bytes(figures.learners_and_tasks(done).png())
    page = folder / f"{stem}.md"
    page.write_text(markdown(done, picture.name, command), encoding="utf-8")
    return page


def command_of(csv, options):
    """The command line that makes a report again. options: name -> value, None or False where it was not given."""
    words = ["mlcourse", "report", str(csv)]
    for name, value in options.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if each is not None and each is not False:
                words += [f"--{name.replace('_', '-')}", *([] if each is True else [str(each)])]
    return shlex.join(words)
