"""Numbers and settings in words: digits, percent, intervals, reductions, tunings."""

import pytest

from gad_core.decision.curves import Auroc
from gad_core.decision.rates import rate
from gad_core.gaussian.reduction import ALL, NPCA_5, REDUCTIONS, Reduction
from gad_core.gaussian.tuning import DISTANCES, Tuning
from gad_core.wording import (
    area,
    distance,
    file_name,
    for_spreadsheet,
    levels,
    number,
    percent,
    rate_note,
    reduction,
    share,
    tuning,
)
from gad_core.wording import rate as rate_words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (5, "5"), (13.449, "13.4"), (-3.14159, "-3.14"), (0.0012345, "0.00123"), (12345.6, "12,300")],
)
def test_a_number_has_three_significant_digits_and_no_exponent(value, words):
    assert number(value) == words


@pytest.mark.parametrize(("value", "words"), [(1.2345e-4, "1.23e-04"), (123456.0, "1.23e+05")])
def test_very_small_and_very_large_numbers_have_an_exponent(value, words):
    assert number(value) == words


@pytest.mark.parametrize(("value", "words"), [(0, "0.0 %"), (0.05, "5.0 %"), (1 / 3, "33.3 %"), (1, "100.0 %")])
def test_percent_has_one_decimal(value, words):
    assert percent(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.00063, "0.063 %"), (0.0003, "0.03 %"), (0.000063, "0.0063 %")])
def test_a_rare_event_is_not_rounded_to_never(value, words):
    assert percent(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.9995, "99.95 %"), (0.99994, "99.994 %")])
def test_an_almost_sure_event_is_not_rounded_to_always(value, words):
    assert percent(value) == words


def test_a_rate_stands_with_its_exact_interval():
    # scipy.stats.binomtest(10, 209).proportion_ci(method="exact") is [0.0232, 0.0862].
    assert rate_words(rate(10, 209)) == "4.8 % [2.3, 8.6]"
    assert rate_note(rate(10, 209)) == "[2.3, 8.6] · 10 of 209"


def test_an_area_is_in_percent_with_its_interval():
    assert area(Auroc(0.9537, 0.869, 0.9847, "DeLong", 20, 63)) == "95.4 [86.9, 98.5]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all", "all"),
        ("pca:0.99", "PCA 99 %"),
        ("npca:0.05", "NPCA 5 %"),
        ("npca:0.07", "NPCA 7 %"),
        ("npca:0.015", "NPCA 1.5 %"),
        ("npca:0.1", "NPCA 10 %"),
        ("pca:0.99999", "PCA 99.999 %"),
        ("npca:1e-05", "NPCA 0.001 %"),
        ("npca:0.00000001", "NPCA 0.000001 %"),
    ],
)
def test_a_reduction_is_written_as_in_the_paper(text, words):
    assert reduction(Reduction.parse(text)) == words


def test_no_two_reductions_of_the_slider_share_a_name():
    assert len({reduction(value) for value in REDUCTIONS}) == len(REDUCTIONS)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [((7,), "level 7"), ((6, 7, 8), "levels 6-8"), ((1, 5, 6, 7, 9), "levels 1, 5-7, 9"), ((3, 2), "levels 2-3")],
)
def test_runs_of_levels_are_drawn_together(numbers, words):
    assert levels(numbers) == words


def test_a_tuning_names_its_distance_only_where_it_is_not_mahalanobis():
    assert tuning(Tuning((6, 7, 8), NPCA_5)) == "levels 6-8, NPCA 5 %"
    assert tuning(Tuning((7,), ALL, "sed")) == "level 7, all, standardised Euclidean"


def test_every_distance_has_a_name():
    assert len({distance(kind) for kind in DISTANCES}) == len(DISTANCES)


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing_that_comes_from_outside(text):
    assert for_spreadsheet(text) == f"'{text}"
    assert for_spreadsheet(f"part {text}") == f"part {text}"


@pytest.mark.parametrize("text", ["\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"])
def test_nor_by_the_wider_letters_or_after_a_line_break(text):
    assert for_spreadsheet(text) == f"'{text}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("washer", "washer.csv"),
        ("=cmd|' /C calc'!A0", "cmd_' _C calc'!A0.csv"),
        ("-rf", "rf.csv"),
        ("..", "gad.csv"),
        ("../../etc/passwd", "_.._etc_passwd.csv"),
        ("a\nb\x1b[31m\u202e", "ab[31m.csv"),
        ("ä" * 300, "ä" * 120 + ".csv"),
    ],
)
def test_a_download_is_called_by_a_harmless_name(name, expected):
    assert file_name(name, ".csv") == expected


@pytest.mark.parametrize(("value", "words"), [(None, "–"), (-0.002, "0 %"), (0.847, "85 %"), (-0.12, "-12 %")])
def test_a_part_of_a_signed_whole_has_no_sign_at_nothing(value, words):
    assert share(value) == words
