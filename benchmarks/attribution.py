"""Deep SHAP of one image against captum's DeepLiftShap on the same network: time, peak memory, and what is missing.

    python -m benchmarks.attribution

The default backbone at 224 pixels, the sum of all nine levels, ten references. Captum runs as it comes, and made
complete: every nonlinear step of network and score a module of its own, with its rule for elementwise functions. What
counts are the ratios within one run, since machines are noisy.
"""

import copy
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from captum.attr import DeepLiftShap
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR, nonlinear
from torch import Tensor, nn

from benchmarks import peak
from gad_core.attribution.deep_shap import attribute
from gad_core.data.datasets import read_dataset
from gad_core.data.demo import write_demo
from gad_core.data.groups import k_folds
from gad_core.features.extract import load_pixels
from gad_core.features.frozen import Network
from gad_core.features.levels import level_maps, pooled_levels, spatial_mean
from gad_core.features.networks import load_network
from gad_core.gaussian.detector import Detector, TrainingImages, make_detector
from gad_core.gaussian.levels_fit import fit_levels
from gad_core.gaussian.reduction import NPCA_1
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, all_levels

REPEATS = 3
N_REFERENCES = 10
N_TRAIN = 40

Missing = float  # |sum of the attributions - difference of the scores| / difference


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.square()


class Root(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sqrt()


#: Captum's own rule for elementwise functions, for those that it does not know.
MORE_RULES = dict.fromkeys((nn.ReLU6, Square, Root), nonlinear)


class Score(nn.Module):
    """The detector's score (N,) of images (N, 3, S, S), every step of it a module."""

    def __init__(self, network: Network, detector: Detector, tuning: Tuning, *, complete: bool) -> None:
        super().__init__()
        self.backbone, self.levels = network.backbone, tuning.levels
        self.network = copy.deepcopy(network.module)
        if complete:
            for child in self.network.modules():
                if isinstance(child, nn.ReLU6):
                    child.inplace = False  # or captum would take its output for its input
        self.whiten, self.means = [], []
        for gaussian in (detector.gaussians[level - 1] for level in tuning.levels):
            kept, weights, null_weight = gaussian.spectrum.precision(tuning.reduction, tuning.distance)
            assert not null_weight
            self.whiten.append(torch.from_numpy(gaussian.basis[:, kept] * np.sqrt(weights)))
            self.means.append(torch.from_numpy(gaussian.mean))
        self.squares = nn.ModuleList(Square() for _ in tuning.levels)
        self.roots = nn.ModuleList(Root() for _ in tuning.levels)

    def forward(self, pixels: Tensor) -> Tensor:
        maps = level_maps(self.network, self.backbone, pixels)
        total = torch.zeros(len(pixels), dtype=torch.float64)
        steps = zip(self.levels, self.whiten, self.means, self.squares, self.roots, strict=True)
        for level, whiten, mean, square, root in steps:
            z = (spatial_mean(maps[level - 1]).double() - mean) @ whiten
            total = total + root(square(z).sum(1))
        return total


def by_captum(
    network: Network, detector: Detector, tuning: Tuning, pixels: np.ndarray, *, complete: bool
) -> Callable[[], Missing]:
    score = Score(network, detector, tuning, complete=complete).requires_grad_(False)
    references = attribute(detector, network, pixels, tuning=Tuning((1,)), n_references=N_REFERENCES).references
    image, baselines = (
        torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float()
        for images in (pixels[None], detector.references[list(references)])
    )

    def work() -> Missing:
        if complete:
            SUPPORTED_NON_LINEAR.update(MORE_RULES)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the hooks it sets
                maps = DeepLiftShap(score).attribute(image.clone(), baselines)
        finally:
            for rule in MORE_RULES:
                SUPPORTED_NON_LINEAR.pop(rule, None)
        with torch.no_grad():
            difference = float(score(image)[0] - score(baselines).mean())
        return abs(float(maps.detach().double().sum()) - difference) / abs(difference)

    return work


def prepare() -> dict[str, Callable[[], Missing]]:
    network = load_network("tf_efficientnet_lite0")
    with tempfile.TemporaryDirectory() as root:
        images = np.asarray(
            load_pixels(read_dataset(write_demo(Path(root), categories=("weave",))[0]).train, network.backbone)
        )
    images = images[: N_TRAIN + 1]
    with torch.inference_mode():
        parts = torch.from_numpy(images).permute(0, 3, 1, 2).split(4)
        features = torch.cat([pooled_levels(network.module, network.backbone, part) for part in parts]).numpy()
    training = TrainingImages(features[:N_TRAIN], tuple(map(str, range(N_TRAIN))))
    backbone = network.backbone
    detector = make_detector(
        fit_levels(training.features, backbone.level_slices, k_folds(N_TRAIN, 4, seed=0)),
        backbone,
        FitSettings(backbone=backbone.name, n_folds=4),
        fingerprint=network.fingerprint,
        training=training,
        references=images[:N_TRAIN],
    )
    tuning, pixels = Tuning(all_levels(network.backbone), NPCA_1), images[N_TRAIN].copy()
    pixels[80:120, 80:120] = (250, 240, 20)

    def by_us(split: bool) -> Callable[[], Missing]:
        def work() -> Missing:
            ours = attribute(detector, network, pixels, tuning=tuning, n_references=N_REFERENCES, split=split)
            difference = abs(ours.score - ours.reference_score)
            return ours.gap * max(difference, ours.score) / difference

        return work

    return {
        "ours": by_us(False),
        "ours, a map a level": by_us(True),
        "captum as it comes": by_captum(network, detector, tuning, pixels, complete=False),
        "captum made complete": by_captum(network, detector, tuning, pixels, complete=True),
    }


def main() -> None:
    if sys.argv[1:2] == ["--peak"]:
        prepare()[sys.argv[2]]()
        peak.report()
        return
    sides = prepare()
    times: dict[str, list[float]] = {side: [] for side in sides}
    missing = {}
    for _ in range(REPEATS):  # in turns, so that a busy moment of the machine slows all of them
        for side, work in sides.items():
            start = time.perf_counter()
            missing[side] = work()
            times[side].append(time.perf_counter() - start)
    fastest = min(times["ours"])
    print(f"{'':22} {'seconds':>8} {'ratio':>7} {'missing':>9} {'peak MB':>8}")
    for side in sides:
        best, megabytes = min(times[side]), peak.of_process("benchmarks.attribution", side)
        print(f"{side:22} {best:8.2f} {best / fastest:6.1f}x {missing[side]:9.1e} {megabytes:8.0f}")


if __name__ == "__main__":
    main()
