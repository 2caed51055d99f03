"""Named random streams: a seed draws each quantity from a stream of its own, the same for every contender."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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

    Plugins may draw from them: their draws depend on the seed alone, not on what ran in the process before. Without a
    device nothing is queued for one: torch keeps every such seed, so the last of many would be slow.
    """
    import torch

    if torch.accelerator.is_available():
        torch.manual_seed(number(seed, *names))
    seed_host(seed, *names)


def seed_host(seed: int, *names: object) -> None:
    """Seed the same generators, but torch's on the processor alone: nothing is queued for CUDA."""
    import random

    import numpy
    import torch

    start = number(seed, *names)
    torch.default_generator.manual_seed(start)
    numpy.random.seed(start % 2**32)
    random.seed(start)


def global_draws(call: Callable[[], object]) -> list[str]:
    """Return which global generators a call draws from, of Python's and numpy's: `["random", "numpy.random"]`.

    Under `torch.func.vmap` these give every lane the same draw; torch's own gives each lane another.
    """
    before = _states()
    call()
    after = _states()
    return [name for name in before if before[name] != after[name]]


def _states() -> dict[str, object]:
    import random

    import numpy

    _, keys, *rest = numpy.random.get_state(legacy=True)  # the rest holds a normal number that is kept for later
    return {"random": random.getstate(), "numpy.random": (numpy.asarray(keys).tobytes(), *rest)}
