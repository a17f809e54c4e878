"""What a threshold means in production: parts per shift, costs, a band for review, and whether chi-square holds."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.decision.costs import Band, BandRates, band_rates, cost_curve, expected_cost, parts_per_shift, qq_points
from gad_core.decision.evaluation import threshold
from gad_core.decision.rates import Rate
from gad_core.errors import SampleTooSmall
from pages.shared import charts, frame
from pages.shared.controls import BOUND
from pages.views.working_point.thresholds import View


@dataclass(frozen=True)
class Production:
    """What a person said about it: parts a shift, share of defects, cost of a miss and of a false alarm."""

    parts: int
    defects: float
    miss: float
    false_alarm: float


def controls() -> Production:
    """Four numbers about the production."""
    with st.grid(4, min_column_width=130):
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
    good, caught = view.chosen.test or view.chosen.left_out, view.chosen.tpr
    if good is None or caught is None:
        return
    expected = parts_per_shift(caught.value, good.value, parts=production.parts, defect_share=production.defects)
    cost = expected_cost(expected, miss=production.miss, false_alarm=production.false_alarm)
    curve = cost_curve(
        view.scores.test[~view.anomalous] if view.chosen.test else view.scores.left_out,
        view.scores.test[view.anomalous],
        parts=production.parts,
        defect_share=production.defects,
        miss=production.miss,
        false_alarm=production.false_alarm,
    )
    finding = (
        f"Of {production.parts:,} parts a shift, {wording.number(expected.good_flagged)} good ones are flagged and "
        f"{wording.number(expected.bad_missed)} defects pass: cost {wording.number(cost)}. The cheapest threshold on "
        f"these images is {wording.number(curve.cheapest)} ({wording.number(float(curve.cost.min()))}), chosen on them."
    )
    with charts.panel_of(("Confusion matrix", "Cost"), finding, key="outcome_kind") as name:
        if name == "Confusion matrix":
            charts.show(figures.confusion(expected), key="confusion", alt=finding)
        else:
            charts.show(
                figures.cost_curve(curve, view.chosen.point.threshold, adopted=view.adopted), key="cost", alt=finding
            )


def qq(view: View) -> None:
    """Squared distances of left-out good parts against the chi-square that eq. 6 takes for granted."""
    k = view.scores.dimension
    if k is None:  # the sum of levels has no known distribution
        return
    theory, observed = qq_points(view.scores.left_out, k)
    ratio = float(observed[len(observed) // 2] / theory[len(theory) // 2])
    finding = (
        f"The median squared distance of left-out good parts is {ratio:.2f} times that of chi-square with {k} degrees "
        "of freedom; at 1, eq. 6 would hold."
    )
    with charts.panel("QQ plot against chi-square", finding):
        charts.show(figures.qq_plot(theory, observed, colour=figures.LEFT_OUT), key="qq", alt=finding)


def review(view: View) -> None:
    """Two thresholds: accept, review, reject."""
    lower, upper = view.chosen.point.threshold, None
    finding = "A second, stricter threshold: what lies between the two is reviewed by a person."
    with charts.panel("Review band", finding):
        if not st.toggle("Let a person review", key="review", **BOUND):
            return
        percent = st.number_input(
            "Reject at, % of good parts",
            0.001,
            50.0,
            max(round(20 * view.settings.target_fpr, 4), 0.001),
            format="%.4g",
            key="reject",
            help="The stricter threshold; the looser one is that of the target above.",
            persist_state="session",
        )
        try:
            upper = threshold(view.scores, view.chosen.point.method, float(percent) / 100)
        except SampleTooSmall as error:
            st.warning(frame.sentence(error), icon=":material/block:")
        if upper is None:
            return
        if upper.threshold < lower:
            st.warning(
                "The rate to reject at must lie below the target; choose a smaller one.", icon=":material/block:"
            )
            return
        words = f"Accepted up to {wording.number(lower)}, rejected above {wording.number(upper.threshold)}."
        st.caption(words)
        rates = band_rates(view.scores.test, view.anomalous, Band(lower, upper.threshold))
        st.dataframe(_band_table(rates), hide_index=True, key="band", alt=words)


def _band_table(rates: BandRates) -> pd.DataFrame:
    def words(three: tuple[Rate, Rate, Rate] | None) -> list[str]:
        return [wording.rate(rate) for rate in three] if three else ["none"] * 3

    names = ("accepted", "reviewed", "rejected")
    return pd.DataFrame(
        [
            {"parts": kind} | dict(zip(names, words(three), strict=True))
            for kind, three in (("good test parts", rates.good), ("defects", rates.bad))
        ]
    )
