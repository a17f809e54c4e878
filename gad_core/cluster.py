"""The same fit and the same scoring over a Dask cluster: images are read where the workers are, and stay there.

Images are cut into blocks that depend on their number alone, each fold's moments are added up over the blocks in one
fixed tree, and so are the sums behind the shrinkage: how many workers there are changes nothing in the result. What
a lost worker held is computed again from its blocks. Needs `requirements-cluster.txt`, and files that every worker
finds at the same path.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client, Future, LocalCluster, as_completed
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.datasets import ImageFile, ImageSet, Refusal, read_paths
from gad_core.data.holding import scratch
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, make_engine
from gad_core.features.extract import Extraction, extract
from gad_core.features.networks import load_network
from gad_core.gaussian.copies import Copies
from gad_core.gaussian.detector import Detector, make_detector
from gad_core.gaussian.extraction import check_any
from gad_core.gaussian.fit import (
    Fit,
    check_enough,
    choose_folds,
    choose_references,
    regions_of,
    split_calibration,
    training_images,
)
from gad_core.gaussian.levels import Rows
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.sample import SampleOf, sample_rows
from gad_core.gaussian.settings import FitSettings
from gad_core.progress import Progress

_BLOCK = 64  # images, at least
_BLOCKS = 256  # at most

#: Images that are scored left out at most: they know a false-positive rate of 0.1 % to within 0.05 points (95 %).
LEFT_OUT_SAMPLE = 20_000


@contextmanager
def connect(address: str) -> Iterator[Client]:
    """A client of the scheduler at "tcp://host:port", or of a cluster of n processes on this machine, "local:n"."""
    kind, _, rest = address.partition(":")
    if kind == "local":
        if not rest.isdigit() or int(rest) < 1:
            raise GadError(f"a cluster on this machine is local:n with n workers, got {address!r}")
        with (
            LocalCluster(n_workers=int(rest), threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise GadError(f"no scheduler answers at {address}; start one with `dask scheduler`, or use local:2") from error
    with client:
        yield client


@dataclass(frozen=True)
class _Block:
    """What a worker knows of its images."""

    files: tuple[ImageFile, ...]
    refused: tuple[Refusal, ...]
    features: NDArray[np.float32]  # (m, sum C) as they are
    copies: NDArray[np.float32]  # (P, m, sum C) what the Gaussians are fitted to

    def samples(self, rows: Rows, part: slice) -> Iterator[NDArray[np.float32]]:
        """One level of all copies of some images (P m, D), at once."""
        yield self.copies[:, rows, part].reshape(-1, part.stop - part.start)


class _Workers:
    """Work done where its arguments are."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def submit(self, work: Callable[..., Any], *args: Any) -> Future:
        return self._client.submit(work, *args)

    def gather(self, results: Any) -> Any:
        return self._client.gather(results)


