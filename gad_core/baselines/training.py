"""One training loop for the networks that are compared with: seeded, cancelled by its progress, resumed by epoch.

Everything random is drawn from (seed, epoch), and an epoch ends with one file that holds all there is: a training that
was killed goes on from its last epoch and gives what it would have given.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gad_core.data.augment import Pass
from gad_core.data.augment_settings import Augmentation
from gad_core.data.datasets import ImageSet
from gad_core.data.placing import placed
from gad_core.progress import Progress

State = dict[str, Any]
#: What a checkpoint holds.
_KEPT = {"epoch": int, "best_epoch": int, "best_value": float, "best": dict, "module": dict, "optimiser": dict}


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained: Adam, whole epochs, and how long it may go on without getting better."""

    epochs: int
    batch_size: int
    rate: float = 1e-4  # of Adam
    patience: int | None = None  # epochs without a better validation; None: to the end
    augmentation: Augmentation | None = None
    seed: int = 0


@dataclass(frozen=True)
class Samples:
    """Images at network size, which may occur several times, with what each is to give."""

    pixels: NDArray[np.uint8] = field(repr=False)  # (n, S, S, 3)
    digests: tuple[str, ...]  # of the files, (n,)
    targets: NDArray[np.float32]  # (n,)

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.pixels)

    def __getitem__(self, rows: NDArray[Any]) -> "Samples":
        """Take samples, in that order and as often as they are named; `rows` are numbers or flags."""
        where = np.arange(len(self))[rows]
        return Samples(self.pixels[where], tuple(self.digests[i] for i in where), self.targets[where])


def labelled(images: ImageSet, pixels: NDArray[np.uint8]) -> Samples:
    """Samples whose targets are 1 for defects."""
    return Samples(pixels, images.digests, images.labels.astype(np.float32))


def device() -> torch.device:
    """Where a network is trained: on a GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    module: nn.Module,
    loss: Callable[[nn.Module, Tensor, Tensor], Tensor],
    samples: Samples,
    training: Training,
    *,
    validate: Callable[[nn.Module], float] | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """Train a module in place, to the weights of its best epoch; gives it back in eval mode.

    `loss` takes the module, pixels (N, 3, S, S) in [0, 255] and targets (N,); `validate` says how good the module is,
    higher is better (without it the last epoch counts). With `checkpoint` a file is written after every epoch, from
    which a later call with the same arguments goes on. Progress counts samples; it may raise `Cancelled`.
    """
    place = device()
    channels_innermost: Any = {"memory_format": torch.channels_last}  # EfficientNets train twice as fast so on a CPU
    module.to(place, **channels_innermost)
    optimiser = torch.optim.Adam(module.parameters(), training.rate)
    run = _Run.begin(module, optimiser, checkpoint)
    total = training.epochs * len(samples)
    while not run.ended(training):
        done = run.epoch * len(samples)
        module.train()
        for pixels, targets in _batches(samples, training, run.epoch):
            optimiser.zero_grad()
            torch.autograd.backward(loss(module, pixels.to(place), targets.to(place)))
            optimiser.step()
            done += len(targets)
            if progress:
                progress(done, total)
        module.eval()
        run.close_epoch(module, optimiser, validate(module) if validate else float(run.epoch))
        if checkpoint:
            run.write(checkpoint)
    if progress:
        progress(total, total)
    module.load_state_dict(run.best)
    return module.eval()


@dataclass
class _Run:
    """How far a training has come."""

    epoch: int
    best_epoch: int
    best_value: float
    best: State
    module: State
    optimiser: State

    @classmethod
    def begin(cls, module: nn.Module, optimiser: torch.optim.Optimizer, checkpoint: Path | None) -> "_Run":
        """From the start, or from where a checkpoint says."""
        kept = _read(checkpoint) if checkpoint else None
        if kept is None:
            return cls(0, -1, -math.inf, _copy(module), {}, {})
        fresh = _copy(module)
        run = cls(**kept)
        try:
            module.load_state_dict(run.best)
            module.load_state_dict(run.module)
            optimiser.load_state_dict(run.optimiser)
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError):  # of another network
            module.load_state_dict(fresh)
            return cls.begin(module, optimiser, None)
        return run

    def ended(self, training: Training) -> bool:
        """Whether all epochs are done, or too many without a better one."""
        idle = self.epoch - 1 - self.best_epoch
        return self.epoch >= training.epochs or (training.patience is not None and idle >= training.patience)

    def close_epoch(self, module: nn.Module, optimiser: torch.optim.Optimizer, value: float) -> None:
        """Keep what an epoch has made of the module."""
        self.module, self.optimiser = _copy(module), optimiser.state_dict()
        if value > self.best_value:
            self.best, self.best_value, self.best_epoch = self.module, value, self.epoch
        self.epoch += 1

    def write(self, path: Path) -> None:
        """Write it; a reader never meets half of it."""
        with placed(path) as partial:
            torch.save(self.__dict__, partial)


def _read(path: Path) -> State | None:
    """What a checkpoint holds; None where there is none, or one that a failing disk has damaged."""
    try:
        kept: State = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch answers damage with a dozen kinds of exceptions
        return None
    whole = isinstance(kept, dict) and {name: type(value) for name, value in kept.items()} == _KEPT
    return kept if whole else None


def _copy(module: nn.Module) -> State:
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}


def _batches(samples: Samples, training: Training, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch in random order, each image in a copy of its own where there is augmentation; no batch of one."""
    order = np.random.default_rng([training.seed, epoch]).permutation(len(samples))
    parts = np.array_split(order, max(1, round(len(order) / training.batch_size)))
    for rows in parts:
        yield as_tensor(_augmented(samples, rows, training, epoch)), torch.from_numpy(samples.targets[rows])


def _augmented(samples: Samples, rows: NDArray[np.intp], training: Training, epoch: int) -> NDArray[np.uint8]:
    pixels = samples.pixels[rows]
    if training.augmentation is None:
        return pixels
    # Copies of one image in an epoch differ, so that an image that occurs often does not occur as itself.
    passes = [Pass(training.augmentation, epoch * len(samples) + int(row), training.seed) for row in rows]
    return np.stack([one(samples.digests[row], image) for one, row, image in zip(passes, rows, pixels, strict=True)])


def as_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels (n, S, S, 3) as a network takes them: (n, 3, S, S) in [0, 255], the channels innermost in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)


def seeded_(module: nn.Module, seed: int) -> nn.Module:
    """Draw all weights of a module anew from a seed: He for convolutions and linear layers, ones and zeros elsewhere.

    Torch's own initialisation takes from one generator of the whole process, which other jobs take from as well.
    """
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
    return module


def in_batches(function: Callable[[Tensor], Tensor], pixels: NDArray[np.uint8], size: int = 32) -> NDArray[np.float64]:
    """What a function of (N, 3, S, S) gives for pixels (n, S, S, 3), some at a time: float64."""
    place = device()
    with torch.inference_mode():
        parts = [
            function(as_tensor(pixels[start : start + size]).to(place)).double().cpu().numpy()
            for start in range(0, len(pixels), size)
        ]
    return np.concatenate(parts)


def weight_bytes(module: nn.Module) -> int:
    """What the weights of a module take."""
    return sum(value.numel() * value.element_size() for value in module.state_dict().values())
