"""Fuzz a door for some seconds: `python -m tests.fuzz.run DOOR SECONDS [FOLDER]`; needs the package atheris.

Whatever is neither taken nor refused in the door's own words ends the run, and so does an input that takes 10 seconds
or 2 GB; the input is left in the folder, which also keeps what reached new code.
"""

import sys
from pathlib import Path

import atheris

CORPUS = Path(__file__).parent / "corpus"
_MAX_LENGTH = 4096
_LIMITS = ("-timeout=10", "-rss_limit_mb=2048")


def main(door: str, seconds: str, folder: str = "") -> None:
    """Fuzz it."""
    sys.modules.pop("zipfile", None)  # which came with the interpreter's start, and was not instrumented
    with atheris.instrument_imports(include=["gad_core", "zipfile", "PIL", "tests.fuzz"]):
        from tests.fuzz.doors import DOORS
    found = Path(folder or f".fuzz/{door}")
    found.mkdir(parents=True, exist_ok=True)
    bounds = (f"-max_total_time={seconds}", f"-max_len={_MAX_LENGTH}", f"-artifact_prefix={found.parent}/{door}-")
    options = (*_LIMITS, *bounds, "-print_final_stats=1")
    atheris.Setup([sys.argv[0], *options, str(found), str(CORPUS / door)], DOORS[door])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
