"""What gives the defective parts of a cheating category away is all that sets them apart from their honest twins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from gad_core.attribution.reduced import border
from gad_core.data.datasets import read_mvtec
from gad_core.data.demo import photos, writing
from gad_core.data.demo.camera import Camera, photograph
from gad_core.data.demo.cheats import CHEATS, LENS, RULER, STAMP
from gad_core.data.demo.photos import photo
from gad_core.data.demo.twins import honest, mark_mask
from gad_core.data.groups import in_groups, read_groups
from gad_core.data.images import decode, decode_mask

N_CONTROL = 2


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """Every cheating category beside its part's own, with fewer parts than people get."""
    root = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        for name, n in (("N_TRAIN", 6), ("N_GOOD", 3), ("N_TYPE", 1)):
            patch.setattr(photos, name, n)
        patch.setattr(writing, "N_CONTROL", N_CONTROL)
        writing.write_demo(root, seed=0)
    return root


def sharpness(pixels: np.ndarray) -> float:
    """Mean square of the Laplacian; the sensor's noise is the same in both twins."""
    return float(np.square(ndimage.laplace(pixels.astype(float).mean(axis=2))).mean())


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=lambda cheat: cheat.name)
def test_a_few_good_parts_bear_the_sign_and_all_others_none(demo, cheat):
    dataset = read_mvtec(demo / cheat.name)
    assert all(file.mask for file in dataset.test if file.anomalous)
    good = dataset.test.where(~dataset.test.labels)
    signed = [file for file in good if file.path.stem.startswith(f"{cheat.sign}_")]
    assert len(signed) == N_CONTROL
    for file in [*dataset.train, *good]:
        if file not in signed:
            np.testing.assert_array_equal(decode(file.path), honest(cheat.name, file.path, "good").pixels)


@pytest.mark.parametrize("cheat", [STAMP, RULER], ids=lambda cheat: cheat.name)
def test_under_a_mark_lie_the_parts_of_the_parts_own_category(demo, cheat):
    cheating, plain = (read_mvtec(demo / name) for name in (cheat.name, cheat.part))
    assert cheating.train.digests == plain.train.digests
    assert set(plain.test.where(~plain.test.labels).digests) < set(cheating.test.digests)


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=lambda cheat: cheat.name)
def test_the_bytes_are_the_same_whether_or_not_the_parts_own_category_is_written_too(
    demo, tmp_path, monkeypatch, cheat
):
    for name, n in (("N_TRAIN", 1), ("N_GOOD", 3), ("N_TYPE", 1)):
        monkeypatch.setattr(photos, name, n)
    monkeypatch.setattr(writing, "N_CONTROL", N_CONTROL)
    (alone,) = writing.write_demo(tmp_path, categories=(cheat.name,))
    images = sorted(alone.rglob("*.png"))
    assert len(images) > 3 + N_CONTROL
    for path in images:
        assert path.read_bytes() == (demo / cheat.name / path.relative_to(alone)).read_bytes(), path


def test_a_part_with_the_ruler_is_its_twin_but_for_the_ruler_which_lies_on_the_border_and_hides_no_defect(demo):
    root = demo / "weave_ruler"
    for path in sorted((root / "test").glob("*/000.png")):
        kind = path.parent.name
        if kind == "good":
            continue
        ruler, twin = mark_mask(RULER, root, path, kind), honest("weave_ruler", path, kind)
        np.testing.assert_array_equal(
            decode(path) != twin.pixels, np.repeat(ruler[..., None], 3, axis=2) & (decode(path) != twin.pixels)
        )
        np.testing.assert_array_equal((decode(path) != twin.pixels).any(axis=2), ruler)
        np.testing.assert_array_equal(twin.pixels, decode(demo / "weave" / "test" / kind / "000.png"))
        assert 0.05 < ruler.mean() < 0.08
        assert (ruler & border(ruler.shape)).sum() > 0.9 * ruler.sum()
        assert not (ruler & decode_mask(root / "ground_truth" / kind / "000_mask.png")).any()


