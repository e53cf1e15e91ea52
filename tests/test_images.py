import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import Glyphs
from mlcourse.images import SCRIPTS, SIZE, _drawn, _rendered


def draw(seed=0, tasks=20, shots=2, queries=3, **options):
    return Glyphs(**options).sample(np.random.default_rng(seed), tasks, shots, queries)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(2, 6), st.integers(1, 3), st.integers(1, 3))
def test_shapes_and_labels_follow_ways_shots_and_queries(tasks, ways, shots, queries):
    episode = draw(tasks=tasks, ways=ways, shots=shots, queries=queries)
    for data, each in ((episode.support, shots), (episode.query, queries)):
        assert data.x.shape == (tasks, ways * each, SIZE * SIZE) and data.x.dtype == float
        assert data.y.shape == (tasks, ways * each) and data.y.dtype.kind == "i"
        counts = [np.bincount(labels, minlength=ways).tolist() for labels in data.y]
        assert counts == [[each] * ways] * tasks


def test_no_class_is_twice_in_a_task():
    classes = draw(tasks=500, ways=20).tasks["classes"]
    assert all(len(set(row)) == 20 for row in classes.tolist())


def test_every_class_of_the_split_is_drawn_equally_often():
    glyphs = Glyphs(ways=5, split="validation")
    classes = glyphs.sample(np.random.default_rng(0), 4000, 1, 1).tasks["classes"]
    counts = np.bincount(classes.ravel(), minlength=len(glyphs.characters))
    assert np.all(np.abs(counts - counts.mean()) < 5 * np.sqrt(counts.mean()))


def test_two_tasks_with_the_same_classes_number_them_differently():
    ways = len(Glyphs(split="validation").characters)
    first, second = draw(tasks=2, ways=ways, shots=1, queries=1, split="validation").tasks["classes"]
    assert sorted(first) == sorted(second) == list(range(ways)) and not np.array_equal(first, second)


def test_labels_say_which_class_a_picture_shows():
    episode = draw(tasks=10, split="test", rotation=0, scale=(1, 1), shift=0)
    bitmaps = _drawn()["test"][1].reshape(-1, SIZE * SIZE)
    classes = np.take_along_axis(episode.tasks["classes"], episode.query.y, axis=-1)
    np.testing.assert_allclose(episode.query.x, bitmaps[classes], atol=1e-9)


def test_support_and_query_are_different_renderings():
    episode = draw(tasks=50, shots=3, queries=3)
    for support, query in zip(episode.support.x, episode.query.x, strict=True):
        assert len(np.unique(np.concatenate([support, query]), axis=0)) == len(support) + len(query)


def test_the_nearest_support_picture_is_right_more_often_than_chance_and_not_always():
    episode = draw(tasks=100, shots=1, queries=5)
    distance = np.linalg.norm(episode.query.x[:, :, None] - episode.support.x[:, None], axis=-1)
    assert 0.4 < np.mean(distance.argmin(-1) == episode.query.y) < 0.9


def test_a_rendering_turns_scales_and_shifts_as_far_as_it_says():
    paper = np.zeros((1, SIZE, SIZE))
    paper[0, 9:11, 14:16] = 1.0  # 5 pixels to the right of the middle

    def ink(turn=0.0, scale=1.0, shift=(0, 0)):
        image = _rendered(paper, np.array([0]), np.array([turn]), np.array([scale]), np.array([shift], dtype=float))
        rows, columns = np.divmod(np.arange(SIZE * SIZE), SIZE)
        return np.array([(image * rows).sum(), (image * columns).sum()]) / image.sum() - (SIZE - 1) / 2

    np.testing.assert_allclose(ink(), [0, 5], atol=1e-9)
    np.testing.assert_allclose(ink(turn=np.pi / 2), [-5, 0], atol=0.1)  # anticlockwise
    np.testing.assert_allclose(ink(scale=1.5), [0, 7.5], atol=0.1)
    np.testing.assert_allclose(ink(shift=(2, -3)), [2, 2], atol=1e-9)


def test_splits_share_no_character_no_script_and_no_picture():
    characters = [set(Glyphs(split=split).characters) for split in SCRIPTS]
    for sets in (characters, [set(names) for names in SCRIPTS.values()]):
        assert sum(map(len, sets)) == len(set.union(*sets))
    pictures = [bitmap.tobytes() for split in SCRIPTS for bitmap in _drawn()[split][1]]
    assert len(pictures) == len(set(pictures)) == sum(map(len, characters))
    assert len(characters[0]) > 2000 and min(map(len, characters)) > 100


def test_the_same_seed_gives_the_same_episode_and_another_seed_another():
    first, again, other = draw(seed=3), draw(seed=3), draw(seed=4)
    assert np.array_equal(first.query.x, again.query.x) and not np.array_equal(first.query.x, other.query.x)


def test_one_task_is_a_batch_of_no_axes():
    batch, single = draw(tasks=1), draw(tasks=())
    np.testing.assert_array_equal(batch.support.x[0], single.support.x)
    np.testing.assert_array_equal(batch.query.y[0], single.query.y)
    np.testing.assert_array_equal(batch.tasks["classes"][0], single.tasks["classes"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Glyphs(split="held-out"), "split must be one of train, validation, test, got 'held-out'"),
        (lambda: Glyphs(ways=1), "ways must be at least 2, got 1"),
        (lambda: Glyphs(scale=(0, 1)), "scale must be a range of factors greater than 0"),
        (lambda: Glyphs(rotation=-5), "rotation must be a number of at least 0, got -5"),
        (lambda: draw(ways=5000), "ways must be at most .* classes of split 'train', got 5000"),
        (lambda: draw(shots=0), "shots must be at least 1, got 0"),
        (lambda: draw(queries=0), "queries must be at least 1, got 0"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_importing_the_course_does_not_import_matplotlib():
    code = "import sys, mlcourse; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
