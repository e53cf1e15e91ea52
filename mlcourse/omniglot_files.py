"""Where a copy of Omniglot's images is, whether it is all there, and how a drawing is read.

Published are zip files, images_background.zip and images_evaluation.zip, and two small ones with a part of the first;
they hold <name>/<alphabet>/character01/0001_01.png and so on. What is read is any of them, or what they unpack to.
"""

from contextlib import ExitStack
from functools import cache
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

import numpy as np

DRAWINGS = 20  # of each character, one by each of 20 people
BACKGROUND = {  # alphabet -> its characters, as published: 964 in all
    "Alphabet_of_the_Magi": 20, "Anglo-Saxon_Futhorc": 29, "Arcadian": 26, "Armenian": 41, "Asomtavruli_(Georgian)": 40,
    "Balinese": 24, "Bengali": 46, "Blackfoot_(Canadian_Aboriginal_Syllabics)": 14, "Braille": 26,
    "Burmese_(Myanmar)": 34, "Cyrillic": 33, "Early_Aramaic": 22, "Futurama": 26, "Grantha": 43, "Greek": 24,
    "Gujarati": 48, "Hebrew": 22, "Inuktitut_(Canadian_Aboriginal_Syllabics)": 16, "Japanese_(hiragana)": 52,
    "Japanese_(katakana)": 47, "Korean": 40, "Latin": 26, "Malay_(Jawi_-_Arabic)": 40, "Mkhedruli_(Georgian)": 41,
    "N_Ko": 33, "Ojibwe_(Canadian_Aboriginal_Syllabics)": 14, "Sanskrit": 42, "Syriac_(Estrangelo)": 23, "Tagalog": 17,
    "Tifinagh": 55,
}  # fmt: skip
EVALUATION = {  # 659 in all
    "Angelic": 20, "Atemayar_Qelisayer": 26, "Atlantean": 26, "Aurek-Besh": 26, "Avesta": 26, "Ge_ez": 26,
    "Glagolitic": 45, "Gurmukhi": 45, "Kannada": 41, "Keble": 26, "Malayalam": 47, "Manipuri": 40, "Mongolian": 30,
    "Old_Church_Slavonic_(Cyrillic)": 45, "Oriya": 46, "Sylheti": 28, "Syriac_(Serto)": 23, "Tengwar": 25,
    "Tibetan": 42, "ULOG": 26,
}  # fmt: skip
PUBLISHED = BACKGROUND | EVALUATION
GET_IT = (
    "download images_background_small1.zip and images_background_small2.zip, or images_background.zip and "
    "images_evaluation.zip, from the folder python of github.com/brendenlake/omniglot into one folder and give that "
    "folder as path; the zip files need not be unpacked"
)


def _images(path):
    """(folder or zip, name inside it) of every PNG under `path`; what is zipped comes last."""
    if path.is_dir():
        yield from ((path, found.relative_to(path).as_posix()) for found in sorted(path.rglob("*.png")))
    for archive in sorted(path.rglob("*.zip")) if path.is_dir() else [path]:
        try:
            with ZipFile(archive) as opened:
                yield from ((archive, name) for name in sorted(opened.namelist()) if name.endswith(".png"))
        except BadZipFile as error:
            raise ValueError(
                f"path must lead to whole zip files, got {archive} with {archive.stat().st_size} bytes, which is none "
                "or was cut off: remove it and download it again"
            ) from error


def index(path):
    """Where the drawings under `path` are: alphabet -> character -> file name -> (folder or zip, name inside it).

    Any depth of folders, zip files among them; an alphabet that is in several of them counts once.
    Raises FileNotFoundError where there is nothing, ValueError for what is not Omniglot, or not all of it.
    """
    path, found = Path(path).expanduser(), {}
    if not path.exists():
        raise FileNotFoundError(
            f"path must lead to Omniglot's images, got {str(path)!r}, which does not exist: {GET_IT}"
        )
    for source, name in _images(path):
        *_, alphabet, character, drawing = "", "", *PurePosixPath(source.name, name).parts
        if character.startswith("character") and not drawing.startswith("."):  # ._x.png is a Mac's note on x.png
            found.setdefault(alphabet, {}).setdefault(character, {})[drawing] = source, name
    if not found:
        here = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else [path.name]
        listed = ", ".join(here[:5]) + (", …" if len(here) > 5 else "") if here else "nothing"
        raise ValueError(
            f"path must lead to images such as Greek/character01/0394_01.png, got {str(path)!r} with {listed}: {GET_IT}"
        )
    if foreign := sorted(set(found) - set(PUBLISHED)):
        raise ValueError(
            f"path must lead to Omniglot's alphabets alone, got {str(path)!r} with {', '.join(foreign[:5])} as well: "
            "move what is not Omniglot's out of it, and give alphabets their published names"
        )
    _whole(path, found)
    return found


def _whole(path, found):
    """Raise ValueError for an alphabet or a character that was unpacked in part."""
    for alphabet, characters in sorted(found.items()):
        missing = f"{len(characters)} of the {PUBLISHED[alphabet]} characters of {alphabet}"
        if len(characters) == PUBLISHED[alphabet]:
            short = [
                (name, len(drawings)) for name, drawings in sorted(characters.items()) if len(drawings) != DRAWINGS
            ]
            if not short:
                continue
            missing = f"{short[0][1]} of the {DRAWINGS} drawings of {alphabet}/{short[0][0]}"
        raise ValueError(
            f"path must lead to whole alphabets, got {str(path)!r} with {missing}: unpack its zip file again, or "
            "remove the folder and give the zip file itself"
        )


@cache
def _shares(length, size):
    """W (size, length): the share that each of `length` pixels has in each of `size` equal parts of the line."""
    edges, pixel = np.linspace(0, length, size + 1)[:, None], np.arange(length)
    return np.maximum(np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel), 0) * size / length


def _decoded(file, where, size):
    """The PNG in an open file, ink 1 and paper 0, as the means over size x size equal areas of it."""
    from matplotlib.image import imread

    try:
        image = imread(file, format="png")
    except Exception as error:  # whatever a decoder says of a broken file, the way out is the same
        raise ValueError(
            f"{where} must be a PNG image, got one that cannot be read: unpack its zip file again"
        ) from error
    image = image if image.ndim == 2 else image[..., :3].mean(axis=-1)
    height, width = image.shape
    return 1 - _shares(height, size) @ image @ _shares(width, size).T


def read(characters, size):
    """The drawings of one alphabet of the index: character -> (20, size, size), ink 1 and paper 0.

    Raises ValueError for a file that is no image.
    """
    with ExitStack() as stack:
        sources = {source for drawings in characters.values() for source, _ in drawings.values()}
        opened = {source: stack.enter_context(ZipFile(source)) for source in sources if source.is_file()}

        def image(source, name):
            with opened[source].open(name) if source in opened else open(source / name, "rb") as file:
                return _decoded(file, source / name, size)

        return {
            character: np.array([image(*where) for _, where in sorted(drawings.items())], dtype=np.float32)
            for character, drawings in characters.items()
        }
