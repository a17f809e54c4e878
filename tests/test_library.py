"""`import gad_core as gad`: what it loads, what it says of itself, and that it gives the command line's numbers."""

import ast
import doctest
import inspect
import json
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gad_core as gad
from gad_core.library.resources import workspace_cache
from gad_core.workspace.store import open_store

NAMES = [name for name in gad.__all__ if name != "__version__"]
FUNCTIONS = [name for name in NAMES if not name[0].isupper()]


@pytest.fixture(scope="module")
def shop(stripes, tmp_path_factory):
    """A folder as the examples have it: parts with masks, imaged again, a detector, a table of lots; its workspace."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(stripes, folder / "parts")
    outline = np.zeros((64, 64), np.uint8)
    outline[20:40, 20:40] = 255
    masks = folder / "parts" / "ground_truth" / "blot"
    masks.mkdir(parents=True)
    for i in range(6):
        Image.fromarray(outline).save(masks / f"{i:03}_mask.png")
    (folder / "again").mkdir()
    rng = np.random.default_rng(1)
    for i in range(4):
        pixels = np.asarray(Image.open(folder / "parts" / "test" / "good" / f"{i:03}.png")).astype(float)
        for j in range(3):
            noisy = (pixels + rng.normal(0, 1, pixels.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / "again" / f"part{i}_{j}.png")
    (folder / "lots.csv").write_text("file,group\n" + "".join(f"{i:03}.png,lot {i // 5}\n" for i in range(30)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAD_HOME", str(tmp_path_factory.getbasetemp() / "home"))
        gad.fit(gad.read_dataset(folder / "parts").train).detector.save(folder / "parts.gad")
    return folder


@pytest.fixture
def in_shop(shop, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(shop)
    monkeypatch.setenv("GAD_HOME", str(tmp_path_factory.getbasetemp() / "home"))


def loaded_by(code: str) -> set[str]:
    """The packages that a fresh process has loaded after some code."""
    code += "; import sys; print({name.partition('.')[0] for name in sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout  # noqa: S603 - own code
    return set(ast.literal_eval(out))


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_by("import gad_core; assert len(dir(gad_core)) > 20")
    assert "gad_core" in loaded
    assert not {"torch", "scipy", "cv2", "numpy", "PIL", "openvino", "sklearn"} & loaded


def test_settings_and_errors_load_neither_torch_nor_opencv():
    assert not {"torch", "cv2", "scipy"} & loaded_by("import gad_core as gad; gad.FitSettings(); gad.GadError")


def test_every_name_is_there_and_sorted():
    assert gad.__all__ == sorted(gad.__all__) == dir(gad)
    assert all(getattr(gad, name) is not None for name in gad.__all__)


def test_no_name_is_hidden_by_a_module_of_the_same_name():
    assert not {module.name for module in pkgutil.iter_modules(gad.__path__)} & set(gad.__all__)
    assert callable(gad.explain)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'fitt'"):
        _ = gad.fitt


def sections(name: str) -> dict[str, str]:
    """The sections of a numpydoc docstring, by their titles."""
    parts = re.split(r"^(\w+)\n-+$", inspect.getdoc(getattr(gad, name)) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_gives_and_raises(name):
    assert list(sections(name)) == ["Parameters", "Returns", "Raises", "Examples"]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_described_and_no_other(name):
    own = getattr(gad, name)
    plain = isinstance(own, type) and issubclass(own, Exception) and "__init__" not in vars(own)
    expected = [] if plain else list(inspect.signature(own).parameters)
    described = re.findall(r"^(\w+) : \S", sections(name).get("Parameters", ""), flags=re.MULTILINE)
    assert described == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_example_runs(in_shop, name):
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(gad, name), name, globs={})
    assert example.examples[0].source == "import gad_core as gad\n"
    assert len(example.examples) > 1
    report: list[str] = []
    results = doctest.DocTestRunner().run(example, out=report.append)
    assert not results.failed, "".join(report)


@pytest.mark.parametrize("name", ["library.md", "whitening.md"])
def test_a_page_about_the_library_prints_what_it_shows(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAD_HOME", str(tmp_path / "home"))
    page = Path(__file__).parents[1] / "docs" / name
    session = doctest.DocTestParser().get_doctest(page.read_text("utf-8").replace("```", ""), {}, page.name, None, 0)
    report: list[str] = []
    assert not doctest.DocTestRunner().run(session, out=report.append).failed, "".join(report)


def test_the_five_lines_give_what_the_command_line_gives(run, shop, tmp_path):
    parts, file, image = shop / "parts", tmp_path / "parts.gad", shop / "parts/test/blot/000.png"
    mask = shop / "parts/ground_truth/blot/000_mask.png"

    data = gad.read_dataset(parts)
    tuning = gad.Tuning((6, 7), gad.Reduction("npca", 0.1), pool=gad.Pool("top", 0.1))
    settings = gad.FitSettings(n_folds=10, seed=3, tuning=tuning)
    fit = gad.fit(data.train, settings)
    fit.detector.save(file)
    evaluation = gad.evaluate(fit.detector, data.test, target_fprs=[0.05, 0.2])
    scored = gad.score(fit.detector, [parts / "test"], target_fpr=0.2)
    found = gad.explain(fit.detector, str(image), mask=mask, n_references=2, seed=1)

    options = ["--folds", 10, "--seed", 3, "--levels", "6-7", "--keep", "npca:0.1", "--json"]
    report = json.loads(run("fit", parts, tmp_path / "b.gad", *options)[1])
    assert report["settings"] == fit.detector.settings.to_json()
    assert [level["shrinkage"] for level in report["by_level"]] == [g.spectrum.whole for g in fit.detector.gaussians]

    targets = ["--target-fpr", 0.05, "--target-fpr", 0.2]
    report = json.loads(run("evaluate", tmp_path / "b.gad", parts, *targets, "--json")[1])
    assert report["auroc"] == {level: 100 * area.value for level, area in evaluation.auroc.items()}
    assert len(report["working_points"]) == len(evaluation.working_points)
    for point, rates in zip(report["working_points"], evaluation.working_points, strict=True):
        assert (point["level"], point["method"], point["threshold"]) == (
            rates.level,
            rates.point.method,
            rates.point.threshold,
        )
        assert (point["left_out_fpr"], point["test_fpr"], point["tpr"]) == (
            rates.left_out.value,
            rates.test.value,
            rates.tpr.value,
        )
    assert report["no_threshold"] == list(evaluation.refused)

    report = json.loads(run("score", file, parts / "test", "--target-fpr", 0.2, "--json")[1])
    assert report["images"] == scored.rows
    report = json.loads(run("explain", file, image, "--mask", mask, "--references", 2, "--seed", 1, "--json")[1])
    assert report["score"] == pytest.approx(found.attribution.score, rel=1e-12)
    assert report["references"] == list(found.attribution.references)
    assert report["explanation_score"] == pytest.approx(found.explanation.score, rel=1e-9)


def test_the_rows_of_scored_images_make_a_table(in_shop):
    table = pd.DataFrame(gad.score(gad.load_detector("parts.gad"), Path("parts/test")).rows)
    assert table.groupby("anomalous").size().to_dict()[True] >= 6
    assert (table.anomalous == (table.score > table.threshold)).all()


def test_unreadable_images_are_named_wherever_they_appear(in_shop, shop, tmp_path):
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes((shop / "parts/train/good/000.png").read_bytes()[:500])
    (tmp_path / "text.png").write_text("no image")
    detector = gad.load_detector("parts.gad")
    scored = gad.score(detector, [damaged, tmp_path / "text.png", "parts/test/good/000.png"])
    assert len(scored.images) == 1
    assert {Path(refusal.path).name for refusal in scored.refused} == {"damaged.png", "text.png"}
    test = gad.read_dataset("parts").test
    more = gad.ImageSet(test.files + gad.read_images(damaged).files)
    assert [refusal.path for refusal in gad.evaluate(detector, more).unread] == [str(damaged)]
    with pytest.raises(gad.GadError, match="cannot be read"):
        gad.explain(detector, tmp_path / "text.png")


def test_a_mask_without_an_explanation_score_says_why(in_shop, tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "empty.png")
    detector = gad.load_detector("parts.gad")
    found = gad.explain(detector, "parts/test/blot/000.png", mask=tmp_path / "empty.png", n_references=1)
    assert found.explanation is None
    assert found.undefined.startswith("the mask is empty")


def test_features_of_the_workspaces_detectors_leave_the_cache_last(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("GAD_HOME", str(tmp_path / "home"))
    detector = gad.load_detector(shop / "parts.gad")
    with open_store() as store:
        store.detectors.add(detector.save, name="parts", settings=detector.settings, n_train=detector.n_train)
    cache, vector = workspace_cache(), np.zeros(8, np.float32)
    for digest in (detector.training.digests[0], "f" * 64):  # the older one is in use
        cache.keep_features(detector.fingerprint, digest, vector)
    cache.limit = 40
    cache.prune()
    kept = [cache.features(detector.fingerprint, digest) for digest in (detector.training.digests[0], "f" * 64)]
    assert [one is not None for one in kept] == [True, False]


def test_another_tuning_takes_no_new_fit(in_shop):
    detector, test = gad.load_detector("parts.gad"), gad.read_dataset("parts").test
    rates = gad.evaluate(detector, test, tuning=gad.Tuning((7,))).working_points
    thresholds = {one.level: one.point.threshold for one in rates if one.point.method == "cross-conformal"}
    assert thresholds["sum"] == thresholds["7"] != thresholds["8"]
