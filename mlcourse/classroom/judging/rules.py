"""Rules that a statement states: what an answer may not call."""

import inspect
import sys


def calls_into(forbidden, run):
    """What `run()` calls of the forbidden functions, in words; "" where it keeps to the rules.

    forbidden  pairs (function or module, words); a module stands for every function in its files
    """
    if not forbidden:
        return ""
    codes, files = {}, {}
    for what, words in forbidden:
        if inspect.ismodule(what):
            files[what.__file__.removesuffix("__init__.py")] = words
        else:
            codes[inspect.unwrap(what).__code__] = words
    called = []

    def watch(frame, event, _):
        if event == "call":
            code = frame.f_code
            if code in codes:
                called.append(codes[code])
            else:
                called.extend(words for file, words in files.items() if code.co_filename.startswith(file))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(before)
    return called[0] if called else ""
