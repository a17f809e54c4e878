"""What the driver of a cluster takes for n images: its own time and its peak memory, with the workers simulated.

    python -m benchmarks.driver 10000 100000 1000000

The very `fit_on` runs over blocks whose features are drawn from a seed whenever a worker would look at them, and
whatever would lie on a worker is forgotten as soon as nothing needs it. For moments and shrinkage a worker looks at 16
images of each block, which stand for all of its fold there: what it sends has the same size. Time is what passes
outside the workers' calls. Each n has a process of its own; its peak holds the one block that is just being looked at
too. With `--sample 0` all images are scored left out, as before there was a sample.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core import cluster
from gad_core.data.datasets import ImageFile, Refusal
from gad_core.features.registry import get_backbone
from gad_core.gaussian import copies
from gad_core.gaussian.levels import Rows
from gad_core.gaussian.moments import Array, Moments
from gad_core.gaussian.settings import FitSettings

BACKBONE = "tf_efficientnet_lite0"
LOOKED_AT = 16
N_FEATURES = get_backbone(BACKBONE).n_features


class Later:
    """A call on a worker, made when its result is first asked for, which lives as long as somebody holds it."""

    def __init__(self, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.work, self.args = work, args
        self.known: list[Any] = []


class Workers:
    """A cluster's client for whom every call is made in this process, and timed."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def submit(self, work: Callable[..., Any], *args: Any, **_: Any) -> Later:
        return Later(_SHORTER.get(work, work), args)

    def gather(self, results: Any) -> Any:
        if not isinstance(results, Later):
            return [self.gather(one) for one in results]
        if not results.known:
            args = [self.gather(arg) if isinstance(arg, Later) else arg for arg in results.args]
            results.args = ()  # what nobody else holds goes
            start = time.perf_counter()
            results.known.append(results.work(*args))
            self.seconds += time.perf_counter() - start
        return results.known[0]


@dataclass
class Block:
    """Images that are drawn from a seed whenever somebody looks; the last block that was looked at stays."""

    seed: int
    files: tuple[ImageFile, ...]
    refused: tuple[Refusal, ...] = ()

    @property
    def features(self) -> NDArray[np.float32]:
        if _last["seed"] != self.seed:
            rng = np.random.default_rng(self.seed)
            _last.update(seed=self.seed, features=rng.random((len(self.files), N_FEATURES), np.float32))
        return _last["features"]

    def samples(self, rows: Rows, part: slice) -> Iterator[NDArray[np.float32]]:
        yield self.features[rows, part]


def moments(block: Block, rows: Rows, shift: Array, parts: Sequence[slice]) -> list[Moments]:
    few = rows[:LOOKED_AT]
    share = len(rows) / len(few)
    return [
        replace(
            one,
            n=len(rows),
            first=share * one.first,
            second=share * one.second,
            third=share * one.third,
            fourth=share * one.fourth,
        )
        for one in copies._moments(block, few, shift, parts)
    ]


def fourths(block: Block, rows: Rows, bases: Any, parts: Sequence[slice]) -> list[tuple[Array, Array]]:
    few = rows[:LOOKED_AT]
    share = len(rows) / len(few)
    return [(share * head, share * tail) for head, tail in copies._fourths(block, few, bases, parts)]


_SHORTER: dict[Callable[..., Any], Callable[..., Any]] = {copies._moments: moments, copies._fourths: fourths}
_last: dict[str, Any] = {"seed": None}


def read_block(paths: tuple[Path, ...], _: FitSettings) -> Block:
    """What a worker would have read."""
    files = tuple(ImageFile(path, f"{int(path.stem):064x}") for path in paths)
    return Block(int(paths[0].stem), files)


class Driver:
    """One fit, measured."""

    def __init__(self, n: int, sample: int) -> None:
        self.n, self.sample = n, sample or n
        self.workers = Workers()

    @cached_property
    def paths(self) -> list[Path]:
        return [Path(f"/images/{index}.png") for index in range(self.n)]

    def run(self) -> None:
        cluster._read_block = read_block  # type: ignore[assignment]
        cluster._engine(BACKBONE)  # libraries and network are there before
        paths, before = self.paths, _peak()
        start = time.perf_counter()
        settings = FitSettings(backbone=BACKBONE, regions=None, n_references=0)
        client: Any = self.workers
        detector = cluster.fit_on(client, paths, settings, left_out_sample=self.sample).detector
        own = time.perf_counter() - start - self.workers.seconds
        fitted = _peak()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "parts.gad"
            start = time.perf_counter()
            detector.save(path)
            saving, size = time.perf_counter() - start, path.stat().st_size
        print(
            f"{self.n:>9,} {detector.n_left_out:>9,} {own:>8.1f} {saving:>8.1f} {self.workers.seconds:>9.1f} "
            f"{before / 1e9:>8.2f} {fitted / 1e9:>8.2f} {_peak() / 1e9:>8.2f} {size / 1e9:>8.3f}",
            flush=True,
        )


def _peak() -> float:
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--sample", type=int, default=cluster.LEFT_OUT_SAMPLE)
    parser.add_argument("--alone", action="store_true", help="one n, in this process")
    asked = parser.parse_args()
    if asked.alone:
        Driver(asked.n[0], asked.sample).run()
        return
    print("   images  left out   driver     save   workers    start   fitted     peak     file   (s, GB)", flush=True)
    rows = []
    for n in asked.n:
        command = [sys.executable, "-m", "benchmarks.driver", str(n), "--sample", str(asked.sample), "--alone"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ourselves
        print(told, end="", flush=True)
        rows.append([float(word.replace(",", "")) for word in told.split()])
    if len(rows) > 1:
        found = np.log(np.array(rows))
        for name, column in (("driver's time", 2), ("peak memory", 7)):
            print(f"{name} grows with n to the power of {np.polyfit(found[:, 0], found[:, column], 1)[0]:.2f}")


if __name__ == "__main__":
    main()
