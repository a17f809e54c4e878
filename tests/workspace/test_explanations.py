"""Runs over whole categories are found again as they were."""

import hashlib
import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from gad_core.attribution.category import CategoryExplanation, Explained, explain_file
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.attribution.masks import mask_of
from gad_core.attribution.measures import measure_map
from gad_core.data.datasets import ImageSet, read_dataset
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.explanations import (
    ExplanationKey,
    Run,
    carry_over,
    explain_dataset,
    find_run,
    keep_run,
    runs_on,
)
from gad_core.workspace.imports import extend_upload
from gad_core.workspace.rows import DatasetState, DetectorState, detector_state


def made(dataset: str = "d", levels: tuple[int, ...] = (6, 7), detector: str = "g") -> Run:
    explanation = Explanation(*(float(value) for value in range(10)))
    images = (
        Explained("a", "bent", 12.5, 1e-7, explanation),
        Explained("b", "bent", 3.0, 0.0, Undefined("it is empty")),
    )
    states = DatasetState(dataset, datetime(2026, 1, 1, tzinfo=UTC)), DetectorState(detector, 5, 6)
    key = ExplanationKey(*states, Tuning(levels, ALL), 10)
    return Run(key, 0.97, CategoryExplanation(images))


def test_a_run_comes_back_equal(tmp_path: Path) -> None:
    keep_run(tmp_path, made())
    assert find_run(tmp_path, made().key) == made()
    assert find_run(tmp_path, made(levels=(6,)).key) is None


def as_the_first_version_wrote(folder: Path, run: Run) -> Path:
    keep_run(folder, run)
    file = folder / f"{run.key.id}.json"
    content = json.loads(file.read_text().replace('"explanation":', '"found":'))
    key = run.key
    content["key"] = {"dataset_id": key.dataset.id, "modified": key.dataset.modified.isoformat()}
    content["key"] |= {"detector_id": key.detector.id, **key.tuning.to_json(), "n_references": key.n_references}
    name = hashlib.sha256(json.dumps(content["key"]).encode()).hexdigest()[:20]
    file.unlink()
    first = folder / f"{name}.json"
    first.write_text(json.dumps(content))
    return first


def test_a_run_of_the_first_version_is_read(tmp_path: Path) -> None:
    as_the_first_version_wrote(tmp_path, made())
    expected = replace(made(), key=replace(made().key, detector=DetectorState("g", 0, 0)))
    assert runs_on(tmp_path, "d") == (expected,)


def test_the_first_version_named_its_runs_so() -> None:
    with ZipFile(Path(__file__).parent / "earlier.zip") as archive:
        (name,) = (name for name in archive.namelist() if "explanations/" in name)
        key = json.loads(archive.read(name))["key"]
    assert Path(name).stem == ExplanationKey.from_json(key).first_id


def test_a_run_of_the_first_version_counts_until_the_detector_is_written_again(tmp_path: Path) -> None:
    first = as_the_first_version_wrote(tmp_path, made())
    assert find_run(tmp_path, made().key) == made()
    later = replace(made().key, detector=DetectorState("g", first.stat().st_mtime_ns + 1, 7))
    assert find_run(tmp_path, later) is None


@pytest.mark.parametrize("earlier", [keep_run, as_the_first_version_wrote])
def test_a_run_counts_for_the_same_fit_with_another_threshold(tmp_path: Path, earlier) -> None:
    earlier(tmp_path, made())
    keep_run(tmp_path, made(levels=(5,), detector="other"))
    carry_over(tmp_path, made().key.detector, DetectorState("g", 2 * 10**18, 8))
    moved = replace(made().key, detector=DetectorState("g", 2 * 10**18, 8))
    assert find_run(tmp_path, moved) == replace(made(), key=moved)
    assert find_run(tmp_path, made().key) is None
    assert find_run(tmp_path, made(levels=(5,), detector="other").key) == made(levels=(5,), detector="other")
    assert len(list(tmp_path.iterdir())) == 2


JUNK = {
    "nothing": b"",
    "half of it": b"{",
    "a list": b"[]",
    "a text": b'"text"',
    "wrong parts": b'{"key": {}, "images": []}',
    "wrong images": b'{"images": ["x"]}',
    "binary": bytes(range(256)),
    "not UTF-8": '{"key": "ü"}'.encode("latin-1"),
    "endless": b"[" * 100_000,
}


