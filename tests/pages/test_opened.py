"""What a tab has open: the session, the URL, and what has been deleted meanwhile."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from gad_core.errors import GadError

PARTS, OTHERS = SimpleNamespace(id="parts"), SimpleNamespace(id="others")
NEW = SimpleNamespace(id="new", dataset_id="parts")
OLD = SimpleNamespace(id="old", dataset_id="parts")
ALONE = SimpleNamespace(id="alone", dataset_id=None)


class Shelf(dict):
    """Rows by id, the newest first."""

    def __init__(self, *rows):
        super().__init__({row.id: row for row in rows})

    def get(self, row_id):
        if row_id not in self:
            raise GadError("there is none of that id")
        return self[row_id]

    def all(self):
        return tuple(self.values())

    def use(self, row_id):
        self.used = row_id


@pytest.fixture
def shelves(monkeypatch):
    from pages.shared import opened

    shelves = SimpleNamespace(datasets=Shelf(PARTS, OTHERS), detectors=Shelf(NEW, ALONE, OLD))
    monkeypatch.setattr(opened, "store", lambda: shelves)
    return shelves


@pytest.fixture
def app(shelves):
    def script():
        import streamlit as st

        from pages.shared import opened

        opened.sync()
        act = st.session_state.pop("act", None)
        if act:
            getattr(opened, act[0])(act[1])
        st.session_state.open = tuple(row and row.id for row in (opened.dataset(), opened.detector()))

    return AppTest.from_function(script)


def url(app: AppTest) -> dict[str, str]:
    return {name: values[-1] if isinstance(values, list) else values for name, values in app.query_params.items()}


def act(app: AppTest, action: str, row: SimpleNamespace) -> AppTest:
    app.session_state.act = (action, row)
    return app.run()


def test_a_link_opens_what_it_names(app):
    app.query_params["data"] = "others"
    app.query_params["detector"] = "alone"
    assert app.run().session_state.open == ("others", "alone")


def test_what_is_opened_stands_in_the_url(app):
    act(app, "open_detector", OLD)
    assert url(app) == {"data": "parts", "detector": "old"}


def test_what_a_change_of_page_dropped_from_the_url_is_written_again(app):
    act(app, "open_detector", OLD)
    app.query_params.clear()
    assert app.run().session_state.open == ("parts", "old")
    assert url(app) == {"data": "parts", "detector": "old"}


def test_a_link_followed_in_the_tab_wins_over_what_was_open(app):
    act(app, "open_detector", OLD)
    app.query_params["data"] = "others"
    assert app.run().session_state.open == ("others", "old")


def test_a_data_set_brings_the_newest_detector_fitted_to_it(app):
    assert act(app, "open_dataset", PARTS).session_state.open == ("parts", "new")


def test_a_data_set_that_nothing_was_fitted_to_closes_the_detector_of_another(app):
    act(app, "open_dataset", PARTS)
    assert act(app, "open_dataset", OTHERS).session_state.open == ("others", None)
    assert url(app) == {"data": "others"}


def test_a_detector_without_a_data_set_leaves_the_open_one(app):
    act(app, "open_dataset", OTHERS)
    assert act(app, "open_detector", ALONE).session_state.open == ("others", "alone")


def test_what_was_deleted_meanwhile_is_no_longer_open(app, shelves):
    act(app, "open_detector", OLD)
    del shelves.detectors["old"]
    assert app.run().session_state.open == ("parts", None)
    assert url(app) == {"data": "parts"}
