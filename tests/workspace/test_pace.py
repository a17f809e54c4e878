"""How fast a job goes."""

import pytest

from gad_core.workspace.pace import Pace


def paced(*reports: tuple[float, int]) -> Pace:
    pace = Pace()
    for moment, done in reports:
        pace = pace.step(moment, done)
    return pace


def test_nothing_is_known_before_two_reports() -> None:
    assert paced().rate is None
    assert paced((0.0, 5)).rate is None
    assert paced((0.0, 5), (1.0, 5)).rate is None


def test_a_steady_job_has_its_rate() -> None:
    assert paced(*((0.25 * i, 3 * i) for i in range(200))).rate == pytest.approx(12)


def test_the_last_ten_seconds_count_and_not_the_average() -> None:
    slow = [(float(t), t) for t in range(100)]
    fast = [(99 + 0.5 * i, 99 + 10 * i) for i in range(1, 41)]
    assert paced(*slow, *fast).rate == pytest.approx(20)


def test_a_job_slower_than_the_window_still_has_a_rate() -> None:
    assert paced((0.0, 0), (40.0, 1), (80.0, 2)).rate == pytest.approx(1 / 40)


def test_a_count_that_falls_back_begins_afresh() -> None:
    assert paced((0.0, 0), (1.0, 300), (2.0, 0), (4.0, 1)).rate == pytest.approx(0.5)


def test_a_fast_job_keeps_few_samples() -> None:
    pace = paced(*((i / 10_000, i) for i in range(50_000)))
    assert len(pace.samples) <= 102
    assert pace.rate == pytest.approx(10_000, rel=1e-3)
