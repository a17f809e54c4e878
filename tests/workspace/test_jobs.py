"""The job queue: one job at a time, with progress, cancel, and everything that went wrong."""

import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gad_core.errors import GadError
from gad_core.progress import Progress
from gad_core.workspace.jobs import JobQueue, Work
from gad_core.workspace.rows import JobRow
from gad_core.workspace.store import Store

Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def queue(store: Store) -> Iterator[JobQueue]:
    with JobQueue(store) as queue:
        yield queue


class Gate:
    """Work that says when it has begun, and goes on (reporting progress) until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()

    def __call__(self, progress: Progress) -> str:
        progress(0, 10)
        self.begun.set()
        while not self.end.wait(0.005):
            progress(3, 10)
        progress(10, 10)
        return "made"


def full(job: JobRow) -> None:
    raise GadError("the disk is full")


def test_a_job_ends_with_its_result_in_memory_and_in_the_store(queue: JobQueue, store: Store) -> None:
    gate = Gate()
    key = queue.submit("fit", "Fit plug", gate)
    assert gate.begun.wait(5)
    gate.end.set()
    job = queue.wait(key, 5)
    assert (job.state, job.result_id, job.done, job.total, job.error) == ("done", "made", 10, 10, None)
    assert job.started is not None
    assert job.finished is not None
    assert job.created <= job.started <= job.finished
    assert store.jobs.get(key) == job


def test_jobs_run_one_after_the_other_in_their_order(queue: JobQueue) -> None:
    running, order = threading.Lock(), []

    def work(number: int) -> Callable[[Progress], str]:
        def run(progress: Progress) -> str:
            assert running.acquire(blocking=False)
            order.append(number)
            time.sleep(0.01)
            running.release()
            return ""

        return run

    keys = [queue.submit("fit", str(number), work(number)) for number in range(4)]
    assert [queue.wait(key, 5).state for key in keys] == ["done"] * 4
    assert order == [0, 1, 2, 3]


def test_a_running_job_is_cancelled_at_its_next_report(queue: JobQueue) -> None:
    gate = Gate()
    key = queue.submit("fit", "t", gate)
    assert gate.begun.wait(5)
    queue.cancel(key)
    assert queue.wait(key, 5).state == "cancelled"
    assert not gate.end.is_set()


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(queue: JobQueue) -> None:
    first, second = Gate(), Gate()
    queue.submit("fit", "first", first)
    key = queue.submit("fit", "second", second)
    assert first.begun.wait(5)
    queue.cancel(key)
    assert queue.get(key).state == "cancelled"
    first.end.set()
    assert queue.wait(queue.submit("fit", "third", lambda _: ""), 5).state == "done"
    assert not second.begun.is_set()


def test_cancelling_a_finished_job_changes_nothing(queue: JobQueue) -> None:
    key = queue.submit("fit", "t", lambda _: "made")
    done = queue.wait(key, 5)
    queue.cancel(key)
    assert queue.get(key) == done


def test_an_error_of_the_user_is_kept_word_for_word(queue: JobQueue, store: Store) -> None:
    def work(progress: Progress) -> str:
        raise GadError("need at least 2 images, got 1; add some")

    key = queue.submit("fit", "t", work)
    assert queue.wait(key, 5).state == "failed"
    assert store.jobs.get(key).error == "need at least 2 images, got 1; add some"


def test_an_error_about_a_file_name_that_no_encoding_knows_is_kept(queue: JobQueue, store: Store) -> None:
    def work(progress: Progress) -> str:
        raise GadError("cannot read \udcfcber.png")

    key = queue.submit("fit", "\udcfcber", work)
    queue.wait(key, 5)
    assert store.jobs.get(key).error == "cannot read \\udcfcber.png"
    assert queue.wait(queue.submit("fit", "t", lambda _: ""), 5).state == "done"


@pytest.mark.parametrize("error", [ZeroDivisionError("by 0"), SystemExit("by 0")])
def test_any_other_error_is_kept_and_logged_and_the_next_job_runs(
    queue: JobQueue, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def work(progress: Progress) -> str:
        raise error

    key = queue.submit("fit", "t", work)
    with caplog.at_level(logging.ERROR):
        job = queue.wait(key, 5)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.startswith(f"unexpected {type(error).__name__}: by 0")
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]
    assert queue.wait(queue.submit("fit", "t", lambda _: ""), 5).state == "done"


def test_progress_is_exact_in_memory_and_written_at_most_five_times_a_second(
    queue: JobQueue, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[JobRow] = []
    save = store.jobs.save

    def save_and_tell(job: JobRow) -> None:
        written.append(job)
        save(job)

    monkeypatch.setattr(store.jobs, "save", save_and_tell)
    seen: list[int] = []

    def work(progress: Progress) -> str:
        for done in range(1, 101):
            progress(done, 200)
            seen.append(queue.get(key).done)
            time.sleep(0.005)
        return ""

    start = time.monotonic()
    gate = Gate()
    queue.submit("fit", "holds the worker until `key` is known", gate)
    key = queue.submit("fit", "t", work)
    gate.end.set()
    job = queue.wait(key, 30)
    saves = [row for row in written if row.id == key]
    assert seen == list(range(1, 101))
    assert store.jobs.get(key).done == 100  # the last, although it came right after another
    assert 4 <= len(saves) <= 4 + 5 * (time.monotonic() - start)
    assert saves[-1] == job


def test_a_running_job_tells_its_rate_and_what_remains(queue: JobQueue) -> None:
    ready, end = threading.Event(), threading.Event()

    def work(progress: Progress) -> str:
        for done in range(6):
            progress(done, 10)
            time.sleep(0.05)
        ready.set()
        end.wait(5)
        return ""

    key = queue.submit("fit", "t", work)
    assert ready.wait(5)
    job = queue.get(key)
    end.set()
    assert job.rate is not None
    assert 2 < job.rate < 20  # 20 a second if the machine has nothing else to do
    assert job.remaining == pytest.approx(5 / job.rate)
    assert queue.wait(key, 5).remaining is None


def test_a_log_that_cannot_be_written_does_not_stop_the_work(
    queue: JobQueue, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    key = queue.submit("fit", "t", gate)
    assert gate.begun.wait(5)

    with monkeypatch.context() as patch:
        patch.setattr(store.jobs, "save", full)
        gate.end.set()
        assert queue.wait(key, 5).state == "done"
    assert queue.get(key).result_id == "made"
    assert queue.active() == ()


def test_a_job_whose_cancel_cannot_be_logged_does_not_run_either(
    queue: JobQueue, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, ran = Gate(), threading.Event()

    def work(progress: Progress) -> str:
        ran.set()
        return ""

    queue.submit("fit", "first", gate)
    key = queue.submit("fit", "second", work)
    assert gate.begun.wait(5)
    with monkeypatch.context() as patch:
        patch.setattr(store.jobs, "save", lambda _: 1 / 0)
        queue.cancel(key)
    gate.end.set()
    queue.wait(queue.submit("fit", "third", lambda _: ""), 5)
    assert not ran.is_set()
    assert queue.get(key).state == "cancelled"


def test_what_a_finished_job_held_in_memory_is_let_go(queue: JobQueue) -> None:
    def submit() -> tuple[str, weakref.ref[Work]]:
        def work(progress: Progress) -> str:
            return ""

        return queue.submit("data", "t", work), weakref.ref(work)

    key, held = submit()
    queue.wait(key, 5)
    deadline = time.monotonic() + 5
    while held() is not None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert held() is None


def test_an_unknown_job_is_an_error_in_words(queue: JobQueue) -> None:
    with pytest.raises(GadError, match="there is no job 'nonsense'"):
        queue.get("nonsense")


def test_recent_jobs_come_newest_first_and_active_ones_in_their_turn(queue: JobQueue) -> None:
    done = queue.submit("fit", "done", lambda _: "")
    queue.wait(done, 5)
    gate = Gate()
    running, waiting = queue.submit("fit", "running", gate), queue.submit("fit", "waiting", Gate())
    assert gate.begun.wait(5)
    assert [job.id for job in queue.recent(2)] == [waiting, running]
    assert [job.id for job in queue.active()] == [running, waiting]


SERVER = """
import sys, threading, time
from pathlib import Path
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.store import Store
queue = JobQueue(Store(Path(sys.argv[1])))
begun = threading.Event()
def work(progress):
    progress(4, 10)
    begun.set()
    while True:
        time.sleep(0.01)
        progress(4, 10)
