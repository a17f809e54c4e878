"""Whitening layers: their length is the distance, and a file gives them back to the bit."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.covariance import LedoitWolf

from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL, NPCA_5, Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.whitening import Whitening, inverse_cholesky

REDUCTIONS = [ALL, NPCA_5, Reduction("pca", 0.95)]


def samples(n: int, dimension: int = 12):
    rng = np.random.default_rng(n)
    mixing = rng.normal(size=(dimension, dimension)) * np.logspace(0, -2, dimension)
    X = rng.normal(size=(n + 9, dimension)) @ mixing + 3
    return X[:n], X[n:] + 0.1


@pytest.mark.parametrize("n", [8, 60])  # fewer and more images than features
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_the_length_is_the_distance(n, reduction):
    X, new = samples(n)
    gaussian = fit_gaussian(X)
    lengths = Whitening.of(gaussian, reduction, dtype=torch.float64)(torch.from_numpy(new)).norm(dim=1).numpy()
    assert_allclose(lengths, gaussian.spectrum.distances(gaussian.coordinates(new), reduction), rtol=1e-10)


@pytest.mark.parametrize("n", [8, 60])
def test_the_squared_length_is_scikit_learns(n):
    X, new = samples(n)
    layer = Whitening.of(fit_gaussian(X), dtype=torch.float64)
    squares = layer(torch.from_numpy(new)).square().sum(dim=1).numpy()
    assert_allclose(squares, LedoitWolf().fit(X).mahalanobis(new), rtol=1e-9)


def test_it_is_the_inverse_cholesky_factor():
    X, _ = samples(60)
    covariance = LedoitWolf().fit(X).covariance_
    weight = inverse_cholesky(fit_gaussian(X))
    assert_allclose(weight, np.linalg.inv(np.linalg.cholesky(covariance)).T, rtol=1e-7, atol=1e-9)
    assert_allclose(weight.T @ covariance @ weight, np.eye(12), atol=1e-9)


def test_a_file_gives_it_back_to_the_bit(tmp_path):
    X, new = samples(60)
    layer = Whitening.of(fit_gaussian(X), NPCA_5, facts={"backbone": "none"})
    layer.save(tmp_path / "layer.safetensors")
    again = Whitening.load(tmp_path / "layer.safetensors", trainable=True)
    x = torch.from_numpy(new).float()
    assert torch.equal(layer(x), again(x))
    assert again.facts == {"backbone": "none"}
    assert [tuple(one.shape) for one in again.parameters()] == [(12,), tuple(layer.weight.shape)]
    assert not list(layer.parameters())
    assert [path.name for path in tmp_path.iterdir()] == ["layer.safetensors"]


def test_what_is_no_layer_is_refused(tmp_path):
    X, _ = samples(60)
    path = tmp_path / "layer.safetensors"
    Whitening.of(fit_gaussian(X)).save(path)
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole.replace(b"gad whitening 1", b"gad whitening 9")):
        path.write_bytes(content)
        with pytest.raises(GadError, match=r"save one with Whitening\.save"):
            Whitening.load(path)
    with pytest.raises(GadError, match=r"save one with Whitening\.save"):
        Whitening.load(tmp_path / "nowhere")


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    X, _ = samples(60)
    with pytest.raises(GadError, match="choose a file that you may write"):
        Whitening.of(fit_gaussian(X)).save(tmp_path / "nowhere" / "layer.safetensors")
