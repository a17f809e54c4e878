"""What moves while a slider is dragged: words that follow it, and the tables over its stops that they are read from.

The server works out every word at every stop and sends them as tables, each different value once; the browser only
looks them up (assets/modules/live.js). So what moves is what the server says, to the last digit.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from gad_core.decision.rates import Rate
from pages.shared import modules

_STORE = "_live_store"  # in the session: the name of the tables that the page's slider moves over

_slider = modules.component("slider")
_words = modules.component("words")

Mark = Mapping[str, Any]  # of assets/modules/marks.js: its kind, and the names of the columns that it follows


def encode(columns: Mapping[str, Sequence[Any]]) -> str:
    """Columns of plain values (T,) each as its different values and their places; packed, to a tenth of their size."""
    text = json.dumps({name: _column(values) for name, values in columns.items()}, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def decode(packed: str) -> dict[str, list[Any]]:
    """The columns again."""
    columns = json.loads(gzip.decompress(base64.b64decode(packed)))
    return {name: [column["values"][place] for place in column["places"]] for name, column in columns.items()}


def _column(values: Sequence[Any]) -> dict[str, list[Any]]:
    different: dict[str, int] = {}
    texts = [json.dumps(value) for value in values]
    places = [different.setdefault(text, len(different)) for text in texts]
    return {"values": [json.loads(text) for text in different], "places": places}


def triple(rate: Rate | None) -> list[float] | None:
    """A rate with its interval, in percent, as marks draw it: to a hundredth, a fifth of a pixel."""
    return [round(100 * value, 2) for value in (rate.value, rate.low, rate.high)] if rate else None


def slider(
    *,
    key: str,
    label: str,
    help_text: str,
    columns: str,
    stops: Sequence[float],
    at: int,
    ticks: Sequence[tuple[int, str]],
    on_release: Callable[[float], None],
) -> None:
    """A slider over `stops` with a box for any other value; `on_release` gets the value, before the next run.

    Its tables need the columns `name` (a stop in the box), `spoken` (what a screen reader hears) and `shown`.
    """

    st.session_state[_STORE] = hashlib.sha256(columns.encode()).hexdigest()[:16]

    def released() -> None:
        released = st.session_state[key].released
        st.session_state[f"_{key}_answered"] = released["count"]
        on_release(float(released["value"]))

    _slider(
        key=key,
        data={
            "store": store(),
            "label": label,
            "help": help_text,
            "columns": columns,
            "stops": list(stops),
            "at": at,
            "ticks": [list(tick) for tick in ticks],
            "answered": st.session_state.get(f"_{key}_answered", 0),
        },
        on_released_change=released,
    )


def store() -> str:
    """The name of those tables: what follows others would show the numbers of another detector for a moment."""
    return str(st.session_state.get(_STORE, ""))


def words(
    template: str, values: Mapping[str, str], *, key: str, on_choose: Callable[[str], None] | None = None
) -> None:
    """HTML whose elements with `data-slot` hold the words of that column, or of `values` where there are no tables.

    The template is our own; what comes from outside belongs into `values`, which are text. A press on an element with
    `data-choose` hands its value to `on_choose`, before the next run.
    """

    def chosen() -> None:
        if on_choose:
            on_choose(str(st.session_state[key].chosen))

    data = {"store": store(), "template": template, "values": dict(values)}
    _words(key=key, data=data, on_chosen_change=chosen)
