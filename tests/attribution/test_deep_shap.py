"""Attributions of the detector's own score: they add up, level by level, and leave the network alone."""

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from gad_core.attribution import propagation
from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.deep_shap import GAP_LIMIT, attribute, attribute_all
from gad_core.errors import Cancelled, GadError, NotExplained
from gad_core.features.frozen import Network
from gad_core.gaussian.reduction import ALL, NPCA_5, Reduction
from gad_core.gaussian.tuning import Tuning
from tests.features.drawing import draw

NINE = tuple(range(1, 10))
TUNINGS = [
    *(Tuning((level,), ALL) for level in NINE),
    Tuning(NINE, ALL),
    Tuning((6, 7, 8), NPCA_5),
    Tuning(NINE, Reduction("pca", 0.9)),
    Tuning(NINE, ALL, "sed"),
    Tuning((3, 9), NPCA_5, "sed"),
    Tuning(NINE, ALL, "l2"),
]


def exact_gap(attribution):
    difference = attribution.score - attribution.reference_score
    return abs(attribution.rgb.sum() - difference) / max(abs(difference), attribution.score)


@pytest.mark.parametrize("tuning", TUNINGS, ids=str)
def test_attributions_add_up_in_single_precision(detector, lite0, image, tuning):
    attribution = attribute(detector, lite0, image, tuning=tuning, n_references=2, split=False)
    assert attribution.precision == "float32"
    assert attribution.gap == exact_gap(attribution) <= 1e-5


@pytest.mark.parametrize("tuning", [TUNINGS[4], TUNINGS[10]], ids=str)
def test_attributions_add_up_to_rounding_in_double_precision(detector, lite0, image, tuning):
    attribution = attribute(detector, lite0, image, tuning=tuning, n_references=2, split=False, precision="float64")
    assert attribution.gap <= 1e-10


@pytest.mark.parametrize("name", ["tf_efficientnet_b0", "tf_efficientnet_b4", "resnet18", "resnet50"])
def test_other_networks_add_up_too(with_random_weights, fit, name):
    network = with_random_weights(name)
    detector, pixels = fit(network), draw(1, 96, 99)[0]
    tuning = Tuning(tuple(range(1, network.backbone.n_levels + 1)), ALL)
    attribution = attribute(detector, network, pixels, tuning=tuning, n_references=3, precision="float64")
    assert attribution.gap <= 1e-9
    by_level = attribution.rgb.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(by_level, attribution.scores - attribution.reference_scores, rtol=1e-9, atol=1e-9)
    quick = attribute(detector, network, pixels, tuning=tuning, n_references=3, split=False)
    assert quick.gap <= GAP_LIMIT


def test_the_maps_of_the_levels_add_up_to_that_of_the_sum(detector, lite0, image):
    tuning = Tuning((5, 6, 8), ALL)
    apart = attribute(detector, lite0, image, tuning=tuning, n_references=2)
    whole = attribute(detector, lite0, image, tuning=tuning, n_references=2, split=False)
    assert apart.rgb.shape == (3, 3, 224, 224)
    np.testing.assert_allclose(apart.total, whole.total, atol=1e-6 * np.abs(whole.total).max())
    np.testing.assert_allclose(
        apart.rgb.sum(axis=(1, 2, 3)), apart.scores - apart.reference_scores, rtol=1e-4, atol=1e-4
    )


def test_the_explained_score_is_the_detectors(detector, lite0, image):
    tuning = Tuning((6, 7, 8), NPCA_5)
    attribution = attribute(detector, lite0, image, tuning=tuning, n_references=4, split=False)
    with torch.inference_mode():
        from gad_core.features.levels import pooled_levels

        stack = np.concatenate([image[None], detector.references[list(attribution.references)]])
        features = pooled_levels(lite0.module, lite0.backbone, torch.from_numpy(stack).permute(0, 3, 1, 2)).numpy()
    scores = detector.scores(features, tuning)
    assert attribution.score == pytest.approx(scores[0], rel=1e-5)
    assert attribution.reference_score == pytest.approx(scores[1:].mean(), rel=1e-4)


