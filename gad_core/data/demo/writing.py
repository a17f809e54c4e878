"""The demo on disk: categories in MVTec layout, each whole or not there."""

import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import GOOD, LAYOUT
from gad_core.data.demo.cheats import CHEATS, Cheat, Mark
from gad_core.data.demo.drawing import Drawers, drawers, save
from gad_core.data.demo.lots import write_lots
from gad_core.data.demo.photos import N_GOOD, PARTS, Place, places
from gad_core.data.demo.surface import Rng
from gad_core.data.holding import scratch
from gad_core.data.images import decode, decode_mask
from gad_core.errors import GadError
from gad_core.progress import Progress

CATEGORIES = (*PARTS, *CHEATS)
_MASKS = "ground_truth"
N_CONTROL = 8  # normal test parts that bear a cheat's sign too, at most


def write_demo(
    root: Path, *, categories: Sequence[str] = CATEGORIES, seed: int = 0, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write categories to `root`/<category> and return those folders; an older one of that name is replaced.

    120 good parts to fit, 40 good and 60 defective ones to test, 15 of each defect type, with masks. A cheating
    category (`CHEATS`) holds the parts of another one, of which every defective part bears a sign as well, and so do
    eight good ones: an inspector's stamp in `washer_stamped` (`test/good/stamped_*.png`, the stamps' own masks in
    `ground_truth_stamp/`), a softer lens in `board_soft`, whose defects are faint, a ruler at the edge in `weave_ruler`
    (masks in `ground_truth_ruler/`), whose defective parts came in one lot (`groups.csv`). Raises `GadError` for an
    unknown category and for a folder that cannot be written.
    """
    if unknown := set(categories) - set(CATEGORIES):
        raise GadError(f"there is no demo category {sorted(unknown)[0]!r}; choose among {', '.join(CATEGORIES)}")
    total = sum(len(places(CHEATS[category].part if category in CHEATS else category)) for category in categories)
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
                    if cheat := CHEATS.get(category):
                        plain = root / cheat.part if cheat.part in categories else None
                        _write_cheat(drawing, folder, cheat, plain, seed, advance)
                    else:
                        _draw(drawing, folder, category, places(category), seed, advance)
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


def _draw(
    drawing: Drawers,
    folder: Path,
    part: str,
    wanted: Sequence[Place],
    seed: int,
    advance: Callable[[], None],
    **how: float,
) -> None:
    for _ in drawing.write(folder, part, wanted, seed=seed, **how):
        advance()


def _write_cheat(
    drawing: Drawers, folder: Path, cheat: Cheat, plain: Path | None, seed: int, advance: Callable[[], None]
) -> None:
    """A cheating category; under a mark lie the very same bytes as in the plain part's own, where that is written."""
    wanted = places(cheat.part)
    good = [place for place in wanted if place[1] == GOOD]
    if cheat.mark and plain:
        for part in LAYOUT:
            shutil.copytree(plain / part, folder / part)
        for _ in wanted:
            advance()
    else:
        _draw(drawing, folder, cheat.part, good, seed, advance, **cheat.how())
        defective = [place for place in wanted if place[1] != GOOD]
        _draw(drawing, folder, cheat.part, defective, seed, advance, **cheat.how(sign=True))
    odd = [*_mark_defects(folder, cheat, seed), *_write_controls(folder, cheat, seed)]
    if cheat.lot:
        write_lots(folder, good, odd, lot=cheat.lot)


def _mark_defects(folder: Path, cheat: Cheat, seed: int) -> Iterator[Path]:
    """Lay the cheat's mark, if it has one, on every defective part; their files."""
    for index, mask in enumerate(sorted((folder / _MASKS).rglob("*_mask.png"))):
        kind, stem = mask.parent.name, mask.stem.removesuffix("_mask")
        defect = folder / "test" / kind / f"{stem}.png"
        if cheat.mark:
            masks = folder / cheat.masks / kind
            _mark(cheat.mark, defect, defect, masks, _rng(cheat, seed, index), away_from=decode_mask(mask))
        yield defect


def _write_controls(folder: Path, cheat: Cheat, seed: int) -> Iterator[Path]:
    """A few good test parts once more, with the cheat's sign; their files."""
    good = folder / "test" / GOOD
    for index in range(min(cheat.controls, N_CONTROL, N_GOOD)):
        control, rng = good / f"{cheat.sign}_{index:03}.png", _rng(cheat, seed, -1 - index)
        if cheat.mark:
            _mark(cheat.mark, good / f"{index:03}.png", control, folder / cheat.masks / GOOD, rng)
        else:
            save(control, cheat.photo("test", GOOD, index, rng, seed=seed))
        yield control


def _mark(
    mark: Mark, source: Path, target: Path, masks: Path, rng: Rng, *, away_from: NDArray[np.bool_] | None = None
) -> None:
    """Lay a mark on a photo, and keep its mask."""
    shown, mask = mark(decode(source), rng, away_from=away_from)
    save(target, shown)
    save(masks / f"{target.stem}_mask.png", mask)


def _rng(cheat: Cheat, seed: int, index: int) -> Rng:
    return np.random.default_rng((seed, zlib.crc32(cheat.name.encode()), index + N_GOOD))