@pytest.mark.parametrize("content", JUNK.values(), ids=JUNK)
def test_a_half_written_or_foreign_file_is_no_run(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{made().key.id}.json").write_bytes(content)
    assert find_run(tmp_path, made().key) is None
    assert runs_on(tmp_path, "d") == ()
    carry_over(tmp_path, made().key.detector, DetectorState("g", 2 * 10**18, 8))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_run_of_which_the_end_is_missing_is_none(tmp_path: Path, share: float) -> None:
    keep_run(tmp_path, made())
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    assert find_run(tmp_path, made().key) is None
    assert runs_on(tmp_path, "d") == ()


@pytest.mark.parametrize("value", ['"x"', "null", "[1]", "{}"])
@pytest.mark.parametrize("name", ["score", "null_mean", "gap", "defect"])
def test_a_run_with_something_else_for_a_number_or_a_text_is_none(tmp_path: Path, name: str, value: str) -> None:
    keep_run(tmp_path, made())
    (file,) = tmp_path.iterdir()
    content = json.loads(file.read_text())
    image = content["images"][0]
    part = image["explanation"] if name == "null_mean" else image
    part[name] = json.loads(value) if (name, value) != ("defect", '"x"') else 5
    file.write_text(json.dumps(content))
    assert runs_on(tmp_path, "d") == ()


def test_a_folder_with_the_name_of_a_run_is_none(tmp_path: Path) -> None:
    (tmp_path / f"{made().key.id}.json").mkdir()
    assert find_run(tmp_path, made().key) is None
    assert runs_on(tmp_path, "d") == ()


def test_a_detector_written_again_has_no_run_yet(tmp_path: Path) -> None:
    keep_run(tmp_path, made())
    assert find_run(tmp_path, replace(made().key, detector=DetectorState("g", 7, 8))) is None


def test_the_runs_of_a_data_set_are_its_own(tmp_path: Path) -> None:
    for run in (made(), made(levels=(5,)), made("other")):
        keep_run(tmp_path, run)
    assert {run.key.tuning.levels for run in runs_on(tmp_path, "d")} == {(6, 7), (5,)}
    assert runs_on(tmp_path / "nothing", "d") == ()


def test_the_masked_defects_of_a_data_set_are_explained_and_kept(store, six, picture) -> None:
    dataset = store.datasets.get(six.dataset_id)
    defects = [("a.png", picture(10)), ("a_mask.png", picture(11)), ("b.png", picture(12))]
    extend_upload(store, dataset.id, defects, split="test", defect="spot")
    tuning, cache, reports = Tuning((7,)), store.feature_cache(), []

    def explain(**options: bool) -> ExplanationKey:
        return explain_dataset(
            store,
            dataset.id,
            six.id,
            tuning,
            n_references=2,
            **options,
            cache=cache,
            progress=lambda *report: reports.append(report),
        )

    first = find_run(store.explanations, explain())
    assert first is not None
    assert first.auroc is None  # without good test images
    assert {total for _, total in reports} == {1}  # one test image has a mask; the network takes no time beside it
    extend_upload(store, dataset.id, [("c.png", picture(13)), ("d.png", picture(14))], split="test", defect="good")
    reports.clear()
    key = explain()
    assert reports == sorted(reports)
    assert reports[-1] == (1, 1)
    run = find_run(store.explanations, key)
    assert run is not None
    kept = store.explanations / f"{key.id}.json"
    content = kept.read_text()
    kept.unlink()
    kept.mkdir()
    with pytest.raises(GadError, match="a folder named"):
        explain()
    kept.rmdir()
    kept.write_text(content)
    assert key == ExplanationKey(store.datasets.get(dataset.id).state, detector_state(six), tuning, 2)
    (image,) = run.category.images
    test = read_dataset(dataset.root).test
    masked = next(file for file in test if file.mask)
    detector, engine = load_detector(six.path), load_engine(six.backbone)
    score = detector.scores(extract(ImageSet((masked,)), engine, cache=cache).features, tuning)[0]
    assert (image.digest, image.defect) == (masked.digest, "spot")
    assert image.score == pytest.approx(score, rel=1e-4)
    scores = detector.scores(extract(test, engine, cache=cache).features, tuning)
    pairs = [good < bad for good in scores[~test.labels] for bad in scores[test.labels]]
    assert run.auroc == sum(pairs) / 4
    reports.clear()
    assert explain() == key
    assert reports == []  # all is there
    assert explain(every=True) == key
    assert reports[-1] == (3, 3)  # what was explained before is not explained again
    every = find_run(store.explanations, key)
    assert every is not None
    assert not run.covers(test)
    assert every.covers(test)
    assert [one.digest for one in every.category.images] == [file.digest for file in test]
    assert every.category.masked == run.category.images
    total = explain_file(detector, engine.network, masked, tuning=tuning, n_references=2, split=False).total
    (own,) = every.category.masked
    np.testing.assert_allclose(own.cells, total.reshape(14, 16, 14, 16).mean(axis=(1, 3)), atol=1e-6)
    assert own.measures == pytest.approx(measure_map(total, mask_of(masked)))


def test_a_reduced_map_comes_back_and_one_that_is_no_map_makes_no_run(tmp_path: Path) -> None:
    cells = np.random.default_rng(0).standard_normal((14, 14)).astype(np.float32).astype(np.float64)
    run = made()
    images = tuple(replace(image, cells=cells) for image in run.category.images)
    keep_run(tmp_path, replace(run, category=CategoryExplanation(images)))
    found = find_run(tmp_path, run.key)
    assert found is not None
    for image in found.category.images:
        np.testing.assert_array_equal(image.cells, cells)
    path = tmp_path / f"{run.key.id}.json"
    content = json.loads(path.read_text())
    for wrong in ("AAAA", "no base 64", 5, b64encode(np.full(196, np.nan, "<f4").tobytes()).decode()):
        content["images"][0]["cells"] = wrong
        path.write_text(json.dumps(content))
        assert find_run(tmp_path, run.key) is None
