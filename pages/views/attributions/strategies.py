"""Which strategies a detector uses over a data set: its maps clustered."""

import streamlit as st

from gad_core.data.datasets import ImageFile
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import resources


def show(
    detector: DetectorRow,
    dataset: DatasetRow,
    test: resources.TestImages,
    shown: ImageFile,
    tuning: Tuning,
    n_references: int,
) -> None:
    """A map of the images, and what the clusters have in common."""
    del detector, dataset, test, shown, tuning, n_references
    st.caption("In progress.")
