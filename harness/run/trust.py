"""Trust: a suite is data, so without `--trust` its cells run no program and import no module from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import BenchError
from harness.run.load import LoadedSuite

SHOWN = 100
"""Letters of a command in a message."""


def needs_trust(prepared: LoadedSuite) -> Iterator[tuple[str, str]]:
    """Yield (place, sentence) for every program that cells would run and every module that their fields name."""
    catalogue, document = prepared.catalogue, prepared.document
    specs = prepared.specs()
    programs = dict.fromkeys(text for kind, spec in specs for text in catalogue.commands(kind, spec))
    for text in programs:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
        yield str(document.place_of_text(text)), f"runs a program, which needs --trust on the command line: {shown}"
    modules = dict.fromkeys(text for kind, spec in specs for text in catalogue.modules(kind, spec))
    for text in modules:
        module = text.partition(":")[0]
        if prepared.boundary.crossed_by_module(module):
            why = f"imports the module {module}, which is not beside or below the suite"
            yield str(document.place_of_text(text)), f"{text} {why}: it needs --trust on the command line"


def check_trust(prepared: LoadedSuite, trust: bool) -> None:
    """Raises BenchError at the first thing that cells would run and that needs `--trust`."""
    for place, sentence in () if trust else needs_trust(prepared):
        raise BenchError(sentence, place)
