"""Working point: the threshold between good and anomalous."""

from dataclasses import replace
from functools import partial

import streamlit as st

from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import adopted, controls, frame, opened, resources, settings, tasks
from pages.shared.refusals import refusals
from pages.views.working_point import decisions, errors, outcomes, over_targets, promises, review, sigma
from pages.views.working_point.adoption import adoption
from pages.views.working_point.batch import batch
from pages.views.working_point.controls import choices, choose_method
from pages.views.working_point.curves import curves
from pages.views.working_point.distances import distances
from pages.views.working_point.missing import notice
from pages.views.working_point.numbers import numbers
from pages.views.working_point.outcomes import Production
from pages.views.working_point.repeatability import repeatability
from pages.views.working_point.sensitivity import sensitivity
from pages.views.working_point.tail import tail
from pages.views.working_point.view import view_at

frame.begin()


def main() -> None:
    frame.heading("Working point", "Decide how many good parts may be flagged; the threshold follows.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every move here shows at once.", "Fit a detector", "pages/fit.py")
        return
    with st.container(border=True):
        production, reject = choices(detector)
    panels(detector, dataset, production, reject)
    repeatability(detector)


@frame.fragment
def panels(detector: DetectorRow, dataset: DatasetRow, production: Production, reject: float | None) -> None:
    """The target and all that it moves; the strip above it stands outside, so that a move does not draw it anew."""
    errors.leave()
    target = st.container(border=True, key="target_strip")
    settings.remember(detector)
    chosen, own = settings.current(detector), resources.summary(detector).working_point
    adopted.mark_whole(detector, reject, on_restore=partial(review.show, own))
    test = resources.test_images(detector, dataset)
    refusals(test.refused, f"{len(test.refused)} test images could not be read", key="refused_test")
    by_level = resources.scores(test, chosen.tuning)
    view = view_at(test, chosen, by_level, reject=reject)
    tables = over_targets.tables(view, by_level, production)
    view = replace(view, reach=tables.reach)
    with target:
        controls.target_slider(tables.columns, tables.stops, over_targets.place(tables.stops, 100 * chosen.target_fpr))
    if view.missing:
        notice(view.missing)
    numbers(view)
    adoption(detector, view, reject_fpr=reject)
    with st.grid(2, min_column_width=420):
        distances(view, errors.pick_bar)
        promises.by_level(view)
    sigma.promised_and_achieved(detector, dataset, test)
    with st.grid(2, min_column_width=420):
        curves(view, errors.pick_threshold)
        promises.over_targets(view, promises.curves(view))
        outcomes.defect_types(view)
        outcomes.outcomes(view, production)
        review.review(view)
        batch(view)
        outcomes.qq(view)
        tail(view)
    promises.comparison(view, choose_method)
    sensitivity(detector, dataset, view)
    decisions.timeline(detector, view)
    errors.pictures(view, dataset)


main()
