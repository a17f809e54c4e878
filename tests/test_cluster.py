"""A fit over several processes is that of one, whatever becomes of the workers."""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gad_core import cluster
from gad_core.command_line import main
from gad_core.data.augment_settings import FIG_5
from gad_core.data.datasets import list_paths, read_dataset, read_paths
from gad_core.errors import GadError
from gad_core.features.engines import make_engine
from gad_core.features.extract import extract
from gad_core.features.networks import load_network
from gad_core.features.regions import Regions
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.settings import Augmented, FitSettings

BACKBONE = "tf_efficientnet_lite0"
REDUCTIONS = [ALL, Reduction("pca", 0.99), Reduction("npca", 0.05)]


@pytest.fixture(scope="module")
def client():
    with cluster.connect("local:2") as client:
        yield client


@pytest.fixture(scope="module")
def engine():
    return make_engine(load_network(BACKBONE))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(cluster, "_BLOCK", 7)


def equal(one: Detector, other: Detector, features: np.ndarray, rtol: float) -> None:
    assert one.training.digests == other.training.digests
    np.testing.assert_array_equal(one.folds, other.folds)
    np.testing.assert_array_equal(one.training.features, other.training.features)
    np.testing.assert_array_equal(one.references, other.references)
    assert (one.calibration is None) == (other.calibration is None)
    if one.calibration and other.calibration:
        np.testing.assert_array_equal(one.calibration.features, other.calibration.features)
    for keep in REDUCTIONS:
        new = [detector.distances(detector.coordinates(features), keep) for detector in (one, other)]
        left_out = [detector.left_out_distances(keep) for detector in (one, other)]
        for found, expected in (new, left_out):
            np.testing.assert_allclose(found[:, 1:], expected[:, 1:], rtol=rtol)
            # The stem hardly varies over plain stripes: its covariance keeps few digits of its least eigenvalues.
            np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e4 * rtol)


@pytest.mark.parametrize(
    ("augment", "more"),
    [
        (None, {}),
        (Augmented(FIG_5, 2), {}),
        (None, {"calibration_share": 0.2, "groups": tuple((f"{i:03}.png", f"lot {i // 3}") for i in range(30))}),
    ],
    ids=["plain", "augmented", "calibration and groups"],
)
def test_a_cluster_fits_what_one_process_fits(client, stripes, engine, augment, more):
    dataset = read_dataset(stripes)
    settings = FitSettings(augmented=augment, n_folds=4, **more)
    alone = fit_images(dataset.train, engine, settings).detector
    found = cluster.fit_on(client, list_paths(stripes), settings).detector
    assert found.settings == settings.settled(engine.network.backbone)
    seen = extract(dataset.test, engine, regions=alone.regions).features
    equal(found, alone, seen, rtol=1e-9)


@pytest.mark.parametrize("augment", [None, Augmented(FIG_5, 2)], ids=["plain", "augmented"])
def test_regions_on_a_cluster_are_those_of_one_process(client, stripes, engine, augment):
    dataset = read_dataset(stripes)
    settings = FitSettings(augmented=augment, n_folds=4, regions=Regions(2, 2, (6, 7)))
    alone = fit_images(dataset.train, engine, settings).detector
    found = cluster.fit_on(client, list_paths(stripes), settings).detector
    seen = cluster.extract_on(client, found, sorted((stripes / "test").rglob("*.png"))).features
    np.testing.assert_array_equal(found.training.features, alone.training.features)
    np.testing.assert_allclose(found.scores(seen), alone.scores(seen), rtol=2e-3)  # copies are not packed there
    np.testing.assert_allclose(found.left_out_scores(found.tuning), alone.left_out_scores(alone.tuning), atol=2e-3)


