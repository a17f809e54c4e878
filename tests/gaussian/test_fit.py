"""A fit to image files with augmented copies: the same whether it was stopped in between or not."""

from dataclasses import replace

import numpy as np
import pytest

from gad_core.data.augment import Pass
from gad_core.data.augment_settings import FIG_5
from gad_core.data.datasets import ImageSet, read_dataset, read_folder
from gad_core.errors import Cancelled, GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import make_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.features.networks import load_network
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.settings import Augmented, FitSettings
from gad_core.gaussian.spool import Spool, spooled
from gad_core.gaussian.tuning import regional
from gad_core.gaussian.update import add_images, remove_images
from tests.fitted import fit_features

SETTINGS = FitSettings(augmented=Augmented(FIG_5, 3), n_folds=3)


class Counting:
    """An engine that counts what it is given."""

    def __init__(self, engine):
        self.network, self._engine, self.count = engine.network, engine, 0

    def stream(self, pixels, *, regions=None, up_to=None):
        def counted():
            for one in pixels:
                self.count += 1
                yield one

        return self._engine.stream(counted(), regions=regions, up_to=up_to)


@pytest.fixture(scope="module")
def engine():
    return make_engine(load_network("tf_efficientnet_lite0"))


@pytest.fixture
def train(stripes):
    files = read_dataset(stripes).train
    return files.where([i < 6 for i in range(len(files))])


def test_copies_are_what_the_network_sees_of_the_augmented_pixels(train, engine, tmp_path):
    cache, one = FeatureCache(tmp_path), Pass(FIG_5, 1, seed=4)
    pixels = load_pixels(train, engine.network.backbone)
    changed = np.stack([one(digest, image) for digest, image in zip(train.digests, pixels, strict=True)])
    assert 0 < sum((a != b).any() for a, b in zip(pixels, changed, strict=True)) < len(pixels)
    expected = np.stack(list(engine.stream(changed)))
    for _ in range(2):  # made, then found in the cache
        np.testing.assert_array_equal(extract(train, engine, copy=one, cache=cache).features, expected)
    plain = extract(train, engine, cache=cache).features
    assert (plain != expected).any()


def test_a_stopped_fit_goes_on_where_it_was_and_counts_nothing_twice(train, engine, tmp_path):
    whole = fit_images(train, engine, SETTINGS).detector
    counting, cache, n = Counting(engine), FeatureCache(tmp_path), len(train)

    def stop(done, total):
        assert total == 7 * n  # images, three copies of each, levels, regions of two levels
        if done == 2 * n + 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_images(train, counting, SETTINGS, cache=cache, progress=stop)
    before, seen = counting.count, []
    again = fit_images(train, counting, SETTINGS, cache=cache, progress=lambda done, _: seen.append(done)).detector
    assert 2 * n + 3 <= before < 4 * n
    assert 0 <= counting.count - 4 * n <= 3  # what the engine had in hand is made again
    assert seen == sorted(seen)
    assert seen[-1] == 7 * n
    for one, other in zip(whole.gaussians, again.gaussians, strict=True):
        assert one.spectrum.n == 3 * n
        np.testing.assert_allclose(other.spectrum.eigenvalues, one.spectrum.eigenvalues, rtol=1e-12)
        np.testing.assert_allclose(other.mean, one.mean, rtol=1e-12)
    np.testing.assert_array_equal(again.training.features, whole.training.features)


def test_no_pass_is_refused():
    with pytest.raises(GadError, match="at least one pass"):
        FitSettings(augmented=Augmented(FIG_5, 0))


@pytest.fixture(scope="module")
def more(stripes):
    return read_folder(stripes.parent / "spare").where([i < 4 for i in range(24)])


def equal(one, other):
    for a, b in zip(one.gaussians, other.gaussians, strict=True):
        np.testing.assert_allclose(a.spectrum.eigenvalues, b.spectrum.eigenvalues, rtol=1e-9)
        assert a.spectrum.whole == pytest.approx(b.spectrum.whole, rel=1e-9)
    np.testing.assert_allclose(one.left_out_distances(ALL), other.left_out_distances(ALL), rtol=1e-6)
    np.testing.assert_array_equal(one.folds, other.folds)
    assert one.training.digests == other.training.digests


