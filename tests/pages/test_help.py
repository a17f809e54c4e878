"""The Help page: pictures of its own, the words of the other pages, this version; and the keys do what it says."""

from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect

import gad_core
from pages.views.help.words import GLOSSARY, KEYS, METHOD
from tests.pages.script import run

PICTURES = Path(__file__).parents[2] / "assets" / "help"
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


def test_the_help_page_shows_the_method_the_words_the_keys_and_the_version(home):
    app = run("pages/help.py")
    assert len(app.image) == len(METHOD) == 4
    words = [tuple(line) for table in app.table for line in table.value.to_numpy().tolist()]
    assert words == [*GLOSSARY, *KEYS]
    assert any(f"GAD {gad_core.__version__}" in caption.value for caption in app.caption)


@pytest.mark.parametrize("file", [file for file, _, _ in METHOD])
def test_a_picture_needs_nothing_from_elsewhere(file):
    picture = ET.parse(PICTURES / file).getroot()  # noqa: S314 - our own
    names = {name.split("}")[-1] for element in picture.iter() for name in element.attrib}
    assert not names & {"href", "src"}
    assert picture.get("aria-label")


def test_every_word_is_explained_once():
    words = [word for word, _ in GLOSSARY]
    assert len(set(words)) == len(words)
    assert {"reduction", "spectrum", "threshold", "distance", "left-out", "split-half estimate", "working point"} < {
        *words
    }


@pytest.mark.browser
def test_arrows_home_and_end_move_a_slider(server, fitted, tab):
    page = tab()
    page.goto(f"{server}/levels?{urlencode(fitted[1])}")
    slider = page.get_by_role("slider", name="Components kept")
    expect(slider).to_have_attribute("aria-valuetext", "NPCA 5 %")
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "NPCA 7 %")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "NPCA 5 %")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "NPCA 0.001 %")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "PCA 50 %")
    expect(page.locator(SETTLED)).to_be_visible()


@pytest.mark.browser
def test_an_image_opens_by_enter_and_closes_by_escape(server, fitted, tab):
    page = tab()
    page.goto(f"{server}/data?data={fitted[1]['data']}")
    page.get_by_role("button", name="000.png").first.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("000.png: good")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
