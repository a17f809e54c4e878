"""Memory goes back to the machine: what was freed, what the last people had open, what an ended session held."""

import asyncio
import sys
import weakref
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from streamlit.runtime import RuntimeState
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from pages.shared import memory

AWAY, HERE = RuntimeState.NO_SESSIONS_CONNECTED, RuntimeState.ONE_OR_MORE_SESSIONS_CONNECTED


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give memory back by themselves")
def test_memory_that_was_freed_below_something_in_use_goes_back():
    blocks = [bytes(1000) for _ in range(200_000)]
    last = bytes(1000)
    before = memory.resident()
    blocks.clear()
    memory.give_back()
    assert before - memory.resident() > 150 << 20
    assert len(last) == 1000


def test_a_session_whose_time_is_over_is_dropped_with_all_that_it_held(monkeypatch):
    storage = MemorySessionStorage(ttl_seconds=0)
    runtime = SimpleNamespace(_session_mgr=SimpleNamespace(_session_storage=storage))
    monkeypatch.setattr(memory.Runtime, "instance", lambda: runtime)
    session = Mock(id="one")
    gone = weakref.ref(session)
    storage.save(SimpleNamespace(session=session))
    del session
    assert gone() is not None  # Streamlit itself does not look
    assert memory.disconnected() == 0
    assert gone() is None


def test_what_is_large_is_let_go_and_read_again_while_the_workspace_stays_open(home, ids):
    from pages.shared import resources

    store, row = resources.store(), resources.store().detectors.get(ids["detector"])
    before = resources.detector(row)
    assert resources.detector(row) is before
    memory.forget()
    assert resources.detector(row) is not before
    assert resources.store() is store


@pytest.mark.parametrize(
    ("states", "kept", "times"),
    [
        ([HERE] * 9, [0] * 9, 0),  # somebody is there
        ([AWAY] * 9, [0] * 9, 1),  # long enough alone, once
        ([AWAY, AWAY, HERE] * 3, [1, 1, 0] * 3, 0),  # a reload
        ([AWAY] * 9, [2, 2, 2, 2, 2, 1, 1, 0, 0], 3),  # and again when sessions have ended
    ],
)
def test_what_was_read_for_people_goes_once_they_are_gone(monkeypatch, states, kept, times):
    forgotten, looks = [], iter(zip(states, kept, strict=True))
    now = SimpleNamespace()

    async def look(_):
        pair = next(looks, None)
        if pair is None:
            raise asyncio.CancelledError
        now.state, now.kept = pair

    monkeypatch.setattr(memory.asyncio, "sleep", look)
    monkeypatch.setattr(memory.Runtime, "instance", lambda: now)
    monkeypatch.setattr(memory, "disconnected", lambda: now.kept)
    monkeypatch.setattr(memory, "forget", lambda: forgotten.append(now.kept))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(memory.keep_small())
    assert len(forgotten) == times
