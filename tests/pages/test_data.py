"""The Data page: errors stay where they were caused, a folder opens with one click, pictures say what is true."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from gad_core.workspace.imports import add_folder, add_upload
from gad_core.workspace.store import Store
from pages.shared import resources
from tests.pages.script import metrics, run

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


def failures(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


def read(words: str) -> re.Pattern[str]:
    """These words as they stand on a page, where a joiner may keep what would become markup apart."""
    return re.compile("\u2060?".join(map(re.escape, words)))


def test_a_folder_that_is_not_there_is_said_at_the_field_which_keeps_its_text(home, tmp_path):
    app, gone = run("pages/data.py"), str(tmp_path / "gone")
    app.text_input(key="folder").set_value(gone)
    app.button(key="folder_go").click().run()
    assert re.search(r"there is no .*gone; check the path", failures(app)[0])
    assert app.text_input(key="folder").value == gone
    assert resources.jobs().recent(1) == ()  # it was seen at once
    app.switch_page("pages/fit.py").run()
    assert not failures(app)


def test_a_folder_outside_gad_roots_is_refused_and_not_looked_into(home):
    app = run("pages/data.py")
    app.text_input(key="folder").set_value("/etc")
    app.button(key="folder_go").click().run()
    assert "/etc lies outside the folders that this server may read" in failures(app)[0]
    offered = [button.label for button in app.button if (button.key or "").startswith("folder_")]
    assert not {"apt", "ssl", "init.d"} & set(offered)
    assert resources.jobs().recent(1) == ()


def test_a_type_of_defect_called_good_is_refused_before_anything_comes_in(home, stripes):
    app = run("pages/data.py")
    image = stripes / "test/blot/000.png"
    app.file_uploader(key="upload").set_value([(image.name, image.read_bytes(), "image/png")]).run()
    app.selectbox(key="upload_kind").set_value("defects, to test").run()
    app.text_input(key="upload_defect").set_value("Good")
    app.button(key="upload_go").click().run()
    assert "Good is no type of defect; name what is wrong with the parts" in failures(app)[0]
    assert resources.jobs().recent(1) == ()


def test_a_folder_without_images_is_refused_with_the_way_out(home, tmp_path):
    app = run("pages/data.py")
    app.text_input(key="folder").set_value(str(tmp_path))
    app.button(key="folder_go").click().run()
    assert "there are no images in" in failures(app)[0]
    assert "choose a folder of images" in failures(app)[0]


def test_a_folder_is_found_by_looking_through_the_folders(home, stripes):
    app = run("pages/data.py")
    app.session_state["folder"] = str(stripes.parent)
    app.run()
    offered = {button.label: button for button in app.button if (button.key or "").startswith("folder_")}
    assert [label for label in offered if label.startswith("s")] == ["spare · 24", "stripes"]
    offered["stripes"].click().run()
    assert app.text_input(key="folder").value == str(stripes)
    assert any("a category in MVTec layout" in caption.value for caption in app.caption)
    app.button(key=f"folder_up_{len(stripes.parent.parts)}").click().run()
    assert app.text_input(key="folder").value == str(stripes.parent)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("fake.png", b"no image", "no image could be used"),
        ("broken.zip", b"PK\x03\x04 broken", "no image could be used"),
    ],
)
def test_an_upload_that_cannot_be_used_is_said_below_its_button_and_keeps_its_files(home, name, content, words):
    app = run("pages/data.py")
    app.file_uploader(key="upload").set_value([(name, content, "image/png")]).run()
    app.button(key="upload_go").click().run()
    resources.jobs().wait(resources.jobs().recent(1)[0].id, 30)
    app.run()
    assert words in failures(app)[0]
    assert [file.name for file in app.file_uploader(key="upload").value] == [name]
    assert not app.button(key="upload_go").disabled


def test_what_a_click_on_an_image_offers_is_true_for_the_kind_of_data_set(home, ids, stripes):
    def offers(data: str) -> str:
        (caption,) = [one.value for one in run("pages/data.py", data=data).caption if one.value.startswith("A click")]
        return caption

    assert "Labels are those of the folder on the server" in offers(ids["data"])
    store = resources.store()
    row = add_upload(store, [("a.png", next((stripes / "train/good").iterdir()).read_bytes())], name="mine")
    assert "its label and mask can be changed there" in offers(row.id)
    store.datasets.remove(row.id)


def test_without_a_suspicious_image_the_panel_is_called_most_extreme(home, ids, monkeypatch):
    from pages.views.data import suspects

    monkeypatch.setattr(suspects, "FAR", 1e9)
    app = run("pages/data.py", **ids)
    assert any(one.value == "**Most extreme training images**" for one in app.markdown)
    assert any("None of 30 training images is suspicious" in one.value for one in app.caption)
    assert metrics(app)["Good parts to fit"] == "30"


@pytest.mark.browser
def test_the_first_click_opens_the_folder_and_the_tab_stays_after_an_error(serve, tab, stripes: Path, tmp_path):
    with serve(tmp_path) as url:
        page: Page = tab()
        page.goto(f"{url}/data")
        page.get_by_role("tab", name="Folder on this machine").click()
        field = page.get_by_role("textbox", name="Path of a folder")
        gone = str(tmp_path / "gone")
        field.fill(gone)
        opened = page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Open")
        opened.click()
        expect(page.get_by_test_id("stAlert")).to_contain_text("there is no /")
        expect(page.get_by_role("tab", name="Folder on this machine")).to_have_attribute("aria-selected", "true")
        expect(field).to_have_value(gone)
        field.fill(str(stripes))
        opened.click()
        expect(page.get_by_test_id("stMetric").filter(has_text="Defective parts to test")).to_contain_text("6")
        expect(page.locator(SETTLED)).to_be_visible()
        page.get_by_role("button", name="good: 000.png").first.click()
        picture = page.get_by_role("dialog").get_by_role("img").first
        expect(picture).to_be_visible()
        assert picture.bounding_box()["width"] > 600
        page.close()


@pytest.mark.browser
def test_an_upload_that_fails_leaves_its_tab_its_files_and_its_message_where_they_were_and_nowhere_else(
    serve, tab, tmp_path
):
    with serve(tmp_path) as url:
        page: Page = tab()
        page.goto(f"{url}/data")
        chosen = page.get_by_role("tab", name="Upload")
        chosen.click()
        files = {"name": "fake.png", "mimeType": "image/png", "buffer": b"no image"}
        page.locator(".st-key-upload input[type=file]").set_input_files(files)
        page.get_by_role("button", name="Bring in").click()
        message = page.get_by_test_id("stAlert")
        expect(message).to_contain_text("no image could be used")
        expect(page.locator(SETTLED)).to_be_visible()
        expect(chosen).to_have_attribute("aria-selected", "true")
        expect(page.locator(".st-key-upload")).to_contain_text("fake.png")
        button = page.get_by_role("button", name="Bring in").bounding_box()
        assert message.bounding_box()["y"] > button["y"]
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Fit").click()
        expect(page.get_by_role("heading", name="Fit", level=1)).to_be_visible()
        expect(page.locator(SETTLED)).to_be_visible()
        expect(message).to_have_count(0)
        page.close()


@pytest.mark.browser
def test_names_from_outside_are_read_as_they_are_on_data_and_home(serve, tab, stripes, tmp_path):
    name, kind = "**b** :material:x: $x$ ![a](x.invalid)", "*dent* $2$"
    picture = next((stripes / "train" / "good").iterdir())
    for part in ("train/good/a.png", f"test/{kind}/b.png"):
        (tmp_path / name / part).parent.mkdir(parents=True)
        (tmp_path / name / part).write_bytes(picture.read_bytes())
    with Store(tmp_path / "home") as store:
        other = add_upload(store, [("2.png", picture.read_bytes())], name="other")
        row = add_folder(store, tmp_path / name)
    with serve(tmp_path / "home") as url:
        page: Page = tab()  # which fails afterwards if anything was asked of another machine
        page.goto(f"{url}/data?data={other.id}")
        page.get_by_text("Bring other images").click()
        expect(page.get_by_test_id("stMain").locator("strong").filter(has_text=read(name))).to_be_visible()
        page.goto(f"{url}/data?data={row.id}")
        expect(page.get_by_role("button").filter(has_text=read(f"Next: fit {name}"))).to_be_visible()
        expect(page.get_by_role("radio").filter(has_text=read(f"{kind} · 1"))).to_be_visible()
        page.close()
