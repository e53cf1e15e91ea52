"""The panel "embedding" decides as mlcourse's classifiers do, about pictures that stay while the controls move."""

import numpy as np
import pytest

from mlcourse import Data, Episode, cross_entropy
from mlcourse.classroom.panels import embedding
from mlcourse.classroom.trained import characters
from mlcourse.few_shot import by_matching, by_prototypes, few_shot_accuracy

CLASSIFIERS = dict(zip(embedding.RULES, (by_prototypes, by_matching), strict=True))


@pytest.mark.parametrize("rule", embedding.RULES)
@pytest.mark.parametrize("ways, shots", [(2, 1), (5, 3), (8, 5)])
def test_it_decides_as_the_classifier_of_its_rule(rule, ways, shots):
    shown = [
        embedding.compute(7, "trained", rule, ways, shots, query) for query in range(1, embedding.MOST_QUERIES + 1)
    ]
    support = Data(shown[0]["images"].reshape(1, ways * shots, -1), np.repeat(np.arange(ways), shots)[None])
    query = Data(np.stack([each["query"] for each in shown])[None], np.array([[each["label"] for each in shown]]))
    twice = Episode(*(Data(*(np.repeat(part, 2, axis=0) for part in data)) for data in (support, query)), {})
    theta, objective = characters.load()["ProtoNet"], cross_entropy(characters.EMBEDDING)
    right = np.mean([each["chosen"] == each["label"] for each in shown])
    assert few_shot_accuracy(CLASSIFIERS[rule], objective, theta, twice).mean == pytest.approx(right)
    for each in shown:
        assert each["p"].sum() == pytest.approx(1) and each["chosen"] == each["p"].argmax()


@pytest.mark.parametrize("name", embedding.EMBEDDINGS)
def test_more_shots_and_ways_add_pictures_to_those_there_were(name):
    few, many = (
        embedding.compute(3, name, embedding.RULES[0], 2, 1, 1),
        embedding.compute(3, name, embedding.RULES[0], embedding.MOST_WAYS, embedding.MOST_SHOTS, 1),
    )
    assert np.array_equal(few["images"], many["images"][:2, :1]) and np.array_equal(few["query"], many["query"])
    assert np.array_equal(few["points"], many["points"][:2, :1]) and few["limits"] == many["limits"]


def test_a_wrong_decision_is_called_wrong():
    panel = embedding.panel()
    panel.controls["embedding"].value = "the pixels themselves"
    said = set()
    for query in range(1, embedding.MOST_QUERIES + 1):
        panel.controls["query"].value = query
        wrong = panel.numbers["chosen"] != panel.numbers["label"]
        assert ("wrongly" in panel.caption.value) == wrong
        said.add(wrong)
    assert said == {True, False}


def test_the_picture_has_room_for_the_classes_that_there_are_and_no_more():
    panel = embedding.panel()
    drawing = panel.frame.drawing
    for ways, shots in ((5, 1), (8, 5), (2, 3)):
        panel.controls["ways"].value, panel.controls["shots"].value = ways, shots
        assert drawing.bars.get_ylim() == (ways - 0.4, -0.6)
        assert drawing.sheet.get_ylim()[0] == ways + 1.4 and drawing.sheet.get_xlim()[1] >= shots
        assert sum(bar.get_visible() for bar in drawing.shares) == ways
