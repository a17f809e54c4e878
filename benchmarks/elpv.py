"""The solar cells of the package `elpv-dataset` as a category in MVTec layout.

    pip install elpv-dataset        # 90 MB, images of 300 x 300 pixels; not needed by anything else here
    python -m benchmarks.elpv FOLDER

FOLDER gets the monocrystalline cells, `good` where the probability of a defect is 0 and `defect` where it is 1. Of the
good ones 80 % are for training: the first in the order of the SHA-256 of their names.

Source: Buerhop-Lutz et al. 2018, A benchmark for visual identification of defective solar cells in electroluminescence
imagery; Deitsch et al. 2019 and 2021.
"""

import hashlib
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

SHARE = 0.8


def cells() -> Path | None:
    """The folder with labels and images; None where the package is not installed."""
    spec = find_spec("elpv_dataset")
    return Path(spec.origin).parent / "data" if spec and spec.origin else None


def write(target: Path, source: Path) -> tuple[int, int, int]:
    """Write the category; return how many good cells are for training and for test, and how many are defective."""
    rows = [line.split() for line in (source / "labels.csv").read_text().splitlines() if line.strip()]
    mono = [(source / path, float(probability)) for path, probability, kind in rows if kind == "mono"]
    good = sorted(
        (path for path, probability in mono if probability == 0),
        key=lambda path: hashlib.sha256(path.stem.encode()).hexdigest(),
    )
    defective = [path for path, probability in mono if probability == 1]
    n_train = round(SHARE * len(good))
    parts: dict[str, Sequence[Path]] = {
        "train/good": good[:n_train],
        "test/good": good[n_train:],
        "test/defect": defective,
    }
    for folder, paths in parts.items():
        (target / folder).mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copy(path, target / folder / path.name)
    return n_train, len(good) - n_train, len(defective)


def main() -> None:
    source = cells()
    if source is None:
        sys.exit("the package elpv-dataset is not installed; run `pip install elpv-dataset`")
    print("{} good cells for training and {} for test, {} defective".format(*write(Path(sys.argv[1]), source)))


if __name__ == "__main__":
    main()
