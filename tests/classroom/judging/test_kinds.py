"""The kinds of problem on small problems of their own: what is explained, what is described, what is accepted."""

import linecache

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from mlcourse import adapt
from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, Item, NumberProblem, TextProblem, mistake
from mlcourse.recipes.deviations import Deviation


class scaled_sum(FunctionProblem):
    """a * sum(x ** power) + shift, with settings that can be combined."""

    deviations = (
        Deviation("power", 1, "no square", "The entries are not squared."),
        Deviation("shift", 0, "shift left out", "The shift is left out."),
        Deviation("mean", True, "mean for sum", "This is the mean, not the sum."),
    )
    most = 3

    def draw(self, rng):
        size = int(rng.integers(3, 7))
        return {"x": rng.normal(size=size), "a": float(rng.uniform(1, 3)), "steps": int(rng.integers(1, 4))}

    @staticmethod
    def variant(x, a, steps, power=2, shift=1, mean=False):
        return a * (np.mean if mean else np.sum)(x**power) + shift * np.arange(1.0, 4.0)

    @staticmethod
    def solution(x, a, steps):
        return scaled_sum.variant(x, a, steps)

    @mistake("difference for sum", "The sum is subtracted.")
    def difference(x, a, steps):
        return -a * np.sum(x**2) + np.arange(1.0, 4.0)


def judged(answer, problem=scaled_sum, seed=0):
    return problem().judge(answer, seed)


def test_one_two_and_three_settings_are_told_by_name():
    one = judged(lambda x, a, steps: scaled_sum.variant(x, a, steps, power=1))
    two = judged(lambda x, a, steps: scaled_sum.variant(x, a, steps, power=1, mean=True))
    three = judged(lambda x, a, steps: scaled_sum.variant(x, a, steps, power=1, mean=True, shift=0))
    assert one.misconception == "no square" and one.message == "The entries are not squared."
    assert two.misconception == "no square + mean for sum" and two.message.startswith("Two things at once.")
    assert three.misconception == "no square + shift left out + mean for sum"


class stepped(FunctionProblem):
    """theta - grad(theta), with a function among the arguments."""

    def draw(self, rng):
        return {"theta": rng.normal(size=2), "grad": lambda theta: 2 * theta}

    @staticmethod
    def solution(theta, grad):
        return theta - grad(theta)


def test_arguments_in_another_order_are_told():
    def exchanged(grad, theta):
        return theta - grad(theta)

    assert "in another order, (grad, theta)" in judged(exchanged, stepped).message
    assert judged(lambda place, slope: place - slope(place), stepped).outcome == "correct"


def test_a_function_without_its_call_and_a_call_of_an_array_are_told_in_words():
    assert "`grad(theta)` is the gradient" in judged(lambda theta, grad: theta - 0.1 * grad, stepped).message
    assert "are two arguments in another order?" in judged(lambda theta, grad: theta(grad), stepped).message


class rarely_different(scaled_sum):
    """A draw on which the deviation `no square` shows is one in two."""

    cases = 2

    def draw(self, rng):
        case = super().draw(rng)
        return case | {"x": case["x"] if rng.uniform() < 0.5 else np.ones(3)}


def test_where_a_deviation_gives_the_right_answer_on_all_draws_more_are_drawn():
    for seed in range(20):
        verdict = rarely_different().judge(lambda x, a, steps: scaled_sum.variant(x, a, steps, power=1), seed)
        assert verdict.misconception == "no square"


def test_a_known_mistake_times_a_constant_is_told_with_the_constant():
    verdict = judged(lambda x, a, steps: 3 * scaled_sum.difference.answer(x, a, steps))
    assert verdict.misconception == "difference for sum + 3 times"


def test_a_constant_factor_alone_is_told():
    assert judged(lambda x, a, steps: -2 * scaled_sum.solution(x, a, steps)).misconception == "-2 times"


def test_a_constant_factor_is_told_of_a_single_number_too():
    class largest(scaled_sum):
        deviations = ()

        @staticmethod
        def solution(x, a, steps):
            return a * np.max(x)

    turned = judged(lambda x, a, steps: -a * np.max(x), largest)
    assert turned.misconception == "sign" and "−1 times the right answer" in turned.message
    assert judged(lambda x, a, steps: 2 * a * np.max(x), largest).misconception == "2 times"


def test_a_mistake_that_is_a_factor_is_told_by_its_name_and_not_as_a_factor():
    class doubled(scaled_sum):
        deviations = (Deviation("two", 1, "factor 2 left out", "The 2 is missing."),)

        @staticmethod
        def variant(x, a, steps, two=2):
            return two * a * np.max(x)

        @staticmethod
        def solution(x, a, steps):
            return 2 * a * np.max(x)

    assert judged(lambda x, a, steps: a * np.max(x), doubled).misconception == "factor 2 left out"
    assert judged(lambda x, a, steps: 3 * a * np.max(x), doubled).misconception == "1.5 times"


