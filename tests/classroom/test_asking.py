"""Practice in a terminal, as typed."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mlcourse.classroom import asking
from mlcourse.classroom.judging.verdict import Verdict
from mlcourse.classroom.learner import practice as due
from mlcourse.classroom.learner import progress
from mlcourse.classroom.learner.clone import CourseError
from mlcourse.classroom.learner.memory import course

NUMBER, CHOICE, FUNCTION = (2, "episode_size"), (4, "which_gradient"), (1, "best_shared")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "home"


@pytest.fixture
def typed(monkeypatch, capsys):
    """A function: practise while these lines are typed, or exceptions raised, and give what was printed."""

    def practise(*lines, **options):
        left = list(lines)

        def answer(prompt=""):
            print(prompt, end="")
            if not left:
                raise EOFError
            line = left.pop(0)
            if isinstance(line, type):
                raise line
            return line

        monkeypatch.setattr("builtins.input", answer)
        asking.practise(**options)
        assert not left, "all of it was asked for"
        return capsys.readouterr().out

    return practise


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """A function: from now on the editor writes these texts, one each time it is opened."""

    def write(*texts):
        for i, text in enumerate(texts):
            (tmp_path / f"text{i}").write_text(text)
        script = tmp_path / "my editor"
        script.write_text(
            f"#!/bin/sh\ncd '{tmp_path}'\nn=$(cat turn 2>/dev/null || echo 0)\necho $((n + 1)) > turn\n"
            'cp text$n "$2"\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("VISUAL", f"'{script}' --wait")

    return write


def solve(*keys):
    for minutes, (number, name) in enumerate(keys):
        when = datetime.now() - timedelta(days=3, minutes=-minutes)
        progress.record(Verdict("correct", None, "", (number, name, 0)), when)


def last_review(key):
    return due.memories(*due.read(), datetime.now().date())[key].reviews[-1]


def right_number():
    problem = course()[NUMBER]
    return f"{problem.solution(**problem.given(1))}"


def test_a_number_is_asked_right_there(typed):
    solve(NUMBER)
    said = typed("7", right_number(), "")
    assert "✗ Not yet" in said and "✓ Correct" in said and "Rated hard: right after" in said
    assert "That is today's practice: 1 problem, 3 min. Next: 1 problem," in said
    assert last_review(NUMBER).practised


def test_a_number_may_be_computed_from_those_of_the_statement(typed):
    solve(NUMBER)
    assert "✓ Correct" in typed("tasks * ways * (shots + queries)", "")
    assert last_review(NUMBER).rating == "easy"


@pytest.mark.parametrize("text", ["seven", "1,5", "[1", "__import__('os')", "p", "1j", "()", "0/0"])
def test_what_is_no_number_is_asked_again_and_counts_nothing(typed, text):
    solve(NUMBER)
    assert f"not {text!r}" in typed(text, right_number(), "") and last_review(NUMBER).rating == "easy"


def test_labels_are_typed_by_letter_or_word_item_by_item(typed):
    solve(CHOICE)
    problem = course()[CHOICE]
    letters = dict(zip(problem.labels, "abcd", strict=True))
    labels = problem.solution(1)
    lines = [letters[label] if i % 2 else label.upper() for i, label in enumerate(labels)]
    said = typed("x", *lines, "g")
    assert "One of a, b, c, d, or the label itself, not 'x'." in said and "✓ Correct" in said
    assert last_review(CHOICE).rating == "good" and "a: exact  b: first-order" in said


def test_hints_the_solution_and_later_are_always_at_hand(typed):
    solve(NUMBER, FUNCTION)
    said = typed("", "?", "!")
    assert "Put off" in said and "Hint 1 of 2" in said and "Rated again: the solution was shown" in said
    assert [moment.what for moment in progress.moments()] == ["asked", "asked", "hint", "solution"]


def test_a_rating_can_be_corrected(typed):
    solve(NUMBER)
    assert "Rated again: your own rating. It comes back tomorrow." in typed(right_number(), "a")


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [[], ["7"], ["?"]])
def test_the_end_of_the_input_and_ctrl_c_are_harmless(typed, end, before):
    solve(NUMBER)
    assert typed(*before, end).endswith("Until later: what you have answered is kept.\n")
    assert "✓ Correct" in typed(right_number(), "")
    assert last_review(NUMBER).seed == 1, "and it went on with the same numbers"


RIGHT = "import autograd.numpy as np\ndef best_shared(slopes):\n    return np.mean(slopes)\n"
WRONG = RIGHT.replace("mean", "median")


def test_a_function_is_written_in_the_editor_with_its_stub(typed, editor, tmp_path):
    solve(FUNCTION)
    editor(WRONG, RIGHT)
    said = typed("e", "e", "")
    assert "✗ Not yet: median" in said and "✓ Correct" in said
    assert last_review(FUNCTION)[2:4] == ("hard", "right after a mistake, median")
    assert not list(tmp_path.glob("mlcourse-practice-*"))


def test_the_stub_alone_is_not_attempted_and_leaves_no_file(typed, editor, tmp_path):
    solve(FUNCTION)
    editor()
    assert "○ Not attempted" in typed("c", "")
    assert not list(tmp_path.glob("mlcourse-practice-*"))


@pytest.mark.parametrize(
    "text, said",
    [
        ("def best_shared(slopes)\n", "SyntaxError"),
        ("x = 1\n", "defines no best_shared"),
        ("exit()\n", "SystemExit"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("\0", "Your file does not run"),
        ("import no_such_module\n", "no_such_module"),
    ],
)
@pytest.mark.parametrize("end", ["", EOFError, KeyboardInterrupt])
def test_what_was_written_is_kept_where_it_is_not_right(typed, editor, text, said, end):
    solve(FUNCTION)
    editor(text)
    shown = typed("e", end)
    assert said in shown
    path = Path(re.search(r"What you wrote is kept in (.+)", shown)[1])
    assert path.name == "best_shared.py" and path.read_text() == text


def test_a_line_at_fault_is_shown(typed, editor):
    solve(FUNCTION)
    editor("def best_shared(slopes):\n    return slopes.no_such_thing()\n")
    assert "at `return slopes.no_such_thing()`" in typed("e", "")


def test_an_editor_that_is_not_there_is_said_and_the_rest_is_asked(typed, monkeypatch):
    solve(FUNCTION, NUMBER)
    monkeypatch.setenv("VISUAL", "no-such-editor --wait")
    said = typed(right_number(), "")
    assert "There is no editor no-such-editor here: name one in EDITOR" in said and "✓ Correct" in said
    with pytest.raises(CourseError, match="written in an editor: name one in EDITOR"):
        monkeypatch.setattr(asking, "EDITORS", ())
        asking.editor({})


def test_visual_comes_before_editor_and_what_most_have_after_both():
    assert asking.editor({"VISUAL": "sh -c x", "EDITOR": "cat"}) == ["sh", "-c", "x"]
    assert asking.editor({"EDITOR": "cat", "VISUAL": ""}) == ["cat"]


def test_nothing_to_ask_is_said(typed):
    assert "Nothing was solved yet" in typed()


def test_what_cannot_be_kept_is_not_asked_twice(typed, home, monkeypatch):
    solve(NUMBER)
    record = due.read()
    monkeypatch.setattr(due, "read", lambda: record)
    home.rename(home.with_name("gone"))
    home.write_text("")
    assert "✓ Correct" in typed(right_number())


def test_statements_have_no_tex_left():
    from mlcourse.classroom.terminal import without_tex

    for key, problem in course().items():
        shown = without_tex(problem.show(1))
        assert "$" not in shown and not re.search(r"\\[a-z]", shown), key
    assert without_tex(r"$\theta' = \theta - \alpha\,\nabla L_s(\theta)$") == "θ′ = θ - α∇L_s(θ)"
    assert without_tex(r"$\frac{h}{2}(\theta - \theta^*)^2$") == "h/2(θ - θ*)²"
    assert without_tex(r"$$\tfrac{a + b}{T}$$") == "(a + b)/T"
