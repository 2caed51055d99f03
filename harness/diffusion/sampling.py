"""Samples without a suite, drawn exactly as by the generation protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import artifacts
from harness.base import Component
from harness.diffusion.model import DiffusionModel
from harness.discovery.registry import Registry, installed_components
from harness.errors import BenchError, Skip
from harness.kinds import Denoiser, Sampler, Schedule, Spacing, Variance
from harness.kinds.evaluation import CellContext
from harness.protocols.generation.protocol import Generation
from harness.protocols.generation.session import Sampling

if TYPE_CHECKING:
    from torch import Tensor

PRIOR = "normal"


def sample(
    model: DiffusionModel | Denoiser | str,
    sampler: Sampler | str = "ddim",
    variance: Variance | str | None = None,
    steps: int = 10,
    n: int = 64,
    seed: int = 0,
    spacing: Spacing | str = "even",
    schedule: Schedule | str | None = None,
    clip_x0: bool = False,
    batch: int | None = None,
    labels: int | Sequence[int] | None = None,
    guidance: float | None = None,
) -> Tensor:
    """Draw n samples [n, *shape] of a model: `sample("digits", sampler="ddim", steps=10)`.

    `model` is a loaded one (`harness.denoiser`), a component, or a name; the other parts are components or names. A
    model that trains is trained first. A model with classes draws a label for every sample, of those in `labels`.
    The samples are those of this seed in a suite, whatever the `batch`. Without a `variance` steps add the least
    noise, as with `beta_tilde`. Raises BenchError for an unknown name, with the near miss, and for parts that do
    not fit together.
    """
    registry = installed_components()
    loaded = model if isinstance(model, DiffusionModel) else None
    components: dict[str, Component] = {
        "denoiser": model.denoiser if isinstance(model, DiffusionModel) else _component(registry, "denoiser", model),
        "sampler": _component(registry, "sampler", sampler),
        "spacing": _component(registry, "spacing", spacing),
        "prior": _component(registry, "prior", PRIOR),
    }
    for kind, part in (("variance", variance), ("schedule", schedule)):
        if part is not None:
            components[kind] = _component(registry, kind, part)
    for kind in getattr(components["sampler"], "unused_kinds", ()):
        components.pop(kind, None)
    settings = Generation(steps=steps, samples=n, batch=batch or n, clip_x0=clip_x0, labels=labels, guidance=guidance)
    try:
        return Sampling(settings, _context(registry, components, loaded), loaded).samples(seed).samples
    except Skip as reason:
        raise BenchError(str(reason)) from None


def _component(registry: Registry, kind: str, part: Component | str) -> Component:
    if isinstance(part, str):
        built: Component = registry.build(kind, part)
        return built
    return part


def _context(registry: Registry, components: dict[str, Component], loaded: DiffusionModel | None) -> CellContext:
    denoiser = components["denoiser"]
    assert isinstance(denoiser, Denoiser)
    trains = loaded is None and denoiser.needs_artifact()
    return CellContext(
        components=components,
        build=registry.build,
        metrics={},
        tune=None,
        artifacts={"denoiser": artifacts.trained(denoiser, _quietly)} if trains else {},
        split="",
        device=loaded.device if loaded else "cpu",
        folder=Path(),
        on_progress=_quietly,
    )


def _quietly(*_: object, **__: object) -> None:
    """Ignore progress."""
