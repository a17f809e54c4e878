"""Pictures and numbers to take away: small buttons in a row below what they hold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from gad_core import wording

Content = str | bytes
_KINDS = {"png": ("image/png", "image"), "svg": ("image/svg+xml", "polyline"), "csv": ("text/csv", "table")}


def row(stem: str, *, key: str, **makers: Callable[[], Content]) -> None:
    """A button for each of `png`, `svg` and `csv`, whose content is made when it is pressed."""
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
