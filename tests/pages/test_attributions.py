"""Attributions says what it shows: flagged or not, with which verdict, at the settings of its own controls."""

import io
import os

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gad_core.data.datasets import read_dataset
from gad_core.decision.evaluation import threshold
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, regional
from gad_core.workspace.imports import add_upload, extend_upload
from gad_core.workspace.steps import fit_dataset
from tests.pages.script import metrics, run

#: A server on which an explanation makes no headway while a file is there.
SLOW = """
import time
from pathlib import Path
import gad_core.attribution.propagation as propagation

explain = propagation.deep_shap

def waiting(*args, progress=None, **options):
    while Path({gate!r}).exists():
        time.sleep(0.1)
        progress(0, 1)
    return explain(*args, progress=progress, **options)

import gad_core.attribution.deep_shap as module
module.deep_shap = waiting
"""
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


def mask() -> bytes:
    """Of the blot that all defective stripes have."""
    values, stream = np.zeros((64, 64), np.uint8), io.BytesIO()
    values[20:40, 20:40] = 255
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def masked_in(store, stripes) -> dict[str, str]:
    """Stripes of which two blots have a mask, and a detector fitted to them."""
    files = read_dataset(stripes)

    def uploads(images, stem):
        return [(f"{stem}{i}.png", file.path.read_bytes()) for i, file in enumerate(images)]

    row = add_upload(store, uploads(files.train, "g"), name="masked")
    extend_upload(store, row.id, uploads(files.test.where(~files.test.labels), "t"), split="test", defect="good")
    blots = uploads(list(files.test.where(files.test.labels))[:2], "b")
    extend_upload(store, row.id, [*blots, *((f"b{i}_mask.png", mask()) for i in range(2))], split="test", defect="blot")
    detector = fit_dataset(store, row.id, FitSettings(n_folds=5), cache=store.feature_cache())
    return {"data": row.id, "detector": detector.id}


@pytest.fixture(scope="module")
def masked(home, stripes) -> dict[str, str]:
    from pages.shared import resources

    return masked_in(resources.store(), stripes)


def test_images(ids):
    from pages.shared import resources

    store = resources.store()
    return resources.test_images(store.detectors.get(ids["detector"]), store.datasets.get(ids["data"]))


test_images.__test__ = False


def texts(app) -> list[str]:
    return [text.value.replace("\\", "").replace("\u2060", "") for text in (*app.markdown, *app.caption)]


def test_the_image_is_held_against_the_threshold_in_force(home, ids):
    from gad_core import wording
    from pages.shared import resources

    test = test_images(ids)
    scores = resources.scores(test, test.detector.tuning)["sum"]
    point, highest = threshold(scores, "cross-conformal", 0.05), scores.test[test.images.labels].max()
    app = run("pages/attributions.py", **ids)
    assert metrics(app)["Threshold"] == wording.number(point.threshold)
    (sentence,) = (text for text in texts(app) if "lagged:" in text)
    expected = f"Flagged: the distance {wording.number(highest)} is {highest / point.threshold:.2g} times the threshold"
    assert expected in sentence
    assert "(cross-conformal at 5.0 %)" in sentence


def test_a_good_image_below_the_threshold_is_not_flagged(home, ids):
    from pages.shared import resources

    test = test_images(ids)
    scores = resources.scores(test, test.detector.tuning)["sum"]
    lowest = test.images.files[int(scores.test.argmin())]
    app = run("pages/attributions.py", **ids, image=lowest.digest[:16])
    assert any("Not flagged: the distance" in text for text in texts(app))


@pytest.mark.parametrize("check", ["Delete by attribution", "Other references"])
def test_a_check_is_a_job_that_ends_in_a_verdict_and_a_summary(home, ids, check):
    from pages.shared import resources

    app = run("pages/attributions.py", **ids)
    app.button_group(key="probe").set_value(check).run()
    assert any("None of 7 checks done yet" in text for text in texts(app)) or check != "Delete by attribution"
    app.button(key="check").click().run()
    job = next(job for job in resources.jobs().recent(9) if job.title == check)
    assert job.kind == "check"
    assert resources.jobs().wait(job.id, 200).error is None
    app = run("pages/attributions.py", **ids)
    (verdict,) = (text for text in texts(app) if f"**{check}: " in text)
    marks = {"passes": "check_circle", "doubtful": "help", "fails": "cancel"}
    assert any(verdict.startswith(f":material/{icon}: **{check}: {mark}.**") for mark, icon in marks.items())
    assert any(" of 7 checks done: " in text and check in text for text in texts(app))
    scores = resources.scores(test_images(ids), regional((6, 7)))["sum"].test
    other = test_images(ids).images.files[int(scores.argmin())]
    app = run("pages/attributions.py", **ids, image=other.digest[:16])
    assert not any(f"**{check}: " in text for text in texts(app))  # nothing was checked on this one


def test_a_check_that_needs_a_mask_says_so(home, ids):
    app = run("pages/attributions.py", **ids)
    app.button_group(key="probe").set_value("Make the defect normal").run()
    assert any("needs a mask" in info.value for info in app.info)


