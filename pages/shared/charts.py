"""How a chart stands on a page: its title, the finding in plain words, a switch in the corner, the figure."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gad_core import wording
from gad_core.decision.rates import Rate
from pages.shared.text import plain

#: A metric whose small line is a note, not a change.
QUIET: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "border": True, "height": "stretch"}

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def _config(key: str) -> dict[str, Any]:
    """The toolbar, whose camera saves the chart as vectors, named by what it shows."""
    return _CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": f"gad {key.replace('_', ' ')}"}}


@contextmanager
def panel(title: str, finding: str, *, loud: bool = False) -> Iterator[DeltaGenerator]:
    """A framed place for a chart or a table, named by its title; yields the corner.

    `finding` is text, not Markdown; one that must not be missed is `loud`, in the colour of text.
    """
    with st.container(border=True, height="stretch", gap="xsmall"):
        head, corner = _head()
        head.markdown(f"**{title}**")
        (st.markdown if loud else st.caption)(plain(finding))
        yield corner


@contextmanager
def panel_of(names: Sequence[str], finding: str, *, key: str) -> Iterator[str]:
    """A framed place for one of several charts, chosen in its corner; yields the name, which is the title as well."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        head, corner = _head()
        name = switch(corner, names, key=key)
        head.markdown(f"**{name}**")
        st.caption(plain(finding))
        yield name


def panel_without(title: str, why: str) -> None:
    """The framed place of a chart that cannot be drawn, and why."""
    with panel(title, why):
        pass


def _head() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Places for a title and, in the corner or, where that is narrow, below, for a switch."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        return st.container(width="content"), st.container(horizontal_alignment="right", width="stretch")


def switch(corner: DeltaGenerator, options: Sequence[str], *, key: str) -> str:
    """A small choice between views of one chart."""
    chosen = corner.segmented_control(
        "View",
        options,
        default=options[0],
        required=True,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
    return str(chosen or options[0])


def cell(value: Rate) -> str:
    """A rate with its interval in a table, where a line may break between the two and nowhere else."""
    return unbroken(wording.percent(value.value), wording.interval(value.low, value.high))


def unbroken(*parts: str) -> str:
    """Texts in a row, where a line may break between two and nowhere else."""
    return " ".join(plain(part).replace(" ", "\u00a0") for part in parts)


def show(figure: go.Figure, *, key: str, alt: str) -> None:
    """The figure, as wide as its place; `alt` carries the finding."""
    st.plotly_chart(figure, key=key, config=_config(key), alt=alt)


def pick(figure: go.Figure, *, key: str, alt: str, on_pick: Callable[[dict[str, Any]], None]) -> None:
    """The figure, whose points can be clicked; `on_pick` gets the clicked point before the next run."""

    def picked() -> None:
        points = st.session_state[key].selection.points
        if points:
            on_pick(dict(points[0]))

    st.plotly_chart(figure, key=key, config=_config(key), alt=alt, on_select=picked, selection_mode="points")


def draw(figure: go.Figure, *, key: str, alt: str, on_draw: Callable[[list[list[tuple[float, float]]]], None]) -> None:
    """The figure, on which outlines are drawn with lasso or box; `on_draw` gets their corners before the next run."""

    def drawn() -> None:
        selection = st.session_state[key].selection
        lassos = [list(zip(lasso["x"], lasso["y"], strict=True)) for lasso in selection.lasso]
        on_draw([*map(_corners, selection.box), *lassos])

    config = _config(key) | {"modeBarButtonsToRemove": ["autoScale2d"], "displayModeBar": True}
    st.plotly_chart(figure, key=key, config=config, alt=alt, on_select=drawn, selection_mode=("box", "lasso"))


def _corners(box: dict[str, Any]) -> list[tuple[float, float]]:
    (x0, x1), (y0, y1) = box["x"], box["y"]
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def custom(point: dict[str, Any]) -> list[float]:
    """The `customdata` of a clicked point, which arrives as a number, a list or a mapping of places."""
    data = point["customdata"]
    values = data.values() if isinstance(data, dict) else np.ravel(data)
    return [float(value) for value in values]
