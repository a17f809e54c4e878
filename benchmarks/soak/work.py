"""What a session does, again and again: sliders, attributions, inspection, fits; each number read is checked."""

import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from playwright.async_api import Locator

from benchmarks.soak.expected import KEPT, Expected, Map, link
from benchmarks.soak.tab import Shown, Stuck, Tab

_ADDS_UP = re.compile(r"attributions add up to (\S+) distance")
_GAP = re.compile(r"difference of the distances within (\S+) of the larger")
_OWN = "npca:0.05"  # what the detector says, which a link leaves out
#: A map is float32, and how its references are batched depends on the memory that is free.
_ROUNDING, _SCORE_ROUNDING = 1e-2, 0.3


class Session:
    """A person at the dashboard, who takes turns at everything; chance decides in which order."""

    def __init__(self, tab: Tab, expected: Expected, number: int) -> None:
        self.tab, self.expected, self.number = tab, expected, number
        self.random = random.Random(number)  # noqa: S311 - which page next
        self.done: Counter[str] = Counter()
        self.checked = 0
        self.wrong: list[str] = []
        self.brought: list[tuple[Path, str]] = []
        self._names = count()
        self._open = f"data={expected.dataset}&detector={expected.detector}"

    async def work(self, goes_on: Callable[[], bool]) -> None:
        """Take turns until it is time to go; what goes wrong is kept, and the next turn begins with a link."""
        turns: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("sliders: Levels & NPCA", self.levels),
            ("sliders: Working point", self.points),
            ("attributions", self.attributions),
            ("inspection", self.inspection),
            ("fit", self.fit),
        ]
        self.random.shuffle(turns)
        while True:
            for name, turn in turns:
                if not goes_on():
                    return
                try:
                    await turn()
                    self.done[name] += 1
                except Stuck as error:
                    self.tab.complain(f"{name}: {error}")
                except Exception as error:  # the browser's own, of many kinds
                    self.tab.complain(f"{name}: {type(error).__name__}: {error}")

    async def levels(self) -> None:
        """Move the components kept on Levels & NPCA."""
        words, tuning = self.random.choice(list(self.expected.tunings.items()))
        there = self._levels_say(self.expected.levels[words], str(tuning.reduction))
        self._check(await self.tab.go(f"levels?{self._open}&{link(tuning)}", there), self.expected.levels[words])
        place = KEPT.index(str(tuning.reduction))
        handle = self.tab.page.get_by_role("slider", name="Components kept")
        for _ in range(6):
            step = 1 if place == 0 or (place < len(KEPT) - 1 and self.random.random() < 0.5) else -1
            place += step
            words = next(
                other
                for other, one in self.expected.tunings.items()
                if (one.levels, one.pool, str(one.reduction)) == (tuning.levels, tuning.pool, KEPT[place])
            )
            there = self._levels_say(self.expected.levels[words], KEPT[place])
            shown = await self._moved(handle, "ArrowRight" if step > 0 else "ArrowLeft", there, words)
            self._check(shown, self.expected.levels[words])

    def _levels_say(self, wanted: dict[str, str], kept: str) -> Callable[[Shown], bool]:
        """Whether the page has come to the step; its link says which, unless that is the detector's own."""

        def there(shown: Shown) -> bool:
            said = parse_qs(shown.search.lstrip("?")).get("keep", [_OWN])
            return said == [kept] and all(label in shown.metrics for label in wanted)

        return there

    async def points(self) -> None:
        """Move the target on Working point."""
        words, tuning = self.random.choice(list(self.expected.tunings.items()))
        await self.tab.go(f"working_point?{self._open}&{link(tuning)}", self._said(words))
        handle = self.tab.page.get_by_role("slider", name="Target false-positive rate")
        key = self.random.choice(["PageUp", "PageDown"])
        for _ in range(3):
            before = (await self.tab.until(self._said(words), words)).value("Promised")
            shown = await self._moved(
                handle, key, lambda now, before=before: now.value("Promised") != before, f"{words}, {before}, {key}"
            )
            self._check(shown, self.expected.points[words, str(shown.value("Promised"))])

    async def _moved(self, handle: Locator, key: str, there: Callable[[Shown], bool], what: str) -> Shown:
        """Press a key on a slider; a press that went unheard is counted, and made again as a person would."""
        await handle.press(key)
        try:
            return await self.tab.until(there, what, patience=self.tab.patience / 4)
        except Stuck:
            self.done["(presses that went unheard)"] += 1
            await handle.press(key)
            return await self.tab.until(there, what)

    async def attributions(self) -> None:
        """Have two images explained."""
        for words, digest, number in self.random.sample(list(self.expected.maps), 2):
            tuning = self.expected.tunings[words]
            address = f"attributions?{self._open}&{link(tuning)}&image={digest}&references={number}"
            shown = await self.tab.go(address, self._map_there(words))
            self._check_map(shown, self.expected.maps[words, digest, number], f"{words}, {digest}, {number} references")

    def _map_there(self, words: str) -> Callable[[Shown], bool]:
        said = self._said(words)
        return lambda shown: said(shown) and any(_GAP.search(one) for one in shown.captions)

    async def inspection(self) -> None:
        """Bring a part to Inspect and read what becomes of it."""
        path = self.random.choice(list(self.expected.parts))
        name = f"part {self.number}-{next(self._names)}{path.suffix}"
        await self.tab.go(f"inspect?{self._open}", lambda shown: shown.title == "Inspect")
        page = self.tab.page
        await page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
            [{"name": name, "mimeType": "image/png", "buffer": path.read_bytes()}]
        )
        await page.get_by_role("button", name="Inspect", exact=True).click()
        self.brought.append((path, name))
        await self.tab.until(lambda shown: "Parts inspected" in shown.metrics, "a part on record")
        only = page.get_by_role("textbox", name="Name", exact=True)
        await only.fill(name)
        await only.press("Enter")
        said = f"{name}: "
        shown = await self.tab.until(lambda now: any(words.startswith(said) for words in now.captions), name)
        words = next(one for one in shown.captions if one.startswith(said))
        self._compare("verdict", said + self.expected.parts[path], words.replace("\u2060", ""), name)

    async def fit(self) -> None:
        """Fit a detector and read it on two pages."""
        seed = self.random.choice(list(self.expected.fits))
        wanted = dict(self.expected.fits[seed])
        on_fit = {label: wanted.pop(label) for label in ("Good parts fitted", "Left-out folds", "AUROC of the regions")}
        await self.tab.go(f"fit?{self._open}", lambda shown: "Good parts fitted" in shown.metrics)
        page = self.tab.page
        box = page.get_by_role("spinbutton", name="Seed")
        await box.fill(str(seed))
        await page.get_by_test_id("stMain").get_by_role("button", name="Fit", exact=True).click()
        shown = await self.tab.until(
            lambda now: self.expected.detector not in now.search and "Good parts fitted" in now.metrics,
            "its own fit",
            patience=5 * self.tab.patience,
        )
        self._check(shown, on_fit)
        await page.get_by_test_id("stSidebarNav").get_by_role("link", name="Working point").click()
        shown = await self.tab.until(lambda now: now.title == "Working point" and "Threshold" in now.metrics, "its fit")
        self._compare("seed", "5.0 %", str(shown.value("Promised")), f"seed {seed}")
        self._check(shown, wanted)

    def _said(self, words: str) -> Callable[[Shown], bool]:
        """Whether the page says that it shows this tuning, with its numbers."""
        return lambda shown: (
            bool(shown.metrics) and any(one.replace("\u2060", "").strip().endswith(words) for one in shown.captions)
        )

    def _check(self, shown: Shown, wanted: dict[str, str]) -> None:
        for label, value in wanted.items():
            self._compare(label, value, str(shown.value(label)), f"{shown.title}{shown.search}")

    def _check_map(self, shown: Shown, wanted: Map, where: str) -> None:
        self._compare("Distance", wanted.distance, str(shown.value("Distance")), where)
        references = float(shown.metrics["Distance"][1].split()[-1].replace(",", ""))
        self._near("references", wanted.references, references, _ROUNDING * abs(wanted.references), where)
        total = next(float(found[1]) for one in shown.labels if (found := _ADDS_UP.search(one or "")))
        self._near("sum of the map", wanted.total, total, _ROUNDING * abs(wanted.total), where)
        gap = next(float(found[1]) for one in shown.captions if (found := _GAP.search(one)))
        self._near("gap", 0.0, gap, 1e-3, where)
        if wanted.explanation is not None:
            found = float(str(shown.value("Explanation score")))
            self._near("explanation score", wanted.explanation, found, _SCORE_ROUNDING, where)

    def _near(self, what: str, wanted: float, found: float, rounding: float, where: str) -> None:
        self.checked += 1
        if not abs(found - wanted) <= rounding:
            self.wrong.append(f"{self.tab.name}: {what} {found} instead of {wanted} ({where})")

    def _compare(self, what: str, wanted: str, found: Any, where: str) -> None:
        self.checked += 1
        if found != wanted:
            self.wrong.append(f"{self.tab.name}: {what} {found!r} instead of {wanted!r} ({where})")
