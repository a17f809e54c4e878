"""What each of them costs: time to fit, time to score an image, room."""

import pandas as pd
import streamlit as st

from gad_core import wording
from pages.shared import charts
from pages.shared.text import plain
from pages.views.compare.candidates import Field, Member

_NONE = "–"


def costs(field: Field) -> None:
    """A table; times are of this machine."""
    words = "On this machine; features known already took no time to fit. The frozen network is not counted."
    with charts.panel("What each costs", words):
        st.table(pd.DataFrame(map(_row, field.members)), border="horizontal", hide_index=True, alt=words)


def _row(member: Member) -> dict[str, str]:
    seconds, milliseconds, size = member.fit_seconds, member.milliseconds, member.megabytes
    return {
        "": plain(member.name),
        "to fit": wording.duration(seconds) if seconds is not None else _NONE,
        "an image": f"{milliseconds:.1f} ms" if milliseconds is not None else _NONE,
        "size": f"{size:.2g} MB" if size is not None and size < 10 else f"{size:.0f} MB" if size else _NONE,
    }
