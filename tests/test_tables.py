"""A CSV file as a task distribution: what it gives, what it refuses and in which words; the file stays as it was."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, FromTable, maml, mean_squared_error, meta_test, meta_train
from mlcourse.classroom.data import LIFE_EXPECTANCY

BUOYS = ("A", "BB", "CCC", "D")
WAVES = "buoy,hour,height\n" + "".join(f"{b},{h},{len(b) + 0.5 * h}\n" for h in range(6) for b in BUOYS)


@pytest.fixture
def csv(tmp_path):
    """A function that writes a table, as text or bytes, and gives its path."""

    def write(text, name="sea.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def buoys(path, **options):
    return FromTable(path, **{"task": "buoy", "x": "hour", "y": "height"} | options)


def test_rows_of_one_name_are_one_task_wherever_they_stand(csv):
    table = buoys(csv(WAVES))
    assert table.names == ("A", "BB", "CCC", "D")
    x, y = table.rows["BB"]
    assert x.shape == y.shape == (6, 1)
    assert np.array_equal(x[:, 0], range(6)) and np.allclose(y, 2 + 0.5 * x)
    assert repr(table) == "4 tasks (buoy) with 6 rows: height from hour"


def test_several_columns_make_a_wider_x_in_the_order_asked_for(csv):
    text = "a,b,name,out\n" + "".join(f"{i},{10 * i},{'pq'[i % 2]},{i}\n" for i in range(8))
    table = FromTable(csv(text), task="name", x=["b", "a"], y="out")
    assert table.rows["q"].x[0].tolist() == [10, 1]
    support, query, _ = table.sample(np.random.default_rng(0), 2, 1, 3)
    assert support.x.shape == (2, 1, 2) and query.y.shape == (2, 3, 1)


def test_a_row_of_an_episode_is_a_row_of_its_task_and_stands_in_one_of_its_sets(csv):
    table = buoys(csv(WAVES))
    support, query, hidden = table.sample(np.random.default_rng(0), 50, 2, 3)
    for t, which in enumerate(hidden["task"]):
        x = np.concatenate([support.x[t], query.x[t]])[:, 0]
        assert len(set(x)) == 5
        y = np.concatenate([support.y[t], query.y[t]])[:, 0]
        assert np.allclose(y, len(table.names[which]) + 0.5 * x)


def test_as_many_tasks_as_there_are_come_once_each_and_one_task_has_no_axis(csv):
    table = buoys(csv(WAVES))
    assert sorted(table.sample(np.random.default_rng(0), 4, 2, 2).tasks["task"]) == [0, 1, 2, 3]
    alone = table.sample(np.random.default_rng(0), (), 2, 3)
    assert alone.support.x.shape == (2, 1) and alone.query.y.shape == (3, 1) and alone.tasks["task"].shape == ()
    assert table.sample(np.random.default_rng(0), (2, 3), 2, 3).support.x.shape == (2, 3, 2, 1)


def test_the_same_seed_draws_the_same_episode(csv):
    one, other = (buoys(csv(WAVES)).sample(np.random.default_rng(7), 3, 2, 2) for _ in range(2))
    assert np.array_equal(one.query.x, other.query.x) and np.array_equal(one.tasks["task"], other.tasks["task"])


@given(seed=st.integers(0, 2**32 - 1), validation=st.integers(2, 40), test=st.integers(2, 40))
@settings(deadline=None)
def test_a_split_puts_every_task_on_one_side(seed, validation, test):
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    parts = table.split(np.random.default_rng(seed), validation, test)
    assert [len(part.names) for part in parts] == [142 - validation - test, validation, test]
    assert sorted(name for part in parts for name in part.names) == sorted(table.names)


def test_the_scale_is_that_of_the_training_tasks_alone(csv):
    path = csv(WAVES.replace("CCC,3,4.5", "CCC,3,900"))
    table = buoys(path)
    training, validation, test = table.parts(["A", "BB"], ["CCC"], ["D"])
    y = np.concatenate([table.rows[name].y for name in ("A", "BB")])
    assert training.scale == validation.scale == test.scale
    assert np.allclose(training.scale.y_mean, y.mean()) and np.allclose(training.scale.y_std, y.std())
    standard = np.concatenate([data.y for data in training.data])
    assert abs(standard.mean()) < 1e-12 and np.isclose(standard.std(), 1)
    assert validation.data[0].y.max() > 100, "what is held out does not set the scale"


def test_a_standardised_target_goes_back_into_the_units_of_the_file(csv):
    table = buoys(csv(WAVES))
    training, *_ = table.parts(["A", "BB"], ["CCC"], ["D"])
    for standard, original in zip(training.data, training.rows.values(), strict=True):
        assert np.allclose(training.in_units(standard.y), original.y)
    episode = training.sample(np.random.default_rng(0), 2, 2, 3)
    originals = np.concatenate([data.y for data in training.rows.values()])
    assert np.isin(np.round(training.in_units(episode.query.y), 9), np.round(originals, 9)).all()


def test_a_table_trains_and_tests_like_any_task_distribution():
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    training, _, test = table.split(np.random.default_rng(0), 27, 27)
    model, rng = MLP([1, 8, 1]), np.random.default_rng(0)
    states = meta_train(
        maml, mean_squared_error(model), training, model.init(rng), rng, alpha=0.05, steps=1, tasks=10, shots=3,
        queries=9, learning_rate=5e-3,
    )  # fmt: skip
    first = next(states)
    later = [next(states) for _ in range(200)][-1]
    asked = {"alpha": 0.05, "steps": 1, "tasks": 27, "shots": 3, "queries": 9}
    before, after = (
        meta_test(mean_squared_error(model), test, state.theta, np.random.default_rng(1), **asked)
        for state in (first, later)
    )
    assert after.mean[1] < before.mean[1]


def test_nothing_is_read_until_something_is_asked_for(tmp_path):
    table = buoys(tmp_path / "not_yet.csv")
    (tmp_path / "not_yet.csv").write_text(WAVES)
    assert len(table.names) == 4


def test_the_file_is_never_written_to(csv):
    path = csv(WAVES)
    path.chmod(0o444)
    before = path.read_bytes(), path.stat().st_mtime_ns
    training, *_ = buoys(path).parts(["A", "BB"], ["D"])
    training.sample(np.random.default_rng(0), 2, 2, 2)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_byte_order_mark_is_no_part_of_the_first_name(csv):
    assert buoys(csv(b"\xef\xbb\xbf" + WAVES.encode())).names[0] == "A"


def test_blank_lines_blanks_and_quoted_names_are_read_as_meant(csv):
    text = 'buoy, hour ,height\n\n"A, north", 1 ,2\n"A, north",2,3\n\nB,1,2\nB,2,4\n\n'
    assert buoys(csv(text)).names == ("A, north", "B")


def test_a_european_table_is_read_once_it_is_said_how(csv):
    german = "buoy;hour;height\nA;1;2,5\nA;2;3,5\nB;1;1e1\nB;2;-0,5\n"
    table = buoys(csv(german), delimiter=";", decimal=",")
    assert table.rows["A"].y.ravel().tolist() == [2.5, 3.5] and table.rows["B"].y.ravel().tolist() == [10, -0.5]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "latin-1"])
def test_another_encoding_is_read_once_it_is_named(csv, encoding):
    text = WAVES.replace("BB", "Böö")
    assert "Böö" in buoys(csv(text.encode(encoding)), encoding=encoding).names


def test_rows_with_a_missing_value_and_short_tasks_are_left_out_where_asked_and_counted(csv):
    path = csv(WAVES.replace("D,5,3.5", "D,NA,3.5").replace("A,0,1.0", "A,0,"))
    table = buoys(path, skip_missing=True, least_rows=6)
    assert table.names == ("BB", "CCC") and set(table.left_out) == {"A", "D"} and table.skipped == 2


def line_10(row):
    """The table with another row in its line 10."""
    return WAVES.replace("A,2,2.0", row)


COLUMNS = "its columns are 'buoy', 'hour', 'height'"
REFUSED = {
    "an unknown column": (WAVES, {"y": "Hight"}, rf"sea.csv has no column 'Hight', {COLUMNS}\. Did you"),
    "another case": (WAVES, {"y": "HEIGHT"}, r"Did you mean 'height'\?"),
    "nothing near": (WAVES, {"task": "q"}, rf"no column 'q', {COLUMNS}\.$"),
    "an empty file": ("", {}, r"sea.csv is empty: the first line must name the columns"),
    "blank lines only": ("\n \n", {}, r"sea.csv is empty"),
    "a header alone": ("buoy,hour,height\n", {}, r"sea.csv has a header and no rows"),
    "a column twice": ("buoy,hour,hour,height\nA,1,2,3\n", {}, r"2 columns named 'hour': give each a name of its own"),
    "semicolons": (WAVES.replace(",", ";"), {}, r"separated by ';', not by ',': pass delimiter=';'"),
    "tabs": (WAVES.replace(",", "\t"), {}, r"pass delimiter='\\t'"),
    "commas where semicolons were said": (WAVES, {"delimiter": ";"}, r"separated by ',', not by ';'"),
    "a missing value": (line_10("A,2,"), {}, r"sea.csv, line 10: height is missing: .*skip_missing"),
    "NaN": (line_10("A,nan,2.0"), {}, r"line 10: hour is missing"),
    "a row without a task": (line_10(",2,2.0"), {}, r"line 10: buoy is missing"),
    "text for a number": (line_10("A,two,2.0"), {}, r"line 10: hour must be a number, got 'two': correct it"),
    "infinity": (line_10("A,2,inf"), {}, r"height must be a number, got 'inf'"),
    "a number with underscores": (line_10("A,2,2_0"), {}, r"height must be a number, got '2_0'"),
    "a decimal comma": (line_10('A,2,"2,0"'), {}, r"'2,0': numbers with a decimal comma want decimal=','"),
    "a decimal point": (line_10("A,2,2.0"), {"decimal": ","}, r"numbers with a decimal point want decimal='\.'"),
    "a unit": (line_10("A,2,2 m"), {}, r"got '2 m': correct it, or choose another column"),
    "a field too many": (line_10("A,2,2,0"), {}, r"line 10: 4 fields where the header has 3: .*double quotes"),
    "a field too few": (line_10("A,2"), {}, r"line 10: 2 fields where the header has 3"),
    "one task": ("buoy,hour,height\nA,1,2\nA,2,3\n", {}, r"'buoy' gives one task, 'A', with 1 rows or more"),
    "no task long enough": (WAVES, {"least_rows": 9}, r"'buoy' gives no task with 9 rows or more"),
    "UTF-16": (WAVES.encode("utf-16"), {}, r"written in UTF-16: save it as CSV UTF-8, or pass encoding='utf-16'"),
    "Windows' encoding": (WAVES.replace("BB", "Bö").encode("cp1252"), {}, r"line 3: byte 0xf6 is no utf-8: .*'cp1252'"),
    "an encoding that is none": (WAVES, {"encoding": "utf-9"}, r"encoding must be one that Python knows.*got 'utf-9'"),
    "thousands": (line_10('A,2,"1,002.5"'), {}, r"got '1,002\.5': what stands between thousands has to go"),
    "a decimal comma and dots": (line_10('A,2,"1.002,5"'), {}, r"want decimal=',';.* between thousands has to go"),
    "a date": (line_10("A,2024-01-31,2.0"), {}, r"got '2024-01-31': a date has to become a number first"),
    "a German date": (line_10("A,31.1.2024,2.0"), {}, r"got '31\.1\.2024': a date has to become a number"),
    "a quote that never closes": (line_10('"A,2,2.0'), {}, r"line 10: 1 fields where .*quotes, which close"),
    "a field without end": (WAVES + '"' + "A" * 140_000, {}, r"line 26: field larger than .*is each quote closed\?"),
    "two delimiters": (WAVES, {"delimiter": ";;"}, r"delimiter must be one character, .* got ';;'"),
    "a decimal that is none": (WAVES, {"decimal": ""}, r"decimal '\.' or ',', got ',' and ''"),
    "a workbook": (b"PK\x03\x04rest", {}, r"is a workbook or packed, not a CSV file: .* save it as CSV"),
    "a packed file": (gzip.compress(WAVES.encode()), {}, r"not a CSV file: .*unpack it"),
    "a column twice in the call": (WAVES, {"y": "hour"}, r"task, x and y must be different columns"),
    "no x": (WAVES, {"x": ()}, r"x must name at least one column"),
}  # fmt: skip


@pytest.mark.parametrize("text, options, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_with_place_and_way_out(csv, text, options, message):
    with pytest.raises(ValueError, match=message):
        assert buoys(csv(text), **options).rows


def test_a_file_that_is_not_there_brings_its_neighbours_to_mind(csv, tmp_path):
    csv(WAVES, "waves.csv")
    with pytest.raises(FileNotFoundError, match=r"no file .*wave\.csv; beside it there is waves\.csv"):
        assert buoys(tmp_path / "wave.csv").rows
    with pytest.raises(FileNotFoundError, match="no file"):
        assert buoys(tmp_path / "elsewhere" / "wave.csv").rows


def test_a_folder_is_no_file_and_is_called_a_folder(tmp_path):
    with pytest.raises(ValueError, match="is a folder or a pipe, not a file: save the table"):
        assert buoys(tmp_path).rows


def test_tasks_that_are_too_short_are_named_with_the_rows_they_have(csv):
    table = buoys(csv(WAVES + "E,1,2\nE,2,3\n"))
    with pytest.raises(ValueError, match=r"got 5: 'E' has 2\. Ask for fewer, or .*least_rows=5"):
        table.sample(np.random.default_rng(0), 3, 2, 3)
    assert table.sample(np.random.default_rng(0), 5, 1, 1).support.x.shape == (5, 1, 1)


def test_a_short_task_never_lends_rows_it_does_not_have(csv):
    table = buoys(csv(WAVES + "E,7,99\nE,8,98\n"))
    drawn = [table.sample(np.random.default_rng(seed), 5, 1, 1) for seed in range(40)]
    ys = [part.y[list(e.tasks["task"]).index(4)].item() for e in drawn for part in e[:2]]
    assert set(ys) == {98.0, 99.0}


def test_a_split_that_leaves_too_little_is_refused(csv):
    with pytest.raises(ValueError, match=r"validation \+ test must leave 2 of the 4 tasks .* got 2 \+ 2"):
        buoys(csv(WAVES)).split(np.random.default_rng(0), 2, 2)
    with pytest.raises(ValueError, match="test must be at least 2, got 1"):
        buoys(csv(WAVES)).split(np.random.default_rng(0), 2, 1)


def test_a_column_with_one_value_is_refused_when_it_is_to_be_standardised(csv):
    flat = "buoy,hour,height\n" + "".join(f"{b},{h},3\n" for b in "ABCDEF" for h in range(3))
    for same in ("3", "0.1", "1e9"):  # the mean of many 0.1 is not 0.1, so that their spread is not quite 0
        with pytest.raises(ValueError, match="height has one value in all training tasks: there is nothing to learn"):
            buoys(csv(flat.replace(",3\n", f",{same}\n"))).split(np.random.default_rng(0), 2, 2)


def test_a_tab_may_be_written_as_the_message_writes_it(csv):
    assert len(buoys(csv(WAVES.replace(",", "\t")), delimiter=r"\t").names) == 4


def test_a_task_with_very_many_rows_costs_others_nothing_and_lends_no_row_twice(csv):
    long = "".join(f"E,{h},{h}\n" for h in range(3000))
    table = buoys(csv(WAVES + long))
    counts = np.zeros(3000)
    for seed in range(300):
        support, query, tasks = table.sample(np.random.default_rng(seed), 5, 2, 3)
        drawn = np.concatenate([support.y, query.y], axis=1)[list(tasks["task"]).index(4), :, 0]
        assert len(set(drawn)) == 5
        counts[drawn.astype(int)] += 1
        short = np.concatenate([support.x, query.x], axis=1)[list(tasks["task"]).index(0), :, 0]
        assert len(set(short)) == 5 and set(short) <= set(table.rows["A"].x[:, 0])
    assert abs(counts[:1500].sum() / counts.sum() - 0.5) < 0.05, "all of its rows, alike"
    assert len(table._joined[0]) == sum(len(data.y) for data in table.rows.values()), "no row of zeros is stored"
