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
            lost = []
            try:
                for index, result in _here(calls, left) if executor is None else _there(calls, left, executor, lost):
                    results[index] = result
                    bar.update()
                    if each is not None:
                        each(index, result)
            except BrokenExecutor as error:
                lost.append(error)
            if lost:
                breakdowns = 1 if len(results) > before else breakdowns + 1
                broken = isinstance(lost[-1], BrokenExecutor)
                another = _another(executor) if broken else executor
                if another is None or breakdowns == BREAKDOWNS:
                    lost[-1].add_note(f"{len(calls) - len(results)} of {len(calls)} jobs were not done")
                    raise lost[-1]
                if broken:
                    executor = stack.enter_context(another)
    return [results[index] for index in range(len(calls))]


def _here(calls, left):
    for index in left:
        yield index, _named(calls[index])


def _there(calls, left, executor, lost):
    """(index, result) of each call as it is done; to `lost` goes an error that is none of a call's: it has no note.

    Dask's executor has such errors where a worker dies between finishing a job and handing its result over.
    """
    futures = {executor.submit(_named, calls[index]): index for index in left}
    try:
        for future in as_completed(futures):
            try:
                result = future.result()
            except BrokenExecutor:
                raise
            except Exception as error:
                if any(note.startswith(JOB) for note in getattr(error, "__notes__", ())):
                    raise
                lost.append(error)
            else:
                yield futures[future], result
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


def _another(executor):
    """A pool of processes like one that is broken, which it is as a whole when one of its processes is killed.

    None where the executor is something else.
    """
    from concurrent.futures import ProcessPoolExecutor  # not there at all where Python runs in a browser

    if not isinstance(executor, ProcessPoolExecutor):
        return None
    return ProcessPoolExecutor(executor._max_workers, executor._mp_context, executor._initializer, executor._initargs)
