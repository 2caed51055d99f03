"""Heun's method for the probability flow dz = eps dr, z = x / sqrt(A_t), r = sqrt(B_t / A_t)."""

from __future__ import annotations

import torch

from ._linear import Levels, Plan


def heun(start: Levels, end: Levels, noise: float = 1.0) -> Plan:
    """Steps from start[k] to end[k]: Euler's point, then the mean of both slopes; the last, to 0, is Euler's.

    With d the step in r, Euler's point is z + d eps; the improved one differs from it by (eps' - eps) d / 2, so it is
    reached from there, not from the start. Where the next step starts later than this one ends, noise carries the
    sample there, with its deviation multiplied by `noise`.
    """
    scale, lead = end.signal / start.signal, end.signal * (end.ratio - start.ratio)
    back = torch.ones_like(scale)  # the last step has none: it is cut off below
    back[:-1] = start.signal[1:] / end.signal[:-1]
    added = torch.zeros_like(scale)
    added[:-1] = noise**2 * start.alpha_bar[1:] * (start.ratio[1:].square() - end.ratio[:-1].square())
    half, none = back * lead / 2, torch.zeros_like(lead)
    weights = torch.stack([torch.stack([lead, none], -1), torch.stack([half, -half], -1)], 1).flatten(0, 1)[:-1]
    scale, added = (torch.stack(pair, 1).flatten()[:-1] for pair in ((scale, back), (none, added)))
    times = torch.stack([start.times, end.times], 1).flatten()
    return Plan("eps", times, scale, weights, added, torch.zeros_like(scale))
