"""Every step of Fig. 5 comes as often, and as far, as it says; the same copy whenever it is made."""

import hashlib
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage, stats

from gad_core.data.augment import Pass, draw
from gad_core.data.augment_settings import FIG_5, PRESETS, STEPS, Augmentation, parse_step, preset
from gad_core.errors import GadError

DRAWS = 3000
ALWAYS = replace(FIG_5, apply=1.0)
LEVEL = 1e-4  # of each test of a distribution


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    return (
        np.asarray(ndimage.gaussian_filter(rng.uniform(0, 255, (64, 64, 3)), (2, 2, 0)) * 1.5)
        .clip(0, 255)
        .astype(np.uint8)
    )


def digest(index: int) -> str:
    return hashlib.sha256(str(index).encode()).hexdigest()


def drawn(settings: Augmentation) -> list[list]:
    return [list(Pass(settings, index).moves(digest(7))) for index in range(DRAWS)]


def step_of(name: str) -> str:
    groups = {
        "blur": ("motion blur", "median blur", "box blur"),
        "tone": ("CLAHE", "sharpen", "emboss", "brightness"),
    }
    return next((step for step, names in groups.items() if name in names), name)


def numbers(settings: Augmentation, name: str) -> np.ndarray:
    return np.array([move.numbers for moves in drawn(settings) for move in moves if move.name == name])


def test_half_of_the_samples_pass_through_the_pipeline():
    touched = sum(bool(draw(replace(FIG_5, flip=1.0), np.random.default_rng(i))) for i in range(DRAWS))
    assert stats.binomtest(touched, DRAWS, 0.5).pvalue > LEVEL


@pytest.mark.parametrize(
    ("step", "share"),
    list(zip(STEPS, (0.2, 0.3, 0.3, 0.2, 0.5, 0.5, 0.2), strict=True)),
)
def test_each_step_comes_as_often_as_fig_5_says(step, share):
    times = sum(step in {step_of(move.name) for move in moves} for moves in drawn(ALWAYS))
    assert stats.binomtest(times, DRAWS, share).pvalue > LEVEL


@pytest.mark.parametrize(
    ("step", "weights"),
    [
        ("blur", {"motion blur": 0.5, "median blur": 0.25, "box blur": 0.25}),
        ("tone", {"CLAHE": 0.25, "sharpen": 0.25, "emboss": 0.25, "brightness": 0.25}),
    ],
)
def test_one_of_several_is_chosen_by_weight(step, weights):
    names = [moves[0].name for moves in drawn(ALWAYS.alone(step))]
    counts = [names.count(name) for name in weights]
    assert sum(counts) == DRAWS
    assert stats.chisquare(counts, [DRAWS * weight for weight in weights.values()]).pvalue > LEVEL


@pytest.mark.parametrize(
    ("step", "name", "column", "low", "high"),
    [
        ("tone", "CLAHE", 0, 1, 2),
        ("tone", "sharpen", 0, 0.2, 0.5),
        ("tone", "sharpen", 1, 0.5, 1),
        ("tone", "emboss", 0, 0.2, 0.5),
        ("tone", "emboss", 1, 0.2, 0.7),
        ("tone", "brightness", 0, -0.1, 0.2),
        ("tone", "brightness", 1, -0.2, 0.2),
        ("colour", "colour", 0, -10, 10),
        ("colour", "colour", 1, -30, 30),
        ("colour", "colour", 2, -10, 20),
        ("noise", "noise", 0, 0.01, 0.03),
        ("affine", "affine", 0, -0.05, 0.05),
        ("affine", "affine", 1, -0.05, 0.05),
        ("affine", "affine", 2, 0.95, 1.1),
        ("affine", "affine", 3, -45, 45),
    ],
)
def test_numbers_are_uniform_over_the_ranges_of_fig_5(step, name, column, low, high):
    values = numbers(ALWAYS.alone(step), name)[:, column]
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > LEVEL


def test_quarter_turns_kernels_and_channels_are_equally_likely():
    for step, name, column, values in (
        ("quarter_turn", "quarter_turn", 0, (0, 1, 2, 3)),
        ("blur", "motion blur", 0, (3, 5, 7)),
        ("noise", "noise", 1, (1, 3)),
    ):
        drawn = numbers(ALWAYS.alone(step), name)[:, column]
        counts = [int((drawn == value).sum()) for value in values]
        assert sum(counts) == len(drawn)
        assert stats.chisquare(counts).pvalue > LEVEL


def test_steps_come_in_the_order_of_fig_5():
    for moves in drawn(replace(ALWAYS, **dict.fromkeys(STEPS, 1.0)))[:20]:
        assert [step_of(move.name) for move in moves] == list(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_an_excluded_step_changes_nothing(step, pixels):
    for index in range(50):
        np.testing.assert_array_equal(Pass(ALWAYS.without(step).alone(step), index)(digest(1), pixels), pixels)
        assert step not in {step_of(move.name) for move in Pass(ALWAYS.without(step), index).moves(digest(1))}


@pytest.mark.parametrize(
    ("category", "excluded"),
    [("metal_nut", "flip"), ("pill", "flip"), ("capsule", "flip"), ("screw", "flip"), ("transistor", "quarter_turn")],
)
def test_presets_leave_out_what_would_be_an_anomaly(category, excluded):
    assert [step for step in STEPS if not getattr(preset(category), step)] == [excluded]


def test_presets_turn_less_where_parts_stand_upright():
    upright = {"bottle", "cable", "capsule", "metal_nut", "pill", "screw", "toothbrush", "transistor", "wood", "zipper"}
    assert {name for name, settings in PRESETS.items() if settings.rotation == 15} == upright
    grid = numbers(replace(preset("grid"), apply=1.0).alone("affine"), "affine")
    assert np.abs(grid[:, [0, 1, 3]]).max() == 0
    assert grid[:, 2].min() >= 0.95
    assert grid[:, 2].max() <= 1
    assert preset("tile") == preset("my own parts") == FIG_5


def test_a_copy_is_the_same_in_any_order(pixels):
    forward = [Pass(ALWAYS, index)(digest(3), pixels) for index in range(12)]
    backward = [Pass(ALWAYS, index)(digest(3), pixels) for index in reversed(range(12))]
    np.testing.assert_array_equal(forward, backward[::-1])
    assert len({copy.tobytes() for copy in forward}) == 12
    assert Pass(ALWAYS, 0, seed=1)(digest(3), pixels).tobytes() != forward[0].tobytes()


def _copies(pixels: np.ndarray) -> list[bytes]:
    return [Pass(ALWAYS, index)(digest(3), pixels).tobytes() for index in range(6)]


def test_a_copy_is_the_same_in_another_process(pixels):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_copies, (pixels,)) == _copies(pixels)


