"""The regional score explained: slopes add up, come close to Shapley values, and reach the pixels level by level."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from gad_core.attribution.deep_shap import attribute
from gad_core.attribution.propagation import deep_shap
from gad_core.attribution.rules import Recorded
from gad_core.features.levels import pooled_levels
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.pooling import Pool, Standard
from gad_core.gaussian.reduction import ALL, NPCA_5
from gad_core.gaussian.torch_pooling import multipliers, pooled, pooled_share
from gad_core.gaussian.tuning import Tuning

POOLS = [Pool("top", 0.3), Pool("power", 8.0), Pool("power", 1.0), Pool("mean"), Pool("max")]


def rows(n, seed, columns=10):
    return torch.randn(n, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_the_torch_score_is_numpys(pool):
    values = rows(20, 0)
    np.testing.assert_allclose(pooled(pool, values), pool(values.numpy()), rtol=1e-12)


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_slopes_add_up_to_the_difference_of_the_scores(pool):
    own, others = rows(1, 1), rows(12, 2)
    others[3] = own  # no difference at all
    others[4] = own + 2  # the same order
    others[5, :4] = own[0, :4]
    slopes = multipliers(pool, own, others)
    difference = pooled(pool, own) - pooled(pool, others)
    np.testing.assert_allclose((slopes * (own - others)).sum(1), difference, rtol=1e-12, atol=1e-14)
    assert (slopes >= 0).all()


@pytest.mark.parametrize("pool", [Pool("top", 0.3), Pool("max")], ids=str)
def test_slopes_of_ranks_are_captums_integrated_gradients(pool):
    own, others = rows(1, 1), rows(3, 2)
    expected = [
        IntegratedGradients(lambda x: pooled(pool, x)).attribute(
            own, other[None], n_steps=20_000, method="riemann_middle"
        )
        for other in others
    ]
    np.testing.assert_allclose(multipliers(pool, own, others) * (own - others), torch.cat(expected), atol=2e-4)


def shapley(score, own, other):
    """Shapley values of a score of rows (N, 8) by their definition."""
    n, values = 8, np.zeros(8)
    coalitions = [set(chosen) for size in range(n + 1) for chosen in combinations(range(n), size)]
    mask = torch.tensor([[player in chosen for player in range(n)] for chosen in coalitions])
    worth = dict(zip(map(frozenset, coalitions), score(torch.where(mask, own, other)).tolist(), strict=True))
    for player in range(n):
        for chosen in coalitions:
            if player not in chosen:
                weight = factorial(len(chosen)) * factorial(n - len(chosen) - 1) / factorial(n)
                values[player] += weight * (worth[frozenset(chosen | {player})] - worth[frozenset(chosen)])
    return values


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_a_small_net_with_pooled_regions_comes_close_to_exact_shapley_values(pool):
    correlations = []
    for seed in range(12):
        torch.manual_seed(seed)
        first = nn.Linear(8, 12).double().requires_grad_(False)
        standard = Standard(np.linspace(-0.1, 0.1, 6), np.linspace(0.5, 1.5, 6))

        def columns(x, first=first, standard=standard):
            hidden = torch.nn.functional.silu(first(x)) + 1
            by_level = hidden[:, :6], hidden[:, 6:]
            return [pooled_share(level, pool, standard, *by_level) for level in (0, 1)]

        own, other = rows(1, seed, 8), rows(1, seed + 100, 8)
        exact = shapley(lambda x, columns=columns: sum(columns(x)), own, other)
        maps, scores = deep_shap(columns, own, other)
        np.testing.assert_allclose(maps.sum(), scores[0, 0].sum() - scores[0, 1].sum(), rtol=1e-9)
        correlations.append(np.corrcoef(exact, maps[0].sum(0))[0, 1])
    assert np.median(correlations) >= 0.95


def test_a_levels_share_sends_gradients_to_that_level_alone():
    standard = Standard(np.zeros(5), np.ones(5))
    weights = [rows(5, seed, 4).T for seed in (5, 6)]
    image, references = rows(1, 1, 8), rows(3, 2, 8)

    def columns(x):
        by_level = x[:, :4] @ weights[0], x[:, 4:] @ weights[1]
        return [pooled_share(level, Pool("top", 0.4), standard, *by_level) for level in (0, 1)]

    maps, _ = deep_shap(columns, image, references)
    assert (maps[0, 0, 4:] == 0).all()
    assert (maps[0, 1, :4] == 0).all()
    assert (maps[0] != 0).any(dim=1).all()
    with Recorded(3, keep=3) as recorded:
        columns(references.requires_grad_())
    assert [call.name for call in recorded.calls] == ["pooled_share", "pooled_share"]


@pytest.fixture(scope="module")
def regional(detector, lite0):
    """The drawn images' detector with regions."""
    import dataclasses

    regions = Regions(7, 7, (6, 7))
    pixels = torch.from_numpy(detector.references).permute(0, 3, 1, 2)
    with torch.inference_mode():
        features = pooled_levels(lite0.module, lite0.backbone, pixels, regions).numpy()
    training = dataclasses.replace(detector.training, features=features)
    slices = lite0.backbone.level_slices
    return dataclasses.replace(
        detector,
        settings=dataclasses.replace(detector.settings, regions=regions),
        training=training,
        by_region=fit_regions(features, regions, slices, detector.folds, reduction=NPCA_5),
    )


@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("reduction", [NPCA_5, ALL], ids=str)
def test_the_map_of_a_regional_score_adds_up(regional, lite0, image, pool, reduction):
    tuning = Tuning((6, 7), reduction, pool=pool)
    found = attribute(regional, lite0, image, tuning=tuning, n_references=4)
    assert found.gap <= 1e-5
    assert found.precision == "float32"
    assert found.rgb.shape[0] == 2
    with torch.inference_mode():
        pixels = torch.from_numpy(image[None]).permute(0, 3, 1, 2)
        features = pooled_levels(lite0.module, lite0.backbone, pixels, regional.settings.regions).numpy()
    assert found.score == pytest.approx(regional.scores(features, tuning)[0], rel=1e-5)
    whole = attribute(regional, lite0, image, tuning=tuning, n_references=4, split=False)
    np.testing.assert_allclose(whole.total, found.total, atol=1e-5 * np.abs(found.total).max())


def test_the_papers_score_is_explained_from_the_same_detector(regional, detector, lite0, image):
    tuning = Tuning((6, 7), NPCA_5)
    found = attribute(regional, lite0, image, tuning=tuning, n_references=4)
    np.testing.assert_array_equal(found.rgb, attribute(detector, lite0, image, tuning=tuning, n_references=4).rgb)
