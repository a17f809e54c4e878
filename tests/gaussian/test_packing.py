"""Values as 16-bit codes: off by half a step, and the same whenever they are read."""

import numpy as np

from gad_core.gaussian.packing import Packed

VALUES = (np.random.default_rng(0).normal(size=(300, 20)) * np.logspace(-6, 4, 20) + 3).astype(np.float32)


def test_values_are_off_by_half_a_step_at_most():
    spread = VALUES.max(axis=0) - VALUES.min(axis=0)
    rounding = np.spacing(np.abs(VALUES).max(axis=0))
    assert (np.abs(Packed.of(VALUES).values - VALUES) <= spread / 131_070 + 2 * rounding).all()


def test_two_bytes_a_value():
    packed = Packed.of(VALUES)
    assert packed.codes.nbytes == 2 * VALUES.size
    assert packed.values.dtype == np.float32


def test_a_column_that_never_varies_comes_back_as_it_was():
    constant = np.full((5, 3), [-2.5, 0.0, 1e30], np.float32)
    np.testing.assert_array_equal(Packed.of(constant).values, constant)
