"""The controls that tune the open detector, the same on every page: levels, components, kind of distance."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gad_core import wording
from gad_core.features.registry import get_backbone
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import REDUCTIONS, Reduction
from gad_core.gaussian.tuning import DISTANCES, Tuning, all_levels, presets
from gad_core.workspace.rows import DetectorRow
from pages.shared import resources, settings

_POOLS = ("top:0.1", "power:8", "mean", "max", settings.WHOLE)


def in_popover(container: DeltaGenerator, row: DetectorRow) -> Tuning:
    """The controls in a popover of this container."""
    for key in {"levels", "score", "keep", "pool"} & st.session_state.keys():
        # One that opens after a fragment's run would else show, and send, nothing chosen. Controls in sight are not
        # set: the answer to an earlier choice would take back one made meanwhile.
        st.session_state[key] = st.session_state[key]
    with container.popover("Levels & components", icon=":material/tune:", width="stretch", wrap=True, key="tuning"):
        return controls(row)


def controls(row: DetectorRow) -> Tuning:
    """Preset, regions, levels, distance and components kept; what they say together."""
    backbone, regions = get_backbone(row.backbone), resources.summary(row).regions
    if regions:
        st.selectbox(
            "Score",
            list(dict.fromkeys([*_POOLS, str(settings.current(row).tuning.pool or settings.WHOLE)])),
            key="pool",
            on_change=settings.fit_to_regions,
            format_func=lambda text: wording.pool(None if text == settings.WHOLE else Pool.parse(text)),
            help=f"A Gaussian for each of {regions} regions, each on the scale of its left-out good parts, or one for "
            "the whole image (the paper's).",
        )
    pooled = settings.current(row).tuning.pool is not None
    st.pills(
        "Levels in the sum",
        list(map(str, regions.levels if pooled and regions else all_levels(backbone))),
        selection_mode="multi",
        key="levels",
        on_change=settings.keep,
        help="The distances of these levels are added (eq. 4). Later levels see larger and more abstract structures.",
    )
    pair = st.grid(2, min_column_width=200)
    pair.selectbox(
        "Distance",
        list(DISTANCES),
        key="score",
        on_change=settings.keep,
        format_func=wording.distance,
        disabled=pooled,
        help="Mahalanobis: eq. 3; standardised Euclidean: eq. 7.",
    )
    pair.select_slider(
        "Components kept",
        _steps(str(settings.current(row).tuning.reduction)),
        key="keep",
        on_change=settings.keep,
        format_func=lambda text: wording.reduction(Reduction.parse(text)),
        help="Left of `all`, PCA keeps that share of the variance from the strongest components down; right of it, "
        "NPCA keeps it from the weakest up. The paper finds that the weak ones discriminate.",
    )
    settings.remember(row)
    tuning = settings.current(row).tuning
    with st.container(horizontal=True, gap="xsmall"):
        for name, preset in presets(backbone, regions).items():
            st.button(
                name,
                key=f"preset_{name}",
                type="tertiary",
                icon=":material/radio_button_checked:" if preset == tuning else ":material/radio_button_unchecked:",
                on_click=settings.choose,
                args=(preset,),
            )
    return tuning


def _steps(chosen: str) -> Sequence[str]:
    """The slider's steps, from few strong components over all to few weak ones; a value between two is one itself."""
    steps = {str(reduction): reduction for reduction in (*REDUCTIONS, Reduction.parse(chosen))}
    return sorted(steps, key=lambda text: _place(steps[text]))


def _place(reduction: Reduction) -> tuple[int, float]:
    """Where a reduction stands among the steps: PCA by rising share, all, NPCA by falling share."""
    side = {"pca": -1, "all": 0, "npca": 1}[reduction.kind]
    return side, -side * reduction.variance
