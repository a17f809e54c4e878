"""Oracle: a network whose features are the mean colour of the resized image, worked out with Pillow and numpy."""

import threading
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.images import content_digest
from gad_core.errors import Cancelled, GadError
from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache
from gad_core.features.extract import extract, load_pixels
from gad_core.features.frozen import Network, Pixels, Vector
from gad_core.features.regions import Regions, region_weights

Photos = Callable[..., ImageSet]
SIZE = 8


class MeanColour:
    """Counts what it runs; like the real engines it draws a few images ahead."""

    def __init__(self, fingerprint: str = "mean colour") -> None:
        self.network = Network(Backbone("mean", "mean", "other", (3,), SIZE), nn.Identity, fingerprint)
        self.ran = 0

    def stream(
        self, pixels: Iterable[Pixels], *, regions: Regions | None = None, **_: object
    ) -> Generator[Vector, None, None]:
        ahead: list[Vector] = []
        for image in pixels:
            self.ran += 1
            vector = image.mean(axis=(0, 1))
            if regions:
                weights = region_weights(regions, SIZE, SIZE)
                vector = np.concatenate([vector, (weights @ image.reshape(-1, 3)).ravel()])
            ahead.append(vector.astype(np.float32))
            if len(ahead) > 3:
                yield ahead.pop(0)
        yield from ahead


def mean_colours(images: ImageSet) -> NDArray[np.float64]:
    small = [Image.open(file.path).resize((SIZE, SIZE), Image.Resampling.BILINEAR) for file in images]
    return np.stack([np.asarray(image, float).mean(axis=(0, 1)) for image in small])


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache")


def remove(images: ImageSet) -> None:
    for file in images:
        file.path.unlink(missing_ok=True)


def test_features_come_in_the_order_of_the_images(photos: Photos):
    images = photos(50)
    extraction = extract(images, MeanColour())
    np.testing.assert_allclose(extraction.features, mean_colours(images), rtol=1e-6)
    assert extraction.features.dtype == np.float32
    assert extraction.images == images


def test_a_second_extraction_reads_no_file_and_runs_nothing(photos: Photos, cache: FeatureCache):
    images, again = photos(40), MeanColour()
    first = extract(images, MeanColour(), cache=cache)
    remove(images)
    second = extract(images, again, cache=cache)
    np.testing.assert_array_equal(second.features, first.features)
    assert again.ran == 0


def test_regions_stand_behind_the_whole_and_are_kept_beside_it(photos: Photos, cache: FeatureCache):
    images, engine, regions = photos(12), MeanColour(), Regions(2, 2, (1,))
    whole = extract(images, engine, cache=cache).features
    first = extract(images, engine, regions=regions, cache=cache).features
    assert engine.ran == 24  # the whole alone says nothing of the regions
    np.testing.assert_array_equal(first[:, :3], whole)
    np.testing.assert_allclose(first[:, 3:].reshape(12, 4, 3).mean(axis=1), whole, rtol=1e-5)
    remove(images)
    np.testing.assert_array_equal(extract(images, engine, regions=regions, cache=cache).features, first)
    np.testing.assert_array_equal(extract(images, engine, cache=cache).features, whole)
    assert engine.ran == 24


def test_one_image_more_runs_once_more(photos: Photos, cache: FeatureCache):
    images, engine = photos(40), MeanColour()
    extract(images.where(np.arange(40) != 17), engine, cache=cache)
    engine.ran = 0
    extraction = extract(images, engine, cache=cache)
    np.testing.assert_allclose(extraction.features, mean_colours(images), rtol=1e-6)
    assert engine.ran == 1


def test_another_network_of_that_size_reads_no_file(photos: Photos, cache: FeatureCache):
    images, other = photos(10), MeanColour("another")
    extract(images, MeanColour(), cache=cache)
    expected = mean_colours(images)
    remove(images)
    np.testing.assert_allclose(extract(images, other, cache=cache).features, expected, rtol=1e-6)
    assert other.ran == 10


def test_equal_files_run_once(photos: Photos, tmp_path: Path):
    images, engine = photos(3), MeanColour()
    twin = tmp_path / "twin.png"
    twin.write_bytes(images.files[0].path.read_bytes())
    images = ImageSet((*images.files, ImageFile(twin, content_digest(twin))))
    reports: list[tuple[int, int]] = []
    extraction = extract(images, engine, progress=lambda *report: reports.append(report))
    np.testing.assert_allclose(extraction.features, mean_colours(images), rtol=1e-6)
    assert engine.ran == 3
    assert reports[-1] == (4, 4)


