"""A fitted Gaussian as a linear layer after which the Mahalanobis distance is the Euclidean norm."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import safetensors
import safetensors.torch
import scipy.linalg
import torch
from torch import Tensor, nn

from gad_core.data.placing import placed
from gad_core.errors import GadError
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.reduction import ALL, Reduction
from gad_core.gaussian.spectrum import NULL_RATIO, Array, Gaussian
from gad_core.gaussian.tuning import Distance, Tuning, parse_distance

_FORMAT = "gad-whitening-1"
_DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class WhiteningFacts:
    """What a whitening was made from; the detector's facts are None for a Gaussian alone."""

    reduction: Reduction = ALL
    distance: Distance = "mahalanobis"
    backbone: str | None = None
    level: int | None = None  # counted from 1
    fingerprint: str | None = None  # of the weights and the preprocessing

    def to_metadata(self) -> dict[str, str]:
        """Strings alone, as safetensors hold them."""
        return {name: str(value) for name, value in (asdict(self) | {"reduction": self.reduction}).items() if value}

    @classmethod
    def from_metadata(cls, values: dict[str, str]) -> Self:
        """Read them back; raises `GadError` or `KeyError` for what `to_metadata` does not write."""
        return cls(
            Reduction.parse(values["reduction"]),
            parse_distance(values["distance"]),
            values.get("backbone"),
            int(values["level"]) if "level" in values else None,
            values.get("fingerprint"),
        )


