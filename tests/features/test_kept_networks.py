import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from gad_core.errors import GadError
from gad_core.features import engines, kept_networks
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine, make_engine
from gad_core.features.frozen import Network
from gad_core.features.openvino_engine import OpenVinoEngine
from gad_core.features.regions import Regions
from tests.features.drawing import draw
from tests.features.random_networks import random_network

LITE0 = "tf_efficientnet_lite0"
REGIONS = Regions(7, 7, levels=(6, 7))
PRINT = """
import hashlib, sys
from pathlib import Path
import numpy as np
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.features.regions import Regions
engine = load_engine("tf_efficientnet_lite0", device="cpu", cache=FeatureCache(Path({cache!r})))
pixels = np.random.default_rng(3).integers(0, 256, (2, 224, 224, 3), np.uint8)
vectors = np.stack(list(engine.stream(pixels, regions=Regions(7, 7, (6, 7)))))
print(hashlib.sha256(vectors).hexdigest(), "torch" in sys.modules)
"""


def run(engine: OpenVinoEngine, regions: Regions | None = REGIONS) -> np.ndarray:
    return np.stack(list(engine.stream(draw(3, 224), regions=regions)))


def entries(cache: FeatureCache) -> list[Path]:
    return sorted((cache.root / "networks").iterdir(), key=lambda path: path.stat().st_size)


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache")


@pytest.fixture
def nothing_shared(monkeypatch: pytest.MonkeyPatch):
    """Engines as a new process finds them: none."""
    monkeypatch.setattr(engines, "_ENGINES", {})


@pytest.fixture(scope="module")
def plain(lite0: Network) -> np.ndarray:
    """What an engine without a cache gives."""
    return run(OpenVinoEngine(lite0))