def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(photos: Photos, cache: FeatureCache):
    images = photos(40)
    missing, changed, damaged = images.files[0], images.files[20], images.files[39]
    missing.path.unlink()
    changed.path.write_bytes(images.files[1].path.read_bytes())
    damaged.path.write_bytes(damaged.path.read_bytes()[:100])
    images = ImageSet((*images.files[:39], ImageFile(damaged.path, content_digest(damaged.path))))
    extraction = extract(images, MeanColour(), cache=cache)
    refused = {refusal.path: refusal.reason for refusal in extraction.images.refused}
    assert set(refused) == {str(missing.path), str(changed.path), str(damaged.path)}
    assert "cannot be read" in refused[str(missing.path)]
    assert "changed" in refused[str(changed.path)]
    assert "damaged" in refused[str(damaged.path)]
    assert len(extraction.images) == 37
    np.testing.assert_allclose(extraction.features, mean_colours(extraction.images), rtol=1e-6)


def test_where_nothing_can_be_read_there_are_no_features(photos: Photos):
    images = photos(5)
    remove(images)
    extraction = extract(images, MeanColour())
    assert extraction.features.shape == (0, 3)
    assert len(extraction.images.refused) == 5


def test_refusals_of_the_listing_are_kept(photos: Photos):
    from gad_core.data.datasets import Refusal

    listed = Refusal("notes.png", "not an image")
    images = ImageSet(photos(2).files, (listed,))
    remove(images.where([True, False]))
    assert extract(images, MeanColour()).images.refused[0] == listed
    assert len(extract(images, MeanColour()).images.refused) == 2


def test_no_images_give_no_features():
    assert extract(ImageSet(()), MeanColour()).features.shape == (0, 3)


def test_progress_rises_to_the_total_in_the_callers_thread(photos: Photos, cache: FeatureCache):
    images = photos(50)
    extract(images.where(np.arange(50) < 20), MeanColour(), cache=cache)
    images.files[30].path.unlink()
    reports: list[tuple[int, int]] = []
    threads: set[threading.Thread] = set()

    def progress(done: int, total: int) -> None:
        reports.append((done, total))
        threads.add(threading.current_thread())

    extract(images, MeanColour(), cache=cache, progress=progress)
    assert reports == [(done, 50) for done in range(20, 51)]
    assert threads == {threading.current_thread()}


def test_cancelling_ends_the_threads_and_keeps_what_was_done(photos: Photos, cache: FeatureCache, tmp_path: Path):
    images, engine = photos(100), MeanColour()

    def cancel(done: int, total: int) -> None:
        if done == 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        extract(images, engine, cache=cache, progress=cancel)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]
    kept = [file for file in images if cache.features("mean colour", file.digest) is not None]
    assert kept == list(images.files[:10])
    names = {file.digest for file in images}
    assert all(path.name in names for path in (tmp_path / "cache").rglob("*") if path.is_file())
    engine.ran = 0
    np.testing.assert_allclose(extract(images, engine, cache=cache).features, mean_colours(images), rtol=1e-6)
    assert engine.ran == 90


def test_a_failing_engine_ends_the_threads(photos: Photos):
    class Failing(MeanColour):
        def stream(self, pixels: Iterable[Pixels], **options) -> Generator[Vector, None, None]:
            regions = options["regions"]
            yield next(super().stream(pixels, regions=regions))
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        extract(photos(60), Failing())
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_pixels_are_those_that_the_network_sees(photos: Photos, cache: FeatureCache):
    images, backbone = photos(40), MeanColour().network.backbone
    expected = [Image.open(file.path).resize((SIZE, SIZE), Image.Resampling.BILINEAR) for file in images]
    np.testing.assert_array_equal(load_pixels(images, backbone, cache=cache), np.stack(expected))
    remove(images)
    np.testing.assert_array_equal(load_pixels(images, backbone, cache=cache), np.stack(expected))


def test_pixels_that_cannot_be_read_name_the_file(photos: Photos):
    images = photos(3)
    images.files[1].path.unlink()
    with pytest.raises(GadError, match=images.files[1].path.name):
        load_pixels(images, MeanColour().network.backbone)
