"""Networks as users write them, in files of their own."""

NET = """
import torch


class Net(torch.nn.Linear):
    def __init__(self):
        super().__init__(2, 2)

    def forward(self, x, t):
        return super().forward(x)
"""
"""A module with one class, Net: a denoiser's network of points [n, 2]."""
