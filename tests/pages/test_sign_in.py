"""The real server as an operator opens it to others: names, pages from elsewhere, sign-in, roles, the way out.

People sign in at a small OpenID Connect service of the tests. The server notes whom it speaks to beyond this machine.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from gad_core.workspace.store import Store
from tests.pages import sign_in_service
from tests.pages.conftest import QUIET, ROOT, chromium_program, free_port, serving

pytestmark = pytest.mark.browser

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
#: Python runs a module of this name before anything else: who is asked for or spoken to beyond this machine is noted.
NOTING = """
import ipaddress
import socket
from pathlib import Path

def noting(name, spoken_to):
    def note(self, address, *rest):
        host = address[0] if isinstance(address, tuple) else address
        try:
            own = ipaddress.ip_address(host).is_loopback
        except ValueError:
            own = not isinstance(address, tuple) and host in (None, "localhost", b"localhost")
        if not own and not (isinstance(address, str) and address.startswith("/")):
            with Path({path!r}).open("a") as notes:
                notes.write(f"{{name}} {{address}}\\n")
        return spoken_to(self, address, *rest)
    return note

class Noting(socket.socket):
    connect = noting("connect", socket.socket.connect)
    connect_ex = noting("connect_ex", socket.socket.connect_ex)

look_up = noting("getaddrinfo", lambda _, host, *rest: resolve(host, *rest))
resolve = socket.getaddrinfo
socket.socket = Noting
socket.getaddrinfo = lambda host, *rest, **more: look_up(None, host, *rest) if not more else (
    noting("getaddrinfo", lambda _, host: resolve(host, *rest, **more))(None, host)
)
"""


@dataclass(frozen=True)
class Opened:
    """A server on which people sign in."""

    url: str
    home: Path
    ids: dict[str, str]
    spoken_to: Path  # a line for each attempt to reach another machine

    @property
    def link(self) -> str:
        """A deep link."""
        return f"{self.url}/working_point?detector={self.ids['detector']}&data={self.ids['data']}&fpr=7"


@pytest.fixture(scope="module")
def opened(fitted, tmp_path_factory) -> Iterator[Opened]:
    home, ids = fitted
    folder = tmp_path_factory.mktemp("opened")
    port, service_port = free_port(), free_port()
    (folder / "sitecustomize.py").write_text(NOTING.format(path=str(folder / "notes")))
    (folder / "notes").touch()
    with sign_in_service.serving(service_port) as service:
        (folder / "secrets.toml").write_text(sign_in_service.secrets_of(f"http://127.0.0.1:{port}", service))
        variables = {
            "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml"),
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        }
        with serving(home, port=port, **variables) as url:
            yield Opened(url, home, ids, folder / "notes")


def status(url: str, path: str, *, method: str = "GET", **headers: str) -> int:
    """What a request is answered."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request(method, path, headers=headers)
    code = connection.getresponse().status
    connection.close()
    return code


