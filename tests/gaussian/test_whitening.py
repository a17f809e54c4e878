"""The norm after whitening is the distance; the layer is the inverse Cholesky factor; its file is whole or refused."""

import numpy as np
import pytest
import safetensors.torch
import scipy.linalg
import torch
from sklearn.covariance import LedoitWolf

import gad_core as gad
from gad_core.errors import GadError
from gad_core.gaussian.reduction import ALL, NPCA_5, Reduction
from gad_core.gaussian.spectrum import fit_gaussian
from gad_core.gaussian.tuning import DISTANCES, Tuning
from gad_core.gaussian.whitening import Whitening

REDUCTIONS = (ALL, Reduction("pca", 0.9), NPCA_5)
LEVEL = 3  # of the detector: 90 features, 50 images


def samples(n: int, n_features: int = 40) -> np.ndarray:
    rng = np.random.default_rng(8)
    mixing = rng.normal(size=(n_features, n_features)) * np.logspace(0, -2, n_features)
    return rng.standard_t(6, (n, n_features)) @ mixing + 3


def norms(whitening: Whitening, X: np.ndarray) -> np.ndarray:
    return whitening(torch.from_numpy(X)).norm(dim=1).detach().numpy()


@pytest.mark.parametrize("n", [25, 300], ids=["n < D", "n > D"])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
def test_the_norm_is_the_distance(reduction, distance, n):
    gaussian, new = fit_gaussian(samples(n)), samples(400)[300:]
    whitening = Whitening.of(gaussian, reduction=reduction, distance=distance)
    expected = gaussian.spectrum.distances(gaussian.coordinates(new), reduction, distance=distance)
    np.testing.assert_allclose(norms(whitening, new), expected, rtol=1e-10)


@pytest.mark.parametrize("n", [25, 300], ids=["n < D", "n > D"])
def test_the_norm_is_scikit_learns_mahalanobis_distance(n):
    X, new = samples(n), samples(400)[300:]
    expected = np.sqrt(LedoitWolf().fit(X).mahalanobis(new))
    np.testing.assert_allclose(norms(Whitening.of(fit_gaussian(X)), new), expected, rtol=1e-10)


@pytest.mark.parametrize("n", [25, 300], ids=["n < D", "n > D"])
def test_with_all_components_the_layer_is_the_inverse_cholesky_factor(n):
    X = samples(n)
    weight = Whitening.of(fit_gaussian(X)).weight.numpy()
    factor = np.linalg.cholesky(LedoitWolf().fit(X).covariance_)
    assert weight.shape == (40, 40)
    np.testing.assert_array_equal(weight, np.triu(weight))
    np.testing.assert_allclose(factor.T @ weight, np.eye(40), atol=1e-9)


@pytest.mark.parametrize("n", [25, 300], ids=["n < D", "n > D"])
def test_the_normal_images_are_white_but_for_the_shrinkage(n):
    X = samples(n)
    whitening, shrunk = Whitening.of(fit_gaussian(X)), LedoitWolf().fit(X)
    white = np.cov(whitening(torch.from_numpy(X)).numpy(), rowvar=False, bias=True)
    inverse = scipy.linalg.inv(np.linalg.cholesky(shrunk.covariance_))
    np.testing.assert_allclose(white, inverse @ np.cov(X, rowvar=False, bias=True) @ inverse.T, atol=1e-9)
    # (1 - rho) L^-1 S L^-T is what the identity leaves for the shrinkage's rho mu L^-1 L^-T.
    rho, mu = shrunk.shrinkage_, np.trace(np.cov(X, rowvar=False, bias=True)) / 40
    np.testing.assert_allclose((1 - rho) * white + rho * mu * inverse @ inverse.T, np.eye(40), atol=1e-9)


def test_a_layer_of_a_detector_has_its_tuning_and_its_facts(detector, features):
    tuning = Tuning((LEVEL,), NPCA_5)
    whitening = Whitening.of_level(detector, LEVEL, tuning=tuning)
    np.testing.assert_allclose(
        norms(whitening, features[:, detector.slices[LEVEL - 1]]), detector.scores(features, tuning), rtol=1e-10
    )
    facts = whitening.facts
    assert (facts.backbone, facts.level, facts.fingerprint) == ("tf_efficientnet_lite0", LEVEL, "f" * 64)
    assert Whitening.of_level(detector, LEVEL).facts.reduction == detector.tuning.reduction


def test_in_float32_it_gives_the_distance_to_single_precision(detector, features):
    X = features[50:, detector.slices[LEVEL - 1]]
    single = Whitening.of_level(detector, LEVEL, dtype=torch.float32)
    assert single(torch.from_numpy(X)).dtype == torch.float32
    np.testing.assert_allclose(norms(single, X), norms(Whitening.of_level(detector, LEVEL), X), rtol=1e-4)


