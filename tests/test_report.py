"""A report says what was measured, needs nothing beside itself, and takes foreign names for text."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gad_core.data.datasets import read_dataset
from gad_core.decision.curves import roc
from gad_core.errors import GadError
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import WorkingPoint
from gad_core.library.judging import evaluate
from gad_core.library.reporting import write_report
from gad_core.report import charts
from gad_core.report.page import outlined
from gad_core.workspace.known import Known
from gad_core.workspace.rows import DecisionRow


class Page(HTMLParser):
    """Addresses, texts and tags of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses, self.words, self.tags = list[str](), list[str](), list[str]()
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in {"src", "href", "srcset", "action"}]

    def handle_data(self, data) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def detector(stripes) -> Detector:
    return fit_images(read_dataset(stripes).train, load_engine(FitSettings().backbone), FitSettings()).detector


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def test_its_numbers_are_those_of_the_evaluation(detector, stripes, tmp_path):
    found = write_report(detector, stripes, tmp_path / "r.html", attributions=0)
    page = Page(found.path)
    result = evaluate(detector, read_dataset(stripes).test)
    (rates,) = [one for one in result.working_points if one.level == "sum" and one.point.method == "cross-conformal"]
    for rate in (rates.left_out, rates.test, rates.tpr):
        assert f"{percent(rate.value)} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]" in found.sentence
    assert found.sentence in page.text
    assert f"{100 * result.auroc['sum'].value:.1f} %" in page.text
    assert detector.version in page.text
    for level in range(1, 10):
        area = result.auroc[str(level)]
        assert f"{100 * area.value:.1f} [{100 * area.low:.1f}, {100 * area.high:.1f}]" in page.text


def test_it_needs_no_network_and_no_script(detector, stripes, tmp_path):
    found = write_report(detector, stripes, tmp_path / "r.html", attributions=1)
    page = Page(found.path)
    assert page.addresses
    assert all(address.startswith("data:") for address in page.addresses)
    assert not re.search(r"url\(|@import|<script|<link|<iframe", page.source)
    assert not re.search(r"https?://(?!www\.w3\.org/)", page.source)
    assert found.n_bytes == found.path.stat().st_size < 3_000_000


def test_names_from_outside_are_text(stripes, tmp_path):
    evil = "<script>alert(1)</script>"
    root = tmp_path / "a<b>&amp;"
    shutil.copytree(stripes / "train", root / "train")
    shutil.copytree(stripes / "test/good", root / "test/good")
    (root / "test" / "<img src=x>").mkdir()
    shutil.copy(stripes / "test/blot/000.png", root / "test" / "<img src=x>" / "'><b>.png")
    (root / "test/good" / "<i>.png").write_bytes(b"no image")
    data = read_dataset(root)
    fitted = fit_images(data.train, load_engine(FitSettings().backbone), FitSettings(regions=None)).detector
    point = WorkingPoint("cross-conformal", 0.1, 5.0, 30, evil)
    decision = DecisionRow("d", "x", fitted.tuning, point, datetime.now(UTC), who=evil, note="<b>bold</b>")
    known = Known(evil, evil, (decision,), "d", (evil,))
    own = replace(fitted, working_point=point)
    page = Page(write_report(own, data, tmp_path / "r.html", attributions=0, title=evil, known=known).path)
    assert {"script", "b", "i"} & set(page.tags) == {"b"}  # of the tiles
    assert page.tags.count("b") == 6
    assert page.text.count(evil) >= 5
    assert "<b>bold</b>" in page.text
    assert not [address for address in page.addresses if not address.startswith("data:")]


