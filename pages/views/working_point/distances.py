"""Where the three kinds of images lie, and the threshold between them."""

from collections.abc import Callable
from typing import Any

from gad_core import figures
from gad_core.decision.costs import Band
from pages.shared import charts
from pages.views.working_point.view import View


def distances(view: View, predicted: str, on_pick: Callable[[dict[str, Any]], None]) -> None:
    """Histogram or distribution function of the three kinds of images; `predicted` is what chi-square says of them."""
    finding = f"{_separation(view)} {predicted}"
    lines = figures.Lines(
        view.threshold,
        view.adopted,
        view.predicted.point.threshold if view.predicted else None,
        view.review if isinstance(view.review, Band) else None,
    )
    with charts.panel("Distances", finding) as corner:
        if charts.switch(corner, ("Histogram", "ECDF"), key="distance_kind") == "Histogram":
            figure = figures.score_histogram(view.groups, lines)
            charts.pick(figure, key="distances", alt=finding, on_pick=on_pick)
        else:
            charts.show(figures.score_ecdf(view.groups, lines), key="shares", alt=finding)


def _separation(view: View) -> str:
    """What the histogram shows, in words."""
    chosen, words = view.chosen, []
    if chosen and chosen.test:
        words.append(f"{chosen.test.count} of {chosen.test.n} good test parts lie above the threshold")
    if chosen and chosen.tpr:
        words.append(f"{chosen.tpr.n - chosen.tpr.count} of {chosen.tpr.n} defects below it")
    if words:
        return ", ".join(words) + "."
    left_out = f"{len(view.scores.left_out)} good parts, each scored by a fit without it"
    return f"{left_out}." if chosen else f"{left_out}; no threshold to set them against."
