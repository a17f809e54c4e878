"""How an operator opens the dashboard to others: what is refused at the start, at the door and on the way back."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.runtime.secrets import Secrets
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from gad_core.errors import GadError
from pages.shared import access
from pages.shared.guard import Guard
from pages.shared.way_back import WayBack

_KEY = "of this test alone"
AUTH = {
    "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
    "cookie_secret": _KEY,
    "client_id": "gad",
}
PEOPLE = {"engineers": ["anna@example.com"], "viewers": ["ben@example.com"]}


@pytest.fixture
def settled(monkeypatch):
    """Settles the options and the secrets of an operator."""

    def settle(options: dict[str, Any] | None = None, **sections: Any) -> None:
        known = Secrets()
        known._secrets = sections or None
        monkeypatch.setattr("streamlit.secrets", known)
        monkeypatch.setattr("streamlit.web.server.server_util.secrets_singleton", known)
        chosen = {"secrets.files": [], "server.address": "127.0.0.1", "server.allowedHosts": []} | (options or {})
        get = st.get_option
        monkeypatch.setattr("streamlit.get_option", lambda name: chosen[name] if name in chosen else get(name))

    return settle


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "unix:///run/gad.sock"])
def test_without_a_sign_in_this_machine_may_be_served(settled, address):
    settled({"server.address": address})
    access.check()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", None])  # noqa: S104 - refused
def test_without_a_sign_in_others_are_not_served_unless_the_operator_insists(settled, monkeypatch, address):
    settled({"server.address": address})
    with pytest.raises(GadError, match=r"nobody has to sign in.*GAD_OPEN=1"):
        access.check()
    monkeypatch.setenv("GAD_OPEN", "1")
    access.check()


def test_with_a_sign_in_others_are_served(settled):
    settled({"server.address": "0.0.0.0"}, auth=AUTH, gad=PEOPLE)  # noqa: S104 - that is what is asked
    access.check()


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"auth": AUTH}, "names nobody"),
        ({"auth": AUTH, "gad": {"engineers": ["anna"]}}, "neither an e-mail"),
        ({"auth": AUTH, "gad": ["anna@example.com"]}, "is a table of settings"),
        ({"auth": {**AUTH, "cookie_secret": ""}, "gad": PEOPLE}, "lacks cookie_secret"),
        (
            {"auth": {"redirect_uri": "http://127.0.0.1", "cookie_secret": "s"}, "gad": PEOPLE},
            "names no sign-in service",
        ),
        ({"auth": {**AUTH, "redirect_uri": "https://gad.example.com/oauth2callback"}, "gad": PEOPLE}, "allowedHosts"),
    ],
)
def test_settings_that_would_lock_out_or_let_in_by_mistake_are_refused(settled, sections, words):
    settled(**sections)
    with pytest.raises(GadError, match=words):
        access.check()


def test_secrets_that_cannot_be_read_do_not_open_the_door(settled, tmp_path: Path):
    (tmp_path / "secrets.toml").write_text("[auth\n")
    settled({"secrets.files": [str(tmp_path / "secrets.toml")]})
    with pytest.raises(GadError, match="cannot be read"):
        access.check()


def asking(email: str | None = None, *, key: str = _KEY, server: str = "127.0.0.1", **said: Any) -> TestClient:
    """A client of a guarded server, with the cookie of a sign-in."""
    client = TestClient(Guard(PlainTextResponse("in")), base_url=f"http://{server}:8501")
    if email:
        claims = {"is_logged_in": True, "email": email, "email_verified": True, "iat": time.time()} | said
        client.cookies.set("_streamlit_user", create_signed_value(key, "_streamlit_user", json.dumps(claims)).decode())
    return client


MEDIA, UPLOAD, METRICS = "/media/a.png", "/_stcore/upload_file/session/file", "/_stcore/metrics"


@pytest.mark.parametrize(
    ("who", "path", "let_in"),
    [
        ({}, "/", True),
        ({}, "/static/media/font.woff2", True),
        ({}, MEDIA, False),
        ({}, UPLOAD, False),
        ({}, METRICS, False),
        ({"email": "anna@example.com"}, MEDIA, True),
        ({"email": "anna@example.com"}, UPLOAD, True),
        ({"email": "ben@example.com"}, MEDIA, True),
        ({"email": "ben@example.com"}, UPLOAD, False),
        ({"email": "carl@elsewhere.org"}, MEDIA, False),
        ({"email": "anna@example.com", "email_verified": False}, MEDIA, False),
        ({"email": "anna@example.com", "iat": 0}, MEDIA, False),
        ({"email": "anna@example.com", "key": "forged"}, MEDIA, False),
    ],
)
def test_files_are_for_those_who_are_let_in_and_uploads_for_engineers(settled, who, path, let_in):
    settled(auth=AUTH, gad=PEOPLE)
    answer = asking(**who).put(path) if path == UPLOAD else asking(**who).get(path)
    assert answer.status_code == (200 if let_in else 403)


def test_a_cookie_that_is_none_is_no_sign_in(settled):
    settled(auth=AUTH, gad=PEOPLE)
    for cookie in ("_streamlit_user=x", "_streamlit_user=", "=;;=", "_streamlit_user=\xff"):
        assert asking().get(MEDIA, headers={"cookie": cookie.encode("latin-1")}).status_code == 403


def test_without_a_sign_in_a_server_that_others_reach_refuses_them(settled, monkeypatch):
    settled({"server.allowedHosts": ["192.0.2.1"]})
    reached = asking(server="192.0.2.1")
    assert reached.get("/").status_code == 403
    monkeypatch.setenv("GAD_OPEN", "1")
    assert reached.get("/").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_page_from_elsewhere_may_do_nothing(settled, method):
    settled()
    client = asking()
    assert client.request(method, UPLOAD, headers={"Origin": "http://127.0.0.1:3000"}).status_code == 403
    assert client.request(method, UPLOAD, headers={"Origin": "http://127.0.0.1:8501"}).status_code == 200


def back_from(link: str, *, referer: str | None = None) -> str:
    """Where somebody lands who went to sign in from a link."""

    async def streamlit(scope, receive, send):
        going = scope["path"] == "/auth/login"
        await RedirectResponse("https://company.example" if going else "/")(scope, receive, send)

    client = TestClient(WayBack(streamlit, ["/", "/data"]), base_url="http://127.0.0.1:8501", follow_redirects=False)
    client.get("/auth/login", headers={"Referer": referer or f"http://127.0.0.1:8501{link}"})
    return client.get("/oauth2callback").headers["location"]


@pytest.mark.parametrize("link", ["/data?data=a&kind=good%2C%20to%20fit", "/data", "/?detector=a;b"])
def test_the_link_is_there_again_after_the_sign_in(link):
    assert back_from(link) == link


@pytest.mark.parametrize("link", ["/elsewhere", "//evil.example/data", "/\\evil.example", "/data/../x", "/auth/logout"])
def test_a_link_that_leads_to_no_page_leads_home(link):
    assert back_from(link) == "/"


def test_another_servers_page_is_no_way_back():
    assert back_from("", referer="http://evil.example/data?x=1") == "/"


@pytest.mark.parametrize(
    "value", ["https://evil.example/data", "//evil.example/", "/data%0d%0aSet-Cookie:x", "%ff", "x"]
)
def test_a_planted_cookie_leads_to_no_other_place(value):
    async def streamlit(scope, receive, send):
        await RedirectResponse("/")(scope, receive, send)

    client = TestClient(WayBack(streamlit, ["/", "/data"]), base_url="http://127.0.0.1:8501", follow_redirects=False)
    answer = client.get("/oauth2callback", headers={"cookie": f"gad_way_back={value}"})
    assert (answer.headers["location"], "x" in answer.headers.get("set-cookie", "")) == ("/", False)


def test_a_tab_that_goes_while_it_is_heard_is_no_error(settled):
    settled()

    async def hears_once_too_often(scope, receive, send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await socket.close()
        await socket.receive_text()

    client = TestClient(Guard(hears_once_too_often), base_url="http://127.0.0.1:8501")
    with client.websocket_connect("ws://127.0.0.1:8501/_stcore/stream") as tab, pytest.raises(WebSocketDisconnect):
        tab.receive_text()
