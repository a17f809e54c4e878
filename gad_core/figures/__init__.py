"""Plotly figures from plain arrays, drawn so that they stand on a light and on a dark page."""

from gad_core.figures.attributions import (
    attribution_map,
    data_url,
    deletion_curve,
    explanation_plane,
    map_gradient,
    overlay,
)
from gad_core.figures.bands import band_shares
from gad_core.figures.control import control_chart, martingale
from gad_core.figures.curves import precision_recall_curve, roc_curve
from gad_core.figures.deployment import Fall, indifference_curves, moved_bands, shift_curve
from gad_core.figures.distances import Lines, score_ecdf, score_histogram
from gad_core.figures.drawn import map_svg
from gad_core.figures.outcomes import TILES, confusion, cost_curve, qq_plot, tile_words
from gad_core.figures.palette import DEFECT, INK, LEFT_OUT, METHOD_COLOURS, METHOD_NAMES, NORMAL, SELECTED
from gad_core.figures.paper import table_chart
from gad_core.figures.planning import learning_curves
from gad_core.figures.promises import LEVEL_SERIES, level_promises, promised_against_achieved
from gad_core.figures.rates import areas_beside, bar_words, level_areas, rate_bars
from gad_core.figures.reductions import component_energy, eigenvalue_spectrum, reduction_heat_map
from gad_core.figures.regions import dimmed, drawing_board, region_grid, region_map, region_overlay, region_tint
from gad_core.figures.repeatability import repeated_distances
from gad_core.figures.sensitivity import blind_spots, detection_curves
from gad_core.figures.sigma import sigma_rates
from gad_core.figures.strategies import cluster_colour, eigengaps, strategy_map

__all__ = [
    "DEFECT",
    "INK",
    "LEFT_OUT",
    "LEVEL_SERIES",
    "METHOD_COLOURS",
    "METHOD_NAMES",
    "NORMAL",
    "SELECTED",
    "TILES",
    "Fall",
    "Lines",
    "areas_beside",
    "attribution_map",
    "band_shares",
    "bar_words",
    "blind_spots",
    "cluster_colour",
    "component_energy",
    "confusion",
    "control_chart",
    "cost_curve",
    "data_url",
    "deletion_curve",
    "detection_curves",
    "dimmed",
    "drawing_board",
    "eigengaps",
    "eigenvalue_spectrum",
    "explanation_plane",
    "indifference_curves",
    "learning_curves",
    "level_areas",
    "level_promises",
    "map_gradient",
    "map_svg",
    "martingale",
    "moved_bands",
    "overlay",
    "precision_recall_curve",
    "promised_against_achieved",
    "qq_plot",
    "rate_bars",
    "reduction_heat_map",
    "region_grid",
    "region_map",
    "region_overlay",
    "region_tint",
    "repeated_distances",
    "roc_curve",
    "score_ecdf",
    "score_histogram",
    "shift_curve",
    "sigma_rates",
    "strategy_map",
    "table_chart",
    "tile_words",
]
