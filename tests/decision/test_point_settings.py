"""A detector's own settings: those adopted, else its tuning with the defaults."""

from gad_core.decision.point_settings import PointSettings
from gad_core.gaussian.pooling import Pool
from gad_core.gaussian.tuning import Tuning, WorkingPoint


def test_an_adopted_threshold_says_level_method_and_target():
    point = WorkingPoint("chi2", 0.003, 12.0, 200, "by hand", level="7")
    assert PointSettings.of(Tuning((6, 7)), point) == PointSettings(Tuning((6, 7)), "7", "chi2", 0.003)


def test_without_one_a_sum_is_read_as_a_sum_and_a_single_level_by_its_number():
    assert PointSettings.of(Tuning((6, 7)), None) == PointSettings(Tuning((6, 7)), "sum", "cross-conformal", 0.05)
    assert PointSettings.of(Tuning((7,)), None).level == "7"


def test_the_regions_of_one_level_are_not_that_level_of_the_whole_image():
    assert PointSettings.of(Tuning((7,), pool=Pool("max")), None).level == "sum"
