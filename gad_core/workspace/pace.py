"""How fast a job goes: items a second over the last ten seconds, because an average lags behind a change of pace."""

from dataclasses import dataclass

_WINDOW = 10.0  # seconds
_SPACING = 0.1  # seconds between samples that are kept, so that a fast job keeps a hundred and not a million


@dataclass(frozen=True)
class Pace:
    """Moments (seconds) within the window, and the number of items done by each."""

    samples: tuple[tuple[float, int], ...] = ()

    def step(self, now: float, done: int) -> "Pace":
        """The pace after one more report; a count that falls back begins afresh."""
        samples = self.samples if self.samples and done >= self.samples[-1][1] else ()
        if len(samples) > 1 and samples[-1][0] - samples[-2][0] < _SPACING:
            samples = samples[:-1]
        while len(samples) > 1 and samples[0][0] < now - _WINDOW:
            samples = samples[1:]
        return Pace((*samples, (now, done)))

    @property
    def rate(self) -> float | None:
        """Items a second; None before two reports that tell."""
        if len(self.samples) < 2:
            return None
        (start, before), (now, done) = self.samples[0], self.samples[-1]
        return (done - before) / (now - start) if now > start and done > before else None
