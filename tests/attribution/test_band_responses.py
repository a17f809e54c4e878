"""What a band responds to is told by shares and by pairs of a defective and a normal image."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.attribution.band_responses import band_responses, shares
from gad_core.errors import GadError

DEFECTS = [None] * 20 + ["bent"] * 8 + [None] * 4 + ["cut"] * 5


@pytest.fixture
def squares():
    values = np.random.default_rng(0).chisquare(4, (len(DEFECTS), 3))
    values[20:28, 1] *= 6
    return values


def test_the_area_of_a_type_is_scikit_learns(squares):
    found = band_responses(squares, DEFECTS)
    assert [(one.defect, one.n) for one in found.types] == [("bent", 8), ("cut", 5)]
    for one in found.types:
        rows = np.array([name in (None, one.defect) for name in DEFECTS])
        labels = np.array([name is not None for name in DEFECTS])[rows]
        expected = [roc_auc_score(labels, np.sqrt(column)) for column in squares[rows].T]
        np.testing.assert_allclose(one.areas, expected, rtol=1e-12)
    assert found.best(1)[0].defect == "bent"


def test_shares_are_means_of_each_images_own(squares):
    found = band_responses(squares, DEFECTS)
    normal = squares[[name is None for name in DEFECTS]]
    assert found.n_normal == 24
    np.testing.assert_allclose(found.normal_shares, np.mean([row / row.sum() for row in normal], axis=0), rtol=1e-12)
    assert found.types[0].shares[1] > found.normal_shares[1] + 0.2
    np.testing.assert_allclose(shares(np.zeros((1, 4))), 0.25)


def test_without_a_normal_image_there_is_nothing_to_compare_with(squares):
    with pytest.raises(GadError, match="add good test images"):
        band_responses(squares[20:28], ["bent"] * 8)
