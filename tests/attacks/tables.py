"""Tables of groups that are none, are damaged, or say two things at once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gad_core.data.groups import parse_groups
from gad_core.errors import GadError
from tests.attacks.attack import EITHER, Attack

_NO_TEXT = "is no UTF-8 text; save it as CSV in UTF-8"
_COLUMNS = "needs the columns file and group"
_ONE = (("a.png", "lot 1"),)
_TABLES: dict[str, tuple[bytes, object]] = {
    "as it should be": (b"file,group\na.png,lot 1\n", _ONE),
    "with semicolons": (b"file;group\na.png;lot 1\n", _ONE),
    "with tabs": (b"file\tgroup\na.png\tlot 1\n", _ONE),
    "of a spreadsheet": (b"\xef\xbb\xbffile,group\r\na.png,lot 1\r\n", _ONE),
    "with the columns the other way round": (b"group,file\nlot 1,a.png\n", _ONE),
    "with more columns": (b"file,who,group\na.png,me,lot 1\n", _ONE),
    "with a quoted cell": (b'file,group\n"a.png","lot 1"\n', _ONE),
    "with backslashes": (b"file,group\nb\\a.png,lot 1\n", (("b/a.png", "lot 1"),)),
    "with an empty group": (b"file,group\na.png,\n", (("a.png", None),)),
    "with a line too short": (b"file,group\na.png\n", (("a.png", None),)),
    "with a line too long": (b"file,group\na.png,lot 1,more,and more\n", _ONE),
    "with a line twice": (b"file,group\na.png,lot 1\na.png,lot 1\n", _ONE),
    "with one image in two groups": (b"file,group\na.png,1\na.png,2\n", "puts a.png into two groups"),
    "of nothing": (b"", _COLUMNS),
    "of blank lines": (b"\n\n\n", _COLUMNS),
    "of a head alone": (b"file,group\n", ()),
    "without the column group": (b"file,lot\na.png,1\n", _COLUMNS),
    "without the column file": (b"name,group\na.png,1\n", _COLUMNS),
    "with other letters in its head": (b"File,Group\na.png,1\n", _COLUMNS),
    "with the column group twice": (b"file,group,group\na.png,1,2\n", "has the column group 2 times; keep one"),
    "with the column file three times": (b"file,file,file,group\na,b,c,1\n", "has the column file 3 times"),
    "in UTF-16": ("file,group\na.png,1\n".encode("utf-16"), _NO_TEXT),
    "in UTF-16 without a mark": ("file,group\na.png,1\n".encode("utf-16-le"), _NO_TEXT),
    "in UTF-32": ("file,group\na.png,1\n".encode("utf-32"), _NO_TEXT),
    "in Latin-1": ("file,group\nä.png,1\n".encode("latin-1"), _NO_TEXT),
    "cut within a letter": ("file,group\nä".encode()[:-1], _NO_TEXT),
    "with a NUL": (b"file,group\na\0.png,1\n", _NO_TEXT),
    "of an image": (b"\x89PNG\r\n\x1a\n" + bytes(99), _NO_TEXT),
    "of a ZIP": (b"PK\3\4" + bytes(99), _NO_TEXT),
    "of JSON": (b'{"file": "a.png", "group": "1"}', _COLUMNS),
    "of HTML": (b"<table><tr><td>file</td><td>group</td></tr></table>", _COLUMNS),
    "with a cell of 200 kB": (
        b"file,group\n" + b"a" * 200_000 + b",1\n",
        r"field larger than field limit.*short cells",
    ),
    "with a quote that never ends": (b'file,group\n"a.png,' + b"x\n" * 200_000, "is no table"),
    "with a head of 120 kB": (b"a" * 120_000, r"needs the columns file and group, got '(a{80}) \.\.\.'"),
    "with 5,000 columns": (b"file,group," + b"x," * 5_000 + b"\na.png,lot 1\n", _ONE),
    "of 65 MiB": (b"file,group\n" + bytes(65 * 2**20), "is larger than 64 MiB"),
    "with a formula": (b"file,group\na.png,=1+1\n", (("a.png", "=1+1"),)),
    "with a way out": (b"file,group\n../../etc/passwd,1\n", (("../../etc/passwd", "1"),)),
    "with colours for a terminal": (b"file,group\na.png,\x1b[31mlot\n", EITHER),
    "with old line ends": (b"file,group\ra.png,lot 1\r", _ONE),
    "with a letter that turns text round": ("file,group\na.png,\u202elot\n".encode(), (("a.png", "\u202elot"),)),
}


def door(made: bytes) -> tuple[object, str | None]:
    """The pairs of file and group."""
    try:
        return parse_groups(made, name="table.csv"), None
    except GadError as error:
        return None, str(error)


def attacks() -> Iterator[Attack]:
    """All of them."""
    for name, (content, expected) in _TABLES.items():
        yield Attack(f"a table {name}", partial(_given, content), expected)


def _given(content: bytes, _: Path) -> bytes:
    return content
