"""The components of a level: where to cut, how strong they are, where in them defects stand out."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.figures.canvas import Part, axis, figure, key, line_at
from gad_core.figures.palette import DEFECT, GRID, INK, LEFT_OUT, NORMAL, SELECTED, faint

Array = NDArray[np.float64]

_SCALE = [[0, "#0b2545"], [0.35, "#0072B2"], [0.7, "#56B4E9"], [1, "#F7F4D9"]]  # dark to bright, for every eye
_ROW = 27  # pixels


def reduction_heat_map(
    values: Array, cuts: Sequence[str], rows: Sequence[str], *, chosen: Sequence[tuple[int, int]], unit: str
) -> go.Figure:
    """A tile for every row and cut (rows, cuts), bright is high; the chosen tiles (row, cut) are outlined.

    Invisible markers over the tiles report clicks: a point's `customdata` is row * cuts + cut.
    """
    n_rows, n_cuts = values.shape
    low, high = float(np.nanpercentile(values, 5)), float(np.nanmax(values))
    columns, lines = np.meshgrid(np.arange(n_cuts), np.arange(n_rows))
    tiles = {
        "type": "heatmap",
        "z": values,
        "zmin": low,
        "zmax": max(high, low + 1e-9),
        "colorscale": _SCALE,
        "colorbar": {
            "title": {"text": unit, "side": "right", "font": {"color": faint(INK, 0.75)}},
            "tickfont": {"color": faint(INK, 0.75)},
            "thickness": 10,
            "outlinewidth": 0,
        },
        "xgap": 1,
        "ygap": 1,
        "hoverinfo": "skip",
    }
    clicks = {
        "type": "scatter",
        "mode": "markers",
        "x": columns.ravel(),
        "y": lines.ravel(),
        # Plotly reports points that it was told not to draw, and drawing hundreds takes as long as a whole chart.
        "marker": {"symbol": "square", "size": 18, "opacity": 0, "color": INK, "maxdisplayed": 1},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "customdata": np.arange(values.size),
        "text": [f"{rows[line]}, {cuts[cut]}: {values[line, cut]:.1f}" for line, cut in np.ndindex(*values.shape)],
        "hovertemplate": "%{text}<extra></extra>",
    }
    outlines: list[tuple[Part, Part]] = [
        (
            {
                "type": "rect",
                "x0": cut - 0.5,
                "x1": cut + 0.5,
                "y0": row - 0.5,
                "y1": row + 0.5,
                "line": {"color": SELECTED, "width": 3},
            },
            {},
        )
        for row, cut in chosen
    ]
    middle = n_cuts // 2
    halves: list[tuple[Part, Part]] = [
        ({}, {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": words})
        for x, words in ((middle / 2, "PCA"), (1.5 * middle, "NPCA"))
    ]
    ticks = [*range(0, n_cuts, 12)]
    layout = {
        "height": _ROW * n_rows + 90,
        "xaxis": axis(
            "share of the variance kept: the strong components (PCA) or the weak (NPCA)",
            grid=False,
            range=[-0.5, n_cuts - 0.5],
            tickvals=ticks,
            ticktext=[cuts[t] for t in ticks],
            tickangle=0,
        ),
        "yaxis": axis("", grid=False, tickvals=[*range(n_rows)], ticktext=list(rows), range=[n_rows - 0.5, -0.5]),
        "clickmode": "event+select",
        "dragmode": False,
    }
    return figure([tiles, clicks], layout, marks=[*outlines, *halves])


def eigenvalue_spectrum(eigenvalues: Array, *, kept: slice, n_features: int) -> go.Figure:
    """Variance of every component on log axes; those kept are blue, and the null dimensions are shaded."""
    number = np.arange(1, len(eigenvalues) + 1)
    inside = np.zeros(len(eigenvalues), bool)
    inside[kept] = True
    traces = [
        _run(number[~inside], eigenvalues[~inside], faint(INK, 0.35), "dropped"),
        _run(number[inside], eigenvalues[inside], LEFT_OUT, "kept"),
    ]
    end = max(n_features, len(eigenvalues) + 1)
    marks: list[tuple[Part, Part]] = []
    edge = kept.start + 0.5 if kept.start else kept.stop + 0.5 if kept.stop < len(eigenvalues) else None
    if edge:
        marks.append(line_at(max(edge, 1), "cut", (1, end), log=True))
    if n_features > len(eigenvalues):
        null = {"type": "rect", "x0": len(eigenvalues) + 0.5, "x1": end, "yref": "paper", "y0": 0, "y1": 1}
        words = {"x": np.log10(np.sqrt(len(eigenvalues) * end)), "yref": "paper", "y": 0.04, "text": "null"}
        marks.append((null | {"fillcolor": GRID, "line": {"width": 0}}, words))
    layout = {
        "xaxis": _components(end),
        "yaxis": axis("variance", type="log", exponentformat="power", dtick=2),
    }
    return figure(traces, layout, marks=marks)


def component_energy(normal: Array | None, defects: Array | None, *, kept: slice) -> go.Figure:
    """Mean squared whitened coordinate of good and defective test images by component (r,), smoothed on a log axis.

    1 is what the fitted images have; where defects rise above the good ones, the component tells them apart.
    """
    traces, names = [], []
    for energy, colour, name in ((normal, NORMAL, "good test"), (defects, DEFECT, "defects")):
        if energy is None:
            continue
        names.append((name, colour))
        x, y = _smoothed(energy)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "line": {"color": colour, "width": 2.2},
                "hovertemplate": f"{name}, component %{{x:.0f}}: %{{y:.3g}}<extra></extra>",
            }
        )
    r = len(normal if normal is not None else defects if defects is not None else [])
    band: Part = {"type": "rect", "x0": kept.start + 0.5, "x1": kept.stop + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    band |= {"fillcolor": faint(LEFT_OUT, 0.08), "line": {"width": 0}, "layer": "below"}
    one = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    one |= {"line": {"color": faint(INK, 0.6), "dash": "dot", "width": 1.5}}
    layout = {
        "xaxis": _components(max(r, 2)),
        "yaxis": axis("mean squared coordinate / variance", type="log", dtick="D2"),
    }
    return figure(traces, layout, marks=[(band, {}), (one, {}), *key(names)])


def _components(end: int) -> Part:
    title = "component, by falling variance"
    return axis(title, type="log", dtick=1, range=[-0.05, float(np.log10(end)) + 0.02])


def _run(x: NDArray[np.intp], y: Array, colour: str, name: str) -> Part:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 4},
        "hovertemplate": f"component %{{x}} ({name}): variance %{{y:.3g}}<extra></extra>",
    }


def _smoothed(energy: Array, bins: int = 40) -> tuple[Array, Array]:
    """Means over runs of components of about equal width on a log axis."""
    edges = np.unique(np.rint(np.geomspace(1, len(energy) + 1, bins)).astype(int)) - 1
    starts = edges[:-1]
    sizes = np.diff(edges)
    return starts + (sizes + 1) / 2, np.add.reduceat(energy, starts) / sizes
