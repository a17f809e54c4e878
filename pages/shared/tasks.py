"""Heavy work from the page's side: hand it to the queue, show how it goes, take over what it made.

What is asked for at a place of a page (its field or button) is shown there: the card while it runs, and the error if it
fails, until the same place asks again. Work without a place of its own belongs to its page.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gad_core import wording
from gad_core.errors import GadError
from gad_core.workspace.people import NotAllowed
from gad_core.workspace.requests import Request, ask_again
from gad_core.workspace.rows import JobRow
from pages.shared import frame, opened, person
from pages.shared.resources import feature_cache, jobs, store
from pages.shared.text import plain

_OWN = "_own_jobs"  # jobs that this tab has started and not yet heard the end of: id -> _Started
_FAILED = "_failed_jobs"  # by place
_INTERRUPTED = "_interrupted_jobs"  # those that ended with a server, by id
_LINK = "job"  # the newest of the tab's jobs in the URL, so that a reload finds it
_POLL = 1.0  # seconds


@dataclass(frozen=True)
class _Started:
    """Where a job was started, and the page to go to when it is done, if the tab is still there."""

    place: str
    page: str
    then: str | None = None


@dataclass(frozen=True)
class _Failure:
    title: str
    reason: str


class _Made(Protocol):
    @property
    def id(self) -> str: ...


def submit(
    kind: str,
    title: str,
    work: Callable[..., _Made],
    *,
    then: str | None = None,
    place: str | None = None,
    request: Request | None = None,
    again: str | None = None,
) -> None:
    """Queue work that takes `progress`; also for callbacks.

    A detector (kind "fit") or data set ("data") is opened when it is done; `then` is the page to go to if the tab is
    still where it is now. `request` says in values what `work` does, so that it can be offered again; `again` is the
    interrupted job which that does once more.
    """
    try:
        job_id = jobs().submit(
            kind,
            title,
            lambda progress: work(progress=progress).id,
            request=request.to_json() if request else None,
            again=again,
        )
    except NotAllowed as error:
        refuse(title, error, place=place)
        return
    started = _Started(place or frame.current(), frame.current(), then)
    st.session_state.get(_FAILED, {}).pop(started.place, None)
    st.session_state.setdefault(_OWN, {})[job_id] = started


def ask(
    title: str, request: Request, *, then: str | None = None, place: str | None = None, again: str | None = None
) -> None:
    """Queue what can be asked for again if the server stops meanwhile."""
    shelf, cache = store(), feature_cache()

    def work(**options: object) -> _Made:
        return request.run(shelf, cache=cache, **options)  # type: ignore[arg-type]  # progress, from `submit`

    submit(request.kind, title, work, then=then, place=place, request=request, again=again)


def settle() -> None:
    """Take over what this tab's finished jobs have made; called once at the start of every run."""
    _find_again()
    for job_id, started in list(st.session_state.get(_OWN, {}).items()):
        job = jobs().get(job_id)
        if job.active:
            continue
        del st.session_state[_OWN][job_id]
        _settle(job, started)
    _remember()


def _settle(job: JobRow, started: _Started) -> None:
    """Take over one that has ended."""
    title = plain(job.title)
    if job.state == "done" and job.result_id:
        if job.kind == "fit":
            opened.open_detector(store().detectors.get(job.result_id))
        elif job.kind == "data":
            opened.open_dataset(store().datasets.get(job.result_id))
        st.toast(f"{title}: done", icon=":material/check_circle:")
        if started.then is not None and started.page == frame.current():
            _remember()
            st.switch_page(started.then, query_params=opened.link())
    elif job.state == "failed":
        _fail(started.place, job.title, job.error)
        if started.page != frame.current():
            st.toast(f"{title} stopped: {plain(job.error)}", icon=":material/error:", duration="long")
    elif job.state == "cancelled":
        st.toast(f"{title}: cancelled", icon=":material/cancel:")
    elif job.state == "interrupted":
        st.session_state.setdefault(_INTERRUPTED, {})[job.id] = job


def refuse(title: str, error: GadError, *, place: str | None = None) -> None:
    """Keep an error that work would end with before it was begun, as if it had ended with it; also for callbacks."""
    _fail(place or frame.current(), title, str(error))


def _fail(place: str, title: str, reason: str | None) -> None:
    st.session_state.setdefault(_FAILED, {})[place] = _Failure(title, reason or "")


def own() -> list[JobRow]:
    """This tab's jobs that wait or run."""
    return [job for job_id in st.session_state.get(_OWN, {}) if (job := jobs().get(job_id)).active]


def _find_again() -> None:
    """After a reload, the tab's job is known by the URL alone."""
    linked = st.query_params.get(_LINK)
    if linked and _OWN not in st.session_state:
        with suppress(GadError):  # a link from another workspace
            job = jobs().get(linked)
            st.session_state[_OWN] = {job.id: _Started(frame.current(), frame.current())}


