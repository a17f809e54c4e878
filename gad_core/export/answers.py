"""What a scoring service says: of an image, of a request, of itself; and what its sinks get."""

import math
from typing import Any

from pydantic import BaseModel, Field

from gad_core.decision.verdict import Judge, Outcome
from gad_core.export.result import Result
from gad_core.export.scoring import Scored


class ImageResult(BaseModel):
    """One image's verdict."""

    path: str = Field(description="The file's name, as it was sent.")
    score: float = Field(description="Distance; a higher one is more anomalous.")
    p_value: float
    threshold: float
    reject_above: float | None = Field(None, description="Of an adopted review band: up to here a person decides.")
    anomalous: bool = Field(description="Whether the score lies above the threshold.")
    verdict: Outcome = Field(description="What becomes of it; review is for a person.")
    sha256: str
    regions: list[list[float | None]] | None = Field(None, description="0 is usual for a region, above 1 is rare.")


class Refused(BaseModel):
    """A file that is no image that can be read."""

    path: str
    reason: str


class Results(BaseModel):
    """What came of a request; every file is in one of the two lists."""

    images: list[ImageResult]
    refused: list[Refused]


class Health(BaseModel):
    """What the service judges with."""

    status: str
    detector: str
    version: str
    backbone: str
    n_train: int
    threshold: float
    reject_above: float | None
    method: str
    target_fpr: float
    adopted: bool
    decision: str | None
    sinks: list[str] = Field(description="Why a sink takes nothing now; empty where all do.")


def result_of(name: str, scored: Scored, judge: Judge, *, regions: bool) -> ImageResult:
    """The answer on an image, with its map if that is asked for."""
    point, rows = judge.point, None
    if regions and scored.regions is not None:
        rows = [[None if math.isnan(value) else value for value in row] for row in scored.regions.tolist()]
    return ImageResult(
        path=name,
        score=scored.score,
        p_value=scored.p_value,
        threshold=point.threshold,
        reject_above=point.reject_above,
        anomalous=scored.outcome != "good",
        verdict=scored.outcome,
        sha256=scored.digest,
        regions=rows,
    )


def record_of(image: ImageResult, health: Health, *, lot: str | None) -> dict[str, Any]:
    """What sinks get of an image."""
    return Result(
        image.path,
        image.sha256,
        lot,
        image.score,
        image.p_value,
        image.threshold,
        image.reject_above,
        image.verdict,
        health.detector,
        health.version,
        health.decision,
    ).to_json()


def health_of(name: str, judge: Judge, decision: str | None) -> Health:
    """What is judged with."""
    detector, point = judge.detector, judge.point
    return Health(
        status="ok",
        detector=name,
        version=detector.version,
        backbone=detector.backbone,
        n_train=detector.n_train,
        threshold=point.threshold,
        reject_above=point.reject_above,
        method=point.method,
        target_fpr=point.target_fpr,
        adopted=point == detector.working_point,
        decision=decision,
        sinks=[],
    )
