"""The presets on this data set: which to take, and whether the difference could be chance."""

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import wording
from gad_core.decision.curves import AurocDifference
from gad_core.decision.point_settings import DEFAULT_TARGET_FPR
from gad_core.decision.preset_comparison import PresetComparison, PresetResult, compare_presets, milliseconds
from gad_core.features.extract import load_pixels
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, frame, resources, settings
from pages.shared.resources import TestImages

_TIMED = 16  # images
_NONE = "–"


@frame.fragment
def comparison(row: DetectorRow, test: TestImages, dataset: DatasetRow) -> None:
    """The presets by left-out rates, AUROC and time, once asked for."""
    asked = f"_presets_{row.id}"
    if not st.session_state.get(asked):
        with charts.panel("Presets on your data", "The same fit, read in each way; nothing is fitted again."):
            st.button(
                "Compare presets",
                key="compare_presets",
                icon=":material/compare_arrows:",
                on_click=st.session_state.__setitem__,
                args=(asked, True),
            )
        return
    found, times = _compared(test), _times(test, dataset)
    words = sentence(found)
    with charts.panel("Presets on your data", words, loud=True):
        st.table(pd.DataFrame(_rows(found, times)), border="horizontal", hide_index=True, alt=words)
        in_use = settings.current(row).tuning == found.taken.tuning
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Use {found.taken.name}",
                key="use_preset",
                icon=":material/check:",
                on_click=settings.choose,
                args=(found.taken.tuning,),
                disabled=in_use,
            )
            notes = ["In use on the pages that follow."] if in_use else []
            if test.detector.regions is None:
                notes.append("Fit with regions to compare them as well.")
            st.caption(" ".join(notes))


def sentence(found: PresetComparison) -> str:
    """Which preset to take, and why."""
    taken, best, first = found.taken, found.best, found.results[0]
    if best is None or first.behind is None:
        return f"Take {taken.name} until there are labelled defects: without them nobody can say which catches more."
    if taken is not first:
        turned = " A fixed grid supposes that parts lie alike; where they turn or shift, it can lose."
        return (
            f"Take {taken.name}: its AUROC is {_above(first.behind)} that of {first.name}, more than chance."
            f"{turned if first.tuning.pool else ''}"
        )
    if best is not first:
        return f"Take {first.name}: {best.name} is {_above(first.behind)} it on these images, which may be chance."
    others = {one.name: one.behind for one in found.results[1:] if one.behind}
    name = min(others, key=lambda name: others[name].value)
    if not others[name].value:
        return f"Take {first.name}: no other preset is above it, and {name} does as well on these images."
    chance = "which may be chance" if others[name].by_chance else "more than chance"
    return f"Take {first.name}: its AUROC is {_above(others[name])} that of the next, {name}, {chance}."


def _above(difference: AurocDifference) -> str:
    """By how much: `1.2 points [0.3, 2.1] (p = 0.011) above`."""
    points = f"{100 * difference.value:.1f} points [{100 * difference.low:.1f}, {100 * difference.high:.1f}]"
    return f"{points} (p = {difference.p_value:.2g}) above"


def _rows(found: PresetComparison, times: dict[str, float]) -> list[dict[str, str]]:
    return [_row(one, times.get(one.name), taken=one is found.taken) for one in found.results]


def _row(one: PresetResult, time: float | None, *, taken: bool) -> dict[str, str]:
    rates, area = one.rates, one.area
    return {
        "preset": f"{one.name} (take)" if taken else one.name,
        "AUROC": f"{100 * area.value:.1f} % {wording.interval(area.low, area.high)}" if area else _NONE,
        "caught at 5 %": charts.cell(rates.tpr) if rates and rates.tpr else _NONE,
        "left-out good flagged": charts.cell(rates.left_out) if rates and rates.left_out else _NONE,
        "good test flagged": charts.cell(rates.test) if rates and rates.test else _NONE,
        "an image": f"{time:.0f} ms" if time is not None else _NONE,
    }


@st.cache_resource(show_spinner="Comparing …", max_entries=16, hash_funcs=resources.BY_STATE)
def _compared(test: TestImages) -> PresetComparison:
    return compare_presets(test.projected, test.images.labels, DEFAULT_TARGET_FPR)


@st.cache_data(show_spinner="Taking the time …", max_entries=16, hash_funcs=resources.BY_STATE)
def _times(test: TestImages, dataset: DatasetRow) -> dict[str, float]:
    """Milliseconds an image, by preset; on as many of the good parts as are there."""
    detector, images = test.detector, resources.dataset(dataset).train
    engine = resources.engine(detector.backbone)
    some = images.where(np.arange(len(images)) < _TIMED)
    timed = load_pixels(some, engine.network.backbone, cache=resources.feature_cache())
    if not len(timed):
        return {}
    tunings = {one.name: one.tuning for one in _compared(test).results}
    return milliseconds(detector, engine, timed, tunings)