def test_map_and_mask_end_in_a_verdict_with_both_levels_of_chance(home, masked):
    app = run("pages/attributions.py", **masked)
    (sentence,) = (text for text in texts(app) if "Map and mask" in text)
    assert "denser in the mask than outside?" in sentence
    assert "by chance 9.8 % (the mask's area)" in sentence  # 20 x 20 of 64 x 64
    assert {"Explanation score", "In the mask"} <= metrics(app).keys()


def test_the_whole_category_follows_the_controls(home, masked):
    app = run("pages/attributions.py", **masked)
    app.button_group(key="view").set_value("Whole category").run()
    assert any("All 2 masked defects at levels 6-7" in text for text in texts(app))
    app.pills(key="levels").set_value(["7"]).run()
    assert any("All 2 masked defects at level 7" in text for text in texts(app))
    assert not any("All 2 masked defects at levels 6-7" in text for text in texts(app))


def test_only_levels_that_were_not_explained_yet_are_explained(home, masked, monkeypatch):
    from gad_core.attribution import deep_shap
    from pages.shared import explaining

    asked, attribute = [], deep_shap.attribute

    def count(*args, tuning, **options):
        asked.append(tuning.levels)
        return attribute(*args, tuning=tuning, **options)

    monkeypatch.setattr(deep_shap, "attribute", count)
    test = test_images(masked)
    file = next(file for file in test.images if file.mask)
    for levels in ((5, 6), (6,), (6, 7), (5, 7)):
        made = explaining.attribution(test, file, Tuning(levels), 2)
        assert made.levels == levels
    assert asked == [(5, 6), (7,)]


@pytest.mark.parametrize("content", [b"{", b"\xff\x00\xfe", b"[1, 2]"])
def test_a_foreign_file_among_the_explanations_does_not_break_the_page(home, masked, content):
    from pages.shared import resources

    folder = resources.store().explanations
    (folder / "foreign.json").write_bytes(content)
    (folder / "folder.json").mkdir(exist_ok=True)
    app = run("pages/attributions.py", **masked)
    app.button_group(key="view").set_value("Whole category").run()
    assert not app.error
    assert any("All 2 masked defects" in text for text in texts(app))
    (folder / "foreign.json").unlink()


@pytest.mark.browser
def test_the_tile_of_the_open_image_is_marked_wherever_it_stands(server, fitted, tab):
    page = tab()
    page.goto(f"{server}/attributions?data={fitted[1]['data']}&detector={fitted[1]['detector']}")
    page.get_by_text("Choose an image").click()
    tiles = page.locator(".st-key-choose button:has(img)")
    expect(tiles).to_have_count(16)
    expect(page.locator(".st-key-choose button[aria-current=true]")).to_have_count(1)
    expect(page.locator(SETTLED)).to_be_visible()
    chosen = tiles.nth(9)
    name = chosen.locator("img").get_attribute("alt")
    chosen.click()
    current = page.locator(".st-key-choose button[aria-current=true] img")
    expect(current).to_have_attribute("alt", name)
    page.get_by_role("button", name="Levels & components").click()
    page.get_by_role("button", name="6", exact=True).click()
    expect(page.get_by_text("level 7, NPCA 5 %").first).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()
    expect(current).to_have_attribute("alt", name)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 900])
def test_pictures_are_equally_large_and_inside_their_panels(server, fitted, tab, width):
    page = tab(viewport={"width": width, "height": 900})
    page.goto(f"{server}/attributions?data={fitted[1]['data']}&detector={fitted[1]['detector']}")
    boxes = []
    for key in ("image", "map", "overlay"):
        expect(page.locator(f".st-key-{key} .main-svg").first).to_be_visible()
        boxes.append(page.locator(f".st-key-{key} .main-svg").first.bounding_box())
    sides = [min(box["width"], box["height"]) for box in boxes]
    assert max(sides) - min(sides) < 1
    assert all(box["x"] + box["width"] <= width for box in boxes)


@pytest.mark.browser
def test_one_images_explanation_is_cancelled_and_asked_for_again(serve, fitted, tab, tmp_path):
    from tests.pages.conftest import ROOT

    gate = tmp_path / "gate"
    gate.touch()
    (tmp_path / "sitecustomize.py").write_text(SLOW.format(gate=str(gate)))
    with serve(fitted[0], PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}") as url:
        page = tab()
        page.goto(f"{url}/attributions?data={fitted[1]['data']}&detector={fitted[1]['detector']}")
        expect(page.get_by_text("Explaining")).to_be_visible()
        page.locator(".st-key-explain_cancel button").click()
        expect(page.get_by_text("The explanation was cancelled.")).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        gate.unlink()
        page.get_by_role("button", name="Explain this image").click()
        expect(page.locator(".st-key-map .main-svg").first).to_be_visible()
        expect(page.get_by_text("Explaining")).to_have_count(0)
        page.close()
