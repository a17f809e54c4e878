"""Which strategies a detector uses over a data set: its maps, clustered (SpRAy).

Source: Lapuschkin et al. 2019, "Unmasking Clever Hans predictors and assessing what machines really learn", Nature
Communications 10. Maps are compared by what raises the score, as distributions over the image: by the Hellinger
distance. Whether there is any structure is tested against one Gaussian cloud of the same covariance, as the gap
statistic does (Tibshirani, Walther & Hastie 2001, J. R. Stat. Soc. B 63).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import kneighbors_graph
from threadpoolctl import threadpool_limits

from gad_core.errors import GadError
from gad_core.progress import Progress

Array = NDArray[np.float64]
Labels = NDArray[np.intp]

#: Fewer maps hold no clusters that could be told from chance.
LEAST = 12
#: The largest number of clusters that is looked for.
MOST = 8
#: Below it there is structure.
SIGNIFICANCE = 0.05

_COMPONENTS = 10  # principal ones: with more than a tenth of the images, the null cloud is another one than the data's
_NEIGHBOURS = 0.2  # of all maps, in the graph: with fewer, a strategy breaks up by details of its maps
_FEWEST_NEIGHBOURS = 5
_FLOOR = 0.01  # added to eigenvalues, of which those of a graph in pieces are 0
_CLOUDS = 99
_TESTED = 400  # maps that are tested against chance: more take long and tell no more
_DRAWS, _SHARE = 20, 0.8  # of the maps, to see whether the clusters stay
_DECAY = 5.0  # cells from the corner into which a map's attribution is turned


@dataclass(frozen=True)
class Strategies:
    """Clusters of maps.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Cluster of each map, from 0, the largest cluster first.
    suggested : int
        Number of clusters by the widest relative eigengap; 1 where that is no wider than by chance.
    eigenvalues : ndarray, shape (<= 9,)
        The smallest of the graph's normalised Laplacian.
    p_value : float
        That one Gaussian cloud shows so wide a gap.
    gap : float
        The widest relative eigengap of 2 to `MOST` clusters.
    chance_gap : float
        The gap that 95 % of the clouds stay below.
    stability : float or None
        Mean adjusted Rand index between these clusters and those of random 80 % of the maps; None for one cluster.
    places : ndarray, shape (n, 2)
        Spectral embedding in two dimensions.
    maps : ndarray, shape (n, SIDE, SIDE)
        The reduced maps, turned alike where that was asked for.
    """

    labels: Labels
    suggested: int
    eigenvalues: Array
    p_value: float
    gap: float
    chance_gap: float
    stability: float | None
    places: Array
    maps: Array

    @property
    def n_clusters(self) -> int:
        """Count the clusters."""
        return int(self.labels.max()) + 1

    @property
    def structured(self) -> bool:
        """Whether there is structure beyond chance."""
        return self.p_value < SIGNIFICANCE


def find_strategies(
    maps: Array, *, n_clusters: int | None = None, aligned: bool = True, seed: int = 0, progress: Progress | None = None
) -> Strategies:
    """Cluster reduced maps (n, SIDE, SIDE).

    `aligned` turns and mirrors each, so that most of its attribution lies in the same corner: what is seen in any
    corner is then one strategy. Without `n_clusters` there are as many as suggested. Raises `GadError` for fewer than
    `LEAST` maps and for a number of clusters outside 1 .. n / 2.
    """
    n = len(maps)
    if n < LEAST:
        raise GadError(f"strategies need at least {LEAST} explained images, got {n}; add test images")
    _check_count(n_clusters, n)
    turned = align(maps) if aligned else np.asarray(maps, np.float64)
    points = _principal(_densities(turned))
    values, vectors = _spectrum(points, MOST + 1)
    tested = _sample(points, seed)
    best, gap = _widest(values if tested is points else _spectrum(tested, MOST + 1)[0])
    clouds = _chance_gaps(tested, seed, progress)
    p_value = float((1 + np.count_nonzero(clouds >= gap)) / (1 + len(clouds)))
    one = Strategies(
        labels=np.zeros(n, np.intp),
        suggested=best if p_value < SIGNIFICANCE else 1,
        eigenvalues=values,
        p_value=p_value,
        gap=gap,
        chance_gap=float(np.quantile(clouds, 1 - SIGNIFICANCE)),
        stability=None,
        places=vectors[:, 1:3],
        maps=turned,
    )
    return _divided(one, n_clusters or one.suggested, seed)


def divided(found: Strategies, n_clusters: int, *, seed: int = 0) -> Strategies:
    """The same maps in another number of clusters; whether there is any structure is not asked again.

    Raises `GadError` for a number of clusters outside 1 .. n / 2.
    """
    _check_count(n_clusters, len(found.maps))
    return _divided(found, n_clusters, seed)


def _divided(found: Strategies, count: int, seed: int) -> Strategies:
    if count == 1:
        return replace(found, labels=np.zeros(len(found.maps), np.intp), stability=None)
    points = _principal(_densities(found.maps))
    labels = _clusters(_spectrum(points, count)[1], count, seed)
    return replace(found, labels=labels, stability=_stability(points, labels, seed))


def _check_count(n_clusters: int | None, n: int) -> None:
    if n_clusters is not None and not 1 <= n_clusters <= n // 2:
        raise GadError(f"choose between 1 and {n // 2} clusters for {n} maps, got {n_clusters}")


def align(maps: Array) -> Array:
    """Turn and mirror maps (n, S, S), each by the one of eight ways that brings most attribution to the upper left."""
    quarters = [np.rot90(maps, turns, (1, 2)) for turns in range(4)]
    ways = np.stack([way for quarter in quarters for way in (quarter, quarter[:, :, ::-1])])  # (8, n, S, S)
    row, column = np.indices(maps.shape[1:])
    # Slightly more weight below the diagonal, so that of two mirror images one is chosen.
    weights = np.exp(-(row**2 + column**2) / _DECAY**2) * np.where(row > column, 1 + 1e-3, 1.0)
    best = (np.maximum(ways, 0) * weights).sum(axis=(2, 3)).argmax(axis=0)
    return np.asarray(ways[best, np.arange(len(maps))], np.float64)


def _densities(maps: Array) -> Array:
    """Roots (n, S S) of the share of what raises the score in every cell: their distance is Hellinger's, times root 2.

    A map that raises nothing is uniform.
    """
    raising = np.maximum(maps, 0).reshape(len(maps), -1)
    total = raising.sum(axis=1, keepdims=True)
    return np.sqrt(np.where(total > 0, raising / np.where(total > 0, total, 1), 1 / raising.shape[1]))


def _principal(points: Array) -> Array:
    """The first principal components (n, m) of points (n, d)."""
    left, scale, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    return np.asarray(left[:, :_COMPONENTS] * scale[:_COMPONENTS])


def _spectrum(points: Array, count: int) -> tuple[Array, Array]:
    """The smallest eigenvalues (count,) of the neighbours' graph's normalised Laplacian, and the embedding (n, count).

    An embedding is the eigenvectors over the roots of the degrees, as scikit-learn's.
    """
    n = len(points)
    neighbours = min(max(_FEWEST_NEIGHBOURS, round(_NEIGHBOURS * n)), n - 1)
    graph = kneighbors_graph(points, neighbours).toarray()
    matrix, roots = laplacian(np.maximum(graph, graph.T), normed=True, return_diag=True)
    values, vectors = eigh(matrix, subset_by_index=[0, min(count, n) - 1])
    return np.clip(values, 0, None), vectors / roots[:, None]


def _widest(eigenvalues: Array) -> tuple[int, float]:
    """The number of clusters with the widest relative gap behind it, and that gap."""
    ratios = (eigenvalues[2:] + _FLOOR) / (eigenvalues[1:-1] + _FLOOR)
    return 2 + int(ratios.argmax()), float(ratios.max())


def _chance_gaps(points: Array, seed: int, progress: Progress | None) -> Array:
    """The widest gaps of Gaussian clouds that spread as the points (n, m) do."""
    rng, spread = np.random.default_rng(seed), points.std(axis=0)
    gaps = np.empty(_CLOUDS)
    with threadpool_limits(1, "blas"):  # matrices are small
        for i in range(_CLOUDS):
            gaps[i] = _widest(_spectrum(spread * rng.standard_normal(points.shape), MOST + 1)[0])[1]
            if progress:
                progress(i + 1, _CLOUDS)
    return gaps


def _sample(points: Array, seed: int) -> Array:
    if len(points) <= _TESTED:
        return points
    return points[np.random.default_rng(seed).choice(len(points), _TESTED, replace=False)]


def _clusters(embedding: Array, count: int, seed: int) -> Labels:
    """Clusters of an embedding (n, count), the largest first."""
    rows = embedding / np.maximum(
        np.linalg.norm(embedding, axis=1, keepdims=True), np.finfo(float).tiny
    )  # Ng, Jordan & Weiss
    found = KMeans(count, n_init=20, random_state=seed).fit_predict(rows)
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    return np.asarray(np.argsort(order)[found], np.intp)


def _stability(points: Array, labels: Labels, seed: int) -> float:
    rng, count = np.random.default_rng(seed), int(labels.max()) + 1
    agreed: list[float] = []
    for _ in range(_DRAWS):
        chosen = rng.choice(len(points), round(_SHARE * len(points)), replace=False)
        again = _clusters(_spectrum(points[chosen], count)[1], count, seed)
        agreed.append(adjusted_rand_score(labels[chosen], again))
    return float(np.mean(agreed))
