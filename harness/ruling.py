"""What ends a measurement in lockstep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ruling:
    """What a session in lockstep says after a block: so many blocks from the first were warming up and do not count.

    `stop` says why no more are needed, None where they are; `warnings` are lines about what makes the result weak.
    """

    warm: int = 0
    stop: str | None = None
    warnings: Sequence[str] = ()
