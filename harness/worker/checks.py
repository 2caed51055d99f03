"""Requests that check parts of a suite before anything is measured, each in a child of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.discovery.sources import Source
from harness.errors import one_line

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.conformance import Verdict
    from harness.discovery.registry import Registry
    from harness.discovery.sources import SourceData


class Checks:
    """Handlers that check, or make ready, one part of a suite."""

    def check_component(self, plugins: list[SourceData], kind: str, spec: Spec) -> list[Verdict]:
        """Return (name, passed, sentence) of every conformance check of a component."""
        from harness.conformance import check_component

        return check_component(registry_of(plugins).build(kind, spec))

    def to_fetch(self, plugins: list[SourceData], kind: str, spec: Spec, folder: str) -> str | None:
        """Return the name of what a component would download, with paths relative to a folder; None for nothing."""
        os.chdir(folder)
        name = registry_of(plugins).build(kind, spec).to_fetch()
        return None if name is None else one_line(str(name))

    def fetch(self, plugins: list[SourceData], kind: str, spec: Spec, folder: str) -> bool:
        """Download what a component reads, to paths relative to a folder; return whether anything was."""
        os.chdir(folder)
        return bool(registry_of(plugins).build(kind, spec).fetch())

    def check_table(self, plugins: list[SourceData], kind: str, spec: Spec, folder: str) -> list[str]:
        """Load and check the table of a data set whose paths are relative to a folder; return its notes."""
        from harness import artifacts

        os.chdir(folder)
        return list(artifacts.loaded(registry_of(plugins).build(kind, spec)).notes)

    def check_stats(self, file: str, folder: str) -> None:
        """Check a file of the reference's statistics, relative to a folder."""
        from harness.protocols.generation.reference import statistics

        os.chdir(folder)
        statistics(file)

    def check_import(self, path: str, folder: str) -> None:
        """Import what a field names, `module:attribute`, seen from a folder."""
        from harness.discovery.adapters import import_attribute

        os.chdir(folder)
        import_attribute(path)

    def check_denoiser(
        self,
        plugins: list[SourceData],
        parts: Mapping[str, Spec],
        folder: str,
        device: str | None,
        labels: int | Sequence[int] | None,
        guidance: float | None,
    ) -> None:
        """Check a denoiser, on its `schedule` where the suite has one, for labels and guidance.

        It is loaded and evaluated once on a device, unless that is None.
        """
        from harness.protocols.generation.parts import declared, evaluated

        os.chdir(folder)
        registry = registry_of(plugins)
        denoiser = declared({kind: registry.build(kind, spec) for kind, spec in parts.items()}, labels, guidance)
        if device is not None:
            evaluated(denoiser, device, labels, guidance)


def registry_of(plugins: Iterable[SourceData]) -> Registry:
    """Return a registry of some plugins."""
    from harness.discovery.registry import Registry

    return Registry(Source(**data) for data in plugins)
