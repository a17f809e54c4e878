"""Explanation scores of a category's defects against chance; and, with a stamped twin of it, what a Clever Hans gets.

    python -m benchmarks.explanations FOLDER [STAMPED]

FOLDER is a category in MVTec layout with masks. STAMPED holds the same parts, every defective one with a stamp as well
whose mask lies in ground_truth_stamp/, as `python -m gad_core demo` writes `washer` and `washer_stamped`.
"""

import sys
from pathlib import Path

import numpy as np

from gad_core import wording
from gad_core.attribution.category import explain_category, explain_file, masked_defects
from gad_core.attribution.counterfactuals import counterfactuals, scorer
from gad_core.attribution.explanation import explain_score, mask_weights, summarise
from gad_core.data.datasets import ImageSet, read_dataset
from gad_core.data.demo.cheats import STAMP
from gad_core.data.demo.twins import mark_mask
from gad_core.decision.curves import auroc
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.fit import fit_images

BACKBONE = "tf_efficientnet_lite0"


def category(folder: Path, engine: Engine) -> tuple[Detector, float]:
    """Fit, explain, print; the detector and its mean explanation score."""
    dataset = read_dataset(folder)
    detector = fit_images(dataset.train, engine).detector
    area = auroc(detector.scores(extract(dataset.test, engine).features), dataset.test.labels)
    explained = explain_category(detector, engine.network, dataset.test)
    summary = explained.summary
    assert summary is not None
    print(
        f"{folder.name}: AUROC {100 * area.value:.1f}, explanation score {summary.mean:.2f} ± {summary.sem:.2f} "
        f"({summary.n} images), raw {summary.raw_mean:.1f}, uniform map {summary.uniform_mean:.1f}, shifted masks "
        f"{summary.null_mean:.1f} [{summary.null_low:.1f}, {summary.null_high:.1f}], "
        f"{wording.share(summary.share)} of the attribution in the mask, largest gap {explained.worst_gap:.0e}"
    )
    return detector, summary.mean


def stamp(folder: Path, plain: ImageSet, detector: Detector, engine: Engine) -> None:
    """The stamp's share of the attribution, and the score once it is taken away."""
    stamped = masked_defects(read_dataset(folder).test)
    twins = {(file.defect, file.path.name): file for file in plain}
    explanations, scores = [], []
    for file in stamped:
        attribution = explain_file(detector, engine.network, file, split=False)
        mask = mark_mask(STAMP, folder, file.path, file.defect)
        explanations.append(explain_score(attribution.total, mask))
        twin = twins[file.defect, file.path.name]
        (image, without), weights = (
            load_pixels(ImageSet((file, twin)), engine.network.backbone),
            mask_weights(mask, attribution.total.shape),
        )
        made = counterfactuals(image, weights, scorer(detector, engine), twin=without)
        scores.append((made.score, made.score_without_defect, made.normal_score))
    with_stamp, removed, twin_score = np.mean(scores, axis=0)
    on_stamp = summarise(explanations)
    assert on_stamp is not None
    print(
        f"the stamp: {wording.share(on_stamp.share)} of the attribution, explanation score {on_stamp.mean:.1f} against "
        f"its mask; mean distance {with_stamp:.1f}, without the stamp {removed:.1f}, the twins' {twin_score:.1f}"
    )


def main() -> None:
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    engine = load_engine(BACKBONE)
    folders = [Path(name) for name in sys.argv[1:]]
    results = [category(folder, engine) for folder in folders]
    if len(folders) == 2:
        print(f"explanation score of the pairs: {results[1][1] - results[0][1]:+.1f} with the stamp")
        stamp(folders[1], read_dataset(folders[0]).test, results[1][0], engine)


if __name__ == "__main__":
    main()
