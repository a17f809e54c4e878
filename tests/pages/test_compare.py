"""The Compare page: detectors and baselines side by side, and the paper's tables."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gad_core.workspace.baseline_runs import run_on_dataset
from gad_core.workspace.experiments import make_table
from tests.pages.script import metrics, run

LITE0 = "tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def compared(home, ids):
    from pages.shared import resources

    store = resources.store()
    for name in ("neighbours", "one-class-svm"):
        run_on_dataset(store, ids["data"], name, backbone=LITE0, cache=store.feature_cache())
    return ids


def test_without_a_baseline_the_detector_stands_alone_and_says_so(home, ids):
    app = run("pages/compare.py", **ids)
    assert metrics(app)["Compared"] == "1"
    assert any("alone: choose or run another one" in text.value for text in app.markdown)


def test_the_areas_are_those_of_the_scores(home, compared):
    from pages.shared import resources

    app = run("pages/compare.py", **compared)
    assert metrics(app)["Compared"] == "3"
    store = resources.store()
    row = store.datasets.get(compared["data"])
    test = resources.test_images(store.detectors.get(compared["detector"]), row)
    detector = roc_auc_score(test.images.labels, test.detector.scores(test.features))
    assert metrics(app)["Highest AUROC"] == f"{100 * detector:.1f} %"
    (quality,) = [table.value for table in app.table if "caught at 5 %" in table.value]
    from gad_core.workspace.baseline_runs import runs_of

    for run_, shown in zip(runs_of(store, row.state), quality["AUROC"][1:], strict=True):
        scores = [run_.outcome.scores[digest] for digest in test.images.digests]
        assert shown.replace("\\", "").startswith(f"{100 * roc_auc_score(test.images.labels, scores):.1f}")


def test_a_baseline_is_run_from_the_page(home, ids):
    from pages.shared import resources

    app = run("pages/compare.py", **ids)
    app.button(key="run_coreset").click().run()
    job = resources.jobs().recent(1)[0]
    assert resources.jobs().wait(job.id, 120).error is None
    app = run("pages/compare.py", **ids)
    assert "Coreset of regions" in app.multiselect(key="compared").options


def test_two_that_are_the_same_are_not_compared(home, compared):
    app = run("pages/compare.py", **compared)
    name = app.selectbox(key="pair_first").value
    app.selectbox(key="pair_second").set_value(name).run()
    assert any("Choose two different ones" in caption.value for caption in app.caption)


def test_a_table_of_the_paper_stands_beside_its_figures(home, compared):
    from pages.shared import resources

    app = run("pages/compare.py", **compared)
    app.selectbox(key="paper_table").set_value("V").run()
    assert app.button(key="make_table").label == "Make Table V"
    store = resources.store()
    make_table(store, compared["data"], "V", backbone=LITE0, cache=store.feature_cache())
    app.run()
    (frame,) = [frame.value for frame in app.dataframe if "paper" in frame.value]
    (cell,) = frame[(frame["row"] == "sum") & (frame["column"] == "NPCA 1 %")].to_dict("records")
    assert cell["paper"] == "95.8 ± 1.1"
    assert np.isfinite(float(cell["here"]))


def test_without_defects_there_is_nothing_to_compare(home, stripes, tmp_path):
    import shutil

    from gad_core.workspace.imports import add_folder
    from pages.shared import resources

    shutil.copytree(stripes / "train", tmp_path / "plain" / "train")
    row = add_folder(resources.store(), tmp_path / "plain")
    app = run("pages/compare.py", data=row.id)
    assert any("needs good and defective test images" in text.value for text in app.markdown)
