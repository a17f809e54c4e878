"""Regions get what a level gets: scikit-learn's Gaussian each, left-out folds, every cut; then one score of all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.region_of_interest import RegionOfInterest
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.detector import TrainingImages, make_detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning

BACKBONE = Backbone("small", "small", "other", (3, 5, 8), 32)
REGIONS = Regions(2, 3, (2, 3))
N, FOLDS = 40, np.arange(40) % 4
TUNING = Tuning((2, 3), NPCA_5, pool=Pool("top", 0.4))


def features(n, seed=0):
    """Correlated features of the whole (16) and by region (6 x 13), each region with a scale of its own."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(94, 94)) * np.logspace(0, -2, 94)
    return (rng.normal(size=(n, 94)) @ mix + 5).astype(np.float32)


def detector(X=None, tuning=TUNING, **options):
    X = features(N) if X is None else X
    training = TrainingImages(X, tuple(map(str, range(len(X))))).as_filed(BACKBONE.n_features)
    folds = np.arange(len(X)) % 4
    return make_detector(
        fit_levels(training.features, BACKBONE.level_slices, folds),
        BACKBONE,
        FitSettings(backbone="tf_efficientnet_lite0", tuning=tuning, regions=REGIONS),
        fingerprint="f",
        training=training,
        by_region=fit_regions(training.features, REGIONS, BACKBONE.level_slices, folds, reduction=tuning.reduction),
        **options,
    )


def sklearn_distances(fitted, seen, reduction):
    """Mahalanobis distance of `seen` from scikit-learn's PCA, selection and Ledoit-Wolf of `fitted`."""
    pca = PCA(svd_solver="full").fit(fitted)
    kept = reduction.components(np.cumsum(pca.explained_variance_ratio_))
    mean, axes = fitted.mean(axis=0), np.eye(fitted.shape[1])
    if reduction.kind != "all":
        axes = pca.components_[kept].T
    shrunk = LedoitWolf(assume_centered=True).fit((fitted - mean) @ axes)
    return np.sqrt(shrunk.mahalanobis((seen - mean) @ axes))


@pytest.mark.parametrize("reduction", [ALL, NPCA_5, NPCA_1, Reduction("pca", 0.95)], ids=str)
def test_every_region_is_scikit_learns_gaussian_of_its_features(reduction):
    found, seen = detector(), features(7, seed=1)
    fit, tuning = found.by_region, Tuning((2, 3), reduction)
    expected = np.zeros((7, REGIONS.count))
    start = BACKBONE.n_features
    for channels in (5, 8):
        for region in range(REGIONS.count):
            part = slice(start, start := start + channels)
            fitted = found.training.features[:, part].astype(np.float64)
            expected[:, region] += sklearn_distances(fitted, seen[:, part].astype(np.float64), reduction)
    np.testing.assert_allclose(fit.distances(seen, tuning), expected, rtol=1e-6)
    assert fit.inside == tuple(range(REGIONS.count))


def test_a_left_out_image_is_held_against_the_fit_without_its_fold():
    found, tuning = detector(), Tuning((3,), NPCA_5)
    X = found.training.features[:, BACKBONE.n_features + 6 * 5 :].astype(np.float64)  # level 3, region by region
    whole = found.by_region.gaussians[1]
    for fold in (0, 3):
        out = fold == FOLDS
        for region in (0, 5):
            part = slice(8 * region, 8 * region + 8)
            expected = sklearn_distances(X[~out, part], X[out, part], NPCA_5)
            kept = PCA(svd_solver="full").fit(X[~out, part]).explained_variance_ratio_
            k = np.arange(8)[NPCA_5.components(np.cumsum(kept))].size
            expected *= np.sqrt(whole[region].spectrum.dimension(NPCA_5) / k)
            np.testing.assert_allclose(
                found.by_region.left_out_distances(tuning)[out, region], expected, rtol=1e-3
            )  # kept in 16 bits


def test_the_score_pools_distances_on_the_scale_of_the_left_out():
    found, seen = detector(), features(9, seed=2)
    left_out = found.by_region.left_out_distances(TUNING)
    zero, high = np.median(left_out, axis=0), np.quantile(left_out, 0.9, axis=0)
    standardised = (found.by_region.distances(seen, TUNING) - zero) / (high - zero)
    expected = np.sort(standardised, axis=1)[:, -2:].mean(axis=1)  # the highest 0.4 of six
    np.testing.assert_allclose(found.scores(seen), expected)
    np.testing.assert_allclose(found.region_distances(seen, TUNING), standardised)
    for fold in range(FOLDS.max() + 1):  # its images know nothing of the scale that they are put on
        out = fold == FOLDS
        zero, high = np.median(left_out[~out], axis=0), np.quantile(left_out[~out], 0.9, axis=0)
        own = np.sort((left_out[out] - zero) / (high - zero), axis=1)[:, -2:].mean(axis=1)
        np.testing.assert_allclose(found.left_out_scores(TUNING)[out], own)


def test_the_papers_score_is_what_it_was():
    found, seen = detector(), features(9, seed=2)
    paper = Tuning((1, 2, 3), NPCA_5)
    plain = fit_levels(features(N)[:, :16], BACKBONE.level_slices, FOLDS)
    np.testing.assert_array_equal(found.scores(seen, paper), plain.scores_at(seen[:, :16], paper))
    np.testing.assert_array_equal(found.left_out_scores(paper), plain.left_out_scores(paper))


