"""Reference of samples where the suite names one: a data set, or the mean and covariance of features."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from harness.diffusion.model import DiffusionModel
from harness.errors import BenchError, Skip, near_miss
from harness.inputs import NotOffered
from harness.kinds.evaluation import CellContext

ARRAYS = ("mu", "sigma")
"""Arrays of a file of statistics: mean [d] and covariance [d, d] of the reference's features."""
ROUNDING = 1e-4
"""Asymmetry of a covariance that rounding explains, as a share of its largest element."""
SHARE = 0.6
"""Least share of the denoiser's range that data of that range fill."""


class NoSamples(Skip, NotOffered):
    """A metric asks for the reference's samples, and the suite has only their statistics."""

    def __init__(self) -> None:
        super().__init__("it needs samples of the reference, and reference: stats has only their mean and covariance")


def statistics(file: str) -> tuple[Tensor, Tensor]:
    """Return mean [d] and covariance [d, d], float64, of a file `.npz` with the arrays `mu` and `sigma`.

    Raises BenchError that names the file and what in it does not fit.
    """
    try:
        if not zipfile.is_zipfile(file):
            raise BenchError("is no .npz file with the arrays mu and sigma")
        with numpy.load(file, allow_pickle=False) as content:
            missing = [name for name in ARRAYS if name not in content.files]
            if missing:
                raise BenchError(f"has no array {missing[0]!r}{near_miss(missing[0], content.files)}")
            mean, covariance = (_numbers(name, content[name]) for name in ARRAYS)
    except BenchError as error:
        raise BenchError(error.what, file) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BenchError(f"cannot be read: {str(error).splitlines()[0]}", file) from None
    if wrong := _wrong(mean, covariance):
        raise BenchError(wrong, file)
    return mean, covariance


def _numbers(name: str, array: Any) -> Tensor:
    if array.dtype.kind not in "fiu":
        raise BenchError(f"{name} holds no real numbers but {array.dtype}")
    return torch.from_numpy(numpy.asarray(array, dtype=numpy.float64))


def _wrong(mean: Tensor, covariance: Tensor) -> str | None:
    """Return why two arrays are no mean and covariance, or None."""
    d = mean.numel()
    if mean.ndim != 1 or covariance.shape != (d, d):
        return f"expected mu [d] and sigma [d, d], found {[*mean.shape]} and {[*covariance.shape]}"
    for name, array in zip(ARRAYS, (mean, covariance), strict=True):
        if not bool(torch.isfinite(array).all()):
            return f"{name} holds NaN or infinity"
    off = float((covariance - covariance.T).abs().max())
    if off > ROUNDING * float(covariance.abs().max()):
        return f"sigma is not symmetric: two opposite elements differ by {off:.3g}"
    if bool((covariance.diagonal() < 0).any()):
        return f"sigma has the variance {float(covariance.diagonal().min()):.3g}"
    return None


def check_width(file: str, mean: Tensor, feature: object, width: int) -> None:
    """Raise BenchError if a file holds the statistics of other features than those of the suite."""
    if len(mean) != width:
        what = f"holds statistics of {len(mean):,} features, {feature!r} has {width:,} of these samples"
        raise BenchError(what, file)


def of_data_set(case: CellContext, model: DiffusionModel) -> Tensor | None:
    """Return every input of the suite's data set in the shape and range of samples [n, *shape]; None without one.

    Raises BenchError for another shape, missing values, and values that seem to be of another range.
    """
    name, table = case.components.get("dataset"), case.artifacts.get("dataset")
    if name is None or table is None:
        return None
    if table.label_noise or table.imbalance != 1:
        raise BenchError(f"reference: {name!r}: label_noise and imbalance are for training, not for a reference")
    x: Tensor = table.inputs
    if x.ndim == 2 and x.shape[1] == torch.Size(model.shape).numel():
        x = x.view(-1, *model.shape)
    if x.shape[1:] != model.shape:
        raise BenchError(f"reference: {name!r} holds {[*x.shape[1:]]}, the samples are {[*model.shape]}")
    if bool(x.isnan().any()):
        raise BenchError(f"reference: {name!r} has missing values")
    return _in_range(x, case.reference.get("range"), model.data_range, name)


def _in_range(x: Tensor, ends: Any, bounds: Sequence[float] | None, name: object) -> Tensor:
    """Map the `ends` of the data's range to those of the denoiser's."""
    if bounds is None:
        if ends is not None:
            raise BenchError("reference.range: the denoiser declares no data_range that it could be mapped to")
        return x
    low, high = bounds
    if ends is not None and [*ends] == [low, high]:
        return x
    if ends is not None:
        scale = (high - low) / (float(ends[1]) - float(ends[0]))
        return low + (x - float(ends[0])) * scale
    least, most = float(x.min()), float(x.max())
    slack = 1e-3 * (high - low)
    if least < low - slack or most > high + slack or most - least < SHARE * (high - low):
        found = f"{name!r} has values from {least:.3g} to {most:.3g}, the denoiser's data are from {low:g} to {high:g}"
        raise BenchError(f"reference: {found}: say which range it has, as in range: [0, 1]")
    return x
