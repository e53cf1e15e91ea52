"""How a wrong answer differs from the right one, in words: what to say where no known mistake explains it."""

from itertools import combinations

import numpy as np

from mlcourse.classroom.judging.compare import brief, factor, form, readable, same, same_form

COUNTS = {2: "Two", 3: "Three", 4: "Four"}
LONGEST = 420  # characters of a message


def cut(text):
    """The text, shortened where it is longer than a message should be."""
    return text if len(text) <= LONGEST else text[: LONGEST - 2].rsplit(" ", 1)[0] + " …"


def how(case, value, expected, tolerance):
    """One or two sentences on a value that is wrong in a way nobody has named."""
    if isinstance(value, dict) and isinstance(expected, dict):
        key = next(iter(differences(value, expected, tolerance)))
        if key not in value or key not in expected:
            there = "an" if key in value else "no"
            return f"There is {there} entry {key!r}. It gives {form(value)}; expected {form(expected)}."
        said = f"{_fact(value[key])}; expected {_fact(expected[key])}."
        if _flat(value[key]) is not None:
            said = _between(value[key], expected[key], tolerance)
        return f"{key[0].upper()}{key[1:]}: {said}"
    shown = [f"{name} = {brief(item)}" for name, item in case.items() if readable(item)]
    given = f"For {', '.join(shown)}" if shown and len(", ".join(shown)) < 160 else "On the first draw"
    return f"{given}: {_between(value, expected, tolerance)}"


def _fact(value):
    """What a description says of one thing: words as they are, and the form of what is no word."""
    if isinstance(value, str):
        return value
    return brief(value) if isinstance(value, (bool, int, float)) else form(value)


def _between(value, expected, tolerance):
    """What lies between two values: a factor, a rounding, an order, a part; and the numbers where they can be read."""
    if not same_form(value, expected):
        return f"it gives {form(value)}; expected {form(expected)}."
    if isinstance(expected, tuple):
        pairs = list(zip(value, expected, strict=True))
        off = [i for i, pair in enumerate(pairs) if not same(*pair, tolerance)]
        if len(off) == 1 < len(pairs):
            number = off[0]
            return f"only result {number + 1} of {len(pairs)} is wrong: {_between(*pairs[number], tolerance)}"
    hint = _hint(value, expected)
    if isinstance(value, np.ndarray) and _near(value, expected):
        return _lower(hint)
    if brief(value) == brief(expected):
        return _lower(hint) or "it is not what it should be."
    return f"it is {brief(value)}, and should be {brief(expected)}. {hint}".strip()


def _lower(sentence):
    """A sentence that goes on after a colon."""
    return sentence[:1].lower() + sentence[1:]


def _hint(value, expected):
    flat, right = _flat(value), _flat(expected)
    if flat is None or right is None or flat.shape != right.shape or not flat.size:
        return ""
    if not flat.any() and right.any():
        return "It is zero everywhere."
    if _near(flat, right):
        off = np.max(np.abs(flat - right)) / max(np.max(np.abs(right)), 1e-300)
        digit = max(1, round(-np.log10(max(off, 1e-16))))
        ordinal = {1: "first", 2: "second", 3: "third"}.get(digit, f"{digit}th")
        return (
            f"It is near: it differs by {off:.0e} of its size, in the {ordinal} digit. Is something rounded, in float32"
            " or searched for instead of solved? Or is a constant another one?"
        )
    times = factor(value, expected, 1e-5)
    if times is not None and (flat.size > 2 or f"{abs(times):.4g}" in ("0.25", "0.5", "1", "2", "4")):
        return f"It is {times:.4g} times the right answer."
    if flat.size > 1:
        shift = flat - right
        if np.allclose(shift, shift[0], rtol=1e-6, atol=1e-12) and abs(shift[0]) > 1e-9:
            return f"Every entry is off by {shift[0]:.4g}."
        if np.allclose(np.sort(flat), np.sort(right), rtol=1e-6):
            return "The numbers are right, in another order."
        wrong = np.flatnonzero(~np.isclose(flat, right, rtol=1e-6))
        if len(wrong) == 1:
            return _lone(int(wrong[0]), flat, right)
        if 0 < len(wrong) <= flat.size / 2:
            return f"{len(wrong)} of {flat.size} entries are wrong, the others right."
    if flat.size > 3:
        length = np.linalg.norm(flat) / max(np.linalg.norm(right), 1e-300)
        cosine = flat @ right / max(np.linalg.norm(flat) * np.linalg.norm(right), 1e-300)
        return f"It is {length:.3g} times as long as the right one; the cosine between the two is {cosine:.3f}."
    return ""