def test_only_a_trainable_layer_has_gradients_and_only_of_its_weight(detector, features):
    X = torch.from_numpy(features[:, detector.slices[LEVEL - 1]])
    assert not Whitening.of_level(detector, LEVEL)(X).requires_grad
    trainable = Whitening.of_level(detector, LEVEL, trainable=True)
    trainable(X).square().sum().backward()
    assert trainable.weight.grad.abs().sum() > 0
    assert [name for name, _ in trainable.named_parameters()] == ["weight"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", [ALL, NPCA_5], ids=str)
def test_a_saved_layer_gives_the_same_bits(detector, features, tmp_path, reduction, dtype):
    made = Whitening.of_level(detector, LEVEL, tuning=Tuning((LEVEL,), reduction), dtype=dtype)
    made.save(tmp_path / "a.safetensors")
    loaded = gad.Whitening.load(tmp_path / "a.safetensors", fingerprint=detector.fingerprint)
    X = torch.from_numpy(features[:, detector.slices[LEVEL - 1]])
    assert torch.equal(loaded(X), made(X))
    assert loaded.facts == made.facts
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_layer_of_a_gaussian_alone_is_saved_too(tmp_path):
    made = Whitening.of(fit_gaussian(samples(25)), distance="sed")
    made.save(tmp_path / "a.safetensors")
    loaded = Whitening.load(tmp_path / "a.safetensors", trainable=True)
    assert loaded.facts == made.facts
    assert loaded.weight.requires_grad


@pytest.fixture
def saved(detector, tmp_path):
    path = tmp_path / "level.safetensors"
    Whitening.of_level(detector, LEVEL).save(path)
    return path


@pytest.mark.parametrize("damage", ["cut", "changed", "noise", "empty"])
def test_a_damaged_file_is_refused(saved, damage):
    data = saved.read_bytes()
    changed = data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]
    noise = np.random.default_rng(0).bytes(5000)
    saved.write_bytes({"cut": data[: len(data) // 2], "changed": changed, "noise": noise, "empty": b""}[damage])
    with pytest.raises(GadError, match=r"level\.safetensors is damaged.*; copy it again"):
        Whitening.load(saved)


def rewrite(path, tensors, **metadata):
    with safetensors.safe_open(path, framework="pt") as file:
        known, values = file.metadata(), {name: file.get_tensor(name) for name in ("mean", "weight")}
    safetensors.torch.save_file(values | tensors, path, known | metadata)


@pytest.mark.parametrize(
    ("tensors", "metadata", "words"),
    [
        ({"mean": torch.zeros(7, dtype=torch.float64)}, {}, r"shapes \(7,\) and \(90, \d+\)"),
        ({"mean": torch.zeros(90)}, {}, "do not fit together"),
        ({"weight": torch.zeros(90, 90, dtype=torch.int64)}, {}, "float32 or float64"),
        ({"bias": torch.zeros(9)}, {}, "does not hold a mean and a weight"),
        ({}, {"format": "pt"}, "is no whitening"),
        ({}, {"reduction": "half"}, "does not say what it was made from"),
        ({}, {"level": "top"}, "does not say what it was made from"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(saved, tensors, metadata, words):
    rewrite(saved, tensors, **metadata)
    with pytest.raises(GadError, match=words):
        Whitening.load(saved)


def test_a_file_made_for_other_weights_is_refused(saved):
    with pytest.raises(GadError, match=r"made for other weights \(ffffffff\) than those given \(00000000\)"):
        Whitening.load(saved, fingerprint="0" * 64)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GadError, match=r"no whitening file .*nothing\.safetensors"):
        Whitening.load(tmp_path / "nothing.safetensors")


def test_a_folder_that_cannot_be_written_is_named(detector, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(GadError, match=r"cannot write .*choose another folder"):
        Whitening.of_level(detector, LEVEL).save(tmp_path / "file" / "a.safetensors")


def test_features_of_another_level_are_refused(detector, features):
    with pytest.raises(GadError, match="level 3 has 90 features, got 108"):
        Whitening.of_level(detector, LEVEL)(torch.from_numpy(features))


def test_a_level_that_the_detector_does_not_have_is_refused(detector):
    with pytest.raises(GadError, match="no level 4; choose one of 1 to 3"):
        Whitening.of_level(detector, 4)


def test_another_precision_is_refused(detector):
    with pytest.raises(GadError, match=r"float32 or float64, got torch\.bfloat16"):
        Whitening.of_level(detector, LEVEL, dtype=torch.bfloat16)


def test_two_images_in_many_dimensions_ask_for_more():
    with pytest.raises(GadError, match=r"covariance of 2 images is singular.*add normal images"):
        Whitening.of(fit_gaussian(samples(2)))