@pytest.fixture(scope="module")
def compiled(lite0: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cache with one compiled network."""
    root = tmp_path_factory.mktemp("compiled")
    run(OpenVinoEngine(lite0, FeatureCache(root)))
    return root


@pytest.fixture
def filled(compiled: Path, cache: FeatureCache) -> FeatureCache:
    """A copy of it."""
    shutil.copytree(compiled, cache.root)
    return cache


@pytest.fixture
def converts(monkeypatch: pytest.MonkeyPatch) -> list[Regions | None]:
    """What is converted from here on."""
    from gad_core.features import openvino_graph

    seen, convert = [], openvino_graph.graph_of

    def spy(network: Network, regions: Regions | None, up_to: int | None):
        seen.append(regions)
        return convert(network, regions, up_to)

    monkeypatch.setattr(openvino_graph, "graph_of", spy)
    return seen


def test_a_second_engine_converts_nothing_and_gives_the_same_numbers_to_the_last_bit(
    lite0: Network, cache: FeatureCache, converts: list, plain: np.ndarray
):
    first = run(OpenVinoEngine(lite0, cache))
    assert converts == [REGIONS]
    second = run(OpenVinoEngine(lite0, cache))
    assert converts == [REGIONS]
    np.testing.assert_array_equal(first, plain)
    np.testing.assert_array_equal(second, plain)


def test_other_regions_and_other_weights_are_networks_of_their_own(
    lite0: Network, filled: FeatureCache, converts: list
):
    other = Network(lite0.backbone, lambda: lite0.module, "f" * 64)
    whole = run(OpenVinoEngine(lite0, filled), None)
    np.testing.assert_array_equal(whole, run(OpenVinoEngine(lite0), None))
    run(OpenVinoEngine(other, filled))
    assert converts == [None, None, REGIONS]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "of other regions", "signed, but no network"])
def test_a_damaged_or_foreign_file_is_made_anew(
    damage: str, lite0: Network, filled: FeatureCache, converts: list, plain: np.ndarray
):
    (entry,) = entries(filled)
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "of other regions":
        run(OpenVinoEngine(lite0, filled), Regions(7, 7, levels=(6,)))
        (other,) = set(entries(filled)) - {entry}
        other.replace(entry)
    elif damage == "signed, but no network":
        payload = b"no network"
        filled.keep_network(entry.name, kept_networks._digest(entry.name, payload) + payload)
    else:
        entry.write_bytes({"truncated": data[:-999], "flipped": data, "empty": b""}[damage])
    converts.clear()
    np.testing.assert_array_equal(run(OpenVinoEngine(lite0, filled)), plain)
    assert converts == [REGIONS]
    np.testing.assert_array_equal(run(OpenVinoEngine(lite0, filled)), plain)
    assert converts == [REGIONS]  # and was kept in its place


def test_what_was_compiled_for_another_processor_is_made_anew(
    python: Callable[..., subprocess.CompletedProcess[str]],
    lite0: Network,
    cache: FeatureCache,
    plain: np.ndarray,
    converts: list,
):
    made = python(PRINT.format(cache=str(cache.root)), {**os.environ, "ONEDNN_MAX_CPU_ISA": "SSE41"})
    assert made.returncode == 0, made.stderr
    np.testing.assert_array_equal(run(OpenVinoEngine(lite0, cache)), plain)


def test_other_code_makes_other_networks(
    lite0: Network, filled: FeatureCache, monkeypatch: pytest.MonkeyPatch, converts: list
):
    run(OpenVinoEngine(lite0, filled))
    assert not converts
    code = {**kept_networks._makers(), "levels": "changed"}
    monkeypatch.setattr(kept_networks, "_makers", lambda: code)
    run(OpenVinoEngine(lite0, filled))
    assert converts == [REGIONS]


def test_a_second_process_does_without_torch(
    python: Callable[..., subprocess.CompletedProcess[str]], cache: FeatureCache
):
    code = PRINT.format(cache=str(cache.root))
    first, second = (python(code).stdout.split() for _ in range(2))
    assert (first[1], second[1]) == ("True", "False")
    assert first[0] == second[0]


def test_a_network_that_is_known_is_read_when_it_is_asked_for(
    lite0: Network, cache: FeatureCache, nothing_shared: None, monkeypatch: pytest.MonkeyPatch
):
    load_engine(LITE0, device="cpu", cache=cache)
    engines._ENGINES.clear()
    reads = list[str]()
    from gad_core.features import networks

    load = networks.load_network
    monkeypatch.setattr(networks, "load_network", lambda name: reads.append(name) or load(name))
    engine = load_engine(LITE0, device="cpu", cache=cache)
    assert engine.network.fingerprint == lite0.fingerprint
    assert not reads
    assert engine.network.module is engine.network.module
    assert reads == [LITE0]
    for own, other in zip(engine.network.module.parameters(), lite0.module.parameters(), strict=True):
        assert own.equal(other)


def test_weights_are_known_by_content_and_not_read_under_a_fingerprint_that_is_not_theirs(
    tmp_path: Path, cache: FeatureCache, nothing_shared: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GAD_WEIGHTS", str(tmp_path))
    file, module = tmp_path / "resnet18.safetensors", random_network("resnet18")

    def write(time: int) -> None:
        safetensors.torch.save_file(module.state_dict(), file)
        os.utime(file, (time, time))

    write(1)
    known = load_engine("resnet18", device="cpu", cache=cache).network.fingerprint
    write(2)
    unread = load_engine("resnet18", device="cpu", cache=cache)
    assert unread.network.fingerprint == known
    module.fc.bias[0] += 1
    write(3)
    assert load_engine("resnet18", device="cpu", cache=cache).network.fingerprint != known
    with pytest.raises(GadError, match="were replaced"):
        _ = unread.network.module


def test_a_cache_that_cannot_be_written_changes_nothing(lite0: Network, tmp_path: Path, plain: np.ndarray):
    (tmp_path / "cache").write_text("a file where the folder should be")
    np.testing.assert_array_equal(run(make_engine(lite0, device="cpu", cache=FeatureCache(tmp_path / "cache"))), plain)


def test_compiled_networks_go_where_room_is_short(lite0: Network, cache: FeatureCache, plain: np.ndarray):
    small = FeatureCache(cache.root, limit=1 << 20)
    np.testing.assert_array_equal(run(OpenVinoEngine(lite0, small)), plain)
    assert not entries(small)
