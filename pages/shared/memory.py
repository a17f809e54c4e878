"""Memory goes back to the machine when nobody uses it: the server runs for months, beside other programs."""

import asyncio
import ctypes
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from streamlit.runtime import Runtime, RuntimeState

_LOOK = 10.0  # seconds between two looks
_GROWN = 64 << 20  # bytes since the last time, for which it is worth a tenth of a second
_LONG_AGO = 4  # looks since the last tab was closed, after which nobody waits for what was read for it
_M_ARENA_MAX = -8  # of malloc.h
#: What is large and can be read or computed again, by the modules that hold it.
_LARGE = {
    "resources": ("detector", "_test_images", "scores", "region_maps", "inspected", "_inspections", "_line"),
    "gallery": ("small", "_thumbnails"),
    "explaining": ("kept",),
}


def few_heaps() -> None:
    """Let threads share two heaps; to be called before there are many.

    By itself glibc gives them heaps of their own, eight for each core, and what one has freed no other uses: after four
    attributions 280 MB could not be given back, and the peak was a gigabyte higher. Elsewhere nothing happens.
    """
    _libc("mallopt", _M_ARENA_MAX, 2)


def give_back() -> None:
    """Return freed memory to the system, of which glibc keeps whatever lies below something in use."""
    _libc("malloc_trim", 0)


def _libc(name: str, *numbers: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library, which has no such call
            getattr(ctypes.CDLL(None), name)(*numbers)


async def keep_small() -> None:
    """Look every ten seconds: after work its memory goes back, and what was read for people once they have gone."""
    low, alone, remembered = resident(), 0, 0
    while True:
        await asyncio.sleep(_LOOK)
        there = Runtime.instance().state is RuntimeState.ONE_OR_MORE_SESSIONS_CONNECTED
        alone = 0 if there else alone + 1
        before, remembered = remembered, disconnected()
        if alone == _LONG_AGO or (alone and remembered < before):
            await asyncio.to_thread(forget)
        elif resident() - low < _GROWN:
            continue
        await asyncio.to_thread(give_back)
        low = resident()


def disconnected() -> int:
    """How many sessions are kept for two minutes in case that their tab comes back; those whose time is over go.

    By itself Streamlit looks only when another tab is closed, and keeps all that the last ones held, uploads included.
    """
    manager: Any = Runtime.instance()._session_mgr
    return len(manager._session_storage._cache)


def forget() -> None:
    """Let go of what is large and can be had again; the next who comes waits for it as for the first page."""
    for module, names in _LARGE.items():
        if loaded := sys.modules.get(f"{__package__}.{module}"):
            for name in names:
                getattr(loaded, name).clear()
    gc.collect()  # what a session held refers to itself


def resident() -> int:
    """Bytes of memory that the process takes; 0 where the system does not tell so."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
