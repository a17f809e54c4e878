"""What a hostile or odd input is here: a name, how it is made, and what becomes of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Of inputs of which no more is known than that they are read as they are, or refused with a reason.
EITHER = "either"


@dataclass(frozen=True)
class Attack:
    """`build` is given an empty folder and makes what a door is given.

    `expected` is what the door makes of it (a number of images, say), a pattern of the reason with which it is refused,
    or `EITHER`.
    """

    name: str
    build: Callable[[Path], Any]
    expected: object


def check(attack: Attack, became: object, reason: str | None) -> None:
    """Hold what became of it, or the reason why nothing did, against what was expected."""
    if reason is not None:
        assert reason.strip()
        assert "\n" not in reason
        assert "Traceback" not in reason
    if attack.expected is EITHER:
        return
    if isinstance(attack.expected, str):
        assert reason is not None, f"{attack.name} was read: {became!r}"
        assert re.search(attack.expected, reason), f"{attack.name} was refused for another reason: {reason}"
    else:
        assert reason is None, f"{attack.name} was refused: {reason}"
        assert became == attack.expected
