"""Names from outside read on every page as they are, and a browser is sent nowhere by them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.imports import add_folder, add_upload
from gad_core.workspace.steps import fit_dataset
from gad_core.workspace.store import Store
from pages.shared.text import plain

NAMES = (
    "**bold** _it_ `code` ~~gone~~",
    ":material/home: :smile: :red[red]",
    "$x^2$ and $$y$$",
    "![a](http://example.invalid/a.png) [b](http://example.invalid)",
    "<img src=http://example.invalid/b.png> &amp; <b>b</b>",
    "a--b -> c <- d <= e",
    "http://example.invalid www.example.invalid me@example.invalid",
    "1. one",
    "# head",
    "- item",
    "> quote",
    "back\\slash | pipe",
)
PAGES = ("Data", "Fit", "Levels & NPCA", "Working point", "Attributions", "Compare", "Inspect", "Home")
HEADS = {"Home": "Find the parts"}  # where the head of a page is not its name
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_text_and_markup_lose_no_character(name: str) -> None:
    without_joiners = plain(name).replace("\u2060", "")
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", without_joiners) == name


@pytest.mark.parametrize("sign", "\\`*_[<~$|&")
def test_signs_that_markdown_takes_for_its_own_are_escaped(sign: str) -> None:
    assert plain(f"a {sign}it{sign} b") == f"a \\{sign}it\\{sign} b"


@pytest.fixture(scope="module")
def named(stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A workspace whose data set, detector and defects bear such names, and ids."""
    home = tmp_path_factory.mktemp("named")
    root = tmp_path_factory.mktemp("outside") / "**b** $x$ :smile: ![a](x)"
    kinds = {"train/good": 30, "test/good": 10, "test/**c** `d` $y$ [e](f)": 6}
    for source, (kind, n) in zip(("train/good", "test/good", "test/blot"), kinds.items(), strict=True):
        (root / kind).mkdir(parents=True)
        for path in sorted((stripes / source).iterdir())[:n]:
            (root / kind / f"**{path.stem}** <b>.png").write_bytes(path.read_bytes())
    with Store(home) as store:
        for name in NAMES:
            add_upload(store, [("a.png", next((stripes / "train/good").iterdir()).read_bytes())], name=name)
        dataset = add_folder(store, root)
        detector = fit_dataset(store, dataset.id, FitSettings(), cache=store.feature_cache())
    return home, {"data": dataset.id, "detector": detector.id}


@pytest.fixture(scope="module")
def named_server(named, serve) -> Iterator[str]:
    with serve(named[0]) as url:
        yield url


@pytest.mark.browser
def test_no_page_takes_a_name_for_markup(named, named_server, tab) -> None:
    _, ids = named
    page: Page = tab()
    page.goto(f"{named_server}/?data={ids['data']}&detector={ids['detector']}")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("46 images")
    for name in PAGES:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1).filter(has_text=HEADS.get(name, name))).to_be_visible()
        expect(page.locator(SETTLED)).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        main = page.get_by_test_id("stMain")
        if name == "Attributions":
            main.get_by_text("Choose an image").click()
            expect(main.get_by_role("radio").filter(has_text=re.compile("c.*d.*y.*· 6"))).to_be_visible()
        for markup in ("strong", "em", "code", "a[href]", "img[src*=invalid]", ".katex", "del"):
            found = [text for text in main.locator(markup).all_inner_texts() if _foreign(text)]
            assert not found, (name, markup, found)
        sidebar = page.get_by_test_id("stSidebar").inner_text().replace("\u2060", "")
        assert "**b** $x$ :smile: ![a](x), 46 images" in sidebar


@pytest.mark.browser
def test_the_names_of_all_data_sets_read_as_they_are(named_server, tab) -> None:
    page: Page = tab()
    page.goto(f"{named_server}/data")
    expect(page.get_by_test_id("stMain").get_by_text("back\\slash")).to_be_visible()
    expect(page.locator(SETTLED)).to_be_visible()
    text = page.get_by_test_id("stMain").inner_text().replace("\u2060", "")
    assert [name for name in NAMES if name not in text] == []


def _foreign(text: str) -> bool:
    return text.replace("\u2060", "").strip("*") in {"b", "c", "bold", "it", "code", "d", "e", "x", "y", "gone", "a"}
