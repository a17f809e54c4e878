"""A detector that keeps a sample of its images: what is kept says what the whole fit says of it."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from gad_core.data.groups import k_folds
from gad_core.decision.evaluation import Projected, level_scores, threshold
from gad_core.errors import GadError
from gad_core.gaussian.bands import LevelBands
from gad_core.gaussian.copies import Copies, Here
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.nearest import distances_to_normals
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.sample import SampleOf, sample_rows
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning

FOLDS = k_folds(50, 5, seed=1)
KEPT = sample_rows(FOLDS, 17, seed=3)
DIGESTS = tuple(f"{i:064x}" for i in range(50))


class Block:
    def __init__(self, features):
        self.features = features

    def samples(self, rows, part):
        yield self.features[rows, part]


@pytest.fixture(scope="module")
def blocks(features) -> Copies:
    """The fitted images in two blocks, the second with one that is not fitted."""
    parts = [np.arange(20), np.array([-1, *range(20, 50)])]
    return Copies([Block(features[:20]), Block(features[[60, *range(20, 50)]])], parts, Here(), level_by_level=False)


@pytest.fixture(scope="module")
def sampled(small_backbone, features, blocks) -> Detector:
    levels = fit_levels(features[:50][KEPT], small_backbone.level_slices, FOLDS, copies=blocks, kept=KEPT)
    digests = tuple(np.array(DIGESTS)[KEPT].tolist())
    training = TrainingImages(features[:50][KEPT], digests, sample_of=SampleOf.of(DIGESTS))
    settings = FitSettings(backbone=small_backbone.name, regions=None)
    return make_detector(
        levels, small_backbone, settings, fingerprint="f" * 64, training=training, tuning=Tuning((1, 3))
    )


@pytest.fixture(scope="module")
def whole(small_backbone, features, blocks) -> Detector:
    levels = fit_levels(features[:50], small_backbone.level_slices, FOLDS, copies=blocks)
    training = TrainingImages(features[:50], DIGESTS)
    settings = FitSettings(backbone=small_backbone.name, regions=None)
    return make_detector(
        levels, small_backbone, settings, fingerprint="f" * 64, training=training, tuning=Tuning((1, 3))
    )


def test_the_gaussians_are_those_of_all_images_and_the_left_out_scores_those_of_the_sample(sampled, whole, features):
    assert (sampled.n_train, sampled.n_left_out, whole.n_left_out) == (50, 17, 50)
    for keep in (ALL, Reduction("npca", 0.2), Reduction("pca", 0.95)):
        found, expected = (one.distances(one.coordinates(features[50:]), keep) for one in (sampled, whole))
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_allclose(sampled.left_out_distances(keep), whole.left_out_distances(keep)[KEPT], rtol=1e-12)


def test_a_threshold_knows_the_number_of_scores_that_it_was_made_of(sampled):
    scores = level_scores(Projected.of(sampled, sampled.training.features), sampled.tuning)["sum"]
    point = threshold(scores, "cross-conformal", 0.1)
    assert point.n == 17
    assert point.threshold == np.sort(sampled.left_out_scores(sampled.tuning))[16]  # the ceil(18 * 0.9)-th of 17
    assert threshold(
        level_scores(Projected.of(sampled, sampled.training.features), Tuning((1,)))["1"], "hotelling", 0.1
    )
    assert scores.n_train == 50


def test_the_file_says_both_numbers_and_gives_the_same_detector_back(sampled, whole, features, tmp_path):
    sampled.save(tmp_path / "a.gad")
    loaded, summary = load_detector(tmp_path / "a.gad"), read_summary(tmp_path / "a.gad")
    assert (loaded.n_train, loaded.n_left_out) == (summary.n_train, summary.n_left_out) == (50, 17)
    np.testing.assert_array_equal(loaded.scores(features), sampled.scores(features))
    np.testing.assert_array_equal(loaded.left_out_scores(loaded.tuning), sampled.left_out_scores(sampled.tuning))
    others = replace(sampled, training=replace(sampled.training, sample_of=SampleOf.of(DIGESTS[::-1])))
    assert loaded.version == summary.version == sampled.version
    assert len({sampled.version, others.version, whole.version}) == 3


def test_without_a_sample_earlier_versions_read_the_file(whole, sampled, tmp_path):
    for detector, schema in ((whole, 3), (sampled, 4)):
        detector.save(tmp_path / "a.gad")
        with zipfile.ZipFile(tmp_path / "a.gad") as file:
            head = json.loads(file.read("detector.json"))
        assert head["schema"] == schema
        assert ("sample_of" in head["training"]) is (schema == 4)


@pytest.mark.parametrize(
    ("n", "reason"),
    [(16, "gaussians|sample_of"), (49, "gaussians|left_out"), (51, "gaussians|left_out"), (100, "gaussians")],
)
def test_a_file_whose_numbers_do_not_add_up_is_refused(n, reason, sampled, tmp_path):
    path = tmp_path / "a.gad"
    sampled.save(path)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    head = json.loads(parts["detector.json"])
    head["training"]["sample_of"]["n"] = n
    parts["detector.json"] = json.dumps(head).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, data in parts.items():
            file.writestr(name, data)
    with pytest.raises(GadError, match=reason):
        load_detector(path)


def test_what_looks_at_training_images_looks_at_those_that_are_kept(sampled, whole, features):
    tuning = Tuning((2,))
    nearest = distances_to_normals(sampled, features[50:52], tuning)
    np.testing.assert_allclose(nearest, distances_to_normals(whole, features[50:52], tuning)[:, KEPT], rtol=1e-9)
    found, expected = (
        LevelBands.of(one.gaussians[1], 2, tuning.reduction).left_out_squares(one) for one in (sampled, whole)
    )
    np.testing.assert_allclose(found, expected[KEPT], rtol=1e-9)


def test_a_sample_does_not_fit_again(sampled):
    with pytest.raises(GadError, match=r"fitted to 50 images and keeps 17 of them.*fit anew"):
        sampled.check_whole()


def test_a_sample_has_images_of_every_fold_and_is_as_large_as_asked():
    folds = np.repeat([0, 1, 2], [900, 99, 1])
    chosen = sample_rows(folds, 100, seed=0)
    assert chosen.sum() in (100, 101)
    assert set(folds[chosen]) == {0, 1, 2}
    np.testing.assert_array_equal(chosen, sample_rows(folds, 100, seed=0))
    assert (chosen != sample_rows(folds, 100, seed=1)).any()
    shares = [sample_rows(folds, 100, seed=seed)[:900].mean() for seed in range(200)]
    assert abs(np.mean(shares) - 0.1) < 0.005
