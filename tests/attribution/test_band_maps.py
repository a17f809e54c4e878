"""The maps of bands are complete each, and together they are the level's map."""

import dataclasses

import numpy as np
import pytest
import torch

from gad_core.attribution.band_maps import attribute_bands
from gad_core.attribution.deep_shap import attribute
from gad_core.errors import GadError
from gad_core.features.levels import pooled_levels
from gad_core.gaussian.reduction import ALL, NPCA_5
from gad_core.gaussian.tuning import Tuning

LEVEL = 4


def pooled(network, images, level, detector):
    pixels = torch.from_numpy(np.asarray(images)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        return pooled_levels(network.module, network.backbone, pixels).numpy()[:, detector.slices[level - 1]]


@pytest.fixture(scope="module", params=[ALL, NPCA_5], ids=str)
def tuning(request):
    return Tuning((LEVEL,), request.param)


@pytest.fixture(scope="module")
def made(detector, lite0, image, tuning):
    return attribute_bands(detector, lite0, image, LEVEL, tuning=tuning, n_references=3)


def test_the_maps_add_up_to_the_levels_own(detector, lite0, image, tuning, made):
    whole = attribute(detector, lite0, image, tuning=tuning, n_references=3)
    assert made.references == whole.references
    assert made.score == pytest.approx(whole.score, rel=1e-6)
    assert made.reference_score == pytest.approx(whole.reference_score, rel=1e-6)
    np.testing.assert_allclose(made.rgb.sum(axis=0), whole.rgb[0], atol=1e-6 * np.abs(whole.rgb).max())
    np.testing.assert_allclose(made.by_band.sum(axis=0), whole.total, atol=1e-6 * np.abs(whole.total).max())


def test_each_map_adds_up_to_its_bands_share_of_the_difference(detector, lite0, image, tuning, made):
    """d - d_ref = sum_b (own_b - ref_b) / (d + d_ref), from the plain features and the whitened coordinates."""
    gaussian = detector.gaussians[LEVEL - 1]
    images = [image, *detector.references[list(made.references)]]
    white = (pooled(lite0, images, LEVEL, detector) - gaussian.mean) @ gaussian.whitening(tuning.reduction)
    start, ends = made.bands[0].first, [band.last for band in made.bands if not band.null]
    ends = [end + 1 - start for end in ends] + [white.shape[1]] * made.bands[-1].null
    squares = np.stack([(part**2).sum(axis=1) for part in np.split(white, ends[:-1], axis=1)], axis=1)
    distances = np.sqrt(squares.sum(axis=1))
    expected = np.mean((squares[0] - squares[1:]) / (distances[0] + distances[1:])[:, None], axis=0)
    sums = made.rgb.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(sums, expected, atol=1e-5 * distances[0])
    own = np.maximum(np.abs(made.sums), made.squares / made.score)
    assert made.gap == pytest.approx(np.max(np.abs(sums - made.sums) / own), rel=1e-6)
    assert made.gap <= 1e-5
    assert made.sums.sum() == pytest.approx(made.score - made.reference_score, rel=1e-9)
    np.testing.assert_allclose(made.shares, squares[0] / squares[0].sum(), rtol=1e-3)


def test_bands_differ(made):
    flat = made.by_band.reshape(len(made.bands), -1)
    assert len(made.bands) > 2
    assert np.corrcoef(flat)[0, -1] < 0.99


def test_one_band_is_the_level_itself(detector, lite0, image):
    tuning = Tuning((LEVEL,), NPCA_5)
    (only,) = attribute_bands(detector, lite0, image, LEVEL, tuning=tuning, n_bands=1, n_references=2).rgb
    whole = attribute(detector, lite0, image, tuning=tuning, n_references=2)
    np.testing.assert_allclose(only, whole.rgb[0], atol=1e-6 * np.abs(whole.rgb).max())


def test_a_reference_itself_has_maps_of_zeros(detector, lite0):
    few = dataclasses.replace(detector, references=detector.references[:1])
    made = attribute_bands(few, lite0, detector.references[0], LEVEL, n_references=1)
    np.testing.assert_allclose(made.rgb, 0, atol=1e-12)
    np.testing.assert_allclose(made.sums, 0, atol=1e-12)


def test_without_references_there_is_no_map(detector, lite0, image):
    without = dataclasses.replace(detector, references=None)
    with pytest.raises(GadError, match="without reference images"):
        attribute_bands(without, lite0, image, LEVEL)
