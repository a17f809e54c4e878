"""Pixels found: scikit-learn's area, and the overlap with each part of each mask, threshold by threshold."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import auc, roc_auc_score

from gad_core.decision.localisation import enlarged, localise, region_areas
from gad_core.errors import GadError


@pytest.fixture
def masks():
    found = np.zeros((4, 24, 24), bool)
    found[0, 2:6, 3:9] = True
    found[0, 15:22, 15:18] = True
    found[0, 6, 9] = True  # touches the first at a corner: one part
    found[1, 10:14, 10:14] = True
    found[2, 0, 0] = True
    return found


def swept(values, masks):
    """AUPRO by its definition: all thresholds, all parts one by one."""
    parts = []
    for index, mask in enumerate(masks):
        labelled, n = ndimage.label(mask, structure=np.ones((3, 3)))
        parts += [(index, labelled == part) for part in range(1, n + 1)]
    points = [(0.0, 0.0)]
    for threshold in np.unique(values)[::-1]:
        flagged = values >= threshold
        overlap = np.mean([(flagged[index] & part).sum() / part.sum() for index, part in parts])
        points.append(((flagged & ~masks).sum() / (~masks).sum(), overlap))
    x, y = map(np.array, zip(*points, strict=True))
    inside = x < 0.3
    return len(parts), auc(np.append(x[inside], 0.3), np.append(y[inside], np.interp(0.3, x, y))) / 0.3


@pytest.mark.parametrize("levels", [None, 4], ids=["all different", "many equal"])
def test_areas_are_those_of_their_definitions(masks, levels):
    maps = np.random.default_rng(0).normal(size=(4, 6, 6)) + 2 * masks.reshape(4, 6, 4, 6, 4).mean(axis=(2, 4))
    if levels:
        maps = np.broadcast_to(np.round(maps.mean(axis=(1, 2), keepdims=True) * levels), maps.shape)
    found = localise(maps, masks)
    values = np.stack([enlarged(one, (24, 24)) for one in maps])
    assert found.pixel_auroc == pytest.approx(roc_auc_score(masks.ravel(), values.ravel()))
    n_parts, area = swept(values, masks)
    assert (found.n_masks, n_parts) == (3, 4)
    assert found.aupro == pytest.approx(area)


def test_the_masks_themselves_find_everything(masks):
    found = localise(masks.astype(float), masks)
    assert found.pixel_auroc == pytest.approx(1)
    assert found.aupro == pytest.approx(1)


def test_what_is_not_inspected_comes_last(masks):
    maps = np.zeros((4, 24, 24))
    maps[masks] = 1
    maps[:, 12:] = np.nan
    seen = masks & (np.arange(24) < 12)[:, None]
    assert localise(maps, masks).pixel_auroc == pytest.approx(roc_auc_score(masks.ravel(), seen.ravel().astype(float)))


def test_without_masks_there_is_nothing_to_judge(masks):
    with pytest.raises(GadError, match="add masks to ground_truth/"):
        localise(np.zeros((4, 7, 7)), np.zeros_like(masks))


def test_only_pixels_that_are_inspected_count(masks):
    inspected = np.zeros((24, 24), bool)
    inspected[:, :14] = True
    maps = np.random.default_rng(3).normal(size=(4, 6, 6))
    found = localise(maps, masks, inspected=inspected)
    values = np.stack([enlarged(one, (24, 24)) for one in maps])
    assert found.pixel_auroc == pytest.approx(roc_auc_score(masks[:, :, :14].ravel(), values[:, :, :14].ravel()))
    assert found.aupro == pytest.approx(swept(values[:, :, :14], masks[:, :, :14])[1])
    assert found.n_masks == 3


def test_a_region_is_judged_by_the_defects_that_touch_it():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(30, 2, 3)).round(1)
    maps[:, 1, 2] = np.nan  # not inspected
    normal = np.arange(30) < 18
    touching = (rng.random((30, 2, 3)) > 0.4) & ~normal[:, None, None]
    touching[:, 0, 0] = False
    found = region_areas(maps, touching, normal)
    assert np.isnan(found.areas[0, 0])
    assert np.isnan(found.areas[1, 2])
    for place in ((0, 1), (0, 2), (1, 0), (1, 1)):
        at = (slice(None), *place)
        used = normal | touching[at]
        assert found.areas[place] == pytest.approx(roc_auc_score(touching[at][used], maps[at][used]))
        assert found.counts[place] == touching[at].sum()
