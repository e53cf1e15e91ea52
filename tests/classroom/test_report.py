"""`mlcourse report`: what it measures, what it says of it, and that it keeps what is there."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

from mlcourse import Data, DivergenceError, Episode, FromTable, adapt, confidence_interval, meta_train
from mlcourse.baselines import task_errors
from mlcourse.classroom import report
from mlcourse.classroom.cli import _as_options, _spread, app
from mlcourse.classroom.report import experiment
from tests.classroom.test_cli import mlcourse


def table_of(path, rng, tasks=16, rows=8, related=True, noise=0.1, columns=1):
    """A CSV of lines: related where their weights are drawn about a mean, else pure noise."""
    lines = ["name," + ",".join(f"x{j}" for j in range(columns)) + ",out"]
    for i in range(tasks):
        w = rng.normal([1, *[2] * columns], 0.3)
        for x in rng.normal(size=(rows, columns)):
            y = w @ [1, *x] + noise * rng.normal() if related else rng.normal()
            lines.append(f"task {i}," + ",".join(f"{each:.4f}" for each in x) + f",{y:.4f}")
    path.write_text("\n".join(lines) + "\n")
    return FromTable(path, task="name", x=[f"x{j}" for j in range(columns)], y="out")


@pytest.fixture
def quick(monkeypatch):
    """Trainings of a second: what is tested is not how good they are."""
    monkeypatch.setattr(experiment, "TRIAL", 100)
    monkeypatch.setattr(experiment, "LONGEST", 200)
    grids = {name: ((0.03, 0.1), steps[:1]) for name, (_, steps) in experiment.GRIDS.items()}
    monkeypatch.setattr(experiment, "GRIDS", grids)


@pytest.fixture
def done(tmp_path, quick):
    return report.study(table_of(tmp_path / "lines.csv", np.random.default_rng(0), tasks=30, noise=0.5), bar=False)


def test_every_learner_is_asked_on_the_same_test_tasks_and_chosen_on_others(done):
    training, validation, test = done.parts
    assert [len(part.names) for part in done.parts] == [18, 6, 6]
    assert not set(training.names) & set(validation.names) & set(test.names)
    assert {len(errors) for errors in done.errors.values()} == {6}
    assert list(done.errors) == list(done.learners) == list(done.validation)
    for name, learner in done.learners.items():
        again = task_errors(learner, test, np.random.default_rng(1), shots=3, queries=5)
        assert np.allclose(again, done.errors[name])


def test_the_learner_that_knows_the_shape_wins_on_lines(done):
    assert done.chosen.startswith("mixed model")
    assert done.errors[done.chosen].mean() < done.errors["mean of the support"].mean() / 2


def test_maml_is_what_its_start_and_inner_loop_give(done):
    learner = done.learners[experiment.MAML]
    support, query, _ = done.draw
    theta_prime = adapt(learner.objective, learner.theta, support, learner.alpha, learner.steps)
    assert np.allclose(learner(support, query.x), learner.objective.model(theta_prime, query.x))
    assert (learner.alpha, learner.steps) == min(done.settings, key=done.settings.get)


def test_the_same_seed_gives_the_same_study_and_another_seed_other_test_tasks(tmp_path, quick):
    table = table_of(tmp_path / "lines.csv", np.random.default_rng(0))
    one, same, other = (report.study(table, seed=seed, bar=False) for seed in (0, 0, 1))
    assert all(np.array_equal(one.errors[name], same.errors[name]) for name in one.errors)
    assert set(one.parts[2].names) != set(other.parts[2].names)


def test_of_a_sound_study_all_four_mistakes_are_ruled_out_by_numbers(done):
    said = report.mistakes(done)
    assert [fine for _, fine, _ in said] == [True] * 4
    assert all(re.search(r"\d\.\d\d", measured) for _, _, measured in said)


def test_a_row_that_stands_in_support_and_query_is_counted(done):
    support, query, tasks = done.draw
    x, y = query.x.copy(), query.y.copy()
    x[0, :2], y[0, :2] = support.x[0, :2], support.y[0, :2]
    spoiled = done._replace(draw=Episode(support, Data(x, y), tasks))
    _, fine, measured = report.mistakes(spoiled)[0]
    assert not fine and measured.startswith("2 of 30 query rows also stand")


def test_tasks_that_taught_nothing_are_said_to(done):
    alone = done.errors["a line of its own"]
    nothing = done._replace(
        errors=dict.fromkeys(done.errors, alone) | {"mean of the support": alone + 1},
        validation=dict.fromkeys(done.validation, 1.0) | {"a line of its own": 0.9, "mean of the support": 2.0},
    )
    assert not report.mistakes(nothing)[1][1]
    assert "Meta-learning is not what this table needs" in report.conclusion(nothing)


def test_the_gap_to_the_training_tasks_is_stated_with_its_interval(done):
    test, training = done.errors[experiment.MAML], done.training
    half = np.hypot(confidence_interval(test)[1], confidence_interval(training)[1])
    assert f"{test.mean() - training.mean():+.2f} ± {half:.2f}" in report.mistakes(done)[3][2]


def test_a_setting_that_diverged_is_no_number(done):
    settings = done.settings | {(9.0, 5): np.inf}
    assert "no number (it diverged)" in report.mistakes(done._replace(settings=settings))[2][2]


def test_a_verdict_needs_all_of_the_interval(done):
    first, maml = done.chosen, experiment.MAML
    for shift, verdict in ((3.0, "it is worse"), (-3.0, "it is better"), (0.0, "neither better nor worse")):
        noise = np.array([-0.1, 0.0, 0.1] * 2)
        moved = done._replace(errors=done.errors | {maml: done.errors[first] + shift + noise})
        assert verdict in report.conclusion(moved)


def test_a_winner_of_validation_that_test_tasks_belie_is_not_praised(done):
    maml = done.errors[done.chosen] - 3.0 + np.array([-0.1, 0.0, 0.1] * 2)
    said = report.conclusion(done._replace(errors=done.errors | {experiment.MAML: maml}))
    assert "it is better. So the two groups of tasks disagree." in said and "is enough" not in said


def test_one_task_that_makes_most_of_the_error_is_named(done):
    assert "one task's" not in report.conclusion(done)
    odd = done.errors[done.chosen].copy()
    odd[2] = 1e6
    said = report.conclusion(done._replace(errors=done.errors | {done.chosen: odd}))
    assert f"one task's, “{done.parts[2].names[2]}”: look for an outlier" in said


def test_a_number_that_wrecks_the_standardisation_is_pointed_at(done):
    assert "spreads off" not in report.conclusion(done)
    training, validation, test = done.parts
    rows = dict(done.table.rows)
    name = training.names[3]
    rows[name] = Data(rows[name].x, np.where(np.arange(8)[:, None] == 2, 1e7, rows[name].y))
    done.table.rows = rows
    parts = done.table.parts(training.names, validation.names, test.names)
    assert re.search(rf"a number of “{name}” lies 1\d spreads off", report.conclusion(done._replace(parts=parts)))


@pytest.mark.parametrize(
    "unit, table, difference",
    [
        (1e-4, r"\| 0\.0000\d\d+ ± 0\.0000\d+ \|", r"-0\.000\d+ ± 0\.0000\d\d"),
        (1e9, r"\| \d+,\d{3},\d{3} ± ", r"-\d[\d,]+ ± [\d,]+\d"),
    ],
)
def test_numbers_are_readable_in_any_unit(done, tmp_path, unit, table, difference):
    other = {name: unit * errors for name, errors in done.errors.items()}
    validation = {name: unit * error for name, error in done.validation.items()}
    scaled = done._replace(errors=other, validation=validation, training=unit * done.training)
    page = report.write(scaled, tmp_path / "out").read_text()
    assert re.search(table, page) and re.search(difference, report.mistakes(scaled)[1][2])
    assert not re.search(r"\b0\.00 ± 0\.00\b", page)


def test_a_difference_has_the_digits_that_its_interval_needs(done):
    gain = np.array([-0.03, -0.031, -0.029] * 2)
    many = min(done.validation.keys() - experiment.ALONE.keys(), key=done.validation.get)
    alone = min(experiment.ALONE, key=done.validation.get)
    close = done._replace(errors=done.errors | {many: done.errors[alone] + gain})
    _, fine, measured = report.mistakes(close)[1]
    assert fine and "-0.03000 ± 0.00072. All of it lies below 0, which says" in measured


def test_a_test_task_that_was_trained_on_is_counted(done):
    training, _, test = done.parts
    spoiled = done._replace(parts=(training, test, test))
    _, fine, measured = report.mistakes(spoiled)[3]
    assert not fine and measured.startswith("6 of the 6 test tasks are among those that trained or chose.")


def test_a_training_that_diverges_late_leaves_what_was_kept_before(tmp_path, quick, monkeypatch):
    def one_step_too_many(*given, **settings):
        for state in meta_train(*given, **settings):
            if state.iteration > 150:
                raise DivergenceError(1, (0,), settings["alpha"])
            yield state

    monkeypatch.setattr(experiment, "meta_train", one_step_too_many)
    done = report.study(table_of(tmp_path / "lines.csv", np.random.default_rng(0)), bar=False)
    assert done.learners[experiment.MAML].iteration == 100
    assert "kept that of iteration 100." in report.markdown(done, "", "")


def test_a_table_on_which_nothing_converges_is_refused(tmp_path, quick, monkeypatch):
    def hopeless(*given, **settings):
        raise DivergenceError(1, (0,), settings["alpha"])
        yield

    monkeypatch.setattr(experiment, "meta_train", hopeless)
    with pytest.raises(ValueError, match="every step size tried diverged: look for outliers"):
        report.study(table_of(tmp_path / "lines.csv", np.random.default_rng(0)), bar=False)


def test_the_page_has_every_learner_the_mistakes_the_command_and_the_versions(done, tmp_path):
    page = report.write(done, tmp_path / "out", command="mlcourse report lines.csv")
    text = page.read_text()
    for name, errors in done.errors.items():
        mean, half = confidence_interval(errors)
        assert f"| {name} | {done.validation[name]:.2f} | {mean:.2f} ± {half:.2f} |" in text
    assert text.count("ruled out. ") == 4 and "    mlcourse report lines.csv\n" in text
    assert f"numpy {np.__version__}" in text and "seed 0" in text
    (picture,) = re.findall(r"\]\((.+\.png)\)", text)
    assert (page.parent / picture).read_bytes().startswith(b"\x89PNG")
    assert max(map(len, text.splitlines())) < 1500 and len(text.splitlines()) < 60, "one page"


def test_an_older_page_stays_unless_it_is_to_be_replaced(done, tmp_path):
    first = report.write(done, tmp_path)
    first.write_text("mine")
    second = report.write(done, tmp_path)
    assert first.read_text() == "mine" and re.fullmatch(r"lines_report_\d{4}-\d\d-\d\d_\d{6}", second.stem)
    assert report.write(done, tmp_path, force=True) == first and first.read_text() != "mine"


def test_several_inputs_make_a_page_too(tmp_path, quick):
    done = report.study(table_of(tmp_path / "wide.csv", np.random.default_rng(1), columns=2), bar=False)
    assert report.write(done, tmp_path).exists()


def test_a_table_that_does_not_fit_is_refused_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "meta_train", None)
    table = table_of(tmp_path / "short.csv", np.random.default_rng(0), rows=3)
    with pytest.raises(ValueError, match=r"shots \+ queries must be at most"):
        report.study(table, bar=False)
    with pytest.raises(ValueError, match="must leave 2 of the 16 tasks"):
        report.study(table, shots=1, validation=9, test=9, bar=False)


def test_the_command_is_given_back_as_it_can_be_typed():
    options = {"task": "name", "x": ("a b", "c"), "y": "out", "queries": None, "skip_missing": True, "least_rows": 4}
    words = "mlcourse report 'my file.csv' --task name --x 'a b' --x c --y out --skip-missing --least-rows 4"
    assert report.command_of("my file.csv", options) == words


def test_what_python_calls_arguments_the_command_line_calls_options():
    names = ("delimiter", "least_rows", "skip_missing")
    said = "pass delimiter=';', or least_rows=5, or skip_missing=True"
    assert _as_options(said, names) == "pass --delimiter ';', or --least-rows 5, or --skip-missing"


def test_several_columns_may_follow_one_option_and_other_commands_are_left_alone():
    assert _spread(["report", "--x", "a", "b", "--y", "c"]) == ["report", "--x", "a", "--x", "b", "--y", "c"]
    assert _spread(["example", "2", "--x", "1,2"]) == ["example", "2", "--x", "1,2"]


def test_the_command_refuses_in_one_sentence_with_its_own_options(tmp_path):
    table_of(tmp_path / "lines.csv", np.random.default_rng(0))
    path = str(tmp_path / "lines.csv")
    columns = ("--task", "name", "--x", "x0", "--y", "out")
    for words, message in (
        ((path, "--task", "nam", "--x", "x0", "--y", "out"), "Did you mean 'name'?"),
        (
            (path, *columns, "--shots", "8"),
            "leave such tasks out with --least-rows 9",
        ),
        ((path, *columns, "--delimiter", ";"), "pass --delimiter ','"),
        ((str(tmp_path / "line.csv"), *columns), "beside it there is lines.csv"),
        ((path, *columns, "--out", path), "--out must be a folder that can be written to"),
    ):
        done = mlcourse("report", *words)
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["lines.csv"]


def test_the_command_writes_the_page_and_says_where(tmp_path, quick):
    table_of(tmp_path / "lines.csv", np.random.default_rng(0))
    words = ["report", str(tmp_path / "lines.csv"), "--task", "name", "--x", "x0", "--y", "out", "--test", "4"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and "The validation tasks choose" in done.stdout
    page = tmp_path / "out" / "lines_report.md"
    assert f"The report is in {page}" in done.stdout.replace("\n", "") or str(page) in done.stdout
    text = page.read_text()
    assert "| 3 validation tasks | 4 test tasks |" in text and "--x x0 --y out --shots 3 --test 4 --seed 0" in text
