"""What cannot be read of the database: named, with the way out; everything else is there."""

import streamlit as st

from pages.shared import frame, resources
from pages.shared.text import plain

_SHOWN = 10  # a database with more is one to restore


def damaged_rows() -> None:
    """A sentence for each row that is damaged; nothing where none is."""
    found = resources.store().damaged()
    if not found:
        return
    words = "\n".join(f"- {plain(frame.sentence(one))}" for one in found[:_SHOWN])
    more = f"\n- {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    st.warning(words + more, icon=":material/database_off:")
