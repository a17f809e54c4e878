"""A map for print: whole XML, the picture that a browser draws, and the mask's outline by its pixels."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gad_core import figures

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    mask = np.zeros((12, 12), bool)
    mask[2:5, 3:8] = mask[7:11, 0:2] = True
    mask[3, 5] = False  # a hole
    return rng.standard_normal((12, 12)), rng.integers(256, size=(12, 12, 3), dtype=np.uint8), mask


def test_the_picture_is_the_overlay_pixel_by_pixel(scene):
    values, image, _ = scene
    root = ElementTree.fromstring(figures.map_svg(values, image, limit=2.0, opacity=0.7))  # noqa: S314 - our own
    href = root.find(f"{SVG}image").attrib["href"]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(href.partition(",")[2]))))
    np.testing.assert_array_equal(shown, figures.overlay(image, values, limit=2.0, opacity=0.7))


def in_a_drawing(values, image, mask):
    path = ElementTree.fromstring(figures.map_svg(values, image, limit=2.0, mask=mask)).find(f"{SVG}path")  # noqa: S314
    assert path.attrib["transform"].endswith("scale(40) translate(0.5 0.5)")  # 480 units, 12 pixels
    return path.attrib["d"]


def in_a_chart(values, image, mask):
    (shape,) = figures.attribution_map(values, limit=2.0, image=image, mask=mask).layout.shapes
    return shape.path


def in_a_map_of_regions(values, image, mask):
    return figures.region_map(values[:3, :3], image, limit=2.0, mask=mask).layout.shapes[0].path


@pytest.mark.parametrize("outline", [in_a_drawing, in_a_chart, in_a_map_of_regions])
def test_the_outline_encloses_the_mask(outline, scene):
    mask = scene[2]
    large = Image.new("1", (12 * 8 + 1, 12 * 8 + 1))
    draw = ImageDraw.Draw(large)
    for start, way, stop in re.findall(r"M([^HV]+)([HV])([^M]+)", outline(*scene)):
        x, y, end = (round(8 * (float(at) + 0.5)) for at in (*start.split(), stop))
        draw.line([(x, y), (end, y) if way == "H" else (x, end)], fill=1)
    drawn = np.asarray(large)
    for lines, expected in ((drawn, mask), (drawn.T, mask.T)):  # rays from the left, and from above
        inside = np.zeros((12, 12), bool)
        for row in range(12):  # after an odd number of crossings
            crossings = lines[8 * row + 4]
            inside[row] = [np.count_nonzero(crossings[: 8 * column + 4]) % 2 == 1 for column in range(12)]
        np.testing.assert_array_equal(inside, expected)


def test_a_title_is_text_and_the_scale_ends_at_the_limit(scene):
    values, image, _ = scene
    root = ElementTree.fromstring(figures.map_svg(values, image, limit=0.25, title="a<b>&c"))  # noqa: S314
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert texts == ["a<b>&c", "-0.25", "0 distance a pixel", "0.25"]
