"""The figures of the paper's tables, as printed."""

from importlib import resources

import pandas as pd

from gad_core.errors import GadError

#: The tables with results; VII, XI and XII describe set-ups.
TABLES = ("I", "II", "III", "IV", "V", "VI", "VIII", "IX", "X", "XIII")


def published(table: str) -> pd.DataFrame:
    """Figures of one of `TABLES`, a row each: table, page (of the PDF), row, column, metric, mean and sem.

    Mean and sem are in percent; sem is NaN where the paper prints none. Raises GadError for another table.
    """
    if table not in TABLES:
        raise GadError(f"there are no figures of a Table {table!r}; ask for one of {', '.join(TABLES)}")
    with (resources.files("gad_core.paper") / "data" / f"table_{table.lower()}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype={"row": str, "column": str, "mean": float, "sem": float})
