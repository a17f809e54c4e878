"""A data set's masked defects explained: the tuned score of each, on the files' own pixels and masks."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from gad_core.attribution.category import explain_category, explain_file, masked_defects
from gad_core.attribution.explanation import explain_score, summarise
from gad_core.attribution.masks import mask_of
from gad_core.data.datasets import ImageSet, read_mvtec
from gad_core.errors import GadError
from gad_core.features.levels import pooled_levels
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.tuning import Tuning
from tests.features.drawing import draw

TUNING = Tuning((3, 5), Reduction("npca", 0.05))


@pytest.fixture(scope="module")
def files(tmp_path_factory, lite0):
    """Two masked defects, one without a mask, and a normal image, at the network's size: nothing is resized."""
    root, size = tmp_path_factory.mktemp("drawn"), lite0.backbone.input_size
    places = ("test/good/0", "test/scratch/1", "test/scratch/2", "test/stain/3", "train/good/4")
    for place, pixels in zip(places, draw(len(places), size, 7), strict=True):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / f"{place}.png")
    for name in ("1", "2"):
        mask = np.zeros((size, size), np.uint8)
        mask[40:90, 30:150] = 255
        (root / "ground_truth/scratch").mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(root / f"ground_truth/scratch/{name}_mask.png")
    return read_mvtec(root).test


def test_only_defects_with_a_mask_are_explained(files):
    chosen = masked_defects(files)
    assert [file.defect for file in chosen] == ["scratch", "scratch"]
    assert all(mask_of(file).mean() == pytest.approx(50 * 120 / 224**2) for file in chosen)
    with pytest.raises(GadError, match="add masks"):
        masked_defects(ImageSet(tuple(file for file in files if file.mask is None)))


def test_the_tuned_score_of_each_image_is_explained(files, detector, lite0):
    steps = []
    category = explain_category(
        detector, lite0, files, tuning=TUNING, n_references=2, progress=lambda *at: steps.append(at)
    )
    chosen = masked_defects(files)
    pixels = np.stack([np.asarray(Image.open(file.path)) for file in chosen])
    with torch.inference_mode():
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        features = pooled_levels(lite0.module, lite0.backbone, batch).numpy()
    np.testing.assert_allclose([one.score for one in category.images], detector.scores(features, TUNING), rtol=1e-5)
    assert [one.digest for one in category.images] == [file.digest for file in chosen]
    assert category.worst_gap == max(one.gap for one in category.images) < 1e-5
    assert category.summary == summarise([one.explanation for one in category.images])
    assert list(dict.fromkeys(steps)) == [(0, 2), (1, 2), (2, 2)]


def test_a_category_holds_what_its_files_give_alone(files, detector, lite0):
    whole = explain_category(detector, lite0, files, tuning=TUNING, n_references=2, seed=1)
    (file, *_) = masked_defects(files)
    alone = explain_file(detector, lite0, file, tuning=TUNING, n_references=2, seed=1)
    expected = dataclasses.asdict(explain_score(alone.total, mask_of(file)))
    for name, value in dataclasses.asdict(whole.images[0].explanation).items():
        assert value == pytest.approx(expected[name], rel=1e-4), name
