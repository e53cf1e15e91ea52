"""What contains a learner's code: how each run ends, and that nothing it wrote until then is lost."""

import asyncio
import builtins
import gc
import getpass
import itertools
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from importlib.util import find_spec

import matplotlib
import numpy as np
import pytest

from mlcourse.classroom import lesson
from mlcourse.classroom.judging import limits
from mlcourse.classroom.judging.contain import contained, in_child, way, with_alarm, with_ticks, with_watch
from mlcourse.classroom.judging.heard import PRINTED, SHOWN, Heard

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no child")
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer here")
threads = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no threads here")
counted = pytest.mark.skipif(not hasattr(time, "thread_time"), reason="what is computed is not counted here")
monitored = pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="a watch takes Python 3.12")

child = pytest.param(in_child, marks=linux, id="child")
alarm = pytest.param(with_alarm, marks=posix, id="alarm")
ticks = pytest.param(with_ticks, marks=threads, id="ticks")
watch = pytest.param(with_watch, marks=monitored, id="watch")
every_way = pytest.mark.parametrize("run", [child, alarm, ticks, watch])
in_this_process = pytest.mark.parametrize("run", [alarm, ticks, watch])
waking = pytest.mark.parametrize("run", [child, alarm])  # the others see what an event waits for once it goes on


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(limits, "CPU_SECONDS", 1)
    monkeypatch.setattr(limits, "WALL_SECONDS", 2)


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """p.check of a problem of lesson 04, contained in a given way, in a home of its own."""
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))

    def check(run, answer, name="jacobian"):
        monkeypatch.setattr("mlcourse.classroom.lessons.contained", run)
        return lesson(4).check(name, answer)

    return check


def loop():
    while True:
        pass


def loop_that_swallows_interrupts():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def swallow():
    try:
        sum(range(1_000_000))
    except BaseException:
        pass


def loop_around_a_function_that_swallows():
    while True:
        swallow()


def for_loop():
    for _ in itertools.count():
        pass


def retried_recursion():
    try:
        retried_recursion()
    except RecursionError:
        retried_recursion()


ENDLESS = [loop, for_loop, loop_that_swallows_interrupts, loop_around_a_function_that_swallows, retried_recursion]


@every_way
@pytest.mark.parametrize("endless", ENDLESS)
def test_what_computes_without_end_is_out_of_time(monkeypatch, run, endless):
    monkeypatch.setattr(limits, "CPU_SECONDS", 1)
    assert run(endless).how == "time"


@waking
def test_what_waits_without_end_is_told_apart_from_what_computes(hurried, run):
    assert run(lambda: threading.Event().wait(60)).how == "waited"


@every_way
@pytest.mark.parametrize("counts", [True, False])
def test_a_long_sleep_is_ended_and_told_apart_from_what_computes(hurried, monkeypatch, run, counts):
    if not counts:  # as in a browser's tab
        monkeypatch.setattr(limits, "_computed", None)
    sleep, start = time.sleep, time.monotonic()
    assert run(lambda: time.sleep(60)).how == "waited"
    assert time.monotonic() - start < 4 and time.sleep is sleep


@in_this_process
def test_a_sleep_that_is_watched_takes_as_long_as_it_should(run):
    start = time.monotonic()
    assert run(lambda: time.sleep(0.12)).how == "value" and 0.12 <= time.monotonic() - start < 0.5
    with pytest.raises(ValueError, match="non-negative"):
        limits.Clock().sleep(-1)


def wait():
    while True:
        time.sleep(0.05)


@counted
@every_way
def test_what_waits_again_and_again_is_told_apart_from_what_computes(hurried, run):
    assert run(wait).how == "waited"


@every_way
def test_what_takes_all_memory_runs_out_of_it(run):
    assert run(lambda: "x" * sys.maxsize).how == "memory"


@linux
def test_a_list_without_end_runs_out_of_memory_or_of_time():
    assert in_child(lambda: list(itertools.count())).how in ("memory", "time")


@counted
@every_way
def test_what_computes_slowly_on_a_busy_machine_is_not_said_to_wait(hurried, run):
    def half_busy():
        while True:
            time.sleep(0.02)
            until = time.thread_time() + 0.01
            while time.thread_time() < until:
                pass

    assert run(half_busy).how == "slow"


