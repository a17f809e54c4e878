"""What a defect must measure to be caught."""

from gad_core.data.datasets import Dataset
from gad_core.detectability.plan import SensitivitySettings
from gad_core.detectability.results import Sensitivity
from gad_core.detectability.study import measure
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.library.resources import engine_of, workspace_cache
from gad_core.progress import Progress


def sensitivity(
    detector: Detector,
    data: Dataset,
    settings: SensitivitySettings | None = None,
    *,
    tuning: Tuning | None = None,
    point: WorkingPoint | None = None,
    target_fpr: float | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Draw defects of known size on the detector's normal images and count which are caught.

    Every image is scored by the fit without its fold, as left-out images are. Synthetic defects are not real ones: what
    is found compares settings, places and sizes; how real defects fare, test images with masks say.

    Parameters
    ----------
    detector : Detector
        A fitted detector, not of augmented copies.
    data : Dataset
        The data set that it was fitted to: defects are drawn on those of its training images that are found there, by
        content. Its test images give the real defects, and the AUROC beside the ranking.
    settings : SensitivitySettings, optional
        Kinds, contrasts and sizes; by default a spot at three contrasts.
    tuning : Tuning, optional
        By default the detector's own.
    point : WorkingPoint, optional
        The threshold; by default the one asked for by `target_fpr`, else the adopted one, else cross-conformal at 0.05.
    target_fpr : float, optional
        False-positive rate in (0, 1) of a cross-conformal threshold.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    Sensitivity
        Probability of detection by size with a90 and a90/95, by place, for real defects, and settings ranked by it.

    Raises
    ------
    GadError
        Where the data set holds none of the detector's training images, for a detector of augmented copies, and for
        other weights than those of the fit.
    SampleTooSmall
        Where the detector's images cannot support the target.

    Examples
    --------
    >>> import gad_core as gad
    >>> settings = gad.SensitivitySettings(contrasts=(0.3,), sizes=(5, 15, 40))
    >>> found = gad.sensitivity(gad.load_detector("parts.gad"), gad.read_dataset("parts"), settings)
    >>> curve = found.curves[0]
    >>> curve.kind, curve.contrast, [rate.n for rate in curve.pod.counts.rates]
    ('spot', 0.3, [49, 49, 49])
    """
    return measure(
        detector,
        data,
        engine_of(detector.backbone),
        settings,
        tuning=tuning,
        point=point,
        target_fpr=target_fpr,
        cache=workspace_cache(),
        progress=progress,
    )
