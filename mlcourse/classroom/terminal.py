"""The course's text on any terminal: where it cannot show θ, ′ or ✓, they are written in letters."""

import codecs
import re
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


_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbb|mathcal|operatorname)\s*(?:\{([^{}]*)\}|(\w))")
_FRACTION = re.compile(r"\\[td]?frac\s*(?:\{([^{}]*)\}|(\w))\s*(?:\{([^{}]*)\}|(\w))")
_POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_SYMBOLS = {
    "cdot": "·",
    "circ": "∘",
    "dots": "…",
    "ge": "≥",
    "geq": "≥",
    "in": "∈",
    "infty": "∞",
    "le": "≤",
    "leq": "≤",
    "nabla": "∇",
    "ne": "≠",
    "odot": "∘",
    "partial": "∂",
    "pm": "±",
    "rightarrow": "→",
    "sim": "~",
    "sqrt": "√",
    "sum": "Σ",
    "times": "×",
    "to": "→",
    "top": "ᵀ",
    "varepsilon": "ε",
    "varphi": "φ",
}


def without_tex(markdown):
    """Markdown whose formulas a terminal can show: $\\theta' = \\theta - \\alpha g$ as θ′ = θ − αg is written there."""
    return re.sub(r"\$\$(.+?)\$\$|\$(.+?)\$", lambda found: _formula(found[1] or found[2]), markdown, flags=re.DOTALL)


def _formula(tex):
    text = _WRAPPED.sub(lambda found: found[1] or found[2], tex)
    while _FRACTION.search(text):
        text = _FRACTION.sub(lambda found: "/".join(_grouped(found[i] or found[i + 1]) for i in (1, 3)), text)
    text = text.replace(r"\|", "|").replace(r"\{", "(").replace(r"\}", ")")
    text = re.sub(r"\\(?:[bB]ig+[lrm]?|left|right|quad|qquad|[,;:! ])", "", text)
    text = re.sub(r"\\hat\s*\{?(\\?\w+)\}?", r"\1^", text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda found: _SYMBOLS.get(found[1]) or _greek(found[1]), text)
    text = re.sub(r"([_^])\{([^{}]*)\}", lambda found: found[1] + _grouped(found[2]), text)
    text = re.sub(r"\^([0-9])", lambda found: _POWERS[int(found[1])], text)
    text = re.sub(r"([∇∂√]) +", r"\1", text)
    return text.replace("^*", "*").replace("{", "").replace("}", "").replace("'", "′")


def _grouped(text):
    """What stands together, in brackets where it is more than a symbol."""
    text = text.strip()
    return text if re.fullmatch(r"\\?\w+'*", text) else f"({text})"


def _greek(name):
    """A Greek letter by its name, any other name as it is."""
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")
    except KeyError:
        return name
