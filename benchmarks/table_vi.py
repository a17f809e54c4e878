"""Table VI on any data set: target against achieved rates at 1 to 5 sigma, with and without augmented copies.

    python -m benchmarks.table_vi [--passes 20] [FOLDER ...]

Each folder is a category in MVTec layout, whose name says which steps would make an anomaly; without any, the demo's
washer and weave. Level 7 of the default backbone, as in the paper; rates in percent, test images.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from gad_core.data.augment_settings import preset
from gad_core.data.datasets import read_dataset
from gad_core.data.demo import write_demo
from gad_core.decision.evaluation import Projected
from gad_core.decision.sigma_table import SIGMAS, sigma_table
from gad_core.decision.working_point import sigma_fpr
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import Augmented, FitSettings


def report(folder: Path, engine: Engine, passes: int, cache: FeatureCache) -> None:
    dataset = read_dataset(folder)
    tests = extract(dataset.test, engine, cache=cache)
    tables = []
    for augmented in (None, Augmented(preset(folder.name), passes)):
        detector = fit_images(dataset.train, engine, FitSettings(augmented=augmented), cache=cache).detector
        tables.append(sigma_table(Projected.of(detector, tests.features), tests.images.labels))
    print(f"{folder.name}: {len(dataset.train)} good parts, {passes} augmented copies of each behind the bar")
    print(f"{'':12}" + "".join(f"{column.name + ' (FPR TPR | FPR TPR)':>34}" for column in tables[0]))
    for row, n in enumerate(SIGMAS):
        cells = []
        for columns in zip(*tables, strict=True):
            points = [column.rates[row] for column in columns]
            rates = [f"{100 * at.test.value:5.1f} {100 * at.tpr.value:5.1f}" for at in points if at.test and at.tpr]
            cells.append(f"{' | '.join(rates):>34}")
        print(f"{n} s {100 * sigma_fpr(n):8.2g}" + "".join(cells))
    areas = [
        " | ".join(f"{100 * column.auroc.value:.1f}" for column in columns if column.auroc)
        for columns in zip(*tables, strict=True)
    ]
    print(f"{'AUROC':12}" + "".join(f"{area:>34}" for area in areas))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--passes", type=int, default=20)
    arguments = parser.parse_args()
    engine = load_engine(FitSettings().backbone)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folders = arguments.folders or write_demo(scratch / "demo", categories=("washer", "weave"))
        for folder in folders:
            report(folder, engine, arguments.passes, FeatureCache(scratch / "cache"))


if __name__ == "__main__":
    main()
