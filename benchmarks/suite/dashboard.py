"""The dashboard in a real browser: frames while dragging, release to settled page, page switch, cold start."""

from benchmarks.suite.rows import Row, not_measured


def rows(*, quick: bool = False) -> list[Row]:  # noqa: ARG001 - as every subject
    """Nothing yet: `benchmarks.browser` and `benchmarks.pages` measure moves and switches by themselves."""
    return [not_measured("the dashboard in a browser", "python -m benchmarks.browser and benchmarks.pages print it")]
