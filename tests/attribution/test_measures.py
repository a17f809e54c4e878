"""Measures of maps are those of Quantus, and what they say of chance is what shuffled maps give."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from gad_core.attribution.deep_shap import attribute, attribute_all
from gad_core.attribution.max_sensitivity import max_sensitivity
from gad_core.attribution.measures import (
    Measures,
    gini,
    mass_accuracy,
    measure_map,
    pointing_game,
    rank_accuracy,
    region_agreement,
    summarise_measures,
)
from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning

TUNING = Tuning((3, 4), ALL)


@pytest.fixture(scope="module")
def attribution(detector, lite0, image):
    return attribute(detector, lite0, image, tuning=TUNING, n_references=2, split=False)


@pytest.fixture(params=["noise", "skewed", "few", "explained"])
def signed(request):
    """A signed map (H, W)."""
    rng = np.random.default_rng(len(request.param))
    if request.param == "explained":
        return request.getfixturevalue("attribution").total
    values = rng.normal(0.2, 1, (24, 30))
    return {"noise": values, "skewed": values**3, "few": np.where(values > 1.5, values, -1e-3 * values)}[request.param]


@pytest.fixture(params=["square", "scattered", "pixel"])
def inside(request, signed):
    """A mask of the map's size; the square is that of the image that is explained."""
    mask = np.zeros(signed.shape, bool)
    if request.param == "square":
        mask[80:120, 80:120] = True
        mask[3:9, 10:22] = True
    elif request.param == "scattered":
        mask = np.random.default_rng(5).random(signed.shape) > 0.8
    else:
        mask[5, 7] = True
    return mask


def by_quantus(metric, attribution, inside):
    """What a metric of Quantus says of a map (H, W) as it is."""
    images = np.zeros((1, 1, *attribution.shape))
    given = {"a_batch": attribution[None, None].copy(), "s_batch": inside[None, None]}
    (value,) = metric(model=None, x_batch=images, y_batch=np.zeros(1, int), **given, channel_first=True)
    return float(value)


AS_IS = {"normalise": False, "disable_warnings": True}


def test_mass_accuracy_is_that_of_quantus(signed, inside):
    import quantus

    expected = by_quantus(quantus.RelevanceMassAccuracy(**AS_IS), signed.clip(0), inside)
    assert mass_accuracy(signed, inside) == pytest.approx(expected, abs=1e-6)


def test_rank_accuracy_is_that_of_quantus(signed, inside):
    import quantus

    expected = by_quantus(quantus.RelevanceRankAccuracy(**AS_IS), signed, inside)
    assert rank_accuracy(signed, inside) == pytest.approx(expected, abs=1e-6)


def test_the_pointing_game_is_that_of_quantus(signed, inside):
    import quantus

    at_most = signed.copy()
    at_most[inside] = np.minimum(at_most[inside], 0)
    for values in (signed, at_most, signed + 1e3 * inside):
        expected = by_quantus(quantus.PointingGame(**AS_IS), values, inside)
        assert pointing_game(values, inside) == pytest.approx(expected, abs=1e-6)


def test_sparseness_is_that_of_quantus(signed, inside):
    import quantus

    scaled = 1e6 * signed / np.abs(signed).max()  # beside which the 1e-7 that Quantus adds is nothing
    expected = by_quantus(quantus.Sparseness(**AS_IS), scaled, inside)
    assert gini(signed) == pytest.approx(expected, abs=1e-6)


def test_ties_count_in_equal_parts():
    inside = np.zeros((4, 5), bool)
    inside[0, :3] = True
    assert rank_accuracy(np.ones((4, 5)), inside) == pytest.approx(3 / 20)
    assert pointing_game(np.ones((4, 5)), inside) == pytest.approx(3 / 20)
    values = np.zeros((4, 5))
    values[0, 0] = 1  # one place is taken, two are shared by 19 pixels, of which two lie inside
    assert rank_accuracy(values, inside) == pytest.approx((1 + 2 * 2 / 19) / 3)


def test_an_empty_map_has_no_mass_and_no_sparseness_and_a_uniform_one_none_at_all():
    inside = np.eye(4, dtype=bool)
    assert mass_accuracy(-np.ones((4, 4)), inside) is None
    assert gini(np.zeros((4, 4))) is None
    assert gini(-np.ones((4, 4))) == pytest.approx(0)


