"""What is taken away: tables that no spreadsheet runs, maps whose pixels come back."""

import csv
import io

import numpy as np
from streamlit.testing.v1 import AppTest

from pages.shared import downloads


def test_text_that_a_spreadsheet_would_run_is_quoted_and_numbers_stay():
    content = downloads.csv([{"file": "=cmd|' /C calc'!A0", "score": -1.5, "mask": None}]).decode()
    assert list(csv.DictReader(io.StringIO(content))) == [{"file": "'=cmd|' /C calc'!A0", "score": "-1.5", "mask": ""}]


def test_a_map_comes_back_row_by_row():
    values = np.random.default_rng(0).standard_normal((5, 7))
    rows = list(csv.reader(io.StringIO(downloads.grid(values).decode())))
    np.testing.assert_allclose(np.array(rows, float), values)


def test_a_row_offers_each_kind_of_file():
    def page() -> None:
        from pages.shared import downloads

        downloads.row("a part", key="part", png=lambda: b"", csv=lambda: b"")

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == ["PNG", "CSV"]
