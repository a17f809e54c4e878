"""The region of interest: which part of every image is inspected, as a mask that is stretched over it."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gad_core.data.images import decode_mask
from gad_core.errors import GadError, ImageRefused

#: Sides of a mask, in pixels; it is stretched over images as they are over the network's input.
SIDE = 224

_BYTES = SIDE * SIDE // 8  # of a mask, unpacked

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RegionOfInterest:
    """The part of every image that is inspected; regions outside it carry no weight.

    Made by `of`, `rectangle`, `polygon` or `read`.

    Parameters
    ----------
    code : str
        Its mask in letters, as JSON holds it.

    Raises
    ------
    GadError
        For a code that is none, and where nothing is left to inspect.

    Examples
    --------
    >>> import gad_core as gad
    >>> half = gad.RegionOfInterest.rectangle(0, 0, 0.5, 1)
    >>> half.mask.shape, float(half.share)
    ((224, 224), 0.5)
    """

    code: str

    def __post_init__(self) -> None:
        """Refuse what is no mask, and an empty one."""
        try:
            unpacking = zlib.decompressobj()  # no further than a mask is long, whatever the code would unpack to
            n_bytes = len(unpacking.decompress(base64.b64decode(self.code, validate=True), _BYTES + 1))
        except (binascii.Error, zlib.error, ValueError) as error:
            raise GadError("the region of interest is damaged; draw it again, or give its mask as a PNG") from error
        if n_bytes != _BYTES or not unpacking.eof:
            raise GadError("the region of interest has another size than masks have here; draw it again")
        if not self.mask.any():
            raise GadError("the region of interest is empty; mark what is to be inspected (white in a mask)")

    @classmethod
    def of(cls, mask: Mask) -> "RegionOfInterest":
        """From a mask (H, W) of any size, true where images are inspected."""
        stretched = Image.fromarray(np.asarray(mask, np.uint8) * 255).resize((SIDE, SIDE), Image.Resampling.BOX)
        packed = np.packbits(np.asarray(stretched) > 127)
        return cls(base64.b64encode(zlib.compress(packed.tobytes(), 9)).decode("ascii"))

    @classmethod
    def rectangle(cls, left: float, top: float, right: float, bottom: float) -> "RegionOfInterest":
        """From its sides, as shares in [0, 1] of the image's width and height, counted from the upper left corner."""
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise GadError("a rectangle needs left < right and top < bottom, as shares of the image from 0 to 1")
        mask = np.zeros((SIDE, SIDE), bool)
        (x0, x1), (y0, y1) = (np.rint(np.multiply(pair, SIDE)).astype(int) for pair in ((left, right), (top, bottom)))
        mask[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = True
        return cls.of(mask)

    @classmethod
    def polygon(cls, *outlines: Sequence[tuple[float, float]]) -> "RegionOfInterest":
        """From one or more outlines: their corners (x, y), as shares in [0, 1] of the image's width and height."""
        canvas = Image.new("L", (4 * SIDE, 4 * SIDE))
        for corners in outlines:
            if len(corners) < 3:
                raise GadError(f"an outline needs at least three corners, got {len(corners)}")
            ImageDraw.Draw(canvas).polygon([(4 * SIDE * x, 4 * SIDE * y) for x, y in corners], fill=255)
        return cls.of(np.asarray(canvas) > 0)

    @classmethod
    def read(cls, data: bytes, *, name: str = "this file") -> "RegionOfInterest":
        """From an image file, such as a PNG: what is neither black nor transparent is inspected."""
        try:
            return cls.of(decode_mask(data))
        except ImageRefused as error:
            raise GadError(
                f"no mask can be read from {name} ({error}); give a PNG that is white where to inspect"
            ) from error

    @cached_property
    def mask(self) -> Mask:
        """True where images are inspected (S, S)."""
        packed = zlib.decompress(base64.b64decode(self.code))
        return np.unpackbits(np.frombuffer(packed, np.uint8)).reshape(SIDE, SIDE).astype(bool)

    @property
    def share(self) -> float:
        """Of the image's area that is inspected."""
        return float(self.mask.mean())

    @property
    def key(self) -> str:
        """A short name, of letters that a path may have."""
        return hashlib.sha256(self.code.encode()).hexdigest()[:12]

    def over(self, size: int) -> Mask:
        """The mask stretched over an image of size x size pixels."""
        at = np.arange(size) * SIDE // size
        return self.mask[np.ix_(at, at)]
