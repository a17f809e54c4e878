"""A fit to augmented copies on disk equals one to all copies in memory, and folds keep copies together."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from gad_core.data.augment_settings import FIG_5
from gad_core.data.groups import k_folds
from gad_core.gaussian.detector import TrainingImages
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.levels import fold_rows
from gad_core.gaussian.moments import Moments
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.spectrum import Eigenbasis, fit_gaussian
from gad_core.gaussian.spool import Spool, spooled
from gad_core.gaussian.tuning import DISTANCES, Tuning
from tests.fitted import fit_features
from tests.gaussian.test_spectrum import REDUCTIONS, draw

PASSES = 4


@pytest.mark.parametrize(("n", "D"), [(400, 32), (60, 96)])
@pytest.mark.parametrize("size", [1000, 37])
def test_moments_and_a_second_pass_give_the_fit_of_all_samples(n, D, size):
    X = draw(n + 30, D)
    batches = [X[start : min(start + size, n)] for start in range(0, n, size)]
    shift = X[:5].mean(0)
    moments = sum((Moments.of(batch, shift=shift) for batch in batches[1:]), Moments.of(batches[0], shift=shift))
    basis = Eigenbasis.of(moments)
    head, tail = map(sum, zip(*(basis.fourths(batch) for batch in batches), strict=True))
    found, expected = basis.gaussian(head, tail), fit_gaussian(X[:n])
    np.testing.assert_allclose(found.spectrum.eigenvalues, expected.spectrum.eigenvalues, rtol=1e-7)
    np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-10)
    for keep in [*REDUCTIONS, ALL]:
        assert found.spectrum.shrinkage(keep) == pytest.approx(expected.spectrum.shrinkage(keep), rel=1e-7, abs=1e-12)
        for score in DISTANCES:
            ours, theirs = (g.spectrum.distances(g.coordinates(X[n:]), keep, distance=score) for g in (found, expected))
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.fixture
def copies(features):
    rng = np.random.default_rng(9)
    noise = rng.normal(0, 0.1, (PASSES, 50, features.shape[1]))
    return (features[:50] + noise).astype(np.float32)


@pytest.fixture
def augmented(features, copies, small_backbone, tmp_path):
    spool = Spool(tmp_path)
    for one in copies:
        spool.add(one)
    return fit_features(
        TrainingImages(features[:50], tuple(f"{i:064x}" for i in range(50))),
        small_backbone,
        fingerprint="f" * 64,
        folds=k_folds(50, 5, seed=1),
        settings=FitSettings(augmented=Augmented(FIG_5.without("flip"), PASSES)),
        tuning=Tuning((1, 3)),
        copies=spooled(features[:50], spool),
    )


def test_the_whole_fit_is_scikit_learns_of_all_copies(augmented, features, copies):
    for level, part in enumerate(augmented.slices):
        oracle = LedoitWolf().fit(copies[..., part].reshape(PASSES * 50, -1).astype(np.float64))
        expected = np.sqrt(oracle.mahalanobis(features[50:, part].astype(np.float64)))
        found = augmented.distances(augmented.coordinates(features[50:]), ALL)[:, level]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("keep", [ALL, Reduction("npca", 0.05), Reduction("pca", 0.9)], ids=str)
def test_left_out_images_meet_a_fit_without_any_of_their_copies(augmented, features, copies, keep):
    found = augmented.left_out_distances(keep)
    for level, part in enumerate(augmented.slices):
        for out in fold_rows(augmented.folds):
            rest = np.delete(copies[..., part], out, axis=1).reshape(-1, part.stop - part.start)
            fold = fit_gaussian(rest.astype(np.float64))
            expected = fold.spectrum.distances(fold.coordinates(features[out, part]), keep)
            stretch = augmented.gaussians[level].spectrum.dimension(keep) / fold.spectrum.dimension(keep)
            np.testing.assert_allclose(found[out, level], expected * np.sqrt(stretch), rtol=1e-6)


def test_a_file_says_what_was_augmented(augmented, detector, tmp_path, features):
    augmented.save(tmp_path / "a.gad")
    again, tuning = load_detector(tmp_path / "a.gad"), Tuning((1, 3))
    assert again.settings == augmented.settings
    np.testing.assert_array_equal(again.scores(features, tuning), augmented.scores(features, tuning))
    detector.save(tmp_path / "b.gad")
    assert load_detector(tmp_path / "b.gad").settings.augmented is None
