"""Attributions of any score at any images, by the rules: the references go through it once, each image once."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from gad_core.attribution.rules import Call, Explained, Recorded
from gad_core.gaussian.torch_score import Columns, Distances
from gad_core.progress import Progress


def deep_shap(
    scores: Distances | Columns,
    images: Tensor,
    references: Tensor,
    *,
    split: bool = True,
    reference_batch: int | None = None,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """Attributions (N, L, C, H, W) of `scores` at images (N, C, H, W), and the scores (N, 1 + R, L).

    An image's own score comes first, then the references'. Without `split` L is 1 for the attributions, which are those
    of the sum over the columns. `scores` must treat each row alone; where it gives its columns one by one, each is
    followed back through what leads to it and no further. A batch of references goes through once for all images;
    passes go side by side, one a thread of torch's, which takes less time than one pass on all threads. Progress
    counts pairs of an image and a reference.
    """
    n, threads, done = len(references), torch.get_num_threads(), 0

    def tell(pairs: int) -> None:
        nonlocal done
        done += pairs
        if progress:
            progress(done, n * len(images))

    tell(0)
    parts = torch.split(references, reference_batch or n)
    with _side_by_side(min(threads, len(images) * len(parts)), threads) as pool:
        waves = [
            _against(parts[start : start + threads], scores, images, pool, tell, split=split)
            for start in range(0, len(parts), threads)
        ]
    maps, own, others = zip(*waves, strict=True)
    reference_scores = torch.cat(others).expand(len(images), -1, -1)  # (N, R, L)
    return torch.stack(maps).sum(0) / n, torch.cat([own[0], reference_scores], dim=1)


def _against(
    parts: Sequence[Tensor],
    scores: Distances | Columns,
    images: Tensor,
    pool: Executor,
    tell: Callable[[int], None],
    *,
    split: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Attributions (N, L, C, H, W) against batches of references, summed over these; scores (N, 1, L) and (R, L)."""
    recorded = list(pool.map(lambda part: _record(scores, part, images[:1]), parts))
    passes = {
        pool.submit(_explain, scores, image[None], part, calls, split=split): len(part)
        for image in images
        for part, (calls, _) in zip(parts, recorded, strict=True)
    }
    for ended in as_completed(passes):
        ended.result()
        tell(passes[ended])
    maps, own = zip(*(ended.result() for ended in passes), strict=True)
    return (
        torch.stack(maps).view(len(images), len(parts), *maps[0].shape).sum(1),
        torch.stack(own[:: len(parts)]),
        torch.cat([rows for _, rows in recorded]),
    )


@contextmanager
def _side_by_side(workers: int, threads: int) -> Iterator[ThreadPoolExecutor]:
    """Workers that share torch's threads; after an error, what has not begun is dropped."""

    def own_threads() -> None:
        torch.get_num_threads()  # torch says how many at its first call in a thread
        threadpool_limits(threads // workers, "openmp")  # which holds for this thread only

    with ThreadPoolExecutor(workers, thread_name_prefix="gad-passes", initializer=own_threads) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _record(scores: Distances | Columns, references: Tensor, image: Tensor) -> tuple[Sequence[Call], Tensor]:
    """Record what the rules want to know of the references (R, C, H, W); and their scores (R, L).

    One reference alone gets company by an image (1, C, H, W): in one row, a call that mixes rows could not be told.
    """
    batch = references.clone() if len(references) > 1 else torch.cat([image, references])
    with torch.enable_grad(), Recorded(len(batch), keep=len(references)) as recorded:
        out = scores(batch.requires_grad_())
    return recorded.calls, torch.stack([column.detach()[-len(references) :] for column in _columns(out)], dim=1)


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
