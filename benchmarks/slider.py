"""One move of the NPCA slider over nine levels, against scikit-learn fitting PCA and LedoitWolf for that reduction.

    python -m benchmarks.slider

Simulated features of the default backbone's widths, 400 training and 200 test images. Both sides give the same
distances (checked); the ratio is what counts, since machines are noisy.
"""

import time
from collections.abc import Callable

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from gad_core import wording
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import fit_gaussian

CHANNELS = (32, 16, 24, 40, 80, 112, 192, 320, 1280)
N_TRAIN, N_TEST = 400, 200


def simulate(rng: np.random.Generator, n: int, width: int, mixing: np.ndarray) -> np.ndarray:
    return rng.normal(size=(n, width)) * np.logspace(0, -2, width) @ mixing


def scikit_learn(train: np.ndarray, query: np.ndarray, chosen: slice) -> np.ndarray:
    pca = PCA(svd_solver="full").fit(train)
    gaussian = LedoitWolf().fit(pca.transform(train)[:, chosen])
    return np.sqrt(gaussian.mahalanobis(pca.transform(query)[:, chosen]))


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median over the repeats, after one warm-up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    rng = np.random.default_rng(0)
    train, query = [], []
    for width in CHANNELS:
        mixing = np.linalg.qr(rng.normal(size=(width, width)))[0]
        train.append(simulate(rng, N_TRAIN, width, mixing))
        query.append(simulate(rng, N_TEST, width, mixing))
    gaussians = [fit_gaussian(X) for X in train]
    coordinates = [g.coordinates(X) for g, X in zip(gaussians, query, strict=True)]
    print(f"{'reduction':>12} {'scikit-learn':>14} {'one slider move':>16} {'ratio':>8}")
    for text in ("npca:0.5", "npca:0.05", "npca:0.01", "npca:0.001"):
        reduction = Reduction.parse(text)
        chosen = [g.spectrum.components(reduction) for g in gaussians]

        def ours(reduction: Reduction = reduction) -> list[np.ndarray]:
            return [g.spectrum.distances(c, reduction) for g, c in zip(gaussians, coordinates, strict=True)]

        def theirs(chosen: list[slice] = chosen) -> list[np.ndarray]:
            return [scikit_learn(X, Q, part) for X, Q, part in zip(train, query, chosen, strict=True)]

        for mine, oracle in zip(ours(), theirs(), strict=True):
            np.testing.assert_allclose(mine, oracle, rtol=1e-8)
        slow, fast = seconds(theirs, 5), seconds(ours, 200)
        print(f"{wording.reduction(reduction):>12} {slow * 1e3:11.1f} ms {fast * 1e3:13.3f} ms {slow / fast:8.0f}")


if __name__ == "__main__":
    main()