def handshake(url: str, **headers: str) -> int:
    """What a websocket is answered."""
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    return status(url, "/_stcore/stream", **asked, **{"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}, **headers)


PATHS = ("/", "/data", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/media/a.png", "/static/a.js")


def test_under_a_foreign_name_nothing_is_answered(server):
    port = urlsplit(server).port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example"):
        assert {status(server, path, Host=host) for path in PATHS} == {403}
        assert status(server, "/_stcore/upload_file/a/b", Host=host, method="PUT") == 403
        assert handshake(server, Host=host, Origin=f"http://{host}") == 403
    for host in ("localhost", f"[::1]:{port}", f"127.0.0.1:{port}"):
        assert status(server, "/_stcore/health", Host=host) == 200
        assert handshake(server, Host=host, Origin=f"http://{host}") == 101


def test_a_page_of_another_port_of_this_machine_drives_nothing(server):
    assert handshake(server, Origin="http://127.0.0.1:3000") == 403
    assert handshake(server, Origin="null") == 403
    assert handshake(server) == 101  # a program, which has the rights of who runs it


def test_a_page_whose_name_leads_here_is_refused_in_a_real_browser(server, chromium):
    arguments = [*QUIET, "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    browser = chromium.browser_type.launch(executable_path=chromium_program(), args=arguments)
    answer = browser.new_page().goto(server.replace("127.0.0.1", "evil.example"))
    assert answer is not None
    assert (answer.status, "does not answer to this name" in answer.text()) == (403, True)
    browser.close()


@pytest.fixture
def enter(chromium: Browser, opened: Opened) -> Iterator[Callable[..., Page]]:
    """Opens a link and signs in as somebody; afterwards nothing may have been asked of another machine."""

    def sign_in(who: str, link: str | None = None) -> Page:
        page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(link or opened.link)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name=who, exact=True).click()
        page.wait_for_url(f"{opened.url}/**")
        page.wait_for_selector(SETTLED)
        return page

    yield sign_in
    for context in chromium.contexts:
        context.close()
    assert opened.spoken_to.read_text() == ""


def test_without_a_sign_in_nothing_but_the_way_in_is_shown(opened, chromium):
    page = chromium.new_context().new_page()
    page.goto(opened.link)
    expect(page.get_by_role("heading", name="Sign in to GAD")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    expect(page.get_by_text("stripes")).to_have_count(0)
    page.context.close()
    for path, method in (("/media/a.png", "GET"), ("/_stcore/upload_file/a/b", "PUT"), ("/_stcore/metrics", "GET")):
        assert status(opened.url, path, method=method) == 403


def test_an_engineer_comes_back_to_the_link_and_decides_under_the_own_name(opened, enter):
    page = enter("engineer")
    assert page.url == opened.link
    expect(page.get_by_label("Target, %")).to_have_value("7")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Engineer")
    page.get_by_role("button", name="Name & note").click()
    expect(page.get_by_text(re.compile("On record as Anna@.?Example.com"))).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Adopt this threshold").click()
    expect(page.get_by_text(re.compile("^Adopted:")).first).to_be_visible()
    with Store(opened.home) as store:
        (newest, *_) = store.detectors.decisions(opened.ids["detector"])
    assert (newest.who, newest.point.target_fpr) == ("Anna@Example.com", pytest.approx(0.07))
    with page.expect_response(re.compile("/auth/logout")):  # the page shows the way in before it has gone there
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert not [cookie for cookie in page.context.cookies() if cookie["name"].startswith("_streamlit_user")]


def test_a_viewer_tunes_and_changes_nothing(opened, enter):
    page = enter("viewer")
    with Store(opened.home) as store:
        before = store.detectors.decisions(opened.ids["detector"])
    adopt = page.get_by_role("button", name="Adopt this threshold")
    expect(adopt).to_be_disabled()
    adopt.hover(force=True)
    expect(page.get_by_role("tooltip")).to_contain_text("Viewers change nothing")
    page.get_by_label("Target, %").fill("20")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stMetric").filter(has_text="Promised")).to_contain_text("20.0 %")
    answer = page.evaluate("fetch('/_stcore/upload_file/a/b', {method: 'PUT'}).then(answer => answer.status)")
    assert answer == 403
    with Store(opened.home) as store:
        assert store.detectors.decisions(opened.ids["detector"]) == before


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("stranger", "is on no list of this dashboard"),
        ("unverified", "has not verified"),
    ],
)
def test_who_is_not_let_in_sees_the_reason_and_the_way_out(opened, enter, who, words):
    page = enter(who, f"{opened.url}/help")
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_forged_cookie_is_no_sign_in(opened, enter):
    page = enter("viewer", f"{opened.url}/help")
    (cookie,) = (one for one in page.context.cookies() if one["name"] == "_streamlit_user")
    said = json.dumps({"is_logged_in": True, "email": "anna@example.com", "email_verified": True, "origin": opened.url})
    for forged in (cookie["value"][:-3] + "abc", said):
        page.context.add_cookies([{"name": cookie["name"], "value": forged, "url": opened.url}])
        page.goto(f"{opened.url}/help")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_refused_page_has_the_server_ask_nobody_for_its_own_address(opened):
    for origin in ("http://evil.example", "https://192.0.2.1", "null"):
        assert handshake(opened.url, Origin=origin) == 403
    assert opened.spoken_to.read_text() == ""
