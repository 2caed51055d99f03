"""The files that a command names."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.discovery.commands import of_command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script, a module that it imports, and configurations."""
    for name, text in {
        "train.py": "import helper\n",
        "helper.py": "",
        "other.py": "",
        "a.yaml": "a",
        "seeds/0.txt": "0",
        "seeds/1.txt": "1",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("python train.py --seed {seed}", ["helper.py", "train.py"]),
        ("python -u train.py {loss}.yaml", ["a.yaml", "helper.py", "train.py"]),
        ("run --config={loss}.yaml", ["a.yaml"]),
        ("run seeds/{seed}.txt {seed} --s={seed} {folder} {data}", ["0.txt", "1.txt"]),
        ("run seeds gone.txt {folder}/a.yaml", []),
        ("python -m other", ["other.py"]),
        ("run '", []),
    ],
)
def test_files_belong_to_the_identity(folder: Path, text: str, names: list[str]) -> None:
    assert sorted(of_command(text, {"loss": "a"}, folder)) == names


def test_a_change_changes_the_digest(folder: Path) -> None:
    before = of_command("run a.yaml", {}, folder)
    (folder / "a.yaml").write_text("b")
    assert of_command("run a.yaml", {}, folder) != before
