"""New images are judged as `score` judges them, stand on record once, and keep what people said of them."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector
from gad_core.library.judging import score
from gad_core.workspace.inspecting import forget_refused, inspect_files, refused_last
from gad_core.workspace.rows import DetectorRow
from gad_core.workspace.store import Store


def zipped(files: dict[str, bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_images_and_archives_are_judged_as_the_library_judges_them(
    store: Store, deciding: DetectorRow, picture: Callable[..., bytes], tmp_path: Path
) -> None:
    archive = zipped({"lot 1/a.png": picture(21), "lot 2/a.png": picture(22), "lot 2/bad.png": b"no image"})
    inspect_files(store, deciding.id, [("one.png", picture(20)), ("parts.zip", archive), ("notes.txt", b"hello")])
    rows = store.inspections.of([deciding.id])
    assert [(row.name, row.lot) for row in rows] == [
        ("one.png", None),
        ("parts.zip/lot 1/a.png", "lot 1"),
        ("parts.zip/lot 2/a.png", "lot 2"),
    ]
    for seed in (20, 21, 22):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed))
    expected = score(load_detector(deciding.path), [tmp_path / f"{seed}.png" for seed in (20, 21, 22)]).rows
    np.testing.assert_array_equal([row.score for row in rows], [one["score"] for one in expected])
    np.testing.assert_array_equal([row.p_value for row in rows], [one["p_value"] for one in expected])
    assert [row.outcome for row in rows] == [one["verdict"] for one in expected]
    assert [row.path.read_bytes() for row in rows] == [picture(seed) for seed in (20, 21, 22)]
    refused = refused_last(store, deciding.id)
    assert [one.path for one in refused] == ["notes.txt", "parts.zip/lot 2/bad.png"]
    forget_refused(store, deciding.id)
    assert refused_last(store, deciding.id) == ()


def test_nothing_usable_is_an_error_that_names_the_first_reason(store: Store, deciding: DetectorRow) -> None:
    with pytest.raises(GadError, match=r"out of 2 files \(b.zip: .*\); bring PNG"):
        inspect_files(store, deciding.id, [("a.png", b"x"), ("b.zip", b"PK no zip")])
    assert store.inspections.of([deciding.id]) == ()
    assert len(refused_last(store, deciding.id)) == 2


def test_the_last_word_counts_and_earlier_ones_stay(
    store: Store, deciding: DetectorRow, picture: Callable[..., bytes]
) -> None:
    inspect_files(store, deciding.id, [("a.png", picture(20)), ("b.png", picture(21))])
    first, second = store.inspections.of([deciding.id])
    store.inspections.say([first.id, second.id], False, who="A")
    store.inspections.say([first.id], True, who="B")
    assert [row.defective for row in store.inspections.of([deciding.id])] == [True, False]
    store.inspections.say([second.id], None)
    row = store.inspections.get(second.id)
    assert (row.defective, row.judged) == (None, None)
    with pytest.raises(GadError, match="there is no inspection"):
        store.inspections.say([first.id, 99], True)
    assert store.inspections.get(first.id).defective is True


def test_an_image_that_is_brought_again_is_judged_anew_and_keeps_its_word(
    store: Store, deciding: DetectorRow, picture: Callable[..., bytes]
) -> None:
    inspect_files(store, deciding.id, [("a.png", picture(20))])
    (row,) = store.inspections.of([deciding.id])
    store.inspections.say([row.id], True)
    key = store.inspections.latest(deciding.id)
    inspect_files(store, deciding.id, [("a.png", picture(20)), ("a.png", picture(23))])
    again, other = store.inspections.of([deciding.id])
    assert (again.id, again.defective) == (row.id, True)
    assert again.score == pytest.approx(row.score)
    assert again.created > row.created
    assert other.digest != again.digest
    assert store.inspections.latest(deciding.id) != key
