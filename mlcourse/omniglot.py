"""Omniglot: 1623 characters of 50 alphabets, each drawn once by 20 people (Lake, Salakhutdinov & Tenenbaum 2015).

The images are the learner's own copy, never the course's: `Omniglot(path)` reads the published zip files or the folders
that they unpack to, and says what it found where that is not all there. A drawing is read when its alphabet is first
drawn from.
"""

from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mlcourse.checks import at_least, task_shape
from mlcourse.images import SIZE, choose_classes, labelled
from mlcourse.omniglot_files import DRAWINGS, EVALUATION, GET_IT, index, read

# Never trained on, whichever files are there, so that a theta trained on some of them may be tested on others.
HELD_OUT = {"validation": ("Tagalog",), "test": ("Balinese", "Sanskrit")}


@dataclass(frozen=True)
class Omniglot:
    """N-way K-shot classification of characters drawn by hand; whole alphabets are held out, as for `Glyphs`.

    path      a folder with the published zip files or with what they unpack to, at any depth; or one zip file
    ways      N, classes in a task
    split     "test" has the alphabets of images_evaluation, or HELD_OUT of the background where they are not there;
              "validation" the other held-out ones; "train" the rest
    turns     1, or 4: each character turned by a quarter, a half and three quarters is a class as well (Santoro et al.
              2016; most published numbers are from 4, and from a random split of characters, not of alphabets)
    size      pixels along each side; the originals have 105
    within_alphabet  a task's classes are of one alphabet, its support sets drawn by K people and its query sets by Q
              others: with ways=20 and one shot, the task of Lake et al. 2015
    Hidden: classes (T, N), indices into `characters`; classes[t, n] is what label n means in task t.
    Raises FileNotFoundError or ValueError at once for a path with other files than that, or not all of them.
    """

    path: str | Path
    ways: int = 5
    split: str = "train"
    turns: int = 1
    size: int = SIZE
    within_alphabet: bool = False

    def __post_init__(self):
        at_least("ways", self.ways, 2), at_least("size", self.size, 1)
        if self.split not in ("train", *HELD_OUT):
            raise ValueError(f"split must be one of train, validation, test, got {self.split!r}")
        if self.turns not in (1, 4):
            raise ValueError(f"turns must be 1 or 4, got {self.turns!r}")
        if not self.characters:
            wanted = ", ".join(HELD_OUT.get(self.split, ["an alphabet that is not held out"]))
            raise ValueError(
                f"split {self.split!r} must have alphabets in {str(self.path)!r} ({wanted}), "
                f"got {', '.join(sorted(self._found))}: {GET_IT}"
            )

    def __reduce__(self):
        """To another process goes the path, not what was read there."""
        return Omniglot, astuple(self)

    @cached_property
    def _found(self):
        return index(self.path)

    @cached_property
    def _pictures(self):
        return {}

    @cached_property
    def characters(self):
        """The classes of this split: (alphabet, character, quarter turns) each."""
        held_out = dict(HELD_OUT)
        if evaluation := tuple(set(EVALUATION) & set(self._found)):
            held_out = {"validation": sum(HELD_OUT.values(), ()), "test": evaluation}
        never = set(sum(held_out.values(), ()))
        alphabets = sorted(set(held_out.get(self.split, set(self._found) - never)) & set(self._found))
        return tuple((a, c, turn) for a in alphabets for turn in range(self.turns) for c in sorted(self._found[a]))

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x (T, N K, size²) pixels 0 … 1 and y (T, N K) labels 0 … N - 1; the query set has N Q rows.

        shots, queries  K and Q, different drawings of each class, at most 20 together
        Raises ValueError when the split, or each of its alphabets, has fewer than N classes, and for a broken image.
        """
        shape, total = task_shape(tasks), at_least("shots", shots, 1) + at_least("queries", queries, 1)
        if total > DRAWINGS:
            raise ValueError(f"shots + queries must be at most the {DRAWINGS} drawings of a character, got {total}")
        classes = self._classes(rng, shape)
        people = choose_classes(rng, shape if self.within_alphabet else classes.shape, DRAWINGS, total)
        people = people[..., None, :] if self.within_alphabet else people
        people = np.broadcast_to(people, (*classes.shape, total)).reshape(-1, total)
        images = np.empty((classes.size, total, self.size**2))
        for row, which, drawn_by in zip(images, classes.ravel(), people, strict=True):
            row[:] = self._drawings(*self.characters[which])[drawn_by]
        return labelled(images.reshape(*classes.shape, total, -1), shots, classes)

    def _classes(self, rng, shape):
        """The classes of each task: (*shape, N)."""
        count = len(self.characters)
        if not self.within_alphabet:
            if self.ways > count:
                raise ValueError(f"ways must be at most the {count} classes of split {self.split!r}, got {self.ways}")
            return choose_classes(rng, shape, count, self.ways)
        _, starts, sizes = np.unique([f"{a} {t}" for a, _, t in self.characters], return_index=True, return_counts=True)
        large = sizes >= self.ways
        if not large.any():
            raise ValueError(
                f"ways must be at most the {sizes.max()} characters of the largest alphabet of split {self.split!r}, "
                f"got {self.ways}"
            )
        classes = np.empty((*shape, self.ways), dtype=int)
        for task in np.ndindex(shape):
            which = rng.choice(np.flatnonzero(large))
            classes[task] = starts[which] + choose_classes(rng, (), sizes[which], self.ways)
        return classes

    def _drawings(self, alphabet, character, turn):
        """The 20 drawings of a class by their makers: (20, size²)."""
        if alphabet not in self._pictures:
            self._pictures[alphabet] = read(self._found[alphabet], self.size)
        return np.rot90(self._pictures[alphabet][character], turn, axes=(1, 2)).reshape(DRAWINGS, -1)
