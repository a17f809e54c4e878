"""How a tab hears the end of its jobs, however they end."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from gad_core.errors import GadError
from pages.shared import resources, tasks

GATE = threading.Event()


def script() -> None:
    """A page that starts a job at one of its places and shows what comes of it."""
    import streamlit as st

    from pages.shared import tasks
    from tests.pages import test_tasks

    tasks.settle()
    if st.button("Start", key="start"):
        test_tasks.GATE.clear()
        tasks.submit("data", "Bring **in**", test_tasks.fail, place=test_tasks.PLACE)
        st.rerun()
    test_tasks.let_it_end()
    tasks.cards(test_tasks.PLACE)
    tasks.show_failure(test_tasks.PLACE)
    st.button("Anything else", key="else")


PLACE = "field"


def fail(*, progress: object) -> None:
    GATE.wait(10)
    raise GadError("no *image* here; bring some")


def let_it_end() -> None:
    """The job ends after the run has looked for ended jobs, and before it draws their cards."""
    GATE.set()
    for job in resources.jobs().active():
        resources.jobs().wait(job.id, 10)


@pytest.fixture
def app(home) -> AppTest:
    return AppTest.from_function(script, default_timeout=60).run()


def test_a_job_that_ends_before_its_card_is_drawn_is_heard_of_in_the_same_moment(app):
    app.button(key="start").click().run()
    assert [error.value for error in app.error] == [r"**Bring \*\*in\*\*** stopped: no \*image\* here; bring some"]


def test_a_failure_stays_at_its_place_until_it_is_dismissed(app):
    app.button(key="start").click().run()
    app.button(key="else").click().run()
    assert len(app.error) == 1
    app.button(key="dismiss_field").click().run()
    assert not app.error


@pytest.mark.parametrize(
    ("done", "total", "rate", "words"),
    [
        (0, 0, None, "starts"),
        (0, 141, None, "0 of 141"),
        (3, 141, 1 / 17, "3 of 141, 17 s each, about 39 min to go"),
        (100, 434, 12.4, "100 of 434, 12 a second, about 27 s to go"),
        (9, 10, 0.8, "9 of 10, 1.2 s each, about 1 s to go"),
    ],
)
def test_progress_is_told_in_peoples_units(home, done, total, rate, words):
    from gad_core.workspace.rows import JobRow
    from gad_core.workspace.tables import now

    job = JobRow("a", "fit", "t", "", now(), state="running", done=done, total=total, rate=rate)
    assert tasks.progress_words(job) == words
