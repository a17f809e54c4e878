"""The classifier: it learns what it is shown, and its logit can be explained."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.baselines.classifier import fit_classifier
from gad_core.baselines.explaining import explain_logit
from gad_core.baselines.training import Training
from gad_core.errors import GadError
from gad_core.features.registry import get_backbone

BACKBONE = replace(get_backbone("tf_efficientnet_lite0"), input_size=64)


@pytest.fixture(scope="module")
def trained(dots):
    return dots, fit_classifier(dots, dots, BACKBONE, Training(epochs=12, batch_size=10, rate=1e-3))


def test_it_overfits_twenty_images(trained):
    samples, scorer = trained
    assert roc_auc_score(samples.targets, scorer.score_pixels(samples.pixels)) == 1.0


def test_the_attribution_of_the_logit_adds_up_and_lies_on_the_dot(trained):
    samples, scorer = trained
    found = explain_logit(scorer.module, samples.pixels[1:2], samples.pixels[0:4:2])
    assert found.gaps[0] < 1e-3
    scores = scorer.score_pixels(samples.pixels)
    assert 3 * found.maps[0].sum() == pytest.approx(scores[1] - scores[[0, 2]].mean(), rel=2e-3)
    bright = (samples.pixels[1] == 255).all(axis=2)
    assert found.maps[0][bright].mean() > 5 * np.abs(found.maps[0][~bright].mean())


def test_samples_of_one_kind_are_refused(dots):
    with pytest.raises(GadError, match="among its validation images; add the missing kind"):
        fit_classifier(dots, dots[dots.targets == 0], BACKBONE, Training(epochs=1, batch_size=4))
