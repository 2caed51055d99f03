"""Named random streams: a seed draws each quantity from a stream of its own, the same for every contender."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator


def number(seed: int, *names: object) -> int:
    """Return a 63-bit number for a stream, independent of every other stream's.

    >>> number(0, "split") == number(0, "split"), number(0, "split") == number(1, "split")
    (True, False)
    """
    text = "/".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *names: object) -> Generator:
    """Return a CPU generator at the start of a stream: `generator(7, "batches", epoch)`."""
    import torch

    return torch.Generator().manual_seed(number(seed, *names))


def seed_globals(seed: int, *names: object) -> None:
    """Seed the global generators of torch (on every device), numpy and Python from a stream.

    Plugins may draw from them: their draws depend on the seed alone, not on what ran in the process before.
    """
    import random

    import numpy
    import torch

    start = number(seed, *names)
    torch.manual_seed(start)
    numpy.random.seed(start % 2**32)
    random.seed(start)
