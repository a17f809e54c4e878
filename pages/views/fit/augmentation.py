"""Augmented copies for a fit: how many, which steps would make an anomaly, and how they look."""

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.augment_settings import FIG_5, PRESETS, STEPS, Augmentation, Step, preset
from gad_core.data.datasets import ImageSet
from gad_core.gaussian.settings import Augmented
from pages.shared import pictures, resources

_PASSES = (5, 10, 20, 50, 100)
_WORDS: dict[Step, str] = {
    "blur": "blur",
    "tone": "contrast, sharpness",
    "colour": "colour",
    "noise": "noise",
    "flip": "mirror",
    "quarter_turn": "quarter turns",
    "affine": "shift, scale, turn",
}
_WHOLE = 5  # draws of the whole pipeline
_FREE = "no category"


def choose(images: ImageSet, name: str, backbone: str) -> Augmented | None:
    """The copies that are fitted; None where they are off."""
    with st.expander("Augmented copies", icon=":material/auto_fix_high:", key="augmentation"):
        on = st.toggle(
            "Fit augmented copies of every image",
            help="For few images of parts that lie, turn or are lit in many ways. The copies of a left-out image are "
            "left out with it, and every image is scored as it is.",
            key="augment",
            persist_state="session",
        )
        if not on:
            return None
        passes, settings = _settings(name)
        _preview(images, backbone, settings)
    return Augmented(settings, passes)


def _settings(name: str) -> tuple[int, Augmentation]:
    passes_box, category_box, turn_box = st.columns([2, 2, 3], vertical_alignment="bottom")
    passes = passes_box.select_slider(
        "Passes", _PASSES, value=20, help="Copies of every image.", key="passes", persist_state="session"
    )
    names = [_FREE, *sorted(PRESETS)]
    category = category_box.selectbox(
        "As for",
        names,
        index=names.index(name) if name in PRESETS else 0,
        help="Categories of MVTec AD, with the steps and ranges that would make an anomaly left out.",
        key="augment_as",
        persist_state="session",
    )
    start = preset(category)
    turn = turn_box.slider(
        "Turned by up to, degrees",
        0,
        90,
        round(start.rotation),
        key=f"rotation_{category}",
        persist_state="session",
    )
    kept = st.pills(
        "Steps; take out what would make an anomaly",
        STEPS,
        selection_mode="multi",
        default=[step for step in STEPS if getattr(start, step)],
        format_func=lambda step: _WORDS[step],
        key=f"steps_{category}",
        persist_state="session",
    )
    probabilities = {step: getattr(start, step) or getattr(FIG_5, step) for step in kept}
    return int(passes), replace(start, rotation=float(turn), **(dict.fromkeys(STEPS, 0.0) | probabilities))


def _preview(images: ImageSet, backbone: str, settings: Augmentation) -> None:
    """One image under each step that is on, and under the whole pipeline."""
    draw = st.session_state.setdefault("augment_draw", 0)
    file = images.files[draw % len(images)]
    pixels = resources.pixels(backbone, file)
    always = replace(settings, apply=1.0)
    on = [step for step in STEPS if getattr(settings, step)]
    shown = [("as it is", pixels)]
    shown += [(_WORDS[step], Pass(always.alone(step), draw)(file.digest, pixels)) for step in on]
    with st.container(horizontal=True, gap="small", key="augment_steps"):
        for words, image in shown:
            _tile(words, image)
    st.caption("The whole pipeline, as it comes upon half of the copies:")
    with st.container(horizontal=True, gap="small", key="augment_whole"):
        for index in range(_WHOLE):
            _tile("", Pass(always, index + _WHOLE * draw)(file.digest, pixels))
    if st.button("Another draw", key="augment_again", icon=":material/casino:"):
        st.session_state["augment_draw"] += 1
        st.rerun()


def _tile(words: str, image: NDArray[np.uint8]) -> None:
    with st.container(width=112, gap="xxsmall"):
        st.image(pictures.url(image), width=112, alt=words or "a copy under the whole pipeline")
        if words:
            st.caption(words)
