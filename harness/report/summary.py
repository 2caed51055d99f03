"""A run as a page of a CI job, in GitHub Markdown: the answer, what failed, a table; all other things folded.

Used by `--summary PATH`; a page holds at most 1 MiB, which the folded tables of a large suite are cut to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.pairing import full_name
from harness.report import brief, exit_status, gates, matrix, prose
from harness.report.columns import sheet
from harness.report.glyphs import Glyphs
from harness.report.markdown import bullets, escaped, table
from harness.report.parts import View
from harness.report.sections import Section
from harness.report.view import view
from harness.report.words import NO_REASON, counted, reason
from harness.results import FailOn, Json, Run, Status

MOST = 1_000_000
"""Bytes of a page, with room for other suites' pages in the same job."""
ROWS = 50
"""Rows without a result that are listed."""
_ONE_LINE = 100_000
_ENDS = {
    0: "No row failed, and no gate.",
    1: "A gate or a condition failed; no row did.",
    3: "Some rows failed; the others are complete.",
    4: "Nothing was measured.",
}


def summary(run: Run, conditions: Sequence[str] = ()) -> str:
    """Return the page of a run; `conditions` are those of `--fail-on`."""
    shown, ink = view(run), Glyphs()
    blocks = [*_opening(run, ink), *_failed(run, conditions, ink), *_first_table(shown, ink)]
    folded = [*_tables(shown, ink), _folded("Environment", "\n".join(_environment(run, ink)))]
    left = MOST - sum(len(block.encode()) for block in blocks)
    kept = []
    for block in folded:
        left -= len(block.encode())
        kept += [block] if left > 0 else []
    rest = len(folded) - len(kept)
    more = [f"{counted(rest, 'table')} would make this page too long: `bench report` shows them."] if rest else []
    return "\n\n".join([*blocks, *kept, *more]) + "\n"


def _opening(run: Run, ink: Glyphs) -> Iterator[str]:
    yield f"## {escaped(ink(run.suite))}"
    yield from [escaped(ink(run.question))] if run.question else []
    yield f"{_ENDS.get(run.exit, 'The run ended early.')} Exit code {run.exit}."
    said = [ink(line) for line in brief.lines(run, _ONE_LINE)]
    yield from [bullets(Section("Answer", said))] if said else []


def _failed(run: Run, conditions: Sequence[str], ink: Glyphs) -> Iterator[str]:
    """Yield the gates, the conditions that failed, and the rows without a result."""
    if run.gates:
        yield bullets(Section("Gates", [f"{ink.sign(passed)} {ink(line)}" for passed, line in gates.lines(run)]))
    others = [name for name in conditions if name not in (FailOn.ERROR, FailOn.SKIPPED)]  # the rows below say it
    failed = [ink(line) for line in exit_status.conditions_met(run, others)]
    yield from [bullets(Section("Failed conditions", failed))] if failed else []
    lost = [row for row in run.cells if row.status is not Status.OK]
    if lost:
        named = ((full_name(run, row.vary), row.status, row.why) for row in lost[:ROWS])
        said = [ink(f"{name} {status}: {reason(why) if why else NO_REASON}") for name, status, why in named]
        said += [f"and {len(lost) - ROWS} more"] if len(lost) > ROWS else []
        yield bullets(Section("Rows without a result", said))


def _first_table(shown: View, ink: Glyphs) -> Iterator[str]:
    """Yield the contenders on every problem, or the table of the only problem; then the legend."""
    for metric in matrix.metrics(shown):
        yield f"### {escaped(matrix.title(shown, metric, ink))}"
        yield "\n".join(table(matrix.whole(shown, metric, ink)))
    for problem in shown.problems[:1] if len(shown.problems) == 1 else ():
        yield "\n".join(table(sheet(shown, problem, ink, compact=False)))
    yield from (escaped("  ".join(parts)) for parts in prose.legend(shown, ink))
    for section in (Section("Issues", prose.issues(shown)), Section("Notes", prose.notes(shown))):
        yield from [bullets(Section(section.title, [*map(ink, section.lines)]))] if section.lines else []


def _tables(shown: View, ink: Glyphs) -> Iterator[str]:
    """Yield the table of every problem, where there are several, folded."""
    for problem in shown.problems if len(shown.problems) > 1 else ():
        title = ink(problem.title) or "All metrics"
        yield _folded(title, "\n".join(table(sheet(shown, problem, ink, compact=False))))


def _folded(title: str, text: str) -> str:
    safe = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<details><summary>{safe}</summary>\n\n{text}\n\n</details>"


def _environment(run: Run, ink: Glyphs) -> Iterator[str]:
    yield f"- run: {escaped(ink(run.run))}"
    for name, value in run.environment.items():
        yield f"- {escaped(ink(name))}: {escaped(ink(_said(value)))}"


def _said(value: Json) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(each)}" for key, each in value.items()) or "none"
    return "none" if value is None else str(value)
