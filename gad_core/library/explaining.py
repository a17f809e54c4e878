"""What an image's score comes from, held against the mask of its defect."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.band_maps import BandAttribution, attribute_bands
from gad_core.attribution.deep_shap import attribute
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.data.datasets import ImageSet
from gad_core.data.images import decode_mask
from gad_core.errors import GadError, ImageRefused
from gad_core.features.extract import load_pixels
from gad_core.gaussian.bands import N_BANDS
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from gad_core.library.reading import PathLike, read_images
from gad_core.library.resources import engine_of, workspace_cache
from gad_core.progress import Progress


@dataclass(frozen=True)
class ExplainedImage:
    """What an image's score comes from, and how well that meets the mask of its defect.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
        The image at network size, to lay the map over.
    attribution : Attribution
        The map, which adds up to the score.
    explanation : Explanation, optional
        The map against the mask; None without a mask, or where the mask has no explanation score.
    undefined : str, optional
        Why there is no explanation score for the mask.

    Examples
    --------
    >>> import gad_core as gad
    >>> explained = gad.explain(gad.load_detector("parts.gad"), "parts/test/blot/000.png", n_references=2)
    >>> explained.pixels.shape, explained.attribution.total.shape, explained.explanation
    ((224, 224, 3), (224, 224), None)
    """

    pixels: NDArray[np.uint8]
    attribution: Attribution
    explanation: Explanation | None = None
    undefined: str | None = None


def explain(
    detector: Detector,
    path: PathLike,
    *,
    mask: PathLike | None = None,
    tuning: Tuning | None = None,
    n_references: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> ExplainedImage:
    """Attribute an image's score to its pixels (Deep SHAP), and hold the map against a mask.

    Parameters
    ----------
    detector : Detector
        A fitted detector that holds reference images.
    path : str or Path
        The image.
    mask : str or Path, optional
        Mask of its defect, as an image that is black outside.
    tuning : Tuning, optional
        By default the detector's own.
    n_references : int
        Normal images, drawn from the detector's, against which the score is attributed; at least 1.
    seed : int
        Seed of that draw.
    progress : callable, optional
        Called with (done, total) references.

    Returns
    -------
    ExplainedImage
        The attribution and, with a mask, the explanation score.

    Raises
    ------
    ImageRefused
        For an image or a mask that cannot be read.
    GadError
        For a folder, and for a detector without references or of other weights.
    NotExplained
        Where the rules do not cover the network's score.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> mask = "parts/ground_truth/blot/000_mask.png"
    >>> explained = gad.explain(detector, "parts/test/blot/000.png", mask=mask, n_references=2)
    >>> explained.attribution.gap < 1e-3
    True
    >>> explained.explanation.score > explained.explanation.uniform_level
    True
    """
    image, outline = _one_image(Path(path)), _outline(Path(mask)) if mask is not None else None
    network, cache = engine_of(detector.backbone).network, workspace_cache()
    (pixels,) = load_pixels(image, network.backbone, cache=cache)
    explained = attribute(
        detector, network, pixels, tuning=tuning, n_references=n_references, seed=seed, split=False, progress=progress
    )
    if outline is None:
        return ExplainedImage(pixels, explained)
    explanation = explain_score(explained.total, outline)
    if isinstance(explanation, Explanation):
        return ExplainedImage(pixels, explained, explanation)
    return ExplainedImage(pixels, explained, undefined=explanation.reason)


def explain_bands(
    detector: Detector,
    path: PathLike,
    *,
    level: int,
    tuning: Tuning | None = None,
    n_bands: int = N_BANDS,
    n_references: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> BandAttribution:
    """Attribute an image's distance at one level to its pixels, a map for each band of the level's spectrum.

    Parameters
    ----------
    detector : Detector
        A fitted detector that holds reference images.
    path : str or Path
        The image.
    level : int
        The level, of the whole image, counted from 1.
    tuning : Tuning, optional
        Says which components are kept and which distance is meant; by default the detector's own.
    n_bands : int
        At most so many bands, each of an equal range of the logarithm of the eigenvalues; what lies outside the normal
        images' span, where it is kept, is one more.
    n_references : int
        Normal images, drawn from the detector's; at least 1.
    seed : int
        Seed of that draw.
    progress : callable, optional
        Called with (done, total) references.

    Returns
    -------
    BandAttribution
        The maps; they add up to the level's map, and each to its band's share of the distance above the references'.

    Raises
    ------
    ImageRefused
        For an image that cannot be read.
    GadError
        For a folder, a level that the detector does not have, a distance that is no sum over components, and for a
        detector without references or of other weights.
    NotExplained
        Where the rules do not cover the network's distance.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> explained = gad.explain_bands(detector, "parts/test/blot/000.png", level=7, n_references=2)
    >>> len(explained.bands), round(float(explained.shares.sum()), 6)
    (4, 1.0)
    >>> difference = explained.score - explained.reference_score
    >>> bool(abs(explained.rgb.sum() - difference) < 1e-5 * explained.score)
    True
    """
    if not 1 <= level <= detector.n_levels:
        raise GadError(f"this detector has levels 1 to {detector.n_levels}, so that level {level} cannot be explained")
    image = _one_image(Path(path))
    network, cache = engine_of(detector.backbone).network, workspace_cache()
    (pixels,) = load_pixels(image, network.backbone, cache=cache)
    return attribute_bands(
        detector,
        network,
        pixels,
        level,
        tuning=tuning,
        n_bands=n_bands,
        n_references=n_references,
        seed=seed,
        progress=progress,
    )


def _one_image(path: Path) -> ImageSet:
    if path.is_dir():
        raise GadError(f"{path} is a folder; name one image")
    image = read_images(path)
    if not len(image):
        raise ImageRefused(f"{path} cannot be read: {image.refused[0].reason}")
    return image


def _outline(mask: Path) -> NDArray[np.bool_]:
    try:
        return decode_mask(mask)
    except ImageRefused as error:
        raise ImageRefused(f"{mask}: {error}") from error
