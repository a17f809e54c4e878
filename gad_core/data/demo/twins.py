"""What a written demo part looks like undamaged, or without its stamp: drawn again, since it follows from its place."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import GOOD
from gad_core.data.demo.photos import PARTS, Photo, photo
from gad_core.data.demo.writing import STAMPED, STAMPED_PART, STAMPS
from gad_core.data.images import decode_mask


def redraw(name: str, path: Path, defect: str, *, seed: int = 0) -> Photo | None:
    """The photo of a part of the demo category `name`, without any stamp, from its file `.../<split>/<type>/<number>`.

    None for a file or a category that is not drawn by its place, as the stamped good parts are.
    """
    part = STAMPED_PART if name == STAMPED else name
    if part not in PARTS or defect not in (GOOD, *PARTS[part].DEFECTS) or not path.stem.isdigit():
        return None
    return photo(part, path.parent.parent.name, defect, int(path.stem), seed=seed)


def stamp_mask(root: Path, path: Path, defect: str) -> NDArray[np.bool_]:
    """The mask (S, S) of the stamp on a test part of the stamped category at `root`.

    Raises `ImageRefused` where the part bears none.
    """
    return decode_mask(root / STAMPS / defect / f"{path.stem}_mask.png")
