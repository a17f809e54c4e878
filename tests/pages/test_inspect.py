"""New parts before the detector: judged, told by people, held against the promise, sent on."""

import io
import os
import shutil
import time
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from gad_core.gaussian.detector_file import load_detector
from gad_core.library.judging import score
from gad_core.workspace.store import Store
from tests.pages.script import metrics, run

PAGE = "pages/inspect.py"


@pytest.mark.browser
def test_parts_are_brought_judged_by_key_and_come_by_themselves(serve, fitted, tab, stripes, tmp_path):
    home, ids = tmp_path / "home", fitted[1]
    shutil.copytree(fitted[0], home)
    line = tmp_path / "line"
    line.mkdir()
    with serve(home) as url:
        page = tab()
        page.goto(f"{url}/inspect?{urlencode(ids)}")
        files = [stripes / "test/blot/000.png", stripes / "test/good/001.png"]
        page.locator(".st-key-inspect_files input[type=file]").set_input_files(files)
        page.get_by_role("button", name="Inspect", exact=True).click()
        metric = page.get_by_test_id("stMetric").filter(has_text="Parts inspected")
        expect(metric).to_contain_text("2")
        expect(page.get_by_text("Nobody has judged it yet.")).to_be_visible()
        page.get_by_test_id("stMain").get_by_text("Hand over").focus()
        page.keyboard.press("d")
        expect(metric).to_contain_text("1 judged by a person")
        page.get_by_role("tab", name="Watched folder").click()
        page.get_by_role("textbox", name="Path of a folder").fill(str(line))
        page.get_by_role("button", name="Watch", exact=True).click()
        expect(page.get_by_text("ago")).to_be_visible()
        shutil.copy(stripes / "test/blot/002.png", line / "new.png")
        expect(metric).to_contain_text("3")  # nobody pressed anything
        page.close()
    with serve(home) as url, Store(home) as store:
        shutil.copy(stripes / "test/blot/003.png", line / "later.png")
        deadline = time.monotonic() + 60
        names: list[str] = []
        while "later.png" not in names and time.monotonic() < deadline:
            time.sleep(0.1)
            names = [row.name for row in store.inspections.of([ids["detector"]])]
        assert names == ["000.png", "001.png", "new.png", "later.png"]  # and nobody has come


@pytest.fixture
def own(ids) -> dict[str, str]:
    """A copy of the detector, whose parts are those of one test alone."""
    from pages.shared import resources

    store = resources.store()
    row = store.detectors.get(ids["detector"])
    copy = store.detectors.add(
        lambda path: shutil.copyfile(row.path, path),
        name="line",
        settings=row.settings,
        n_train=row.n_train,
        dataset_id=row.dataset_id,
    )
    return ids | {"detector": copy.id}


def bring(own: dict[str, str], files: list[Path]) -> AppTest:
    app = run(PAGE, **own)
    upload = [(f"{path.parent.name}-{path.name}", path.read_bytes(), "image/png") for path in files]
    app.file_uploader(key="inspect_files").set_value(upload).run()
    app.button(key="inspect_go").click().run()
    return finish(app)


def finish(app: AppTest) -> AppTest:
    from pages.shared import resources

    for job in resources.jobs().active():
        resources.jobs().wait(job.id, 60)
    app.run()
    assert not app.exception
    return app


def rows(own: dict[str, str]):
    from pages.shared import resources

    return resources.store().inspections.of([own["detector"]])


def text(app: AppTest) -> str:
    return " ".join(element.value for kind in ("markdown", "caption", "warning") for element in getattr(app, kind))


def test_brought_parts_get_the_verdicts_of_the_library(own, stripes):
    files = [*sorted((stripes / "test/blot").iterdir()), *sorted((stripes / "test/good").iterdir())[:4]]
    app = bring(own, files)
    from pages.shared import resources

    expected = score(load_detector(resources.store().detectors.get(own["detector"]).path), files).rows
    assert [row.outcome for row in rows(own)] == [one["verdict"] for one in expected]
    assert metrics(app)["Parts inspected"] == "10"
    table = app.dataframe[0].value
    assert sorted(table["part"]) == sorted(row.name for row in rows(own))
    margins = [abs(row.score - row.threshold) for row in rows(own)]
    assert next(iter(table["part"])) == rows(own)[margins.index(min(margins))].name


def test_an_archive_may_be_brought_and_what_is_refused_is_told(own, stripes):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(stripes / "test/good/000.png", "lot 4/000.png")
        archive.writestr("lot 5/bad.png", "nothing")
    app = run(PAGE, **own)
    app.file_uploader(key="inspect_files").set_value([("parts.zip", stream.getvalue(), "application/zip")]).run()
    app.button(key="inspect_go").click().run()
    app = finish(app)
    assert [(row.name, row.lot) for row in rows(own)] == [("parts.zip/lot 4/000.png", "lot 4")]
    assert any("1 of the files brought last could not be used" in expander.label for expander in app.expander)
    app.button(key="refused_forget").click().run()
    assert not any("could not be used" in expander.label for expander in app.expander)


