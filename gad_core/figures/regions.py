"""Maps of regions over their image: nothing where a region is usual, yellow at the limit, red at twice the limit."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.figures.attributions import Pixels, bare_layout, outline
from gad_core.figures.canvas import TEXT, Part, figure
from gad_core.figures.palette import INK, SCALE, faint

Array = NDArray[np.float64]

_USUAL, _LIMIT, _FAR = (240, 228, 66), (240, 190, 40), (213, 50, 0)
_OPACITY = 0.75
_DIMMED = 0.3  # of the light outside the region of interest
#: Of the colours: where they lie, in twice the limit, what they are, and how much of the image they hide.
_AT, _COLOURS, _WEIGHTS = (0.0, 0.5, 1.0), (_USUAL, _LIMIT, _FAR), (0.0, _OPACITY / 2, _OPACITY)


def region_map(
    values: Array,
    image: Pixels,
    *,
    limit: float,
    mask: NDArray[np.bool_] | None = None,
    chosen: int | None = None,
    height: int = 320,
) -> go.Figure:
    """Standardised distances (rows, columns) over an image (S, S, 3); NaN is left bare.

    The colours' middle is `limit`, what so few regions of good parts exceed; the mask (S, S) is outlined. With a
    `chosen` region (row by row, from 0), which is framed, all can be clicked: a point's `customdata` is its region.
    """
    rows, columns = values.shape
    tall, wide = image.shape[0] / rows, image.shape[1] / columns
    cells: Part = {
        "type": "heatmap",
        "z": values,
        "x0": wide / 2 - 0.5,
        "dx": wide,
        "y0": tall / 2 - 0.5,
        "dy": tall,
        "zmin": 0,
        "zmid": limit,
        "zmax": 2 * limit,
        "colorscale": [
            [at, f"rgba{(*colour, weight)}"] for at, colour, weight in zip(_AT, _COLOURS, _WEIGHTS, strict=True)
        ],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "customdata": np.indices(values.shape).transpose(1, 2, 0) + 1,
        "hovertemplate": "row %{customdata[0]}, column %{customdata[1]}: %{z:.2f}<extra></extra>",
        "hoverongaps": False,
    }
    layout = bare_layout(image.shape[0], height, image)
    if chosen is None:
        return figure([cells], layout, marks=outline(mask))
    row, column = divmod(chosen, columns)
    edges = {"x0": column * wide, "x1": (column + 1) * wide, "y0": row * tall, "y1": (row + 1) * tall}
    frame: Part = {"type": "rect", **{name: at - 0.5 for name, at in edges.items()}, "line": {"color": INK, "width": 3}}
    places = np.flatnonzero(np.isfinite(values))
    clicks: Part = {
        "type": "scatter",
        "mode": "markers",
        "x": (places % columns + 0.5) * wide - 0.5,
        "y": (places // columns + 0.5) * tall - 0.5,
        "marker": {"symbol": "square", "size": height / max(rows, columns), "opacity": 0},
        "customdata": places,
        "text": [f"row {at // columns + 1}, column {at % columns + 1}: {values.flat[at]:.2f}" for at in places],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return figure([cells, clicks], layout | {"dragmode": False}, marks=[*outline(mask), (frame, {})])


def region_grid(
    values: Array,
    texts: Sequence[str],
    *,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    height: int = 300,
) -> go.Figure:
    """A number for each region (rows, columns), bright where high; NaN is left bare. `texts` say more, row by row."""
    rows, columns = values.shape
    quiet = faint(INK, 0.75)
    tiles: Part = {
        "type": "heatmap",
        "z": values,
        "zmin": float(np.nanmin(values)) if low is None else low,
        "zmax": float(np.nanmax(values)) if high is None else high,
        "colorscale": SCALE,
        "colorbar": {
            "title": {"text": unit, "side": "right", "font": {"color": quiet, "size": TEXT}},
            "tickfont": {"color": quiet, "size": TEXT},
            "thickness": 10,
            "outlinewidth": 0,
        },
        "xgap": 1,
        "ygap": 1,
        "text": np.reshape(list(texts), values.shape),
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
    }
    bare: Part = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {**bare, "range": [-0.5, columns - 0.5]},
        "yaxis": {**bare, "range": [rows - 0.5, -0.5], "scaleanchor": "x", "scaleratio": columns / rows},
    }
    return figure([tiles], layout)


def drawing_board(image: Pixels, *, height: int = 320) -> go.Figure:
    """An image (S, S, 3) to draw on with a lasso or a box; its width and height are 1."""
    ticks = np.linspace(0, 1, 29)
    x, y = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    # A lasso needs something to catch.
    points: Part = {"type": "scatter", "x": x, "y": y, "mode": "markers", "marker": {"opacity": 0}, "hoverinfo": "skip"}
    layout = bare_layout(1, height, image)
    layout["images"][0] |= {"x": 0, "y": 0}
    layout["xaxis"] |= {"range": [0, 1]}
    layout["yaxis"] |= {"range": [1, 0]}
    return figure([points], layout | {"dragmode": "lasso"})


def dimmed(image: Pixels, inspected: NDArray[np.bool_]) -> Pixels:
    """An image (S, S, 3) that is dark where it is not inspected (S, S)."""
    return np.asarray(np.where(inspected[..., None], image, np.rint(_DIMMED * image)), np.uint8)


def region_overlay(image: Pixels, values: Array, *, limit: float) -> Pixels:
    """The same as pixels (S, S, 3), for files."""
    tint = _tint(values, limit)
    rows = np.arange(image.shape[0]) * values.shape[0] // image.shape[0]
    columns = np.arange(image.shape[1]) * values.shape[1] // image.shape[1]
    colour, weight = tint[rows[:, None], columns, :3], tint[rows[:, None], columns, 3:]
    return np.asarray(np.rint(image * (1 - weight) + colour * weight), np.uint8)


def region_tint(values: Array, *, limit: float) -> Pixels:
    """The colours alone, a pixel a region (rows, columns, 4), to be laid over a picture."""
    return np.asarray(np.rint(_tint(values, limit) * (1, 1, 1, 255)), np.uint8)


def _tint(values: Array, limit: float) -> Array:
    """Colour and opacity of every region (rows, columns, 4)."""
    share = np.clip(np.nan_to_num(values) / (2 * limit), 0, 1)
    channels = [np.interp(share, _AT, channel) for channel in zip(*_COLOURS, strict=True)]
    return np.stack([*channels, np.interp(share, _AT, _WEIGHTS)], axis=2)
