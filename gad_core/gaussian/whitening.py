"""A fitted Gaussian as a layer of a network: after it, the Euclidean length is the Mahalanobis distance (Sec. VI)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from scipy.linalg import cholesky, solve_triangular
from torch import Tensor, nn

from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.spectrum import Gaussian

if TYPE_CHECKING:
    from gad_core.gaussian.detector import Detector

_FORMAT = "gad whitening 1"


class Whitening(nn.Module):
    """A linear map (D, K) of features, after which their Euclidean length is their Mahalanobis distance.

    Made by `of` or `of_detector`. With all components kept it is the inverse Cholesky factor of the shrunk covariance,
    the start that Sec. VI proposes for fine-tuning; otherwise it projects on the kept components and scales them.

    Parameters
    ----------
    mean : ndarray, shape (D,)
        What is subtracted.
    weight : ndarray, shape (D, K)
        What follows.
    facts : dict of str to str, optional
        Where it comes from; kept in its file.
    trainable : bool
        Whether mean and weight are parameters that an optimiser may change.
    dtype : torch.dtype
        Of mean and weight.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> layer = gad.Whitening.of_detector(detector, level=7)
    >>> features = detector.training.features[:, detector.slices[6]]
    >>> white = layer(layer.mean.new_tensor(features))
    >>> white.shape, layer.facts["backbone"]
    (torch.Size([30, 192]), 'tf_efficientnet_lite0')
    """

    mean: Tensor
    weight: Tensor

    def __init__(
        self,
        mean: NDArray[np.floating],
        weight: NDArray[np.floating],
        facts: dict[str, str] | None = None,
        *,
        trainable: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Hold a map that is known."""
        super().__init__()
        self.facts = dict(facts or {})
        for name, value in (("mean", mean), ("weight", weight)):
            tensor = torch.tensor(np.ascontiguousarray(value), dtype=dtype)
            if trainable:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor)

    @classmethod
    def of(
        cls,
        gaussian: Gaussian,
        reduction: Reduction = ALL,
        *,
        facts: dict[str, str] | None = None,
        trainable: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> "Whitening":
        """From a Gaussian after a reduction."""
        weight = inverse_cholesky(gaussian) if reduction.kind == "all" else gaussian.whitening(reduction)
        return cls(gaussian.mean, weight, facts, trainable=trainable, dtype=dtype)

    @classmethod
    def of_detector(
        cls,
        detector: "Detector",
        *,
        level: int,
        reduction: Reduction = ALL,
        trainable: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> "Whitening":
        """From one level of a detector, counted from 1; raises `GadError` for a level that it does not have."""
        if not 1 <= level <= detector.n_levels:
            raise GadError(f"this detector has levels 1 to {detector.n_levels}, got {level}; choose one of them")
        facts = {
            "backbone": detector.backbone,
            "fingerprint": detector.fingerprint,
            "level": str(level),
            "keep": str(reduction),
        }
        return cls.of(detector.gaussians[level - 1], reduction, facts=facts, trainable=trainable, dtype=dtype)

    def forward(self, features: Tensor) -> Tensor:
        """Whiten features (N, D) to (N, K)."""
        return (features - self.mean) @ self.weight

    def save(self, path: str | Path) -> None:
        """Write a safetensors file; raises `GadError` where it cannot be written."""
        tensors = {name: getattr(self, name).detach().cpu().contiguous() for name in ("mean", "weight")}
        target = Path(path)
        part = target.with_name(f".{target.name}.part")
        try:
            part.write_bytes(save(tensors, {"format": _FORMAT, "facts": json.dumps(self.facts)}))
            part.replace(target)
        except OSError as error:
            raise GadError(f"cannot write {target} ({error.strerror}); choose a file that you may write") from error

    @classmethod
    def load(cls, path: str | Path, *, trainable: bool = False) -> "Whitening":
        """Read it back; raises `GadError` for a file that is none, or is damaged."""
        try:
            with safe_open(str(path), framework="pt") as file:
                metadata = file.metadata() or {}
                mean, weight = (file.get_tensor(name) for name in ("mean", "weight"))
                facts: dict[str, Any] = json.loads(metadata["facts"])
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise GadError(f"{path} holds no whitening layer ({error}); save one with Whitening.save") from error
        if metadata.get("format") != _FORMAT or mean.ndim != 1 or weight.shape[:1] != mean.shape or weight.ndim != 2:
            raise GadError(f"{path} holds no whitening layer that this version knows; save one with Whitening.save")
        return cls(mean.numpy(), weight.numpy(), facts, trainable=trainable, dtype=mean.dtype)


def inverse_cholesky(gaussian: Gaussian) -> NDArray[np.float64]:
    """Give the map L^-T (D, D), L L^T being the Ledoit-Wolf covariance in the whole space, null directions included."""
    spectrum, basis = gaussian.spectrum, gaussian.basis
    rho, values = spectrum.whole, spectrum.eigenvalues
    covariance = (basis * ((1 - rho) * values)) @ basis.T
    covariance.flat[:: len(covariance) + 1] += rho * values.sum() / spectrum.n_features
    factor = cholesky(covariance, lower=True)
    return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True).T)
