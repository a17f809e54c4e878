"""One image at its full size: what it shows, its mask, and the label that it should have."""

import streamlit as st

from gad_core.data.datasets import GOOD, ImageFile
from gad_core.errors import GadError
from gad_core.workspace.imports import Split, relabel
from gad_core.workspace.rows import DatasetRow
from pages.shared import frame, resources
from pages.views.data.bring import KINDS

_PRESSED = "_pressed_image"


def press(file: ImageFile) -> None:
    """Ask for the dialog at the next run; for callbacks."""
    st.session_state[_PRESSED] = file


def pressed(row: DatasetRow) -> None:
    """Open the dialog if an image was pressed."""
    file = st.session_state.pop(_PRESSED, None)
    if file is not None:
        _picture(row, file)


@st.dialog("Image", width="medium")
def _picture(row: DatasetRow, file: ImageFile) -> None:
    words = f"{file.path.name}: {file.defect.replace('_', ' ')}"
    with st.container(horizontal=True):
        st.image(str(file.path), caption=words, width=340, alt=words)
        if file.mask:
            st.image(str(file.mask), caption="its mask", width=340, alt="mask of the defect")
    if row.kind != "upload":
        st.caption(f"{row.name} stays as it is; labels can be changed in data sets that were uploaded.")
        return
    split: Split = "train" if "train" in file.path.relative_to(row.root).parts[:1] else "test"
    names = list(KINDS)
    now = list(KINDS.values()).index((split, file.defect == GOOD))
    kind = st.selectbox("It shows", names, index=now, key=f"label_{file.digest}")
    part, good = KINDS[str(kind)]
    defect = GOOD
    if not good:
        known = sorted({image.defect for image in resources.dataset(row).test if image.anomalous} | {"defect"})
        here = known.index(file.defect) if file.defect in known else 0
        chosen = st.selectbox("Type of defect", known, index=here, accept_new_options=True, key=f"type_{file.digest}")
        defect = str(chosen or "defect").strip() or "defect"
    mask = None if good else st.file_uploader("Mask, white where the defect is", key=f"mask_{file.digest}")
    if st.button("Save", type="primary", icon=":material/check:", key="relabel"):
        try:
            data = mask.getvalue() if mask else None
            relabel(resources.store(), row.id, file, split=part, defect=defect, mask=data)
        except GadError as error:
            frame.trouble(error)
        else:
            st.rerun()
