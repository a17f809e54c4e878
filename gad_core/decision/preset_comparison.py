"""The presets of one detector held against each other on its own data: nothing is fitted again."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gad_core.decision.curves import Auroc, AurocDifference, auroc, auroc_difference
from gad_core.decision.evaluation import PointRates, Projected, level_scores, point_rates, threshold
from gad_core.errors import SampleTooSmall
from gad_core.features.engines import Engine
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import SUM, Tuning, presets

_REPETITIONS = 3  # of the time, of which the least counts


@dataclass(frozen=True)
class PresetResult:
    """One preset: its rates at a cross-conformal threshold and, with labels, its AUROC and what it lacks to the best.

    `rates` is None where the images are too few for the target; `behind` is the best preset's area less this one's.
    """

    name: str
    tuning: Tuning
    rates: PointRates | None
    area: Auroc | None
    behind: AurocDifference | None


@dataclass(frozen=True)
class PresetComparison:
    """All presets, in their order; with labels the best by AUROC, and the one to take."""

    results: tuple[PresetResult, ...]
    best: PresetResult | None
    taken: PresetResult


def compare_presets(projected: Projected, anomalous: NDArray[np.bool_], target_fpr: float) -> PresetComparison:
    """Hold the presets of a detector against each other on test images with labels (m,).

    The first preset is taken unless another one's AUROC is higher by more than chance (DeLong, paired, 95 %): choosing
    the highest of four on a few images makes it look better than it is.
    """
    detector = projected.detector
    tunings = presets(get_backbone(detector.backbone), detector.regions)
    labelled = bool(anomalous.any() and not anomalous.all())
    scores = {name: level_scores(projected, tuning)[SUM] for name, tuning in tunings.items()}
    areas = {name: auroc(one.test, anomalous) for name, one in scores.items()} if labelled else {}
    leader = max(areas, key=lambda name: areas[name].value) if areas else None  # of equal ones the first

    def result(name: str, tuning: Tuning) -> PresetResult:
        own = scores[name]
        try:
            point = threshold(own, "cross-conformal", target_fpr)
        except SampleTooSmall:
            point = None
        behind = auroc_difference(scores[leader].test, own.test, anomalous) if leader else None
        return PresetResult(
            name, tuning, point_rates(own, anomalous, point) if point else None, areas.get(name), behind
        )

    results = tuple(result(name, tuning) for name, tuning in tunings.items())
    best = next((one for one in results if one.name == leader), None)
    first = results[0]
    taken = best if best and first.behind and not first.behind.by_chance else first
    return PresetComparison(results, best, taken)


def milliseconds(
    detector: Detector, engine: Engine, pixels: NDArray[np.uint8], tunings: Mapping[str, Tuning]
) -> dict[str, float]:
    """Time to score an image of `pixels` (n, S, S, 3) at each tuning, network included: the least of three."""
    found: dict[str, float] = {}
    for name, tuning in tunings.items():
        regions, up_to = detector.reads(tuning)
        list(engine.stream(pixels[:1], regions=regions, up_to=up_to))  # compiled before
        times = []
        for _ in range(_REPETITIONS):
            start = time.perf_counter()
            detector.scores(np.stack(list(engine.stream(pixels, regions=regions, up_to=up_to))), tuning)
            times.append(1000 * (time.perf_counter() - start) / len(pixels))
        found[name] = min(times)
    return found
