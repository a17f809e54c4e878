"""What a sink gets of an image, whoever has judged it: service, watched folder or command line."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from gad_core.decision.verdict import Outcome


@dataclass(frozen=True)
class Result:
    """One image's verdict, with all that says by what and when it was judged."""

    path: str  # as the sender or the folder names it
    sha256: str
    lot: str | None
    score: float
    p_value: float
    threshold: float
    reject_above: float | None
    verdict: Outcome
    detector: str
    detector_version: str
    decision: str | None

    def to_json(self, moment: datetime | None = None) -> dict[str, Any]:
        """Plain values, with the time (UTC, by default now)."""
        time = (moment or datetime.now(UTC)).isoformat(timespec="milliseconds")
        return {"time": time, **asdict(self), "anomalous": self.verdict != "good"}
