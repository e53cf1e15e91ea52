"""Many independent jobs, one call: here one after another, on this machine's processes, or on a cluster.

An executor is anything with `submit(function) -> Future` as in concurrent.futures: `processes(2)` gives one here,
`dask.distributed.Client(address).get_executor()` one there. Whatever is random in a job comes from a seed that it is
given, so what it returns does not depend on where or when it ran.
"""

import sys
from concurrent.futures import BrokenExecutor, as_completed
from contextlib import ExitStack, contextmanager
from functools import partial
from reprlib import repr as shortened
from typing import NamedTuple

from tqdm import tqdm

BREAKDOWNS = 3  # in a row, with no job finished between them: then it is the job that kills its process
JOB = "in the job "  # begins the note on the error of a job

if sys.platform in ("emscripten", "wasi"):
    tqdm.monitor_interval = 0  # else each bar tries to start a thread, and warns that there are none


@contextmanager
def processes(number):
    """This machine's processes as an executor; None, which is here, where Python runs in a browser and has none.

    number  how many, None for one a core
    """
    if sys.platform in ("emscripten", "wasi"):
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(number) as pool:
        yield pool


def run_all(function, jobs, executor=None, *, progress=None, label=None, each=None):
    """[function(*job) for job in jobs], in this order, wherever the jobs run and whichever is done first.

    function  importable on the workers: defined in a module, not in a notebook's cell (a cluster of Dask takes both)
    jobs      a tuple of arguments each, seeds among them
    executor  where they run; None is here, one after another
    progress  a bar with `label` on stderr: True, False, or None for where a terminal shows it
    each      called with (index, result) as soon as a job is done, whatever becomes of the others
    A process that is killed costs time, not results: its jobs run again, in new processes, until BREAKDOWNS in a row
    finish no job. So does a job of which the executor reports an error that is not the job's own. The first error of a
    job is raised, with a note that names the job; jobs not begun are dropped.
    """
    calls = [partial(function, *job) for job in jobs]
    hidden = None if progress is None else not progress
    with tqdm(total=len(calls), desc=label, disable=hidden) as bar, ExitStack() as stack:
        results, breakdowns = {}, 0
        while len(results) < len(calls):
            left, before = [index for index in range(len(calls)) if index not in results], len(results)
            lost = None
            try:
                for index, result in _here(calls, left) if executor is None else _there(calls, left, executor):
                    if isinstance(result, _Lost):
                        lost = result.error
                    else:
                        results[index] = result
                        bar.update()
                        if each is not None:
                            each(index, result)
            except BrokenExecutor as error:
                lost = error
            if lost is not None:
                breakdowns = 1 if len(results) > before else breakdowns + 1
                broken = isinstance(lost, BrokenExecutor)
                another = _another(executor) if broken else executor
                if another is None or breakdowns == BREAKDOWNS:
                    lost.add_note(f"{len(calls) - len(results)} of {len(calls)} jobs were not done")
                    raise lost
                if broken:
                    executor = stack.enter_context(another)
    return [results[index] for index in range(len(calls))]


class _Lost(NamedTuple):
    """In place of a result that the executor did not bring."""

    error: Exception


def _here(calls, left):
    for index in left:
        yield index, _named(calls[index])


def _there(calls, left, executor):
    """(index, result or _Lost) of each call as it is done."""
    futures = {executor.submit(_named, calls[index]): index for index in left}
    try:
        for future in as_completed(futures):
            yield futures[future], _brought(future)
    finally:
        for future in futures:
            future.cancel()


def _named(call):
    """call(), or its error with a note that says which call it was; the note comes back from another process, too."""
    try:
        return call()
    except Exception as error:
        error.add_note(f"{JOB}{call.func.__name__}{shortened(call.args)}")
        raise


def _brought(future):
    """The result, or _Lost for an error that is none of the call's: it has no note of its own.

    Dask's executor has such errors where a worker dies between finishing a job and handing its result over.
    """
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        if any(note.startswith(JOB) for note in getattr(error, "__notes__", ())):
            raise
        return _Lost(error)


def _another(executor):
    """A pool of processes like one that is broken, which it is as a whole when one of its processes is killed.

    None where the executor is something else.
    """
    from concurrent.futures import ProcessPoolExecutor  # not there at all where Python runs in a browser

    if not isinstance(executor, ProcessPoolExecutor):
        return None
    return ProcessPoolExecutor(executor._max_workers, executor._mp_context, executor._initializer, executor._initargs)
