"""A report laid out: one HTML page with its style, charts and pictures inside."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gad_core import wording
from gad_core.data.datasets import ImageFile, Refusal
from gad_core.decision.rates import Rate
from gad_core.figures.palette import DEFECT, LEFT_OUT, METHOD_NAMES, NORMAL, PROMISE
from gad_core.report import charts
from gad_core.report.content import Content, Explained, Judged

_HERE = Path(__file__).parent
_QUALITY = 80  # of the JPEGs: a picture of 224 pixels takes 10 kB
_TEMPLATE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False).from_string(
    (_HERE / "page.html").read_text(encoding="utf-8")
)
_INK = "currentColor"
_EDGE = (240, 228, 66)  # of a mask, as on the pages


@dataclass(frozen=True)
class Circumstances:
    """What stands in a report that the detector and the data do not say: names, history, checks, how it was made."""

    title: str
    name: str  # of the detector
    dataset: str  # its name
    date: datetime
    decisions: Sequence[Mapping[str, Any]]  # when, who, what, threshold, how, note, holds
    checks: Sequence[str]
    data: Sequence[tuple[str, str]]
    fit: Sequence[tuple[str, str]]
    versions: Sequence[tuple[str, str]]
    commands: str
    n_references: int


def render(content: Content, about: Circumstances, *, images: int, pictures: Mapping[int, NDArray[np.uint8]]) -> str:
    """Lay it out; `pictures` are those of the errors by place among the test images, `images` of a kind at most."""
    point = content.rates.point
    return _TEMPLATE.render(
        title=about.title,
        name=about.name,
        version=content.detector.version,
        date=f"{about.date.day} {about.date:%B %Y, %H:%M} UTC",
        wordmark=Markup((_HERE / "wordmark.svg").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        content=content,
        dataset=about.dataset,
        tiles=_tiles(content),
        how=_how(content),
        charts=_charts(content),
        target=wording.percent(point.target_fpr),
        methods=_methods(content),
        band=_band(content),
        errors=_errors(content, images, pictures),
        has_regions=content.detector.tuning.pool is not None,
        explained=[_explained(one) for one in content.explained],
        not_explained=content.not_explained,
        n_references=about.n_references,
        worst_gap=f"{max((one.gap for one in content.explained), default=0):.0e}",
        checks=about.checks,
        decisions=about.decisions,
        data=about.data,
        refused=_refused(content),
        fit=about.fit,
        health=_health(content),
        versions=about.versions,
        commands=about.commands,
    )


def _tiles(content: Content) -> list[dict[str, str]]:
    rates = content.rates

    def tile(name: str, found: Rate | None) -> dict[str, str]:
        value = wording.percent(found.value) if found else "not known"
        return {"name": name, "value": value, "note": wording.rate_note(found) if found else "no such images"}

    area = content.area
    return [
        {
            "name": "Threshold",
            "value": wording.number(rates.point.threshold),
            "note": "adopted" if content.adopted else "not adopted",
        },
        {"name": "Promised", "value": wording.percent(rates.point.target_fpr), "note": "of good parts flagged"},
        tile("Left-out good", rates.left_out),
        tile("Good test parts", rates.test),
        tile("Caught defects", rates.tpr),
        {
            "name": "AUROC",
            "value": f"{100 * area.value:.1f} %" if area else "not known",
            "note": wording.interval(area.low, area.high) if area else "takes both kinds",
        },
    ]


def _how(content: Content) -> str:
    point, tuning = content.rates.point, content.detector.tuning
    chi2 = ""
    if content.chi2 and content.chi2.left_out:
        promise, found = wording.percent(point.target_fpr), wording.rate(content.chi2.left_out)
        chi2 = f" Chi-square promises the same {promise}; its threshold flags {found} of left-out good parts."
    return (
        f"The score: {wording.tuning(tuning)}. The threshold: {METHOD_NAMES[point.method].lower()} at "
        f"{wording.percent(point.target_fpr)}, {point.how}.{chi2}"
    )


def _charts(content: Content) -> dict[str, Markup | None]:
    scores, flags, point = content.scores, content.anomalous, content.rates.point
    groups = {
        "left-out good": (scores.left_out, LEFT_OUT),
        "good test": (scores.test[~flags], NORMAL),
        "defects": (scores.test[flags], DEFECT),
    }
    marks = [("threshold", point.threshold, _INK)]
    if point.reject_above is not None:
        marks.append(("reject above", point.reject_above, _INK))
    if content.chi2 and point.method != "chi2":
        marks.append(("chi-square", content.chi2.point.threshold, PROMISE))
    at = (content.rates.test.value, content.rates.tpr.value) if content.rates.test and content.rates.tpr else None
    area = wording.area(content.area) if content.area else ""
    return {
        "histogram": charts.histogram(groups, marks, alt=content.sentence),
        "roc": charts.roc(content.curve, at, alt=f"ROC, area {area}") if content.curve else None,
        "types": charts.by_type(content.caught, alt="Share of each type of defect that is caught")
        if content.anomalous.any()
        else None,
    }


def _methods(content: Content) -> list[dict[str, str]]:
    point = content.rates.point
    rows = [rates for rates in content.methods if rates.point.method != point.method]
    return [
        {
            "name": METHOD_NAMES[rates.point.method],
            "chosen": ("adopted" if content.adopted else "default") if rates is content.rates else "",
            "threshold": wording.number(rates.point.threshold),
            **{
                name: wording.rate(found) if found else "–"
                for name, found in (("left_out", rates.left_out), ("test", rates.test), ("tpr", rates.tpr))
            },
        }
        for rates in (content.rates, *rows)
    ]


def _band(content: Content) -> dict[str, Any] | None:
    point, found = content.rates.point, content.band
    if found is None or point.reject_above is None:
        return None
    low, high = wording.number(point.threshold), wording.number(point.reject_above)
    kinds = (("good test parts", found.good), ("defects", found.bad))
    return {
        "words": f"Accepted up to {low}, rejected above {high}; a person reviews what lies between.",
        "rows": [[name, *(wording.rate(share) for share in three)] for name, three in kinds if three],
    }


def _errors(content: Content, images: int, pictures: Mapping[int, NDArray[np.uint8]]) -> list[dict[str, Any]]:
    groups = []
    for name, (shown, count) in content.errors(images).items():
        several = f"{len(shown)} of {count} shown" if len(shown) < count else str(count)
        tiles = [_tile(one, pictures[one.place], content.rates.point.threshold) for one in shown]
        groups.append({"name": name, "count": several, "images": tiles})
    return groups


def _tile(one: Judged, pixels: NDArray[np.uint8], threshold: float) -> dict[str, str]:
    side = "above" if one.score > threshold else "below"
    caption = (
        f"{_kind(one.file)} · {wording.number(one.score)}, {side} {wording.number(threshold)} · {one.file.path.name}"
    )
    return {"url": _url(pixels), "caption": caption, "alt": caption}


def _explained(one: Explained) -> dict[str, str]:
    found = one.explanation
    score = "no mask to hold it against"
    if found:
        score = f"explanation score {found.score:.0f}, uniform map {found.uniform_level:.0f}"
    caption = f"{_kind(one.file)} · {score} · {one.file.path.name}"
    return {"url": _url(one.picture), "caption": caption, "alt": f"attributions: {caption}"}


def _health(content: Content) -> list[dict[str, Any]]:
    return [
        {
            "level": row.level,
            "n_features": row.n_features,
            "kept": row.kept,
            "shrinkage": f"{row.shrinkage:.3f}",
            "area": wording.area(row.area) if row.area else "–",
            "summed": "yes" if row.summed else "",
        }
        for row in content.health
    ]


def _refused(content: Content) -> list[Refusal]:
    return [*content.detector.refused, *content.extraction.images.refused]


def outlined(picture: NDArray[np.uint8], mask: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """The picture (S, S, 3) with the edge of a mask of any size drawn on it."""
    if mask is None or not mask.any():
        return picture
    size = (picture.shape[1], picture.shape[0])
    inside = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    shrunk = ndimage.binary_erosion(inside, iterations=2, border_value=1)
    drawn = picture.copy()
    drawn[inside & ~shrunk] = _EDGE
    return drawn


def _kind(file: ImageFile) -> str:
    return file.defect.replace("_", " ")


def _url(pixels: NDArray[np.uint8]) -> str:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
