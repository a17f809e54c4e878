"""What a fit is asked for: network, folds, images kept apart, groups, copies; and the button."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from gad_core.data.datasets import ImageSet, folder_groups, read_groups
from gad_core.data.images import content_digest
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.rows import DatasetRow
from gad_core.workspace.steps import fit_dataset
from pages.shared import resources, tasks
from pages.views.fit import augmentation

_APART = {"none": 0, "a tenth": 10, "a fifth": 5, "a third": 3}


def settings(dataset: DatasetRow) -> None:
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
        copies = augmentation.choose(resources.dataset(dataset).train, dataset.name, name)
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
