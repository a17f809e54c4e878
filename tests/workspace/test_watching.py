"""A watched folder: every image is judged once, whatever happens to the process that watches."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gad_core.errors import GadError
from gad_core.export.sinks import read_lines
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import WorkingPoint
from gad_core.workspace.adoption import adopt
from gad_core.workspace.inspections import result
from gad_core.workspace.rows import DetectorRow, detector_state
from gad_core.workspace.store import Store
from gad_core.workspace.watching import Watcher

Pictures = Callable[..., bytes]

_WATCH = """
import sys, time
from pathlib import Path
from gad_core.workspace.store import Store
from gad_core.workspace.watching import Watcher
with Store(Path(sys.argv[1])) as store:
    watcher = Watcher(store, cache=store.feature_cache(), interval=0.05).start()
    print("up", flush=True)
    said = set()
    while True:
        for row in store.inspections.of([sys.argv[2]]):
            if row.id not in said and row.defective is None:
                store.inspections.say([row.id], row.flagged, who="tester")
                print("said", row.id, flush=True)
            said.add(row.id)
        time.sleep(0.02)
"""


@pytest.fixture
def line(tmp_path: Path) -> Path:
    folder = tmp_path / "line"
    folder.mkdir()
    return folder


def lay(folder: Path, name: str, data: bytes) -> None:
    """An image that has lain there for a while."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (then := time.time() - 60, then))


def names(store: Store, detector: DetectorRow) -> list[str]:
    return [row.name for row in store.inspections.of([detector.id])]