def test_a_word_on_a_part_opens_the_next_and_feeds_the_rates(own, stripes):
    app = bring(own, sorted((stripes / "test/blot").iterdir())[:2])
    assert metrics(app)["False alarms"] == "none known"
    app.button(key="judge_defective").click().run()
    app.button(key="judge_good").click().run()
    assert sorted(row.defective for row in rows(own)) == [False, True]
    assert metrics(app)["False alarms"] == "100.0 %"
    app.segmented_control(key="inspect_view").set_value("On the line").run()
    assert "1 was a false alarm: 100.0 % [2.5, 100.0] of the good ones" in text(app).replace("\\", "")
    app.segmented_control(key="inspect_view").set_value("Parts").run()
    app.button(key="judge_back").click().run()
    assert sum(row.defective is None for row in rows(own)) == 1


def test_filters_leave_what_they_name(own, stripes):
    files = [*sorted((stripes / "test/blot").iterdir())[:3], *sorted((stripes / "test/good").iterdir())[:3]]
    app = bring(own, files)
    app.selectbox(key="inspect_verdict").set_value("Flagged").run()
    flagged = [row.name for row in rows(own) if row.flagged]
    assert sorted(app.dataframe[0].value["part"]) == sorted(flagged)
    app.text_input(key="inspect_name").set_value("BLOT-001").run()
    assert list(app.dataframe[0].value["part"]) == ["blot-001.png"]


def test_a_watched_folder_brings_its_parts(own, stripes, tmp_path):
    from pages.shared import resources

    app = run(PAGE, **own)
    app.text_input(key="watch_folder").set_value(str(tmp_path))
    app.button(key="watch_go").click().run()
    shutil.copy(stripes / "test/blot/000.png", path := tmp_path / "a.png")
    os.utime(path, (then := time.time() - 60, then))
    resources.watcher().wake()
    deadline = time.monotonic() + 60
    while not rows(own) and time.monotonic() < deadline:
        time.sleep(0.05)
    app.run()
    assert [row.name for row in rows(own)] == ["a.png"]
    assert str(tmp_path) in text(app).replace("\\", "")
    (watch,) = resources.store().watches.of(own["detector"])
    app.button(key=f"stop_watch_{watch.id}").click().run()
    assert "not watched" in text(app)


def test_what_is_no_folder_is_refused_where_it_was_named(own, tmp_path):
    app = run(PAGE, **own)
    for path, words in ((tmp_path / "gone", "check the path"), ("/nowhere/at/all", "lies outside the folders")):
        app.text_input(key="watch_folder").set_value(str(path))
        app.button(key="watch_go").click().run()
        assert any(words in error.value for error in app.error)


def test_judged_parts_go_to_the_data_set(own, stripes):
    from pages.shared import resources

    app = bring(own, sorted((stripes / "test/good").iterdir())[:1])
    app.button(key="judge_good").click().run()
    app.button(key="send_go").click().run()
    finish(app)
    newest = resources.store().datasets.all()[0]
    assert (newest.name, newest.counts.train) == ("stripes, with parts from the line", 31)
    resources.store().datasets.remove(newest.id)


def test_flagged_parts_are_judged_before_they_recalibrate_and_a_newer_version_follows(own, stripes):
    from pages.shared import resources

    spare = sorted((stripes.parent / "spare").iterdir())
    app = bring(own, spare)
    app.segmented_control(key="inspect_view").set_value("On the line").run()
    flagged = [row for row in rows(own) if row.flagged]
    if flagged:
        assert app.button(key="recalibrate").disabled
        resources.store().inspections.say([row.id for row in flagged], False)
        app.run()
    app.button(key="recalibrate").click().run()
    finish(app)
    newest = resources.store().detectors.all()[0]
    assert (newest.name, newest.follows) == (f"line {len(resources.store().detectors.all()) - 1}", own["detector"])
    point = load_detector(newest.path).working_point
    assert (point.method, point.n) == ("split-conformal", 24)
    resources.store().detectors.remove(newest.id)


def test_an_inspected_part_is_explained_on_attributions(own, stripes):
    from pages.shared import resources

    (tmp := stripes.parent / "elsewhere").mkdir(exist_ok=True)
    shutil.copy(stripes.parent / "spare/003.png", tmp / "x.png")
    app = bring(own, [tmp / "x.png"])
    app.button(key="inspect_explain").click().run()
    assert "A part from Inspect" in text(app)
    gap = metrics(app)
    assert any("xplanation" in name or "istance" in name or "core" in name for name in gap)
    app.button(key="leave_part").click().run()
    assert "A part from Inspect" not in text(app)
    assert resources.store().inspections.count(own["detector"]) == 1


def test_graph_and_report_are_made_from_a_button_and_handed_out(own):
    from pages.shared import resources

    app = run(PAGE, **own)
    app.segmented_control(key="inspect_view").set_value("Hand over").run()
    app.button(key="export_go").click().run()
    app = finish(app)
    app.button(key="report_go").click().run()
    app = finish(app)
    exported = sorted(path.name for path in (resources.store().home / "exported").rglob("*.*") if path.is_file())
    assert [name for name in exported if not name.endswith(".html")] == ["calibration.json", "detector.onnx"]
    assert len([name for name in exported if name.endswith(".html")]) == 1
    assert {"export_download", "report_download"} <= {button.key for button in app.get("download_button")}
