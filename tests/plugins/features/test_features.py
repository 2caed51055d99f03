"""The features against scikit-learn and scipy, and what the digits' network knows of scans it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
import sklearn.datasets
import sklearn.decomposition
import torch
from torch import Tensor

from harness import BenchError
from harness.discovery.registry import component


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def apply(name: str, data: Tensor, x: Tensor, **fields: Any) -> Tensor:
    feature = component("feature", name, **fields)
    result: Tensor = feature(feature.prepare(data), x)
    return result


def same_but_for_signs(left: Any, right: Any) -> bool:
    """A component's direction may point either way."""
    signs = np.sign((left * right).sum(0))
    return bool(np.allclose(left, signs * right, atol=1e-4))


def test_pixels_are_the_samples() -> None:
    x = draws(5, 2, 3, 4)
    assert torch.equal(apply("pixels", x, x), x.view(5, 24))


@pytest.mark.parametrize("whiten", [True, False])
def test_pca_is_scikit_learns(whiten: bool) -> None:
    data, x = draws(80, 3, 4) @ draws(4, 4, seed=1) + 2, draws(9, 3, 4, seed=2)
    peer = sklearn.decomposition.PCA(5, whiten=whiten).fit(data.flatten(1).double().numpy())
    found = apply("pca", data, x, components=5, whiten=whiten)
    assert found.shape == (9, 5)
    assert same_but_for_signs(found.numpy(), peer.transform(x.flatten(1).double().numpy()))


def test_pca_has_no_component_without_variance() -> None:
    data = draws(50, 2) @ draws(2, 6, seed=1)
    found = apply("pca", data, data)
    assert found.shape == (50, 2)
    assert torch.allclose(torch.cov(found.T), torch.eye(2, dtype=torch.float64), atol=1e-6)


def seen(filters: Any, picture: Any) -> Any:
    """ReLU of a correlation with zeros around, for each filter."""
    return [
        np.maximum(sum(scipy.signal.correlate2d(p, k, "same") for p, k in zip(picture, each, strict=True)), 0)
        for each in filters
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_random_convolutions_are_scipys(channels: int) -> None:
    data, x = draws(60, channels, 8, 8), draws(4, channels, 8, 8, seed=1)
    feature = component("feature", "random_convolution", components=6)
    prepared = feature.prepare(data)
    first, second = (prepared[layer].double().numpy() for layer in ("first", "second"))
    assert first.shape == (24, channels, 3, 3)
    assert second.shape == (32, 24, 3, 3)

    def by_scipy(pictures: Tensor) -> Any:
        halved = [
            [layer.reshape(4, 2, 4, 2).mean((1, 3)) for layer in seen(first, picture)]
            for picture in pictures.double().numpy()
        ]
        quarters = [[layer.reshape(2, 2, 2, 2).mean((1, 3)).ravel() for layer in seen(second, h)] for h in halved]
        return np.array(quarters).reshape(len(pictures), 128)

    peer = sklearn.decomposition.PCA(6, whiten=True, svd_solver="full").fit(by_scipy(data))
    assert same_but_for_signs(feature(prepared, x).numpy(), peer.transform(by_scipy(x)))


def test_random_convolutions_are_the_same_for_everybody() -> None:
    x = draws(40, 1, 8, 8)
    state = torch.get_rng_state()
    assert torch.equal(apply("random_convolution", x, x), apply("random_convolution", x, x[:, 0]))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(2,), (1, 3, 8), (4, 1, 8, 8)])
def test_random_convolutions_need_pictures(shape: tuple[int, ...]) -> None:
    with pytest.raises(BenchError, match="pictures of 4x4 or more, not samples"):
        component("feature", "random_convolution").prepare(draws(5, *shape))


def forward(weights: dict[str, Tensor], x: Any) -> tuple[Any, Any]:
    """Last hidden layer and logits."""
    parts = [part.double().numpy() for part in weights.values()]
    for weight, bias in (parts[:2], parts[2:4]):
        x = np.maximum(x @ weight.T + bias, 0)
    return x, x @ parts[4].T + parts[5]


def test_the_digits_classifier_knows_scans_it_has_not_seen() -> None:
    component("feature", "digits_classifier")
    from harness.stock.features.digits_classifier import train

    scans, labels = sklearn.datasets.load_digits(return_X_y=True)
    held = np.arange(len(scans)) % 4 == 3
    weights = train(torch.from_numpy(scans[~held]).float() / 16, torch.from_numpy(labels[~held]).long())
    right = forward(weights, scans[held] / 16)[1].argmax(1) == labels[held]
    assert right.mean() > 0.955  # 97 % with a deviation of .8 % for 449 scans


@pytest.mark.verify
@pytest.mark.parametrize("low, high", [(-1.0, 1.0), (0.0, 1.0)])
def test_the_digits_classifier_answers_with_its_last_hidden_layer(low: float, high: float) -> None:
    scans = sklearn.datasets.load_digits().data / 16
    x = torch.from_numpy(low + (high - low) * scans).float().view(-1, 1, 8, 8)
    feature = component("feature", "digits_classifier", low=low, high=high)
    state = torch.get_rng_state()
    with torch.no_grad():
        prepared = feature.prepare(x)
    assert torch.equal(state, torch.get_rng_state())
    found = feature(prepared, x)
    assert found.shape == (1797, 32)
    assert not found.requires_grad
    assert np.allclose(found.numpy(), forward(prepared, scans)[0], atol=1e-4)
    assert all(torch.equal(part, prepared[name]) for name, part in feature.prepare(x).items())


def test_the_digits_classifier_needs_digits() -> None:
    with pytest.raises(BenchError, match=r"8x8 pictures, not samples \[3, 8, 8\]"):
        component("feature", "digits_classifier").prepare(draws(5, 3, 8, 8))


def test_inception_says_what_is_missing(tmp_path: Any) -> None:
    feature = component("feature", "inception", weights=str(tmp_path / "none.pth"))
    with pytest.raises(BenchError, match=r"needs torch-fidelity|no weights at .*none\.pth"):
        feature.prepare(draws(2, 3, 8, 8))
    with pytest.raises(BenchError, match=r"pictures of 1 or 3 channels, not samples \[2\]"):
        feature.prepare(draws(5, 2))
