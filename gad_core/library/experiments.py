"""The paper's tables on own data: made, written as CSV and JSON, and shown on a page that needs no network."""

import json
from collections.abc import Iterable
from pathlib import Path

from gad_core.data.placing import placed
from gad_core.library.reading import PathLike
from gad_core.library.report_page import report_page
from gad_core.library.resources import engine_of, workspace_cache
from gad_core.paper.categories import read_categories
from gad_core.paper.lab import Lab
from gad_core.paper.results import Result, make_tables, write_csv
from gad_core.paper.settings import PaperSettings
from gad_core.paper.tables import known_tables, parse_table
from gad_core.progress import Progress


def paper_tables(
    tables: str | Iterable[str],
    root: PathLike,
    out: PathLike,
    *,
    settings: PaperSettings | None = None,
    progress: Progress | None = None,
) -> tuple[Result, ...]:
    """Make tables of the paper on a category, or on every category in a folder.

    What `out` holds already is not made again: a call that was killed goes on where it was. Written are `paper.html`
    with all of them, and for each table `table_<number>.csv` (means beside the paper's), `table_<number>_values.csv`
    (every fold) and `table_<number>.json`.

    Parameters
    ----------
    tables : str or iterable of str
        Numbers such as "II", or "all".
    root : str or Path
        A category in MVTec layout, or a folder of such.
    out : str or Path
        Folder for results; it is made where there is none.
    settings : PaperSettings, optional
        Networks, folds, seed and the scale of what is trained.
    progress : callable, optional
        As for `fit`.

    Returns
    -------
    tuple of Result
        In the paper's order.

    Raises
    ------
    GadError
        For an unknown table, for a root without categories or with images that cannot be read, without weights, and
        where the folder cannot be written.

    Examples
    --------
    >>> import gad_core as gad
    >>> (table,) = gad.paper_tables("II", "parts", "results")
    >>> summary = table.summary.set_index(["row", "column"])
    >>> float(summary["mean"][("7", "Mahalanobis")]) > 90
    True
    """
    names = [tables] if isinstance(tables, str) else list(tables)
    every = any(name.strip().lower() == "all" for name in names)
    wanted = [parse_table(name) for name in (known_tables() if every else names)]
    lab = Lab(read_categories(Path(root)), settings or PaperSettings(), engine_of, Path(out), workspace_cache())
    results = make_tables(wanted, lab, progress=progress)
    _write(results, Path(out))
    return results


def _write(results: Iterable[Result], folder: Path) -> None:
    for result in results:
        write_csv(result, folder)
        with placed(folder / f"table_{result.table.name.lower()}.json") as partial:
            partial.write_text(json.dumps(result.to_json(), indent=1, allow_nan=False), encoding="utf-8")
    with placed(folder / "paper.html") as partial:
        partial.write_text(report_page(list(results)), encoding="utf-8")
