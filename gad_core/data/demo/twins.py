"""A written demo part undamaged, or without the sign that gives it away: drawn again, as it follows from its place."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import GOOD
from gad_core.data.demo.cheats import CHEATS, Cheat
from gad_core.data.demo.photos import PARTS, Photo, photo
from gad_core.data.images import decode_mask


def honest(name: str, path: Path, defect: str, *, seed: int = 0) -> Photo | None:
    """The photo of a part of the demo category `name`, without its sign, from its file `.../<split>/<type>/<number>`.

    Of a category that does not cheat, it is the very photo on the disk. None for a file or a category that is not drawn
    by its place, as the good parts with a sign are.
    """
    cheat = CHEATS.get(name)
    part = cheat.part if cheat else name
    if part not in PARTS or defect not in (GOOD, *PARTS[part].DEFECTS) or not path.stem.isdigit():
        return None
    how = cheat.how() if cheat else {}
    return photo(part, path.parent.parent.name, defect, int(path.stem), seed=seed, **how)


def mark_mask(cheat: Cheat, root: Path, path: Path, defect: str) -> NDArray[np.bool_]:
    """The mask (S, S) of the mark on a test part of the cheating category at `root`.

    Raises `ImageRefused` where the part bears none.
    """
    return decode_mask(root / cheat.masks / defect / f"{path.stem}_mask.png")
