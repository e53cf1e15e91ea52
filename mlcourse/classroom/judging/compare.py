"""Two answers side by side: the same numbers in whatever form they come."""

import copy
import inspect
from collections.abc import Mapping

import numpy as np


class NotNumbers(TypeError):
    """An answer that holds something other than numbers; its text names what came."""


def plain(value):
    """value with lists, scalars, 0-d arrays and autograd boxes as float arrays; tuples and mappings keep their form.

    A tuple stays a tuple when it holds arrays (several results), and becomes one array when it holds numbers.
    A string, a boolean or None stays what it is, alone; among numbers a string or None is no number, whatever it says.
    Raises NotNumbers for anything else.
    """
    while hasattr(value, "_value") and hasattr(value, "_node"):
        value = value._value
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and any(np.ndim(_peek(item)) or isinstance(item, (tuple, Mapping)) for item in value):
        return tuple(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        value = [plain(item) for item in value]
        for item in value:
            if item is None or isinstance(item, str):
                raise NotNumbers(f"{_named(item)} among them")
    try:
        if np.iscomplexobj(value) or _text(value):
            raise TypeError
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        if isinstance(value, list) and all(isinstance(item, (np.ndarray, tuple)) for item in value):
            return tuple(value)  # several results of several shapes
        raise NotNumbers(_named(value)) from None
    return array


def _text(value):
    """Whether something holds text, or None for a number: NumPy would make numbers of both."""
    if isinstance(value, bytes):
        return True
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return kind in ("U", "S") or (kind == "O" and any(isinstance(item, str | None) for item in value.flat))


def _named(value):
    """A value that is no number: its type, and what it is where that has no address in it."""
    if value is None:
        return "None"
    if value is Ellipsis:
        return "`...`: something is still to be written there"
    if isinstance(value, (complex, np.ndarray, np.generic)) and np.iscomplexobj(value):
        return "complex numbers"
    if inspect.iscoroutine(value):
        value.close()  # or Python says, with our lines, that nobody waited for it
        return "a coroutine: write `def`, not `async def`"
    text = repr(value)
    return type(value).__name__ if " at 0x" in text else f"{type(value).__name__}: {text:.60}"


def _peek(item):
    """An array where the item is one, else a scalar: ragged lists count as arrays."""
    if isinstance(item, list):
        return np.zeros(1)
    while hasattr(item, "_value") and hasattr(item, "_node"):
        item = item._value
    return item if isinstance(item, np.ndarray) else 0


def _several(a, b):
    """a as a tuple where b is one: several results of one shape may come as a list."""
    listed = isinstance(b, tuple) and isinstance(a, np.ndarray) and a.ndim and len(a) == len(b)
    return tuple(np.asarray(item) for item in a) if listed else a


def same(a, b, tolerance):
    """Whether two plain values agree: numbers to a relative tolerance, shapes exactly but for axes of length one
    around a single number, everything else by equality."""
    a, b = _several(a, b), _several(b, a)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.size == b.size == 1:
            a, b = a.reshape(()), b.reshape(())
        if a.shape != b.shape:
            return False
        with np.errstate(invalid="ignore"):
            scale = np.max(np.abs(b[np.isfinite(b)]), initial=1e-9)  # beside an infinite one, all numbers would agree
            near = (np.abs(a - b) <= tolerance * scale) | (a == b)
            return bool(np.all(near) or np.array_equal(a, b, equal_nan=True))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key], tolerance) for key in a)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(one, other, tolerance) for one, other in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


def factor(a, b, tolerance):
    """The number r with a = r b, both of numbers in one form: 1 where they agree, None where there is none."""
    if same(a, b, tolerance):
        return 1.0
    a, b = _several(a, b), _several(b, a)
    if isinstance(a, tuple) and isinstance(b, tuple) and same_form(a, b):
        a, b = (np.concatenate([np.ravel(item) for item in each]) if each else np.zeros(0) for each in (a, b))
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)) or a.shape != b.shape:
        return None
    length = np.sum(b * b)
    if not length or not np.any(a) or not np.isfinite(length) or not np.all(np.isfinite(a)):
        return None
    r = float(np.sum(a * b) / length)
    return r if same(a, np.asarray(r * b), tolerance) else None


def readable(item):
    """Whether an argument says something to a reader: a number or a few of them."""
    if isinstance(item, (bool, int, float, np.number)):
        return True
    return isinstance(item, np.ndarray) and item.size <= 6


def form(value):
    """The shapes in a plain value, in words: `(3, 2)`, `a number`, `2 results: (3,) and a number`."""
    if isinstance(value, np.ndarray):
        return f"shape {value.shape}" if value.size != 1 else "a number"
    if isinstance(value, Mapping):
        return "a mapping with " + ", ".join(map(str, value))
    if isinstance(value, tuple):
        return f"{len(value)} results: " + " and ".join(form(item) for item in value)
    return "None" if value is None else f"{type(value).__name__} {value!r:.40}"


def same_form(a, b):
    """Whether two plain values have the same structure and shapes."""
    a, b = _several(a, b), _several(b, a)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same_form(one, other) for one, other in zip(a, b, strict=True))
    return form(a) == form(b)


def all_finite(value):
    """Whether every number in a plain value is finite."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        return all(all_finite(item) for item in value)
    return not isinstance(value, np.ndarray) or bool(np.all(np.isfinite(value)))


def brief(value):
    """A plain value in a few characters."""
    if isinstance(value, np.ndarray):
        if value.size == 1:
            return f"{value.item():.6g}"
        if value.size <= 6:
            return np.array2string(value, precision=4, separator=", ").replace("\n", "")
        return f"array of shape {value.shape}, first numbers " + ", ".join(f"{x:.4g}" for x in value.ravel()[:3])
    if isinstance(value, tuple):
        return "(" + "; ".join(brief(item) for item in value) + ")"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, float, np.number)):
        return f"{value:.6g}"
    if callable(value):
        return "a function"
    text = repr(value)
    return text if len(text) <= 60 and " at 0x" not in text else type(value).__name__


def fresh(value):
    """A copy of an argument: arrays, containers and random generators anew; functions and objectives are shared."""
    if isinstance(value, (np.ndarray, np.random.Generator)):
        return copy.deepcopy(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(fresh, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(fresh, value))
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    return value


def changed(before, after):
    """Whether an argument was changed in place: arrays anywhere inside, by their values."""
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, Mapping):
        return before.keys() != after.keys() or any(changed(before[key], after[key]) for key in before)
    if isinstance(before, (list, tuple)):
        return len(before) != len(after) or any(changed(x, y) for x, y in zip(before, after, strict=True))
    return False
