"""`bench sample`: samples of a model as a picture or as numbers, drawn in a child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from harness.base import Spec
from harness.discovery.catalogue import Catalogue, gather
from harness.errors import BenchError, Failure
from harness.run.load import add_to_path, describer, own
from harness.suite.compose import compose
from harness.suite.expand import Expander
from harness.suite.imports import imports_below
from harness.suite.source import Findings, Source
from harness.worker.supervisor import Server

if TYPE_CHECKING:
    from harness.worker.messages import SamplingWishes

PICTURES, NUMBERS = (".png",), (".npy",)


def sample(
    words: Mapping[str, str], wishes: SamplingWishes, out: Path, plugins: Sequence[str] = (), timeout: float = 3600.0
) -> str:
    """Draw samples and write them to a file; return their shape in words.

    `words` are the parts by kind as a suite names them: `digits`, `ddim: {eta: 1}`. Raises BenchError for a file of an
    unknown form and for parts that cannot be found or used, Mistakes for fields that do not fit.
    """
    if out.suffix not in (*PICTURES, *NUMBERS):
        raise BenchError(f"--out {out}: the name must end in {' or '.join((*PICTURES, *NUMBERS))}")
    add_to_path(Path.cwd())  # modules beside, as a suite finds them
    with Server() as server, TemporaryDirectory() as folder:
        catalogue = gather(own((plugin, Path.cwd(), None) for plugin in plugins), (), describer(server))
        parts = {kind: component(text, kind, catalogue) for kind, text in words.items()}
        used = [pair for kind, spec in parts.items() for pair in catalogue.used(kind, spec)]
        file = out if out.suffix in NUMBERS else Path(folder) / "samples.npy"
        question = {
            "ask": "sample",
            "plugins": [source.data() for source in catalogue.sources(used)],
            "parts": parts,
            "wishes": wishes,
            "to": str(file.resolve()),
        }
        child = server.start()
        try:
            shape = child.ask(question, list[int], timeout)
        except Failure as failure:
            raise BenchError(f"{words['denoiser']}: {failure.reason}") from None
        finally:
            child.close()
        if file != out:
            _draw(file, out, words, wishes)
    return f"{out}: {' x '.join(map(str, shape))}"


def component(text: str, kind: str, catalogue: Catalogue) -> Spec:
    """Return the one component that a text names, as a suite would. Raises Mistakes if it names none, or several."""
    for attempt in (False, True):
        findings = Findings()
        node = compose(Source(f"bench sample: {kind}", text, is_file=False), findings)
        catalogue.import_paths(imports_below(node, kind, catalogue.table))
        choices = [] if node is None else Expander(catalogue.table, findings, Path.cwd()).choices(node, kind)
        if attempt or choices or not catalogue.complete():
            break
    findings.stop()
    if len(choices) != 1:
        raise BenchError(f"{kind}: expected one component, got {len(choices)}")
    return choices[0].spec


def _draw(file: Path, out: Path, words: Mapping[str, str], wishes: SamplingWishes) -> None:
    """Draw images as a mosaic, points in the plane as points, all else as histograms of the first coordinates."""
    import numpy

    from harness.figures import png
    from harness.figures.drawn import drawn
    from harness.results.store import writing

    title = " / ".join((words["denoiser"], words["sampler"], f"{wishes['steps']} steps"))
    picture = png(lambda: drawn(numpy.load(file), title, f"{wishes['n']} samples of seed {wishes['seed']}."))
    with writing(out):
        out.write_bytes(picture)
