"""One Gaussian a level, and again without each fold: the fit that everything that fits shares."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gad_core.errors import GadError
from gad_core.gaussian.copies import Copies, Fitted, fit_copies
from gad_core.gaussian.levels import LeftOut, LevelsFit, Rows, fold_rows
from gad_core.gaussian.spectrum import fit_gaussian, squared_sed
from gad_core.progress import Progress

#: Two images to fit a fold and one to leave out of it.
MIN_IMAGES = 3

_THREADS = min(4, os.cpu_count() or 1)  # folds fitted at a time, each with a copy of its images where they are few


def fit_levels(
    features: NDArray[np.float32],
    slices: Sequence[slice],
    folds: Rows,
    *,
    copies: Copies | None = None,
    kept: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> LevelsFit:
    """Fit a Gaussian per level to features (n, sum of channels), and again without each fold of `folds` (n,).

    With `copies` the Gaussians are those of the copies, and the left-out images are scored as they are; copies of a
    left-out image are left out with it; where only some images (n,) are `kept`, `features` are those of them, and they
    alone are scored. Fold ids are 0..K-1, K >= 2. Raises `GadError` below three images, for a single fold, and for
    folds that leave fewer than two images to fit. Sec. III-A; cross-conformal scores as in Vovk 2015.
    """
    _check_folds(len(folds), folds)
    total, done = len(slices) * (1 + int(folds.max()) + 1), 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    by_level: list[Fitted] = []
    if copies:
        groups = [[part] for part in slices] if copies.level_by_level else [list(slices)]
        for parts in groups:
            by_level += fit_copies(copies, parts, folds, advance, kept=kept)
    else:
        rows = fold_rows(folds)
        by_level = [_fit_images(features[:, part], rows, advance) for part in slices]
    gaussians, left_out = zip(*by_level, strict=True)
    scored = folds if kept is None else folds[kept]
    return LevelsFit(slices=tuple(slices), gaussians=gaussians, folds=scored, left_out=left_out)


def _check_folds(n: int, folds: Rows) -> None:
    if n < MIN_IMAGES:
        raise GadError(
            f"need at least {MIN_IMAGES} normal images, two to fit and one to leave out, got {n}; add normal images"
        )
    if folds.max() < 1:
        raise GadError("need at least 2 folds or groups, so that each can be left out of a fit; got 1")
    largest = max(map(len, fold_rows(folds)))
    if n - largest < 2:
        raise GadError(
            f"leaving out a fold of {largest} images leaves {n - largest} of {n} to fit; use more folds or groups"
        )


def _fit_images(X: NDArray[np.floating], rows: Sequence[Rows], advance: Callable[[], None]) -> Fitted:
    """One level of the images as they are (n, D)."""
    # The matrices are small: more BLAS threads than one cost twice the processor time and, on a busy machine, seconds.
    with threadpool_limits(1, "blas"):
        gaussian = fit_gaussian(X)
        advance()
        # n images span fewer than n dimensions: where that is less than D, the folds are fitted within the span.
        Z = X if len(X) > X.shape[1] else (X - gaussian.mean) @ gaussian.basis
        by_fold = []
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fold")
        try:
            for left_out in [pool.submit(_leave_out, X, Z, out) for out in rows]:
                by_fold.append(left_out.result())
                advance()
        finally:
            pool.shutdown(cancel_futures=True)
    return gaussian, tuple(by_fold)


def _leave_out(X: NDArray[np.floating], Z: NDArray[np.floating], out: Rows) -> LeftOut:
    """Fit without the rows `out` and project them onto that fit; Z (n, r) are isometric coordinates of X (n, D)."""
    fold = fit_gaussian(Z, without=out, n_features=X.shape[1])
    mean, variance = fold.mean, fold.variance
    if Z is not X:
        rest = np.delete(X, out, axis=0)
        mean, variance = rest.mean(0, dtype=np.float64), rest.var(0, dtype=np.float64, ddof=1)
    sed2 = squared_sed(X[out] - mean, variance)
    return LeftOut(fold.spectrum, replace(fold.coordinates(Z[out]), sed2=sed2))
