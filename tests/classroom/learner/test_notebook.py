"""What a lesson's cells say: a prediction beside its measurement."""

import pytest

from mlcourse.classroom.learner.notebook import reveal


def said(capsys, *arguments, **options):
    reveal(*arguments, **options)
    return capsys.readouterr().out.splitlines()


def test_the_first_line_gives_nothing_away(capsys):
    first, second = said(capsys, -1.7123, None, "slope")
    assert first == "Your prediction and the measurement:"
    assert second == "  slope: -1.71   (no guess written above)"


@pytest.mark.parametrize(
    "measured, guess, digits, words",
    [
        (84.2, 0.84, 0, "84   (you guessed 0.84: too low)"),
        (0.5, 1e-5, 2, "0.50   (you guessed 1e-05: too low)"),
        (3.0, 1000000, 0, "3   (you guessed 1000000: too high)"),
        (0.333, 1 / 3, 2, "0.33   (you guessed 0.3333333333: close)"),
        (-1.71, "-1.7", 2, "-1.71   (you guessed -1.7: close)"),
        (2.0, float("nan"), 0, "2   (the guess must be a finite number, got nan)"),
        (2.0, "steeper", 0, "2   (the guess must be a number, got 'steeper')"),
    ],
)
def test_a_guess_is_shown_as_it_was_typed_and_judged(capsys, measured, guess, digits, words):
    assert said(capsys, measured, guess, "it", digits=digits)[1] == f"  it: {words}"


def test_a_word_can_be_guessed(capsys):
    assert said(capsys, "Reptile", " reptile", "nearest")[1].endswith("right)")
    assert said(capsys, "Reptile", "MAML", "nearest")[1] == "  nearest: Reptile   (you guessed MAML: another one)"
