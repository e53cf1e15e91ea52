"""A table of your own as a task distribution: the rows that have one value in the task column are one task."""

from copy import copy
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np

from mlcourse.checks import at_least, task_shape
from mlcourse.table_files import number, rows_of
from mlcourse.tasks import Data, Episode

LONG = 500  # rows of a task from which on it costs too much to put all in a random order for the sake of a few


class Scale(NamedTuple):
    """Where a table's numbers lie: x_mean, x_std (d,); y_mean, y_std (1,), in the units of the file."""

    x_mean: Any = 0.0
    x_std: Any = 1.0
    y_mean: Any = 0.0
    y_std: Any = 1.0

    def standard(self, data):
        """Data in the units of the file, standardised."""
        return Data((data.x - self.x_mean) / self.x_std, (data.y - self.y_mean) / self.y_std)


class FromTable:
    """A CSV file as tasks: one task a value of the column `task`, inputs x and target y in columns of numbers.

    csv           path of the file; it is read when the first episode, or anything else of it, is asked for
    task, x, y    names of columns; x one name or several
    least_rows    tasks with fewer rows are left out
    skip_missing  whether rows in which a value is missing are left out; else they are an error
    delimiter, decimal, encoding  how the file is written: "," and "." and UTF-8, with a byte order mark or without

    rows   task name -> Data of all its rows, x (n, d), y (n, 1), in the units of the file
    scale  Scale that `sample` standardises by; until `split`, none

    Raises a ValueError that names file and line for what cannot be used: see `table_files`; fewer than two tasks.
    """

    scale = Scale()

    def __init__(
        self, csv, *, task, x, y, least_rows=1, skip_missing=False, delimiter=",", decimal=".", encoding="utf-8"
    ):
        self.csv, self.task, self.y = csv, task, y
        self.x = (x,) if isinstance(x, str) else tuple(x)
        self.least_rows, self.skip_missing = at_least("least_rows", least_rows, 1), skip_missing
        self.written = {"delimiter": "\t" if delimiter == r"\t" else delimiter, "encoding": encoding}
        self.decimal = decimal
        if len(self.written["delimiter"]) != 1 or decimal not in (".", ","):
            raise ValueError(
                rf"delimiter must be one character, such as ';' or '\t' for a tab, and decimal '.' or ',', "
                f"got {delimiter!r} and {decimal!r}"
            )
        if not self.x:
            raise ValueError("x must name at least one column of inputs, got none")
        if len({task, *self.x, y}) < len(self.x) + 2:
            raise ValueError(f"task, x and y must be different columns, got {task!r}, {x!r} and {y!r}")

    def __repr__(self):
        number = [len(data.y) for data in self.rows.values()]
        rows = f"{min(number)}" if min(number) == max(number) else f"{min(number)} to {max(number)}"
        return f"{len(number)} tasks ({self.task}) with {rows} rows: {self.y} from {', '.join(self.x)}"

    @property
    def names(self):
        """The tasks, in the order in which they first appear in the file."""
        return tuple(self.rows)

    @cached_property
    def rows(self):
        """Task name -> Data, as said above."""
        tables = {name: np.array(own) for name, own in self._read[0].items() if len(own) >= self.least_rows}
        if len(tables) < 2:
            found = f"one task, {next(iter(tables))!r}," if tables else "no task"
            raise ValueError(
                f"{self.csv}: the column {self.task!r} gives {found} with {self.least_rows} rows or more, and "
                "meta-learning needs several: choose the column that says which task a row belongs to"
            )
        return {name: Data(own[:, :-1], own[:, -1:]) for name, own in tables.items()}

    @property
    def left_out(self):
        """Names of the tasks that have fewer than `least_rows` rows."""
        return tuple(name for name, own in self._read[0].items() if len(own) < self.least_rows)

    @property
    def skipped(self):
        """The number of rows with a missing value that were left out."""
        return self._read[1]

    @cached_property
    def _read(self):
        """Task name -> list of rows of numbers; how many rows were skipped."""
        columns, numbers, skipped = (self.task, *self.x, self.y), {}, 0
        for line, (name, *texts) in rows_of(self.csv, columns, **self.written):
            pairs = zip(columns[1:], texts, strict=True)
            values = [name or None, *(number(self.csv, line, *pair, self.decimal) for pair in pairs)]
            if None not in values:
                numbers.setdefault(name, []).append(values[1:])
            elif self.skip_missing:
                skipped += 1
            else:
                raise ValueError(
                    f"{self.csv}, line {line}: {columns[values.index(None)]} is missing: fill it in, "
                    "or leave such rows out with skip_missing=True"
                )
        return numbers, skipped

    def split(self, rng, validation, test):
        """Three task distributions with no task in common, training, validation and test, standardised alike.

        validation, test  how many tasks each of the two gets, at least 2; the others are for training, at least 2
        The Scale of all three comes from the training tasks alone: what is held out must not be seen through it.
        """
        at_least("validation", validation, 2), at_least("test", test, 2)
        if validation + test > len(self.names) - 2:
            raise ValueError(
                f"validation + test must leave 2 of the {len(self.names)} tasks of {self.csv} for training, "
                f"got {validation} + {test}"
            )
        order = [self.names[i] for i in rng.permutation(len(self.names))]
        return self.parts(order[validation + test :], order[test : validation + test], order[:test])

    def parts(self, training, *others):
        """A task distribution of each of these lists of names, all standardised by the Scale of the first."""
        scale = self._scale(training)
        return tuple(self._part(names, scale) for names in (training, *others))

    def _scale(self, names):
        x, y = (np.concatenate(each) for each in zip(*(self.rows[name] for name in names), strict=True))
        spread = np.append(x.std(axis=0), y.std(axis=0))
        for column, values in zip((*self.x, self.y), (*x.T, *y.T), strict=True):
            if not np.ptp(values):
                raise ValueError(f"{self.csv}: {column} has one value in all training tasks: there is nothing to learn")
        return Scale(x.mean(axis=0), spread[:-1], y.mean(axis=0), spread[-1:])

    def _part(self, names, scale):
        part = copy(self)
        part.__dict__.pop("_joined", None)
        part.rows, part.scale = {name: self.rows[name] for name in names}, scale
        return part

    @property
    def data(self):
        """Standardised Data of each task, all its rows: a list in the order of `names`."""
        return [self.scale.standard(data) for data in self.rows.values()]

    def in_units(self, y):
        """A standardised y in the units of the file."""
        return self.scale.y_mean + self.scale.y_std * y

    @cached_property
    def _joined(self):
        """x (n, d), y (n, 1) of all tasks, one after the other; where each begins and how many rows it has, (N,)."""
        x, y = (np.concatenate(parts) for parts in zip(*self.data, strict=True))
        rows = np.array([len(data.y) for data in self.rows.values()])
        return x, y, np.cumsum(rows) - rows, rows

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x (T, K, d), y (T, K, 1), standardised by `scale`; no row of a task is in both sets.

        At most as many tasks as there are are drawn without replacement. Hidden: task (T,), index into `names`.
        Raises ValueError with the names of the tasks that have fewer than K + Q rows.
        """
        shape, end = task_shape(tasks), at_least("shots", shots, 1) + at_least("queries", queries, 1)
        x, y, begins, rows = self._joined
        short = [f"{name!r} has {count}" for name, count in zip(self.names, rows, strict=True) if count < end]
        if short:
            raise ValueError(
                f"shots + queries must be at most the rows of every task of {self.csv}, got {end}: "
                f"{', '.join(short[:5])}{', …' if len(short) > 5 else ''}. "
                f"Ask for fewer, or leave such tasks out with least_rows={end}"
            )
        which = rng.choice(len(rows), prod(shape), replace=prod(shape) > len(rows)).reshape(shape)
        if rows.max() > LONG:
            drawn = [rng.choice(count, end, replace=False) for count in rows[which].ravel()]
        else:
            real = np.arange(rows.max()) < rows[which][..., None]
            drawn = np.argsort(np.where(real, rng.random(real.shape), np.inf), axis=-1)[..., :end]
        order = begins[which][..., None] + np.reshape(drawn, (*shape, end))
        cut = [Data(x[part], y[part]) for part in np.split(order, [shots], axis=-1)]
        return Episode(*cut, {"task": which})