def _remember() -> None:
    """The URL names what goes on, else what is offered again, so that a second reload still finds it."""
    if kept := [*st.session_state.get(_INTERRUPTED, {}), *(job.id for job in own())]:
        st.query_params[_LINK] = kept[-1]
    elif _LINK in st.query_params:
        del st.query_params[_LINK]


def show_failure(place: str | None = None) -> None:
    """The error of the last job that was started at a place of this page, until it is dismissed or asks again."""
    place = frame.current() if place is None else place
    failed: _Failure | None = st.session_state.get(_FAILED, {}).get(place)
    if failed is None:
        return
    with st.container(gap="xsmall", key=f"failure_{place}"):
        st.error(f"**{plain(failed.title)}** stopped: {plain(failed.reason)}", icon=":material/error:")
        st.button(
            "Dismiss",
            key=f"dismiss_{place}",
            icon=":material/close:",
            on_click=_dismiss,
            args=(_FAILED, place),
        )


def offer_again() -> None:
    """What ended with a server, until it is asked for again or dismissed."""
    interrupted: dict[str, JobRow] = st.session_state.get(_INTERRUPTED, {})
    for job in list(interrupted.values()):
        with st.container(gap="xsmall", key=f"interrupted_{job.id}"):
            way = "Nothing half made was kept." if job.request else "Nothing of it was kept; bring the files once more."
            st.warning(
                f"**{plain(job.title)}** was interrupted, because the server stopped. {way}",
                icon=":material/power_off:",
            )
            with st.container(horizontal=True):
                if job.request:
                    st.button(
                        "Start it again",
                        key=f"again_{job.id}",
                        icon=":material/replay:",
                        on_click=_again,
                        args=(job,),
                        **person.changing(),
                    )
                st.button(
                    "Dismiss",
                    key=f"forget_{job.id}",
                    icon=":material/close:",
                    on_click=_dismiss,
                    args=(_INTERRUPTED, job.id),
                )


def _dismiss(kept: str, key: str) -> None:
    st.session_state[kept].pop(key, None)


def _again(job: JobRow) -> None:
    del st.session_state[_INTERRUPTED][job.id]
    try:
        ask(job.title, ask_again(job), again=job.id)
    except GadError as error:
        refuse(job.title, error)


def cards(place: str | None = None) -> None:
    """A card for each of this tab's jobs that was started at a place of this page, else for all without a place."""
    if _unsettled(place):  # a fragment that polls makes the page busy, so there is none without a job
        _cards(place)


def _unsettled(place: str | None) -> list[str]:
    """Ids of the jobs whose end was not heard yet, whether they still run or not."""
    started: dict[str, _Started] = st.session_state.get(_OWN, {})
    if place is not None:
        return [job_id for job_id, where in started.items() if where.place == place]
    here = frame.current()
    return [job_id for job_id, where in started.items() if where.place == where.page or where.page != here]


@st.fragment(run_every=_POLL)
def _cards(place: str | None) -> None:
    for job_id in _unsettled(place):
        job = jobs().get(job_id)
        if not job.active:
            st.rerun()  # the next run settles it; also if it ended before this card was first drawn
        with st.container(border=True, key=f"job_{job.id}"):
            text, action = st.columns([5, 1], vertical_alignment="center")
            text.progress(job.done / max(job.total, 1), text=f"**{plain(job.title)}** · {progress_words(job)}")
            _cancel_button(action, job, key=f"cancel_{job.id}")


def bars() -> None:
    """In the sidebar, a bar for every job of this server, whichever tab has started it."""
    if jobs().active() or st.session_state.get(_OWN):
        _bars()


@st.fragment(run_every=_POLL)
def _bars() -> None:
    active = jobs().active()
    if not active or any(not jobs().get(job_id).active for job_id in st.session_state.get(_OWN, {})):
        st.rerun()
    for job in active:
        with st.container(gap="xxsmall", key=f"bar_{job.id}"):
            share = job.done / job.total if job.total else 0.0
            st.progress(share, text=f"{plain(job.title)} · :gray[{progress_words(job)}]")
            _cancel_button(st.container(), job, key=f"stop_{job.id}", quiet=True)


def _cancel_button(box: DeltaGenerator, job: JobRow, *, key: str, quiet: bool = False) -> None:
    box.button(
        "Cancel",
        key=key,
        icon=":material/stop_circle:",
        type="tertiary" if quiet else "secondary",
        width="content" if quiet else "stretch",
        on_click=_cancel,
        args=(job,),
        **person.changing(),
    )


def _cancel(job: JobRow) -> None:
    try:
        jobs().cancel(job.id)
    except GadError as error:  # it runs in another server
        frame.toast(error)


def progress_words(job: JobRow) -> str:
    """How a job goes, in words: `3 of 141, 17 s each, about 40 min to go`."""
    if job.state == "queued":
        return "waits for its turn"
    if not job.total:
        return "starts"
    words = [f"{job.done} of {job.total}"]
    if job.rate:
        words.append(wording.pace(job.rate))
    if job.remaining:
        words.append(f"about {wording.duration(job.remaining)} to go")
    return ", ".join(words)
