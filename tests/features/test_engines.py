import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gad_core.data.datasets import read_mvtec
from gad_core.data.images import decode, resize
from gad_core.errors import GadError
from gad_core.features._torchvision import timm
from gad_core.features.engines import Engine, load_engine, make_engine
from gad_core.features.frozen import Network, Pixels
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from tests.features.drawing import draw

Images = NDArray[np.uint8]  # (n, S, S, 3)
Features = NDArray[np.float32]  # (n, sum C)
N_FIT = 60
REDUCTIONS = [("all", 1e-4), ("npca:0.05", 1e-4), ("npca:0.001", 1e-3)]


@pytest.fixture(scope="module")
def openvino_engine(lite0: Network) -> Engine:
    return make_engine(lite0, device="cpu")


@pytest.fixture(scope="module")
def torch_engine(lite0: Network) -> Engine:
    return make_engine(lite0, device="torch-cpu")


def run(engine: Engine, images: Images) -> Features:
    return np.stack(list(engine.stream(images)))


@pytest.fixture(scope="module")
def drawn(openvino_engine: Engine, torch_engine: Engine) -> tuple[Features, Features]:
    images = draw(N_FIT + 10, 224)
    return run(openvino_engine, images), run(torch_engine, images)


@pytest.fixture(scope="module")
def photographed(bottle: Path, openvino_engine: Engine, torch_engine: Engine) -> tuple[Features, Features]:
    dataset = read_mvtec(bottle)
    files = (*dataset.train.files[:N_FIT], *dataset.test.files[::8])
    images = np.stack([resize(decode(file.path), 224) for file in files])
    return run(openvino_engine, images), run(torch_engine, images)


@pytest.mark.parametrize("images", ["drawn", "photographed"])
@pytest.mark.parametrize(("reduction", "tolerance"), REDUCTIONS)
def test_engines_give_the_same_scores_at_every_level(
    images: str, reduction: str, tolerance: float, lite0: Network, request: pytest.FixtureRequest
):
    # Fitted with one engine and scored with the other, as when a detector moves to another machine.
    by_openvino, by_torch = request.getfixturevalue(images)
    for level in lite0.backbone.level_slices:
        gaussian = fit_gaussian(by_openvino[:N_FIT, level])
        one, other = (
            gaussian.spectrum.distances(gaussian.coordinates(features[N_FIT:, level]), Reduction.parse(reduction))
            for features in (by_openvino, by_torch)
        )
        np.testing.assert_allclose(other, one, rtol=tolerance)


def test_openvino_is_told_to_compute_in_float32(lite0: Network, monkeypatch: pytest.MonkeyPatch):
    from gad_core.features._openvino import openvino

    compiled = []
    compile_model = openvino.Core.compile_model

    def spy(*arguments: object) -> object:
        compiled.append(compile_model(*arguments))
        return compiled[-1]

    monkeypatch.setattr(openvino.Core, "compile_model", spy)
    list(make_engine(lite0, device="cpu").stream(draw(1, 224)))
    assert compiled[0].get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32
    # And what runs, layer by layer:
    precisions = {
        node.get_rt_info()["runtimePrecision"].value
        for node in compiled[0].get_runtime_model().get_ops()
        if node.get_rt_info()["layerType"].value in ("Convolution", "FullyConnected", "MatMul")
    }
    assert precisions == {"f32"}


def test_features_come_in_the_order_of_the_images(openvino_engine: Engine, drawn: tuple[Features, Features]):
    some = slice(None, None, 23)
    alone = np.concatenate([run(openvino_engine, image[None]) for image in draw(N_FIT + 10, 224)[some]])
    for together in drawn:
        np.testing.assert_allclose(together[some], alone, rtol=1e-4, atol=1e-5)


def test_images_are_drawn_in_the_callers_thread_and_only_a_few_ahead(openvino_engine: Engine):
    drawers: list[threading.Thread] = []

    def images() -> Iterator[Pixels]:
        for image in draw(30, 224):
            drawers.append(threading.current_thread())
            yield image

    stream = openvino_engine.stream(images())
    next(stream)
    assert 1 <= len(drawers) < 30
    stream.close()
    assert set(drawers) == {threading.current_thread()}


def test_a_stream_that_is_left_early_leaves_the_engine_in_order(openvino_engine: Engine):
    images = draw(8, 224, seed=2)
    expected = run(openvino_engine, images)
    for _ in range(5):
        stream = openvino_engine.stream(images)
        next(stream)
        stream.close()
    np.testing.assert_array_equal(run(openvino_engine, images), expected)


def test_no_images_give_no_features_and_compile_nothing(lite0: Network, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gad_core.features.openvino_engine._compile", None)
    assert list(make_engine(lite0, device="cpu").stream([])) == []


@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_one_new_engine_serves_several_threads_at_once(device: str, lite0: Network, openvino_engine: Engine):
    batches = [draw(4, 224, seed=seed) for seed in range(3)]
    engine = make_engine(lite0, device=device)
    results: dict[int, Features] = {}
    threads = [
        threading.Thread(target=lambda index=index: results.update({index: run(engine, batches[index])}))
        for index in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, images in enumerate(batches):
        np.testing.assert_allclose(results[index], run(openvino_engine, images), rtol=1e-4, atol=1e-4)


def test_an_accelerator_comes_first_where_there_is_one(lite0: Network, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert type(make_engine(lite0)).__name__ == "OpenVinoEngine"
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert make_engine(lite0).device == "mps"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert make_engine(lite0).device == "cuda"
    assert type(make_engine(lite0, device="cpu")).__name__ == "OpenVinoEngine"


def test_an_accelerator_that_is_not_there_is_refused(lite0: Network, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(GadError, match="no cuda device"):
        make_engine(lite0, device="cuda")


def test_an_engine_by_name_runs_the_backbone_of_that_name(lite0: Network):
    engine = load_engine("tf_efficientnet_lite0", device="torch-cpu")
    assert type(engine).__name__ == "TorchEngine"
    assert engine.network.fingerprint == lite0.fingerprint
    with pytest.raises(GadError, match="no backbone"):
        load_engine("tf_efficientnet_lite")


def test_all_who_ask_for_an_engine_share_it(lite0: Network):
    with ThreadPoolExecutor(4) as pool:
        engines = set(pool.map(lambda _: load_engine("tf_efficientnet_lite0", device="torch-cpu"), range(4)))
    assert len(engines) == 1
    assert load_engine("tf_efficientnet_lite0", device="cpu") not in engines


def test_weights_put_in_place_of_others_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GAD_WEIGHTS", str(tmp_path))
    file, prints = tmp_path / "resnet18.pth", []
    for seed in (1, 2):
        torch.manual_seed(seed)
        torch.save(timm.create_model("resnet18").state_dict(), file)
        os.utime(file, (seed, seed))
        prints.append(load_engine("resnet18", device="torch-cpu").network.fingerprint)
    assert prints[0] != prints[1]
