"""What contains a learner's code: how each run ends, and that nothing it wrote until then is lost."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from mlcourse.classroom import lesson
from mlcourse.classroom.judging import contain
from mlcourse.classroom.judging.contain import _in_child, _with_timer
from mlcourse.classroom.judging.heard import PRINTED, SHOWN, Heard

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a timer contains, there is no child")
either_way = pytest.mark.parametrize("run", [pytest.param(_in_child, marks=linux), _with_timer])


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(contain, "CPU_SECONDS", 1)
    monkeypatch.setattr(contain, "WALL_SECONDS", 2)


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


@either_way
@pytest.mark.parametrize("endless", [loop, loop_that_swallows_interrupts, loop_around_a_function_that_swallows])
def test_what_computes_without_end_is_out_of_time(monkeypatch, run, endless):
    monkeypatch.setattr(contain, "CPU_SECONDS", 1)
    assert run(endless).how == "time"


@either_way
@pytest.mark.parametrize("wait", [lambda: time.sleep(60), lambda: threading.Event().wait(60)], ids=["sleep", "event"])
def test_what_waits_without_end_is_told_apart_from_what_computes(hurried, run, wait):
    assert run(wait).how == "waited"


@either_way
def test_what_computes_slowly_on_a_busy_machine_is_not_said_to_wait(hurried, run):
    def half_busy():
        while True:
            time.sleep(0.01)
            until = time.thread_time() + 0.01
            while time.thread_time() < until:
                pass

    assert run(half_busy).how == "slow"


@either_way
def test_an_ending_of_each_kind_has_words_of_its_own(hurried, run, monkeypatch, tmp_path):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    monkeypatch.setattr("mlcourse.classroom.lessons.contained", run)
    p = lesson(4)
    computing = p.check("jacobian", lambda hessian, alpha: loop())
    waiting = p.check("jacobian", lambda hessian, alpha: time.sleep(60))
    assert computing.outcome == waiting.outcome == "wrong"
    assert "Does a loop never end?" in computing.message and "TimeIsUp" not in computing.message
    assert "Does it sleep" in waiting.message and "loop" not in waiting.message


@either_way
@pytest.mark.parametrize("end", [loop, lambda: time.sleep(60), lambda: [0] * 10**12, lambda: 1])
def test_what_was_printed_before_any_ending_is_kept(hurried, run, end):
    def work():
        print("I was here")
        print("and here", file=sys.stderr, end="")
        end()

    assert run(work).printed == "I was here\nand here\n"


@linux
@pytest.mark.parametrize("end", [lambda: os._exit(0), os.abort, lambda: os.kill(os.getpid(), 9)])
def test_what_was_printed_before_a_crash_is_kept(end):
    ending = _in_child(lambda: (print("I was here"), end()))
    assert (ending.how, ending.printed) == ("died", "I was here\n")


@either_way
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


@either_way
def test_output_that_just_fits_is_whole(run):
    assert run(lambda: print("x" * (PRINTED - 1))).printed == "x" * (PRINTED - 1) + "\n"


@either_way
@pytest.mark.parametrize("threads", [1, 8])
def test_threads_of_the_code_may_print(run, threads):
    def work():
        workers = [threading.Thread(target=print, args=("hello",)) for _ in range(threads)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]

    assert run(work).printed.count("hello") == threads


@linux
def test_a_process_that_outlives_the_code_does_not_hold_up_its_ending():
    def work():
        multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)).start()
        return 7

    start = time.monotonic()
    assert _in_child(work).value == 7 and time.monotonic() - start < 2

    def crash():
        multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)).start()
        os._exit(1)

    assert _in_child(crash).how == "died" and time.monotonic() - start < 4


@linux
def test_input_in_an_answer_is_an_error_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))

    def jacobian(hessian, alpha):
        return float(input("alpha? "))

    start = time.monotonic()
    verdict = lesson(4).check("jacobian", jacobian)
    assert time.monotonic() - start < 2
    assert verdict.outcome == "wrong" and "input() cannot be used" in verdict.message
    assert 'float(input("alpha? "))' in verdict.message


@either_way
def test_the_learners_random_numbers_go_on_as_if_there_had_been_no_check(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    monkeypatch.setattr("mlcourse.classroom.lessons.contained", run)
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random(2)[1]  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    np.random.random()  # noqa: NPY002
    lesson(4).check("jacobian", lambda hessian, alpha: np.random.random(hessian.shape))  # noqa: NPY002
    assert np.random.random() == expected  # noqa: NPY002


@either_way
def test_a_check_may_be_interrupted_from_the_keyboard(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    monkeypatch.setattr("mlcourse.classroom.lessons.contained", run)
    threading.Timer(0.3, os.kill, (os.getpid(), 2)).start()
    with pytest.raises(KeyboardInterrupt):
        lesson(4).check("jacobian", lambda hessian, alpha: time.sleep(5))


def test_off_the_main_thread_a_run_has_no_timer_and_still_ends():
    endings = []
    worker = threading.Thread(target=lambda: endings.append(_with_timer(lambda: 7)))
    worker.start()
    worker.join()
    assert endings[0].value == 7


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
    pytest.importorskip(library, reason=f"{library} is not installed: it is an extra of the benchmarks")
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
            assert _in_child(lambda: 7).value == 7
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
