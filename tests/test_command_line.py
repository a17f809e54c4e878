"""The command line from a folder to a verdict, its exit status, and what it says to bad input."""

import csv
import json
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.settings import FitSettings


@pytest.fixture
def detector(run, stripes, tmp_path) -> Path:
    status, *_ = run("fit", stripes, tmp_path / "stripes.gad", "--calibration", stripes.parent / "spare")
    assert status == 0
    return tmp_path / "stripes.gad"


def test_help_answers_at_once_for_it_loads_no_network_and_no_scipy():
    code = (
        "import sys; from gad_core.command_line import app\n"
        "try: app(['--help'])\n"
        "finally: print(sorted({'torch', 'scipy', 'cv2', 'PIL', 'pandas'} & set(sys.modules)))"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout  # noqa: S603 - own code
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert all(command in out for command in ("demo", "fit", "evaluate", "score", "explain", "weights"))
    assert out.splitlines()[-1] == "[]"
    assert min(seconds) < 0.6


def test_python_m_is_the_same_command_line(tmp_path):
    command = [sys.executable, "-m", "gad_core", "score", "missing.gad", "a.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own code
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there is no detector file missing.gad; check the path, or fit a detector first\n"


def test_fit_tells_its_settings_and_the_file_has_the_same(run, stripes, tmp_path):
    lots = tmp_path / "lots.csv"
    lots.write_text("file,group\n" + "".join(f"{i:03}.png,lot {i // 5}\n" for i in range(30)))
    options = ["--groups", lots, "--folds", 3, "--seed", 4, "--no-references", "--keep", "pca:0.9", "--json"]
    report = json.loads(run("fit", stripes, tmp_path / "a.gad", *options)[1])
    settings = FitSettings.from_json(report["settings"])
    assert (settings.n_folds, settings.seed, settings.n_references) == (3, 4, 0)
    assert dict(settings.groups)["012.png"] == "lot 2"
    assert settings.tuning.to_json() == {
        "levels": [6, 7],
        "keep": "pca:0.9",
        "score": "mahalanobis",
        "pool": "top:0.1",
    }
    detector = load_detector(tmp_path / "a.gad")
    assert detector.settings == settings
    assert detector.references is None
    assert all(len(set(detector.folds[i : i + 5])) == 1 for i in range(0, 30, 5))  # a lot stays in one fold


def test_calibration_images_are_read_by_one_process(run, stripes, tmp_path):
    options = ["--calibration", stripes.parent / "spare", "--cluster", "local:1"]
    status, out, err = run("fit", stripes, tmp_path / "a.gad", *options)
    assert (status, out) == (2, "")
    assert "--calibration is read by one process" in err


def test_fit_reports_every_level_as_json_and_nothing_else(run, stripes, tmp_path):
    status, out, _ = run("fit", stripes, tmp_path / "a.gad", "--levels", "6-7", "--keep", "npca:0.1", "--json")
    report = json.loads(out)
    assert status == 0
    assert (report["levels"], report["keep"], report["score"]) == ([6, 7], "npca:0.1", "mahalanobis")
    assert (report["n_train"], report["folds"], len(report["by_level"])) == (30, 20, 9)
    assert report["by_level"][8]["n_features"] == 1280
    assert report["by_level"][8]["null"] == 1280 - 29  # thirty images vary in 29 directions


def test_evaluate_gives_the_area_that_the_scores_give(run, stripes, detector, tmp_path):
    status, out, _ = run("evaluate", detector, stripes, "--keep", "npca:0.2", "--levels", "7", "--json")
    report = json.loads(out)
    assert status == 0
    assert (report["n_train"], report["n_normal"], report["n_anomalous"]) == (30, 10, 6)
    single = tmp_path / "seven.gad"
    run("fit", stripes, single, "--keep", "npca:0.2", "--levels", "7")
    _, out, _ = run("score", single, stripes / "test", "--json")
    images = json.loads(out)["images"]
    labels = ["blot" in image["path"] for image in images]
    area = 100 * roc_auc_score(labels, [image["score"] for image in images])
    assert report["auroc"]["7"] == report["auroc"]["sum"] == pytest.approx(area)


def test_regions_are_the_default_and_the_whole_image_is_a_flag_away(run, stripes, tmp_path):
    regional, plain, spare = tmp_path / "regions.gad", tmp_path / "plain.gad", stripes.parent / "spare"
    _, out, _ = run("fit", stripes, regional, "--calibration", spare, "--json")
    report = json.loads(out)
    run("fit", stripes, plain, "--regions", 1, "--calibration", spare)
    assert (report["levels"], report["keep"], report["pool"]) == ([6, 7], "npca:0.05", "top:0.1")
    assert report["settings"]["regions"] == {"grid": "7x7", "levels": [6, 7]}
    _, out, _ = run("evaluate", regional, stripes, "--json")
    pooled = json.loads(out)
    _, out, _ = run("score", regional, stripes / "test", "--json")
    images = json.loads(out)["images"]
    area = 100 * roc_auc_score(["blot" in image["path"] for image in images], [image["score"] for image in images])
    assert pooled["auroc"]["sum"] == pytest.approx(area)
    methods = {point["method"] for point in pooled["working_points"] if point["level"] == "sum"}
    assert {"chi2", "cross-conformal", "split-conformal"} <= methods
    _, out, _ = run("evaluate", regional, stripes, "--regions", "1", "--json")
    whole = json.loads(out)
    assert whole == json.loads(run("evaluate", plain, stripes, "--json")[1])
    assert "pool" not in whole
    assert pooled["auroc"] | {"sum": 0} == whole["auroc"] | {"sum": 0}  # the levels are those of the whole image
    pictures = tmp_path / "maps"
    assert run("score", regional, stripes / "test" / "blot", "--heatmaps", pictures)[0] == 0
    assert len(list(pictures.glob("*.png"))) == 6
    assert np.asarray(Image.open(pictures / "0000-000.png")).shape == (224, 224, 3)
    status, _, err = run("score", plain, stripes / "test" / "blot", "--heatmaps", pictures)
    assert status == 2
    assert "fit with --regions 7x7" in err
    _, out, _ = run("evaluate", regional, stripes, "--pool", "max", "--levels", "7", "--json")
    assert (json.loads(out)["pool"], json.loads(out)["levels"]) == ("max", [7])
    for options in (["--levels", "5-7"], ["--score", "sed"]):  # which are not there by region
        of_whole, flagged = (
            json.loads(run("evaluate", regional, stripes, *options, *flag, "--json")[1])
            for flag in ([], ["--regions", "1"])
        )
        assert "pool" not in of_whole
        assert of_whole == flagged


def test_only_the_region_of_interest_counts(run, stripes, tmp_path):
    mask, detector = np.zeros((64, 64), np.uint8), tmp_path / "roi.gad"
    mask[:, 32:] = 255
    Image.fromarray(mask).save(tmp_path / "roi.png")
    run("fit", stripes, detector, "--roi", tmp_path / "roi.png")
    pictures = tmp_path / "maps"
    image = tmp_path / "dark.png"
    pixels = np.array(Image.open(stripes / "test" / "good" / "000.png"))
    pixels[20:40, 2:12] = 0  # a defect where nothing is inspected
    Image.fromarray(pixels).save(image)
    good, dark = (
        json.loads(run("score", one, path, "--json")[1])["images"][0]["score"]
        for one, path in ((detector, stripes / "test" / "good" / "000.png"), (detector, image))
    )
    run("fit", stripes, tmp_path / "all.gad")
    everywhere = json.loads(run("score", tmp_path / "all.gad", image, "--json")[1])["images"][0]["score"]
    assert everywhere - good > 10 * abs(dark - good)
    assert run("score", detector, image, "--heatmaps", pictures)[0] == 0
    assert load_detector(detector).regions.roi.share == 0.5


def test_every_working_point_names_its_rates(run, stripes, detector):
    _, out, _ = run("evaluate", detector, stripes, "--target-fpr", 0.05, "--target-fpr", 0.2, "--json")
    points = json.loads(out)["working_points"]
    by_key = {(point["level"], point["method"], point["target_fpr"]): point for point in points}
    methods = {method for level, method, _ in by_key if level == "sum"}
    assert {"chi2", "cross-conformal", "cross-confident", "split-conformal"} <= methods  # confident at 20 %
    assert ("7", "chi2", 0.05) in by_key
    for target in (0.05, 0.2):
        point = by_key["sum", "cross-conformal", target]
        low, high = point["test_interval"]
        assert low <= point["test_fpr"] <= high
        assert point["test_fpr"] * 10 == pytest.approx(round(point["test_fpr"] * 10))  # ten normal test images
    loose, strict = (by_key["sum", "cross-conformal", target]["threshold"] for target in (0.2, 0.05))
    assert loose < strict


def test_score_flags_what_lies_above_the_threshold(run, stripes, detector, tmp_path):
    table = tmp_path / "scores.csv"
    status, out, _ = run("score", detector, stripes / "test", "--target-fpr", "0.2", "--csv", table, "--json")
    images = json.loads(out)["images"]
    assert status == 0
    assert len(images) == 16
    assert all(image["anomalous"] == (image["score"] > image["threshold"]) for image in images)
    assert all(image["anomalous"] for image in images if "blot" in image["path"])
    ranked = sorted(images, key=lambda image: image["score"])
    assert [image["p_value"] for image in ranked] == sorted((image["p_value"] for image in images), reverse=True)
    with table.open() as file:
        assert [row["path"] for row in csv.DictReader(file)] == [image["path"] for image in images]


def test_a_batch_is_flagged_by_its_q_values(run, stripes, detector, tmp_path):
    table = tmp_path / "scores.csv"
    _, out, _ = run("score", detector, stripes / "test", "--fdr", "0.2", "--csv", table, "--json")
    report = json.loads(out)
    detected = load_detector(detector)
    calibration = detected.scores(detected.calibration.features)
    p_values = [(1 + (calibration >= image["score"]).sum()) / 25 for image in report["images"]]
    rejected, q_values, *_ = multipletests(p_values, 0.2, "fdr_bh")
    assert [image["flagged_in_batch"] for image in report["images"]] == list(rejected)
    assert [image["q_value"] for image in report["images"]] == pytest.approx(list(q_values))
    assert (report["batch"]["flagged"], report["batch"]["n_normal"]) == (rejected.sum(), 24)
    assert report["batch"]["exact"]
    with table.open() as file:
        assert [row["flagged_in_batch"] == "True" for row in csv.DictReader(file)] == list(rejected)
    _, out, _ = run("score", detector, stripes / "test", "--fdr", "0.01")
    assert "batch: 0 of 16 flagged; nothing can be flagged together: with 24 normal images" in out
    status, _, err = run("score", detector, stripes / "test", "--fdr", "10")
    assert (status, "between 0 and 1" in err) == (2, True)


def test_images_in_an_archive_score_as_those_beside_it(run, stripes, detector, tmp_path):
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
        for name in ("000.png", "001.png"):
            archive.write(stripes / "test" / "blot" / name, f"lot {name[2]}/{name}")
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    paths = [tmp_path / "parts.zip", tmp_path / "broken.zip"]
    status, out, _ = run("score", detector, *paths, "--json", "--heatmaps", tmp_path / "maps")
    scored = json.loads(out)
    assert (status, [one["path"] for one in scored["refused"]]) == (1, [str(tmp_path / "broken.zip")])
    beside = [stripes / "test/blot/000.png", stripes / "test/blot/001.png"]
    expected = json.loads(run("score", detector, *beside, "--json")[1])
    assert [one["score"] for one in scored["images"]] == [one["score"] for one in expected["images"]]
    assert scored["images"][1]["path"] == str(tmp_path / "parts.zip/lot 1/001.png")
    assert len(list((tmp_path / "maps").iterdir())) == 2
    assert run("score", detector, tmp_path / "broken.zip")[0] == 2


def test_a_refused_image_is_named_and_the_rest_is_scored(run, stripes, detector, tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    good = next((stripes / "test" / "good").iterdir())
    status, out, err = run("score", detector, good, tmp_path / "text.png", "--json")
    report = json.loads(out)
    assert status == 1
    assert [image["path"] for image in report["images"]] == [str(good)]
    assert report["refused"][0]["path"] == str(tmp_path / "text.png")
    assert "text.png" in err


def test_a_damaged_training_image_is_left_out_of_the_fit(run, stripes, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for source in sorted((stripes / "train" / "good").iterdir())[:8]:
        (folder / source.name).write_bytes(source.read_bytes())
    damaged = folder / "000.png"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    status, out, err = run("fit", folder, tmp_path / "a.gad", "--json")
    assert status == 1
    assert json.loads(out)["n_train"] == 7
    assert "000.png" in err


@pytest.mark.parametrize(
    ("n", "words"), [(0, "no images"), (1, "at least 3 normal images"), (2, "at least 3 normal images")]
)
def test_too_few_images_end_with_one_line_that_says_what_to_do(run, stripes, tmp_path, n, words):
    folder = tmp_path / "few"
    folder.mkdir()
    for source in sorted((stripes / "train" / "good").iterdir())[:n]:
        (folder / source.name).write_bytes(source.read_bytes())
    status, out, err = run("fit", folder, tmp_path / "few.gad")
    assert (status, out, err.strip().count("\n")) == (2, "", 0)
    assert words in err
    assert not (tmp_path / "few.gad").exists()


def test_only_unreadable_images_end_with_their_reason(run, tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "a.png").write_text("no image")
    status, _, err = run("fit", folder, tmp_path / "bad.gad")
    assert status == 2
    assert "convert it" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--levels", "0-3"], "levels 1 to 9"),
        (["--keep", "pca:2"], "npca:0.05"),
        (["--score", "cosine"], "mahalanobis, sed, l2"),
        (["--folds", "1"], "from 2 on"),
        (["--backbone", "resnet19"], "resnet18"),
        (["--groups", "missing.csv"], "missing.csv"),
        (["--augment", "-1"], "from 1 on"),
        (["--augment", "1", "--exclude", "fog"], "no step 'fog'"),
        (["--exclude", "flip"], "--augment PASSES"),
        (["--remove"], "--update DETECTOR"),
        (["--calibration", "missing"], "missing"),
        (["--regions", "7"], "rows x columns, such as 7x7"),
        (["--regions", "9x9"], "a grid of 9x9 does not fit on a map of 7 x 7"),
        (["--regions", "7x7", "--pool", "median"], "top:0.1"),
        (["--regions", "7x7", "--score", "l2"], "regions are judged by Mahalanobis distances"),
        (["--regions", "1", "--pool", "max"], "leave --pool max out"),
        (["--roi", "missing.png"], "missing.png: the file cannot be read"),
        (["--roi", "missing.png", "--regions", "1"], "leave one of them out"),
        (["--pool", "max", "--score", "sed"], "regions are judged by Mahalanobis distances"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(run, stripes, tmp_path, arguments, words):
    status, out, err = run("fit", stripes, tmp_path / "a.gad", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert not (tmp_path / "a.gad").exists()


def test_a_category_without_test_images_cannot_be_evaluated(run, stripes, detector, tmp_path):
    lone = tmp_path / "lone"
    (lone / "train" / "good").mkdir(parents=True)
    source = next((stripes / "train" / "good").iterdir())
    (lone / "train" / "good" / "a.png").write_bytes(source.read_bytes())
    status, _, err = run("evaluate", detector, lone)
    assert status == 2
    assert "test/good" in err


def test_a_method_that_has_no_threshold_for_a_sum_says_so(run, stripes, detector):
    status, _, err = run("score", detector, stripes / "test", "--method", "hotelling")
    assert status == 2
    assert "one level" in err


def test_chi_square_judges_the_score_of_regions_too(run, stripes, detector):
    status, out, _ = run("score", detector, stripes / "test", "--method", "chi2", "--target-fpr", 0.05, "--json")
    assert status == 0
    for image in json.loads(out)["images"]:
        assert image["anomalous"] == (image["p_value"] < 0.05)


def test_a_target_that_the_images_cannot_support_names_the_number_needed(run, stripes, detector):
    status, _, err = run("score", detector, stripes / "test", "--target-fpr", "0.001")
    assert status == 2
    assert "999" in err


def test_a_file_that_is_no_detector_is_refused(run, stripes):
    status, _, err = run("score", stripes / "test" / "good" / "000.png", stripes / "test")
    assert status == 2
    assert "not a detector" in err


@pytest.mark.parametrize("keep", ["all", "npca:0.05", "npca:0.01"])
def test_bottle_is_told_apart(run, bottle, tmp_path, keep):
    assert run("fit", bottle, tmp_path / "bottle.gad", "--levels", "all")[0] == 0
    _, out, _ = run("evaluate", tmp_path / "bottle.gad", bottle, "--keep", keep, "--json")
    area = json.loads(out)["auroc"]
    assert area["sum"] >= 99.5
    assert area["7"] >= 99.5
    _, out, _ = run("evaluate", tmp_path / "bottle.gad", bottle, "--keep", "npca:0.05", "--levels", "6-8", "--json")
    assert json.loads(out)["auroc"]["sum"] == 100


def test_explain_adds_up_and_scores_the_map_against_a_mask(run, detector, stripes, tmp_path):
    image, mask = stripes / "test/blot/000.png", np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    options = ["--mask", tmp_path / "mask.png", "--references", 2, "--png", tmp_path / "map.png", "--json"]
    status, out, _ = run("explain", detector, image, *options)
    result = json.loads(out)
    assert status == 0
    assert result["completeness_gap"] < 1e-5
    assert result["explanation_score"] > result["uniform_level"] == pytest.approx(100 * 20 / 64, rel=0.02)
    assert len(result["references"]) == 2
    scored = json.loads(run("score", detector, image, "--json")[1])["images"][0]["score"]
    assert result["score"] == pytest.approx(scored, rel=1e-4)
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (224, 224)


def test_a_picture_that_cannot_be_written_is_one_line(run, detector, stripes, tmp_path):
    picture = tmp_path / "missing" / "map.png"
    status, _, err = run("explain", detector, stripes / "test/blot/000.png", "--references", 1, "--png", picture)
    assert (status, err.strip().count("\n")) == (2, 0)
    assert "choose a file that you may write" in err


def test_explain_without_a_mask_has_no_explanation_score(run, detector, stripes):
    image = stripes / "test/blot/000.png"
    result = json.loads(run("explain", detector, image, "--levels", "3", "--references", 1, "--json")[1])
    assert result["explanation_score"] is None
    status, _, errors = run("explain", detector, stripes)
    assert status == 2
    assert "is a folder; name one image" in errors


def test_fit_sees_augmented_copies_without_the_excluded_steps(run, stripes, tmp_path):
    options = ["--augment", 1, "--augment-as", "screw", "--exclude", "noise", "--folds", 2, "--json"]
    report = json.loads(run("fit", stripes, tmp_path / "a.gad", *options)[1])
    settings = report["augmented"]["settings"]
    assert report["augmented"]["passes"] == 1
    assert [name for name, value in settings.items() if value == 0] == ["noise", "flip"]
    assert settings["rotation"] == 15
    assert load_detector(tmp_path / "a.gad").settings.augmented.to_json() == report["augmented"]


def test_update_adds_images_in_place_and_removes_them_again(run, stripes, detector, tmp_path):
    spare = stripes.parent / "spare"
    more = tmp_path / "more"
    more.mkdir()
    for name in ("000.png", "001.png"):
        (more / name).write_bytes((spare / name).read_bytes())
    assert json.loads(run("fit", more, "--update", detector, "--json")[1])["n_train"] == 32
    status, out, err = run("fit", more, "--update", detector, "--json")
    assert (status, out) == (2, "")
    assert "already" in err
    _, out, _ = run("fit", more, tmp_path / "b.gad", "--update", detector, "--remove", "--json")
    assert json.loads(out)["n_train"] == 30
    assert load_detector(detector).n_train == 32
    assert load_detector(detector).tuning == load_detector(tmp_path / "b.gad").tuning
