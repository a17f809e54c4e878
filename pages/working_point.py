"""Working point: the threshold between good and anomalous."""

import streamlit as st

from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, frame, opened, resources, tasks
from pages.shared.refusals import refusals
from pages.views.working_point import errors, outcomes, sigma, thresholds
from pages.views.working_point.adoption import adoption
from pages.views.working_point.controls import choices, choose_method
from pages.views.working_point.numbers import numbers

frame.begin()


def main() -> None:
    frame.heading("Working point", "Decide how many good parts may be flagged; the threshold follows.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every move here shows at once.", "Fit a detector", "pages/fit.py")
        return
    panels(detector, dataset)
    sigma.promised_and_achieved(detector, dataset)


@frame.fragment
def panels(detector: DetectorRow, dataset: DatasetRow) -> None:
    """The controls and all that they move."""
    errors.leave()
    with st.container(border=True):
        chosen = choices(detector)
        with st.expander("Parts per shift and costs", icon=":material/payments:", key="production"):
            production = outcomes.controls()
    adopted.mark(detector, whole=True)
    test = resources.test_images(detector, dataset)
    refusals(test.refused, f"{len(test.refused)} test images could not be read", key="refused_test")
    view = thresholds.view_at(test, chosen, resources.scores(test, chosen.tuning)[chosen.level])
    if isinstance(view, str):
        st.warning(view, icon=":material/block:")
        return
    numbers(view)
    adoption(detector, test, chosen.tuning, view.chosen)
    with st.grid(2, min_column_width=420):
        thresholds.distances(view, errors.pick_bar)
        thresholds.curves(view, errors.pick_threshold)
        thresholds.promises(view, resources.promise_curves(test, chosen.tuning, chosen.level, thresholds.TARGETS))
        thresholds.defect_types(view)
        outcomes.outcomes(view, production)
        outcomes.review(view)
        outcomes.qq(view)
    thresholds.comparison(view, choose_method)
    errors.pictures(view, dataset)


main()