def test_new_images_are_judged_once_with_their_lot(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    watch = store.watches.start(deciding.id, line)
    lay(line, "a.png", picture(30))
    lay(line, "lot 7/b.png", picture(31))
    watcher = Watcher(store)
    assert [watcher.look(), watcher.look()] == [2, 0]
    lay(line, "c.png", picture(32))
    assert [watcher.look(), Watcher(store).look()] == [1, 0]
    rows = store.inspections.of([deciding.id])
    assert [(row.name, row.lot) for row in rows] == [("a.png", None), ("lot 7/b.png", "lot 7"), ("c.png", None)]
    assert {row.source for row in rows} == {watch.id}
    assert [row.id for row in store.inspections.newest(watch.id, 2)] == [rows[2].id, rows[1].id]


def test_a_file_is_left_alone_while_it_is_written(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    watch = store.watches.start(deciding.id, line)
    data, watcher = picture(30), Watcher(store)
    (line / "a.png").write_bytes(data[:50])
    watcher.look()
    (line / "a.png").write_bytes(data[:100])
    watcher.look()
    assert watcher.state(watch.id).refused == ()
    watcher.look()  # it looks as before, so somebody takes this for the whole file
    (refusal,) = watcher.state(watch.id).refused
    assert refusal.path == "a.png"
    assert "damaged" in refusal.reason
    (line / "a.png").write_bytes(data)
    watcher.look()
    watcher.look()
    assert names(store, deciding) == ["a.png"]
    assert watcher.state(watch.id).refused == ()


def test_other_content_under_the_same_name_is_another_part(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    store.watches.start(deciding.id, line)
    watcher = Watcher(store)
    for seed in (30, 31):
        lay(line, "last.png", picture(seed))
        os.utime(line / "last.png", (then := time.time() - 60 + seed, then))
        assert watcher.look() == 1
    first, second = store.inspections.of([deciding.id])
    assert (first.name, first.digest != second.digest) == (second.name, True)


def test_a_threshold_adopted_meanwhile_decides_from_then_on(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    store.watches.start(deciding.id, line)
    watcher = Watcher(store)
    lay(line, "a.png", picture(30))
    watcher.look()
    detector, state = load_detector(deciding.path), detector_state(deciding)
    point = WorkingPoint("cross-conformal", 0.2, 0.5, 6, "lower", reject_above=99.0)
    decision = adopt(store, deciding, detector, detector.tuning, point, state=state)
    lay(line, "b.png", picture(31))
    watcher.look()
    first, second = store.inspections.of([deciding.id])
    assert (first.threshold, second.threshold, second.reject_above) == (3.3, 0.5, 99.0)
    assert (second.decision_id, second.outcome) == (decision.id, "review")
    assert first.decision_id not in {None, decision.id}


def test_a_folder_that_is_gone_is_said_and_looked_for_again(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    watch, watcher = store.watches.start(deciding.id, line), Watcher(store)
    line.rename(line.with_name("away"))
    assert watcher.look() == 0
    assert "check the path" in (watcher.state(watch.id).error or "")
    line.with_name("away").rename(line)
    lay(line, "a.png", picture(30))
    assert watcher.look() == 1
    assert watcher.state(watch.id).error is None


def test_what_is_stopped_is_not_looked_at_and_goes_on_where_it_was(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    watch, watcher = store.watches.start(deciding.id, line), Watcher(store)
    lay(line, "a.png", picture(30))
    watcher.look()
    store.watches.stop(watch.id)
    lay(line, "b.png", picture(31))
    assert (watcher.look(), store.watches.active()) == (0, ())
    assert store.watches.start(deciding.id, line).id == watch.id
    assert (watcher.look(), names(store, deciding)) == (1, ["a.png", "b.png"])


def test_results_go_to_the_sink_and_wait_while_it_is_away(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "results.jsonl"
    watch = store.watches.start(deciding.id, line, sink=str(out))
    for seed in (30, 31):
        lay(line, f"{seed}.png", picture(seed))
    out.unlink()
    out.mkdir()  # nothing can be written there
    watcher = Watcher(store)
    assert watcher.look() == 2
    assert "choose another file" in (watcher.state(watch.id).error or "")
    out.rmdir()
    watcher.look()
    watcher.close()
    lay(line, "32.png", picture(32))
    (again := Watcher(store)).look()
    again.close()
    rows = store.inspections.of([deciding.id])
    assert read_lines(out) == [result(row) for row in rows]
    assert len(rows) == 3


def test_a_name_that_no_encoding_knows_is_refused_and_the_rest_is_judged(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    watch, watcher = store.watches.start(deciding.id, line), Watcher(store)
    lay(line, os.fsdecode(b"gr\xf6n.png"), picture(30))
    lay(line, "fine.png", picture(31))
    assert watcher.look() == 1
    (refusal,) = watcher.state(watch.id).refused
    assert (refusal.path, "rename it" in refusal.reason) == ("gr\\udcf6n.png", True)
    (line / os.fsdecode(b"gr\xf6n.png")).unlink()
    watcher.look()
    assert watcher.state(watch.id).refused == ()


def test_a_stop_takes_effect_between_two_hundred_images(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gad_core.workspace.watching._MOST", 2)
    watch, watcher = store.watches.start(deciding.id, line), Watcher(store)
    for seed in range(30, 35):
        lay(line, f"{seed}.png", picture(seed))
    assert watcher.look() == 2
    store.watches.stop(watch.id)
    assert watcher.look() == 0
    store.watches.start(deciding.id, line)
    assert [watcher.look(), watcher.look(), watcher.look()] == [
        0,
        2,
        1,
    ]  # those on record come first, and count no more


def test_what_is_no_folder_is_refused_at_the_door(store: Store, deciding: DetectorRow, tmp_path: Path) -> None:
    with pytest.raises(GadError, match="check the path"):
        store.watches.start(deciding.id, tmp_path / "nowhere")
    with pytest.raises(GadError, match="is no sink"):
        store.watches.start(deciding.id, tmp_path, sink="results.csv")
    assert store.watches.of(deciding.id) == ()


def test_of_two_servers_one_watches_and_the_other_takes_over(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path
) -> None:
    store.watches.start(deciding.id, line)
    lay(line, "a.png", picture(30))
    with Store(store.home) as other:
        assert Watcher(other).look() == 1
        lay(line, "b.png", picture(31))
        assert Watcher(store).look() == 0
    assert Watcher(store).look() == 1
    assert names(store, deciding) == ["a.png", "b.png"]


def test_killed_at_random_moments_it_scores_each_image_once_and_keeps_every_word(
    store: Store, deciding: DetectorRow, picture: Pictures, line: Path, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    kills, chance = int(os.environ.get("GAD_KILLS", "4")), np.random.default_rng(17)
    store.watches.start(deciding.id, line)
    written, said = 0, set[int]()
    for _ in range(kills):
        watching = spawn(_WATCH, store.home, deciding.id)
        assert watching.stdout is not None
        assert watching.stdout.readline() == "up\n"
        until = time.monotonic() + chance.uniform(0.1, 3)
        while time.monotonic() < until:
            lay(line, f"{written:03}.png", picture(100 + written))
            written += 1
            time.sleep(chance.uniform(0, 0.1))
        watching.kill()
        said |= {int(word.split()[1]) for word in watching.stdout.read().splitlines() if word.startswith("said ")}
    Watcher(store).look()
    rows = store.inspections.of([deciding.id])
    assert Counter(row.name for row in rows) == Counter(f"{number:03}.png" for number in range(written))
    assert said <= {row.id for row in rows if row.defective is not None}
    assert all(row.defective in {None, row.flagged} for row in rows)