@counted
@every_way
def test_an_ending_of_each_kind_has_words_of_its_own(hurried, run, checked):
    computing = checked(run, lambda hessian, alpha: loop())
    waiting = checked(run, lambda hessian, alpha: wait())
    assert computing.outcome == waiting.outcome == "wrong"
    assert "Does a loop never end?" in computing.message and "Stopped" not in computing.message
    assert "Does it sleep" in waiting.message and "loop" not in waiting.message


@every_way
def test_recursion_without_end_is_an_error_with_its_line(run, checked):
    def jacobian(hessian, alpha):
        return jacobian(hessian, alpha)

    verdict = checked(run, jacobian)
    assert "RecursionError" in verdict.message and "jacobian(hessian, alpha)" in verdict.message


class Odd(BaseException):
    pass


RAISED = [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration, Odd]


@every_way
@pytest.mark.parametrize("error", RAISED)
@pytest.mark.parametrize("name", ["jacobian", "sign_flip_alpha"])
def test_whatever_an_answer_raises_becomes_a_verdict(run, error, name, checked):
    def answer(*_, **__):
        raise error

    verdict = checked(run, answer, name)
    assert verdict.outcome == "wrong"
    assert error.__name__ in verdict.message or "memory" in verdict.message or "exit()" in verdict.message


@every_way
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, Odd, ValueError])
def test_what_is_raised_past_everything_ends_the_run_and_nothing_else(run, error):
    def work():
        print("I was here")
        raise error

    assert run(work)[:2] == ("died", None) and run(work).printed == "I was here\n"


def state():
    """What code in this process could change for everybody."""
    kept = np.random.get_state()  # noqa: NPY002
    return {
        "streams": (sys.stdin, sys.stdout, sys.stderr, builtins.input),
        "names": [dict(vars(module)) for module in (builtins, math, np)],
        "place": (os.getcwd(), dict(os.environ), list(sys.path), list(sys.argv)),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "modules": {name: module for name, module in sys.modules.items() if name.startswith(("mlcourse", "numpy"))},
        "drawing": dict(matplotlib.rcParams),
        "collecting": gc.isenabled(),
        "watching": [sys.monitoring.get_tool(number) for number in range(6)] if hasattr(sys, "monitoring") else None,
        "errors": (np.geterr(), np.geterrcall()),
        "printing": np.get_printoptions(),
        "random": (kept[0], kept[1].tolist(), *kept[2:], random.getstate()),
        "tracing": (sys.gettrace(), sys.getprofile(), sys.getrecursionlimit()),
    }


def meddle():
    sys.stdout = sys.stderr = None
    builtins.input = None
    np.seterr(all="raise")
    np.seterrcall(print)
    np.set_printoptions(precision=2, suppress=True, formatter={"float": str})
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    sys.setrecursionlimit(5000)
    sys.setprofile(lambda *_: None)
    sys.stdin = builtins.print = math.sqrt = np.sum = None
    del builtins.sum
    os.chdir("/")
    os.environ.clear()
    sys.path.clear()
    sys.argv = []
    warnings.simplefilter("error")
    warnings.showwarning = None
    matplotlib.rcParams["figure.dpi"] = 20
    gc.disable()
    for name in [name for name in sys.modules if name.startswith(("mlcourse", "numpy"))]:
        del sys.modules[name]
    if hasattr(sys, "monitoring"):
        sys.monitoring.use_tool_id(5, "mine")


def meddle_for_ever():
    with np.errstate(all="raise"), np.printoptions(precision=1):
        meddle()
        loop()


@every_way
@pytest.mark.parametrize("end", [lambda: 1, loop, loop_that_swallows_interrupts, *RAISED])
def test_a_run_leaves_everybodys_settings_as_they_were(hurried, run, end):
    def work():
        meddle()
        if isinstance(end, type):
            raise end
        return end()

    before = state()
    run(work)
    assert state() == before
    if end is loop:
        run(meddle_for_ever)
        assert state() == before


