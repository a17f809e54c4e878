"""A process killed at each of its writes: the harness, run as a process of its own that forks before every death.

`python kills.py FOLDER` reads a line of JSON for each request, `{"operation": NAME, "most": 3, "seed": 17}`, and
answers with a line: how many points there are, which were tried, and for each where the workspace stood afterwards.

A point is an event that changes a file, a folder or the database: the process dies before it, by SIGKILL, or (`torn`)
a few bytes into the file that it has just opened, when the kernel kills it for a file too large.
"""

import json
import os
import random
import resource
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TORN = 64  # bytes that a torn file may have
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_STATEMENTS = {"INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"}
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}


@dataclass
class Fuse:
    """Counts the events of this process, and ends it at one of them."""

    places: tuple[str, ...]  # folders that count
    at: int = 0  # the event to die at, from 1; 0 for none
    torn: bool = False
    on: bool = False
    seen: list[str] = field(default_factory=list)

    def event(self, name: str, *, opens: bool = False) -> None:
        self.seen.append(f"{name}+" if opens else name)
        if len(self.seen) != self.at:
            return
        if self.torn:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_TORN, resource.RLIM_INFINITY))
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(self, name: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if name == "open":
            path, _, flags = arguments
            if isinstance(path, (str, bytes, Path)) and flags & _WRITES and self.counts(path):
                self.event(f"open {Path(os.fsdecode(path)).name}", opens=True)
        elif name in _CHANGES and (arguments[-1] not in (-1, None) or any(map(self.counts, arguments[:2]))):
            self.event(f"{name} {Path(os.fsdecode(arguments[0])).name}")

    def counts(self, path: object) -> bool:
        return isinstance(path, (str, bytes, Path)) and os.path.abspath(os.fsdecode(path)).startswith(self.places)  # noqa: PTH100


def listen(fuse: Fuse) -> None:
    """Have the counter told of everything that this process changes."""
    from sqlalchemy import Engine, event

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(fuse.hook)

    @event.listens_for(Engine, "before_cursor_execute")
    def execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if fuse.on and statement.split(maxsplit=1)[0].upper() in _STATEMENTS:
            fuse.event(f"sql {' '.join(statement.split()[:3])}")

    @event.listens_for(Engine, "commit")
    def commit(_connection: Any) -> None:
        if fuse.on:
            fuse.event("sql COMMIT")


def forked(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do some work in a child; returns how it ended and what it gave, None where it died."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        status = 1
        try:
            os.close(reading)
            answer = json.dumps(work(), default=str).encode()
            while answer:
                answer = answer[os.write(writing, answer) :]
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    _, ended = os.waitpid(child, 0)
    return ended, json.loads(answer) if ended == 0 else None


def copied(source: Path, target: Path) -> None:
    """A workspace as it is, its files the same inodes but for the database's, which is written in place."""

    def lay(old: str, new: str) -> None:
        if Path(old).name.startswith("gad.db"):
            shutil.copy2(old, new)
        else:
            os.link(old, new)

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=lay, symlinks=True)


@contextmanager
def world(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The workspace and the folder of temporary files for one try, always under the same names."""
    home, scratch = folder / "home", folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    os.environ["TMPDIR"] = str(scratch)
    import tempfile

    tempfile.tempdir = str(scratch)
    yield home, scratch


def attack(operation: Any, folder: Path, *, most: int | None, seed: int) -> dict[str, Any]:
    """Kill one operation at its points, and say for each where the workspace stood when it was opened again."""
    from operations import look, resumed  # beside this file

    with world(folder) as (home, scratch):
        template, facts, before = prepared(operation, folder, home, scratch)

        def run(at: int, torn: bool) -> tuple[int, Any]:
            copied(template, home)
            shutil.rmtree(scratch)
            scratch.mkdir()

            def work() -> list[str]:
                fuse = Fuse((str(home), str(scratch)), at, torn)
                listen(fuse)
                operation.run(home, facts, fuse)
                return fuse.seen

            return forked(work)

        ended, events = run(0, False)
        if ended:
            raise RuntimeError(f"{operation.name} does not run")
        _, after = forked(lambda: look(home, scratch, facts))
        points = [(k, torn) for k, name in enumerate(events, 1) for torn in (False, True)[: 1 + name.endswith("+")]]
        chance = random.Random(f"{seed} {operation.name}")  # noqa: S311 - a sample, no secret
        tried = points if most is None else sorted(chance.sample(points, min(most, len(points))))
        found: list[dict[str, Any]] = []
        for k, torn in tried:
            run(k, torn)
            ended, there = forked(lambda: look(home, scratch, facts))
            where, why = ("unopened", "") if ended else placed(there, before, after)
            again = None
            if operation.resumes and where in {"before", "after"}:
                ended, again = forked(lambda: resumed(home, scratch, facts))
                if ended or (again and differs(again, after)):
                    where, why = "not resumed", differs(again, after) if again else ""
            found.append({"at": k, "torn": torn, "event": events[k - 1], "where": where, "why": why})
    changes, clean = bool(differs(before, after)), not any(map(is_passing, after["files"]))
    return {"operation": operation.name, "points": len(points), "changes": changes, "clean": clean, "tried": found}


def prepared(operation: Any, folder: Path, home: Path, scratch: Path) -> tuple[Path, Any, dict[str, Any]]:
    """The workspace that an operation finds, made once for all that find the same, what is in it, and how it looks."""
    from operations import look

    template, known = folder / operation.prepare.__name__, folder / f"{operation.prepare.__name__}.json"
    if not known.exists():
        shutil.rmtree(home, ignore_errors=True)
        ended, facts = forked(lambda: operation.prepare(home))
        if ended:
            raise RuntimeError(f"{operation.name} could not be prepared")
        home.rename(template)
        copied(template, home)
        ended, before = forked(lambda: look(home, scratch, facts))
        known.write_text(json.dumps([facts, before]))
    return (template, *json.loads(known.read_text()))


def is_passing(file: str) -> bool:
    """Whether a file or folder is one that a process works in, and should be gone with it."""
    return "/.token" in file


def placed(there: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> tuple[str, str]:
    """Which of two states a workspace is in, or what is between."""
    left = list(filter(is_passing, there["files"]))
    for name, state in (("before", before), ("after", after)):
        if not differs(there, state):
            return ("left behind", str(left[:4])) if left else (name, "")
    for state in (before, after):
        if there["records"] == state["records"] and set(there["files"]) > set(state["files"]):
            return "left behind", str(sorted(set(there["files"]) - set(state["files"]))[:4])
    return "between", f"to before: {differs(there, before)}; to after: {differs(there, after)}"


def differs(one: dict[str, Any], other: dict[str, Any]) -> str:
    """In what two states differ, in words; empty where they are the same."""
    words = [
        f"{name}: {one['records'].get(name)} / {other['records'].get(name)}"
        for name in {**one["records"], **other["records"]}
        if one["records"].get(name) != other["records"].get(name)
    ]
    more, less = (Counter(file for file in state["files"] if not is_passing(file)) for state in (one, other))
    if more != less:
        words.append(f"files: + {sorted((more - less).elements())[:5]} - {sorted((less - more).elements())[:5]}")
    return "; ".join(words)[:2000]


def main() -> None:
    """Answer requests until there are no more."""
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    from operations import OPERATIONS, warm_up

    warm_up(folder)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = attack(OPERATIONS[asked["operation"]], folder, most=asked["most"], seed=asked["seed"])
        except Exception as error:
            traceback.print_exc()
            answer = {"operation": asked["operation"], "error": repr(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
