"""`gad repeatability`: pictures of the same parts, told by names, folders or a table."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from gad_core.gaussian.detector_file import load_detector


@pytest.fixture
def detector(run, stripes, tmp_path):
    run("fit", stripes, tmp_path / "stripes.gad")
    return tmp_path / "stripes.gad"


@pytest.fixture
def again(stripes, tmp_path):
    """Four parts, each imaged three times."""
    folder, rng = tmp_path / "again", np.random.default_rng(1)
    folder.mkdir()
    for i in range(4):
        pixels = np.asarray(Image.open(stripes / "test" / "good" / f"{i:03}.png")).astype(float)
        for j in range(3):
            noisy = (pixels + rng.normal(0, 1, pixels.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / f"part{i}_{j}.png")
    return folder


def test_the_study_is_that_of_the_scores(run, detector, again):
    status, out, _ = run("repeatability", detector, again, "--target-fpr", "0.1", "--json")
    report = json.loads(out)
    scored = json.loads(run("score", detector, again, "--target-fpr", "0.1", "--json")[1])["images"]
    assert status == 0
    assert [image["score"] for image in report["images"]] == [image["score"] for image in scored]
    scores = np.array([image["score"] for image in scored]).reshape(4, 3)
    assert report["sigma"] == pytest.approx(np.sqrt(scores.var(axis=1, ddof=1).mean()))
    assert report["p_value"] == pytest.approx(stats.f_oneway(*scores).pvalue)
    fitted = load_detector(detector)
    median = np.median(fitted.left_out_scores(fitted.tuning))
    assert report["tolerance"] == pytest.approx(scored[0]["threshold"] - median)
    assert report["grr"] == pytest.approx(3 * report["sigma"] / report["tolerance"])
    assert {part["part"]: part["mean"] for part in report["parts"]} == pytest.approx(
        {f"part{i}": scores[i].mean() for i in range(4)}
    )


def test_names_folders_and_a_table_tell_the_same_parts(run, detector, again, tmp_path):
    by_names = run("repeatability", detector, again)[1]
    folders, table = tmp_path / "folders", tmp_path / "parts.csv"
    lines = ["path,part"]
    for file in sorted(again.iterdir()):
        part, number = file.stem.split("_")
        (folders / part).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folders / part / f"{number}.png")
        lines.append(f"{file.name},{part}")
    table.write_text("\n".join(lines))
    assert run("repeatability", detector, folders)[1] == by_names
    assert run("repeatability", detector, again, "--parts", table)[1] == by_names
    assert "one verdict for" in by_names
    assert "part3" in by_names


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_is_compared(run, detector, again):
    (again / "part0_9.png").write_text("no image")
    status, out, err = run("repeatability", detector, again, "--json")
    assert status == 1
    assert "part0_9.png" in err
    assert len(json.loads(out)["images"]) == 12


def test_parts_that_were_imaged_once_say_what_is_missing(run, stripes, detector, again):
    status, _, err = run("repeatability", detector, stripes / "test" / "good")
    assert (status, "tells no part" in err) == (2, True)
    status, _, err = run("repeatability", detector, *sorted(again.glob("*_0.png")))
    assert (status, "got 0 among 4 parts" in err) == (2, True)
