"""Which strategies a detector uses over a set of images, and what of their recording goes along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gad_core.attribution.associations import Association, associations
from gad_core.attribution.category import Explained, explain_images
from gad_core.attribution.reduced import SIDE
from gad_core.attribution.strategies import Strategies
from gad_core.attribution.strategies import find_strategies as cluster
from gad_core.data.datasets import ImageSet
from gad_core.data.recordings import recordings
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.extraction import extract_for
from gad_core.gaussian.tuning import Tuning
from gad_core.library.resources import engine_of, workspace_cache
from gad_core.progress import Progress, Stages


@dataclass(frozen=True)
class FoundStrategies:
    """Explained images, the clusters of their maps, and what goes along with these.

    Parameters
    ----------
    images : ImageSet
        Those that could be read.
    explained : tuple of Explained
        Each image's map in numbers, its measures and its reduced map.
    strategies : Strategies
        The clusters.
    associations : tuple of Association
        Of label, type of defect and how the images were recorded, the strongest first; none for one cluster.

    Examples
    --------
    >>> import gad_core as gad
    >>> found = gad.find_strategies(gad.load_detector("parts.gad"), gad.read_dataset("parts").test, n_references=1)
    >>> len(found.explained) == len(found.strategies.labels) == len(found.images)
    True
    """

    images: ImageSet
    explained: tuple[Explained, ...]
    strategies: Strategies
    associations: tuple[Association, ...]


def find_strategies(
    detector: Detector,
    images: ImageSet,
    *,
    tuning: Tuning | None = None,
    n_references: int = 10,
    n_clusters: int | None = None,
    aligned: bool = True,
    properties: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> FoundStrategies:
    """Explain images and cluster their maps (SpRAy); labels are not used for that, only compared with it.

    Parameters
    ----------
    detector : Detector
        A fitted detector that holds reference images.
    images : ImageSet
        At least twelve.
    tuning : Tuning, optional
        By default the detector's own.
    n_references : int
        Normal images, drawn from the detector's, against which scores are attributed; at least 1.
    n_clusters : int, optional
        By default as many as the eigengap says, and one where that is no wider than by chance.
    aligned : bool
        Whether maps are turned and mirrored alike first, so that what is seen in any corner is one strategy.
    properties : mapping of str to sequence of str, optional
        More that is known of the images' recording, a value an image that can be read.
    seed : int
        Of the references, the clusters and the test against chance.
    progress : callable, optional
        Called with (done, total).

    Returns
    -------
    FoundStrategies
        Maps, clusters and associations.

    Raises
    ------
    GadError
        For fewer than twelve images, an impossible number of clusters, properties of another length, and for a detector
        without references or of other weights.
    NotExplained
        Where the rules do not cover the network's score.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector, test = gad.load_detector("parts.gad"), gad.read_dataset("parts").test
    >>> found = gad.find_strategies(detector, test, n_references=1, n_clusters=2)
    >>> found.strategies.n_clusters, [one.name for one in found.associations][:1]
    (2, ['label'])
    """
    engine, cache = engine_of(detector.backbone), workspace_cache()
    tuning = tuning or detector.tuning
    stages = Stages(progress, (0, len(images), 0))
    extraction = extract_for(detector, images, engine, cache=cache, progress=stages(0))
    readable = extraction.images
    explained = explain_images(
        detector,
        engine.network,
        readable,
        regions=detector.region_maps(extraction.features, tuning) if tuning.pool else None,
        tuning=tuning,
        n_references=n_references,
        seed=seed,
        cache=cache,
        progress=stages(1),
    )
    maps = np.array([one.cells for one in explained if one.cells is not None]).reshape(-1, SIDE, SIDE)
    found = cluster(maps, n_clusters=n_clusters, aligned=aligned, seed=seed, progress=stages(2))
    known = {
        "label": ["defective" if file.anomalous else "good" for file in readable],
        "type": [file.defect for file in readable],
        **recordings(readable),
        **(properties or {}),
    }
    return FoundStrategies(readable, explained, found, associations(found.labels, known, seed=seed))
