"""The judge of one submission, outside of the process that runs it: here alone are the answers and the marks."""

import socket
import threading
from contextlib import contextmanager
from zlib import crc32

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, NumberProblem
from mlcourse.classroom.judging.distant import Distant, Gone, Line, decode, packed
from mlcourse.classroom.judging.limits import WALL_SECONDS
from mlcourse.classroom.judging.problem import judged, not_checked
from mlcourse.classroom.judging.verdict import not_attempted, wrong
from mlcourse.classroom.learner.notebook import OPEN
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.stand_ins import FIELDS, KINDS


def shown_seed(seed):
    """The seed that a class's notebooks show, None where the class has no seed of its own."""
    return None if seed is None else crc32(f"numbers {seed}".encode()) % 1_000_000


def hidden_seed(seed):
    """The seed that draws what functions are tried on: no notebook shows it."""
    return crc32(f"functions {seed}".encode())


class Judge:
    """Verdicts on what a kernel sends: judge.verdicts, oldest first. With a class's seed, only its numbers count."""

    def __init__(self, seed=None):
        self.seed, self.verdicts, self.apart = seed, [], None
        self._lessons, self._given_away, self._one_at_a_time = {}, set(), threading.RLock()
        _problems_travel()

    @contextmanager
    def listening(self, address):
        """Within it, kernels are answered at this address of a Unix socket."""
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(address)
            server.listen()
            ended = threading.Event()
            thread = threading.Thread(target=self._serve, args=(server, ended), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                with socket.socket(socket.AF_UNIX) as last:
                    last.connect(address)
                thread.join()
                with self._one_at_a_time:
                    pass

    def _serve(self, server, ended):
        while True:
            connection, _ = server.accept()
            connection.settimeout(WALL_SECONDS + 5)
            if ended.is_set():
                connection.close()
                return
            threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection):
        with connection, Line(connection) as line:
            try:
                self._answer(line, line.hear())
            except (Gone, KeyError, TypeError, ValueError, IndexError, AttributeError):
                pass  # whoever speaks so gets no answer

    def _answer(self, line, said):
        if "check" in said:
            with self._one_at_a_time:
                self._check(line, said)
        elif "lesson" in said:
            if said["lesson"] not in lessons():
                line.tell(refused=f"number must be a lesson with exercises, one of {lessons()}, got {said['lesson']!r}")
            else:
                line.tell(problems=[_described(each) for each in self._problems(said["lesson"]).values()])
        elif "show" in said:
            line.tell(text=self._problem(said["show"]).show(int(said["seed"])))
        elif "given" in said:
            line.tell(packed=packed(self._problem(said["given"]).given(int(said["seed"]))))
        elif "use" in said:
            with self._one_at_a_time:
                problem = self._problem(said["use"])
                if problem.place == "lesson":
                    self._given_away.add(problem.name)
                    line.tell(packed=packed(type(problem).solution))
        elif "apart" in said:  # said before any cell runs, and once
            self.apart = bool(said["apart"]) if self.apart is None else self.apart
            line.tell()

    def _problems(self, number):
        if number not in self._lessons:
            self._lessons[number] = of_lesson(number)
        return self._lessons[number]

    def _problem(self, said):
        return self._problems(said[0])[said[1]]

    def _check(self, line, said):
        number, name = said["check"]
        problem, seed = self._problem(said["check"]), int(said["seed"])
        try:
            verdict = self._verdict(line, problem, said, seed)
        except Gone:
            return  # what became of the answer, its own process says
        if verdict.outcome != "correct" and said["stub"]:
            verdict = not_attempted(OPEN)
        self.verdicts.append(verdict._replace(problem=(number, name, seed)))
        line.tell(verdict=[verdict.outcome, verdict.misconception, verdict.message])

    def _verdict(self, line, problem, said, seed):
        if problem.name in self._given_away:
            return wrong(f'`p.use("{problem.name}", …)` has handed out the course\'s own answer before this check.')
        shown = shown_seed(self.seed)
        if isinstance(problem, NumberProblem | ChoiceProblem) and shown is not None and seed != shown:
            return wrong(f"These are the numbers of seed {seed}; in this class it is `lesson(…, seed={shown})`.")
        if said["function"]:
            answer = Distant(line, said["parameters"], bool(said["untouched"]))
        else:
            answer = decode(said["value"])
        if isinstance(problem, FunctionProblem) and self.seed is not None:
            seed = hidden_seed(self.seed)
        try:
            return judged(problem, answer, seed)
        except MemoryError as error:
            return not_checked(error)


def _described(problem):
    kind = next((words for words, base in KINDS.items() if isinstance(problem, base)), "other")
    return {key: getattr(problem, key) for key in ("name", *FIELDS)} | {"kind": kind}


def _problems_travel():
    """What the problems hand to an answer goes along by value: over there nobody can import it."""
    import cloudpickle

    import mlcourse.classroom.problems as problems

    cloudpickle.register_pickle_by_value(problems)  # and so its modules
