"""How far a map moves where its image hardly does."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.counterfactuals import Pixels
from gad_core.attribution.deep_shap import attribute_all
from gad_core.features.frozen import Network
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress

#: Grey values by which a pixel moves at most: decoders of one JPEG differ by as much, cameras add more.
RADIUS = 1


@dataclass(frozen=True)
class MaxSensitivity:
    """How far a map moves at most, in parts of its own length, and how far the score moves with it."""

    value: float
    score: float
    noisy_score: float  # mean over the noisy images

    @property
    def moved(self) -> float:
        """By how much noise alone changes the score, in parts of it."""
        return abs(self.noisy_score - self.score) / self.score if self.score else 0.0


def max_sensitivity(
    detector: Detector,
    network: Network,
    pixels: Pixels,
    attribution: Attribution,
    tuning: Tuning,
    *,
    samples: int = 10,
    radius: int = RADIUS,
    seed: int = 0,
    progress: Progress | None = None,
) -> MaxSensitivity:
    """Largest change of a map (3, S, S) under small noise, in parts of its own length: captum's, of Deep SHAP.

    max |map(x + e) - map(x)| / |map(x)| over `samples` of noise e: whole grey values from -radius to radius, each as
    often. What leaves 0..255 is put back, so that each is an image that a camera can give. The references stay. 0: the
    map stays as it is; 1: it changes by as much as it holds; maps of one length that have nothing in common are sqrt(2)
    apart. A detector to which the noise itself is unusual has another distance to explain: that is told beside it.
    Source: Yeh et al. 2019, On the (in)fidelity and sensitivity of explanations.
    """
    from captum.metrics import sensitivity_max  # noqa: PLC0415 - it takes long to import, and only this needs it

    generator, scores = np.random.default_rng(seed), list[float]()
    image = torch.from_numpy(np.asarray(pixels[None])).permute(0, 3, 1, 2).double()

    def perturb(images: Tensor) -> Tensor:
        noise = torch.from_numpy(generator.integers(-radius, radius, size=images.shape, endpoint=True))
        return (images + noise).clamp(0, 255)

    def explain(images: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        if isinstance(images, tuple):  # captum asks for the map of the image itself
            return (torch.from_numpy(attribution.rgb.sum(axis=0))[None],)
        made = attribute_all(
            detector,
            network,
            images.to(torch.uint8).permute(0, 2, 3, 1).numpy(),
            tuning=tuning,
            n_references=len(attribution.references),
            split=False,
            progress=progress,
        )
        scores.extend(one.score for one in made)
        return torch.from_numpy(np.stack([one.rgb.sum(axis=0) for one in made]))

    value = float(sensitivity_max(explain, image, perturb_func=perturb, n_perturb_samples=samples))
    return MaxSensitivity(value, attribution.score, float(np.mean(scores)))
