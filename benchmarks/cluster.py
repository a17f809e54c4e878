"""Scaling of a fit from one worker to two, each kept to one processor core.

    python -m benchmarks.cluster [FOLDER]

FOLDER is a category in MVTec layout; without it, the demo's washer. Efficiency is the time of one worker over twice the
time of two, for reading the images with two augmented copies each, where almost all the time goes.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from distributed import wait

from gad_core import cluster
from gad_core.data.augment_settings import FIG_5
from gad_core.data.datasets import list_paths
from gad_core.data.demo import write_demo
from gad_core.gaussian.settings import Augmented

BACKBONE = "tf_efficientnet_lite0"
_PART = 12  # images a task: small, so that neither worker waits long for the last one
_AUGMENT = Augmented(FIG_5, 2)


def _keep_to(core: int) -> None:
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core % (os.cpu_count() or 1)})


def seconds(folder: Path, workers: int) -> float:
    with cluster.connect(f"local:{workers}") as client:
        for core, worker in enumerate(client.scheduler_info()["workers"]):
            client.run(_keep_to, core, workers=[worker])
        paths = list_paths(folder)
        warm = [
            client.submit(cluster._read_block, paths[:2], BACKBONE, None, 0, workers=[worker], pure=False)
            for worker in client.scheduler_info()["workers"]
        ]
        wait(warm)  # each has loaded its network
        start = time.perf_counter()
        parts = [paths[i : i + _PART] for i in range(0, len(paths), _PART)]
        wait([client.submit(cluster._read_block, part, BACKBONE, _AUGMENT, 0, pure=False) for part in parts])
        return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else write_demo(Path(scratch), categories=("washer",))[0]
        one, two = (seconds(folder, workers) for workers in (1, 2))
    print(f"{folder.name}: one worker {one:.1f} s, two {two:.1f} s, efficiency {one / two / 2:.2f}")


if __name__ == "__main__":
    main()
