"""What is asked of the web server beyond Streamlit: to know the addresses of pages, and to be ready for the first."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from gad_core.errors import GadError
from pages.shared import access, memory
from pages.shared.guard import Guard
from pages.shared.modules import ADDRESS, FOLDER
from pages.shared.way_back import WayBack

_PAGES = Path(__file__).parents[1]
#: In place of a page: what all pages share.
FIRST = ""
#: What loads torch or scikit-learn: no page needs it to be drawn; Compare, which takes all of it, comes last.
_HEAVY = (
    "gad_core.attribution.deep_shap",
    "gad_core.features.networks",
    *(f"pages.views.attributions.{name}" for name in ("checks", "clusters", "concepts", "findings", "numbers")),
    "pages.views.attributions.strategies",
)
_LAST = "compare"
_STATIC = Path(streamlit.__file__).parent / "static"
#: Without it, Streamlit's front end takes the path of a deep link for the server's, and asks there in vain.
_HOME = "<script>window.__streamlit = {BACKEND_BASE_URL: new URL('.', location.href).href}</script>"
#: Fetched with the page, so that the first chart does not wait for it; run with that chart, for the page comes first.
_EARLIER = "".join(f'<link rel="modulepreload" href="./{ADDRESS}/{path.name}">' for path in sorted(FOLDER.glob("*.js")))
_log = logging.getLogger(__name__)
# Torch's threads spin while they wait for each other. Where other work has the cores, they spin for seconds: a first
# attribution beside two busy processes took 35 s, and 4 s with threads that sleep. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def routes() -> list[BaseRoute]:
    """Answers to the first request for each page, and the modules of our own components."""
    return [
        *(Route(path, _index) for path in _paths()),
        Mount(f"/{ADDRESS}", _Modules(directory=FOLDER)),
    ]


class _Modules(StaticFiles):
    """Files that a browser asks for again, or an update would run beside modules of the version before."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with the word to ask."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def doors() -> list[Middleware]:
    """What every request passes first; the server does not come up where its settings leave it open by mistake."""
    try:
        access.check()
    except GadError as error:
        raise SystemExit(f"error: {error}") from None
    return [Middleware(Guard), Middleware(WayBack, paths=_paths())]


def _paths() -> list[str]:
    return [f"/{name}" for name in ("", *(page.stem for page in sorted(_PAGES.glob("*.py"))))]


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[dict[str, Any]]:
    """Import what pages need while the browser comes up; then keep memory small."""
    memory.few_heaps()
    # Else a deep link's page would run before `app.py`, past the sign-in and beside the imports.
    PagesManager.uses_pages_directory = False
    _warming.start()
    housekeeping = asyncio.create_task(memory.keep_small())
    yield {}
    housekeeping.cancel()


def ready(page: str = FIRST) -> None:
    """Wait until what a page imports is there; two threads that import the same would get in each other's way."""
    if _warming.is_alive():
        _asked.append(page)
        _there[page].wait()


async def _index(_: Request) -> HTMLResponse:
    """A page's first answer."""
    page = (_STATIC / "index.html").read_text().replace("<head>", f"<head>{_HOME}{_EARLIER}", 1)
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})


def _warm() -> None:
    """Import all pages, with the garbage collector away: none of it is garbage, now or when a run has ended.

    Looking through it anyway took a third of the imports' time, and 0.2 s after every run. The page that somebody
    waits for comes next, and torch, which no page needs to be drawn, last. Folders that were watched when the server
    stopped are watched again, whether anybody comes or not.
    """
    gc.disable()
    try:
        left = list(_there)
        while left:
            page = next((asked for asked in reversed(_asked) if asked in left), left[0])
            for module in _modules(page):
                import_module(module)
            left.remove(page)
            _there[page].set()
        import_module("pages.shared.resources").watch_on()
        for module in _HEAVY:
            import_module(module)
    except Exception:  # the page that needs it says so
        _log.exception("not everything could be imported")
    finally:
        for there in _there.values():
            there.set()
        gc.freeze()
        gc.enable()


def _modules(page: str) -> list[str]:
    """What a page imports: its views, or what all pages share."""
    paths = _PAGES.glob("shared/*.py") if page == FIRST else (_PAGES / "views" / page).rglob("*.py")
    names = (".".join(path.relative_to(_PAGES.parent).with_suffix("").parts) for path in paths)
    return sorted(name for name in names if name not in _HEAVY)


_there = {page: Event() for page in (FIRST, *sorted((path.stem for path in _PAGES.glob("*.py")), key=_LAST.__eq__))}
_asked: list[str] = []
_warming = Thread(target=_warm, name="gad-warming", daemon=True)
