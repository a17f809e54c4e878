"""The components of a level: which reduction keeps which, how strong they are, where in them defects stand out."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gad_core.figures.canvas import LINE, TEXT, Part, axis, figure, horizontal, key, line, vertical
from gad_core.figures.palette import DEFECT, GRID, INK, LEFT_OUT, NORMAL, SCALE, SELECTED, faint

Array = NDArray[np.float64]

_RATIOS = (1, 1.1, 1.2, 1.5, 2, 3, 5, 10, 30)  # that a bar of colours names
_ROW = 27  # pixels


def reduction_heat_map(
    values: Array,
    reductions: Sequence[str],
    rows: Sequence[str],
    *,
    chosen: Sequence[tuple[int, int]],
    unit: str,
    ideal: float | None = None,
) -> go.Figure:
    """A tile for every row and reduction (rows, reductions); the chosen (row, column) are outlined.

    Bright is high; where an `ideal` ratio is given, bright is near it, whether above or below.

    Invisible markers over the tiles report clicks: a point's `customdata` is row * reductions + column.
    """
    n_rows, n_columns = values.shape
    ticks = [*range(0, n_columns, 12)]
    layout = {
        "height": _ROW * n_rows + 90 + LINE,
        "margin": {"b": 50 + LINE},
        "xaxis": axis(
            "share of the variance kept",
            grid=False,
            range=[-0.5, n_columns - 0.5],
            tickvals=ticks,
            ticktext=[reductions[tick].replace(" ", "<br>", 1) for tick in ticks],  # narrow, for a narrow chart
            tickangle=0,
        ),
        "yaxis": axis("", grid=False, tickvals=[*range(n_rows)], ticktext=list(rows), range=[n_rows - 0.5, -0.5]),
        "dragmode": False,
    }
    middle = n_columns // 2
    halves: list[tuple[Part, Part]] = [
        ({}, {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": words})
        for x, words in ((middle / 2, "PCA: the strong"), (1.5 * middle, "NPCA: the weak"))
    ]
    outlines: list[tuple[Part, Part]] = [(_outline(row, column), {}) for row, column in chosen]
    tiles = _tiles(values, unit) if ideal is None else _ratio_tiles(values, unit, ideal)
    digits = 1 if ideal is None else 2
    return figure([tiles, _clicks(values, reductions, rows, digits)], layout, marks=[*outlines, *halves])


def _ratio_tiles(values: Array, unit: str, ideal: float) -> Part:
    """Tiles coloured by how far a ratio lies from its ideal, in logarithms; the bar names the ratios above it."""
    far = -np.abs(np.log(values / ideal))
    tiles = _tiles(far, unit)
    most = np.exp(-tiles["zmin"])
    named = [step for step in _RATIOS if step <= most]
    tiles["zmax"] = 0.0
    tiles["colorbar"] |= {
        "tickvals": [-np.log(step) for step in named],
        "ticktext": [f"{ideal * step:g}" if step == 1 else f"{ideal * step:g}, 1/{step:g}" for step in named],
    }
    return tiles


def _tiles(values: Array, unit: str) -> Part:
    low, high = float(np.nanpercentile(values, 5)), float(np.nanmax(values))
    quiet = faint(INK, 0.75)
    return {
        "type": "heatmap",
        "z": values,
        "zmin": low,
        "zmax": max(high, low + 1e-9),
        "colorscale": SCALE,
        "colorbar": {
            "title": {"text": unit, "side": "right", "font": {"color": quiet, "size": TEXT}},
            "tickfont": {"color": quiet, "size": TEXT},
            "thickness": 10,
            "outlinewidth": 0,
        },
        "xgap": 1,
        "ygap": 1,
        "hoverinfo": "skip",
    }


def _clicks(values: Array, reductions: Sequence[str], rows: Sequence[str], digits: int) -> Part:
    """An invisible marker a tile, which says its value and can be clicked."""
    places = [*np.ndindex(*values.shape)]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [column for _, column in places],
        "y": [row for row, _ in places],
        # Plotly reports points that it was told not to draw, and drawing hundreds takes as long as a whole chart.
        "marker": {"symbol": "square", "size": 18, "opacity": 0, "color": INK, "maxdisplayed": 1},
        "customdata": np.arange(values.size),
        "text": [f"{rows[row]}, {reductions[column]}: {values[row, column]:.{digits}f}" for row, column in places],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _outline(row: int, column: int) -> Part:
    return {
        "type": "rect",
        "x0": column - 0.5,
        "x1": column + 0.5,
        "y0": row - 0.5,
        "y1": row + 0.5,
        "line": {"color": SELECTED, "width": 3},
    }


def eigenvalue_spectrum(eigenvalues: Array, *, kept: slice, n_features: int) -> go.Figure:
    """Spectrum: variance of every component on log axes; those kept are blue, and the null dimensions are shaded."""
    number = np.arange(1.0, len(eigenvalues) + 1)
    inside = np.zeros(len(eigenvalues), bool)
    inside[kept] = True
    traces = [
        line(number[rows], eigenvalues[rows], colour, f"component %{{x}} ({name}): variance %{{y:.3g}}", width=4)
        for rows, colour, name in ((~inside, faint(INK, 0.35), "dropped"), (inside, LEFT_OUT, "kept"))
    ]
    end = max(n_features, len(eigenvalues) + 1)
    marks: list[tuple[Part, Part]] = []
    edge = kept.start + 0.5 if kept.start else kept.stop + 0.5 if kept.stop < len(eigenvalues) else None
    if edge:
        marks.append(vertical(max(edge, 1), "kept →" if kept.start else "← kept", (1, end), log=True))
    if n_features > len(eigenvalues):
        null = {"type": "rect", "x0": len(eigenvalues) + 0.5, "x1": end, "yref": "paper", "y0": 0, "y1": 1}
        words = {"x": np.log10(np.sqrt(len(eigenvalues) * end)), "yref": "paper", "y": 0.04, "text": "null"}
        marks.append((null | {"fillcolor": GRID, "line": {"width": 0}}, words))
    layout = {
        "xaxis": _components(end),
        "yaxis": axis("variance", type="log", tickformat="~g", dtick=2),
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
        traces.append(line(*_smoothed(energy), colour, f"{name}, component %{{x:.0f}}: %{{y:.3g}}", width=2.2))
    r = len(normal if normal is not None else defects if defects is not None else [])
    band: Part = {"type": "rect", "x0": kept.start + 0.5, "x1": kept.stop + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    band |= {"fillcolor": faint(LEFT_OUT, 0.08), "line": {"width": 0}, "layer": "below"}
    one = horizontal(1, color=faint(INK, 0.6))
    layout = {
        "xaxis": _components(max(r, 2)),
        "yaxis": axis("mean squared coordinate / variance", type="log", dtick="D2"),
    }
    return figure(traces, layout, marks=[(band, {}), (one, {}), *key(names)])


def _components(end: int) -> Part:
    title = "component, by falling variance"
    return axis(title, type="log", dtick=1, range=[-0.05, float(np.log10(end)) + 0.02])


def _smoothed(energy: Array, bins: int = 40) -> tuple[Array, Array]:
    """Means over runs of components of about equal width on a log axis."""
    edges = np.unique(np.rint(np.geomspace(1, len(energy) + 1, bins)).astype(int)) - 1
    starts = edges[:-1]
    sizes = np.diff(edges)
    return starts + (sizes + 1) / 2, np.add.reduceat(energy, starts) / sizes
