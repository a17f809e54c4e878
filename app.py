"""The dashboard's entrance: the frame around every page, and the way to each of them."""

import streamlit as st

from pages.shared import frame, opened, settings, tasks

page = frame.enter()
opened.sync()
tasks.settle()
settings.sync()
with st.sidebar:
    frame.shelf(**opened.words())
    tasks.bars()
with frame.guarded():
    page.run()
