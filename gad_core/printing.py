"""Results as the command line prints them: JSON, lines of words, a table."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gad_core.data.datasets import Refusal
from gad_core.decision.evaluation import Evaluation, PointRates
from gad_core.decision.rates import Rate
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning

if TYPE_CHECKING:  # torch alone takes seconds
    from gad_core.attribution.deep_shap import Attribution
    from gad_core.attribution.explanation import Explanation


def tuning_json(tuning: Tuning) -> dict[str, Any]:
    """Levels, keep and score."""
    return {"levels": list(tuning.levels), "keep": str(tuning.reduction), "score": tuning.distance}


def fit_json(detector: Detector, out: Path) -> dict[str, Any]:
    """What `fit` prints."""
    return {
        "detector": str(out),
        "backbone": detector.backbone,
        "n_train": detector.n_train,
        "folds": int(detector.folds.max()) + 1,
        "augmented": detector.augmented.to_json() if detector.augmented else None,
        **tuning_json(detector.tuning),
        "by_level": [
            {
                "level": level,
                "n_features": gaussian.spectrum.n_features,
                "null": gaussian.spectrum.n_null,
                "shrinkage": gaussian.spectrum.whole,
            }
            for level, gaussian in enumerate(detector.gaussians, start=1)
        ],
    }


def evaluation_json(detector: Detector, tuning: Tuning, result: Evaluation) -> dict[str, Any]:
    """What `evaluate` prints; AUROC in percent, rates in [0, 1]."""
    return {
        "backbone": detector.backbone,
        "n_train": detector.n_train,
        **tuning_json(tuning),
        "n_normal": result.n_normal,
        "n_anomalous": result.n_anomalous,
        "auroc": {level: 100 * area.value for level, area in result.auroc.items()},
        "auroc_interval": {level: [100 * area.low, 100 * area.high] for level, area in result.auroc.items()},
        "working_points": [
            {
                "level": achieved.level,
                "method": achieved.point.method,
                "target_fpr": achieved.point.target_fpr,
                "threshold": achieved.point.threshold,
                **_rate("left_out_fpr", "left_out_interval", achieved.left_out),
                **_rate("test_fpr", "test_interval", achieved.test),
                **_rate("tpr", "tpr_interval", achieved.tpr),
            }
            for achieved in result.achieved
        ],
        "no_threshold": list(result.refused),
    }


def explanation_json(found: "Attribution", met: "Explanation | None") -> dict[str, Any]:
    """What `explain` prints; the explanation scores are None without a mask that has a score."""
    return {
        "score": found.score,
        "reference_score": found.reference_score,
        "completeness_gap": found.gap,
        "precision": found.precision,
        "rules": found.rules,
        "levels": list(found.levels),
        "references": list(found.references),
        "explanation_score": met.score if met else None,
        "raw_explanation_score": met.raw_score if met else None,
        "uniform_level": met.uniform_level if met else None,
        "null": {"mean": met.null_mean, "interval": [met.null_low, met.null_high]} if met else None,
        "share_in_mask": met.share if met else None,
    }


def _rate(name: str, interval: str, rate: Rate | None) -> dict[str, Any]:
    return {name: rate.value if rate else None, interval: [rate.low, rate.high] if rate else None}


def refusals_json(refused: Sequence[Refusal]) -> list[dict[str, str]]:
    """Refused files with their reasons."""
    return [{"path": refusal.path, "reason": refusal.reason} for refusal in refused]


def achieved_line(achieved: PointRates) -> str:
    """One working point in words."""
    rates = {"left out": achieved.left_out, "test": achieved.test, "caught": achieved.tpr}
    words = [f"{name} {rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]" for name, rate in rates.items() if rate]
    point = achieved.point
    what = f"level {achieved.level:>3} {point.method:15} at {point.target_fpr:.2%}"
    return f"{what}: distance {point.threshold:.3f}, {', '.join(words)}"


def score_line(row: dict[str, Any]) -> str:
    """One scored image in words."""
    mark = "anomalous" if row["anomalous"] else "normal"
    return f"{mark:9}  {row['score']:9.3f}  p = {row['p_value']:.4f}  {row['path']}"


def print_json(value: dict[str, Any]) -> None:
    """One object on stdout."""
    typer.echo(json.dumps(value, indent=1, allow_nan=False))


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """One line an image; raises `GadError` where `path` cannot be written."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise GadError(f"cannot write {path} ({error.strerror}); choose a file that you may write") from error
