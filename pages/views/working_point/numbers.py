"""The five numbers that matter at a working point."""

from gad_core import wording
from gad_core.decision.assurance import rate_at_most
from gad_core.decision.rates import Rate
from pages.shared import live
from pages.views.working_point import promises
from pages.views.working_point.view import View

_METRICS = {
    "threshold": "Threshold",
    "promised": "Promised",
    "left out": "Left-out good",
    "good test": "Good test parts",
    "caught": "Caught defects",
}
_IN_BRACKETS = "In brackets the exact 95 % interval."


def numbers(view: View) -> None:
    """Threshold, promise, and what left-out parts, test parts and defects say; each "none" where there is none."""
    cards = [  # with the test ids of `st.metric`: whatever reads pages reads both
        f'<div class="metric" role="group" aria-label="{label}" data-testid="stMetric">'
        f'<p><span data-testid="stMetricLabel">{label}</span>'
        f'<span class="gad-help" role="note" tabindex="0" data-tip="{slot} help">?</span></p>'
        f'<strong data-slot="{slot}" data-testid="stMetricValue"></strong>'
        f'<small data-slot="{slot} note" data-testid="stMetricDelta"></small></div>'
        for slot, label in _METRICS.items()
    ]
    live.words(f'<div class="metrics">{"".join(cards)}</div>', words(view), key="numbers")


def words(view: View) -> dict[str, str]:
    """What the cards say, by slot."""
    chosen, scores = view.chosen, view.scores
    left_out, test, caught = (chosen.left_out, chosen.test, chosen.tpr) if chosen else (None, None, None)
    good, defects = int((~view.anomalous).sum()), int(view.anomalous.sum())
    found = {
        "threshold": (
            wording.number(chosen.point.threshold) if chosen else "none",
            view.missing.note if view.missing else "distance",
            view.missing.why if view.missing else chosen.point.how if chosen else "",
        ),
        "promised": _promised(view),
        "left out": (
            *_rate(view, left_out, len(scores.left_out), "left-out parts"),
            f"Training images flagged by fits without them.{_at_most(view)} {_IN_BRACKETS}",
        ),
        "good test": (
            *_rate(view, test, good, "good test parts"),
            f"Good test images flagged: the false-positive rate. {_IN_BRACKETS}",
        ),
        "caught": (
            *_rate(view, caught, defects, "defects to test"),
            f"Defective test images flagged: the true-positive rate. {_IN_BRACKETS}",
        ),
    }
    return {
        f"{slot}{part}": text
        for slot, texts in found.items()
        for part, text in zip(("", " note", " help"), texts, strict=True)
    }


def _rate(view: View, rate: Rate | None, images: int, lacking: str) -> tuple[str, str]:
    """A rate and its note, or why there is none."""
    if rate:
        return wording.percent(rate.value), wording.rate_note(rate)
    if not images:
        return "none", f"no {lacking}"
    return ("unknown", f"too few {lacking}: {images}") if view.chosen else ("none", "without a threshold")


def _at_most(view: View) -> str:
    """How high the true rate may be, for a person who has looked at many thresholds."""
    if view.threshold is None:
        return ""
    bound = rate_at_most(view.scores.left_out, view.threshold, simultaneous=True)
    return (
        f" Whichever threshold you choose after looking: at this one about {wording.percent(bound)} at most, 95 % sure."
    )


def _promised(view: View) -> tuple[str, str, str]:
    """The target, and what comes of it at the threshold that chi-square predicts for it."""
    note, words = "of good parts flagged", "The share of good parts that you accept to be flagged."
    if view.predicted and view.predicted.left_out:
        note = f"chi-square flags {wording.percent(view.predicted.left_out.value)}"
        words += f" {promises.chi2_finding(view)}"
    return wording.percent(view.settings.target_fpr), note, words
