"""Maps are clustered as scikit-learn would, and no structure is found where there is none."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.manifold import spectral_embedding
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import kneighbors_graph

from gad_core.attribution.reduced import SIDE, border, corners, reduced
from gad_core.attribution.strategies import align, divided, find_strategies
from gad_core.errors import GadError


def spots(n: int, at: tuple[int, int], rng: np.random.Generator, *, about: int = 1) -> np.ndarray:
    """Maps of a spot in a cell or `about` cells beside it, over noise."""
    maps = rng.standard_normal((n, SIDE, SIDE))
    for one in maps:
        row, column = np.clip(np.array(at) + rng.integers(-about, about + 1, 2), 0, SIDE - 1)
        one[row, column] += 200
    return gaussian_filter(maps, (0, 1, 1))


def noise(n: int, rng: np.random.Generator) -> np.ndarray:
    return gaussian_filter(rng.standard_normal((n, SIDE, SIDE)), (0, 1, 1))


def test_planted_strategies_are_found_with_their_number():
    rng = np.random.default_rng(0)
    maps = np.concatenate([spots(40, (2, 3), rng), spots(30, (11, 10), rng), spots(20, (7, 1), rng)])
    found = find_strategies(maps, aligned=False)
    truth = np.repeat([0, 1, 2], [40, 30, 20])
    assert found.suggested == found.n_clusters == 3
    assert found.structured
    np.testing.assert_array_equal(found.labels, truth)  # the largest first
    assert found.stability == pytest.approx(1, abs=0.02)


def test_what_is_seen_in_any_corner_is_one_strategy_once_the_maps_are_turned_alike():
    rng = np.random.default_rng(1)
    anywhere = np.concatenate([spots(12, at, rng, about=0) for at in ((2, 1), (1, 11), (12, 2), (11, 12))])
    found = find_strategies(np.concatenate([anywhere, noise(40, rng)]))
    assert found.suggested == 2
    assert adjusted_rand_score(np.repeat([0, 1], [48, 40]), found.labels) > 0.9


def test_a_map_turned_or_mirrored_is_turned_back_alike():
    rng = np.random.default_rng(2)
    maps = spots(5, (2, 4), rng)
    expected = align(maps)
    for turns in range(4):
        turned = np.rot90(maps, turns, (1, 2))
        np.testing.assert_array_equal(align(turned), expected)
        np.testing.assert_array_equal(align(turned[:, ::-1]), expected)


def test_of_clouds_without_structure_few_show_any():
    structured = [find_strategies(noise(60, np.random.default_rng(seed))).structured for seed in range(20)]
    assert sum(structured) <= 3  # 1 is expected; more than 3 come in 2 of 100 cases


def test_the_strength_of_a_map_does_not_count():
    rng = np.random.default_rng(3)
    maps = np.concatenate([spots(20, (2, 3), rng), spots(20, (11, 10), rng)])
    scale = rng.uniform(0.01, 100, (40, 1, 1))
    np.testing.assert_array_equal(find_strategies(scale * maps).labels, find_strategies(maps).labels)


def test_the_places_are_scikit_learns_spectral_embedding():
    rng = np.random.default_rng(4)
    maps = np.concatenate([spots(20, (2, 3), rng), noise(20, rng)])
    raising = np.maximum(maps, 0).reshape(40, -1)
    roots = np.sqrt(raising / raising.sum(axis=1, keepdims=True))
    left, scale, _ = np.linalg.svd(roots - roots.mean(axis=0), full_matrices=False)
    graph = kneighbors_graph((left * scale)[:, :10], 8).toarray()
    expected = spectral_embedding(np.maximum(graph, graph.T), n_components=3, drop_first=False)[:, 1:]
    places = find_strategies(maps, aligned=False).places
    np.testing.assert_allclose(np.abs(places), np.abs(expected), atol=1e-6)


def test_another_number_of_clusters_may_be_chosen_and_is_the_same_for_the_same_seed():
    maps = spots(30, (2, 3), np.random.default_rng(5))
    found = find_strategies(maps, n_clusters=4)
    assert found.n_clusters == 4
    assert list(np.bincount(found.labels)) == sorted(np.bincount(found.labels), reverse=True)
    again = divided(find_strategies(maps), 4)  # as the page does, without asking once more whether there is structure
    np.testing.assert_array_equal(again.labels, found.labels)
    assert (again.suggested, again.p_value, again.stability) == (found.suggested, found.p_value, found.stability)


def test_maps_that_raise_nothing_are_taken_for_uniform():
    maps = noise(20, np.random.default_rng(6))
    maps[:5] = -1
    assert np.isfinite(find_strategies(maps).places).all()


def test_too_few_maps_and_impossible_numbers_are_refused():
    maps = noise(20, np.random.default_rng(7))
    with pytest.raises(GadError, match="at least 12 explained images, got 11"):
        find_strategies(maps[:11])
    for count in (0, 11):
        with pytest.raises(GadError, match="between 1 and 10 clusters"):
            find_strategies(maps, n_clusters=count)
        with pytest.raises(GadError, match="between 1 and 10 clusters"):
            divided(find_strategies(maps), count)


def test_a_map_is_reduced_by_area_whatever_its_size():
    values = np.random.default_rng(8).standard_normal((28, 56))
    np.testing.assert_allclose(reduced(values), values.reshape(14, 2, 14, 4).mean(axis=(1, 3)), atol=1e-6)
    assert reduced(np.full((33, 47), 2.5)) == pytest.approx(2.5)


def test_border_and_corners_take_their_share_of_the_image():
    assert border((140, 140)).mean() == pytest.approx(1 - (12 / 14) ** 2)
    assert corners((140, 280)).mean() == pytest.approx(0.25)
    assert not border((140, 140))[10:130, 10:130].any()
    assert not corners((8, 8))[2:6].any()
