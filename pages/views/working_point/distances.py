"""Where the three kinds of images lie, and the threshold between them."""

from collections.abc import Callable
from typing import Any

from gad_core import figures
from gad_core.decision.costs import Band
from pages.shared import charts, live
from pages.views.working_point import promises
from pages.views.working_point.view import View


def distances(view: View, on_pick: Callable[[dict[str, Any]], None]) -> None:
    """Histogram or distribution function of the three kinds of images, and what chi-square says of them."""
    lines = figures.Lines(
        view.threshold,
        view.adopted,
        view.predicted.point.threshold if view.predicted else None,
        view.review if isinstance(view.review, Band) else None,
        view.reach,
    )
    marks: list[live.Mark] = [
        {"kind": "line", "x": "threshold at", "label": "threshold name", "style": "threshold"},
        {"kind": "line", "x": "predicted at", "label": "predicted name", "style": "predicted", "row": 1},
    ]
    if lines.review:
        marks.append({"kind": "band", "from": "threshold at", "to": lines.review.reject_above, "label": "review"})
    alt = words(view)["distances"]
    with charts.cornered("Distances", alt, slot="distances") as corner:
        if charts.switch(corner, ("Histogram", "ECDF"), key="distance_kind") == "Histogram":
            figure = figures.score_histogram(view.groups, lines)
            marks.append({"kind": "cut", "x": "threshold at"})
            charts.pick(figure, key="distances", alt=alt, on_pick=on_pick, marks=marks)
        else:
            charts.show(figures.score_ecdf(view.groups, lines), key="shares", alt=alt, marks=marks)


def words(view: View) -> dict[str, str]:
    """The finding, by slot."""
    return {"distances": f"{_separation(view)} {promises.chi2_finding(view)}"}


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
