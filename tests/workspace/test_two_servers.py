"""Two servers on one database and one folder: everything is done once, and nothing of either is lost."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from gad_core.errors import GadError
from gad_core.gaussian.detector_file import read_summary
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace.database import Database
from gad_core.workspace.job_log import GivenAway
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.rows import DetectorRow, JobRow
from gad_core.workspace.servers import LEASE, ServerLog
from gad_core.workspace.store import Store
from gad_core.workspace.tables import JobRecord, ServerRecord, now
from tests.postgres import Server, find_programs

Spawn = Callable[..., "subprocess.Popen[str]"]

SERVERS, ROUNDS = (3, 30) if os.environ.get("GAD_ATTACKS") == "all" else (2, 8)


def start(spawn: Spawn, code: str, *arguments: tuple[object, ...]) -> list[str]:
    """Run one process for each tuple of arguments, all at the same moment, and return what they say in the end."""
    processes = [spawn(code, *given) for given in arguments]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(len(processes)) as pool:
        said = list(pool.map(lambda process: process.communicate("go\n", timeout=200)[0], processes))
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


_SERVER = """
import sys
from pathlib import Path
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.store import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(Path(sys.argv[1]))
queue = JobQueue(store)
def work(number):
    def run(progress):
        progress(1, 1)
        with (store.home / "ran").open("a") as file:
            file.write(number + "\\n")
        return number
    return run
if sys.argv[2] == "again":
    old = [job for job in store.jobs.recent(99) if job.owner == "dead"]
    keys = [queue.submit("fit", job.title, work(job.title), request={}, again=job.id) for job in old]
else:
    keys = [queue.submit("fit", f"{sys.argv[2]}{n}", work(f"{sys.argv[2]}{n}")) for n in range(20)]
for key in keys:
    queue.wait(key)