@pytest.mark.parametrize("augment", [None, Augmented(FIG_5, 2)], ids=["plain", "augmented"])
def test_images_added_later_give_the_fit_of_all_and_are_removed_again(train, more, engine, tmp_path, augment):
    cache = FeatureCache(tmp_path)
    settings = FitSettings(augmented=augment, n_folds=3, n_references=0, regions=None)
    first = fit_images(train, engine, settings, cache=cache).detector
    both = add_images(first, more, engine, cache=cache).detector
    assert both.n_train == len(train) + len(more)
    assert np.bincount(both.folds).tolist() == [4, 3, 3]  # the smallest fold takes the next
    copies = Spool(tmp_path)
    for index in range(augment.passes if augment else 0):
        together = ImageSet(train.files + more.files)
        copies.add(extract(together, engine, copy=Pass(augment.settings, index)).features)
    anew = fit_features(
        both.training,
        engine.network.backbone,
        fingerprint=both.fingerprint,
        folds=both.folds,
        copies=spooled(both.training.features, copies) if augment else None,
    )
    equal(both, anew)
    assert both.training.features.tobytes() == extract(ImageSet(train.files + more.files), engine).features.tobytes()
    equal(remove_images(both, more, engine, cache=cache).detector, first)


@pytest.mark.parametrize("augment", [None, Augmented(FIG_5, 2)], ids=["plain", "augmented"])
def test_regions_grow_and_shrink_with_the_images(train, more, engine, tmp_path, augment):
    settings = FitSettings(augmented=augment, n_folds=3, n_references=0, regions=Regions(2, 2, (6, 7)))
    cache = FeatureCache(tmp_path)
    first = fit_images(train, engine, settings, cache=cache).detector
    assert first.tuning == regional((6, 7))
    both = add_images(first, more, engine, cache=cache).detector
    slices, features = engine.network.backbone.level_slices, both.training.features
    assert features.shape == (len(train) + len(more), slices[-1].stop + 4 * (112 + 192))
    if augment is None:
        anew = fit_regions(features, settings.regions, slices, both.folds, reduction=both.tuning.reduction)
        np.testing.assert_array_equal(both.by_region.left_out, anew.left_out)
    seen = extract(more, engine, regions=settings.regions).features
    back = remove_images(both, more, engine, cache=cache).detector
    assert np.abs(back.scores(seen) - both.scores(seen)).max() > 0.1
    np.testing.assert_allclose(back.scores(seen), first.scores(seen), rtol=5e-3)  # packed thrice
    np.testing.assert_allclose(back.left_out_scores(back.tuning), first.left_out_scores(first.tuning), atol=5e-3)


def test_what_changes_nothing_is_reported_and_refused_where_nothing_is_left(train, more, engine):
    first = fit_images(train, engine, FitSettings(n_folds=3)).detector
    again = add_images(first, ImageSet(train.files[:2] + more.files[:1]), engine)
    assert [refusal.reason for refusal in again.refused] == ["it is in the detector already"] * 2
    assert again.detector.n_train == len(train) + 1
    with pytest.raises(GadError, match="not in the detector"):
        remove_images(first, more, engine)


def test_removed_images_are_no_references_any_more(train, engine):
    first = fit_images(train, engine, FitSettings(n_folds=3)).detector
    out = train.where([i == 2 for i in range(len(train))])
    fewer = remove_images(first, out, engine).detector
    (gone,) = load_pixels(out, engine.network.backbone)
    assert len(fewer.references) == len(first.references) - 1
    assert not any((reference == gone).all() for reference in fewer.references)


def test_a_group_stays_together_when_it_grows(train, more, engine):
    grouped = ImageSet(tuple(replace(file, group="ab"[i % 2]) for i, file in enumerate(train)))
    first = fit_images(grouped, engine).detector
    new = ImageSet(tuple(replace(file, group="b") for file in more))
    both = add_images(first, new, engine).detector
    groups = np.array(both.training.groups)
    assert all(len(set(both.folds[groups == group])) == 1 for group in "ab")


def test_copies_that_are_no_longer_in_the_cache_are_asked_for(train, more, engine):
    first = fit_images(train, engine, FitSettings(augmented=Augmented(FIG_5, 1), n_folds=3)).detector
    with pytest.raises(GadError, match="fit again from the images"):
        add_images(first, more, engine)
