"""A study from image files to curves: drawn on left-out images, judged by the adopted threshold, beside real ones."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from gad_core.data.datasets import Dataset, ImageSet, read_dataset
from gad_core.decision.working_point import cross_conformal
from gad_core.detectability.drawing import drawn_features, redraw
from gad_core.detectability.plan import SensitivitySettings, plan
from gad_core.detectability.ranking import agreement, candidates, rank
from gad_core.detectability.results import Sensitivity
from gad_core.detectability.study import measure, training_files
from gad_core.errors import Cancelled, GadError, SampleTooSmall
from gad_core.features.engines import load_engine
from gad_core.features.region_of_interest import RegionOfInterest
from gad_core.features.regions import Regions
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import WorkingPoint

SETTINGS = SensitivitySettings(kinds=("spot", "patch"), contrasts=(0.1, 0.5), sizes=(2, 6, 20), seed=1)
INVISIBLE = SensitivitySettings(contrasts=(0.001,), sizes=(1, 5, 20))  # a quarter of a step of grey


@pytest.fixture(scope="module")
def engine():
    return load_engine("tf_efficientnet_lite0")


@pytest.fixture(scope="module")
def data(stripes, tmp_path_factory) -> Dataset:
    """The stripes with masks of their blots."""
    root = tmp_path_factory.mktemp("masked") / "stripes"
    shutil.copytree(stripes, root)
    outline = np.zeros((64, 64), np.uint8)
    outline[20:40, 20:40] = 255
    (root / "ground_truth" / "blot").mkdir(parents=True)
    for number in range(6):
        Image.fromarray(outline).save(root / "ground_truth" / "blot" / f"{number:03}_mask.png")
    return read_dataset(root)


@pytest.fixture(scope="module")
def detector(data, engine):
    return fit_images(data.train, engine, FitSettings(n_folds=5)).detector


@pytest.fixture(scope="module")
def found(detector, data, engine) -> Sensitivity:
    return measure(detector, data, engine, SETTINGS, target_fpr=0.1)


def test_a_defect_that_changes_no_pixel_leaves_the_left_out_score(detector, data, engine):
    found = measure(detector, data, engine, INVISIBLE)
    rows = [draw.row for draw in found.draws]
    expected = detector.left_out_scores(detector.tuning)[rows]
    np.testing.assert_allclose(found.scores, expected, rtol=2e-3, atol=5e-3)
    flagged = found.caught.mean()
    assert flagged == pytest.approx((expected > found.point.threshold).mean(), abs=0.02)


def test_features_are_those_of_the_picture_that_is_drawn_again(detector, data, engine):
    files = training_files(detector, data)
    draws = plan(SETTINGS, sorted(files))[::40]
    features = drawn_features(draws, files, engine, regions=detector.regions)
    size = engine.network.backbone.input_size
    for draw, vector in zip(draws, features, strict=True):
        pixels = Image.fromarray(redraw(draw, files).pixels).resize((size, size), Image.Resampling.BILINEAR)
        (expected,) = engine.stream([np.asarray(pixels)], regions=detector.regions)
        np.testing.assert_allclose(vector, expected, rtol=1e-5, atol=1e-6)


def test_strong_defects_are_caught_and_every_place_has_seen_the_same(found):
    by_size = {
        (curve.kind, curve.contrast, size): rate.value
        for curve in found.curves
        for size, rate in zip(curve.pod.counts.sizes, curve.pod.counts.rates, strict=True)
    }
    assert len(by_size) == 12
    assert by_size["spot", 0.5, 20] > 0.95
    assert by_size["patch", 0.1, 2] < 0.5 < by_size["spot", 0.5, 2]
    assert set(found.places.draws.ravel()) == {12}
    assert found.places.hits.sum() == found.caught.sum() == sum(curve.pod.counts.hits.sum() for curve in found.curves)


def test_real_defects_are_measured_as_the_drawn_ones_are(found, detector, data, engine):
    assert len(found.real) == 6
    side = 100 * np.sqrt(4 * 400 / np.pi) / 64
    assert [one.size for one in found.real] == pytest.approx([side] * 6)
    assert all(one.caught == (one.score > found.point.threshold) for one in found.real)


def test_a_study_goes_through_json_unchanged(found):
    again = Sensitivity.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert again.to_json() == found.to_json()
    assert again == found


def test_examples_show_a_size_each_of_the_curve(found):
    for curve in found.curves:
        shown = [found.draws[place] for place in found.examples(curve)]
        assert 1 <= len(shown) <= 3
        assert all((draw.defect.kind, draw.defect.contrast) == (curve.kind, curve.contrast) for draw in shown)
        assert len({draw.defect.size for draw in shown}) == len(shown)


def test_the_adopted_threshold_decides_unless_another_is_asked_for(detector, data, engine):
    adopted = WorkingPoint("split-conformal", 0.2, 1.5, 10, "by hand", "7")
    own = replace(detector, working_point=adopted)
    few = SensitivitySettings(contrasts=(0.5,), sizes=(2, 6, 20))
    found = measure(own, data, engine, few)
    assert (found.point, found.undamaged.n) == (adopted, 30)
    level = detector.left_out_distances(detector.tuning.reduction)[:, 6]
    assert found.undamaged.count == (level > 1.5).sum()
    assert measure(own, data, engine, few, target_fpr=0.1).point.method == "cross-conformal"


def test_settings_are_ranked_by_the_size_that_they_catch(found, detector):
    assert {one.tuning for one in found.ranking} == set(candidates(detector))
    sizes = [one.a90 if one.a90 is not None else np.inf for one in found.ranking]
    assert sizes == sorted(sizes)
    beyond = [one.caught.value for one in found.ranking if one.a90 is None]
    assert beyond == sorted(beyond, reverse=True)


def test_the_setting_that_catches_smaller_defects_comes_first(detector):
    rng, tunings = np.random.default_rng(2), candidates(detector)[:3]
    sizes = np.repeat([1.0, 2.0, 4.0, 8.0, 16.0], 60)
    draws = [SimpleNamespace(defect=SimpleNamespace(size=size, contrast=0.5)) for size in sizes]
    scores = np.empty((len(sizes), 3))
    for place, (tuning, half) in enumerate(zip(tunings, (4.0, 1.5, 2.5), strict=True)):
        caught = rng.random(len(sizes)) < stats.norm.cdf(2 * np.log(sizes / half))
        scores[:, place] = cross_conformal(detector.left_out_scores(tuning), 0.1).threshold + np.where(caught, 1, -1)
    ranking = rank(detector, tunings, draws, scores, 0.1)
    assert [one.tuning for one in ranking] == [tunings[place] for place in (1, 2, 0)]
    assert ranking[0].a90 < ranking[1].a90 < ranking[2].a90


def with_areas(ranking, values):
    return [replace(one, area=replace(one.area, value=value)) for one, value in zip(ranking, values, strict=True)]


def test_the_rank_correlation_is_scipys_of_the_areas(found):
    n = len(found.ranking)
    falling, shuffled = np.linspace(1, 0.5, n), np.random.default_rng(0).random(n)
    assert agreement(with_areas(found.ranking, falling)).value == pytest.approx(1)
    apart = np.arange(n) - stats.rankdata(-shuffled) + 1  # Spearman's own formula, without ties
    found_again = agreement(with_areas(found.ranking, shuffled))
    assert found_again.value == pytest.approx(1 - 6 * np.square(apart).sum() / (n * (n**2 - 1)))
    assert found_again.n == n
    assert agreement([replace(one, area=None) for one in found.ranking]) is None


def test_without_test_images_there_are_neither_real_defects_nor_areas(detector, data, engine):
    found = measure(detector, replace(data, test=ImageSet(())), engine, INVISIBLE)
    assert found.real == ()
    assert all(one.area is None for one in found.ranking)
    assert found.agreement is None


def test_images_that_the_data_set_lacks_are_not_drawn_on(detector, data, engine):
    fewer = replace(data, train=ImageSet(data.train.files[:12]))
    found = measure(detector, fewer, engine, INVISIBLE)
    assert (found.n_images, found.n_train) == (12, 30)
    known = {file.digest for file in fewer.train}
    assert {detector.training.digests[draw.row] for draw in found.draws} == known


def test_a_data_set_of_other_images_is_refused(detector, data, engine):
    with pytest.raises(GadError, match="none of the 30 normal images that this detector was fitted to are in stripes"):
        measure(detector, replace(data, train=ImageSet(())), engine, INVISIBLE)


def test_a_target_that_the_images_cannot_support_is_refused(detector, data, engine):
    with pytest.raises(SampleTooSmall):
        measure(detector, data, engine, INVISIBLE, target_fpr=0.001)


def test_an_image_that_has_changed_is_named(detector, data, engine, tmp_path):
    path = tmp_path / "changed.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    first = replace(data.train.files[0], path=path)
    changed = replace(data, train=ImageSet((first, *data.train.files[1:])))
    with pytest.raises(GadError, match=r"changed\.png: the file has changed"):
        measure(detector, changed, engine, INVISIBLE)


def test_defects_stay_inside_the_region_of_interest(data, engine):
    roi = RegionOfInterest.rectangle(0, 0, 1, 0.4)
    own = fit_images(data.train, engine, FitSettings(n_folds=3, regions=Regions(7, 7, (6, 7), roi=roi))).detector
    found = measure(own, data, engine, INVISIBLE)
    assert all(draw.centre[1] < 0.4 for draw in found.draws)
    assert np.isnan(found.places.shares[3:]).all()
    assert not np.isnan(found.places.shares[:3]).any()


def test_one_bar_goes_from_nothing_to_all_and_may_be_stopped(detector, data, engine):
    seen = []
    measure(detector, data, engine, INVISIBLE, progress=lambda *one: seen.append(one))
    assert sorted(seen) == seen
    assert seen[-1][0] == seen[-1][1]

    def stop(done, total):
        if done > 20:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure(detector, data, engine, INVISIBLE, progress=stop)
