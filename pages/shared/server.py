"""What is asked of the web server beyond Streamlit: to know the addresses of pages, and to be ready for the first."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.starlette import App

_PAGES = Path(__file__).parents[1]
_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
#: Without it, Streamlit's front end takes the path of a deep link for the server's, and asks there in vain.
_HOME = "<script>window.__streamlit = {BACKEND_BASE_URL: new URL('.', location.href).href}</script>"
_log = logging.getLogger(__name__)
# Torch's threads spin while they wait for each other. Where other work has the cores, they spin for seconds: a first
# attribution beside two busy processes took 35 s, and 4 s with threads that sleep. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def routes() -> list[Route]:
    """Answers to the first request for each page below Home."""
    return [Route(f"/{page.stem}", _index) for page in sorted(_PAGES.glob("*.py"))]


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[dict[str, Any]]:
    """Import what pages need while the browser comes up: torch alone takes seconds."""
    _warming.start()
    yield {}


def ready() -> None:
    """Wait until what the pages import is there; two threads that import it at once would get in each other's way."""
    if _warming.is_alive():
        _warming.join()


async def _index(_: Request) -> HTMLResponse:
    """A page's first answer."""
    return HTMLResponse(
        _INDEX.read_text().replace("<head>", f"<head>{_HOME}", 1), headers={"Cache-Control": "no-cache"}
    )


def _warm() -> None:
    try:
        for views in sorted(_PAGES.glob("views/*/*.py")):
            import_module(".".join(views.relative_to(_PAGES.parent).with_suffix("").parts))
    except Exception:  # the page that needs it says so
        _log.exception("not everything could be imported")


_warming = Thread(target=_warm, name="gad-warming", daemon=True)
