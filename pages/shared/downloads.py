"""Pictures and numbers to take away: small buttons in a row below what they hold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording

Content = str | bytes
#: By the ending of a file: its kind and its icon.
_KINDS = {
    "png": ("image/png", "image"),
    "svg": ("image/svg+xml", "polyline"),
    "csv": ("text/csv", "table"),
    "npz": ("application/octet-stream", "data_array"),
}


def row(stem: str, *, key: str, **makers: Callable[[], Content]) -> None:
    """A button for each kind of file (`png`, `svg`, `csv`, `npz`), whose content is made when it is pressed."""
    with st.container(horizontal=True, gap="small", key=f"{key}_files"):
        for kind, make in makers.items():
            mime, icon = _KINDS[kind]
            st.download_button(
                kind.upper(),
                make,
                wording.file_name(stem, f".{kind}"),
                mime,
                key=f"{key}_{kind}",
                type="tertiary",
                icon=f":material/{icon}:",
                on_click="ignore",
            )


def csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV; text that a spreadsheet would take for a formula is quoted."""
    table = [
        {name: wording.for_spreadsheet(value) if isinstance(value, str) else value for name, value in one.items()}
        for one in rows
    ]
    return pd.DataFrame(table).to_csv(index=False).encode()


def grid(values: NDArray[np.float64]) -> bytes:
    """A map (H, W) as CSV, a line a row of pixels."""
    return pd.DataFrame(values).to_csv(index=False, header=False).encode()
