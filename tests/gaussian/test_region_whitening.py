"""The quick way to the distances of regions gives the numbers of the usual one."""

import numpy as np
import pytest

from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.region_whitening import RegionWhitening
from gad_core.gaussian.tuning import Tuning


@pytest.mark.parametrize("reduction", [ALL, NPCA_5, NPCA_1, Reduction("pca", 0.95)])
@pytest.mark.parametrize("n", [1, 7])
def test_it_is_the_distance_of_every_region(stripes, reduction, n):
    from gad_core.data.datasets import read_dataset
    from gad_core.features.engines import load_engine
    from gad_core.gaussian.extraction import extract_for
    from gad_core.gaussian.fit import fit_images
    from gad_core.gaussian.settings import FitSettings

    data, engine = read_dataset(stripes), load_engine(FitSettings().backbone)
    detector = fit_images(data.train, engine, FitSettings()).detector
    features = extract_for(detector, data.test, engine).features[:n]
    tuning = Tuning((6, 7), reduction, pool=Pool("max"))
    known = detector.known_regions(tuning)
    np.testing.assert_allclose(
        RegionWhitening.of(known, tuning)(features), known.distances(features, tuning), rtol=1e-9
    )
