"""A network of the user with its weights from a file."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness import BenchError, Denoiser, FilePath, ImportPath, PositiveInt, Schedule, errors, hookimpl, named

from . import _state
from ._labels import by_name


class Checkpoint(Denoiser):
    """Any network, with its weights from a file.

    `module` is the import path `package.module:factory` of a factory that builds the network without weights. The
    network maps (x [b, *shape] float32, times [b]) to its prediction [b, *shape]. With `discrete_time` the times
    are whole numbers from 0 to T - 1, as most networks count them (int64), without it the real t in (0, T]
    (float32), or what `time` says instead of it: sigma, log_sigma, or c_noise, the quarter of a logarithm that
    EDM's take. The weights are the state dict `file`, under `key` where the file holds more than one ("ema.model"
    for a nested one), less `strip_prefix`. `classes` is their number if the network takes class labels [b] int64,
    by the name class_labels, y, labels or class_label; `null_label`, by default the number after the last class,
    stands for none. `reference` holds real data to compare with, an array [n, *shape] in numpy's or torch's form.
    Raises BenchError that names the module or file and what in it does not fit.
    """

    module: ImportPath
    file: FilePath
    key: str = ""
    strip_prefix: str = ""
    shape: tuple[PositiveInt, ...]
    prediction_type: Literal["epsilon", "sample", "v_prediction", "score", "flow"] = "epsilon"
    parameterization: Literal["vp", "ve"] = "vp"
    time: Literal["t", "sigma", "log_sigma", "c_noise"] = "t"
    discrete_time: bool = True
    data_range: tuple[float, float] | None = None
    classes: PositiveInt | None = None
    null_label: int | None = None
    schedule: Schedule = named("linear")
    reference: FilePath = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data_range is not None and not (len(self.data_range) == 2 and self.data_range[0] < self.data_range[1]):
            raise BenchError(f"checkpoint.data_range: expected [low, high], got {list(self.data_range)}")
        if self.time != "t" and self.discrete_time:
            raise BenchError(f"checkpoint.time: {self.time} is a real number, set discrete_time: false")

    def load(self, device: str) -> nn.Module:
        """The network with its weights, on the device."""
        weights = _state.read(self.file, self.key, self.strip_prefix)
        with torch.random.fork_rng(devices=[]):  # for initial weights, which the file replaces
            net = self._built()
        _state.fill(net, weights, self.file)
        return net.to(device).eval().requires_grad_(False)

    def predict(self, net: nn.Module, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Output of the network. Raises BenchError where it is no tensor, and for a network that takes no labels."""
        guess = net(x.float(), (t - 1).long() if self.discrete_time else t.float(), **by_name(net, labels))
        if not isinstance(guess, Tensor):
            raise BenchError(f"checkpoint: {self.module} returns a {type(guess).__name__}, not a tensor")
        return guess.to(x)

    def reference_data(self, net: nn.Module) -> Tensor | None:
        """Data of `reference`."""
        return _state.reference(self.reference, self.shape)

    def _built(self) -> nn.Module:
        try:
            net = self._factory()()
        except BenchError:
            raise
        except Exception as error:
            raise BenchError(f"checkpoint.module: {self.module}() failed: {_said(error)}") from error
        if not isinstance(net, nn.Module):
            raise BenchError(
                f"checkpoint.module: {self.module}() returned a {type(net).__name__}, not a torch.nn.Module"
            )
        return net

    def _factory(self) -> Callable[[], Any]:
        path, _, attribute = self.module.partition(":")
        if not attribute:
            raise BenchError(f"checkpoint.module: expected package.module:factory, got {self.module!r}")
        try:
            target: Any = importlib.import_module(path)
        except Exception as error:  # a module may raise anything
            raise BenchError(f"checkpoint.module: {path} cannot be imported: {_said(error)}") from error
        for name in attribute.split("."):
            if not hasattr(target, name):
                known = [word for word in dir(target) if not word.startswith("_")]
                raise BenchError(f"checkpoint.module: {path} has no {name!r}{errors.near_miss(name, known)}")
            target = getattr(target, name)
        if not callable(target):
            raise BenchError(f"checkpoint.module: {self.module} cannot be called: it must build a torch.nn.Module")
        factory: Callable[[], Any] = target
        return factory


def _said(error: Exception) -> str:
    first = str(error).split("\n")[0]
    return f"{type(error).__name__}: {first}"


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Checkpoint]
