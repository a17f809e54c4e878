"""What a threshold means in production: parts per shift, costs, defects by type, and whether chi-square holds."""

from dataclasses import dataclass

import streamlit as st

from gad_core import figures, wording
from gad_core.data.datasets import GOOD
from gad_core.decision.costs import Shift, cost_curve, expected_cost, parts_per_shift, qq_points
from gad_core.decision.rates import rates_by_type
from pages.shared import charts
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
    good, caught = view.chosen.test or view.chosen.left_out, view.chosen.tpr
    if good is None or caught is None:
        return
    expected, low, high = (
        parts_per_shift(tpr, fpr, parts=production.parts, defect_share=production.defects)
        for tpr, fpr in ((caught.value, good.value), (caught.low, good.low), (caught.high, good.high))
    )
    curve = cost_curve(
        view.scores.test[~view.anomalous] if view.chosen.test else view.scores.left_out,
        view.scores.test[view.anomalous],
        parts=production.parts,
        defect_share=production.defects,
        miss=production.miss,
        false_alarm=production.false_alarm,
    )
    cost = expected_cost(expected, miss=production.miss, false_alarm=production.false_alarm)
    finding = (
        f"Of {production.parts:,} parts a shift, {_parts('good_flagged', expected, low, high)} good ones are flagged "
        f"and {_parts('bad_missed', expected, low, high)} defects pass: cost {wording.number(cost)}. In brackets what "
        f"{good.count} of {good.n} good parts and {caught.count} of {caught.n} defects leave possible. Cheapest on "
        f"these images: threshold {wording.number(curve.cheapest)}, cost {wording.number(float(curve.cost.min()))}."
    )
    with charts.panel_of(("Confusion matrix", "Cost"), finding, key="outcome_kind") as name:
        if name == "Confusion matrix":
            charts.show(figures.confusion(expected, low, high), key="confusion", alt=finding)
        else:
            charts.show(figures.cost_curve(curve, view.threshold, adopted=view.adopted), key="cost", alt=finding)


def _parts(name: str, *shifts: Shift) -> str:
    """Parts with what the intervals leave room for: `0 (0 to 130)`."""
    value, *ends = (float(getattr(shift, name)) for shift in shifts)
    return f"{wording.number(value)} ({wording.number(min(ends))} to {wording.number(max(ends))})"


def defect_types(view: View) -> None:
    """Share caught of every defect type."""
    if not view.anomalous.any():
        return
    if view.threshold is None:
        charts.panel_without("Caught defects by type", _NO_THRESHOLD)
        return
    defects = [defect for defect in view.test.images.defects if defect != GOOD]
    rates = rates_by_type(view.scores.test[view.anomalous], defects, view.threshold)
    worst = min(rates, key=lambda defect: rates[defect].value)
    finding = f"Hardest to catch: {worst.replace('_', ' ')}, {wording.rate(rates[worst])}, n = {rates[worst].n}."
    with charts.panel("Caught defects by type", finding):
        charts.show(figures.rate_bars(rates, figures.DEFECT), key="types", alt=finding)


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
