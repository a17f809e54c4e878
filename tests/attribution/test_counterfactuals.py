"""Exchanging parts of an image: exactly what the mask says, from the right normal image, with the detector's score."""

import numpy as np
import pytest

from gad_core.attribution.counterfactuals import blend, blocks, counterfactuals, deletion, nearest, scorer, spread
from gad_core.errors import GadError
from gad_core.features.engines import make_engine
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning
from tests.features.drawing import draw

SIZE = 56


@pytest.fixture
def normal():
    return draw(1, SIZE, 4)[0]


@pytest.fixture
def weights():
    weights = np.zeros((SIZE, SIZE))
    weights[10:24, 20:44] = 1
    return weights


@pytest.fixture
def defective(normal, weights):
    return np.where(weights[..., None] > 0, 255 - normal, normal)


def brightness_error(normal):
    """A score that is known: the mean absolute difference to the normal image."""
    return lambda images: np.abs(images.astype(float) - normal).mean(axis=(1, 2, 3))


def test_with_the_twin_the_defect_is_gone_to_the_last_pixel(normal, defective, weights):
    made = counterfactuals(defective, weights, brightness_error(normal), twin=normal)
    np.testing.assert_array_equal(made.without_defect, normal)
    np.testing.assert_array_equal(made.without_background, defective)
    assert (made.score_without_defect, made.normal_score, made.exact) == (0, 0, True)
    assert made.share_of_defect == pytest.approx(1)


def test_what_the_normal_image_scores_itself_is_not_the_defects(normal, defective, weights):
    error = brightness_error(normal)
    made = counterfactuals(defective, weights, lambda images: 5 + error(images), twin=normal)
    assert made.normal_score == 5
    assert made.share_of_defect == pytest.approx(1)


def test_the_nearest_normal_image_is_sought_outside_the_defect(normal, defective, weights):
    others = draw(5, SIZE, 8)
    normals = np.concatenate([others, normal[None]])
    assert nearest(defective, normals, 1 - weights) == 5
    made = counterfactuals(defective, weights, brightness_error(normal), normals=normals)
    np.testing.assert_array_equal(made.normal, normal)
    assert made.score_without_defect < 0.02 * made.score


def test_a_blended_seam_takes_all_of_the_region_and_nothing_far_from_it(normal, weights):
    other = 255 - normal
    mixed = blend(normal, other, weights)
    np.testing.assert_array_equal(mixed[weights > 0], other[weights > 0])
    np.testing.assert_array_equal(mixed[45:], normal[45:])


def test_without_a_mask_or_a_normal_image_there_is_no_counterfactual(normal, weights):
    with pytest.raises(GadError, match="needs a mask"):
        counterfactuals(normal, np.zeros((SIZE, SIZE)), brightness_error(normal), twin=normal)
    with pytest.raises(GadError, match="needs a normal image"):
        counterfactuals(normal, weights, brightness_error(normal))


def test_a_map_that_is_the_defect_deletes_it_first(normal, defective, weights):
    made = deletion(defective, normal, weights, brightness_error(normal))
    share = weights.mean()
    gone = made.by_attribution[made.shares > 1.6 * share]  # blocks at the edge take some more
    np.testing.assert_allclose(gone, 0, atol=1e-9)
    assert made.by_attribution[0] == made.by_chance[0] > 0
    assert made.gain > 0.3
    assert deletion(defective, normal, -weights, brightness_error(normal)).gain < 0


def test_blocks_keep_the_sum_and_come_back_as_pixels():
    values = np.random.default_rng(0).normal(size=(50, 50))
    sums, side = blocks(values)
    assert sums.sum() == pytest.approx(values.sum())
    assert sums[0, 0] == pytest.approx(values[:side, :side].sum())
    assert spread(sums, side, (50, 50))[side, 0] == sums[1, 0]


def test_the_scorer_gives_the_detectors_scores(detector, lite0, image):
    engine, tuning = make_engine(lite0), Tuning((3, 6), ALL)
    stack = np.stack([image, detector.references[0]])
    features = np.stack(list(engine.stream(stack)))
    np.testing.assert_array_equal(scorer(detector, engine, tuning)(stack), detector.scores(features, tuning))
