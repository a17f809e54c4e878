"""What can go wrong for the person at the keyboard, and how long work is stopped.

GadError                 a mistake or a limit that the user can mend
|- ImageRefused          one image that cannot be used; the work goes on without it
|- SampleTooSmall        a target that the images cannot support
`- NotExplained          a network whose scores the attribution rules do not cover
Cancelled                long work stopped by whoever started it; not an error
"""


class GadError(Exception):
    """A mistake or a limit that the user can mend; the message says what was needed, what was got and what to do."""


class ImageRefused(GadError):
    """An image that is not used; the message says why and what to do."""


class SampleTooSmall(GadError):
    """A target that the sample cannot support; `needed` images (or groups) would, and there are `n`."""

    def __init__(self, message: str, *, needed: int, n: int) -> None:
        super().__init__(message)
        self.needed = needed
        self.n = n


class NotExplained(GadError):
    """A network whose score the rules cannot attribute exactly; the message says where they end."""


class Cancelled(Exception):
    """Raised out of a progress callback to stop long work; whoever started the work catches it."""
