"""Modules are found without importing anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.discovery import sources


def test_a_module_in_packages_without_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outer_space" / "inner" / "deep" / "plugin.py"
    file.parent.mkdir(parents=True)
    file.write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert sources.locate("outer_space.inner.deep.plugin") == file
    assert sources.locate("outer_space.inner.deep.other") is None
    assert "outer_space" not in sys.modules
