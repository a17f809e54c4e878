"""How an experiment is run: networks, folds, and a scale for what must be trained."""

from dataclasses import asdict, dataclass
from typing import Any

import torch

from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES
from gad_core.features.registry import get_backbone


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How long, in what steps and at what size a network is trained."""

    epochs: int
    batch_size: int
    rate: float
    patience: int | None
    folds: int  # of the five, for how many it is trained
    size: int | None = None  # of the images; None: the network's own


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What costs hours, at the paper's size or at one that two processor cores manage."""

    name: str
    passes: int  # augmented copies of each image
    classifier: Learning
    autoencoder: Learning
    explained: int | None  # images of a category that are explained; None: all with a mask
    n_references: int = 10


PAPER = Scale(
    name="paper",
    passes=100,
    classifier=Learning(epochs=50, batch_size=16, rate=1e-4, patience=3, folds=5),
    autoencoder=Learning(epochs=100, batch_size=64, rate=1e-4, patience=None, folds=5, size=224),
    explained=None,
)
SMALL = Scale(
    name="small",
    passes=10,
    classifier=Learning(epochs=4, batch_size=16, rate=3e-4, patience=None, folds=1),
    autoencoder=Learning(epochs=10, batch_size=16, rate=1e-3, patience=None, folds=2, size=64),
    explained=12,
    n_references=5,
)


@dataclass(frozen=True, kw_only=True)
class PaperSettings:
    """What all tables are made with.

    Parameters
    ----------
    backbones : tuple of str
        Networks; where a table has but one, it is the first.
    scale : Scale
        Of what is trained, augmented or explained.
    folds : int
        Into which the normal training images are dealt.
    seed : int
        Of everything random.

    Raises
    ------
    GadError
        Without a backbone, for an unknown one, and for less than two folds.

    Examples
    --------
    >>> import gad_core as gad
    >>> gad.PaperSettings(folds=3).scale.name
    'small'
    """

    backbones: tuple[str, ...] = (BACKBONES[0].name,)
    scale: Scale = SMALL
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if not self.backbones:
            raise GadError("the tables need at least one backbone; name one, such as tf_efficientnet_lite0")
        if self.folds < 2:
            raise GadError(f"the normal images are dealt into at least 2 folds, got {self.folds}")
        for name in self.backbones:
            get_backbone(name)

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)


def choose_scale(name: str) -> Scale:
    """Give the scale of that name; `auto` is the paper's where there is a GPU."""
    scales = {"paper": PAPER, "small": SMALL, "auto": PAPER if torch.cuda.is_available() else SMALL}
    if name not in scales:
        raise GadError(f"{name!r} is no scale; choose one of {', '.join(scales)}")
    return scales[name]
