"""What a study of deployment shift has shown: small charts, what the success rests on, what moves, tolerances."""

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.data.rendering import Kind
from gad_core.deployment.outcomes import Step
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.tolerance import Tolerance
from gad_core.deployment.words import borne, name_of, rests_on
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, downloads, resources
from pages.views.attributions.camera import pictures

_COMPARED = 1.0  # grey levels of mean change at which kinds are held beside each other


def show(found: DeploymentShift, test: resources.TestImages, dataset: DatasetRow, detector: DetectorRow) -> None:
    """All panels of a study."""
    _numbers(found)
    with st.grid(2, min_column_width=420):
        _rests_on(found)
        _bands(found)
    with st.grid(3, min_column_width=300):
        for tolerance in found.tolerances:
            _curve(found, tolerance)
    _table(found, detector)
    pictures.show(found, test, dataset)


def _numbers(found: DeploymentShift) -> None:
    """The numbers that matter, as metrics."""
    culprit, first, whole = found.culprit, found.tolerances[0], found.unshifted.whole
    with st.grid(4, min_column_width=170):
        if found.area:
            st.metric(
                "Success rests on",
                name_of(culprit.shift.kind) if culprit else "No shift",
                f"likeness {culprit.likeness:.2f}" if culprit else f"of {len(found.by_kind)} kinds tried",
                **charts.QUIET,
                help="The kind whose AUROC falls most steeply, per grey level of change, once the detector takes it "
                "for normal: E[ΔΔ'] of the vectors Δ by which it moves good parts is added to the covariance. Named "
                "where the fall is no chance (DeLong, 5 % over all kinds). Likeness: cosine of the way of the shift "
                "with that from good parts to defects.",
            )
        st.metric(
            "Reacts most to",
            name_of(first.kind),
            f"{wording.number(100 * first.steepness)} points a grey level",
            **charts.QUIET,
            help="The kind whose false-positive rate on left-out parts rises most per grey level by which the pixels "
            "change; the charts below stand in that order.",
        )
        st.metric(
            "Flagged as they are",
            wording.percent(whole.left_out.value),
            wording.rate_note(whole.left_out),
            **charts.QUIET,
            help="Left-out good parts above the threshold, each scored by the fit without its fold.",
        )
        if whole.caught:
            st.metric(
                "Caught as they are",
                wording.percent(whole.caught.value),
                wording.rate_note(whole.caught),
                **charts.QUIET,
                help="Defects among the test images that are tried here.",
            )


def _curve(found: DeploymentShift, tolerance: Tolerance) -> None:
    """One kind: rates against strength."""
    steps = (found.unshifted, *found.by_kind[tolerance.kind])
    held = next((place for place, step in enumerate(steps) if step.shift == tolerance.breaks), len(steps)) - 1
    finding = borne(tolerance)
    with charts.panel(name_of(tolerance.kind), finding):
        figure = figures.shift_curve(
            ["none", *(f"{step.shift.strength:g}" for step in steps[1:])],
            [step.whole.left_out for step in steps],
            [step.whole.caught for step in steps],
            target_fpr=found.point.target_fpr,
            held=held,
            unit=steps[1].shift.scale.unit,
        )
        charts.show(figure, key=f"shift_{tolerance.kind.replace(' ', '_')}", alt=finding)


def _rests_on(found: DeploymentShift) -> None:
    """What is left of the AUROC once the detector is indifferent to each kind."""
    title = "What the success rests on"
    if found.area is None:
        charts.panel_without(title, "Only labelled test images of both kinds tell what the success rests on.")
        return
    falls = {name_of(kind): _fall(steps) for kind, steps in found.by_kind.items()}
    with charts.panel(title, rests_on(found), loud=found.culprit is not None):
        culprit = name_of(found.culprit.shift.kind) if found.culprit else None
        chart = figures.indifference_curves(falls, culprit=culprit, before=found.area.value)
        charts.show(chart, key="indifference", alt=rests_on(found))
        st.caption(
            f"{found.area.n_normal} good and {found.area.n_anomalous} defective images; as they are "
            f"{wording.area(found.area)} %. Where defects differ as a shift moves good parts, the line falls."
        )


