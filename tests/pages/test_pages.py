"""Every page in the states empty, opened and fitted, run as a script: no exception, and the numbers that matter."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.script import APP, components, live_words, metrics, run, set_target

_NAMES = ("home", "data", "fit", "levels", "working_point", "attributions", "compare", "inspect")
PAGES = [f"pages/{name}.py" for name in _NAMES]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_anything_open_shows_one_next_step(home, page):
    app = run(page)
    assert len([button for button in app.button if button.proto.type == "primary"]) >= 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_a_data_set_alone_runs(home, ids, page):
    run(page, data=ids["data"])


@pytest.mark.parametrize("page", PAGES)
def test_an_id_that_does_not_exist_counts_as_nothing_open(home, page):
    run(page, data="nothing", detector="nothing")


def test_an_error_that_nobody_foresaw_tells_a_browser_nothing_of_the_server(home, monkeypatch):
    from pages.shared import opened

    def fail() -> dict[str, str | None]:
        raise RuntimeError("cannot read /secret/place")

    monkeypatch.setattr(opened, "words", fail)
    (shown,) = AppTest.from_file(str(APP), default_timeout=60).run().exception
    assert "secret" not in shown.message
    assert not shown.stack_trace


def test_the_data_page_counts_the_images(home, ids):
    app = run("pages/data.py", **ids)
    numbers = metrics(app)
    assert [numbers[name] for name in ("Good parts to fit", "Good parts to test", "Defective parts to test")] == [
        "30",
        "10",
        "6",
    ]


def test_the_fit_page_shows_the_health_of_every_level(home, ids):
    app = run("pages/fit.py", **ids)
    app.segmented_control(key="level_view").set_value("Health").run()
    table = app.table[0].value
    assert table["features D"].tolist() == ["32", "16", "24", "40", "80", "112", "192", "320", "1280"]
    assert table["null dimensions"].tolist()[-1] == str(1280 - 29)
    assert metrics(app)["Left-out folds"] == "20"


def test_the_working_point_follows_the_target(home, ids):
    app = run("pages/working_point.py", **ids)
    at_5 = metrics(app)
    set_target(app, 20)
    assert not app.exception
    at_20 = metrics(app)
    assert (at_5["Promised"], at_20["Promised"]) == ("5.0 %", "20.0 %")
    assert float(at_20["Threshold"]) < float(at_5["Threshold"])
    slider = components(app, "slider")["target"]
    assert slider["stops"][slider["at"]] == 20


def test_a_target_that_the_images_cannot_support_says_how_many_are_needed(home, ids):
    app = run("pages/working_point.py", **ids)
    set_target(app, 1)
    assert not app.exception
    assert "99" in app.warning[0].value


def test_a_single_level_shows_chi_square_beside_cross_conformal(home, ids):
    app = run("pages/working_point.py", **ids)
    app.selectbox(key="level").set_value("3").run()
    words = live_words(app)
    assert words["chi2 threshold"] != words["cross-conformal threshold"]
    assert float(words["hotelling threshold"]) > float(words["chi2 threshold"])  # it knows that n is small


def test_an_adopted_threshold_is_remembered(home, ids):
    from pages.shared import resources

    app = run("pages/working_point.py", **ids)
    app.button(key="adopt").click().run()
    assert not app.exception
    decision = resources.store().detectors.decisions(ids["detector"])[0]
    assert float(metrics(app)["Threshold"].replace(",", "")) == pytest.approx(decision.point.threshold, rel=0.005)


def test_an_upload_becomes_a_data_set_and_bad_files_are_refused_one_by_one(home, stripes):
    from pages.shared import resources

    app = run("pages/data.py")
    good = sorted((stripes / "train" / "good").iterdir())[:4]
    files = [(path.name, path.read_bytes(), "image/png") for path in good] + [("text.png", b"no image", "image/png")]
    app.file_uploader(key="upload").set_value(files).run()
    app.text_input(key="upload_name").set_value("four").run()
    app.button(key="upload_go").click().run()
    job = resources.jobs().wait(resources.jobs().recent(1)[0].id, 30)
    app = run("pages/data.py", data=job.result_id)
    assert metrics(app)["Good parts to fit"] == "4"
    assert metrics(app)["Refused files"] == "1"
    assert app.dataframe[0].value["file"].tolist() == ["text.png"]


def test_uploaded_defects_join_a_data_set_under_their_type_with_their_mask(home, stripes):
    from gad_core.data.datasets import read_dataset
    from gad_core.workspace.imports import add_upload
    from pages.shared import resources

    store = resources.store()
    good = sorted((stripes / "train" / "good").iterdir())[:3]
    row = add_upload(store, [(path.name, path.read_bytes()) for path in good], name="mine")
    bad = next(iter(read_dataset(stripes).test.where(read_dataset(stripes).test.labels)))
    files = [("a.png", bad.path.read_bytes(), "image/png"), ("a_mask.png", bad.path.read_bytes(), "image/png")]
    app = run("pages/data.py", data=row.id)
    app.file_uploader(key="upload").set_value(files).run()
    app.selectbox(key="upload_kind").set_value("defects, to test").run()
    app.text_input(key="upload_defect").set_value("dent").run()
    app.button(key="upload_add").click().run()
    resources.jobs().wait(resources.jobs().recent(1)[0].id, 30)
    (added,) = read_dataset(store.datasets.get(row.id).root).test
    assert (added.defect, added.path.name, added.mask.name) == ("dent", "a.png", "a_mask.png")
    store.datasets.remove(row.id)


def test_a_table_of_groups_leaves_each_group_out_together(home, ids, stripes):
    from gad_core.gaussian.detector_file import load_detector
    from pages.shared import resources

    names = sorted(path.name for path in (stripes / "train" / "good").iterdir())
    table = "file,group\n" + "".join(f"train/good/{name},lot{i % 4}\n" for i, name in enumerate(names))
    app = run("pages/fit.py", data=ids["data"])
    app.segmented_control(key="grouping").set_value("by a CSV file").run()
    app.file_uploader(key="group_table").set_value(("lots.csv", table.encode(), "text/csv")).run()
    app.button(key="fit").click().run()
    job = resources.jobs().wait(resources.jobs().recent(1)[0].id, 60)
    row = resources.store().detectors.get(job.result_id)
    detector = load_detector(row.path)
    lots = dict(zip(detector.training.groups, detector.folds, strict=True))
    assert len(lots) == len(set(lots.values())) == 4
    assert all(lots[group] == fold for group, fold in zip(detector.training.groups, detector.folds, strict=True))
    resources.store().detectors.remove(row.id)


def test_the_learning_curve_is_drawn_on_demand(home, ids):
    app = run("pages/fit.py", **ids)
    app.button(key="draw_curve").click().run()
    assert not app.exception
    assert any("the AUROC changes by" in caption.value for caption in app.caption)
    needed = app.dataframe[-1].value
    assert needed["on average"].tolist() == [999, 333, 99, 33, 19, 9]
    assert needed["95 % confident"].tolist() == [2995, 998, 299, 99, 59, 29]


def test_suspicious_training_images_are_left_out_and_brought_back(home, ids):
    from pages.shared import resources

    app = run("pages/data.py", **ids)
    suspect = next(box for box in app.checkbox if box.label == "Leave out")
    suspect.check().run()
    app.button(key="leave_out").click().run()
    job = resources.jobs().wait(resources.jobs().recent(1)[0].id, 60)
    row = resources.store().detectors.get(job.result_id)
    assert row.n_train == 29
    assert suspect.key.endswith(row.settings.without[0][:16])
    before = len(resources.store().detectors.all())
    app = run("pages/data.py", data=ids["data"], detector=row.id)
    app.button(key="bring_back").click().run()
    assert app.query_params["detector"] == ids["detector"]  # that fit is still there
    assert len(resources.store().detectors.all()) == before
    resources.store().detectors.remove(row.id)


def test_a_fit_started_on_the_page_makes_a_detector(home, ids):
    from pages.shared import resources

    app = run("pages/fit.py", data=ids["data"])
    app.button(key="fit").click().run()
    job = resources.jobs().wait(resources.jobs().recent(1)[0].id, 60)
    app = run("pages/fit.py", data=ids["data"], detector=job.result_id)
    assert metrics(app)["Good parts fitted"] == "30"


def test_a_folder_without_images_is_refused_at_its_field_without_a_job(home, tmp_path):
    from pages.shared import resources

    before = len(resources.jobs().recent(99))
    app = run("pages/data.py")
    app.text_input(key="folder").set_value(str(tmp_path))
    app.button(key="folder_go").click().run()
    assert "there are no images in" in app.error[0].value
    assert app.text_input(key="folder").value == str(tmp_path)
    assert len(resources.jobs().recent(99)) == before


def test_the_attributions_page_explains_the_defect_with_the_highest_score(home, ids):
    app = run("pages/attributions.py", **ids)
    numbers = metrics(app)
    assert float(numbers["Distance"]) > 0
    assert "Explanation score" not in numbers  # the stripes have no masks
    app = run("pages/attributions.py", **ids, view="Whole category")
    assert any("needs defective test images with masks" in caption.value for caption in app.caption)


def test_a_fit_to_augmented_copies_shows_them_first_and_says_so(home, ids):
    from gad_core.decision.sigma_table import sigma_table
    from pages.shared import resources

    app = run("pages/fit.py", data=ids["data"])
    before = len(app.image)
    app.toggle(key="augment").set_value(True).run()
    assert len(app.image) - before == 1 + 7 + 5  # as it is, each step, the whole pipeline
    app.pills(key="steps_no category").unselect("noise").run()
    assert len(app.image) - before == 1 + 6 + 5
    app.select_slider(key="passes").set_value(5).run()
    app.selectbox(key="folds").set_value(5).run()
    app.button(key="fit").click().run()
    job = resources.jobs().wait(resources.jobs().recent(1)[0].id, 200)
    assert job.error is None
    row = resources.store().detectors.get(job.result_id)
    assert (row.settings.augmented.passes, row.settings.augmented.settings.noise) == (5, 0)
    app = run("pages/fit.py", data=ids["data"], detector=row.id)
    assert "5 copies" in next(metric.delta for metric in app.metric if metric.label == "Good parts fitted")
    tables = [frame.value for frame in run("pages/working_point.py", **ids).dataframe]
    plain, copies = (table for table in tables if "NPCA 1 %" in table)
    for table, detector in ((plain, ids["detector"]), (copies, row.id)):
        test = resources.test_images(
            resources.store().detectors.get(detector), resources.store().datasets.get(ids["data"])
        )
        column = sigma_table(test.projected, test.images.labels)[2]
        assert table["sigma"].tolist() == ["1σ", "2σ", "3σ", "4σ", "5σ"]
        rates = [f"{100 * one.test.value:.1f} / {100 * one.tpr.value:.1f}" for one in column.rates]
        assert table["NPCA 1 %"].tolist() == rates
    assert plain["NPCA 1 %"].tolist() != copies["NPCA 1 %"].tolist()
    resources.store().detectors.remove(row.id)


def test_home_lists_every_detector_with_what_its_file_says(home, ids):
    from gad_core.gaussian.detector_file import read_summary
    from gad_core.wording import tuning
    from pages.shared import resources

    rows = sorted(resources.store().detectors.all(), key=lambda row: row.used or row.created, reverse=True)
    (table,) = (frame.value for frame in run("pages/home.py").dataframe if "threshold" in frame.value)
    summaries = [read_summary(row.path) for row in rows]
    names = [name.split(" · ") for name in table["name"]]
    assert [name for name, _ in names] == [row.name for row in rows]
    assert len({name for name, _ in names}) == len(rows)
    assert [parts.split(" of ")[0] for _, parts in names] == [str(summary.n_train) for summary in summaries]
    assert [text.replace("\u00a0", " ") for text in table["tuning"]] == [tuning(one.tuning) for one in summaries]
    known = [f"{100 * row.current_auroc:.1f} %" if row.current_auroc else "not known" for row in rows]
    assert table["AUROC"].tolist() == known
