"""Works that take turns, so that a busy moment of the machine slows all of them."""

import time
from collections.abc import Callable, Mapping

REPEATS = 5


def in_turns(works: Mapping[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Seconds of each work, round by round; every other round goes the other way round.

    Before them comes a round that does not count, which loads and fills what is kept.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for name in works:
        works[name]()
    for turn in range(repeats):
        for name in list(works)[:: -1 if turn % 2 else 1]:
            seconds[name].append(once(works[name]))
    return seconds


def once(work: Callable[[], object]) -> float:
    """Seconds of one go."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
