"""A map in few numbers: the means of its areas, and the places that an honest one has no reason to prefer."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]

#: Rows and columns of a reduced map.
SIDE = 14
_CORNER = 0.25  # of the side


def reduced(attribution: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of a map (H, W) over `SIDE` x `SIDE` equal areas."""
    image = Image.fromarray(attribution.astype(np.float32))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)


def border(shape: tuple[int, ...]) -> Mask:
    """A frame (H, W) as wide as a cell of a reduced map."""
    edge_y, edge_x = _from_edges(shape)
    return (edge_y < 1 / SIDE) | (edge_x < 1 / SIDE)


def corners(shape: tuple[int, ...]) -> Mask:
    """Four squares (H, W) of a quarter of the side."""
    edge_y, edge_x = _from_edges(shape)
    return (edge_y < _CORNER) & (edge_x < _CORNER)


def _from_edges(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the middles of pixels lie from the nearer edge, in shares of the height (H, 1) and the width (1, W)."""
    y, x = ((np.arange(size) + 0.5) / size for size in shape)
    return np.minimum(y, 1 - y)[:, None], np.minimum(x, 1 - x)[None, :]
