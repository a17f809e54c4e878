"""Caches that cannot lie: whatever happens to a file or a data set, the pages say what a fresh process says."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gad_core.data.datasets import read_dataset
from gad_core.decision.evaluation import threshold
from gad_core.decision.working_point import METHODS
from gad_core.features.regions import Regions
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.reduction import NPCA_5
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning
from gad_core.gaussian.update import add_images
from gad_core.workspace.adoption import adopt
from gad_core.workspace.imports import add_upload, extend_upload, relabel
from gad_core.workspace.steps import fit_dataset
from tests.pages.script import metrics, run

TARGETS = (0.05, 0.1, 0.2)
ROOT = Path(__file__).parents[2]
#: What a process that knows nothing of the pages computes from the detector's file and the data set's folder.
FRESH = """
import json, sys
from pathlib import Path
from gad_core.attribution.deep_shap import attribute
from gad_core.data.datasets import ImageSet, read_dataset
from gad_core.data.oddities import leaks, thumbnails
from gad_core.decision import evaluation, planner, reduction_map, sigma_table
from gad_core.decision.over_targets import over_targets
from gad_core.decision.working_point import METHODS
from gad_core.features.engines import load_engine
from gad_core.features.extract import extract, load_pixels
from gad_core.gaussian.detector_file import load_detector

