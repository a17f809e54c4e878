"""The frame around every page: the way in, the menu, the head of a page, and what is open."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Literal, NoReturn, ParamSpec

import streamlit as st
from streamlit.navigation.page import Page

from gad_core.errors import GadError
from pages.shared import person
from pages.shared.text import plain

P = ParamSpec("P")

_ASSETS = Path(__file__).parents[2] / "assets"
_SVG = "data:image/svg+xml;base64,"  # within the page: its files are for those who have signed in
_MARK, _WORDMARK = (_SVG + b64encode((_ASSETS / f"{name}.svg").read_bytes()).decode() for name in ("mark", "wordmark"))
_FRAMED = "_framed"  # in the session state once app.py has run in it
_CURRENT = "_page"  # in the session state, the path of the page that runs
_STALE = "_frame_is_stale"  # in the session state once what is open has changed within a fragment


def menu() -> dict[str, list[Page]]:
    """The pages by section; each is reached at `/<name of its file>`, Home at `/`."""
    return {
        "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
        "Prepare": [
            st.Page("pages/data.py", title="Data", icon=":material/photo_library:", help="Bring images of good parts"),
            st.Page("pages/fit.py", title="Fit", icon=":material/scatter_plot:", help="Fit a Gaussian to every level"),
        ],
        "Tune": [
            st.Page("pages/levels.py", title="Levels & NPCA", icon=":material/grid_on:", help="Choose where it looks"),
            st.Page(
                "pages/working_point.py", title="Working point", icon=":material/straighten:", help="Set the threshold"
            ),
        ],
        "Understand": [
            st.Page(
                "pages/attributions.py", title="Attributions", icon=":material/center_focus_strong:", help="See why"
            ),
            st.Page("pages/compare.py", title="Compare", icon=":material/compare:", help="Hold detectors side by side"),
            st.Page("pages/inspect.py", title="Inspect", icon=":material/fact_check:", help="Judge new parts"),
            st.Page("pages/help.py", title="Help", icon=":material/help:", help="The method, the words, the keys"),
        ],
    }


def enter(*, alone: bool = False) -> Page:
    """Draw logo and, unless the page stands alone, the menu; return the page to run. `app.py` begins every run so."""
    st.session_state[_FRAMED] = True
    st.set_option("client.showSidebarNavigation", True)  # config.toml says why it is off until here
    page = _navigate(position="hidden" if alone else "sidebar")
    st.session_state[_CURRENT] = page.url_path
    st.set_page_config(page_title=f"{page.title} · GAD")
    st.logo(_WORDMARK, icon_image=_MARK, size="large")
    st.html(_ASSETS / "style.css")
    return page


def begin() -> None:
    """Come up in the frame, however the page was reached; every page calls this first.

    The first session of a fresh server runs the script of a deep link without `app.py`, because Streamlit takes the
    folder `pages/` for an app of the old kind until it has seen `st.navigation` once. Announce the menu, then, and
    run again: path and query parameters stay what they are, and this time `app.py` is in charge.
    """
    if _FRAMED not in st.session_state:
        _navigate(position="hidden")
        st.rerun()


def _navigate(*, position: Literal["sidebar", "hidden"] = "sidebar") -> Page:
    # The tab's icon is set first: without one, the browser would fetch that of the page from Google.
    st.set_page_config(page_icon=_MARK, layout="wide")
    return st.navigation(menu(), position=position)


def current() -> str:
    """The path of the page that runs, empty for Home."""
    return str(st.session_state.get(_CURRENT, ""))


def go(page: str) -> NoReturn:
    """Leave for another page, for example "pages/fit.py"."""
    # Without parameters of its own, switch_page raises while a widget of this page is bound to one in the URL.
    st.switch_page(page, query_params={})


def heading(title: str, decides: str) -> None:
    """The head of a page: its name and, in one sentence, what is decided here."""
    st.title(title, anchor=False)
    st.markdown(f":gray[{decides}]")


def note(words: str) -> None:
    """Something to know before the page is read."""
    st.warning(plain(words), icon=":material/info:")


def empty(sentence: str, action: str, page: str) -> None:
    """What a page shows while it has nothing to show: one sentence and one button that leads to `page`."""
    with st.container(border=True, horizontal_alignment="center", gap="medium", key="empty"):
        st.space("small")
        st.markdown(sentence, text_alignment="center")
        if st.button(action, type="primary", icon=":material/arrow_forward:", key="empty_action"):
            go(page)
        st.space("small")


@contextmanager
def guarded() -> Iterator[None]:
    """Say what the core refuses, in place of what could not be shown."""
    try:
        yield
    except GadError as error:
        trouble(error)


def fragment(panels: Callable[P, None]) -> Callable[P, None]:
    """A part of a page that runs again by itself, guarded like the page: its own runs pass `app.py` by."""

    @st.fragment
    @wraps(panels)
    def guarded_panels(*args: P.args, **options: P.kwargs) -> None:
        if st.session_state.get(_STALE) or not person.let_in():  # signed out meanwhile, or too long ago
            st.rerun()
        with guarded():
            panels(*args, **options)

    return guarded_panels


def redraw() -> None:
    """Draw the sidebar anew too: what is open has changed; for callbacks, after which a fragment would run alone."""
    st.session_state[_STALE] = True


def trouble(error: Exception) -> None:
    """What went wrong and what to do; the text is the core's own."""
    st.error(plain(sentence(error)), icon=":material/error:")


def toast(error: Exception) -> None:
    """The same for what a click could not do, where the page goes on as it is."""
    st.toast(plain(sentence(error)), icon=":material/error:")


def sentence(words: object) -> str:
    """What the core says in a clause, as a sentence; not yet fit for Markdown."""
    text = str(words)
    return text[0].upper() + text[1:] + "."


def onward(label: str, page: str) -> None:
    """The page's next step, once there is something to go on with."""
    if st.button(label, type="primary", icon=":material/arrow_forward:", key="onward"):
        go(page)


def shelf(*, dataset: str | None, detector: str | None, threshold: str | None) -> None:
    """What is open, below the menu."""
    st.session_state.pop(_STALE, None)
    with st.container(gap="xxsmall", key="shelf"):
        st.caption("Open")
        for icon, words, otherwise in (
            ("photo_library", dataset, "no images"),
            ("scatter_plot", detector, "no detector"),
            ("straighten", threshold, "no threshold adopted"),
        ):
            st.markdown(f":small[:gray[:material/{icon}:] {plain(words) if words else f':gray[{otherwise}]'}]")
