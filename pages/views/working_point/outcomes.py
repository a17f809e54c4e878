"""What a threshold means in production: parts per shift, costs, defects by type, and whether chi-square holds."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from gad_core import figures, wording
from gad_core.data.datasets import GOOD
from gad_core.decision.costs import CostCurve, Shift, cost_curve, expected_cost, parts_per_shift, qq_points
from gad_core.decision.rates import Rate, rates_by_type
from pages.shared import charts, live
from pages.shared.controls import BOUND
from pages.views.working_point.view import View

_NO_THRESHOLD = "Without a threshold nothing is flagged or passed."


@dataclass(frozen=True)
class Production:
    """What a person said about it: parts a shift, share of defects, cost of a miss and of a false alarm."""

    parts: int
    defects: float
    miss: float
    false_alarm: float


def controls() -> Production:
    """Four numbers about the production."""
    with st.grid(2, min_column_width=150):
        parts = st.number_input("Parts per shift", 1, 10_000_000, 1000, key="parts", **BOUND)
        defects = st.number_input(
            "Defective, %", 0.0, 100.0, 1.0, 0.1, format="%.4g", key="defective", help="Of all parts made.", **BOUND
        )
        miss = st.number_input("Cost of a miss", 0.0, None, 10.0, key="miss", help="Of a defect passed.", **BOUND)
        alarm = st.number_input(
            "Cost of a false alarm", 0.0, None, 1.0, key="alarm", help="Of a good part flagged.", **BOUND
        )
    return Production(int(parts), float(defects) / 100, float(miss), float(alarm))


def outcomes(view: View, production: Production) -> None:
    """Parts per shift at the threshold, or the expected cost at every threshold."""
    if view.chosen is None:
        charts.panel_without("Confusion matrix", _NO_THRESHOLD)
        return
    expected, curve = _shifts(view, production), costs(view, production)
    if expected is None or curve is None:
        return
    found = words(view, production, curve)
    alt = str(found["outcomes"])
    with charts.panel_of(("Confusion matrix", "Cost"), alt, key="outcome_kind", slot="outcomes") as name:
        if name == "Confusion matrix":
            places = [[x, y] for x, y, *_ in figures.TILES]
            marks = [{"kind": "words", "places": places, "texts": "tiles"}]
            charts.show(figures.confusion(*expected), key="confusion", alt=alt, marks=marks)
        else:
            figure = figures.cost_curve(curve, view.threshold, adopted=view.adopted, reach=view.reach)
            marks = [{"kind": "line", "x": "threshold at", "label": "now", "style": "threshold"}]
            charts.show(figure, key="cost", alt=alt, marks=marks)


def costs(view: View, production: Production) -> CostCurve | None:
    """Expected cost at every threshold; None without defects, or without good parts to count."""
    good = view.scores.test[~view.anomalous]
    normal, defects = good if len(good) else view.scores.left_out, view.scores.test[view.anomalous]
    if not len(normal) or not len(defects):
        return None
    return cost_curve(
        normal,
        defects,
        parts=production.parts,
        defect_share=production.defects,
        miss=production.miss,
        false_alarm=production.false_alarm,
    )


def words(view: View, production: Production, curve: CostCurve | None) -> dict[str, Any]:
    """The findings, the parts of each tile, and the bars of defect types, by slot."""
    return {"now": "now", **_of_shift(view, production, curve), **_of_types(view)}


def _of_shift(view: View, production: Production, curve: CostCurve | None) -> dict[str, Any]:
    expected = _shifts(view, production)
    if expected is None or curve is None or view.chosen is None:
        return {"outcomes": _NO_THRESHOLD, "tiles": None}
    good, caught = _good(view), view.chosen.tpr
    assert good is not None  # noqa: S101 - there are shifts
    assert caught is not None  # noqa: S101
    cost = expected_cost(expected[0], miss=production.miss, false_alarm=production.false_alarm)
    finding = (
        f"Of {production.parts:,} parts a shift, {_parts('good_flagged', *expected)} good ones are flagged "
        f"and {_parts('bad_missed', *expected)} defects pass: cost {wording.number(cost)}. In brackets what "
        f"{good.count} of {good.n} good parts and {caught.count} of {caught.n} defects leave possible. Cheapest on "
        f"these images: threshold {wording.number(curve.cheapest)}, cost {wording.number(float(curve.cost.min()))}."
    )
    tiles = figures.tile_words(*expected)
    lines = [[f"{tiles[name][0]} {called}", tiles[name][1]] for _, _, name, called, _ in figures.TILES]
    return {"outcomes": finding, "tiles": lines}


def _shifts(view: View, production: Production) -> tuple[Shift, Shift, Shift] | None:
    """The shift at both rates, and at the ends of their intervals."""
    good, caught = _good(view), view.chosen.tpr if view.chosen else None
    if good is None or caught is None:
        return None
    value, low, high = (
        parts_per_shift(tpr, fpr, parts=production.parts, defect_share=production.defects)
        for tpr, fpr in ((caught.value, good.value), (caught.low, good.low), (caught.high, good.high))
    )
    return value, low, high


def _good(view: View) -> Rate | None:
    return (view.chosen.test or view.chosen.left_out) if view.chosen else None


def _parts(name: str, *shifts: Shift) -> str:
    """Parts with what the intervals leave room for: `0 (0 to 130)`."""
    value, *ends = (float(getattr(shift, name)) for shift in shifts)
    return f"{wording.number(value)} ({wording.number(min(ends))} to {wording.number(max(ends))})"


def defect_types(view: View) -> None:
    """Share caught of every defect type."""
    if not view.anomalous.any():
        return
    rates = _rates_by_type(view)
    if rates is None:
        charts.panel_without("Caught defects by type", _NO_THRESHOLD)
        return
    finding = str(_of_types(view)["types"])
    with charts.panel("Caught defects by type", finding, slot="types"):
        marks = [{"kind": "bars", "rows": "type rates", "labels": "type words"}]
        charts.show(figures.rate_bars(rates, figures.DEFECT), key="types", alt=finding, marks=marks)


def _of_types(view: View) -> dict[str, Any]:
    rates = _rates_by_type(view)
    if not rates:
        return {"types": _NO_THRESHOLD, "type rates": None, "type words": None}
    worst = min(rates, key=lambda defect: rates[defect].value)
    return {
        "types": f"Hardest to catch: {worst.replace('_', ' ')}, {wording.rate(rates[worst])}, n = {rates[worst].n}.",
        "type rates": [live.triple(rate) for rate in rates.values()],
        "type words": [figures.bar_words(rate) for rate in rates.values()],
    }


def _rates_by_type(view: View) -> dict[str, Rate] | None:
    if view.threshold is None:
        return None
    defects = [defect for defect in view.test.images.defects if defect != GOOD]
    return rates_by_type(view.scores.test[view.anomalous], defects, view.threshold)


def qq(view: View) -> None:
    """Squared distances of left-out good parts against the chi-square that eq. 6 takes for granted."""
    k = view.scores.dimension
    if k is None:  # the sum of levels has no known distribution
        return
    theory, observed = qq_points(view.scores.left_out, k)
    ratio = float(observed[len(observed) // 2] / theory[len(theory) // 2])
    finding = (
        f"The median squared distance of left-out good parts is {ratio:.2f} times that of chi-square with {k} degrees "
        "of freedom; at 1, on the dotted line, eq. 6 would hold."
    )
    with charts.panel("QQ plot against chi-square", finding):
        charts.show(figures.qq_plot(theory, observed, colour=figures.LEFT_OUT), key="qq", alt=finding)