class Whitening(nn.Module):
    """A linear layer, y = (x - mean) W, after which the distance from a Gaussian is the Euclidean norm.

    With all components W is the transposed inverse of the Cholesky factor of the Ledoit-Wolf covariance in the whole
    space: the normal images' features are white after it, and fine-tuning may start from there (the paper's
    discussion). After PCA or NPCA it has a column for each component kept. `of` makes one from a Gaussian, `of_level`
    from a level of a detector, `load` from a file that `save` has written. The mean stays as it is in any training.

    Parameters
    ----------
    mean : Tensor, shape (D,)
        Centre of the normal images' features.
    weight : Tensor, shape (D, K)
        The linear map W.
    facts : WhiteningFacts
        What it was made from.
    trainable : bool
        Whether W has gradients.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector = gad.load_detector("parts.gad")
    >>> whitening = gad.Whitening.of_level(detector, 7, tuning=gad.Tuning((7,)))
    >>> import torch
    >>> features = torch.from_numpy(detector.training.features[:, detector.slices[6]])
    >>> whitening(features).shape
    torch.Size([30, 192])
    >>> expected = detector.scores(detector.training.features, gad.Tuning((7,)))
    >>> torch.allclose(whitening(features).norm(dim=1), torch.from_numpy(expected))
    True
    >>> whitening.save("level-7.safetensors")
    >>> gad.Whitening.load("level-7.safetensors", fingerprint=detector.fingerprint).facts == whitening.facts
    True
    """

    mean: Tensor

    def __init__(self, mean: Tensor, weight: Tensor, facts: WhiteningFacts, *, trainable: bool = False) -> None:
        """Take the tensors as they are."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.weight = nn.Parameter(weight, requires_grad=trainable)
        self.facts = facts

    @classmethod
    def of(
        cls,
        gaussian: Gaussian,
        *,
        reduction: Reduction = ALL,
        distance: Distance = "mahalanobis",
        dtype: torch.dtype = torch.float64,
        trainable: bool = False,
    ) -> Self:
        """Make one from a Gaussian; its norm is the distance of `Spectrum.distances`.

        Raises `GadError` where the covariance is singular, and for a dtype other than float32 and float64.
        """
        _check_dtype(dtype)
        whole = reduction.kind == "all" and distance == "mahalanobis"
        linear = _inverse_cholesky(gaussian) if whole else gaussian.whitening(reduction, distance)
        mean, weight = torch.tensor(gaussian.mean, dtype=dtype), torch.tensor(linear, dtype=dtype).contiguous()
        return cls(mean, weight, WhiteningFacts(reduction, distance), trainable=trainable)

    @classmethod
    def of_level(
        cls,
        detector: Detector,
        level: int,
        *,
        tuning: Tuning | None = None,
        dtype: torch.dtype = torch.float64,
        trainable: bool = False,
    ) -> Self:
        """Make one from a detector's Gaussian of the whole image at a level, counted from 1.

        The tuning (default: the detector's own) says reduction and distance. It takes the level's features,
        `features[:, detector.slices[level - 1]]`. Raises as `of` does, and for a level that the detector does not have.
        """
        if not 1 <= level <= detector.n_levels:
            raise GadError(f"this detector has no level {level}; choose one of 1 to {detector.n_levels}")
        tuning, gaussian = tuning or detector.tuning, detector.gaussians[level - 1]
        whitening = cls.of(
            gaussian, reduction=tuning.reduction, distance=tuning.distance, dtype=dtype, trainable=trainable
        )
        whitening.facts = replace(
            whitening.facts, backbone=detector.backbone, level=level, fingerprint=detector.fingerprint
        )
        return whitening

    def forward(self, features: Tensor) -> Tensor:
        """Whiten features (.., D): (.., K), in the layer's own dtype; raises `GadError` for another D."""
        if features.shape[-1] != len(self.mean):
            where = f"level {self.facts.level}" if self.facts.level else "the Gaussian"
            raise GadError(
                f"{where} has {len(self.mean)} features, got {features.shape[-1]}; take the columns that belong to it"
            )
        return (features.to(self.mean.dtype) - self.mean) @ self.weight

    def save(self, path: str | Path) -> None:
        """Write one file without pickle; raises `GadError` where the folder cannot be written."""
        _check_dtype(self.weight.dtype)
        tensors = {"mean": self.mean.cpu().contiguous(), "weight": self.weight.detach().cpu().contiguous()}
        metadata = self.facts.to_metadata() | {"format": _FORMAT, "sha256": _digest(tensors)}
        with placed(Path(path)) as temporary:
            temporary.write_bytes(safetensors.torch.save(tensors, metadata))

    @classmethod
    def load(cls, path: str | Path, *, fingerprint: str | None = None, trainable: bool = False) -> Self:
        """Read one back that gives the same bits, in the dtype in which it was saved.

        With `fingerprint`, that of the network whose features it is to whiten, a file that was made for other weights
        is refused. Raises `GadError` for this, and for a missing, foreign or damaged file.
        """
        path = Path(path)
        tensors, facts = _read(path)
        if fingerprint and facts.fingerprint != fingerprint:
            made_for = facts.fingerprint[:8] if facts.fingerprint else "none that it names"
            raise GadError(
                f"{path.name} was made for other weights ({made_for}) than those given ({fingerprint[:8]}); choose the "
                "file that belongs to them, or make it again from the detector"
            )
        return cls(tensors["mean"], tensors["weight"], facts, trainable=trainable)

    def extra_repr(self) -> str:
        """Say what it takes, what it gives and where it comes from."""
        known = {name: value for name, value in self.facts.to_metadata().items() if name != "fingerprint"}
        return f"{len(self.mean)}, {self.weight.shape[1]}, " + ", ".join(f"{k}={v}" for k, v in known.items())


def _inverse_cholesky(gaussian: Gaussian) -> Array:
    """W = L^-T (D, D), upper triangular, for the Ledoit-Wolf covariance L L^T in the whole R^D."""
    spectrum, basis = gaussian.spectrum, gaussian.basis
    floor = spectrum.whole * spectrum.eigenvalues.mean()
    if spectrum.n_null and floor <= NULL_RATIO * spectrum.eigenvalues[0]:  # two images: rho is 0 there
        raise GadError(
            f"the covariance of {spectrum.n} images is singular, and Ledoit-Wolf does not shrink it; add normal images"
        )
    _, weights, null_weight = spectrum.precision(ALL)
    covariance = (basis / weights) @ basis.T
    if null_weight:
        covariance += (np.eye(len(basis)) - basis @ basis.T) / null_weight
    # The shrinkage bounds the condition: forming the covariance costs no digits that the distances would show.
    factor = scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
    return np.asarray(scipy.linalg.solve_triangular(factor, np.eye(len(basis)), lower=True, check_finite=False).T)


def _check_dtype(dtype: torch.dtype) -> None:
    if dtype not in _DTYPES:
        raise GadError(f"a whitening is float32 or float64, got {dtype}; choose torch.float32 or torch.float64")


def _digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over the values: safetensors themselves notice a missing byte, but not a changed one."""
    digest = hashlib.sha256()
    for name in ("mean", "weight"):
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Tensor], WhiteningFacts]:
    """Tensors and facts of a file; whatever is wrong with it comes out in words."""
    if not path.is_file():
        raise GadError(f"there is no whitening file {path}; check the path, or make one from a detector first")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (safetensors.SafetensorError, OSError) as error:
        raise _unusable(path, "is damaged or no safetensors file") from error
    if metadata.get("format") != _FORMAT:
        raise _unusable(path, "is no whitening")
    if set(tensors) != {"mean", "weight"} or {one.dtype for one in tensors.values()} - set(_DTYPES):
        raise _unusable(path, "does not hold a mean and a weight in float32 or float64")
    mean, weight = tensors["mean"], tensors["weight"]
    if mean.ndim != 1 or weight.ndim != 2 or len(mean) != len(weight) or mean.dtype != weight.dtype:
        shapes = f"{tuple(mean.shape)} and {tuple(weight.shape)}"
        raise _unusable(path, f"has a mean and a weight of shapes {shapes} that do not fit together")
    if metadata.get("sha256") != _digest(tensors):
        raise _unusable(path, "is damaged")
    try:
        return tensors, WhiteningFacts.from_metadata(metadata)
    except (GadError, KeyError, ValueError) as error:
        raise _unusable(path, "does not say what it was made from") from error


def _unusable(path: Path, what: str) -> GadError:
    return GadError(f"{path.name} {what}; copy it again from where it came, or make it again from the detector")
