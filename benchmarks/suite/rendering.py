"""The table of a run: aligned for a terminal, and as Markdown between two marks of a page that is written by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.suite.rows import Row

BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"
_HEAD = ("what", "ours", "theirs", "unit", "ratio", "from … to", "target", "")


def cells(row: Row) -> tuple[str, ...]:
    """A row as text, a cell a column."""
    spread = "" if row.low is None or row.high is None else f"{number(row.low)} … {number(row.high)}"
    aim = "" if row.target is None else f"{'≤' if row.at_most else '≥'} {number(row.target)}"
    verdict = {None: "", True: "met", False: "missed"}[row.met]
    figures = (number(row.ours), number(row.theirs), row.unit, number(row.ratio), spread)
    return (row.what, *figures, aim, verdict)


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    if value and (abs(value) < 0.001 or abs(value) >= 1e6):
        return f"{value:.1e}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f}"


def table(subjects: Mapping[str, Sequence[Row]]) -> str:
    """One aligned table of all subjects, the notes below each line."""
    lines = [_HEAD] + [cells(row) for rows in subjects.values() for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]

    def aligned(line: tuple[str, ...]) -> str:
        numbers = zip(line[1:], widths[1:], strict=True)
        return " ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in numbers)]).rstrip()

    out = [aligned(_HEAD)]
    for name, rows in subjects.items():
        out.append(f"-- {name}")
        for row in rows:
            out.append(aligned(cells(row)))
            out += [f"   {row.note}"] * bool(row.note)
    return "\n".join(out)


def markdown(report: Mapping[str, Any]) -> str:
    """What a run found (as its JSON holds it), as Markdown."""
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}; {versions}."
    ]
    for name, subject in report["subjects"].items():
        rows = [Row(**row) for row in subject["rows"]]
        parts += [f"### {subject['title']}", _markdown_table(rows)]
        if notes := [f"- {row.what}: {row.note}." for row in rows if row.note]:
            parts.append("\n".join(notes))
        parts.append(f"`python -m benchmarks.suite {name}`, {subject['date']}, {subject['seconds']:.0f} s.")
    return "\n\n".join(parts)


def _markdown_table(rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(_HEAD) + " |", "|---|" + "--:|" * (len(_HEAD) - 1)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def between_marks(page: str, text: str) -> str:
    """The page with the text between its marks; what stands outside them is kept."""
    if BEGIN not in page:
        page = f"{page}\n{BEGIN}{END}\n"
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
