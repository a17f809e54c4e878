"""How sound a fit is: its numbers, level by level, and whether the images are enough."""

import streamlit as st

from gad_core import wording
from gad_core.decision.curves import auroc
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, level_panel, resources
from pages.views.fit import planner


def health(row: DetectorRow, dataset: DatasetRow) -> None:
    """How sound each level's Gaussian is, and how well it tells defects apart where there are labels."""
    test = resources.test_images(row, dataset)
    tuning, gaussians = test.detector.tuning, test.detector.gaussians
    labels = test.images.labels
    found = resources.scores(row, dataset, tuning) if labels.any() and not labels.all() else None
    with st.grid(4, min_column_width=150):
        st.metric(
            "Good parts fitted",
            row.n_train,
            f"{copies.passes} copies of each" if (copies := test.detector.augmented) else None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Normal images behind mean and covariance.",
        )
        st.metric(
            "Levels",
            len(gaussians),
            border=True,
            height="stretch",
            help="Feature maps of the network, each averaged over space.",
        )
        folds = int(test.detector.folds.max()) + 1
        st.metric(
            "Left-out folds",
            folds,
            border=True,
            height="stretch",
            help="Fits without a part of the images, to score that part.",
        )
        if found:
            area = auroc(found["sum"].test, labels)
            st.metric(
                "AUROC of the sum",
                f"{100 * area.value:.1f} %",
                wording.interval(area.low, area.high),
                delta_color="off",
                delta_arrow="off",
                border=True,
                height="stretch",
                help=f"Levels {', '.join(map(str, tuning.levels))} after {tuning.reduction}; {area.interval} interval.",
            )
    frame.onward("Next: set the working point", "pages/working_point.py")
    level_panel.one_by_one(test, tuning, found)
    planner.planner(row, dataset)
