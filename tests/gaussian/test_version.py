"""A fit has one name, whoever made it and however it is read."""

from dataclasses import replace

from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.gaussian.version import fit_version


def test_other_images_settings_or_weights_are_another_version_and_another_tuning_is_not():
    settings = FitSettings(seed=1)
    one = fit_version(settings, "w", ["a", "b"], ["c"])
    assert fit_version(replace(settings, tuning=Tuning((7,)), regions="auto"), "w", ["a", "b"], ["c"]) == one
    others = [
        fit_version(replace(settings, seed=2), "w", ["a", "b"], ["c"]),
        fit_version(settings, "v", ["a", "b"], ["c"]),
        fit_version(settings, "w", ["a"], ["b", "c"]),
        fit_version(settings, "w", ["a", "b"]),
    ]
    assert len({one, *others}) == 5


def test_a_file_names_the_version_without_being_read_whole(detector, tmp_path):
    detector.save(tmp_path / "one.gad")
    assert read_summary(tmp_path / "one.gad").version == load_detector(tmp_path / "one.gad").version == detector.version
