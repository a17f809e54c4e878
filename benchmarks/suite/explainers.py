"""Other explainers of the very score that a detector gives: captum's DeepLiftShap and shap's two for torch."""

import copy
import warnings
from collections.abc import Callable

import numpy as np
import shap
import torch
from captum.attr import DeepLiftShap
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR, nonlinear
from torch import Tensor, nn

from gad_core.features.levels import level_maps, spatial_mean
from gad_core.features.networks import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning

Missing = float  # |sum of the attributions - difference of the scores| / difference
Explainer = Callable[[], Missing]

_SAMPLES = 50  # of shap's expected gradients, each a pass back


class Square(nn.Module):
    """x^2 as a module, which captum can hook."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square()


class Root(nn.Module):
    """The square root as one."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sqrt()


#: Captum's own rule for elementwise functions, for those that it does not know.
MORE_RULES = dict.fromkeys((nn.ReLU6, Square, Root), nonlinear)


class Score(nn.Module):
    """The detector's score (N,) of images (N, 3, S, S), every step of it a module."""

    def __init__(self, network: Network, detector: Detector, tuning: Tuning, *, out_of_place: bool) -> None:
        super().__init__()
        self.backbone, self.levels = network.backbone, tuning.levels
        self.network = copy.deepcopy(network.module)
        if out_of_place:
            for child in self.network.modules():
                if isinstance(child, nn.ReLU6):
                    child.inplace = False  # or a hook would take its output for its input
        self.whiten, self.means = [], []
        for gaussian in (detector.gaussians[level - 1] for level in tuning.levels):
            kept, weights, null_weight = gaussian.spectrum.precision(tuning.reduction, tuning.distance)
            assert not null_weight
            self.whiten.append(torch.from_numpy(gaussian.basis[:, kept] * np.sqrt(weights)))
            self.means.append(torch.from_numpy(gaussian.mean))
        self.squares = nn.ModuleList(Square() for _ in tuning.levels)
        self.roots = nn.ModuleList(Root() for _ in tuning.levels)
        self.requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        maps = level_maps(self.network, self.backbone, pixels)
        total = torch.zeros(len(pixels), dtype=torch.float64)
        steps = zip(self.levels, self.whiten, self.means, self.squares, self.roots, strict=True)
        for level, whiten, mean, square, root in steps:
            z = (spatial_mean(maps[level - 1]).double() - mean) @ whiten
            total = total + root(square(z).sum(1))
        return total


class Column(nn.Module):
    """The same as a column (N, 1), which shap wants."""

    def __init__(self, score: Score) -> None:
        super().__init__()
        self.score = score

    def forward(self, pixels: Tensor) -> Tensor:
        return self.score(pixels)[:, None]


def by_captum(score: Score, image: Tensor, references: Tensor, *, complete: bool) -> Explainer:
    """Captum on image (1, 3, S, S) against references (R, 3, S, S); `complete` with the rules that it lacks."""

    def work() -> Missing:
        if complete:
            SUPPORTED_NON_LINEAR.update(MORE_RULES)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the hooks it sets
                maps = DeepLiftShap(score).attribute(image.clone(), references)
        finally:
            for rule in MORE_RULES:
                SUPPORTED_NON_LINEAR.pop(rule, None)
        return _missing(score, maps.detach(), image, references)

    return work


def by_shap(kind: str, score: Score, image: Tensor, references: Tensor) -> Explainer:
    """shap's `GradientExplainer`, which draws its paths, or its `DeepExplainer`."""

    def work() -> Missing:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the hooks it sets, and what it does not recognise
            if kind == "DeepExplainer":
                maps = shap.DeepExplainer(Column(score), references).shap_values(image.clone(), check_additivity=False)
            else:
                maps = shap.GradientExplainer(Column(score), references).shap_values(image.clone(), nsamples=_SAMPLES)
        return _missing(score, torch.as_tensor(np.asarray(maps)), image, references)

    return work


def _missing(score: Score, maps: Tensor, image: Tensor, references: Tensor) -> Missing:
    with torch.no_grad():
        difference = float(score(image)[0] - score(references).mean())
    return abs(float(maps.double().sum()) - difference) / abs(difference)