def test_the_history_is_told_and_what_holds_is_marked(detector, stripes, tmp_path):
    points = [
        WorkingPoint("cross-conformal", 0.1, value, 30, "q", reject_above=9.0, reject_fpr=0.02) for value in (2, 3)
    ]
    rows = [
        DecisionRow(f"d{i}", "x", detector.tuning, point, datetime(2026, 3, i + 1, tzinfo=UTC), who=who, note=note)
        for i, (point, who, note) in enumerate(zip(points, ("Ada", ""), ("first", "second"), strict=True))
    ]
    known = Known("line 3", "parts", tuple(reversed(rows)), "d1", ("checked.",))
    adopted = replace(detector, working_point=points[1])
    page = Page(write_report(adopted, stripes, tmp_path / "r.html", attributions=0, known=known).path)
    assert re.search(r"02 Mar 2026, 00:00 not named adopted, in force 3 ", page.text)
    assert re.search(r"01 Mar 2026, 00:00 Ada adopted 2 ", page.text)
    assert "At the adopted threshold 3," in page.text
    assert "Accepted up to 3, rejected above 9; a person reviews what lies between." in page.text
    assert "checked." in page.text


def test_a_promise_that_is_broken_says_so_first(detector, stripes, tmp_path):
    point = WorkingPoint("chi2", 0.05, -5.0, 30, "eq. 6")
    found = write_report(replace(detector, working_point=point), stripes, tmp_path / "r.html", attributions=0)
    assert found.verdict == "broken"
    assert "The promise of 5.0 % does not hold" in found.sentence
    assert 'class="verdict broken"' in found.path.read_text()


def test_what_cannot_be_reported_is_refused(detector, stripes, tmp_path):
    with pytest.raises(GadError, match=r"ends in \.html"):
        write_report(detector, stripes, tmp_path / "r.pdf")
    with pytest.raises(GadError, match="has no test images"):
        write_report(detector, stripes / "train" / "good", tmp_path / "r.html")


def test_the_command_writes_it_and_prints_the_verdict(run, detector, stripes, tmp_path):
    detector.save(tmp_path / "stripes.gad")
    status, out, _ = run(
        "report", tmp_path / "stripes.gad", stripes, tmp_path / "r.html", "--attributions", "0", "--json"
    )
    facts = json.loads(out)
    assert (status, facts["bytes"]) == (0, (tmp_path / "r.html").stat().st_size)
    text = Page(tmp_path / "r.html").text
    assert "gad report stripes.gad stripes r.html" in text
    assert facts["sentence"] in text


def test_attributions_are_those_of_the_highest_defect_of_each_type(detector, stripes, tmp_path):
    page = Page(write_report(detector, stripes, tmp_path / "r.html", attributions=3).path)
    evaluation = evaluate(detector, read_dataset(stripes).test)
    assert evaluation.n_anomalous == 6
    shown = re.findall(r"blot · no mask to hold it against · (\d+\.png)", page.text)
    assert len(shown) == 1  # one type of defect


def test_bottle_is_reported_in_less_than_three_megabytes(bottle, tmp_path):
    data = read_dataset(bottle)
    fitted = fit_images(data.train, load_engine(FitSettings().backbone), FitSettings()).detector
    found = write_report(fitted, data, tmp_path / "bottle.html", attributions=1)
    assert found.n_bytes < 3_000_000
    assert "209" in found.sentence


def points_of(svg: str, colour: str) -> list[tuple[float, float]]:
    path = re.search(rf'd="M([^"]+)" fill="none" stroke="{colour}"', svg)
    return [tuple(map(float, point.split())) for point in path[1].split("L")]


def test_a_roc_is_drawn_through_its_points():
    scores, flags = np.array([1.0, 2, 3, 4]), np.array([False, True, False, True])
    svg = str(charts.roc(roc(scores, flags), (0.5, 0.5), alt="a"))
    (x0, y0), (x1, y1) = points_of(svg, "#8A95A0")  # the diagonal from (0, 0) to (1, 1)
    drawn = [((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)) for x, y in points_of(svg, "#0072B2")]
    np.testing.assert_allclose(drawn, [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)], atol=0.01)


def test_the_edge_of_a_mask_lies_inside_it():
    mask = np.zeros((60, 60), bool)
    mask[20:40, 10:30] = True
    picture = np.zeros((30, 30, 3), np.uint8)
    drawn = outlined(picture, mask).any(axis=2)
    inside = mask[::2, ::2]
    assert drawn[10, 5]
    assert not drawn[15, 10]  # the middle
    assert not (drawn & ~inside).any()
