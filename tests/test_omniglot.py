"""Omniglot from the learner's own copy: whatever its layout the tasks are the same, and what is wrong with it is said.

Most tests make a copy of their own, of tiny pictures that say what they are of. Those of the real images look in
MLCOURSE_OMNIGLOT, or in ../shared/data/omniglot beside the course.
"""

import io
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from mlcourse import Glyphs, Omniglot
from mlcourse.classroom.teaching.execute import own_progress, run
from mlcourse.omniglot import HELD_OUT
from mlcourse.omniglot_files import BACKGROUND, DRAWINGS, EVALUATION
from tests.gaps import with_what_they_need
from tests.tested import cells

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
SMALL = ("Ojibwe_(Canadian_Aboriginal_Syllabics)", "Tagalog")  # 14 and 17 characters
SIDE = 6


@cache
def picture(character, drawing):
    """PNG of SIDE x SIDE pixels of one bit, as published: row 0 has the character in binary, row 1 the drawing.

    The last row is full of ink, so that a turn can be told.
    """
    ink = np.zeros((SIDE, SIDE), dtype=bool)
    ink[0] = np.unpackbits(np.uint8(character))[-SIDE:]
    ink[1] = np.unpackbits(np.uint8(drawing))[-SIDE:]
    ink[-1] = True
    file = io.BytesIO()
    Image.fromarray(~ink).save(file, format="png")
    return file.getvalue()


def read_back(image):
    """(character, drawing) that a picture of `picture` is of."""
    bits = np.rint(np.reshape(image, (SIDE, SIDE))).astype(int)
    return tuple(bits[:2] @ 2 ** np.arange(SIDE)[::-1])


def files(alphabets, below=""):
    """name -> PNG for each drawing of the alphabets."""
    return {
        f"{below}{alphabet}/character{character:02d}/{len(alphabet):04d}_{drawing:02d}.png": picture(character, drawing)
        for alphabet in alphabets
        for character in range(1, (BACKGROUND | EVALUATION)[alphabet] + 1)
        for drawing in range(1, DRAWINGS + 1)
    }


def write(folder, named):
    for name, content in named.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(path, named):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in named.items():
            archive.writestr(name, content)
    return path


def copy_of(alphabets, tmp_path):
    """Path of a folder with one zip file of these alphabets, laid out as published."""
    return zipped(tmp_path / "images_background.zip", files(alphabets, "images_background/")).parent


