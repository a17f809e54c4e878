"""What regions add: the presets side by side, where defects stand out, and where good parts vary."""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution.masks import located_by_region
from gad_core.decision.localisation import RegionAreas
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning, presets, regional
from pages.shared import charts, resources
from pages.shared.resources import TestImages


def presets_beside(test: TestImages, tuning: Tuning) -> None:
    """The AUROC of each preset as a column, at its own cut and at the one that is open."""
    named = presets(get_backbone(test.detector.backbone), test.detector.regions)
    columns: dict[str, list[str]] = {"": ["at its own cut", f"with {_kept(tuning)}"]}
    for name, preset in named.items():
        at_cut = replace(preset, reduction=tuning.reduction)
        columns[name] = [_area(test, preset), _area(test, at_cut) if _readable(test, at_cut) else "–"]
    words = "AUROC of the presets, %, with 95 % intervals; Fit compares them in pairs, by left-out rates and by time."
    with charts.panel("Presets side by side", words):
        st.table(pd.DataFrame(columns), border="horizontal", hide_index=True, alt=words)


def by_region(test: TestImages, tuning: Tuning) -> None:
    """Two maps: the AUROC of every region where masks exist, and the spread of good parts."""
    regions = test.detector.regions
    if regions is None:
        return
    shown = tuning if tuning.pool else regional(regions.levels)
    with st.grid(2, min_column_width=420):
        if found := _areas(test, shown):
            _where_defects_stand_out(found)
        _where_good_parts_vary(test, shown)


def _where_defects_stand_out(found: RegionAreas) -> None:
    columns = found.areas.shape[1]
    best, worst = (int(place(found.areas)) for place in (np.nanargmax, np.nanargmin))
    values = 100 * found.areas
    words = "Each region by itself: masked defects that touch it against all good test parts."
    if values.flat[best] - values.flat[worst] < 0.5:
        words = f"{words} All reach {values.flat[worst]:.0f} %."
    else:
        words = (
            f"{words} Best at {_name(best, columns)} with {values.flat[best]:.0f} %, worst at {_name(worst, columns)} "
            f"with {values.flat[worst]:.0f} %; few defects touch each, so that a single region says little."
        )
    texts = [
        f"{_name(at, columns)}: {100 * area:.1f} %, {count} defects"
        for at, (area, count) in enumerate(zip(found.areas.flat, found.counts.flat, strict=True))
    ]
    with charts.panel("AUROC by region", words):
        figure = figures.region_grid(values, texts, unit="AUROC, %", low=50, high=100)
        charts.show(figure, key="region_areas", alt=words)


def _where_good_parts_vary(test: TestImages, tuning: Tuning) -> None:
    fit = test.detector.known_regions(tuning)
    (spread,) = fit.maps(fit.spread(tuning)[None])
    mean = resources.left_out_mean(test, tuning)
    columns = spread.shape[1]
    most, least = int(np.nanargmax(spread)), int(np.nanargmin(spread))
    words = (
        f"How far the 90th percentile of left-out good parts lies above their median: from "
        f"{100 * spread.flat[least]:.0f} % at {_name(least, columns)} to {100 * spread.flat[most]:.0f} % at "
        f"{_name(most, columns)}. Where they vary, a defect must be stranger to stand out."
    )
    texts = [
        f"{_name(at, columns)}: {100 * one:.0f} %; standardised mean {value:.2f}"
        for at, (one, value) in enumerate(zip(spread.flat, mean.flat, strict=True))
    ]
    with charts.panel("Where good parts vary", words):
        figure = figures.region_grid(100 * spread, texts, unit="above the median, %", low=0)
        charts.show(figure, key="region_spread", alt=words)


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=resources.BY_STATE)
def _areas(test: TestImages, tuning: Tuning) -> RegionAreas | None:
    found = located_by_region(test.detector, test.features, test.images, tuning)
    return found if found and np.isfinite(found.areas).any() else None


def _area(test: TestImages, tuning: Tuning) -> str:
    area = resources.level_areas(test, tuning)["sum"]
    interval = wording.interval(area.low, area.high).replace(" ", "\u00a0")  # a line may break before it alone
    return f"{100 * area.value:.1f} {interval}"


def _readable(test: TestImages, tuning: Tuning) -> bool:
    by_region = test.detector.by_region
    return tuning.pool is None or (by_region is not None and tuning.reduction in by_region.reductions)


def _kept(tuning: Tuning) -> str:
    return "all components" if tuning.reduction.kind == "all" else wording.reduction(tuning.reduction)


def _name(place: int, columns: int) -> str:
    return f"row {place // columns + 1}, column {place % columns + 1}"
