"""What the functions share: networks that are ready to run, and the feature cache."""

from contextlib import suppress

from gad_core.data.datasets import ImageSet
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import Extraction
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.extraction import extract_for
from gad_core.progress import Progress
from gad_core.workspace.place import default_home


def engine_of(backbone: str) -> Engine:
    """Make a network ready to run; the last two stay, and what was compiled of them is kept in the cache."""
    return load_engine(backbone, cache=workspace_cache())


def workspace_cache() -> FeatureCache:
    """Open the feature cache that the dashboard uses too; what its detectors are made of goes last there as well."""
    return FeatureCache(default_home() / "cache", in_use=_in_use)


def extract_images(detector: Detector, images: ImageSet, *, progress: Progress | None = None) -> Extraction:
    """Extract what a detector scores of images, from the cache what is there; raises as `extract_for` does."""
    return extract_for(detector, images, engine_of(detector.backbone), cache=workspace_cache(), progress=progress)


def _in_use() -> frozenset[str]:
    # The database takes half a second to import, and room is hardly ever short.
    from gad_core.workspace.store import open_store  # noqa: PLC0415

    with suppress(GadError), open_store() as store:
        return store.in_use()
    return frozenset()  # without the database nobody knows, and the cache can be made again
