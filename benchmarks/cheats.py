"""What the planted cheats of the demo do to a detector, and what finds them out.

    python -m benchmarks.cheats [SEED ...]

For each cheating category: AUROC, and that of the honest twins against the same good parts; the mean explanation score
of its defects and what chance gives. For the soft lens, both areas once more after blurred copies of the normal images
were merged into the fit.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gad_core.attribution.category import explain_category, masked_defects
from gad_core.attribution.counterfactuals import scorer
from gad_core.attribution.reduced import border
from gad_core.data.datasets import Dataset, read_dataset
from gad_core.data.demo import write_demo
from gad_core.data.demo.cheats import CHEATS, LENS, Cheat
from gad_core.data.demo.twins import honest
from gad_core.data.images import resize
from gad_core.data.shifts import Shift
from gad_core.decision.curves import auroc
from gad_core.deployment.merged import merge_copies
from gad_core.deployment.photos import shifted_photos
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.fit import fit_images

BACKBONE = "tf_efficientnet_lite0"
COPIES = [[Shift(kind, sigma) for sigma in (0.4, 0.6, 0.8, 1.2)] for kind in ("blur", "lens")]


def areas(detector: Detector, data: Dataset, cheat: Cheat, engine: Engine, seed: int) -> str:
    """AUROC of a cheating category, without its controls too, and of the honest twins."""
    size, labels = engine.network.backbone.input_size, data.test.labels
    scores = detector.scores(extract(data.test, engine, regions=detector.regions).features)
    controls = np.array([file.path.stem.startswith(f"{cheat.sign}_") for file in data.test])
    photos = [honest(cheat.name, file.path, file.defect, seed=seed) for file in data.test if file.anomalous]
    twins = scorer(detector, engine)(np.stack([resize(photo.pixels, size) for photo in photos if photo]))
    good = scores[~labels & ~controls]
    both = np.concatenate([good, twins])
    values = (
        auroc(scores, labels),
        auroc(scores[~controls], labels[~controls]),
        auroc(both, np.arange(len(both)) >= len(good)),
    )
    cheating, alone, plain = (100 * area.value for area in values)
    return f"AUROC {cheating:.1f} ({alone:.1f} without its controls), honest twins {plain:.1f}"


def merged(detector: Detector, data: Dataset, engine: Engine, shifts: Sequence[Shift]) -> Detector:
    """The detector fitted to copies of its training images under shifts as well."""
    photos = shifted_photos(data.train.files, shifts, engine, regions=detector.regions)
    copies = np.stack([photo.features for photo in photos], axis=1)
    return merge_copies(detector, range(len(data.train)), copies)


def main() -> None:
    engine = load_engine(BACKBONE)
    for seed in [int(text) for text in sys.argv[1:]] or [0]:
        with tempfile.TemporaryDirectory() as scratch:
            for folder, cheat in zip(
                write_demo(Path(scratch), categories=tuple(CHEATS), seed=seed), CHEATS.values(), strict=True
            ):
                data = read_dataset(folder)
                detector = fit_images(data.train, engine).detector
                print(f"seed {seed}, {cheat.name}: {areas(detector, data, cheat, engine, seed)}", flush=True)
                for shifts in COPIES if cheat is LENS else ():
                    again = areas(merged(detector, data, engine, shifts), data, cheat, engine, seed)
                    print(f"  with copies under {', '.join(map(str, shifts))}: {again}", flush=True)
                explained = explain_category(detector, engine.network, masked_defects(data.test))
                summary = explained.summary
                assert summary is not None
                on_border = 100 * np.mean([image.border for image in explained.images if image.border is not None])
                print(
                    f"  explanation score {summary.mean:.1f}, chance {summary.null_mean:.1f} "
                    f"[{summary.null_low:.1f}, {summary.null_high:.1f}]; on the border {on_border:.0f} % "
                    f"(area {100 * border((224, 224)).mean():.0f} %)",
                    flush=True,
                )


if __name__ == "__main__":
    main()
