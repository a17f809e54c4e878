"""Scores of three kinds of images, as a detector might give them."""

import numpy as np
import pytest

from gad_core.figures import DEFECT, LEFT_OUT, NORMAL


@pytest.fixture
def groups():
    rng = np.random.default_rng(1)
    return {
        "left-out good": (rng.lognormal(3, 0.2, 209), LEFT_OUT),
        "good test": (rng.lognormal(3, 0.2, 20), NORMAL),
        "defects": (rng.lognormal(4, 0.5, 63), DEFECT),
    }
