"""Table VIII's samples: halves, prevalences, and which image is where."""

from collections import Counter

import numpy as np
import pytest

from gad_core.baselines.classifier import rotation
from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.errors import GadError
from gad_core.paper.label_noise import CORRUPTION, draw, mislabelled_half

TYPES = [None] * 150 + ["crack"] * 12 + ["hole"] * 7 + ["stain"] * 5 + ["cut"]


@pytest.mark.parametrize("corruption", CORRUPTION)
def test_the_share_of_mislabelled_defects_is_what_the_table_says(corruption):
    sample = draw(np.arange(len(TYPES)), TYPES, corruption)
    total = len(sample.normal) + len(sample.labelled) + len(sample.mislabelled)
    assert len(sample.mislabelled) == pytest.approx(corruption * total, abs=0.5 + corruption)  # the nearest image
    assert len(sample.labelled) == pytest.approx(0.05 * total, abs=0.55)
    assert sample.share == len(sample.mislabelled) / total


def test_every_good_image_occurs_once_and_no_defect_is_in_both_halves():
    sample = draw(np.arange(len(TYPES)), TYPES, 0.2)
    assert sorted(sample.normal) == list(range(150))
    assert not set(sample.labelled) & set(sample.mislabelled)
    assert all(TYPES[row] for row in [*sample.labelled, *sample.mislabelled])
    counts = Counter(sample.mislabelled.tolist()).values()
    assert max(counts) - min(counts) <= 1  # repeated alike


def test_half_of_every_type_is_mislabelled():
    types = np.array([kind or "" for kind in TYPES])
    hidden = mislabelled_half(types, seed=4)
    assert not hidden[types == ""].any()
    halves = {kind: int(hidden[types == kind].sum()) for kind in ("crack", "hole", "stain", "cut")}
    assert halves["crack"] == 6
    assert halves["hole"] in (3, 4)
    assert halves["stain"] in (2, 3)
    assert sum(halves.values()) in (12, 13)  # of 25


def labelled(n_good: int, n_bad: int) -> ImageSet:
    defects = ["good"] * n_good + ["crack"] * n_bad
    return ImageSet(tuple(ImageFile(None, f"{i:064x}", defect) for i, defect in enumerate(defects)))


def test_the_rotation_tests_every_image_once_and_keeps_the_share_of_defects():
    images = labelled(103, 27)
    tested = np.concatenate([rotation(images, fold, 0)[2] for fold in range(5)])
    assert sorted(tested) == list(range(130))
    for fold in range(5):
        parts = rotation(images, fold, 0)
        assert sorted(np.concatenate(parts)) == list(range(130))
        assert [int(images.labels[part].sum()) in (n, n + 1) for part, n in zip(parts, (15, 5, 5), strict=True)]
        assert np.array_equal(rotation(images, (fold + 1) % 5, 0)[2], parts[1])  # the next fold validates


def test_too_few_defects_for_the_folds_are_refused():
    with pytest.raises(GadError, match="at least 5 good parts and 5 defects"):
        rotation(labelled(50, 4), 0, 0)
