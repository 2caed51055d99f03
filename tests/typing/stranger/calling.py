"""Components and results as a script uses them: every type here is known to a checker."""

from __future__ import annotations

from typing import assert_type

import numpy as np
import torch
from torch import Tensor

import harness
from harness import DiffusionModel, GeometricSchedule, Learned

from .learning import Halved, Powers, Sharpened
from .sampling import Average, Normal, Pictures, Points, Rational, Steps


def fields() -> None:
    """Fields are keyword arguments with the types of their annotations."""
    loss = Halved(loss=Sharpened(last=3.0))
    assert_type(loss.loss(torch.zeros(2, 3), torch.zeros(2).long()), Tensor)
    assert_type(Sharpened(last=1).last, float)
    assert_type(Powers(exponent=2.0)(torch.zeros(3)), Tensor)


def declared() -> None:
    """Attributes that a kind declares have their type however a component sets them."""
    shapes: list[tuple[int, ...]] = [Normal().shape, Pictures(shape=(3, 8, 8)).shape, Points(dim=5).shape]
    ranges: list[tuple[float, float] | None] = [Normal().data_range, Pictures(data_range=None).data_range]
    orders: list[float | None] = [Steps().order, Steps(noise_share=0.5).order]
    print(shapes, ranges, orders, Rational(num_train_timesteps=100).num_train_timesteps)


def used() -> None:
    """The functions of the door."""
    model = harness.denoiser("gaussian", dim=2)
    assert_type(model, DiffusionModel)
    assert_type(harness.sample(Normal(), sampler=Steps(), steps=4, n=8), Tensor)
    generator = torch.Generator().manual_seed(0)
    fitted = Average().fit(model, model.sample(100, generator), generator)
    covariance = Average().bind(model, fitted)
    print(covariance(torch.zeros(1, 2), 5.0, 4.0, torch.zeros(1, 2)))
    found = harness.compare(np.zeros(8), np.ones(8))
    print(found.verdict, found.difference, found.low, found.high, found.p, found.needed)


def dynamic() -> None:
    """Learned and scheduled values are made from Python by name: a field's type is that of its values."""
    print(harness.component("loss", "sharpened", last=Learned(2.0)), GeometricSchedule(10.0, 0.1).at(0.5))
