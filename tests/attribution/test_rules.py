"""The rules add up, equal captum's where those hold, and come close to Shapley values; the rest is refused."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import DeepLiftShap
from torch import nn

from gad_core.attribution import propagation
from gad_core.errors import NotExplained


def deep_shap(scores, image, references, **options):
    """Of one image (1, ...): attributions (L, ...) and scores (1 + R, L)."""
    attributions, distances = propagation.deep_shap(scores, image, references, **options)
    return attributions[0], distances[0]


def gap(attributions, scores):
    return abs(attributions.sum() - (scores[0] - scores[1:].mean(0)).sum()) / scores[0].abs().sum()


def images(n, *shape, seed=0):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain(function):
    """A score of images (N, 3, 8, 8) from a function of (N, 192)."""
    weights = images(192, 16, seed=7) / 14
    return lambda x: function(x.flatten(1) @ weights).sum(1, keepdim=True)


FUNCTIONS = {
    "silu": F.silu,
    "relu in place": lambda h: F.relu(h.clone(), inplace=True),
    "relu6": lambda h: F.relu6(3 * h),
    "hardswish": F.hardswish,
    "gelu": F.gelu,
    "sigmoid": torch.sigmoid,
    "clamp": lambda h: h.clamp(-0.5, 0.5),
    "square": torch.square,
    "power": lambda h: h**2,
    "product": lambda h: h * torch.tanh(h),
    "gate": lambda h: h * h.mean(1, keepdim=True).sigmoid(),
    "root": lambda h: (h.square().sum(1, keepdim=True) + 1).sqrt(),
    "residual": lambda h: h + F.relu(h),
    "scaled": lambda h: 3 * h / 7 - 1,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_attributions_add_up_to_the_difference_of_the_scores(name):
    attributions, scores = deep_shap(plain(FUNCTIONS[name]), images(1, 3, 8, 8), images(5, 3, 8, 8, seed=1))
    assert gap(attributions, scores) < 1e-13


def test_overlapping_windows_of_a_maximum_add_up():
    pool = lambda x: F.max_pool2d(x, 3, 2, 1).flatten(1).square().sum(1, keepdim=True)  # noqa: E731
    attributions, scores = deep_shap(pool, images(1, 3, 8, 8), images(5, 3, 8, 8, seed=1))
    assert gap(attributions, scores) < 1e-13


def test_an_image_equal_to_its_reference_has_no_attribution():
    same = images(1, 3, 8, 8)
    attributions, _ = deep_shap(plain(F.silu), same, same.clone())
    assert torch.equal(attributions, torch.zeros_like(attributions))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("function", [F.silu, F.gelu, torch.tanh])
def test_a_step_that_drowns_in_rounding_takes_the_tangent(dtype, function):
    size = 4 * torch.finfo(dtype).eps  # a few units in the last place of inputs near 1
    start = 1 + torch.rand(6, generator=torch.Generator().manual_seed(2), dtype=dtype) / 2
    image, reference = (start + size)[None], start[None]
    attributions, _ = deep_shap(lambda x: function(x).sum(1, keepdim=True), image, reference)
    middle = reference.double().requires_grad_()
    (slope,) = torch.autograd.grad(function(middle).sum(), middle)
    torch.testing.assert_close(attributions, slope * (image - reference).double(), rtol=1e-3, atol=0, check_dtype=False)


def test_a_batch_of_references_is_as_good_as_all_at_once():
    arguments = plain(F.silu), images(1, 3, 8, 8), images(5, 3, 8, 8, seed=1)
    whole, scores = deep_shap(*arguments)
    parts, again = deep_shap(*arguments, reference_batch=2)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(again, scores)


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks")  # captum's way
def test_without_max_pooling_relu_networks_equal_captums():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 1)
    )
    network.double().requires_grad_(False)
    image, references = images(1, 3, 8, 8), images(5, 3, 8, 8, seed=1)
    expected = DeepLiftShap(network).attribute(image, references)
    attributions, _ = deep_shap(network, image, references)
    torch.testing.assert_close(attributions, expected.detach(), rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        (1, {}),
        (1, {"stride": 2}),
        (1, {"groups": 2}),
        (1, {"padding": 1}),
        (3, {"stride": (2, 1), "padding": (0, 1)}),
        ((3, 2), {"dilation": 2, "stride": 3, "padding": 1}),
        (5, {"stride": 2, "groups": 4}),
    ],
)
def test_the_gradient_of_a_convolution_is_torchs(kernel, options):
    torch.manual_seed(0)
    convolution = nn.Conv2d(4, 8, kernel, **options).double().requires_grad_(False)
    image, references = images(1, 4, 11, 12), images(3, 4, 11, 12, seed=1)
    weights = images(1, *convolution(image).shape[1:], seed=2)
    score = lambda x: (convolution(x) * weights).flatten(1).sum(1, keepdim=True)  # noqa: E731
    attributions, _ = deep_shap(score, image, references)
    (gradient,) = torch.autograd.grad(score(image.requires_grad_()).sum(), image)
    torch.testing.assert_close(attributions, (image - references).mean(0, keepdim=True) * gradient)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 2},
        {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        {"kernel_size": 2, "stride": 2, "ceil_mode": True, "divisor_override": 5},
    ],
)
def test_the_gradient_of_means_over_windows_is_torchs(options):
    image, references = images(1, 4, 11, 12), images(3, 4, 11, 12, seed=1)
    weights = images(1, *F.avg_pool2d(image, **options).shape[1:], seed=2)
    score = lambda x: (F.avg_pool2d(x, **options) * weights).flatten(1).sum(1, keepdim=True)  # noqa: E731
    attributions, _ = deep_shap(score, image, references)
    (gradient,) = torch.autograd.grad(score(image.requires_grad_()).sum(), image)
    torch.testing.assert_close(attributions, (image - references).mean(0, keepdim=True) * gradient)


def shapley(score, image, references):
    """Shapley values by their definition: the mean over references, every coalition of inputs (N, 8) counted."""
    n, players = image.shape[1], range(image.shape[1])
    coalitions = [set(chosen) for size in range(n + 1) for chosen in combinations(players, size)]
    mask = torch.tensor([[player in chosen for player in players] for chosen in coalitions])
    place = {frozenset(chosen): row for row, chosen in enumerate(coalitions)}
    values = torch.zeros(n, dtype=image.dtype)
    for reference in references:
        worth = score(torch.where(mask, image, reference))[:, 0]
        for player in players:
            for chosen in coalitions:
                if player not in chosen:
                    weight = factorial(len(chosen)) * factorial(n - len(chosen) - 1) / factorial(n)
                    values[player] += weight * (
                        worth[place[frozenset(chosen | {player})]] - worth[place[frozenset(chosen)]]
                    )
    return values / len(references)


def small_network(kind, seed):
    torch.manual_seed(seed)
    first, second = (nn.Linear(*shape).double().requires_grad_(False) for shape in ((8, 12), (12, 6)))
    precision = images(6, 6, seed=seed)

    def score(x):
        hidden = F.silu(first(x))
        hidden = hidden * first(x).sigmoid() if kind == "gate" else hidden
        out = second(hidden)
        return (out @ precision).square().sum(1, keepdim=True).sqrt() if kind != "silu" else out.sum(1, keepdim=True)

    return score


@pytest.mark.parametrize("kind", ["silu", "gate", "mahalanobis"])
def test_attributions_come_close_to_exact_shapley_values(kind):
    correlations = []
    for seed in range(12):
        score, image, references = small_network(kind, seed), images(1, 8, seed=seed), images(3, 8, seed=seed + 100)
        with torch.no_grad():
            exact = shapley(score, image, references)
        attributions, _ = deep_shap(score, image, references)
        correlations.append(np.corrcoef(exact, attributions[0])[0, 1])
    assert np.median(correlations) >= 0.95


REFUSED = {
    "no rule": lambda h: h.cumsum(1),
    "softmax": lambda h: h.softmax(1),
    "division by what flows": lambda h: 1 / (h.square() + 1),
    "mean over the batch": lambda h: h - h.mean(0, keepdim=True),
    "mean over the batch, as many features as images": lambda h: h[:, : len(h)] - h[:, : len(h)].mean(0),
    "joined along the batch": lambda h: torch.cat([h, h])[: len(h)],
    "rows in another order": lambda h: h[torch.arange(len(h)).flip(0)],
    "turned": lambda h: h.t(),
    "batch folded": lambda h: h.reshape(-1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_rule_is_refused(name):
    with pytest.raises(NotExplained, match="choose a"):
        deep_shap(plain(REFUSED[name]), images(1, 3, 8, 8), images(3, 3, 8, 8, seed=1))


def test_a_score_that_takes_another_way_for_the_image_is_refused():
    image = images(1, 3, 8, 8)

    def score(x):
        h = x.flatten(1)
        return (F.silu(h) if torch.equal(x.detach()[:1], image) else F.relu(h)).sum(1, keepdim=True)

    with pytest.raises(NotExplained, match="takes another way"):
        deep_shap(score, image, images(3, 3, 8, 8, seed=1))
