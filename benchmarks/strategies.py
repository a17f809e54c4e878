"""Whether a planted strategy comes out by itself, and whether an honest data set keeps quiet.

    python -m benchmarks.strategies [SEED ...]

For each seed of the demo: the test images of the stamped washer and of the honest one, explained by the same detector
and clustered without labels. Of the stamped one, the adjusted Rand index between clusters and stamps, and the share of
the stamped parts in one cluster; of the honest one, what goes along with the clusters: label, type, and properties of
the recording drawn at random, at the suggested number of clusters and at two.
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
from gad_core.features.engines import Engine, load_engine
from gad_core.gaussian.fit import fit_images

BACKBONE = "tf_efficientnet_lite0"
REFERENCES = 3
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


def one_seed(seed: int, engine: Engine) -> tuple[float, float, bool, list[str], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        stamped_root, honest_root = sorted(
            write_demo(Path(folder), categories=("washer", "washer_stamped"), seed=seed), reverse=True
        )
        stamped, honest = read_dataset(stamped_root), read_dataset(honest_root)
        detector = fit_images(honest.train, engine).detector  # the same good parts in both
        images = {file.digest: file for file in (*stamped.test, *honest.test)}
        files = ImageSet(tuple(images.values()))
        made = explain_images(detector, engine.network, files, n_references=REFERENCES)
    explained = {one.digest: one for one in made}
    found = clustered(explained, stamped.test)
    truth = np.array([file.anomalous or file.path.name.startswith("stamped") for file in stamped.test])
    index = adjusted_rand_score(truth, found.labels)
    together = np.bincount(found.labels[truth]).max() / truth.sum()
    quiet = clustered(explained, honest.test)
    suggested, forced = (
        surviving(one, honest.test, seed) for one in (quiet, clustered(explained, honest.test, n_clusters=2))
    )
    print(
        f"seed {seed}: stamped {found.suggested} strategies, p {found.p_value:.2f}, adjusted Rand {index:.2f}, "
        f"{100 * together:.0f} % of the stamped parts in one; honest {quiet.suggested}, p {quiet.p_value:.2f}, along "
        f"with it {[*suggested[0], *suggested[1]] or 'nothing'}; "
        f"with two clusters {[*forced[0], *forced[1]] or 'nothing'}",
        flush=True,
    )
    return index, together, quiet.suggested == 1, [*suggested[0], *suggested[1]], forced[1]


def main() -> None:
    seeds = [int(word) for word in sys.argv[1:]] or list(range(20))
    engine = load_engine(BACKBONE)
    index, together, quiet, suggested, forced = zip(*(one_seed(seed, engine) for seed in seeds), strict=True)
    n = len(seeds)
    print(f"stamped: adjusted Rand index at least {min(index):.2f}, together at least {100 * min(together):.0f} %")
    print(f"honest: no structure {sum(quiet)} of {n}; nothing goes along {sum(not one for one in suggested)}")
    print(f"no association of random properties with two clusters: {sum(not one for one in forced)} of {n}")


if __name__ == "__main__":
    main()
