"""A region of interest: chosen on the Fit page, kept by the detector, seen on the maps."""

import io
import math
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gad_core.features.region_of_interest import RegionOfInterest
from gad_core.gaussian.detector_file import load_detector
from tests.pages.script import run
from tests.pages.test_tuning import SETTLED


def captions(app) -> str:
    return " ".join(caption.value for caption in app.caption)


def fitted(app):
    from pages.shared import resources

    app.button(key="fit").click().run()
    job = resources.jobs().recent(1)[0]
    assert resources.jobs().wait(job.id, 200).error is None
    return resources.store().detectors.get(resources.jobs().get(job.id).result_id)


def test_a_rectangle_is_what_is_fitted_and_what_the_maps_show(home, ids):
    app = run("pages/fit.py", **ids)
    app.button_group(key="roi_by").set_value("a rectangle").run()
    app.slider(key="roi_across").set_value((0, 50)).run()
    app.slider(key="roi_down").set_value((0, 100)).run()
    assert "50.0 % of the image is inspected" in captions(app)
    assert "28 of 49 regions count, 7 of them in part." in captions(app)
    row = fitted(app)
    detector = load_detector(row.path)
    assert row.settings.regions.roi == RegionOfInterest.rectangle(0, 0, 0.5, 1)
    assert detector.regions == row.settings.regions
    assert detector.by_region.inside == tuple(7 * i + j for i in range(7) for j in range(4))
    app = run("pages/attributions.py", data=ids["data"], detector=row.id)
    assert not app.exception
    assert re.search(r"of 28 above", captions(app))
    (share,) = re.findall(r"([\d.]+) % of the map lies in the region of interest", captions(app))
    assert 50 < float(share) < 100


def test_a_mask_file_is_read_and_a_foreign_one_refused_at_its_field(home, ids):
    app = run("pages/fit.py", **ids)
    app.button_group(key="roi_by").set_value("a mask file").run()
    assert "everything is inspected" in captions(app)
    app.file_uploader(key="roi_file").set_value(("roi.png", b"nothing", "image/png")).run()
    assert any("No mask can be read from roi.png" in error.value.replace("\\", "") for error in app.error)
    assert app.button(key="fit").disabled
    stream = io.BytesIO()
    mask = np.zeros((70, 70), np.uint8)
    mask[:20] = 255
    Image.fromarray(mask).save(stream, "PNG")
    app.file_uploader(key="roi_file").set_value(("roi.png", stream.getvalue(), "image/png")).run()
    assert not app.error
    assert "14 of 49 regions count." in captions(app)
    assert fitted(app).settings.regions.roi == RegionOfInterest.of(mask > 0)


def test_the_whole_image_has_no_region_of_interest(home, ids):
    app = run("pages/fit.py", **ids)
    app.selectbox(key="regions_efficientnet").set_value("whole image").run()
    with pytest.raises(KeyError):
        app.button_group(key="roi_by")


@pytest.mark.browser
def test_a_circle_is_drawn_with_the_mouse(serve, fitted, tab):
    home, ids = fitted
    with serve(home) as url:
        page: Page = tab()
        page.goto(f"{url}/fit?data={ids['data']}")
        expect(page.locator(SETTLED)).to_be_visible(timeout=60_000)
        page.get_by_text("Region of interest").click()
        page.get_by_role("radio", name="what I draw").click()
        board = page.locator(".st-key-roi_board .nsewdrag").first
        board.scroll_into_view_if_needed()
        box = board.bounding_box()
        assert box is not None
        x, y, radius = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 0.4 * box["width"]
        page.mouse.move(x + radius, y)
        page.mouse.down()
        for step in range(1, 41):
            angle = 2 * math.pi * step / 41
            page.mouse.move(x + radius * math.cos(angle), y + radius * math.sin(angle))
        page.mouse.up()
        caption = page.get_by_text(re.compile(r"[\d.]+ % of the image is inspected"))
        expect(caption).to_be_visible(timeout=30_000)
        assert float(caption.inner_text().split()[0]) == pytest.approx(100 * math.pi * 0.4**2, abs=4)
