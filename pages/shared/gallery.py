"""Pictures in rows, a page at a time."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from gad_core import figures
from gad_core.data.datasets import ImageFile
from gad_core.data.images import decode
from gad_core.errors import ImageRefused
from pages.shared import pictures
from pages.shared.resources import BY_STATE

_ASSETS = Path(__file__).parents[2] / "assets"
_KEPT = 2000  # thumbnails, of some 5 kB
_SIDE = 168  # of a tile's longer edge, in pixels: two for each that is shown on most screens

# One element for all tiles: an `st.image` each took a third of the time that a move of a slider may take.
_tiles = st.components.v2.component(
    "gallery",
    html="<ul></ul>",
    css=(_ASSETS / "gallery.css").read_text(),
    js=(_ASSETS / "gallery.js").read_text(),
)


def gallery(
    files: Sequence[ImageFile],
    *,
    key: str,
    caption: Callable[[int], str] | None = None,
    per_page: int = 24,
    on_press: Callable[[ImageFile], None] | None = None,
    selected: str | None = None,
    over: Callable[[ImageFile], str | None] | None = None,
) -> None:
    """Thumbnails of images with captions; `caption` gets the position in `files`, `on_press` the pressed image.

    `on_press` runs as a callback, before the next run. The image whose digest is `selected` is marked, wherever it
    stands. `over` gives the URL of a small picture that is laid over the thumbnail.
    """
    if not files:
        return
    n_pages = -(-len(files) // per_page)
    page = min(st.session_state.get(f"{key}_page", 1), n_pages)
    first = (page - 1) * per_page
    shown = files[first : first + per_page]
    tiles = [
        {
            "name": file.digest,
            "source": thumbnail(file),
            "over": over(file) if over else None,
            "caption": caption(position) if caption else file.path.name,
            "alt": f"{file.defect}: {file.path.name}",
            "selected": file.digest == selected,
        }
        for position, file in enumerate(shown, start=first)
    ]

    def pressed() -> None:
        name = st.session_state[key].pressed
        chosen = next((file for file in shown if file.digest == name), None)
        if on_press and chosen:
            on_press(chosen)

    _tiles(key=key, data={"tiles": tiles, "pressable": on_press is not None}, on_pressed_change=pressed)
    if n_pages > 1:
        st.pagination(n_pages, key=f"{key}_page")


def thumbnail(file: ImageFile) -> str:
    """A small JPEG of an image, as a URL that holds it; a grey tile for a file that can no longer be read."""
    known = _thumbnails()
    url = known.get(file.digest)
    if url is None:
        if len(known) >= _KEPT:
            known.clear()
        url = known[file.digest] = pictures.url(small(file))
    return url


@st.cache_resource(show_spinner=False)
def _thumbnails() -> dict[str, str]:
    """Those of this server, by digest: a cached function would take as long to look one up as a chart to be drawn."""
    return {}


@st.cache_resource(show_spinner=False, max_entries=500, hash_funcs=BY_STATE)
def small(file: ImageFile) -> NDArray[np.uint8]:
    """The same as pixels."""
    try:
        image = Image.fromarray(decode(file.path))
    except ImageRefused:
        image = Image.new("RGB", (_SIDE, _SIDE), "#999999")
    image.thumbnail((_SIDE, _SIDE))
    return np.asarray(image)


def tints(maps: Mapping[str, NDArray[np.float64]], limit: float) -> Callable[[ImageFile], str | None]:
    """Maps of regions (rows, columns), by digest, to lie over thumbnails; the middle of the colours is `limit`."""

    def tint(file: ImageFile) -> str | None:
        values = maps.get(file.digest)
        return None if values is None else pictures.url(figures.region_tint(values, limit=limit))

    return tint


def with_regions(maps: Mapping[str, NDArray[np.float64]], limit: float) -> Callable[[ImageFile], str]:
    """Thumbnails under their map of regions (rows, columns), by digest; the middle of the colours is `limit`."""

    def picture(file: ImageFile) -> str:
        values = maps.get(file.digest)
        if values is None:
            return thumbnail(file)
        return pictures.url(figures.region_overlay(small(file), values, limit=limit))

    return picture
