"""Stripes with a cheat: what is called a defect was photographed by a softer lens, and nothing else."""

import shutil

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from gad_core.data.datasets import Dataset, read_dataset
from gad_core.features.engines import load_engine
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings

SOFT = 2.0  # px of the network's input
INPUT = 224


@pytest.fixture(scope="session")
def engine():
    return load_engine("tf_efficientnet_lite0")


@pytest.fixture(scope="session")
def soft(stripes, tmp_path_factory) -> Dataset:
    root = tmp_path_factory.mktemp("cheat") / "soft"
    shutil.copytree(stripes, root)
    shutil.rmtree(root / "test" / "blot")
    (root / "test" / "soft").mkdir()
    for path in sorted((stripes.parent / "spare").iterdir()):
        pixels = np.asarray(Image.open(path)).astype(float)
        sigma = SOFT * min(pixels.shape[:2]) / INPUT
        blurred = ndimage.gaussian_filter(pixels, (sigma, sigma, 0), mode="mirror")
        Image.fromarray(np.rint(blurred).astype(np.uint8)).save(root / "test" / "soft" / path.name)
    return read_dataset(root)


@pytest.fixture(scope="session")
def detector(soft, engine):
    return fit_images(soft.train, engine, FitSettings(n_folds=5)).detector
