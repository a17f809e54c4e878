"""What is explained and how: tuning, references, how the map is drawn, and which image."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from gad_core import wording
from gad_core.data.datasets import ImageFile
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DetectorRow
from pages.shared import opened, tuning
from pages.shared.controls import BOUND
from pages.shared.gallery import gallery
from pages.shared.text import plain
from pages.views.attributions.maps import Drawing

_N_REFERENCES = 10


def controls(detector: DetectorRow) -> tuple[Tuning, int, Drawing]:
    """Tuning, number of references, and how the map is drawn."""
    boxes = st.grid(4, min_column_width=200, vertical_alignment="bottom")
    chosen, n_references = _reading(boxes, detector)
    blur = boxes.slider("Blur", 0.0, 8.0, 2.0, 0.5, help="Pixels; for the eye alone.", key="blur", **BOUND)
    opacity = boxes.slider("Opacity", 0.2, 1.0, 0.8, 0.1, help="Of the map over the image.", key="opacity", **BOUND)
    st.caption(f":material/tune: {wording.tuning(chosen)}")
    return chosen, n_references, Drawing(float(blur), float(opacity))


def reading(detector: DetectorRow) -> tuple[Tuning, int]:
    """Tuning and number of references alone."""
    chosen, n_references = _reading(st.grid(4, min_column_width=200, vertical_alignment="bottom"), detector)
    st.caption(f":material/tune: {wording.tuning(chosen)}")
    return chosen, n_references


def _reading(boxes: DeltaGenerator, detector: DetectorRow) -> tuple[Tuning, int]:
    chosen = tuning.in_popover(boxes, detector)
    n_references = boxes.select_slider(
        "References",
        [1, 3, 5, 10, 20, 32],
        value=_N_REFERENCES,
        help="Good parts that the image is compared with; the map is the mean over them.",
        key="references",
        **BOUND,
    )
    return chosen, int(n_references)


def open_file(files: Sequence[ImageFile], scores: NDArray[np.float64]) -> ImageFile:
    """The image that is open; by default the defect with the highest score."""
    linked = opened.image()
    if linked and (file := next((file for file in files if file.digest.startswith(linked)), None)):
        return file
    order = np.lexsort((-scores, np.array([not file.anomalous for file in files])))
    return files[int(order[0])]


def pick(files: Sequence[ImageFile], scores: NDArray[np.float64], shown: ImageFile) -> None:
    """The test images by falling score, to choose from; the one that is shown is marked."""
    with st.expander("Choose an image", icon=":material/photo_library:", key="choose"):
        kinds: dict[str, list[int]] = {"all": []}
        for i in np.argsort(-scores).tolist():
            kinds["all"].append(i)
            kinds.setdefault(files[i].defect.replace("_", " "), []).append(i)
        kind = st.segmented_control(
            "Kind",
            list(kinds),
            default="all",
            required=True,
            format_func=lambda name: f"{plain(name)} · {len(kinds[name])}",
            key="explained_kind",
            label_visibility="collapsed",
        )
        order = kinds.get(str(kind)) or kinds["all"]
        gallery(
            [files[i] for i in order],
            key=f"explained_{kind}",
            caption=lambda place: f"{files[order[place]].defect.replace('_', ' ')} · {scores[order[place]]:.3g}",
            per_page=16,
            selected=shown.digest,
            on_press=lambda file: opened.open_image(file.digest),
        )
