"""An answer becomes a verdict. Knows no problem and no progress.

problem, functions, numbers, choices, texts   the kinds of problem; what problems/ imports
compare, telling                              two answers side by side: the same? and if not, how they differ
contain, rules, memory                        run a learner's code where it can do no harm; see what it calls, and holds
child, timer, watch; here, limits, alone      the ways to contain it; what those in this process share, what all keep to
verdict                                       what comes out
"""

from mlcourse.classroom.judging.choices import ChoiceProblem, Item
from mlcourse.classroom.judging.functions import FunctionProblem
from mlcourse.classroom.judging.numbers import NumberProblem
from mlcourse.classroom.judging.problem import Problem, mistake
from mlcourse.classroom.judging.texts import TextProblem

__all__ = ["ChoiceProblem", "FunctionProblem", "Item", "NumberProblem", "Problem", "TextProblem", "mistake"]
