"""What the detector says goes: adopted here, it holds on every page, in every browser, after every restart."""

import shutil
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.reduction import Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.steps import fit_dataset
from tests.pages.script import metrics, run, set_target
from tests.pages.test_tuning import SETTLED, open_page, query

DEEP = {"levels": "5-8", "keep": "npca:0.04", "fpr": "20"}


@pytest.fixture
def path(ids):
    """The detector's file; what a test adopts is taken back."""
    from pages.shared import resources

    path = resources.store().detectors.get(ids["detector"]).path
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def adopt(ids: dict[str, str], **settings: str):
    app = run("pages/working_point.py", **ids, **settings)
    app.button(key="adopt").click().run()
    assert not app.exception
    return app


def text(app) -> str:
    return " ".join(element.value for kind in ("markdown", "caption") for element in getattr(app, kind))


def test_every_page_starts_from_what_was_adopted(ids, path):
    app = adopt(ids, levels="5,7", keep="npca:0.04", fpr="20")
    threshold = metrics(app)["Threshold"]
    point = read_summary(path).working_point
    assert (point.level, point.method, point.target_fpr, point.n) == ("sum", "cross-conformal", 0.2, 30)
    again = run("pages/working_point.py", **ids)
    assert metrics(again)["Threshold"] == threshold
    assert again.session_state["fpr"] == 20
    levels = run("pages/levels.py", **ids)
    assert levels.select_slider(key="keep").value == "npca:0.04"
    assert levels.session_state["levels"] == ["5", "7"]
    assert "Differs" not in text(levels)


def test_a_page_that_shows_something_else_says_so_and_goes_back(ids, path):
    adopt(ids, fpr="20")
    app = run("pages/working_point.py", **ids)
    set_target(app, 10)
    assert "Differs from the adopted threshold" in text(app)
    app.button(key="restore").click().run()
    assert app.session_state["fpr"] == 20
    assert "Differs" not in text(app)


def test_an_adoption_is_undone_to_the_one_before(ids, path):
    adopt(ids, fpr="20")
    first = read_summary(path).working_point
    app = adopt(ids, fpr="10")
    assert read_summary(path).working_point != first
    app.button(key="undo_adopt").click().run()
    assert read_summary(path).working_point == first
    assert app.session_state["fpr"] == 20


def test_a_promise_that_left_out_parts_contradict_is_asked_about_first(ids, path):
    app = adopt(ids, keep="all", level="7", method="chi2")
    assert read_summary(path).working_point is None
    assert any("promises that **5.0 %** of good parts" in element.value for element in app.markdown)
    app.button(key="adopt_anyway").click().run()
    point = read_summary(path).working_point
    assert (point.method, point.level) == ("chi2", "7")


def test_a_detector_does_not_inherit_the_tuning_of_another(ids, path):
    from pages.shared import resources

    store = resources.store()
    other = fit_dataset(store, ids["data"], FitSettings(n_folds=4), cache=store.feature_cache())
    app = run("pages/levels.py", **ids)
    app.pills(key="levels").set_value(["6"]).run()
    app.query_params["detector"] = other.id
    app.run()
    assert app.session_state["levels"] == ["6", "7"]
    app.query_params["detector"] = ids["detector"]
    app.run()
    assert app.session_state["levels"] == ["6"]


def test_a_change_of_page_after_a_link_keeps_the_tuning(ids):
    app = run("pages/working_point.py", **ids, **DEEP)
    assert app.session_state["levels"] == ["5", "6", "7", "8"]
    for name in DEEP:
        del app.query_params[name]
    app.switch_page("pages/levels.py").run()
    assert app.session_state["levels"] == ["5", "6", "7", "8"]
    assert app.select_slider(key="keep").value == "npca:0.04"


def test_an_adoption_does_not_meet_another_fit(ids, path):
    app = run("pages/working_point.py", **ids)
    detector = load_detector(path)
    replace(detector, tuning=Tuning((3,), Reduction("npca", 0.5))).save(path)  # as an update from outside does
    app.button(key="adopt").click().run()
    assert read_summary(path).working_point is None
    assert any("fitted again" in warning.value for warning in app.warning)


def on_record(ids: dict[str, str]):
    from pages.shared import resources

    return resources.store().detectors.decisions(ids["detector"])


def test_name_note_and_rates_go_on_record(ids, path):
    app = run("pages/working_point.py", **ids, fpr="20")
    app.text_input(key="person").set_value("Ada")
    app.text_area(key="adopt_note").set_value("*as* agreed").run()
    app.button(key="adopt").click().run()
    decision = on_record(ids)[0]
    assert (decision.who, decision.note, decision.version) == ("Ada", "*as* agreed", read_summary(path).version)
    assert decision.rates["left_out_n"] == 30
    assert decision.rates["threshold"] == decision.point.threshold
    assert f"{100 * decision.rates['tpr']:.1f} %" == metrics(app)["Caught defects"]
    assert r"“\*as\* agreed”" in text(app)
    assert app.text_area(key="adopt_note").value == ""


