"""Attributions on the pages: one at a time, once for everybody, and kept while there is room."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from gad_core.attribution import deep_shap
from gad_core.attribution.attribution_map import Attribution
from gad_core.gaussian.tuning import Tuning
from pages.shared import explaining


@pytest.fixture
def made(monkeypatch):
    """Which levels were explained, and how many explanations were under way at once."""
    under_way, most, asked = [0], [0], []

    def attribute(*_, tuning, **__):
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        asked.append(tuning.levels)
        time.sleep(0.05)
        under_way[0] -= 1
        scores = np.ones(len(tuning.levels))
        rgb = np.ones((len(tuning.levels), 3, 4, 4)) / 48
        return Attribution(tuning.levels, rgb, scores, 0 * scores, 0.0, "float32", "", (0,))

    kept = explaining.Kept(1 << 20)
    monkeypatch.setattr(deep_shap, "attribute", attribute)
    monkeypatch.setattr(explaining, "engine", lambda _: SimpleNamespace(network=None))
    monkeypatch.setattr(explaining, "kept", lambda: kept)
    return most, asked


def explain(images):
    test = SimpleNamespace(state=SimpleNamespace(detector="one"), detector=SimpleNamespace(backbone="any"))
    threads = [
        threading.Thread(target=explaining.attribution_of, args=(test, image, Tuning((6, 7)), 2)) for image in images
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_attributions_that_many_ask_for_at_once_take_turns(made):
    most, asked = made
    explain(np.full((4, 4, 3), n, np.uint8) for n in range(4))
    assert (most, len(asked)) == ([1], 4)


def test_what_many_ask_for_at_once_is_explained_once(made):
    _, asked = made
    explain(np.zeros((4, 4, 3), np.uint8) for _ in range(4))
    assert asked == [(6, 7)]


def test_maps_beyond_the_room_go_in_the_order_in_which_they_were_asked_for():
    kept = explaining.Kept(1000)
    one = Attribution((7,), np.zeros((1, 3, 4, 4)), np.ones(1), np.ones(1), 0.0, "float32", "", (0,))  # 384 bytes
    for name in ("first", "second"):
        kept.put((name,), one)
    kept.get(("first",))
    kept.put(("third",), one)
    assert [bool(kept.get((name,))) for name in ("first", "second", "third")] == [True, False, True]
