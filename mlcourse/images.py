"""Few-shot classification: whose letters are these? Classes are characters of a font, tasks are N of them.

The glyphs come from DejaVu Sans, which ships inside matplotlib, so nothing is downloaded. It is opened when the
first episode is drawn; importing this module is free.
"""

from dataclasses import dataclass
from functools import cache
from unicodedata import category, name

import numpy as np

from mlcourse.checks import at_least, interval, not_negative, task_shape
from mlcourse.tasks import Data, Episode

# Whole scripts are held out: a learner who is tested on Hebrew has never seen a Hebrew letter.
SCRIPTS = {
    "train": ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "CANADIAN"),
    "validation": ("GEORGIAN", "LAO", "COPTIC"),
    "test": ("ARMENIAN", "HEBREW", "TIFINAGH", "LISU", "NKO", "OLD", "OGHAM"),
}
SIZE = 20  # pixels along each side of an image
_FINE = 4  # the font draws this many times larger, so that the average of its pixels is smooth


@cache
def _drawn():
    """Every usable glyph once: split -> (characters, bitmaps (C, SIZE, SIZE) with ink 1 and paper 0)."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    font.set_size(3 * SIZE * _FINE / 4, 72)
    letters = [chr(code) for code in sorted(font.get_charmap()) if category(chr(code)).startswith("L")]
    seen, drawn = set(), {}
    for split, scripts in SCRIPTS.items():
        characters, bitmaps = [], []
        for letter in letters:
            if name(letter, "?").split()[0] in scripts:
                bitmap = _bitmap(font, letter)
                # Latin A, Greek Alpha and Cyrillic A are one picture, hence one class, in one split.
                if bitmap is not None and bitmap.tobytes() not in seen:
                    seen.add(bitmap.tobytes())
                    characters.append(letter)
                    bitmaps.append(bitmap)
        drawn[split] = "".join(characters), np.stack(bitmaps)
    return drawn


def _bitmap(font, letter):
    """The letter in the middle of a SIZE x SIZE image, or None for one that is blank or too wide for it."""
    font.set_text(letter)
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(font.get_image())
    side = SIZE * _FINE
    if not ink.any() or max(ink.shape) > side:
        return None
    canvas = np.zeros((side, side))
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink / 255
    return canvas.reshape(SIZE, _FINE, SIZE, _FINE).mean(axis=(1, 3))


def _rendered(bitmaps, which, turn, scale, shift):
    """bitmaps[which], each turned (anticlockwise) and scaled about its middle, then shifted (down and right).

    which, turn (radians), scale (M,), shift (M, 2) (pixels) -> (M, SIZE * SIZE), by bilinear interpolation.
    """
    middle, side = (SIZE - 1) / 2, SIZE + 2
    framed = np.pad(bitmaps, ((0, 0), (1, 1), (1, 1))).ravel()
    down, right = np.divmod(np.arange(SIZE * SIZE), SIZE)
    down, right = down - middle - shift[:, :1], right - middle - shift[:, 1:]
    cos, sin = np.cos(turn)[:, None] / scale[:, None], np.sin(turn)[:, None] / scale[:, None]
    # Where each pixel of the new image lies in the old one; outside, it lands in the frame of paper.
    row = np.clip(cos * down + sin * right + middle + 1, 0, side - 1.001)
    column = np.clip(cos * right - sin * down + middle + 1, 0, side - 1.001)
    i, j = row.astype(int), column.astype(int)
    row, column = row - i, column - j
    corner = which[:, None] * side**2 + i * side + j
    upper = framed[corner] * (1 - column) + framed[corner + 1] * column
    lower = framed[corner + side] * (1 - column) + framed[corner + side + 1] * column
    return upper * (1 - row) + lower * row


def choose_classes(rng, shape, count, ways):
    """`ways` different ones of `count` classes for each task, in an order of its own: indices (*shape, ways)."""
    keys = rng.random((*shape, count))
    return rng.permuted(np.argpartition(keys, ways - 1)[..., :ways], axis=-1)


def labelled(images, shots, classes):
    """The Episode of images (*shape, N, K + Q, d), class n of a task labelled n, the first K of each for support."""
    *shape, ways, total, _ = images.shape
    labels = np.broadcast_to(np.arange(ways)[:, None], (*shape, ways, total))

    def rows(part):
        x, y = images[..., part, :], labels[..., part]
        return Data(x.reshape(*shape, -1, x.shape[-1]), y.reshape(*shape, -1))

    return Episode(rows(slice(shots)), rows(slice(shots, None)), {"classes": classes})


@dataclass(frozen=True)
class Glyphs:
    """N-way K-shot classification of characters; whole scripts are held out (after Lake et al. 2015, Omniglot).

    ways      N, classes in a task
    split     "train", "validation" or "test": no character and no script is in two of them
    rotation  each rendering is turned by up to this many degrees either way,
    scale     scaled by a factor from this range,
    shift     and moved by up to this fraction of the image's side, down or up and left or right
    Hidden: classes (T, N), indices into `characters`; classes[t, n] is what label n means in task t.
    """

    ways: int = 5
    split: str = "train"
    rotation: float = 15.0
    scale: tuple = (0.8, 1.2)
    shift: float = 0.07

    def __post_init__(self):
        if self.split not in SCRIPTS:
            raise ValueError(f"split must be one of {', '.join(SCRIPTS)}, got {self.split!r}")
        at_least("ways", self.ways, 2)
        not_negative("rotation", self.rotation), not_negative("shift", self.shift)
        if interval("scale", self.scale)[0] <= 0:
            raise ValueError(f"scale must be a range of factors greater than 0, got {self.scale!r}")

    @property
    def characters(self):
        """The classes of this split: a string with one character a class."""
        return _drawn()[self.split][0]

    def sample(self, rng, tasks, shots, queries):
        """-> Episode with x (T, N K, 400) pixels 0 … 1 and y (T, N K) labels 0 … N - 1; the query set has N Q rows.

        shots, queries  K and Q, renderings a class; every rendering is drawn afresh, so none is in both sets
        Raises ValueError when the split has fewer than N classes. A task numbers its classes in its own order.
        """
        shape, total = task_shape(tasks), at_least("shots", shots, 1) + at_least("queries", queries, 1)
        characters, bitmaps = _drawn()[self.split]
        if self.ways > len(characters):
            raise ValueError(
                f"ways must be at most the {len(characters)} classes of split {self.split!r}, got {self.ways}"
            )
        classes = choose_classes(rng, shape, len(characters), self.ways)
        return labelled(self._render(rng, bitmaps, np.repeat(classes[..., None], total, axis=-1)), shots, classes)

    def _render(self, rng, bitmaps, classes):
        """A fresh rendering of each class in an array of indices (...) -> (..., SIZE * SIZE)."""
        which = classes.ravel()
        turn = np.radians(rng.uniform(-self.rotation, self.rotation, which.size))
        scale = rng.uniform(*self.scale, which.size)
        shift = SIZE * rng.uniform(-self.shift, self.shift, (which.size, 2))
        images = np.empty((which.size, SIZE * SIZE))
        for start in range(0, which.size, 500):  # in pieces that fit the processor's cache
            part = slice(start, start + 500)
            images[part] = _rendered(bitmaps, which[part], turn[part], scale[part], shift[part])
        return images.reshape(*classes.shape, SIZE * SIZE)
