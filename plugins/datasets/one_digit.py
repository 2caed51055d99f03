"""One handwritten digit against all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch
from annotated_types import Interval

from harness import Dataset, Examples, hookimpl

if TYPE_CHECKING:
    from torch import Generator

Digit = Annotated[int, Interval(ge=0, le=9)]


class OneDigit(Dataset):
    """One handwritten digit against the others, one scan in ten.

    The 1,797 scans of `digits` (Alpaydin and Kaynak, 1998), 64 columns in [0, 1]. Classes: 1 the `digit`, 0 any
    other. Every part of the split has one positive in about ten, the test part too.
    """

    reference = """
    @misc{alpaydin1998digits, author = {Alpaydin, Ethem and Kaynak, Cenk}, title = {Optical Recognition of
      Handwritten Digits}, howpublished = {UCI Machine Learning Repository}, year = {1998}}"""

    digit: Digit = 8

    def load(self, generator: Generator) -> Examples:
        """The table from scikit-learn's own copy; nothing is downloaded."""
        from sklearn.datasets import load_digits

        inputs, targets = load_digits(return_X_y=True)
        is_digit = torch.from_numpy(targets) == self.digit
        return Examples(inputs=torch.from_numpy(inputs).div(16).float(), targets=is_digit.long(), classes=2)


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [OneDigit]
