"""Formulas in theta as typed by a reader: read by a whitelist, differentiated in symbols, evaluated, written as LaTeX.

A formula is a nested tuple: a float, "theta", or (operation, operand, ...).
"""

import ast
import operator
import re
from types import MappingProxyType

import autograd.numpy as np
import numpy

from mlcourse.classroom.worked.derivation import SUPERSCRIPTS, number
from mlcourse.classroom.worked.given import short

OPERATORS = MappingProxyType({ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"})
NAMES = MappingProxyType({"theta": "theta", "θ": "theta", "pi": float(numpy.pi)})
FUNCTIONS = MappingProxyType(
    {
        # name: (function, its derivative as a formula of u, LaTeX)
        "sin": (np.sin, lambda u: ("cos", u), r"\sin({})"),
        "cos": (np.cos, lambda u: times(-1.0, ("sin", u)), r"\cos({})"),
        "tan": (np.tan, lambda u: over(1.0, power(("cos", u), 2.0)), r"\tan({})"),
        "tanh": (np.tanh, lambda u: plus(1.0, times(-1.0, power(("tanh", u), 2.0))), r"\tanh({})"),
        "exp": (np.exp, lambda u: ("exp", u), r"\exp({})"),
        "log": (np.log, lambda u: over(1.0, u), r"\log({})"),
        "sqrt": (np.sqrt, lambda u: over(1.0, times(2.0, ("sqrt", u))), r"\sqrt{{{}}}"),
        "abs": (np.abs, lambda u: ("sign", u), r"|{}|"),
        "sign": (np.sign, lambda u: 0.0, r"\text{{sign}}({})"),
    }
)


DIGITS = MappingProxyType({superscript: digit for digit, superscript in SUPERSCRIPTS.items()})
PRINTED = str.maketrans({"·": "*", "−": "-"})


def parse(name, text):
    """The formula that `text` writes, read by a whitelist and never run. Raises ValueError, `name` first."""
    try:
        if len(text) > 500:
            raise ValueError(f"{len(text)} characters are too many, at most 500")
        return _from_ast(ast.parse(_as_typed(text.strip()), mode="eval").body)
    except SyntaxError:
        reason = "it is not a complete expression"
    except (RecursionError, MemoryError):
        reason = "it is nested too deeply"
    except (OverflowError, ZeroDivisionError):
        reason = "one of its constants is not a finite number"
    except ValueError as error:
        reason = str(error)
    raise ValueError(
        f"{name} must be a formula in theta, made of numbers, + - * / ** ( ) pi and {', '.join(FUNCTIONS)}, such as "
        f'"(theta - 2)**2 + sin(theta)", got {short(text)}: {reason}'
    )


def _as_typed(text):
    """The text with what the course prints, such as 3 (θ - 2)², in signs that can be typed: 3 * (θ - 2)**(2)."""
    text = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**({found[0].translate(DIGITS)})", text.translate(PRINTED))
    return re.sub(r"([\dθ)]|theta|pi) +(?=[a-zθ(])", r"\1 * ", text)


def _from_ast(node):
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return _constant(float(node.value))
        case ast.Name(id=name) if name in NAMES:
            return NAMES[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return times(-1.0, _from_ast(operand))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _from_ast(operand)
        case ast.BinOp(left=left, op=ast.BitXor(), right=right):
            raise ValueError("powers are written **, not ^")
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return _combine(OPERATORS[type(sign)], _from_ast(left), _from_ast(right))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return (name, _from_ast(argument))
        case ast.Name(id=name):
            hint = f": {name} is a function, as in {name}(theta)" if name in FUNCTIONS else ""
            raise ValueError(f"it has no meaning for `{name}`{hint}")
    raise ValueError(f"it has no meaning for `{ast.unparse(node)}`")


def _combine(sign, left, right):
    if sign == "+":
        return plus(left, right)
    if sign == "-":
        return plus(left, times(-1.0, right))
    if sign == "*":
        return times(left, right)
    return over(left, right) if sign == "/" else power(left, right)


def _constant(value):
    """A finite real float, or an OverflowError: 9**9**9 and (-1)**0.5 are none."""
    if isinstance(value, complex) or not numpy.isfinite(value):
        raise OverflowError
    return float(value)


def plus(a, b):
    """a + b, with constants put together."""
    if a == 0.0 or b == 0.0:
        return b if a == 0.0 else a
    if isinstance(a, float) and isinstance(b, float):
        return _constant(a + b)
    return times(2.0, a) if a == b else ("+", a, b)


def times(a, b):
    """a b, with constants put together in front."""
    (m, a), (n, b) = _coefficient(a), _coefficient(b)
    (base, i), (other, j) = _base(a), _base(b)
    if base == other and i > 0 and j > 0:
        return _scaled(_constant(m * n), power(base, i + j))
    return _scaled(_constant(m * n), b if a == 1.0 else a if b == 1.0 else ("*", a, b))


def over(a, b):
    """a / b, with the sign in front and constants divided where that leaves a whole number."""
    (m, a), (n, b) = _coefficient(a), _coefficient(b)
    ratio = _constant(m / n)
    if ratio == 0 or (b == 1.0 and (a == 1.0 or ratio.is_integer())):
        return _scaled(ratio, a)
    (base, i), (other, j) = _base(a), _base(b)
    if base == other and j > i > 0:
        a, b = 1.0, power(base, j - i)
    above, below = (abs(ratio), 1.0) if ratio.is_integer() else (abs(m), abs(n))
    return _scaled(-1.0 if ratio < 0 else 1.0, ("/", _scaled(above, a), _scaled(below, b)))


def _coefficient(formula):
    """(number, rest) with formula = number times rest."""
    if isinstance(formula, float):
        return formula, 1.0
    if formula[0] == "*" and isinstance(formula[1], float):
        return formula[1], formula[2]
    return 1.0, formula


def _base(formula):
    """(base, exponent) with formula = base^exponent."""
    return formula[1:] if isinstance(formula, tuple) and formula[0] == "**" else (formula, 1.0)


def _scaled(number, rest):
    """number times rest, for a rest with no number in front."""
    if number == 0 or rest == 1.0:
        return number
    return rest if number == 1.0 else ("*", number, rest)


def power(a, b):
    """a^b; a power with theta in the exponent becomes exp(b log a)."""
    if b == 0.0:
        return 1.0
    if b == 1.0:
        return a
    if isinstance(a, float) and isinstance(b, float):
        return _constant(a**b)
    if not isinstance(b, float):
        return ("exp", times(b, ("log", a)))
    m, rest = _coefficient(a)
    base, i = _base(rest)
    if b.is_integer() and i.is_integer():  # (m base^i)^b = m^b base^(i b) holds for whole numbers only
        return _scaled(_constant(m**b), base if i * b == 1.0 else ("**", base, i * b))
    return ("**", a, b)


def derivative(formula):
    """The formula's derivative in theta, by the rules of calculus."""
    if isinstance(formula, float):
        return 0.0
    if formula == "theta":
        return 1.0
    match formula:
        case ("+", a, b):
            return plus(derivative(a), derivative(b))
        case ("*", a, b):
            return plus(times(derivative(a), b), times(a, derivative(b)))
        case ("/", a, float(b)):
            return over(derivative(a), b)
        case ("/", a, b):
            return over(plus(times(derivative(a), b), times(-1.0, times(a, derivative(b)))), power(b, 2.0))
        case ("**", a, n):
            return times(times(n, power(a, n - 1)), derivative(a))
    name, u = formula
    return times(FUNCTIONS[name][1](u), derivative(u))


def evaluate(formula, theta):
    """The formula's value at theta; autograd can differentiate it."""
    if isinstance(formula, float):
        return formula
    if formula == "theta":
        return theta
    name, *operands = formula
    values = [evaluate(operand, theta) for operand in operands]
    function = {"+": operator.add, "*": operator.mul, "/": operator.truediv, "**": operator.pow}.get(name)
    return function(*values) if function else FUNCTIONS[name][0](*values)


SUM, QUOTIENT, PRODUCT, POWER, ATOM = range(5)


def latex(formula, binding=SUM):
    """The formula in LaTeX, in parentheses where it binds less tightly than `binding`."""
    words, strength = _latex(formula)
    return words if strength >= binding else f"({words})"


def _latex(formula):
    if isinstance(formula, float):
        return number(formula), SUM if formula < 0 else ATOM
    if formula == "theta":
        return r"\theta", ATOM
    match formula:
        case ("+", a, b):
            second = latex(b)
            return f"{latex(a)} - {second[1:]}" if second.startswith("-") else f"{latex(a)} + {second}", SUM
        case ("*", -1.0, b):
            return f"-{latex(b, QUOTIENT)}", SUM
        case ("*", a, b):
            first, second = number(a) if isinstance(a, float) else latex(a, PRODUCT), latex(b, PRODUCT)
            # juxtaposed as on paper, but 2 3 would read as one number
            space = r" \cdot " if second[0].isdigit() else r" \, "
            return first + space + second, SUM if first.startswith("-") else PRODUCT
        case ("/", a, b):
            return f"{latex(a, PRODUCT)} / {latex(b, POWER)}", QUOTIENT
        case ("**", a, n):
            return f"{latex(a, ATOM)}^{{{number(n)}}}", POWER
    name, u = formula
    return FUNCTIONS[name][2].format(latex(u)), ATOM
