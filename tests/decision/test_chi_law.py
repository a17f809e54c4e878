"""What chi-square predicts of one distance, of sums and of pooled regions, against exact laws and simulation."""

from functools import partial

import numpy as np
import pytest
from scipy import integrate, stats

from gad_core.decision.chi_law import DRAWS, ChiLaw, CoupledChiLaws
from gad_core.errors import SampleTooSmall
from gad_core.gaussian.pooling import Pool, Standard

SUM = partial(np.sum, axis=1)
#: Of a rate of 5 % counted in so many draws: four standard errors.
NOISE = 4 * np.sqrt(0.05 * 0.95 / DRAWS)


def gaussian_features(rng: np.random.Generator, n: int, widths: tuple[int, ...], coupling: float) -> np.ndarray:
    """Squared distances (n, d) under known unit covariances, of vectors that share part of their entries."""
    widest = max(widths)
    common = rng.normal(size=(n, widest))
    own = (rng.normal(size=(n, width)) for width in widths)
    return np.stack(
        [np.square(np.sqrt(coupling) * common[:, : x.shape[1]] + np.sqrt(1 - coupling) * x).sum(axis=1) for x in own],
        axis=1,
    )


def test_one_level_is_equation_6_exactly():
    law = ChiLaw(17)
    assert law.threshold(0.05) ** 2 == pytest.approx(stats.chi2.isf(0.05, 17), rel=1e-12)
    assert law.p_values(np.array([law.threshold(0.003)])) == pytest.approx(0.003, rel=1e-9)


@pytest.mark.parametrize("k", [1, 2, 40, 1280])
def test_a_single_coupled_law_is_the_chi_law_within_the_draws(k):
    left_out = np.random.default_rng(1).normal(size=(30, 1))
    coupled = CoupledChiLaws(left_out, np.array([k]), SUM)
    for target in (0.5, 0.05, 0.01):
        exact = ChiLaw(k).p_values(np.array([coupled.threshold(target)])).item()
        assert exact == pytest.approx(target, abs=4 * np.sqrt(target / DRAWS))


def test_the_sum_of_two_independent_distances_is_their_convolution():
    rng = np.random.default_rng(2)
    law = CoupledChiLaws(rng.normal(size=(100_000, 2)), np.array([5, 24]), SUM)
    t = law.threshold(0.05)
    beyond, _ = integrate.quad(lambda x: stats.chi.pdf(x, 5) * stats.chi.sf(t - x, 24), 0, np.inf)
    assert beyond == pytest.approx(0.05, abs=2 * NOISE)


@pytest.mark.parametrize("coupling", [0.0, 0.5, 0.7])  # correlations of distances up to 0.5, as regions have them
@pytest.mark.parametrize("kind", ["sum", "power:8", "top:0.1"])
def test_correlated_gaussians_of_known_covariance_keep_the_predicted_rate(coupling, kind):
    rng = np.random.default_rng(3)
    widths = (12, 40, 112) if kind == "sum" else (80,) * 20
    distances = np.sqrt(gaussian_features(rng, 40_000, widths, coupling))
    standard, pool = Standard.of(distances), None if kind == "sum" else Pool.parse(kind)

    def combine(values: np.ndarray) -> np.ndarray:
        return pool(standard(values)) if pool else values.sum(axis=1)

    law = CoupledChiLaws(distances[:20_000], np.array(widths), combine)
    achieved = np.mean(combine(distances[20_000:]) > law.threshold(0.05))
    assert achieved == pytest.approx(0.05, abs=0.003 + 2 * np.sqrt(0.05 * 0.95 / 20_000))


def test_fewer_images_than_distances_still_give_a_law():
    distances = np.sqrt(gaussian_features(np.random.default_rng(4), 25, (9,) * 40, 0.5))
    law = CoupledChiLaws(distances, np.full(40, 9), partial(np.mean, axis=1))
    assert law.draws.mean() == pytest.approx(stats.chi.mean(9), rel=0.01)  # whatever the correlations


def test_p_values_and_thresholds_agree_and_draws_repeat():
    distances = np.sqrt(gaussian_features(np.random.default_rng(5), 200, (7, 9), 0.4))
    law, again = (CoupledChiLaws(distances, np.array([7, 9]), SUM) for _ in range(2))
    assert np.array_equal(law.draws, again.draws)
    for target in (0.2, 0.01):
        assert law.p_values(np.array([law.threshold(target)])) == pytest.approx(target, abs=2 / DRAWS)
    assert law.p_values(np.array([np.inf])) == 1 / (DRAWS + 1)


def test_what_the_draws_cannot_support_is_refused():
    law = CoupledChiLaws(np.random.default_rng(6).normal(size=(20, 2)), np.array([3, 3]), SUM)
    with pytest.raises(SampleTooSmall, match=r"from 0\.005 %, not 0\.004 %; choose a higher rate, or a single level"):
        law.threshold(4e-5)
