"""Associations of clusters: the textbook's p-values, corrected as statsmodels does."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from statsmodels.stats.multitest import multipletests

from gad_core.attribution.associations import associations, holm
from gad_core.errors import GadError


def columns(counts: list[list[int]]) -> tuple[np.ndarray, list[str]]:
    """Labels and values of images that give these counts (values, clusters)."""
    pairs = [(j, f"v{i}") for i, row in enumerate(counts) for j, count in enumerate(row) for _ in range(count)]
    return np.array([label for label, _ in pairs]), [value for _, value in pairs]


def test_two_values_and_two_clusters_are_fishers_tea_tasting():
    labels, values = columns([[3, 1], [1, 3]])
    (one,) = associations(labels, {"milk first": values})
    assert one.p_value == pytest.approx(0.4857, abs=1e-4)  # Agresti, Categorical Data Analysis, Sec. 3.5
    assert one.corrected == one.p_value
    assert not one.survives
    assert one.cramers_v == pytest.approx(0.5)


def test_more_values_are_tested_as_chi_square_is_where_counts_are_large():
    labels, values = columns([[60, 40, 50], [45, 60, 40], [40, 50, 65]])
    (one,) = associations(labels, {"lot": values})
    assert one.p_value == pytest.approx(chi2_contingency(one.counts).pvalue, abs=0.005)
    np.testing.assert_array_equal(one.counts, [[60, 40, 50], [45, 60, 40], [40, 50, 65]])
    assert one.values == ("v0", "v1", "v2")


def test_the_correction_is_holms():
    p = np.random.default_rng(0).uniform(size=12) ** 3
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_a_property_is_judged_by_how_many_were_tried():
    labels, values = columns([[9, 2], [3, 9]])
    rng = np.random.default_rng(1)
    others = {f"other {i}": list(rng.permutation(values)) for i in range(9)}
    (alone,) = associations(labels, {"lot": values})
    among = {one.name: one for one in associations(labels, {"lot": values, **others})}
    assert alone.survives
    assert among["lot"].p_value == alone.p_value
    assert among["lot"].corrected == pytest.approx(10 * alone.p_value)
    assert not among["lot"].survives


def test_by_chance_few_families_of_properties_show_anything():
    rng = np.random.default_rng(2)
    labels = rng.integers(3, size=100)

    def family() -> dict[str, list[str]]:
        return {name: [str(value) for value in rng.integers(n, size=100)] for name, n in (("lot", 4), ("camera", 2))}

    found = [any(one.survives for one in associations(labels, family(), seed=seed)) for seed in range(20)]
    assert sum(found) <= 3


def test_what_cannot_be_tested_is_left_out():
    labels = np.array([0, 0, 1, 1])
    properties = {"format": ["png"] * 4, "name": list("abcd")}
    assert associations(labels, properties) == ()
    assert associations(np.zeros(4, int), {"lot": ["a", "a", "b", "b"]}) == ()
    with pytest.raises(GadError, match="lot has 3 values for 4 images"):
        associations(labels, {"lot": ["a", "b", "c"]})
