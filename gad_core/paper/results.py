"""A table made: every number in a tidy form, means and standard errors, and the paper's figures beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gad_core.data.placing import placed
from gad_core.paper.findings import Finding, findings
from gad_core.paper.lab import Lab
from gad_core.paper.published import published
from gad_core.paper.tables import Table
from gad_core.paper.units import Row, Unit, find_units, run_units
from gad_core.progress import Progress
from gad_core.wording import for_spreadsheet

_KEYS = ["row", "column", "metric"]


@dataclass(frozen=True)
class Result:
    """One table.

    Parameters
    ----------
    table : Table
        What was made.
    tidy : DataFrame
        A line for every category and fold: row, column, metric, category, fold, value; in percent.
    summary : DataFrame
        Row, column, metric, mean and sem over the categories (each the mean of its folds), n of them, and the paper's
        mean and sem; NaN where there is none.
    departures : tuple of str
        What was done otherwise than in the paper.
    findings : tuple of Finding
        What the paper finds in its table, and whether it holds here.
    """

    table: Table
    tidy: pd.DataFrame
    summary: pd.DataFrame
    departures: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {
            "table": self.table.name,
            "title": self.table.title,
            "departures": list(self.departures),
            "findings": [asdict(finding) for finding in self.findings],
            "summary": _plain(self.summary),
            "values": _plain(self.tidy),
        }


def make_tables(tables: Sequence[Table], lab: Lab, *, progress: Progress | None = None) -> tuple[Result, ...]:
    """Make tables, doing only what their folder does not hold yet.

    Raises `GadError` for images that cannot be read, for categories too small for the folds, and for a folder that
    cannot be written.
    """
    units = [list(table.units(lab)) for table in tables]
    found = run_units([unit for own in units for unit in own], _folder(lab), progress=progress)
    return tuple(_result(table, lab, own, found) for table, own in zip(tables, units, strict=True))


def find_table(table: Table, lab: Lab) -> Result | None:
    """A table of which all units have been done; None where one is missing."""
    units = list(table.units(lab))
    found = find_units(units, _folder(lab))
    return _result(table, lab, units, found) if units and found is not None else None


def _folder(lab: Lab) -> Path:
    return lab.folder / "units"


def _result(table: Table, lab: Lab, units: Sequence[Unit], found: Mapping[str, list[Row]]) -> Result:
    place, rows = table.place(lab), [row for unit in units for row in found[unit.name]]
    placed = [
        {"row": at[0], "column": at[1], **{name: row.get(name) for name in ("metric", "category", "fold", "value")}}
        for row in rows
        if (at := place(row)) is not None
    ]
    tidy = pd.DataFrame(placed, columns=[*_KEYS, "category", "fold", "value"])
    paper = published(table.name)
    return Result(table, tidy, summarise(tidy, paper), tuple(table.departures(lab)), findings(table.name, tidy, paper))


def summarise(tidy: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Mean over the folds of each category, then mean and standard error over the categories, beside the paper's."""
    by_category = tidy.groupby([*_KEYS, "category"], sort=False)["value"].mean().reset_index()
    groups = by_category.groupby(_KEYS, sort=False)["value"]
    own = pd.DataFrame({"mean": groups.mean(), "sem": groups.sem(), "n": groups.size()}).reset_index()
    theirs = paper[[*_KEYS, "mean", "sem"]].rename(columns={"mean": "paper_mean", "sem": "paper_sem"})
    both = own.merge(theirs, on=_KEYS, how="outer")
    order = pd.concat([theirs[_KEYS], own[_KEYS]]).drop_duplicates()  # the paper's rows, then those that are ours alone
    return order.merge(both, on=_KEYS, how="left")


def write_csv(result: Result, folder: Path) -> None:
    """Write every number, and the means beside the paper's, as two files."""
    stem = f"table_{result.table.name.lower()}"
    # A category is called as its folder is, which may be anything.
    tidy = result.tidy.assign(category=[for_spreadsheet(str(name)) for name in result.tidy["category"]])
    for ending, frame in (("_values", tidy), ("", result.summary)):
        with placed(folder / f"{stem}{ending}.csv") as partial:
            frame.to_csv(partial, index=False)


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
