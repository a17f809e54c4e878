"""What a detector bears of another camera, what its success rests on, and what mends it."""

from gad_core.data.datasets import Dataset
from gad_core.data.shifts import Shift
from gad_core.deployment.remedies import Remedies, try_remedies
from gad_core.deployment.results import DeploymentShift
from gad_core.deployment.settings import ShiftSettings
from gad_core.deployment.study import study
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.library.resources import engine_of, workspace_cache
from gad_core.progress import Progress


def deployment_shift(
    detector: Detector,
    data: Dataset,
    settings: ShiftSettings | None = None,
    *,
    tuning: Tuning | None = None,
    point: WorkingPoint | None = None,
    target_fpr: float | None = None,
    progress: Progress | None = None,
) -> DeploymentShift:
    """Render images as other cameras and pipelines would give them, and count what a threshold does to them.

    Normal images are scored by the fit without their fold. Where the data set has labelled test images, the detector is
    also made indifferent to each shift: where its AUROC falls with that, it succeeds by how images were taken and not
    by what they show.

    Parameters
    ----------
    detector : Detector
        A fitted detector, not of augmented copies.
    data : Dataset
        The data set that it was fitted to: its training images are found there by content. Test images may be missing.
    settings : ShiftSettings, optional
        Kinds of shift and numbers of images; by default eleven kinds on 60 normal and 60 test images.
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
    DeploymentShift
        Rates and AUROC at every step of every kind, what holds of each, and what the success rests on.

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
    >>> settings = gad.ShiftSettings(kinds=("bits",), n_normals=10, n_test=4)
    >>> found = gad.deployment_shift(gad.load_detector("parts.gad"), gad.read_dataset("parts"), settings)
    >>> [f"{step.shift}: {step.whole.left_out.n} normal images" for step in found.steps][-1]
    '3 bits a channel: 10 normal images'
    """
    return study(
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


def shift_remedies(
    detector: Detector,
    data: Dataset,
    shift: Shift,
    *,
    tuning: Tuning | None = None,
    point: WorkingPoint | None = None,
    target_fpr: float | None = None,
    progress: Progress | None = None,
) -> Remedies:
    """Try what makes a detector bear a shift, and what that costs on images as they are.

    Tried are: without each of its levels, other reductions, and a fit to the training images and copies of them under
    the shift and the steps before it, all copies of an image left out with it. Each has a cross-conformal threshold of
    its own at the same target.

    Parameters
    ----------
    detector : Detector
        A fitted detector, not of augmented copies.
    data : Dataset
        The data set that it was fitted to.
    shift : Shift
        What it should bear.
    tuning : Tuning, optional
        By default the detector's own.
    point : WorkingPoint, optional
        The threshold; by default as for `deployment_shift`.
    target_fpr : float, optional
        False-positive rate in (0, 1) of a cross-conformal threshold.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    Remedies
        Rates and AUROC on images as they are and under the shift, before and after each remedy.

    Raises
    ------
    GadError
        As for `deployment_shift`, and for a shift that changes nothing.
    SampleTooSmall
        Where the detector's images cannot support the target.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector, data = gad.load_detector("parts.gad"), gad.read_dataset("parts")
    >>> found = gad.shift_remedies(detector, data, gad.Shift("brightness", 2))
    >>> [str(shift) for shift in found.tried[-1].copies], found.tried[-1].clean.left_out.n
    (['brightness off by 1 %', 'brightness off by 2 %'], 30)
    """
    return try_remedies(
        detector,
        data,
        engine_of(detector.backbone),
        shift,
        tuning=tuning,
        point=point,
        target_fpr=target_fpr,
        cache=workspace_cache(),
        progress=progress,
    )
