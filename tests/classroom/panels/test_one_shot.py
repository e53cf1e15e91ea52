"""The panel "one shot" scores the learner as the lesson's table scores its methods, on the episodes that it showed."""

import numpy as np
import pytest

from mlcourse import Data, Episode, cross_entropy
from mlcourse.classroom.figures import few_shot as figures
from mlcourse.classroom.figures.few_shot import LETTERS
from mlcourse.classroom.panels import PANELS, one_shot
from mlcourse.classroom.trained import characters
from mlcourse.evaluate import confidence_interval
from mlcourse.few_shot import Accuracy, few_shot_accuracy


@pytest.fixture
def panel():
    return PANELS["one shot"]()


def label_shown(panel):
    """The right answer to the episode that is on the screen."""
    ways = panel.controls["ways"].value
    return int(one_shot.episode(panel.seed, ways, len(panel.correct[ways]))[1].y[0])


def picture_shown(panel):
    return bytes(panel.image.value)


def answer(panel, right):
    panel.answer((label_shown(panel) + (not right)) % panel.controls["ways"].value)


@pytest.mark.parametrize("ways", one_shot.WAYS)
def test_pixels_and_protonet_are_scored_on_the_same_episodes_as_in_the_table(panel, ways):
    panel.controls["ways"].value = ways
    shown = []
    for turn in range(12):
        shown.append(one_shot.episode(panel.seed, ways, turn))
        assert np.array_equal(panel.numbers["support"], shown[-1][0].x)
        assert np.array_equal(panel.numbers["query"], shown[-1][1].x[0])
        panel.answer(turn % ways)
    support, query = (Data(np.stack([d[s].x for d in shown]), np.stack([d[s].y for d in shown])) for s in (0, 1))
    theta, objective = characters.load()["ProtoNet"], cross_entropy(characters.EMBEDDING)
    for name, rule in one_shot.RULES.items():
        accuracy = few_shot_accuracy(rule, objective, theta, Episode(support, query, {}))
        assert panel.numbers["scores"][name] == pytest.approx((accuracy.mean, accuracy.half_width))
    right = [label == turn % ways for turn, label in enumerate(query.y[:, 0])]
    assert panel.correct[ways] == right
    mean, half = panel.numbers["scores"]["you"]
    assert (mean, half) == pytest.approx((np.mean(right), 1.96 * np.std(right, ddof=1) / np.sqrt(12)))
    assert f"you {mean:.2f} ± {half:.2f}" in panel.caption.value and "Answered at" in panel.caption.value


def test_an_answer_is_judged_shown_and_followed_by_another_episode(panel):
    pictures = {picture_shown(panel)}
    for turn, right in enumerate([True, False, True], start=1):
        letter = LETTERS[label_shown(panel)]
        answer(panel, right)
        assert panel.caption.value.startswith("Right." if right else f"Wrong, it was {letter}.")
        pictures.add(picture_shown(panel))
        assert len(pictures) == turn + 1 and panel.correct[5] == [1.0, 0.0, 1.0][:turn]


def test_an_interval_of_width_zero_comes_with_a_warning(panel):
    answer(panel, True)
    assert not panel.numbers["scores"] and "±" not in panel.caption.value
    answer(panel, True)
    assert "you 1.00 ± 0.00" in panel.caption.value and "too few answers" in panel.caption.value


def test_the_ways_are_scored_apart_and_stand_where_they_were_left(panel):
    answer(panel, True)
    five = picture_shown(panel)
    panel.controls["ways"].value = 20
    assert panel.correct == {5: [1.0], 10: [], 20: []} and "Right" not in panel.caption.value
    answer(panel, False)
    panel.controls["ways"].value = 5
    assert picture_shown(panel) == five and panel.correct == {5: [1.0], 10: [], 20: [0.0]}


def test_a_button_and_a_typed_letter_are_answers(panel):
    panel.buttons[label_shown(panel)].click()
    panel.typed.value = LETTERS[label_shown(panel)].upper()
    assert panel.correct[5] == [1.0, 1.0] and panel.typed.value == ""


@pytest.mark.parametrize("typed", ["f", "?", "ab", " "])
def test_what_is_no_letter_of_the_episode_is_no_answer(panel, typed):
    panel.typed.value = typed
    assert panel.correct[5] == [] and panel.typed.value == ""


@pytest.mark.parametrize("ways", one_shot.WAYS)
def test_there_is_a_button_for_each_letter_of_the_episode(panel, ways):
    panel.controls["ways"].value = ways
    assert [button.layout.display != "none" for button in panel.buttons] == [n < ways for n in range(20)]


def test_reset_forgets_the_answers(panel):
    first = picture_shown(panel)
    for ways in one_shot.WAYS:
        panel.controls["ways"].value = ways
        answer(panel, True)
    panel.reset.click()
    assert panel.correct == {5: [], 10: [], 20: []} and picture_shown(panel) == first
    assert panel.caption.value == PANELS["one shot"]().caption.value


def test_another_seed_has_other_episodes(panel):
    assert picture_shown(PANELS["one shot"](seed=1)) != picture_shown(panel)


def test_the_query_may_be_of_any_class_and_is_another_drawing():
    asked = [one_shot.episode(0, 5, turn) for turn in range(60)]
    assert {int(query.y[0]) for _, query in asked} == set(range(5))
    assert all(not np.array_equal(support.x[query.y[0]], query.x[0]) for support, query in asked)


def test_five_answers_are_enough_for_a_place_among_the_methods(panel):
    rights = [True, False, True, True, True]
    for right in rights[:4]:
        answer(panel, right)
    assert panel.accuracy(5) is None
    answer(panel, rights[4])
    assert panel.accuracy(5) == (*confidence_interval(np.array(rights, float)), 5) and panel.accuracy(20) is None
    rows = {name: Accuracy(0.6, 0.1, None, 1, 1) for name in ("MAML", "ProtoNet")}
    names = {
        yours: [label.get_text() for label in figures.table({1: rows, 5: rows}, yours).axes[0].get_yticklabels()]
        for yours in (None, panel.accuracy(5))
    }
    assert len(names[None]) == 2 and names[panel.accuracy(5)][-1] == "you\n0.80 ± 0.39, 5 episodes of your own"
