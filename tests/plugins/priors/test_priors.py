"""Where sampling starts: shapes, repeatability and laws."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy import stats

from harness import BenchError
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())


def draw(name: str, *shape: int, seed: int = 0, **fields: Any) -> torch.Tensor:
    prior = REGISTRY.build("prior", {"name": name, **fields})
    found: torch.Tensor = prior.draw(shape, torch.Generator().manual_seed(seed))
    return found


@pytest.mark.parametrize("name", ["normal", "truncated"])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 8, 8)])
def test_draws_are_repeatable_and_in_shape(name: str, shape: tuple[int, ...]) -> None:
    x = draw(name, *shape)
    assert x.shape == shape and x.dtype == torch.float32
    assert torch.equal(x, draw(name, *shape)) and not torch.equal(x, draw(name, *shape, seed=1))


@pytest.mark.parametrize(("name", "fields", "scale"), [("normal", {}, 1.0), ("truncated", {"psi": 0.5}, 0.5)])
def test_the_law_is_normal(name: str, fields: dict[str, float], scale: float) -> None:
    x = draw(name, 20000, **fields).double().numpy()
    assert stats.kstest(x, stats.norm(scale=scale).cdf).pvalue > 1e-3


def test_truncation_shrinks_the_same_draws() -> None:
    x = draw("normal", 6, 4)
    assert torch.equal(draw("truncated", 6, 4, psi=1.0), x)
    torch.testing.assert_close(draw("truncated", 6, 4, psi=0.25), x / 4, rtol=0, atol=0)
    assert not draw("truncated", 6, 4, psi=0.0).any()


def test_psi_is_a_share() -> None:
    with pytest.raises(BenchError, match="psi"):
        draw("truncated", 2, psi=1.5)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_spherical_interpolation_stays_on_the_circle_through_both_draws(share: float) -> None:
    """Unit vectors turned by a share of the angle between them, by the rotation in their plane."""
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(6, 4, generator=generator).double() for _ in range(2))
    found = draw("interpolated", 6, 4, share=share).double()
    for x, y, z in zip(one, other, found, strict=True):
        first = x / x.norm()
        second = y - (y @ first) * first
        second /= second.norm()
        angle = torch.atan2(y @ second, y @ first)
        at = torch.linalg.solve(
            torch.stack([first, second]) @ torch.stack([x, y]).T, torch.stack([z @ first, z @ second])
        )
        unit = at[0] * x.norm() * first + at[1] * y.norm() * y / y.norm()
        # The same weights on unit vectors give the unit vector at a share of the angle.
        turned = at[0] * first + at[1] * y / y.norm()
        wanted = torch.cos(share * angle) * first + torch.sin(share * angle) * second
        torch.testing.assert_close(turned, wanted, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(unit, z, rtol=1e-5, atol=1e-6)


def test_in_the_middle_spherical_draws_keep_the_norm_of_noise_and_linear_ones_lose_half_of_its_square() -> None:
    plain, sphere, line = (
        draw(*name, 4000, 64, **fields).double().square().mean()
        for name, fields in ((["normal"], {}), (["interpolated"], {}), (["interpolated"], {"form": "linear"}))
    )
    assert float(plain) == pytest.approx(1, abs=0.02) and float(sphere) == pytest.approx(1, abs=0.02)
    assert float(line) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("form", ["spherical", "linear"])
def test_the_ends_of_an_interpolation_are_the_draws(form: str) -> None:
    torch.testing.assert_close(draw("interpolated", 8, 3, form=form, share=0.0), draw("normal", 8, 3))
    assert bool(draw("interpolated", 8, form=form).isfinite().all())


@pytest.mark.parametrize("form", ["spherical", "linear"])
def test_frames_go_from_one_draw_to_another(form: str) -> None:
    frames, whole = draw("interpolated", 8, 3, form=form, frames=4), range(4)
    shares = [draw("interpolated", 8, 3, form=form, share=k / 3) for k in whole]
    torch.testing.assert_close(frames[:4], torch.stack([shares[k][0] for k in whole]))
    torch.testing.assert_close(frames[4:], torch.stack([shares[k][1] for k in whole]))
