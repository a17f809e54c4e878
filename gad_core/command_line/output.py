"""Results as the command line prints them: JSON, lines of words, a table, and a bar while work goes on."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gad_core.errors import GadError

_DEVICES = (Path("/dev"), Path("/dev/fd"))

if TYPE_CHECKING:
    from gad_core.data.datasets import Refusal
    from gad_core.decision.evaluation import Evaluation, PointRates
    from gad_core.decision.false_discovery import Batch
    from gad_core.gaussian.detector import Detector
    from gad_core.gaussian.tuning import Tuning
    from gad_core.library.explaining import ExplainedImage
    from gad_core.progress import Progress


def fit_json(detector: "Detector", out: Path) -> dict[str, Any]:
    """What `fit` prints."""
    augmented = detector.settings.augmented
    return {
        "detector": str(out),
        "backbone": detector.backbone,
        "n_train": detector.n_train,
        "n_left_out": detector.n_left_out,
        "folds": detector.n_folds,
        "augmented": augmented.to_json() if augmented else None,
        **detector.tuning.to_json(),
        "settings": detector.settings.to_json(),
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


def evaluation_json(detector: "Detector", tuning: "Tuning", result: "Evaluation") -> dict[str, Any]:
    """What `evaluate` prints; AUROC in percent, rates in [0, 1]."""
    return {
        "backbone": detector.backbone,
        "n_train": detector.n_train,
        **tuning.to_json(),
        "n_normal": result.n_normal,
        "n_anomalous": result.n_anomalous,
        "auroc": {level: 100 * area.value for level, area in result.auroc.items()},
        "auroc_interval": {level: [100 * area.low, 100 * area.high] for level, area in result.auroc.items()},
        **_localisation(result),
        "working_points": [rates.to_json() for rates in result.working_points],
        "no_threshold": list(result.refused),
    }


def _localisation(result: "Evaluation") -> dict[str, float]:
    """How well masked defects are found, in percent; nothing without regions or masks."""
    found = result.localisation
    return {"pixel_auroc": 100 * found.pixel_auroc, "aupro": 100 * found.aupro} if found else {}


def explanation_json(found: "ExplainedImage") -> dict[str, Any]:
    """What `explain` prints; the explanation scores are None without a mask that has a score."""
    attribution, explanation = found.attribution, found.explanation
    return {
        "score": attribution.score,
        "reference_score": attribution.reference_score,
        "completeness_gap": attribution.gap,
        "precision": attribution.precision,
        "rules": attribution.rules,
        "levels": list(attribution.levels),
        "references": list(attribution.references),
        "explanation_score": explanation.score if explanation else None,
        "raw_explanation_score": explanation.raw_score if explanation else None,
        "uniform_level": explanation.uniform_level if explanation else None,
        "null": {"mean": explanation.null_mean, "interval": [explanation.null_low, explanation.null_high]}
        if explanation
        else None,
        "share_in_mask": explanation.share if explanation else None,
    }


def refusals_json(refused: "Sequence[Refusal]") -> list[dict[str, str]]:
    """Refused files with their reasons."""
    return [{"path": refusal.path, "reason": refusal.reason} for refusal in refused]


def rates_line(rates: "PointRates") -> str:
    """One working point in words."""
    shares = {"left out": rates.left_out, "test": rates.test, "caught": rates.tpr}
    words = [f"{name} {rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]" for name, rate in shares.items() if rate]
    point = rates.point
    what = f"level {rates.level:>3} {point.method:15} at {point.target_fpr:.2%}"
    return f"{what}: distance {point.threshold:.3f}, {', '.join(words)}"


def score_line(row: dict[str, Any]) -> str:
    """One scored image in words."""
    mark = "anomalous" if row["anomalous"] else "normal"
    batch = ""
    if "q_value" in row:
        batch = f"q = {row['q_value']:.4f} {'flagged' if row['flagged_in_batch'] else '':7}  "
    return f"{mark:9}  {row['score']:9.3f}  p = {row['p_value']:.4f}  {batch}{row['path']}"


def batch_line(batch: "Batch") -> str:
    """What a batch promises, or why nothing of it is flagged."""
    return f"batch: {batch.flagged.sum()} of {len(batch.q_values)} flagged; {batch.too_few or batch.how}"


def batch_json(batch: "Batch") -> dict[str, Any]:
    """What `score --fdr` prints of the batch; `needed` is None where more normal images would change nothing."""
    return {
        "fdr": batch.fdr,
        "flagged": int(batch.flagged.sum()),
        "n_normal": batch.n_normal,
        "exact": batch.exact,
        "needed": batch.needed,
        "how": batch.how,
    }


def say(line: str, *, err: bool = False) -> None:
    """One line; what a name holds of line breaks and commands to a terminal is shown, not obeyed."""
    typer.echo("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line), err=err)


def print_json(value: dict[str, Any]) -> None:
    """One object on stdout."""
    typer.echo(json.dumps(value, indent=1, allow_nan=False))


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """One line an image, no cell a formula; raises `GadError` where `path` cannot be written."""
    from gad_core.wording import for_spreadsheet

    def harmless(row: dict[str, Any]) -> dict[str, Any]:
        return {name: for_spreadsheet(value) if isinstance(value, str) else value for name, value in row.items()}

    def write(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(map(harmless, rows))

    _written(path, write)


def write_bytes(path: Path, content: bytes) -> None:
    """A file as it is; raises `GadError` where `path` cannot be written."""
    _written(path, lambda path: path.write_bytes(content))


def write_folder(path: Path) -> None:
    """A folder, with those above it; raises `GadError` where there can be none."""
    with _unwritable(path):
        path.mkdir(parents=True, exist_ok=True)


def _written(path: Path, write: Callable[[Path], Any]) -> None:
    """A file whole or not at all; what is a device or a pipe, as stdout may be, is written as it is."""
    from gad_core.data.placing import placed

    direct = path.parent in _DEVICES or (path.exists() and not path.is_file())
    if direct or not path.parent.is_dir():  # a folder with a slip in its name is not made
        with _unwritable(path):
            write(path)
        return
    with placed(path) as partial:
        write(partial)


@contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GadError(f"cannot write {path} ({error.strerror}); choose a file that you may write") from error


@contextmanager
def progress_bar(what: str) -> "Iterator[Progress]":
    """A bar on stderr: stdout holds results only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def end(refused: "Sequence[Refusal]") -> None:
    """Name every refused file on stderr and exit with status 1 if there is one."""
    for refusal in refused:
        say(f"refused {refusal.path}: {refusal.reason}", err=True)
    if refused:
        raise typer.Exit(1)
