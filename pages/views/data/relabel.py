"""One image at its full size: what it shows, its mask, and the label that it should have."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageColor
from scipy import ndimage

from gad_core.data.datasets import GOOD, ImageFile
from gad_core.data.images import decode, decode_mask
from gad_core.errors import GadError, ImageRefused
from gad_core.figures import SELECTED
from gad_core.workspace.imports import Split, defect_type, relabel
from gad_core.workspace.rows import DatasetRow
from pages.shared import frame, person, pictures, resources
from pages.shared.text import plain
from pages.views.data.bring import KINDS

_PRESSED = "_pressed_image"
_EDGE = ImageColor.getrgb(SELECTED)
_FIXED = {
    "folder": "Labels are those of the folder on the server: change them there, or bring the images as an upload.",
    "demo": "These are demo parts, whose labels stay; those of your own images can be changed.",
}


def _outlined(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The image (H, W, 3) with the edge of its mask, which may be of another size, in the colour of selections."""
    height, width = pixels.shape[:2]
    whole = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
    inside = np.asarray(whole, bool)
    thick = max(1, min(height, width) // 300)
    edge = ndimage.binary_dilation(inside, iterations=thick) ^ ndimage.binary_erosion(inside, iterations=thick)
    shown = pixels.copy()
    shown[edge] = _EDGE
    return shown


def offer(row: DatasetRow) -> str:
    """What a click on an image of this data set gives."""
    shown = "A click on an image shows it in full, with its mask"
    return f"{shown}; its label and mask can be changed there." if _ours(row) else f"{shown}. {_FIXED[row.kind]}"


def _ours(row: DatasetRow) -> bool:
    """Whether the images lie in the workspace for somebody to sort."""
    return row.kind == "upload"


def press(file: ImageFile) -> None:
    """Ask for the dialog at the next run; for callbacks."""
    st.session_state[_PRESSED] = file


def pressed(row: DatasetRow) -> None:
    """Open the dialog if an image was pressed."""
    file = st.session_state.pop(_PRESSED, None)
    if file is not None:
        _picture(row, file)


@st.dialog("Image", width="large")
def _picture(row: DatasetRow, file: ImageFile) -> None:
    left, right = st.columns([3, 1]) if _ours(row) else (st.container(), st.container())
    try:
        with left:
            _shown(file)
    except ImageRefused as error:
        frame.trouble(error)
        return
    with right:
        if _ours(row):
            _label(row, file)
        else:
            st.caption(_FIXED[row.kind])


def _shown(file: ImageFile) -> None:
    """The image and, if wanted, the outline of its mask."""
    words = f"{file.path.name}: {file.defect.replace('_', ' ')}"
    pixels = decode(file.path)
    mask = decode_mask(file.mask) if file.mask else None
    shown = pixels
    if mask is not None and st.toggle("Outline of the mask", value=True, key=f"outline_{file.digest}"):
        shown = _outlined(pixels, mask)
    with st.container(key="picture"):
        st.image(pictures.url(shown), width="stretch", alt=words)
    height, width = pixels.shape[:2]
    st.caption(f"{plain(words)} · {width} x {height} pixels")


def _label(row: DatasetRow, file: ImageFile) -> None:
    """What the image should be known as, and the button that says so."""
    split: Split = "train" if "train" in file.path.relative_to(row.root).parts[:1] else "test"
    names = list(KINDS)
    now = list(KINDS.values()).index((split, file.defect == GOOD))
    kind = st.selectbox("It shows", names, index=now, key=f"label_{file.digest}")
    part, good = KINDS[str(kind)]
    named = ""
    if not good:
        known = sorted({image.defect for image in resources.dataset(row).test if image.anomalous} | {"defect"})
        here = known.index(file.defect) if file.defect in known else 0
        chosen = st.selectbox("Type of defect", known, index=here, accept_new_options=True, key=f"type_{file.digest}")
        named = str(chosen or "")
    off = person.changing()
    upload = None if good else st.file_uploader("Mask, white where the defect is", key=f"mask_{file.digest}", **off)
    if st.button("Save", type="primary", icon=":material/check:", key="relabel", **off):
        try:
            defect = GOOD if good else defect_type(named)
            data = upload.getvalue() if upload else None
            relabel(resources.store(), row.id, file, split=part, defect=defect, mask=data)
        except GadError as error:
            frame.trouble(error)
        else:
            st.rerun()
