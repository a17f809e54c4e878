"""Tables of groups and of parts."""

from contextlib import suppress

from gad_core.data import groups, parts
from gad_core.errors import GadError


def attempt(data: bytes) -> None:
    """Read a table; every line that is taken names a file once."""
    for columns in (groups.COLUMNS, parts.COLUMNS):
        with suppress(GadError):
            table = groups.parse_groups(data, name="table.csv", columns=columns)
            assert len(dict(table)) == len(table)
            assert all(isinstance(name, str) and (group is None or group) for name, group in table)
