"""Exit codes of the command."""

from __future__ import annotations

OK, FOUND, WRONG, FAILED, NOTHING, BUG, STOPPED, TERMINATED = 0, 1, 2, 3, 4, 5, 130, 143
ORDER = (BUG, TERMINATED, STOPPED, WRONG, NOTHING, FAILED, FOUND, OK)
"""Exit codes by precedence: if several apply, the first of these is used."""
