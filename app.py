"""The dashboard's entrance: the frame around every page, and the way to each of them."""

import streamlit as st

from gad_core.errors import GadError
from pages.shared import frame, opened, settings, tasks

page = frame.enter()
opened.sync()
tasks.settle()
settings.sync()
with st.sidebar:
    frame.shelf(**opened.words())
    tasks.bars()
try:
    page.run()
except GadError as error:
    frame.trouble(error)
