"""Columns of a CSV file as they are written, or what is wrong with the file: where, and what to do about it.

The file is opened to be read, and never written to.
"""

import csv
import re
from difflib import get_close_matches
from pathlib import Path

MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?", ".")


def rows_of(path, columns, *, delimiter, encoding):
    """(line, texts) of each row, its number in the file and the texts of `columns` in this order.

    Raises FileNotFoundError, or a ValueError for what is no table: empty, a workbook, another encoding or delimiter, a
    column that is not there or there twice, a row with more or fewer fields than the header. A row's line is its first.
    """
    reader = csv.reader(_text(path, encoding).splitlines(keepends=True), delimiter=delimiter)
    rows = ((line, [text.strip() for text in row]) for line, row in _read(path, reader) if any(map(str.strip, row)))
    _, header = next(rows, (0, None))
    if header is None:
        raise ValueError(f"{path} is empty: the first line must name the columns, each line below it is one example")
    places = [_place(path, header, column, delimiter) for column in columns]
    found = []
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: {len(row)} fields where the header has {len(header)}: "
                f"a text, or a number with a decimal comma, that holds {delimiter!r} goes in double quotes, which close"
            )
        found.append((line, [row[place] for place in places]))
    if not found:
        raise ValueError(f"{path} has a header and no rows: each line below the header is one example")
    return found


def _read(path, reader):
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {line}: {error}: is this a CSV file, and is each quote closed?") from None


def _text(path, encoding):
    """The file's text; a byte order mark is taken away."""
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{path} is a folder or a pipe, not a file: save the table, and give the path of the CSV file")
    if not Path(path).is_file():
        beside = get_close_matches(Path(path).name, [each.name for each in Path(path).parent.glob("*")], 3, 0.5)
        meant = f"; beside it there is {', '.join(beside)}" if beside else ""
        raise FileNotFoundError(f"there is no file {path}{meant}: give the path of a CSV file")
    raw = Path(path).read_bytes()
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        raise ValueError(
            f"{path} is a workbook or packed, not a CSV file: open it in the spreadsheet and save it as CSV UTF-8, or "
            "unpack it"
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") and not encoding.lower().startswith("utf-16"):
        raise ValueError(f"{path} is written in UTF-16: save it as CSV UTF-8, or pass encoding='utf-16'")
    try:
        return raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise ValueError(
            f"encoding must be one that Python knows, such as 'utf-8' or 'cp1252', got {encoding!r}"
        ) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: byte {raw[error.start]:#x} is no {encoding}: save the file as CSV UTF-8, or pass "
            "encoding='cp1252' (Windows) or 'latin-1'"
        ) from None


def _place(path, header, column, delimiter):
    """Where `column` stands in the header."""
    if header.count(column) > 1:
        raise ValueError(f"{path} has {header.count(column)} columns named {column!r}: give each a name of its own")
    if column in header:
        return header.index(column)
    other = [each for each in ",;\t|" if each != delimiter and len(header) == 1 and each in header[0]]
    if other:
        raise ValueError(
            f"{path} has its columns separated by {other[0]!r}, not by {delimiter!r}: pass delimiter={other[0]!r}"
        )
    folded = {name.casefold(): name for name in reversed(header)}
    near = [folded[name] for name in get_close_matches(column.casefold(), folded, 3, 0.6)]
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(f"{path} has no column {column!r}, its columns are {', '.join(map(repr, header))}.{meant}")


def number(path, line, column, text, decimal):
    """The finite number that a text writes, None for a missing one; a ValueError says where it is neither."""
    if text.casefold() in MISSING:
        return None
    try:
        value = float(text.replace(decimal, "."))
        if "_" not in text and (decimal == "." or "." not in text) and abs(value) < float("inf"):
            return value
    except ValueError:
        pass
    way = "correct it, or choose another column"
    if re.match(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(\D|$)", text):
        way = "a date has to become a number first, such as the days since the earliest"
    elif re.fullmatch(r"[+-]?\d[\d.,'’\s]*", text):
        other, called = (",", "comma") if decimal == "." else (".", "point")
        way = "what stands between thousands has to go"
        if text.rfind(other) > text.rfind(decimal):
            way = f"numbers with a decimal {called} want decimal={other!r}; {way}"
    raise ValueError(f"{path}, line {line}: {column} must be a number, got {text!r}: {way}")
