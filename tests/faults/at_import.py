"""The table of plugins that cannot be imported, cannot be registered, or fail while a cell is set up."""

from __future__ import annotations

from typing import NamedTuple

COMPONENT = '''
from harness import Loss, hookimpl


class {name}(Loss):
    """A plugin's loss."""

    def prepare(self, case):
        {prepare}

    def __call__(self, seeds, case):
        return [1 + seed / 100 for seed in seeds]


@hookimpl
def components():
    return [{name}]
'''


class Broken(NamedTuple):
    """The text of a plugin, its row's status, and a regular expression that the row's reason begins with.

    A plugin that cannot be imported is told by its file, from which on `reason` is compared.
    """

    text: str | bytes
    reason: str
    status: str = "failed"


def camel(name: str) -> str:
    """The name of the class whose component has a name."""
    return "".join(word.capitalize() for word in name.split("_"))


def first(name: str, lines: str) -> str:
    """A plugin that does something before anything else."""
    return f"{lines}\n{COMPONENT.format(name=camel(name), prepare='pass')}"


def _table(rows: dict[str, tuple[str, str]]) -> dict[str, Broken]:
    return {name: Broken(first(name, lines), f"cannot be imported: {reason}") for name, (lines, reason) in rows.items()}


AT_IMPORT: dict[str, Broken] = {
    **_table(
        {
            "bad_syntax": ("def f(:\n    pass", r"SyntaxError: invalid syntax"),
            "bad_indentation": ("if True:\npass", r"IndentationError: expected an indented block"),
            "bad_tabs": ("if True:\n        x = 1\n\ty = 2", r"TabError: inconsistent use of tabs"),
            "bad_nesting": ("x = " + "(" * 5000, r"(SyntaxError|MemoryError|RecursionError)"),
            "unknown_encoding": (
                "# -*- coding: klingon -*-",
                r"SyntaxError: (encoding problem|unknown encoding): klingon",
            ),
            "missing_module": ("import no_such_module", r"ModuleNotFoundError: No module named 'no_such_module'"),
            "missing_name": ("from harness import NoSuchKind", r"ImportError: cannot import name 'NoSuchKind'"),
            "imports_itself": ("import imports_itself\nimports_itself.nothing", r"AttributeError: "),
            "raises_at_import": ("raise ValueError('not\\ntoday')", r"ValueError: not$"),
            "raises_escapes": (
                "raise ValueError('\\x1b[31mred\\x1b]0;title\\x07')",
                r"ValueError: (?!.*[\x00-\x1f]).*red",
            ),
            "raises_surrogates": ("raise ValueError('half \\ud83d')", r"ValueError: half"),
            "raises_nothing_to_say": (
                "class Quiet(Exception):\n    def __str__(self):\n        raise OSError\nraise Quiet",
                r"Quiet$",
            ),
            "raises_a_megabyte": ("raise ValueError('x' * 2**20)", r"ValueError: x{200,}"),
            "raises_a_group": ("raise ExceptionGroup('two', [ValueError(1), OSError(2)])", r"ExceptionGroup: two"),
            "interrupts": ("raise KeyboardInterrupt", r"KeyboardInterrupt$"),
            "runs_out_of_memory": ("bytes(2**60)", r"MemoryError"),
            "recurses": ("def f():\n    f()\nf()", r"RecursionError: maximum recursion depth exceeded"),
            "asserts": ("assert 1 == 2", r"AssertionError$"),
            "exits_with_zero": ("import sys\nsys.exit()", r"SystemExit$"),
            "exits_with_text": ("import sys\nsys.exit('no GPU')", r"SystemExit: no GPU"),
            "reads_input": ("input('Go on?')", r"EOFError: EOF when reading a line"),
            "subclass_hook_raises": (
                "from harness import Loss\nclass Base(Loss):\n    def __init_subclass__(cls):\n        raise TypeError('no heirs')\nclass Heir(Base):\n    pass",
                r"TypeError: no heirs",
            ),
            "other_metaclass": (
                "from harness import Loss\nclass Meta(type):\n    pass\nclass Odd(Loss, metaclass=Meta):\n    pass",
                r"TypeError: metaclass conflict",
            ),
            "mutable_default": (
                "from harness import Loss\nclass Odd(Loss):\n    sizes: list[int] = []",
                r"ValueError: mutable default <class 'list'> for field sizes is not allowed",
            ),
            "exits_at_once": ("import os\nos._exit(0)", r"the process ended by itself with exit code 0"),
            "segfaults": ("import ctypes\nctypes.string_at(0)", r"killed by SIGSEGV"),
            "kills_itself": ("import os\nos.kill(os.getpid(), 9)", r"killed by SIGKILL"),
            "aborts": ("import os\nos.abort()", r"killed by SIGABRT"),
            "closes_everything": ("import os\nos.closerange(3, 1000)", r"the process ended by itself with exit code 1"),
            "loops_forever": ("while True:\n    pass", r"no answer within 3 s"),
            "leaves_a_daemon_and_hangs": (
                "import subprocess, time\nsubprocess.Popen(['setsid', 'sleep', '600'])\ntime.sleep(600)",
                r"no answer within 3 s",
            ),
        }
    ),
    "null_bytes": Broken(
        b"x = 1\0\n" + first("null_bytes", "").encode(),
        r"cannot be imported: (SyntaxError|ValueError): source code .*null bytes",
    ),
    "bad_bytes": Broken(
        b"x = '\xff\xfe'\n" + first("bad_bytes", "").encode(), r"cannot be imported: SyntaxError: .*utf-8"
    ),
    "no_python": Broken(
        b"\x7fELF\x02\x01\x01 no text\n" + first("no_python", "").encode(), r"cannot be imported: SyntaxError: "
    ),
}
"""Plugins whose import fails: their own rows fail, and nothing else."""

