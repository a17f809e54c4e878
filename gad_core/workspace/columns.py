"""What a column holds on either database; what cannot be read comes out as `Unreadable` and spoils its own row only."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_SHOWN = 40  # characters of what stands in the place of a value


@dataclass(frozen=True)
class Unreadable:
    """What stands where a value of another kind should."""

    text: str

    @classmethod
    def of(cls, value: object) -> "Unreadable":
        """Keep so much of it as says what it is."""
        text = repr(value)
        return cls(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


class Utc(TypeDecorator[datetime]):
    """A moment in UTC; kept without its zone, which SQLite cannot hold."""

    impl = DateTime
    cache_ok = True
    holds = datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Drop the zone on the way in."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Give the zone back on the way out."""
        return None if value is None else value.replace(tzinfo=UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what is no moment as unreadable."""
        return _tolerant(super().result_processor(dialect, coltype))


class Json(TypeDecorator[Any]):
    """A `dict` or `list` of plain values as JSON; PostgreSQL refuses numbers that JSON does not know: they are none."""

    impl = JSON
    cache_ok = True

    def __init__(self, holds: type) -> None:
        super().__init__(none_as_null=True)
        self.holds = holds

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Leave out what PostgreSQL does not keep."""
        return value if dialect.name == "sqlite" else _plain(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what is no JSON as unreadable."""
        return _tolerant(super().result_processor(dialect, coltype))


class FreeText(TypeDecorator[str]):
    """Text of any length; what a database does not keep, as in file names of another age, is written as an escape."""

    impl: type[String] = Text
    cache_ok = True
    holds = str

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - its signature
        """Escape lone surrogates and NUL on the way in."""
        return None if value is None else value.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


class Word(FreeText):
    """A key, or one of some keywords, of limited length; escaped like free text, as a link may ask for anything."""

    impl = String
    cache_ok = True

    def __init__(self, length: int, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(length)
        self.allowed = allowed


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _tolerant(process: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    if process is None:
        return None

    def read(value: Any) -> Any:
        try:
            return process(value)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return Unreadable.of(value)

    return read


def unfit(kind: TypeEngine[Any], value: object) -> Unreadable | None:
    """What stands in a column of that kind, if it is not of that kind; SQLite keeps anything anywhere."""
    if isinstance(value, Unreadable):
        return value
    expected = getattr(kind, "holds", None) or kind.python_type
    fits = isinstance(value, (int, float) if expected is float else expected)
    allowed = getattr(kind, "allowed", ())
    return None if fits and (not allowed or value in allowed) else Unreadable.of(value)
