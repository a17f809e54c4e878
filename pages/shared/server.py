"""Answers of the web server that Streamlit does not give: pages that know at once where their server is."""

from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

_PAGES = Path(__file__).parents[1]
_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
#: Without it, Streamlit's front end takes the path of a deep link for the server's, and asks there in vain.
_HOME = "<script>window.__streamlit = {BACKEND_BASE_URL: new URL('.', location.href).href}</script>"


def routes() -> list[Route]:
    """Answers to the first request for each page below Home."""
    return [Route(f"/{page.stem}", _index) for page in sorted(_PAGES.glob("*.py"))]


async def _index(_: Request) -> HTMLResponse:
    """A page's first answer."""
    return HTMLResponse(
        _INDEX.read_text().replace("<head>", f"<head>{_HOME}", 1), headers={"Cache-Control": "no-cache"}
    )
