"""Runs as JUnit XML, which CI systems read: a test case for every row, every gate on a row, every condition asked for.

A row that failed is an error, a broken gate or condition a failure, a row that was skipped and a gate that is undecided
are skipped. The form is that of Jenkins' `junit-10.xsd`, with the attributes that Ant's asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from xml.etree import ElementTree

from harness.analysis.exit_status import unknown
from harness.analysis.pairing import full_name
from harness.report import exit_status, gates
from harness.report.glyphs import Glyphs
from harness.report.words import NO_REASON, reason
from harness.results import LOST, Row, Run, Status
from harness.results.statements import FailOn

_ILLEGAL = re.compile(r"[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have."""
_STAMP = re.compile(r"(\d{8}-\d{6})-")
_INK = Glyphs()


class Case(NamedTuple):
    """A test case: group and name, seconds, how it ended (None: passed) with the kind and the reason, its output."""

    group: str
    name: str
    seconds: float = 0.0
    ended: Literal["error", "failure", "skipped"] | None = None
    kind: str = ""
    why: str = ""
    output: str = ""


def junit(runs: Sequence[tuple[Run, Sequence[str]]]) -> str:
    """Return the XML of runs, each with the conditions of its `--fail-on`: a test suite for each."""
    root = ElementTree.Element("testsuites", name="bench")
    for number, (run, conditions) in enumerate(runs):
        root.append(_suite(run, conditions, number))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(run: Run, conditions: Sequence[str], number: int) -> ElementTree.Element:
    cases = [*_rows(run), *_gates(run), *_conditions(run, conditions)]
    made = ElementTree.Element("testsuite", name=_text(run.suite), id=str(number), package="bench")
    made.set("tests", str(len(cases)))
    for name, ended in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        made.set(name, str(sum(case.ended == ended for case in cases)))
    seconds = sum(case.seconds for case in cases) if run.seconds is None else run.seconds
    made.set("time", f"{seconds:.3f}")
    made.set("timestamp", _time(run.run))
    made.set("hostname", "localhost")  # required by Ant's form; results name no machine
    properties = ElementTree.SubElement(made, "properties")
    known = {key: value for key, value in run.environment.items() if isinstance(value, str | int | float)}
    for name, value in {"run": run.run, "protocol": run.protocol, **known}.items():
        ElementTree.SubElement(properties, "property", name=_text(name), value=_text(value))
    made.extend(map(_case, cases))
    for name in ("system-out", "system-err"):
        ElementTree.SubElement(made, name)
    return made


def _case(case: Case) -> ElementTree.Element:
    made = ElementTree.Element("testcase", classname=_text(case.group), name=_text(case.name))
    made.set("time", f"{case.seconds:.3f}")
    if case.ended == "skipped":
        ElementTree.SubElement(made, "skipped", message=_text(case.why))
    elif case.ended is not None:
        said = ElementTree.SubElement(made, case.ended, message=_text(case.why), type=_text(case.kind))
        said.text = _text(case.why)
    if case.output:
        ElementTree.SubElement(made, "system-out").text = _text(case.output)
    return made


def _rows(run: Run) -> Iterator[Case]:
    for row in run.cells:
        why = reason(row.why) if row.why else NO_REASON
        case = Case(run.suite, full_name(run, row.vary) or run.suite, row.seconds or 0.0, output=_measured(row))
        if row.status is Status.SKIPPED:
            case = case._replace(ended="skipped", why=why)
        elif row.status in LOST:
            case = case._replace(ended="error", kind=row.status, why=why)
        yield case


def _measured(row: Row) -> str:
    """Return the means of a row's metrics with their intervals."""
    said = []
    for name, found in row.metrics.items():
        if found.mean is not None:
            ends = "" if found.low is None or found.high is None else f" ({found.low:.4g} to {found.high:.4g})"
            said.append(f"{name} {found.mean:.4g}{ends}")
    return "; ".join(said)


def _gates(run: Run) -> Iterator[Case]:
    for gate in run.gates:
        name = f"{gates.named(run, gate)}: {full_name(run, gate.vary)}"
        case = Case(f"{run.suite}.gates", name, output=gates.line(run, gate))
        if gate.passed is False:
            case = case._replace(ended="failure", kind=gate.rule, why=gates.line(run, gate), output="")
        elif gate.passed is None:
            case = case._replace(ended="skipped", why=gates.line(run, gate), output="")
        yield case


def _conditions(run: Run, conditions: Sequence[str]) -> Iterator[Case]:
    for name in conditions:
        found = [*exit_status.conditions_met(run, [name])]
        case = Case(f"{run.suite}.fail-on", name)
        if found:
            case = case._replace(ended="failure", kind=name, why="; ".join(found))
        elif FailOn(name) in unknown(run, [name]):
            case = case._replace(ended="skipped", why="; ".join(exit_status.unjudged(run, [name])))
        yield case


def _time(run: str) -> str:
    """Return the time at which a run began, from its id; that of the epoch if the id has none."""
    found = _STAMP.match(run)
    when = datetime.strptime(found[1], "%Y%m%d-%H%M%S") if found else datetime(1970, 1, 1)
    return when.isoformat()


def _text(value: object) -> str:
    return _ILLEGAL.sub("\ufffd", _INK(value))
