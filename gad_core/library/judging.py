"""A detector held against labelled images, and its verdicts on new ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.attribution.masks import localised
from gad_core.data.datasets import ImageFile, ImageSet, Refusal
from gad_core.decision import evaluation
from gad_core.decision.evaluation import Evaluation, Projected, level_scores
from gad_core.decision.verdict import Verdict, judge
from gad_core.features.extract import load_pixels
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from gad_core.library.reading import PathLike, read_images
from gad_core.library.resources import extract_images, workspace_cache
from gad_core.library.unpacking import unpacked
from gad_core.progress import Progress


def evaluate(
    detector: Detector,
    images: ImageSet,
    *,
    tuning: Tuning | None = None,
    target_fprs: Iterable[float] = (0.05,),
    progress: Progress | None = None,
) -> Evaluation:
    """Hold a detector against labelled test images.

    Parameters
    ----------
    detector : Detector
        A fitted detector.
    images : ImageSet
        Test images of both kinds, normal and defective.
    tuning : Tuning, optional
        By default the detector's own; no tuning takes a new fit.
    target_fprs : iterable of float
        False-positive rates in (0, 1) for which thresholds are made.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    Evaluation
        AUROC of every level and of the sum, and what every threshold does on left-out and on test images; with regions
        also how well their maps find masked defects.

    Raises
    ------
    GadError
        Where one kind of images is missing, and for other weights than those of the fit.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> evaluation = gad.evaluate(detector, gad.read_dataset("parts").test)
    >>> f"{evaluation.auroc['sum'].value:.1%}"
    '100.0%'
    >>> [(rates.point.method, rates.tpr.value) for rates in evaluation.working_points if rates.level == "sum"]
    [('chi2', 1.0), ('cross-conformal', 1.0)]
    """
    extraction = extract_images(detector, images, progress=progress)
    tuning = tuning or detector.tuning
    by_level = level_scores(Projected.of(detector, extraction.features), tuning)
    result = evaluation.evaluate(by_level, extraction.images.labels, target_fprs)
    found = localised(detector, extraction.features, extraction.images, tuning)
    return replace(result, unread=extraction.images.refused, localisation=found)


@dataclass(frozen=True)
class ScoredImages:
    """Images with their scores, p-values and verdicts.

    Parameters
    ----------
    images : ImageSet
        The n images that could be read, and the files that could not.
    verdict : Verdict
        Scores (n,), p-values (n,) and flags (n,) in the same order, and the threshold.
    features : ndarray of float32, shape (n, F)
        What the network gave for them, from which `Detector.region_maps` makes maps.

    Examples
    --------
    >>> import gad_core as gad
    >>> scored = gad.score(gad.load_detector("parts.gad"), "parts/test/blot/000.png")
    >>> [(row["path"], row["anomalous"]) for row in scored.rows]
    [('parts/test/blot/000.png', True)]
    """

    images: ImageSet
    verdict: Verdict
    features: NDArray[np.float32] = field(repr=False)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Files that could not be read, each with its reason."""
        return self.images.refused

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A plain row an image, with path, score, p_value, threshold, anomalous and verdict, for `pandas.DataFrame`.

        The verdict is "good", "anomalous" or, within an adopted review band, "review". Of a batch that was judged
        together also q_value and flagged_in_batch.
        """
        verdict, batch = self.verdict, self.verdict.batch
        columns = {
            "path": [str(file.path) for file in self.images],
            "score": verdict.scores.tolist(),
            "p_value": verdict.p_values.tolist(),
            "threshold": [verdict.threshold] * len(self.images),
            "anomalous": verdict.anomalous.tolist(),
            "verdict": verdict.outcomes,
        }
        if batch:
            columns |= {"q_value": batch.q_values.tolist(), "flagged_in_batch": batch.flagged.tolist()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def score(
    detector: Detector,
    images: ImageSet | PathLike | Iterable[PathLike],
    *,
    target_fpr: float | None = None,
    method: str | None = None,
    fdr: float | None = None,
    progress: Progress | None = None,
) -> ScoredImages:
    """Score new images and judge them by a threshold.

    Parameters
    ----------
    detector : Detector
        A fitted detector; its own tuning gives the score.
    images : ImageSet, or str, Path, or iterable of them
        Images, or files and folders as `read_images` takes them, and ZIP archives of them.
    target_fpr : float, optional
        False-positive rate in (0, 1); by default the adopted one, or else 0.05.
    method : str, optional
        "cross-conformal" or "split-conformal" (right on average), "cross-confident" or "split-confident" (at most the
        target, 95 % confident), "cross-simultaneous" or "split-simultaneous" (so at every target at once), "pareto"
        (extrapolated, no guarantee), "chi2" (eq. 6) or "hotelling"; by default the adopted one, or else
        cross-conformal.
    fdr : float, optional
        False-discovery rate in (0, 1): the images are judged as a batch too, so that of those flagged together such a
        share at most is good, on average. `verdict.batch` holds it.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    ScoredImages
        The images with scores, p-values and verdicts, and the files that were refused.

    Raises
    ------
    GadError
        Where no image can be read, for a method that has no threshold here, and for other weights than those of the
        fit.
    SampleTooSmall
        Where the detector's images cannot support the target.

    Examples
    --------
    >>> import gad_core as gad
    >>> scored = gad.score(gad.load_detector("parts.gad"), ["parts/test/blot", "parts/test/good/000.png"])
    >>> scored.verdict.anomalous.tolist()
    [True, True, True, True, True, True, False]
    >>> batch = gad.score(gad.load_detector("parts.gad"), "parts/test", fdr=0.1).verdict.batch
    >>> int(batch.flagged.sum()), batch.exact, batch.too_few
    (7, False, None)
    """
    if isinstance(images, ImageSet):
        extraction = extract_images(detector, images, progress=progress)
        known = extraction.images
    else:
        with unpacked(images) as files:
            extraction = extract_images(detector, read_images(files.paths), progress=progress)
        known = files.named(extraction.images)
    verdict = judge(detector, extraction.features, target_fpr=target_fpr, method=method, fdr=fdr)
    return ScoredImages(known, verdict, extraction.features)


def pixels_of(detector: Detector, file: ImageFile) -> NDArray[np.uint8]:
    """Read an image (S, S, 3) as the detector's network sees it."""
    (pixels,) = load_pixels(ImageSet((file,)), get_backbone(detector.backbone), cache=workspace_cache())
    return np.asarray(pixels)
