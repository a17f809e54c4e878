"""The real server in a process of its own, and a real headless Chromium that watches what the pages do."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import pytest
import streamlit as st
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright
from streamlit.runtime.pages_manager import PagesManager

ROOT = Path(__file__).parents[2]
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60_000  # milliseconds; a fresh server imports torch on its first page, on a busy machine slowly
expect.set_options(timeout=PATIENCE)


@pytest.fixture(autouse=True, scope="module")
def _main() -> Iterator[None]:
    """Streamlit's AppTest leaves the app as `__main__`, which processes started by later tests would run."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def _menu_known(monkeypatch) -> None:
    """AppTest forgets before every run that the app has a menu of its own, and would run its pages without `app.py`."""
    make = PagesManager.__init__

    def make_knowing(self: PagesManager, *args: object, **options: object) -> None:
        make(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", make_knowing)


@pytest.fixture(autouse=True)
def _explained_at_once(monkeypatch) -> None:
    """A page that runs without a browser waits for its explanation, for nobody draws it anew."""
    from pages.views.attributions import awaited

    monkeypatch.setattr(awaited, "PATIENCE", PATIENCE / 1000)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A workspace for the whole module; the server's long-lived objects belong to it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("GAD_HOME", str(folder))
        st.cache_resource.clear()
        yield folder
        from pages.shared import resources

        resources.jobs().close()
        resources.store().close()
        st.cache_resource.clear()


@pytest.fixture(scope="module")
def ids(home, stripes) -> dict[str, str]:
    """The ids of a small data set and of a detector fitted to it."""
    from gad_core.gaussian.settings import FitSettings
    from gad_core.workspace.imports import add_folder
    from gad_core.workspace.steps import fit_dataset
    from pages.shared import resources

    store = resources.store()
    dataset = add_folder(store, stripes)
    detector = fit_dataset(store, dataset.id, FitSettings(), cache=store.feature_cache())
    return {"data": dataset.id, "detector": detector.id}


@contextmanager
def serving(home: Path, port: int | None = None, **variables: str) -> Iterator[str]:
    """A fresh server over the workspace `home` with these environment variables; yields its address."""
    with running(home, port, **variables) as (url, _):
        yield url


@contextmanager
def running(home: Path, port: int | None = None, **variables: str) -> Iterator[tuple[str, int]]:
    """The same; yields its address and the id of its process."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = os.environ | {"GAD_HOME": str(home)} | variables
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _until_healthy(server, port, log)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _until_healthy(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.1)
            break
    pytest.fail(f"the server did not come up:\n{log.read_text()}")


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """Starts a fresh server over a workspace."""
    return serving


@pytest.fixture(scope="session")
def fitted(stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A workspace with a data set and a detector fitted to it, and their ids."""
    from gad_core.gaussian.settings import FitSettings
    from gad_core.workspace.imports import add_folder
    from gad_core.workspace.steps import fit_dataset
    from gad_core.workspace.store import Store

    home = tmp_path_factory.mktemp("fitted")
    with Store(home) as store:
        dataset = add_folder(store, stripes)
        detector = fit_dataset(store, dataset.id, FitSettings(), cache=store.feature_cache())
    return home, {"data": dataset.id, "detector": detector.id}


@pytest.fixture(scope="session")
def server(fitted: tuple[Path, dict[str, str]]) -> Iterator[str]:
    """The address of a server over the fitted workspace, one for all tests."""
    with serving(fitted[0]) as url:
        yield url


def chromium_program() -> str | None:
    """Where Chromium is, if it is there."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without one the browser tests are skipped, but never in continuous integration."""
    program = chromium_program()
    if program is None:
        message = "the browser tests need Chromium: install the package 'chromium' so that the command is found"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens tabs with no common memory; afterwards none may have complained or asked anyone but the server."""
    trouble: list[str] = []

    def complaint(message: ConsoleMessage) -> None:
        if message.type == "error":
            trouble.append(f"{message.text} ({message.location['url']})")

    def answered(response: Response) -> None:
        if response.status >= HTTPStatus.BAD_REQUEST:
            trouble.append(f"{response.status} for {response.url}")

    def open_tab(**options: object) -> Page:
        page = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | options)).new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", complaint)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: outside(request.url))
        page.on("response", answered)
        return page

    def outside(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            trouble.append(f"asked {url}")

    yield open_tab
    for context in chromium.contexts:
        context.close()
    assert not trouble