def test_chance_is_what_shuffled_maps_give(signed):
    inside = np.zeros(signed.shape, bool)
    inside[: len(signed) // 2, : len(signed) // 2] = True
    grid, rng = np.random.default_rng(8).random((4, 5)), np.random.default_rng(3)
    measured = measure_map(signed, inside, grid=grid)
    shuffled = [
        measure_map(rng.permutation(signed.ravel()).reshape(signed.shape), inside, grid=grid) for _ in range(400)
    ]
    for name in ("mass", "rank", "pointing", "regions"):
        values = np.array([getattr(one, name) for one in shuffled])
        assert abs(values.mean() - measured.chance(name)) < 4 * stats.sem(values), name
    assert measured.chance("gini") is None
    assert {one.gini for one in shuffled} == {measured.gini}


def test_regions_agree_by_the_ranks_of_their_sums(signed):
    rows, columns = 4, 5
    grid = np.random.default_rng(1).random((rows, columns))
    grid[1, 2] = np.nan
    values = signed[: 4 * (len(signed) // 4), : 5 * (signed.shape[1] // 5)]
    sums = np.stack([np.stack([cell.sum() for cell in np.split(row, columns, 1)]) for row in np.split(values, rows)])
    counts = ~np.isnan(grid)
    expected = stats.spearmanr(sums[counts], grid[counts]).statistic
    assert region_agreement(values, grid) == pytest.approx(expected, abs=1e-6)
    assert region_agreement(values, np.where(np.arange(20).reshape(4, 5) < 2, grid, np.nan)) is None
    assert region_agreement(np.ones((8, 10)), grid) is None


def test_a_pixel_belongs_to_a_mask_that_covers_more_than_half_of_it():
    mask = np.zeros((6, 9), bool)
    mask[:2, :3] = mask[2, 3] = True  # of 3 x 3 pixels the first has two thirds, the next one a ninth
    values = np.array([[3.0, 5.0, -1.0], [0.0, 2.0, 0.0]])
    measured = measure_map(values, mask)
    assert measured.area == pytest.approx(1 / 6)
    assert measured.mass == pytest.approx(3 / 10)


@pytest.mark.parametrize("mask", [None, np.zeros((4, 4), bool), np.ones((4, 4), bool)], ids=["none", "empty", "full"])
def test_without_a_mask_that_has_an_outside_the_map_alone_is_measured(signed, mask):
    assert set(measure_map(signed, mask).to_json()) == {"gini"}


@pytest.mark.parametrize("values", [np.full((4, 4), np.nan), np.zeros((3, 4, 4))], ids=["not finite", "three axes"])
def test_what_is_no_map_is_refused(values):
    with pytest.raises(GadError, match="need a map of finite values"):
        measure_map(values)


def test_measures_survive_json(signed, inside):
    measured = measure_map(signed, inside, grid=np.arange(6.0).reshape(2, 3))
    assert Measures.from_json(measured.to_json()) == measured
    with pytest.raises(GadError, match="measures, mass"):
        Measures.from_json({"mass": 1.5})


def test_a_category_has_means_with_standard_errors_beside_chance():
    measured = [
        Measures(mass=0.5, rank=0.25, pointing=1.0, area=0.1, gini=0.9),
        Measures(rank=0.5, pointing=0.0, area=0.3, gini=0.7),
        Measures(gini=0.5),
    ]
    summary = summarise_measures(measured)
    assert list(summary) == ["mass", "rank", "pointing", "gini"]
    assert (summary["mass"].n, summary["mass"].mean, summary["mass"].chance) == (1, 0.5, 0.1)
    assert math.isnan(summary["mass"].sem)
    assert (summary["rank"].n, summary["rank"].mean) == (2, 0.375)
    assert summary["rank"].sem == pytest.approx(stats.sem([0.25, 0.5]))
    assert summary["rank"].chance == pytest.approx(0.2)
    assert summary["gini"].chance is None
    assert summarise_measures([]) == {}


def test_max_sensitivity_is_that_of_quantus(detector, lite0, image, attribution):
    import quantus

    samples, radius = 2, 5
    ours = max_sensitivity(detector, lite0, image, attribution, TUNING, samples=samples, radius=radius, seed=4)
    noise = iter(np.random.default_rng(4).integers(-radius, radius, (samples, 1, image.size), endpoint=True))
    scores = []
    planes = image.transpose(2, 0, 1)[None].astype(float)

    def explain(model, inputs, targets, **_):
        pixels = inputs.astype(np.uint8).transpose(0, 2, 3, 1)
        made = attribute_all(detector, lite0, pixels, tuning=TUNING, n_references=2, split=False)
        scores.extend(one.score for one in made)
        return np.stack([one.rgb.sum(axis=0) for one in made])

    metric = quantus.MaxSensitivity(
        nr_samples=samples, perturb_func=lambda arr, **_: (arr + next(noise)).clip(0, 255), **AS_IS
    )
    (theirs,) = metric(
        model=None,
        x_batch=planes,
        y_batch=np.zeros(1, int),
        a_batch=attribution.rgb.sum(axis=0)[None],
        explain_func=explain,
        channel_first=True,
    )
    assert ours.value == pytest.approx(float(theirs), abs=1e-6)
    assert ours.value > 0.01
    assert ours.score == attribution.score
    assert ours.noisy_score == pytest.approx(np.mean(scores))


def test_without_noise_a_map_stays_as_it_is(detector, lite0, image, attribution):
    ours = max_sensitivity(detector, lite0, image, attribution, TUNING, samples=1, radius=0)
    assert ours.value == pytest.approx(0, abs=1e-6)
    assert ours.moved == pytest.approx(0, abs=1e-6)
    other = dataclasses.replace(attribution, rgb=-attribution.rgb)
    turned = max_sensitivity(detector, lite0, image, other, TUNING, samples=1, radius=0)
    assert turned.value == pytest.approx(2, abs=1e-6)
