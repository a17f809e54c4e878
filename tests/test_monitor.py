"""`gad monitor`: images in their order against the detector's normal images, by lot, as words, JSON and a table."""

import csv
import json
import shutil

import numpy as np
import pytest

import gad_core as gad
from gad_core.decision.martingale import online_p_values


@pytest.fixture
def detector(run, stripes, tmp_path):
    run("fit", stripes, tmp_path / "stripes.gad", "--calibration", stripes.parent / "spare")
    return tmp_path / "stripes.gad"


@pytest.fixture
def stuck(stripes, tmp_path):
    """Ten good parts, then a camera that sends the picture of one of them, the most ordinary, again and again."""
    folder, source = tmp_path / "line", stripes.parent / "spare"
    folder.mkdir()
    for i in range(40):
        shutil.copy(source / (f"{i:03}.png" if i < 10 else "007.png"), folder / f"{i:03}.png")
    return folder


def test_p_values_are_those_of_the_scores_below_the_threshold_in_the_order_given(run, detector, stripes):
    files = sorted((stripes / "test" / "good").iterdir(), reverse=True)
    report = json.loads(run("monitor", detector, *files, "--seed", 4, "--json")[1])
    scored = json.loads(run("score", detector, *files, "--json")[1])["images"]
    rows = report["images"]
    assert [row["path"] for row in rows] == list(map(str, files))
    scores, threshold = np.array([image["score"] for image in scored]), scored[0]["threshold"]
    assert [row["score"] for row in rows] == scores.tolist()
    fitted = gad.load_detector(detector)
    normal = fitted.scores_at(fitted.calibration.features, fitted.tuning)
    good = scores < threshold
    expected = online_p_values(normal[normal < threshold], scores[good], seed=4)
    assert [row["p_value"] for row in rows if not row["anomalous"]] == pytest.approx(expected.tolist())
    assert all(row["ewma"] is None for row in rows if row["anomalous"])
    assert (report["exact"], report["n"], report["flagged"]) == (True, 10, int((~good).sum()))


def test_a_drift_is_told_in_words_and_is_no_error(run, detector, stuck, tmp_path):
    table = tmp_path / "lots.csv"
    table.write_text("file,group\n" + "".join(f"{i:03}.png,{'old' if i < 10 else 'new'}\n" for i in range(40)))
    written = tmp_path / "parts.csv"
    status, out, _ = run("monitor", detector, stuck, "--groups", table, "--csv", written)
    report = json.loads(run("monitor", detector, stuck, "--groups", table, "--json")[1])
    assert status == 0
    assert out.startswith(report["sentence"])
    assert "distances of good-looking parts are lower since" in report["sentence"]
    assert 7 <= report["since"] <= 12  # the picture comes first as part 7
    assert f"alarm at {report['images'][report['alarm']]['path']}" in out
    assert "chance of at most 5 %, exactly" in out
    rows = list(csv.DictReader(written.read_text("utf-8").splitlines()))
    assert [row["lot"] for row in rows] == ["old"] * 10 + ["new"] * 30
    assert [float(row["score"]) for row in rows] == [row["score"] for row in report["images"]]


def test_a_refused_image_is_named_and_a_wrong_alpha_is_one_line(run, detector, stripes, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    status, out, err = run("monitor", detector, tmp_path / "text.png", stripes / "test" / "good", "--json")
    assert (status, "text.png" in err) == (1, True)
    assert json.loads(out)["n"] == 10
    status, _, err = run("monitor", detector, stripes / "test" / "good", "--alpha", "2")
    assert (status, "lies between 0 and 1" in err) == (2, True)


def test_an_image_without_a_line_in_the_table_of_lots_says_what_to_add(run, detector, stripes, tmp_path):
    (tmp_path / "lots.csv").write_text("file,group\n000.png,a\n")
    status, _, err = run("monitor", detector, stripes / "test" / "good", "--groups", tmp_path / "lots.csv")
    assert (status, "with an empty lot if it stands alone" in err) == (2, True)


def test_later_images_change_nothing_of_what_was_said_before(detector, stripes):
    fitted, files = gad.load_detector(detector), sorted((stripes / "test" / "good").iterdir())
    few, all_ = gad.monitor(fitted, files[:6]).rows, gad.monitor(fitted, files).rows
    for one, other in zip(few, all_[:6], strict=True):
        about = {name: pytest.approx(value, rel=1e-9) for name, value in one.items() if type(value) is float}
        assert other == one | about  # a product of more rows may round otherwise
