"""How far long work has come: one count over all its stages, which never runs backwards."""

from collections.abc import Callable, Sequence

#: Called with (done, total) while long work goes on; it may raise `Cancelled` to stop the work.
Progress = Callable[[int, int], None]


class Stages:
    """Progress over stages of known sizes, told as one count of items out of the sum of the sizes.

    `stages(i)` is the progress of stage i, which may count in units of its own: its share of the whole is its size.
    A stage that reports less than was reported before is not heard, so that no bar goes back.
    """

    def __init__(self, progress: Progress | None, sizes: Sequence[int]) -> None:
        self._progress, self._sizes, self._done = progress, tuple(sizes), 0

    def __call__(self, stage: int) -> Progress:
        """The progress of one stage."""
        before, size = sum(self._sizes[:stage]), self._sizes[stage]

        def report(done: int, total: int) -> None:
            self._done = max(self._done, before + (size * done // total if total else size))
            if self._progress:
                self._progress(self._done, sum(self._sizes))

        return report