@pytest.mark.parametrize("pool", ["top:0.1", "power:8", "mean", "max"])
def test_a_file_scores_bit_for_bit_as_what_was_saved(tmp_path: Path, pool):
    tuning = replace(TUNING, pool=Pool.parse(pool), reduction=Reduction("npca", 0.0321))  # no usual cut
    found, seen = detector(tuning=tuning), features(9, seed=2)
    found = replace(found, calibration=TrainingImages(features(5, seed=3), tuple("abcde")).as_filed(16))
    found.save(tmp_path / "x.gad")
    again = load_detector(tmp_path / "x.gad")
    assert again.tuning == tuning
    assert again.settings == found.settings
    np.testing.assert_array_equal(again.scores(seen), found.scores(seen))
    np.testing.assert_array_equal(again.left_out_scores(tuning), found.left_out_scores(tuning))
    np.testing.assert_array_equal(again.calibration.features, found.calibration.features)
    again.save(tmp_path / "y.gad")
    assert (tmp_path / "y.gad").read_bytes() == (tmp_path / "x.gad").read_bytes()


def test_a_region_that_never_varies_does_not_count():
    X = features(N)
    for start, channels in ((16, 5), (16 + 30, 8)):
        X[:, start + 4 * channels : start + 5 * channels] = 3.25
    found = detector(X)
    assert found.by_region.inside == (0, 1, 2, 3, 5)
    seen = features(3, seed=1)
    maps = found.by_region.maps(found.region_distances(seen, TUNING))
    assert maps.shape == (3, 2, 3)
    assert np.isnan(maps[:, 1, 1]).all()
    assert np.isfinite(np.delete(maps.reshape(3, -1), 4, axis=1)).all()
    assert np.isfinite(found.scores(seen)).all()


def test_a_region_that_varies_in_one_fold_alone_does_not_count():
    X = features(N)
    X[:, 16:21] = 3.25
    X[FOLDS == 2, 16:21] = features(N)[FOLDS == 2, 16:21]
    assert detector(X).by_region.inside == (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("tuning", "why"),
    [
        (Tuning((1, 2), NPCA_5, pool=Pool("max")), "level 1 was not kept by region here, only 2, 3; choose"),
        (Tuning((2,), NPCA_5, "l2", Pool("max")), "regions are judged by Mahalanobis distances"),
        (Tuning((2,), Reduction("npca", 0.0777), pool=Pool("max")), "npca:0.0777 is not among them; choose"),
    ],
)
def test_a_tuning_without_a_regional_score_is_refused_with_the_way_out(tuning, why):
    with pytest.raises(GadError, match=why):
        detector().scores(features(2), tuning)


def test_a_detector_of_whole_images_says_that_it_has_no_regions():
    plain = replace(detector(), by_region=None)
    with pytest.raises(GadError, match="fit again with regions, or choose the score of the whole image"):
        plain.scores(features(2))


def test_more_images_are_rounded_once_more_to_what_a_file_holds():
    found = detector()
    both = found.training + TrainingImages(features(5, seed=4), tuple("abcde"))
    filed = both.as_filed(16)
    np.testing.assert_array_equal(filed.packed.values, filed.features[:, 16:])
    assert (np.abs(filed.features[:, 16:] - both.features[:, 16:]) <= filed.packed.step).all()
    assert filed.as_filed(16) is filed


@pytest.mark.parametrize("levels", [(2, 3), (3,)])
def test_the_scores_at_all_cuts_are_those_at_each(levels):
    found, seen = detector(), features(9, seed=2)
    tuning = replace(TUNING, levels=levels)
    tables = found.pooled_tables(seen, tuning)
    assert len(tables) == len(found.by_region.reductions)
    for cut in (ALL, NPCA_5, Reduction("pca", 0.9)):
        np.testing.assert_allclose(tables[cut], found.scores(seen, replace(tuning, reduction=cut)), rtol=1e-9)


def test_regions_outside_the_region_of_interest_carry_no_weight():
    regions = replace(REGIONS, roi=RegionOfInterest.rectangle(0, 0, 2 / 3, 1))
    X = features(N)
    for start, width in ((16, 5), (16 + 30, 8)):  # what an engine gives outside: nothing
        for region in (2, 5):
            X[:, start + region * width : start + (region + 1) * width] = 0
    training = TrainingImages(X, tuple(map(str, range(N)))).as_filed(16)
    fit = fit_regions(training.features, regions, BACKBONE.level_slices, FOLDS, reduction=NPCA_5)
    assert fit.inside == (0, 1, 3, 4)
    assert np.isnan(fit.maps(np.zeros((1, 4)))[0, :, 2]).all()
    np.testing.assert_array_equal(fit.regions.coverage > 0, [True, True, False, True, True, False])


def test_two_images_lie_apart_by_scikit_learns_metric_of_a_region():
    found, seen, tuning = detector(), features(4, seed=6), Tuning((2, 3), ALL)
    for region in (0, 4):
        squared = np.zeros((4, N))
        for start, width in ((16, 5), (16 + 30, 8)):
            part = slice(start + region * width, start + (region + 1) * width)
            normal = found.training.features[:, part].astype(np.float64)
            precision = LedoitWolf().fit(normal).precision_
            squared += cdist(seen[:, part].astype(np.float64), normal, "mahalanobis", VI=precision) ** 2
        np.testing.assert_allclose(found.by_region.distances_between(region, seen, tuning), np.sqrt(squared), rtol=1e-6)
    itself = found.by_region.distances_between(2, found.training.features[:3], TUNING)
    np.testing.assert_allclose(np.diag(itself), 0, atol=1e-9)


def test_the_map_of_a_training_image_is_that_of_the_fit_without_it():
    found = detector()
    maps = found.left_out_region_maps(TUNING)
    assert maps.shape == (N, 2, 3)
    pooled = np.sort(maps.reshape(N, -1), axis=1)[:, -2:].mean(axis=1)
    np.testing.assert_allclose(pooled, found.left_out_scores(TUNING))