@every_way
@pytest.mark.parametrize("error", [None, *RAISED])
def test_a_check_leaves_its_inputs_as_they_were(run, error, checked):
    handed = []

    def jacobian(hessian, alpha):
        handed.append(hessian)
        hessian *= 0
        if error:
            raise error
        return hessian

    before, given = state(), lesson(4).given("jacobian")
    verdict = checked(run, jacobian)
    assert verdict.outcome == "wrong" and state() == before
    assert error or verdict.misconception == "changes its inputs"
    assert np.array_equal(lesson(4).given("jacobian")["hessian"], given["hessian"])


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="a watch takes Python 3.12")
def test_a_watch_leaves_nothing_that_watches():
    tools = [sys.monitoring.get_tool(number) for number in range(6)]
    inside = with_watch(lambda: with_watch(lambda: [sys.monitoring.get_tool(n) for n in range(6)]).value).value
    assert inside.count("mlcourse") == 2
    assert [sys.monitoring.get_tool(number) for number in range(6)] == tools


@monitored
def test_who_ends_the_watch_ends_no_more_than_that():
    def work():
        for number in range(6):
            if sys.monitoring.get_tool(number) == "mlcourse":
                sys.monitoring.free_tool_id(number)
        return 7

    assert with_watch(work).value == 7


@monitored
@pytest.mark.parametrize("raised", [10**6, None])
def test_a_recursion_is_ended_while_there_is_room_in_a_small_stack(checked, raised):
    deepest = []

    class Endless:
        def __init__(self, depth):
            deepest[:] = [depth]
            Endless(depth + 1)

    def jacobian(hessian, alpha):
        sys.setrecursionlimit(raised or sys.getrecursionlimit())
        return Endless(0)

    verdict = checked(with_watch, jacobian)
    assert "RecursionError" in verdict.message and deepest[0] < 600


@in_this_process
def test_an_answer_that_raises_what_stops_it_has_a_verdict(run, checked):
    def jacobian(hessian, alpha):
        raise limits.Stopped

    assert checked(run, jacobian).outcome == "wrong"


@threads
@in_this_process
def test_a_thread_of_the_code_is_not_stopped_for_it(hurried, run):
    done = []

    def count():
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            pass
        done.append(True)

    other = threading.Thread(target=count)
    other.start()
    assert run(loop).how in ("time", "slow")  # they share the interpreter
    other.join()
    assert done


@every_way
@pytest.mark.parametrize("end", [loop, wait, lambda: "x" * sys.maxsize, lambda: 1])
def test_what_was_printed_before_any_ending_is_kept(hurried, run, end):
    def work():
        print("I was here")
        print("and here", file=sys.stderr, end="")
        end()

    assert run(work).printed == "I was here\nand here\n"


@linux
@pytest.mark.parametrize("end", [lambda: os._exit(0), os.abort, lambda: os.kill(os.getpid(), 9)])
def test_what_was_printed_before_a_crash_is_kept(end):
    ending = in_child(lambda: (print("I was here"), end()))
    assert (ending.how, ending.printed) == ("died", "I was here\n")


@every_way
@pytest.mark.parametrize(
    "write",
    [
        lambda: print("word " * 10**6),
        lambda: [print("a line") for _ in range(3000)],
        lambda: print("x" * 10**7),
    ],
    ids=["words", "lines", "one word"],
)
def test_output_that_is_cut_says_so_and_is_cut_between_words(run, write):
    start = time.monotonic()
    printed = run(write).printed
    assert printed.endswith("\n… cut here\n") and len(printed) <= PRINTED + 13
    assert set(printed.removesuffix("… cut here\n").split()) <= {"word", "a", "line", "x" * PRINTED}
    assert time.monotonic() - start < 2


@every_way
def test_output_that_just_fits_is_whole(run):
    assert run(lambda: print("x" * (PRINTED - 1))).printed == "x" * (PRINTED - 1) + "\n"


@threads
@every_way
@pytest.mark.parametrize("number", [1, 8])
def test_threads_of_the_code_may_print(run, number):
    def work():
        workers = [threading.Thread(target=print, args=("hello",)) for _ in range(number)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]

    assert run(work).printed.count("hello") == number


@linux
def test_a_process_that_outlives_the_code_does_not_hold_up_its_ending():
    import multiprocessing

    def work():
        multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)).start()
        return 7

    start = time.monotonic()
    assert in_child(work).value == 7 and time.monotonic() - start < 2

    def crash():
        multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)).start()
        os._exit(1)

    assert in_child(crash).how == "died" and time.monotonic() - start < 4


