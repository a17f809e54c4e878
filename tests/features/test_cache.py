import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.registry import get_backbone

VECTOR = np.arange(20, dtype=np.float32)


@pytest.fixture
def backbone() -> Backbone:
    return replace(get_backbone("resnet18"), input_size=8)


def entries(cache: FeatureCache) -> list[Path]:
    return [path for path in cache.root.rglob("*") if path.is_file()]


def test_what_was_kept_comes_back(tmp_path: Path, backbone: Backbone):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    cache = FeatureCache(tmp_path)
    cache.keep_features("net", "abc", VECTOR)
    cache.keep_pixels(backbone, "abc", pixels)
    later = FeatureCache(tmp_path)
    np.testing.assert_array_equal(later.features("net", "abc"), VECTOR)
    np.testing.assert_array_equal(later.pixels(backbone, "abc"), pixels)


def test_entries_of_other_networks_sizes_and_images_are_not_mixed_up(tmp_path: Path, backbone: Backbone):
    cache = FeatureCache(tmp_path)
    cache.keep_features("net", "abc", VECTOR)
    cache.keep_pixels(backbone, "abc", np.zeros((8, 8, 3), np.uint8))
    assert cache.features("other net", "abc") is None
    assert cache.features("net", "abd") is None
    assert cache.pixels(replace(backbone, input_size=16), "abc") is None
    assert cache.pixels(get_backbone("resnet18"), "abc") is None


def test_backbones_of_one_input_size_share_pixels(tmp_path: Path, backbone: Backbone):
    FeatureCache(tmp_path).keep_pixels(backbone, "abc", np.ones((8, 8, 3), np.uint8))
    assert FeatureCache(tmp_path).pixels(replace(get_backbone("resnet50"), input_size=8), "abc") is not None


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "zeros", "longer"])
def test_a_damaged_entry_counts_as_absent_and_can_be_written_again(damage: str, tmp_path: Path):
    cache = FeatureCache(tmp_path)
    cache.keep_features("net", "abc", VECTOR)
    (entry,) = entries(cache)
    data = entry.read_bytes()
    flipped = bytes([data[0] ^ 1]) + data[1:]
    ruin = {"truncated": data[:-7], "flipped": flipped, "empty": b"", "zeros": bytes(4), "longer": data + b"x"}
    entry.write_bytes(ruin[damage])
    assert cache.features("net", "abc") is None
    cache.keep_features("net", "abc", VECTOR)
    np.testing.assert_array_equal(cache.features("net", "abc"), VECTOR)


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path):
    cache = FeatureCache(tmp_path)
    for age, digest in enumerate(["new", "old", "older", "oldest"]):
        cache.keep_features("net", digest, VECTOR)
        for entry in entries(cache):
            if entry.name == digest:
                os.utime(entry, (1e9 - age, 1e9 - age))
    cache.features("net", "oldest")  # used again
    FeatureCache(tmp_path, limit=2 * 84).prune()
    assert {entry.name for entry in entries(cache)} == {"oldest", "new"}


def test_a_cache_keeps_to_its_limit_while_it_grows(tmp_path: Path):
    limit = 20 * 84
    cache = FeatureCache(tmp_path, limit=limit)
    for index in range(200):
        cache.keep_features("net", f"{index:03}", VECTOR)
        assert sum(entry.stat().st_size for entry in entries(cache)) <= limit + limit // 64 + 84
    assert cache.features("net", "199") is not None


def test_what_an_interrupted_writer_left_goes_like_any_old_entry(tmp_path: Path):
    cache = FeatureCache(tmp_path, limit=100)
    left = tmp_path / "features" / "net" / "ab" / "tmpx"
    left.parent.mkdir(parents=True)
    left.write_bytes(bytes(200))
    os.utime(left, (1e9, 1e9))
    cache.keep_features("net", "abc", VECTOR)
    assert [entry.name for entry in entries(cache)] == ["abc"]


def test_readers_beside_writers_see_whole_entries_or_none(tmp_path: Path):
    values = [np.full(2000, value, np.float32) for value in range(4)]
    read_back: list[np.ndarray] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            vector = FeatureCache(tmp_path).features("net", "abc")
            if vector is not None:
                read_back.append(vector)

    def write(value: int) -> None:
        for _ in range(50):
            FeatureCache(tmp_path).keep_features("net", "abc", values[value])

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(value,)) for value in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert read_back
    assert all(len(vector) == 2000 and (vector == vector[0]).all() for vector in read_back)
    assert [entry.name for entry in entries(FeatureCache(tmp_path))] == ["abc"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").touch()
    cache = FeatureCache(tmp_path / "file")
    cache.keep_features("net", "abc", VECTOR)
    assert cache.features("net", "abc") is None


def test_features_in_use_go_last_and_are_asked_for_when_room_is_short(tmp_path: Path, backbone: Backbone):
    asked: list[bool] = []

    def in_use() -> set[str]:
        asked.append(True)
        return {"old", "new"}

    cache = FeatureCache(tmp_path, in_use=in_use)
    pixels = np.zeros((backbone.input_size, backbone.input_size, 3), np.uint8)
    for age, name in enumerate(("new", "later", "old")):
        cache.keep_features("net", name, VECTOR)
        os.utime(next(entry for entry in entries(cache) if entry.name == name), (1000 - age, 1000 - age))
    cache.keep_pixels(backbone, "new", pixels)
    cache.prune()
    assert asked == []
    cache.limit = 2 * (VECTOR.nbytes + 4)
    cache.prune()
    assert sorted(entry.relative_to(tmp_path).as_posix() for entry in entries(cache)) == [
        "features/net/ne/new",
        "features/net/ol/old",
    ]
    cache.limit = VECTOR.nbytes + 4
    cache.prune()
    assert [entry.name for entry in entries(cache)] == ["new"]


def test_nothing_goes_while_it_cannot_be_told_what_is_in_use(tmp_path: Path):
    def in_use() -> set[str]:
        raise GadError("the database has been held by another program")

    cache = FeatureCache(tmp_path, limit=1, in_use=in_use)
    cache.keep_features("net", "abc", VECTOR)
    assert cache.features("net", "abc") is not None
