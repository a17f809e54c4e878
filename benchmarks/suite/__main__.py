"""Measure everything, or the subjects named, and write it down.

    python -m benchmarks.suite [NAME ...] [--quick] [--out DIR]

Each subject runs in a process of its own. DIR (by default docs/) gets `benchmarks.json`, and `benchmarks.md` has its
table renewed from that; subjects that were not run keep their lines from the same machine. `--quick` measures little
and writes only where a DIR is given. What anomalib does is measured by the interpreter that GAD_BENCH_PYTHON names.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.suite import machine, rendering
from benchmarks.suite.rows import Row, not_measured

#: Module of each subject, in the order of the table, and its heading there. A module has `rows(*, quick)`.
SUBJECTS = {
    "extraction": "Features: the network alone",
    "files": "From files to scores",
    "padim_patchcore": "anomalib on the same network and images",
    "fitting": "Ledoit-Wolf from moments, and one move of NPCA",
    "attribution": "Deep SHAP of nine levels",
    "growth": "Growth in images and passes",
    "dashboard": "The dashboard in a real browser",
    "gpu": "On a graphics card",
}
_OTHER_PYTHON = {"padim_patchcore": "GAD_BENCH_PYTHON"}
_DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="little of everything: to see that it runs")
    parser.add_argument("--out", type=Path, help="folder of benchmarks.json and benchmarks.md")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)  # the subject's own process writes there
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(SUBJECTS)):
        parser.error(f"there is no subject {unknown[0]!r}; choose among {', '.join(SUBJECTS)}")
    if asked.alone:
        rows: Sequence[Row] = import_module(f"benchmarks.suite.{asked.names[0]}").rows(quick=asked.quick)
        asked.alone.write_text(json.dumps([asdict(row) for row in rows]))
        return
    folder = asked.out or (None if asked.quick else _DOCS)
    measured: dict[str, Any] = {}
    for name in asked.names or SUBJECTS:
        print(f"{name} ..", file=sys.stderr, flush=True)
        measured[name] = in_process(name, quick=asked.quick)
        if folder:
            write(folder, measured)
    print(rendering.table({name: [Row(**row) for row in subject["rows"]] for name, subject in measured.items()}))


def in_process(name: str, *, quick: bool) -> dict[str, Any]:
    """What a subject's own process finds; where it ends in an error, a line that says so."""
    start = time.perf_counter()
    python = os.environ.get(_OTHER_PYTHON.get(name, ""), sys.executable)
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "rows.json"
        command = [python, "-m", "benchmarks.suite", name, "--alone", str(found), *["--quick"] * quick]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - ourselves
        if found.is_file():
            rows = json.loads(found.read_text())
        else:
            sys.stderr.write(ended.stderr)
            last = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
            rows = [asdict(not_measured(SUBJECTS[name], last))]
    seconds = time.perf_counter() - start
    return {"title": SUBJECTS[name], "date": machine.today(), "seconds": round(seconds, 1), "rows": rows}


def write(folder: Path, measured: Mapping[str, Any]) -> None:
    """Bring JSON and page up to date; lines of another machine go."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, page = folder / "benchmarks.json", folder / "benchmarks.md"
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    here = machine.describe()
    same = all(known.get("machine", {}).get(key) == here[key] for key in ("processor", "cores"))
    subjects = {**(known["subjects"] if same else {}), **measured}
    report = {"machine": here, "subjects": {name: subjects[name] for name in SUBJECTS if name in subjects}}
    kept.write_text(json.dumps(report, indent=1) + "\n")
    text = page.read_text() if page.is_file() else "# Benchmarks\n"
    page.write_text(rendering.between_marks(text, rendering.markdown(report)))


if __name__ == "__main__":
    main()
