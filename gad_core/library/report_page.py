"""Tables of the paper as one HTML page that holds all it needs."""

from collections.abc import Hashable, Sequence
from html import escape
from typing import Any

import pandas as pd
from plotly.offline import get_plotlyjs

from gad_core.figures.paper import table_chart, with_error
from gad_core.paper.findings import Finding
from gad_core.paper.results import Result

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #10171e; background: #fff; max-width: 1100px; margin: 2rem auto;
  padding: 0 1.5rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid #d9dee3; padding-top: 1.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
th, td { padding: 0.25rem 0.8rem; text-align: right; border-bottom: 1px solid #e6eaee; white-space: nowrap; }
th:first-child { text-align: left; white-space: normal; min-width: 12rem; } .scroll { overflow-x: auto; }
.paper { color: #5b6670; } .departures { color: #46525d; font-size: 0.875rem; }
.findings { list-style: none; padding: 0; }
.findings li { padding: 0.15rem 0 0.15rem 0.8rem; border-left: 4px solid #d9dee3; }
.findings li.otherwise { border-color: #D55E00; }
"""


def report_page(results: Sequence[Result]) -> str:
    """One section a table: what it says, a chart for each metric, the numbers, and what was done otherwise."""
    sections = "\n".join(_section(result) for result in results)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The paper's tables on own data</title><style>{_STYLE}</style><script>{get_plotlyjs()}</script></head>
<body><h1>The paper's tables on own data</h1>
<p>Mean ± standard error over the categories, in percent; each category is the mean of its folds. Hollow marks and grey
numbers are the paper's own, on MVTec AD.</p>
{sections}
</body></html>
"""


def _section(result: Result) -> str:
    departures = "".join(f"<li>{escape(words)}</li>" for words in result.departures)
    findings = "".join(_finding(one) for one in result.findings)
    charts = "".join(
        table_chart(result.summary, metric=metric).to_html(
            full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
        )
        for metric in dict.fromkeys(result.summary["metric"])
    )
    return f"""<section><h2>Table {escape(result.table.name)}: {escape(result.table.title)}</h2>
<ul class="findings">{findings}</ul>{charts}<div class="scroll">{_numbers(result.summary)}</div>
<p class="departures">Not as in the paper:</p><ul class="departures">{departures}</ul></section>"""


def _finding(finding: Finding) -> str:
    kind = ' class="otherwise"' if finding.agrees is False else ""
    return f"<li{kind}>{escape(finding.text)}</li>"


def _numbers(summary: pd.DataFrame) -> str:
    """Rows by columns, ours above the paper's."""
    ours_first = summary.sort_values("mean", key=pd.isna, kind="stable")
    columns = list(dict.fromkeys(zip(ours_first["column"], ours_first["metric"], strict=True)))
    cells = {(row["row"], row["column"], row["metric"]): row for row in summary.to_dict("records")}
    several = len({metric for _, metric in columns}) > 1
    heads = [column if not several or column == metric else f"{column}, {metric}" for column, metric in columns]
    head = "".join(f"<th>{escape(str(text))}</th>" for text in ["", *heads])
    body = "".join(
        f"<tr><th>{escape(str(name))}</th>{''.join(_cell(cells.get((name, *key))) for key in columns)}</tr>"
        for name in dict.fromkeys(summary["row"])
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(row: dict[Hashable, Any] | None) -> str:
    if row is None:
        return "<td></td>"
    ours, theirs = with_error(row["mean"], row["sem"]), with_error(row["paper_mean"], row["paper_sem"])
    return f'<td>{ours}<br><span class="paper">{theirs}</span></td>'
