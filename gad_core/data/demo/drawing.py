"""Demo photos drawn in processes of their own, one a core.

Drawing is many short steps over megabytes, so that threads wait for each other. `multiprocessing` would start the
caller's main module anew, which below a web server is the server; a command knows nothing of its caller.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, cast
from zlib import Z_HUFFMAN_ONLY

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import gad_core
from gad_core.data.demo.photos import Place, photo
from gad_core.errors import GadError

_PROCESSES = 2
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # glibc keeps freed memory at hand instead of asking the system for every array anew, a fifth of the time
    "MALLOC_MMAP_THRESHOLD_": str(2**28),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    "MALLOC_TOP_PAD_": str(2**26),
}


class Drawers:
    """Processes that write photos."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        for process in processes:
            self._idle.put(process)

    def write(self, folder: Path, part: str, places: Sequence[Place], *, seed: int, **how: float) -> Iterator[None]:
        """Write photos of a part to an MVTec folder; yields once per photo, drawn as `photo` is told `how`.

        `GadError` where one cannot be written.
        """

        def ask(place: Place) -> None:
            process = self._idle.get()
            try:
                _tell(process, [str(folder), part, *place, {"seed": seed, **how}])
            finally:
                self._idle.put(process)

        with ThreadPoolExecutor(_PROCESSES) as pool:
            try:
                yield from pool.map(ask, places)
            except BaseException:  # the rest is not wanted any more
                pool.shutdown(cancel_futures=True)
                raise


@contextmanager
def drawers() -> Iterator[Drawers]:
    """The processes, for as long as they are needed."""
    path = str(Path(gad_core.__path__[0]).parent)
    processes = [
        subprocess.Popen(  # noqa: S603 - our own interpreter with a fixed line
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            env=os.environ | _ENVIRONMENT | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(_PROCESSES)
    ]
    try:
        yield Drawers(processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def save(path: Path, pixels: NDArray[np.uint8] | NDArray[np.bool_]) -> None:
    """Write a PNG, packed lightly: noise does not pack, and packing it well takes longer than drawing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint8) * 255)
    image.save(path, "PNG", compress_level=1, compress_type=Z_HUFFMAN_ONLY)


def _tell(process: subprocess.Popen[str], task: list[Any]) -> None:
    to, back = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
    try:
        to.write(json.dumps(task) + "\n")
        to.flush()
        answer = back.readline()
    except OSError:
        answer = ""
    if answer != "\n":
        raise GadError(f"the demo cannot be written: {answer.strip() or 'a drawing process has ended'}; try again")


def _draw(folder: Path, part: str, split: str, kind: str, index: int, how: dict[str, Any]) -> None:
    drawn = photo(part, split, kind, index, **how)
    save(folder / split / kind / f"{index:03}.png", drawn.pixels)
    if drawn.mask is not None:
        save(folder / "ground_truth" / kind / f"{index:03}_mask.png", drawn.mask)


def serve() -> None:
    """Draw what each line of the input asks for, and answer with an empty line or what went wrong."""
    for line in sys.stdin:
        folder, *place = json.loads(line)
        answer = ""
        try:
            _draw(Path(folder), *place)
        except OSError as error:
            answer = f"{error.strerror} ({folder})"
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()
