"""What an augmented copy may be made of: the steps of Fig. 5 with their probabilities and ranges."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from gad_core.errors import GadError

#: The steps in the order in which they are applied.
Step = Literal["blur", "tone", "colour", "noise", "flip", "quarter_turn", "affine"]
STEPS: tuple[Step, ...] = get_args(Step)

_LARGEST = 1e6  # of degrees and scales: beyond it nothing is meant


@dataclass(frozen=True)
class Augmentation:
    """Probabilities and ranges; a step at probability 0 is left out because it would make an anomaly.

    The defaults are those of Fig. 5 for a category without exclusions.

    Parameters
    ----------
    apply : float
        Probability that a sample passes through the pipeline at all.
    blur : float
        Probability of one of motion blur (weight 2), median (1), box (1).
    tone : float
        Probability of one of CLAHE, sharpen, emboss, brightness with contrast.
    colour : float
        Probability of hue +-10 of 180, saturation +-30, value -10..+20 of 255.
    noise : float
        Probability of Gaussian noise, sigma .01 to .03 of 255, shared by the channels or per channel.
    flip : float
        Probability of an exchange of left and right.
    quarter_turn : float
        Probability of a turn by k x 90 degrees, k from 0 to 3.
    affine : float
        Probability of shift, scale and rotation at once, with a mirrored border.
    shift : float
        Largest shift, in parts of the side, both ways.
    shrink : float
        Scales go from 1 - shrink.
    grow : float
        Scales go to 1 + grow.
    rotation : float
        Largest rotation in degrees, both ways.

    Raises
    ------
    GadError
        For a number outside its range.

    Examples
    --------
    >>> import gad_core as gad
    >>> gentle = gad.Augmentation(rotation=15).without("flip")
    >>> gentle.rotation, gentle.flip
    (15, 0.0)
    """

    apply: float = 0.5
    blur: float = 0.2
    tone: float = 0.3
    colour: float = 0.3
    noise: float = 0.2
    flip: float = 0.5
    quarter_turn: float = 0.5
    affine: float = 0.2
    shift: float = 0.05
    shrink: float = 0.05
    grow: float = 0.1
    rotation: float = 45.0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        for name in ("apply", *STEPS):
            if not 0 <= getattr(self, name) <= 1:
                raise GadError(f"the probability of {name!r} must lie between 0 and 1, got {getattr(self, name)}")
        if not (0 <= self.shift < 1 and 0 <= self.shrink < 1 and self.grow >= 0 and self.rotation >= 0):
            raise GadError(
                "shift and shrink must lie between 0 and 1, grow and rotation must not be negative; change them"
            )

    def without(self, *steps: Step) -> "Augmentation":
        """Leave steps out."""
        return replace(self, **dict.fromkeys(steps, 0.0))

    def alone(self, step: Step) -> "Augmentation":
        """Take that step and no other, always: what a preview shows."""
        return replace(self, **(dict.fromkeys(STEPS, 0.0) | {"apply": 1.0, step: 1.0 if getattr(self, step) else 0.0}))

    def to_json(self) -> dict[str, float]:
        """Plain numbers, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Augmentation":
        """Read them back; raises `GadError` for names that this version does not know, and for what is no number."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise GadError(f"unknown augmentation setting {unknown[0]!r}; update this program to read it")
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
                raise GadError(f"the augmentation setting {name!r} is no number; change it")
        return cls(**values)


FIG_5 = Augmentation()
_UPRIGHT = replace(FIG_5, rotation=15.0)
#: By category of MVTec AD; those that are not named here take `FIG_5`.
PRESETS: Mapping[str, Augmentation] = {
    **dict.fromkeys(("bottle", "cable", "toothbrush", "wood", "zipper"), _UPRIGHT),
    **dict.fromkeys(("metal_nut", "pill", "capsule", "screw"), _UPRIGHT.without("flip")),
    "transistor": _UPRIGHT.without("quarter_turn"),
    "grid": replace(FIG_5, shift=0.0, rotation=0.0, grow=0.0),
}


def preset(category: str) -> Augmentation:
    """Give the settings of Fig. 5 for a category of MVTec AD, or those without exclusions for any other name."""
    return PRESETS.get(category, FIG_5)


def parse_step(name: str) -> Step:
    """Read the name of a step."""
    for step in STEPS:
        if step == name:
            return step
    raise GadError(f"there is no step {name!r}; choose from {', '.join(STEPS)}")
