"""A fit to augmented copies, or to images on many machines: moments of blocks, added up in one fixed tree."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gad_core.gaussian.levels import LeftOut, Rows
from gad_core.gaussian.moments import Moments
from gad_core.gaussian.spectrum import Array, Coordinates, Eigenbasis, Gaussian, Spectrum

Fitted = tuple[Gaussian, tuple[LeftOut, ...]]
_Sums = list[tuple[Array, Array]]  # by level: the fourth moments along the runs of components


class Block(Protocol):
    """Some of the images, and the samples that the Gaussians are fitted to in their place."""

    @property
    def features(self) -> NDArray[np.float32]:
        """Of the images as they are (m, sum C)."""

    def samples(self, rows: Rows, part: slice) -> Iterator[NDArray[np.float32]]:
        """One level of all copies of some of the images, in batches (k, D)."""


class Runner(Protocol):
    """Does work where the blocks are: here, or on the workers of a cluster."""

    def submit(self, work: Callable[..., Any], *args: Any) -> Any:
        """Hand over a call whose arguments may be what earlier calls gave; returns what `gather` takes."""

    def gather(self, results: Any) -> Any:
        """The results themselves, lists of lists included."""


class Here:
    """Work done at once, in this process."""

    def submit(self, work: Callable[..., Any], *args: Any) -> Any:
        """Do it."""
        return work(*args)

    def gather(self, results: Any) -> Any:
        """They are here."""
        return results


@dataclass(frozen=True)
class Copies:
    """Samples for the Gaussians, in blocks of images."""

    blocks: Sequence[Any]  # `Block`s, or what the runner gave for them
    positions: Sequence[Rows]  # of each block's images among the fitted ones; -1: not fitted
    run: Runner
    level_by_level: bool  # less memory for more calls


def fit_copies(
    copies: Copies,
    parts: Sequence[slice],
    folds: Rows,
    advance: Callable[[], None],
    *,
    kept: NDArray[np.bool_] | None = None,
) -> list[Fitted]:
    """Some levels of the copies: each fold's moments are what the others' leave of the whole.

    Blocks are added up in one fixed tree: who does the work changes nothing in the result. Of the images only those
    that are `kept` (n,) are scored left out.
    """
    run = copies.run
    own = [np.where(at < 0, -1, folds[at]) for at in copies.positions]  # the fold of each block's images
    first = next(block for block, ids in zip(copies.blocks, own, strict=True) if (ids >= 0).any())
    shift = run.submit(_shift, first)

    def everywhere(work: Callable[..., Any], rows: Sequence[Rows], *extra: Any) -> list[Any]:
        pairs = zip(copies.blocks, rows, strict=True)
        return [run.submit(work, block, row, *extra) for block, row in pairs if len(row)]

    by_fold = [[np.flatnonzero(ids == fold) for ids in own] for fold in range(int(folds.max()) + 1)]
    moments = [_tree(run, _add_moments, everywhere(_moments, rows, shift, parts)) for rows in by_fold]
    whole = _tree(run, _add_moments, moments)
    fits = []
    for fold in range(-1, len(by_fold)):  # -1 leaves nobody out
        bases = run.submit(_eigenbases, whole, None if fold < 0 else moments[fold])
        rest = [np.flatnonzero((ids >= 0) & (ids != fold)) for ids in own]
        sums = _tree(run, _add_sums, everywhere(_fourths, rest, bases, parts))
        fits.append(run.submit(_gaussians, bases, sums))
        for _ in parts:
            advance()
    scored = by_fold
    if kept is not None:
        scored = [[row[kept[at[row]]] for at, row in zip(copies.positions, rows, strict=True)] for rows in by_fold]
    coordinates = run.gather([everywhere(_coordinates, rows, fits[1 + i], parts) for i, rows in enumerate(scored)])
    spectra = run.gather([run.submit(_spectra, fit) for fit in fits[1:]])
    left_out = [
        [
            LeftOut(spectrum, reduce(Coordinates.__add__, level))
            for spectrum, *level in zip(of_fold, *blocks, strict=True)
        ]
        for of_fold, blocks in zip(spectra, coordinates, strict=True)
    ]
    (gaussians,) = run.gather([fits[0]])
    return list(zip(gaussians, zip(*left_out, strict=True), strict=True))


def _tree(run: Runner, merge: Callable[[Any, Any], Any], results: Sequence[Any]) -> Any:
    """Merge neighbours, then their results, and so on."""
    level = list(results)
    while len(level) > 1:
        pairs = [run.submit(merge, *level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[2 * len(pairs) :]
    return level[0]


def _shift(block: Block) -> Array:
    return np.asarray(block.features.mean(axis=0, dtype=np.float64))


def _moments(block: Block, rows: Rows, shift: Array, parts: Sequence[slice]) -> list[Moments]:
    def of(part: slice) -> Moments:
        return reduce(_add, (Moments.of(batch, shift=shift[part]) for batch in block.samples(rows, part)))

    return [of(part) for part in parts]


def _add(one: Moments, other: Moments) -> Moments:
    return one + other


def _add_moments(one: Sequence[Moments], other: Sequence[Moments]) -> list[Moments]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _eigenbases(whole: Sequence[Moments], out: Sequence[Moments] | None) -> list[Eigenbasis]:
    left = [a - b for a, b in zip(whole, out, strict=True)] if out else whole
    return [Eigenbasis.of(moments) for moments in left]


def _fourths(block: Block, rows: Rows, bases: Sequence[Eigenbasis], parts: Sequence[slice]) -> _Sums:
    def of(basis: Eigenbasis, part: slice) -> tuple[Array, Array]:
        return reduce(_add_pair, (basis.fourths(batch) for batch in block.samples(rows, part)))

    return [of(basis, part) for basis, part in zip(bases, parts, strict=True)]


def _add_pair(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    return one[0] + other[0], one[1] + other[1]


def _add_sums(one: _Sums, other: _Sums) -> _Sums:
    return [_add_pair(a, b) for a, b in zip(one, other, strict=True)]


def _gaussians(bases: Sequence[Eigenbasis], sums: _Sums) -> list[Gaussian]:
    return [basis.gaussian(head, tail) for basis, (head, tail) in zip(bases, sums, strict=True)]


def _spectra(gaussians: Sequence[Gaussian]) -> list[Spectrum]:
    return [gaussian.spectrum for gaussian in gaussians]


def _coordinates(block: Block, rows: Rows, gaussians: Sequence[Gaussian], parts: Sequence[slice]) -> list[Coordinates]:
    pairs = zip(gaussians, parts, strict=True)
    return [gaussian.coordinates(block.features[rows, part]) for gaussian, part in pairs]
