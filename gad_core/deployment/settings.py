"""Which shifts are tried, on how many images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gad_core.data.rendering import Kind
from gad_core.data.shifts import KINDS, Shift, steps
from gad_core.errors import GadError

#: One way of resizing stands for the four.
USUAL: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind not in ("nearest", "bicubic", "lanczos"))


@dataclass(frozen=True, kw_only=True)
class ShiftSettings:
    """What a study of deployment shift tries.

    Parameters
    ----------
    kinds : tuple of str
        Of those of `Shift`; each in its graded steps.
    n_normals : int
        How many of the detector's normal images are taken, evenly; at least two.
    n_test : int
        How many test images are taken, evenly, half of them normal where there are as many.

    Raises
    ------
    GadError
        For a kind that does not exist, for none, and for too few images.

    Examples
    --------
    >>> import gad_core as gad
    >>> [str(shift) for shift in gad.ShiftSettings(kinds=("jpeg",)).shifts]
    ['JPEG 95', 'JPEG 85', 'JPEG 70', 'JPEG 50', 'JPEG 30']
    """

    kinds: tuple[Kind, ...] = USUAL
    n_normals: int = 60
    n_test: int = 60

    def __post_init__(self) -> None:
        """Refuse what cannot be tried."""
        if not self.kinds:
            raise GadError(f"choose at least one kind of shift ({', '.join(KINDS)})")
        for kind in self.kinds:
            if kind not in KINDS:
                raise GadError(f"there is no shift {kind!r}; choose from {', '.join(KINDS)}")
        if self.n_normals < 2 or self.n_test < 0:
            raise GadError(
                f"a study needs at least 2 normal images and no negative number of test images, got {self.n_normals} "
                f"and {self.n_test}"
            )

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """Every step of every kind."""
        return tuple(shift for kind in dict.fromkeys(self.kinds) for shift in steps(kind))

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them."""
        return {"kinds": list(self.kinds), "n_normals": self.n_normals, "n_test": self.n_test}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ShiftSettings":
        """Read them back."""
        return cls(kinds=tuple(values["kinds"]), n_normals=values["n_normals"], n_test=values["n_test"])
