"""Every check comes to a verdict that follows from its numbers."""

from dataclasses import replace

import numpy as np
import pytest

from gad_core.attribution import verdicts
from gad_core.attribution.counterfactuals import Counterfactuals, Deletion
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.attribution.max_sensitivity import MaxSensitivity

NOTHING = np.zeros((1, 1, 3), np.uint8)
EXCHANGED = Counterfactuals(30.0, NOTHING, 12.0, NOTHING, 25.0, True, NOTHING, 10.0)
SHARES = np.linspace(0, 1, 5)
CHANCE = np.array([30.0, 25, 20, 15, 10])


def test_a_curve_that_rises_instead_of_falling_fails() -> None:
    finding = verdicts.of_deletion(Deletion(SHARES, np.array([30.0, 34, 33, 25, 10]), CHANCE))
    assert finding.outcome == "fails"
    assert "falls no faster than by chance" in finding.reason
    assert "lies 32 % of its fall above it" in finding.reason  # mean of (0, 9, 13, 10, 0) over 20
    assert "rises above where it began" in finding.reason


def test_a_curve_that_falls_at_once_passes() -> None:
    finding = verdicts.of_deletion(Deletion(SHARES, np.array([30.0, 12, 11, 10, 10]), CHANCE))
    assert finding.outcome == "passes"
    assert "27 % of its fall below chance" in finding.reason  # mean of (0, 13, 9, 5, 0) over 20


def test_a_curve_as_by_chance_is_doubtful() -> None:
    assert verdicts.of_deletion(Deletion(SHARES, CHANCE - [0, 1, 1, 1, 0], CHANCE)).outcome == "doubtful"


def test_without_a_fall_nothing_is_compared() -> None:
    finding = verdicts.of_deletion(Deletion(SHARES, CHANCE[::-1], CHANCE[::-1].copy()))
    assert finding.outcome == "doubtful"
    assert "no fall to compare" in finding.reason


@pytest.mark.parametrize(("without", "outcome"), [(12.0, "passes"), (24.0, "doubtful"), (29.0, "fails")])
def test_what_goes_with_the_defect_decides_the_exchange(without: float, outcome: str) -> None:
    finding = verdicts.of_exchange(replace(EXCHANGED, score_without_defect=without))
    assert finding.outcome == outcome
    assert f"goes {5 * (30 - without):.0f} %" in finding.reason


def test_an_image_no_further_than_the_normal_part_leaves_nothing_to_explain() -> None:
    assert verdicts.of_exchange(replace(EXCHANGED, score=9.0)).outcome == "doubtful"


def test_a_high_score_with_a_small_share_is_no_success() -> None:
    """The map of 9 x 9 has 1 in the mask of 1 pixel and little outside, which adds up to more."""
    values, mask = np.full((9, 9), 0.04), np.zeros((9, 9), bool)
    values[4, 4], mask[4, 4] = 1.0, True
    found = explain_score(values, mask)
    assert isinstance(found, Explanation)
    assert found.score > 90
    finding = verdicts.of_mask(found)
    assert finding.outcome == "doubtful"
    assert "24 % of the map's sum, by chance 1.2 % (the mask's area)" in finding.reason  # 1 / (1 + 80 * 0.04); 1 / 81
    assert "the other 76 % lie elsewhere" in finding.reason


@pytest.mark.parametrize(("outside", "outcome"), [(0.001, "passes"), (1.2, "fails")])
def test_a_map_in_the_mask_passes_and_one_beside_it_fails(outside: float, outcome: str) -> None:
    values, mask = np.full((9, 9), outside), np.zeros((9, 9), bool)
    values[4, 4], mask[4, 4] = 1.0, True
    found = explain_score(values, mask)
    assert isinstance(found, Explanation)
    assert verdicts.of_mask(found).outcome == outcome


@pytest.mark.parametrize(
    ("finding", "outcome"),
    [
        (verdicts.of_stability(0.95, 0.9), "passes"),
        (verdicts.of_stability(0.5, 0.4), "doubtful"),
        (verdicts.of_stability(0.1, 0.0), "fails"),
        (verdicts.of_randomisation(-0.1), "passes"),
        (verdicts.of_randomisation(0.5), "doubtful"),
        (verdicts.of_randomisation(1.0), "fails"),
        (verdicts.of_infidelity(0.3), "passes"),
        (verdicts.of_infidelity(0.8), "doubtful"),
        (verdicts.of_infidelity(1.0), "fails"),
        (verdicts.of_max_sensitivity(MaxSensitivity(0.3, 10.0, 30.0)), "passes"),
        (verdicts.of_max_sensitivity(MaxSensitivity(0.9, 10.0, 11.0)), "doubtful"),
        (verdicts.of_max_sensitivity(MaxSensitivity(1.4, 10.0, 11.0)), "fails"),
        (verdicts.of_max_sensitivity(MaxSensitivity(1.4, 10.0, 12.5)), "doubtful"),
        (verdicts.of_opinion("x", 0.8), "passes"),
        (verdicts.of_opinion("x", 0.3), "doubtful"),
        (verdicts.of_opinion("x", -0.5), "fails"),
        (verdicts.of_opinion("x", float("nan")), "doubtful"),
    ],
)
def test_the_limits_between_the_verdicts(finding: verdicts.Finding, outcome: str) -> None:
    assert finding.outcome == outcome


def test_the_summary_names_what_passed_and_what_failed() -> None:
    found = {"A": verdicts.of_infidelity(1.2), "B": verdicts.of_infidelity(0.1), "C": verdicts.of_infidelity(0.2)}
    assert verdicts.summary(found, offered=7) == "3 of 7 checks done: 2 passed (B, C), 1 failed (A)."
    assert verdicts.summary({}, offered=7).startswith("None of 7 checks done yet")
