"""A finite number of recorded tasks as a task distribution: nothing is in a draw that was not recorded."""

import numpy as np
import pytest

from mlcourse import MLP, Data, Episode, Lines, Sinusoids, maml, mean_squared_error, meta_train
from mlcourse.finite import Finite


def recorded(tasks=4, shots=5, queries=10, seed=0):
    return Sinusoids().sample(np.random.default_rng(seed), tasks, shots, queries)


def test_without_resplitting_every_draw_of_a_task_has_the_recorded_split():
    episode = recorded()
    draw = Finite(episode).sample(np.random.default_rng(1), 50, 5, 10)
    which = [int(np.flatnonzero(episode.tasks["phase"] == phase)[0]) for phase in draw.tasks["phase"]]
    assert set(which) == {0, 1, 2, 3}
    for part in (0, 1):
        assert np.array_equal(draw[part].x, episode[part].x[which])
        assert np.array_equal(draw[part].y, episode[part].y[which])


def test_resplitting_uses_the_recorded_rows_x_beside_its_y_each_at_most_once():
    episode = recorded()
    draw = Finite(episode, resplit=True).sample(np.random.default_rng(1), 50, 5, 10)
    supports = set()
    for i, phase in enumerate(draw.tasks["phase"]):
        task = int(np.flatnonzero(episode.tasks["phase"] == phase)[0])
        pairs = {
            (float(x), float(y))
            for part in episode[:2]
            for x, y in zip(part.x[task, :, 0], part.y[task, :, 0], strict=True)
        }
        drawn = [
            (float(x), float(y)) for part in draw[:2] for x, y in zip(part.x[i, :, 0], part.y[i, :, 0], strict=True)
        ]
        assert len(set(drawn)) == len(drawn) == 15 and set(drawn) == pairs
        supports.add((task, frozenset(drawn[:5])))
    assert len(supports) > 40


@pytest.mark.parametrize("resplit", [False, True])
def test_one_task_has_no_leading_axis_and_fewer_rows_may_be_asked_for(resplit):
    draw = Finite(recorded(), resplit).sample(np.random.default_rng(0), (), 3, 4)
    assert draw.support.x.shape == (3, 1) and draw.query.y.shape == (4, 1) and np.shape(draw.tasks["phase"]) == ()


def test_labels_keep_their_form():
    rng = np.random.default_rng(0)
    support, query = (Data(rng.normal(size=(3, k, 2)), rng.integers(0, 4, (3, k))) for k in (4, 8))
    draw = Finite(Episode(support, query, {}), resplit=True).sample(rng, 7, 4, 8)
    assert draw.support.y.shape == (7, 4) and draw.query.y.dtype.kind == "i"


def test_the_recording_is_left_as_it_was():
    episode = recorded()
    before = episode.support.x.copy()
    Finite(episode, resplit=True).sample(np.random.default_rng(0), 9, 5, 10).support.x[:] = 0
    assert np.array_equal(episode.support.x, before)


def test_meta_training_runs_on_it():
    model = MLP([1, 8, 1])
    start, rng = model.init(np.random.default_rng(0)), np.random.default_rng(0)
    states = meta_train(
        maml, mean_squared_error(model), Finite(recorded()), start, rng,
        alpha=0.01, steps=1, tasks=4, shots=5, queries=10, learning_rate=1e-2,
    )  # fmt: skip
    losses = [next(states).loss for _ in range(150)]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"at most 15.*record more"):
        Finite(recorded()).sample(np.random.default_rng(0), 2, 10, 6)
    with pytest.raises(ValueError, match="draw it with tasks=N"):
        Finite(Lines().sample(np.random.default_rng(0), (), 3, 3))
