"""Whether a planted strategy comes out by itself, and whether an honest data set keeps quiet.

    python -m benchmarks.strategies [SEED ...]

For each seed of the demo: the test images of the honest washer, and for the first three seeds of the stamped one too,
explained by the same detector and clustered without labels. Of the stamped one, the adjusted Rand index between
clusters and stamps, and the share of the stamped parts in one cluster; of the honest one, what goes along with the
clusters: label, type, and properties of the recording drawn at random, at the suggested number of clusters and at two.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score

from gad_core.attribution.associations import associations
from gad_core.attribution.category import Explained, explain_images
from gad_core.attribution.strategies import Strategies, find_strategies
from gad_core.data.datasets import ImageSet, read_dataset
from gad_core.data.demo import write_demo
from gad_core.features.engines import load_engine
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings

BACKBONE = "tf_efficientnet_lite0"
REFERENCES = 2
STAMPED = 3  # seeds
PROPERTIES = {"lot": 4, "camera": 2, "shift": 3}


def clustered(explained: dict[str, Explained], images: ImageSet, **options: int) -> Strategies:
    return find_strategies(np.stack([explained[file.digest].cells for file in images]), **options)


def surviving(found: Strategies, images: ImageSet, seed: int) -> tuple[list[str], list[str]]:
    """What goes along with clusters: of label and type, and of properties drawn at random."""
    rng = np.random.default_rng(seed)
    drawn = {name: [str(one) for one in rng.integers(n, size=len(images))] for name, n in PROPERTIES.items()}
    known = {"label": [str(file.anomalous) for file in images], "type": [file.defect for file in images]}
    names = [one.name for one in associations(found.labels, {**known, **drawn}, seed=seed) if one.survives]
    return [name for name in names if name in known], [name for name in names if name in drawn]


def planted(explained: dict[str, Explained], stamped: ImageSet) -> tuple[float, float]:
    """Adjusted Rand index between clusters and stamps, and the share of the stamped parts in one cluster."""
    found = clustered(explained, stamped)
    truth = np.array([file.anomalous or file.path.name.startswith("stamped") for file in stamped])
    index, together = adjusted_rand_score(truth, found.labels), np.bincount(found.labels[truth]).max() / truth.sum()
    print(
        f"  stamped: {found.suggested} strategies, p {found.p_value:.2f}, adjusted Rand {index:.2f}, "
        f"{100 * together:.0f} % of the stamped parts in one",
        flush=True,
    )
    return index, together


def quiet(explained: dict[str, Explained], honest: ImageSet, seed: int) -> tuple[int, list[str], list[str]]:
    """Strategies suggested; what goes along with these, and which random properties with two clusters."""
    found = clustered(explained, honest)
    wanted, drawn = surviving(found, honest, seed)
    wanted_of_two, drawn_of_two = surviving(clustered(explained, honest, n_clusters=2), honest, seed)
    print(
        f"  honest: {found.suggested} strategies, p {found.p_value:.2f}, along with them "
        f"{[*wanted, *drawn] or 'nothing'}; with two clusters {[*wanted_of_two, *drawn_of_two] or 'nothing'}",
        flush=True,
    )
    return found.suggested, [*wanted, *drawn], drawn_of_two


def main() -> None:
    seeds = [int(word) for word in sys.argv[1:]] or list(range(20))
    engine = load_engine(BACKBONE)
    stamps, quiets = [], []
    for seed in seeds:
        print(f"seed {seed}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            names = ("washer", "washer_stamped") if len(stamps) < STAMPED else ("washer",)
            roots = write_demo(Path(folder), categories=names, seed=seed)
            honest, *stamped = (read_dataset(root) for root in roots)
            detector = fit_images(honest.train, engine, FitSettings(n_folds=2)).detector  # the same good parts in both
            files = {file.digest: file for data in (honest, *stamped) for file in data.test}
            images = ImageSet(tuple(files.values()))
            made = explain_images(detector, engine.network, images, n_references=REFERENCES)
        explained = {one.digest: one for one in made}
        stamps += [planted(explained, data.test) for data in stamped]
        quiets.append(quiet(explained, honest.test, seed))
    index, together = np.min(stamps, axis=0)
    print(f"stamped, {len(stamps)} seeds: adjusted Rand at least {index:.2f}, together at least {100 * together:.0f} %")
    n = len(seeds)
    print(f"honest: one strategy in {sum(one == 1 for one, _, _ in quiets)} of {n} seeds; nothing goes along in")
    print(f"{sum(not along for _, along, _ in quiets)}, and no random property with two clusters in ", end="")
    print(f"{sum(not drawn for _, _, drawn in quiets)}")


if __name__ == "__main__":
    main()
