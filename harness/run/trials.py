"""Import paths and denoisers of a suite, each tried in a child by `validate` and a dry run, as a run would use them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

from harness.base import Spec, component_name
from harness.errors import Failure
from harness.fields import Json
from harness.run.fetching import WITHIN, entry
from harness.run.load import LoadedSuite, chosen_device
from harness.suite import Cell
from harness.worker.supervisor import Server

PREDICTING = ("denoiser", "schedule")
"""Kinds of which a trial of a denoiser consists."""
ASKED = ("labels", "guidance")
"""Settings that a denoiser may not support."""


class Trial(NamedTuple):
    """A denoiser, on a schedule of the suite where there is one, with the settings that concern it."""

    parts: dict[str, Spec]
    asked: dict[str, Json]
    device: str


def wrong_parts(prepared: LoadedSuite, server: Server, absent: Collection[str]) -> Iterator[str]:
    """Yield the mistakes of import paths that name nothing, and of denoisers that do not load or predict as asked.

    `absent` are the specs, as JSON, of what is not on this machine. That is not tried, nor is what needs `--trust`
    without it.
    """
    for kind, spec in _distinct_specs(prepared):
        for path in prepared.catalogue.modules(kind, spec):
            if ":" in path and not _crosses(prepared, path):
                why = _refused(prepared, server, {"ask": "check_import", "path": path})
                yield from [] if why is None else [prepared.document.place_of_text(path).entry(why)]
    for trial in _trials(prepared, server):
        yield from _tried(prepared, server, trial, absent)


def _distinct_specs(prepared: LoadedSuite) -> list[tuple[str, Spec]]:
    """Return every component but denoisers, whose trial imports what they name."""
    pairs = (pair for pair in prepared.specs() if pair[0] != "denoiser")
    return list({json.dumps(pair, sort_keys=True): pair for pair in pairs}.values())


def _trials(prepared: LoadedSuite, server: Server) -> list[Trial]:
    """Return every distinct trial of the cells whose plugins can be imported."""
    lost = prepared.catalogue.why_lost
    cells = [cell for cell in prepared.cells if "denoiser" in cell.parts and not lost(cell.parts)]
    if not cells:
        return []
    device = chosen_device(prepared.suite.device, server)
    every = [_trial(cell, device) for cell in cells]
    return list({json.dumps(trial, sort_keys=True): trial for trial in every}.values())


def _trial(cell: Cell, device: str) -> Trial:
    parts = {kind: cell.parts[kind] for kind in PREDICTING if kind in cell.parts}
    return Trial(parts, {name: cell.settings.get(name) for name in ASKED}, cell.device or device)


def _tried(prepared: LoadedSuite, server: Server, trial: Trial, absent: Collection[str]) -> Iterator[str]:
    """Yield a mistake for each setting that the denoiser does not declare; without any, that of its evaluation."""
    spec = trial.parts["denoiser"]
    if json.dumps(spec, sort_keys=True) in absent or any(_crosses(prepared, m) for m in _modules(prepared, spec)):
        return
    declared = [name for name in ASKED if trial.asked[name] is not None]
    found = {name: _checked(prepared, server, trial.parts, {name: trial.asked[name]}, None) for name in declared}
    wrong = {name: why for name, why in found.items() if why is not None}
    yield from (prepared.document.place_of_text(name).entry(why) for name, why in wrong.items())
    made = prepared.catalogue.table["denoiser", component_name(spec)]["facts"]["needs_artifact"]
    files = prepared.catalogue.paths("denoiser", spec) or _modules(prepared, spec)
    if not wrong and files and not made:
        why = _checked(prepared, server, trial.parts, trial.asked, trial.device)
        yield from [] if why is None else [entry(prepared, "denoiser", spec, why)]


def _modules(prepared: LoadedSuite, spec: Spec) -> list[str]:
    return prepared.catalogue.modules("denoiser", spec)


def _crosses(prepared: LoadedSuite, path: str) -> bool:
    return not prepared.wishes.trust and prepared.boundary.crossed_by_module(path.partition(":")[0])


def _checked(
    prepared: LoadedSuite, server: Server, parts: dict[str, Spec], asked: dict[str, Json], device: str | None
) -> str | None:
    catalogue = prepared.catalogue
    used = [pair for kind, spec in parts.items() for pair in catalogue.used(kind, spec)]
    plugins = [source.data() for source in catalogue.sources(used)]
    question = {"ask": "check_denoiser", "plugins": plugins, "parts": parts, "device": device}
    return _refused(prepared, server, {**question, **dict.fromkeys(ASKED), **asked})


def _refused(prepared: LoadedSuite, server: Server, question: dict[str, object]) -> str | None:
    """Return the reason why a child refuses, None where it does not; a combination that is skipped is no mistake."""
    child = server.start()
    try:
        child.ask({**question, "folder": str(prepared.suite.file.parent.resolve())}, type(None), WITHIN)
    except Failure as failure:
        return None if failure.status == "skipped" else failure.reason
    finally:
        child.close()
    return None
