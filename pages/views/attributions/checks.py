"""Checks on one map, each on demand: does it hold, and what do other methods say?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution import counterfactuals as edits
from gad_core.attribution import probes
from gad_core.attribution.category import mask_of
from gad_core.attribution.deep_shap import Attribution
from gad_core.attribution.explanation import mask_weights
from gad_core.data.datasets import ImageFile
from gad_core.errors import GadError
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, frame, resources
from pages.views.attributions import clever_hans

_KEPT = "_checked"  # in the session: results by what they were made from


@dataclass(frozen=True)
class Subject:
    """The map that is checked, and what it was made from."""

    test: resources.TestImages
    dataset: DatasetRow
    file: ImageFile
    attribution: Attribution
    tuning: Tuning

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal results."""
        return self.test.state, self.file.digest, self.tuning, len(self.attribution.references)


@dataclass(frozen=True)
class _Check:
    about: str
    work: Callable[[], Any]
    show: Callable[[Any], object]


def checks(subject: Subject) -> None:
    """Buttons, and the result of the check that was chosen."""
    offered = _by_exchange(subject) | _by_another_map(subject)
    with st.expander("Does the map hold? Checks and second opinions", icon=":material/fact_check:", key="probes"):
        name = st.segmented_control(
            "Check", list(offered), key="probe", label_visibility="collapsed", persist_state="session"
        )
        if name is None:
            st.caption("Choose a check; each takes some seconds.")
            return
        check = offered[name]
        st.caption(check.about)
        kept = st.session_state.setdefault(_KEPT, {})
        made_from = (name, *subject.key)
        if made_from not in kept:
            try:
                with st.spinner(f"{name} …"):
                    kept[made_from] = check.work()
            except GadError as error:
                frame.trouble(error)
                return
        check.show(kept[made_from])


def _by_exchange(subject: Subject) -> dict[str, _Check]:
    """Parts of the image give way to those of a normal one; the score tells what that changes."""
    detector, engine = subject.test.detector, resources.engine(subject.test.detector.backbone)
    image = resources.pixels(detector.backbone, subject.file)
    assert detector.references is not None  # noqa: S101 - the attribution has used them
    normals = detector.references
    normal = normals[edits.nearest(image, normals, np.ones(image.shape[:2]))]
    score = edits.scorer(detector, engine, subject.tuning)

    def exchange() -> edits.Counterfactuals:
        twin = clever_hans.twin_pixels(subject.test, subject.dataset, subject.file)
        weights = mask_weights(mask_of(subject.file), image.shape[:2])
        return edits.counterfactuals(image, weights, score, normals=normals, twin=twin)

    return {
        "Make the defect normal": _Check(
            "The score once the defect, or all but the defect, comes from a normal part.",
            exchange,
            _show_counterfactuals,
        ),
        "Delete by attribution": _Check(
            "How fast the score falls if the image gives way to a normal part, highest attribution first.",
            lambda: edits.deletion(image, normal, subject.attribution.total, score),
            _show_deletion,
        ),
        "Without looking inside": _Check(
            "Shap's partition explainer over blocks: it is given the score alone, never the network.",
            lambda: probes.partition_values(image, normal, subject.attribution, score),
            lambda opinion: _show_opinion(opinion, image),
        ),
    }


def _by_another_map(subject: Subject) -> dict[str, _Check]:
    """Maps from other references, another network or another method, held against this one."""
    detector, tuning, attribution = subject.test.detector, subject.tuning, subject.attribution
    network = resources.engine(detector.backbone).network
    image = resources.pixels(detector.backbone, subject.file)
    n_references = len(attribution.references)
    return {
        "Other references": _Check(
            "Agreement of the maps of four draws of references (rank correlation over blocks).",
            lambda: probes.stability(detector, network, image, tuning=tuning, n_references=n_references),
            lambda both: st.markdown(f"Mean agreement **{both[0]:.2f}**, least **{both[1]:.2f}** (1: the same map)."),
        ),
        "Shuffled weights": _Check(
            "A map that tells of the network must change when the network's weights are shuffled.",
            lambda: probes.randomisation(detector, network, image, attribution, tuning),
            lambda same: st.markdown(
                f"Agreement with the shuffled network's map: **{same:.2f}** (1 would be suspect)."
            ),
        ),
        "Infidelity": _Check(
            "Captum's infidelity under exchanged squares: 0 tells every change, 1 is no better than an empty map.",
            lambda: probes.captum_infidelity(detector, network, image, attribution, tuning),
            lambda value: st.markdown(f"Infidelity **{value:.2f}**."),
        ),
        "Integrated gradients": _Check(
            "Captum's integrated gradients from the same references.",
            lambda: probes.integrated_gradients(detector, network, image, attribution, tuning),
            lambda opinion: _show_opinion(opinion, image),
        ),
    }


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


def _show_opinion(opinion: probes.Opinion, image: edits.Pixels) -> None:
    finding = f"Agreement with the map above: {opinion.agreement:.2f} (rank correlation over blocks)."
    st.markdown(finding)
    limit = float(np.quantile(np.abs(opinion.total), 0.999)) or 1.0
    figure = figures.attribution_map(opinion.total, limit=limit, image=image, opacity=0.8, height=280)
    charts.show(figure, key="opinion", alt=f"{opinion.name}: {finding}")
