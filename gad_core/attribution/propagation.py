"""Attributions of any score at any images, by the rules: the references go through it once, each image once."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gad_core.attribution.rules import Call, Explained, Recorded
from gad_core.gaussian.torch_score import Columns, Distances
from gad_core.progress import Progress


def deep_shap(
    scores: Distances | Columns,
    image: Tensor,
    references: Tensor,
    *,
    split: bool = True,
    reference_batch: int | None = None,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """Attributions (L, C, H, W) of `scores` at an image (1, C, H, W), and the scores (1 + R, L) of all images.

    The image comes first, then the references. Without `split` the first axis is 1 and holds the sum over the columns.
    `scores` must treat each row alone; where it gives its columns one by one, each is followed back through what
    leads to it and no further.
    """
    maps, distances = deep_shaps(
        scores, image, references, split=split, reference_batch=reference_batch, progress=progress
    )
    return maps[0], distances[0]


def deep_shaps(
    scores: Distances | Columns,
    images: Tensor,
    references: Tensor,
    *,
    split: bool = True,
    reference_batch: int | None = None,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """Attributions (N, L, C, H, W) at images (N, C, H, W), and the scores (N, 1 + R, L).

    A batch of references goes through once for all images. Progress counts pairs of an image and a reference.
    """
    n = len(references)
    batch = reference_batch or n
    sums: list[Tensor] = []
    own: list[Tensor] = []
    others: list[Tensor] = []
    for start in range(0, n, batch):
        if progress:
            progress(start * len(images), n * len(images))
        part = references[start : start + batch]
        calls, rows = _record(scores, torch.cat([images[:1], part]))
        others.append(rows[1:])
        for i in range(len(images)):
            if progress and i:
                progress(start * len(images) + i * len(part), n * len(images))
            maps, distances = _explain(scores, images[i : i + 1], part, calls, split=split)
            if start:
                sums[i] += maps
            else:
                sums.append(maps)
                own.append(distances)
    if progress:
        progress(n * len(images), n * len(images))
    reference_scores = torch.cat(others)  # (R, L)
    return torch.stack(sums) / n, torch.stack([torch.cat([row, reference_scores]) for row in own])


def _record(scores: Distances | Columns, batch: Tensor) -> tuple[Sequence[Call], Tensor]:
    """Record what the rules want to know of rows 1 and on of a batch (B, C, H, W); and the scores (B, L) of all."""
    with torch.enable_grad(), Recorded(len(batch)) as recorded:
        out = scores(batch.requires_grad_())
    return recorded.calls, torch.stack([column.detach() for column in _columns(out)], dim=1)


def _explain(
    scores: Distances | Columns, image: Tensor, references: Tensor, calls: Sequence[Call], *, split: bool
) -> tuple[Tensor, Tensor]:
    """Attributions (L, C, H, W) against recorded references, summed over them, and the image's scores (1, L)."""
    x = image.expand(len(references), *image.shape[1:]).detach().requires_grad_()
    with torch.enable_grad():
        with Explained(calls, len(x), keep=split) as rules:
            out = scores(x)
        columns = _columns(out)
        groups = [[column] for column in columns] if split else [columns]
        step, maps = image - references, []
        for some in groups:
            last = some[-1] is columns[-1]
            if last:
                rules.finish()
            # One number needs no seeds, for which torch would first import a system of symbolic algebra.
            total = torch.stack([column.sum() for column in some]).sum()
            (multipliers,) = torch.autograd.grad(total, x, retain_graph=not last)
            maps.append((step * multipliers).sum(0))
    return torch.stack(maps), torch.stack([column.detach()[:1] for column in columns], dim=1)


def _columns(out: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """Scores as one tensor a column."""
    return list(out.unbind(1) if isinstance(out, Tensor) else out)
