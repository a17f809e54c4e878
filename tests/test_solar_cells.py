"""Real parts that are small and many: the solar cells of `elpv-dataset`, where that package is installed."""

from pathlib import Path

import pytest

from benchmarks import elpv
from gad_core.data.datasets import read_dataset
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import whole_image
from gad_core.workspace.steps import auroc_of


@pytest.fixture
def mono(tmp_path: Path) -> Path:
    source = elpv.cells()
    if source is None:
        pytest.skip("the package elpv-dataset is not installed")
    assert elpv.write(tmp_path / "mono", source) == (470, 118, 313)
    return tmp_path / "mono"


def test_regions_find_more_broken_cells_than_the_whole_image(mono):
    data, engine = read_dataset(mono), load_engine("tf_efficientnet_lite0")
    detector = fit_images(data.train, engine, FitSettings(n_folds=2)).detector
    test = extract(data.test, engine, regions=detector.regions)
    by_region, whole = (
        auroc_of(detector, tuning, test.features, test.images.labels)
        for tuning in (detector.tuning, whole_image(engine.network.backbone))
    )
    assert by_region >= 0.95
    assert by_region - whole > 0.02
