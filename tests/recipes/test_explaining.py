"""Deviations are told by name, alone and two at a time, up to a factor that has a meaning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import mean_squared_error
from mlcourse.recipes.deviations import AN_UPDATE_A_TASK, DEVIATIONS, Deviation
from mlcourse.recipes.explaining import choices, cosine, explain, facts, fewest, fitted, named_factor, ratio
from mlcourse.recipes.recipe import idle
from tests.recipes.test_recipe import BETA, Bench, Counting

PAIRS = [pair for pair in choices(DEVIATIONS, 2) if not idle({each.choice: each.setting for each in pair})]
SIZES = st.tuples(st.integers(0, 10**6), *(st.integers(2, 4) for _ in range(4)))  # seed, T, K, Q, m


def benches(sizes, count=2):
    seed, tasks, shots, queries, steps = sizes
    return [Bench(seed + i, tasks + i, shots + i, queries + i, steps + i) for i in range(count)]


def names(explanations):
    return [tuple(each.name for each in chosen) for chosen in explanations]


def made(deviations, kitchens):
    choice = {each.choice: each.setting for each in deviations}
    return [kitchen.gradient(**choice) for kitchen in kitchens]


def told(found, bench_list):
    return explain(found, [bench.kitchen() for bench in bench_list])


@settings(max_examples=15, deadline=None)
@given(SIZES)
def test_the_exact_gradient_needs_no_explanation(sizes):
    cases = benches(sizes)
    assert told(made((), [bench.kitchen() for bench in cases]), cases) == [()]


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: f"{each.choice}-{each.setting}")
@settings(max_examples=4, deadline=None)
@given(SIZES)
def test_each_deviation_is_told_by_its_name(deviation, sizes):
    cases = benches(sizes)
    found = made([deviation], [bench.kitchen() for bench in cases])
    assert (deviation.name,) in names(told(found, cases))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PAIRS), SIZES)
def test_two_deviations_are_told_by_their_names_or_by_one_that_does_the_same(pair, sizes):
    cases = benches(sizes)
    found = made(pair, [bench.kitchen() for bench in cases])
    if any(value is None or not np.any(value) for value in found):
        return
    explanations = told(found, cases)
    assert tuple(each.name for each in pair) in names(explanations) or len(explanations[0]) == 1, pair
    for chosen in explanations:
        again = made([each for each in chosen if each.choice != "constant"], [bench.kitchen() for bench in cases])
        assert all(ratio(one, other) for one, other in zip(found, again, strict=True))


def test_an_update_a_task_is_told_where_its_size_is_known():
    bench = Bench(0)
    found = bench.kitchen(beta=BETA).gradient(walk="an update a task")
    assert explain([found], [bench.kitchen(beta=BETA)], (*DEVIATIONS, AN_UPDATE_A_TASK)) == [(AN_UPDATE_A_TASK,)]


FACTORS = {
    "sum over tasks": lambda T, **_: T,
    "averaged over tasks twice": lambda T, **_: 1 / T,
    "sum over points": lambda Q, **_: Q,
    "averaged over points twice": lambda Q, **_: 1 / Q,
    "sign": lambda **_: -1,
    "times alpha": lambda alpha, **_: alpha,
    "over alpha": lambda alpha, **_: 1 / alpha,
    "times the number of steps": lambda m, **_: m,
    "averaged over the steps": lambda m, **_: 1 / m,
}


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_that_has_a_meaning_is_told_by_it(name):
    cases = [Bench(0, tasks=2, shots=3, queries=7, steps=5), Bench(1, tasks=4, shots=6, queries=3, steps=2)]
    kitchens = [bench.kitchen() for bench in cases]
    found = [FACTORS[name](**kitchen.sizes) * kitchen.gradient() for kitchen in kitchens]
    assert names(told(found, cases)) == [(name,)]
    found = [FACTORS[name](**kitchen.sizes) * kitchen.gradient(factors="none") for kitchen in kitchens]
    assert names(told(found, cases)) == [("first-order gradient", name)]


def test_another_factor_is_told_as_a_number():
    cases = benches((0, 2, 3, 4, 2))
    found = [-2.5 * bench.kitchen().gradient() for bench in cases]
    assert names(told(found, cases)) == [("-2.5 times",)]


def test_a_factor_that_differs_from_case_to_case_explains_nothing():
    cases = benches((0, 2, 3, 4, 2))
    found = [factor * bench.kitchen().gradient() for factor, bench in zip((2.1, 3.7), cases, strict=True)]
    assert told(found, cases) == []


def test_one_number_may_have_any_factor_so_none_is_believed():
    settings = [Deviation("choice", 1, "one", "")]
    assert fewest([np.array([3.0])], lambda i, chosen: np.array([2.0]), settings, sizes=[{"T": 3}]) == []


def test_explanations_that_coincide_are_all_said():
    bench = Bench(0, steps=1)
    found = bench.kitchen().gradient(factors="none")
    assert set(names(told([found], [bench]))) == {
        ("first-order gradient",),
        ("the first step's factor left out",),
        ("the last step's factor left out",),
    }
    assert names(told([found, Bench(1, steps=2).kitchen().gradient(factors="none")], [bench, Bench(1, steps=2)])) == [
        ("first-order gradient",)
    ]
    same = Bench(0, tasks=3, steps=3)
    found = 3 * same.kitchen().gradient()
    assert set(names(told([found], [same]))) == {("sum over tasks",), ("times the number of steps",)}


def test_two_settings_that_are_one_idea_are_one_explanation():
    bench = Bench(0)
    found = bench.kitchen().gradient(walk="stale")
    assert names(told([found], [bench])) == [("same gradient at every step",), ("one long step",)]


def test_fewer_deviations_are_preferred():
    bench = Bench(1)
    assert names(told([bench.kitchen().gradient(factors="none")], [bench])) == [("first-order gradient",)]


def test_what_is_in_no_known_way_wrong_has_no_explanation():
    bench = Bench(2)
    assert told([np.random.default_rng(0).normal(size=bench.theta.size)], [bench]) == []


def test_the_pairs_share_so_much_that_a_thousand_recipes_take_two_products_each():
    bench = Bench(3)
    counting = Counting(mean_squared_error(bench.model))
    kitchen = bench.kitchen(counting)
    explain([np.random.default_rng(0).normal(size=bench.theta.size)], [kitchen])
    assert len(PAIRS) > 1000
    assert counting.grads < 400 and counting.products < 2500


def test_the_search_knows_nothing_of_gradients():
    known = [Deviation("sign", -1, "sign", ""), Deviation("width", 2, "full width", ""), Deviation("width", 3, "x", "")]

    def interval(case, settings):
        return np.array([case + 1.0, settings.get("sign", 1) * settings.get("width", 1) * 0.3])

    assert fewest([np.array([1.0, 0.3])], interval, known) == [()]
    assert names(fewest([np.array([1.0, -0.6])], interval, known)) == [("sign", "full width")]
    assert fewest([np.array([1.0, -0.6])], interval, known, most=1) == []
    assert fewest([np.array([1.0, -0.6])], interval, known, skip=lambda settings: "sign" in settings) == []


def test_what_overflows_is_no_multiple():
    assert ratio(np.ones(2), np.array([1e300, 1.0])) is None


@pytest.mark.parametrize("value", [None, np.ones(3), np.array([1.0, np.nan]), np.array([0.0, 1.0])])
def test_what_is_no_multiple_has_no_ratio(value):
    assert ratio(np.array([1.0, 1.0]), value) is None


def test_the_ratio_of_multiples():
    assert ratio(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 1
    assert ratio(np.array([-2.0, -4.0]), np.array([1.0, 2.0])) == pytest.approx(-2)
    assert ratio(np.zeros(2), np.zeros(2)) == 1 and ratio(np.zeros(2), np.ones(2)) is None


def test_a_size_that_the_data_do_not_tell_names_no_factor():
    assert [each.name for each in named_factor([5.0], [{"T": 3}])] == ["5 times"]
    assert [each.name for each in named_factor([5.0], [{"T": 3, "Q": 5}])] == ["sum over points"]
    assert named_factor([1.0, 1.0], [{}, {}]) == () and named_factor([1.0, 2.0], [{}, {}]) is None


@pytest.mark.parametrize("alpha", [0.03, 0.21])
def test_a_number_is_fitted_up_to_a_factor(alpha):
    kitchen = Bench(4).kitchen()
    found = 3 * kitchen.gradient(size=alpha)
    assert fitted(found, lambda size: kitchen.gradient(size=size), (0.05, 0.1, 0.2)) == pytest.approx(alpha, rel=1e-8)


def test_facts_of_what_nothing_explains():
    kitchen = Bench(5).kitchen()
    assert "NaN" in facts(np.full(kitchen.theta.size, np.nan), kitchen)[0]
    assert "zero everywhere" in facts(np.zeros(kitchen.theta.size), kitchen)[0]
    directions, length = facts(2 * kitchen.gradient(), kitchen)
    assert "exact gradient 1.0000" in directions and "2 times" in length
    assert cosine(np.array([1.0, 0.0]), np.array([0.0, 2.0])) == 0 and cosine(np.zeros(2), np.ones(2)) == 0


def test_every_name_has_one_sentence():
    for each in DEVIATIONS:
        assert each.sentence[-1] in ".?" and "  " not in each.sentence
        assert len({other.sentence for other in DEVIATIONS if other.name == each.name}) == 1
