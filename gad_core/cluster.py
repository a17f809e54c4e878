"""The same fit and the same scoring over a Dask cluster: images are read where the workers are, and stay there.

Images are cut into blocks that depend on their number alone, each fold's moments are added up over the blocks in one
fixed tree, and so are the sums behind the shrinkage: how many workers there are changes nothing in the result. What
a lost worker held is computed again from its blocks. Needs `requirements-cluster.txt`, and files that every worker
finds at the same path.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from distributed import Client, Future, LocalCluster, as_completed
from numpy.typing import NDArray

from gad_core.data.augment import Pass
from gad_core.data.datasets import ImageFile, ImageSet, Refusal, default_folds, k_folds, read_paths
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, make_engine
from gad_core.features.extract import Extraction, extract, load_pixels
from gad_core.features.networks import load_network
from gad_core.features.registry import get_backbone
from gad_core.gaussian.detector import MIN_IMAGES, Augmented, Detector, LeftOut, TrainingImages
from gad_core.gaussian.fit import N_REFERENCES, Fit
from gad_core.gaussian.moments import Moments
from gad_core.gaussian.spectrum import Array, Coordinates, Eigenbasis, Gaussian, Spectrum
from gad_core.gaussian.tuning import Tuning, recommended
from gad_core.progress import Progress

_BLOCK = 64  # images, at least
_BLOCKS = 256  # at most

Rows = NDArray[np.intp]
Sums = list[tuple[Array, Array]]  # by level: the fourth moments along the runs of components


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
    copies: NDArray[np.float32]  # (P, m, sum C) what the Gaussians see


@dataclass(frozen=True)
class _Facts:
    """What the driver must know of a block."""

    files: tuple[ImageFile, ...]
    refused: tuple[Refusal, ...]


def fit_on(
    client: Client,
    paths: Sequence[Path],
    backbone: str,
    *,
    tuning: Tuning | None = None,
    n_folds: int | None = None,
    augment: Augmented | None = None,
    keep_references: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Fit:
    """Fit a detector to the images at `paths`, as `fit_images` does; images that cannot be read are reported.

    Raises `GadError` below three readable images.
    """
    blocks, facts = _looked(client, paths, backbone, augment, seed, progress)
    files = [file for fact in facts for file in fact.files]
    refused = tuple(refusal for fact in facts for refusal in fact.refused)
    if len(files) < MIN_IMAGES:
        why = f" ({len(refused)} could not be read: {refused[0].reason})" if refused else ""
        raise GadError(f"need at least {MIN_IMAGES} normal images, got {len(files)}{why}; add normal images")
    slices = get_backbone(backbone).level_slices
    folds = k_folds(len(files), n_folds or default_folds(len(files)), seed=seed)
    own = np.split(folds, np.cumsum([len(fact.files) for fact in facts])[:-1])  # the folds of each block's images
    shift = client.submit(_shift, next(block for block, fact in zip(blocks, facts, strict=True) if fact.files))
    fits = range(-1, int(folds.max()) + 1)  # -1 leaves nobody out

    def everywhere(work: Callable[..., Any], rows: Sequence[Rows], *extra: Any) -> list[Future]:
        pairs = zip(blocks, rows, strict=True)
        return [client.submit(work, block, row, *extra) for block, row in pairs if len(row)]

    parts = [
        _tree(client, _add_moments, everywhere(_moments, [np.flatnonzero(ids == fold) for ids in own], shift, slices))
        for fold in fits[1:]
    ]
    whole = _tree(client, _add_moments, parts)
    by_fit: list[Future] = []
    for fold in fits:
        axes = client.submit(_axes, whole, None if fold < 0 else parts[fold])
        rest = [np.flatnonzero(ids != fold) for ids in own]
        sums = _tree(client, _add_sums, everywhere(_fourths, rest, axes, slices))
        by_fit.append(client.submit(_gaussians, axes, sums))
    seen: list[list[Future]] = [
        everywhere(_coordinates, [np.flatnonzero(ids == fold) for ids in own], by_fit[1 + fold], slices)
        for fold in fits[1:]
    ]
    spectra: list[list[Spectrum]] = client.gather([client.submit(_spectra, fit) for fit in by_fit[1:]])
    left_out = [
        [LeftOut(spectrum, coordinates) for spectrum, coordinates in zip(spectra[fold], _joined(rows), strict=True)]
        for fold, rows in enumerate(client.gather(seen))
    ]
    features = np.concatenate(client.gather([client.submit(_features, block) for block in blocks]))
    engine = _engine(backbone)
    references = None
    if keep_references:
        chosen = np.random.default_rng(seed).permutation(len(files)) < N_REFERENCES
        references = load_pixels(ImageSet(tuple(files)).where(chosen), engine.network.backbone)
    detector = Detector(
        backbone,
        engine.network.fingerprint,
        slices,
        tuning or recommended(engine.network.backbone),
        seed,
        TrainingImages(features, tuple(file.digest for file in files)),
        tuple(client.gather(by_fit[0])),
        folds,
        tuple(tuple(by_fold[level] for by_fold in left_out) for level in range(len(slices))),
        references,
        augmented=augment,
    )
    return Fit(detector, refused)


def extract_on(
    client: Client, detector: Detector, paths: Sequence[Path], *, progress: Progress | None = None
) -> Extraction:
    """Features of the images at `paths` for a detector to score, as `extract` gives them; bad images are reported.

    Raises `GadError` for other weights, and where no image can be read.
    """
    detector.check_weights(_engine(detector.backbone).network.fingerprint)
    blocks, facts = _looked(client, paths, detector.backbone, None, 0, progress)
    images = ImageSet(
        tuple(file for fact in facts for file in fact.files),
        tuple(refusal for fact in facts for refusal in fact.refused),
    )
    if not len(images):
        one = images.refused[0]
        raise GadError(f"none of the {len(paths)} images could be read ({one.path}: {one.reason})")
    return Extraction(np.concatenate(client.gather([client.submit(_features, block) for block in blocks])), images)


def _looked(
    client: Client,
    paths: Sequence[Path],
    backbone: str,
    augment: Augmented | None,
    seed: int,
    progress: Progress | None,
) -> tuple[list[Future], list[_Facts]]:
    """Every block, where it is, and what the driver must know of it."""
    blocks = [client.submit(look, part, backbone, augment, seed, pure=False) for part in _parts(paths)]
    if progress:
        for done, _ in enumerate(as_completed(blocks), start=1):
            progress(done * len(paths) // len(blocks), len(paths))
    return blocks, client.gather([client.submit(_facts, block) for block in blocks])


def _parts(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    size = max(_BLOCK, -(-len(paths) // _BLOCKS))
    return [tuple(paths[start : start + size]) for start in range(0, len(paths), size)]


def _tree(client: Client, merge: Callable[[Any, Any], Any], futures: Sequence[Future]) -> Future:
    """Merge neighbours, then their results, and so on: one order, whoever does it."""
    level = list(futures)
    while len(level) > 1:
        pairs = [client.submit(merge, *level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[2 * len(pairs) :]
    return level[0]


@cache
def _engine(backbone: str) -> Engine:
    """One engine a worker."""
    return make_engine(load_network(backbone))


def look(paths: Sequence[Path], backbone: str, augment: Augmented | None, seed: int) -> _Block:
    """Read a block of images on a worker, with the features of their copies; bad images are noted."""
    engine = _engine(backbone)
    files: list[ImageFile] = []
    refused: list[Refusal] = []
    for path in paths:
        try:
            found = read_paths([path])
            files += found.files
            refused += found.refused
        except GadError as error:
            refused.append(Refusal(str(path), str(error)))
    with TemporaryDirectory() as folder:
        pixels = FeatureCache(Path(folder)) if augment else None  # each image is decoded once
        extraction = extract(ImageSet(tuple(files)), engine, cache=pixels)
        copies = extraction.features[None]
        if augment:
            passes = (Pass(augment.settings, index, seed) for index in range(augment.passes))
            copies = np.stack([extract(extraction.images, engine, copy=one, cache=pixels).features for one in passes])
    return _Block(extraction.images.files, (*refused, *extraction.images.refused), extraction.features, copies)


def _facts(block: _Block) -> _Facts:
    return _Facts(block.files, block.refused)


def _features(block: _Block) -> NDArray[np.float32]:
    return block.features


def _shift(block: _Block) -> Array:
    return np.asarray(block.features.mean(axis=0, dtype=np.float64))


def _samples(block: _Block, rows: Rows, part: slice) -> NDArray[np.float32]:
    """One level of all copies of some images (P m, D)."""
    return block.copies[:, rows, part].reshape(-1, part.stop - part.start)


def _moments(block: _Block, rows: Rows, shift: Array, slices: Sequence[slice]) -> list[Moments]:
    return [Moments.of(_samples(block, rows, part), shift=shift[part]) for part in slices]


def _add_moments(one: Sequence[Moments], other: Sequence[Moments]) -> list[Moments]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _axes(whole: Sequence[Moments], out: Sequence[Moments] | None) -> list[Eigenbasis]:
    left = [a - b for a, b in zip(whole, out, strict=True)] if out else whole
    return [Eigenbasis.of(moments) for moments in left]


def _fourths(block: _Block, rows: Rows, axes: Sequence[Eigenbasis], slices: Sequence[slice]) -> Sums:
    return [one.fourths(_samples(block, rows, part)) for one, part in zip(axes, slices, strict=True)]


def _add_sums(one: Sums, other: Sums) -> Sums:
    return [(a[0] + b[0], a[1] + b[1]) for a, b in zip(one, other, strict=True)]


def _gaussians(axes: Sequence[Eigenbasis], sums: Sums) -> list[Gaussian]:
    return [one.gaussian(head, tail) for one, (head, tail) in zip(axes, sums, strict=True)]


def _spectra(gaussians: Sequence[Gaussian]) -> list[Spectrum]:
    return [gaussian.spectrum for gaussian in gaussians]


def _coordinates(
    block: _Block, rows: Rows, gaussians: Sequence[Gaussian], slices: Sequence[slice]
) -> list[Coordinates]:
    pairs = zip(gaussians, slices, strict=True)
    return [gaussian.coordinates(block.features[rows, part]) for gaussian, part in pairs]


def _joined(blocks: Sequence[Sequence[Coordinates]]) -> list[Coordinates]:
    """By level, the coordinates of all blocks."""
    return [reduce(Coordinates.__add__, level) for level in zip(*blocks, strict=True)]
