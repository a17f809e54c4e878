"""A part as it is, and under a kind of shift at three strengths."""

import streamlit as st

from gad_core.data.datasets import ImageFile
from gad_core.data.images import resize
from gad_core.data.rendering import Kind
from gad_core.data.shifts import Shift
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.words import name_of
from gad_core.detectability.drawing import read_photo
from gad_core.detectability.study import training_files
from gad_core.features.registry import get_backbone
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, pictures, resources
from pages.shared.text import plain

_WIDTH = 205  # pixels
_CLOSE = 3  # a close-up shows a third of the side


def show(found: DeploymentShift, test: resources.TestImages, dataset: DatasetRow) -> None:
    """Of one kind, chosen, the last step that holds or the weakest, the first that breaks, and the strongest."""
    kinds = [one.kind for one in found.tolerances]
    culprit = found.culprit.shift.kind if found.culprit else kinds[0]
    with charts.cornered("How it looks", "The middle of a good part as the network sees it, enlarged.") as corner:
        kind = corner.selectbox(
            "Kind",
            kinds,
            index=kinds.index(culprit),
            key="seen_kind",
            format_func=name_of,
            label_visibility="collapsed",
            width=200,
        )
        files = training_files(test.detector, resources.dataset(dataset))
        file = files[min(files)]
        with st.container(horizontal=True, gap="medium", key="seen"):
            for shift, words in _shown(found, kind):
                with st.container(width=_WIDTH, gap="xxsmall"):
                    st.image(_picture(file.digest, shift, test.detector.backbone, _file=file), width=_WIDTH, alt=words)
                    st.caption(plain(words))


def _shown(found: DeploymentShift, kind: Kind) -> list[tuple[Shift, str]]:
    """The steps that are shown, with what becomes of left-out parts there."""
    tolerance = next(one for one in found.tolerances if one.kind == kind)
    steps = found.by_kind[kind]
    chosen = [tolerance.holds or steps[0].shift, tolerance.breaks or steps[len(steps) // 2].shift, steps[-1].shift]
    if len(set(chosen)) < len(chosen):  # spread over the steps instead
        chosen = [steps[0].shift, steps[len(steps) // 2].shift, steps[-1].shift]
    shown = [step for step in steps if step.shift in chosen]
    flagged = f"{100 * found.unshifted.whole.left_out.value:.0f} % flagged"
    none = Shift(kind, found.by_kind[kind][0].shift.scale.none)
    return [
        (none, f"as it is: {flagged}"),
        *((step.shift, f"{step.shift}: {100 * step.whole.left_out.value:.0f} % flagged") for step in shown),
    ]


@st.cache_data(show_spinner=False, max_entries=64)
def _picture(digest: str, shift: Shift, backbone: str, *, _file: ImageFile) -> str:
    """The close-up as a URL."""
    size = get_backbone(backbone).input_size
    pixels = resize(shift(digest, read_photo(_file), input_size=size), size)
    edge = (size - size // _CLOSE) // 2
    close = pixels[edge : edge + size // _CLOSE, edge : edge + size // _CLOSE]
    return pictures.url(close.repeat(_CLOSE, axis=0).repeat(_CLOSE, axis=1))
