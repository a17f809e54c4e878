"""How the open detector is read: its own tuning and threshold, until a link or a person says otherwise.

Every detector has settings of its own in the tab. They are in the link as far as they differ from what the detector
itself says, so that a link without settings shows what was adopted, whatever that is by then.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import streamlit as st

from gad_core.decision.point_settings import PointSettings
from gad_core.decision.working_point import METHODS
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.registry import get_backbone
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import NPCA_5, REDUCTIONS, Reduction
from gad_core.gaussian.tuning import SUM, Tuning, parse_distance, parse_levels
from gad_core.workspace.rows import DetectorRow
from pages.shared import opened, resources

Values = dict[str, Any]  # of the controls, by key; the keys are the link's parameters too

#: In place of a pool: the score of the whole image.
WHOLE = "whole"

_CHANGED = "_settings"  # in the session: by detector, the values that differ from its own
_LINKS = "_links"  # what was written into the link, and when
_IN_TRANSIT = 2.0  # seconds in which the browser may still send a link that was overwritten meanwhile


def own(row: DetectorRow) -> PointSettings:
    """What the detector itself says."""
    summary = resources.summary(row)
    return PointSettings.of(summary.tuning, summary.working_point)


def sync() -> None:
    """Make controls, session and link agree on the open detector; `app.py` does this at the start of every run."""
    row = opened.detector()
    if row is None:
        return
    try:
        values = to_values(own(row))
    except GadError:  # the page says what is wrong with the file
        return
    changed = st.session_state.get(_CHANGED, {}).get(row.id, {})
    # Also what a control says already is set again: a control's value ends with its page, one that was set does not.
    for key, value in _possible(values | changed | _linked(row), row).items():
        st.session_state[key] = value
    _keep(row)


def current(row: DetectorRow) -> PointSettings:
    """What the controls say."""
    values = to_values(own(row))
    return from_values({key: st.session_state.get(key, value) for key, value in values.items()}, own(row))


def keep() -> None:
    """Keep what the controls say for the next page; for callbacks.

    They run before anything can break the run off: who changes a control and goes to another page at once would find
    the change lost there, as the browser sends a page's values with no change of page.
    """
    row = opened.detector()
    with suppress(GadError):  # the page says what is wrong with the file
        if row is not None:
            _keep(row)


def _keep(row: DetectorRow) -> Values:
    """Keep the values that differ from the detector's own, and return them."""
    values = to_values(own(row))
    now = {key: st.session_state.get(key, value) for key, value in values.items()}
    changed = {key: value for key, value in now.items() if value != values[key] and value not in (None, [])}
    st.session_state.setdefault(_CHANGED, {})[row.id] = changed
    return changed


def remember(row: DetectorRow) -> None:
    """Keep what the controls say for the next page, and put it into the link; after the controls were drawn."""
    link = {key: _text(key, value) for key, value in _keep(row).items()}
    if link != _link():
        for key in _READERS:
            if key in link:
                st.query_params[key] = link[key]
            elif key in st.query_params:
                del st.query_params[key]
    st.session_state[_LINKS] = [*st.session_state.get(_LINKS, [])[-8:], (link, time.monotonic())]


def choose(tuning: Tuning) -> None:
    """Set the tuning; for callbacks, which run before the controls are drawn."""
    _set(to_values(PointSettings(tuning)), ("levels", "keep", "score", "pool"))


def choose_all(settings: PointSettings) -> None:
    """Set everything; for callbacks."""
    values = to_values(settings)
    _set(values, tuple(values))


def to_values(settings: PointSettings) -> Values:
    """Settings as the values of the controls."""
    return {
        "levels": list(map(str, settings.tuning.levels)),
        "keep": str(settings.tuning.reduction),
        "score": settings.tuning.distance,
        "pool": str(settings.tuning.pool or WHOLE),
        "level": settings.level,
        "method": settings.method,
        "fpr": round(100 * settings.target_fpr, 6),
    }


