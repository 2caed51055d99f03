"""Tracebacks as data, cut to a size that a message and a file can have."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.discovery.sources import HARNESS

if TYPE_CHECKING:
    from harness.errors import After, Frame, Raised

EXCEPTIONS, FRAMES = 5, 60
"""Exceptions of a chain that are kept, and frames of each: the last ones."""
TEXT, CODE = 4000, 200
"""Characters that are kept of an exception's text, and of a line of code."""
STOCK = "stock"
"""Folder of the plugins that come along, in an installed wheel: their frames are those of plugins."""
KEPT = "_trace"
"""Attribute of an exception of another process: its traceback there, which does not come along."""


def trace(error: BaseException) -> list[Raised]:
    """Return an exception and those before it, the first one first; that of another process as it was there."""
    kept: list[Raised] | None = getattr(error, KEPT, None)
    if kept is not None:
        return kept
    chain = list(_chain(traceback.TracebackException.from_exception(error)))
    return chain[:EXCEPTIONS][::-1]


def carry(error: BaseException, found: list[Raised]) -> None:
    """Give an exception the traceback that it had in another process."""
    setattr(error, KEPT, found)


def _chain(found: traceback.TracebackException) -> Iterator[Raised]:
    """Yield the last exception first."""
    each: traceback.TracebackException | None = found
    while each is not None:
        hidden = None if each.__suppress_context__ else each.__context__
        after: After = "cause" if each.__cause__ is not None else "context" if hidden is not None else None
        frames = [_frame(frame) for frame in each.stack[-FRAMES:]]
        yield {"text": "".join(each.format_exception_only())[:TEXT].rstrip(), "frames": frames, "after": after}
        each = each.__cause__ or hidden


def _frame(frame: traceback.FrameSummary) -> Frame:
    code = (frame.line or "")[:CODE]
    return {
        "file": frame.filename,
        "line": frame.lineno or 0,
        "function": frame.name,
        "code": code,
        "ours": _is_ours(frame.filename),
    }


def _is_ours(file: str) -> bool:
    """Return whether a frame is of the harness, or of the import system: not of a plugin, stock ones included."""
    below = os.path.relpath(file, HARNESS) if os.path.isabs(file) else ""
    return file.startswith("<frozen") or (bool(below) and below.split(os.sep)[0] not in (os.pardir, STOCK))
