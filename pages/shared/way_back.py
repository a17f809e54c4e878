"""A deep link is kept over the sign-in: Streamlit itself brings everybody back to Home.

The page from which somebody goes to sign in is named by the browser (`Referer`), lies in a short-lived cookie
meanwhile, and takes the place of Home when they come back. Only this server's own pages count.
"""

from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COOKIE = "gad_way_back"
_GOING, _COMING = "/auth/login", "/oauth2callback"
_LASTS = 900  # seconds that a sign-in may take
_ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax"
_LONGEST = 2000  # characters of a link


class WayBack:
    """Keeps the link; `paths` are those of the pages."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app, self._paths = app, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with a cookie on the way to sign in, and by it on the way back."""
        if scope["type"] != "http" or scope["path"] not in (_GOING, _COMING):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        link = self._left(headers) if scope["path"] == _GOING else self._kept(headers)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and link:
                answer = MutableHeaders(scope=message)
                if scope["path"] == _GOING:
                    answer.append("set-cookie", f"{_COOKIE}={quote(link, safe='')}; Max-Age={_LASTS}; {_ATTRIBUTES}")
                elif answer.get("location") == "/":
                    answer["location"] = link
                    answer.append("set-cookie", f"{_COOKIE}=; Max-Age=0; {_ATTRIBUTES}")
            await send(message)

        await self._app(scope, receive, sending)

    def _left(self, headers: Headers) -> str | None:
        """The page from which somebody goes."""
        page = urlsplit(headers.get("referer", ""))
        link = page._replace(scheme="", netloc="", fragment="").geturl()
        return self._own(link) if page.netloc == headers.get("host") else None

    def _kept(self, headers: Headers) -> str | None:
        """The page that the cookie names."""
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return None
        return self._own(unquote(cookies[_COOKIE].value)) if _COOKIE in cookies else None

    def _own(self, link: str) -> str | None:
        """The link, if it is one to a page of this server."""
        parts = urlsplit(link)
        own = not parts.scheme and not parts.netloc and parts.path in self._paths and link.isascii()
        return link if own and link.isprintable() and len(link) <= _LONGEST else None
