"""Labels in a real browser: a click on an image opens it, and what is saved there holds."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gad_core.data.datasets import read_dataset
from gad_core.workspace.imports import add_upload, extend_upload
from gad_core.workspace.store import Store

pytestmark = pytest.mark.browser


def picture(seed):
    stream = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_a_good_part_becomes_a_defect_with_a_mask(serve, tmp_path, tab):
    with Store(tmp_path) as store:
        row = add_upload(store, [(f"{i}.png", picture(i)) for i in range(3)], name="parts")
        extend_upload(store, row.id, [("x.png", picture(9))], split="test", defect="bent")
    with serve(tmp_path) as url:
        page = tab()
        page.goto(f"{url}/data?data={row.id}")
        page.get_by_role("button", name="1.png").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("1.png: good")
        dialog.get_by_role("combobox", name="It shows").click()
        page.get_by_role("option", name="defects, to test").click()
        dialog.get_by_role("combobox", name="Type of defect").click()
        page.get_by_role("option", name="bent").click()
        file = {"name": "m.png", "mimeType": "image/png", "buffer": picture(5)}
        dialog.locator("input[type=file]").set_input_files(file)
        expect(dialog).to_contain_text("m.png")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).not_to_be_visible()
        expect(page.get_by_test_id("stMetric").filter(has_text="Defective parts")).to_contain_text("2")
        expect(page.get_by_role("radio", name=re.compile("bent · 2"))).to_be_visible()
        page.close()
    files = {file.path.name: file for file in read_dataset(row.root).test}
    assert files["1.png"].defect == "bent"
    assert files["1.png"].mask.read_bytes() == picture(5)
