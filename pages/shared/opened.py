"""What this tab has open: ids of a data set, a detector and an image, in the session and, for links, in the URL."""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeVar, get_args

import streamlit as st

from gad_core import wording
from gad_core.errors import GadError
from gad_core.gaussian.detector_file import Summary
from gad_core.gaussian.tuning import SUM, Tuning, WorkingPoint
from gad_core.wording import number, percent
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import frame, resources
from pages.shared.resources import store

Row = TypeVar("Row", DatasetRow, DetectorRow)
_SHORT = 16  # characters of a digest that tell images apart in a link

Thing = Literal["data", "detector", "image"]  # names of the URL's parameters

_NAMES: dict[Thing, str] = {"data": "data set", "detector": "detector", "image": "image"}
_LOST = "_lost"  # in the session: a page, and the ids that led to nothing on it, by thing


def sync() -> None:
    """Make URL and session agree; `app.py` does this at the start of every run.

    What the URL names wins: it is a link, a reload or the back button. What it leaves out was dropped by a change of
    page and is written again.
    """
    for thing in get_args(Thing):
        linked = st.query_params.get(thing)
        if linked:
            st.session_state[_key(thing)] = linked
        elif _key(thing) in st.session_state:
            st.query_params[thing] = st.session_state[_key(thing)]


def dataset() -> DatasetRow | None:
    """The open data set."""
    return _row("data", store().datasets.get)


def detector() -> DetectorRow | None:
    """The open detector."""
    return _row("detector", store().detectors.get)


def summary() -> Summary | None:
    """What the open detector's file says of itself; None where it cannot be read."""
    row = detector()
    if row is None:
        return None
    with suppress(GadError):  # the page that needs the file says what is wrong with it
        return resources.summary(row)
    return None


def open_dataset(row: DatasetRow) -> None:
    """Open a data set and, if there is one, the newest detector fitted to it."""
    with suppress(GadError):  # deleted meanwhile: the page says so
        store().datasets.use(row.id)
    _open("data", row.id)
    if fitted := next((fit for fit in store().detectors.all() if fit.dataset_id == row.id), None):
        _open("detector", fitted.id)
    else:
        _close("detector")


def open_detector(row: DetectorRow) -> None:
    """Open a detector and the data set that it was fitted to; without one, the open data set stays."""
    with suppress(GadError):  # deleted meanwhile: the page says so
        store().detectors.use(row.id)
    _open("detector", row.id)
    if row.dataset_id:
        _open("data", row.dataset_id)


def image() -> str | None:
    """The digest, or its beginning, of the open image."""
    return st.session_state.get(_key("image"))


def open_image(digest: str) -> None:
    """Open an image; also for callbacks."""
    _open("image", digest[:_SHORT])


def close_image() -> None:
    """Have no image open; also for callbacks."""
    _close("image")


def link() -> dict[str, str]:
    """The query parameters of what is open, for a change of page."""
    return {thing: st.session_state[_key(thing)] for thing in get_args(Thing) if _key(thing) in st.session_state}


def words() -> dict[str, str | None]:
    """Data set, detector and adopted threshold as the sidebar names them; the numbers are those in the file."""
    images, fitted, file = dataset(), detector(), summary()
    n_train = f"n = {file.n_train}" if file else "its file cannot be read"
    return {
        "dataset": f"{images.name}, {images.counts.total} images" if images else None,
        "detector": f"{fitted.name}, {n_train}" if fitted else None,
        "threshold": _threshold(file.working_point, file.tuning) if file and file.working_point else None,
    }


def _threshold(point: WorkingPoint, tuning: Tuning) -> str:
    level = "" if point.level == SUM else f", level {point.level}"
    band = "" if point.reject_above is None else f", review up to {number(point.reject_above)}"
    return f"{number(point.threshold)} at {percent(point.target_fpr)}{level}{band} · {wording.tuning(tuning)}"


def lost() -> str | None:
    """What a link, or this tab, names and this workspace does not have, in a sentence; for the page that found out."""
    page, missing = st.session_state.get(_LOST, ("", {}))
    if not missing or page != frame.current():
        st.session_state.pop(_LOST, None)
        return None
    named = " and the ".join(f"{_NAMES[thing]} “{row_id}”" for thing, row_id in missing.items())
    return (
        f"The {named} cannot be found: deleted meanwhile, or in another workspace. Choose another on Home, or ask for "
        "a new link."
    )


def _row(thing: Thing, get: Callable[[str], Row]) -> Row | None:
    chosen = st.session_state.get(_key(thing))
    if chosen is None:
        return None
    try:
        return get(chosen)
    except GadError:  # deleted meanwhile, or a link from another workspace
        _close(thing)
        st.session_state.setdefault(_LOST, (frame.current(), {}))[1][thing] = chosen
        return None


def _open(thing: Thing, row_id: str) -> None:
    st.session_state.pop(_LOST, None)
    st.session_state[_key(thing)] = row_id
    st.query_params[thing] = row_id


def _close(thing: Thing) -> None:
    st.session_state.pop(_key(thing), None)
    st.query_params.pop(thing, None)


def _key(thing: Thing) -> str:
    return f"_opened_{thing}"
