"""What a viewer, an engineer and a stranger find on the pages, run as scripts with a sign-in configured."""

import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.script import APP, metrics, set_target

_NAMES = ("home", "data", "fit", "levels", "working_point", "attributions", "compare", "inspect", "help")
_SECRETS = {
    "auth": {"client_id": "gad", "redirect_uri": "http://127.0.0.1/oauth2callback", "cookie_secret": "secret"},
    "gad": {"engineers": ["anna@example.com"], "viewers": ["ben@example.com"]},
}
#: Buttons that change nothing in the workspace: they open, go on, tune or compute in the tab.
_HARMLESS = {"bring", "detector_open", "onward", "compare_presets", "draw_curve", "explain_bands", "sign_out"}
_HARMLESS_TOO = ("recent_", "preset_", "use_")


def signed_in(page: str, email: str, **ids: str) -> AppTest:
    """A page as a person sees it."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.secrets.update(_SECRETS)
    app.user = {"is_logged_in": True, "email": email, "email_verified": True, "iat": int(time.time())}
    app.query_params.update(ids)
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def controls(app: AppTest) -> dict[str, Any]:
    """Buttons and uploads by key."""
    return {one.key: one for kind in ("button", "file_uploader") for one in app.get(kind)}


@pytest.mark.parametrize("page", _NAMES)
def test_for_a_viewer_every_control_that_changes_something_is_off_and_says_why(home, ids, page):
    for key, control in controls(signed_in(page, "ben@example.com", **ids)).items():
        if key not in _HARMLESS and not str(key).startswith(_HARMLESS_TOO):
            assert control.disabled, f"{key} is on for a viewer"
            assert "Viewers change nothing" in control.help


def test_for_an_engineer_they_are_on(home, ids):
    found = controls(signed_in("home", "anna@example.com", **ids))
    assert not found["try_demo"].disabled
    assert not controls(signed_in("fit", "anna@example.com", **ids))["fit"].disabled


@pytest.mark.parametrize(("page", "key"), [("fit", "fit"), ("working_point", "adopt")])
def test_a_control_that_is_on_by_mistake_changes_nothing(home, ids, monkeypatch, page, key):
    from pages.shared import person, resources

    def forgotten(*, disabled: bool = False, tip: str | None = None) -> dict[str, Any]:
        return {"disabled": disabled, "help": tip}

    def held() -> tuple[int, int]:
        store = resources.workspace()
        return len(store.jobs.recent(100)), len(store.detectors.decisions(ids["detector"]))

    monkeypatch.setattr(person, "changing", forgotten)
    before, app = held(), signed_in(page, "ben@example.com", **ids)
    app.button(key=key).click().run()
    assert "iewers change nothing" in " ".join(error.value for error in app.error)
    assert held() == before


def test_what_a_viewer_tunes_stays_in_the_tab(home, ids):
    app = signed_in("working_point", "ben@example.com", **ids)
    set_target(app, 20)
    assert not app.exception
    assert metrics(app)["Promised"] == "20.0 %"
    assert app.button(key="adopt").disabled


@pytest.mark.parametrize(
    ("email", "words"), [("carl@elsewhere.org", "no list of this dashboard"), ("", "names no e-mail")]
)
def test_a_stranger_sees_the_reason_and_the_way_out_alone(home, ids, email, words):
    app = signed_in("working_point", email, **ids)
    assert words in " ".join(text.value for text in app.markdown)
    assert [one.key for one in app.button] == ["sign_out"]
    assert not app.sidebar.markdown


def test_who_has_not_signed_in_sees_the_way_in_alone(home, ids):
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.secrets.update(_SECRETS)
    app.user = {"is_logged_in": False}
    app.query_params.update(ids)
    app.run()
    assert [one.key for one in app.button] == ["sign_in_default"]
    assert [title.value for title in app.title] == ["Sign in to GAD"]


def test_the_name_on_record_is_the_one_signed_in_with(home, ids):
    app = signed_in("working_point", "anna@example.com", **ids)
    app.session_state["person"] = "somebody else"
    app.button(key="adopt").click().run()
    from pages.shared import resources

    (newest, *_) = resources.workspace().detectors.decisions(ids["detector"])
    assert newest.who == "anna@example.com"


def test_without_a_sign_in_the_sidebar_says_that_only_this_machine_is_let_in(home):
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert any("Only this machine can reach" in text.value for text in app.sidebar.markdown)
    assert "sign_out" not in controls(app)
