"""Checks tell a good map from a bad one."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from gad_core.attribution.counterfactuals import blocks
from gad_core.attribution.deep_shap import attribute
from gad_core.attribution.probes import (
    agreement,
    captum_infidelity,
    integrated_gradients,
    partition_values,
    randomisation,
    randomised,
    stability,
)
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning

TUNING = Tuning((3, 4), ALL)


@pytest.fixture(scope="module")
def attribution(detector, lite0, image):
    return attribute(detector, lite0, image, tuning=TUNING, n_references=2, split=False)


def test_agreement_is_that_of_ranks_over_blocks():
    values = np.random.default_rng(0).normal(size=(28, 28))
    assert agreement(values, 3 * values) == pytest.approx(1)
    assert agreement(values, -values) == pytest.approx(-1)


def test_all_references_at_every_draw_give_the_same_map(detector, lite0, image):
    few = dataclasses.replace(detector, references=detector.references[:3])
    mean, least = stability(few, lite0, image, tuning=TUNING, n_references=3, draws=2)
    assert mean == pytest.approx(1)
    assert least == pytest.approx(1)


def test_stability_is_the_mean_and_the_least_agreement_of_all_pairs_of_draws(detector, lite0, image):
    maps = [
        attribute(detector, lite0, image, tuning=TUNING, n_references=1, seed=seed, split=False).total
        for seed in range(3)
    ]
    pairs = [stats.spearmanr(blocks(maps[a])[0], blocks(maps[b])[0], axis=None)[0] for a, b in ((0, 1), (0, 2), (1, 2))]
    mean, least = stability(detector, lite0, image, tuning=TUNING, n_references=1, draws=3)
    assert mean == pytest.approx(sum(pairs) / 3, abs=1e-6)
    assert least == pytest.approx(min(pairs), abs=1e-6)
    assert least < mean - 1e-3


def test_shuffling_keeps_every_weight_and_moves_most(lite0):
    shuffled = randomised(lite0)
    for before, after in zip(lite0.module.parameters(), shuffled.module.parameters(), strict=True):
        np.testing.assert_array_equal(np.sort(before.numpy(), None), np.sort(after.numpy(), None))
    first = lite0.module.conv_stem.weight.numpy()
    assert (first != shuffled.module.conv_stem.weight.numpy()).mean() > 0.9


def test_a_shuffled_network_gives_another_map(detector, lite0, image, attribution):
    assert randomisation(detector, lite0, image, attribution, TUNING) < 0.8


def test_integrated_gradients_add_up_and_agree(detector, lite0, image, attribution):
    opinion = integrated_gradients(detector, lite0, image, attribution, TUNING, steps=16)
    difference = attribution.score - attribution.reference_score
    assert 3 * opinion.total.sum() == pytest.approx(difference, rel=0.05)
    assert opinion.agreement > 0.3


def test_the_partition_explainer_finds_the_blocks_of_a_known_score(image, attribution):
    normal = np.zeros_like(image)
    weights = np.zeros(image.shape[:2])
    weights[:64, :64] = 1  # four by four whole blocks of 16 pixels

    def score(images):
        return (images.astype(float).mean(-1) * weights).sum(axis=(1, 2)) / 1e4

    opinion = partition_values(image, normal, attribution, score, evaluations=4000)
    sums, _ = blocks(opinion.total)
    expected, _ = blocks(image.astype(float).mean(-1) * weights / 1e4)
    assert sums.sum() == pytest.approx(expected.sum())
    np.testing.assert_allclose(sums, expected, atol=1e-6)


def test_infidelity_is_one_for_an_empty_map_and_least_for_ours(detector, lite0, image):
    tuning = Tuning((8,), ALL)
    attribution = attribute(detector, lite0, image, tuning=tuning, n_references=4, split=False)
    pixels = np.random.default_rng(0).permutation(attribution.total.size)
    shuffled = attribution.rgb.reshape(1, 3, -1)[..., pixels].reshape(attribution.rgb.shape)
    ours, disordered, empty = (
        captum_infidelity(detector, lite0, image, dataclasses.replace(attribution, rgb=rgb), tuning, samples=24)
        for rgb in (attribution.rgb, shuffled, np.zeros_like(attribution.rgb))
    )
    assert empty == pytest.approx(1)
    assert ours < 0.8 * disordered
