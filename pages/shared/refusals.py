"""Files that could not be read, by name and reason, wherever they would be missed."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from gad_core.data.datasets import Refusal


def refusals(refused: Sequence[Refusal], title: str, *, key: str, expanded: bool = False) -> None:
    """A table of the refused files below a title; nothing where there are none."""
    if not refused:
        return
    with st.expander(title, icon=":material/block:", expanded=expanded, key=f"{key}_panel"):
        table = pd.DataFrame([(Path(refusal.path).name, refusal.reason) for refusal in refused])
        table.columns = ["file", "why"]
        st.dataframe(table, hide_index=True, key=key, alt=f"{title}, with reasons")