def _fall(steps: tuple[Step, ...]) -> figures.Fall:
    known = [(step, step.indifference) for step in steps if step.indifference and step.change > 0]
    return figures.Fall(
        [step.change for step, _ in known], [one.area.value for _, one in known], [str(step.shift) for step, _ in known]
    )


def _bands(found: DeploymentShift) -> None:
    """Which levels and components move, at the step of each kind that changes the pixels about as much."""
    shown = {one.kind: _nearest(found, one.kind) for one in found.tolerances}
    ratios = np.array([step.energies for step in shown.values()])
    tuned = ratios[:, np.array(found.tuning.levels) - 1]
    kind, level, _ = np.unravel_index(int(tuned.argmax()), tuned.shape)
    largest = [*shown.values()][int(kind)]
    finding = (
        f"Of {wording.levels(found.tuning.levels)}, level {found.tuning.levels[int(level)]} moves most, under "
        f"{largest.shift}: {wording.number(float(tuned.max()))} times its energy as it is. Each kind at the step that "
        f"changes a pixel by about {_COMPARED:g} grey level."
    )
    with charts.panel("Which levels and components move", finding):
        words = [f"{step.shift} ({wording.number(step.change)} grey levels)" for step in shown.values()]
        levels = range(1, ratios.shape[1] + 1)
        chart = figures.moved_bands(ratios, [name_of(kind) for kind in shown], words, list(levels))
        charts.show(chart, key="moved_bands", alt=finding)


def _nearest(found: DeploymentShift, kind: Kind) -> Step:
    """The step of a kind whose change is nearest to the common one, in logarithms."""
    return min(found.by_kind[kind], key=lambda step: abs(np.log(max(step.change, 1e-9) / _COMPARED)))


def _table(found: DeploymentShift, detector: DetectorRow) -> None:
    """What holds of each kind, and the rates where it breaks; all steps as CSV."""
    finding = (
        f"{sum(one.holds is not None for one in found.tolerances)} of {len(found.tolerances)} kinds hold to a step."
    )
    with charts.cornered(
        "Tolerances", f"{finding} A step holds while the interval of its rate reaches the target."
    ) as corner:
        with corner:
            downloads.row(f"{detector.name} other cameras", key="shift", csv=lambda: _csv(found))
        rows = [_row(found, one) for one in found.tolerances]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=finding)
        whole = found.unshifted.whole
        counts = [f"{whole.left_out.n} left-out good parts"] + ([f"{whole.caught.n} defects"] if whole.caught else [])
        st.caption(
            f"{wording.listed(counts)}; intervals 95 %. Blur, sharpening and their like are in pixels of the network's "
            "input. A step breaks as well where defects are lost: a tenth of them, or surely fewer (McNemar, 5 %)."
        )


def _row(found: DeploymentShift, one: Tolerance) -> dict[str, str]:
    broken = next((step for step in found.by_kind[one.kind] if step.shift == one.breaks), None)
    row = {
        "kind": name_of(one.kind),
        "holds up to": str(one.holds) if one.holds else "not at all",
        "breaks at": str(one.breaks) if broken else "not reached",
        "flagged there": charts.cell(broken.whole.left_out) if broken else "–",
    }
    if found.unshifted.whole.caught:
        row["caught there"] = charts.cell(broken.whole.caught) if broken and broken.whole.caught else "–"
    return row


def _csv(found: DeploymentShift) -> bytes:
    """Every step with its rates, intervals and n."""
    rows = []
    for step in (found.unshifted, *found.steps):
        whole, known = step.whole, step.indifference
        row: dict[str, str | float | int | None] = {
            "kind": step.shift.kind if step.change else "none",
            "strength": step.shift.strength,
            "grey_levels": step.change,
        }
        for name, rate in (("left_out", whole.left_out), ("test", whole.test), ("caught", whole.caught)):
            for part in ("value", "low", "high", "n"):
                row[f"{name}_{part}"] = getattr(rate, part) if rate else None
        row["auroc"] = whole.area.value if whole.area else None
        row["auroc_indifferent"] = known.area.value if known else None
        row["likeness"] = known.likeness if known else None
        rows.append(row)
    return downloads.csv(rows)
