"""What a study found, in a file that says what it belongs to."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from gad_core.data.placing import placed
from gad_core.errors import GadError

Found = TypeVar("Found")


def keep_result(path: Path, of: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Write both as plain values, in place of what was kept there."""
    with placed(path) as partial:
        partial.write_text(json.dumps({"of": of, "found": found}), encoding="utf-8")


def find_result(path: Path, of: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Found]) -> Found | None:
    """What was found; None for a file that belongs to another state or cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return read(values["found"]) if values["of"] == of else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, GadError):
        return None
