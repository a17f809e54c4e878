"""Images in the order in which they came: whether a detector's calibration still holds for them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gad_core.data.datasets import ImageSet, Refusal
from gad_core.data.groups import Groups, in_groups
from gad_core.decision.drift import ALPHA, Drift, judge_in_order
from gad_core.decision.verdict import Verdict
from gad_core.gaussian.detector import Detector
from gad_core.library.reading import PathLike, read_images
from gad_core.library.resources import extract_images
from gad_core.progress import Progress


@dataclass(frozen=True)
class MonitoredImages:
    """Images in their order, with their scores and whether those of the good-looking ones have moved.

    Parameters
    ----------
    images : ImageSet
        The n images that could be read, each with its lot as its group, and the files that could not.
    verdict : Verdict
        Scores (n,), p-values (n,) and flags (n,) in the same order, and the threshold.
    drift : Drift
        Control charts and the alarm; it counts the images from 0.

    Examples
    --------
    >>> import gad_core as gad
    >>> monitored = gad.monitor(gad.load_detector("parts.gad"), ["parts/test/good", "parts/test/blot"])
    >>> monitored.drift.flags_too_many, monitored.rows[-1]["normal_score"]  # a flagged part takes no part
    (True, None)
    """

    images: ImageSet
    verdict: Verdict
    drift: Drift

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Files that could not be read, each with its reason."""
        return self.images.refused

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A plain row an image: path, lot, score, anomalous, and of a good-looking one its place on the charts.

        That is p_value (among the normal scores and the images before it), normal_score, ewma, ewma_limit and
        log10_martingale; None of a flagged one.
        """
        drift = self.drift
        charted = {
            "p_value": drift.p_values,
            "normal_score": drift.normal_scores,
            "ewma": drift.ewma,
            "ewma_limit": drift.ewma_limits,
            "log10_martingale": drift.log_martingale / math.log(10),
        }
        points = zip(*(values.tolist() for values in charted.values()), strict=True)
        by_place = dict(zip(drift.places.tolist(), points, strict=True))
        return [
            {
                "path": str(file.path),
                "lot": file.group,
                "score": score,
                "anomalous": anomalous,
                **dict(zip(charted, by_place.get(place, (None,) * len(charted)), strict=True)),
            }
            for place, (file, score, anomalous) in enumerate(
                zip(self.images, self.verdict.scores.tolist(), self.verdict.anomalous.tolist(), strict=True)
            )
        ]


def monitor(
    detector: Detector,
    images: ImageSet | PathLike | Iterable[PathLike],
    *,
    lots: Groups = None,
    alpha: float = ALPHA,
    seed: int = 0,
    progress: Progress | None = None,
) -> MonitoredImages:
    """Watch whether good-looking parts still score as the detector's normal images do, part by part as they came.

    A conformal test martingale raises the alarm; it may be read after every image, for ever. Images that come later
    change nothing of what was said before.

    Parameters
    ----------
    detector : Detector
        A fitted detector; its own tuning gives the score, its adopted threshold (or else cross-conformal at 5 %) says
        which parts look good.
    images : ImageSet, or str, Path, or iterable of them
        Images in the order in which they came, or files and folders; those of a folder come by their names.
    lots : "folder" or GroupTable, optional
        Which images belong to one lot: those of one folder, or as `read_groups` reads it.
    alpha : float, optional
        Chance in (0, 1) of an alarm, ever, while nothing changes: exact with calibration images, about so without.
    seed : int, optional
        Of the smoothed p-values; keep it, and do not look at several.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    MonitoredImages
        The images with scores and verdicts, and the drift: control charts, the alarm, since when, a sentence.

    Raises
    ------
    GadError
        Where no image can be read, an image's lot is not told, `alpha` is none, and as `score`.
    SampleTooSmall
        Where the detector's images cannot support the target.

    Examples
    --------
    >>> import gad_core as gad
    >>> drift = gad.monitor(gad.load_detector("parts.gad"), "parts/train/good", lots=gad.read_groups("lots.csv")).drift
    >>> [lot.name for lot in drift.lots[:2]], drift.direction  # the fit knows these very images
    (['lot 0', 'lot 1'], 'lower')
    """
    files = in_groups(images if isinstance(images, ImageSet) else read_images(images), lots, what="lot")
    extraction = extract_images(detector, files, progress=progress)
    of_lots = None if lots is None else extraction.images.groups
    verdict, drift = judge_in_order(detector, extraction.features, lots=of_lots, alpha=alpha, seed=seed)
    return MonitoredImages(extraction.images, verdict, drift)
