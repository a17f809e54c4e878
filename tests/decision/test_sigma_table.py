"""Table VI: thresholds are scipy's chi-square quantiles, rates are counted."""

import numpy as np
import pytest
from scipy import special, stats
from sklearn.metrics import roc_auc_score

from gad_core.decision.sigma_table import REDUCTIONS, SIGMAS, sigma_table


def test_rates_are_those_beyond_scipys_quantiles(detector, projected, features, anomalous):
    test = features[100:]
    for column in sigma_table(projected, anomalous, level=2):
        reduction = REDUCTIONS[column.name]
        gaussian, part = detector.gaussians[1], detector.slices[1]
        distances = gaussian.spectrum.distances(gaussian.coordinates(test[:, part]), reduction)
        assert column.auroc.value == pytest.approx(roc_auc_score(anomalous, distances))
        for n, rates in zip(SIGMAS, column.rates, strict=True):
            target = 1 - special.erf(n / np.sqrt(2))
            assert rates.point.target_fpr == pytest.approx(target, rel=1e-6)
            limit = np.sqrt(stats.chi2.isf(target, gaussian.spectrum.dimension(reduction)))
            assert rates.point.threshold == pytest.approx(limit, rel=1e-6)
            assert rates.test.value == np.mean(distances[~anomalous] > limit)
            assert rates.tpr.value == np.mean(distances[anomalous] > limit)


def test_without_defects_there_is_no_auroc(projected):
    for column in sigma_table(projected, np.zeros(60, bool), level=2):
        assert column.auroc is None
        assert all(rates.tpr is None for rates in column.rates)
