"""From normal images to a detector, and from a detector to one of more or of fewer images."""

from gad_core.data.datasets import ImageSet
from gad_core.gaussian import update
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.fit import Fit, fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.library.resources import engine_of, workspace_cache
from gad_core.progress import Progress


def fit(
    images: ImageSet,
    settings: FitSettings | None = None,
    *,
    calibration: ImageSet | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to normal images.

    Parameters
    ----------
    images : ImageSet
        Normal images, at least three that can be read.
    settings : FitSettings, optional
        What is asked for; by default `FitSettings()`.
    calibration : ImageSet, optional
        Separate normal images (another lot or session), for split-conformal thresholds.
    progress : callable, optional
        Called with (done, total) while the work goes on; it may raise `Cancelled` to stop it.

    Returns
    -------
    Fit
        The detector, and the images that could not be used.

    Raises
    ------
    GadError
        With fewer than three readable images, without weights for the network, and for settings that these images
        cannot meet.

    Examples
    --------
    >>> import gad_core as gad
    >>> data = gad.read_dataset("parts")
    >>> fit = gad.fit(data.train, gad.FitSettings(n_folds=5, tuning=gad.Tuning((7,))))
    >>> fit.detector.n_train, fit.detector.n_folds, fit.refused
    (30, 5, ())
    """
    settings = settings or FitSettings()
    engine = engine_of(settings.backbone)
    return fit_images(images, engine, settings, calibration=calibration, cache=workspace_cache(), progress=progress)


def add_images(detector: Detector, images: ImageSet, *, progress: Progress | None = None) -> Fit:
    """Fit a detector again with further normal images, without reading those that it has.

    Parameters
    ----------
    detector : Detector
        It stays as it is; its settings hold for the new one, its adopted threshold does not.
    images : ImageSet
        Normal images; those that are in the detector already are reported.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    Fit
        The new detector, and the images that changed nothing or could not be read.

    Raises
    ------
    GadError
        Where nothing would change, and for other weights than those of the fit.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> gad.add_images(detector, gad.read_images("parts/test/good")).detector.n_train
    40
    """
    return update.add_images(detector, images, engine_of(detector.backbone), cache=workspace_cache(), progress=progress)


def remove_images(detector: Detector, images: ImageSet, *, progress: Progress | None = None) -> Fit:
    """Fit a detector again without some of its images, without reading those that stay.

    Parameters
    ----------
    detector : Detector
        It stays as it is; its settings hold for the new one, its adopted threshold does not.
    images : ImageSet
        Images of the detector, told by content; others are reported.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    Fit
        The new detector, and the images that changed nothing.

    Raises
    ------
    GadError
        Where nothing would change or too little is left, and for other weights than those of the fit.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> gad.remove_images(detector, gad.read_images("parts/train/good/000.png")).detector.n_train
    29
    """
    return update.remove_images(
        detector, images, engine_of(detector.backbone), cache=workspace_cache(), progress=progress
    )
