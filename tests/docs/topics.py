"""The articles that `docs/articles/` settles: what is written about each by hand, in TOPIC.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
ARTICLES = ROOT / "docs" / "articles"
FIGURES = ARTICLES / "figures"
ORDER = (
    *("discrete-distributions", "accuracy", "n-of-m", "ddpm-bayes"),
    *("hubness", "ddpm-vae", "ddim", "optimal-variance"),
)
"""The topics in the order of the articles' numbers in the project."""


@dataclass(frozen=True)
class Topic:
    """One article: its title and source, a paragraph about it, its suites, and claims that no suite tests.

    `proved_by_tests` are {claim, source, test}, `not_tested` {claim, source, reason}, `figures` {suite, name, caption}.
    """

    name: str
    title: str
    source: str
    about: str
    suites: list[str]
    proved_by_tests: list[dict[str, str]] = field(default_factory=list)
    not_tested: list[dict[str, str]] = field(default_factory=list)
    figures: list[dict[str, str]] = field(default_factory=list)


def topic(name: str) -> Topic:
    """The article of that name."""
    return Topic(name, **yaml.safe_load((ARTICLES / f"{name}.yaml").read_text()))


TOPICS = [topic(name) for name in ORDER if (ARTICLES / f"{name}.yaml").exists()]
