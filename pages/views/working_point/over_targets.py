"""All that follows the slider, at every target it leads to: worked out once for a tuning, looked up in the browser."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from gad_core import wording
from gad_core.decision.costs import CostCurve
from gad_core.decision.evaluation import LevelScores, PointRates
from gad_core.decision.over_targets import over_targets
from gad_core.decision.point_settings import PointSettings
from gad_core.decision.working_point import METHODS
from pages.shared import controls, live, resources
from pages.views.working_point import curves, distances, numbers, outcomes, promises
from pages.views.working_point.outcomes import Production
from pages.views.working_point.view import View, lowest_supported, missing


@dataclass(frozen=True)
class Tables:
    """The slider's tables as the browser gets them, its stops in percent, and the ends of the thresholds."""

    columns: str
    stops: tuple[float, ...]
    reach: tuple[float, ...]


def tables(view: View, by_level: Mapping[str, LevelScores], production: Production) -> Tables:
    """What the page says at every stop of the slider and at the present target."""
    stops = controls.stops(100 * view.settings.target_fpr)
    settings = replace(view.settings, target_fpr=stops[0] / 100)  # the target is one of the stops: it does not matter
    between = None if round(100 * view.settings.target_fpr, 6) in controls.STOPS else view.settings.target_fpr
    return _tables(view.test, settings, production, between, _stops=stops, _view=view, _by_level=by_level)


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=resources.BY_STATE)
def _tables(
    test: resources.TestImages,  # noqa: ARG001 - with the settings it says what the scores are
    settings: PointSettings,  # noqa: ARG001
    production: Production,
    between: float | None,  # noqa: ARG001 - a target that is no stop of every slider
    *,
    _stops: tuple[float, ...],
    _view: View,
    _by_level: Mapping[str, LevelScores],
) -> Tables:
    costs = outcomes.costs(_view, production)
    rows = [_row(view, production, costs) for view in _views(_view, _by_level, _stops)]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    reached = [row[name] for row in rows for name in ("threshold at", "predicted at") if row[name] is not None]
    return Tables(live.encode(columns), _stops, (min(reached), max(reached)) if reached else ())


def _views(view: View, by_level: Mapping[str, LevelScores], stops: Sequence[float]) -> Iterator[View]:
    """The view at each stop, without a review band."""
    targets = [stop / 100 for stop in stops]
    found = {method: over_targets(view.scores, view.anomalous, method, targets).points for method in METHODS}
    chi2 = {level: over_targets(one, view.anomalous, "chi2", targets).points for level, one in by_level.items()}
    supported = lowest_supported(view.scores, view.settings.method)
    for place, target in enumerate(targets):
        settings = replace(view.settings, target_fpr=target)
        here = {method: points[place] for method, points in found.items()}
        rates = {method: point for method, point in here.items() if isinstance(point, PointRates)}
        chosen = rates.get(settings.method)
        yield replace(
            view,
            settings=settings,
            chosen=chosen,
            missing=None if chosen else missing(settings, view.scores, supported),
            methods=tuple(rates.values()),
            refused={method: why for method, why in here.items() if isinstance(why, str)},
            chi2={level: point for level, of in chi2.items() if isinstance(point := of[place], PointRates)},
            review=None,
        )


def _row(view: View, production: Production, costs: CostCurve | None) -> Mapping[str, Any]:
    """Every word and number of one stop, by its column."""
    target, threshold = view.settings.target_fpr, view.threshold
    value = wording.number(threshold) if threshold is not None else "none"
    shown = controls.step_name(100 * target)
    predicted = view.predicted.point.threshold if view.predicted else None
    return {
        "name": f"{100 * target:.6g}",
        "shown": f"{shown} → {value}",
        "spoken": f"{shown}, threshold {value}",
        "target at": 100 * target,
        "target name": promises.target_words(target),
        "threshold at": threshold,
        "threshold name": f"threshold {value}",
        "predicted at": predicted if predicted != threshold else None,
        "predicted name": f"chi-square {wording.number(predicted)}" if predicted is not None else "",
        **numbers.words(view),
        **distances.words(view),
        **curves.points(view),
        **outcomes.words(view, production, costs),
        **promises.words(view),
    }


def place(stops: Sequence[float], percent: float) -> int:
    """Where a target in percent stands among the stops."""
    return int(np.abs(np.asarray(stops) - percent).argmin())
