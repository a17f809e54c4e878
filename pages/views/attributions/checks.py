"""Checks on one map, each on demand: does it hold, and what do other methods say? Each ends in a verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from gad_core import figures, wording
from gad_core.attribution import counterfactuals as edits
from gad_core.attribution import probes, verdicts
from gad_core.attribution.max_sensitivity import RADIUS, max_sensitivity
from gad_core.attribution.verdicts import Finding
from pages.shared import charts, person, pictures, tasks
from pages.shared.text import plain
from pages.views.attributions import checking, findings, maps
from pages.views.attributions.checking import Subject

_TITLE = "Does the map hold?"


@dataclass(frozen=True)
class _Check:
    about: str
    work: Callable[..., Any]  # of the subject and `progress`; runs outside the page
    judge: Callable[[Any], Finding]
    show: Callable[[Any, Subject], object] = lambda _made, _subject: None
    needs_mask: bool = False


def checks(subject: Subject) -> None:
    """A summary, a verdict for each check that is done, and the way to those that are not."""
    possible = [name for name, check in _CHECKS.items() if subject.file.mask or not check.needs_mask]
    made = {name: result for name in possible if (result := checking.result(name, subject)) is not None}
    found = {name: _CHECKS[name].judge(result) for name, result in made.items()}
    with charts.panel(_TITLE, verdicts.summary(found, offered=len(possible))):
        for name, finding in found.items():
            findings.line(name, finding)
        name = st.segmented_control(
            "Check",
            list(_CHECKS),
            default=next(iter(_CHECKS)),
            required=True,
            key="probe",
            label_visibility="collapsed",
            persist_state="session",
        )
        _one(str(name or next(iter(_CHECKS))), subject, possible, made)
        tasks.cards(checking.PLACE)
        tasks.show_failure(checking.PLACE)


def _one(name: str, subject: Subject, possible: Sequence[str], made: dict[str, Any]) -> None:
    """What a check is about, and what it showed or the button that starts it."""
    check = _CHECKS[name]
    st.caption(check.about)
    if name in made:
        check.show(made[name], subject)
        return
    if name not in possible:
        st.info("It needs a mask of the defect; masks are added on Data.", icon=":material/info:")
        return
    missing = [other for other in possible if other not in made]
    waiting = checking.waits()
    with st.container(horizontal=True):
        for label, names, key in ((f"Check: {name}", [name], "check"), ("Do all checks", missing, "check_all")):
            if st.button(label, key=key, icon=":material/play_arrow:", **person.changing(disabled=waiting)):
                checking.start({one: _CHECKS[one].work for one in names}, subject)
                st.rerun()  # the bar in the sidebar is drawn by the whole page


def _exchange(subject: Subject, **_: Any) -> edits.Counterfactuals:
    return edits.counterfactuals(
        subject.image, subject.weights, subject.score, normals=subject.normals, twin=subject.twin
    )


def _delete(subject: Subject, **options: Any) -> edits.Deletion:
    return edits.deletion(subject.image, subject.normal, subject.attribution.total, subject.score, **options)


def _partition(subject: Subject, **options: Any) -> probes.Opinion:
    return probes.partition_values(subject.image, subject.normal, subject.attribution, subject.score, **options)


def _stability(subject: Subject, **options: Any) -> tuple[float, float]:
    n = len(subject.attribution.references)
    return probes.stability(*subject.explained, tuning=subject.tuning, n_references=n, **options)


def _by_probe(probe: Callable[..., Any], subject: Subject, **options: Any) -> Any:
    return probe(*subject.explained, subject.attribution, subject.tuning, **options)


def _show_counterfactuals(made: edits.Counterfactuals, _: Subject) -> None:
    source = "its undamaged twin" if made.exact else "the nearest good part"
    with st.grid(3, min_column_width=180):
        for picture, value, words in (
            (made.without_defect, made.score_without_defect, f"defect from {source}"),
            (made.without_background, made.score_without_background, f"all but the defect from {source}"),
            (made.normal, made.normal_score, source),
        ):
            with st.container():
                st.image(pictures.url(picture), width=200, alt=f"{words}: distance {value:.3g}")
                st.caption(f"{words}: distance **{wording.number(value)}**")


def _show_deletion(made: edits.Deletion, _: Subject) -> None:
    figure = figures.deletion_curve(made.shares, made.by_attribution, made.by_chance)
    charts.show(figure, key="deletion", alt=verdicts.of_deletion(made).reason)


def _show_opinion(opinion: probes.Opinion, subject: Subject) -> None:
    figure = figures.attribution_map(
        opinion.total, limit=maps.limit_of(opinion.total), image=subject.image, opacity=0.8, height=280
    )
    st.caption(plain(f"The map by {opinion.name}, with colours of its own scale."))
    charts.show(figure, key="opinion", alt=verdicts.of_opinion(opinion.name, opinion.agreement).reason)


def _judge_opinion(opinion: probes.Opinion) -> Finding:
    return verdicts.of_opinion(opinion.name, opinion.agreement)


_CHECKS = {
    "Make the defect normal": _Check(
        "The score once the defect, or all but the defect, comes from a normal part.",
        _exchange,
        verdicts.of_exchange,
        _show_counterfactuals,
        needs_mask=True,
    ),
    "Delete by attribution": _Check(
        "How fast the score falls if the image gives way to a normal part, highest attribution first.",
        _delete,
        verdicts.of_deletion,
        _show_deletion,
    ),
    "Other references": _Check(
        "Agreement of the maps of four draws of references (rank correlation over blocks).",
        _stability,
        lambda both: verdicts.of_stability(*both),
    ),
    "Shuffled weights": _Check(
        "A map that tells of the network must change when the network's weights are shuffled.",
        partial(_by_probe, probes.randomisation),
        verdicts.of_randomisation,
    ),
    "Infidelity": _Check(
        "Captum's infidelity under exchanged squares: 0 tells every change, 1 is no better than an empty map.",
        partial(_by_probe, probes.captum_infidelity),
        verdicts.of_infidelity,
    ),
    "Small noise": _Check(
        f"Max-sensitivity: how far the map moves, at most, where each pixel moves by up to {RADIUS} of 255 grey values "
        "(ten draws).",
        partial(_by_probe, max_sensitivity),
        verdicts.of_max_sensitivity,
    ),
    "Integrated gradients": _Check(
        "Captum's integrated gradients from the same references: the gradient, averaged on the way from each to the "
        "image.",
        partial(_by_probe, probes.integrated_gradients),
        _judge_opinion,
        _show_opinion,
    ),
    "Without looking inside": _Check(
        "Shap's partition explainer over blocks: it is given the score alone, never the network.",
        _partition,
        _judge_opinion,
        _show_opinion,
    ),
}
