"""Help: how it works in four pictures, what the words mean, what the keyboard does, which version this is."""

from pathlib import Path

import pandas as pd
import streamlit as st

import gad_core
from pages.shared import frame
from pages.views.help.words import GLOSSARY, KEYS, METHOD

frame.begin()

_PICTURES = Path(__file__).parents[1] / "assets" / "help"


def main() -> None:
    frame.heading("Help", "How a threshold comes about, and what the words on these pages mean.")
    st.subheader("The method in four pictures", anchor=False)
    with st.grid(4, min_column_width=220):
        for number, (file, title, words) in enumerate(METHOD, start=1):
            with st.container(border=True, height="stretch", gap="small"):
                st.image(_PICTURES / file, width="stretch", alt=title)
                st.markdown(f"**{number}. {title}**")
                st.markdown(words)
    st.subheader("Words", anchor=False)
    with st.grid(2, min_column_width=420):
        half = -(-len(GLOSSARY) // 2)
        for part in (GLOSSARY[:half], GLOSSARY[half:]):
            _table(part, ("word", "means"), alt="Glossary")
    st.subheader("Keyboard", anchor=False)
    _table(KEYS, ("keys", "do"), alt="Keys and what they do")
    st.caption(
        f"GAD {gad_core.__version__} · Apache-2.0. It works without a network: images, detectors and numbers stay on "
        "this machine. The method: Rippel, Mertens, König and Merhof, IEEE Transactions on Instrumentation and "
        "Measurement, 2021."
    )


def _table(lines: tuple[tuple[str, str], ...], names: tuple[str, str], *, alt: str) -> None:
    st.table(pd.DataFrame(lines, columns=names), border="horizontal", hide_index=True, alt=alt)


main()
