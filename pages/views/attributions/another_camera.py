"""What becomes of the detector when another camera or pipeline takes the pictures."""

import streamlit as st

from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import resources


def show(detector: DetectorRow, dataset: DatasetRow, test: resources.TestImages, tuning: Tuning) -> None:
    """Rates against the strength of each change, what holds, and what could be done."""
    del detector, dataset, test, tuning
    st.caption("In progress.")
