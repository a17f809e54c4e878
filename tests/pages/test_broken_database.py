"""A database that is damaged or away: pages say so in a sentence, and show what can be shown."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gad_core.errors import GadError
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.store import Store
from pages.shared import resources
from tests.pages.script import APP, run


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Gives the pages a workspace with two detectors and the database of a URL."""
    with Store(tmp_path) as store:
        for name in ("first", "second"):
            store.detectors.add(Path.touch, name=name, settings=FitSettings(), n_train=1)

    def give(url: str = "") -> None:
        monkeypatch.setenv("GAD_HOME", str(tmp_path))
        monkeypatch.setenv("GAD_DATABASE", url)
        st.cache_resource.clear()

    yield give
    with suppress(GadError):
        resources.workspace().close()
    st.cache_resource.clear()


def test_home_names_the_row_that_is_damaged_and_shows_the_others(opened: Callable[..., None], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "gad.db")) as connection, connection:
        connection.execute("UPDATE gad_detectors SET settings = '{' WHERE name = 'first'")
    opened()
    app = run("pages/home.py")
    (warning,) = app.warning
    assert "is damaged in the database" in warning.value
    assert "everything else works" in warning.value
    assert [one.value for one in app.markdown if "**" in one.value and "second" in one.value]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/x", "cannot be reached"),
        ("postgresql://u:s3cret@h:port/x", "GAD\\_DATABASE is no database URL"),
        ("sqlite:////dev/zero", "is no regular file"),
    ],
)
def test_without_a_database_every_page_says_so_in_a_sentence(opened: Callable[..., None], url: str, words: str) -> None:
    opened(url)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    assert any(words in error.value for error in app.error)
    assert "s3cret" not in str([error.value for error in app.error])