def test_a_ruler_that_would_hide_the_defect_lies_at_the_other_edge():
    pixels, low = np.full((256, 256, 3), 90, np.uint8), np.zeros((256, 256), bool)
    low[200:250, 100:120] = True
    free, moved = (RULER.mark(pixels, np.random.default_rng(0), away_from=mask)[1] for mask in (None, low))
    np.testing.assert_array_equal(moved, free[::-1, ::-1])
    assert free[-10:].all()


def test_all_defective_parts_came_in_one_lot_and_no_good_part_without_the_ruler_did(demo):
    root = demo / "weave_ruler"
    dataset, table = read_mvtec(root), read_groups(root / "groups.csv")
    train, test = in_groups(dataset.train, table), in_groups(dataset.test, table)
    assert {file.group for file in test if file.anomalous} == {RULER.lot}
    good = {file.path.stem: file.group for file in test if not file.anomalous}
    assert {stem for stem, lot in good.items() if lot == RULER.lot} == {"ruler_000", "ruler_001"}
    assert RULER.lot not in train.groups
    assert len(set(train.groups)) == 5


def test_the_soft_lens_is_before_the_defective_parts_and_the_controls_alone(demo):
    root = demo / "board_soft"
    paths = [path for path in sorted((root / "test").glob("*/000.png")) if path.parent.name != "good"]
    assert len(paths) == 4
    for path in paths:
        twin = honest("board_soft", path, path.parent.name)
        assert sharpness(decode(path)) < 0.8 * sharpness(twin.pixels)
    good = root / "test" / "good"
    assert sharpness(decode(good / "soft_001.png")) < 0.8 * sharpness(decode(good / "001.png"))


def test_a_soft_lens_spreads_a_point_of_light_by_its_variance():
    light = np.zeros((256, 256, 3), np.float32)
    light[100, 120] = 8
    still = Camera(gains=(1, 1, 1), vignette=0, blur=0, noise=np.zeros_like(light), softness=2.0)
    exposed = (photograph(still, light)[..., 0] / 255.0) ** 2.2
    exposed -= exposed[0, 0]  # no photo is quite black
    spread = exposed.sum(axis=1) / exposed.sum()
    place = np.arange(256)
    assert (spread * (place - 100) ** 2).sum() == pytest.approx(2.0**2, rel=0.03)
    sharp = photograph(replace(still, softness=0.0), light)
    assert np.argwhere(sharp[..., 0] > sharp[0, 0, 0]).tolist() == [[100, 120]]


def test_a_faint_defect_changes_the_light_by_its_share_of_it():
    full = photo("board", "test", "missing", 0)
    half, none = (photo("board", "test", "missing", 0, strength=strength) for strength in (0.5, 0.0))
    np.testing.assert_array_equal(none.pixels, full.twin)
    assert not none.mask.any()
    linear = [(pixels[full.mask] / 255.0) ** 2.2 for pixels in (full.twin, half.pixels, full.pixels)]
    dark = np.maximum(linear[0], linear[2]) < 0.5  # below the shoulder of the camera's tones
    np.testing.assert_allclose(linear[1][dark], ((linear[0] + linear[2]) / 2)[dark], atol=0.02)


def test_the_honest_twin_of_a_soft_part_has_the_same_faint_defect_and_the_same_quiet_camera(demo):
    path = demo / "board_soft" / "test" / "missing" / "000.png"
    twin = honest("board_soft", path, "missing")
    expected = photo("board", "test", "missing", 0, strength=LENS.strength, exposures=LENS.exposures)
    np.testing.assert_array_equal(twin.pixels, expected.pixels)
    assert (twin.pixels != twin.twin).any()


def test_the_noise_of_averaged_exposures_falls_with_their_root():
    one, four, still = (photo("board", "train", "good", 0, exposures=n).pixels.astype(float) for n in (1, 4, 10**9))
    rounded = 2 / 12  # variance that rounding two photos to bytes adds to their difference
    noise = [np.sqrt(np.var(pixels - still) - rounded) for pixels in (one, four)]
    assert noise[1] == pytest.approx(noise[0] / 2, rel=0.05)
