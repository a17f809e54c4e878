"""Pictures in rows, a page at a time."""

from collections.abc import Callable, Sequence
from io import BytesIO

import streamlit as st
from PIL import Image

from gad_core.data.datasets import ImageFile
from gad_core.data.images import ImageRefused, decode

_SIDE = 168  # of a tile's longer edge, in pixels: two for each that is shown on most screens


def gallery(
    files: Sequence[ImageFile], *, key: str, caption: Callable[[int], str] | None = None, per_page: int = 24
) -> None:
    """Thumbnails of images with captions; `caption` gets the position in `files`."""
    if not files:
        return
    n_pages = -(-len(files) // per_page)
    page = st.session_state.get(f"{key}_page", 1)
    first = (min(page, n_pages) - 1) * per_page
    with st.container(horizontal=True, gap="small", key=key):
        for position, file in enumerate(files[first : first + per_page], start=first):
            words = caption(position) if caption else file.path.name
            st.image(thumbnail(file), caption=words, width=112, alt=f"{file.defect}: {file.path.name}")
    if n_pages > 1:
        st.pagination(n_pages, key=f"{key}_page")


def thumbnail(file: ImageFile) -> bytes:
    """A small JPEG of an image."""
    return _thumbnail(file.digest, file)


@st.cache_data(show_spinner=False, max_entries=4000)
def _thumbnail(digest: str, _file: ImageFile) -> bytes:
    """A small JPEG; a file that has vanished or changed for the worse is a grey tile."""
    try:
        image = Image.fromarray(decode(_file.path))
    except ImageRefused:
        image = Image.new("RGB", (_SIDE, _SIDE), "#999999")
    image.thumbnail((_SIDE, _SIDE))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=85)
    return stream.getvalue()
