"""Heavy work from the page's side: hand it to the queue, show how it goes, take over what it made."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import streamlit as st

from gad_core.errors import GadError
from gad_core.workspace.rows import JobRow
from pages.shared import frame, opened
from pages.shared.resources import jobs, store

_OWN = "_own_jobs"  # jobs that this tab has started and not yet heard the end of: id -> page to go to then
_LINK = "job"  # the newest of them in the URL, so that a reload finds it
_POLL = 1.0  # seconds


class _Made(Protocol):
    @property
    def id(self) -> str: ...


def submit(kind: str, title: str, work: Callable[..., _Made], *, then: str | None = None) -> None:
    """Queue work that takes `progress` and makes a detector (kind "fit"), a data set ("data") or a run ("explain").

    A detector or data set is opened when it is done; `then` is the page to go to if the tab is still where it is now.
    """
    job_id = jobs().submit(kind, title, lambda progress: work(progress=progress).id)
    st.session_state.setdefault(_OWN, {})[job_id] = then


def settle() -> None:
    """Take over what this tab's finished jobs have made; called once at the start of every run."""
    _find_again()
    for job_id, then in list(st.session_state.get(_OWN, {}).items()):
        job = jobs().get(job_id)
        if job.active:
            continue
        del st.session_state[_OWN][job_id]
        if job.state == "done" and job.result_id:
            if job.kind == "fit":
                opened.open_detector(store().detectors.get(job.result_id))
            elif job.kind == "data":
                opened.open_dataset(store().datasets.get(job.result_id))
            st.toast(f"{job.title}: done", icon=":material/check_circle:")
            if then is not None:
                st.switch_page(then, query_params=opened.link())
        elif job.state == "failed":
            st.session_state["_failed"] = job
        elif job.state == "cancelled":
            st.toast(f"{job.title}: cancelled", icon=":material/cancel:")
    _remember()


def own() -> list[JobRow]:
    """This tab's jobs that wait or run."""
    return [job for job_id in st.session_state.get(_OWN, {}) if (job := jobs().get(job_id)).active]


def _find_again() -> None:
    """After a reload, the tab's job is known by the URL alone."""
    linked = st.query_params.get(_LINK)
    if linked and _OWN not in st.session_state:
        with suppress(GadError):  # a link from another workspace
            st.session_state[_OWN] = {jobs().get(linked).id: None}


def _remember() -> None:
    if active := own():
        st.query_params[_LINK] = active[-1].id
    elif _LINK in st.query_params:
        del st.query_params[_LINK]


def show_failure() -> None:
    """The error of this tab's last failed job, until it is dismissed."""
    job = st.session_state.get("_failed")
    if job is None:
        return
    st.error(f"**{job.title}** stopped: {job.error}", icon=":material/error:")
    if st.button("Dismiss", key="dismiss_failure", icon=":material/close:"):
        del st.session_state["_failed"]
        st.rerun()


def cards() -> None:
    """A card for each of this tab's jobs that waits or runs."""
    if own():  # a fragment that polls makes the page busy, so there is none without a job
        _cards()


@st.fragment(run_every=_POLL)
def _cards() -> None:
    if any(not jobs().get(job_id).active for job_id in st.session_state.get(_OWN, {})):
        st.rerun()  # the next run settles it
    for job in own():
        with st.container(border=True, key=f"job_{job.id}"):
            text, action = st.columns([5, 1], vertical_alignment="center")
            text.progress(job.done / max(job.total, 1), text=f"**{job.title}** · {progress_words(job)}")
            if action.button("Cancel", key=f"cancel_{job.id}", icon=":material/stop_circle:", width="stretch"):
                jobs().cancel(job.id)


def bars() -> None:
    """In the sidebar, a bar for every job of this server, whichever tab has started it."""
    if jobs().active():
        _bars()


@st.fragment(run_every=_POLL)
def _bars() -> None:
    active = jobs().active()
    if not active or any(not jobs().get(job_id).active for job_id in st.session_state.get(_OWN, {})):
        st.rerun()
    frame.bars(
        [frame.Bar(job.title, job.done / job.total if job.total else None, progress_words(job)) for job in active]
    )


def progress_words(job: JobRow) -> str:
    """How a job goes, in words."""
    if job.state == "queued":
        return "waits for its turn"
    if not job.total:
        return "starts"
    words = [f"{job.done} of {job.total}"]
    if job.rate:
        words.append(f"{job.rate:.0f} a second")
    if job.remaining is not None:
        words.append(f"{job.remaining:.0f} s to go")
    return ", ".join(words)
