"""The dashboard's entrance: the frame around every page, and the way to each of them."""

import streamlit as st

from pages.shared import frame, opened, tasks

page = frame.enter()
opened.sync()
tasks.settle()
with st.sidebar:
    frame.shelf(**opened.words())
    tasks.bars()
page.run()