def fit_to_regions() -> None:
    """After another pool was chosen: levels, distance and cut that it can be had for; for callbacks."""
    row = opened.detector()
    if row is not None:
        values = {key: st.session_state.get(key, value) for key, value in to_values(own(row)).items()}
        _set(_possible(values, row), ("levels", "keep", "score", "pool"))


def _possible(values: Values, row: DetectorRow) -> Values:
    """The same values, where regions are pooled with what this detector keeps by region."""
    if values["pool"] == WHOLE:
        return values
    regions = resources.summary(row).regions
    if regions is None:
        return values | {"pool": WHOLE}
    levels = [level for level in values["levels"] if int(level) in regions.levels]
    return values | {
        "levels": levels or list(map(str, regions.levels)),
        "score": "mahalanobis",
        "keep": values["keep"] if values["keep"] in _cuts(row) else str(NPCA_5),
    }


def _cuts(row: DetectorRow) -> tuple[str, ...]:
    """What regions can be reduced to: the slider's steps, and what the detector says."""
    return (*map(str, REDUCTIONS), str(own(row).tuning.reduction))


def from_values(values: Mapping[str, Any], otherwise: PointSettings) -> PointSettings:
    """Read them back; where no level is chosen, those of `otherwise`."""
    return PointSettings(
        Tuning(
            tuple(sorted(map(int, values["levels"] or otherwise.tuning.levels))),
            Reduction.parse(values["keep"]),
            parse_distance(values["score"]),
            None if values["pool"] == WHOLE else Pool.parse(values["pool"]),
        ),
        values["level"],
        values["method"],
        float(values["fpr"]) / 100,
    )


def _set(values: Values, keys: tuple[str, ...]) -> None:
    """Set values, also in the link: a page without these controls would go on with what that said before."""
    for key in keys:
        st.session_state[key] = values[key]
    row = opened.detector()
    with suppress(GadError):  # the page says what is wrong with the file
        if row is not None:
            remember(row)


def _linked(row: DetectorRow) -> Values:
    """The settings in the link that can be used, unless they are our own.

    One that says nothing of a pool, and what no region can be read with, is meant for the whole image.
    """
    link, backbone = _link(), get_backbone(row.backbone)
    written = st.session_state.get(_LINKS, [])
    if written and link == written[-1][0]:
        return {}
    if any(link == earlier for earlier, _ in written) and time.monotonic() - written[-1][1] < _IN_TRANSIT:
        return {}
    values: Values = {}
    for key, text in link.items():
        try:
            values[key] = _READERS[key](text, backbone)
        except (GadError, ValueError):  # written by hand, or for another network: the detector's own holds
            continue
    wanted = to_values(own(row)) | values
    if "pool" not in values and _possible(wanted, row) != wanted:
        values["pool"] = WHOLE
    return values


def _link() -> dict[str, str]:
    return {key: ",".join(st.query_params.get_all(key)) for key in _READERS if key in st.query_params}


def _text(key: str, value: Any) -> str:
    return ",".join(sorted(value, key=int)) if key == "levels" else f"{value:g}" if key == "fpr" else str(value)


def _read_level(text: str, backbone: Backbone) -> str:
    return text if text == SUM else str(parse_levels(text, backbone.n_levels)[0])


def _read_method(text: str, _: Backbone) -> str:
    if text not in METHODS:
        raise GadError(f"{text!r} is no method")
    return text


def _read_fpr(text: str, _: Backbone) -> float:
    return min(max(float(text), 0.001), 50.0)


_READERS: dict[str, Callable[[str, Backbone], Any]] = {
    "levels": lambda text, backbone: list(map(str, parse_levels(text, backbone.n_levels))),
    "keep": lambda text, _: str(Reduction.parse(text)),
    "score": lambda text, _: parse_distance(text),
    "pool": lambda text, _: text if text == WHOLE else str(Pool.parse(text)),
    "level": _read_level,
    "method": _read_method,
    "fpr": _read_fpr,
}
