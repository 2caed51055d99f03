"""Pipelines of the diffusers library."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from harness import BenchError, Denoiser, FilePath, PathOrId, Schedule, derived, errors, hookimpl

from . import _state
from ._labels import by_name

if TYPE_CHECKING:
    from torch import Tensor, nn

PREDICTS: tuple[Literal["epsilon", "sample", "v_prediction"], ...] = ("epsilon", "sample", "v_prediction")
"""Known values of a scheduler's `prediction_type`."""
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)
"""Ids of pipelines on the hub. Those of one word, which some old models of texts have, no pipeline has."""
UNUSED = {
    "timestep_spacing": (None, "the suite's spacing"),
    "steps_offset": (0, "the suite's spacing"),
    "clip_sample": (False, "the setting clip_x0"),
    "thresholding": (False, "the setting clip_x0"),
    "set_alpha_to_one": (True, "A_0 = 1"),
    "variance_type": (None, "the suite's variance"),
}
"""Setting of a scheduler -> the value that has no effect there, and what is used instead of it."""


class Diffusers(Denoiser):
    """UNet2DModel of a saved pipeline of the diffusers library.

    Given by its folder or its id on the Hugging Face hub, OWNER/NAME; a single word is a folder. The library's own
    loader reads it, from its cache alone where HF_HUB_OFFLINE is set. The schedule and the prediction type are those
    of the pipeline's scheduler; of a network that predicts variances too only the mean is used. Whole times only: the
    library counts them from 0, so its network is given t - 1. A network with class embeddings is given labels;
    `null_label` is the last of them if that stands for no class, as guidance needs it. `reference` holds real data to
    compare with, an array [n, *shape] in numpy's or torch's form. Raises BenchError where the library is missing or a
    file cannot be read.
    """

    pipeline: PathOrId
    null_label: int | None = None
    reference: FilePath = ""

    discrete_time = True
    data_range = (-1.0, 1.0)
    shape = derived(lambda self: _shape(self.pipeline))
    prediction_type = derived(lambda self: _prediction_type(self.pipeline))
    schedule = derived(lambda self: _schedule(self.pipeline))
    classes = derived(lambda self: _classes(self.pipeline, self.null_label))

    def overridden(self) -> dict[str, str]:
        """Settings of the pipeline's scheduler beside its betas and its prediction type."""
        known = _loaded("DDPMScheduler", "load_config", self.pipeline, "scheduler")
        found = {name: what for name, (idle, what) in UNUSED.items() if known.get(name, idle) != idle}
        return {"scheduler": "the suite's sampler"} | {f"scheduler.{name}": what for name, what in found.items()}

    def to_fetch(self) -> str | None:
        """Id of the pipeline, if it is no folder and the library's cache does not have all of it."""
        _check_folder(self.pipeline)
        return None if _folder(self.pipeline).is_dir() or _is_cached(self.pipeline) else self.pipeline

    def fetch(self) -> bool:
        """Download the network and the scheduler into the library's cache."""
        if self.to_fetch() is None:
            return False
        self.load("cpu")
        _scheduler(self.pipeline)
        return True

    def load(self, device: str) -> nn.Module:
        """The network, on the device."""
        net: nn.Module = _loaded("UNet2DModel", "from_pretrained", self.pipeline, "unet", low_cpu_mem_usage=False)
        return net.to(device).eval().requires_grad_(False)

    def predict(self, net: Any, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Output of the network, without predicted variances. Raises BenchError for a label without an embedding."""
        embedded = net.config.num_class_embeds
        if labels is not None and int(labels.max()) >= embedded:
            named = f"name the one that stands for no class, null_label: {embedded - 1}, if it was trained with one"
            raise BenchError(f"diffusers.null_label: the network embeds the labels 0 to {embedded - 1}: {named}")
        guess: Tensor = net(x.to(net.dtype), (t - 1).long(), **by_name(net, labels)).sample[:, : x.shape[1]]
        return guess.to(x)

    def hidden_features(self, net: Any, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Input of the normalization before the last layer."""
        found: list[Tensor] = []
        hook = net.conv_norm_out.register_forward_pre_hook(lambda _, given: found.append(given[0]))
        try:
            self.predict(net, x, t, labels)
        finally:
            hook.remove()
        return found[0].float()

    def reference_data(self, net: Any) -> Tensor | None:
        """Data of `reference`."""
        return _state.reference(self.reference, self.shape)


class PipelineSchedule(Schedule):
    """Noise schedule of a pipeline's scheduler: A_t at whole times; between them log A_t is a straight line.

    A_T is 0 where the scheduler has `rescale_betas_zero_snr`.
    """

    pipeline: str

    def alpha_bar(self, t: Tensor | float) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape."""
        t = torch.as_tensor(t, dtype=torch.float64)
        steps = torch.log1p(-_scheduler(self.pipeline).betas.double()).to(t.device)
        logs = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
        left = t.floor().clamp(0, self.num_train_timesteps - 1).long()
        part, before, after = t - left, logs[left], logs[left + 1]
        between = torch.lerp(before, after, part)
        return torch.where(part == 0, before, torch.where(part == 1, after, between)).exp()


def _shape(pipeline: str) -> tuple[int, int, int]:
    """Channels, height and width."""
    config = _loaded("UNet2DModel", "load_config", pipeline, "unet")
    size = config["sample_size"]
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return config["in_channels"], height, width


def _classes(pipeline: str, null: int | None) -> int | None:
    """Number of classes: of embeddings, without that of no class. Raises BenchError for another null label."""
    embedded: int | None = _loaded("UNet2DModel", "load_config", pipeline, "unet").get("num_class_embeds")
    if null is None:
        return embedded
    if embedded is None or null != embedded - 1:
        found = f"embeds the labels 0 to {embedded - 1}, of which the last may be it" if embedded else "takes no labels"
        raise BenchError(f"diffusers.null_label: {null}: the network {found}")
    return null


def _prediction_type(pipeline: str) -> Literal["epsilon", "sample", "v_prediction"]:
    """Prediction type of the network. Raises BenchError for a word of the library without a meaning here."""
    word = _scheduler(pipeline).config.prediction_type
    if word not in PREDICTS:
        raise BenchError(f"diffusers: {pipeline}: no prediction_type {word!r}{errors.near_miss(word, PREDICTS)}")
    return PREDICTS[PREDICTS.index(word)]


def _schedule(pipeline: str) -> PipelineSchedule:
    """Schedule of the pipeline's scheduler."""
    return PipelineSchedule(pipeline=pipeline, num_train_timesteps=len(_scheduler(pipeline).betas))


@functools.cache
def _scheduler(pipeline: str) -> Any:
    """Betas and prediction type; the class does not matter, since every scheduler uses the same words for them."""
    return _loaded("DDPMScheduler", "from_pretrained", pipeline, "scheduler")


def _folder(pipeline: str) -> Path:
    return Path(pipeline).expanduser()


def _is_id(pipeline: str) -> bool:
    """Whether it has the form of an id of the hub, OWNER/NAME; a path within a folder that is here is none."""
    return HUB_ID.fullmatch(pipeline) is not None and (_is_cached(pipeline) or not _folder(pipeline).parent.is_dir())


def _check_folder(pipeline: str) -> None:
    """Raises BenchError for what is neither a folder nor the form of an id of the hub, with the folders beside it."""
    folder = _folder(pipeline)
    if folder.is_dir() or _is_id(pipeline):
        return
    beside = [other.name for other in folder.parent.iterdir() if other.is_dir()] if folder.parent.is_dir() else []
    near = errors.near_miss(folder.name, beside)
    form = "" if near.closest or folder.name != pipeline else "; an id of the hub is OWNER/NAME"
    raise BenchError(f"diffusers: no folder {pipeline}{near}{form}")


def _is_cached(pipeline: str) -> bool:
    """Whether the library's cache has what is read of a pipeline, or no download could bring it."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:  # the library itself is missing, which is said where it is used
        return True
    names = ("unet/config.json", "scheduler/scheduler_config.json")
    weights = [f"unet/diffusion_pytorch_model.{suffix}" for suffix in ("safetensors", "bin")]
    there = {name: isinstance(try_to_load_from_cache(pipeline, name), str) for name in (*names, *weights)}
    return all(there[name] for name in names) and any(there[name] for name in weights)


def _loaded(cls: str, method: str, pipeline: str, part: str, **options: Any) -> Any:
    """Part of the pipeline as read by a class of the library."""
    try:
        import diffusers
    except ImportError:
        raise BenchError("diffusers: the library diffusers is not installed: pip install diffusers") from None
    _check_folder(pipeline)
    folder = _folder(pipeline)
    local = folder.is_dir()
    read = getattr(getattr(diffusers, cls), method)
    try:
        return read(str(folder) if local else pipeline, subfolder=part, local_files_only=local, **options)
    except Exception as error:  # the library raises many types
        first = str(error).split("\n")[0]
        raise BenchError(f"diffusers: {pipeline}: {part} cannot be read: {first}") from error


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Diffusers]
