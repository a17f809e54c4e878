"""Fit: a Gaussian for every level of a frozen network."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from gad_core import wording
from gad_core.data.datasets import ImageSet, folder_groups, read_groups
from gad_core.data.images import content_digest
from gad_core.decision.curves import auroc
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import fit_dataset
from pages.shared import augment_view, frame, opened, plan_view, reduction_view, resources, tasks

frame.begin()

_APART = {"none": 0, "a tenth": 10, "a fifth": 5, "a third": 3}


def main() -> None:
    frame.heading("Fit", "Decide which network looks at the parts; each of its levels gets a Gaussian of good parts.")
    dataset = opened.dataset()
    if dataset is None:
        frame.empty("Open the images of good parts first.", "Choose images", "pages/data.py")
        return
    controls(dataset)
    tasks.cards()
    tasks.show_failure()
    detector = opened.detector()
    if detector is not None:
        health(detector, dataset)


def controls(dataset: DatasetRow) -> None:
    """Backbone, folds, what is kept apart, seed and the button."""
    with st.container(border=True):
        with st.grid(4, min_column_width=150):
            name = st.selectbox(
                "Network",
                [backbone.name for backbone in BACKBONES],
                format_func=lambda name: f"{name} (bundled)" if name == BACKBONES[0].name else name,
                help="The first brings its weights along; others take a package, the folder GAD_WEIGHTS or the hub.",
                key="backbone",
                persist_state="session",
            )
            n_folds = st.selectbox(
                "Left-out folds",
                ["auto", 5, 10, 20],
                help="Every image is scored once by a fit without its fold. auto: 20 up to 1,000 images.",
                key="folds",
                persist_state="session",
            )
            apart = st.selectbox(
                "Kept apart",
                list(_APART),
                help="Good parts that are not fitted: a split-conformal threshold set on them keeps its promise.",
                key="apart",
                persist_state="session",
            )
            seed = st.number_input(
                "Seed", min_value=0, value=0, help="Of the random folds.", key="seed", persist_state="session"
            )
        grouped = groups()
        copies = augment_view.choose(resources.dataset(dataset).train, dataset.name, name)
        if st.button("Fit", type="primary", icon=":material/play_arrow:", key="fit"):
            work = partial(
                fit_dataset,
                resources.store(),
                dataset.id,
                backbone=name,
                cache=resources.feature_cache(),
                n_folds=None if n_folds == "auto" else int(n_folds),
                seed=int(seed),
                apart=_APART[apart],
                augment=copies,
                grouped=grouped,
            )
            tasks.submit("fit", f"Fit {dataset.name}", work)
            st.rerun()


def groups() -> Callable[[ImageSet], ImageSet] | None:
    """What is left out together: nothing, the images of a sub-folder, or the groups of a table."""
    with st.expander("Lots, sessions, cameras", icon=":material/workspaces:"):
        kind = st.segmented_control(
            "Left out together",
            ["each image alone", "by sub-folder", "by a CSV file"],
            default="each image alone",
            required=True,
            key="grouping",
            help="Images of one lot are alike: left out one by one they make the detector look better than it is.",
            persist_state="session",
        )
        if kind == "by sub-folder":
            return folder_groups
        if kind == "by a CSV file":
            table = st.file_uploader("A table with the columns file and group", type="csv", key="group_table")
            if table is not None:
                path = resources.store().cache / f"groups-{content_digest(table.getvalue())[:16]}.csv"
                path.write_bytes(table.getvalue())
                return partial(read_groups, path)
    return None


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
    reduction_view.one_by_one(test, tuning, found)
    plan_view.planner(row, dataset)


main()
