"""The JavaScript of our own components: modules in assets/modules, which this server hands out (server.py)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parents[2] / "assets" / "modules"
#: Where they are found below the server's own address.
ADDRESS = "modules"

# Streamlit sends a component's code with every element: what it sends only says where the module lies. The address of
# the server is in the page's first answer (server.py).
_FETCH = """
const place = new URL("{address}/{name}.js", window.__streamlit?.BACKEND_BASE_URL ?? document.baseURI)
const {{ default: show }} = await import(place.href)
export default show
"""


def component(name: str) -> Callable[..., Any]:
    """The component whose module is assets/modules/NAME.js; it stands in the page itself, with the page's styles."""
    return st.components.v2.component(f"gad_{name}", js=_FETCH.format(address=ADDRESS, name=name), isolate_styles=False)
