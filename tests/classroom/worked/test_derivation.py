"""How a worked example is shown: the same in LaTeX and in text."""

import dataclasses
import re

import numpy as np
import pytest

from mlcourse.classroom.worked import derivation, example_1, example_2, example_3
from tests.classroom.worked.draws import network

EXAMPLES = [
    example_1,
    example_2,
    example_3,
    lambda: example_1(support_loss=lambda theta: theta**4, query_loss="1e-7 * theta**2"),
    lambda: example_2(x=np.arange(1.0, 30.0), alpha=1e-4),
]


def digits(words):
    return re.findall(r"\d+(?:\.\d+)?", words.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))


@pytest.mark.parametrize("example", EXAMPLES)
def test_latex_and_text_show_the_same_numbers_and_text_shows_no_latex(example):
    shown = example()
    for step in shown.steps:
        for line in step.lines:
            assert digits(derivation.to_text(line)) == digits(re.sub(r"\\tfrac12", "1 2", line))
            assert derivation.to_text(line) in str(shown)
    assert not re.search(r"[\\{}$]", str(shown)) and "None" not in str(shown)
    assert str(shown) == repr(shown) and max(map(len, re.findall(r"^- .*", str(shown), re.M))) <= 100


@pytest.mark.parametrize("example", EXAMPLES)
def test_latex_is_balanced(example):
    latex = example()._repr_markdown_()
    assert latex.count("{") == latex.count("}") and latex.count("$") % 2 == 0
    assert latex.count(r"\begin") == latex.count(r"\end") and latex.count("(") == latex.count(")")


def test_steps_put_the_numbers_in_that_the_record_holds():
    shown = example_3()
    text = str(shown)
    assert "θ' = [1, -1] - 0.2 [0, -2] = [1, -0.6]" in text
    assert "∂θ'/∂θ = I - 0.2 [[2, 1], [1, 3]] = [[0.6, -0.2], [-0.2, 0.4]]" in text
    assert "[1.4, -1.2] + [-0.32, 0.44] = [1.08, -0.76]" in text
    assert r"\begin{pmatrix} 0.6 & -0.2 \\ -0.2 & 0.4 \end{pmatrix}" in shown._repr_markdown_()


def test_a_thousand_parameters_are_not_written_out():
    objective, theta, episode = network(np.random.default_rng(0), [1, 40, 40, 1])
    shown = example_3(theta, 0.01, objective=objective, episode=episode)
    assert len(str(shown)) < 4000 and "norm of 50 entries" in str(shown) and "θ ∈ R^1761" in str(shown)


def test_the_norm_of_a_single_entry_is_not_shown():
    assert "norm" not in str(example_3([1.0], 0.1, ([[1]], [0]), ([[1]], [1])))


def test_the_record_cannot_be_changed():
    shown = example_3()
    with pytest.raises(dataclasses.FrozenInstanceError):
        shown.alpha = 1.0
    with pytest.raises(ValueError, match="read-only"):
        shown.by_hand[0] = 1.0


def test_the_callers_arrays_stay_theirs():
    theta, x = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    example_3(theta), example_2(x=x)
    theta[0] = x[0] = 5.0
    np.testing.assert_array_equal(theta, [5.0, 2.0])
    np.testing.assert_array_equal(x, [5.0, 2.0])
