"""What onnxruntime makes of an exported graph is what the detector says, at every tuning."""

import io
import warnings
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from gad_core.data import images
from gad_core.data.groups import k_folds
from gad_core.export.onnx_graph import write_onnx
from gad_core.export.pillow_resize import resize, two_passes
from gad_core.export.score_graph import OUTPUTS
from gad_core.features.frozen import Network
from gad_core.features.region_of_interest import RegionOfInterest
from gad_core.features.regions import Regions
from gad_core.features.registry import get_backbone
from gad_core.features.torch_engine import TorchEngine
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from tests.features.drawing import draw
from tests.features.random_networks import random_network

BACKBONE = replace(get_backbone("resnet18"), input_size=64)
FOLDS = k_folds(40, 4, seed=0)
INSIDE = RegionOfInterest.rectangle(0, 0, 0.6, 0.9)  # a part of some regions, and nothing of the last column
TOP = Pool("top", 0.4)
TUNINGS = (
    *(Tuning((4, 2, 5), ALL, distance) for distance in ("mahalanobis", "sed", "l2")),
    Tuning((4, 2), NPCA_1),
    Tuning((3,), Reduction("pca", 0.9), "sed"),
    Tuning((3, 2), NPCA_5, pool=TOP),
    Tuning((2,), ALL, pool=Pool("power", 8.0)),
    Tuning((2, 3), NPCA_5, pool=Pool("mean")),
    Tuning((3,), NPCA_5, pool=Pool("max")),
)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(BACKBONE, lambda: random_network(BACKBONE.timm_name), "f" * 64)


def fitted(network: Network, regions: Regions) -> Detector:
    features = np.stack(list(TorchEngine(network, "cpu").stream(draw(40, 64, 1), regions=regions)))
    return make_detector(
        fit_levels(features, BACKBONE.level_slices, FOLDS),
        BACKBONE,
        FitSettings(backbone="resnet18", regions=regions),
        fingerprint=network.fingerprint,
        training=TrainingImages(features, tuple(map(str, range(40)))),
        by_region=fit_regions(features, regions, BACKBONE.level_slices, FOLDS, reduction=NPCA_5),
    )


@pytest.fixture(scope="module")
def detector(network) -> Detector:
    return fitted(network, Regions(3, 4, (2, 3)))


@pytest.fixture(scope="module")
def raw() -> np.ndarray:
    """Images (5, 90, 100, 3) that are not of the network's size."""
    return np.stack([np.pad(image, ((20, 6), (6, 30), (0, 0)), mode="reflect") for image in draw(5, 64, 7)])


def run(detector, network, point, raw, path) -> dict[str, np.ndarray]:
    write_onnx(path, detector, network, point, metadata={"backbone": "resnet18"})
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"image": raw}), strict=True))


def features_of(detector, network, raw) -> np.ndarray:
    resized = [images.resize(image, 64) for image in raw]
    return np.stack(list(TorchEngine(network, "cpu").stream(resized, regions=detector.regions)))


def at(threshold: float, level: str = "sum") -> WorkingPoint:
    return WorkingPoint("cross-conformal", 0.05, threshold, 40, "of the test", level)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal to the float32 of two runtimes, on the scale of the whole."""
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.nanmax(np.abs(expected)))


@pytest.mark.parametrize("tuning", TUNINGS, ids=lambda one: f"{one.levels} {one.reduction} {one.distance} {one.pool}")
def test_scores_and_verdicts_are_the_detectors(detector, network, raw, tmp_path, tuning):
    tuned = replace(detector, tuning=tuning)
    expected = tuned.scores(features_of(tuned, network, raw))
    middle = float(np.sort(expected)[1:3].mean())
    found = run(tuned, network, at(middle), raw, tmp_path / "a.onnx")
    same(found["score"], expected)
    assert found["threshold"] == middle
    np.testing.assert_array_equal(found["anomalous"], expected > middle)
    assert found["anomalous"].sum() == 3


@pytest.mark.parametrize("roi", [None, INSIDE], ids=["everywhere", "inside"])
def test_regions_are_the_detectors_map(network, raw, tmp_path, roi):
    tuned = replace(fitted(network, Regions(3, 4, (2, 3), roi)), tuning=Tuning((2, 3), NPCA_5, pool=TOP))
    expected = tuned.region_maps(features_of(tuned, network, raw), tuned.tuning)
    found = run(tuned, network, at(1.0), raw, tmp_path / "a.onnx")["regions"]
    assert np.isnan(expected).any() == (roi is not None)
    same(found, expected)


def test_a_whole_image_is_one_region_with_its_score(detector, network, raw, tmp_path):
    found = run(replace(detector, tuning=Tuning((3,))), network, at(1.0), raw, tmp_path / "a.onnx")
    np.testing.assert_array_equal(found["regions"], found["score"].reshape(-1, 1, 1))


def test_a_threshold_of_one_level_judges_that_level_of_the_whole_image(detector, network, raw, tmp_path):
    tuned = replace(detector, tuning=Tuning((2, 3), NPCA_5, pool=TOP))
    found = run(tuned, network, at(1.0, level="4"), raw, tmp_path / "a.onnx")
    same(found["score"], tuned.scores(features_of(tuned, network, raw), Tuning((4,), NPCA_5)))


def test_images_one_by_one_are_the_batch(detector, network, raw, tmp_path):
    whole = run(detector, network, at(1.0), raw, tmp_path / "a.onnx")["score"]
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    same(np.concatenate([session.run(["score"], {"image": image[None]})[0] for image in raw]), whole)


def test_the_shared_network_stays_as_it_is(detector, network, raw, tmp_path):
    before = features_of(detector, network, raw)
    run(detector, network, at(1.0), raw, tmp_path / "a.onnx")
    assert not network.module.training
    np.testing.assert_array_equal(features_of(detector, network, raw), before)


@pytest.mark.parametrize("shape", [(256, 256), (300, 300), (300, 200), (100, 99), (30, 500)], ids=str)
def test_onnxruntime_resizes_every_pixel_as_pillow_does(resizing, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    (found,) = resizing.run(None, {"image": pixels[None]})
    np.testing.assert_array_equal(found[0].transpose(1, 2, 0), images.resize(pixels, 224))


@pytest.fixture(scope="module")
def resizing() -> onnxruntime.InferenceSession:
    """The resize of a graph alone."""

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated
        script = torch.jit.script(two_passes)

    class Resize(torch.nn.Module):
        def forward(self, image):
            return resize(image, 224, passes=script)

    buffer, axes = io.BytesIO(), {"image": {0: "N", 1: "H", 2: "W"}}
    example = (torch.zeros(1, 30, 20, 3, dtype=torch.uint8),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Resize(), example, buffer, dynamo=False, opset_version=17, input_names=["image"], dynamic_axes=axes
        )
    return onnxruntime.InferenceSession(buffer.getvalue(), providers=["CPUExecutionProvider"])
