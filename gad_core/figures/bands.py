"""What the bands of a spectrum have of a squared distance, beside what is usual."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.figures.canvas import Part, axis, figure, key_above
from gad_core.figures.palette import LEFT_OUT, faint
from gad_core.wording import percent

Array = NDArray[np.float64]

_WIDTH = 0.36  # of a bar; two stand side by side


def band_shares(names: Sequence[str], own: Array, usual: Array, *, colour: str, chosen: int) -> go.Figure:
    """Two bars a band: its share of an image's squared distance, and of left-out normal images' on average, (B,) each.

    The values stand above the image's bars; those of the `chosen` band are filled, of the others pale.
    """
    series = (("this image", own, colour, -_WIDTH / 2), ("normal, left out", usual, LEFT_OUT, _WIDTH / 2))
    bars: list[Part] = [
        {
            "type": "bar",
            "x": [place + shift for place in range(len(names))],
            "y": 100 * values,
            "width": _WIDTH - 0.04,
            "marker": {"color": [faint(tone, 0.9 if place == chosen else 0.45) for place in range(len(names))]},
            "hovertext": [
                f"{name}<br>{words}: {percent(float(value))} of the squared distance"
                for name, value in zip(names, values, strict=True)
            ],
            "hoverinfo": "text",
        }
        for words, values, tone, shift in series
    ]
    values: list[tuple[Part, Part]] = [
        ({}, {"x": place - _WIDTH / 2, "y": 100 * float(share), "yanchor": "bottom", "text": percent(float(share))})
        for place, share in enumerate(own)
    ]
    above = key_above([("■", words, tone) for words, _, tone, _ in series], lines=0)
    top = 115 * float(max(own.max(), usual.max()))
    layout = {
        "height": 260,
        "margin": {"t": 34},
        "xaxis": axis("", grid=False, tickvals=[*range(len(names))], ticktext=list(names), fixedrange=True)
        | {"range": [-0.5, len(names) - 0.5]},
        "yaxis": axis("share of d², %", range=[0, top], nticks=6),
    }
    return figure(bars, layout, marks=[*values, above])