def test_an_earlier_decision_is_restored_as_a_new_entry(ids, path):
    adopt(ids, fpr="20")
    first = on_record(ids)[0]
    app = adopt(ids, fpr="10")
    n = len(on_record(ids))
    assert not [button for button in app.button if button.key == f"restore_{on_record(ids)[0].id}"]
    app.button(key=f"restore_{first.id}").click().run()
    assert read_summary(path).working_point == first.point
    assert (len(on_record(ids)), on_record(ids)[0].restores) == (n + 1, first.id)
    assert app.session_state["fpr"] == 20


def test_a_review_band_is_adopted_said_and_opened_again(ids, path):
    app = run("pages/working_point.py", **ids, fpr="20")
    app.toggle(key="review").set_value(True).run()
    app.number_input(key="reject").set_value(5.0).run()
    app.button(key="adopt").click().run()
    point = read_summary(path).working_point
    assert (point.reject_fpr, point.reject_above > point.threshold) == (0.05, True)
    assert f"review up to {point.reject_above:.3g}" in text(app)
    assert "Differs" not in text(app)
    again = run("pages/working_point.py", **ids)
    assert (again.toggle(key="review").value, again.number_input(key="reject").value) == (True, 5.0)
    again.toggle(key="review").set_value(False).run()
    assert "Differs from the adopted threshold" in text(again)
    again.button(key="restore").click().run()
    assert (again.toggle(key="review").value, again.number_input(key="reject").value) == (True, 5.0)


def test_another_detector_comes_with_its_own_review_band(ids, path):
    from pages.shared import resources

    store = resources.store()
    other = fit_dataset(store, ids["data"], FitSettings(n_folds=4), cache=store.feature_cache())
    app = run("pages/working_point.py", data=ids["data"], detector=other.id, fpr="20", review="true")
    app.button(key="adopt").click().run()
    assert read_summary(other.path).working_point.reject_fpr is not None
    app = run("pages/working_point.py", **ids)
    assert not app.toggle(key="review").value
    app.query_params["detector"] = other.id
    app.run()
    assert (app.toggle(key="review").value, "Differs" in text(app)) == (True, False)
    store.detectors.remove(other.id)


def test_a_band_that_cannot_be_made_is_not_left_out_in_silence(ids, path):
    app = run("pages/working_point.py", **ids, fpr="20", review="true")
    app.number_input(key="reject").set_value(0.5).run()
    assert app.button(key="adopt").disabled
    assert "needs at least" in app.button(key="adopt").help


def test_what_is_restored_or_undone_brings_its_review_band_along(ids, path):
    app = run("pages/working_point.py", **ids, fpr="20")
    app.toggle(key="review").set_value(True).run()
    app.number_input(key="reject").set_value(5.0).run()
    app.button(key="adopt").click().run()
    banded = on_record(ids)[0]
    app.toggle(key="review").set_value(False).run()
    app.button(key="adopt").click().run()
    assert read_summary(path).working_point.reject_above is None
    app.button(key="undo_adopt").click().run()
    assert (app.toggle(key="review").value, "Differs" in text(app)) == (True, False)
    app.toggle(key="review").set_value(False).run()
    app.button(key="adopt").click().run()
    app.button(key=f"restore_{banded.id}").click().run()
    assert read_summary(path).working_point == banded.point
    assert (app.toggle(key="review").value, "Differs" in text(app)) == (True, False)


def shown(page: Page) -> dict[str, str]:
    """The metrics of the working point, and what the sidebar says."""
    expect(page.get_by_test_id("stMetric").nth(4)).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()
    texts = page.get_by_test_id("stMetric").all_inner_texts()[:5]
    return {"metrics": "|".join(texts), "sidebar": page.locator(".st-key-shelf").inner_text()}


@pytest.mark.browser
def test_a_restarted_server_and_a_new_browser_show_the_same_numbers(serve, fitted, tab, tmp_path):
    home, ids = tmp_path / "home", fitted[1]
    shutil.copytree(fitted[0], home)
    with serve(home) as url:
        page = tab()
        open_page(page, f"{url}/working_point?{query(ids, **DEEP)}", "Working point")
        page.get_by_role("button", name="Adopt this threshold").click()
        expect(page.locator(".st-key-adopted")).to_be_visible()
        before = shown(page)
        page.context.close()
    assert "NPCA 4 %" in before["sidebar"]
    with serve(home) as url:
        page = tab()
        open_page(page, f"{url}/working_point?{query(ids)}", "Working point")
        assert shown(page) == before
        page.get_by_role("link", name="Levels & NPCA").click()
        slider = page.get_by_role("slider", name="Components kept")
        expect(slider).to_have_attribute("aria-valuetext", "NPCA 4 %")
        other = tab()
        open_page(other, url, "Find the parts that are not like the others")
        other.locator("[class*=st-key-recent_]").get_by_role("button").first.click()
        expect(other.get_by_role("heading", name="Working point", level=1)).to_be_visible()
        assert shown(other) == before
        page.context.close()
        other.context.close()