print(" ".join(keys))
"""


def test_jobs_of_two_servers_that_begin_with_an_empty_database_run_once_each(tmp_path: Path, spawn: Spawn) -> None:
    start(spawn, _SERVER, (tmp_path, "a"), (tmp_path, "b"))
    ran = Counter((tmp_path / "ran").read_text().split())
    assert ran == Counter(f"{server}{number}" for server in "ab" for number in range(20))
    with Store(tmp_path) as store:
        assert Counter(job.state for job in store.jobs.recent(99)) == {"done": 40}
        assert {job.result_id == job.title for job in store.jobs.recent(99)} == {True}


def test_interrupted_jobs_that_two_servers_take_up_again_run_once_each(tmp_path: Path, spawn: Spawn) -> None:
    with Store(tmp_path) as store:
        for number in range(20):
            job = JobRow(id=f"j{number}", kind="fit", title=f"t{number}", owner="dead", created=now(), request={})
            store.jobs.add(job)
        store.recover()
        assert {job.state for job in store.jobs.recent(99)} == {"interrupted"}
    said = start(spawn, _SERVER, (tmp_path, "again"), (tmp_path, "again"))
    assert said[0] == said[1]
    assert Counter((tmp_path / "ran").read_text().split()) == Counter(f"t{number}" for number in range(20))


def test_a_job_given_away_says_so_to_the_one_who_had_it(store: Store) -> None:
    job = JobRow(id="old", kind="fit", title="t", owner="other", created=now())
    store.jobs.add(job)
    store.recover()
    with JobQueue(store) as queue:
        again = queue.submit("fit", "t", lambda _: "made", again="old")
        assert queue.wait(again, 10).state == "done"
    with pytest.raises(GivenAway, match="done again by another job"):
        store.jobs.save(job)
    assert store.jobs.get("old").state == "interrupted"
    assert queue.submit("fit", "t", lambda _: "made", again="old") == again


def test_a_job_whose_second_run_failed_may_be_asked_for_once_more(store: Store) -> None:
    store.jobs.add(JobRow(id="old", kind="fit", title="t", owner="other", created=now()))
    store.recover()

    def fail(_: object) -> str:
        raise GadError("no")

    with JobQueue(store) as queue:
        second = queue.submit("fit", "t", fail, again="old")
        queue.wait(second, 10)
        third = queue.submit("fit", "t", lambda _: "made", again="old")
        assert third != second
        assert queue.wait(third, 10).state == "done"


_ADOPT = """
import sys
from pathlib import Path
from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.tuning import WorkingPoint
from gad_core.workspace.adoption import adopt
from gad_core.workspace.rows import detector_state
from gad_core.workspace.store import Store
with Store(Path(sys.argv[1])) as store:
    row = store.detectors.get(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    adopted = 0
    for number in range(int(sys.argv[4])):
        threshold = 100.0 * int(sys.argv[3]) + number + 1
        point = WorkingPoint("cross-conformal", 0.2, threshold, 6, "from 6 images")
        try:
            state, detector = detector_state(row), load_detector(row.path)
            adopt(store, row, detector, detector.tuning, point, state=state)
            adopted += 1
        except GadError as error:
            assert "meanwhile" in str(error), error
    print(adopted)
"""


def test_adoptions_by_several_servers_at_once_leave_file_and_record_the_same(
    store: Store, six: DetectorRow, spawn: Spawn
) -> None:
    said = start(spawn, _ADOPT, *[(store.home, six.id, server, ROUNDS) for server in range(SERVERS)])
    decisions = store.detectors.decisions(six.id)
    assert read_summary(six.path).working_point == decisions[0].point
    assert len(decisions) == sum(map(int, said))
    assert len({decision.point.threshold for decision in decisions}) == len(decisions)  # each was put on record once
    assert [path.name for path in six.path.parent.rglob("*") if path.is_file()] == [six.path.name]


_DELETE = """
import sys
from pathlib import Path
from gad_core.errors import GadError
from gad_core.workspace.store import Store
with Store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        store.detectors.remove(sys.argv[2])
        print("removed")
    except GadError as error:
        print(error)
"""


def test_of_two_servers_that_delete_a_detector_one_is_told_that_it_is_gone(
    store: Store, six: DetectorRow, spawn: Spawn
) -> None:
    said = start(spawn, _DELETE, (store.home, six.id), (store.home, six.id))
    gone = f"there is no detector '{six.id}' in this workspace; choose one from the list"
    assert sorted(line.strip() for line in said) == ["removed", gone]
    assert not six.path.exists()


_WATCH = """
import json, sys
from pathlib import Path
from gad_core.workspace.store import Store
with Store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    taken = [watch.id for _ in range(20) for watch in store.watches.take(unless=store.is_at_work)]
    print(json.dumps(taken), flush=True)
    sys.stdin.readline()
"""


def test_a_watch_belongs_to_one_of_three_servers(tmp_path: Path, spawn: Spawn) -> None:
    with Store(tmp_path) as store:
        row = store.detectors.add(Path.touch, name="d", settings=FitSettings(), n_train=1)
        for number in range(6):
            (tmp_path / f"line{number}").mkdir()
            store.watches.start(row.id, tmp_path / f"line{number}")
        watches = store.watches.of(row.id)
    servers = [spawn(_WATCH, tmp_path) for _ in range(3)]
    for server in servers:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        print("go", file=server.stdin, flush=True)
    taken = [json.loads(server.stdout.readline()) for server in servers if server.stdout]
    assert Counter(watch for ids in taken for watch in ids) == Counter({watch.id: 20 for watch in watches})


@pytest.fixture
def shared(tmp_path: Path, postgresql: Server) -> tuple[Path, str]:
    """A folder and a PostgreSQL database."""
    return tmp_path / "home", postgresql.new_database()


@pytest.mark.sqlite
def test_a_server_of_another_machine_is_alive_as_long_as_it_says_so(shared: tuple[Path, str]) -> None:
    home, url = shared
    database = Database(url)
    other = ServerLog(database, machine="another")
    other.beat("theirs")
    with Store(home, url) as store:
        (store.home / "processes" / "theirs").touch()  # its lock is not seen here
        (store.home / "datasets" / ".theirs").mkdir()
        store.jobs.add(JobRow(id="j", kind="fit", title="t", owner="theirs", created=now()))
        store.recover()
        assert store.jobs.get("j").state == "queued"
        assert store.is_at_work("theirs")
        assert (store.home / "datasets" / ".theirs").exists()
        with database.writing() as session:
            session.get_one(ServerRecord, "theirs").seen -= LEASE + timedelta(seconds=1)
        store.recover()
        assert store.jobs.get("j").state == "interrupted"
        assert not store.is_at_work("theirs")
        assert not (store.home / "datasets" / ".theirs").exists()
    database.close()


@pytest.mark.sqlite
def test_a_process_of_this_machine_that_died_is_noticed_at_once_and_leaves_the_list(
    shared: tuple[Path, str], spawn: Spawn
) -> None:
    home, url = shared
    code = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gad_core.workspace.rows import JobRow
from gad_core.workspace.store import Store
store = Store(Path(sys.argv[1]), sys.argv[2])
store.jobs.add(JobRow(id="j", kind="fit", title="t", owner=store.owner, created=datetime.now(UTC)))
print("ready", flush=True)
sys.stdin.readline()
"""
    server = spawn(code, home, url)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    with Store(home, url) as store:
        assert store.jobs.get("j").state == "queued"
        server.kill()
        server.wait()
        store.recover()
        assert store.jobs.get("j").state == "interrupted"
        with store.jobs._place.database.reading() as session:
            assert [record.token for record in session.query(ServerRecord)] == [store.owner]


@pytest.mark.sqlite
def test_a_database_server_that_starts_again_costs_an_error_in_words_and_no_more(tmp_path: Path) -> None:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    server = Server(programs)
    try:
        with Store(tmp_path / "home", server.new_database()) as store:
            job = JobRow(id="a", kind="fit", title="t", owner=store.owner, created=now())
            store.jobs.add(job)
            writing = store.jobs._place.database.writing
            with pytest.raises(GadError, match=r"cannot be reached.*what was not confirmed was not done"):
                lose(writing, server)
            with pytest.raises(GadError, match="cannot be reached"):
                store.jobs.recent(9)
            server.start()
            assert store.jobs.recent(9) == (job,)
    finally:
        server.close()


def lose(writing: Callable, server: Server) -> None:
    """Write, and lose the server before that is confirmed."""
    with writing() as session:
        session.get_one(JobRecord, "a").title = "changed"
        session.flush()
        server.crash()
