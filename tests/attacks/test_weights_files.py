"""Weights, checkpoints and cache entries that somebody has forged: never run, refused in our words, or made anew."""

import pickle
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from gad_core.baselines.training import Samples, Training, seeded_, train
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.networks import load_module
from gad_core.features.registry import get_backbone
from tests.features.random_networks import random_network

RESNET = get_backbone("resnet18")


class Payload:
    """What would leave a file behind if it were unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def write(path: Path, kind: str) -> None:
    state = random_network("resnet18").state_dict()
    if kind == "a pickle":
        path.write_bytes(pickle.dumps(Payload(path.parent / "ran")))
    elif kind == "code among the tensors":
        torch.save(state | {"fc.bias": Payload(path.parent / "ran")}, path)
    elif kind == "a whole network":
        torch.save(random_network("resnet18"), path)
    elif kind == "a list":
        torch.save([1, 2], path)
    elif kind == "numbers":
        torch.save(dict.fromkeys(state, 3), path)
    elif kind == "other shapes":
        safetensors.torch.save_file({name: value.new_zeros(3) for name, value in state.items()}, path)
    elif kind == "not a number":
        safetensors.torch.save_file(state | {"fc.bias": torch.full_like(state["fc.bias"], torch.nan)}, path)
    else:
        path.write_bytes(b"hello")


@pytest.mark.parametrize(
    ("file", "kind", "reason"),
    [
        ("a.pth", "a pickle", "it holds more than tensors, and code in a file is never run"),
        ("a.pth", "code among the tensors", "it holds more than tensors, and code in a file is never run"),
        ("a.pth", "a whole network", "it holds more than tensors, and code in a file is never run"),
        ("a.pth", "a list", "it is damaged or of another kind"),
        ("a.pth", "numbers", "it is damaged or of another kind"),
        ("a.pth", "hello", "it is damaged or of another kind"),
        ("a.safetensors", "hello", "it is damaged or of another kind"),
        ("a.safetensors", "other shapes", "its tensors have other names or shapes"),
        ("a.safetensors", "not a number", "some of its values are not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_weights_that_are_none_are_refused_in_our_own_words(tmp_path, file, kind, reason):
    write(tmp_path / file, kind)
    message = f"{file} does not hold the weights of resnet18.tv_in1k ({reason}"
    with pytest.raises(GadError, match=re.escape(message)) as error:
        load_module(RESNET, tmp_path / file)
    assert "weights_only" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def loss(module: nn.Module, pixels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return nn.functional.binary_cross_entropy_with_logits(module(pixels / 255)[:, 0], targets)


def trained(checkpoint: Path) -> list[np.ndarray]:
    pixels = np.random.default_rng(0).integers(0, 255, (8, 2, 2, 3), dtype=np.uint8)
    samples = Samples(pixels, tuple(map(str, range(8))), np.float32(np.arange(8) % 2))
    module = seeded_(nn.Sequential(nn.Flatten(), nn.Linear(12, 1)), 5)
    train(module, loss, samples, Training(epochs=2, batch_size=4), checkpoint=checkpoint)
    return [value.numpy() for value in module.state_dict().values()]


@pytest.mark.parametrize("kind", ["a pickle", "a list", "hello", "too little", "another network", "other types"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_forged_checkpoint_counts_as_none_and_is_not_run(tmp_path, kind):
    path = tmp_path / "run.pt"
    whole = trained(path)
    kept = torch.load(path)
    if kind == "too little":
        torch.save({"epoch": 1}, path)
    elif kind == "another network":
        torch.save(kept | {"module": {"weight": torch.zeros(3)}, "epoch": 1}, path)
    elif kind == "other types":
        torch.save(kept | {"epoch": "1"}, path)
    else:
        write(path, kind)
    for ours, theirs in zip(trained(path), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not (tmp_path / "ran").exists()


def forge(path: Path, payload: bytes) -> None:
    path.write_bytes(payload + zlib.crc32(payload, 1).to_bytes(4))


@pytest.mark.parametrize("payload", [b"", b"abc", np.float32([1, np.nan]).tobytes(), np.float32([np.inf]).tobytes()])
def test_forged_features_in_the_cache_count_as_absent(tmp_path, payload):
    cache = FeatureCache(tmp_path)
    cache.keep_features("net", "abc", np.float32([1, 2]))
    forge(tmp_path / "features" / "net" / "ab" / "abc", payload)
    found = cache.features("net", "abc")
    assert found is None or len(found) == 0  # which is not the length that is asked for


@pytest.mark.parametrize("n_bytes", [0, 5, 224 * 224 * 3 + 1])
def test_forged_pixels_in_the_cache_count_as_absent(tmp_path, n_bytes):
    cache = FeatureCache(tmp_path)
    cache.keep_pixels(RESNET, "abc", np.zeros((224, 224, 3), np.uint8))
    (entry,) = (path for path in tmp_path.rglob("abc") if path.is_file())
    forge(entry, bytes(n_bytes))
    assert cache.pixels(RESNET, "abc") is None
