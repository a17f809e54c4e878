"""What can go wrong for the person at the keyboard, and how a long task is stopped."""

from collections.abc import Callable

#: Called with (done, total) while long work goes on; it may raise `Cancelled` to stop the work.
Progress = Callable[[int, int], None]


class GadError(Exception):
    """A mistake or a limit that the user can mend; the message says what was needed, what was got and what to do."""


class Cancelled(Exception):
    """Raised out of a progress callback to stop long work; whoever started the work catches it."""
