"""What is written is there whole or not at all, on the disk when it has its name; what broke off is swept up."""

import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gad_core.command_line.output import write_bytes
from gad_core.data.holding import scratch, sweep, sweep_scratch
from gad_core.data.placing import placed
from gad_core.errors import GadError


def write(path: Path, text: str = "new") -> None:
    with placed(path) as partial:
        partial.write_text(text)


@contextmanager
def full_disk(allowed: int) -> Iterator[None]:
    """No file may grow above so many bytes; the kernel says so as it does of a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o664])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    (path := tmp_path / "a.gad").write_text("old")
    path.chmod(mode)
    write(path)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", mode)


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    former = os.umask(0o027)
    try:
        write(tmp_path / "a.gad")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "a.gad").stat().st_mode) == 0o640


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (real := tmp_path / "real").mkdir()
    (real / "a.gad").write_text("old")
    (link := tmp_path / "a.gad").symlink_to("real/a.gad")
    write(link)
    assert link.is_symlink()
    assert (real / "a.gad").read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.gad", "a.gad", "real"]


def test_the_file_is_on_the_disk_before_it_has_its_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def flushed(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else f"{os.fstat(handle).st_size} bytes")
        fsync(handle)

    def renamed(self: Path, target: Path) -> Path:
        done.append(f"named {target.name}")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    write(tmp_path / "a.gad", "12345")
    assert done == ["5 bytes", "named a.gad", "folder"]


def test_a_full_disk_leaves_the_earlier_file_and_says_so(tmp_path: Path) -> None:
    (path := tmp_path / "a.gad").write_text("old")
    with full_disk(100), pytest.raises(GadError, match=r"cannot write .*a\.gad: File too large; free some space"):
        write(path, "x" * 1000)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.gad", "old")]


def test_the_command_line_writes_a_device_as_it_is() -> None:
    with pytest.raises(GadError, match=r"cannot write /dev/full \(No space left on device\)"):
        write_bytes(Path("/dev/full"), b"x")
    write_bytes(Path("/dev/null"), b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


_DIE = """
import os, signal, sys, time
from pathlib import Path
from gad_core.command_line.output import write_bytes
from gad_core.data.holding import scratch
from gad_core.data.placing import placed
with placed(Path(sys.argv[1])) as partial, scratch() as folder:
    partial.write_text("half")
    (folder / "1.npy").write_text("half")
    print("up", flush=True)
    time.sleep(60)
"""


def test_what_a_dead_process_had_in_the_making_is_swept_and_never_that_of_a_living_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "gad-mine").mkdir()  # a person's own, whatever it is called

    def there() -> list[str]:
        return sorted(path.name.split("-")[1] for path in tmp_path.rglob("*gad-*"))

    process = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", _DIE, str(tmp_path / "a.gad")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "up\n"
        sweep(tmp_path)
        sweep_scratch()
        alive = there()
        process.send_signal(signal.SIGKILL)
    assert len(alive) == 3
    write(tmp_path / "b.gad")
    assert there() == alive  # another machine's lock might not be seen
    (partial,) = tmp_path.glob(".gad-*")
    os.utime(partial, (then := time.time() - 7200, then))
    write(tmp_path / "b.gad")
    with scratch() as folder:
        assert folder.is_dir()
    assert there() == ["mine"]


def test_a_folder_that_another_process_sweeps_before_it_is_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made, make = [], tempfile.mkdtemp

    def swept_once(*arguments: object) -> str:
        made.append(make(*arguments))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr("tempfile.mkdtemp", swept_once)
    with scratch() as folder:
        assert folder.is_dir()
    assert len(made) == 2