def fit_on(
    client: Client,
    paths: Sequence[Path],
    settings: FitSettings,
    *,
    left_out_sample: int = LEFT_OUT_SAMPLE,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to the images at `paths`, as `fit_images` does; images that cannot be read are reported.

    Mean and covariance are those of all images. Of more than `left_out_sample` a seeded sample of so many is scored
    left out, and of more calibration images as many are kept: the features of the others never leave their workers.
    Raises `GadError` below three readable images, and where the folds leave nothing to fit.
    """
    blocks, images, ends = _read(client, paths, settings, progress)
    fitted, kept = split_calibration(images, settings)
    check_enough(fitted)
    engine, folds = _engine(settings.backbone), choose_folds(fitted, settings)
    backbone = engine.network.backbone
    rows = _positions(images, fitted)
    chosen = sample_rows(folds, left_out_sample, seed=settings.seed) if len(fitted) > left_out_sample else None
    sample = fitted if chosen is None else ImageSet(fitted.where(chosen).files)
    copies = Copies(blocks, np.split(rows, ends), _Workers(client), level_by_level=False)
    training = training_images(_gathered(client, blocks, _positions(images, sample) >= 0, ends), sample, backbone)
    if chosen is not None:
        training = replace(training, sample_of=SampleOf.of(fitted.digests))
    calibration = None
    if kept:
        kept = _fewer(kept, left_out_sample, seed=settings.seed)
        features = _gathered(client, blocks, _positions(images, kept) >= 0, ends)
        calibration = training_images(features, kept, backbone)
    detector = make_detector(
        fit_levels(training.features, backbone.level_slices, folds, copies=copies, kept=chosen),
        backbone,
        settings,
        fingerprint=engine.network.fingerprint,
        training=training,
        references=choose_references(fitted, engine, settings, cache=None),
        calibration=calibration,
        refused=images.refused,
        by_region=regions_of(
            training,
            backbone,
            folds,
            settings,
            # A sample's features do not give the regions' Gaussians.
            copies=copies if settings.augmented or chosen is not None else None,
            kept=chosen,
        ),
    )
    return Fit(detector, images.refused)


def _fewer(images: ImageSet, most: int, *, seed: int) -> ImageSet:
    """A seeded sample of so many images at most, in their order."""
    return images.where(np.random.default_rng(seed).permutation(len(images)) < most)


def extract_on(
    client: Client, detector: Detector, paths: Sequence[Path], *, progress: Progress | None = None
) -> Extraction:
    """Features of the images at `paths` for a detector to score, as `extract_for` gives them; bad images are reported.

    Raises `GadError` for other weights, and where no image can be read.
    """
    detector.check_network(_engine(detector.backbone).network)
    blocks, images, ends = _read(client, paths, replace(detector.settings, augmented=None), progress)
    check_any(images)
    return Extraction(_gathered(client, blocks, np.ones(len(images), bool), ends), images)


def _positions(images: ImageSet, chosen: ImageSet) -> Rows:
    """Where each image stands among the chosen ones, which are in the same order; -1: it is not one of them."""
    places: dict[Path, list[int]] = {}
    for position in reversed(range(len(chosen))):  # a path may be given twice
        places.setdefault(chosen.files[position].path, []).append(position)
    return np.array([at.pop() if (at := places.get(file.path)) else -1 for file in images], np.intp)


def _read(
    client: Client,
    paths: Sequence[Path],
    settings: FitSettings,
    progress: Progress | None,
) -> tuple[list[Future], ImageSet, NDArray[np.intp]]:
    """The blocks, where they are, the images that could be read, and where those of one block end, but the last."""
    blocks = [client.submit(_read_block, part, settings, pure=False) for part in _parts(paths)]
    if progress:
        for done, _ in enumerate(as_completed(blocks), start=1):
            progress(done * len(paths) // len(blocks), len(paths))
    files: list[tuple[ImageFile, ...]] = client.gather([client.submit(_files, block) for block in blocks])
    refused: list[tuple[Refusal, ...]] = client.gather([client.submit(_refused, block) for block in blocks])
    images = ImageSet(tuple(chain.from_iterable(files)), tuple(chain.from_iterable(refused)))
    return blocks, images, np.cumsum([len(of_block) for of_block in files], dtype=np.intp)[:-1]


def _gathered(
    client: Client, blocks: Sequence[Future], chosen: NDArray[np.bool_], ends: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Features of the chosen images, which `ends` deals to the blocks."""
    pairs = zip(blocks, np.split(chosen, ends), strict=True)
    return np.concatenate(client.gather([client.submit(_features, block, mask) for block, mask in pairs if mask.any()]))


def _parts(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    size = max(_BLOCK, -(-len(paths) // _BLOCKS))
    return [tuple(paths[start : start + size]) for start in range(0, len(paths), size)]


@cache
def _engine(backbone: str) -> Engine:
    """One engine a worker."""
    return make_engine(load_network(backbone))


def _read_block(paths: Sequence[Path], settings: FitSettings) -> _Block:
    """Read a block of images on a worker, with the features of their copies; bad images are noted."""
    engine, augmented = _engine(settings.backbone), settings.augmented
    regions = settings.regions_on(engine.network.backbone)
    files: list[ImageFile] = []
    refused: list[Refusal] = []
    for path in paths:
        try:
            found = read_paths([path])
            files += found.files
            refused += found.refused
        except GadError as error:
            refused.append(Refusal(str(path), str(error)))
    with scratch() as folder:
        pixels = FeatureCache(folder) if augmented else None  # each image is decoded once
        extraction = extract(ImageSet(tuple(files)), engine, regions=regions, cache=pixels)
        copies = extraction.features[None]
        if augmented:
            passes = (Pass(augmented.settings, index, settings.seed) for index in range(augmented.passes))
            copies = np.stack(
                [extract(extraction.images, engine, regions=regions, copy=one, cache=pixels).features for one in passes]
            )
    return _Block(extraction.images.files, (*refused, *extraction.images.refused), extraction.features, copies)


def _files(block: _Block) -> tuple[ImageFile, ...]:
    return block.files


def _refused(block: _Block) -> tuple[Refusal, ...]:
    return block.refused


def _features(block: _Block, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    return block.features[chosen]
