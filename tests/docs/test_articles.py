"""The pages on the articles say what the reference runs found, and the reference runs are of the suites as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.docs import articles, reference
from tests.docs.topics import FIGURES, ORDER, ROOT, TOPICS, Topic

STORED = sorted(reference.index())
SUITES = sorted((ROOT / "suites").glob("*.yaml"))


def test_every_article_is_there() -> None:
    assert [topic.name for topic in TOPICS] == list(ORDER)


@pytest.mark.parametrize("file", articles.pages(), ids=lambda file: file.name)
def test_a_page_is_that_of_its_runs(file: Path) -> None:
    assert file.read_text() == articles.pages()[file](), "run `make articles`"


@pytest.mark.parametrize("suite", STORED)
def test_a_reference_run_is_of_its_suite_as_it_is(suite: str) -> None:
    assert reference.is_current(suite), f"run `make reference`: suites/{suite}.yaml has changed"
    assert (reference.REFERENCE / f"{suite}.md").read_text().startswith(f"`bench suites/{suite}.yaml`, ")


@pytest.mark.parametrize("file", SUITES, ids=lambda file: file.stem)
def test_every_claim_of_a_suite_belongs_to_an_article(file: Path) -> None:
    for claim in yaml.safe_load(file.read_text()).get("claims") or []:
        assert claim.get("topic") in ORDER and claim.get("claim"), claim


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_what_an_article_refers_to_exists(topic: Topic) -> None:
    for suite in topic.suites:
        assert (ROOT / "suites" / f"{suite}.yaml").exists(), suite
    for proved in topic.proved_by_tests:
        path, *names = proved["test"].split("[")[0].split("::")
        assert re.search(rf"def {re.escape(names[-1])}\(", (ROOT / path).read_text()), proved["test"]
    for figure in topic.figures:
        assert (FIGURES / f"{figure['suite']}-{figure['name']}.png").exists(), figure
    for missing in topic.not_tested:
        assert missing["claim"] and missing["source"] and missing["reason"], missing