def test_keys_tell_copies_apart():
    passes = [Pass(FIG_5, 0), Pass(FIG_5, 1), Pass(FIG_5, 0, seed=1), Pass(FIG_5.without("flip"), 0)]
    assert len({one.key(digest(i)) for one in passes for i in range(3)} | {digest(i) for i in range(3)}) == 15


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("median blur", lambda pixels: np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(3)))),
        ("box blur", lambda pixels: np.asarray(Image.fromarray(pixels).filter(ImageFilter.BoxBlur(1)))),
    ],
)
def test_blurs_are_those_of_pillow_away_from_the_border(name, oracle, pixels):
    (move,) = next(moves for moves in drawn(ALWAYS.alone("blur")) if moves[0].name == name)
    ours, theirs = (np.asarray(values, int)[4:-4, 4:-4] for values in (move.pixels(pixels), oracle(pixels)))
    assert np.abs(ours - theirs).max() <= 1


def test_kernels_keep_flat_areas_or_raise_them_as_they_should():
    flat = np.full((16, 16, 3), 100, np.uint8)
    for name, gain in (
        ("motion blur", lambda _: 1),
        ("sharpen", lambda n: 1 + n[0] * (n[1] - 1)),
        ("emboss", lambda _: 1),
    ):
        step = step_of(name)
        (move,) = next(moves for moves in drawn(ALWAYS.alone(step)) if moves[0].name == name)
        assert np.abs(move.pixels(flat).astype(float) - 100 * gain(move.numbers)).max() <= 1


def test_noise_has_its_deviation_and_may_be_shared_by_the_channels():
    grey = np.full((256, 256, 3), 128, np.uint8)
    for moves in drawn(ALWAYS.alone("noise"))[:12]:
        sigma, channels, _ = moves[0].numbers
        change = moves[0].pixels(grey).astype(float) - 128
        assert change.std() == pytest.approx(np.hypot(255 * sigma, 12**-0.5), rel=0.02)
        assert np.all(change[..., 0] == change[..., 1]) == (channels == 1)


def test_hue_goes_round_and_value_is_bounded():
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    for moves in drawn(ALWAYS.alone("colour"))[:40]:
        hue, _, value = moves[0].numbers
        changed = moves[0].pixels(red)[0, 0].astype(int)
        assert changed[0] == pytest.approx(min(255, 255 + value), abs=2)
        assert (changed[1] >= changed[2]) == (round(hue) >= 0) or abs(hue) < 1


def test_masks_follow_the_geometry_and_nothing_else():
    mask = np.zeros((64, 64), bool)
    mask[10:24, 30:52] = True
    pixels = np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255
    moving = replace(ALWAYS.without("blur", "tone", "colour", "noise"), flip=1.0, quarter_turn=1.0, affine=1.0)
    for index in range(30):
        one = Pass(moving, index)
        moved = one.mask(digest(5), mask)
        assert np.mean(moved != (one(digest(5), pixels)[..., 0] > 127)) < 1e-9
        assert 0.8 * mask.sum() < moved.sum() < 1.4 * mask.sum()
    still = Pass(ALWAYS.without("flip", "quarter_turn", "affine"), 0)
    np.testing.assert_array_equal(still.mask(digest(5), mask), mask)


def test_a_quarter_turn_is_that_of_numpy_and_a_shift_moves_by_its_share(pixels):
    for moves in drawn(ALWAYS.alone("quarter_turn"))[:8]:
        np.testing.assert_array_equal(moves[0].pixels(pixels), np.rot90(pixels, int(moves[0].numbers[0])))
    shifting = replace(ALWAYS.alone("affine"), shrink=0.0, grow=0.0, rotation=0.0)
    (move,) = Pass(shifting, 0).moves(digest(0))
    right, down = move.numbers[:2]
    expected = ndimage.shift(pixels.astype(float), (64 * down, 64 * right, 0), order=1, mode="mirror")
    assert np.abs(move.pixels(pixels)[4:-4, 4:-4] - expected[4:-4, 4:-4]).max() < 3


@pytest.mark.parametrize(
    ("change", "words"),
    [({"blur": 1.2}, "between 0 and 1"), ({"shift": 1.0}, "shift and shrink"), ({"rotation": -1.0}, "not be negative")],
)
def test_impossible_settings_are_refused(change, words):
    with pytest.raises(GadError, match=words):
        replace(FIG_5, **change)


def test_settings_survive_a_file_and_unknown_names_are_refused():
    settings = preset("screw")
    assert Augmentation.from_json(settings.to_json()) == settings
    with pytest.raises(GadError, match="'fog'"):
        Augmentation.from_json({"fog": 1.0})
    with pytest.raises(GadError, match="no step"):
        parse_step("fog")
