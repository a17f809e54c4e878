"""Three pictures of a data set in a row, so that it is known at a glance."""

from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from gad_core.data.datasets import GOOD
from gad_core.data.demo import photo
from gad_core.data.demo.cheats import CHEATS
from gad_core.data.demo.photos import PARTS
from gad_core.data.images import IMAGE_SUFFIXES, decode
from gad_core.errors import ImageRefused
from gad_core.workspace.rows import DatasetRow
from pages.shared import pictures, resources

_N, _SIDE = 3, 96  # pictures, and pixels of each
_WIDTH = 156  # of the strip on the screen


def show(strip: NDArray[np.uint8] | None, *, alt: str) -> None:
    """The strip, where there is one."""
    if strip is not None:
        st.image(pictures.url(strip), width=_WIDTH, alt=alt)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=resources.BY_STATE)
def of_dataset(row: DatasetRow) -> NDArray[np.uint8] | None:
    """The first images of a data set side by side; None where none can be read."""
    folders = (row.root / "train" / "good", row.root, *sorted((row.root / "test").glob("*")))
    paths = chain.from_iterable(_images(folder) for folder in folders)
    tiles = (tile for path in islice(paths, 3 * _N) if (tile := _tile(path)) is not None)
    return _beside(list(islice(tiles, _N)))


@st.cache_resource(show_spinner=False, max_entries=8)
def of_demo(category: str) -> NDArray[np.uint8] | None:
    """A good part and two defective ones of a demo category, drawn for the purpose."""
    cheat = CHEATS.get(category)
    part = cheat.part if cheat else category
    tiles = [_small((cheat.honest if cheat else partial(photo, part))("train", GOOD, 0).pixels)]
    for defect in list(PARTS[part].DEFECTS)[: _N - 1]:
        rng = np.random.default_rng(0)
        pixels = cheat.photo("test", defect, 0, rng) if cheat else photo(part, "test", defect, 0).pixels
        tiles.append(_small(pixels))
    return _beside(tiles)


def _images(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    except OSError:
        return []


def _tile(path: Path) -> NDArray[np.uint8] | None:
    try:
        return _small(decode(path))
    except ImageRefused:
        return None


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX))


def _beside(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    return np.concatenate(tiles, axis=1) if tiles else None
