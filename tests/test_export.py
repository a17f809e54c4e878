"""`gad export`: what lies there after it, what is refused, and that others can run it."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

import gad_core as gad
from gad_core.gaussian.detector import Detector, TrainingImages
from gad_core.library import exporting
from gad_core.workspace.adoption import adopt
from gad_core.workspace.rows import detector_state
from gad_core.workspace.store import open_store


@pytest.fixture(scope="module")
def detector(stripes, tmp_path_factory) -> Detector:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAD_HOME", str(tmp_path_factory.getbasetemp() / "home"))
        return gad.fit(gad.read_dataset(stripes).train, gad.FitSettings(n_folds=5)).detector


@pytest.fixture
def file(detector, tmp_path) -> Path:
    detector.save(tmp_path / "stripes.gad")
    return tmp_path / "stripes.gad"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path_factory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "home"
    monkeypatch.setenv("GAD_HOME", str(folder))
    return folder


def metadata(graph: Path) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(graph).metadata_props}


def test_graph_and_file_say_the_same_of_the_detector(run, file, detector, stripes, tmp_path):
    status, out, _ = run("export", file, tmp_path / "line" / "a.onnx", "--check", stripes, "--json")
    report, beside = json.loads(out), json.loads((tmp_path / "line" / "calibration.json").read_text())
    graph = tmp_path / "line" / "a.onnx"
    assert status == 0
    assert sorted(path.name for path in graph.parent.iterdir()) == ["a.onnx", "calibration.json"]
    assert beside["graph"] == {"file": "a.onnx", "sha256": hashlib.sha256(graph.read_bytes()).hexdigest()}
    told = metadata(graph)
    assert (told["backbone"], told["fingerprint"], told["format"]) == (
        detector.backbone,
        detector.fingerprint,
        "gad-onnx-1",
    )
    for name in ("levels", "regions", "input", "threshold", "adopted", "calibration"):
        assert json.loads(told[name]) == beside[name]
    assert (beside["levels"], beside["keep"]) == ([6, 7], "npca:0.05")
    assert (report["threshold"], report["adopted"], report["decision"]) == (beside["threshold"], False, None)
    assert report["checked"]["images"] == 16 + len(detector.references)
    assert report["checked"]["largest_difference"] <= 1e-4
    assert report["checked"]["differing_verdicts"] == 0


def test_the_threshold_and_its_rates_are_those_of_evaluate(run, file, detector, stripes, tmp_path):
    assert run("export", file, tmp_path / "a.onnx", "--check", stripes)[0] == 0
    beside = json.loads((tmp_path / "calibration.json").read_text())
    by_method = {
        one.point.method: one
        for one in gad.evaluate(detector, gad.read_dataset(stripes).test).working_points
        if one.level == "sum"
    }
    expected, told = by_method["cross-conformal"], beside["calibration"]
    assert (beside["threshold"], told["n"], told["how"]) == (
        expected.point.threshold,
        expected.point.n,
        expected.point.how,
    )
    for name, rate in {"left_out": expected.left_out, "test": expected.test, "tpr": expected.tpr}.items():
        assert (told["rates"][name]["count"], told["rates"][name]["n"]) == (rate.count, rate.n)
    lines = "\n".join(sorted(detector.training.digests))
    assert told["images"] == {"n": 30, "sha256": hashlib.sha256(lines.encode()).hexdigest()}


def test_rates_leave_out_images_that_the_detector_was_made_from(detector, stripes, tmp_path):
    found = gad.export_onnx(detector, tmp_path / "a.onnx", check=gad.read_dataset(stripes).train)
    assert found.agreement.n == 30 + len(detector.references)
    assert found.facts["calibration"]["rates"]["test"] is None


def test_another_target_and_method_are_those_of_score(detector, stripes, tmp_path):
    with_lot = replace(
        detector, calibration=TrainingImages(detector.training.features[::-1] * 1.01, tuple(map(str, range(30))))
    )
    options = {"target_fpr": 0.2, "method": "split-conformal"}
    found = gad.export_onnx(with_lot, tmp_path / "a.onnx", **options)
    scored = gad.score(with_lot, stripes / "test" / "good", **options)
    beside = json.loads(found.calibration.read_text())
    assert found.facts["threshold"] == scored.verdict.threshold
    at_or_above = (np.array(beside["scores"]) >= scored.verdict.scores[:, None]).sum(axis=1)
    np.testing.assert_array_equal((1 + at_or_above) / 31, scored.verdict.p_values)
    assert beside["scores"] == sorted(beside["scores"])
    with pytest.raises(gad.GadError, match="needs separate normal images"):
        gad.export_onnx(detector, tmp_path / "a.onnx", method="split-conformal")


def test_an_adopted_threshold_comes_with_its_decision(run, detector, tmp_path):
    point = gad.WorkingPoint("cross-conformal", 0.1, 2.25, 30, "as adopted")
    with open_store() as store:
        row = store.detectors.add(detector.save, name="a", settings=detector.settings, n_train=detector.n_train)
        decision = adopt(store, row, detector, detector.tuning, point, state=detector_state(row))
    assert run("export", row.path, tmp_path / "a.onnx")[0] == 0
    told = metadata(tmp_path / "a.onnx")
    assert (told["threshold"], told["adopted"], told["decision"]) == ("2.25", "true", decision.id)
    assert run("export", row.path, tmp_path / "a.onnx", "--target-fpr", 0.2)[0] == 0
    told = metadata(tmp_path / "a.onnx")
    assert (told["adopted"], "decision" in told) == ("false", False)


def test_a_graph_that_is_not_the_detector_is_refused_and_leaves_nothing(run, file, tmp_path, monkeypatch):
    def other(path, detector, *rest, **options):
        moved = tuple(
            tuple(replace(gaussian, mean=gaussian.mean * 1.001) for gaussian in of_level)
            for of_level in detector.by_region.gaussians
        )
        write(path, replace(detector, by_region=replace(detector.by_region, stored=moved)), *rest, **options)

    write = exporting.write_onnx
    monkeypatch.setattr(exporting, "write_onnx", other)
    status, _, err = run("export", file, tmp_path / "line" / "a.onnx")
    assert status == 2
    assert "does not give the detector's results" in err
    assert not list((tmp_path / "line").iterdir())


def test_what_cannot_be_exported_is_said_before_anything_is_made(run, file, detector, tmp_path):
    status, _, err = run("export", file, tmp_path / "a.pt")
    assert (status, err.strip()) == (2, "error: an ONNX graph ends in .onnx, got a.pt; write a.onnx")
    with pytest.raises(gad.GadError, match="no reference images"):
        gad.export_onnx(replace(detector, references=None), tmp_path / "a.onnx")
    with pytest.raises(gad.GadError, match="not those that this detector was fitted"):
        gad.export_onnx(replace(detector, fingerprint="0" * 64), tmp_path / "a.onnx")
    assert not list(tmp_path.glob("*.onnx"))


@pytest.mark.parametrize("content", ['{"graph": {"file": "b.onnx"}}', "[]", "no JSON"])
def test_the_calibration_of_another_graph_is_not_overwritten(detector, tmp_path, content):
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(gad.GadError, match=r"choose a folder of its own for a\.onnx"):
        gad.export_onnx(detector, tmp_path / "a.onnx")
    assert (tmp_path / "calibration.json").read_text() == content


def test_an_unreadable_image_to_check_with_is_named(run, file, detector, stripes, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    image = (stripes / "test" / "good" / "000.png").read_bytes()
    (folder / "good.png").write_bytes(image)
    (folder / "half.png").write_bytes(image[:500])
    status, out, err = run("export", file, tmp_path / "a.onnx", "--check", folder, "--json")
    assert (status, json.loads(out)["checked"]["images"]) == (1, 1 + len(detector.references))
    assert "half.png" in err


def test_the_readmes_consumer_gives_the_scores_and_verdicts_of_gad(detector, stripes, tmp_path):
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "onnxruntime" in code]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 15
    assert set(re.findall(r"^(?:import|from) (\w+)", code, flags=re.MULTILINE)) == {
        *("json", "sys", "pathlib"),
        *("numpy", "onnxruntime", "PIL"),
    }
    graph = gad.export_onnx(detector, tmp_path / "a.onnx").graph
    scored = gad.score(detector, stripes / "test")
    paths = [str(file.path) for file in scored.images]
    command = [sys.executable, "-I", "-c", code, str(graph), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)  # noqa: S603 - own code
    expected = [
        f"{row['path']} {'anomalous' if row['anomalous'] else 'normal'} {row['score']:.3f} against "
        f"{row['threshold']:.3f}, p = {row['p_value']:.4f}"
        for row in scored.rows
    ]
    assert done.stdout.splitlines() == expected