def test_a_rounded_answer_is_near_and_never_a_not_a():
    verdict = judged(lambda x, a, steps: np.round(scaled_sum.solution(x, a, steps), 4))
    assert verdict.outcome == "wrong" and "it is near" in verdict.message and "should be" not in verdict.message
    slightly = judged(lambda x, a, steps: (1 + 3e-6) * scaled_sum.solution(x, a, steps))
    assert slightly.misconception is None and "it is near" in slightly.message


def test_an_answer_that_is_right_for_some_draws_is_told_for_which():
    def only_one_step(x, a, steps):
        return scaled_sum.solution(x, a, steps) + (steps > 1) * np.sin(x[:1])

    assert "right for steps = 1, and wrong for" in judged(only_one_step).message


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda right, x: 0 * right, "zero everywhere"),
        (lambda right, x: right[::-1], "another order"),
        (lambda right, x: right + x[0], "Every entry is off by"),
        (lambda right, x: np.append(right[:2], x[0]), "Only number 3 of 3 is wrong"),
        (lambda right, x: right * np.nan, "NaN or infinity"),
        (lambda right, x: right[:2], "shape (2,); expected shape (3,)"),
        (lambda right, x: right + 5j, "complex numbers"),
        (lambda right, x: object(), "object"),
        (lambda right, x: ..., "still to be written"),
        (lambda right, x: right.astype(str), "should give numbers, and gave ndarray"),
        (lambda right, x: [str(each) for each in right], "gave str: '"),
        (lambda right, x: [*right[:2], None], "gave None among them"),
        (lambda right, x: {"answer": right}, "a mapping with answer; expected shape (3,)"),
        (lambda right, x: np.append(right[:2], 100 * right[2]), "wrong, 100 times what it should be"),
        (lambda right, x: [(x[:2], x[:1]), (x, x)], "It gives 2 results: 2 results: shape (2,) and a number"),
        (lambda right, x: [{"x": x[:2]}, x], "list"),
    ],
)
def test_what_nobody_has_named_is_described(spoil, words):
    verdict = judged(lambda x, a, steps: spoil(scaled_sum.solution(x, a, steps), x))
    assert verdict.outcome == "wrong" and words in verdict.message
    assert " at 0x" not in verdict.message and len(verdict.message) < 500


def test_of_several_results_the_wrong_one_is_told():
    class mean_and_largest(FunctionProblem):
        def draw(self, rng):
            return {"x": rng.normal(size=(3, 4))}

        @staticmethod
        def solution(x):
            return x.mean(axis=1), x.max(axis=1)

    for pack in (tuple, list, np.array):
        verdict = judged(lambda x, pack=pack: pack([x.mean(axis=1), x.min(axis=1)]), mean_and_largest)
        assert "only result 2 of 2 is wrong: it is [" in verdict.message


def test_a_long_line_of_the_answer_is_not_repeated_whole():
    made, source = {}, f"def one_line(x, a, steps): return x @ x[:2] + {' + '.join(['steps'] * 60)}\n"
    linecache.cache["a cell"] = (len(source), None, [source], "a cell")
    exec(compile(source, "a cell", "exec"), made)
    verdict = judged(made["one_line"])
    assert " …`" in verdict.message and len(verdict.message) < 400


def test_an_error_is_never_taken_for_an_answer_that_was_not_attempted():
    def inside_autograd(x, a, steps):
        return grad(lambda t: anp.median(t))(x)

    def helper():
        raise NotImplementedError

    def of_a_helper(x, a, steps):
        return helper()

    def stub(x, a, steps):
        """What to do."""

    def raises(x, a, steps):
        raise NotImplementedError

    assert judged(inside_autograd).outcome == "wrong" and "NotImplementedError" in judged(inside_autograd).message
    assert judged(of_a_helper).outcome == "wrong"
    assert judged(raises).outcome == judged(stub).outcome == "not attempted"


def test_input_is_refused_in_words():
    assert "input() cannot be used" in judged(lambda x, a, steps: input("go on?")).message


class adapted(FunctionProblem):
    forbidden = ((adapt, "`mlcourse.adapt`"), (anp, "autograd"))

    def draw(self, rng):
        return {"theta": rng.normal(size=3)}

    @staticmethod
    def solution(theta):
        return 2 * theta


def test_a_right_answer_that_breaks_a_rule_of_the_statement_is_told_so():
    verdict = judged(lambda theta: grad(lambda t: anp.sum(t**2))(theta), adapted)
    assert verdict.outcome == "wrong" and "autograd" in verdict.message
    assert judged(lambda theta: theta + theta, adapted).outcome == "correct"


class behaviour(FunctionProblem):
    def draw(self, rng):
        return {"n": int(rng.integers(3, 9))}

    def observe(self, answer, case):
        made = answer(case["n"])
        return {"count": len(made), "sorted": list(made) == sorted(made), "first": made[0]}

    @staticmethod
    def solution(n):
        return list(range(n))

    @mistake("backwards", "It runs backwards.")
    def backwards(n):
        return [0, *range(n - 1, 0, -1)]

    @mistake("one too many", "It has one too many.")
    def one_more(n):
        return list(range(n + 1))

    @mistake("from one", "It begins at one.")
    def from_one(n):
        return list(range(1, n + 1))


