"""The tail beyond the ranks: how sure an extrapolated threshold is, and whether the tail's law describes the scores."""

from gad_core import figures, wording
from gad_core.decision.tail import REJECTED, fit_tail, tail_interval, tail_qq
from gad_core.errors import GadError
from pages.shared import charts, frame
from pages.views.working_point.view import View


def tail(view: View) -> None:
    """Interval of the threshold and QQ plot of the tail; nothing unless the threshold is extrapolated."""
    if view.chosen is None or view.chosen.point.method != "pareto":
        return
    point, fitted = view.chosen.point, fit_tail(view.scores.normal)
    try:
        low, high = tail_interval(fitted, point.target_fpr)
    except GadError as error:
        interval = frame.sentence(error)
    else:
        interval = f"With 95 % confidence it lies between {wording.number(low)} and {wording.number(high)}."
    verdict = "describes" if fitted.p_value >= REJECTED else "does not describe"
    finding = (
        f"Extrapolated, no guarantee: {wording.percent(point.target_fpr)} beyond {wording.number(point.threshold)}. "
        f"{interval} A generalised Pareto law {verdict} the {len(fitted.excess)} highest of {fitted.n} scores "
        f"(Anderson-Darling p = {fitted.p_value:.2f})."
    )
    with charts.panel("Tail of the good parts", finding):
        titles = ("generalised Pareto quantile", "score")
        figure = figures.qq_plot(*tail_qq(fitted), colour=figures.LEFT_OUT, titles=titles)
        charts.show(figure, key="tail", alt=finding)
