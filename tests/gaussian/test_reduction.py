"""The cut follows the strict inequality and the boundary rules of the paper."""

import numpy as np
import pytest

from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL, Reduction

RATIO = np.cumsum([0.5, 0.3, 0.15, 0.04, 0.01])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("all", slice(0, 5)),
        ("pca:0.7", slice(0, 2)),  # c = .5, .8: the first above .7 is component 1
        ("pca:0.99", slice(0, 5)),  # c_3 = .99 is not above .99, so component 4 stays too
        ("npca:0.3", slice(0, 5)),  # first c above .7 is component 1, both boundary components stay
        ("npca:0.05", slice(2, 5)),  # c_2 = .95 is not above .95: last = 3
        ("npca:0.000001", slice(3, 5)),  # never fewer than the two smallest
        ("npca:1", slice(0, 5)),  # never starts before component 0
    ],
)
def test_keep_follows_the_paper_at_the_boundary(text, kept):
    ratio = RATIO.round(12)  # so that .95 and .99 are met exactly
    assert Reduction.parse(text).components(ratio) == kept


@pytest.mark.parametrize("text", ["all", "pca:0.99", "npca:0.05", "npca:1e-05"])
def test_keep_reads_what_it_writes(text):
    assert str(Reduction.parse(text)) == text


def test_one_component_is_kept_whatever_the_cut():
    assert Reduction("npca", 0.01).components(np.array([1.0])) == slice(0, 1)


@pytest.mark.parametrize("text", ["", "all:1", "pca", "pca:0", "pca:1.5", "npca:x", "npca:nan", "ica:0.5"])
def test_a_cut_that_says_nothing_is_refused_with_the_way_out(text):
    with pytest.raises(GadError, match=r"npca:0\.05"):
        Reduction.parse(text)


def test_all_is_the_default():
    assert Reduction() == ALL == Reduction.parse(" ALL ")
