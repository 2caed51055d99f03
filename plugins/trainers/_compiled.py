"""Networks run by torch.compile, where a compiler is found."""

from __future__ import annotations

import warnings

import torch

LETTERS = 160
"""Most letters of an exception in a reason."""


def no_compiler(device: str) -> str | None:
    """Reason why torch.compile does not work on a device, or None."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of torch to itself
            torch.compile(torch.sin)(torch.zeros(8, device=device))
    except Exception as error:  # no compiler, no headers, another Python: torch has an exception for each
        said = (str(error).strip().splitlines() or [""])[0][:LETTERS]
        return f"torch.compile cannot: {type(error).__name__}: {said}"
    return None
