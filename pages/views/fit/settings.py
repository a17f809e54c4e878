"""What a fit is asked for: network, folds, images kept apart, groups, copies; and the button."""

import streamlit as st

from gad_core.data.datasets import ImageSet
from gad_core.data.groups import Groups, parse_groups
from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES, Backbone
from gad_core.features.regions import Regions, default_regions, region_levels
from gad_core.features.registry import get_backbone
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.requests import Fit
from gad_core.workspace.rows import DatasetRow
from pages.shared import frame, person, resources, tasks
from pages.views.fit import augmentation, inspected

_FOLDS: tuple[str | int, ...] = ("auto", 5, 10, 20)
_GRIDS = {"7 x 7": (7, 7), "5 x 5": (5, 5), "3 x 3": (3, 3), "whole image": None}
_APART = {"none": 0.0, "a tenth": 1 / 10, "a fifth": 1 / 5, "a third": 1 / 3}


def form(dataset: DatasetRow) -> None:
    """The settings, and the button that starts the fit."""
    settings = None
    with st.container(border=True):
        try:
            settings = _settings(dataset)
        except GadError as error:  # a table of groups that cannot be read
            frame.trouble(error)
        off = person.changing(disabled=settings is None)
        # No callback: it would be given the settings of the run before, without what was changed just before the press.
        if st.button("Fit", type="primary", icon=":material/play_arrow:", key="fit", **off) and settings:
            tasks.ask(f"Fit {dataset.name}", Fit(dataset.id, settings))
            st.rerun()  # the bar in the sidebar is drawn by the whole page


def _settings(dataset: DatasetRow) -> FitSettings:
    with st.grid(5, min_column_width=150):
        name = st.selectbox(
            "Network",
            [backbone.name for backbone in BACKBONES],
            format_func=lambda name: f"{name} (bundled)" if name == BACKBONES[0].name else name,
            help="The first brings its weights along; others take a package, the folder GAD_WEIGHTS or the hub.",
            key="backbone",
            persist_state="session",
        )
        backbone = get_backbone(name)
        n_folds = st.selectbox(
            "Left-out folds",
            _FOLDS,
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
        grid = st.selectbox(
            "Regions",
            list(_GRIDS),
            index=0 if default_regions(backbone) else len(_GRIDS) - 1,
            help="A Gaussian for each cell of a grid, at the levels whose maps are fine enough, beside those for the "
            "whole image: small defects stand out.",
            key=f"regions_{backbone.family}",
            persist_state="session",
        )
        seed = st.number_input(
            "Seed", min_value=0, value=0, help="Of the random folds.", key="seed", persist_state="session"
        )
    images = resources.dataset(dataset).train
    return FitSettings(
        backbone=name,
        regions=_regions(_GRIDS[grid], backbone, images),
        n_folds=n_folds if isinstance(n_folds, int) else None,
        seed=int(seed),
        groups=_groups(),
        calibration_share=_APART[apart],
        augmented=augmentation.choose(images, dataset.name, name),
    )


def _regions(grid: tuple[int, int] | None, backbone: Backbone, images: ImageSet) -> Regions | None:
    """The regions, and what of the image they see."""
    if grid is None:
        return None
    regions = Regions(*grid, region_levels(backbone), inspected.choose(images, backbone.name))
    if regions.roi:
        st.caption(f":material/crop_free: {inspected.counted(regions)} The score of the whole image sees everything.")
    return regions


def _groups() -> Groups:
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
            return "folder"
        if kind == "by a CSV file":
            table = st.file_uploader(
                "A table with the columns file and group", type="csv", key="group_table", **person.changing()
            )
            if table is not None:
                return parse_groups(table.getvalue(), name=table.name)
    return None
