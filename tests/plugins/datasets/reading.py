"""Stock data sets that read files, and what they say of files they cannot read."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness import BenchError, Examples, artifacts
from harness.discovery import sources
from harness.discovery.registry import Registry

REGISTRY = Registry(source for source in sources.stock() if source.name.startswith("datasets."))


def load(name: str, **fields: Any) -> Examples:
    """The checked table of a data set."""
    data: Examples = REGISTRY.build("dataset", {"name": name, **fields}).load(torch.Generator().manual_seed(0))
    artifacts.check(data)
    return data


def refusal(name: str, path: Any, **fields: Any) -> str:
    """The one line that is said, without the path it begins with."""
    with pytest.raises(BenchError) as caught:
        load(name, path=str(path), **fields)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")
