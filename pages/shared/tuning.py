"""The controls that tune a fitted detector, the same on every page and in the link: levels, components, distance."""

import streamlit as st

from gad_core.decision.reduction_map import REDUCTIONS
from gad_core.features.backbones import Backbone
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import DISTANCES
from gad_core.gaussian.tuning import Tuning, all_levels, parse_distance, parse_levels, presets, recommended
from pages.shared.controls import BOUND

REDUCTION_NAMES = tuple(str(cut) for cut in REDUCTIONS)
_SCORE_NAMES = {"mahalanobis": "Mahalanobis", "sed": "standardised Euclidean", "l2": "Euclidean (L2)"}


def tuning(backbone: Backbone) -> Tuning:
    """Preset, levels, score and components kept; what they say together."""
    start = recommended(backbone)
    _forget_foreign_levels(backbone)
    levels = st.pills(
        "Levels in the sum",
        list(map(str, all_levels(backbone))),
        default=list(map(str, start.levels)),
        selection_mode="multi",
        key="levels",
        help="The distances of these levels are added (eq. 4). Later levels see larger and more abstract structures.",
        **BOUND,
    )
    score_box, keep_box = st.columns([2, 5], vertical_alignment="bottom")
    score = score_box.selectbox(
        "Distance",
        list(DISTANCES),
        key="score",
        help="mahalanobis: eq. 3; sed: standardised Euclidean distance, eq. 7; l2: plain Euclidean distance.",
        **BOUND,
    )
    keep = keep_box.select_slider(
        "Components kept",
        REDUCTION_NAMES,
        value=str(start.reduction),
        key="keep",
        help="Left of `all`, PCA keeps that share of the variance from the strongest components down; right of it, "
        "NPCA keeps it from the weakest up. The paper finds that the weak ones discriminate.",
        **BOUND,
    )
    now = Tuning(_levels(levels, backbone), Reduction.parse(keep), parse_distance(score))
    with st.container(horizontal=True, gap="xsmall"):
        for name, preset in presets(backbone).items():
            st.button(
                name,
                key=f"preset_{name}",
                type="tertiary",
                icon=":material/radio_button_checked:" if preset == now else ":material/radio_button_unchecked:",
                on_click=choose,
                args=(preset,),
            )
    return now


def chosen(backbone: Backbone) -> Tuning:
    """What the controls say, for places outside their fragment."""
    start, state = recommended(backbone), st.session_state
    _forget_foreign_levels(backbone)
    return Tuning(
        _levels(state.get("levels"), backbone),
        Reduction.parse(state.get("keep") or str(start.reduction)),
        parse_distance(state.get("score") or start.distance),
    )


def choose(preset: Tuning) -> None:
    """Set the controls; for callbacks, which run before the controls are drawn."""
    st.session_state["levels"] = list(map(str, preset.levels))
    st.session_state["keep"] = str(preset.reduction)
    st.session_state["score"] = preset.distance


def words(chosen: Tuning) -> str:
    """A tuning in words: `levels 6-8, npca:0.05`."""
    levels = ", ".join(map(str, chosen.levels))
    one = "level" if len(chosen.levels) == 1 else "levels"
    distance = "" if chosen.distance == "mahalanobis" else f", {_SCORE_NAMES[chosen.distance]}"
    return f"{one} {levels}, {chosen.reduction}{distance}"


def _forget_foreign_levels(backbone: Backbone) -> None:
    """Levels chosen for a deeper network mean nothing on this one."""
    known = set(map(str, all_levels(backbone)))
    if set(st.session_state.get("levels") or ()) - known:
        del st.session_state["levels"]
        st.query_params.pop("levels", None)


def _levels(chosen: list[str] | None, backbone: Backbone) -> tuple[int, ...]:
    return parse_levels(",".join(chosen), backbone.n_levels) if chosen else recommended(backbone).levels
