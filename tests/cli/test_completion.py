"""`bench completion`: a shell that reads the script completes commands, options, kinds and files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Bench

ASK = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$(({count} - 1)); COMP_LINE="{words}"; COMP_POINT=${{#COMP_LINE}}; COMPREPLY=()
_shtab_bench bench "${{COMP_WORDS[$COMP_CWORD]}}" "${{COMP_WORDS[$COMP_CWORD - 1]}}"
echo "${{COMPREPLY[@]}}"
"""


def completed(script: Path, words: str) -> list[str]:
    """What bash offers for the last word."""
    text = ASK.format(script=script, words=words, count=len(words.split()))
    ended = subprocess.run(["bash", "-c", text], cwd=script.parent, capture_output=True, text=True, check=True)
    return ended.stdout.split()


@pytest.mark.verify
def test_bash_completes_commands_options_kinds_and_files(bench: Bench) -> None:
    pytest.importorskip("shtab", reason="shtab is not installed")
    script = bench.write("bench.bash", bench("completion", "bash").out)
    bench.write("mine.yaml", "")
    assert completed(script, "bench re") == ["report"]
    assert completed(script, "bench run --ju") == ["--junit"]
    assert completed(script, "bench run mi") == ["mine.yaml"]
    assert completed(script, "bench new pl") == ["plugin"]
    assert completed(script, "bench new plugin sam") == ["sampler"]
    assert completed(script, "bench list lo") == ["loss"]
    assert completed(script, "bench completion z") == ["zsh"]


@pytest.mark.verify
@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_a_script(shell: str, bench: Bench) -> None:
    pytest.importorskip("shtab", reason="shtab is not installed")
    ended = bench("completion", shell)
    assert ended.code == 0 and "trend" in ended.out and not ended.err
    if shutil.which(shell):
        subprocess.run([shell, "-n", bench.write("script", ended.out)], check=True)


def test_another_shell_is_one_line(bench: Bench) -> None:
    ended = bench("completion", "csh")
    assert ended.code == 2 and len(ended.lines) == 1 and "bash" in ended.lines[0]
