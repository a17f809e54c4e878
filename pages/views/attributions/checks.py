"""Checks on one map, each on demand: does it hold, and what do other methods say?"""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution import counterfactuals as edits
from gad_core.attribution import probes as checks
from gad_core.attribution.category import mask_of
from gad_core.attribution.deep_shap import Attribution
from gad_core.attribution.explanation import mask_weights
from gad_core.data.datasets import ImageFile
from gad_core.errors import GadError
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, frame, resources
from pages.views.attributions import clever_hans

_KEPT = "_probed"  # in the session: results by what they were made from


def probes(
    detector_row: DetectorRow, dataset_row: DatasetRow, file: ImageFile, found: Attribution, tuning: Tuning
) -> None:
    """Buttons, and what was found."""
    detector, engine = resources.detector(detector_row), resources.engine(resources.detector(detector_row).backbone)
    network, image = engine.network, resources.pixels(detector_row, file)
    assert detector.references is not None  # noqa: S101 - the attribution has used them
    normal = detector.references[edits.nearest(image, detector.references, np.ones(image.shape[:2]))]
    score = edits.scorer(detector, engine, tuning)

    def exchange() -> edits.Counterfactuals:
        twin = clever_hans.twin_pixels(detector_row, dataset_row, file)
        weights = mask_weights(mask_of(file), image.shape[:2])
        return edits.counterfactuals(image, weights, score, normals=detector.references, twin=twin)

    offered: dict[str, tuple[str, Callable[[], Any], Callable[[Any], None]]] = {
        "Make the defect normal": (
            "The score once the defect, or all but the defect, comes from a normal part.",
            exchange,
            _show_counterfactuals,
        ),
        "Delete by attribution": (
            "How fast the score falls if the image gives way to a normal part, highest attribution first.",
            lambda: edits.deletion(image, normal, found.total, score),
            _show_deletion,
        ),
        "Other references": (
            "Agreement of the maps of four draws of references (rank correlation over blocks).",
            lambda: checks.stability(detector, network, image, tuning=tuning, n_references=len(found.references)),
            lambda both: st.markdown(f"Mean agreement **{both[0]:.2f}**, least **{both[1]:.2f}** (1: the same map)."),
        ),
        "Shuffled weights": (
            "A map that tells of the network must change when the network's weights are shuffled.",
            lambda: checks.randomisation(detector, network, image, found, tuning),
            lambda same: st.markdown(
                f"Agreement with the shuffled network's map: **{same:.2f}** (1 would be suspect)."
            ),
        ),
        "Infidelity": (
            "Captum's infidelity under exchanged squares: 0 tells every change, 1 is no better than an empty map.",
            lambda: checks.captum_infidelity(detector, network, image, found, tuning),
            lambda value: st.markdown(f"Infidelity **{value:.2f}**."),
        ),
        "Integrated gradients": (
            "Captum's integrated gradients from the same references.",
            lambda: checks.integrated_gradients(detector, network, image, found, tuning),
            lambda opinion: _show_opinion(opinion, image),
        ),
        "Without looking inside": (
            "Shap's partition explainer over blocks: it sees the score alone, never the network.",
            lambda: checks.partition_values(image, normal, found, score),
            lambda opinion: _show_opinion(opinion, image),
        ),
    }
    with st.expander("Does the map hold? Checks and second opinions", icon=":material/fact_check:", key="probes"):
        name = st.segmented_control(
            "Check", list(offered), key="probe", label_visibility="collapsed", persist_state="session"
        )
        if name is None:
            st.caption("Choose a check; each takes some seconds.")
            return
        about, work, show = offered[name]
        st.caption(about)
        made_from = (name, detector_row.id, file.digest, tuning, len(found.references))
        kept = st.session_state.setdefault(_KEPT, {})
        if made_from not in kept:
            try:
                with st.spinner(f"{name} …"):
                    kept[made_from] = work()
            except GadError as error:
                frame.trouble(error)
                return
        show(kept[made_from])


def _show_counterfactuals(made: edits.Counterfactuals) -> None:
    source = "its undamaged twin" if made.exact else "the nearest good part"
    with st.grid(3, min_column_width=180):
        for picture, value, words in (
            (made.without_defect, made.score_without_defect, f"defect from {source}"),
            (made.without_background, made.score_without_background, f"all but the defect from {source}"),
            (made.normal, made.normal_score, source),
        ):
            with st.container():
                st.image(picture, width=200, alt=f"{words}: distance {value:.3g}")
                st.caption(f"{words}: distance **{wording.number(value)}**")
    st.markdown(
        f"The image's distance is **{wording.number(made.score)}**; with the defect goes "
        f"**{wording.share(made.share_of_defect)}** of what it has above {source}."
    )


def _show_deletion(made: edits.Deletion) -> None:
    finding = f"By attribution the score falls faster than by chance by {100 * made.gain:.0f} % of its fall."
    st.markdown(finding)
    figure = figures.deletion_curve(made.shares, made.by_attribution, made.by_chance)
    charts.show(figure, key="deletion", alt=finding)


def _show_opinion(opinion: checks.Opinion, image: np.ndarray) -> None:
    finding = f"Agreement with the map above: {opinion.agreement:.2f} (rank correlation over blocks)."
    st.markdown(finding)
    limit = float(np.quantile(np.abs(opinion.total), 0.999)) or 1.0
    figure = figures.attribution_map(opinion.total, limit=limit, image=image, opacity=0.8, height=280)
    charts.show(figure, key="opinion", alt=f"{opinion.name}: {finding}")