path, root, targets = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
detector = load_detector(path)
dataset = read_dataset(root)
engine = load_engine(detector.backbone)
extraction = extract(dataset.test, engine, regions=detector.regions)
projected, labels = evaluation.Projected.of(detector, extraction.features), extraction.images.labels
tuning, point = detector.tuning, detector.working_point
scores = evaluation.level_scores(projected, tuning)["sum"]
image = load_pixels(ImageSet(extraction.images.files[:1]), engine.network.backbone)[0]
columns = sigma_table.sigma_table(projected, labels)
sizes = planner.learning_curve(
    detector.training.features,
    detector.slices,
    tuning,
    regions=detector.regions,
    test_features=extraction.features,
    anomalous=labels,
)
rates = {method: over_targets(scores, labels, method, targets).left_out for method in METHODS}
print(json.dumps({
    "tuning": tuning.to_json(),
    "n": detector.n_train,
    "adopted": point.to_json() if point else None,
    "labels": labels.tolist(),
    "test": scores.test.tolist(),
    "left_out": scores.left_out.tolist(),
    "promises": {method: [r and r.value for r in of] for method, of in rates.items() if any(of)},
    "areas": reduction_map.reduction_map(projected, labels).areas.tolist(),
    "sums": reduction_map.sum_areas(projected, labels, tuning).tolist(),
    "inflation": reduction_map.inflation(detector).tolist(),
    "sigma": [[r.value for rate in column.rates for r in (rate.test, rate.tpr)] for column in columns],
    "sizes": [[size.n, *size.auroc, *size.shrinkage] for size in sizes],
    "leaks": len(leaks(dataset.train, dataset.test, thumbnails(dataset.train), thumbnails(dataset.test))),
    "map": attribute(detector, engine.network, image, n_references=3).total.sum(axis=1).tolist(),
}))
"""


@pytest.fixture
def ids(home, stripes):
    """An uploaded data set, whose labels can be changed, and a detector fitted to its good parts."""
    from pages.shared import resources

    store, files = resources.store(), read_dataset(stripes)

    def uploads(images):
        return [(f"{i}.png", file.path.read_bytes()) for i, file in enumerate(images)]

    row = add_upload(store, uploads(files.train), name="stripes")
    extend_upload(store, row.id, uploads(files.test.where(~files.test.labels)), split="test", defect="good")
    extend_upload(store, row.id, uploads(files.test.where(files.test.labels)), split="test", defect="blot")
    detector = fit_dataset(
        store, row.id, FitSettings(n_folds=5, regions=Regions(2, 2, (6, 7))), cache=resources.feature_cache()
    )
    yield {"data": row.id, "detector": detector.id}
    store.detectors.remove(detector.id)
    store.datasets.remove(row.id)


def rows(ids):
    from pages.shared import resources

    return resources.store().detectors.get(ids["detector"]), resources.store().datasets.get(ids["data"])


def shown(ids) -> dict[str, object]:
    """What the pages show, through every cache that they have."""
    from pages.shared import explaining, resources
    from pages.views.data import checks
    from pages.views.fit import planner
    from pages.views.working_point import sigma

    detector, dataset = rows(ids)
    test, summary = resources.test_images(detector, dataset), resources.summary(detector)
    tuning = resources.detector(detector).tuning
    scores = resources.scores(test, tuning)["sum"]
    promises = resources.promise_curves(test, tuning, "sum", TARGETS, METHODS)
    file = test.images.files[0]
    return {
        "tuning": tuning.to_json(),
        "n": summary.n_train,
        "adopted": summary.working_point.to_json() if summary.working_point else None,
        "labels": test.images.labels.tolist(),
        "test": scores.test,
        "left_out": scores.left_out,
        "promises": {method: [rate and rate.value for rate in of] for method, of in promises.items()},
        "areas": resources.reduction_map(test, "mahalanobis").areas,
        "sums": resources.sum_areas(test, tuning),
        "inflation": resources.inflation(test, "mahalanobis"),
        "sigma": [
            [rate.value for point in column.rates for rate in (point.test, point.tpr)]
            for column in sigma.columns_of(test, 7)
        ],
        "sizes": [[size.n, *size.auroc, *size.shrinkage] for size in planner.sizes_of(test, tuning)],
        "leaks": len(checks.findings_of(dataset)[checks.LEAKED]),
        "map": explaining.attribution(test, file, tuning, 3).total.sum(axis=1),
    }


def fresh(ids) -> dict[str, object]:
    detector, dataset = rows(ids)
    command = [sys.executable, "-c", FRESH, str(detector.path), str(dataset.root), json.dumps(TARGETS)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def expect_the_same(ids) -> dict[str, object]:
    here, there = shown(ids), fresh(ids)
    assert here.keys() == there.keys()
    for name, value in there.items():
        if isinstance(value, list):
            # A map is float32, and how its references are batched depends on the memory that is free.
            rounding = 1e-2 * np.abs(value).max() if name == "map" else 1e-12
            assert_allclose(here[name], value, rtol=1e-9, atol=rounding, err_msg=name)
        else:
            assert here[name] == value, name
    return here


def sidebar(app) -> str:
    return " ".join(element.value for element in app.sidebar.markdown)


def changed(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {name for name in before if str(before[name]) != str(after[name])}


@pytest.fixture
def grow(ids, stripes):
    """Adds 24 good parts to the detector, in its file, as `fit --update` does."""
    from pages.shared import resources

    def grow():
        path = rows(ids)[0].path
        detector = load_detector(path)
        spare = read_dataset(stripes.parent / "spare").train
        add_images(detector, spare, resources.engine(detector.backbone)).detector.save(path)

    return grow


def test_a_detector_updated_in_place_meets_no_earlier_number(ids, grow):
    before, earlier = shown(ids), run("pages/working_point.py", **ids)
    assert "n = 30" in sidebar(earlier)
    grow()
    after = expect_the_same(ids)
    assert changed(before, after) >= {"n", "test", "left_out", "areas", "inflation", "sigma", "sizes", "map"}
    app = run("pages/working_point.py", **ids)
    assert metrics(app)["Threshold"] != metrics(earlier)["Threshold"]
    assert "n = 54" in sidebar(app)


def test_a_detector_updated_in_place_has_no_adopted_threshold_any_more(ids, grow):
    app = run("pages/working_point.py", **ids)
    app.button(key="adopt").click().run()
    assert shown(ids)["adopted"] is not None
    assert "no threshold adopted" not in sidebar(app)
    grow()
    assert shown(ids)["adopted"] is None
    assert "no threshold adopted" in sidebar(app.run())


def test_an_adoption_is_shown_with_its_tuning(ids):
    from pages.shared import resources

    before = shown(ids)
    detector, dataset = rows(ids)
    test = resources.test_images(detector, dataset)
    tuning = Tuning((5, 7), NPCA_5)
    point = threshold(resources.scores(test, tuning)["sum"], "cross-conformal", 0.1)
    adopt(resources.store(), detector, test.detector, tuning, point, state=test.state.detector)
    after = expect_the_same(ids)
    assert (after["tuning"]["levels"], after["adopted"]["threshold"]) == ([5, 7], point.threshold)
    assert changed(before, after) >= {"adopted", "tuning", "test", "left_out", "sums"}


def test_a_changed_label_counts_at_once(ids):
    from pages.shared import resources

    before = shown(ids)
    _, dataset = rows(ids)
    good = next(file for file in resources.dataset(dataset).test if not file.anomalous)
    relabel(resources.store(), dataset.id, good, split="test", defect="blot")
    after = expect_the_same(ids)
    assert sum(after["labels"]) == sum(before["labels"]) + 1
    assert changed(before, after) >= {"labels", "areas", "sums", "sigma", "sizes"}
