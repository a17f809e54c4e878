"""The explanation score is the cosine that the paper defines, and its null is every shift of the mask."""

import math

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from sklearn.metrics.pairwise import cosine_similarity

from gad_core.attribution.explanation import (
    Explanation,
    Undefined,
    distance_to_ideal,
    explain_score,
    mask_weights,
    shifted_scores,
    summaries_by_type,
    summarise,
)


@pytest.fixture
def signed():
    return np.random.default_rng(0).normal(0.3, 1, (24, 30))


@pytest.fixture
def mask():
    mask = np.zeros((24, 30), bool)
    mask[3:9, 10:22] = True
    return mask


def test_the_score_is_the_cosine_of_the_averaged_regions_with_the_mask(signed, mask):
    averaged = np.where(mask, signed[mask].mean(), signed[~mask].mean())
    expected = 100 * cosine_similarity(averaged.reshape(1, -1), mask.reshape(1, -1))[0, 0]
    assert explain_score(signed, mask).score == pytest.approx(expected, rel=1e-12)


def test_the_raw_score_is_the_cosine_of_the_rectified_map_with_the_mask(signed, mask):
    expected = 100 * cosine_similarity(signed.clip(0).reshape(1, -1), mask.reshape(1, -1))[0, 0]
    assert explain_score(signed, mask).raw_score == pytest.approx(expected, rel=1e-12)


def test_a_uniform_map_scores_the_root_of_the_area(mask):
    explanation = explain_score(np.ones((24, 30)), mask)
    assert explanation.score == pytest.approx(100 * math.sqrt(mask.mean()))
    assert explanation.score == pytest.approx(explanation.uniform_level)
    assert explanation.ratio == pytest.approx(1)


def test_a_map_that_is_the_mask_scores_100_and_its_negative_minus_100(mask):
    assert explain_score(mask.astype(float), mask).score == pytest.approx(100)
    assert explain_score(-mask.astype(float), mask).score == pytest.approx(-100)


def test_the_share_is_what_the_mask_holds_of_the_sum(signed, mask):
    assert explain_score(signed, mask).share == pytest.approx(signed[mask].sum() / signed.sum(), rel=1e-12)
    assert explain_score(-signed, mask).share is None
    explanations = [explain_score(values, mask) for values in (signed, mask + 0.1, -signed)]
    assert summarise(explanations).share == pytest.approx((explanations[0].share + explanations[1].share) / 2)
    assert summarise(explanations[2:]).share is None


def test_the_scale_of_the_map_does_not_count(signed, mask):
    assert explain_score(1e-3 * signed, mask).score == pytest.approx(explain_score(signed, mask).score)


def test_the_null_is_every_shift_of_the_mask(signed, mask):
    every = shifted_scores(signed, mask.astype(float))
    for down, right in ((0, 0), (1, 0), (5, 17), (23, 29)):
        moved = np.roll(mask, (down, right), (0, 1))
        assert every[down, right] == pytest.approx(explain_score(signed, moved).score, abs=1e-9)
    explanation = explain_score(signed, mask)
    assert explanation.null_mean == pytest.approx(every.mean())
    assert np.mean((every >= explanation.null_low) & (every <= explanation.null_high)) == pytest.approx(0.95, abs=0.01)


def test_masks_are_resized_by_area():
    mask = np.random.default_rng(1).random((48, 60)) > 0.6
    np.testing.assert_allclose(mask_weights(mask, (12, 15)), mask.reshape(12, 4, 15, 4).mean(axis=(1, 3)), atol=1e-6)
    assert mask_weights(np.asarray(Image.fromarray(mask)), (24, 30)).mean() == pytest.approx(mask.mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("fill", "words"), [(False, "is empty"), (True, "covers the whole image")], ids=["empty", "full"]
)
def test_a_mask_without_an_edge_has_no_score(signed, fill, words):
    explanation = explain_score(signed, np.full((24, 30), fill))
    assert isinstance(explanation, Undefined)
    assert words in explanation.reason


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_map_that_says_nothing_has_no_score(mask, value):
    assert isinstance(explain_score(np.full((24, 30), value), mask), Undefined)


def test_a_category_has_a_mean_with_its_standard_error(signed, mask):
    explanations = [explain_score(np.roll(signed, i, 0), mask) for i in range(6)] + [Undefined("no mask")]
    summary = summarise(explanations)
    scores = [one.score for one in explanations[:6]]
    assert (summary.n, summary.n_undefined) == (6, 1)
    assert summary.mean == pytest.approx(np.mean(scores))
    assert summary.sem == pytest.approx(stats.sem(scores))
    assert summarise([Undefined("no mask")]) is None


def test_the_band_of_a_mean_under_chance_covers_means_of_random_shifts(signed, mask):
    rng = np.random.default_rng(3)
    every = shifted_scores(signed, mask.astype(float)).ravel()
    summary = summarise([explain_score(signed, mask)] * 20)
    means = rng.choice(every, (4000, 20)).mean(axis=1)
    assert np.mean((means > summary.null_low) & (means < summary.null_high)) == pytest.approx(0.95, abs=0.015)


def test_types_are_summed_up_alone(signed, mask):
    explanations = [explain_score(signed, mask), explain_score(-signed, mask), Undefined("no mask")]
    by_type = summaries_by_type(explanations, ["bent", "cracked", "torn"])
    assert list(by_type) == ["bent", "cracked"]
    assert by_type["bent"].mean == pytest.approx(-by_type["cracked"].mean)


def test_the_distance_is_that_of_two_points():
    assert distance_to_ideal(97.0, 96.0) == pytest.approx(5)


def test_an_explanation_is_plain_numbers(signed, mask):
    explanation = explain_score(signed, mask)
    assert isinstance(explanation, Explanation)
    assert all(type(getattr(explanation, name)) is float for name in Explanation.__dataclass_fields__)