def test_references_are_drawn_by_the_seed(detector, lite0, image):
    draws = [
        attribute(detector, lite0, image, tuning=Tuning((1,)), n_references=3, seed=s).references for s in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 3


def test_four_threads_give_the_serial_result(detector, lite0, image):
    def run(seed):
        return attribute(detector, lite0, image, tuning=Tuning((4,)), n_references=2, seed=seed).total

    serial = [run(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for expected, threaded in zip(serial, pool.map(run, range(4)), strict=True):
            np.testing.assert_allclose(threaded, expected, atol=1e-5 * np.abs(expected).max())


def test_the_shared_network_is_as_before(detector, lite0, image):
    before = copy.deepcopy(lite0.module.state_dict())
    attribute(detector, lite0, image, tuning=Tuning((9,)), n_references=1, split=False, precision="float64")
    after = lite0.module.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    for module in lite0.module.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    assert not any(parameter.requires_grad for parameter in lite0.module.parameters())


def test_progress_counts_references_and_can_cancel(detector, lite0, image):
    reports = []

    def progress(done, total):
        reports.append((done, total))
        if done >= 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        attribute(detector, lite0, image, tuning=Tuning((2,)), n_references=6, reference_batch=2, progress=progress)
    assert reports == [(0, 6), (2, 6), (4, 6)]


def test_progress_does_not_go_back_when_double_precision_is_tried_after_single(detector, lite0, image, monkeypatch):
    reports = []
    monkeypatch.setattr("gad_core.attribution.deep_shap.GAP_LIMIT", -1.0)  # a gap may be zero
    with pytest.raises(NotExplained, match="in float64"):
        attribute(
            detector,
            lite0,
            image,
            tuning=Tuning((2,)),
            n_references=4,
            reference_batch=2,
            progress=lambda done, _: reports.append(done),
        )
    assert reports == [0, 2, 4, 4, 4, 4]


def test_a_detector_without_references_says_so(detector, lite0, image):
    with pytest.raises(GadError, match="without reference images"):
        attribute(dataclasses.replace(detector, references=None), lite0, image)


def test_other_weights_are_refused(detector, lite0, image):
    with pytest.raises(GadError, match="are not those"):
        attribute(detector, dataclasses.replace(lite0, fingerprint="0" * 64), image)


class Discarding(nn.Module):
    """Calls an activation in place and goes on with the tensor that it changed."""

    def forward(self, x):
        torch.relu_(x)
        return x


def test_a_network_that_discards_an_in_place_result_is_refused(detector, lite0, image):
    module = copy.deepcopy(lite0.module)
    module.blocks[0].append(Discarding())
    spoilt = Network(lite0.backbone, lambda: module, lite0.fingerprint)
    with pytest.raises(NotExplained, match="is not the detector's"):
        attribute(detector, spoilt, image, tuning=Tuning((4,)), n_references=1)


def test_several_images_are_explained_as_each_alone(detector, lite0, image):
    images = np.stack([image, *draw(2, 224, 50)])
    tuning = Tuning((3, 6), NPCA_5)
    together = attribute_all(detector, lite0, images, tuning=tuning, n_references=3, reference_batch=2)
    for pixels, attribution in zip(images, together, strict=True):
        alone = attribute(detector, lite0, pixels, tuning=tuning, n_references=3)
        np.testing.assert_allclose(attribution.rgb, alone.rgb, atol=1e-5 * np.abs(alone.rgb).max())
        np.testing.assert_allclose(attribution.scores, alone.scores, rtol=1e-6)
        np.testing.assert_allclose(attribution.reference_scores, alone.reference_scores, rtol=1e-6)


def test_network_and_references_are_prepared_once_for_all_images(detector, lite0, image, monkeypatch):
    copies, recorded = [], []
    make_copy, record = copy.deepcopy, propagation._record
    monkeypatch.setattr(copy, "deepcopy", lambda *args: copies.append(args) or make_copy(*args))
    monkeypatch.setattr(propagation, "_record", lambda *args: recorded.append(args) or record(*args))
    attribute_all(
        detector, lite0, np.stack([image] * 3), tuning=Tuning((2,)), n_references=4, reference_batch=2, split=False
    )
    assert sum(args[0] is lite0.module for args in copies) == 1
    assert len(recorded) == 2  # once a batch of references


def test_levels_explained_at_different_times_add_up_to_their_sum(detector, lite0, image):
    options = {"n_references": 2}
    early = attribute(detector, lite0, image, tuning=Tuning((6, 8), NPCA_5), **options).by_levels()
    late = attribute(detector, lite0, image, tuning=Tuning((5,), NPCA_5), **options).by_levels()
    whole = attribute(detector, lite0, image, tuning=Tuning((5, 6, 8), NPCA_5), **options)
    added = Attribution.of_levels([*late, *early])
    assert added.levels == whole.levels
    np.testing.assert_allclose(added.rgb, whole.rgb, atol=1e-5 * np.abs(whole.rgb).max())
    np.testing.assert_allclose(added.scores, whole.scores, rtol=1e-6)
    assert added.gap == exact_gap(added) <= 1e-5
