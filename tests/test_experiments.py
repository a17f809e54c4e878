"""The paper's tables as a whole: made, killed and gone on with, against slow references."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from gad_core.data.datasets import read_dataset
from gad_core.data.groups import k_folds
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract
from gad_core.library.experiments import paper_tables
from gad_core.paper.tables import known_tables

ROOT = Path(__file__).parents[1]
#: All that is trained, once and hardly at all.
TINY = """
from dataclasses import replace
from gad_core.paper.settings import SMALL, Learning, PaperSettings
tiny = Learning(epochs=2, batch_size=16, rate=1e-3, patience=None, folds=1, size=64)
scale = replace(SMALL, name="tiny", passes=2, classifier=tiny, autoencoder=tiny, explained=1,
                n_references=2)
settings = PaperSettings(scale=scale, folds=3)
"""
SCRIPT = f"""
import sys
{TINY}
from gad_core.library.experiments import paper_tables
paper_tables("all", sys.argv[1], sys.argv[2], settings=settings)
"""


def tiny():
    names: dict[str, object] = {}
    exec(TINY, names)  # noqa: S102 - the lines above
    return names["settings"]


@pytest.fixture(scope="module")
def stripes_with_types(tmp_path_factory, stripes) -> Path:
    """The stripes with a second type of defect and masks."""
    import shutil

    from PIL import Image

    root = tmp_path_factory.mktemp("paper") / "stripes"
    shutil.copytree(stripes, root)
    for number in range(6):
        picture = np.asarray(Image.open(root / "test" / "blot" / f"{number:03}.png")).copy()
        picture[20:40, 20:40] = picture[40:60, 20:40]
        picture[5:9] = 250
        (root / "test" / "line").mkdir(exist_ok=True)
        Image.fromarray(picture).save(root / "test" / "line" / f"{number:03}.png")
        mask = np.zeros((64, 64), np.uint8)
        mask[20:40, 20:40] = 255
        folder = root / "ground_truth" / "blot"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(folder / f"{number:03}_mask.png")
    return root


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAD_HOME", str(tmp_path_factory.getbasetemp() / "home"))
        yield


@pytest.fixture(scope="module")
def made(home, stripes_with_types, tmp_path_factory):
    """Every table without interruption, in their folder."""
    folder = tmp_path_factory.mktemp("made")
    reports = []
    results = paper_tables(
        "all", stripes_with_types, folder, settings=tiny(), progress=lambda *report: reports.append(report)
    )
    return folder, results, reports


def test_every_table_is_complete(made):
    folder, results, _ = made
    assert [result.table.name for result in results] == list(known_tables())
    for result in results:
        assert len(result.tidy)
        assert np.isfinite(result.tidy["value"]).all()
        written = pd.read_csv(folder / f"table_{result.table.name.lower()}.csv")
        assert len(written) == len(result.summary)
        assert json.loads((folder / f"table_{result.table.name.lower()}.json").read_text())["departures"]


def test_one_bar_goes_from_nothing_to_all(made):
    _, _, reports = made
    assert len({total for _, total in reports}) == 1
    assert reports[-1][0] == reports[-1][1]
    assert sorted(reports) == reports


def test_the_page_holds_all_that_it_needs(made):
    page = (made[0] / "paper.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "").split("</script>", 1)[1]
    assert page.count('class="plotly-graph-div"') >= len(known_tables())
    assert "95.8 ± 1.1" in page  # the paper's NPCA 1 %


def test_a_level_after_npca_is_scikit_learns(made, stripes_with_types):
    _, results, _ = made
    tidy = next(result.tidy for result in results if result.table.name == "V")
    data, engine = read_dataset(stripes_with_types), load_engine("tf_efficientnet_lite0")
    part = engine.network.backbone.level_slices[6]
    train, test = (extract(images, engine).features[:, part].astype(float) for images in (data.train, data.test))
    folds = k_folds(30, 3, seed=0)
    for fold in range(3):
        fitted = train[folds != fold]
        pca = PCA(svd_solver="full").fit(fitted)
        ratio = np.cumsum(pca.explained_variance_ratio_[: len(fitted) - 1])
        start = int(np.searchsorted(ratio, 0.99, side="right")) - 1
        low, new = (pca.transform(X)[:, start : len(fitted) - 1] for X in (fitted, test))
        expected = 100 * roc_auc_score(data.test.labels, LedoitWolf().fit(low).mahalanobis(new))
        own = tidy[(tidy["row"] == "7") & (tidy["column"] == "NPCA 1 %") & (tidy["fold"] == fold)]
        assert own["value"].item() == pytest.approx(expected, abs=1e-6)


def test_label_noise_has_the_papers_columns_and_distances_are_those_to_the_best_point(made):
    tables = {result.table.name: result.tidy for result in made[1]}
    assert set(tables["VIII"]["column"]) == {"0 %", "1 %", "5 %", "10 %", "20 %"}
    by_row = tables["X"].groupby(["row", "metric"])["value"].mean().unstack("metric")
    expected = np.hypot(100 - by_row["AUROC"], 100 - by_row["Explanation score"])
    np.testing.assert_allclose(by_row["Distance"], expected)


def test_more_defects_than_good_images_lie_beyond_each_sigma(made):
    _, results, _ = made
    tidy = next(result.tidy for result in results if result.table.name == "VI")
    beyond = tidy[tidy["row"] != "AUROC"].pivot(index=["row", "column", "fold"], columns="metric", values="value")
    assert (beyond["TPR"] >= beyond["FPR"]).all()  # the stripes' defects are found without a mistake
    assert (beyond["TPR"] > beyond["FPR"]).any()
    by_sigma = beyond["FPR"].unstack("row")
    assert (by_sigma["1 sigma"] >= by_sigma["3 sigma"]).all()


def test_the_first_row_of_table_ix_says_what_was_held_out(made):
    folder, _, _ = made
    (path,) = folder.glob("units/*-held-out-*.json")
    assert {row["held_out"] for row in json.loads(path.read_text())} <= {"blot", "line"}


def test_a_run_that_is_killed_three_times_gives_the_same_tables(home, made, stripes_with_types, tmp_path):
    folder = made[0]
    rng = random.Random(5)  # noqa: S311 - moments, not secrets
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, stripes_with_types, tmp_path], cwd=ROOT)  # noqa: S603
        before = len(list(tmp_path.glob("units/*.json")))
        end = time.monotonic() + 60
        while len(list(tmp_path.glob("units/*.json"))) < before + 1 and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 3))
        process.kill()
        process.wait()
    assert not (tmp_path / "paper.html").exists()
    paper_tables("all", stripes_with_types, tmp_path, settings=tiny())
    for path in sorted(folder.glob("table_*_values.csv")):
        here, there = (pd.read_csv(place / path.name) for place in (tmp_path, folder))
        pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-9)
    assert not list((tmp_path / "units" / "unfinished").glob("*"))


def test_the_command_makes_a_table(run, stripes_with_types, tmp_path):
    status, out, _ = run("paper", "ii,v", stripes_with_types, "--out", tmp_path / "out", "--folds", 2, "--json")
    assert status == 0
    table, other = json.loads(out)["tables"]
    assert (table["table"], other["table"]) == ("II", "V")
    (cell,) = [row for row in table["summary"] if (row["row"], row["column"]) == ("7", "Mahalanobis")]
    assert (cell["paper_mean"], cell["n"]) == (96.7, 1)
    assert (tmp_path / "out" / "paper.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("VII", "."), "choose one of I, II, III"),
        (("II", "nowhere"), "there is no folder nowhere"),
        (("II", ".", "--scale", "huge"), "'huge' is no scale"),
        (("II", ".", "--backbones", "resnet19"), "there is no backbone 'resnet19'"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_way_out(run, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    status, _, err = run("paper", *arguments)
    assert status == 2
    assert words in err


def test_a_category_without_good_test_images_is_refused(stripes, tmp_path):
    import shutil

    shutil.copytree(stripes, tmp_path / "stripes")
    shutil.rmtree(tmp_path / "stripes" / "test" / "good")
    with pytest.raises(GadError, match="put some into test/good"):
        paper_tables("II", tmp_path / "stripes", tmp_path / "out")