async def later():
    return 1


WAITING = {
    "input()": lambda: input("alpha? "),
    "getpass()": lambda: getpass.getpass(),
    "breakpoint()": lambda: breakpoint(),
    "asyncio": lambda: asyncio.run(later()),
    "asyncio ": lambda: asyncio.ensure_future(later()),
    "asyncio  ": lambda: asyncio.new_event_loop().run_until_complete(later()),
}


@every_way
@pytest.mark.parametrize("words", WAITING)
def test_who_would_wait_for_somebody_is_told_so_with_the_line(run, checked, words, capsys):
    def jacobian(hessian, alpha):
        return WAITING[words]()

    start = time.monotonic()
    verdict = checked(run, jacobian)
    assert time.monotonic() - start < 2
    assert verdict.outcome == "wrong" and f"{words.strip()} cannot be used" in verdict.message
    assert "— at `" in verdict.message
    assert checked(run, lambda **given: WAITING[words](), "sign_flip_alpha").outcome == "wrong"
    assert "never awaited" not in "".join(capsys.readouterr())


@every_way
def test_an_async_answer_is_told_to_be_none(run, checked, capsys):
    async def jacobian(hessian, alpha):
        return hessian

    assert "write `def`" in checked(run, jacobian).message
    assert "never awaited" not in "".join(capsys.readouterr())


@every_way
def test_exit_in_a_notebook_is_an_exit_of_the_answer(run, checked, monkeypatch):
    class Notebook:
        display_pub = None

    shell = Notebook()
    for module in ("alone", "heard"):
        monkeypatch.setattr(f"mlcourse.classroom.judging.{module}.notebook", lambda: shell)
    assert "ended the program with exit()" in checked(run, lambda hessian, alpha: shell.ask_exit()).message
    assert vars(shell).get("ask_exit") is None and shell.display_pub is None


@every_way
def test_the_learners_random_numbers_go_on_as_if_there_had_been_no_check(run, checked):
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random(2)[1]  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    np.random.random()  # noqa: NPY002
    checked(run, lambda hessian, alpha: np.random.random(hessian.shape))  # noqa: NPY002
    assert np.random.random() == expected  # noqa: NPY002


@waking
@pytest.mark.parametrize("code", [lambda: time.sleep(5), loop, loop_that_swallows_interrupts])
def test_a_check_may_be_interrupted_from_the_keyboard(run, code, checked):
    before, start = state(), time.monotonic()
    threading.Timer(0.3, os.kill, (os.getpid(), 2)).start()
    with pytest.raises(KeyboardInterrupt):
        checked(run, lambda hessian, alpha: code())
    assert time.monotonic() - start < 3 and state() == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@threads
@pytest.mark.parametrize("run", [ticks, watch])
def test_a_check_without_a_timer_may_be_interrupted_from_the_keyboard(run, checked):
    threading.Timer(0.3, os.kill, (os.getpid(), 2)).start()
    with pytest.raises(KeyboardInterrupt):
        checked(run, lambda hessian, alpha: loop_that_swallows_interrupts())


