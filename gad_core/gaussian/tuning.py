"""What a person tunes on a fitted detector without fitting it again: levels, components kept, distance."""

import re
from dataclasses import dataclass

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.gaussian.reduction import ALL, NPCA_1, NPCA_5, Reduction
from gad_core.gaussian.spectrum import DISTANCES, Distance


@dataclass(frozen=True)
class Tuning:
    """The levels whose distances are summed (1-based, eq. 4), the components kept on each, and the distance."""

    levels: tuple[int, ...]
    reduction: Reduction = ALL
    distance: Distance = "mahalanobis"


def recommended(backbone: Backbone) -> Tuning:
    """The default: levels 6-8 after NPCA 5 % on EfficientNets, the paper's NPCA 1 % of all levels elsewhere."""
    if backbone.family == "efficientnet":
        return Tuning((6, 7, 8), NPCA_5)
    return Tuning(all_levels(backbone), NPCA_1)


def presets(backbone: Backbone) -> dict[str, Tuning]:
    """Named starting points: the recommended one and the paper's two (Sec. IV-B)."""
    levels = all_levels(backbone)
    return {
        "Recommended": recommended(backbone),
        "Paper, all levels": Tuning(levels, ALL),
        "Paper, NPCA 1 %": Tuning(levels, NPCA_1),
    }


def all_levels(backbone: Backbone) -> tuple[int, ...]:
    """Every level of the backbone, 1-based."""
    return tuple(range(1, len(backbone.channels) + 1))


def parse_levels(text: str, n_levels: int) -> tuple[int, ...]:
    """Read "7", "6-8", "1,5-7" or "all" into rising level numbers; raise `GadError` for what is not a level."""
    if text.strip().lower() == "all":
        return tuple(range(1, n_levels + 1))
    levels: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= n_levels:
            known = f'this backbone has levels 1 to {n_levels}; write "7", "6-8", "1,5-7" or "all"'
            raise GadError(f"{part.strip()!r} in {text!r} is no level; {known}")
        levels.update(range(first, last + 1))
    return tuple(sorted(levels))


def parse_distance(text: str) -> Distance:
    """Read a distance by its name."""
    for score in DISTANCES:
        if text.strip().lower() == score:
            return score
    raise GadError(f"{text!r} is no distance; choose one of {', '.join(DISTANCES)}")
