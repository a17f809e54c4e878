"""A PostgreSQL server of the test run's own: in a temporary folder, behind a socket there, gone with the run."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg

#: The role whose password counts; the other, `gad`, gets in without.
CHECKED, PASSWORD = "checked", "s3cret/word"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "autovacuum": "off",
    "lc_messages": "C",
}


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres`, or None where no server is installed."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(versions, key=lambda path: int("0" + path.parent.name.partition(".")[0]), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Server:
    """A running server; every test has a database of its own."""

    def __init__(self, programs: Path) -> None:
        self._programs, self._numbers = programs, count()
        self.folder = Path(tempfile.mkdtemp(prefix="gad-pg-"))
        # PostgreSQL refuses to run as root.
        self._user = _unprivileged() if hasattr(os, "geteuid") and os.geteuid() == 0 else None
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        data = self.folder / "data"
        self._run("initdb", "--pgdata", data, "--auth=trust", "--username=gad", "--no-sync", "--encoding=UTF8")
        (data / "pg_hba.conf").write_text(f"local all {CHECKED} scram-sha-256\nlocal all all trust\n")
        self.start()
        self.execute(f"CREATE ROLE {CHECKED} LOGIN PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        """Start, also again after `stop` or `crash`."""
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        for _ in range(1500):
            try:
                return psycopg.connect(self._place("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def crash(self) -> None:
        """End at once, with all connections."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def close(self) -> None:
        """End, and leave nothing."""
        self.crash()
        shutil.rmtree(self.folder)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str, *, who: str = "gad") -> str:
        """Where a database lies; `who` may bring a password along."""
        return f"postgresql://{who}@/{name}?host={self.folder}"

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run a statement outside any transaction."""
        with psycopg.connect(self._place(database), autocommit=True) as connection:
            connection.execute(statement)

    def _place(self, database: str) -> str:
        return f"host={self.folder} user=gad dbname={database}"

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_user())  # noqa: S603
        assert done.returncode == 0, done.stderr

    def _as_user(self) -> dict:
        user = self._user
        # A folder that the user may enter, too.
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, **who}


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("there is no user to run PostgreSQL as")
