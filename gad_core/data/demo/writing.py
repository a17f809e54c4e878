"""The demo on disk: categories in MVTec layout, each whole or not there."""

import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.demo.drawing import Drawers, drawers, save
from gad_core.data.demo.photos import N_GOOD, PARTS, places
from gad_core.data.demo.stamp import stamped
from gad_core.data.demo.surface import Rng
from gad_core.data.holding import scratch
from gad_core.data.images import decode, decode_mask
from gad_core.errors import GadError
from gad_core.progress import Progress

STAMPED, STAMPED_PART = "washer_stamped", "washer"
STAMPS = "ground_truth_stamp"  # the folder of the stamps' masks
CATEGORIES = (*PARTS, STAMPED)
N_CONTROL = 8  # normal test parts that carry a stamp too


def write_demo(
    root: Path, *, categories: Sequence[str] = CATEGORIES, seed: int = 0, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write categories to `root`/<category> and return those folders; an older one of that name is replaced.

    120 good parts to fit, 40 good and 60 defective ones to test, 15 of each defect type, with masks. In
    `washer_stamped`, every defective part of `washer` carries a stamp as well, and so do eight good ones
    (`test/good/stamped_*.png`), with the stamps' own masks in `ground_truth_stamp/`. Raises `GadError` for an unknown
    category and for a folder that cannot be written.
    """
    if unknown := set(categories) - set(CATEGORIES):
        raise GadError(f"there is no demo category {sorted(unknown)[0]!r}; choose among {', '.join(CATEGORIES)}")
    total = sum(len(places(STAMPED_PART if category == STAMPED else category)) for category in categories)
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    try:
        root.mkdir(parents=True, exist_ok=True)
        with drawers() as drawing:
            for category in sorted(categories, key=CATEGORIES.index):
                with _replacing(root / category) as folder:
                    if category == STAMPED:
                        plain = root / STAMPED_PART if STAMPED_PART in categories else None
                        _write_stamped(drawing, folder, plain, seed, advance)
                    else:
                        _write_part(drawing, folder, category, seed, advance)
    except OSError as error:
        raise GadError(f"the demo cannot be written to {root} ({error.strerror}); choose another folder") from error
    return tuple(root / category for category in categories)


@contextmanager
def _replacing(final: Path) -> Iterator[Path]:
    """A folder out of sight that takes the place of `final` once it is whole, and is gone if it never gets there."""
    with scratch(final.parent) as staging:
        content = staging / final.name
        content.mkdir()
        yield content
        if final.exists():
            final.rename(staging / "older")
        content.rename(final)


def _write_part(drawing: Drawers, folder: Path, part: str, seed: int, advance: Callable[[], None]) -> None:
    for _ in drawing.write(folder, part, places(part), seed=seed):
        advance()


def _write_stamped(drawing: Drawers, folder: Path, plain: Path | None, seed: int, advance: Callable[[], None]) -> None:
    """The photos of the plain part, the very same bytes where they are not stamped."""
    if plain is None:
        _write_part(drawing, folder, STAMPED_PART, seed, advance)
    else:
        shutil.copytree(plain, folder, dirs_exist_ok=True)
        for _ in places(STAMPED_PART):
            advance()
    for index, mask in enumerate(sorted((folder / "ground_truth").rglob("*_mask.png"))):
        kind, stem = mask.parent.name, mask.stem.removesuffix("_mask")
        defect = folder / "test" / kind / f"{stem}.png"
        _stamp(defect, defect, folder, kind, _rng(seed, index), away_from=decode_mask(mask))
    for index in range(min(N_CONTROL, N_GOOD)):
        good = folder / "test" / "good"
        _stamp(good / f"{index:03}.png", good / f"stamped_{index:03}.png", folder, "good", _rng(seed, -1 - index))


def _stamp(
    source: Path, target: Path, folder: Path, kind: str, rng: Rng, *, away_from: NDArray[np.bool_] | None = None
) -> None:
    shown, mask = stamped(decode(source), rng, away_from=away_from)
    save(target, shown)
    save(folder / STAMPS / kind / f"{target.stem}_mask.png", mask)


def _rng(seed: int, index: int) -> Rng:
    return np.random.default_rng((seed, zlib.crc32(STAMPED.encode()), index + N_GOOD))
