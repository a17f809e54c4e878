"""What a table says beside what the paper says: which of two is better, by how much, and whether that agrees."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from gad_core.decision.working_point import sigma_fpr
from gad_core.wording import percent

Key = Literal["row", "column"]
_PROMISED = (1, 2, 3)  # sigmas of which Table VI is summed up


@dataclass(frozen=True)
class Finding:
    """One sentence; `agrees` says whether the paper's figures say the same, None where it has none."""

    text: str
    agrees: bool | None


@dataclass(frozen=True)
class Contrast:
    """Two rows or two columns that the paper compares, the one that it finds higher first.

    A name counts where it is one of the parts of a row's or column's name that commas separate: "all" in
    "tf_efficientnet_b4, all". `among` chooses the columns (or rows) over which the mean is taken.
    """

    by: Key
    first: str
    second: str
    metric: str = "AUROC"
    among: Callable[[str], bool] = lambda _: True
    words: str = ""  # what `among` chooses


@dataclass(frozen=True)
class Difference:
    """First less second, in points: mean and standard error over categories; NaN where there is none."""

    mean: float
    sem: float = math.nan
    n: int = 0

    @property
    def clear(self) -> bool:
        """Whether the t interval of 95 % leaves out 0."""
        return self.n > 1 and abs(self.mean) > stats.t.ppf(0.975, self.n - 1) * self.sem


def _of_levels(by: Key, first: str, second: str) -> Contrast:
    return Contrast(by, first, second, among=str.isdigit, words=" on the mean of the levels")


def _of_sum(by: Key, first: str, second: str) -> Contrast:
    return Contrast(by, first, second, among=lambda level: level == "sum", words=" on the sum")


def _noise(method: str) -> Contrast:
    words = f" for {method[0].lower() if method.startswith('Fine') else method[0]}{method[1:]}"
    return Contrast("column", "0 %", "20 %", among=lambda row: row == method, words=words)


_GAUSSIANS, _CLASSIFIER = "Mahalanobis, all levels", "Fine-tuned classifier"
_ABOVE_BASELINES = tuple(
    Contrast("row", "Mahalanobis, NPCA 1 %", other)
    for other in ("oc-SVM, all levels", "Auto-encoder, map-mean", "Auto-encoder, CCA")
)
#: By the name of a table.
CONTRASTS = {
    "I": (*_ABOVE_BASELINES, Contrast("row", _CLASSIFIER, "Mahalanobis, NPCA 1 %")),
    "II": (_of_levels("column", "Mahalanobis", "SED"), _of_levels("column", "SED", "L2")),
    "III": (Contrast("row", "4", "1"), Contrast("row", "4", "5")),
    "IV": (Contrast("row", "7", "1"), Contrast("row", "7", "9"), Contrast("row", "7", "sum")),
    "V": (
        _of_levels("column", "all", "PCA 95 %"),
        _of_sum("column", "all", "PCA 95 %"),
        _of_levels("column", "NPCA 1 %", "all"),
        _of_sum("column", "NPCA 1 %", "all"),
    ),
    "VI": (Contrast("column", "NPCA 1 %", "PCA 99 %", "FPR"), Contrast("column", "NPCA 1 %", "PCA 99 %", "TPR")),
    "VIII": (_noise(_CLASSIFIER), _noise(_GAUSSIANS)),
    "IX": (Contrast("column", "seen types", "held-out type"),),
    "X": (Contrast("row", _GAUSSIANS, _CLASSIFIER, "Explanation score"), Contrast("row", _CLASSIFIER, _GAUSSIANS)),
}


def findings(table: str, tidy: pd.DataFrame, paper: pd.DataFrame) -> tuple[Finding, ...]:
    """Sentences on a table: `tidy` as `Result` holds it, `paper` as `published` gives it."""
    found = [_finding(contrast, tidy, paper) for contrast in CONTRASTS.get(table, ())]
    promises = _promises(tidy, paper) if table == "VI" else iter(())
    return (*promises, *(one for one in found if one is not None))


def difference(contrast: Contrast, frame: pd.DataFrame) -> Difference:
    """Of a frame with row, column, metric and value, and category where it has several.

    Both sides of a category are means over what they have in common, or over all where that is nothing (a network of
    its own).
    """
    other = "column" if contrast.by == "row" else "row"
    kept = frame[(frame["metric"] == contrast.metric) & frame[other].map(contrast.among).astype(bool)]
    values = list[float]()
    for _, own in kept.groupby("category") if "category" in kept else [("", kept)]:
        first, second = (_means(own, contrast.by, name, other) for name in (contrast.first, contrast.second))
        if first.empty or second.empty:
            continue
        both = first.index.intersection(second.index)
        pairs = (first[both], second[both]) if len(both) else (first, second)
        over, under = (float(np.mean(side.to_numpy())) for side in pairs)
        values.append(over - under)
    if not values:
        return Difference(math.nan)
    return Difference(float(np.mean(values)), float(stats.sem(values)) if len(values) > 1 else math.nan, len(values))


def _means(frame: pd.DataFrame, by: str, name: str, other: str) -> "pd.Series[float]":
    named = frame[by].map(lambda full: f", {name}, " in f", {full}, ").astype(bool)
    return frame[named].groupby(other)["value"].mean()


def _finding(contrast: Contrast, tidy: pd.DataFrame, paper: pd.DataFrame) -> Finding | None:
    ours = difference(contrast, tidy)
    theirs = difference(contrast, paper.rename(columns={"mean": "value"}))
    if math.isnan(ours.mean):
        return None
    scatter = f" ± {ours.sem:.1f}" if ours.n > 1 else ""
    unclear = "" if ours.clear else ", not clear from " + ("1 category" if ours.n == 1 else f"{ours.n} categories")
    side = "above" if ours.mean > 0 else "below"
    metric = "" if contrast.metric == "AUROC" else f" in {contrast.metric}"
    text = (
        f"{_called(contrast.first)} {side} {_called(contrast.second)} by {abs(ours.mean):.1f}{scatter} points"
        f"{metric}{contrast.words}{unclear}"
    )
    if math.isnan(theirs.mean):
        return Finding(f"{text}; the paper does not compare them.", None)
    agrees = (ours.mean > 0) == (theirs.mean > 0)
    there = f"{abs(theirs.mean):.1f} {'above' if theirs.mean > 0 else 'below'} there"
    return Finding(f"{'As' if agrees else 'Not as'} in the paper: {text} ({there}).", agrees)


def _called(name: str) -> str:
    return f"level {name}" if name.isdigit() else {"all": "all components", "sum": "the sum"}.get(name, name)


def _promises(tidy: pd.DataFrame, paper: pd.DataFrame) -> Iterator[Finding]:
    """What equation 6 promises with every component, beside what test normals give."""
    for sigma in _PROMISED:
        ours, theirs = (
            _means(own[(own["row"] == f"{sigma} sigma") & (own["metric"] == "FPR")], "column", "all", "metric").mean()
            for own in (tidy, paper.rename(columns={"mean": "value"}))
        )
        if math.isnan(ours):
            continue
        promised = 100 * sigma_fpr(sigma)
        agrees = (ours > promised) == (theirs > promised)
        text = f"{sigma} sigma promise {percent(promised / 100)} of normal images, {percent(ours / 100)} lie beyond"
        yield Finding(f"{'As' if agrees else 'Not as'} in the paper: {text} ({percent(theirs / 100)} there).", agrees)
