"""What the web server refuses before Streamlit sees it: foreign names and pages, and files of who is not let in.

Streamlit asks only the websocket for its host, and lets pages of any port of this machine speak to it.
"""

import json
import time
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose, WebSocketDisconnected
from streamlit.web.server.server_util import AUTH_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from gad_core.export.hosts import answers_to, from_elsewhere, is_own
from gad_core.workspace.people import Access
from pages.shared import access

_SAFE = ("GET", "HEAD", "OPTIONS")
_UPLOAD, _MEDIA, _METRICS = "/_stcore/upload_file/", "/media/", "/_stcore/metrics"
_VIOLATION = 1008  # of a websocket: policy violation


class Guard:
    """Answers 403 to what is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at one request or websocket."""
        reason = _refusal(scope) if scope["type"] in ("http", "websocket") else None
        if reason is None:
            with suppress(WebSocketDisconnected):  # Streamlit listens once more to a tab that has gone meanwhile
                await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_VIOLATION, reason)(scope, receive, send)
        else:
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send)


def _refusal(scope: Scope) -> str | None:
    """Why something is refused; None where it is not."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not answers_to(host, access.hosts()):
        return "This server does not answer to this name; its operator can add it to server.allowedHosts."
    acts = scope["type"] == "websocket" or scope["method"] not in _SAFE
    if acts and from_elsewhere(headers.get("origin"), host):
        return "A page from elsewhere may not do that here."
    rules = access.access()
    if rules is None:
        return None if _reached_from_here(scope) or access.open_to_all() else "Only this machine may reach this server."
    return _refusal_of_person(rules, scope["path"], headers)


def _reached_from_here(scope: Scope) -> bool:
    """Whether the address that was asked is this machine's own; a Unix socket is."""
    server = scope.get("server")
    return server is None or server[1] is None or is_own(server[0])


def _refusal_of_person(rules: Access, path: str, headers: Headers) -> str | None:
    """Pages guard themselves; files go past them."""
    base = st.get_option("server.baseUrlPath").strip("/")
    below = path.removeprefix(f"/{base}") if base else path
    if not below.startswith((_UPLOAD, _MEDIA, _METRICS)):
        return None
    person = rules.person(_claims(headers), time.time())
    if person.role is None:
        return "Sign in first."
    return "Viewers upload nothing." if _UPLOAD in path and person.closed else None


def _claims(headers: Headers) -> dict[str, Any]:
    """What the sign-in service said of who asks, from the cookie that Streamlit has signed; empty without one."""
    cookies: SimpleCookie = SimpleCookie()
    with suppress(CookieError):
        cookies.load(headers.get("cookie", ""))
    signed = _get_signed_cookie_with_chunks({name: one.value for name, one in cookies.items()}, AUTH_COOKIE_NAME)
    try:
        claims = json.loads(signed) if signed else {}
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
