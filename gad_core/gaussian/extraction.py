"""Features of images for a detector to score, from the very network that it was fitted with."""

from gad_core.data.datasets import ImageSet, Refusal
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine
from gad_core.features.extract import Extraction, extract
from gad_core.gaussian.detector import Detector
from gad_core.progress import Progress


def extract_for(
    detector: Detector,
    images: ImageSet,
    engine: Engine,
    *,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Extraction:
    """Features (n, sum C, then those by region) of the images that can be read; `images.refused` names the others.

    Raises `GadError` for other weights than those of the fit, and where there are images and none can be read.
    """
    detector.check_network(engine.network)
    extraction = extract(images, engine, regions=detector.regions, cache=cache, progress=progress)
    check_any(extraction.images)
    return extraction


def check_any(images: ImageSet) -> None:
    """Refuse images of which none could be read."""
    if images.refused and not len(images):
        raise GadError(f"none of the {len(images.refused)} images could be read ({first_reason(images.refused)})")


def first_reason(refused: tuple[Refusal, ...]) -> str:
    """The first of the refused files, with its reason."""
    return f"{refused[0].path}: {refused[0].reason}"
