"""An answer that runs in another process, which nobody need trust: the verdict is found here, beside the right answer.

The judge sends the arguments of each call and gets back what the answer made of them. It sends pickles, which a
student's process may read as it likes; what comes back is JSON, which can do nothing here. So whatever the other
process does to its own copy of the course, only the right values count as right.

`Distant` stands in for the answer in the judge; `answer_calls` is what runs beside the answer.
"""

import base64
import builtins
import contextlib
import inspect
import json
import pickle
from fractions import Fraction

import numpy as np

import mlcourse
from mlcourse.classroom.judging.compare import NotNumbers, changed, fresh, plain
from mlcourse.classroom.judging.functions import failure_of
from mlcourse.classroom.judging.limits import Stopped
from mlcourse.classroom.judging.memory import peak_of
from mlcourse.classroom.judging.problem import kind
from mlcourse.classroom.judging.rules import calls_into

PROBLEMS = "mlcourse.classroom.problems"
MOST = 64 << 20  # bytes of one message


class Gone(Stopped):
    """The other process is no more, or says what nobody can read: no check takes it for something of the answer's."""


class Line:
    """Messages to and from another process, one JSON object a line over a socket."""

    def __init__(self, socket):
        self._socket, self._file = socket, socket.makefile("rwb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self._file, self._socket):
            with contextlib.suppress(OSError):
                each.close()

    def tell(self, **message):
        try:
            self._file.write(json.dumps(message).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise Gone from error

    def hear(self):
        try:
            line = self._file.readline(MOST)
            if line.endswith(b"\n") and isinstance(message := json.loads(line), dict):
                return message
        except (OSError, ValueError, RecursionError) as error:
            raise Gone from error
        raise Gone


def packed(value):
    """A value as text, for a process that trusts this one; what is defined in the problems goes along by value."""
    import cloudpickle

    return base64.b64encode(cloudpickle.dumps(value)).decode()


def unpacked(text):
    """What `packed` packed. Only for what a trusted process says."""
    return pickle.loads(base64.b64decode(text))


def encode(value):
    """A value as JSON has it: numbers, arrays, text and containers of them; of all else, what it is in words."""
    while hasattr(value, "_value") and hasattr(value, "_node"):  # autograd's boxes
        value = value._value
    if value is None or type(value) in (bool, str, int, float):
        return {"is": value}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "biufcU":
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": data, "type": value.dtype.str, "shape": np.shape(value), "one": isinstance(value, np.generic)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"record": type(value).__name__, "of": [encode(item) for item in value]}
    if isinstance(value, list | tuple):
        return {type(value).__name__ if type(value) in (list, tuple) else "tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    try:
        return encode(plain(value))
    except (NotNumbers, RecursionError):
        return {"other": type(value).__name__, "shown": kind(value)}


def decode(said):
    """The value that `encode` said. Raises Gone for anything else."""
    try:
        return _decoded(said)
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError, AttributeError) as error:
        raise Gone from error


def _decoded(said):
    if "is" in said:
        if not isinstance(said["is"], bool | str | int | float | None):
            raise TypeError
        return said["is"]
    if "complex" in said:
        return complex(*said["complex"])
    if "array" in said:
        kind = np.dtype(str(said["type"]))
        if kind.kind not in "biufcU":
            raise TypeError
        array = np.frombuffer(base64.b64decode(said["array"]), kind).reshape(said["shape"]).copy()
        return array[()] if said["one"] else array
    if "record" in said:
        record, items = getattr(mlcourse, str(said["record"]), None), map(_decoded, said["of"])
        is_record = isinstance(record, type) and issubclass(record, tuple) and hasattr(record, "_fields")
        return record(*items) if is_record else tuple(items)
    if "list" in said:
        return list(map(_decoded, said["list"]))
    if "tuple" in said:
        return tuple(map(_decoded, said["tuple"]))
    if "dict" in said:
        return {_decoded(key): _decoded(item) for key, item in said["dict"]}
    return _thing(said["other"], said["shown"])


def _thing(name, shown):
    """In place of something that is no number: it looks the same in words."""
    if name == "ellipsis":
        return ...
    words = str(shown)[:200].removeprefix(f"{name} `").removesuffix("`")
    return type(str(name)[:60], (), {"__repr__": lambda self: words})()


def state(before, after):
    """What a call has done to an argument, as JSON: None where nothing that counts outside."""
    if isinstance(after, np.random.Generator):
        return {"drawn": json.loads(json.dumps(after.bit_generator.state, default=_listed))}
    if isinstance(after, np.ndarray):
        return encode(after) if changed(before, after) else None
    if isinstance(after, list) and len(before) != len(after):
        return encode(after)
    if isinstance(after, dict) and before.keys() == after.keys():
        return {"each": [state(before[key], after[key]) for key in before]}
    if isinstance(after, list | tuple) and len(before) == len(after):
        return {"each": [state(one, other) for one, other in zip(before, after, strict=True)]}
    return None


def _listed(item):
    return item.tolist()


def bring_to(argument, said):
    """Do to an argument here what `state` says was done to its copy there."""
    if said is None:
        return
    if isinstance(argument, np.random.Generator):
        argument.bit_generator.state = said["drawn"]
    elif "each" in said:
        items = argument.values() if isinstance(argument, dict) else argument
        for item, its_own in zip(items, said["each"], strict=True):
            bring_to(item, its_own)
    elif isinstance(argument, np.ndarray):
        argument[...] = decode(said)
    elif isinstance(argument, list):
        argument[:] = decode(said)


class AnswerError(Exception):
    """What the answer raised there; `elsewhere` has what to say of it."""


class Distant:
    """A function of the student's, called where the student's code runs, as FunctionProblem calls any answer."""

    def __init__(self, line, parameters, untouched):
        self._line, self._forbidden, self._broken = line, (), ""
        self.untouched = untouched
        if parameters is not None:
            kinds = inspect._ParameterKind
            self.__signature__ = inspect.Signature(
                [
                    inspect.Parameter(name, kinds(how), default=None if optional else inspect.Parameter.empty)
                    for name, how, optional in parameters
                ]
            )

    def __call__(self, *arguments, **named):
        return self._ask(arguments, named)[0]

    def peak_of(self, *arguments):
        """(its value, the most bytes that it held), as the other process says."""
        value, said = self._ask(arguments, {}, measure=True)
        return value, float(said["peak"])

    def watched(self, forbidden, run):
        """What `run()` calls of the forbidden functions, as the other process says."""
        self._forbidden, self._broken = forbidden, ""
        try:
            run()
        finally:
            self._forbidden = ()
        return self._broken

    def _ask(self, arguments, named, measure=False):
        handed = tuple(Asking(place, item) if _asks(item) else item for place, item in enumerate(arguments))
        self._line.tell(call=packed((handed, named, self._forbidden, measure)))
        raised = None
        while "ask" in (said := self._line.hear()):
            try:
                value = arguments[said["ask"]](*decode(said["with"]))
            except Exception as error:
                raised = error
                self._line.tell(raised=[type(error).__name__, str(error)])
            else:
                self._line.tell(value=packed(value))
        try:
            for argument, done in zip(arguments, said["after"], strict=True):
                bring_to(argument, done)
            failure, self._broken = said["failure"], self._broken or str(said["broken"])[:200]
            value = decode(said["value"])
        except Exception as error:
            raise Gone from error
        if failure is not None:
            error = raised if raised is not None and said["relayed"] else AnswerError()
            error.elsewhere = str(failure)[:2000]
            raise error
        return value, said


def _asks(item):
    """Whether an argument is a function of the problem's, and none of the method's."""
    return callable(item) and (inspect.isfunction(item) or type(item).__module__.startswith(PROBLEMS))


class RelayedError(Exception):
    """What a function that the answer was given raised in the judge's process."""


class Asking:
    """A function that the answer is given: called with numbers it asks the judge, who may count the calls.

    What else comes, such as autograd's boxes, a copy of the function takes here.
    """

    line = None

    def __init__(self, place, function):
        self.place, self.function = place, function

    def __call__(self, *arguments, **named):
        if named or not all(map(_numbers, arguments)):
            return self.function(*arguments, **named)
        Asking.line.tell(ask=self.place, **{"with": encode(list(arguments))})
        said = Asking.line.hear()
        if "raised" not in said:
            return unpacked(said["value"])
        name, text = said["raised"]
        known = getattr(builtins, name, None)
        if isinstance(known, type) and issubclass(known, Exception):
            raise known(text)
        raise type(name, (RelayedError,), {})(text)

    def __getattr__(self, name):
        if name.startswith("__"):  # as pickle asks before there is a function
            raise AttributeError(name)
        return getattr(self.function, name)


def _numbers(item):
    if isinstance(item, list | tuple):
        return not hasattr(item, "_fields") and all(map(_numbers, item))
    return type(item) in (bool, int, float, Fraction) or (
        isinstance(item, np.generic | np.ndarray) and item.dtype.kind in "biuf"
    )


def parameters_of(answer):
    """The parameters of a function as JSON has them, None where they are unknown."""
    try:
        parameters = inspect.signature(answer).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[each.name, int(each.kind), each.default is not inspect.Parameter.empty] for each in parameters]


def answer_calls(line, answer):
    """Call the answer as the judge asks until there is a verdict; gives it as its fields."""
    Asking.line = line
    while "verdict" not in (said := line.hear()):
        arguments, named, forbidden, measure = unpacked(said["call"])
        line.tell(**_called(answer, arguments, named, forbidden, measure))
    return said["verdict"]


def _called(answer, arguments, named, forbidden, measure):
    before, value, peak, broken, failure, relayed = fresh(arguments), None, 0, "", None, False

    def call():
        nonlocal value
        value = answer(*arguments, **named)

    try:
        with np.errstate(all="ignore"):
            if measure:
                value, peak = peak_of(answer, *arguments)
            elif forbidden:
                broken = calls_into(forbidden, call)
            else:
                call()
    except Stopped:
        raise
    except BaseException as error:
        failure, relayed = failure_of(error, answer), isinstance(error, RelayedError)
    after = [state(one, other) for one, other in zip(before, arguments, strict=True)]
    return {
        "value": encode(value),
        "after": after,
        "peak": peak,
        "broken": broken,
        "failure": failure,
        "relayed": relayed,
    }
