"""The bands of a spectrum share out its squared distance without rest, whatever is kept."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from gad_core.errors import GadError
from gad_core.gaussian.bands import LevelBands
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.spectrum import fit_gaussian

REDUCTIONS = (ALL, Reduction("pca", 0.5), Reduction("pca", 0.99), NPCA_5, NPCA_1, Reduction("npca", 1e-5))


def bands_of(detector, level, reduction, **options) -> LevelBands:
    return LevelBands.of(detector.gaussians[level - 1], level, reduction, **options)


@pytest.mark.parametrize("level", [1, 3])  # the second has more features than images
@pytest.mark.parametrize("distance", ["mahalanobis", "l2"])
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_the_bands_add_up_to_the_squared_distance(detector, features, level, distance, reduction):
    X = features[50:, detector.slices[level - 1]]
    squares = bands_of(detector, level, reduction, distance=distance).squares(X)
    expected = detector.distances(detector.coordinates(features[50:]), reduction, distance=distance)[:, level - 1]
    np.testing.assert_allclose(squares.sum(axis=1), expected**2, rtol=1e-12)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_every_kept_component_is_in_one_band(detector, reduction):
    found = bands_of(detector, 3, reduction)
    spectrum = detector.gaussians[2].spectrum
    kept = spectrum.components(reduction)
    numbers = [number for band in found.bands for number in range(band.first, band.last + 1)]
    stop = spectrum.n_features if reduction.kind == "all" else kept.stop
    assert numbers == list(range(kept.start + 1, stop + 1))
    part = spectrum.eigenvalues[kept].sum() / spectrum.eigenvalues.sum()
    assert sum(band.variance for band in found.bands) == pytest.approx(part)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_each_band_is_a_part_of_the_whitening(detector, features, reduction):
    gaussian, X = detector.gaussians[2], features[50:, detector.slices[2]]
    found = bands_of(detector, 3, reduction)
    white = (X - gaussian.mean) @ gaussian.whitening(reduction)
    expected = np.stack([np.square(white[:, part]).sum(axis=1) for part in found.parts], axis=1)
    np.testing.assert_allclose(found.squares(X), expected, rtol=1e-7, atol=1e-9)


def test_a_band_is_scikit_learns_distance_between_its_components(detector, features):
    """Components 3 to 6 of ten, cut out of its whole covariance, are a Mahalanobis distance of their own."""
    X = features[:50, :10].astype(float)
    found = LevelBands.of(fit_gaussian(X), 1, Reduction("pca", 0.9999999), n=3)
    basis = PCA().fit(X)
    Z = basis.transform(X)
    kept = found.bands[-1].last
    covariance = LedoitWolf(assume_centered=True).fit(Z[:, :kept]).covariance_
    new = basis.transform(features[50:, :10].astype(float))
    squares = found.squares(features[50:, :10])
    for place, band in enumerate(found.bands):
        part = slice(band.first - 1, band.last)
        inverse = np.linalg.inv(covariance)[part, part]
        expected = [mahalanobis(row[part], np.zeros(band.n_components), inverse) ** 2 for row in new]
        np.testing.assert_allclose(squares[:, place], expected, rtol=1e-8)


def test_bands_have_equal_ranges_of_the_logarithm():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 12)) * np.array([1e3, 900, 800, 700, 100, 90, 80, 10, 9, 8, 1, 0.9])
    found = LevelBands.of(fit_gaussian(X), 1, ALL, n=4)
    assert [(band.first, band.last) for band in found.bands] == [(1, 4), (5, 7), (8, 10), (11, 12)]
    gap = LevelBands.of(fit_gaussian(X[:, [0, 1, 10, 11]]), 1, ALL, n=4)
    assert [(band.first, band.last) for band in gap.bands] == [(1, 2), (3, 4)]  # two ranges hold nothing


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("level", [1, 3])
def test_left_out_bands_add_up_to_left_out_distances(detector, level, reduction):
    found = bands_of(detector, level, reduction)
    squares = found.left_out_squares(detector)
    assert squares.shape == (50, len(found.bands))
    expected = detector.left_out_distances(reduction)[:, level - 1]
    np.testing.assert_allclose(squares.sum(axis=1), expected**2, rtol=1e-12)


def test_a_way_through_a_band_does_not_depend_on_its_basis(detector, features):
    """Turned within a band whose eigenvalues weigh the same, the coordinates stay."""
    gaussian, X = detector.gaussians[0], features[:, detector.slices[0]]
    found = LevelBands.of(gaussian, 1, ALL, distance="l2", n=2)
    part = slice(found.bands[0].first - 1, found.bands[0].last)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(found.bands[0].n_components,) * 2))[0]
    basis = gaussian.basis.copy()
    basis[:, part] = basis[:, part] @ turn
    turned = LevelBands(
        type(gaussian)(gaussian.mean, basis, gaussian.variance, gaussian.spectrum), ALL, "l2", found.bands
    )
    ours = found.along(0, X[:50], X[60])
    np.testing.assert_allclose(ours, turned.along(0, X[:50], X[60]), rtol=1e-9, atol=1e-12)
    own, square = found.along(0, X[60:61], X[60])[0], found.squares(X[60:61])[0, 0]
    assert own == pytest.approx(np.sqrt(square))
    assert found.along(0, 2 * gaussian.mean - X[60:61], X[60])[0] == pytest.approx(-own)


@pytest.mark.parametrize("reduction", REDUCTIONS[1:], ids=str)
def test_normal_images_deviate_by_about_one_along_any_way(detector, features, reduction):
    part = detector.slices[0]
    found = bands_of(detector, 1, reduction)
    for place in range(len(found.bands)):
        values = found.along(place, features[:50, part], features[60, part])
        assert 0.4 < values.std() < 1.6


def test_what_is_no_sum_over_components_is_refused(detector):
    with pytest.raises(GadError, match="no sum over components"):
        bands_of(detector, 1, ALL, distance="sed")
    with pytest.raises(GadError, match="at least one band, got 0"):
        bands_of(detector, 1, ALL, n=0)