@pytest.mark.parametrize("augment", [None, Augmented(FIG_5, 2)], ids=["plain", "augmented"])
def test_of_more_images_a_sample_is_scored_left_out_and_all_are_fitted(client, stripes, augment, tmp_path):
    settings = FitSettings(augmented=augment, n_folds=4, regions=Regions(2, 2, (6, 7)), calibration_share=0.2)
    paths = list_paths(stripes)
    whole = cluster.fit_on(client, paths, settings, left_out_sample=24).detector
    found = cluster.fit_on(client, paths, settings, left_out_sample=4).detector
    assert (whole.n_train, whole.n_left_out, len(whole.calibration.digests)) == (24, 24, 6)
    assert (found.n_train, len(found.calibration.digests)) == (24, 4)
    assert found.n_left_out in range(4, 8)  # one of every fold
    rows = [whole.training.digests.index(digest) for digest in found.training.digests]
    for one, other in zip(found.gaussians, whole.gaussians, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_array_equal(one.basis, other.basis)
    for keep in REDUCTIONS:
        np.testing.assert_allclose(found.left_out_distances(keep), whole.left_out_distances(keep)[rows], rtol=1e-9)
    seen = whole.training.features
    for tuning in (found.tuning, replace(found.tuning, levels=(7,))):
        by_region = [one.known_regions(tuning).distances(seen, tuning) for one in (found, whole)]
        np.testing.assert_allclose(*by_region, rtol=2e-3)  # a whole plain detector's are fitted to what its file holds
        left_out = [one.known_regions(tuning).left_out_distances(tuning) for one in (found, whole)]
        np.testing.assert_allclose(left_out[0], left_out[1][rows], rtol=5e-3)
    found.save(tmp_path / "a.gad")
    loaded = load_detector(tmp_path / "a.gad")
    np.testing.assert_array_equal(loaded.scores(seen), found.scores(seen))
    assert loaded.n_train == 24


def test_a_killed_worker_loses_and_doubles_nothing(client, stripes, engine):
    paths, killed = list_paths(stripes), []

    def kill(done: int, total: int) -> None:
        if not killed and 0 < done < total:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    settings = FitSettings(augmented=Augmented(FIG_5, 2), n_folds=4)
    found = cluster.fit_on(client, paths, settings, progress=kill).detector
    deadline = time.monotonic() + 60
    while killed[0] in client.run(os.getpid).values() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert killed[0] not in client.run(os.getpid).values()
    again = cluster.fit_on(client, paths, settings).detector
    assert [gaussian.spectrum.n for gaussian in found.gaussians] == [60] * 9
    equal(found, again, found.training.features, rtol=0)  # not a bit is different


def test_a_bad_image_is_refused_with_its_path_and_the_rest_goes_on(client, stripes, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image at all")
    good = sorted((stripes / "train" / "good").iterdir())[:9]
    listing = tmp_path / "list.txt"
    listing.write_text("\n".join(map(str, [*good[:4], tmp_path / "bad.png", tmp_path / "none.png", *good[4:]])))
    fit = cluster.fit_on(client, list_paths(listing), FitSettings(n_folds=3))
    assert fit.detector.n_train == 9
    assert [Path(refusal.path).name for refusal in fit.refused] == ["bad.png", "none.png"]
    assert "cannot be read" in fit.refused[1].reason


def test_images_are_scored_where_the_workers_are(client, stripes, engine):
    paths = sorted((stripes / "test").rglob("*.png"))
    detector = fit_images(read_dataset(stripes).train, engine, FitSettings(n_folds=3)).detector
    found = cluster.extract_on(client, detector, paths)
    assert [file.path for file in found.images] == paths
    np.testing.assert_array_equal(found.features, extract(read_paths(paths), engine, regions=detector.regions).features)


@pytest.mark.parametrize("address", ["local:0", "local:many", "tcp://127.0.0.1:1"])
def test_an_address_where_nothing_is_says_what_to_do(address):
    with pytest.raises(GadError, match="local:"), cluster.connect(address):
        pass


def test_the_command_line_fits_and_scores_on_a_cluster(stripes, tmp_path, monkeypatch, capsys):
    def run(*arguments: object) -> dict:
        monkeypatch.setattr(sys, "argv", ["gad", *map(str, arguments), "--cluster", "local:1", "--json"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        return json.loads(capsys.readouterr().out)

    report = run("fit", stripes, tmp_path / "a.gad", "--folds", 2)
    assert (report["n_train"], report["folds"]) == (30, 2)
    images = run("score", tmp_path / "a.gad", stripes / "test" / "blot", stripes / "test" / "good" / "000.png")[
        "images"
    ]
    assert [Path(image["path"]).parent.name for image in images] == ["blot"] * 6 + ["good"]
    assert min(image["score"] for image in images[:6]) > images[6]["score"]
