"""Peak memory of work in a process of its own (Linux): a benchmark starts itself with --peak and reads the answer."""

import subprocess
import sys
from pathlib import Path


def of_process(module: str, *arguments: object) -> float:
    """Peak resident MB of `python -m MODULE --peak ARGUMENTS`, which ends with `report`."""
    command = [sys.executable, "-m", module, "--peak", *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603 - ourselves


def report() -> None:
    """Print the peak of this process."""
    print(megabytes())


def megabytes() -> float:
    """The peak of this process so far; getrusage would hand the peak of a parent on to its children."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
