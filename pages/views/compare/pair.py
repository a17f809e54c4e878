"""Two of them against each other: the difference with two intervals, and the images on which they disagree."""

import streamlit as st

from gad_core import wording
from gad_core.data.datasets import ImageFile
from gad_core.decision.curves import AurocDifference
from gad_core.decision.detector_comparison import Pair, compare_pair, disagreements, places
from pages.shared import views
from pages.shared.gallery import gallery
from pages.shared.text import plain
from pages.views.compare.candidates import Field, names

_SHOWN = 12
_LEAST = 0.05  # difference of places below which two do not disagree


def pair(field: Field) -> None:
    """The pair that is chosen, at first the best two."""
    order = sorted(field.compared, key=lambda one: -one.area.value)
    options = names(field.members)
    for key, default in (("pair_first", order[0].name), ("pair_second", order[1].name)):
        if st.session_state.get(key) not in options:
            st.session_state[key] = default
    with st.container(border=True, gap="xsmall"):
        st.markdown("**Two against each other**")
        with st.grid(2, min_column_width=320):
            first = st.selectbox("One", options, key="pair_first")
            second = st.selectbox("Other", options, key="pair_second")
        own, other = (field.members[options.index(name)].scores for name in (first, second))
        if first == second:
            st.caption("Choose two different ones.")
            return
        st.markdown(_words(first, second, compare_pair(own, other, field.anomalous)))
        rows, difference = disagreements(own, other, field.anomalous)
        shown = [int(row) for row in rows[:_SHOWN] if abs(difference[row]) >= _LEAST]
        if not shown:
            st.caption("They agree on every image: each stands where the other puts it among the good ones.")
            return
        st.caption("Images on which they disagree most: the share of good test images that look less strange to each.")
        standing = [places(scores, field.anomalous) for scores in (own, other)]

        def caption(position: int) -> str:
            row = shown[position]
            here, there = (wording.percent(place[row]) for place in standing)
            return f"{field.files[row].defect}: {here} against {there}"

        gallery([field.files[row] for row in shown], key="disagreements", caption=caption, on_press=_open)


def _words(first: str, second: str, found: Pair) -> str:
    """The difference by both ways."""
    value = 100 * found.delong.value
    above = "above" if value >= 0 else "below"
    text = (
        f"{first} is {abs(value):.1f} points {above} {second}: DeLong {_interval(found.delong)}, bootstrap over images "
        f"{_interval(found.bootstrap)}."
    )
    return plain(text)


def _interval(one: AurocDifference) -> str:
    return f"[{100 * one.low:.1f}, {100 * one.high:.1f}], p = {one.p_value:.2g}"


def _open(file: ImageFile) -> None:
    views.explain(file.digest)
    st.toast("Opened: Attributions explains it.", icon=":material/center_focus_strong:")
