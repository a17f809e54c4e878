"""The Working point page's panel of synthetic defects: asked for, kept, and told as it was measured."""

import pytest

from gad_core.detectability.plan import SensitivitySettings
from gad_core.workspace.sensitivity_runs import find_study, measure_on_dataset
from tests.pages.script import run, set_target

PAGE = "pages/working_point.py"
SETTINGS = SensitivitySettings(kinds=("spot", "patch"), contrasts=(0.2, 0.4), sizes=(3, 9, 27))


@pytest.fixture(scope="module")
def study(home, ids):
    """Measured at the detector's own cross-conformal threshold at 5 %."""
    from gad_core.decision.working_point import cross_conformal
    from pages.shared import resources

    store = resources.store()
    detector = resources.detector(store.detectors.get(ids["detector"]))
    key = measure_on_dataset(
        store,
        ids["data"],
        ids["detector"],
        SETTINGS,
        tuning=detector.tuning,
        point=cross_conformal(detector.left_out_scores(detector.tuning), 0.05),
        cache=store.feature_cache(),
    )
    return find_study(store, key)


def texts(app):
    return [one.value.replace("\u2060", "").replace("\\", "") for one in (*app.markdown, *app.caption)]


def test_it_is_asked_for_with_what_is_chosen_and_then_shown(home, ids):
    from pages.shared import resources

    app = run(PAGE, **ids)
    assert any("Synthetic defects are not real ones" in text for text in texts(app))
    assert not any("Blind spots" in text for text in texts(app))
    app.button_group(key="drawn_contrasts").set_value([0.8]).run()
    assert any("392 pictures" in text for text in texts(app))
    app.button(key="draw_defects").click().run()
    job = next(job for job in resources.jobs().recent(3) if job.kind == "sensitivity")
    assert resources.jobs().wait(job.id, 200).error is None
    app = run(PAGE, **ids)
    assert any("Blind spots" in text for text in texts(app))
    assert any("Spot, contrast 0.8: " in text for text in texts(app))


def test_the_finding_tells_a90_and_its_bound(home, ids, study):
    app = run(PAGE, **ids)
    curve = next(one for one in study.curves if (one.kind, one.contrast) == ("spot", 0.4))
    told = next(text for text in texts(app) if "Synthetic defects are not real ones" in text)
    assert told.startswith("Spot, contrast 0.4: ")
    if curve.pod.a90 is not None:
        assert f"{curve.pod.a90:.3g} % of the side" in told
    else:
        assert curve.pod.note in told


def test_another_kind_has_curves_of_its_own(home, ids, study):
    app = run(PAGE, **ids)
    app.selectbox(key="pod_kind").set_value("patch").run()
    assert any("Misplaced patch: 90 of 100 are caught at contrast 0.2 from " in text for text in texts(app))


def test_settings_stand_in_the_order_of_the_study(home, ids, study):
    from gad_core import wording

    app = run(PAGE, **ids)
    (table,) = [table.value for table in app.table if "drawn defects caught" in table.value]
    names = [name.removesuffix(" (measured)") for name in table["setting"]]
    assert names == [wording.tuning(one.tuning) for one in study.ranking]
    assert sum(name.endswith("(measured)") for name in table["setting"]) == 1


def test_a_study_at_another_threshold_says_so(home, ids, study):
    app = run(PAGE, **ids)
    assert not any("Measured at" in text for text in texts(app))
    set_target(app, 10)
    assert any(f"threshold {study.point.threshold:.3g}; the controls show another" in text for text in texts(app))


def test_without_a_choice_nothing_is_drawn(home, ids, study):
    app = run(PAGE, **ids)
    app.button_group(key="drawn_kinds").set_value([]).run()
    assert app.button(key="draw_defects").disabled
    assert any("Choose at least one kind" in text for text in texts(app))


def test_a_fit_to_copies_is_not_offered_what_it_cannot_do(home, ids, study):
    from dataclasses import replace

    from gad_core.data.augment_settings import Augmentation
    from gad_core.decision.point_settings import PointSettings
    from gad_core.gaussian.settings import Augmented
    from pages.shared import resources
    from pages.views.working_point.sensitivity import _hindrance
    from pages.views.working_point.view import view_at

    store = resources.store()
    test = resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))
    copies = replace(test.detector.settings, augmented=Augmented(Augmentation(), 2))
    augmented = replace(test, detector=replace(test.detector, settings=copies))
    scores = resources.scores(test, test.detector.tuning)
    point = PointSettings.of(test.detector.tuning, None)
    assert "fit without copies" in _hindrance(view_at(augmented, point, scores), SETTINGS)
    assert _hindrance(view_at(test, point, scores), SETTINGS) == ""