HARMLESS: dict[str, str] = {
    "prints_a_lot": "import sys\nfor _ in range(10):\n    print('x' * 2**20)\n    sys.stderr.write('y' * 2**20)",
    "forks_at_import": "import os\nif os.fork() == 0:\n    import time\n    time.sleep(600)",
    "copies_itself": "import os\nos.fork()",
    "starts_threads": "import threading, time\nthreading.Thread(target=time.sleep, args=[600]).start()",
    "leaves_a_daemon": "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '600'])",
    "forgets_itself": "import sys\ndel sys.modules[__name__]",
    "forgets_json": "import json, sys\njson.dumps = json.loads = None\ndel sys.modules['json']",
    "closes_streams": "import os, sys\nos.close(0), os.close(1), os.close(2)\nsys.stdout = sys.stderr = None",
    "changes_folder": "import os\nos.chdir('/')",
    "replaces_exit": "import os, atexit, time\nos._exit = print\natexit.register(time.sleep, 600)",
    "handles_signals": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.alarm(0)",
    "marks_of_order": "\ufeffx = 1",
}
"""Plugins that do something odd at import and work: their rows are complete."""


def _prepared(name: str, line: str) -> str:
    return COMPONENT.format(name=camel(name), prepare=line)


AT_SETUP: dict[str, Broken] = {
    name: Broken(_prepared(name, line), reason, status)
    for name, (line, status, reason) in {
        "setup_raises": ("raise ValueError('not ready')", "failed", r"ValueError: not ready \(setup_raises\.py:\d+\)"),
        "setup_exits": ("raise SystemExit(3)", "failed", r"SystemExit: 3 \("),
        "setup_interrupts": ("raise KeyboardInterrupt", "failed", r"KeyboardInterrupt \("),
        "setup_ends": ("import os; os._exit(2)", "crashed", r"the process ended by itself with exit code 2$"),
        "setup_segfaults": ("import ctypes; ctypes.string_at(0)", "crashed", r"killed by SIGSEGV$"),
        "setup_hangs": ("import time; time.sleep(600)", "timeout", r"no answer within 3 s$"),
        "setup_fills_memory": ("import time; x = b'x' * 2**30; time.sleep(60)", "oom", r"used [\d,]+ MiB of memory"),
        "setup_lacks_memory": ("raise MemoryError", "oom", r"out of memory$"),
        "setup_skips": ("from harness import Skip; raise Skip('not here')", "skipped", r"not here$"),
        "setup_finds_a_mistake": ("from harness import BenchError; raise BenchError('no')", "failed", r"no$"),
        "setup_of_no_width": ("case.on_progress('a', 'b')", "failed", r"TypeError: "),
        "setup_leaves_a_daemon": (
            "import os, subprocess; subprocess.Popen(['setsid', 'sleep', '600']); os.abort()",
            "crashed",
            r"killed by SIGABRT$",
        ),
    }.items()
}
"""Plugins that fail while their cell is set up."""

REFUSED: dict[str, tuple[str, str]] = {
    name: (text, reason)
    for name, (text, reason) in {
        "empty": ("", r"the plugin registers nothing"),
        "hook_raises": (
            first("hook_raises", "").replace("[HookRaises]", "[1 / 0]"),
            r"components\(\) failed: ZeroDivisionError",
        ),
        "hook_exits": (
            first("hook_exits", "").replace("return [HookExits]", "raise SystemExit(1)"),
            r"components\(\) failed: SystemExit: 1",
        ),
        "hook_says_none": (
            "from harness import hookimpl\n@hookimpl\ndef components():\n    return None\n",
            r"components\(\) must return a list of classes, not None",
        ),
        "hook_gives_a_number": (
            "from harness import hookimpl\n@hookimpl\ndef components():\n    return [5]\n",
            r"5 is not a component",
        ),
        "name_of_another": (first("good", ""), r"loss good is already defined at "),
        "abstract": (
            'from harness import Loss, hookimpl\nclass Abstract(Loss):\n    """Abstract."""\n@hookimpl\ndef components():\n    return [Abstract]\n',
            r"Abstract lacks the method __call__",
        ),
        "bad_field": (
            first("bad_field", "").replace("    def prepare", "    gamma: complex = 1j\n\n    def prepare"),
            r"BadField\.gamma: a field cannot have the type",
        ),
    }.items()
}
"""Plugins that are no plugins: a mistake of the user, told before anything is measured."""
