"""Every cut read off one eigendecomposition equals scikit-learn's own pipeline, fitted anew for that cut."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import DISTANCES

REDUCTIONS = [Reduction(kind, v) for kind in ("pca", "npca") for v in (0.5, 0.2, 0.05, 0.01, 0.001, 1e-4, 0.99, 0.9999)]


def draw(n, D, seed=0):
    rng = np.random.default_rng(seed)
    mixing = np.linalg.qr(rng.normal(size=(D, D)))[0]
    return 3 + (rng.standard_t(6, (n, D)) * np.logspace(0, -2.5, D)) @ mixing


def pipeline(train, query, keep):
    """scikit-learn's PCA, selection by the paper's rule, LedoitWolf, Mahalanobis."""
    pca = PCA(svd_solver="full").fit(train)
    kept = min(len(train) - 1, train.shape[1])
    c = np.cumsum(pca.explained_variance_ratio_[:kept])
    v = keep.variance if keep.kind == "pca" else 1 - keep.variance
    last = int(np.flatnonzero(c > v)[0]) if (c > v).any() else kept - 1
    chosen = slice(0, last + 1) if keep.kind == "pca" else slice(max(min(last - 1, kept - 2), 0), kept)
    gaussian = LedoitWolf().fit(pca.transform(train)[:, chosen])
    return np.sqrt(gaussian.mahalanobis(pca.transform(query)[:, chosen])), gaussian.shrinkage_, chosen


@pytest.mark.parametrize(("n", "D"), [(400, 32), (60, 96), (50, 50), (3, 20), (1700, 24)])
@pytest.mark.parametrize("keep", REDUCTIONS, ids=str)
def test_every_cut_equals_scikit_learns_pipeline(n, D, keep):
    X = draw(n + 30, D)
    gaussian = fit_gaussian(X[:n])
    expected, shrinkage, chosen = pipeline(X[:n], X[n:], keep)
    assert gaussian.spectrum.components(keep) == chosen
    if gaussian.spectrum.dimension(keep) > 1:  # of one component any shrinkage gives the same variance
        assert gaussian.spectrum.shrinkage(keep) == pytest.approx(shrinkage, rel=1e-9, abs=1e-12)
    actual = gaussian.spectrum.distances(gaussian.coordinates(X[n:]), keep)
    np.testing.assert_allclose(actual, expected, rtol=1e-9)


@pytest.mark.parametrize(("n", "D"), [(400, 32), (60, 96), (3, 20), (1700, 24), (700, 400)])
def test_all_is_ledoit_wolf_in_the_whole_space(n, D):
    X = draw(n + 30, D)
    gaussian, oracle = fit_gaussian(X[:n]), LedoitWolf().fit(X[:n])
    actual = gaussian.spectrum.distances(gaussian.coordinates(X[n:]), ALL)
    np.testing.assert_allclose(actual, np.sqrt(oracle.mahalanobis(X[n:])), rtol=1e-9)
    assert gaussian.spectrum.dimension(ALL) == D


@pytest.mark.parametrize("n", [60, 2000])  # at once, and block by block
def test_a_fit_without_some_rows_is_that_of_the_others(n):
    X, out = draw(n, 24).astype(np.float32), np.arange(3, n, 7)
    found, expected = fit_gaussian(X, without=out), fit_gaussian(np.delete(X, out, axis=0))
    keep, query = Reduction("npca", 0.01), draw(9, 24, seed=1)
    for one, other in ((found.mean, expected.mean), (found.variance, np.delete(X, out, axis=0).var(0, float, ddof=1))):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    ours, theirs = (g.spectrum.distances(g.coordinates(query), keep) for g in (found, expected))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_l2_and_sed_equal_scipys_distances():
    X = draw(90, 40)
    train, query = X[:30], X[30:]
    gaussian = fit_gaussian(train)
    coordinates, mean = gaussian.coordinates(query), train.mean(0, keepdims=True)
    l2 = gaussian.spectrum.distances(coordinates, ALL, distance="l2")
    np.testing.assert_allclose(l2, cdist(query, mean).ravel(), rtol=1e-12)
    sed = gaussian.spectrum.distances(coordinates, ALL, distance="sed")
    expected = cdist(query, mean, "seuclidean", V=train.var(0, ddof=1)).ravel()
    np.testing.assert_allclose(sed, expected, rtol=1e-12)


def test_sed_after_a_cut_standardises_the_kept_components():
    X = draw(200, 20)
    gaussian = fit_gaussian(X[:150])
    pca = PCA().fit(X[:150])
    z = (pca.transform(X[150:]) / pca.transform(X[:150]).std(0, ddof=1))[
        :, gaussian.spectrum.components(Reduction("npca", 0.1))
    ]
    actual = gaussian.spectrum.distances(gaussian.coordinates(X[150:]), Reduction("npca", 0.1), distance="sed")
    np.testing.assert_allclose(actual, np.linalg.norm(z, axis=1), rtol=1e-9)


def test_a_constant_feature_does_not_break_sed():
    X = draw(50, 10)
    X[:, 3] = 1.0
    gaussian = fit_gaussian(X[:40])
    others = np.delete(X, 3, axis=1)
    expected = cdist(
        others[40:], others[:40].mean(0, keepdims=True), "seuclidean", V=others[:40].var(0, ddof=1)
    ).ravel()
    actual = gaussian.spectrum.distances(gaussian.coordinates(X[40:]), ALL, distance="sed")
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert gaussian.spectrum.n_null == 1


@pytest.mark.parametrize("score", DISTANCES)
def test_the_table_of_cuts_has_the_single_cuts_as_columns(score):
    X = draw(60, 50)
    gaussian = fit_gaussian(X[:40])
    coordinates = gaussian.coordinates(X[40:])
    keeps = [ALL, *REDUCTIONS]
    table = gaussian.spectrum.distance_table(coordinates, keeps, distance=score)
    for column, keep in enumerate(keeps):
        np.testing.assert_allclose(
            table[:, column], gaussian.spectrum.distances(coordinates, keep, distance=score), rtol=1e-12
        )


def test_a_rotation_of_the_features_changes_no_mahalanobis_distance():
    X = draw(120, 24)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(24, 24)))[0]
    one, other = fit_gaussian(X[:80]), fit_gaussian(X[:80] @ rotation)
    for keep in (ALL, Reduction("npca", 0.05)):
        np.testing.assert_allclose(
            one.spectrum.distances(one.coordinates(X[80:]), keep),
            other.spectrum.distances(other.coordinates(X[80:] @ rotation), keep),
            rtol=1e-9,
        )


def test_the_order_of_the_images_does_not_matter():
    X = draw(80, 100)
    one, other = fit_gaussian(X[:50]), fit_gaussian(X[:50][::-1])
    np.testing.assert_allclose(
        one.spectrum.distances(one.coordinates(X[50:]), ALL),
        other.spectrum.distances(other.coordinates(X[50:]), ALL),
        rtol=1e-9,
    )


def test_one_image_is_refused():
    with pytest.raises(GadError, match=r"at least 2 normal images.*got 1"):
        fit_gaussian(np.ones((1, 5)))


def test_images_that_are_all_the_same_are_refused():
    with pytest.raises(GadError, match="look the same"):
        fit_gaussian(np.tile(np.linspace(0, 1, 7, dtype=np.float32), (5, 1)))


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(GadError, match="not finite"):
        fit_gaussian(np.array([[0.0, np.nan], [1.0, 2.0]]))


@pytest.mark.parametrize("text", ["pca:0.9", "npca:0.3"])
def test_more_images_than_are_held_at_a_time_give_scikit_learns_shrinkage(text):
    X = np.random.default_rng(8).standard_t(5, (1300, 6)) * np.logspace(0, -1, 6)
    spectrum, reduction = fit_gaussian(X).spectrum, Reduction.parse(text)
    kept = PCA(svd_solver="full").fit_transform(X)[:, spectrum.components(reduction)]
    assert spectrum.shrinkage(reduction) == pytest.approx(LedoitWolf().fit(kept).shrinkage_, rel=1e-10)