queue.submit("fit", "running", work)
queue.submit("fit", "waiting", work)
begun.wait()
print("running", flush=True)
sys.stdin.readline()
"""


def test_jobs_of_a_killed_server_are_interrupted_and_those_of_a_living_one_are_not(
    tmp_path: Path, spawn: Spawn
) -> None:
    server = spawn(SERVER, tmp_path)
    assert server.stdout is not None
    assert server.stdout.readline() == "running\n"
    with Store(tmp_path) as store, JobQueue(store) as queue:
        running, waiting = queue.active()
        assert (running.state, running.done, waiting.state) == ("running", 4, "queued")
        with pytest.raises(GadError, match="another GAD server"):
            queue.cancel(running.id)
        server.kill()
        server.wait()
        assert queue.active() == ()  # without a restart
        assert {job.state for job in queue.recent()} == {"interrupted"}
    with Store(tmp_path) as store:
        assert store.jobs.get(running.id).state == "interrupted"
        assert store.jobs.get(running.id).finished is not None


def test_a_long_job_holds_up_no_job_of_another_kind(queue: JobQueue) -> None:
    slow = Gate()
    long = queue.submit("explain", "for minutes", slow)
    assert slow.begun.wait(5)
    assert [queue.wait(queue.submit(kind, kind, lambda _: "made"), 5).state for kind in ("data", "fit", "check")] == [
        "done"
    ] * 3
    assert queue.get(long).state == "running"
    slow.end.set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
def test_long_jobs_let_short_ones_and_pages_go_first(queue: JobQueue) -> None:
    def niceness(kind: str) -> int:
        found = []

        def work(progress: Progress) -> str:
            found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return ""

        queue.wait(queue.submit(kind, "t", work), 5)
        return found[0]

    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert here < niceness("data") < niceness("fit") < niceness("explain")


def test_the_log_keeps_what_was_asked_for(queue: JobQueue, store: Store) -> None:
    key = queue.submit("fit", "t", lambda _: "", request={"step": "fit", "dataset": "abc"})
    queue.wait(key, 5)
    assert store.jobs.get(key).request == {"step": "fit", "dataset": "abc"}
