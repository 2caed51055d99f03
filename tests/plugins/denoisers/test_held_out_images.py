"""What trained denoisers hold out: real images that training never sees."""

from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits, load_sample_images
from torch import Generator, Tensor

from harness.discovery.registry import component


def seeded() -> Generator:
    return torch.Generator().manual_seed(0)


def test_no_scan_is_both_trained_on_and_held_out() -> None:
    denoiser = component("denoiser", "digits")
    held = denoiser.reference_data(None)
    drawn = denoiser.source()(40000, seeded())
    every = {tuple(row) for row in load_digits().data.tolist()}
    left, used = ({tuple(row) for row in ((x.flatten(1) + 1) * 8).tolist()} for x in (held, drawn))
    assert held.shape == (400, 1, 8, 8)
    assert not left & used
    assert left | used == every
    assert float(drawn.min()) == -1
    assert float(drawn.max()) == 1


def test_as_many_of_every_digit_are_held_out() -> None:
    table = load_digits()
    kind = {tuple(row): int(target) for row, target in zip(table.data.tolist(), table.target, strict=True)}
    held = component("denoiser", "digits").reference_data(None)
    counts = torch.tensor([kind[tuple(row)] for row in ((held.flatten(1) + 1) * 8).tolist()]).bincount(minlength=10)
    assert counts.min() >= 30


@pytest.mark.parametrize(("size", "patches"), [(8, 2120), (16, 520)])
def test_patches_held_out_are_of_columns_not_trained_on(size: int, patches: int) -> None:
    denoiser = component("denoiser", "patches", size=size)
    held, drawn = denoiser.reference_data(None), denoiser.source()(40, seeded())
    assert held.shape == (patches, 3, size, size)
    assert drawn.shape == (40, 3, size, size)
    photographs = [torch.from_numpy(image.copy()).permute(2, 0, 1) for image in load_sample_images().images]
    for patch in drawn:
        assert any(column % 128 + size <= 96 for column in _columns(patch, photographs))
    for patch in held[:: patches // 10]:
        assert any(column % 128 >= 96 for column in _columns(patch, photographs))


def _columns(patch: Tensor, photographs: list[Tensor]) -> set[int]:
    """The columns at which a patch stands in one of the photographs."""
    gray, size = ((patch + 1) * 127.5).round().to(torch.uint8), patch.shape[-1]
    found = set()
    for photograph in photographs:
        rows = (photograph[:, : -size + 1, : -size + 1] == gray[:, :1, :1]).all(0).nonzero()
        for row, column in rows.tolist():
            if torch.equal(photograph[:, row : row + size, column : column + size], gray):
                found.add(column)
    return found
