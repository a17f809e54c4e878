"""One browser tab, as a person sees it: what stands on the page at one moment, and what it complains of."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from playwright.async_api import Browser, Page

_LOOK = 0.3  # seconds between two looks at a page
#: All that is read of a page, at one moment: a page that still draws shows numbers of two settings side by side.
_READ = """
    () => {
        const app = document.querySelector('[data-testid=stApp]');
        const main = document.querySelector('[data-testid=stMain]');
        const text = (box, name) => box.querySelector(`[data-testid=${name}]`)?.innerText.trim() ?? '';
        const all = name => main ? [...main.querySelectorAll(`[data-testid=${name}]`)].map(one => one.innerText) : [];
        return {
            settled: app?.dataset.testScriptState === 'notRunning' && !main.querySelector(
                '[data-stale=true], [data-testid=stSkeleton], [data-testid=stSpinner]'),
            title: main?.querySelector('h1')?.innerText.trim() ?? '',
            metrics: main ? Object.fromEntries([...main.querySelectorAll('[data-testid=stMetric]')].map(box =>
                [text(box, 'stMetricLabel'), [text(box, 'stMetricValue'), text(box, 'stMetricDelta')]])) : {},
            captions: all('stCaptionContainer').concat(all('stMarkdownContainer')),
            labels: main ? [...main.querySelectorAll('[aria-label]')].map(one => one.ariaLabel) : [],
            errors: [...document.querySelectorAll('[data-testid=stException], [data-testid=stAlertContentError]')]
                .map(one => one.innerText),
            toasts: [...document.querySelectorAll('[data-testid=stToast]')].map(one => one.innerText),
            search: location.search,
        };
    }
"""


class Stuck(Exception):
    """A page did not come to show what it should within patience."""


@dataclass(frozen=True)
class Shown:
    """A settled page."""

    title: str
    metrics: dict[str, list[str]]  # value and the line below, by label
    captions: list[str]
    labels: list[str]
    errors: list[str]
    toasts: list[str]
    search: str

    def value(self, label: str) -> str | None:
        """What stands below a label."""
        return self.metrics.get(label, [None])[0]


class Tab:
    """A tab with a memory of its own; `trouble` holds what went wrong in it."""

    def __init__(self, name: str, page: Page, url: str, patience: float) -> None:
        self.name, self.page, self.url, self.patience = name, page, url, patience
        self.trouble: list[str] = []
        self.waited: list[float] = []  # seconds until a page showed what was asked for
        page.set_default_timeout(1000 * patience)
        page.on("console", lambda message: message.type == "error" and self.complain(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.complain(f"page: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("response", lambda answer: self._answered(answer.status, answer.url))

    @classmethod
    async def open(cls, browser: Browser, name: str, url: str, patience: float) -> "Tab":
        """Open a tab that shares no memory with others."""
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        return cls(name, await context.new_page(), url, patience)

    async def close(self) -> None:
        """Close it as a person does, with all that the browser keeps for it."""
        await self.page.context.close()

    def complain(self, words: str) -> None:
        """Keep what went wrong."""
        self.trouble.append(f"{self.name}: {words}")

    async def go(self, address: str, ready: Callable[[Shown], bool]) -> Shown:
        """Open an address of the server by its link."""
        await self.page.goto(f"{self.url}/{address}")
        return await self.until(ready, address)

    async def until(self, ready: Callable[[Shown], bool], what: str, *, patience: float | None = None) -> Shown:
        """Wait until the page has settled and shows what was asked for."""
        patience = patience or self.patience
        began = time.monotonic()
        last: Any = None
        while time.monotonic() - began < patience:
            before, last = last, await self.page.evaluate(_READ)
            # Looked at twice: for a moment a script has ended, and the browser has yet to draw the last of it.
            if last["settled"] and last == before and not last["errors"]:
                shown = Shown(**{name: last[name] for name in Shown.__dataclass_fields__})
                if ready(shown):
                    self.waited.append(time.monotonic() - began)
                    return shown
            await asyncio.sleep(_LOOK)
        if last and last["errors"]:
            raise Stuck(f"{what}: {'; '.join(last['errors'])}")
        raise Stuck(f"{what}: not there after {patience:.0f} s; {last}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, self.url.replace("http", "ws"), "data:", "blob:")):
            self.complain(f"asked {url}")

    def _answered(self, status: int, url: str) -> None:
        if status >= HTTPStatus.BAD_REQUEST:
            self.complain(f"{status} for {url}")
