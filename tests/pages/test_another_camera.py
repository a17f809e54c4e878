"""Attributions, Another camera: asked for as a job, told as it was measured, mended in a table."""

from contextlib import closing
from dataclasses import replace

import pandas as pd
import pytest

from gad_core import wording
from gad_core.data.shifts import Shift
from gad_core.decision.working_point import cross_conformal
from gad_core.deployment.settings import ShiftSettings
from gad_core.deployment.words import borne, name_of, rests_on, sentence
from gad_core.workspace.shift_runs import (
    find_shift_study,
    study_on_dataset,
)
from tests.pages.script import metrics, run

PAGE, VIEW = "pages/attributions.py", {"view": "Another camera"}
SETTINGS = ShiftSettings(kinds=("blur", "bits"), n_normals=12, n_test=8)
SHIFT = Shift("bits", 4)


def texts(app):
    return [one.value.replace("\u2060", "").replace("\\", "") for one in (*app.markdown, *app.caption)]


@pytest.fixture(scope="module")
def reading(home, ids):
    """The detector's own tuning with its cross-conformal threshold at 5 %, which the page shows."""
    from pages.shared import resources

    store = resources.store()
    detector = resources.detector(store.detectors.get(ids["detector"]))
    point = cross_conformal(detector.left_out_scores(detector.tuning), 0.05)
    return {"tuning": detector.tuning, "point": point, "cache": store.feature_cache()}


@pytest.fixture(scope="module")
def study(ids, reading):
    from pages.shared import resources

    store = resources.store()
    return find_shift_study(store, study_on_dataset(store, ids["data"], ids["detector"], SETTINGS, **reading))


def test_it_is_asked_for_with_the_kinds_that_are_chosen(home, ids, reading):
    from pages.shared import resources

    app = run(PAGE, **ids, **VIEW)
    assert any("60 shifts: 2,760 pictures" in text for text in texts(app))
    assert any("The same images as another lens" in text for text in texts(app))
    app.button_group(key="shift_kinds").set_value(["bits"]).run()
    app.button(key="try_cameras").click().run()
    job = next(job for job in resources.jobs().recent(3) if job.kind == "shift")
    assert resources.jobs().wait(job.id, 200).error is None
    app = run(PAGE, **ids, **VIEW)
    assert any("**Bit depth**" in text for text in texts(app))
    assert app.button(key="try_cameras").label == "Try them again"


def test_what_was_found_is_told_kind_by_kind(home, ids, study):
    app = run(PAGE, **ids, **VIEW)
    told = texts(app)
    for words in (sentence(study), rests_on(study), *map(borne, study.tolerances)):
        assert words in told
    shown = metrics(app)
    assert shown["Reacts most to"] == name_of(study.tolerances[0].kind)
    assert shown["Flagged as they are"] == wording.percent(study.unshifted.whole.left_out.value)
    assert shown["Success rests on"] == (name_of(study.culprit.shift.kind) if study.culprit else "No shift")
    (table,) = [table.value for table in app.table if "holds up to" in table.value]
    assert list(table["kind"]) == [name_of(one.kind) for one in study.tolerances]


def test_the_steps_are_a_csv_of_rates_with_their_intervals(study):
    from io import BytesIO

    from pages.views.attributions.camera.results import _csv

    with closing(BytesIO(_csv(study))) as stream:
        rows = pd.read_csv(stream)
    assert len(rows) == 1 + len(study.steps)
    assert rows["kind"][0] == "none"
    (row,) = rows[(rows["kind"] == "bits") & (rows["strength"] == 4)].to_dict("records")
    step = next(step for step in study.steps if step.shift == SHIFT)
    assert (row["left_out_value"], row["left_out_n"]) == (step.whole.left_out.value, 12)
    assert row["auroc_indifferent"] == pytest.approx(step.indifference.area.value)


def test_a_part_is_shown_as_it_is_and_at_three_strengths(home, ids, study):
    app = run(PAGE, **ids, **VIEW)
    app.selectbox(key="seen_kind").set_value("bits").run()
    shown = [text for text in texts(app) if text.endswith("% flagged")]
    assert len(shown) == 4
    assert shown[0].startswith("as it is: ")
    assert all("bits a channel: " in text for text in shown[1:])


def test_remedies_are_tried_against_the_step_that_is_chosen(home, ids, study, reading):
    from pages.shared import resources

    app = run(PAGE, **ids, **VIEW)
    app.selectbox(key="remedy_kind").set_value("bits").run()
    app.selectbox(key="remedy_strength").set_value(4.0).run()
    app.button(key="try_remedies").click().run()
    job = next(job for job in resources.jobs().recent(3) if job.title == f"Remedies against {SHIFT}")
    assert resources.jobs().wait(job.id, 280).error is None
    app = run(PAGE, **ids, **VIEW)
    app.selectbox(key="remedy_kind").set_value("bits").run()
    app.selectbox(key="remedy_strength").set_value(4.0).run()
    table, _ = [table.value for table in app.table if "remedy" in table.value]
    assert table["remedy"].iloc[0] == "As it is"
    assert table["remedy"].iloc[-1].startswith("Copies merged into the fit: 6, 5 and 4 bits")
    assert any("of the good parts are flagged as it is (n = 30)" in text for text in texts(app))
    app.selectbox(key="remedy_kind").set_value("blur").run()
    assert not [table for table in app.table if "remedy" in table.value]


def test_another_threshold_has_no_study_yet(home, ids, study):
    assert any("**Tolerances**" in text for text in texts(run(PAGE, **ids, **VIEW)))
    app = run(PAGE, **ids, **VIEW, fpr="10")
    assert not any("**Tolerances**" in text for text in texts(app))


def test_without_a_kind_and_for_copies_nothing_is_tried(home, ids, study):
    from gad_core.data.augment_settings import Augmentation
    from gad_core.gaussian.settings import Augmented
    from pages.shared import resources
    from pages.views.attributions.another_camera import _hindrance

    app = run(PAGE, **ids, **VIEW)
    app.button_group(key="shift_kinds").set_value([]).run()
    assert app.button(key="try_cameras").disabled
    assert any("Choose at least one kind" in text for text in texts(app))
    store = resources.store()
    test = resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))
    copies = replace(test.detector.settings, augmented=Augmented(Augmentation(), 2))
    augmented = replace(test, detector=replace(test.detector, settings=copies))
    assert "fit without copies" in _hindrance(augmented, SETTINGS)
    assert _hindrance(test, SETTINGS) == ""
