"""How a chart stands on a page: its title, the finding in plain words, a switch in the corner, the figure."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gad_core import wording
from gad_core.decision.rates import Rate
from pages.shared import live, modules
from pages.shared.text import plain

#: A metric whose small line is a note, not a change.
QUIET: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "border": True, "height": "stretch"}

#: Pages draw their charts with one component of our own: `st.plotly_chart` draws every chart anew at every move of a
#: slider, in sight or not.
_chart = modules.component("chart")


@contextmanager
def panel(title: str, finding: str, *, loud: bool = False, slot: str | None = None) -> Iterator[None]:
    """A framed place for a chart or a table, named by its title.

    `finding` is text, not Markdown; one that must not be missed is `loud`, in the colour of text. One that moves with
    a slider has a `slot` in its tables.
    """
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.markdown(f"**{title}**")
        _say(finding, slot, loud=loud)
        yield


@contextmanager
def cornered(title: str, finding: str, *, loud: bool = False, slot: str | None = None) -> Iterator[DeltaGenerator]:
    """The same with a place for a switch in its corner, which it yields."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        head = _head()
        head.markdown(f"**{title}**", width="content")
        _say(finding, slot, loud=loud)
        yield head


@contextmanager
def panel_of(names: Sequence[str], finding: str, *, key: str, slot: str | None = None) -> Iterator[str]:
    """A framed place for one of several charts, chosen in its corner; yields the name, which is the title as well."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        head = _head()
        title = head.empty()
        name = switch(head, names, key=key)
        title.markdown(f"**{name}**", width="content")
        _say(finding, slot)
        yield name


def _say(finding: str, slot: str | None, *, loud: bool = False) -> None:
    if slot:
        style = "finding" if loud else "caption"
        template = f'<p class="{style}" data-slot="{slot}" data-testid="stCaptionContainer"></p>'
        live.words(template, {slot: finding}, key=f"finding_{slot}")
    else:
        (st.markdown if loud else st.caption)(plain(finding))


def panel_without(title: str, why: str) -> None:
    """The framed place of a chart that cannot be drawn, and why."""
    with panel(title, why):
        pass


def _head() -> DeltaGenerator:
    """A row for a title at its left and a switch at its right, which goes below where the row is narrow."""
    return st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall")


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


@dataclass(frozen=True)
class Drawn:
    """A figure as the browser gets it, for one that is kept."""

    text: str
    height: int


def drawn(figure: go.Figure) -> Drawn:
    """The figure as text, so that the browser sees by a comparison whether it is another one."""
    return Drawn(figure.to_json(validate=False), int(figure.layout.height))


def show(figure: go.Figure | Drawn, *, key: str, alt: str, marks: Sequence[live.Mark] = ()) -> None:
    """The figure, as wide as its place; `alt` carries the finding, and `marks` move with a slider."""
    _mount(figure, key=key, alt=alt, marks=marks)


def pick(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    on_pick: Callable[[dict[str, Any]], None],
    marks: Sequence[live.Mark] = (),
) -> None:
    """The figure, whose points can be clicked; `on_pick` gets the clicked point before the next run."""

    def picked() -> None:
        on_pick(st.session_state[key].picked)

    _mount(figure, key=key, alt=alt, marks=marks, gestures="pick", on_picked_change=picked)


def draw(figure: go.Figure, *, key: str, alt: str, on_draw: Callable[[list[list[tuple[float, float]]]], None]) -> None:
    """The figure, on which outlines are drawn with lasso or box; `on_draw` gets their corners before the next run."""

    def outlined() -> None:
        on_draw([[(float(x), float(y)) for x, y in outline] for outline in st.session_state[key].drawn or ()])

    _mount(figure, key=key, alt=alt, gestures="draw", on_drawn_change=outlined)


def _mount(
    figure: go.Figure | Drawn,
    *,
    key: str,
    alt: str,
    marks: Sequence[live.Mark] = (),
    gestures: str | None = None,
    **callbacks: Callable[[], None],
) -> None:
    """The figure in its place."""
    chart = figure if isinstance(figure, Drawn) else drawn(figure)
    _chart(
        key=key,
        data={
            "figure": chart.text,
            "height": chart.height,
            "alt": alt,
            "name": f"gad {key.replace('_', ' ')}",
            "gestures": gestures,
            "moves": {"store": live.store(), "marks": list(marks)} if marks else None,
        },
        **callbacks,
    )


def custom(point: dict[str, Any]) -> list[float]:
    """The `customdata` of a clicked point, which arrives as a number or a list."""
    return [float(value) for value in np.ravel(point["customdata"])]
