"""The region of interest of a fit: a rectangle, a drawn outline or the mask of a file, over one of the images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.data.datasets import ImageSet
from gad_core.features.region_of_interest import RegionOfInterest
from gad_core.features.regions import Regions
from pages.shared import charts, person, pictures, resources

_ALL, _RECTANGLE, _DRAWN, _FILE = "everything", "a rectangle", "what I draw", "a mask file"
_OUTLINES = "_roi_outlines"  # in the session: what was drawn last, as shares of the image
_WIDTH, _SIDE = 240, 320  # of the picture, and of the one to draw on, in pixels


def choose(images: ImageSet, backbone: str) -> RegionOfInterest | None:
    """What is inspected; None for everything. Raises `GadError` for a file that is no mask."""
    with st.expander("Region of interest", icon=":material/crop_free:", key="inspected"):
        by = st.segmented_control(
            "Inspect",
            [_ALL, _RECTANGLE, _DRAWN, _FILE],
            default=_ALL,
            required=True,
            key="roi_by",
            help="Regions outside are left out; one that is covered in part is averaged over that part. Every image is "
            "stretched to a square first, and so is the mask.",
            persist_state="session",
        )
        if by == _ALL or not len(images):
            return None
        pixels = resources.pixels(backbone, images.files[0])
        left, right = st.columns([3, 2])
        with left:
            roi = _rectangle() if by == _RECTANGLE else _drawn(pixels) if by == _DRAWN else _file()
        with right:
            _preview(pixels, roi)
    return roi


def counted(regions: Regions) -> str:
    """How many regions count: `25 of 49 regions count, 9 of them in part.`"""
    shares = regions.coverage
    inside, in_part = int(np.count_nonzero(shares)), int(np.count_nonzero((shares > 0) & (shares < 1 - 1e-3)))
    words = f"{inside} of {regions.count} regions count"
    return f"{words}, {in_part} of them in part." if in_part else f"{words}."


def _rectangle() -> RegionOfInterest:
    sides: dict[str, Any] = {"min_value": 0, "max_value": 100, "value": (10, 90), "persist_state": "session"}
    left, right = st.slider("From left to right, % of the width", key="roi_across", **sides)
    top, bottom = st.slider("From top to bottom, % of the height", key="roi_down", **sides)
    left, top = min(left, 99), min(top, 99)
    return RegionOfInterest.rectangle(left / 100, top / 100, max(right, left + 1) / 100, max(bottom, top + 1) / 100)


def _drawn(pixels: NDArray[np.uint8]) -> RegionOfInterest | None:
    outlines: list[list[tuple[float, float]]] = st.session_state.setdefault(_OUTLINES, [])
    st.caption("Drag around what is inspected, with the lasso or the box; hold Shift to add another outline.")
    figure = figures.drawing_board(pixels, height=_SIDE)
    charts.draw(figure, key="roi_board", alt="one of the good parts, to draw on", on_draw=_keep)
    return RegionOfInterest.polygon(*outlines) if outlines else None


def _keep(outlines: Sequence[Sequence[tuple[float, float]]]) -> None:
    drawn = [[(x, y) for x, y in outline] for outline in outlines if len(outline) > 2]
    if drawn:  # a chart that is mounted anew says that nothing is drawn
        st.session_state[_OUTLINES] = drawn


def _file() -> RegionOfInterest | None:
    upload = st.file_uploader(
        "A mask, white where parts are inspected", type=["png", "bmp", "tif"], key="roi_file", **person.changing()
    )
    return RegionOfInterest.read(upload.getvalue(), name=upload.name) if upload else None


def _preview(pixels: NDArray[np.uint8], roi: RegionOfInterest | None) -> None:
    if roi is None:
        st.image(pictures.url(pixels), width=_WIDTH, alt="one of the good parts")
        st.caption("Nothing is marked yet: everything is inspected.")
        return
    st.image(
        pictures.url(figures.dimmed(pixels, roi.over(len(pixels)))),
        width=_WIDTH,
        alt="one of the good parts; what is not inspected is dark",
    )
    st.caption(f"{wording.percent(roi.share)} of the image is inspected.")
