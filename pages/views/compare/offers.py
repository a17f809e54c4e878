"""Baselines that can be run on the open data set, and those that were."""

import streamlit as st

from gad_core.baselines.named import BASELINES
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.baseline_runs import BaselineRun
from gad_core.workspace.requests import Baseline
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, opened, person, tasks
from pages.shared.text import plain
from pages.views.compare.candidates import Candidate

_PLACE = "baselines"


def offers(dataset: DatasetRow, known: dict[str, Candidate]) -> None:
    """A line for each baseline: what it does, and a button."""
    run = {one.name for one in known.values() if isinstance(one, BaselineRun)}
    words = "Detectors of other kinds, on the same images: run one, and it stands among the others above."
    with charts.panel("Baselines", words):
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)
        for name, baseline in BASELINES.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                with st.container(width="stretch", gap="xxsmall"):
                    st.markdown(f"**{baseline.title}**")
                    st.caption(plain(baseline.says))
                st.button(
                    "Run again" if name in run else "Run",
                    key=f"run_{name}",
                    icon=":material/replay:" if name in run else ":material/play_arrow:",
                    on_click=_ask,
                    args=(dataset, name),
                    **person.changing(),
                )


def _ask(dataset: DatasetRow, name: str) -> None:
    detector = opened.detector()
    backbone = detector.backbone if detector else BACKBONES[0].name
    title = f"{BASELINES[name].title} on {dataset.name}"
    st.session_state.pop("compared", None)  # the new one is to be seen
    tasks.ask(title, Baseline(dataset.id, name, backbone), place=_PLACE)
