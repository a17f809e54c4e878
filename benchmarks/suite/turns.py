"""Works that take turns, so that a busy moment of the machine slows all of them."""

import time
from collections.abc import Callable, Mapping

REPEATS = 5
_REST = 0.2  # seconds before a work: the threads of the one before wait for more, and take a core while they do


def in_turns(works: Mapping[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Seconds of each work, round by round; every other round goes the other way round.

    Before them comes a round that does not count, which loads and fills what is kept.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for name in works:
        works[name]()
    for turn in range(repeats):
        for name in list(works)[:: -1 if turn % 2 else 1]:
            time.sleep(_REST)
            seconds[name].append(once(works[name]))
    return seconds


def once(work: Callable[[], object]) -> float:
    """Seconds of one go."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
