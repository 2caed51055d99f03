"""JUnit XML: read by an independent reader, of the common form, one case for every row, gate and condition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.analysis import analyse
from harness.report.junit import junit
from harness.results import GateRule, Run, Status
from tests.helpers.runs import lost, row, run

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out"],
}
"""Element -> those that it may hold, in their order (Ant's JUnit.xsd and Jenkins' junit-10.xsd agree on these)."""
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors", "time", "timestamp", "hostname", "id", "package"},
    "testcase": {"classname", "name", "time"},
    "property": {"name", "value"},
    "error": {"type", "message"},
    "failure": {"type", "message"},
}


def made(hostile: str = "no luck", **more: Any) -> Run:
    """A row of every kind and a gate of every kind."""
    values = [0.9, 0.91, 0.92, 0.93]
    rows = [
        row("old", values),
        row("good", [each + 0.05 for each in values]),
        row("poor", [0.6, 0.62, 0.61, 0.64]),
        lost("broken", Status.FAILED, hostile),
        lost("hung", Status.TIMEOUT, "no answer within 1 s"),
        lost("left", Status.SKIPPED, "an impossible pair"),
    ]
    return analyse(run(rows, [GateRule(metric="m", rule="max_regression", bound=0.05, relative=True)], **more))


def parsed(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    for element in root.iter():
        assert REQUIRED.get(element.tag, set()) <= set(element.attrib), element.tag
        known = CHILDREN.get(element.tag, [])
        places = [known.index(child.tag) for child in element]
        assert places == sorted(places), element.tag
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == sum(case.find(tag) is not None for case in cases)
    return root


def ends(suite: ElementTree.Element) -> dict[tuple[str, str], str]:
    """How every case ended."""
    return {
        (case.attrib["classname"], case.attrib["name"]): next((e.tag for e in case if e.tag != "system-out"), "passed")
        for case in suite.findall("testcase")
    }


def test_every_row_gate_and_condition_is_a_case() -> None:
    (suite,) = parsed(junit([(made(), ["regression", "skipped", "noisy"])]))
    assert ends(suite) == {
        ("s", "old"): "passed",
        ("s", "good"): "passed",
        ("s", "poor"): "passed",
        ("s", "broken"): "error",
        ("s", "hung"): "error",
        ("s", "left"): "skipped",
        ("s.gates", "m max_regression 5 %: good"): "passed",
        ("s.gates", "m max_regression 5 %: poor"): "failure",
        ("s.gates", "m max_regression 5 %: broken"): "skipped",
        ("s.gates", "m max_regression 5 %: hung"): "skipped",
        ("s.fail-on", "regression"): "failure",
        ("s.fail-on", "skipped"): "failure",
        ("s.fail-on", "noisy"): "skipped",
    }
    broken = suite.find("testcase[@name='broken']/error")
    assert broken is not None and broken.attrib == {"message": "no luck", "type": "failed"} and broken.text == "no luck"
    gate = suite.find("testcase/failure[@type='max_regression']")
    assert gate is not None and "poor is" in gate.attrib["message"] and "worse than old" in gate.attrib["message"]


def test_several_suites_are_in_one_file() -> None:
    root = parsed(junit([(made(), []), (replace(made(suite="t"), seconds=2.5), [])]))
    assert [suite.attrib["name"] for suite in root] == ["s", "t"] and root[1].attrib["time"] == "2.500"
    assert root.attrib["tests"] == "20" and root.attrib["errors"] == "4" and root.attrib["failures"] == "2"


def test_hostile_texts_are_text() -> None:
    text = '</error><script> & " \x00\x0b\x1b[31m ]]> \ud800 \ufffe 標籤 \n'
    root = parsed(junit([(made(text), [])]))
    error = root.find(".//error")
    assert (
        error is not None and error.attrib["message"].startswith('</error><script> & "') and "標籤" in str(error.text)
    )
    junit([(made(text), [])]).encode("utf-8")


def test_a_run_names_its_time_and_its_commit() -> None:
    found = made(
        run="20260102-030405-s", environment={"commit": "abc", "dirty": True, "torch": "2.6", "plugins": {"a": "b"}}
    )
    (suite,) = parsed(junit([(found, [])]))
    assert suite.attrib["timestamp"] == "2026-01-02T03:04:05"
    said = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert said["commit"] == "abc" and said["dirty"] == "True" and said["run"] == "20260102-030405-s"


def test_another_reader_sees_the_same(tmp_path: Path) -> None:
    junitparser: Any = pytest.importorskip("junitparser", reason="junitparser is not installed")
    file = tmp_path / "j.xml"
    file.write_text(junit([(made(), ["error"])]), encoding="utf-8")
    xml = junitparser.JUnitXml.fromfile(str(file))
    (suite,) = xml
    counts = (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert counts == (11, 2, 2, 3) and len(list(suite)) == 11
    xml.update_statistics()
    (suite,) = xml
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == counts
    (hung,) = [case for case in suite if case.name == "hung"]
    assert isinstance(hung.result[0], junitparser.Error) and hung.result[0].message == "no answer within 1 s"
