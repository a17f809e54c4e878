"""The lots in which the parts of a category came, as a table of groups."""

import csv
from collections.abc import Sequence
from pathlib import Path

from gad_core.data.demo.photos import Place
from gad_core.data.groups import COLUMNS

LOTS = "groups.csv"  # in the category's folder
_HONEST = "ABCDE"  # lots of a production that runs well; its parts are spread over them by turns


def write_lots(folder: Path, good: Sequence[Place], odd: Sequence[Path], *, lot: str) -> None:
    """Write `folder`/groups.csv: the good parts came in lots of their own, the odd files (below `folder`) in `lot`."""
    rows = [(f"{split}/{kind}/{index:03}.png", _HONEST[index % len(_HONEST)]) for split, kind, index in good]
    rows += [(path.relative_to(folder).as_posix(), lot) for path in odd]
    with (folder / LOTS).open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerows([COLUMNS, *rows])
