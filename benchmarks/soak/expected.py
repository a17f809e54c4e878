"""What the pages must say: worked out by the library, one thing after the other, before the server is started."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gad_core import wording
from gad_core.attribution.deep_shap import attribute
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.attribution.masks import localised, mask_of
from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.decision import reduction_map as maps
from gad_core.decision.curves import auroc
from gad_core.decision.evaluation import LevelScores, Projected, level_scores, point_rates, threshold
from gad_core.decision.verdict import Judge
from gad_core.errors import GadError
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import Extraction, load_pixels
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, regional, whole_image
from gad_core.workspace.imports import add_folder
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store
from pages.shared.controls import STOPS

METHOD = "cross-conformal"
#: Steps of the slider "Components kept" that the sessions stay within, in its order.
KEPT = ("npca:0.2", "npca:0.15", "npca:0.1", "npca:0.07", "npca:0.05", "npca:0.03", "npca:0.02", "npca:0.015")
Shown = dict[str, str]  # what stands below a label


@dataclass(frozen=True)
class Map:
    """Numbers of an explained image; those that float32 may move a little are numbers, the others text."""

    distance: str
    references: float
    total: float  # what the map adds up to
    explanation: float | None


@dataclass
class Expected:
    """A workspace and what the pages must say of it, by what they say themselves of their settings."""

    dataset: str
    detector: str
    tunings: dict[str, Tuning] = field(default_factory=dict)  # by their words
    levels: dict[str, Shown] = field(default_factory=dict)  # by the tuning's words
    points: dict[tuple[str, str], Shown] = field(default_factory=dict)  # and the target's
    maps: dict[tuple[str, str, int], Map] = field(default_factory=dict)  # and image and number of references
    parts: dict[Path, str] = field(default_factory=dict)  # what is said of an inspected part, without its name
    scores: dict[Path, float] = field(default_factory=dict)  # of the same
    fits: dict[int, Shown] = field(default_factory=dict)  # by seed: the numbers on Fit, and the threshold


def prepare(home: Path, folder: Path, *, n_images: int, n_references: Iterable[int], n_seeds: int) -> Expected:
    """Fill a fresh workspace with a data set and a detector, and work out what will be asked."""
    with Store(home) as store:
        cache = store.feature_cache()
        dataset = add_folder(store, folder)
        row = fit_dataset(store, dataset.id, FitSettings(), cache=cache)
        detector, images = load_detector(row.path), store.read(dataset)
        engine = load_engine(detector.backbone)
        known = extract_for(detector, images.test, engine, cache=cache)
        expected = Expected(dataset.id, row.id)
        _tunings(expected, detector, known)
        defects = [file for file in known.images.files if file.anomalous]
        chosen = defects[:: max(1, len(defects) // n_images)][:n_images]
        for file in chosen:
            pixels = np.asarray(load_pixels(ImageSet((file,)), engine.network.backbone, cache=cache)[0])
            for number in n_references:
                _maps(expected, detector, engine, file, pixels, number)
        _parts(expected, detector, known)
        train = extract_for(detector, images.train, engine, cache=cache)
        for seed in range(1, n_seeds + 1):
            fit = fit_images(images.train, engine, FitSettings(seed=seed), known=train, cache=cache).detector
            expected.fits[seed] = _fitted(fit, known)
    return expected


def link(tuning: Tuning) -> str:
    """The parameters of a link that say a tuning."""
    return f"levels={','.join(map(str, tuning.levels))}&keep={tuning.reduction}&pool={tuning.pool or 'whole'}"


def _tunings(expected: Expected, detector: Detector, known: Extraction) -> None:
    """The pages Levels & NPCA and Working point, over the regions and the whole image."""
    projected, labels = Projected.of(detector, known.features), known.images.labels
    assert detector.regions is not None
    best = maps.reduction_map(projected, labels).best
    for base in (regional(detector.regions.levels), whole_image(get_backbone(detector.backbone))):
        for text in KEPT:
            tuning = Tuning(base.levels, Reduction.parse(text), base.distance, base.pool)
            words = wording.tuning(tuning)
            scores = level_scores(projected, tuning)["sum"]
            spectra = [detector.gaussians[level - 1].spectrum for level in tuning.levels]
            found = localised(detector, known.features, known.images, tuning)
            expected.tunings[words] = tuning
            expected.levels[words] = {
                f"AUROC of the {wording.score_name(tuning)}": _percent(auroc(scores.test, labels).value),
                "Best single level": _percent(best.area),
                "Dimensions kept": f"{sum(one.dimension(tuning.reduction) for one in spectra):,}",
                "Shrinkage": wording.number(max(one.shrinkage(tuning.reduction) for one in spectra)),
            } | ({"Defects located": _percent(found.aupro)} if found else {})
            for target in (stop / 100 for stop in STOPS):
                expected.points[words, wording.percent(target)] = _point(scores, labels, target)


def _point(scores: LevelScores, anomalous: np.ndarray, target: float) -> Shown:
    try:
        point = threshold(scores, METHOD, target)
    except GadError:
        point = None
    if point is None:
        return dict.fromkeys(("Threshold", "Left-out good", "Good test parts", "Caught defects"), "none")
    rates = point_rates(scores, anomalous, point)
    assert rates.left_out is not None
    assert rates.test is not None
    assert rates.tpr is not None
    return {
        "Threshold": wording.number(point.threshold),
        "Left-out good": wording.percent(rates.left_out.value),
        "Good test parts": wording.percent(rates.test.value),
        "Caught defects": wording.percent(rates.tpr.value),
    }


def _maps(
    expected: Expected, detector: Detector, engine: Engine, file: ImageFile, pixels: np.ndarray, number: int
) -> None:
    """The page Attributions, at the middle of the slider."""
    for words, tuning in expected.tunings.items():
        if str(tuning.reduction) == "npca:0.05":
            made = attribute(detector, engine.network, pixels, tuning=tuning, n_references=number)
            agreement = explain_score(made.total, mask_of(file)) if file.mask else None
            expected.maps[words, file.digest[:16], number] = Map(
                wording.number(made.score),
                made.reference_score,
                float(made.rgb.sum()),
                agreement.score if isinstance(agreement, Explanation) else None,
            )


def _parts(expected: Expected, detector: Detector, known: Extraction) -> None:
    """The page Inspect: the verdict on each test image."""
    verdict = Judge.of(detector)(known.features)
    limit = wording.number(verdict.threshold)
    for file, score, p_value in zip(
        known.images.files, verdict.scores.tolist(), verdict.p_values.tolist(), strict=True
    ):
        side = "above" if score > verdict.threshold else "below"
        words = f"distance {wording.number(score)}, {side} the threshold {limit}; p-value {wording.number(p_value)}."
        expected.parts[file.path] = words
        expected.scores[file.path] = score


def _fitted(detector: Detector, known: Extraction) -> Shown:
    """The pages Fit and Working point, of a detector that was just fitted."""
    scores = level_scores(Projected.of(detector, known.features), detector.tuning)["sum"]
    labels = known.images.labels
    return {
        "Good parts fitted": str(detector.n_train),
        "Left-out folds": str(detector.n_folds),
        "AUROC of the regions": _percent(auroc(scores.test, labels).value),
        **_point(scores, labels, 0.05),
    }


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
