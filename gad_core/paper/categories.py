"""The data sets of an experiment: a category in MVTec layout or a folder of them; what the paper knows of them."""

from collections.abc import Mapping
from pathlib import Path

from gad_core.data.datasets import Dataset, read_dataset
from gad_core.errors import GadError
from gad_core.progress import Progress, Stages

#: The type that is itself made of several, and is left out where types are told apart.
COMBINED = "combined"

#: The smallest defect of each category of MVTec AD, as a share of the image (Sec. IV-B).
SMALLEST: Mapping[str, float] = {
    "bottle": 0.005757,
    "cable": 0.001436,
    "capsule": 0.000371,
    "carpet": 0.001499,
    "grid": 0.000715,
    "hazelnut": 0.002329,
    "leather": 0.000858,
    "metal_nut": 0.001196,
    "pill": 0.000317,
    "screw": 0.000660,
    "tile": 0.008421,
    "toothbrush": 0.001411,
    "transistor": 0.002237,
    "wood": 0.001072,
    "zipper": 0.001592,
}

#: The defect type of each category of MVTec AD that looks least like the others (Table XII).
HELD_OUT: Mapping[str, str] = {
    "bottle": "contamination",
    "cable": "missing_cable",
    "capsule": "poke",
    "carpet": "hole",
    "grid": "glue",
    "hazelnut": "cut",
    "leather": "glue",
    "metal_nut": "flip",
    "pill": "scratch",
    "screw": "manipulated_front",
    "tile": "rough",
    "transistor": "misplaced",
    "wood": "liquid",
    "zipper": "rough",
}


def read_categories(root: Path, *, progress: Progress | None = None) -> tuple[Dataset, ...]:
    """Read the category at `root`, or each one in that folder by name.

    Raises `GadError` where there is none, and for a category without normal or without defective test images.
    """
    if (root / "train").is_dir():
        folders = [root]
    elif root.is_dir():
        folders = sorted(child for child in root.iterdir() if (child / "train" / "good").is_dir())
    else:
        raise GadError(f"there is no folder {root}; give a category in MVTec layout, or a folder of such categories")
    if not folders:
        raise GadError(f"{root} holds no category; give a folder with train/good and test/, or one that holds such")
    stages = Stages(progress, [1] * len(folders))
    found = tuple(read_dataset(folder, need_test=True, progress=stages(place)) for place, folder in enumerate(folders))
    for dataset in found:
        n_anomalous = int(dataset.test.labels.sum())
        if not 0 < n_anomalous < len(dataset.test):
            missing = f"test/good in {dataset.root}" if n_anomalous else f"test/<type of defect> in {dataset.root}"
            raise GadError(f"the paper's tables need test images of both kinds; put some into {missing}")
    return found