def _lone(number, flat, right):
    """A sentence on the one number that is wrong among several."""
    r = flat[number] / right[number] if right[number] else np.nan
    known = next((times for times in (-1, 2, 3, 4, 10, 100) if np.isclose(r, times) or np.isclose(r * times, 1)), None)
    times = f", {r:.4g} times what it should be" if known else ""
    return f"Only number {number + 1} of {flat.size} is wrong{times}; the rest is right."


def _flat(value):
    """All numbers of a plain value in one vector, None where there are none."""
    if isinstance(value, np.ndarray):
        return value.ravel()
    if isinstance(value, tuple) and all(isinstance(item, np.ndarray) for item in value):
        return np.concatenate([item.ravel() for item in value]) if value else None
    return None


def _near(value, expected):
    return np.shape(value) == np.shape(expected) and bool(
        np.max(np.abs(value - expected), initial=0.0) <= 1e-3 * np.max(np.abs(expected), initial=0.0)
    )


def differences(value, expected, tolerance):
    """The facts in which two descriptions differ: name -> what the first one says, None where it does not."""
    keys = [*expected, *(key for key in value if key not in expected)]
    return {key: value.get(key) for key in keys if not same(value.get(key), expected.get(key), tolerance)}


def cover(differing, parts, tolerance, most=3):
    """The fewest entries of `parts` whose facts together are all that differs, in every case; () where none are.

    differing  for each case what differs, as `differences` gives it
    parts      pairs (entry, the same for a known mistake)
    """
    fitting = [
        (entry, facts)
        for entry, facts in parts
        if any(facts)
        and all(
            key in found and same(found[key], value, tolerance)
            for found, known in zip(differing, facts, strict=True)
            for key, value in known.items()
        )
    ]
    for count in range(1, most + 1):
        for chosen in combinations(fitting, count):
            if all(set(found) == set().union(*(facts[i] for _, facts in chosen)) for i, found in enumerate(differing)):
                return tuple(entry for entry, _ in chosen)
    return ()


def parted(cases, right):
    """Sentences on what tells the draws on which an answer is right from the others: `steps = 1`, say."""
    if not any(right) or all(right):
        return
    for name in cases[0]:
        sizes = [_size(case[name]) for case in cases]
        if any(size is None for size in sizes):
            continue
        for part in sizes[0]:
            yes = {size[part] for size, ok in zip(sizes, right, strict=True) if ok}
            no = {size[part] for size, ok in zip(sizes, right, strict=True) if not ok}
            told = max(yes) <= 2 or min(sum(right), len(right) - sum(right)) > 1  # else chance parts them as well
            if told and not yes & no and (max(yes) < min(no) or max(no) < min(yes)):
                label = part.format(name=name)
                yield f"It is right for {label} = {_listed(yes)}, and wrong for {_listed(no)}."
                return
    yield f"It is right on {sum(right)} of {len(right)} draws."


def _size(item):
    """The whole numbers that say how large an argument is: what to call each, and the number."""
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return {"{name}": int(item)}
    if isinstance(item, np.ndarray) and item.ndim:
        return {"the length of {name}": len(item)}
    if isinstance(item, (list, tuple)) and not hasattr(item, "_fields"):
        return {"the number of {name}": len(item)}
    support = getattr(item, "support", None)
    if support is not None and np.ndim(support.x) == 3:
        return {"the number of tasks": len(support.x), "the number of shots": support.x.shape[1]}
    return None


def _listed(numbers):
    return " and ".join(map(str, sorted(numbers)))
