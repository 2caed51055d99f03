"""Writes `docs/articles/` from the claims of the suites and the reference runs: `python tests/docs/articles.py`.

A page for each article, `index.md` with every claim, and `found.md` from its template: what the runs found.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))  # this checkout, whatever is installed

import jinja2
import torch
import yaml

from harness.figures import StoredRun, figures, png
from harness.report.claimed import assertion, nearest, result, untested
from harness.results import PAIRED, Claim, ClaimKind, Outcome, Row, Run
from harness.results.runs import stored
from tests.docs.topics import ARTICLES, FIGURES, ROOT, TOPICS, Topic
from tests.plugins.groups import minimized

REFERENCE = ROOT / "results" / "reference"
REPORTS = "../../results/reference"
KINDS = {
    ClaimKind.THEOREM: "theorem",
    ClaimKind.EXPECTED: "expectation",
    ClaimKind.OPEN: "open problem",
    ClaimKind.OURS: "ours",
}
VERDICTS = {
    Outcome.HOLDS: "holds",
    Outcome.FAILS: "**fails**",
    Outcome.UNDECIDED: "undecided",
    Outcome.NOT_TESTED: "not tested",
}
OPENING = """# The articles

Eight articles by Su Jianlin (2022), claim by claim: what each says, and what this program measured. A claim is a *theorem*
(proved), an *expectation* (stated or measured elsewhere), an *open problem* (left open by its source) or *ours*. It holds if
every test holds, fails if one does, each at an adjusted p of 5 %; identical rows fit an equality or a theorem; a trend holds
if its first and last point differ and no neighbors go the other way. A lead is positive where the claim is right; a
difference is the first minus the second. "Nearest" is the test closest to the other verdict. Where a result is computed
without chance, p says only that every seed agrees. [What we found](found.md) has what surprised us.

`make articles` writes these pages from the [reference runs](../../results/reference/index.json); `make reference` makes the runs. Every
report of a suite opens with its verdicts; those that hold may be counted together. Networks of diffusion models are trained
once, except in ddpm-training: their intervals cover other samples, not other trainings."""
"""What the index says before its rows."""


class Entry(NamedTuple):
    """A claim of a reference run."""

    suite: str
    run: Run
    claim: Claim


@functools.cache
def reference(suite: str) -> Run | None:
    """The reference run of a suite, None if there is none."""
    file = REFERENCE / f"{suite}.json"
    return stored(REFERENCE, str(file)) if file.exists() else None


def entries(topic: Topic) -> Iterator[Entry]:
    """Every claim of a topic, in the order of its suites."""
    for suite in sorted(file.stem for file in (ROOT / "suites").glob("*.yaml")):
        run = reference(suite)
        if run is not None:
            yield from (Entry(suite, run, claim) for claim in run.claims if claim.topic == topic.name)


def unmeasured(topic: Topic) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every claim of a topic whose suite has no reference run: (suite, claim as written)."""
    for file in sorted((ROOT / "suites").glob("*.yaml")):
        written = yaml.safe_load(file.read_text()).get("claims") or []
        for claim in written if reference(file.stem) is None else []:
            if claim.get("topic") == topic.name:
                yield file.stem, claim


def page(topic: Topic) -> str:
    """The page of an article."""
    parts = [f"# {topic.title}", f"{topic.source}", topic.about.strip()]
    parts += ["## Claims and what was measured", _table(list(entries(topic)), topic)]
    parts += _waiting(topic)
    parts += ["## Proved by tests", *_listed(topic.proved_by_tests, "test", "`{}`")] if topic.proved_by_tests else []
    parts += ["## Not tested", *_listed(topic.not_tested, "reason", "{}")] if topic.not_tested else []
    parts += ["## Figures", *_figures(topic)] if list(_figures(topic)) else []
    return "\n\n".join([*parts, _commands(topic)]) + "\n"


