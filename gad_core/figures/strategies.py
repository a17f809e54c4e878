"""Strategies as figures: the images where the embedding puts them, and the eigengaps that say how many there are."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from gad_core.figures.canvas import CHOSEN, Part, axis, figure
from gad_core.figures.palette import DEFECT, FINITE_SAMPLE, LEFT_OUT, NORMAL, PROMISE, SELECTED, faint

Array = NDArray[np.float64]

#: Colours of clusters, told apart with every kind of colour vision; more of them begin again.
CLUSTERS = (LEFT_OUT, DEFECT, FINITE_SAMPLE, "#CC79A7", NORMAL, "#E69F00", "#8A6D3B", PROMISE)

_FILL = 0.5  # of the grid's cells that hold an image
_ASPECT = 2  # columns to a row
_MARKER, _RING = 34, 44  # pixels, behind a thumbnail and around the chosen one


def cluster_colour(cluster: int) -> str:
    """The colour of a cluster, counted from 0."""
    return CLUSTERS[cluster % len(CLUSTERS)]


def strategy_map(
    places: Array,
    labels: NDArray[np.intp],
    words: Sequence[str],
    *,
    tiles: Sequence[str] = (),
    chosen: int | None = None,
    height: int = 460,
) -> go.Figure:
    """Images about their places (n, 2), each a marker in its cluster's colour or, where there are `tiles`, a picture.

    Pictures lie on a grid, each in the cell that is free and near, so that none hides another. A marker's `customdata`
    is its image's number; `words` are the tooltips, text and no markup.
    """
    columns = math.ceil(math.sqrt(_ASPECT * len(places) / _FILL))
    rows = math.ceil(columns / _ASPECT)
    at = _on_grid(places, rows, columns) if tiles else _spread(places) * (columns - 1, rows - 1)
    marks: Part = {"size": _MARKER, "symbol": "square", "opacity": 0} if tiles else {"size": 12}
    traces: list[Part] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": at[:, 0],
            "y": at[:, 1],
            "marker": {**marks, "color": [cluster_colour(int(one)) for one in labels]},
            "text": [escape(one).replace("\n", "<br>") for one in words],
            "customdata": list(range(len(at))),
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]
    if chosen is not None:
        ring = {"size": _RING, "symbol": "square-open", "color": SELECTED, "line": {"width": 4, "color": SELECTED}}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": at[[chosen], 0],
                "y": at[[chosen], 1],
                "marker": ring if tiles else CHOSEN,
                "hoverinfo": "skip",
            }
        )
    layout: Part = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {"visible": False, "range": [-0.7, columns - 0.3]},
        "yaxis": {"visible": False, "range": [-0.7, rows - 0.3]},
        "images": [_picture(tile, x, y) for tile, (x, y) in zip(tiles, at.tolist(), strict=True)] if tiles else [],
    }
    return figure(traces, layout)


def _picture(source: str, x: float, y: float) -> Part:
    middle: Part = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "middle", "layer": "above"}
    return {"source": source, "x": x, "y": y, "sizex": 0.94, "sizey": 0.94, **middle}


def _spread(places: Array) -> Array:
    """Places (n, 2) in [0, 1]: the mean of where they lie and of their rank on each axis, for an embedding crowds."""
    low, high = places.min(axis=0), places.max(axis=0)
    lying = (places - low) / np.where(high > low, high - low, 1)
    ranks = places.argsort(axis=0, kind="stable").argsort(axis=0) / max(len(places) - 1, 1)
    return np.asarray((lying + ranks) / 2)


def _on_grid(places: Array, rows: int, columns: int) -> Array:
    """Cells (n, 2), column and row, one an image, that lie nearest to the places (n, 2) in all."""
    wanted = _spread(places) * (columns - 1, rows - 1)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2).astype(np.float64)
    _, chosen = linear_sum_assignment(cdist(wanted, cells, "sqeuclidean"))
    return np.asarray(cells[chosen])


def eigengaps(eigenvalues: Array, n_clusters: int, *, height: int = 220) -> go.Figure:
    """The smallest eigenvalues (m,) of the neighbours' graph: as many are small as there are clusters."""
    numbers = list(range(1, len(eigenvalues) + 1))
    colours = [LEFT_OUT if place <= n_clusters else faint(PROMISE, 0.6) for place in numbers]
    trace: Part = {
        "type": "bar",
        "x": numbers,
        "y": eigenvalues,
        "marker": {"color": colours},
        "hovertemplate": "eigenvalue %{x}: %{y:.3g}<extra></extra>",
    }
    layout = {
        "height": height,
        "xaxis": axis("number", grid=False, dtick=1),
        "yaxis": axis("eigenvalue", rangemode="tozero"),
    }
    return figure([trace], layout)
