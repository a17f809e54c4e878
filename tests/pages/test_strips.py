"""The pictures on the cards: what the data set holds, what the demo would draw, and nothing where nothing is."""

import numpy as np
import pytest
from PIL import Image

from gad_core.data.demo import CATEGORIES, photo
from gad_core.data.demo.cheats import CHEATS
from gad_core.workspace.imports import add_folder
from pages.shared import resources, strips


def thirds(strip: np.ndarray) -> list[np.ndarray]:
    return np.split(strip.astype(float), 3, axis=1)


def blocks(pixels: np.ndarray, side: int) -> np.ndarray:
    """Means over the square blocks that become a pixel each; the image's side is a multiple of `side`."""
    size = len(pixels) // side
    return pixels.reshape(side, size, side, size, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_demo_card_shows_a_part_as_the_demo_draws_it_and_two_defects(category):
    good, *defects = thirds(strips.of_demo(category))
    drawn = photo(CHEATS[category].part if category in CHEATS else category, "train", "good", 0).pixels
    assert good.mean(axis=(0, 1)) == pytest.approx(drawn.mean(axis=(0, 1)), abs=1)
    assert all(np.abs(defect - good).max() > 20 for defect in defects)


def test_a_data_set_card_shows_its_first_three_good_parts(home, tmp_path):
    folder = tmp_path / "parts" / "train" / "good"
    folder.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (4, 192, 192, 3), np.uint8)
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    row = add_folder(resources.store(), folder.parents[1])
    for tile, pixels in zip(thirds(strips.of_dataset(row)), images[:3], strict=True):
        np.testing.assert_allclose(tile, blocks(pixels.astype(float), len(tile)), atol=1)  # Pillow rounds twice


def test_a_data_set_whose_folder_is_gone_has_no_picture(home, stripes, tmp_path):
    copy = tmp_path / "gone"
    (copy / "train" / "good").mkdir(parents=True)
    picture = copy / "train" / "good" / "0.png"
    picture.write_bytes(next((stripes / "train" / "good").iterdir()).read_bytes())
    row = add_folder(resources.store(), copy)
    picture.unlink()
    assert strips.of_dataset(row) is None