@pytest.mark.parametrize(
    "platform, libraries, main, expected",
    [
        ("linux", [], True, in_child),
        ("linux", [], False, in_child),
        ("linux", ["torch"], True, with_alarm),
        ("darwin", [], True, with_alarm),
        ("darwin", [], False, with_watch),
        ("win32", [], True, with_ticks),
        ("win32", [], False, with_watch),
        ("emscripten", [], True, with_watch),
    ],
)
def test_each_platform_has_its_way(platform, libraries, main, expected, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("mlcourse.classroom.judging.contain.threaded_libraries", lambda: libraries)
    if platform in ("win32", "emscripten"):
        monkeypatch.delattr(signal, "setitimer", raising=False)
    else:
        monkeypatch.setattr(signal, "setitimer", None, raising=False)
    if not main:
        monkeypatch.setattr(threading, "main_thread", lambda: None)
    assert way() is expected


@threads
def test_off_the_main_thread_where_nothing_can_be_forked_a_run_ends(monkeypatch):
    monkeypatch.setattr(limits, "CPU_SECONDS", 1)
    monkeypatch.setattr(sys, "platform", "darwin")
    endings = []
    works = [lambda: 7] + [loop] * hasattr(sys, "monitoring")
    worker = threading.Thread(target=lambda: endings.extend(map(contained, works)))
    worker.start()
    worker.join()
    assert endings[0].value == 7 and [ending.how for ending in endings[1:]] == ["time"] * (len(works) - 1)


JAX = """
import jax.numpy as jnp, numpy as np, jax, sys, warnings
from mlcourse.classroom import lesson
from mlcourse.classroom.judging.contain import threaded_libraries
warnings.simplefilter("error", RuntimeWarning)
assert threaded_libraries() == []
p = lesson(4)
plain = lambda hessian, alpha: jnp.eye(len(hessian)) - alpha * jnp.asarray(hessian)
compiled = jax.jit(plain)
for answer in (plain, compiled):
    answer(**p.given("jacobian"))
    print(p.check("jacobian", answer).outcome)
print(threaded_libraries())
"""
TORCH = """
import numpy as np, torch
from mlcourse.classroom import lesson
from mlcourse.classroom.judging.contain import threaded_libraries
p = lesson(4)
w = torch.randn(600, 600, requires_grad=True)
(w @ w).sum().backward()
def jacobian(hessian, alpha):
    (w @ w).relu().sum().backward()
    return torch.eye(len(hessian), dtype=torch.float64) - alpha * torch.as_tensor(hessian)
for _ in range(2):
    print(p.check("jacobian", lambda hessian, alpha: jacobian(hessian, alpha).numpy()).outcome)
print(threaded_libraries())
"""


@pytest.mark.parametrize("library, code", [("jax", JAX), ("torch", TORCH)])
def test_a_library_with_threads_may_be_used_in_an_answer_that_was_tried_before(library, code, tmp_path):
    if find_spec(library) is None:  # imported here, it would keep every later test of this process from forking
        pytest.skip(f"{library} is not installed: it is an extra of the benchmarks")
    environment = os.environ | {"MLCOURSE_HOME": str(tmp_path), "OMP_NUM_THREADS": "2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split("\n")[:3] == ["correct", "correct", f"['{library}']"], done.stderr


@linux
def test_a_fork_warns_nobody(hurried):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stop = threading.Event()
        threading.Thread(target=stop.wait).start()
        try:
            assert in_child(lambda: 7).value == 7
        finally:
            stop.set()


PICTURES = """
import matplotlib
matplotlib.use("module://matplotlib_inline.backend_inline")
import matplotlib.pyplot as plt
from IPython.display import Markdown, clear_output, display
from mlcourse.classroom import lesson
def jacobian(hessian, alpha):
    clear_output()
    print("a picture comes")
    {show}
    return hessian
lesson(4).check("jacobian", jacobian)
"""


@pytest.mark.parametrize(
    "show, mime",
    [
        ("plt.plot([1, 2]); plt.show()", "image/png"),
        ("display(Markdown('**hello**'))", "text/markdown"),
        ("display(__import__('ipywidgets').IntSlider())", "application/vnd.jupyter.widget-view+json"),
    ],
    ids=["plt.show", "display", "widget"],
)
def test_what_an_answer_displays_is_shown_in_the_notebook_and_not_in_the_terminal(show, mime, capfd, tmp_path):
    import nbformat

    from mlcourse.classroom.teaching.execute import own_progress, run

    cell = nbformat.v4.new_code_cell(PICTURES.format(show=show))
    with own_progress():
        run(nbformat.v4.new_notebook(cells=[cell]), tmp_path)
    shown = [output for output in cell.outputs if mime in output.get("data", {})]
    words = "".join(output.get("text", "") for output in cell.outputs)
    assert len(shown) == SHOWN and f"the first {SHOWN} are shown" in words and "a picture comes" in words
    assert "".join(capfd.readouterr()) == ""


def test_what_is_heard_is_kept_in_order_and_in_bounds():
    heard = Heard().and_then("text", "one ").and_then("picture", 1).and_then("text", "two")
    assert heard.printed == "one two\n" and heard.pictures == (1,)
    assert Heard().printed == ""
