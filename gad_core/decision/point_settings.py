"""What a working point is asked for; a detector says so itself once a threshold was adopted for it."""

from dataclasses import dataclass

from gad_core.gaussian.tuning import SUM, Tuning, WorkingPoint

#: Where neither a person nor an adopted threshold says otherwise.
DEFAULT_METHOD = "cross-conformal"
DEFAULT_TARGET_FPR = 0.05


@dataclass(frozen=True)
class PointSettings:
    """A tuning, the score that it is read at ("sum" or a level's number), and the threshold's method and target."""

    tuning: Tuning
    level: str = SUM
    method: str = DEFAULT_METHOD
    target_fpr: float = DEFAULT_TARGET_FPR

    @classmethod
    def of(cls, tuning: Tuning, adopted: WorkingPoint | None) -> "PointSettings":
        """A detector's own: those of its adopted threshold, else its tuning with the defaults."""
        if adopted:
            return cls(tuning, adopted.level, adopted.method, adopted.target_fpr)
        return cls(tuning, own_level(tuning))


def own_level(tuning: Tuning) -> str:
    """The score of a tuning: its sum or what it pools, or its only level, of which Hotelling knows the law."""
    return str(tuning.levels[0]) if len(tuning.levels) == 1 and tuning.pool is None else SUM
