"""A verdict on a page: its mark, its word, and the reason."""

import streamlit as st

from gad_core.attribution.verdicts import Finding
from pages.shared.text import plain

_ICONS = {"passes": "check_circle", "doubtful": "help", "fails": "cancel"}


def line(name: str, finding: Finding) -> None:
    """`Name: passes`, and why."""
    st.markdown(f":material/{_ICONS[finding.outcome]}: **{plain(name)}: {finding.outcome}.** {plain(finding.reason)}")
