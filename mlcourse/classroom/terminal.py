"""The course's text on any terminal: where it cannot show θ, ′ or ✓, they are written in letters."""

import codecs
import sys
import unicodedata

_LETTERS = {
    "∇": "grad ",
    "∂": "d",
    "∘": "o",
    "·": "*",
    "×": "x",
    "−": "-",
    "–": "-",
    "—": "-",
    "±": "+/-",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~=",
    "→": "->",
    "←": "<-",
    "∈": "in",
    "√": "sqrt",
    "∞": "inf",
    "′": "'",
    "″": "''",
    "⁻": "^-",
    "°": " deg",
    "✕": "x",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "…": "...",
    "•": "*",
    "✓": "ok",
    "✗": "x",
    "✎": "*",
    "○": "o",
    "█": "#",
    "░": ".",
    "ᵀ": "^T",
    "ᵢ": "_i",
}
_READABLE = "mlcourse.readable"


def write_readably():
    """From now on what a terminal's encoding lacks is written in letters instead of ending the program."""
    codecs.register_error(_READABLE, _in_letters)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_READABLE)


def _in_letters(error):
    """What `codecs` asks of an error handler: something to write in place of what could not be encoded."""
    return "".join(map(in_letters, error.object[error.start : error.end])), error.end


def in_letters(character):
    """One character in ASCII: α as alpha, ₀ as _0, ² as ^2, é as e, and by its name where there is no other way."""
    if character in _LETTERS:
        return _LETTERS[character]
    name = unicodedata.name(character, "")
    if name.startswith("BOX DRAWINGS"):
        return "-" if name.endswith("HORIZONTAL") else "|" if name.endswith("VERTICAL") else "+"
    if name.startswith("GREEK"):
        letter = name.split("LETTER ")[-1].split(" WITH")[0].removesuffix(" SYMBOL").lower()
        return letter.capitalize() if "CAPITAL" in name else letter
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    mark = {"SUPERSCRIPT": "^", "SUBSCRIPT": "_"}.get(name.split(" ")[0], "")
    if plain or unicodedata.combining(character):
        return mark + plain
    return f"<{name.lower()}>" if name else "?"
