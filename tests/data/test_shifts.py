"""Shifts of a photo: nothing at no strength, what SciPy, Pillow and NumPy say at others, the same whenever made."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from gad_core.data.images import resize
from gad_core.data.rendering import blurred
from gad_core.data.shifts import KINDS, SCALES, Shift, steps
from gad_core.errors import GadError

DIGEST, OTHER = "5f" * 32, "a7" * 32
SIDE = 64


@pytest.fixture(scope="module")
def photo():
    """Soft structure with some grain, away from black and white."""
    rng = np.random.default_rng(0)
    pixels = ndimage.gaussian_filter(rng.normal(0, 250, (SIDE, 80, 3)), (2, 2, 0)) + rng.normal(128, 4, (SIDE, 80, 3))
    return np.rint(pixels).clip(40, 215).astype(np.uint8)


def made(photo, kind, strength, *, digest=DIGEST, input_size=SIDE):
    return Shift(kind, strength)(digest, photo, input_size=input_size)


@pytest.mark.parametrize("kind", KINDS)
def test_without_strength_a_photo_is_itself(photo, kind):
    shift = Shift(kind, SCALES[kind].none)
    assert shift.is_none
    assert shift(DIGEST, photo, input_size=SIDE) is photo


@pytest.mark.parametrize("kind", KINDS)
def test_steps_go_from_weak_to_strong_and_leave_shape_and_original_alone(photo, kind):
    before, changes = photo.copy(), []
    for shift in steps(kind):
        found = shift(DIGEST, photo, input_size=SIDE)
        assert found.shape == photo.shape
        assert found.dtype == np.uint8
        changes.append(np.abs(found.astype(float) - photo).mean())
    assert changes == sorted(changes)
    assert 0 < changes[2] < changes[-1]  # a per cent of so small a photo may be no whole pixel
    assert np.array_equal(photo, before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_is_changed_the_same_whenever_and_goes_through_json(photo, kind):
    shift = steps(kind)[-1]
    first = shift(DIGEST, photo, input_size=SIDE)
    shift(OTHER, photo, input_size=SIDE)
    again = Shift.from_json(shift.to_json())
    assert again == shift
    assert np.array_equal(again(DIGEST, photo, input_size=SIDE), first)


def test_noise_differs_between_photos_and_grows_in_one_pattern(photo):
    weak, strong = (made(photo, "noise", sigma).astype(float) - photo for sigma in (4, 8))
    assert strong.std() == pytest.approx(8, rel=0.03)
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99
    other = made(photo, "noise", 8, digest=OTHER).astype(float) - photo
    assert abs(np.corrcoef(other.ravel(), strong.ravel())[0, 1]) < 0.05


def test_a_softer_lens_leaves_the_sensors_noise_as_white_and_as_strong_as_it_was():
    rng = np.random.default_rng(3)
    noisy = np.rint(128 + rng.normal(0, 6, (129, 128, 3))).astype(np.uint8)  # nothing before the lens
    soft, blurred_after = (made(noisy, kind, 1.0, input_size=128).astype(float) - 128 for kind in ("lens", "blur"))
    assert soft.std() == pytest.approx(6, rel=0.03)
    assert abs(np.corrcoef(soft[:, 1:].ravel(), soft[:, :-1].ravel())[0, 1]) < 0.03
    assert blurred_after.std() < 2.5


def test_a_softer_lens_before_a_scene_without_noise_is_a_blur():
    ramp = np.repeat((np.arange(64, dtype=np.uint8) * 3)[:, None, None], 64, axis=1).repeat(3, axis=2)
    ramp[20:40] += 30  # edges along the rows: no diagonal details
    assert np.array_equal(made(ramp, "lens", 1.5), made(ramp, "blur", 1.5))


@pytest.mark.parametrize("sigma", [0.3, 0.8, 2.0])
def test_blur_has_the_variance_that_it_says_and_keeps_the_mean(sigma):
    point = np.zeros((65, 65, 3), np.uint8)
    point[32, 32] = 255
    x = np.arange(65) - 32
    spread = blurred(point, sigma)[..., 0]
    assert spread.sum() == pytest.approx(255, rel=1e-5)
    assert (spread * x**2).sum() / spread.sum() == pytest.approx(sigma**2, rel=1e-3)


def test_blur_is_scipys_gaussian_in_pixels_of_the_networks_input(photo):
    found = made(photo, "blur", 1, input_size=SIDE // 2)  # two pixels of the photo
    expected = ndimage.gaussian_filter(photo.astype(float), (2, 2, 0), mode="mirror", truncate=6)
    assert np.abs(found - expected).max() < 2
    assert found.mean() == pytest.approx(photo.mean(), abs=0.1)


def test_one_blur_after_another_is_that_of_the_summed_variance(photo):
    twice = made(made(photo, "blur", 1.2), "blur", 1.6)
    assert np.abs(twice.astype(int) - made(photo, "blur", 2.0)).max() <= 1


def test_an_unsharp_mask_moves_as_far_as_its_blur_the_other_way(photo):
    blurred, sharp = (made(photo, kind, strength).astype(int) for kind, strength in (("blur", 1), ("sharpening", 100)))
    inside = (sharp > 0) & (sharp < 255)
    assert np.abs((sharp + blurred - 2 * photo.astype(int))[inside]).max() <= 1


def test_a_compressed_photo_is_what_pillow_reads_from_its_jpeg(photo):
    stream = BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=70)
    assert np.array_equal(made(photo, "jpeg", 70), np.asarray(Image.open(stream)))


def test_resizing_goes_through_the_small_photo_by_its_kernel(photo):
    small = Image.fromarray(photo).resize((40, 32), Image.Resampling.BILINEAR)
    expected = np.asarray(small.resize((80, 64), Image.Resampling.BILINEAR))
    assert np.array_equal(made(photo, "bilinear", 50), expected)
    blocks = made(photo, "nearest", 50)
    assert np.array_equal(blocks[::2, ::2], blocks[1::2, 1::2])
    others = [made(photo, kind, 50) for kind in ("nearest", "bilinear", "bicubic", "lanczos")]
    assert len({other.tobytes() for other in others}) == 4


@pytest.mark.parametrize("bits", [1, 3, 7])
def test_bit_depth_leaves_that_many_levels_evenly_from_black_to_white(bits):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    values = np.unique(made(ramp, "bits", bits, input_size=1))
    assert len(values) == 2**bits
    assert (values[0], values[-1]) == (0, 255)
    assert np.abs(np.diff(values.astype(int)) - 255 / (2**bits - 1)).max() <= 1


def test_colour_and_tone_go_by_their_percentages_one_way_or_the_other(photo):
    red, green, blue = (made(photo, "white balance", 10).astype(float) / photo).mean(axis=(0, 1))
    assert sorted((red, blue)) == pytest.approx([0.9, 1.1], abs=0.01)
    assert green == 1
    gain = (made(photo, "brightness", 10).astype(float) / photo).mean()
    assert min(abs(gain - 0.9), abs(gain - 1.1)) < 0.01
    flat = made(photo, "contrast", 20)
    assert flat.mean() == pytest.approx(photo.mean(), abs=0.6)
    assert min(abs(flat.std() / photo.std() - ratio) for ratio in (0.8, 1.2)) < 0.02
    ways = {made(photo, "brightness", 10, digest=f"{i:02x}" * 32).mean() > photo.mean() for i in range(20)}
    assert ways == {True, False}


def test_a_position_is_off_by_whole_pixels_in_any_direction(photo):
    found = made(photo, "position", 10)  # 6.4 of 64 pixels
    inner = slice(8, -8)
    moves = {
        (down, across)
        for down in range(-7, 8)
        for across in range(-7, 8)
        if np.array_equal(found[inner, inner], np.roll(photo, (down, across), axis=(0, 1))[inner, inner])
    }
    ((down, across),) = moves
    assert np.hypot(down, across) == pytest.approx(6.4, abs=1)


def test_a_turn_is_scipys_about_the_middle(photo):
    square = np.ascontiguousarray(photo[:, 8:72])
    found = made(square, "rotation", 8).astype(float)
    errors = []
    for sign in (1, -1):
        turned = ndimage.rotate(square.astype(float), sign * 8, axes=(1, 0), reshape=False, order=3, mode="mirror")
        errors.append(np.abs(turned - found)[8:-8, 8:-8].mean())
    assert min(errors) < 1 < max(errors)


def test_what_cannot_be_done_is_refused():
    with pytest.raises(GadError, match="there is no shift 'fog'; choose from lens, blur"):
        Shift("fog", 1)
    with pytest.raises(GadError, match="the strength of JPEG compression lies between 1 and 100, got 0"):
        Shift("jpeg", 0)
    with pytest.raises(GadError, match="the strength of blur lies between 0 and 50"):
        Shift("blur", float("nan"))


def test_a_shift_says_itself_in_words():
    said = [str(Shift(*one)) for one in (("blur", 0.8), ("jpeg", 70), ("rotation", 2), ("bits", 6))]
    assert said == ["0.8 px of blur", "JPEG 70", "a turn of 2°", "6 bits a channel"]


def test_the_network_sees_as_much_blur_of_a_large_photo_as_of_a_small_one():
    rng = np.random.default_rng(1)
    small = np.rint(ndimage.gaussian_filter(rng.normal(128, 400, (64, 64, 3)), (2, 2, 0))).clip(0, 255)
    large = np.kron(small, np.ones((4, 4, 1))).astype(np.uint8)
    changes = [
        np.abs(resize(made(one, "blur", 1, input_size=64), 64).astype(float) - resize(one, 64)).mean()
        for one in (small.astype(np.uint8), large)
    ]
    assert changes[1] == pytest.approx(changes[0], rel=0.1)
