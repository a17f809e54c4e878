"""Home finds one detector among many, and brings back what was deleted."""

import shutil

import pytest

from tests.pages.script import run

PAGE = "pages/home.py"


@pytest.fixture(scope="module")
def many(ids) -> dict[str, str]:
    """Forty more detectors, copies of one file."""
    from pages.shared import resources

    store = resources.store()
    row = store.detectors.get(ids["detector"])
    for number in range(40):
        store.detectors.add(
            lambda path: shutil.copyfile(row.path, path),
            name=f"Line {number:02}",
            settings=row.settings,
            n_train=row.n_train,
            dataset_id=row.dataset_id,
            auroc=number / 100,
        )
    return ids


def names(app) -> list[str]:
    tables = [frame.value for frame in app.dataframe if "threshold" in frame.value]
    return [name.split(" · ")[0] for table in tables for name in table["name"]]


def find(name: str):
    from pages.shared import resources

    return next(row for row in resources.store().detectors.all() if row.name == name)


def test_it_shows_a_page_of_them_and_finds_by_name_and_description(many):
    from pages.shared import resources

    app = run(PAGE)
    assert len(names(app)) == 20
    app.text_input(key="detector_search").set_value("LINE 07").run()
    assert names(app) == ["Line 07"]
    resources.store().detectors.describe(find("Line 11").id, "for the <b>cold</b> shop")
    app.text_input(key="detector_search").set_value("cold line").run()
    assert names(app) == ["Line 11"]
    app.text_input(key="detector_search").set_value("nothing of the kind").run()
    assert names(app) == []
    assert any("No detector is called so" in caption.value for caption in app.caption)


def test_it_orders_by_use_name_and_auroc(many):
    from pages.shared import resources

    resources.store().detectors.use(find("Line 05").id)
    app = run(PAGE)
    assert names(app)[0] == "Line 05"
    recent = [str(button.key) for button in app.button if str(button.key).startswith("recent_")]
    assert recent.index(f"recent_{find('Line 05').id}") == 0
    app.selectbox(key="detector_order").set_value("AUROC").run()
    found = names(app)
    assert found.index("Line 39") < found.index("Line 38") < found.index("Line 30")
    app.selectbox(key="detector_order").set_value("Name").run()
    assert names(app)[:3] == ["Line 00", "Line 01", "Line 02"]


def test_what_is_archived_is_shown_when_asked_for(many):
    from pages.shared import resources

    resources.store().detectors.archive(find("Line 20").id, True)
    app = run(PAGE)
    app.text_input(key="detector_search").set_value("line 20").run()
    assert names(app) == []
    app.toggle(key="detector_archived").set_value(True).run()
    assert names(app) == ["Line 20"]
    resources.store().detectors.archive(find("Line 20").id, False)


def test_what_was_deleted_is_brought_back(many):
    from pages.shared import resources

    row = find("Line 30")
    resources.store().detectors.delete(row.id)
    app = run(PAGE)
    assert any(expander.label == "Recently deleted · 1" for expander in app.expander)
    app.button(key=f"bring_back_{row.id}").click().run()
    assert find("Line 30").id == row.id
    assert not any("Recently deleted" in expander.label for expander in app.expander)


def test_an_open_detector_that_is_deleted_is_said_to_be_gone(many):
    from pages.shared import resources

    row = find("Line 31")
    resources.store().detectors.delete(row.id)
    app = run("pages/working_point.py", data=many["data"], detector=row.id)
    assert app.button(key="empty_action")
    resources.store().detectors.bring_back(row.id)


def test_a_data_set_is_archived_and_taken_out_again(many):
    from pages.shared import resources

    app = run("pages/data.py", data=many["data"])
    app.button(key="dataset_archive").click().run()
    assert resources.store().datasets.get(many["data"]).archived is not None
    app.button(key="dataset_archive").click().run()
    assert resources.store().datasets.get(many["data"]).archived is None
