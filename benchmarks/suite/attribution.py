"""Deep SHAP of one image against captum and shap on the same network: time, peak memory, and what is missing.

The default backbone at 224 pixels, the sum of all nine levels, ten references.
"""

import sys

import numpy as np
import torch

from benchmarks import peak
from benchmarks.suite.explainers import Explainer, Missing, Score, by_captum, by_shap
from benchmarks.suite.rows import Row, alone, faster, not_measured
from benchmarks.suite.turns import in_turns, once
from gad_core.attribution.deep_shap import attribute
from gad_core.data.demo import photo
from gad_core.data.groups import k_folds
from gad_core.data.images import resize
from gad_core.features.backbones import BACKBONES
from gad_core.features.levels import pooled_levels
from gad_core.features.networks import load_network
from gad_core.gaussian.detector import TrainingImages, make_detector
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.reduction import NPCA_1
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, all_levels

N_REFERENCES = 10
_N_TRAIN = 40
_TARGETS = {"captum made complete": 6.0, "captum as it comes": 1.8}
_OURS, _SPLIT = "ours", "ours with a map for every level"


def rows(*, quick: bool = False) -> list[Row]:
    """A line a rival; ours may be missing nothing, or its time would say nothing."""
    sides, refused = _usable(explainers(n_references=2 if quick else N_REFERENCES))
    missing: dict[str, list[Missing]] = {name: [] for name in sides}
    works = {name: lambda name=name: missing[name].append(sides[name]()) for name in sides}
    seconds = in_turns(works, 1 if quick else 5)
    assert max(missing[_OURS] + missing[_SPLIT]) < 1e-3
    found = []
    for name in sides:
        if name == _OURS:
            continue
        gap = f"its sum misses {100 * np.median(missing[name]):.2g} % of the score's difference"
        row = faster(f"one map against {name}", seconds[_OURS], seconds[name], note=gap)
        found.append(row.aiming(_TARGETS[name]) if name in _TARGETS else row)
    found += [not_measured(f"one map against {name}", why) for name, why in refused.items()]
    memory = [] if quick else [_memory(name) for name in sides]
    return found + memory


def _usable(sides: dict[str, Explainer]) -> tuple[dict[str, Explainer], dict[str, str]]:
    """Those that give anything, and of the others what they raise."""
    usable, refused = {}, {}
    for name, work in sides.items():
        try:
            once(work)
        except Exception as error:
            refused[name] = f"it raises {type(error).__name__}: {(str(error).splitlines() or ['without a word'])[0]}"
        else:
            usable[name] = work
    return usable, refused


def _memory(name: str) -> Row:
    return alone(f"peak memory of a process with {name}", [peak.of_process(__name__, name)], unit="MB")


def explainers(*, n_references: int) -> dict[str, Explainer]:
    """Every side, ready to go: each call explains the image and says what its sum misses."""
    network = load_network(BACKBONES[0].name)
    backbone = network.backbone
    images = np.stack(
        [resize(photo("weave", "train", "good", i).pixels, backbone.input_size) for i in range(_N_TRAIN + 1)]
    )
    with torch.inference_mode():
        parts = torch.from_numpy(images).permute(0, 3, 1, 2).split(4)
        features = torch.cat([pooled_levels(network.module, backbone, part) for part in parts]).numpy()
    training = TrainingImages(features[:_N_TRAIN], tuple(map(str, range(_N_TRAIN))))
    detector = make_detector(
        fit_levels(training.features, backbone.level_slices, k_folds(_N_TRAIN, 4, seed=0)),
        backbone,
        FitSettings(backbone=backbone.name, n_folds=4),
        fingerprint=network.fingerprint,
        training=training,
        references=images[:_N_TRAIN],
    )
    tuning, pixels = Tuning(all_levels(backbone), NPCA_1), images[_N_TRAIN].copy()
    pixels[80:120, 80:120] = (250, 240, 20)

    def by_us(split: bool) -> Explainer:
        def work() -> Missing:
            ours = attribute(detector, network, pixels, tuning=tuning, n_references=n_references, split=split)
            difference = abs(ours.score - ours.reference_score)
            return ours.gap * max(difference, ours.score) / difference

        return work

    chosen = list(attribute(detector, network, pixels, tuning=Tuning((1,)), n_references=n_references).references)
    image, references = (
        torch.from_numpy(np.ascontiguousarray(stack)).permute(0, 3, 1, 2).float()
        for stack in (pixels[None], images[chosen])
    )

    def score(*, out_of_place: bool) -> Score:
        return Score(network, detector, tuning, out_of_place=out_of_place)

    return {
        _OURS: by_us(False),
        _SPLIT: by_us(True),
        "captum as it comes": by_captum(score(out_of_place=False), image, references, complete=False),
        "captum made complete": by_captum(score(out_of_place=True), image, references, complete=True),
        "shap's DeepExplainer": by_shap("DeepExplainer", score(out_of_place=True), image, references),
        "shap's GradientExplainer": by_shap("GradientExplainer", score(out_of_place=True), image, references),
    }


if __name__ == "__main__":
    explainers(n_references=N_REFERENCES)[sys.argv[2]]()
    peak.report()
