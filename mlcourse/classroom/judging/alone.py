"""A check runs by itself: nobody types, nobody is asked to end the kernel, and nothing is put off until later."""

import contextlib
import inspect
import sys
import threading

from mlcourse.classroom.judging.heard import notebook

# Module -> what of it waits for somebody, or for a later that a check does not have.
_WAITING = {
    "builtins": {"input": "input()"},
    "getpass": {"getpass": "getpass()"},
    "sys": {"breakpointhook": "breakpoint()"},
    "asyncio": dict.fromkeys(
        ("run", "Runner", "create_task", "ensure_future", "get_event_loop", "get_running_loop", "new_event_loop"),
        "asyncio",
    ),
}


@contextlib.contextmanager
def alone():
    """Within it, code of this thread that would wait for somebody is told so, and `exit()` of a notebook exits."""
    with contextlib.ExitStack() as stack:
        for name, waiting in _WAITING.items():
            module = sys.modules.get(name)
            for function, words in waiting.items() if module else ():
                _bind(stack, module, function, _refusing(words, getattr(module, function)))
        if (shell := notebook()) is not None:
            _bind(stack, shell, "ask_exit", sys.exit)
        yield


def _refusing(words, function):
    mine = threading.get_ident()

    def refuse(*arguments, **named):
        if threading.get_ident() != mine:  # the kernel's own
            return function(*arguments, **named)
        for each in filter(inspect.iscoroutine, arguments):
            each.close()  # or Python says, with our lines, that nobody waited for it
        raise EOFError(f"{words} cannot be used in an answer: a check runs by itself, nobody types and nothing waits")

    return refuse


def _bind(stack, owner, name, value):
    """Bind a name of a module or an object until the stack ends."""
    before = vars(owner).get(name, stack)
    if before is stack:
        stack.callback(vars(owner).pop, name, None)
    else:
        stack.callback(setattr, owner, name, before)
    setattr(owner, name, value)