def _table(found: list[Entry], topic: Topic) -> str:
    if not found:
        return "No reference run tests a claim of this article yet."
    head = ["| claim | kind | verdict | result | control or condition | command |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(_row(entry) for entry in found)])


def _row(entry: Entry) -> str:
    claim = entry.claim
    said = f"{claim.claim or assertion(entry.run, claim)} ({claim.source})"
    cells = [said, KINDS[claim.kind], _verdict(claim), _result(entry), claim.control or "", _suite(entry.suite)]
    plain = [cell.replace("|", chr(92) + "|") for cell in cells]
    return f"| {' | '.join(plain)} |"


def _verdict(claim: Claim) -> str:
    identical = claim.form in PAIRED and {test.outcome for test in claim.tests} == {Outcome.SAME}
    return f"{VERDICTS[claim.outcome]}{' (identical)' if identical else ''}"


def _result(entry: Entry) -> str:
    near, left = nearest(entry.run, entry.claim), untested(entry.run, entry.claim)
    parts = [result(entry.run, entry.claim), *([near] if near else []), *(f"Not tested: {each}" for each in left)]
    return ". ".join(parts)


def _suite(name: str) -> str:
    return f"`bench suites/{name}.yaml` ([suite](../../suites/{name}.yaml), [report]({REPORTS}/{name}.md))"


def _waiting(topic: Topic) -> list[str]:
    found = [f"- {claim.get('claim') or 'a claim'}: {_command(suite)}" for suite, claim in unmeasured(topic)]
    return ["## Claims whose verdict is not computed yet", "\n".join(found)] if found else []


def _command(suite: str) -> str:
    """The command of a suite, with its report where one is stored."""
    report = f" ([report]({REPORTS}/{suite}.md))" if (REFERENCE / f"{suite}.md").exists() else ""
    return f"`bench suites/{suite}.yaml`{report}"


def _listed(claims: list[dict[str, str]], key: str, form: str) -> list[str]:
    return ["\n".join(f"- {each['claim']} ({each['source']}): {form.format(each[key])}" for each in claims)]


def _figures(topic: Topic) -> Iterator[str]:
    for figure in topic.figures:
        file = FIGURES / f"{figure['suite']}-{figure['name']}.png"
        if file.exists():
            yield f"![{figure['caption']}](figures/{file.name})\n\n{figure['caption']}"


def _commands(topic: Topic) -> str:
    lines = "\n".join(f"bench suites/{suite}.yaml" for suite in topic.suites)
    return f"## To see it\n\n```console\n{lines}\n```\n\nThe report begins with the verdicts."


def overview() -> str:
    """The index: one row for every claim of every article."""
    head = [
        "| article | claim | kind | verdict | result | control or condition | command |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [f"| [{topic.title}]({topic.name}.md) {_row(entry)}" for topic in TOPICS for entry in entries(topic)]
    return "\n\n".join([OPENING, "\n".join([*head, *rows])]) + "\n"


def found() -> str:
    """The findings, with the numbers of the reference runs."""
    places = jinja2.Environment(loader=jinja2.FileSystemLoader(ARTICLES), undefined=jinja2.StrictUndefined)
    tools = {"mean": mean, "versus": versus, "lead": lead, "count": count, "optimum": optimum}
    return places.get_template("found.md.j2").render(**tools) + "\n"


def _stored(suite: str) -> Run:
    """The reference run of a suite. Raises LookupError if there is none."""
    run = reference(suite)
    if run is None:
        raise LookupError(f"{suite} has no reference run")
    return run


def _rows(suite: str, vary: dict[str, Any]) -> Row:
    run = _stored(suite)
    rows = [row for row in run.cells if all(str(row.vary.get(axis)) == str(label) for axis, label in vary.items())]
    if len(rows) != 1:
        raise LookupError(f"{suite}: {len(rows)} rows are {vary}")
    return rows[0]


def _interval(value: float | None, low: float | None, high: float | None, scale: float, digits: int) -> str:
    ends = (
        ""
        if low is None or high is None or low == high
        else f" ({low * scale:.{digits}g} to {high * scale:.{digits}g})"
    )
    return f"{(value or 0.0) * scale:.{digits}g}{ends}"


def mean(suite: str, metric: str, vary: dict[str, Any], scale: float = 1.0, digits: int = 3) -> str:
    """A mean with its interval, of the one row of a suite that has these labels."""
    value = _rows(suite, vary).metrics[metric]
    return _interval(value.average, value.low, value.high, scale, digits)


def versus(suite: str, metric: str, vary: dict[str, Any], scale: float = 1.0, digits: int = 3) -> str:
    """A difference from the baseline with its interval, of the one row of a suite that has these labels."""
    entry = _rows(suite, vary).against[metric]
    return _interval(entry.difference, entry.low, entry.high, scale, digits)


def claimed(suite: str, opening: str) -> Claim:
    """The one claim of a suite that opens with these words. Raises LookupError if there is none, or several."""
    found = [claim for claim in _stored(suite).claims if (claim.claim or "").startswith(opening)]
    if len(found) != 1:
        raise LookupError(f"{suite}: {len(found)} claims open with {opening!r}")
    return found[0]


def lead(suite: str, opening: str, row: str | None = None, other: str | None = None, **problem: Any) -> str:
    """The estimate of the one test of a claim with these rows and labels, with its interval."""
    tests = claimed(suite, opening).tests
    found = [
        test for test in tests
        if row in (None, test.row) and other in (None, test.other)
        and all(str(test.problem.get(axis)) == str(label) for axis, label in problem.items())
    ]  # fmt: skip
    if len(found) != 1:
        raise LookupError(f"{suite}: {len(found)} tests of {opening!r} are {row}, {other}, {problem}")
    return _interval(found[0].estimate, found[0].low, found[0].high, 1.0, 3)


def count(suite: str, opening: str, outcome: str | None = None) -> int:
    """The number of tests of a claim, or of those with an outcome."""
    return sum(outcome in (None, test.outcome) for test in claimed(suite, opening).tests)


def optimum(name: str, label: tuple[float, ...]) -> str:
    """The probabilities at which a loss of groups is least for one item with a soft label, by L-BFGS."""
    found = minimized(name, torch.tensor([[label]], dtype=torch.float64))
    return ", ".join(f"{share:.3f}" for share in found.flatten().tolist())


def pages() -> dict[Path, Callable[[], str]]:
    """Every page with the function that writes it."""
    made: dict[Path, Callable[[], str]] = {ARTICLES / f"{t.name}.md": functools.partial(page, t) for t in TOPICS}
    if (ARTICLES / "found.md.j2").exists():
        made[ARTICLES / "found.md"] = found
    return {ARTICLES / "index.md": overview, **made}


def draw(suite: str, name: str) -> None:
    """Draw a figure of a reference run, from the records in `results/` where it needs them."""
    run, file = reference(suite), FIGURES / f"{suite}-{name}.png"
    if run is not None and not file.exists():
        FIGURES.mkdir(exist_ok=True)
        file.write_bytes(png(figures(StoredRun(run, ROOT / "results"))[name]))


def main() -> None:
    """Draw what is missing and write every page."""
    for topic in TOPICS:
        for figure in topic.figures:
            draw(figure["suite"], figure["name"])
    for file, write in pages().items():
        text = write()
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(f"written: {file.name}")


if __name__ == "__main__":
    main()