def test_mistakes_in_a_behaviour_combine():
    verdict = judged(lambda n: [1, *range(n, 0, -1)], behaviour)
    assert verdict.misconception == "backwards + one too many + from one"
    assert "Count: it is" in judged(lambda n: list(range(n - 1)), behaviour).message


def test_a_described_result_of_another_shape_is_told_by_its_shape():
    class result(FunctionProblem):
        def draw(self, rng):
            return {"x": rng.normal(size=3)}

        @staticmethod
        def solution(x):
            return x

        def observe(self, answer, case):
            return {"result": answer(**case)}

    assert judged(lambda x: x[:, None], result).message == "Result: it gives shape (3, 1); expected shape (3,)."


class area(NumberProblem):
    def draw(self, rng):
        return {"width": float(rng.uniform(1, 9)), "height": float(rng.uniform(1, 9))}

    def statement(self, given):
        return f"{given.width} × {given.height}"

    @staticmethod
    def solution(width, height):
        return width * height

    @mistake("perimeter", "That is the perimeter.")
    def perimeter(width, height):
        return 2 * (width + height)


def test_a_number_is_right_to_the_digits_that_the_statement_asks_for():
    given = area().given(0)
    right = area.solution(**given)
    assert "3 significant digits are enough" in area().show(0)
    assert judged(float(f"{right:.3g}"), area).outcome == "correct"
    assert judged(float(f"{right:.2g}"), area).outcome == "wrong"
    assert judged(area.solution, area).outcome == "correct"
    assert judged(area.perimeter.answer, area).misconception == "perimeter"
    assert "sign" in judged(-right, area).message and "10 times" in judged(10 * right, area).message
    assert "near" in judged(1.03 * right, area).message
    assert "quotation marks" in judged(str(right), area).message and judged(b"1", area).outcome == "wrong"
    assert judged(-area.perimeter.answer(**given), area).misconception == "perimeter + sign"


class parity(ChoiceProblem):
    labels = ("even", "odd")
    hints = ("Divide by two.", "Look at the last digit.")
    traps = {"ends in zero": "A number that ends in 0 was called odd."}  # noqa: RUF012

    def statement(self, given):
        return "Even or odd?"

    def items(self, rng):
        numbers = [10 * int(rng.integers(1, 9)), *(int(n) for n in rng.integers(1, 99, 5) * 2 + 1)]
        return [
            Item(str(n), "odd" if n % 2 else "even", {} if n % 2 else {"ends in zero": "odd"}, "halve it")
            for n in numbers
        ]


def test_a_classification_says_what_to_look_at_in_the_item_that_was_missed():
    right = parity().solution(0)
    one_wrong = [*right[:-1], "even"]
    assert (
        "Look again at item 6" in judged(one_wrong, parity).message and "halve it" in judged(one_wrong, parity).message
    )
    assert judged(["odd"] * 6, parity).misconception == "ends in zero"
    assert judged(["even"] * 6, parity).misconception == "everything called even"
    assert "5 of 6 items are not yet answered" in judged([right[0], *[None] * 5], parity).message


def test_labels_are_read_however_they_are_typed_and_in_the_order_of_their_numbers():
    class route(parity):
        labels, traps = ("left-hand side", "right"), {}

        def items(self, rng):
            return [Item(str(i), self.labels[i % 2]) for i in range(4)]

    dashes = ["Left–Hand Side", " RIGHT ", "left_hand\u00a0side", "'right'."]
    numbered = dict(reversed(list(enumerate(dashes, start=1))))
    assert judged(dashes, route).outcome == judged(numbered, route).outcome == "correct"
    assert judged(["lefthand side", *dashes[1:]], route).outcome == "wrong"


class sign(ChoiceProblem):
    labels = ("minus", "zero", "plus")
    hints = ("Where on the line?", "Left, at or right of 0?")
    traps = {"minus is zero": "A negative number was called zero.", "plus is zero": "A positive one was called zero."}  # noqa: RUF012

    def statement(self, given):
        return "Which sign?"

    def items(self, rng):
        numbers = rng.permutation([-3, -2, 0, 0, 4, 5])
        return [
            Item(str(n), self.labels[int(np.sign(n)) + 1], {f"{self.labels[int(np.sign(n)) + 1]} is zero": "zero"})
            for n in numbers
        ]


def test_all_items_under_one_label_are_called_that_unless_one_mistake_says_it_all():
    assert judged(["zero"] * 6, sign).misconception == "everything called zero"
    one_mistake = ["zero" if label == "minus" else label for label in sign().solution(0)]
    assert judged(one_mistake, sign).misconception == "minus is zero"


class in_words(TextProblem):
    model = "A model answer in so many words."
    rubric = ("one point",)

    def statement(self, given):
        return "Why?"


def test_free_text_is_never_called_correct():
    verdict = judged("I have no idea at all", in_words)
    assert verdict.outcome == "not marked" and "Correct" not in str(verdict) and "model answer" in verdict.message
    assert verdict.require() is verdict