LAYOUTS = {
    "a folder of zip files": lambda path: [
        zipped(path / f"images_background_small{n}.zip", files([name], f"images_background_small{n}/"))
        for n, name in enumerate(SMALL, start=1)
    ],
    "unpacked": lambda path: write(path, files(SMALL, "images_background/")),
    "unpacked into a folder of the same name": lambda path: write(path, files(SMALL, "a/images_background/b/")),
    "alphabets without a folder above them": lambda path: write(path, files(SMALL)),
    "half a zip file, half unpacked, one alphabet twice": lambda path: [
        zipped(path / "images_background_small1.zip", files(SMALL, "images_background_small1/")),
        write(path, files(SMALL[1:], "images_background_small2/")),
    ],
    "with what a Mac leaves": lambda path: [
        write(path, files(SMALL) | {".DS_Store": b"", "Tagalog/character01/._0001_01.png": b"no picture"}),
        zipped(path / "notes.zip", {"__MACOSX/Tagalog/character01/._0001_01.png": b"no picture", "read.me": b""}),
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_tasks_are_the_same_in_each_layout(layout, tmp_path):
    plain = write(tmp_path / "plain", files(SMALL))
    LAYOUTS[layout](tmp_path / "laid out")
    settings = {"split": "validation", "size": SIDE}
    episodes = [
        Omniglot(path, **settings).sample(np.random.default_rng(0), 3, 2, 3) for path in (plain, tmp_path / "laid out")
    ]
    for one, other in zip(episodes[0][:2], episodes[1][:2], strict=True):
        assert np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y)


def test_the_path_may_be_one_zip_file_or_the_folder_of_one_alphabet_and_a_string(tmp_path):
    archive = copy_of(SMALL, tmp_path) / "images_background.zip"
    alphabet = write(tmp_path / "unpacked", files(SMALL)) / "Tagalog"
    for path in (archive, alphabet, str(alphabet)):
        assert len(Omniglot(path, split="validation").characters) == 17


def test_labels_say_which_character_a_picture_is_of_and_no_drawing_is_in_both_sets(tmp_path):
    omniglot = Omniglot(copy_of(SMALL, tmp_path), ways=4, split="validation", size=SIDE)
    episode = omniglot.sample(np.random.default_rng(0), 5, 3, 17)
    for t in range(5):
        seen = {}
        for data in episode[:2]:
            for image, label in zip(data.x[t], data.y[t], strict=True):
                character, drawing = read_back(image)
                assert omniglot.characters[episode.tasks["classes"][t, label]] == (
                    "Tagalog",
                    f"character{character:02d}",
                    0,
                )
                seen.setdefault(label, []).append(drawing)
        assert all(sorted(drawings) == list(range(1, 21)) for drawings in seen.values()) and len(seen) == 4


def test_shapes_are_those_of_glyphs_and_one_task_is_a_batch_of_no_axes(tmp_path):
    omniglot = Omniglot(copy_of(SMALL, tmp_path), split="validation")
    for tasks in (2, (), (2, 3)):
        ours, glyphs = (family.sample(np.random.default_rng(0), tasks, 2, 3) for family in (omniglot, Glyphs()))
        for one, other in zip(ours[:2], glyphs[:2], strict=True):
            assert (one.x.shape, one.y.shape) == (other.x.shape, other.y.shape)
            assert (one.x.dtype, one.y.dtype) == (other.x.dtype, other.y.dtype)
        assert ours.tasks["classes"].shape == glyphs.tasks["classes"].shape


def test_quarter_turns_are_classes_of_their_own(tmp_path):
    omniglot = Omniglot(copy_of(SMALL, tmp_path), ways=30, split="validation", turns=4, size=SIDE)
    assert len(omniglot.characters) == 4 * 17 == len(set(omniglot.characters))
    episode = omniglot.sample(np.random.default_rng(0), 1, 1, 1)
    for image, label in zip(episode.query.x[0], episode.query.y[0], strict=True):
        _, character, turn = omniglot.characters[episode.tasks["classes"][0, label]]
        upright = np.rot90(image.reshape(SIDE, SIDE), -turn)
        assert upright[-1].all() and read_back(upright)[0] == int(character[-2:])


def test_within_an_alphabet_all_is_of_one_alphabet_and_one_turn_and_a_set_is_by_the_same_people(tmp_path):
    path = copy_of(["Angelic", "Syriac_(Serto)"], tmp_path)  # 20 and 23 characters
    omniglot = Omniglot(path, ways=20, split="test", turns=4, size=SIDE, within_alphabet=True)
    episode = omniglot.sample(np.random.default_rng(0), 30, 1, 2)
    groups = set()
    for t in range(30):
        of_task = {omniglot.characters[which][::2] for which in episode.tasks["classes"][t]}
        assert len(of_task) == 1 and len(set(episode.tasks["classes"][t])) == 20
        groups |= of_task
        (_, turn) = of_task.pop()
        people = [
            {read_back(np.rot90(image.reshape(SIDE, SIDE), -turn))[1] for image in data.x[t]} for data in episode[:2]
        ]
        assert len(people[0]) == 1 and len(people[1]) == 2 and not people[0] & people[1]
    assert len(groups) > 4


def test_pixels_are_means_over_equal_areas_with_ink_1(tmp_path):
    path = copy_of(SMALL, tmp_path)
    fine = Omniglot(path, split="validation", size=SIDE).sample(np.random.default_rng(0), 2, 1, 1).query.x
    for size in (3, 4):
        coarse = Omniglot(path, split="validation", size=size).sample(np.random.default_rng(0), 2, 1, 1).query.x
        np.testing.assert_allclose(coarse.mean(axis=-1), fine.mean(axis=-1), rtol=1e-6)
    halves = fine.reshape(2, 5, 3, 2, 3, 2).mean(axis=(-3, -1)).reshape(2, 5, 9)
    of_three = Omniglot(path, split="validation", size=3).sample(np.random.default_rng(0), 2, 1, 1).query.x
    np.testing.assert_allclose(of_three, halves, atol=1e-6)


def test_splits_share_no_alphabet_and_what_is_held_out_is_never_trained_on(tmp_path):
    background = ("Balinese", *SMALL)
    alone = copy_of(background, tmp_path / "alone")
    both = copy_of(background, tmp_path / "both")
    zipped(both / "images_evaluation.zip", files(["Angelic"], "images_evaluation/"))

    def alphabets(path):
        return [{each[0] for each in Omniglot(path, split=name).characters} for name in ("train", "validation", "test")]

    assert alphabets(alone) == [{SMALL[0]}, {"Tagalog"}, {"Balinese"}]
    assert alphabets(both) == [{SMALL[0]}, {"Tagalog", "Balinese"}, {"Angelic"}]


def test_the_published_alphabets_are_all_there():
    assert len(BACKGROUND) == 30 and sum(BACKGROUND.values()) == 964
    assert len(EVALUATION) == 20 and sum(EVALUATION.values()) == 659 and not set(BACKGROUND) & set(EVALUATION)
    assert {name for names in HELD_OUT.values() for name in names} < set(BACKGROUND)


def test_only_the_alphabets_that_are_drawn_from_are_read(tmp_path):
    path = write(tmp_path, files(SMALL))
    omniglot = Omniglot(path, split="validation", size=SIDE)
    shutil.rmtree(path / SMALL[0])
    first = omniglot.sample(np.random.default_rng(0), 3, 2, 3)
    shutil.rmtree(path / "Tagalog")
    assert np.array_equal(first.query.x, omniglot.sample(np.random.default_rng(0), 3, 2, 3).query.x)


def test_what_goes_to_another_process_is_the_path_and_not_the_pictures(tmp_path):
    omniglot = Omniglot(copy_of(SMALL, tmp_path), split="validation", size=SIDE)
    episode = omniglot.sample(np.random.default_rng(0), 3, 2, 3)
    sent = pickle.dumps(omniglot)
    assert len(sent) < 1000
    again = pickle.loads(sent).sample(np.random.default_rng(0), 3, 2, 3)
    assert np.array_equal(again.support.x, episode.support.x)


def without(named, *lost):
    return {name: content for name, content in named.items() if not name.startswith(lost)}


def cut_off(path):
    archive = zipped(path / "images_background.zip", files(SMALL))
    archive.write_bytes(archive.read_bytes()[:5000])


def page_for_zip(path):
    (path / "images_background.zip").write_text("<!DOCTYPE html><title>404</title>")


BROKEN = {
    "empty": (lambda path: None, "such as Greek/character01/0394_01.png, got '.*' with nothing: download images_back"),
    "foreign": (
        lambda path: write(path, {f"{name}.txt": b"" for name in "fedcba"} | {"photos/cat.png": picture(1, 1)}),
        r"got '.*' with a.txt, b.txt, c.txt, d.txt, e.txt, …: download",
    ),
    "alphabets of someone else": (
        lambda path: write(path, files(SMALL) | {"Elvish/character01/0001_01.png": picture(1, 1)}),
        "Omniglot's alphabets alone, got '.*' with Elvish as well: move",
    ),
    "characters that were not unpacked": (
        lambda path: write(path, without(files(SMALL), "Tagalog/character16", "Tagalog/character17")),
        "got '.*' with 15 of the 17 characters of Tagalog: unpack its zip file again",
    ),
    "drawings that were not unpacked": (
        lambda path: write(path, without(files(SMALL), *(f"Tagalog/character17/0007_{n}" for n in range(12, 21)))),
        "got '.*' with 11 of the 20 drawings of Tagalog/character17: unpack its zip file again",
    ),
    "a download that was cut off": (
        cut_off,
        "got .*images_background.zip with 5000 bytes, which is none or was cut off",
    ),
    "a page in place of a file": (
        page_for_zip,
        "got .*images_background.zip with 33 bytes, which is none or was cut off",
    ),
    "a part without the split": (
        lambda path: write(path, files(SMALL[:1])),
        r"split 'validation' must have alphabets.*Tagalog.*: download images_background_small1.zip",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_copy_that_cannot_be_used_is_refused_with_what_was_found_and_what_to_do(how, tmp_path):
    make, message = BROKEN[how]
    make(tmp_path)
    with pytest.raises(ValueError, match=message):
        Omniglot(tmp_path, split="validation")


def test_a_path_that_leads_nowhere_says_what_to_download(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere'.*: download images_background_small1.zip and"):
        Omniglot(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", picture(1, 1)[:40], b"no picture"])
def test_a_broken_picture_is_named(content, tmp_path):
    name = "Tagalog/character03/0007_04.png"
    write(tmp_path, files(SMALL) | {name: content})
    with pytest.raises(
        ValueError, match=f"{name} must be a PNG image, got one that cannot be read: unpack its zip file again"
    ):
        Omniglot(tmp_path, split="validation").sample(np.random.default_rng(0), 1, 1, 1)


def test_a_copy_that_was_mended_is_read_again(tmp_path):
    write(tmp_path, without(files(SMALL), "Tagalog/character17"))
    with pytest.raises(ValueError, match="16 of the 17"):
        Omniglot(tmp_path)
    write(tmp_path, files(SMALL))
    assert len(Omniglot(tmp_path, split="validation").characters) == 17


@pytest.mark.parametrize(
    ("settings", "shots", "message"),
    [
        ({"split": "held-out"}, 1, "split must be one of train, validation, test, got 'held-out'"),
        ({"ways": 1}, 1, "ways must be at least 2, got 1"),
        ({"turns": 2}, 1, "turns must be 1 or 4, got 2"),
        ({"size": 0}, 1, "size must be at least 1, got 0"),
        ({"ways": 18}, 1, "ways must be at most the 17 classes of split 'validation', got 18"),
        (
            {"ways": 18, "turns": 4, "within_alphabet": True},
            1,
            "the 17 characters of the largest alphabet of .* got 18",
        ),
        ({}, 20, "shots . queries must be at most the 20 drawings of a character, got 21"),
        ({}, 0, "shots must be at least 1, got 0"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(settings, shots, message, tmp_path):
    path = copy_of(SMALL, tmp_path)
    with pytest.raises(ValueError, match=message):
        Omniglot(path, **{"split": "validation"} | settings).sample(np.random.default_rng(0), 2, shots, 1)


@pytest.fixture(scope="module")
def real():
    """The two small background sets as published."""
    named = os.environ.get("MLCOURSE_OMNIGLOT")
    path = Path(named) if named else SHARED / "data" / "omniglot"
    if not path.exists() and not (named or (os.environ.get("CI") == "true" and SHARED.exists())):
        pytest.skip(f"no images in {path}; MLCOURSE_OMNIGLOT names the folder with images_background_small1.zip and 2")
    return path  # where they were promised and are not there, the tests fail


def test_the_small_background_sets_are_read_whole(real):
    sizes = {split: len(Omniglot(real, split=split).characters) for split in ("train", "validation", "test")}
    assert sizes == {"train": 159, "validation": 17, "test": 66}  # 242 characters, Greek and Latin in both sets


def test_a_drawing_has_thin_lines_on_much_paper_and_its_nearest_picture_is_right_more_often_than_chance(real):
    episode = Omniglot(real, split="test").sample(np.random.default_rng(0), 200, 1, 3)
    assert 0.02 < episode.query.x.mean() < 0.15 and episode.query.x.max() > 0.9 and episode.query.x.min() == 0
    distance = np.linalg.norm(episode.query.x[:, :, None] - episode.support.x[:, None], axis=-1)
    assert 0.3 < np.mean(distance.argmin(-1) == episode.query.y) < 0.7


def test_the_real_zip_files_unpacked_give_the_same_tasks(real, tmp_path):
    archive = next(real.rglob("images_background_small2.zip"), None)
    if archive is None:
        pytest.skip(f"{real} has unpacked folders and no zip file of the same")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    for settings in ({"split": "validation"}, {"split": "test", "ways": 20, "within_alphabet": True}):
        one, other = (
            Omniglot(path, **settings).sample(np.random.default_rng(0), 2, 1, 1).query.x for path in (archive, tmp_path)
        )
        assert np.array_equal(one, other)


def test_lesson_09_says_of_handwriting_what_its_cell_prints_from_the_small_background_sets(real, monkeypatch):
    lesson = ROOT / "notebooks" / "09_few_shot_classification.ipynb"
    (note,) = [cell.source for cell in cells(lesson, "markdown") if "```\nOmniglot" in cell.source]
    monkeypatch.setenv("MLCOURSE_OMNIGLOT", str(real))
    copies = [cell.copy() for cell in cells(lesson)]
    (place,) = [n for n, cell in enumerate(copies) if "Omniglot(folder" in cell.source and cell.cell_type == "code"]
    notebook = nbformat.v4.new_notebook(cells=with_what_they_need(copies, {place}))
    with own_progress():
        run(notebook, lesson.parent)
    cell = copies[place]
    said, printed = (
        re.findall(r"^(\w[\w ]*?) +(0\.\d+) ± (0\.\d+) +(0\.\d+) ± (0\.\d+)$", text, re.MULTILINE)
        for text in (note, "".join(output.text for output in cell.outputs))
    )
    assert [row[0] for row in said] == [row[0] for row in printed] and len(said) == 8
    for row, again in zip(said, printed, strict=True):  # another machine may round one picture the other way
        assert np.array(row[1:], float) == pytest.approx(np.array(again[1:], float), abs=0.002), row[0]


def test_no_image_of_it_is_in_the_course():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert not [name for name in listed.split() if "images_background" in name or "images_evaluation" in name]


def test_importing_it_loads_no_picture_library():
    code = "import sys, mlcourse; sys.exit(any(name in sys.modules for name in ('matplotlib', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
