"""Pipelines of the diffusers library."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from harness.stock.denoisers import _state

from harness import BenchError, Denoiser, File, Schedule, errors, hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn

PREDICTS = {"epsilon": "eps", "sample": "x0", "v_prediction": "v"}
"""What a scheduler's `prediction_type` is called here."""


class Diffusers(Denoiser):
    """The `UNet2DModel` of a saved pipeline of the diffusers library: its folder, or its id on the Hugging Face hub.

    The library's own loader reads it, from its cache alone where HF_HUB_OFFLINE is set. The schedule and what the
    network predicts are those of the pipeline's scheduler; of a network that guesses variances too only the mean is
    used. Whole times only: the library counts them from 0, so its network is given t - 1. `reference` holds real data
    to compare with, an array [n, *shape] in numpy's or torch's form. Raises BenchError where the library is missing or
    a file cannot be read.
    """

    pipeline: str
    reference: File = ""

    discrete: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        config = _loaded("UNet2DModel", "load_config", self.pipeline, "unet")
        size = config["sample_size"]
        height, width = size if isinstance(size, (list, tuple)) else (size, size)
        return config["in_channels"], height, width

    @property
    def predicts(self) -> str:
        """What the network was trained to say. Raises BenchError where the library's word has no meaning here."""
        word = _scheduler(self.pipeline).config.prediction_type
        if word not in PREDICTS:
            raise BenchError(
                f"diffusers: {self.pipeline}: no prediction_type {word!r}{errors.near_miss(word, PREDICTS)}"
            )
        return PREDICTS[word]

    @property
    def schedule(self) -> Schedule:
        """What the pipeline's scheduler has as betas."""
        return PipelineSchedule(pipeline=self.pipeline, steps=len(_scheduler(self.pipeline).betas))

    def load(self, device: str) -> nn.Module:
        """The network, on the device."""
        net: nn.Module = _loaded("UNet2DModel", "from_pretrained", self.pipeline, "unet", low_cpu_mem_usage=False)
        return net.to(device).eval().requires_grad_(False)

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """The network's answer, without its guess of variances."""
        guess: Tensor = net(x.to(net.dtype), (t - 1).long()).sample[:, : x.shape[1]]
        return guess.to(x)

    def trunk(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        """What goes into the norm before the last layer."""
        found: list[Tensor] = []
        hook = net.conv_norm_out.register_forward_pre_hook(lambda _, given: found.append(given[0]))
        try:
            self.predict(net, x, t)
        finally:
            hook.remove()
        return found[0].float()

    def data(self, net: Any) -> Tensor | None:
        """The data of `reference`."""
        return _state.reference(self.reference, self.shape)


class PipelineSchedule(Schedule):
    """A_t of a pipeline's scheduler at whole times; between them log A_t is a straight line."""

    pipeline: str

    def alpha_bar(self, t: Tensor | float) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape."""
        t = torch.as_tensor(t, dtype=torch.float64)
        steps = torch.log1p(-_scheduler(self.pipeline).betas.double()).to(t.device)
        logs = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
        left = t.floor().clamp(0, self.steps - 1).long()
        return torch.lerp(logs[left], logs[left + 1], t - left).exp()


@functools.cache
def _scheduler(pipeline: str) -> Any:
    """Betas and prediction type; the class does not matter, as every scheduler writes the same words for them."""
    return _loaded("DDPMScheduler", "from_pretrained", pipeline, "scheduler")


def _loaded(cls: str, method: str, pipeline: str, part: str, **options: Any) -> Any:
    """What a class of the library reads of a part of the pipeline."""
    try:
        import diffusers
    except ImportError:
        raise BenchError("diffusers: the library diffusers is not installed: pip install diffusers") from None
    folder = Path(pipeline).expanduser()
    local = folder.is_dir()
    if not local and pipeline.startswith((".", "/", "~")):
        beside = [other.name for other in folder.parent.iterdir() if other.is_dir()] if folder.parent.is_dir() else []
        raise BenchError(f"diffusers: no folder {pipeline}{errors.near_miss(folder.name, beside)}")
    read = getattr(getattr(diffusers, cls), method)
    try:
        return read(str(folder) if local else pipeline, subfolder=part, local_files_only=local, **options)
    except Exception as error:  # the library raises many kinds
        first = str(error).split("\n")[0]
        raise BenchError(f"diffusers: {pipeline}: {part} cannot be read: {first}") from error


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Diffusers]
